"""Stands above the practice hall's process: whatever ends it, kill -9 too, none of its services stays behind. Never ends what the hall did not start."""

from __future__ import annotations

import ctypes
import os
import select
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

__all__ = ["watched"]

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
"""linux/prctl.h"""
CLONE_NEWPID = 0x20000000
"""linux/sched.h"""
PATIENCE = 3.0
"""Seconds that a service gets after SIGTERM."""


def watched() -> int | None:
    """Splits the process. In the one that does the work: None. In the one that watches: its exit code, after all that it left running was ended.

    The worker gets SIGTERM where the watcher is killed, so that either may die first. Where the kernel lets it, the worker is the first process of a
    process namespace: killed with the watcher at one blow, it takes all that it started with it. Call it before threads are started.
    """
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWPID)
    line, held = os.pipe()
    worker = os.fork()
    if worker == 0:
        os.close(held)
        _prctl(PR_SET_CHILD_SUBREAPER, 0)
        _prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if select.select([line], [], [], 0)[0]:  # the watcher is gone already
            sys.exit(1)
        os.close(line)
        return None
    os.close(line)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal gives it to the worker, too
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda got, _frame: _send(worker, got))
    status = _wait_for(worker)
    _end_the_rest()
    if os.WIFSIGNALED(status):
        print(f"installer/run --practice: killed by signal {os.WTERMSIG(status)}; its services are ended.", file=sys.stderr)
        return 128 + os.WTERMSIG(status)
    return os.WEXITSTATUS(status)


def _prctl(option: int, value: int) -> None:
    ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def _send(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _wait_for(worker: int) -> int:
    """The worker's status; orphans that end meanwhile are taken note of."""
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid == worker:
            return status


def _end_the_rest() -> None:
    """What the worker left is ours now, and what these leave becomes ours."""
    kill_at = time.monotonic() + PATIENCE
    asked: set[int] = set()
    while _reap():
        late = time.monotonic() > kill_at
        for pid in _children():
            if late or pid not in asked:
                asked.add(pid)
                _send(pid, signal.SIGKILL if late else signal.SIGTERM)
        time.sleep(0.02)


def _reap() -> bool:
    """Whether a child lives."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            continue
        return True
    return False


def _children() -> set[int]:
    """By the status lines, which can be read of processes that hide the rest of themselves, too."""
    found: set[int] = set()
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, IndexError):
            if int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == os.getpid():
                found.add(int(entry.name))
    return found
