"""A new key, at every step of which the process may die; and a station that moves to another machine without ever being two."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from sync.blobs import Blobs
from sync.errors import DiskFull, ExportRefused, KeyMissing, NotEnrolled, StoreMoved, StoreTrouble
from sync.journal import verify_lines
from sync.label import CHECK, NEXT_CHECK, read_label
from sync.moving import MOVE_FILE, move_in, move_out
from sync.rekey import change_key
from sync.sqlcipher import connect
from sync.store import Store, open_folder
from tests.emulators.cabinet import FileCabinet
from tests.emulators.records import MARKS, Room, draft, new_recipient

TO = new_recipient("test")[1]
STEPS = ("second key", "check", "file", "keyring", "second entry")


def _made(tmp_path: Path) -> tuple[Path, FileCabinet, list[str]]:
    folder, cabinet = tmp_path / "home", FileCabinet(tmp_path / "keyring")
    with open_folder(folder, cabinet, True, make=True) as store:
        room = _room(store)
        kept = [room.keep(serial) for serial in range(5)]
        one = draft(99)
        room.parked.put(one)
        room.parked.put(one.with_still(room.parked.add_still(one.draft_id, "portrait", "image/jpeg", b"x" * 50)))
    return folder, cabinet, kept


def _room(store: Store) -> Room:
    blobs = Blobs(store.folder / "blobs", room=0, reserve=0)
    blobs.prepare()
    return Room(store, blobs, TO)


def _check(folder: Path, cabinet: FileCabinet, kept: list[str]) -> bytes:
    """Everything opens; the key that does it."""
    with open_folder(folder, cabinet) as store:
        room = _room(store)
        room.outbox.begin()
        for record_id in kept:
            room.outbox.check_packet(record_id)
            assert room.outbox.open_packet(record_id)
        for one in room.parked.list("op:OP-000017"):
            assert [room.parked.still(still.still_id) for still in one.stills]
        verify_lines(room.journal.lines(), room.journal.head())
        kept.append(room.keep(len(kept) + 100))
        label = read_label(folder)
        assert label is not None and not (folder / NEXT_CHECK).exists() and cabinet.load_next(label.store_id) != cabinet.load(label.store_id)
        return cabinet.load(label.store_id)


def test_a_new_key_opens_everything_and_the_old_one_nothing(tmp_path: Path) -> None:
    folder, cabinet, kept = _made(tmp_path)
    (folder / "store.before-002.db").write_bytes(b"a copy under the old key")
    old = _check(folder, cabinet, kept)
    files = {one.name: one.read_bytes() for one in (folder / "blobs").iterdir()}
    with open_folder(folder, cabinet) as store:
        wrap_key = store.wrap_key
        change_key(store, cabinet)
        assert store.wrap_key != wrap_key
        kept.append(_room(store).keep(77))
    assert files.items() <= {one.name: one.read_bytes() for one in (folder / "blobs").iterdir()}.items(), "packets never change"
    new = _check(folder, cabinet, kept)
    assert new != old and not list(folder.glob("store.before-*"))
    with pytest.raises(KeyMissing):
        Store.open(folder, old)
    with pytest.raises(StoreTrouble):
        connect(folder / "store.db", old, "ro")
    for one in folder.rglob("*"):
        assert not one.is_file() or not any(mark in one.read_bytes() for mark in (*MARKS, old, new, wrap_key))


def test_keys_may_be_changed_again_and_again(tmp_path: Path) -> None:
    folder, cabinet, kept = _made(tmp_path)
    keys = set()
    for _ in range(3):
        with open_folder(folder, cabinet) as store:
            change_key(store, cabinet)
        keys.add(_check(folder, cabinet, kept))
    assert len(keys) == 3


@pytest.mark.parametrize("step", STEPS)
def test_a_process_that_dies_at_a_step_leaves_a_store_that_opens(tmp_path: Path, step: str) -> None:
    folder, cabinet, kept = _made(tmp_path)
    old = _check(folder, cabinet, kept)

    def die(reached: str) -> None:
        if reached == step:
            os._exit(9)

    child = os.fork()
    if not child:
        store = open_folder(folder, cabinet)
        change_key(store, cabinet, die)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert (_check(folder, cabinet, kept) == old) is (step in ("second key", "check"))
    with open_folder(folder, cabinet) as store:
        change_key(store, cabinet)
    assert _check(folder, cabinet, kept) != old


def test_a_check_value_that_was_cut_short_is_taken_back(tmp_path: Path) -> None:
    folder, cabinet, kept = _made(tmp_path)
    old = _check(folder, cabinet, kept)
    label = read_label(folder)
    assert label is not None
    cabinet.make_next(label.store_id)
    for content in (b"", b"abc"):
        (folder / NEXT_CHECK).write_bytes(content)
        assert _check(folder, cabinet, kept) == old


def test_a_second_key_that_is_lost_before_it_counts_is_no_loss_and_after_it_is_named(tmp_path: Path) -> None:
    folder, cabinet, kept = _made(tmp_path)
    old = _check(folder, cabinet, kept)
    label = read_label(folder)
    assert label is not None
    (folder / NEXT_CHECK).write_bytes(b"f" * 64)
    assert _check(folder, cabinet, kept) == old
    with open_folder(folder, cabinet) as store:
        key = cabinet.make_next(label.store_id)
        shutil.copy(folder / CHECK, folder / NEXT_CHECK)
        store.change_key(key)
    cabinet.drop_next(label.store_id)
    with pytest.raises(StoreTrouble):
        open_folder(folder, cabinet)


def test_without_room_nothing_is_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, cabinet, kept = _made(tmp_path)
    old = _check(folder, cabinet, kept)
    with open_folder(folder, cabinet) as store:
        monkeypatch.setattr("sync.store.free_bytes", lambda folder: 5000)
        with pytest.raises(DiskFull):
            change_key(store, cabinet)
        monkeypatch.undo()
    assert _check(folder, cabinet, kept) == old


# -- moving -------------------------------------------------------------------------------------------------------------------------------
def test_a_station_moves_with_its_folder_and_a_code_and_the_old_copy_stays_shut(tmp_path: Path) -> None:
    folder, cabinet, kept = _made(tmp_path)
    old = _check(folder, cabinet, kept)
    code = move_out(folder, cabinet)
    with pytest.raises(StoreMoved):
        open_folder(folder, cabinet)
    arrived, there = Path(shutil.copytree(folder, tmp_path / "other machine")), FileCabinet(tmp_path / "other keyring")
    with pytest.raises(KeyMissing):
        open_folder(arrived, there)
    with pytest.raises(ExportRefused):
        move_in(arrived, there, "A" * 20)
    move_in(arrived, there, code.lower())
    assert _check(arrived, there, kept) != old and not (arrived / MOVE_FILE).exists()
    with pytest.raises(StoreMoved):
        open_folder(folder, cabinet)
    assert old not in (folder / MOVE_FILE).read_bytes()
    with pytest.raises(NotEnrolled):
        move_in(arrived, there, code)


def test_a_move_that_failed_is_taken_back_at_the_old_machine(tmp_path: Path) -> None:
    folder, cabinet, kept = _made(tmp_path)
    code = move_out(folder, cabinet)
    move_in(folder, cabinet, code)
    _check(folder, cabinet, kept)


@pytest.mark.parametrize("step", STEPS)
def test_an_arrival_cut_short_is_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    folder, cabinet, kept = _made(tmp_path)
    old = _check(folder, cabinet, kept)
    code = move_out(folder, cabinet)
    arrived, there = Path(shutil.copytree(folder, tmp_path / "other machine")), FileCabinet(tmp_path / "other keyring")

    def dying(store: Store, keys: FileCabinet) -> None:
        change_key(store, keys, lambda reached: os._exit(9) if reached == step else None)

    child = os.fork()
    if not child:
        monkeypatch.setattr("sync.moving.change_key", dying)
        move_in(arrived, there, code)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    move_in(arrived, there, code)
    assert _check(arrived, there, kept) != old


def test_a_folder_under_another_path_is_the_same_store(tmp_path: Path) -> None:
    folder, cabinet, kept = _made(tmp_path)
    moved = folder.rename(tmp_path / "elsewhere")
    _check(moved, cabinet, kept)
