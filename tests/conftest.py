"""What every test is held to: no stray log line, no thread, timer, window or child process left behind. Never makes fixtures for one room only.

A test that means to provoke a log line says so: ``@pytest.mark.expects_log("pattern")``. Python warnings are errors (pyproject.toml), so an unclosed
socket or file fails the test that dropped it.
"""

from __future__ import annotations

import gc
import logging
import os
import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

GRACE = 2.0
"""Seconds that threads and children get to end by themselves after a test."""


# -- options and the closing lines ------------------------------------------------------------------------------------------------------
def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--no-skips", action="store_true", help="a skipped test fails the run (CI's own tier)")
    parser.addoption("--closing", metavar="FILE", help="counts, failures and skips of this run are added to this file")
    parser.addoption("--fault-table", metavar="FILE", help="what the fault tests did is added to this file (python -m tests.faults prints it)")
    parser.addoption("--device", metavar="SERIAL", help="run the contract suites on this real device, too")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if not _is_real_root():
        for item in items:
            if item.get_closest_marker("needs_root"):
                item.add_marker(pytest.mark.skip(reason="needs the real root of the machine"))


def _is_real_root() -> bool:
    """Root of the machine, not of a user namespace."""
    try:
        inside, outside, count = Path("/proc/self/uid_map").read_text().split()[:3]
    except OSError:
        return False
    return os.geteuid() == 0 and (inside, outside) == ("0", "0") and int(count) > 1


def _skips(config: pytest.Config) -> list[tuple[str, str]]:
    reporter = config.pluginmanager.getplugin("terminalreporter")
    reports = reporter.stats.get("skipped", []) if reporter else []
    return [(report.nodeid, report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)) for report in reports]


def pytest_sessionfinish(session: pytest.Session) -> None:
    left = _children(os.getpid()) | _strangers()
    if left:
        session.config.stash[_LEFT] = "\n".join(sorted(f"{pid}  {_command(pid)}" for pid in left))
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    if session.config.getoption("--no-skips") and _skips(session.config) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    skips = _skips(config)
    if skips:
        terminalreporter.section(f"{len(skips)} skipped" + (": none is allowed in this tier, the run fails" if config.getoption("--no-skips") else ""))
        for name, why in skips:
            terminalreporter.line(f"{name}: {why}")
    if config.stash.get(_LEFT, ""):
        terminalreporter.section("processes left running: the run fails")
        terminalreporter.line(config.stash[_LEFT])
    if told := config.getoption("--closing"):
        with Path(told).open("a", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in _closing(terminalreporter, config, skips))


def _closing(reporter: pytest.TerminalReporter, config: pytest.Config, skips: list[tuple[str, str]]) -> list[str]:
    """What was run and what came of it in one line, then a line for all that did not pass."""
    counts = ", ".join(f"{len(reporter.stats.get(name, []))} {name}" for name in ("passed", "failed", "error", "skipped"))
    bad = [f"  {name.upper()} {report.nodeid}" for name in ("failed", "error") for report in reporter.stats.get(name, [])]
    left = [f"  LEFT RUNNING {line}" for line in config.stash.get(_LEFT, "").splitlines()]
    return [f"{' '.join(config.args)}: {counts}", *bad, *left, *(f"  skipped {name}: {why}" for name, why in skips)]


_LEFT = pytest.StashKey[str]()


@pytest.fixture(scope="session", autouse=True)
def prepared_halls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Practice halls of this run share what takes long to make (tests/scenes/hall.py)."""
    os.environ["HALL_INTAKE_PREPARED"] = str(tmp_path_factory.getbasetemp() / "prepared-hall")
    yield
    del os.environ["HALL_INTAKE_PREPARED"]


# -- log lines --------------------------------------------------------------------------------------------------------------------------
class _Collector(logging.Handler):
    """Keeps records of level WARNING and higher, from whatever thread."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.levelname} {record.name}: {record.getMessage()}")


@pytest.fixture(autouse=True)
def no_stray_log(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fails a test that logged a warning or an error it did not announce."""
    collector = _Collector()
    root = logging.getLogger()
    root.addHandler(collector)
    yield
    root.removeHandler(collector)
    allowed = [re.compile(mark.args[0]) for mark in request.node.iter_markers("expects_log")]
    stray = [line for line in collector.lines if not any(pattern.search(line) for pattern in allowed)]
    if stray:
        pytest.fail("stray log lines (announce them with expects_log):\n" + "\n".join(stray))


# -- threads and children ---------------------------------------------------------------------------------------------------------------
def _command(pid: int) -> str:
    """What a process was begun with, without the numbers of the files that a spawned child is handed: they differ from start to start."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip() or Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""
    return re.sub(r"\b(tracker_fd|pipe_handle)=\d+", r"\1", words)


def _children(of: int) -> set[int]:
    """Living child processes, without the resource tracker that Python itself keeps for spawned processes."""
    found: set[int] = set()
    for task in Path(f"/proc/{of}/task").glob("*/children"):
        try:
            found |= {int(pid) for pid in task.read_text().split()}
        except OSError:
            continue
    return {pid for pid in found if not _is_over(pid) and "multiprocessing.resource_tracker" not in _command(pid)}


def _is_over(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


def _strangers() -> set[int]:
    """Processes in our network namespace that are no ancestors of ours, e.g. services that went to the background. Empty outside of installer/alone."""
    if os.environ.get("HALL_INTAKE_ALONE") != "1":
        return set()
    ours, mine = os.readlink("/proc/self/ns/net"), _ancestors()
    found: set[int] = set()
    for entry in Path("/proc").glob("[0-9]*"):
        pid = int(entry.name)
        try:
            if pid not in mine and os.readlink(entry / "ns/net") == ours and not _is_over(pid) and "multiprocessing.resource_tracker" not in _command(pid):
                found.add(pid)
        except OSError:
            continue
    return found


def _ancestors() -> set[int]:
    pid, line = os.getpid(), set[int]()
    while pid > 1:
        line.add(pid)
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return line | {0, 1}


def _wait_for(what: Callable[[], set[object]]) -> set[object]:
    """``what()`` as soon as it is empty, or what it is after the grace."""
    end = time.monotonic() + GRACE
    while (left := what()) and time.monotonic() < end:
        time.sleep(0.02)
    return left


_SERVES_A_LINE = re.compile(r"\(process_request_thread\)$")
"""A threading server's thread for one connection: it lives as long as the client of a module keeps its line, so only the end of the module counts."""


def _new_threads(known: set[threading.Thread]) -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread not in known and thread.is_alive()}


_BLAMED = pytest.StashKey[set[object]]()
"""Threads and commands that a test has failed for already: its module is not blamed for them once more, and does not wait for them."""


@pytest.fixture(autouse=True)
def nothing_left_running(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fails a test that leaves threads or child processes behind. Those of session and module fixtures were there before it and are theirs to end;
    a service that the test ended and started again, by the same command, is taken for the one before.
    """
    blamed = request.config.stash.setdefault(_BLAMED, set())
    threads, children = set(threading.enumerate()), _children(os.getpid())
    commands = {pid: _command(pid) for pid in children}

    def begun() -> set[object]:
        now = _children(os.getpid())  # by process id first: a child that was only just forked has its parent's command line for a moment
        return set((Counter(_command(pid) for pid in now - children) - Counter(commands[pid] for pid in children - now)).elements())

    yield
    left: set[object] = _wait_for(lambda: {thread for thread in _new_threads(threads) if not _SERVES_A_LINE.search(thread.name)})
    if left:
        blamed |= left
        pytest.fail(f"threads left running: {sorted(str(thread) for thread in left)}")
    left = _wait_for(begun)
    if left:
        blamed |= left
        pytest.fail(f"child processes left running: {sorted(map(str, left))}")


# -- what the collector finds -----------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module", autouse=True)
def quiet_module(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fails where a module's own fixtures leave threads or children behind.

    Takes all that imports made out of the collector's way, too, so that the collection after each test costs next to nothing.
    """
    threads, children = set(threading.enumerate()), _children(os.getpid())
    blamed = request.config.stash.setdefault(_BLAMED, set())
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
    left = _wait_for(lambda: {*_new_threads(threads), *(_command(pid) for pid in _children(os.getpid()) - children)} - blamed)
    if left:
        pytest.fail(f"left running by the module: {sorted(str(one) for one in left)}")


def _qt_leftovers(known_windows: set[int]) -> list[str]:
    core, widgets = sys.modules["PySide6.QtCore"], sys.modules.get("PySide6.QtWidgets")
    found: list[str] = []
    if widgets is not None and isinstance(core.QCoreApplication.instance(), widgets.QApplication):
        core.QCoreApplication.sendPostedEvents(None, core.QEvent.Type.DeferredDelete)
        found += [f"window {window!r}" for window in widgets.QApplication.topLevelWidgets() if id(window) not in known_windows]
    valid = sys.modules["shiboken6"].isValid
    for thing in gc.get_objects():
        if isinstance(thing, core.QTimer) and valid(thing) and thing.isActive():
            found.append(f"timer {thing!r}, parent {thing.parent()!r}")
        elif isinstance(thing, core.QThread) and valid(thing) and thing.isRunning() and thing is not core.QThread.currentThread():
            found.append(f"thread {thing!r}")
    return found


@pytest.fixture(autouse=True)
def no_qt_left(nothing_left_running: None) -> Iterator[None]:
    """Fails a test that leaves a window, an active timer or a running QThread behind; collects at once, so that an unclosed socket fails its own test."""
    widgets = sys.modules.get("PySide6.QtWidgets")
    known = {id(window) for window in widgets.QApplication.topLevelWidgets()} if widgets and widgets.QApplication.instance() else set[int]()
    yield
    gc.collect()
    if "PySide6.QtCore" in sys.modules and "shiboken6" in sys.modules and (left := _qt_leftovers(known)):
        pytest.fail("Qt objects left behind:\n" + "\n".join(left))
