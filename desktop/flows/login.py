"""From the start of the program to a person at the desk, and back by locking. Never keeps a PIN and never tries one twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from desktop.flows.machine import Failed, Flow, steps_of
from desktop.flows.words import (
    BackPressed,
    CertificateChoice,
    CertificatePicked,
    CertificatesListed,
    LastTryAccepted,
    ListCertificates,
    LockPressed,
    LoggedIn,
    Login,
    LogOut,
    OpenStation,
    Operator,
    OperatorIn,
    PinStateRead,
    PinTyped,
    ReadPinState,
    RetryPressed,
    Send,
    StationFacts,
    StationOpened,
    SwitchPressed,
    TokensChanged,
    TroubleClosed,
)
from devices.errors import NoToken, PinLocked, TokenGone, WrongPin
from devices.tokens.contract import PinState
from resources.trouble import Trouble
from sync.errors import NotEnrolled

__all__ = ["LOGIN", "LoginState", "step"]


@dataclass(frozen=True, slots=True)
class LoginState:
    """``page``: starting, not_enrolled, stopped (the store cannot open), looking, no_token, certificates, checking (PIN state), last_try, locked_pin, pin,
    trying, in. ``locked`` = a person is known and a sitting may be open behind the lock.
    """

    page: str = "starting"
    station: StationFacts | None = None
    certificates: tuple[CertificateChoice, ...] = ()
    chosen: CertificateChoice | None = None
    pin: PinState | None = None
    operator: Operator | None = None
    locked: bool = False
    trouble: Trouble | None = None


Effects = tuple[Any, ...]
Answer = tuple[LoginState, Effects]


def _station(state: LoginState, event: StationOpened) -> Answer:
    return replace(state, page="looking", station=event.station, trouble=None), (ListCertificates(),)


def _listed(state: LoginState, event: CertificatesListed) -> Answer:
    if state.page not in {"looking", "no_token", "certificates"}:
        return state, ()
    if not event.certificates:
        return replace(state, page="no_token", certificates=(), chosen=None), ()
    if state.locked and state.operator is not None:
        return _locked_listed(state, event, state.operator)
    usable = [one for one in event.certificates if one.usable]
    state = replace(state, certificates=event.certificates, trouble=None)
    if len(usable) == 1 and len(event.certificates) == 1:
        return _pick(state, CertificatePicked(usable[0]))
    return replace(state, page="certificates"), ()


def _locked_listed(state: LoginState, event: CertificatesListed, operator: Operator) -> Answer:
    """Behind a lock only the certificate of the one who locked it opens the desk."""
    own = [one for one in event.certificates if one.signer_id == operator.operator_id and one.usable]
    if not own:
        return replace(state, page="no_token", certificates=event.certificates, chosen=None), ()
    return _pick(replace(state, certificates=event.certificates, trouble=None), CertificatePicked(own[0]))


def _pick(state: LoginState, event: CertificatePicked) -> Answer:
    if not event.certificate.usable or state.page in {"trying", "in", "starting", "not_enrolled", "stopped"}:
        return state, ()
    return replace(state, page="checking", chosen=event.certificate, pin=None), (ReadPinState(event.certificate),)


def _pin_state(state: LoginState, event: PinStateRead) -> Answer:
    if state.page != "checking":
        return state, ()
    page = "locked_pin" if event.pin.locked else "last_try" if event.pin.last_try else "pin"
    return replace(state, page=page, pin=event.pin), ()


def _last_try(state: LoginState, _event: LastTryAccepted) -> Answer:
    return (replace(state, page="pin"), ()) if state.page == "last_try" else (state, ())


def _typed(state: LoginState, event: PinTyped) -> Answer:
    if state.page != "pin" or state.chosen is None:
        return state, ()
    return replace(state, page="trying", trouble=None), (Login(state.chosen, event.pin),)


def _in(state: LoginState, event: LoggedIn) -> Answer:
    if state.page != "trying" or state.station is None:
        return state, ()
    told = tuple(Send(flow, OperatorIn(event.operator, state.station)) for flow in ("intake", "review", "batch"))
    return replace(state, page="in", operator=event.operator, locked=False, pin=None, trouble=None), told


def _lock(state: LoginState, _event: LockPressed) -> Answer:
    if state.page != "in":
        return state, ()
    return replace(state, page="looking", locked=True, chosen=None, pin=None, trouble=None), (LogOut(), ListCertificates())


def _switch(state: LoginState, _event: SwitchPressed) -> Answer:
    if not state.locked or state.page in {"trying", "in"}:
        return state, ()
    return LoginState("looking", state.station), (ListCertificates(),)


def _tokens(state: LoginState, _event: TokensChanged) -> Answer:
    if state.page in {"looking", "no_token", "certificates"}:
        return state, (ListCertificates(),)
    if state.page in {"checking", "pin", "last_try", "locked_pin"}:
        return replace(state, page="looking", chosen=None, pin=None), (ListCertificates(),)
    return state, ()


def _back(state: LoginState, _event: BackPressed) -> Answer:
    if state.page in {"pin", "last_try", "locked_pin", "checking"}:
        return replace(state, page="looking", chosen=None, pin=None, trouble=None), (ListCertificates(),)
    return replace(state, trouble=None), ()


def _again(state: LoginState, _event: RetryPressed) -> Answer:
    if state.page in {"not_enrolled", "stopped"}:
        return replace(state, page="starting", trouble=None), (OpenStation(),)
    if state.page in {"no_token", "certificates", "looking", "locked_pin"}:
        return replace(state, page="looking", chosen=None, trouble=None), (ListCertificates(),)
    return state, ()


def _closed(state: LoginState, _event: TroubleClosed) -> Answer:
    return replace(state, trouble=None), ()


def _failed(state: LoginState, event: Failed) -> Answer:
    trouble = event.trouble
    if event.effect == "CheckStore":
        return (state, ()) if state.page == "in" else (replace(state, page="stopped", trouble=trouble), ())
    if state.page == "starting":
        return replace(state, page="not_enrolled" if isinstance(trouble, NotEnrolled) else "stopped", trouble=trouble), ()
    if state.page in {"looking", "certificates", "no_token"}:
        return replace(state, page="no_token", certificates=(), trouble=None if isinstance(trouble, NoToken) else trouble), ()
    if state.page == "trying" and isinstance(trouble, WrongPin) and state.chosen is not None:
        return replace(state, page="checking", trouble=trouble), (ReadPinState(state.chosen),)
    if state.page in {"trying", "checking"}:
        if isinstance(trouble, PinLocked):
            return replace(state, page="locked_pin", pin=PinState(0, locked=True), trouble=trouble), ()
        if isinstance(trouble, NoToken | TokenGone):
            return replace(state, page="no_token", chosen=None, pin=None, trouble=trouble), ()
        return replace(state, page="certificates", chosen=None, pin=None, trouble=trouble), ()
    return state, ()


_TABLE: dict[type, Callable[[LoginState, Any], Answer]] = {
    StationOpened: _station, CertificatesListed: _listed, CertificatePicked: _pick, PinStateRead: _pin_state, LastTryAccepted: _last_try, PinTyped: _typed,
    LoggedIn: _in, LockPressed: _lock, SwitchPressed: _switch, TokensChanged: _tokens,
    BackPressed: _back, RetryPressed: _again, TroubleClosed: _closed, Failed: _failed,
}


def step(state: LoginState, event: Any) -> Answer:
    """The table of this flow; an event that does not belong here changes nothing."""
    found = steps_of(_TABLE, event)
    return found(state, event) if found is not None else (state, ())


def _first(_state: LoginState) -> Effects:
    return (OpenStation(),)


LOGIN: Flow[LoginState, Any, Any] = Flow("login", LoginState, step, _first)
"""The flow for a stage. A plain constant: it holds no state."""
