"""The desk: waiting for a card, reading, the form, parking, the outbox. Never reads, stores or sends anything: effects ask for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from desktop.flows import intake_day as day
from desktop.flows import intake_reader as reader
from desktop.flows import intake_repair as repair
from desktop.flows import intake_sheet as sheet
from desktop.flows import intake_social as social
from desktop.flows.fill import fill
from desktop.flows.intake_pictures import PictureTable
from desktop.flows.intake_state import Answer, Effects, IntakeState, cleared, first_field, for_another, hall_date, jump, row_count, with_draft
from desktop.flows.machine import Failed, Flow, steps_of
from desktop.flows.words import (
    AskReaders,
    BackPressed,
    ByHandPressed,
    CancelRead,
    CaptureClosed,
    CapturePressed,
    CardLifted,
    CardPlaced,
    CardWasRead,
    CheckDevices,
    CheckPressed,
    ClosePreview,
    CourierSeen,
    DevicesSeen,
    DiscardConfirmed,
    DiscardPressed,
    DocumentPressed,
    DraftOpened,
    DraftParked,
    DraftSaved,
    DropDraft,
    Edited,
    FaceCompared,
    FileGiven,
    HintSeen,
    LeftField,
    ListOutbox,
    ListParked,
    LockPressed,
    NewSitting,
    Note,
    NotesClosed,
    OlderPressed,
    OpenDraft,
    OperatorIn,
    OriginalSeen,
    OtherPersonPressed,
    PagePicked,
    ParkDraft,
    ParkedListed,
    ParkedPicked,
    ParkPressed,
    PlacePicked,
    PortraitPressed,
    Progress,
    ReadCard,
    ReaderAsked,
    ReaderLater,
    ReaderPicked,
    ReaderTaken,
    ReadPressed,
    ReceiptWanted,
    RecordPicked,
    RetryPressed,
    ReviewAsked,
    ReviewPressed,
    RowAdded,
    RowRemoved,
    SaveDraft,
    Send,
    SittingDone,
    SittingMade,
    StillDropped,
    StillTaken,
    SyncPressed,
    TroubleClosed,
    Unlocked,
)
from desktop.flows.words.day import StationChanged
from devices.errors import Cancelled, CardChanged, NoModel
from sync.draft import Draft, Source
from sync.errors import NoRoomToBegin
from sync.record import section
from sync.rules import issues
from sync.tables import Tables

__all__ = ["UNLOCK_REASONS", "IntakeTable", "intake"]

UNLOCK_REASONS = ("misprint", "rare_character", "corrected")
_MOST_ROWS = 20


class IntakeTable:
    """The pure steps of the desk. ``tables``: the code tables; ``auto_read``: a card that is put down is read at once."""

    def __init__(self, tables: Tables, auto_read: bool = True) -> None:
        self._tables, self._auto = tables, auto_read
        pictures, repairs = PictureTable(tables), repair.RepairTable(tables)
        self._table: dict[type, Callable[[IntakeState, Any], Answer]] = {
            OperatorIn: self._operator, CardPlaced: self._placed, CardLifted: self._lifted, ReadPressed: self._read, Progress: self._progress,
            CardWasRead: self._was_read, OtherPersonPressed: self._other_person, ByHandPressed: self._by_hand, SittingMade: self._made,
            Edited: self._edited, LeftField: self._left, RowAdded: self._row_added, RowRemoved: self._row_removed, Unlocked: self._unlocked,
            PlacePicked: self._place, DraftSaved: self._saved, ParkPressed: self._park, DraftParked: self._parked, ParkedListed: day.parked,
            ParkedPicked: self._parked_picked, DraftOpened: self._opened, DiscardPressed: self._discard, DiscardConfirmed: self._discarded,
            ReviewPressed: self._review, SittingDone: self._done, PagePicked: day.page, RecordPicked: day.picked,
            OlderPressed: day.older,
            SyncPressed: day.sync, CourierSeen: day.courier, DevicesSeen: reader.seen, CheckPressed: day.check,
            ReceiptWanted: day.receipt, LockPressed: self._lock,
            **sheet.STEPS, **social.STEPS, **repairs.steps,
            ReaderAsked: reader.asked, ReaderPicked: reader.picked, ReaderLater: reader.later, ReaderTaken: reader.taken, NotesClosed: reader.notes_closed,
            BackPressed: self._back, RetryPressed: self._again, TroubleClosed: self._closed, Failed: self._failed,
            PortraitPressed: pictures.portrait, DocumentPressed: pictures.document, HintSeen: pictures.hint, OriginalSeen: pictures.original,
            CapturePressed: pictures.press, FileGiven: pictures.file, StillTaken: pictures.taken, CaptureClosed: pictures.close,
            StillDropped: pictures.dropped, FaceCompared: pictures.compared,
        }

    def step(self, state: IntakeState, event: Any) -> Answer:
        """The table; an event that does not belong here changes nothing. Before a person is logged in only OperatorIn and facts of the day count."""
        found = steps_of(self._table, event)
        early = isinstance(event, OperatorIn | CourierSeen | DevicesSeen | StationChanged)
        if found is None or (state.operator is None and not early) or for_another(state.operator, event):
            return state, ()
        return found(state, event)

    # -- who ---------------------------------------------------------------------------------------------------------------------------
    def _operator(self, state: IntakeState, event: OperatorIn) -> Answer:
        """The same person after a lock finds everything as it was; another one gets a clean desk, the open sitting is parked for its owner."""
        lists = ListParked(), ListOutbox(), CheckDevices()
        if state.operator is not None and state.operator.operator_id == event.operator.operator_id:
            return replace(state, operator=event.operator, station=event.station), lists
        fresh = IntakeState(operator=event.operator, station=event.station, courier=state.courier, waits=state.waits, devices=state.devices,
                            changes=state.changes, lists=state.lists)
        lists = (*lists, AskReaders())
        return fresh, ((SaveDraft(state.draft, True), *lists) if state.draft is not None else lists)

    def _lock(self, state: IntakeState, _event: LockPressed) -> Answer:
        saving: tuple[Any, ...] = (SaveDraft(state.draft, True),) if state.draft is not None else ()
        closing: tuple[Any, ...] = (ClosePreview(),) if state.capture is not None else ()
        return replace(state, capture=None), (*saving, *closing, Send("login", LockPressed()))

    # -- card --------------------------------------------------------------------------------------------------------------------------
    def _placed(self, state: IntakeState, event: CardPlaced) -> Answer:
        """A card is read by itself on a free desk; over an open sitting only F2 reads."""
        if not self._auto or state.draft is not None or state.reading is not None or state.page != "desk":
            return state, ()
        return replace(state, reading=Progress("read.begin"), trouble=None, retry=None), (ReadCard(event.device),)

    def _lifted(self, state: IntakeState, _event: CardLifted) -> Answer:
        return state, ()

    def _read(self, state: IntakeState, _event: ReadPressed) -> Answer:
        if state.reading is not None or state.capture is not None or state.parking:
            return state, ()
        return replace(state, page="desk", reading=Progress("read.begin"), trouble=None, retry=None), (ReadCard(),)

    def _progress(self, state: IntakeState, event: Progress) -> Answer:
        return (replace(state, reading=event), ()) if state.reading is not None else (state, ())

    def _was_read(self, state: IntakeState, event: CardWasRead) -> Answer:
        if state.reading is None:
            return state, ()
        if state.after:
            return self._instead_of_read(state)
        state = replace(state, reading=None, trouble=None)
        held = state.draft.text("person.id_doc_no") if state.draft is not None else ""
        if held and held != event.read.card.number:
            return replace(state, other_card=event, trouble=CardChanged("another number")), ()
        return self._take_card(state, event)

    def _take_card(self, state: IntakeState, event: CardWasRead) -> Answer:
        assert state.operator is not None
        read, at, new_id = event.read, event.at, event.new_id
        draft = state.draft or Draft(new_id, f"op:{state.operator.operator_id}", at)
        fresh = fill(draft, read, by=state.operator.operator_id, at=at)
        state = replace(state, chip_photo=read.photo_image, unlocked=frozenset[str](), other_card=None, notes=reader.card_notes(event, hall_date(at)))
        state, _ = with_draft(state, fresh, hall_date(at), self._tables)
        effects: Effects = (SaveDraft(fresh, True, read.photo_image),)
        first = "person.mobile" if fresh.categories() else "person.categories"
        return jump(state, first), effects

    def _other_person(self, state: IntakeState, _event: OtherPersonPressed) -> Answer:
        """Park the open sitting; the card that was just read begins the next one."""
        if state.other_card is None or state.draft is None or state.parking:
            return state, ()
        return replace(state, parking=True, after="card", trouble=None), (ParkDraft(state.draft),)

    def _by_hand(self, state: IntakeState, _event: ByHandPressed) -> Answer:
        return (state, (NewSitting(),)) if state.draft is None and state.reading is None else (state, ())

    def _made(self, state: IntakeState, event: SittingMade) -> Answer:
        if state.draft is not None or state.operator is None:
            return state, ()
        draft = Draft(event.draft_id, f"op:{state.operator.operator_id}", event.at)
        today = hall_date(event.at)
        return jump(replace(state, draft=draft, today=today, issues=issues(draft, today, self._tables), trouble=None), "person.categories"), ()

    # -- form --------------------------------------------------------------------------------------------------------------------------
    def _edited(self, state: IntakeState, event: Edited) -> Answer:
        """A chip value changes only after it was unlocked; the same value again keeps its source."""
        if state.draft is None or state.operator is None or state.parking:
            return state, ()
        held = state.draft.entries.get(event.path)
        if held is not None and (held.value == event.value or (held.source is Source.CHIP and event.path not in state.unlocked)):
            return state, ()
        try:
            draft = state.draft.take(event.path, event.value, Source.TYPED, by=state.operator.operator_id, at=event.at)
        except KeyError:
            return state, ()
        return with_draft(state, draft, hall_date(event.at), self._tables)

    def _left(self, state: IntakeState, _event: LeftField) -> Answer:
        return (state, (SaveDraft(state.draft, True),)) if state.draft is not None and state.draft.entries else (state, ())

    def _row_added(self, state: IntakeState, event: RowAdded) -> Answer:
        if state.draft is None or not section(event.section).repeats:
            return state, ()
        index = row_count(state, event.section)
        if index >= _MOST_ROWS:
            return state, ()
        fresh = replace(state, rows=MappingProxyType({**state.rows, event.section: index + 1}))
        return jump(fresh, f"{event.section}[{index}].{section(event.section).fields[0].name}"), ()

    def _row_removed(self, state: IntakeState, event: RowRemoved) -> Answer:
        count = row_count(state, event.section)
        if state.draft is None or not 0 <= event.index < count:
            return state, ()
        fresh = replace(state, rows=MappingProxyType({**state.rows, event.section: count - 1}))
        return with_draft(fresh, state.draft.without_row(event.section, event.index), hall_date(event.at), self._tables, now=True)

    def _unlocked(self, state: IntakeState, event: Unlocked) -> Answer:
        if state.draft is None or event.path not in state.draft.entries or event.reason not in UNLOCK_REASONS:
            return state, ()
        note = Note("draft.chip_unlocked", state.draft.draft_id, {"field": event.path, "reason": event.reason})
        return jump(replace(state, unlocked=state.unlocked | {event.path}), event.path), (note,)

    def _place(self, state: IntakeState, event: PlacePicked) -> Answer:
        if event.path == "stills.portrait":
            return self.step(state, PortraitPressed())
        if event.path.startswith("stills."):
            return self.step(state, DocumentPressed(event.path.removeprefix("stills.")))
        closing: tuple[Any, ...] = (ClosePreview(),) if state.capture is not None else ()
        return jump(replace(state, capture=None), event.path), closing

    def _saved(self, state: IntakeState, event: DraftSaved) -> Answer:
        if state.draft is None or state.draft.draft_id != event.draft_id:
            return state, ()
        over = isinstance(state.retry, SaveDraft)   # what could not be saved is saved now
        return replace(state, saved_at=event.at, trouble=None if over else state.trouble, retry=None if over else state.retry), ()

    # -- parking, discarding, review ---------------------------------------------------------------------------------------------------
    def _park(self, state: IntakeState, _event: ParkPressed) -> Answer:
        if state.draft is None or state.parking:
            return state, ()
        closing: tuple[Any, ...] = (ClosePreview(),) if state.capture is not None else ()
        if state.draft.empty:
            return cleared(state), closing
        return replace(state, parking=True, after="", capture=None, trouble=None), (*closing, ParkDraft(state.draft))

    def _parked(self, state: IntakeState, event: DraftParked) -> Answer:
        if not state.parking or state.draft is None or state.draft.draft_id != event.draft_id:
            return state, ()
        free = cleared(state)
        if state.after == "card" and state.other_card is not None:
            fresh, effects = self._take_card(free, state.other_card)
            return fresh, (*effects, ListParked())
        if state.after:
            return free, (OpenDraft(state.after), ListParked())
        return free, (ListParked(),)

    def _parked_picked(self, state: IntakeState, event: ParkedPicked) -> Answer:
        """What a person picks goes before a card that happens to lie there: its read is broken off, and ``after`` it the sitting opens."""
        if state.parking:
            return state, ()
        if state.reading is not None:
            return replace(state, after=event.draft_id), (CancelRead(),)
        closing: tuple[Any, ...] = (ClosePreview(),) if state.capture is not None else ()
        if state.draft is None or state.draft.empty:
            return (cleared(state) if state.draft is not None else replace(state, trouble=None)), (*closing, OpenDraft(event.draft_id))
        if state.draft.draft_id == event.draft_id:
            return replace(state, page="desk"), ()
        return replace(state, parking=True, after=event.draft_id, capture=None, trouble=None), (*closing, ParkDraft(state.draft))

    def _instead_of_read(self, state: IntakeState) -> Answer:
        """However the read ended: the sitting that was picked meanwhile."""
        return self._parked_picked(replace(state, reading=None, trouble=None, after=""), ParkedPicked(state.after))

    def _opened(self, state: IntakeState, event: DraftOpened) -> Answer:
        if state.draft is not None or state.operator is None or event.draft.owner != f"op:{state.operator.operator_id}":
            return state, ()
        today = hall_date(event.at)
        draft = repair.asked(state, event.draft)
        found = issues(draft, today, self._tables)
        fresh = replace(cleared(state), draft=draft, today=today, issues=found, pictures=MappingProxyType(dict(event.pictures)), saved_at=event.at,
                        chip_photo=event.chip_photo, parked=tuple(one for one in state.parked if one.draft_id != draft.draft_id))
        return jump(fresh, found[0].path if found and not found[0].path.startswith("stills.") else "person.mobile"), ()

    def _discard(self, state: IntakeState, _event: DiscardPressed) -> Answer:
        return (replace(state, discard_asked=True), ()) if state.draft is not None and not state.parking else (state, ())

    def _discarded(self, state: IntakeState, _event: DiscardConfirmed) -> Answer:
        if state.draft is None or not state.discard_asked:
            return state, ()
        closing: tuple[Any, ...] = (ClosePreview(),) if state.capture is not None else ()
        return cleared(state), (*closing, DropDraft(state.draft.draft_id), ListParked())

    def _review(self, state: IntakeState, event: ReviewPressed) -> Answer:
        """With open issues F9 goes to the first of them; only a complete draft is shown for signing."""
        if state.draft is None or state.parking or state.reading is not None or (state.capture is not None and state.capture.taking):
            return state, ()
        state, effects = with_draft(state, state.draft, hall_date(event.at), self._tables, now=True)
        open_ = [one for one in state.issues if one.severity != "explain"]
        if open_:
            fresh, more = self._place(state, PlacePicked(first_field(open_[0].path)))
            return fresh, (*effects, *more)
        closing: tuple[Any, ...] = (ClosePreview(),) if state.capture is not None else ()
        assert state.draft is not None
        return replace(state, capture=None, page="desk", trouble=None), (*effects, *closing, Send("review", ReviewAsked(state.draft)))

    def _done(self, state: IntakeState, event: SittingDone) -> Answer:
        lists = ListParked(), ListOutbox()
        if state.draft is None or state.draft.draft_id != event.draft_id:
            return state, lists
        return cleared(state), lists

    # -- back, again, troubles ---------------------------------------------------------------------------------------------------------
    def _back(self, state: IntakeState, _event: BackPressed) -> Answer:
        """Esc, one step: question, banner, camera, read, notes, hint, page. Never clears a sitting."""
        if state.discard_asked:
            return replace(state, discard_asked=False), ()
        if state.trouble is not None:
            return self._closed(state, TroubleClosed())
        if state.capture is not None:
            return self.step(state, CaptureClosed())
        if state.reading is not None:
            return state, (CancelRead(),)
        if state.notes and state.page == "desk":
            return replace(state, notes=()), ()
        if state.page == "desk" and social.note(state) is not None:
            return social.closed(state)
        return day.page(state, PagePicked("desk"))

    def _again(self, state: IntakeState, _event: RetryPressed) -> Answer:
        order = state.retry
        if order is None:
            return day.again(state)
        state = replace(state, trouble=None, retry=None)
        if isinstance(order, ReadCard):
            return replace(state, reading=Progress("read.begin")), (order,)
        if isinstance(order, ParkDraft) and state.draft is not None:
            return replace(state, parking=True), (ParkDraft(state.draft),)
        if isinstance(order, SaveDraft) and state.draft is not None:
            return state, (SaveDraft(state.draft, True),)
        return state, (order,)

    def _closed(self, state: IntakeState, _event: TroubleClosed) -> Answer:
        return replace(state, trouble=None, retry=None, other_card=None), ()

    def _failed(self, state: IntakeState, event: Failed) -> Answer:
        """Each trouble ends what it belongs to and leaves the rest as it is."""
        trouble = event.trouble
        state = social.ended(state, event.effect)
        state, retry = repair.failed(state) if event.effect == "RepairRecord" else sheet.failed(state, event.effect, trouble)
        if event.effect == "ReadCard":
            if state.reading is None:
                return state, ()
            if state.after:
                return self._instead_of_read(state)
            state, retry = replace(state, reading=None), ReadCard()
        if event.effect == "ParkDraft" and state.draft is not None:
            state, retry = replace(state, parking=False, after=""), ParkDraft(state.draft)
        unsaved = event.effect == "SaveDraft" or (isinstance(trouble, NoRoomToBegin) and retry is None)
        if unsaved and state.draft is not None:
            retry = SaveDraft(state.draft, True)
        if event.effect in {"TakePortrait", "TakeDocument", "TakeFile"} and state.capture is not None:
            state = replace(state, capture=replace(state.capture, taking=False))
        if event.effect == "OpenPreview" and state.capture is not None:
            state = replace(state, capture=None)
        if event.effect == "CompareFaces" and isinstance(trouble, NoModel):
            return replace(state, no_model=True), ()
        if isinstance(trouble, Cancelled):
            return state, ()
        keeps = trouble.may_retry or unsaved or event.effect in {"ParkDraft", "MakeSheet"}
        return replace(state, trouble=trouble, retry=retry if keeps else None), ()


def intake(tables: Tables, auto_read: bool = True) -> Flow[IntakeState, Any, Any]:
    """The flow of the desk over these code tables."""
    return Flow("intake", IntakeState, IntakeTable(tables, auto_read).step)


