"""Clocks that jump back, forward and over New Year: nothing is lost, nothing waits for ever, nothing is forgotten early, the chain holds."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sync.canon import canon
from sync.draft import time_text
from sync.journal import verify_lines
from tests.emulators.records import OWNER, Room, draft, new_recipient, open_room
from tests.faults.table import Outcome

TO = new_recipient("test")[1]
FAULT = "clock jumps, over New Year 2027 too"
NEW_YEAR = datetime(2027, 1, 1, tzinfo=UTC)
JUMPS = (timedelta(days=-400), timedelta(days=400), timedelta(days=3650), timedelta(days=-3650), timedelta(seconds=-1), timedelta(hours=-8), timedelta(hours=8))


@pytest.fixture
def room(quick_folder: Path) -> Iterator[Room]:
    with open_room(quick_folder / "home", bytes(32), TO) as made:
        yield made


def _receipt(at: datetime) -> bytes:
    payload = canon({"type": "hall-intake/practice-receipt/1", "received_at": time_text(at)})
    return canon({"payload": base64.b64encode(payload).decode(), "payloadType": "x", "signatures": []})


def _listed(room: Room) -> list[str]:
    found, after = list[str](), None
    while page := room.outbox.rows(limit=3, after=after):
        found += [row.record_id for row in page]
        after = page[-1]
    return found


@pytest.mark.parametrize("seed", range(4))
def test_whatever_the_clock_does_every_record_is_listed_once_and_sent_once(room: Room, seed: int, outcome: Outcome) -> None:
    chance = random.Random(seed)
    room.clock.now = NEW_YEAR - timedelta(seconds=2)
    kept, receipted, jumps = set[str](), list[str](), 0
    for serial in range(25):
        one = draft(serial)
        room.parked.put(one)
        kept.add(room.keep(serial, size=50, draft_id=one.draft_id))
        if chance.random() < 0.4:
            room.clock.now += chance.choice(JUMPS)
            jumps += 1
        row = room.outbox.next_due(room.clock())
        if row is not None and chance.random() < 0.5:
            room.outbox.failed(row.record_id, "province.busy", room.clock() + timedelta(seconds=120))
        elif row is not None:
            room.outbox.receipted(row.record_id, _receipt(NEW_YEAR))
            receipted.append(row.record_id)
        room.clock.forward(seconds=1)
    assert sorted(_listed(room)) == sorted(kept) and room.parked.list(OWNER) == ()
    room.clock.now = NEW_YEAR + timedelta(days=2)  # the clock is right again
    while (row := room.outbox.next_due(room.clock())) is not None or (room.outbox.next_try_at() or NEW_YEAR) > room.clock():
        if row is None:
            room.clock.forward(seconds=120)
            continue
        room.outbox.receipted(row.record_id, _receipt(NEW_YEAR))
        receipted.append(row.record_id)
    faults = [*(f"lost: {one}" for one in kept - set(receipted)), *(f"twice: {one}" for one in kept if receipted.count(one) > 1)]
    outcome.ran(FAULT, jumps, faults, len(kept))
    assert not faults and sorted(receipted) == sorted(kept), "each once"
    assert verify_lines(room.journal.lines(), room.journal.head()).size == 50


def test_a_next_try_that_a_clock_ahead_has_set_does_not_keep_the_record_for_years(room: Room, outcome: Outcome) -> None:
    record_id = room.keep(size=50)
    room.clock.forward(days=3650)
    room.outbox.failed(record_id, "province.busy", room.clock() + timedelta(seconds=120))
    room.clock.forward(days=-3650)
    row = room.outbox.row(record_id)
    outcome.control(FAULT, "only compares due times (waits ten years)", row is not None and row.next_try_at > room.clock())
    assert row is not None and not row.next_try_at <= room.clock(), "the control: a queue that only compares would wait ten years"
    due = room.outbox.next_due(room.clock())
    assert due is not None and due.record_id == record_id
    room.outbox.failed(record_id, "province.busy", room.clock() + timedelta(hours=3))
    assert room.outbox.next_due(room.clock()) is None, "a real wait is kept"
    room.outbox.begin()
    assert room.outbox.next_due(room.clock()) is not None, "but not over a new start"


def test_a_receipt_taken_while_the_clock_was_behind_is_not_old(room: Room, outcome: Outcome) -> None:
    now = room.clock()
    record_id = room.keep(size=50)
    room.clock.forward(days=-3650)
    room.outbox.receipted(record_id, _receipt(now))
    row = room.outbox.row(record_id)
    outcome.control(FAULT, "counts the retention by its own clock (forgets early)",
                    row is not None and row.receipted_at is not None and row.receipted_at < now - timedelta(days=30))
    assert row is not None and row.receipted_at is not None and row.receipted_at < now - timedelta(days=30), "the control: by the row alone it were forgotten"
    assert room.outbox.purge_due(now, 30) == ()
    assert room.outbox.purge_due(now + timedelta(days=31), 30) == (record_id,)


def test_over_new_year_the_order_of_what_was_kept_stays(room: Room) -> None:
    room.clock.now = NEW_YEAR - timedelta(seconds=3)
    kept = []
    for serial in range(6):
        kept.append(room.keep(serial, size=50))
        room.clock.forward(seconds=1)
    assert _listed(room) == kept
    ats = [json.loads(line)["at"] for line in room.journal.lines()]
    assert ats == sorted(ats) and ats[0].startswith("2026-12-31") and ats[-1].startswith("2027-01-01")
