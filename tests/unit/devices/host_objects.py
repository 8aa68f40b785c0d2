"""Objects that the tests of ``devices.host`` run in a child: they answer, fail, crash, hang and lie. Never imported by the product."""

from __future__ import annotations

import ctypes
import os
import resource
import sys
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy

from devices.errors import DriverMissing, WrongPin


@dataclass(frozen=True, slots=True)
class Answer:
    number: int
    at: datetime


class Bench:
    """Does what it is told."""

    def __init__(self, start: int = 0, farewell: str = "") -> None:
        self.count = start
        self.farewell = farewell

    def add(self, number: int, times: int = 1) -> int:
        self.count += number * times
        return self.count

    def answer(self) -> Answer:
        return Answer(self.count, datetime(2026, 11, 22, tzinfo=UTC))

    def picture(self, picture: numpy.ndarray) -> numpy.ndarray:
        return 255 - picture

    def pid(self) -> int:
        return os.getpid()

    def threads(self) -> int:
        return threading.active_count()

    def core_limit(self) -> tuple[int, int]:
        return resource.getrlimit(resource.RLIMIT_CORE)

    def modules(self) -> list[str]:
        return sorted(name for name in sys.modules if "." not in name)

    def environment(self, name: str) -> str | None:
        return os.environ.get(name)

    def wrong_pin(self) -> None:
        raise WrongPin("from the child", tries_left=2)

    def bug(self) -> None:
        raise ValueError("secret 510101199001011234")

    def crash(self) -> None:
        ctypes.string_at(0)

    def leave(self) -> None:
        os._exit(7)

    def hang(self, seconds: float = 60) -> None:
        time.sleep(seconds)

    def hang_with_the_lock(self, started: str) -> None:
        """A native call that never gives the interpreter lock back."""
        Path(started).write_text("in")
        ctypes.PyDLL(None).sleep(60)

    def lie(self) -> Any:
        return _Lie()

    def untravelled(self) -> Any:
        return threading.Lock()

    def close(self) -> None:
        if self.farewell:
            Path(self.farewell).write_text("closed")


class _Lie:
    """Unpickled without care, this runs a command in the parent."""

    def __reduce__(self) -> Any:
        return os.system, ("exit 3",)


def missing(library: str) -> None:
    """A factory whose library is not there."""
    raise DriverMissing("not there", library=library)


def parent_of_hung_child(started: str, report: str) -> None:
    """Main of a middle process: starts a host whose child hangs with the interpreter lock held, tells its id, and waits to be killed."""
    from devices.host import Host

    host = Host("tests.unit.devices.host_objects:Bench")
    Path(report).write_text(str(host.call("pid")))
    host.call("hang_with_the_lock", started)
