"""The journal shows edits, reorder and cut-off lines, and takes no line that may hold personal data."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sync.canon import canon, digest
from sync.errors import StoreTrouble
from sync.journal import FIRST_PREV, JournalFault, verify_lines
from sync.seal import PublicKeyInfo
from tests.emulators.records import NAME, OWNER, STATION_ID, Room, open_room

RECORD_ID = str(uuid.uuid4())


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with open_room(tmp_path / "home", bytes(32), PublicKeyInfo("", b"")) as made:
        yield made


def _fill(room: Room, lines: int = 6) -> list[bytes]:
    for number in range(lines):
        with room.store.write() as tx:
            room.journal.write(tx, OWNER, "record.kept", RECORD_ID, {"number": number, "packet": digest(b"x")})
        room.clock.forward(seconds=1)
    return list(room.journal.lines())


def test_lines_follow_the_format_and_the_head_names_the_last(room: Room) -> None:
    empty = room.journal.head()
    assert (empty["size"], empty["head"]) == (0, FIRST_PREV) and verify_lines([], empty).size == 0
    lines = _fill(room)
    assert json.loads(lines[0]) == {"type": "hall-intake/journal/1", "seq": 1, "prev": FIRST_PREV, "at": "2026-11-22T06:00:00Z", "who": OWNER,
                                    "what": "record.kept", "about": RECORD_ID, "facts": {"number": 0, "packet": digest(b"x")}}
    assert json.loads(lines[1])["prev"] == digest(lines[0])
    head = room.journal.head()
    assert head == {"type": "hall-intake/journal-head/1", "station_id": STATION_ID, "size": 6, "head": digest(lines[-1]), "at": "2026-11-22T06:00:06Z"}
    assert verify_lines(lines, head).head == head["head"]
    assert list(room.journal.lines(5)) == lines[4:]


def _edited(lines: list[bytes]) -> list[bytes]:
    line = json.loads(lines[2])
    line["what"] = "record.purged"
    return [*lines[:2], canon(line), *lines[3:]]


def _edited_last(lines: list[bytes]) -> list[bytes]:
    line = json.loads(lines[-1])
    line["what"] = "record.purged"
    return [*lines[:-1], canon(line)]


def _rechained(lines: list[bytes]) -> list[bytes]:
    """An edit with all later links made anew: only the head shows it."""
    out: list[bytes] = []
    for number, one in enumerate(lines):
        line = json.loads(one)
        line["prev"] = digest(out[-1]) if out else FIRST_PREV
        if number == 2:
            line["facts"] = {}
        out.append(canon(line))
    return out


@pytest.mark.parametrize(("spoil", "line"), [
    (_edited, 4), (_edited_last, 6), (_rechained, 6), (lambda x: [x[0], x[2], x[1], *x[3:]], 2), (lambda x: x[:3] + x[4:], 4), (lambda x: x[:-1], 6),
    (lambda x: x[1:], 1), (lambda x: [], 1), (lambda x: [*x[:2], x[1], *x[2:]], 3), (lambda x: [*x[:5], x[5].replace(b'":', b'": ', 1)], 6),
    (lambda x: [*x[:5], b"not json"], 6),
], ids=["edited", "last edited", "chained anew", "reordered", "one gone", "end gone", "start gone", "all gone", "twice", "not canonical", "noise"])
def test_a_changed_journal_does_not_hold_against_its_head(room: Room, spoil: Callable[[list[bytes]], list[bytes]], line: int) -> None:
    lines = _fill(room)
    with pytest.raises(JournalFault) as caught:
        verify_lines(spoil(lines), room.journal.head())
    assert caught.value.facts["line"] == line


def test_a_journal_that_grew_holds_against_an_earlier_head(room: Room) -> None:
    _fill(room, 3)
    early = room.journal.head()
    lines = _fill(room, 3)
    assert verify_lines(lines, early).size == 6
    with pytest.raises(JournalFault):
        verify_lines(lines, {**early, "head": digest(b"another")})
    for bad in ({}, {**early, "size": -1}, {**early, "size": "3"}, {**early, "type": "x"}):
        with pytest.raises(JournalFault):
            verify_lines(lines, bad)


@pytest.mark.parametrize("line", [
    {"facts": {"n": NAME}}, {"facts": {"n": "51010419900101901X"}}, {"facts": {"n": "13900000000"}}, {"facts": {"n": 13900000000}},
    {"facts": {"n": "call 13900000000"}},
    {"about": NAME}, {"what": "kept"}, {"who": NAME}, {"facts": {"n": "x" * 101}},
], ids=str)
def test_what_may_be_a_person_is_refused(room: Room, line: dict) -> None:
    with pytest.raises(ValueError), room.store.write() as tx:
        room.journal.write(tx, **({"who": OWNER, "what": "record.kept"} | line))
    assert room.journal.head()["size"] == 0


def test_ids_that_happen_to_be_digits_are_no_persons(room: Room) -> None:
    with room.store.write() as tx:
        room.journal.write(tx, f"st:{STATION_ID}", "record.kept", "", {"a": "sha256:" + "1" * 64, "b": "11111111-1111-4111-8111-111111111111", "c": "2" * 32})
    assert room.journal.head()["size"] == 1


def test_lines_cannot_be_changed_or_deleted_through_the_store_either(room: Room) -> None:
    _fill(room, 1)
    for sql in ("DELETE FROM journal", "UPDATE journal SET line = x'00'"):
        with pytest.raises(StoreTrouble), room.store.write() as tx:
            tx.execute(sql)
    assert room.journal.head()["size"] == 1
