"""Choosing a reader at the desk, and notes on a card, as tables. Never looks at a reader."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from desktop.flows.intake import intake
from desktop.flows.intake_reader import card_notes
from desktop.flows.intake_state import IntakeState
from desktop.flows.words import (
    AskReaders,
    BackPressed,
    ByHandPressed,
    CardPlaced,
    CardWasRead,
    DeviceFacts,
    DevicesSeen,
    NewSitting,
    NotesClosed,
    OperatorIn,
    ReadCard,
    ReaderAsked,
    ReaderLater,
    ReaderOption,
    ReaderPicked,
    ReaderQuestion,
    ReaderTaken,
    ReadPressed,
    SittingMade,
    UseReader,
)
from devices.cards.choice import Remembered
from sync.tables import Tables
from tests.flows.sample import NOW, OPERATOR, READER, STATION, card, was_read

FLOW = intake(Tables.load())
OLD, NEW = Remembered("pcsc", "Vendor (A1)", "p"), Remembered("pcsc", "Vendor (B2)", "p")
SISTER = ReaderOption(NEW, True)
GOOD, GONE = DeviceFacts("reader", "good", "Vendor (A1)"), DeviceFacts("reader", "absent", code="reader.none")


def play(*events: Any, state: IntakeState | None = None) -> tuple[IntakeState, list[Any]]:
    effects: list[Any] = []
    state = state or FLOW.step(IntakeState(), OperatorIn(OPERATOR, STATION))[0]
    for event in events:
        state, more = FLOW.step(state, event)
        effects += more
    return state, effects


def test_who_comes_to_the_desk_learns_whether_a_reader_must_be_chosen() -> None:
    assert AskReaders() in FLOW.step(IntakeState(), OperatorIn(OPERATOR, STATION))[1]


def test_readers_that_come_and_go_ask_anew_and_other_lamps_do_not() -> None:
    state, effects = play(DevicesSeen((GOOD,)), DevicesSeen((GOOD, DeviceFacts("camera", "absent"))), DevicesSeen((GONE,)))
    assert effects == [AskReaders(), AskReaders()] and state.devices == (GONE,)
    assert play(CardPlaced(READER), DevicesSeen((GOOD,)))[1] == [ReadCard(READER)], "not while a card is read"
    assert FLOW.step(IntakeState(), DevicesSeen((GOOD,)))[1] == (), "nobody is here"


def test_a_sister_is_taken_in_one_step_and_the_card_that_waits_is_read() -> None:
    question = ReaderQuestion((SISTER,), OLD, read=True)
    state, effects = play(CardPlaced(READER), ReaderAsked(question))
    assert state.reader_question == question and state.reading is None
    state, effects = play(ReaderPicked(), state=state)
    assert effects == [UseReader(SISTER, OLD, True)] and state.reader_question is None
    state, effects = play(ReaderTaken(True), state=state)
    assert effects == [ReadCard()] and state.reading is not None
    state, _ = play(was_read(), state=state)
    assert state.draft is not None and state.draft.text("person.name_zh") == "李国强"


def test_without_a_card_taking_a_reader_reads_nothing() -> None:
    state, effects = play(ReaderAsked(ReaderQuestion((SISTER,), OLD)), ReaderPicked(0), ReaderTaken(False))
    assert effects == [UseReader(SISTER, OLD, False)] and state.reading is None


@pytest.mark.parametrize("index", [-1, 1, 7])
def test_an_option_that_there_is_not_is_nothing(index: int) -> None:
    state, effects = play(ReaderAsked(ReaderQuestion((SISTER,), OLD)), ReaderPicked(index))
    assert effects == [] and state.reader_question is not None
    assert play(ReaderPicked(0))[1] == []


def test_the_question_blocks_nothing_and_can_be_put_away() -> None:
    asked = ReaderAsked(ReaderQuestion((SISTER,), OLD))
    state, effects = play(asked, ByHandPressed(), SittingMade("d-1", NOW))
    assert effects == [NewSitting()] and state.draft is not None and state.reader_question is not None
    assert play(asked, ReaderLater())[0].reader_question is None
    assert play(asked, ReaderAsked(None))[0].reader_question is None, "the old reader is back"
    assert play(asked, ReadPressed())[1] == [ReadCard()], "reading asks again where it must"


def test_a_look_takes_nothing_from_a_question_for_which_a_card_waits() -> None:
    waits = ReaderQuestion((SISTER,), OLD, read=True)
    state, _ = play(ReadPressed(), ReaderAsked(waits), ReaderAsked(replace(waits, read=False)))
    assert state.reader_question == waits
    state, _ = play(ReadPressed(), ReaderAsked(replace(waits, read=False)))
    assert state.reading is not None and state.reader_question is None


def test_a_reader_taken_while_something_else_is_done_reads_nothing() -> None:
    for blocked in (replace(play()[0], page="outbox"), replace(play()[0], parking=True)):
        assert FLOW.step(blocked, ReaderTaken(True)) == (blocked, ())


# -- notes -----------------------------------------------------------------------------------------------------------------------------
def test_a_module_that_is_not_listed_is_said_and_blocks_nothing() -> None:
    state, _ = play(CardPlaced(READER), CardWasRead(card(), NOW, "d-1", sam_listed=False))
    assert [(note.code, dict(note.facts)) for note in state.notes] == [("finding.sam_unlisted", {"sam": card().evidence.sam})]
    assert state.draft is not None and state.trouble is None
    assert "sam" not in {issue.code.partition(".")[0] for issue in state.issues}
    for away in (NotesClosed(), BackPressed()):
        shut, _ = play(away, state=state)
        assert shut.notes == () and shut.draft == state.draft
    assert play(was_read(), state=replace(state, reading=object()))[0].notes == (), "the next read of the same card by a listed module"   # type: ignore[arg-type]


def test_a_module_without_number_is_said() -> None:
    silent = replace(card(), evidence=replace(card().evidence, sam=""))
    assert [note.code for note in card_notes(CardWasRead(silent, NOW, "d-1", False), date(2026, 11, 22))] == ["finding.sam_silent"]


def test_what_stands_at_no_field_is_a_note() -> None:
    odd = replace(card().card, name_zh="李�强", valid_to=date(2023, 5, 20))
    notes = card_notes(CardWasRead(replace(card(), card=odd), NOW, "d-1"), date(2026, 11, 22))
    assert [note.code for note in notes] == ["finding.text_garbled", "finding.term_unusual"], "the expired card is an open issue at its field"
    foreign = replace(card().card, kind="foreign_2023", number="931586198001010028", nationality="PAK", previous_link="000", birth_date=date(1980, 1, 1))
    notes = card_notes(CardWasRead(replace(card(), card=foreign), NOW, "d-1"), date(2026, 11, 22))
    assert [(note.code, dict(note.facts)) for note in notes] == [("finding.earlier_number", {"number": "PAK310080010103"})]
    assert "PAK31" not in repr(notes)
