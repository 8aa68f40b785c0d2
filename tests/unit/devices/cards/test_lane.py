"""The lane of a reader: a caller leaves what hangs, nothing runs twice. Never needs a reader."""

from __future__ import annotations

import threading
import time

import pytest

from devices.cards.lane import CallLane
from devices.errors import Cancelled, NoCard, TimedOut


def test_results_and_errors_come_back() -> None:
    lane = CallLane("test")
    assert lane.call(lambda: threading.current_thread().name, 1.0) == "lane test"
    with pytest.raises(NoCard):
        lane.call(lambda: (_ for _ in ()).throw(NoCard("none")), 1.0)
    assert lane.leave(lambda: None, 1.0)


def test_a_caller_leaves_a_call_that_hangs_and_it_is_cleaned_up_later() -> None:
    lane, release, cleaned, ran = CallLane("test"), threading.Event(), threading.Event(), []
    with pytest.raises(TimedOut):
        lane.call(lambda: release.wait(10), 0.05)
    assert lane.left
    with pytest.raises(TimedOut):
        lane.call(lambda: ran.append("late"), 0.05)
    assert not lane.leave(cleaned.set, 0.05)
    assert not lane.ended(0.0)
    release.set()
    assert cleaned.wait(2) and lane.ended(2.0)
    assert ran == [], "what nobody waits for is not done"


def test_cancel_ends_the_wait() -> None:
    lane, release, cancel = CallLane("test"), threading.Event(), threading.Event()
    timer = threading.Timer(0.05, cancel.set)
    timer.start()
    begun = time.monotonic()
    with pytest.raises(Cancelled):
        lane.call(lambda: release.wait(10), 5.0, cancel)
    assert time.monotonic() - begun < 2
    release.set()
    timer.join()
    assert lane.leave(lambda: None, 2.0)
