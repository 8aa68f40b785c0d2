"""The faults of real tokens, in both kinds of library that can be told to have them: PKCS#11 and SKF alike."""

from __future__ import annotations

import sys
import threading
import time

import pytest

from devices.errors import (
    Cancelled,
    DriverCrashed,
    DriverHung,
    LoginNeeded,
    PinLocked,
    TokenBusy,
    TokenGone,
    TokenTrouble,
    WrongPin,
)
from devices.tokens.contract import PinState
from devices.tokens.hosted import HostedToken, Patience
from tests.contract.tokens.conftest import PIN, WRONG, Kind, by_name, sign
from tests.emulators.softhsm import FaultyLibrary
from tests.emulators.softskf import SoftSkf

GENERAL_FAILURE = {"faulty": (0x6, "FunctionFailed"), "softskf": (0x0A000001, "0x0a000001")}
SOMEBODY_ELSE = {"faulty": 0x100, "softskf": 0x0A000028}


# -- the PIN --------------------------------------------------------------------------------------------------------------------------
def test_wrong_pins_count_down_to_locked(token: HostedToken, faulty_kind: Kind) -> None:
    faults, aloud = faulty_kind.faults, faulty_kind.fresh.tries_left is not None
    assert faults is not None
    faults.count_tries(3)
    assert token.pin_state() == PinState(3 if aloud else None)
    with pytest.raises(WrongPin) as caught:
        token.login(WRONG)
    assert caught.value.facts["tries_left"] == (2 if aloud else None)
    assert token.pin_state() == PinState(2 if aloud else None, low=True)
    with pytest.raises(WrongPin) as caught:
        token.login(WRONG)
    assert caught.value.facts["tries_left"] == 1
    assert token.pin_state() == PinState(1, low=True, last_try=True)
    with pytest.raises(PinLocked):
        token.login(WRONG)
    assert token.pin_state().locked and token.pin_state().tries_left == 0
    assert faults.logins == 3, "each login is one try"
    with pytest.raises(PinLocked):
        token.login(PIN)
    assert faults.logins == 3, "a locked token is not asked again"


def test_right_pin_at_the_last_try_clears_the_count(token: HostedToken, faulty_kind: Kind) -> None:
    assert faulty_kind.faults is not None
    faulty_kind.faults.count_tries(2)
    with pytest.raises(WrongPin) as caught:
        token.login(WRONG)
    assert caught.value.facts["tries_left"] == 1
    token.login(PIN)
    assert token.pin_state() == PinState(2 if faulty_kind.fresh.tries_left is not None else None)


def test_trouble_at_login_is_not_called_a_wrong_pin(token: HostedToken, faulty_kind: Kind) -> None:
    faults = faulty_kind.faults
    assert faults is not None
    code, word = GENERAL_FAILURE[faulty_kind.name]
    faults.fail("login", code)
    with pytest.raises(TokenTrouble) as caught:
        token.login(PIN)
    assert type(caught.value) is TokenTrouble and caught.value.facts["status"] == word
    faults.fail("login", SOMEBODY_ELSE[faulty_kind.name])
    with pytest.raises(TokenBusy):
        token.login(PIN)
    assert faults.logins == 0


def test_default_pin_is_told_before_the_question(skf: Kind) -> None:
    assert isinstance(skf.faults, SoftSkf)
    driver = skf.driver()
    with driver.open(by_name(driver, "operator")) as token:
        skf.faults.default_pin()
        assert token.pin_state() == PinState(skf.fresh.tries_left, default_pin=True)
    driver.close()


def test_pin_pad(kinds: dict[str, Kind]) -> None:
    kind = kinds["faulty"]
    assert isinstance(kind.faults, FaultyLibrary)
    driver = kind.driver()
    with driver.open(by_name(driver, "operator")) as token:
        kind.faults.pin_pad(PIN)
        assert token.pin_state().pin_pad
        token.login(None)
        kind.operator.verify(sign(token, kind.operator))
        token.logout()
        kind.faults.pin_pad("cancel")
        with pytest.raises(Cancelled):
            token.login(None)
        kind.faults.pin_pad(WRONG)
        with pytest.raises(WrongPin):
            token.login(None)
    driver.close()
    kind.heal()


# -- the plug -------------------------------------------------------------------------------------------------------------------------
def test_pulled_before_login(token: HostedToken, faulty_kind: Kind) -> None:
    faulty_kind.pull()
    with pytest.raises(TokenGone):
        token.login(PIN)
    assert faulty_kind.faults is not None and faulty_kind.faults.logins == 0


def test_pulled_while_it_signs(token: HostedToken, faulty_kind: Kind) -> None:
    token.login(PIN)
    assert faulty_kind.faults is not None
    faulty_kind.faults.sign_slowly(5000)
    hand = threading.Timer(0.5, faulty_kind.pull)
    hand.start()
    begun = time.monotonic()
    with pytest.raises(TokenGone):
        sign(token, faulty_kind.operator)
    assert time.monotonic() - begun < 4
    hand.join()


def test_pulled_and_replugged_between_two_signatures(token: HostedToken, faulty_kind: Kind) -> None:
    """Nobody looked while it was out: the old session is dead all the same, and the PIN is asked for again."""
    token.login(PIN)
    faulty_kind.pull()
    faulty_kind.replug()
    with pytest.raises(TokenGone):
        sign(token, faulty_kind.operator)
    with pytest.raises(LoginNeeded):
        sign(token, faulty_kind.operator)
    token.login(PIN)
    faulty_kind.operator.verify(sign(token, faulty_kind.operator))


def test_after_the_computer_slept_the_pin_is_asked_for_again(token: HostedToken, faulty_kind: Kind) -> None:
    """The token forgot its login, and the library may not know it: one refusal, then one login is enough."""
    token.login(PIN)
    assert faulty_kind.faults is not None
    faulty_kind.faults.sleep()
    with pytest.raises(LoginNeeded):
        sign(token, faulty_kind.operator)
    token.login(PIN)
    faulty_kind.operator.verify(sign(token, faulty_kind.operator))
    assert faulty_kind.faults.logins == 2


# -- the library ------------------------------------------------------------------------------------------------------------------------
def test_crash_in_a_signature(token: HostedToken, faulty_kind: Kind) -> None:
    token.login(PIN)
    assert faulty_kind.faults is not None
    faulty_kind.faults.crash("sign")
    with pytest.raises(DriverCrashed):
        sign(token, faulty_kind.operator)
    faulty_kind.faults.heal()
    with pytest.raises(LoginNeeded):
        sign(token, faulty_kind.operator)
    token.login(PIN)
    faulty_kind.operator.verify(sign(token, faulty_kind.operator))


def test_crash_at_login_is_not_tried_again(token: HostedToken, faulty_kind: Kind) -> None:
    assert faulty_kind.faults is not None
    faulty_kind.faults.crash("login")
    with pytest.raises(DriverCrashed):
        token.login(PIN)
    faulty_kind.faults.heal()
    assert token.pin_state() == faulty_kind.fresh
    assert faulty_kind.faults.logins == 0


def test_hang_in_a_signature(faulty_kind: Kind) -> None:
    assert faulty_kind.faults is not None
    driver = faulty_kind.driver(Patience(sign=0.5))
    with driver.open(by_name(driver, "operator")) as token:
        token.login(PIN)
        faulty_kind.faults.hang("sign")
        begun = time.monotonic()
        with pytest.raises(DriverHung):
            sign(token, faulty_kind.operator)
        assert time.monotonic() - begun < 10
        faulty_kind.faults.heal()
        with pytest.raises(LoginNeeded):
            sign(token, faulty_kind.operator)
    driver.close()


def test_hang_and_crash_while_listing(faulty_kind: Kind) -> None:
    faults = faulty_kind.faults
    assert faults is not None
    driver = faulty_kind.driver(Patience(find=0.5))
    assert len(driver.find()) == 2
    faults.hang("list")
    with pytest.raises(DriverHung):
        driver.find()
    faults.heal()
    assert len(driver.find()) == 2
    faults.crash("list")
    with pytest.raises(DriverCrashed):
        driver.find()
    faults.heal()
    assert len(driver.find()) == 2
    driver.close()


def test_library_that_hangs_when_it_is_closed(faulty_kind: Kind) -> None:
    assert faulty_kind.faults is not None
    driver = faulty_kind.driver()
    with driver.open(by_name(driver, "operator")) as token:
        token.login(PIN)
        faulty_kind.faults.hang("finalize")
        begun = time.monotonic()
    assert time.monotonic() - begun < 10
    faulty_kind.faults.heal()
    driver.close()


# -- what only SKF can do wrong -----------------------------------------------------------------------------------------------------------
def test_signature_and_certificate_of_a_wrong_length(skf: Kind) -> None:
    assert isinstance(skf.faults, SoftSkf)
    driver = skf.driver()
    for name in ("operator", "supervisor"):
        with driver.open(by_name(driver, name)) as token:
            token.login(PIN)
            skf.faults.wrong_length()
            with pytest.raises(TokenTrouble) as caught:
                sign(token, skf.people[name])
            assert caught.value.facts["status"] == "WRONG_LENGTH"
            with pytest.raises(TokenTrouble) as caught:
                token.certificates()
            assert caught.value.facts["status"] == "WRONG_LENGTH"
            skf.faults.heal()
            skf.people[name].verify(sign(token, skf.people[name]))
    driver.close()


def test_token_that_another_program_holds(skf: Kind) -> None:
    assert isinstance(skf.faults, SoftSkf)
    driver = skf.driver()
    with driver.open(by_name(driver, "operator")) as token:
        skf.faults.busy()
        with pytest.raises(TokenBusy):
            token.login(PIN)
        assert skf.faults.logins == 0
        skf.heal()
        token.login(PIN)
        skf.faults.busy()
        with pytest.raises(TokenBusy):
            sign(token, skf.operator)
        skf.heal()
        skf.operator.verify(sign(token, skf.operator))
    driver.close()


def test_library_without_lock_functions_works_all_the_same(skf: Kind) -> None:
    assert skf.faults is not None
    skf.faults.fail("lock", 0x0A000003)
    driver = skf.driver()
    with driver.open(by_name(driver, "operator")) as token:
        token.login(PIN)
        skf.operator.verify(sign(token, skf.operator))
    driver.close()


def test_skf_runs_in_a_python_that_has_nothing_but_its_standard_library(skf: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    """The way of a 32-bit library: another interpreter runs the child, and the driver does not notice."""
    monkeypatch.setattr("devices.tokens.hosted.child_python", lambda library: sys.executable)
    assert skf.faults is not None
    driver = skf.driver(Patience(sign=2))
    with driver.open(by_name(driver, "operator")) as token:
        token.login(PIN)
        skf.operator.verify(sign(token, skf.operator))
        skf.faults.crash("sign")
        with pytest.raises(DriverCrashed):
            sign(token, skf.operator)
        skf.heal()
        with pytest.raises(LoginNeeded):
            sign(token, skf.operator)
    driver.close()
