"""Write-once files: on the disk before they are named, whole or not at all, swept only where nobody knows them."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from sync.blobs import Blobs
from sync.errors import DiskFull, StoreTrouble


def _blobs(folder: Path, **more) -> Blobs:
    blobs = Blobs(folder / "blobs", **({"room": 0, "reserve": 0} | more))
    blobs.prepare()
    return blobs


def test_what_was_written_is_read_and_dropped(tmp_path: Path) -> None:
    blobs = _blobs(tmp_path)
    one, two = blobs.write(b"abc"), blobs.write(iter((b"d", b"", b"ef")))
    assert blobs.read(one) == b"abc" and blobs.path(two).read_bytes() == b"def"
    assert set(blobs.ids()) == {one, two}
    blobs.drop(one)
    blobs.drop(one)
    with pytest.raises(StoreTrouble):
        blobs.path(one)


def test_the_file_and_its_folder_are_synced_before_the_id_is_given(tmp_path: Path) -> None:
    synced: list[tuple[str, int]] = []

    def fsync(descriptor: int) -> None:
        found = os.fstat(descriptor)
        synced.append(("folder" if stat.S_ISDIR(found.st_mode) else "file", found.st_size))

    blobs = _blobs(tmp_path, fsync=fsync)
    assert synced.pop()[0] == "folder", "the new folder's own entry"
    blobs.write(b"x" * 100)
    assert synced[0] == ("file", 100) and synced[1][0] == "folder"


@pytest.mark.parametrize(("number", "kind"), [(errno.ENOSPC, DiskFull), (errno.EIO, StoreTrouble)])
@pytest.mark.parametrize("call", [1, 2])
def test_a_failed_sync_leaves_no_file_and_has_a_name(tmp_path: Path, number: int, kind: type[StoreTrouble], call: int) -> None:
    calls = 0

    def fsync(descriptor: int) -> None:
        nonlocal calls
        calls += 1
        if calls == 1 + call:  # the first one is for the new folder itself
            raise OSError(number, os.strerror(number))

    blobs = _blobs(tmp_path, fsync=fsync)
    with pytest.raises(kind):
        blobs.write(b"x")
    assert blobs.ids() == ()


def test_below_the_floor_nothing_new_begins_and_the_reserve_stays(tmp_path: Path) -> None:
    free = 10_000
    blobs = _blobs(tmp_path, room=1_000, reserve=2_000, free=lambda folder: free)
    assert (tmp_path / "blobs" / "reserve").stat().st_size == 2_000
    blobs.check_room(500)
    free = 1_400
    with pytest.raises(DiskFull) as caught:
        blobs.check_room(500)
    assert caught.value.facts == {"free": 1_400, "needed": 1_500}
    blobs.write(b"x" * 500)  # what has begun goes on
    free = 700
    with pytest.raises(DiskFull) as caught:
        blobs.write(b"x" * 500)
    assert caught.value.facts == {"free": 700, "needed": 750}
    blobs.spare_room()
    assert (tmp_path / "blobs" / "reserve").exists()
    free = 100
    blobs.spare_room()
    assert not (tmp_path / "blobs" / "reserve").exists(), "for the rows"
    free = 2_200
    with pytest.raises(DiskFull):
        blobs.write(b"x" * 500)  # the reserve's room is not for captures
    free = 10_000
    blobs.keep_reserve()
    free = 1_400
    with blobs.reserve_given_up():
        assert not (tmp_path / "blobs" / "reserve").exists()
    assert not (tmp_path / "blobs" / "reserve").exists(), "no room for it now"
    free = 10_000
    blobs.keep_reserve()
    assert (tmp_path / "blobs" / "reserve").stat().st_size == 2_000


def test_only_orphans_are_swept_and_nothing_else_in_the_folder(tmp_path: Path) -> None:
    blobs = _blobs(tmp_path, reserve=10)
    known, orphan = blobs.write(b"k"), blobs.write(b"o")
    (tmp_path / "blobs" / "note.txt").write_text("not ours")
    assert blobs.sweep({known}).dropped == (orphan,)
    assert blobs.ids() == (known,) and (tmp_path / "blobs" / "note.txt").exists() and (tmp_path / "blobs" / "reserve").exists()


def test_more_packets_than_a_crash_can_leave_are_kept(tmp_path: Path) -> None:
    blobs = _blobs(tmp_path)
    packets, still = tuple(sorted(blobs.write(b"HIPK....") for _ in range(5))), blobs.write(b"still")
    swept = blobs.sweep(())
    assert swept.kept == packets and swept.dropped == (still,)
    blobs.drop(packets[0])
    assert set(blobs.sweep(()).dropped) == set(packets[1:])


def test_a_packet_that_a_row_once_named_is_never_an_orphan_of_a_crash(tmp_path: Path) -> None:
    blobs = _blobs(tmp_path)
    named, crashed, refused, unsure, forgotten = (blobs.write(b"HIPK....", b"slip") for _ in range(5))
    with blobs.named((named,)):
        pass
    with pytest.raises(DiskFull), blobs.named((refused,)):
        raise DiskFull("no")
    with pytest.raises(StoreTrouble), blobs.named((unsure,)):
        raise StoreTrouble("EIO", step="disk")
    with blobs.named((forgotten,)):
        pass
    blobs.release(forgotten)
    assert set(blobs.ids()) == {named, crashed, unsure, forgotten}
    assert blobs.strays(()) == (named,) and blobs.strays({named}) == (), "what a crash left was never kept: nobody is sent to the province with it"
    swept = blobs.sweep(())
    assert swept.kept == (named,) and set(swept.dropped) == {crashed, unsure, forgotten}
    assert blobs.read(named) == b"HIPK...." and blobs.slip(named) == b"slip"
    blobs.drop(named)
    assert blobs.ids() == ()


@pytest.mark.parametrize("name", ["../store.db", "reserve", "A" * 32, "", "0" * 31])
def test_a_name_from_outside_is_no_blob(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError):
        _blobs(tmp_path).path(name)
