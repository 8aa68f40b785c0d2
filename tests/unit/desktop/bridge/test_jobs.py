"""Lanes: one worker each, answers in the main thread, cancel, close with a deadline. And stages: steps never nest."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication

from desktop.bridge.jobs import Broken, Jobs
from desktop.bridge.stage import Stage
from desktop.flows.machine import Flow
from devices.errors import Cancelled, NoCard


@pytest.fixture
def jobs(qt_application: QApplication) -> Iterator[Jobs]:
    made = Jobs()
    yield made
    made.close(2)


def settle(until: Callable[[], bool], seconds: float = 3.0) -> None:
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end, "nothing came"
        QApplication.processEvents()
        time.sleep(0.002)


def test_results_come_in_the_main_thread_in_order(jobs: Jobs) -> None:
    got: list[Any] = []
    for number in range(5):
        jobs.start("reader", lambda _cancel, tell, n=number: (tell("half", n, 5), threading.current_thread().name, n)[1:],
                   lambda result: got.append((threading.current_thread() is threading.main_thread(), *result)),
                   tell=lambda what, done, total: got.append((what, done, total)))
    settle(lambda: len(got) == 10)
    results = [one for one in got if one[0] is True]
    assert [one[2] for one in results] == [0, 1, 2, 3, 4] and {one[1] for one in results} == {"lane reader"}
    assert ("half", 3, 5) in got


def test_two_lanes_do_not_wait_for_each_other(jobs: Jobs) -> None:
    gate, got = threading.Event(), []
    jobs.start("a", lambda _cancel, _tell: gate.wait(3), lambda _result: got.append("a"))
    jobs.start("b", lambda _cancel, _tell: None, lambda _result: got.append("b"))
    settle(lambda: got == ["b"])
    assert jobs.busy("a") and not jobs.busy("c")
    gate.set()
    settle(lambda: got == ["b", "a"])


def test_a_trouble_is_handed_over_and_the_lane_goes_on(jobs: Jobs) -> None:
    troubles: list[Any] = []

    def lift(_cancel: Any, _tell: Any) -> None:
        raise NoCard("nothing there")

    jobs.start("reader", lift, failed=troubles.append)
    jobs.start("reader", lambda _cancel, _tell: 1, troubles.append)
    settle(lambda: len(troubles) == 2)
    assert isinstance(troubles[0], NoCard) and troubles[1] == 1


@pytest.mark.expects_log("broke")
def test_a_nameless_error_has_no_personal_text(jobs: Jobs) -> None:
    troubles: list[Any] = []

    def breaks(_cancel: Any, _tell: Any) -> None:
        raise ValueError("李国强 510104198803120012")

    jobs.start("outbox", breaks, failed=troubles.append)
    settle(lambda: bool(troubles))
    assert isinstance(troubles[0], Broken) and "李国强" not in str(troubles[0]) and troubles[0].facts == {"kind": "ValueError"}


def test_cancel_reaches_running_and_waiting(jobs: Jobs) -> None:
    troubles: list[Any] = []

    def long(cancel: threading.Event, _tell: Any) -> None:
        if cancel.wait(3):
            raise Cancelled()

    for _ in range(2):
        jobs.start("reader", long, failed=troubles.append)
    settle(lambda: jobs.busy("reader"))
    jobs.cancel("reader")
    settle(lambda: len(troubles) == 2)


def test_close_has_a_deadline_and_names_who_hangs(qt_application: QApplication) -> None:
    jobs, gate, late = Jobs(), threading.Event(), []
    jobs.start("stuck", lambda _cancel, _tell: gate.wait(5), late.append)
    jobs.run("watch", lambda stop: stop.wait(5) and None)
    before = time.monotonic()
    assert jobs.close(0.3) == ("stuck",)
    assert time.monotonic() - before < 1.5
    with pytest.raises(RuntimeError):
        jobs.start("stuck", lambda _cancel, _tell: None)
    gate.set()
    time.sleep(0.05)
    QApplication.processEvents()
    assert late == [], "nothing reaches the screen after the end"


def test_steps_of_a_stage_never_nest(qt_application: QApplication) -> None:
    seen: list[Any] = []

    def step(state: int, event: str) -> tuple[int, tuple[str, ...]]:
        seen.append(("step", state, event))
        return state + 1, ("again",) if event == "first" else ()

    def carry(effect: str, post: Callable[[Any], None]) -> None:
        seen.append(("carry", effect))
        post("second")
        seen.append(("carried", effect))

    views: list[int] = []
    stage = Stage(Flow("count", lambda: 0, step), carry)
    stage.changed.connect(views.append)
    stage.post("first")
    assert seen == [("step", 0, "first"), ("carry", "again"), ("carried", "again"), ("step", 1, "second")]
    assert views == [1, 2]
