"""Signing beside the sitting: choose, read what exactly is signed, one PIN, progress, result. Never holds a PIN.

One stage, three deeds (``BatchAsked(deed)``; ``state.deed`` says which is on): ``sign`` what was kept without a signature, with one PIN (a supervisor takes
over what others collected); ``countersign`` what colleagues signed and is still here; hand the ``shift`` over. Pages, what they show, which events move on
from them and to which page; any other event changes nothing:

- ``idle``: the desk is in front. ``BatchAsked("sign" | "countersign")`` -> ``listing``; ``BatchAsked("shift")`` -> ``checking``.
- ``listing``: wait. -> ``choosing``.
- ``choosing``: ``rows``, ``chosen``, and a field for the ``reason`` where ``needs_reason(state)``. ``RowsTicked``, ``ReasonEdited``;
  ``BuildPressed`` where ``may_build(state)`` -> ``building``; ``RetryPressed`` lists anew.
- ``building``: ``done`` of ``total`` made ready. ``StopPressed``. -> ``confirming``.
- ``confirming``: ``lines`` that will be signed, ``refused`` (record id, code), ``opened`` (ids whose page was read). ``LinePicked`` -> ``opening`` ->
  ``sheet``; ``AskPin`` -> ``checking``.
- ``sheet``: the page of one record from its exact bytes, in ``sheet``. ``BackPressed`` -> ``confirming``.
- ``checking``: the token is asked for the state of the PIN. -> ``pin``, ``last_try``, ``locked_pin``.
- ``last_try``: an extra question. ``LastTryAccepted`` -> ``pin``.
- ``locked_pin``: ``RetryPressed`` looks again.
- ``pin``: a field, and ``pin.tries_left``; no field where ``pin.pin_pad``. ``SignPressed(pin)`` -> ``signing``.
- ``signing``: ``done`` of ``total``; ``stopping`` once it was asked to end. ``StopPressed``, ``LockPressed``. -> ``ended``.
- ``ended``: ``ended`` (BatchEnded) or ``shift`` (ShiftEnded). ``RetryPressed`` goes on with the rest -> ``listing``; ``BackPressed`` -> ``idle``.

``BackPressed`` goes one step back everywhere but while signing. ``trouble`` is shown on whatever page it comes to and is closed by ``TroubleClosed``. A wrong
PIN has ended its session: the state of the PIN is read anew and shown before the next is asked for. After a shift was handed over the desk locks itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from desktop.flows.machine import Failed, Flow, steps_of
from desktop.flows.words.batch import (
    BatchAsked,
    BatchBuilt,
    BatchEnded,
    BatchLine,
    BuildBatch,
    BuildPressed,
    Deed,
    EndBatch,
    LinePicked,
    ListWaiting,
    ReasonEdited,
    RowsTicked,
    ShowBatchRecord,
    SignBatch,
    StopBatch,
    StopPressed,
    WaitingFacts,
    WaitingListed,
)
from desktop.flows.words.common import BackPressed, Progress, RetryPressed, Send, TroubleClosed
from desktop.flows.words.facts import Operator, ReviewSheet, StationFacts
from desktop.flows.words.login import LastTryAccepted, LockPressed, OperatorIn, PinStateRead, ReadPinState
from desktop.flows.words.records import AskPin, ReviewBuilt, SignPressed
from desktop.flows.words.shifts import EndShift, ShiftEnded
from devices.errors import Cancelled, PinLocked, WrongPin
from devices.tokens.contract import PinState
from resources.trouble import Trouble

__all__ = ["BATCH", "MOST", "BatchState", "may_build", "needs_reason", "step"]

MOST = 500
"""Records of one list: as many as one PIN reaches (``sync.batch.BatchLimits``)."""
_PIN_PAGES = frozenset({"checking", "pin", "last_try", "locked_pin"})


@dataclass(frozen=True, slots=True)
class BatchState:
    """``page`` and ``deed`` as the table above says. ``done`` of ``total``: records made ready, or signed. ``stopping``: it ends after the present record."""

    page: str = "idle"
    deed: Deed | None = None
    operator: Operator | None = None
    station: StationFacts | None = None
    rows: tuple[WaitingFacts, ...] = ()
    chosen: frozenset[str] = frozenset()
    reason: str = field(default="", repr=False)
    lines: tuple[BatchLine, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()
    opened: frozenset[str] = frozenset()
    sheet: ReviewSheet | None = field(default=None, repr=False)
    pin: PinState | None = None
    done: int = 0
    total: int = 0
    stopping: bool = False
    ended: BatchEnded | None = None
    shift: ShiftEnded | None = None
    trouble: Trouble | None = None


Effects = tuple[Any, ...]
Answer = tuple[BatchState, Effects]


def needs_reason(state: BatchState) -> bool:
    """Whether a reason must be given: records of others are chosen, or it is a countersignature."""
    return state.deed == "countersign" or any(not one.own for one in state.rows if one.record_id in state.chosen)


def may_build(state: BatchState) -> bool:
    """Whether the choice can be shown: something is chosen, not too much, with a reason where one is needed."""
    return state.page == "choosing" and 0 < len(state.chosen) <= MOST and (bool(state.reason.strip()) or not needs_reason(state))


def _idle(state: BatchState) -> BatchState:
    return BatchState(operator=state.operator, station=state.station)


def _operator(state: BatchState, event: OperatorIn) -> Answer:
    if state.operator is not None and state.operator.operator_id == event.operator.operator_id:
        return replace(state, operator=event.operator, station=event.station), ()
    return BatchState(operator=event.operator, station=event.station), ()


def _asked(state: BatchState, event: BatchAsked) -> Answer:
    if state.page not in {"idle", "ended"} or state.operator is None:
        return state, ()
    if event.deed == "shift":
        return replace(_idle(state), page="checking", deed="shift"), (ReadPinState(state.operator.certificate),)
    return replace(_idle(state), page="listing", deed=event.deed), (ListWaiting(event.deed),)


def _listed(state: BatchState, event: WaitingListed) -> Answer:
    if state.page != "listing" or event.deed != state.deed:
        return state, ()
    own = frozenset(one.record_id for one in event.rows if one.own and not one.why)
    chosen = frozenset(sorted(own)[:MOST]) if state.deed == "sign" else frozenset[str]()
    return replace(state, page="choosing", rows=event.rows, chosen=chosen), ()


def _ticked(state: BatchState, event: RowsTicked) -> Answer:
    if state.page != "choosing":
        return state, ()
    free = frozenset(one.record_id for one in state.rows if not one.why) & frozenset(event.record_ids)
    return replace(state, chosen=state.chosen | free if event.on else state.chosen - free), ()


def _reason(state: BatchState, event: ReasonEdited) -> Answer:
    return (replace(state, reason=event.text), ()) if state.page == "choosing" else (state, ())


def _build(state: BatchState, _event: BuildPressed) -> Answer:
    if not may_build(state) or state.deed is None:
        return state, ()
    ids = tuple(one.record_id for one in state.rows if one.record_id in state.chosen)
    reason = state.reason if needs_reason(state) else ""
    return replace(state, page="building", done=0, total=len(ids), stopping=False, trouble=None), (BuildBatch(ids, reason, state.deed),)


def _built(state: BatchState, event: BatchBuilt) -> Answer:
    if state.page != "building":
        return state, ()
    return replace(state, page="confirming", lines=event.lines, refused=event.refused, opened=frozenset(), stopping=False), ()


def _picked(state: BatchState, event: LinePicked) -> Answer:
    if state.page != "confirming" or all(one.item.record_id != event.record_id for one in state.lines):
        return state, ()
    return replace(state, page="opening", trouble=None), (ShowBatchRecord(event.record_id),)


def _shown(state: BatchState, event: ReviewBuilt) -> Answer:
    if state.page != "opening":
        return state, ()
    return replace(state, page="sheet", sheet=event.sheet, opened=state.opened | {event.sheet.record_id}), ()


def _ask_pin(state: BatchState, _event: AskPin) -> Answer:
    if state.page != "confirming" or not state.lines or state.operator is None:
        return state, ()
    return replace(state, page="checking", pin=None, trouble=None), (ReadPinState(state.operator.certificate),)


def _pin_state(state: BatchState, event: PinStateRead) -> Answer:
    if state.page != "checking":
        return state, ()
    return replace(state, page="locked_pin" if event.pin.locked else "last_try" if event.pin.last_try else "pin", pin=event.pin), ()


def _last_try(state: BatchState, _event: LastTryAccepted) -> Answer:
    return (replace(state, page="pin"), ()) if state.page == "last_try" else (state, ())


def _sign(state: BatchState, event: SignPressed) -> Answer:
    if state.page != "pin" or state.operator is None:
        return state, ()
    choice = state.operator.certificate
    order = EndShift(choice, event.pin) if state.deed == "shift" else SignBatch(choice, event.pin, tuple(one.item for one in state.lines))
    return replace(state, page="signing", done=0, total=len(state.lines), stopping=False, trouble=None), (order,)


def _progress(state: BatchState, event: Progress) -> Answer:
    if (state.page, event.what) not in {("building", "build"), ("signing", "sign")}:
        return state, ()
    return replace(state, done=event.done, total=event.total or state.total), ()


def _stop(state: BatchState, _event: StopPressed) -> Answer:
    if state.page not in {"building", "signing"} or state.deed == "shift" or state.stopping:
        return state, ()
    return replace(state, stopping=True), (StopBatch(),)


def _ended(state: BatchState, event: BatchEnded) -> Answer:
    return (replace(state, page="ended", ended=event, pin=None, stopping=False), ()) if state.page == "signing" else (state, ())


def _shift_ended(state: BatchState, event: ShiftEnded) -> Answer:
    if state.page != "signing" or state.deed != "shift":
        return state, ()
    return replace(_idle(state), page="ended", deed="shift", shift=event), (Send("login", LockPressed()),)


def _back(state: BatchState, _event: BackPressed) -> Answer:
    """One step back. While the token signs there is none: stop it, or wait."""
    if state.page in _PIN_PAGES and state.deed != "shift":
        return replace(state, page="confirming", pin=None, trouble=None), ()
    if state.page in {"sheet", "opening"}:
        return replace(state, page="confirming", sheet=None, trouble=None), ()
    if state.page == "confirming":
        return replace(state, page="choosing", lines=(), refused=(), trouble=None), ()
    if state.page == "building":
        return _stop(state, StopPressed())
    return (_idle(state), ()) if state.page != "signing" else (state, ())


def _again(state: BatchState, _event: RetryPressed) -> Answer:
    if state.page == "locked_pin" and state.operator is not None:
        return replace(state, page="checking", pin=None, trouble=None), (ReadPinState(state.operator.certificate),)
    if state.page in {"ended", "choosing"} and state.deed in ("sign", "countersign"):
        return replace(_idle(state), page="listing", deed=state.deed), (ListWaiting(state.deed),)
    return state, ()


def _lock(state: BatchState, _event: LockPressed) -> Answer:
    """No further record is signed from now on; what was signed stays. The list that was chosen stays behind the lock, without a PIN."""
    lock = Send("login", LockPressed())
    if state.page == "signing":
        return replace(state, stopping=True), (EndBatch(), lock)
    if state.page in _PIN_PAGES:
        state = _idle(state) if state.deed == "shift" else replace(state, page="confirming", pin=None, trouble=None)
    return state, (lock,)


def _failed(state: BatchState, event: Failed) -> Answer:
    trouble = event.trouble
    if state.page in {"signing", "checking"}:
        return _failed_token(state, trouble)
    if state.page == "listing":
        return replace(state, page="choosing", trouble=trouble), ()
    if state.page == "building":
        return replace(state, page="choosing", stopping=False, trouble=trouble), ()
    if state.page == "opening":
        return replace(state, page="confirming", trouble=trouble), ()
    return state, ()


def _failed_token(state: BatchState, trouble: Trouble) -> Answer:
    if isinstance(trouble, WrongPin) and state.page == "signing" and state.operator is not None:
        return replace(state, page="checking", stopping=False, trouble=trouble), (ReadPinState(state.operator.certificate),)
    if isinstance(trouble, PinLocked):
        return replace(state, page="locked_pin", pin=PinState(0, locked=True), stopping=False, trouble=trouble), ()
    shown = None if isinstance(trouble, Cancelled) else trouble
    if state.deed == "shift":
        return replace(_idle(state), page="ended", deed="shift", trouble=shown), ()
    return replace(state, page="confirming", pin=None, stopping=False, trouble=shown), ()


def _closed(state: BatchState, _event: TroubleClosed) -> Answer:
    return replace(state, trouble=None), ()


_TABLE: dict[type, Callable[[BatchState, Any], Answer]] = {
    OperatorIn: _operator, BatchAsked: _asked, WaitingListed: _listed, RowsTicked: _ticked, ReasonEdited: _reason, BuildPressed: _build, BatchBuilt: _built,
    LinePicked: _picked, ReviewBuilt: _shown, AskPin: _ask_pin, PinStateRead: _pin_state, LastTryAccepted: _last_try, SignPressed: _sign,
    Progress: _progress, StopPressed: _stop, BatchEnded: _ended, ShiftEnded: _shift_ended, BackPressed: _back, RetryPressed: _again, LockPressed: _lock,
    Failed: _failed, TroubleClosed: _closed,
}


def step(state: BatchState, event: Any) -> Answer:
    """The table of this flow; an event that does not belong here changes nothing."""
    found = steps_of(_TABLE, event)
    return found(state, event) if found is not None else (state, ())


BATCH: Flow[BatchState, Any, Any] = Flow("batch", BatchState, step)
"""The flow for a stage. A plain constant: it holds no state."""
