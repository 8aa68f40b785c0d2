"""A record that the province returned, corrected at the desk: pure tables only."""

from __future__ import annotations

from dataclasses import replace

import pytest

from desktop.flows.intake import intake
from desktop.flows.intake_state import IntakeState, first_field
from desktop.flows.machine import Failed
from desktop.flows.words import (
    DraftOpened,
    DropDraft,
    Edited,
    ListParked,
    OpenDraft,
    OperatorIn,
    PagePicked,
    ParkDraft,
    ParkedPicked,
    ParkPressed,
    RecordPicked,
    ReviewAsked,
    ReviewPressed,
    SaveDraft,
    Send,
    SittingDone,
    SittingMade,
)
from desktop.flows.words.day import ItemTurned, RepairPressed, RepairReady, RepairRecord
from desktop.flows.words.sitting import DiscardConfirmed, DiscardPressed
from sync.errors import CorrectionElsewhere
from sync.tables import Tables
from tests.flows.sample import NOW, OPERATOR, STATION
from tests.scenes.correction_scenes import ITEMS, OLD, correction, listed, returned

FLOW = intake(Tables.load())
BACK = (listed(), PagePicked("returned"), RecordPicked(OLD))


def play(*events: object, state: IntakeState | None = None) -> tuple[IntakeState, list[object]]:
    """The state after these events of a person who is in, and the effects of the last one."""
    now, last = state or FLOW.step(FLOW.start(), OperatorIn(OPERATOR, STATION))[0], list[object]()
    for event in events:
        now, effects = FLOW.step(now, event)
        last = list(effects)
    return now, last


def opened(known: bool = True) -> IntakeState:
    return play(*BACK, RepairPressed(), RepairReady(OLD, "d-c"), ParkedPicked("d-c"), DraftOpened(correction(known), {}, NOW, None))[0]


def open_items(state: IntakeState) -> list[str]:
    return [one.facts["path"] for one in state.issues if one.severity == "returned"]


def test_what_was_returned_comes_to_the_desk_with_the_caret_at_the_first_item() -> None:
    state, effects = play(*BACK, RepairPressed())
    assert effects == [RepairRecord(OLD)] and state.repairing == OLD
    state, effects = play(RepairReady(OLD, "d-c"), ParkedPicked("d-c"), state=state)
    assert effects == [OpenDraft("d-c")]
    state = opened()
    assert state.page == "desk" and state.place.path == "person.mobile" and open_items(state) == [path for path, _ in ITEMS]


@pytest.mark.parametrize(("more", "may"), [({}, True), ({"remote": "refused"}, True), ({"state": "purged"}, True), ({"amended_by": "r-2"}, False),
                                           ({"remote": "accepted"}, False), ({"state": "uploaded"}, False)])
def test_only_what_came_back_and_has_no_correction_is_opened(more: dict[str, str], may: bool) -> None:
    _, effects = play(listed(returned(**more)), *BACK[1:], RepairPressed())
    assert effects == ([RepairRecord(OLD)] if may else [])


def test_what_cannot_be_opened_here_says_so() -> None:
    state, _ = play(*BACK, RepairPressed(), Failed(CorrectionElsewhere("x"), "RepairRecord"))
    assert isinstance(state.trouble, CorrectionElsewhere) and state.repairing == "" and state.retry is None


def test_an_item_goes_when_its_field_changed_and_comes_again_when_it_was_changed_back() -> None:
    state, _ = play(Edited("person.mobile", "13900001111", NOW), state=opened())
    assert open_items(state) == ["stills.skill_certificate", "record"]
    assert open_items(play(Edited("person.mobile", "13800000000", NOW), state=state)[0])[0] == "person.mobile"


def test_an_item_is_done_when_a_person_says_so_and_that_is_saved_at_once() -> None:
    state, effects = play(ItemTurned(2), state=opened())
    assert open_items(state) == ["person.mobile", "stills.skill_certificate"] and effects == [SaveDraft(state.draft, True)]
    assert open_items(play(ItemTurned(2), state=state)[0]) == open_items(opened())
    for index in (-1, 3):
        assert play(ItemTurned(index), state=opened())[1] == []
    plain, _ = play(SittingMade("d-1", NOW))
    assert play(ItemTurned(0), state=plain) == (plain, [])
    assert play(ItemTurned(0), state=replace(opened(), parking=True))[1] == []


def test_f9_goes_to_what_is_open_and_never_past_it() -> None:
    state, effects = play(ReviewPressed(NOW), state=opened())
    assert state.place.path == "person.mobile" and not [one for one in effects if isinstance(one, Send)]
    state, effects = play(Edited("person.mobile", "13900001111", NOW), ReviewPressed(NOW), state=opened())
    assert state.capture is not None and state.capture.kind == "skill_certificate", "a picture is wanted"
    state, effects = play(Edited("person.mobile", "13900001111", NOW), ItemTurned(1), ReviewPressed(NOW), state=opened())
    assert state.place.path == "" and state.page == "desk" and not [one for one in effects if isinstance(one, Send)]
    state, effects = play(ItemTurned(0), ItemTurned(1), ItemTurned(2), ReviewPressed(NOW), state=opened())
    assert effects[-1] == Send("review", ReviewAsked(state.draft)), "where a person says that all is done, nothing keeps them from signing"  # type: ignore[arg-type]


def test_what_the_province_says_meanwhile_stands_there_at_once() -> None:
    said = returned(items=(*[text for _, text in ITEMS], "单位名称不全"), places=(*[path for path, _ in ITEMS], "employer.name"))
    state, effects = play(listed(said), state=opened())
    assert open_items(state) == [*[path for path, _ in ITEMS], "employer.name"] and effects == [SaveDraft(state.draft, True)]
    assert play(listed(said), state=state)[1] == []
    late, _ = play(listed(said), PagePicked("returned"), state=opened())
    again, _ = play(ParkPressed(), state=late)
    assert again.parking and play(listed(), state=again)[0].draft == again.draft
    fresh = play(listed(said), DraftOpened(correction(), {}, NOW, None))[0]
    assert open_items(fresh)[-1] == "employer.name"


def test_an_empty_correction_is_parked_and_not_forgotten() -> None:
    state = opened(known=False)
    assert state.draft is not None and not state.draft.entries
    parking, effects = play(ParkPressed(), state=state)
    assert parking.parking and effects == [ParkDraft(state.draft)]
    other, effects = play(ParkedPicked("d-9"), state=state)
    assert other.parking and effects == [ParkDraft(state.draft)]


def test_thrown_away_or_kept_the_desk_is_free() -> None:
    state, effects = play(DiscardPressed(), DiscardConfirmed(), state=opened())
    assert effects == [DropDraft("d-c"), ListParked()] and state.draft is None
    assert play(SittingDone("d-c"), state=opened())[0].draft is None


@pytest.mark.parametrize(("path", "field"), [("", ""), ("person.mobile", "person.mobile"), ("skill", "skill[0].trade"), ("skill[2]", "skill[2].trade"),
                                             ("person", "person.categories"), ("stills.contract", "stills.contract")])
def test_where_the_caret_goes(path: str, field: str) -> None:
    assert first_field(path) == field
