"""Tests of ``devices.host``: answers and troubles cross the pipe, crash and hang are named, nothing is orphaned. Never touches a device."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy
import pytest

from devices.errors import Cancelled, DeviceTrouble, DriverCrashed, DriverHung, DriverMissing, WrongPin
from devices.host import Host
from tests.unit.devices.host_objects import Answer, parent_of_hung_child

BENCH = "tests.unit.devices.host_objects:Bench"


@pytest.fixture
def host() -> Iterator[Host]:
    with Host(BENCH, 5) as host:
        yield host


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"


def wait_until(condition, seconds: float = 30.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


def test_calls_reach_one_object_in_another_process(host: Host) -> None:
    assert host.pid is None, "lazy: no child before the first call"
    assert host.call("add", 2) == 7
    assert host.call("add", 1, times=3) == 10
    assert host.call("pid") == host.pid != os.getpid()
    assert host.call("threads") == 1
    assert host.call("core_limit") == (0, 0)
    assert not {"PySide6", "shiboken6"} & set(host.call("modules"))


def test_dataclasses_and_arrays_cross(host: Host) -> None:
    assert host.call("answer") == Answer(5, datetime(2026, 11, 22, tzinfo=UTC))
    picture = numpy.arange(600 * 400 * 3, dtype=numpy.uint8).reshape(600, 400, 3)
    assert numpy.array_equal(host.call("picture", picture), 255 - picture)


def test_environment_is_inherited(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HALL_INTAKE_TEST_WORD", "hear")
    assert host.call("environment", "HALL_INTAKE_TEST_WORD") == "hear"


def test_trouble_crosses_with_code_and_facts_and_the_object_lives_on(host: Host) -> None:
    with pytest.raises(WrongPin) as caught:
        host.call("wrong_pin")
    assert (caught.value.code, caught.value.facts, caught.value.detail) == ("token.wrong_pin", {"tries_left": 2}, "from the child")
    assert host.call("add", 0) == 5
    assert host.starts == 1


def test_other_errors_lose_their_text(host: Host) -> None:
    with pytest.raises(DeviceTrouble) as caught:
        host.call("bug")
    assert "ValueError at host_objects.py" in caught.value.detail
    assert "510101" not in caught.value.detail
    with pytest.raises(DeviceTrouble, match="cannot travel"):
        host.call("untravelled")


@pytest.mark.parametrize(("method", "status"), [("crash", -signal.SIGSEGV), ("leave", 7)])
def test_crash_is_named_and_the_next_call_starts_anew(host: Host, method: str, status: int) -> None:
    host.call("add", 10)
    with pytest.raises(DriverCrashed) as caught:
        host.call(method)
    assert caught.value.facts["status"] == status
    assert host.call("add", 0) == 5, "a new object: what the old one knew is gone"
    assert host.starts == 2


def test_hang_is_ended(host: Host) -> None:
    host.call("add", 0)
    pid = host.pid
    begun = time.monotonic()
    with pytest.raises(DriverHung) as caught:
        host.call("hang", seconds=0.3)
    assert time.monotonic() - begun < 5
    assert caught.value.facts["seconds"] == 0.3
    assert pid is not None and not is_running(pid)
    assert host.call("add", 1) == 6


def test_cancel_ends_a_long_call(host: Host) -> None:
    cancel = threading.Event()
    threading.Timer(0.5, cancel.set).start()
    with pytest.raises(Cancelled):
        host.call("hang", cancel=cancel)
    assert host.call("add", 1) == 6


def test_child_that_died_between_calls_is_replaced(host: Host) -> None:
    host.call("add", 1)
    assert host.pid is not None
    os.kill(host.pid, signal.SIGKILL)
    assert wait_until(lambda: not is_running(host.pid or 0))
    process = host._process
    assert wait_until(lambda: process is None or not process.is_alive())   # a zombie whose other threads still end counts as alive
    assert host.call("add", 0) == 5


def test_an_answer_that_would_run_code_is_refused(host: Host) -> None:
    with pytest.raises(DriverCrashed, match="posix.system|os.system"):
        host.call("lie")


def test_trouble_of_the_factory_is_raised_at_the_first_call() -> None:
    with Host("tests.unit.devices.host_objects:missing", "/nowhere.so") as host:
        for _ in range(2):
            with pytest.raises(DriverMissing) as caught:
                host.call("anything")
            assert caught.value.facts == {"library": "/nowhere.so"}
        assert host.starts == 2


def test_close_lets_the_object_say_farewell(tmp_path: Path) -> None:
    host = Host(BENCH, 0, str(tmp_path / "farewell"))
    host.call("add", 1)
    pid = host.pid
    host.close()
    host.close()
    assert (tmp_path / "farewell").read_text() == "closed"
    assert pid is not None and not is_running(pid)


def test_start_does_not_wait(host: Host) -> None:
    begun = time.monotonic()
    host.start()
    assert time.monotonic() - begun < 2
    assert host.pid is not None
    assert host.call("add", 0) == 5
    assert host.starts == 1


def test_threads_take_turns(host: Host) -> None:
    threads = [threading.Thread(target=lambda: [host.call("add", 1) for _ in range(50)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert host.call("add", 0) == 205


def test_no_orphan_even_inside_a_hung_native_call(tmp_path: Path) -> None:
    started, report = tmp_path / "started", tmp_path / "report"
    middle = multiprocessing.get_context("spawn").Process(target=parent_of_hung_child, args=(str(started), str(report)))
    middle.start()
    assert wait_until(started.exists, 60)
    child = int(report.read_text())
    assert is_running(child)
    middle.kill()
    middle.join()
    assert wait_until(lambda: not is_running(child)), "the child outlived its parent"
