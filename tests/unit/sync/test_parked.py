"""Parked drafts and their stills: whole again, the owner's alone, unreadable on the disk, forgotten when dropped."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from sync.blobs import Blobs
from sync.draft import Source
from sync.errors import DiskFull, FormatTrouble, NoRoomToBegin, NotAllowed, StoreTrouble
from sync.parked import Parked
from sync.seal import PublicKeyInfo
from sync.store import Store
from tests.emulators.records import MARKS, OWNER, PICTURE, Room, draft, open_room


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with open_room(tmp_path / "home", bytes(32), PublicKeyInfo("", b"")) as made:
        yield made


def test_a_draft_comes_back_as_it_was_put_last(room: Room) -> None:
    one = draft()
    room.parked.put(one)
    later = one.take("person.mobile", "13900000000", Source.TYPED, by=OWNER, at=room.clock())
    room.parked.put(later)
    assert room.parked.get(one.draft_id) == later != one
    assert room.parked.list(OWNER) == (later,)
    assert room.parked.get("other") is None


def test_another_owner_neither_sees_nor_changes_it(room: Room) -> None:
    one = draft()
    room.parked.put(one)
    assert room.parked.list("op:OP-000018") == ()
    with pytest.raises(NotAllowed):
        room.parked.get(one.draft_id, "op:OP-000018")
    with pytest.raises(NotAllowed):
        room.parked.put(draft(2, "op:OP-000018", one.draft_id))
    assert room.parked.get(one.draft_id, OWNER) == one


def test_stills_come_back_and_nothing_is_readable_in_the_folder(room: Room) -> None:
    one, picture = draft(), PICTURE * 100_000
    room.parked.put(one)
    still = room.parked.add_still(one.draft_id, "portrait", "image/jpeg", picture, "A", 2)
    room.parked.put(one.with_still(still))
    assert room.parked.still(still.still_id) == picture
    found = room.parked.get(one.draft_id)
    assert found is not None and found.stills == (still,) and (still.trust, still.pages, still.size) == ("A", 2, len(picture))
    for file in room.store.folder.rglob("*"):
        assert not file.is_file() or not any(mark in file.read_bytes() for mark in MARKS), file


def test_a_still_needs_its_draft(room: Room) -> None:
    with pytest.raises(StoreTrouble) as caught:
        room.parked.add_still("nobody", "portrait", "image/jpeg", b"x")
    assert caught.value.facts["step"] == "draft" and room.blobs.ids() == ()
    with pytest.raises(StoreTrouble):
        room.parked.still("nobody")


def test_without_room_a_new_draft_is_refused_by_name_and_an_old_one_goes_on(room: Room) -> None:
    old, new = draft(), draft(2)
    room.parked.put(old)
    parked = Parked(room.store, Blobs(room.blobs.folder, free=lambda _folder: 1_000_000), room.clock)
    for act in (lambda: parked.put(new), lambda: parked.add_still(new.draft_id, "portrait", "image/jpeg", b"x")):
        with pytest.raises(NoRoomToBegin) as caught:
            act()
        assert caught.value.facts["free"] == 1_000_000 and isinstance(caught.value.facts["needed"], int)
    later = old.take("person.mobile", "13900000000", Source.TYPED, by=OWNER, at=room.clock())
    parked.put(later)
    assert parked.list(OWNER) == (later,)


def test_stills_of_two_drafts_cannot_be_exchanged_on_the_disk(room: Room) -> None:
    stills = []
    for serial in (1, 2):
        one = draft(serial)
        room.parked.put(one)
        stills.append(room.parked.add_still(one.draft_id, "portrait", "image/jpeg", os.urandom(100)))
    first, second = (room.blobs.path(one) for one in room.blobs.ids())
    swap = first.read_bytes()
    shutil.copy(second, first)
    second.write_bytes(swap)
    for still in stills:
        with pytest.raises(FormatTrouble):
            room.parked.still(still.still_id)


def test_dropping_forgets_row_key_stills_and_files(room: Room) -> None:
    one = draft()
    room.parked.put(one)
    first, second = (room.parked.add_still(one.draft_id, "document", "image/jpeg", b"x" * 50) for _ in range(2))
    room.parked.drop_still(first.still_id)
    room.parked.drop_still(first.still_id)
    assert len(room.blobs.ids()) == 1 and room.parked.still(second.still_id) == b"x" * 50
    room.parked.drop(one.draft_id)
    room.parked.drop(one.draft_id)
    assert room.parked.get(one.draft_id) is None and room.blobs.ids() == ()
    with room.store.read() as rows:
        assert rows.execute("SELECT (SELECT count(*) FROM drafts), (SELECT count(*) FROM stills)").fetchone() == (0, 0)


def test_a_picture_belongs_to_its_draft_before_any_text_names_it(room: Room) -> None:
    """A kill between the picture and the next save loses nothing, and a text that was written meanwhile does not either."""
    one = draft()
    room.parked.put(one)
    first = room.parked.add_still(one.draft_id, "portrait", "image/jpeg", b"first")
    page = room.parked.add_still(one.draft_id, "contract", "image/jpeg", b"page")
    room.parked.put(one.take("person.mobile", "13900000000", Source.TYPED, by=OWNER, at=room.clock()))
    found = room.parked.get(one.draft_id)
    assert found is not None and found.stills == (first, page) and found.text("person.mobile") == "13900000000"
    assert room.parked.list(OWNER) == (found,)
    room.parked.put(replace(found, face={"verdict": "same"}))
    second = room.parked.add_still(one.draft_id, "portrait", "image/jpeg", b"second")
    again = room.parked.get(one.draft_id)
    assert again is not None and again.stills == (page, second) and again.face is None, "a new portrait takes the old one's place"


def test_what_a_text_names_no_more_is_forgotten_with_it(room: Room) -> None:
    one = draft()
    room.parked.put(one)
    first, second = (room.parked.add_still(one.draft_id, "contract", "image/jpeg", name) for name in (b"1", b"2"))
    room.parked.put(one.with_still(first).with_still(second))
    room.parked.put(one.with_still(second))
    found = room.parked.get(one.draft_id)
    assert found is not None and found.stills == (second,) and len(room.blobs.ids()) == 1
    with pytest.raises(StoreTrouble):
        room.parked.still(first.still_id)


def test_the_chips_photo_stays_with_its_draft_until_the_draft_goes(room: Room) -> None:
    one = draft()
    room.parked.put(one)
    assert room.parked.photo(one.draft_id) is None and room.parked.photo("other") is None
    room.parked.put(one, PICTURE)
    room.parked.put(one)
    assert room.parked.photo(one.draft_id) == PICTURE
    assert not any(PICTURE in file.read_bytes() for file in room.store.folder.rglob("*") if file.is_file())
    room.parked.drop(one.draft_id)
    assert room.parked.photo(one.draft_id) is None


def test_a_picture_whose_row_has_no_place_leaves_no_file(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each new try on a full disk would leave one more, and fill it further."""
    one = draft()
    room.parked.put(one)
    with monkeypatch.context() as patch:
        patch.setattr(Store, "write", _full)
        for _ in range(2):
            with pytest.raises(DiskFull):
                room.parked.add_still(one.draft_id, "portrait", "image/jpeg", b"x")
    assert room.blobs.ids() == ()
    still = room.parked.add_still(one.draft_id, "portrait", "image/jpeg", b"x")
    room.parked.drop_still(still.still_id)
    assert room.blobs.ids() == ()


@contextmanager
def _full(_store: Store) -> Iterator[None]:
    raise DiskFull("row", free=0, needed=0)
    yield
