"""The steps of the desk around the reconciliation sheet and the export of one record. Never counts anything itself: effects do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from desktop.flows.intake_state import Answer, Effects, IntakeState, SheetState
from desktop.flows.words import Send
from desktop.flows.words.day import (
    DayPicked,
    Exported,
    ExportRecord,
    ExportTold,
    ExportWanted,
    MakeSheet,
    PrintSheet,
    SaveSheet,
    SheetCounted,
    SheetMade,
    SheetSaved,
    SheetWanted,
    StationChanged,
    StopSheet,
)
from devices.errors import Cancelled
from resources.trouble import Trouble

__all__ = ["STEPS", "failed", "leave", "open_sheet", "picked"]


def open_sheet(state: IntakeState) -> Answer:
    """The page is opened: today's sheet is made, whatever was shown before."""
    return replace(state, sheet=SheetState(working=True)), (MakeSheet(),)


def leave(state: IntakeState, page: str) -> tuple[IntakeState, Effects]:
    """Another page comes to the front: a sheet that is still being made is not wanted any more."""
    if state.page != "sheet" or page == "sheet" or not state.sheet.working:
        return state, ()
    return replace(state, sheet=SheetState()), (StopSheet(),)


def picked(state: IntakeState, event: DayPicked) -> Answer:
    """Another day, or the same once more. A day that has not come has no sheet."""
    if state.page != "sheet":
        return state, ()
    shown = state.sheet.facts
    day = shown.sheet.day if event.again and shown is not None else event.day
    if day is not None and shown is not None and day > shown.today:
        return state, ()
    stopping: Effects = (StopSheet(),) if state.sheet.working else ()
    return replace(state, sheet=SheetState(working=True, asked=day, facts=shown), trouble=None, retry=None), (*stopping, MakeSheet(day))


def counted(state: IntakeState, event: SheetCounted) -> Answer:
    if not state.sheet.working:
        return state, ()
    return replace(state, sheet=replace(state.sheet, done=event.done, total=event.total)), ()


def made(state: IntakeState, event: SheetMade) -> Answer:
    """One that was asked for before the last wish is not shown."""
    asked, facts = state.sheet.asked, event.facts
    if state.page != "sheet" or not state.sheet.working or facts.sheet.day != (asked or facts.today):
        return state, ()
    return replace(state, sheet=SheetState(asked=asked, facts=facts)), ()


def failed(state: IntakeState, effect: str, trouble: Trouble) -> tuple[IntakeState, Any]:
    """The sheet could not be made (then none is shown, and the same is tried again), or not be handed out (then it stays)."""
    if effect == "MakeSheet" and not isinstance(trouble, Cancelled):
        return replace(state, sheet=SheetState(asked=state.sheet.asked, failed=True)), Send("intake", DayPicked(state.sheet.asked))
    if effect == "ExportRecord":
        return replace(state, exporting=""), None
    return state, None


def wanted(state: IntakeState, event: SheetWanted) -> Answer:
    facts = state.sheet.facts
    if facts is None or state.sheet.working:
        return state, ()
    return replace(state, trouble=None), (SaveSheet(facts, event.path) if event.path else PrintSheet(facts),)


def saved(state: IntakeState, _event: SheetSaved) -> Answer:
    return replace(state, sheet=replace(state.sheet, saved=True), trouble=None), ()


def changed(state: IntakeState, event: StationChanged) -> Answer:
    return replace(state, changes=event.changes, lists=event.lists), ()


def export(state: IntakeState, event: ExportWanted) -> Answer:
    """One record that has no receipt yet, one at a time."""
    row = next((one for one in state.outbox if one.record_id == event.record_id), None)
    if row is None or row.serial or state.exporting:
        return state, ()
    return replace(state, exporting=event.record_id, exported=None, trouble=None), (ExportRecord(event.record_id, event.path),)


def exported(state: IntakeState, event: Exported) -> Answer:
    return (replace(state, exporting="", exported=event), ()) if state.exporting == event.record_id else (state, ())


def told(state: IntakeState, _event: ExportTold) -> Answer:
    return replace(state, exported=None), ()


STEPS: Mapping[type, Callable[[IntakeState, Any], Answer]] = {
    DayPicked: picked, SheetCounted: counted, SheetMade: made, SheetWanted: wanted, SheetSaved: saved, StationChanged: changed, ExportWanted: export,
    Exported: exported, ExportTold: told,
}
"""The rows of the desk's table that stand here."""
