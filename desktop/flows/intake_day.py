"""The steps of the desk that show the day: pages, outbox, parked list, devices. Never moves a record: effects ask for it."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import Any

from desktop.flows import intake_sheet
from desktop.flows.intake_state import Answer, IntakeState
from desktop.flows.words import (
    BatchAsked,
    CheckDevices,
    CheckPressed,
    ClosePreview,
    CourierSeen,
    ListOutbox,
    ListParked,
    OlderPressed,
    OutboxListed,
    PagePicked,
    ParkedListed,
    PrintReceipt,
    ReceiptWanted,
    RecordPicked,
    RetryRecord,
    SaveReceipt,
    Send,
    SyncNow,
    SyncPressed,
)

__all__ = ["PAGES", "again", "check", "courier", "older", "outbox", "page", "parked", "picked", "receipt", "sync"]

PAGES = ("desk", "outbox", "returned", "parked", "health", "sync", "sheet")


def page(state: IntakeState, event: PagePicked) -> Answer:
    if event.page == "batch":
        closing: tuple[Any, ...] = (ClosePreview(),) if state.capture is not None else ()
        return replace(state, capture=None), (*closing, Send("batch", BatchAsked("sign")))
    if event.page not in PAGES:
        return state, ()
    state = replace(state, outbox_pages=1)
    state, stopping = intake_sheet.leave(state, event.page)
    asks: dict[str, tuple[Any, ...]] = {"outbox": (ListOutbox(),), "returned": (ListOutbox(),), "parked": (ListParked(),), "health": (CheckDevices(),),
                                        "sync": (ListOutbox(),)}
    closing = (ClosePreview(),) if state.capture is not None and event.page != "desk" else ()
    state = replace(state, page=event.page, capture=state.capture if event.page == "desk" else None)
    opening: tuple[Any, ...] = asks.get(event.page, ())
    if event.page == "sheet":
        state, opening = intake_sheet.open_sheet(state)
    return state, (*stopping, *closing, *opening)


def outbox(state: IntakeState, event: OutboxListed) -> Answer:
    return replace(state, outbox=event.rows, counts=MappingProxyType(dict(event.counts)), waits=event.waits, outbox_more=event.more), ()


def older(state: IntakeState, _event: OlderPressed) -> Answer:
    if not state.outbox_more:
        return state, ()
    return replace(state, outbox_pages=state.outbox_pages + 1, outbox_more=False), (ListOutbox(state.outbox_pages + 1),)


def picked(state: IntakeState, event: RecordPicked) -> Answer:
    return replace(state, chosen=event.record_id), ()


def sync(state: IntakeState, _event: SyncPressed) -> Answer:
    """Seen at once: the band says that the platform is being asked before any answer can be there."""
    return replace(state, courier=replace(state.courier, asking=True)), (SyncNow(),)


def courier(state: IntakeState, event: CourierSeen) -> Answer:
    return replace(state, courier=event.courier), ()


def check(state: IntakeState, _event: CheckPressed) -> Answer:
    return replace(state, checking=True), (CheckDevices(),)


def receipt(state: IntakeState, event: ReceiptWanted) -> Answer:
    row = next((one for one in state.outbox if one.record_id == event.record_id), None)
    if row is None or not row.serial:
        return state, ()
    return replace(state, trouble=None), (SaveReceipt(event.record_id, event.path) if event.path else PrintReceipt(event.record_id),)


def parked(state: IntakeState, event: ParkedListed) -> Answer:
    return replace(state, parked=event.parked), ()


def again(state: IntakeState) -> Answer:
    """RetryPressed on the outbox: a record that was set aside goes back into the queue."""
    row = next((one for one in state.outbox if one.record_id == state.chosen), None)
    if row is None or row.state != "set_aside" or state.page not in {"outbox", "returned"}:
        return state, ()
    return state, (RetryRecord(state.chosen),)
