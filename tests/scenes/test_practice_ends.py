"""The practice hall may be killed at any moment: nothing that it started stays. Never looks inside the application."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.bell import NAME, ring
from tests.house.stairs import TOP
from tests.scenes.hall import PREPARED

START_S, END_S = 60.0, 20.0
WORDS = "hall-that-is-killed"
"""In the command lines of all that belongs to the hall under test, by its folder's name."""


def _belongs(mark: str) -> set[int]:
    """Living processes whose environment or command line carries the mark. Those that hide their environment are found by their parent below."""
    found: set[int] = set()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            told = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
            if mark.encode() in told and (entry / "stat").read_text().rpartition(")")[2].split()[0] not in "ZX" and int(entry.name) != os.getpid():
                found.add(int(entry.name))
        except OSError:
            continue
    return found


def _below(pid: int) -> set[int]:
    """All living descendants, by the status lines, which nobody can hide."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if words[0] not in "ZX":
            parents[int(entry.name)] = int(words[1])
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found and child not in found}:
        found |= more
    return found - {pid}


@contextmanager
def _hall(folder: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A practice hall at work: the watching process, and the worker's pid."""
    env = {name: value for name, value in os.environ.items() if name != PREPARED} | {"HALL_INTAKE_ALONE": "1", "HALL_MARK": str(folder)}
    command = [sys.executable, "-m", "tests.practice", "--headless", "--folder", str(folder)]
    with subprocess.Popen(command, cwd=TOP, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as watcher:
        try:
            assert watcher.stdout is not None
            end = time.monotonic() + START_S
            for line in watcher.stdout:
                if "log-in page" in line:
                    break
                assert time.monotonic() < end
            (worker,) = [pid for pid in _below(watcher.pid) if _parent(pid) == watcher.pid]
            yield watcher, worker
        finally:
            if watcher.poll() is None:
                watcher.terminate()
            watcher.communicate(timeout=END_S)


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def _alive(pids: set[int]) -> set[int]:
    left: set[int] = set()
    for pid in pids:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX":
                left.add(pid)
        except OSError:
            continue
    return left


@pytest.mark.timeout(180)
@pytest.mark.parametrize("victim", ["worker", "watcher", "both"])
def test_kill_leaves_nothing_running(victim: str, tmp_path: Path) -> None:
    with _hall(tmp_path / WORDS) as (watcher, worker):
        started = _below(watcher.pid)
        assert len(started) > 4, "services, product and children are up"
        for pid in {"worker": (worker,), "watcher": (watcher.pid,), "both": (watcher.pid, worker)}[victim]:
            os.kill(pid, signal.SIGKILL)
        end = time.monotonic() + END_S
        while (left := _alive(started) | _belongs(str(tmp_path / WORDS))) and time.monotonic() < end:
            time.sleep(0.1)
        assert {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in left} == {}
        assert watcher.wait(END_S) in (137, -signal.SIGKILL)


def test_bell_is_heard_from_a_long_path(tmp_path: Path) -> None:
    from tests.bell import Bell

    folder = tmp_path / ("a-folder-with-a-long-name-" * 5)
    folder.mkdir()
    assert not ring(folder)
    with Bell(folder) as bell:
        assert not bell.rung()
        assert ring(folder) and ring(folder)
        assert bell.rung() and not bell.rung()
    assert not ring(folder) and not (folder / NAME).exists()
    (folder / NAME).write_text("left behind")
    assert not ring(folder)
    with Bell(folder):
        assert ring(folder)
