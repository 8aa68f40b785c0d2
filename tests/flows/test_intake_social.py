"""A social security card beside a sitting, as tables: shown as a hint, compared with what the form says, and never part of the draft."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from desktop.flows.intake import intake
from desktop.flows.intake_social import has_slot, note
from desktop.flows.intake_state import IntakeState, SocialSeen
from desktop.flows.machine import Failed
from desktop.flows.words import (
    BackPressed,
    ByHandPressed,
    CardPlaced,
    CardWasRead,
    DeviceFacts,
    DevicesSeen,
    DraftParked,
    Edited,
    NewSitting,
    OperatorIn,
    PagePicked,
    ParkPressed,
    ReadPressed,
    SaveDraft,
    SittingMade,
)
from desktop.flows.words.social import ReadSocial, SocialClosed, SocialPressed, SocialRead
from devices.cards.socialcard import SocialCardHint
from devices.errors import NoSocialCard, ServiceStopped, SocialCardUnknown
from sync.tables import Tables
from tests.flows.sample import NOW, OPERATOR, READER, STATION, card, was_read

FLOW = intake(Tables.load())
NUMBER, OTHER = "510104198803120018", "510104199001010021"
SAID = SocialCardHint(name="李国强", number=NUMBER, card_no="A12345678")


def play(*events: Any, state: IntakeState | None = None) -> tuple[IntakeState, list[Any]]:
    effects: list[Any] = []
    state = state or FLOW.step(IntakeState(), OperatorIn(OPERATOR, STATION))[0]
    for event in events:
        state, more = FLOW.step(state, event)
        effects += more
    return state, effects


def sitting() -> IntakeState:
    return play(CardPlaced(READER), was_read())[0]


def shown(said: SocialCardHint, state: IntakeState | None = None) -> IntakeState:
    return play(SocialPressed(), SocialRead("d-1", said), state=state or sitting())[0]


def test_a_press_beside_a_sitting_looks_once_and_shows_a_note() -> None:
    begun = sitting()
    state, effects = play(SocialPressed(), SocialPressed(), state=begun)
    assert effects == [ReadSocial("d-1")] and state.social.reading and note(state) is None
    state, effects = play(SocialRead("d-1", SAID), state=state)
    found = note(state)
    assert effects == [] and found is not None and (found.code, dict(found.facts)) == ("social.same", {"name": "李国强", "tail": "0018"})
    assert "李国强" not in repr(state.social) and NUMBER not in repr(state.social) and "李国强" not in repr(SocialRead("d-1", SAID))


@pytest.mark.parametrize("said", [SAID, replace(SAID, name="王芳", number=OTHER), SocialCardHint()])
def test_a_social_card_changes_nothing_but_the_note(said: SocialCardHint) -> None:
    """No field, no source, no evidence, no issue, no lock, nothing to be saved: it is no identity document."""
    for begun in (sitting(), play(ByHandPressed(), SittingMade("d-1", NOW))[0]):
        state, effects = play(SocialPressed(), SocialRead("d-1", said), state=begun)
        assert effects == [ReadSocial("d-1")] and note(state) is not None
        assert replace(state, social=SocialSeen()) == begun and state.draft is begun.draft
        assert state.draft is not None and begun.draft is not None and state.draft.as_json() == begun.draft.as_json()


@pytest.mark.parametrize(("said", "code", "what"), [
    (replace(SAID, name="王芳"), "social.differs", "name"), (replace(SAID, number=OTHER), "social.differs", "number"),
    (replace(SAID, name="王芳", number=OTHER), "social.differs", "both"), (replace(SAID, name="", number=OTHER), "social.differs", "number"),
    (replace(SAID, name=""), "social.unsure", None), (replace(SAID, number=""), "social.unsure", None),
    (replace(SAID, name="李国\ufffd"), "social.unsure", None), (SocialCardHint(), "social.unsure", None), (replace(SAID, name="李 国强"), "social.same", None),
])
def test_what_agrees_and_what_does_not(said: SocialCardHint, code: str, what: str | None) -> None:
    found = note(shown(said))
    assert found is not None and (found.code, found.facts.get("what")) == (code, what)
    assert found.facts["name"] and found.facts["tail"] and NUMBER not in found.facts.values()


def test_names_with_signs_between_and_numbers_of_other_documents() -> None:
    uighur = replace(card().card, name_zh="买买提·艾力")
    state, _ = play(CardPlaced(READER), CardWasRead(replace(card(), card=uighur), NOW, "d-1"))
    assert note(shown(replace(SAID, name="买买提•艾力"), state)).code == "social.same"   # type: ignore[union-attr]
    foreign, _ = play(ByHandPressed(), SittingMade("d-1", NOW), Edited("person.id_doc_no", "PAK310080010103", NOW), Edited("person.name_zh", "李国强", NOW))
    assert note(shown(SAID, foreign)).code == "social.unsure", "a passport's number is no citizen number"   # type: ignore[union-attr]


def test_the_note_speaks_of_the_sitting_as_it_is_now() -> None:
    state, _ = play(ByHandPressed(), SittingMade("d-1", NOW))
    state = shown(SAID, state)
    codes = [note(state).code]   # type: ignore[union-attr]
    for event in (Edited("person.name_zh", "李国强", NOW), Edited("person.id_doc_no", NUMBER, NOW), Edited("person.name_zh", "李国庆", NOW)):
        state, _ = play(event, state=state)
        codes.append(note(state).code)   # type: ignore[union-attr]
    assert codes == ["social.unsure", "social.unsure", "social.same", "social.differs"]


def test_a_trouble_is_a_named_note_and_the_next_card_works() -> None:
    state = sitting()
    for trouble in (NoSocialCard("empty"), SocialCardUnknown("6A82", atr=""), ServiceStopped("gone")):
        state, effects = play(SocialPressed(), SocialRead("d-1", None, trouble), state=state)
        found = note(state)
        assert effects == [ReadSocial("d-1")] and found is not None and found.code == trouble.code and state.trouble is None
    assert note(shown(SAID, state)).code == "social.same"   # type: ignore[union-attr]
    state, _ = play(SocialPressed(), SocialRead("d-1"), state=state)
    assert state.social == SocialSeen(), "broken off"
    state, _ = play(SocialPressed(), Failed(ServiceStopped("rooms"), "ReadSocial"), state=state)
    assert state.social == SocialSeen() and state.trouble is not None


def test_it_is_put_away_by_a_press_or_esc_and_goes_with_its_sitting() -> None:
    state = shown(SAID)
    for away in (SocialClosed(), BackPressed()):
        shut, effects = play(away, state=state)
        assert note(shut) is None and shut.draft == state.draft and effects == []
    parked, _ = play(ParkPressed(), DraftParked("d-1"), state=state)
    assert parked.draft is None and parked.social == SocialSeen()


def test_an_answer_that_comes_late_is_let_fall() -> None:
    state, _ = play(SocialPressed(), ParkPressed(), DraftParked("d-1"), state=sitting())
    assert play(SocialRead("d-1", SAID), state=state)[0].social == SocialSeen()
    state, _ = play(CardPlaced(READER), was_read(OTHER, "d-2"), SocialPressed(), state=state)
    late, _ = play(SocialRead("d-1", SAID), state=state)
    assert late == state and late.social.reading, "the other person's card is still being looked at"


def test_without_a_sitting_or_in_the_middle_of_something_nothing_is_looked_at() -> None:
    free = play()[0]
    for state in (free, play(ReadPressed(), state=sitting())[0], play(PagePicked("outbox"), state=sitting())[0], play(ParkPressed(), state=sitting())[0]):
        assert FLOW.step(state, SocialPressed()) == (state, ())
    state, effects = play(ByHandPressed(), SittingMade("d-1", NOW), SocialPressed())
    assert effects == [NewSitting(), ReadSocial("d-1")] and not any(isinstance(one, SaveDraft) for one in effects)


def test_a_station_without_a_slot_has_no_button() -> None:
    assert not has_slot(sitting())
    assert has_slot(play(DevicesSeen((DeviceFacts("social", "absent", code="social.no_slot"),)))[0])
