"""The list of one person's kept records: whole pages newest first, what asks for somebody however old it is, counts over all, each from an index."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from sync import due
from sync.life import STATES
from sync.outbox_list import newest, pressing, tally
from sync.seal import PublicKeyInfo
from tests.emulators.records import OWNER, Room, new_recipient, open_room

OTHER = "op:OP-000018"
TO: PublicKeyInfo = new_recipient("test")[1]


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with open_room(tmp_path / "home", bytes(32), TO) as made:
        yield made


def _kept(room: Room, count: int, owner: str = OWNER) -> list[str]:
    """Two records of each second."""
    made = []
    for serial in range(count):
        made.append(room.keep(serial, owner=owner, size=50))
        room.clock.forward(seconds=serial % 2)
    return made


def test_pages_hold_each_record_once_newest_first_and_never_anothers(room: Room) -> None:
    kept = _kept(room, 11)
    _kept(room, 3, OTHER)
    found, before = list[str](), None
    while page := newest(room.store, OWNER, 4, before):
        assert len(page) <= 4
        found += [row.record_id for row in page]
        before = page[-1]
    assert sorted(found) == sorted(kept)
    ats = [room.outbox.row(one).kept_at for one in found]  # type: ignore[union-attr]
    assert ats == sorted(ats, reverse=True)
    assert len(newest(room.store, OTHER, 100)) == 3


def test_what_asks_for_somebody_is_there_however_old_it_is(room: Room) -> None:
    aside, back, waits = _kept(room, 3)
    room.outbox.set_aside(aside, "province.refused")
    room.outbox.receipted(back, b"receipt")
    room.outbox.remote_state(back, "correction_required", room.clock())
    unsigned = room.keep(4, signed=False, size=50)
    room.clock.forward(days=300)
    for one in _kept(room, 5):
        room.outbox.receipted(one, b"receipt")
    assert {row.record_id for row in pressing(room.store, OWNER, 100)} == {aside, back, waits, unsigned}
    assert len(pressing(room.store, OWNER, 1)) == 4, "the limit is for each kind"
    assert pressing(room.store, OTHER, 100) == ()


def test_counts_are_over_all_and_the_day_is_the_halls(room: Room) -> None:
    begin = room.clock().replace(hour=0)
    room.clock.now = begin - timedelta(seconds=1)
    _kept(room, 1)
    room.clock.now = begin
    today = _kept(room, 4)
    room.outbox.receipted(today[0], b"receipt")
    room.outbox.set_aside(today[1], "province.refused")
    room.clock.now = begin + timedelta(days=1)
    room.keep(9, size=50)
    room.keep(10, owner=OTHER, size=50)
    assert tally(room.store, OWNER, begin, begin + timedelta(days=1)) == {"waiting": 4, "set_aside": 1, "returned": 0, "today": 4, "uploaded": 1, "unsigned": 0}


def test_every_question_is_answered_from_an_index_without_sorting(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, object]] = []
    with room.store.read() as rows:
        real = rows.execute
    class Seen:
        def execute(self, sql: str, values: object = ()) -> object:
            asked.append((sql, values))
            return real(sql, values)  # type: ignore[arg-type]

    from contextlib import contextmanager

    @contextmanager
    def read() -> Iterator[Seen]:
        yield Seen()

    row = room.outbox.row(room.keep(size=50))
    monkeypatch.setattr(room.store, "read", read)
    newest(room.store, OWNER, 10, row)
    pressing(room.store, OWNER, 10)
    tally(room.store, OWNER, room.clock(), room.clock())
    plans = [str(step[3]) for sql, values in list(asked) for step in real(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()]  # type: ignore[arg-type]
    assert len(asked) == 19 and plans
    assert all("USING" in one and "INDEX" in one and "TEMP B-TREE" not in one and not one.startswith("SCAN") for one in plans), plans


def test_what_waits_is_told_without_reading_the_rows(room: Room) -> None:
    """At ten thousand waiting rows it is asked at every word of the courier: 80 ms from the rows, 3 ms from the index."""
    ids = _kept(room, 5)
    room.keep(7, signed=False, size=50)
    room.outbox.failed(ids[0], "province.busy", room.clock())
    room.outbox.set_aside(ids[1], "province.refused")
    for one in ids[2:4]:
        room.outbox.receipted(one, b"receipt")
    size = {one.packet_size for one in room.outbox.rows()}
    assert {(one.state, one.why, one.count) for one in room.outbox.waiting()} == {
        ("kept", "province.busy", 1), ("set_aside", "province.refused", 1), ("kept", "", 1), ("kept_unsigned", "", 1)}
    assert {one.bytes for one in room.outbox.waiting()} <= size
    with room.store.read() as rows:
        plan = rows.execute(f"EXPLAIN QUERY PLAN SELECT state, reason, last_error, packet_size, next_try_at FROM outbox WHERE {due._UNSENT}").fetchall()
    assert [str(step[3]) for step in plan] == ["SCAN outbox USING COVERING INDEX outbox_waits"]
    assert {one for one in STATES if f"'{one}'" in due._UNSENT} == {"receipted", "purged", "replaced"}
