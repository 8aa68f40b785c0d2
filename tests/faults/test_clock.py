"""Clocks that jump back, forward and over New Year: nothing is lost, nothing waits for ever, nothing is forgotten early, the chain holds.

First the queue alone, then a station that sends to the reference province over real TLS.
"""

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
from tests.contract.province.hall import HallStation, People, open_lists
from tests.emulators.province_run import ProvinceRun
from tests.emulators.records import OWNER, Room, draft, new_recipient, open_room
from tests.faults.checker import faults_after
from tests.faults.hall_checker import faults_at
from tests.faults.table import Outcome

TO = new_recipient("test")[1]
FAULT = "clock jumps, over New Year 2027 too"
NEW_YEAR = datetime(2027, 1, 1, tzinfo=UTC)
JUMPS = (timedelta(days=-400), timedelta(days=400), timedelta(days=3650), timedelta(days=-3650), timedelta(seconds=-1), timedelta(hours=-8), timedelta(hours=8))


@pytest.fixture
def room(quick_folder: Path) -> Iterator[Room]:
    with open_room(quick_folder / "home", bytes(32), TO) as made:
        yield made
        kept = [f"{one.record_id} 0" for one in made.outbox.rows(limit=1_000)]
    assert faults_after(quick_folder / "home", bytes(32), TO, kept) == [], "it opens, and nothing is readable"


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


# -- the whole way: a station whose clock jumps between its steps ------------------------------------------------------------------------------
SENDING = "clock jumps while a station sends (TLS)"


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> People:
    return People(tmp_path_factory.mktemp("people") / "ca")


@pytest.fixture(scope="module")
def province(tmp_path_factory: pytest.TempPathFactory, people: People) -> Iterator[ProvinceRun]:
    with people.province(tmp_path_factory.mktemp("province") / "p") as running:
        open_lists(running)
        yield running


@pytest.fixture
def hall(tmp_path: Path, people: People, province: ProvinceRun) -> Iterator[HallStation]:
    made = HallStation(tmp_path / "home", people, province)
    yield made
    province.desk("DELETE", "/faults")
    made.close()


def _send_while_it_jumps(hall: HallStation, province: ProvinceRun, seed: int) -> tuple[list[str], int]:
    """Five records; the clock jumps between the steps while the province is busy now and then, at last ten years ahead; then it is right. What was kept, and
    how many jumps.
    """
    chance, offset, jumps = random.Random(seed), timedelta(), 0
    hall.moment = lambda: datetime.now(UTC) + offset
    kept = list[str]()
    to_new_year = NEW_YEAR - timedelta(seconds=1) - datetime.now(UTC)
    for number in range(40):
        if number % 8 == 0 and len(kept) < 4:
            kept.append(hall.keep())
        if chance.random() < 0.5:
            offset, jumps = chance.choice((*JUMPS, to_new_year)), jumps + 1
        if chance.random() < 0.3:
            province.order("status", status=503, retry_after=chance.choice((1, 60)))
        hall.courier.refresh()
        hall.courier.step()
        hall.later += 61
    kept.append(hall.keep())
    province.order("status", status=503, times=None)
    offset, hall.later = timedelta(days=3650), hall.later + 700
    for _ in range(3):
        hall.courier.step()
    assert hall.row(kept[-1]).next_try_at > NEW_YEAR + timedelta(days=3000), "the last one failed by the clock that was ahead"
    province.desk("DELETE", "/faults")
    offset = timedelta()
    for _ in range(20):
        hall.pass_time(120)
        hall.courier.refresh()
        while hall.courier.step():
            continue
    return kept, jumps


@pytest.mark.parametrize("seed", range(2))
def test_a_station_whose_clock_jumps_while_it_sends_loses_nothing(hall: HallStation, province: ProvinceRun, seed: int, outcome: Outcome) -> None:
    kept, jumps = _send_while_it_jumps(hall, province, seed)
    faults = faults_at(hall, province, kept)
    outcome.ran(SENDING, jumps, faults, len(kept))
    assert faults == [] and jumps > 10
    assert hall.outbox.purge_due(datetime.now(UTC), 30) == (), "nothing is forgotten early"


def test_a_queue_that_only_compares_due_times_is_noticed(hall: HallStation, province: ProvinceRun, outcome: Outcome) -> None:
    hall.outbox.next_due = lambda now: next(  # type: ignore[method-assign]
        (row for row in hall.outbox.rows(states=("kept", "uploading", "uploaded"), limit=9) if row.next_try_at <= now), None)
    faults = faults_at(hall, province, _send_while_it_jumps(hall, province, 0)[0])
    outcome.control(SENDING, "only compares due times", faults)
    assert any(one.startswith("not sent") for one in faults), faults
