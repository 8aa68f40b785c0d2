"""The steps of the desk that choose a reader, and the notes on a card that was read. Never looks at a reader: effects ask for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from desktop.flows.intake_state import Answer, IntakeState
from desktop.flows.words import (
    AskReaders,
    CardNote,
    CardWasRead,
    DevicesSeen,
    NotesClosed,
    Progress,
    ReadCard,
    ReaderAsked,
    ReaderLater,
    ReaderPicked,
    ReaderTaken,
    UseReader,
)
from devices.cards.choice import sam_finding
from devices.cards.idcard import findings, linked_number

__all__ = ["asked", "card_notes", "later", "notes_closed", "picked", "seen", "taken"]

_NOTED = frozenset(("finding.text_garbled", "finding.earlier_number", "finding.term_unusual"))
"""Findings of a card that stand at no field: neither as an open issue (``sync.rules``) nor as a value beside another (the newest address)."""


def seen(state: IntakeState, event: DevicesSeen) -> Answer:
    """Lamps; where readers came or went, which of them is used is asked anew."""
    before, after = ([one for one in devices if one.name == "reader"] for devices in (state.devices, event.devices))
    fresh = replace(state, devices=event.devices, checking=False)
    return fresh, ((AskReaders(),) if before != after and state.operator is not None and state.reading is None else ())


def asked(state: IntakeState, event: ReaderAsked) -> Answer:
    """The question stands until it is answered, put away, or has become needless. A read that needs the answer ends here and goes on after it."""
    question = event.question
    if question is None:
        return replace(state, reader_question=None), ()
    if question.read:
        state = replace(state, reading=None)
    elif state.reading is not None or state.reader_question is not None and state.reader_question.read:
        return state, ()
    return replace(state, reader_question=question), ()


def picked(state: IntakeState, event: ReaderPicked) -> Answer:
    question = state.reader_question
    if question is None or not 0 <= event.index < len(question.options):
        return state, ()
    return replace(state, reader_question=None, trouble=None, retry=None), (UseReader(question.options[event.index], question.instead_of, question.read),)


def later(state: IntakeState, _event: ReaderLater) -> Answer:
    return replace(state, reader_question=None), ()


def taken(state: IntakeState, event: ReaderTaken) -> Answer:
    """The reader is ours; the card that waited is read at once."""
    if not event.read or state.reading is not None or state.page != "desk" or state.capture is not None or state.parking:
        return state, ()
    return replace(state, reading=Progress("read.begin"), trouble=None, retry=None), (ReadCard(),)


def notes_closed(state: IntakeState, _event: NotesClosed) -> Answer:
    return replace(state, notes=()), ()


def card_notes(event: CardWasRead, today: date) -> tuple[CardNote, ...]:
    """What is worth a look and blocks nothing: the module first, then the card."""
    read = event.read
    module = sam_finding(read.evidence.sam, (read.evidence.sam,) if event.sam_listed else ())
    facts: dict[str, Mapping[str, str]] = {
        "finding.sam_unlisted": {"sam": read.evidence.sam}, "finding.earlier_number": {"number": linked_number(read.card)},
    }
    found = [module.code] if module is not None else []
    found += [one.code for one in findings(read.card, today) if one.code in _NOTED]
    return tuple(CardNote(code, facts.get(code, {})) for code in found)
