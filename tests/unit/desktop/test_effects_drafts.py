"""Parked drafts are written rarely while somebody types, at once where it matters, and never after they became a record."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication

from desktop.bridge.jobs import Jobs
from desktop.effects.drafts import _SAVE_MS, DraftWork
from desktop.flows.machine import Failed
from desktop.flows.words import DraftParked, DraftSaved, DropDraft, Note, ParkDraft, SaveDraft
from resources.trouble import Trouble
from sync.draft import Draft, Source
from sync.errors import DiskFull
from tests.scenes.stages import until

OWNER = "op:OP-000017"
AT = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)


class Shelf:
    """In place of sync.parked: remembers what was put, and in which thread. Never a disk."""

    def __init__(self) -> None:
        self.put_: list[Draft] = []
        self.photo: bytes | None = None
        self.dropped: list[str] = []
        self.threads: set[str] = set()
        self.trouble: Trouble | None = None
        self.slow = threading.Event()
        self.slow.set()

    def put(self, draft: Draft, photo: bytes | None = None) -> None:
        self.slow.wait(5)
        self.threads.add(threading.current_thread().name)
        if self.trouble is not None:
            raise self.trouble
        self.put_.append(draft)
        self.photo = photo or self.photo

    def get(self, draft_id: str, owner: str) -> Draft | None:
        assert owner == OWNER
        return next((one for one in reversed(self.put_) if one.draft_id == draft_id), None)

    def drop(self, draft_id: str) -> None:
        self.dropped.append(draft_id)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def jobs(qt_application: QApplication) -> Iterator[Jobs]:
    made = Jobs()
    yield made
    assert made.close() == ()


@pytest.fixture
def work(shelf: Shelf, jobs: Jobs) -> Iterator[DraftWork]:
    rooms = SimpleNamespace(parked=shelf, note=lambda *_: None)
    made = DraftWork(lambda: rooms, lambda: OWNER, lambda: "", jobs)
    yield made
    made.write_now()


def draft(text: str, draft_id: str = "d1") -> Draft:
    return Draft(draft_id, OWNER, AT).take("employer.name", text, Source.TYPED, by="OP-000017", at=AT)


def quiet(jobs: Jobs, lane: str = "outbox") -> None:
    until(lambda: not jobs.busy(lane), "a quiet lane")


def test_burst_of_keys_is_written_once_with_the_last_text(work: DraftWork, shelf: Shelf) -> None:
    got: list[Any] = []
    for text in ("四", "四川", "四川示例"):
        work.save(SaveDraft(draft(text), False), got.append)
    assert shelf.put_ == [] and _SAVE_MS <= 500
    until(lambda: got, "the saved draft")
    assert [one.text("employer.name") for one in shelf.put_] == ["四川示例"] and isinstance(got[0], DraftSaved)
    assert shelf.threads == {"lane outbox"}


def test_steady_typing_is_written_all_the_same(work: DraftWork, shelf: Shelf) -> None:
    """The first key starts the clock; later ones do not put it off for ever."""
    import time

    end = time.monotonic() + 1.3
    while time.monotonic() < end:
        work.save(SaveDraft(draft(str(time.monotonic())), False), lambda _event: None)
        QApplication.processEvents()
        time.sleep(0.02)
    assert len(shelf.put_) >= 2


def test_leaving_a_field_writes_at_once_and_nothing_is_written_twice(work: DraftWork, shelf: Shelf, jobs: Jobs) -> None:
    work.save(SaveDraft(draft("a"), False), lambda _event: None)
    work.save(SaveDraft(draft("b"), True), lambda _event: None)
    quiet(jobs)
    work.write_now()
    quiet(jobs)
    assert [one.text("employer.name") for one in shelf.put_] == ["b"]


def test_another_sitting_does_not_swallow_the_one_before(work: DraftWork, shelf: Shelf, jobs: Jobs) -> None:
    work.save(SaveDraft(draft("first", "d1"), False), lambda _event: None)
    work.save(SaveDraft(draft("second", "d2"), True), lambda _event: None)
    quiet(jobs)
    assert [(one.draft_id, one.text("employer.name")) for one in shelf.put_] == [("d1", "first"), ("d2", "second")]


def test_parking_drops_the_older_text_that_waits(work: DraftWork, shelf: Shelf, jobs: Jobs) -> None:
    got: list[Any] = []
    work.save(SaveDraft(draft("old"), False), got.append)
    work.park(ParkDraft(draft("new")), got.append)
    until(lambda: got, "parked")
    work.write_now()
    quiet(jobs)
    assert [one.text("employer.name") for one in shelf.put_] == ["new"] and got == [DraftParked("d1")]


def test_dropped_draft_is_not_brought_back_by_what_waits(work: DraftWork, shelf: Shelf, jobs: Jobs) -> None:
    work.save(SaveDraft(draft("one"), True), lambda _event: None)
    work.save(SaveDraft(draft("two"), False), lambda _event: None)
    work.drop(DropDraft("d1"), lambda _event: None)
    work.save(SaveDraft(draft("late"), True), lambda _event: None)
    quiet(jobs)
    assert shelf.dropped == ["d1"] and [one.text("employer.name") for one in shelf.put_] == ["one"]


def test_text_that_comes_after_the_record_was_kept_is_not_written(work: DraftWork, shelf: Shelf, jobs: Jobs) -> None:
    """A comparison that ends late, or a timer, must not park what is a record by now."""
    got: list[Any] = []
    shelf.slow.clear()
    jobs.start("outbox", lambda *_: work.end("d1"))
    work.save(SaveDraft(draft("late"), True), got.append)
    shelf.slow.set()
    quiet(jobs)
    assert shelf.put_ == [] and got == []


def test_the_chips_photo_is_kept_with_the_text_that_comes_after_it(work: DraftWork, shelf: Shelf, jobs: Jobs) -> None:
    work.save(SaveDraft(draft("read"), False, b"photo"), lambda _event: None)
    work.save(SaveDraft(draft("typed"), True), lambda _event: None)
    quiet(jobs)
    assert [one.text("employer.name") for one in shelf.put_] == ["typed"] and shelf.photo == b"photo"


def test_full_disk_is_told_with_the_effect_that_asked(work: DraftWork, shelf: Shelf) -> None:
    got: list[Any] = []
    shelf.trouble = DiskFull("full", free=1, needed=2)
    work.save(SaveDraft(draft("x"), True), got.append)
    work.park(ParkDraft(draft("x")), got.append)
    until(lambda: len(got) == 2, "both troubles")
    assert [(type(one), one.effect) for one in got] == [(Failed, "SaveDraft"), (Failed, "ParkDraft")]


def test_what_waits_is_written_when_the_program_ends(shelf: Shelf, qt_application: QApplication) -> None:
    jobs = Jobs()
    work = DraftWork(lambda: SimpleNamespace(parked=shelf), lambda: OWNER, lambda: "", jobs)
    work.save(SaveDraft(draft("last words"), False), lambda _event: None)
    work.write_now()
    assert jobs.close() == ()
    assert [one.text("employer.name") for one in shelf.put_] == ["last words"]


def test_a_journal_line_is_of_who_did_it_whoever_sits_there_when_it_is_written(shelf: Shelf, jobs: Jobs) -> None:
    """The lane was busy, the desk was locked meanwhile: an unlocked field of the chip must not be laid to the next person, nor to nobody."""
    noted: list[tuple[Any, ...]] = []
    here = [OWNER]
    rooms = SimpleNamespace(parked=shelf, note=lambda *line: noted.append(line))
    work = DraftWork(lambda: rooms, lambda: here[0], lambda: "", jobs)
    shelf.slow.clear()
    work.save(SaveDraft(draft("四川"), True), lambda _event: None)
    work.note(Note("draft.chip_unlocked", "d1", {"field": "person.name_zh"}), lambda _event: None)
    here[0] = ""
    shelf.slow.set()
    quiet(jobs)
    assert noted == [(OWNER, "draft.chip_unlocked", "d1", {"field": "person.name_zh"})]
