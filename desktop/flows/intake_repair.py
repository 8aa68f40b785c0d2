"""The steps of the desk around a record that is repaired or corrected in a new sitting. Never opens a packet: effects do.

What follows is a sitting like any other: parked, picked, thrown away, reviewed, signed anew. Its draft names the record that it repairs or corrects.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from desktop.flows import intake_day as day
from desktop.flows.intake_state import Answer, IntakeState, with_draft
from desktop.flows.words import ListParked, OutboxFacts, OutboxListed, ParkedPicked, Send
from desktop.flows.words.day import ItemTurned, RepairPressed, RepairReady, RepairRecord
from sync.draft import Draft
from sync.tables import Tables

__all__ = ["RepairTable", "amended", "asked", "failed"]

_PAGES = ("outbox", "returned")


def amended(state: IntakeState) -> OutboxFacts | None:
    """The record that the sitting at the desk corrects, where the list has it."""
    amends = state.draft.amends if state.draft is not None else None
    return next((one for one in state.outbox if one.record_id == amends.record_id), None) if amends is not None else None


def asked(state: IntakeState, draft: Draft) -> Draft:
    """The draft with what the province said of the record that it corrects, as the list knows it by now."""
    row = amended(replace(state, draft=draft))
    if row is None or draft.replaces or not row.returned:
        return draft
    places = (*row.places, *("" for _ in row.items))
    return draft.asked(zip(places, row.items, strict=False), known=row.state != "purged")


def pressed(state: IntakeState, _event: RepairPressed) -> Answer:
    """One at a time; an open sitting is parked only when the other one is ready."""
    row = next((one for one in state.outbox if one.record_id == state.chosen), None)
    if row is None or not row.may_open or state.page not in _PAGES or state.repairing:
        return state, ()
    return replace(state, repairing=row.record_id, trouble=None, retry=None), (RepairRecord(row.record_id),)


def ready(state: IntakeState, event: RepairReady) -> Answer:
    """It comes to the desk as a parked one that was picked; whoever went on to another page meanwhile finds it among the parked."""
    if state.repairing != event.record_id:
        return state, (ListParked(),)
    opening = (Send("intake", ParkedPicked(event.draft_id)),) if state.page in _PAGES else ()
    return replace(state, repairing=""), (ListParked(), *opening)


def failed(state: IntakeState) -> tuple[IntakeState, Any]:
    """RepairRecord: it could not be opened; the same is tried again, where that may help."""
    return replace(state, repairing=""), Send("intake", RepairPressed())


class RepairTable:
    """The rows of the desk's table that stand here."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self.steps: Mapping[type, Callable[[IntakeState, Any], Answer]] = {
            RepairPressed: pressed, RepairReady: ready, ItemTurned: self.turned, OutboxListed: self.listed}

    def turned(self, state: IntakeState, event: ItemTurned) -> Answer:
        draft = state.draft
        if draft is None or draft.amends is None or state.parking or not 0 <= event.index < len(draft.amends.items):
            return state, ()
        return self._with(state, replace(draft, amends=draft.amends.turned(event.index)))

    def listed(self, state: IntakeState, event: OutboxListed) -> Answer:
        """What the province says while the correction is open is on the screen at once."""
        state, effects = day.outbox(state, event)
        if state.draft is None or state.parking or (draft := asked(state, state.draft)) == state.draft:
            return state, effects
        return self._with(state, draft)

    def _with(self, state: IntakeState, draft: Draft) -> Answer:
        assert state.today is not None
        return with_draft(state, draft, state.today, self._tables, now=True)
