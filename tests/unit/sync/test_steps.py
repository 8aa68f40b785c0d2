"""The way forward from every released schema: nothing is lost on it, a whole copy is kept before each step, a step that fails leaves the store as it was."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sync import steps
from sync.blobs import Blobs
from sync.canon import digest
from sync.errors import DiskFull, StoreTooNew, StoreTrouble
from sync.journal import verify_lines
from sync.outbox import Outbox
from sync.sqlcipher import connect
from sync.steps import SCHEMA_VERSION, check_whole, copies
from sync.store import Store, read_label
from tests.emulators.old_stores import KEY, OLD_NAMES, rows_of, unpack
from tests.emulators.records import MARKS, Room, new_recipient, open_room

TO = new_recipient("test")[1]
OLD = OLD_NAMES


@contextmanager
def _room(folder: Path) -> Iterator[Room]:
    with Store.open(folder, KEY) as store:
        yield Room(store, Blobs(folder / "blobs", room=0, reserve=0), TO)


def _version(path: Path) -> int:
    opened = connect(path, KEY, "rw")
    try:
        return opened.execute("PRAGMA user_version").fetchone()[0]  # type: ignore[index]
    finally:
        opened.close()


def _content(folder: Path) -> dict[str, str]:
    return {one.name: digest(one.read_bytes()) for one in folder.rglob("*") if one.is_file()}


def test_every_released_version_has_its_store() -> None:
    assert [f"schema-{step}.zip" for step in range(1, SCHEMA_VERSION)] == OLD, "before a new step: write the store of the version before it"


@pytest.mark.parametrize("name", OLD)
def test_an_old_store_opens_with_everything_that_was_in_it(tmp_path: Path, name: str) -> None:
    folder = unpack(name, tmp_path / "home")
    before = rows_of(Path(shutil.copytree(folder, tmp_path / "before")))
    with _room(folder) as room:
        assert len(room.outbox.begin().dropped) == 0
        for row in room.outbox.rows():
            room.outbox.check_packet(row.record_id)
            assert row.origin == ""
        for one in room.parked.list("op:OP-000017"):
            assert one.stills and all(room.parked.still(still.still_id) for still in one.stills)
        verify_lines(room.journal.lines(), room.journal.head())
        room.keep(99)
    after = rows_of(folder)
    for table in before:
        kept = [row for row in after[table] if row in before[table] or (table == "outbox" and "signing" in str(row))]
        assert len(kept) >= len(before[table]) - (table == "outbox"), table
    assert len(after["outbox"]) == len(before["outbox"]) + 1 and _version(folder / "store.db") == SCHEMA_VERSION


@pytest.mark.parametrize("name", OLD)
def test_the_copy_before_a_step_is_whole_old_and_unreadable(tmp_path: Path, name: str) -> None:
    folder = unpack(name, tmp_path / "home")
    before = rows_of(Path(shutil.copytree(folder, tmp_path / "before")))
    Store.open(folder, KEY).close()
    kept = copies(folder)
    assert [one.name for one in kept] == [f"store.before-{step:03}.db" for step in range(int(name[7:-4]) + 1, SCHEMA_VERSION + 1)]
    assert not any(mark in kept[0].read_bytes() for mark in (*MARKS, b"SQLite format 3"))
    old = tmp_path / "old"
    shutil.copytree(folder, old)
    (old / "store.db").unlink()
    shutil.copy(kept[0], old / "store.db")
    label = read_label(old)
    assert label is not None and check_whole(old, label, KEY) == int(name[7:-4]) and rows_of(old) == before
    Store.open(old, KEY).close()  # the copy itself goes forward again


def test_a_copy_is_dropped_when_its_time_is_over(tmp_path: Path) -> None:
    folder = unpack(OLD[0], tmp_path / "home")
    Store.open(folder, KEY).close()
    Store.open(folder, KEY).close()
    kept = copies(folder)
    assert len(kept) == SCHEMA_VERSION - 1
    past = time.time() - (steps.COPY_DAYS + 1) * 86_400
    for copy in kept:
        os.utime(copy, (past, past))
    Store.open(folder, KEY).close()
    assert copies(folder) == ()


def test_without_room_for_the_copy_nothing_is_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = unpack(OLD[0], tmp_path / "home")
    before = _content(folder)
    monkeypatch.setattr(steps, "free_bytes", lambda folder: 1000)
    with pytest.raises(DiskFull):
        Store.open(folder, KEY)
    assert _content(folder) == before
    monkeypatch.undo()
    Store.open(folder, KEY).close()


def test_a_step_that_fails_leaves_the_store_and_its_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = unpack(OLD[0], tmp_path / "home")
    before = rows_of(folder)
    real = steps._sql
    monkeypatch.setattr(steps, "_sql", lambda step: real(step) + "; INSERT INTO no_table VALUES (1)")
    for _ in range(2):
        with pytest.raises(StoreTrouble):
            Store.open(folder, KEY)
        assert rows_of(folder) == before and _version(folder / "store.db") == 1 and len(copies(folder)) == 1
    monkeypatch.undo()
    Store.open(folder, KEY).close()
    assert _version(folder / "store.db") == SCHEMA_VERSION


@pytest.mark.parametrize("old", OLD)
def test_a_new_store_and_one_that_came_forward_have_the_same_tables(tmp_path: Path, old: str) -> None:
    folder = unpack(old, tmp_path / "old")
    Store.open(folder, KEY).close()
    with open_room(tmp_path / "new", KEY, TO):
        pass
    shapes: list[list[tuple[object, ...]]] = []
    for home in (folder, tmp_path / "new"):
        opened = connect(home / "store.db", KEY, "rw")
        names = [row[0] for row in opened.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1").fetchall()]
        indexes = opened.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' ORDER BY 1").fetchall()
        shapes.append([*((name, tuple(opened.execute(f"PRAGMA table_info({name})").fetchall())) for name in names), *indexes])
        opened.close()
    assert shapes[0] == shapes[1]


def test_an_older_program_refuses_the_newer_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = unpack(OLD[0], tmp_path / "home")
    Store.open(folder, KEY).close()
    before = _content(folder)
    monkeypatch.setattr(steps, "SCHEMA_VERSION", 1)
    with pytest.raises(StoreTooNew):
        Store.open(folder, KEY)
    assert _content(folder) == before


def test_the_queue_goes_on_after_the_step(tmp_path: Path) -> None:
    folder = unpack(OLD[0], tmp_path / "home")
    with _room(folder) as room:
        outbox: Outbox = room.outbox
        outbox.begin()
        row = outbox.next_due(room.clock())
        assert row is not None
        outbox.receipted(row.record_id, b"receipt")
    with _room(folder) as room:
        found = room.outbox.row(row.record_id)
        assert found is not None and found.state == "receipted"
