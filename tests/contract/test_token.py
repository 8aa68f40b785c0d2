"""The contract of certificate tokens (devices/tokens/contract.py), held to SoftHSM directly and to a faulty library in front of it. Never asks a real token.

What only a faulty library can do (locking, pulling in mid-signature, hanging, crashing, a PIN pad) runs on that alone.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from devices.base import Device
from devices.errors import (
    Cancelled,
    DriverCrashed,
    DriverHung,
    DriverMissing,
    LoginNeeded,
    NoToken,
    PinLocked,
    TokenBusy,
    TokenGone,
    TokenTrouble,
    WrongPin,
)
from devices.tokens.contract import PinState
from devices.tokens.pkcs11 import Patience, Pkcs11Driver, Pkcs11Token
from tests.emulators.ca import PracticeCa, PublicKey
from tests.emulators.softhsm import FaultyLibrary, SoftToken, SoftTokens

PIN, WRONG = "123456", "000000"
DIGEST = hashlib.sha256("名".encode()).digest()
QUICK = Patience(find=20, read=20, login=20, sign=20)


@dataclass
class Bench:
    """Two soft tokens, the same for a whole module, and the faulty library in front of them."""

    soft: SoftTokens
    faulty: FaultyLibrary
    operator: SoftToken
    supervisor: SoftToken


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("tokens")
    ca, soft = PracticeCa.make(folder / "ca"), SoftTokens(folder / "soft")
    operator = soft.make_person(ca, "operator", PIN, "OP-000017", "张三")
    supervisor = soft.make_person(ca, "supervisor", PIN, "SV-000003", "李四", "ec", ("supervisor",))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in soft.env.items():
            patch.setenv(name, value)
        yield Bench(soft, FaultyLibrary(folder / "faulty"), operator, supervisor)


@pytest.fixture(params=["softhsm", "faulty"])
def driver(request: pytest.FixtureRequest, bench: Bench) -> Iterator[Pkcs11Driver]:
    """Either library, both without faults: what holds for one MUST hold for the other."""
    driver = Pkcs11Driver(bench.soft.library if request.param == "softhsm" else bench.faulty.path, request.param, emulated=True, patience=QUICK)
    yield driver
    driver.close()
    bench.faulty.heal()
    for token in (bench.operator, bench.supervisor):
        if not token.plugged:
            token.replug()


@pytest.fixture
def faulty(bench: Bench) -> Iterator[FaultyLibrary]:
    yield bench.faulty
    bench.faulty.heal()


@pytest.fixture
def faulty_driver(bench: Bench, faulty: FaultyLibrary) -> Iterator[Pkcs11Driver]:
    driver = Pkcs11Driver(faulty.path, "faulty", patience=QUICK)
    yield driver
    driver.close()


@pytest.fixture
def token(faulty_driver: Pkcs11Driver) -> Iterator[Pkcs11Token]:
    """The operator's token behind the faulty library, open."""
    with faulty_driver.open(by_name(faulty_driver, "operator")) as token:
        yield token


def by_name(driver: Pkcs11Driver, name: str) -> Device:
    (device,) = [one for one in driver.find() if one.name == name]
    return device


def verify(key: PublicKey, signature: bytes) -> None:
    if isinstance(key, rsa.RSAPublicKey):
        key.verify(signature, DIGEST, padding.PKCS1v15(), Prehashed(hashes.SHA256()))
    else:
        key.verify(signature, DIGEST, ec.ECDSA(Prehashed(hashes.SHA256())))


# -- what every token does --------------------------------------------------------------------------------------------------------------
def test_find_names_tokens(driver: Pkcs11Driver, bench: Bench) -> None:
    found = {device.name: device for device in driver.find()}
    assert set(found) == {"operator", "supervisor"}
    assert found["operator"].serial == bench.operator.serial
    assert all(device.driver == driver.name and device.emulated for device in found.values())
    assert hash(found["operator"]) == hash(by_name(driver, "operator")), "the same token is the same reference"


@pytest.mark.parametrize(("name", "mechanism"), [("operator", "rsa-pkcs1-sha256"), ("supervisor", "ecdsa-sha256")])
def test_login_sign_logout(driver: Pkcs11Driver, bench: Bench, name: str, mechanism) -> None:
    soft = bench.soft.token(name)
    with driver.open(by_name(driver, name)) as token:
        assert token.device.name == name
        assert token.pin_state() == PinState(None)
        (certificate,) = token.certificates()
        token.login(PIN)
        assert token.certificates() == (certificate,), "the same choice before and after login"
        assert len(certificate.chain) == 1
        signature = token.sign(certificate.key_id, mechanism, DIGEST)
        verify(soft.public_key, signature)
        with pytest.raises(InvalidSignature):
            verify(soft.public_key, signature[:-1] + bytes([signature[-1] ^ 1]))
        for _ in range(3):
            verify(soft.public_key, token.sign(certificate.key_id, mechanism, DIGEST))
        token.logout()
        with pytest.raises(LoginNeeded):
            token.sign(certificate.key_id, mechanism, DIGEST)
        token.login(PIN)
        verify(soft.public_key, token.sign(certificate.key_id, mechanism, DIGEST))


def test_wrong_pin_and_then_the_right_one(driver: Pkcs11Driver, bench: Bench) -> None:
    with driver.open(by_name(driver, "operator")) as token:
        for _ in range(3):
            with pytest.raises(WrongPin) as caught:
                token.login(WRONG)
            assert "tries_left" in caught.value.facts
            with pytest.raises(LoginNeeded):
                token.sign(b"\x01", "rsa-pkcs1-sha256", DIGEST)
        token.login(PIN)
        verify(bench.operator.public_key, token.sign(b"\x01", "rsa-pkcs1-sha256", DIGEST))


def test_a_failed_login_harms_no_other_token(driver: Pkcs11Driver, bench: Bench) -> None:
    with driver.open(by_name(driver, "operator")) as mine, driver.open(by_name(driver, "supervisor")) as theirs:
        mine.login(PIN)
        with pytest.raises(WrongPin):
            theirs.login(WRONG)
        verify(bench.operator.public_key, mine.sign(b"\x01", "rsa-pkcs1-sha256", DIGEST))
        theirs.login(PIN)
        verify(bench.supervisor.public_key, theirs.sign(b"\x01", "ecdsa-sha256", DIGEST))
        verify(bench.operator.public_key, mine.sign(b"\x01", "rsa-pkcs1-sha256", DIGEST))


def test_what_a_token_refuses(driver: Pkcs11Driver) -> None:
    with driver.open(by_name(driver, "operator")) as token:
        with pytest.raises(WrongPin):
            token.login("")
        with pytest.raises(TokenTrouble, match="PIN pad"):
            token.login(None)
        token.login(PIN)
        with pytest.raises(TokenTrouble) as caught:
            token.sign(b"\x77", "rsa-pkcs1-sha256", DIGEST)
        assert caught.value.facts["status"] == "NoSuchKey"
        with pytest.raises(TokenTrouble) as caught:
            token.sign(b"\x01", "ecdsa-sha256", DIGEST)
        assert caught.value.facts["status"] == "KeyTypeInconsistent"
        with pytest.raises(TokenTrouble) as caught:
            token.sign(b"\x01", "sm2-sm3", DIGEST)
        assert caught.value.facts["status"] == "MECHANISM_INVALID"
        verify_still = token.sign(b"\x01", "rsa-pkcs1-sha256", DIGEST)
        assert len(verify_still) == 256


def test_pulled_token_is_gone_and_comes_back_logged_out(driver: Pkcs11Driver, bench: Bench) -> None:
    device = by_name(driver, "operator")
    pull, replug = (bench.operator.pull, bench.operator.replug) if driver.name == "softhsm" else (bench.faulty.pull, bench.faulty.replug)
    with driver.open(device) as token:
        token.login(PIN)
        token.sign(b"\x01", "rsa-pkcs1-sha256", DIGEST)
        pull()
        with pytest.raises(TokenGone):
            token.sign(b"\x01", "rsa-pkcs1-sha256", DIGEST)
        assert "operator" not in {one.name for one in driver.find()}
        for method in (token.pin_state, token.certificates, lambda: token.login(PIN), lambda: token.sign(b"\x01", "rsa-pkcs1-sha256", DIGEST)):
            with pytest.raises(TokenGone):
                method()
        with pytest.raises(NoToken):
            driver.open(device)
        assert not token.present()
        replug()
        assert by_name(driver, "operator") == device
        with pytest.raises(LoginNeeded):
            token.sign(b"\x01", "rsa-pkcs1-sha256", DIGEST)
        token.login(PIN)
        verify(bench.operator.public_key, token.sign(b"\x01", "rsa-pkcs1-sha256", DIGEST))


def test_library_that_is_not_there(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "empty.so").write_bytes(b"not a library")
    for library in ("/nowhere/libtoken.so", "relative.so", str(tmp_path / "empty.so")):
        driver = Pkcs11Driver(library, "missing")
        with pytest.raises(DriverMissing) as caught:
            driver.find()
        assert caught.value.facts["library"] == library
        driver.close()
    wrong = Pkcs11Driver(bench.soft.library, "another", sha256="sha256:" + "0" * 64)
    with pytest.raises(DriverMissing, match="signed list"):
        wrong.find()
    right = Pkcs11Driver(bench.soft.library, "listed", sha256="sha256:" + hashlib.sha256(Path(bench.soft.library).read_bytes()).hexdigest())
    assert right.find()
    right.close()


def test_second_token_is_seen_while_the_first_stays(driver: Pkcs11Driver, bench: Bench) -> None:
    if driver.name == "faulty":
        bench.faulty.pull()
        assert driver.find() == ()
        bench.faulty.replug()
        assert len(driver.find()) == 2
        return
    assert len(driver.find()) == 2
    bench.supervisor.pull()
    fresh = Pkcs11Driver(bench.soft.library, "fresh", patience=QUICK)  # this one has never seen two
    assert {one.name for one in fresh.find()} == {one.name for one in driver.find()} == {"operator"}
    bench.supervisor.replug()
    assert len(driver.find()) == 2, "a token that was there before is looked for at once"
    end = time.monotonic() + 15
    while len(fresh.find()) != 2:
        assert time.monotonic() < end, "the token that came is never seen"
        time.sleep(0.5)
    fresh.close()


# -- what only a faulty library shows ---------------------------------------------------------------------------------------------------
def test_wrong_pins_count_down_to_locked(token: Pkcs11Token, faulty: FaultyLibrary) -> None:
    faulty.count_tries(3)
    assert token.pin_state() == PinState(None)
    with pytest.raises(WrongPin) as caught:
        token.login(WRONG)
    assert caught.value.facts["tries_left"] is None
    assert token.pin_state() == PinState(None, low=True)
    with pytest.raises(WrongPin) as caught:
        token.login(WRONG)
    assert caught.value.facts["tries_left"] == 1
    assert token.pin_state() == PinState(1, low=True, last_try=True)
    with pytest.raises(PinLocked):
        token.login(WRONG)
    assert token.pin_state().locked and token.pin_state().tries_left == 0
    assert faulty.logins == 3, "each login is one try"
    with pytest.raises(PinLocked):
        token.login(PIN)
    assert faulty.logins == 3, "a locked token is not asked again"


def test_right_pin_at_the_last_try_clears_the_count(token: Pkcs11Token, faulty: FaultyLibrary) -> None:
    faulty.count_tries(2)
    with pytest.raises(WrongPin) as caught:
        token.login(WRONG)
    assert caught.value.facts["tries_left"] == 1
    token.login(PIN)
    assert token.pin_state() == PinState(None)


def test_trouble_at_login_is_not_called_a_wrong_pin(token: Pkcs11Token, faulty: FaultyLibrary) -> None:
    faulty.fail("login", 0x6)  # CKR_FUNCTION_FAILED
    with pytest.raises(TokenTrouble) as caught:
        token.login(PIN)
    assert type(caught.value) is TokenTrouble and caught.value.facts["status"] == "FunctionFailed"
    faulty.fail("login", 0x100)  # CKR_USER_ALREADY_LOGGED_IN
    with pytest.raises(TokenBusy):
        token.login(PIN)
    assert faulty.logins == 0


def test_pulled_while_it_signs(token: Pkcs11Token, faulty: FaultyLibrary) -> None:
    token.login(PIN)
    faulty.sign_slowly(5000)
    hand = threading.Timer(0.5, faulty.pull)
    hand.start()
    begun = time.monotonic()
    with pytest.raises(TokenGone):
        token.sign(b"\x01", "rsa-pkcs1-sha256", DIGEST)
    assert time.monotonic() - begun < 4
    hand.join()


def test_pulled_and_replugged_between_two_signatures(token: Pkcs11Token, faulty: FaultyLibrary) -> None:
    """Nobody looked while it was out: the old session is dead all the same, and the PIN is asked for again."""
    token.login(PIN)
    faulty.pull()
    faulty.replug()
    with pytest.raises(TokenGone):
        token.sign(b"\x01", "rsa-pkcs1-sha256", DIGEST)
    with pytest.raises(LoginNeeded):
        token.sign(b"\x01", "rsa-pkcs1-sha256", DIGEST)
    token.login(PIN)
    token.sign(b"\x01", "rsa-pkcs1-sha256", DIGEST)


def test_pulled_before_login(token: Pkcs11Token, faulty: FaultyLibrary) -> None:
    faulty.pull()
    with pytest.raises(TokenGone):
        token.login(PIN)
    assert faulty.logins == 0


def test_crash_in_a_signature(token: Pkcs11Token, faulty: FaultyLibrary) -> None:
    token.login(PIN)
    faulty.crash("sign")
    with pytest.raises(DriverCrashed):
        token.sign(b"\x01", "rsa-pkcs1-sha256", DIGEST)
    faulty.heal()
    with pytest.raises(LoginNeeded):
        token.sign(b"\x01", "rsa-pkcs1-sha256", DIGEST)
    token.login(PIN)
    token.sign(b"\x01", "rsa-pkcs1-sha256", DIGEST)


def test_crash_at_login_is_not_tried_again(token: Pkcs11Token, faulty: FaultyLibrary) -> None:
    faulty.crash("login")
    with pytest.raises(DriverCrashed):
        token.login(PIN)
    faulty.heal()
    assert token.pin_state() == PinState(None)
    assert faulty.logins == 0


def test_hang_in_a_signature(bench: Bench, faulty: FaultyLibrary) -> None:
    driver = Pkcs11Driver(faulty.path, "faulty", patience=Patience(sign=0.5))
    with driver.open(by_name(driver, "operator")) as token:
        token.login(PIN)
        faulty.hang("sign")
        begun = time.monotonic()
        with pytest.raises(DriverHung):
            token.sign(b"\x01", "rsa-pkcs1-sha256", DIGEST)
        assert time.monotonic() - begun < 10
        faulty.heal()
        with pytest.raises(LoginNeeded):
            token.sign(b"\x01", "rsa-pkcs1-sha256", DIGEST)
    driver.close()


def test_hang_and_crash_while_listing(bench: Bench, faulty: FaultyLibrary) -> None:
    driver = Pkcs11Driver(faulty.path, "faulty", patience=Patience(find=0.5))
    assert len(driver.find()) == 2
    faulty.hang("list")
    with pytest.raises(DriverHung):
        driver.find()
    faulty.heal()
    assert len(driver.find()) == 2
    faulty.crash("list")
    with pytest.raises(DriverCrashed):
        driver.find()
    faulty.heal()
    assert len(driver.find()) == 2
    driver.close()


def test_library_that_hangs_when_it_is_closed(bench: Bench, faulty: FaultyLibrary) -> None:
    driver = Pkcs11Driver(faulty.path, "faulty")
    with driver.open(by_name(driver, "operator")) as token:
        token.login(PIN)
        faulty.hang("finalize")
        begun = time.monotonic()
    assert time.monotonic() - begun < 10
    driver.close()


def test_pin_pad(token: Pkcs11Token, faulty: FaultyLibrary, bench: Bench) -> None:
    faulty.pin_pad(PIN)
    assert token.pin_state().pin_pad
    token.login(None)
    verify(bench.operator.public_key, token.sign(b"\x01", "rsa-pkcs1-sha256", DIGEST))
    token.logout()
    faulty.pin_pad("cancel")
    with pytest.raises(Cancelled):
        token.login(None)
    faulty.pin_pad(WRONG)
    with pytest.raises(WrongPin):
        token.login(None)


def test_pin_is_nowhere_in_the_parent(token: Pkcs11Token) -> None:
    pin = "".join(("12", "34", "56"))
    token.login(pin)
    assert pin not in repr(token) and pin not in repr(vars(token)) and pin not in repr(vars(token._host))
    assert pin not in "\0".join(os.environ.values())
