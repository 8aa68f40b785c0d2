"""One thread for the calls of one open reader, so that a call that never returns holds up that thread and nobody else. Never repeats a call."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from devices.base import Cancel
from devices.errors import Cancelled, TimedOut

__all__ = ["CallLane"]

T = TypeVar("T")
CANCEL_POLL_S = 0.05


class _Call(Generic[T]):
    """One call on its way: waiting, running, done; or dropped by a caller who no longer waits."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._lock = threading.Lock()
        self._dropped = False
        self._under_way = threading.Lock()      # held until the call is done: waiting for a lock costs a fraction of waiting for an Event
        self._under_way.acquire()
        self.result: list[T] = []
        self.error: BaseException | None = None

    def drop(self) -> None:
        with self._lock:
            self._dropped = True

    def run(self) -> None:
        with self._lock:
            dropped = self._dropped
        if not dropped:
            try:
                self.result.append(self._work())
            except BaseException as error:   # handed to the caller, whatever it is
                self.error = error
        self._under_way.release()

    def done(self, seconds: float) -> bool:
        """Whether the call is done within ``seconds``; once True, not to be asked again."""
        return self._under_way.acquire(timeout=seconds)


class CallLane:
    """Runs calls one after another in a daemon thread.

    A call to the smart-card service cannot be ended from outside (``SCardCancel`` ends waits for changes, not a transmission), so the caller leaves instead:
    ``call`` raises TimedOut, the thread stays with the blocked call until the driver lets go, then runs the clean-up given to ``leave`` and ends.
    """

    def __init__(self, name: str) -> None:
        self._calls: queue.SimpleQueue[_Call[object] | None] = queue.SimpleQueue()
        self._allowed, self._until = 0.0, 0.0
        self._thread = threading.Thread(target=self._work, name=f"lane {name}", daemon=True)
        self._thread.start()

        self.left = False
        """A caller went while a call was running: the lane takes no more calls but ``leave``."""

    def ended(self, seconds: float) -> bool:
        """Whether the thread ends within ``seconds``; one that does not after ``leave`` is blocked in a call."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def call(self, work: Callable[[], T], seconds: float, cancel: Cancel | None = None) -> T:
        """What ``work`` gives. Raises TimedOut after ``seconds``, Cancelled when ``cancel`` is set meanwhile, or what ``work`` raised."""
        call: _Call[T] = _Call(work)
        self.allow(seconds)
        self._calls.put(call)   # type: ignore[arg-type]
        while not call.done(self._patience(cancel)):
            if cancel and cancel.is_set():
                self._go(call)
                raise Cancelled("while the reader was working")
            if time.monotonic() >= self._until:
                self._go(call)
                raise TimedOut(f"no answer within {self._allowed:.1f} s")
        if call.error is not None:
            raise call.error
        return call.result[0]

    def allow(self, seconds: float) -> None:
        """Gives the running call so many more seconds from now; for a call of several steps, which calls this itself before each."""
        self._allowed, self._until = seconds, time.monotonic() + seconds

    def _patience(self, cancel: Cancel | None) -> float:
        left = max(0.0, self._until - time.monotonic())
        return min(CANCEL_POLL_S, left) if cancel else left

    def leave(self, last: Callable[[], None], seconds: float) -> bool:
        """Runs ``last`` behind what is running and ends the thread; True when that happened within ``seconds``."""
        self._calls.put(_Call(last))   # type: ignore[arg-type]
        self._calls.put(None)
        return self.ended(seconds)

    def _go(self, call: _Call[T]) -> None:
        call.drop()
        self.left = True

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            call.run()
