"""The table of the desk: card, form, pictures, parking, F9; and that no step loses what a person gave."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.flows.intake import intake
from desktop.flows.intake_state import IntakeState, row_count
from desktop.flows.machine import Failed, run
from desktop.flows.words import (
    BackPressed,
    ByHandPressed,
    CancelRead,
    CaptureClosed,
    CapturePressed,
    CardPlaced,
    ClosePreview,
    CompareFaces,
    CourierFacts,
    CourierSeen,
    DiscardConfirmed,
    DiscardPressed,
    DocumentPressed,
    DraftOpened,
    DraftParked,
    DraftSaved,
    DropDraft,
    DropStill,
    Edited,
    FaceCompared,
    FileGiven,
    ListOutbox,
    ListParked,
    NewSitting,
    Note,
    OlderPressed,
    OpenDraft,
    OpenPreview,
    OperatorIn,
    OriginalSeen,
    OtherPersonPressed,
    OutboxListed,
    PagePicked,
    ParkDraft,
    ParkedFacts,
    ParkedListed,
    ParkedPicked,
    ParkPressed,
    PlacePicked,
    PortraitPressed,
    ReadCard,
    ReadPressed,
    RetryPressed,
    ReviewAsked,
    ReviewPressed,
    RowAdded,
    RowRemoved,
    SaveDraft,
    Send,
    SittingDone,
    SittingMade,
    StillTaken,
    SyncNow,
    SyncPressed,
    TakeDocument,
    TakePortrait,
    Unlocked,
)
from devices.errors import Cancelled, CardChanged, CardRemoved, NoModel
from sync.draft import DraftStill, Source
from sync.errors import DiskFull, NoRoomToBegin, StoreDamaged
from sync.tables import Tables
from tests.flows.sample import NOW, OPERATOR, READER, STATION, full_draft, number, was_read

TABLES = Tables.load()
FLOW = intake(TABLES)
IN = OperatorIn(OPERATOR, STATION)
ONE, TWO = number(), number("51010419900101002")


def at_desk(*events: object) -> tuple[IntakeState, list[object]]:
    return run(FLOW, [IN, *events])


def read() -> list[object]:
    return [CardPlaced(READER), was_read(ONE)]


def still(kind: str, still_id: str) -> StillTaken:
    return StillTaken(DraftStill(kind, still_id, "image/jpeg", 10, "sha256:" + "3" * 64), b"thumb")


def test_a_card_on_a_free_desk_is_read_and_fills_the_form() -> None:
    state, effects = at_desk(*read())
    assert ReadCard(READER) in effects
    assert state.draft is not None and state.draft.text("person.name_zh") == "李国强"
    assert state.draft.entries["person.id_doc_no"].source is Source.CHIP and state.draft.owner == "op:OP-000017"
    assert state.place.path == "person.categories" and any(isinstance(one, SaveDraft) and one.now for one in effects)


def test_a_lifted_card_says_so_and_can_be_read_again() -> None:
    state, _ = at_desk(CardPlaced(READER), Failed(CardRemoved(), "ReadCard"))
    assert state.reading is None and isinstance(state.trouble, CardRemoved) and state.draft is None
    state, effects = FLOW.step(state, RetryPressed())
    assert effects == (ReadCard(),) and state.reading is not None
    assert FLOW.step(state, BackPressed())[1] == (CancelRead(),)


def test_chip_values_change_only_after_unlocking_with_a_reason() -> None:
    state, _ = at_desk(*read())
    same, effects = FLOW.step(state, Edited("person.name_zh", "李国弓", NOW))
    assert same == state and effects == ()
    state, effects = FLOW.step(state, Unlocked("person.name_zh", "misprint"))
    assert effects == (Note("draft.chip_unlocked", "d-1", {"field": "person.name_zh", "reason": "misprint"}),)
    state, _ = FLOW.step(state, Edited("person.name_zh", "李国弓", NOW))
    assert state.draft is not None and state.draft.entries["person.name_zh"].source is Source.TYPED


def test_typing_drops_its_issue_at_once() -> None:
    state, _ = at_desk(*read(), Edited("person.categories", ("4",), NOW))
    assert "person.mobile" in {one.path for one in state.issues}
    state, effects = FLOW.step(state, Edited("person.mobile", "13800000000", NOW))
    assert "person.mobile" not in {one.path for one in state.issues} and isinstance(effects[0], SaveDraft)


def test_another_card_over_an_open_sitting_is_a_question() -> None:
    state, _ = at_desk(*read(), ReadPressed(), was_read(TWO, "d-2"))
    assert isinstance(state.trouble, CardChanged) and state.draft is not None and state.draft.text("person.id_doc_no") == ONE
    state, effects = FLOW.step(state, OtherPersonPressed())
    assert effects == (ParkDraft(state.draft),) and state.parking
    state, _ = FLOW.step(state, DraftParked("d-1"))
    assert state.draft is not None and state.draft.draft_id == "d-2" and state.draft.text("person.id_doc_no") == TWO


def test_parking_clears_the_desk_only_after_it_is_on_the_disk() -> None:
    state, effects = at_desk(*read(), ParkPressed())
    assert state.draft is not None and isinstance(effects[-1], ParkDraft)
    failed, _ = FLOW.step(state, Failed(DiskFull(), "ParkDraft"))
    assert failed.draft == state.draft and not failed.parking and isinstance(failed.trouble, DiskFull)
    assert FLOW.step(failed, RetryPressed())[1] == (ParkDraft(state.draft),)
    done, effects = FLOW.step(state, DraftParked("d-1"))
    assert done.draft is None and effects == (ListParked(),)


@pytest.mark.parametrize("effect", ["SaveDraft", "TakePortrait"])
def test_what_has_no_room_is_saved_again_by_a_person_or_the_next_change(effect: str) -> None:
    state, _ = at_desk(*read(), Failed(NoRoomToBegin(free=1, needed=2), effect))
    assert state.draft is not None and isinstance(state.trouble, NoRoomToBegin) and state.retry == SaveDraft(state.draft, True)
    tried, effects = FLOW.step(state, RetryPressed())
    assert tried.trouble is None and effects == (SaveDraft(state.draft, True),)
    saved, _ = FLOW.step(state, DraftSaved("d-1", NOW))   # the change after it got through
    assert saved.trouble is None and saved.retry is None and saved.saved_at == NOW
    other, _ = at_desk(*read(), ReadPressed(), Failed(CardRemoved(), "ReadCard"), DraftSaved("d-1", NOW))
    assert isinstance(other.trouble, CardRemoved) and other.retry == ReadCard(), "another trouble is none of its business"


def test_picking_a_parked_one_parks_the_open_one_first() -> None:
    state, effects = at_desk(*read(), ParkedPicked("d-9"))
    assert isinstance(effects[-1], ParkDraft)
    state, effects = FLOW.step(state, DraftParked("d-1"))
    assert OpenDraft("d-9") in effects
    state, _ = FLOW.step(state, DraftOpened(full_draft("d-9"), {}, NOW))
    assert state.draft is not None and state.draft.draft_id == "d-9" and state.issues == ()


def test_the_sitting_that_lies_open_is_not_among_the_parked_too() -> None:
    """The list came before the sitting was opened: a repair, for one, is parked for a moment."""
    listed = ParkedListed((ParkedFacts("d-9", "李国强", "0012", NOW), ParkedFacts("d-8", "陈大海", "0015", NOW)))
    state, _ = at_desk(listed, DraftOpened(full_draft("d-9"), {}, NOW))
    assert [one.draft_id for one in state.parked] == ["d-8"]


def test_a_reopened_sitting_has_the_photo_of_its_card_again() -> None:
    state, _ = at_desk(DraftOpened(full_draft("d-9"), {}, NOW, b"chip"))
    assert state.draft is not None and state.draft.draft_id == "d-9" and state.chip_photo == b"chip"
    state, effects = FLOW.step(state, replace(still("portrait", "s-9"), draft_id="d-9"))
    assert CompareFaces("d-9", "s-9", b"chip") in effects


def test_a_picture_of_a_sitting_that_was_parked_never_comes_into_the_next_one() -> None:
    state, _ = at_desk(*read(), ParkPressed(), DraftParked("d-1"), CardPlaced(READER), was_read(TWO, "d-2"))
    same, effects = FLOW.step(state, replace(still("portrait", "s-1"), draft_id="d-1"))
    assert same == state and effects == ()
    state, _ = FLOW.step(state, replace(still("portrait", "s-2"), draft_id="d-2"))
    same, effects = FLOW.step(state, FaceCompared("same", "model", "0.6", "m", "s-1"))
    assert same == state and effects == (), "nor what was found about another portrait"
    state, _ = FLOW.step(state, FaceCompared("same", "model", "0.6", "m", "s-2"))
    assert state.draft is not None and state.draft.face is not None


def test_older_records_are_asked_for_page_by_page_and_a_new_look_begins_anew() -> None:
    state, _ = at_desk(PagePicked("outbox"))
    assert FLOW.step(state, OlderPressed())[1] == ()
    state, _ = FLOW.step(state, OutboxListed((), {}, (), True))
    for pages in (2, 3):
        state, effects = FLOW.step(state, OlderPressed())
        assert effects == (ListOutbox(pages),)
        assert FLOW.step(state, OlderPressed())[1] == (), "one page at a time"
        state, _ = FLOW.step(state, OutboxListed((), {}, (), True))
    assert FLOW.step(state, PagePicked("outbox"))[1] == (ListOutbox(),)


def test_damage_that_is_found_at_work_is_said_at_the_desk() -> None:
    state, _ = at_desk(*read(), Failed(StoreDamaged("a page"), "CheckStore"))
    assert isinstance(state.trouble, StoreDamaged) and state.retry is None and state.draft is not None


@pytest.mark.parametrize("end", [Failed(Cancelled(), "ReadCard"), Failed(CardRemoved(), "ReadCard"), was_read(TWO, "d-2")],
                         ids=["broken off", "lifted", "too late"])
def test_picking_a_parked_one_goes_before_a_read_that_runs(end: object) -> None:
    state, effects = at_desk(CardPlaced(READER), ParkedPicked("d-9"))
    assert effects[-1] == CancelRead() and state.reading is not None
    state, effects = FLOW.step(state, end)
    assert effects == (OpenDraft("d-9"),) and state.reading is None and state.trouble is None and state.draft is None and not state.after


def test_picking_a_parked_one_while_f2_reads_parks_the_open_one_first() -> None:
    state, _ = at_desk(*read(), ReadPressed(), ParkedPicked("d-9"))
    state, effects = FLOW.step(state, was_read(TWO, "d-2"))
    assert isinstance(effects[-1], ParkDraft) and effects[-1].draft.draft_id == "d-1" and state.other_card is None
    assert OpenDraft("d-9") in FLOW.step(state, DraftParked("d-1"))[1]


def test_a_draft_of_another_owner_never_opens() -> None:
    foreign = replace(full_draft("d-9"), owner="op:OP-999999")
    state, _ = at_desk(DraftOpened(foreign, {}, NOW))
    assert state.draft is None


def test_f9_jumps_to_the_first_issue_or_goes_to_review() -> None:
    state, effects = at_desk(*read(), ReviewPressed(NOW))
    assert state.place.path == "person.categories" and not any(isinstance(one, Send) for one in effects)
    state, effects = at_desk(DraftOpened(full_draft(), {}, NOW), ReviewPressed(NOW))
    assert isinstance(effects[-1], Send) and effects[-1].flow == "review" and effects[-1].event == ReviewAsked(full_draft())
    assert state.draft is not None, "the draft stays on the desk until its record is kept"
    assert FLOW.step(state, SittingDone("other"))[0].draft is not None
    assert FLOW.step(state, SittingDone("d-1"))[0].draft is None


def test_portrait_replaces_documents_add_up() -> None:
    state, effects = at_desk(*read(), PortraitPressed(), PortraitPressed())
    assert OpenPreview("portrait") in effects and effects[-1] == TakePortrait("d-1")
    state, effects = FLOW.step(state, still("portrait", "s-1"))
    assert state.capture is None and ClosePreview() in effects and CompareFaces("d-1", "s-1", b"photo") in effects
    state, _ = FLOW.step(state, FaceCompared("same", "model", "0.61", "sha256:" + "4" * 64))
    assert state.draft is not None and state.draft.face is not None and state.draft.face["verdict"] == "same"
    state, effects = run(FLOW, [PortraitPressed(), CapturePressed(), still("portrait", "s-2")], state)
    assert state.draft is not None and [one.still_id for one in state.draft.stills] == ["s-2"] and DropStill("d-1", "s-1") in effects
    assert state.draft.face is None, "a new portrait is not compared yet"
    state, effects = run(FLOW, [Edited("person.categories", ("4",), NOW), DocumentPressed(), OriginalSeen(False), CapturePressed()], state)
    assert effects[-1] == TakeDocument("d-1", "skill_certificate", "C")
    state, _ = run(FLOW, [still("skill_certificate", "s-3"), CapturePressed(), still("skill_certificate", "s-4"), CaptureClosed()], state)
    assert state.draft is not None and len(state.draft.stills) == 3 and state.capture is None


def test_without_a_model_staff_compares() -> None:
    state, _ = at_desk(*read(), PortraitPressed(), CapturePressed(), still("portrait", "s-1"), Failed(NoModel(), "CompareFaces"))
    assert state.no_model and state.trouble is None
    state, _ = FLOW.step(state, FaceCompared("same", "staff"))
    assert state.draft is not None and state.draft.face == {"way": "staff", "verdict": "same", "score": "", "model": ""} and not state.no_model


def test_rows_are_added_filled_and_taken_away() -> None:
    state, _ = at_desk(*read(), Edited("person.categories", ("4",), NOW))
    assert row_count(state, "skill") == 1 and row_count(state, "training") == 0
    state, _ = FLOW.step(state, RowAdded("training"))
    assert row_count(state, "training") == 1 and state.place.path == "training[0].type"
    state, _ = run(FLOW, [Edited("training[0].course", "安全教育", NOW), RowAdded("training"), Edited("training[1].course", "技能培训", NOW),
                          RowRemoved("training", 0, NOW)], state)
    assert state.draft is not None and state.draft.text("training[0].course") == "技能培训" and row_count(state, "training") == 1


def test_by_hand_and_discard() -> None:
    state, effects = at_desk(ByHandPressed(), SittingMade("d-5", NOW))
    assert NewSitting() in effects and state.draft is not None
    assert FLOW.step(state, DiscardConfirmed())[0].draft is not None, "only after the question"
    state, effects = run(FLOW, [DiscardPressed(), DiscardConfirmed()], state)
    assert state.draft is None and DropDraft("d-5") in effects


def test_another_operator_gets_a_clean_desk_and_the_sitting_is_saved() -> None:
    state, _ = at_desk(*read())
    other = replace(OPERATOR, operator_id="OP-000018")
    fresh, effects = FLOW.step(state, OperatorIn(other, STATION))
    assert fresh.draft is None and effects[0] == SaveDraft(state.draft, True)  # type: ignore[arg-type]
    same, _ = FLOW.step(state, IN)
    assert same.draft == state.draft


@pytest.mark.parametrize("path", ["stills.portrait", "stills.skill_certificate", "person.mobile"])
def test_every_issue_leads_somewhere(path: str) -> None:
    state, effects = at_desk(*read(), PlacePicked(path))
    assert state.capture is not None if path.startswith("stills.") else state.place.path == path


EVENTS = st.sampled_from([
    CardPlaced(READER), was_read(ONE), was_read(TWO, "d-2"), ReadPressed(), OtherPersonPressed(), ByHandPressed(), SittingMade("d-5", NOW), ParkPressed(),
    DraftParked("d-1"), DraftParked("d-2"), DraftParked("d-5"), DraftParked("d-9"), ParkedPicked("d-9"), DraftOpened(full_draft("d-9"), {}, NOW),
    Edited("person.mobile", "13800000000", NOW), Edited("person.mobile", "", NOW), Edited("nowhere.nothing", "x", NOW), RowAdded("skill"), RowAdded("training"),
    RowRemoved("skill", 0, NOW), RowRemoved("skill", 7, NOW), Unlocked("person.name_zh", "misprint"), Edited("person.name_zh", "甲", NOW),
    PortraitPressed(), DocumentPressed(), DocumentPressed("contract"), DocumentPressed("nonsense"), CapturePressed(), FileGiven("/x.pdf"), CaptureClosed(),
    still("portrait", "s-1"), still("contract", "s-2"), FaceCompared("unsure", "model"), BackPressed(), RetryPressed(), ReviewPressed(NOW), SittingDone("d-1"),
    PagePicked("outbox"), PagePicked("desk"), Failed(CardRemoved(), "ReadCard"), Failed(DiskFull(), "ParkDraft"), Failed(DiskFull(), "SaveDraft"),
    Failed(DiskFull(), "TakePortrait"), DraftSaved("d-1", NOW), PlacePicked("person.mobile"), PlacePicked("stills.contract"), "?",
])


@settings(max_examples=200, deadline=None)
@given(st.lists(EVENTS, max_size=40))
def test_random_walks(events: list[object]) -> None:
    """A sitting leaves the desk only by DraftParked, SittingDone or when it was empty; the camera is open exactly while a capture is shown."""
    state, _ = FLOW.step(IntakeState(), IN)
    camera = False
    for event in events:
        before = state
        state, effects = FLOW.step(state, event)
        for one in effects:
            camera = True if isinstance(one, OpenPreview) else False if isinstance(one, ClosePreview) else camera
        assert camera == (state.capture is not None) or isinstance(event, Failed)
        if before.draft is not None and (state.draft is None or state.draft.draft_id != before.draft.draft_id):
            empty = not before.draft.entries and not before.draft.stills
            assert isinstance(event, DraftParked | SittingDone) or empty, event
        if before.draft is not None and state.draft is not None and before.draft.draft_id == state.draft.draft_id:
            lost = set(before.draft.entries) - set(state.draft.entries)
            assert not lost or isinstance(event, RowRemoved | Edited) or (hasattr(event, "read") and all(path.startswith("person.") for path in lost))
        assert not (state.draft is None and state.capture is not None)
        if any(isinstance(one, Send) for one in effects):
            assert isinstance(event, ReviewPressed) and not [one for one in state.issues if one.severity != "explain"]


def test_sync_now_shows_at_once_that_the_platform_is_asked() -> None:
    state, effects = run(FLOW, [IN, SyncPressed()])
    assert state.courier.asking and effects[-1] == SyncNow()
    answered, _ = run(FLOW, [IN, SyncPressed(), CourierSeen(CourierFacts(True))])
    assert not answered.courier.asking and answered.courier.online
