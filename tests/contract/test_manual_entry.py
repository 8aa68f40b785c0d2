"""Cards of every kind typed by hand: the same checks as those of a chip, and the mark of a hand. Never needs a reader."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from desktop.flows.fill import CHIP_PATHS, card_values, fill
from devices.cards.contract import CardRead, ReadEvidence
from devices.cards.idcard import IdentityCard, parse
from sync.draft import Draft, Source
from sync.freeze import Sitting, freeze
from sync.rules import issues
from sync.tables import Tables
from tests.emulators import idcards
from tests.flows.sample import full_draft

AT, TODAY = datetime(2026, 11, 22, 1, tzinfo=UTC), date(2026, 11, 22)
TABLES = Tables.load()
Note = Callable[[str, str, str, str], None]


def typed(card: IdentityCard) -> Draft:
    """Everything that stands on the card, by hand."""
    draft = Draft("d-1", "op:OP-1", AT)
    for path, value in card_values(card).items():
        draft = draft.take(path, value, Source.TYPED, by="OP-1", at=AT)
    return draft


def read(card: IdentityCard) -> Draft:
    evidence = ReadEvidence("05.01-1", "r", "p", AT, "sha256:" + "0" * 64)
    return fill(Draft("d-1", "op:OP-1", AT), CardRead(card, evidence, bytes(1024)), by="OP-1", at=AT)


def said(draft: Draft) -> set[tuple[str, str]]:
    """Issues of what a card says."""
    return {(one.code, one.severity) for one in issues(draft, TODAY, TABLES) if one.path in CHIP_PATHS}


@pytest.mark.parametrize("name", idcards.PEOPLE)
def test_what_is_typed_is_checked_as_what_is_read_and_has_its_mark(name: str, table: Note) -> None:
    person = idcards.PEOPLE[name]
    card = parse(person.text, person.addresses)
    hand, chip = typed(card), read(card)
    assert said(hand) == said(chip)
    assert {path: entry.value for path, entry in hand.entries.items()} == {path: entry.value for path, entry in chip.entries.items()}
    assert {entry.source for entry in hand.entries.values()} == {"typed"} and {entry.source for entry in chip.entries.values()} == {"chip"}
    assert hand.card is None and chip.card is not None
    table("by hand", idcards.LABELS[name], "intact", ", ".join(sorted(code for code, _ in said(hand))) or "typed")


def test_a_record_without_a_read_says_so() -> None:
    sitting = Sitting("s", "h", "w", "OP-1", "王敏", "sha256:" + "5" * 64, True)
    for draft, has in ((full_draft(), True), (replace(full_draft(), card=None), False)):
        record = freeze(draft, sitting, TABLES, "0d1f3c55-6f0e-4a7e-8f5e-1a2b3c4d5e6f", AT).as_json()
        assert (record["evidence"]["card"] is not None) is has, "nobody can take what was typed for a read"


GOOD = parse(idcards.ZHANG.text)


@pytest.mark.parametrize(("fault", "card", "code"), [
    ("number with a wrong check digit", replace(GOOD, number="110105194912310021"), "idno.check_digit"),
    ("number too short", replace(GOOD, number="1101051949123100"), "idno.form"),
    ("birth date against the number", replace(GOOD, birth_date=date(1949, 12, 30)), "idno.birth"),
    ("birth date in the future", replace(GOOD, birth_date=date(2027, 1, 1)), "birth.future"),
])
def test_what_cannot_be_is_refused(fault: str, card: IdentityCard, code: str, table: Note) -> None:
    assert (code, "must") in said(typed(card))
    table("by hand", "resident", fault, code)


def test_a_conflict_on_the_chip_is_explained_and_a_typed_one_is_mended() -> None:
    """Corrected records may differ from their number; a slip of the hand may not."""
    odd = replace(GOOD, birth_date=date(1949, 12, 30), sex="1")
    assert {("idno.birth", "explain"), ("idno.sex", "explain")} <= said(read(odd))
    assert ("idno.birth", "must") in said(typed(odd))
