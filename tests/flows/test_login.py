"""The login table: every way to the desk, the lock, and that a PIN never stays."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.flows.login import LOGIN, LoginState, step
from desktop.flows.machine import Failed, run
from desktop.flows.words import (
    BackPressed,
    CertificatePicked,
    CertificatesListed,
    LastTryAccepted,
    ListCertificates,
    LockPressed,
    LoggedIn,
    Login,
    LogOut,
    OpenStation,
    OperatorIn,
    PinStateRead,
    PinTyped,
    ReadPinState,
    RetryPressed,
    Send,
    StationOpened,
    SwitchPressed,
    TokensChanged,
    TroubleClosed,
)
from devices.errors import DefaultPin, NoToken, PinLocked, TokenGone, WrongPin
from devices.tokens.contract import PinState
from sync.errors import NotEnrolled, StoreDamaged
from tests.flows.sample import CERTIFICATE, EXPIRED, OPERATOR, OTHER, STATION

TO_PIN = [StationOpened(STATION), CertificatesListed((CERTIFICATE,)), PinStateRead(PinState(6))]


def test_start_to_desk() -> None:
    state, effects = run(LOGIN, [*TO_PIN, PinTyped("123456"), LoggedIn(OPERATOR)])
    assert state.page == "in" and state.operator == OPERATOR
    assert effects[:4] == [OpenStation(), ListCertificates(), ReadPinState(CERTIFICATE), Login(CERTIFICATE, "123456")]
    assert [one.flow for one in effects[4:] if isinstance(one, Send)] == ["intake", "review", "batch"]
    assert all(one.event == OperatorIn(OPERATOR, STATION) for one in effects[4:])


def test_not_enrolled_says_so_and_can_look_again() -> None:
    state, _ = run(LOGIN, [Failed(NotEnrolled())])
    assert state.page == "not_enrolled"
    state, effects = step(state, RetryPressed())
    assert state.page == "starting" and effects == (OpenStation(),)


def test_store_trouble_stops() -> None:
    state, _ = run(LOGIN, [Failed(StoreDamaged())])
    assert state.page == "stopped" and isinstance(state.trouble, StoreDamaged)


def test_damage_found_after_the_open_stops_whoever_is_not_in_yet() -> None:
    damage = Failed(StoreDamaged("a page"), "CheckStore")
    for events in ([StationOpened(STATION)], TO_PIN, [*TO_PIN, PinTyped("123456")]):
        state, effects = run(LOGIN, [*events, damage, LoggedIn(OPERATOR)])
        assert state.page == "stopped" and state.trouble is damage.trouble and effects[-1] != OpenStation()
    assert run(LOGIN, [RetryPressed()], state)[1] == [OpenStation()]
    inside, _ = run(LOGIN, [*TO_PIN, PinTyped("123456"), LoggedIn(OPERATOR)])
    assert run(LOGIN, [damage], inside) == (inside, []), "who is in hears it at the desk"


def test_no_token_then_plugged() -> None:
    state, _ = run(LOGIN, [StationOpened(STATION), CertificatesListed(())])
    assert state.page == "no_token"
    state, effects = step(state, TokensChanged())
    assert effects == (ListCertificates(),)
    state, effects = step(state, CertificatesListed((CERTIFICATE, OTHER)))
    assert state.page == "certificates" and effects == ()
    state, effects = step(state, CertificatePicked(OTHER))
    assert effects == (ReadPinState(OTHER),)


def test_an_unusable_certificate_cannot_be_picked() -> None:
    state, _ = run(LOGIN, [StationOpened(STATION), CertificatesListed((EXPIRED,))])
    assert state.page == "certificates"
    assert step(state, CertificatePicked(EXPIRED)) == (state, ())


def test_wrong_pin_asks_the_token_again_and_warns_before_the_last_try() -> None:
    state, _ = run(LOGIN, [*TO_PIN, PinTyped("1")])
    state, effects = step(state, Failed(WrongPin(tries_left=1), "Login"))
    assert effects == (ReadPinState(CERTIFICATE),) and isinstance(state.trouble, WrongPin)
    state, _ = step(state, PinStateRead(PinState(1, last_try=True)))
    assert state.page == "last_try"
    assert step(state, PinTyped("1")) == (state, ()), "the PIN field is shut until the risk was accepted"
    state, _ = step(state, LastTryAccepted())
    state, effects = step(state, PinTyped("2"))
    assert effects == (Login(CERTIFICATE, "2"),)


def test_locked_default_and_pulled() -> None:
    trying, _ = run(LOGIN, [*TO_PIN, PinTyped("1")])
    assert step(trying, Failed(PinLocked(), "Login"))[0].page == "locked_pin"
    assert step(trying, Failed(TokenGone(), "Login"))[0].page == "no_token"
    default, _ = step(trying, Failed(DefaultPin(), "Login"))
    assert default.page == "certificates" and isinstance(default.trouble, DefaultPin)


def test_lock_keeps_the_person_and_only_their_key_opens() -> None:
    state, _ = run(LOGIN, [*TO_PIN, PinTyped("1"), LoggedIn(OPERATOR)])
    state, effects = step(state, LockPressed())
    assert state.locked and effects == (LogOut(), ListCertificates())
    other, _ = step(state, CertificatesListed((OTHER,)))
    assert other.page == "no_token" and other.chosen is None
    own, effects = step(state, CertificatesListed((OTHER, CERTIFICATE)))
    assert effects == (ReadPinState(CERTIFICATE),)
    switched, effects = step(other, SwitchPressed())
    assert not switched.locked and switched.operator is None and effects == (ListCertificates(),)


def test_pulling_the_token_at_the_pin_page_goes_back_to_looking() -> None:
    state, _ = run(LOGIN, TO_PIN)
    state, effects = step(state, TokensChanged())
    assert state.page == "looking" and effects == (ListCertificates(),)
    assert step(state, Failed(NoToken(), "ListCertificates"))[0].page == "no_token"


EVENTS = st.sampled_from([
    StationOpened(STATION), CertificatesListed(()), CertificatesListed((CERTIFICATE,)), CertificatesListed((CERTIFICATE, OTHER, EXPIRED)),
    CertificatePicked(CERTIFICATE), CertificatePicked(EXPIRED), TokensChanged(), PinStateRead(PinState(6)), PinStateRead(PinState(1, last_try=True)),
    PinStateRead(PinState(0, locked=True)), LastTryAccepted(), PinTyped("s3cret-pin"), LoggedIn(OPERATOR), LockPressed(), SwitchPressed(), BackPressed(),
    RetryPressed(), TroubleClosed(), Failed(WrongPin(tries_left=2), "Login"), Failed(PinLocked(), "Login"), Failed(TokenGone()), Failed(NotEnrolled()), "?",
])


@settings(max_examples=150, deadline=None)
@given(st.lists(EVENTS, max_size=30))
def test_random_walks(events: list[object]) -> None:
    """Whatever happens: one PIN gives one try, only when its page was open, and no state ever holds it."""
    state = LoginState()
    for event in events:
        before = state
        state, effects = step(state, event)
        tries = [one for one in effects if isinstance(one, Login)]
        assert len(tries) <= 1
        if tries:
            assert isinstance(event, PinTyped) and before.page == "pin"
        assert "s3cret-pin" not in repr(state) and "s3cret-pin" not in repr(effects) and "s3cret-pin" not in repr(event)
        assert not any("s3cret-pin" in str(getattr(state, name)) for name in LoginState.__dataclass_fields__)
        if state.page == "in":
            assert state.operator is not None and not state.locked
        if state.page in {"pin", "trying", "last_try", "checking"}:
            assert state.chosen is not None and state.chosen.usable
        assert replace(state) == state
