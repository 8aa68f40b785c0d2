"""The contract of certificate tokens (devices/tokens/contract.py), held to every kind alike: without faults but those that a hand makes."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature

from devices.errors import DriverMissing, LoginNeeded, NoToken, TokenGone, TokenTrouble, WrongPin
from devices.tokens.hosted import HostedDriver
from devices.tokens.pkcs11 import Pkcs11Driver
from devices.tokens.skf import SkfDriver
from sync.signing import certificate_facts
from tests.contract.tokens.conftest import DIGEST, PIN, WRONG, Kind, by_name, sign


def test_find_names_tokens(driver: HostedDriver, kind: Kind) -> None:
    found = {device.name: device for device in driver.find()}
    assert set(found) == {"operator", "supervisor"}
    assert found["operator"].serial == kind.operator.token.serial
    assert all(device.driver == driver.name and device.emulated for device in found.values())
    assert hash(found["operator"]) == hash(by_name(driver, "operator")), "the same token is the same reference"


@pytest.mark.parametrize("name", ["operator", "supervisor"])
def test_login_sign_logout(driver: HostedDriver, kind: Kind, name: str) -> None:
    soft = kind.people[name]
    with driver.open(by_name(driver, name)) as token:
        assert token.device.name == name
        assert token.pin_state() == kind.fresh
        (certificate,) = token.certificates()
        assert certificate_facts(certificate.der).mechanism == soft.mechanism and certificate.key_id == soft.key_id
        with pytest.raises(LoginNeeded):
            sign(token, soft)
        token.login(PIN)
        assert token.certificates() == (certificate,), "the same choice before and after login"
        assert len(certificate.chain) == kind.chain
        signature = sign(token, soft)
        soft.verify(signature)
        with pytest.raises(InvalidSignature):
            soft.verify(signature[:-1] + bytes([signature[-1] ^ 1]))
        for number in range(3):
            other = hashlib.sha256(bytes([number])).digest()
            soft.verify(sign(token, soft, other), other)
        token.logout()
        with pytest.raises(LoginNeeded):
            sign(token, soft)
        token.login(PIN)
        soft.verify(sign(token, soft))


def test_wrong_pin_and_then_the_right_one(driver: HostedDriver, kind: Kind) -> None:
    with driver.open(by_name(driver, "operator")) as token:
        for _ in range(3):
            with pytest.raises(WrongPin) as caught:
                token.login(WRONG)
            assert "tries_left" in caught.value.facts
            with pytest.raises(LoginNeeded):
                sign(token, kind.operator)
        token.login(PIN)
        kind.operator.verify(sign(token, kind.operator))


def test_wrong_pin_after_a_login_ends_that_login(driver: HostedDriver, kind: Kind) -> None:
    with driver.open(by_name(driver, "operator")) as token:
        token.login(PIN)
        with pytest.raises(WrongPin):
            token.login(WRONG)
        with pytest.raises(LoginNeeded):
            sign(token, kind.operator)


def test_a_failed_login_harms_no_other_token(driver: HostedDriver, kind: Kind) -> None:
    with driver.open(by_name(driver, "operator")) as mine, driver.open(by_name(driver, "supervisor")) as theirs:
        mine.login(PIN)
        with pytest.raises(WrongPin):
            theirs.login(WRONG)
        kind.operator.verify(sign(mine, kind.operator))
        theirs.login(PIN)
        kind.people["supervisor"].verify(sign(theirs, kind.people["supervisor"]))
        kind.operator.verify(sign(mine, kind.operator))


def test_what_a_token_refuses(driver: HostedDriver, kind: Kind) -> None:
    soft = kind.operator
    other = kind.people["supervisor"].mechanism
    with driver.open(by_name(driver, "operator")) as token:
        with pytest.raises(WrongPin):
            token.login("")
        with pytest.raises(TokenTrouble, match="PIN pad"):
            token.login(None)
        token.login(PIN)
        for key_id, mechanism, status in ((b"\x77", soft.mechanism, "NoSuchKey"), (soft.key_id, other, "KeyTypeInconsistent"),
                                          (soft.key_id, kind.foreign, "MECHANISM_INVALID")):
            with pytest.raises(TokenTrouble) as caught:
                token.sign(key_id, mechanism, DIGEST)
            assert caught.value.facts["status"] == status
        soft.verify(sign(token, soft))


def test_pulled_token_is_gone_and_comes_back_logged_out(driver: HostedDriver, kind: Kind) -> None:
    device, soft = by_name(driver, "operator"), kind.operator
    with driver.open(device) as token:
        token.login(PIN)
        sign(token, soft)
        kind.pull()
        with pytest.raises(TokenGone):
            sign(token, soft)
        assert "operator" not in {one.name for one in driver.find()}
        for method in (token.pin_state, token.certificates, lambda: token.login(PIN), lambda: sign(token, soft)):
            with pytest.raises(TokenGone):
                method()
        with pytest.raises(NoToken):
            driver.open(device)
        assert not token.present()
        kind.replug()
        assert by_name(driver, "operator") == device
        with pytest.raises(LoginNeeded):
            sign(token, soft)
        token.login(PIN)
        soft.verify(sign(token, soft))


def test_another_token_in_its_place_is_not_signed_with(driver: HostedDriver, kind: Kind) -> None:
    """The operator's token is pulled by its own plug, the supervisor's stays: nothing of the one reaches the other."""
    device = by_name(driver, "operator")
    with driver.open(device) as token:
        token.login(PIN)
        kind.operator.token.pull()
        with pytest.raises(TokenGone):
            sign(token, kind.operator)
        assert {one.name for one in driver.find()} == {"supervisor"}
        with pytest.raises(NoToken):
            driver.open(device)


def test_second_token_is_seen_while_the_first_stays(driver: HostedDriver, kind: Kind) -> None:
    assert len(driver.find()) == 2
    kind.people["supervisor"].token.pull()
    fresh = kind.driver()  # this one has never seen two
    try:
        assert {one.name for one in fresh.find()} == {one.name for one in driver.find()} == {"operator"}
        kind.people["supervisor"].token.replug()
        assert len(driver.find()) == 2, "a token that was there before is looked for at once"
        end = time.monotonic() + 15
        while len(fresh.find()) != 2:
            assert time.monotonic() < end, "the token that came is never seen"
            time.sleep(0.5)
    finally:
        fresh.close()


@pytest.mark.parametrize("make", [Pkcs11Driver, SkfDriver])
def test_library_that_is_not_there(make: type[HostedDriver], kinds: dict[str, Kind], tmp_path: Path) -> None:
    (tmp_path / "empty.so").write_bytes(b"not a library")
    libraries = ["/nowhere/libtoken.so", "relative.so", str(tmp_path / "empty.so")]
    if make is SkfDriver:
        libraries.append(kinds["softhsm"].driver()._library)  # a library, but none of this kind
    for library in libraries:
        driver = make(library, "missing")
        with pytest.raises(DriverMissing) as caught:
            driver.find()
        assert caught.value.facts["library"] == library
        driver.close()
    right = kinds["softskf" if make is SkfDriver else "softhsm"].driver()._library
    wrong = make(right, "another", sha256="sha256:" + "0" * 64)
    with pytest.raises(DriverMissing, match="signed list"):
        wrong.find()
    listed = make(right, "listed", sha256="sha256:" + hashlib.sha256(Path(right).read_bytes()).hexdigest())
    assert listed.find()
    listed.close()


def test_pin_is_nowhere_in_the_parent(driver: HostedDriver) -> None:
    pin = "".join(("12", "34", "56"))
    with driver.open(by_name(driver, "operator")) as token:
        token.login(pin)
        assert pin not in repr(token) and pin not in repr(vars(token)) and pin not in repr(vars(token._host))
        assert pin not in "\0".join(os.environ.values())
