"""News of kept records: none is lost while another look is on its way, none goes to another person."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication

from desktop.bridge.jobs import Jobs
from desktop.effects.mail import MailWork
from desktop.flows.words import CourierSeen, OutboxListed, RecordMoved, SyncNow, WatchRecord
from desktop.rooms import now
from sync.courier import CourierStatus
from tests.scenes.stages import until


class Desk:
    """Counts the looks; each waits until it is let through. ``moves`` is what the next look finds."""

    def __init__(self, jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
        self.owner, self.got, self.looks = "op:A", list[Any](), 0
        self.moves: list[RecordMoved] = []
        self.through = threading.Event()
        self.through.set()
        self.mail = MailWork(lambda: None, lambda: self.owner, jobs, self.got.append)
        monkeypatch.setattr(self.mail, "list", self._list)
        monkeypatch.setattr(self.mail, "_moves", lambda: list(self.moves))

    def _list(self, *_: Any) -> OutboxListed:
        self.looks += 1
        self.through.wait(5)
        return OutboxListed((), {"waiting": self.looks})


@pytest.fixture
def jobs(qt_application: QApplication) -> Iterator[Jobs]:
    made = Jobs()
    yield made
    assert made.close() == ()


@pytest.fixture
def desk(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(jobs, monkeypatch)


def test_change_during_a_look_is_looked_at_again(desk: Desk, jobs: Jobs) -> None:
    desk.through.clear()
    desk.mail.look()
    until(lambda: desk.looks == 1, "the first look")
    for _ in range(5):
        desk.mail.look()
    desk.through.set()
    until(lambda: len(desk.got) == 2, "a second look, and one only")
    until(lambda: not jobs.busy("outbox"), "no more")
    assert desk.looks == 2


def test_list_of_the_one_who_left_does_not_reach_the_next(desk: Desk) -> None:
    desk.through.clear()
    desk.mail.look()
    until(lambda: desk.looks == 1, "the first look")
    desk.owner = "op:B"
    desk.through.set()
    until(lambda: desk.got, "the list of the next person")
    assert desk.looks == 2 and [one.counts["waiting"] for one in desk.got] == [2]


def test_nobody_is_told_where_nobody_is_logged_in(desk: Desk, jobs: Jobs) -> None:
    desk.owner = ""
    desk.mail.look()
    assert desk.looks == 0 and not jobs.busy("outbox")


def test_record_that_is_no_longer_watched_does_not_stop_the_news_of_the_next(desk: Desk) -> None:
    first, second = list[Any](), list[Any]()
    desk.moves = [RecordMoved("r1", "uploaded"), RecordMoved("r2", "kept")]
    desk.through.clear()
    desk.mail.watch(WatchRecord("r1"), first.append)
    until(lambda: desk.looks == 1, "the look for the first")
    desk.mail.watch(WatchRecord("r2"), second.append)
    desk.through.set()
    until(lambda: second, "the news of the second")
    assert first == [] and second[0] == RecordMoved("r2", "kept")


def test_courier_is_unknown_until_it_asked_once(desk: Desk) -> None:
    desk.owner = ""
    desk.mail._told(CourierStatus())
    desk.mail._told(CourierStatus(online=True))
    assert [one.courier.online for one in desk.got if isinstance(one, CourierSeen)] == [None, True]


def test_sync_now_is_answered_on_the_screen_at_once_and_until_the_platform_answered(desk: Desk) -> None:
    """What the courier says before it has seen the order does not take the words away; the next answer does."""
    desk.owner = ""
    desk.mail.sync(SyncNow(), lambda event: None)
    desk.mail._told(CourierStatus(online=True))
    desk.mail._wake.clear()  # the courier has seen it
    desk.mail._told(CourierStatus(online=True, asking=True))
    desk.mail._told(CourierStatus(online=True, clock_offset_s=2.0))
    assert [one.courier.asking for one in desk.got] == [True, True, True], "the answer was there at once: it is shown a moment later, so that a person sees it"
    until(lambda: not desk.got[-1].courier.asking, "the answer on the screen")
    assert desk.got[-1].courier.clock_off_s == 2.0


def test_press_on_a_line_that_is_down_is_answered_with_its_time(desk: Desk) -> None:
    """A cable that is out refuses within a millisecond, with the words that stand there already: the time of the press is what changes."""
    desk.owner = ""
    down = CourierStatus(offline_since=datetime(2026, 11, 22, 6, 2, tzinfo=UTC), last_error_code="province.unreachable")
    desk.mail._told(down)
    assert desk.got[-1].courier.asked_at is None and not desk.got[-1].courier.asking, "its own tries are no answer to anybody"
    before = now()
    desk.mail.sync(SyncNow(), lambda event: None)
    desk.mail._wake.clear()
    desk.mail._told(down)
    assert desk.got[-1].courier.asking
    until(lambda: not desk.got[-1].courier.asking, "the answer on the screen")
    answered = desk.got[-1].courier.asked_at
    assert answered is not None and answered >= before
    desk.mail._told(replace(down, next_try_at=answered))
    assert desk.got[-1].courier.asked_at == answered and not desk.got[-1].courier.asking


def test_what_moves_is_an_answer_at_once(desk: Desk) -> None:
    desk.owner = ""
    desk.mail.sync(SyncNow(), lambda event: None)
    desk.mail._wake.clear()
    desk.mail._told(CourierStatus(online=True, moving="r-1", done_bytes=1, total_bytes=9))
    assert desk.got[-1].courier.moving == "r-1" and not desk.got[-1].courier.asking and desk.got[-1].courier.asked_at is not None
