"""Effects find their handler, run in their lane, and come back as events or named troubles."""

from __future__ import annotations

import dataclasses
import inspect
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication

from desktop.app import Desk
from desktop.bridge.jobs import Jobs
from desktop.effects.carry import Carrier
from desktop.flows import words
from desktop.flows.machine import Failed
from desktop.flows.words import Progress
from devices.errors import CardRemoved
from sync.errors import NotEnrolled
from tests.scenes.stages import until

pytestmark = pytest.mark.usefixtures("qt_application")


@dataclass(frozen=True)
class Order:
    """An effect of nobody."""

    number: int = 0


@pytest.fixture
def jobs(qt_application: QApplication) -> Iterator[Jobs]:
    made = Jobs()
    yield made
    assert made.close() == ()


def answers(jobs: Jobs, work: Any, count: int = 1, **how: Any) -> list[Any]:
    """What comes back of one order."""
    carrier, got = Carrier(jobs), list[Any]()
    carrier.in_lane(Order, "somewhere", work, **how)
    carrier.carry(Order(7), got.append)
    until(lambda: len(got) >= count, "the answers")
    return got


def test_answer_comes_in_the_main_thread_and_work_runs_in_the_lane(jobs: Jobs) -> None:
    ran: list[threading.Thread] = []

    def work(order: Order, _cancel: Any, _tell: Any) -> str:
        ran.append(threading.current_thread())
        return f"done {order.number}"

    carrier, got = Carrier(jobs), list[tuple[Any, threading.Thread]]()
    carrier.in_lane(Order, "somewhere", work)
    carrier.carry(Order(7), lambda event: got.append((event, threading.current_thread())))
    assert got == [], "the main thread does not wait"
    until(lambda: got, "the answer")
    assert got == [("done 7", threading.main_thread())] and ran[0].name == "lane somewhere"


def test_several_answers_come_in_their_order_and_none_is_left_out(jobs: Jobs) -> None:
    assert answers(jobs, lambda *_: ("a", None, "b"), 2) == ["a", "b"]


def test_nothing_is_posted_for_no_answer(jobs: Jobs) -> None:
    carrier, got, ran = Carrier(jobs), list[Any](), threading.Event()
    carrier.in_lane(Order, "somewhere", lambda *_: ran.set())
    carrier.carry(Order(), got.append)
    until(ran.is_set, "the work")
    jobs.start("somewhere", lambda *_: None, got.append)
    until(lambda: got, "what comes after it")
    assert got == [None], "only the later job's own answer"


def test_trouble_names_its_effect(jobs: Jobs) -> None:
    def work(*_: Any) -> None:
        raise CardRemoved("lifted", status="80100069")

    (failed,) = answers(jobs, work)
    assert isinstance(failed, Failed) and failed.effect == "Order" and failed.trouble.code == "card.removed"


@pytest.mark.expects_log("job in lane somewhere broke: ZeroDivisionError")
def test_what_has_no_name_becomes_a_trouble_without_its_text(jobs: Jobs) -> None:
    def work(*_: Any) -> None:
        raise ZeroDivisionError("李练工 13800000000")

    (failed,) = answers(jobs, work)
    assert failed.trouble.code == "program.broken" and "李练工" not in str(failed.trouble) + repr(failed.trouble.facts)


def test_progress_is_told_only_where_it_is_wanted(jobs: Jobs) -> None:
    def work(_order: Order, _cancel: Any, tell: Any) -> str:
        tell("reading", 1, 3)
        return "done"

    assert answers(jobs, work, 2, progress=True) == [Progress("reading", 1, 3), "done"]
    assert answers(jobs, work) == ["done"]


def test_trouble_of_what_is_done_at_once_does_not_reach_the_stage(jobs: Jobs) -> None:
    def act(_order: Order, _post: Any) -> None:
        raise NotEnrolled("nothing is open")

    carrier, got = Carrier(jobs), list[Any]()
    carrier.at_once(Order, act)
    carrier.carry(Order(), got.append)
    assert [type(one) for one in got] == [Failed] and got[0].effect == "Order"


def test_effect_without_a_handler_is_a_fault_of_the_composition(jobs: Jobs) -> None:
    with pytest.raises(KeyError):
        Carrier(jobs).carry(Order(), lambda _event: None)


def test_the_desk_has_a_handler_for_every_effect_of_its_flows(tmp_path: Path) -> None:
    effects = {one for _, one in inspect.getmembers(words, dataclasses.is_dataclass) if (one.__doc__ or "").startswith("Effect:")}
    desk = Desk(tmp_path)
    try:
        assert len(effects) > 25
        assert {one.__name__ for one in effects - set(desk._carrier.known())} == set()
    finally:
        assert desk.close() == ()
