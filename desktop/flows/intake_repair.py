"""The steps of the desk around a record that was set aside and is repaired in a new sitting. Never opens a packet: effects do.

What follows is a sitting like any other: parked, picked, thrown away, reviewed, signed anew. Its draft names the record that it repairs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from desktop.flows.intake_state import Answer, IntakeState
from desktop.flows.words import ListParked, ParkedPicked, Send
from desktop.flows.words.day import RepairPressed, RepairReady, RepairRecord

__all__ = ["STEPS", "failed"]

_PAGES = ("outbox", "returned")


def pressed(state: IntakeState, _event: RepairPressed) -> Answer:
    """One at a time; an open sitting is parked only when the other one is ready."""
    row = next((one for one in state.outbox if one.record_id == state.chosen), None)
    if row is None or row.state != "set_aside" or state.page not in _PAGES or state.repairing:
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


STEPS: Mapping[type, Callable[[IntakeState, Any], Answer]] = {RepairPressed: pressed, RepairReady: ready}
"""The rows of the desk's table that stand here."""
