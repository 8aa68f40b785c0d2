"""The steps of the desk that take pictures: portrait, documents, comparison. Never opens a camera: effects ask for it."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import Any

from desktop.flows.intake_state import Answer, Capture, IntakeState, missing_document, with_draft
from desktop.flows.words import (
    CaptureClosed,
    CapturePressed,
    ClosePreview,
    CompareFaces,
    DocumentPressed,
    DropStill,
    FaceCompared,
    FileGiven,
    HintSeen,
    OpenPreview,
    OriginalSeen,
    PortraitPressed,
    SaveDraft,
    StillDropped,
    StillTaken,
    TakeDocument,
    TakeFile,
    TakePortrait,
)
from sync.record import ATTACHMENT_KINDS
from sync.tables import Tables

__all__ = ["PictureTable"]

_KINDS = frozenset(one.name for one in ATTACHMENT_KINDS)


class PictureTable:
    """The pure steps; ``tables`` are the code tables that the rules need."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def portrait(self, state: IntakeState, _event: PortraitPressed) -> Answer:
        """F3 opens the camera; pressed again it takes the picture."""
        if state.capture is not None and state.capture.use == "portrait":
            return self.press(state, CapturePressed())
        return self._open(state, Capture("portrait", "portrait"))

    def document(self, state: IntakeState, event: DocumentPressed) -> Answer:
        """F4 opens the document camera for the first missing kind; pressed again it takes the page."""
        if state.capture is not None and state.capture.use == "document" and event.kind in {"", state.capture.kind}:
            return self.press(state, CapturePressed())
        kind = event.kind or missing_document(state)
        return self._open(state, Capture("document", kind)) if kind in _KINDS and kind != "portrait" else (state, ())

    def _open(self, state: IntakeState, capture: Capture) -> Answer:
        if state.draft is None or state.parking or state.reading is not None or (state.capture is not None and state.capture.taking):
            return state, ()
        if state.capture is not None and state.capture.use == capture.use:
            return replace(state, page="desk", capture=replace(capture, hint=state.capture.hint), trouble=None), ()
        closing: tuple[Any, ...] = (ClosePreview(),) if state.capture is not None else ()
        return replace(state, page="desk", capture=capture, trouble=None), (*closing, OpenPreview(capture.use))

    def hint(self, state: IntakeState, event: HintSeen) -> Answer:
        return (replace(state, capture=replace(state.capture, hint=event.hint)), ()) if state.capture is not None else (state, ())

    def original(self, state: IntakeState, event: OriginalSeen) -> Answer:
        return (replace(state, capture=replace(state.capture, seen=event.seen)), ()) if state.capture is not None else (state, ())

    def press(self, state: IntakeState, _event: CapturePressed) -> Answer:
        """Take the picture; a second press while it is on its way does nothing. The draft's row is there before its picture is kept."""
        capture, draft = state.capture, state.draft
        if capture is None or draft is None or capture.taking:
            return state, ()
        order: Any = TakePortrait(draft.draft_id) if capture.use == "portrait" else TakeDocument(draft.draft_id, capture.kind, "B" if capture.seen else "C")
        return replace(state, capture=replace(capture, taking=True, hints=()), trouble=None), (SaveDraft(draft, True), order)

    def file(self, state: IntakeState, event: FileGiven) -> Answer:
        capture, draft = state.capture, state.draft
        if capture is None or draft is None or capture.taking or capture.use != "document":
            return state, ()
        order = TakeFile(draft.draft_id, capture.kind, event.path, "B" if capture.seen else "C")
        return replace(state, capture=replace(capture, taking=True, hints=()), trouble=None), (SaveDraft(draft, True), order)

    def taken(self, state: IntakeState, event: StillTaken) -> Answer:
        """A new portrait replaces the old one; pages of a document add up. The portrait is compared at once where the chip gave a photo.

        A picture of a sitting that was parked meanwhile is in that sitting (parked.py), and never comes into the one that lies open now.
        """
        draft = state.draft
        if draft is None or state.today is None or event.draft_id not in ("", draft.draft_id):
            return state, ()
        before = [one.still_id for one in draft.stills if one.kind == "portrait"] if event.still.kind == "portrait" else []
        fresh = draft.taken(event.still)
        pictures = {**{key: value for key, value in state.pictures.items() if key not in before}, event.still.still_id: event.thumbnail}
        state, effects = with_draft(replace(state, pictures=MappingProxyType(pictures), no_model=False), fresh, state.today, self._tables, now=True)
        more: list[Any] = [DropStill(draft.draft_id, still_id) for still_id in before]
        if state.capture is not None:
            if event.still.kind == "portrait" and state.capture.use == "portrait":
                state, more = replace(state, capture=None), [*more, ClosePreview()]
            else:
                state = replace(state, capture=replace(state.capture, taking=False, last=event.still.still_id, hints=event.hints))
        if event.still.kind == "portrait" and state.chip_photo:
            more.append(CompareFaces(draft.draft_id, event.still.still_id, state.chip_photo))
        return state, (*effects, *more)

    def close(self, state: IntakeState, _event: CaptureClosed) -> Answer:
        """Back to the form; a still on its way arrives all the same."""
        return (replace(state, capture=None), (ClosePreview(),)) if state.capture is not None else (state, ())

    def dropped(self, state: IntakeState, event: StillDropped) -> Answer:
        draft = state.draft
        if draft is None or state.today is None or event.still_id not in {one.still_id for one in draft.stills}:
            return state, ()
        was_portrait = any(one.still_id == event.still_id and one.kind == "portrait" for one in draft.stills)
        fresh = draft.without_still(event.still_id)
        if was_portrait:
            fresh = replace(fresh, face=None)
        pictures = {key: value for key, value in state.pictures.items() if key != event.still_id}
        state, effects = with_draft(replace(state, pictures=MappingProxyType(pictures)), fresh, state.today, self._tables, now=True)
        return state, (*effects, DropStill(draft.draft_id, event.still_id))

    def compared(self, state: IntakeState, event: FaceCompared) -> Answer:
        """The verdict goes into the evidence; staff may decide where the model is not there or not sure."""
        draft = state.draft
        portraits = {one.still_id for one in draft.stills if one.kind == "portrait"} if draft is not None else set[str]()
        if draft is None or state.today is None or not portraits or (event.still_id and event.still_id not in portraits):
            return state, ()
        face = {"way": event.way, "verdict": event.verdict, "score": event.score, "model": event.model}
        return with_draft(replace(state, no_model=False), replace(draft, face=face), state.today, self._tables, now=True)
