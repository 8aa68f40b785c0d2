"""Read what will be signed, sign one, keep it, wait for the receipt. Never says "kept" before the store said so, never holds a PIN."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from desktop.flows.machine import Failed, Flow, steps_of
from desktop.flows.words import (
    AskPin,
    BackPressed,
    BuildReview,
    Keep,
    KeepUnsigned,
    KeepUnsignedPressed,
    Kept,
    KeptUnsigned,
    LastTryAccepted,
    LockPressed,
    Operator,
    OperatorIn,
    PagePicked,
    PinStateRead,
    PrintReceipt,
    ReadPinState,
    ReceiptFacts,
    ReceiptSaved,
    ReceiptWanted,
    RecordMoved,
    RetryPressed,
    ReviewAsked,
    ReviewBuilt,
    ReviewSheet,
    SaveReceipt,
    Send,
    Signed,
    SignPressed,
    SignRecord,
    SittingDone,
    StationFacts,
    TroubleClosed,
    WatchRecord,
)
from devices.errors import Cancelled, PinLocked, WrongPin
from devices.tokens.contract import PinState
from resources.trouble import Trouble
from sync.draft import Draft

__all__ = ["REVIEW", "ReviewState", "step"]


@dataclass(frozen=True, slots=True)
class ReviewState:
    """``page``: idle, building, reading, checking (PIN state), last_try, locked_pin, pin, signing, keeping, unkept (signed, but the store failed), kept,
    receipt; putting_by (is being kept without a signature), kept_unsigned. ``saved``: the receipt was printed or saved.
    """

    page: str = "idle"
    operator: Operator | None = None
    station: StationFacts | None = None
    draft: Draft | None = field(default=None, repr=False)
    sheet: ReviewSheet | None = field(default=None, repr=False)
    pin: PinState | None = None
    kept_at: datetime | None = None
    record_state: str = ""
    receipt: ReceiptFacts | None = field(default=None, repr=False)
    saved: bool = False
    trouble: Trouble | None = None


Effects = tuple[Any, ...]
Answer = tuple[ReviewState, Effects]


def _idle(state: ReviewState) -> ReviewState:
    return ReviewState(operator=state.operator, station=state.station)


def _operator(state: ReviewState, event: OperatorIn) -> Answer:
    known = replace(state, operator=event.operator, station=event.station)
    if state.operator is not None and state.operator.operator_id != event.operator.operator_id:
        return ReviewState(operator=event.operator, station=event.station), ()
    return known, ()


def _asked(state: ReviewState, event: ReviewAsked) -> Answer:
    if state.page not in {"idle", "kept", "receipt", "kept_unsigned"} or state.operator is None:
        return state, ()
    return replace(_idle(state), page="building", draft=event.draft), (BuildReview(event.draft),)


def _built(state: ReviewState, event: ReviewBuilt) -> Answer:
    return (replace(state, page="reading", sheet=event.sheet, trouble=None), ()) if state.page == "building" else (state, ())


def _ask_pin(state: ReviewState, _event: AskPin) -> Answer:
    if state.page != "reading" or state.operator is None:
        return state, ()
    return replace(state, page="checking", pin=None, trouble=None), (ReadPinState(state.operator.certificate),)


def _pin_state(state: ReviewState, event: PinStateRead) -> Answer:
    if state.page != "checking":
        return state, ()
    return replace(state, page="locked_pin" if event.pin.locked else "last_try" if event.pin.last_try else "pin", pin=event.pin), ()


def _last_try(state: ReviewState, _event: LastTryAccepted) -> Answer:
    return (replace(state, page="pin"), ()) if state.page == "last_try" else (state, ())


def _sign(state: ReviewState, event: SignPressed) -> Answer:
    if state.page != "pin" or state.sheet is None or state.operator is None:
        return state, ()
    return replace(state, page="signing", trouble=None), (SignRecord(state.sheet.record_id, state.operator.certificate, event.pin),)


def _signed(state: ReviewState, event: Signed) -> Answer:
    if state.page != "signing" or state.sheet is None or state.draft is None or event.record_id != state.sheet.record_id:
        return state, ()
    return replace(state, page="keeping", pin=None, trouble=None), (Keep(state.sheet.record_id, state.draft.draft_id),)


def _kept(state: ReviewState, event: Kept) -> Answer:
    if state.page != "keeping" or state.sheet is None or state.draft is None or event.record_id != state.sheet.record_id:
        return state, ()
    after = WatchRecord(event.record_id), Send("intake", SittingDone(state.draft.draft_id))
    return replace(state, page="kept", kept_at=event.at, record_state="kept", trouble=None), after


def _keep_unsigned(state: ReviewState, _event: KeepUnsignedPressed) -> Answer:
    """Not signed now: kept all the same, and signed later at the desk (the flow ``batch``)."""
    if state.page not in {"reading", "checking", "pin", "last_try", "locked_pin"} or state.draft is None:
        return state, ()
    return replace(state, page="putting_by", pin=None, trouble=None), (KeepUnsigned(state.draft),)


def _kept_unsigned(state: ReviewState, event: KeptUnsigned) -> Answer:
    if state.page != "putting_by" or state.draft is None:
        return state, ()
    return replace(state, page="kept_unsigned", kept_at=event.at, record_state="kept_unsigned"), (Send("intake", SittingDone(state.draft.draft_id)),)


def _moved(state: ReviewState, event: RecordMoved) -> Answer:
    if state.page not in {"kept", "receipt"} or state.sheet is None or event.record_id != state.sheet.record_id:
        return state, ()
    if event.receipt is not None:
        return replace(state, page="receipt", record_state=event.state, receipt=event.receipt), ()
    return replace(state, record_state=event.state), ()


def _see(state: ReviewState, event: PagePicked) -> Answer:
    """The platform did not take it: from here to the list that says why."""
    if state.page != "kept" or state.record_state != "set_aside":
        return state, ()
    return _idle(state), (Send("intake", event),)


def _receipt(state: ReviewState, event: ReceiptWanted) -> Answer:
    if state.page != "receipt" or state.receipt is None:
        return state, ()
    wanted = SaveReceipt(state.receipt.record_id, event.path) if event.path else PrintReceipt(state.receipt.record_id)
    return replace(state, trouble=None), (wanted,)


def _saved(state: ReviewState, event: ReceiptSaved) -> Answer:
    if state.receipt is None or event.record_id != state.receipt.record_id:
        return state, ()
    return replace(state, saved=True, trouble=None), ()


def _back(state: ReviewState, _event: BackPressed) -> Answer:
    """One step back. From the moment of signing until kept there is no way back: the answer is awaited."""
    if state.page in {"checking", "pin", "last_try", "locked_pin"}:
        return replace(state, page="reading", pin=None, trouble=None), ()
    if state.page in {"building", "reading", "kept", "receipt", "kept_unsigned"}:
        return _idle(state), ()
    return replace(state, trouble=None) if state.page != "unkept" else state, ()


def _again(state: ReviewState, _event: RetryPressed) -> Answer:
    if state.page == "unkept" and state.sheet is not None and state.draft is not None:
        return replace(state, page="keeping", trouble=None), (Keep(state.sheet.record_id, state.draft.draft_id),)
    if state.page in {"reading", "locked_pin"}:
        return _ask_pin(replace(state, page="reading"), AskPin())
    return state, ()


def _lock(state: ReviewState, _event: LockPressed) -> Answer:
    if state.page in {"checking", "pin", "last_try", "locked_pin"}:
        state = replace(state, page="reading", pin=None, trouble=None)
    return state, (Send("login", LockPressed()),)


def _failed(state: ReviewState, event: Failed) -> Answer:
    trouble = event.trouble
    if state.page == "building":
        return _idle(state), (Send("intake", Failed(trouble, "BuildReview")),)
    if state.page == "keeping":
        return replace(state, page="unkept", trouble=trouble), ()
    if state.page == "putting_by":
        return replace(state, page="reading", trouble=trouble), ()
    if state.page == "signing" and isinstance(trouble, WrongPin) and state.operator is not None:
        return replace(state, page="checking", trouble=trouble), (ReadPinState(state.operator.certificate),)
    if state.page in {"signing", "checking"}:
        if isinstance(trouble, PinLocked):
            return replace(state, page="locked_pin", pin=PinState(0, locked=True), trouble=trouble), ()
        return replace(state, page="reading", pin=None, trouble=None if isinstance(trouble, Cancelled) else trouble), ()
    if state.page == "receipt":
        return replace(state, trouble=trouble), ()
    return state, ()


def _closed(state: ReviewState, _event: TroubleClosed) -> Answer:
    return (state, ()) if state.page == "unkept" else (replace(state, trouble=None), ())


_TABLE: dict[type, Callable[[ReviewState, Any], Answer]] = {
    OperatorIn: _operator, ReviewAsked: _asked, ReviewBuilt: _built, AskPin: _ask_pin, PinStateRead: _pin_state, LastTryAccepted: _last_try,
    SignPressed: _sign, Signed: _signed, Kept: _kept, RecordMoved: _moved, PagePicked: _see, ReceiptWanted: _receipt, ReceiptSaved: _saved, BackPressed: _back,
    RetryPressed: _again, LockPressed: _lock, KeepUnsignedPressed: _keep_unsigned, KeptUnsigned: _kept_unsigned, Failed: _failed, TroubleClosed: _closed,
}


def step(state: ReviewState, event: Any) -> Answer:
    """The table of this flow; an event that does not belong here changes nothing."""
    found = steps_of(_TABLE, event)
    return found(state, event) if found is not None else (state, ())


REVIEW: Flow[ReviewState, Any, Any] = Flow("review", ReviewState, step)
"""The flow for a stage. A plain constant: it holds no state."""
