"""The only room that makes threads: lanes with one worker each. Never lets a result touch the screen but through one queued signal."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from PySide6.QtCore import QObject, Qt, Signal

from resources.trouble import Trouble

__all__ = ["Broken", "Job", "Jobs", "LoopWork", "Tell", "Work"]

_LOG = logging.getLogger(__name__)


class Tell(Protocol):
    """Progress of a job; ``total`` 0 where it is not known."""

    def __call__(self, what: str, done: int = 0, total: int = 0) -> None: ...


Work = Callable[[threading.Event, Tell], Any]
"""A job: takes its cancel event and a way to tell progress, returns a result or raises a ``Trouble``."""
LoopWork = Callable[[threading.Event], None]
"""The body of a thread of its own: returns soon after its event is set."""


class Broken(Trouble):
    """Something broke that has no name yet. The detail holds the kind of error, never its text: that may hold a person's data."""

    code = "program.broken"


@dataclass(eq=False)
class Job:
    """A job on its way. ``cancel`` asks it to end; its answer then comes as a trouble, or not at all after ``close``."""

    lane: str
    cancel: threading.Event = field(default_factory=threading.Event)
    started_at: float = 0.0


@dataclass(slots=True)
class _Order:
    job: Job
    work: Work = field(repr=False)
    done: Callable[[Any], None] | None = field(repr=False)
    failed: Callable[[Trouble], None] | None = field(repr=False)
    tell: Callable[[str, int, int], None] | None = field(repr=False)


class _Lane:
    """One worker thread; its jobs run one after another."""

    def __init__(self, name: str, deliver: Callable[[Callable[[], None]], None]) -> None:
        self.name, self._deliver = name, deliver
        self.orders: queue.Queue[_Order | None] = queue.Queue()
        self.now: Job | None = None
        self.waiting: list[Job] = []
        self.thread = threading.Thread(target=self._run, name=f"lane {name}", daemon=True)
        self.thread.start()

    def _run(self) -> None:
        while (order := self.orders.get()) is not None:
            self.now = order.job
            if order.job in self.waiting:
                self.waiting.remove(order.job)
            order.job.started_at = time.monotonic()
            self._do(order)
            self.now = None
            del order

    def _do(self, order: _Order) -> None:
        def tell(what: str, done: int = 0, total: int = 0) -> None:
            if order.tell is not None:
                wanted = order.tell
                self._deliver(lambda: wanted(what, done, total))

        try:
            result = order.work(order.job.cancel, tell)
        except Trouble as trouble:
            caught: Trouble = trouble
        except Exception as error:  # the lane outlives every job
            _LOG.error("job in lane %s broke: %s", self.name, type(error).__name__, exc_info=_LOG.isEnabledFor(logging.DEBUG))
            caught = Broken(type(error).__name__, kind=type(error).__name__)
        else:
            if order.done is not None:
                done = order.done
                self._deliver(lambda: done(result))
            return
        if order.failed is not None:
            failed, said = order.failed, caught
            said.__traceback__ = None
            self._deliver(lambda: failed(said))


class Jobs(QObject):
    """Lanes by name: one per physical device, one for the outbox. ``start`` from any thread; answers come in the main thread, in order."""

    _arrived = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._lanes: dict[str, _Lane] = {}
        self._loops: dict[str, tuple[threading.Thread, threading.Event]] = {}
        self._ending: list[tuple[str, threading.Thread]] = []
        self._lock = threading.Lock()
        self._closed = False
        self._arrived.connect(self._take, Qt.ConnectionType.QueuedConnection)

    def start(self, lane: str, work: Work, done: Callable[[Any], None] | None = None, failed: Callable[[Trouble], None] | None = None,
              tell: Callable[[str, int, int], None] | None = None) -> Job:
        """Queue ``work`` in ``lane``. RuntimeError after ``close``."""
        job = Job(lane)
        with self._lock:
            if self._closed:
                raise RuntimeError("jobs are closed")
            if lane not in self._lanes:
                self._lanes[lane] = _Lane(lane, self._deliver)
            self._lanes[lane].waiting.append(job)
            self._lanes[lane].orders.put(_Order(job, work, done, failed, tell))
        return job

    def run(self, name: str, body: LoopWork, stop: threading.Event | None = None) -> threading.Event:
        """A thread of its own for what never ends by itself (courier, watch, a running camera). Returns the event that ends it."""
        ended = stop or threading.Event()

        def guarded() -> None:
            try:
                body(ended)
            except Exception as error:
                _LOG.error("thread %s broke: %s", name, type(error).__name__, exc_info=_LOG.isEnabledFor(logging.DEBUG))

        with self._lock:
            if self._closed:
                raise RuntimeError("jobs are closed")
            thread = threading.Thread(target=guarded, name=name, daemon=True)
            self._loops[name] = (thread, ended)
            thread.start()
        return ended

    def post(self, call: Callable[[], None]) -> None:
        """Have ``call`` run in the main thread; for loops that have something to say."""
        self._deliver(call)

    def cancel(self, lane: str) -> None:
        """Ask the running job of a lane and all that wait behind it to end."""
        with self._lock:
            found = self._lanes.get(lane)
            for job in [*(found.waiting if found else ()), *([found.now] if found and found.now else ())]:
                job.cancel.set()

    def busy(self, lane: str) -> bool:
        """Whether something runs or waits in the lane."""
        found = self._lanes.get(lane)
        return found is not None and (found.now is not None or not found.orders.empty())

    def stop(self, name: str, seconds: float = 2.0) -> bool:
        """End one thread of ``run``; whether it ended in time. ``close`` waits for one that did not."""
        with self._lock:
            thread, ended = self._loops.pop(name, (None, None))
        if thread is None or ended is None:
            return True
        ended.set()
        thread.join(seconds)
        if thread.is_alive():
            with self._lock:
                self._ending = [(one, still) for one, still in self._ending if still.is_alive()] + [(name, thread)]
            return False
        return True

    def close(self, seconds: float = 5.0) -> tuple[str, ...]:
        """End loops, then lanes: all cancel events are set, then at most ``seconds`` waited. Returns the names that did not end (daemon threads)."""
        until = time.monotonic() + seconds
        with self._lock:
            self._closed = True
            loops, lanes, ending = dict(self._loops), dict(self._lanes), tuple(self._ending)
            self._loops.clear()
        for _, ended in loops.values():
            ended.set()
        for lane in lanes.values():
            for job in [*lane.waiting, *([lane.now] if lane.now else ())]:
                job.cancel.set()
            lane.orders.put(None)
        threads = [*ending, *((name, thread) for name, (thread, _) in loops.items()), *((name, lane.thread) for name, lane in lanes.items())]
        for _, thread in threads:
            thread.join(max(0.0, until - time.monotonic()))
        self._lanes.clear()
        return tuple(name for name, thread in threads if thread.is_alive())

    def _deliver(self, call: Callable[[], None]) -> None:
        try:
            self._arrived.emit(call)
        except RuntimeError:
            _LOG.debug("an answer came after the end")

    def _take(self, call: Callable[[], None]) -> None:
        if not self._closed:
            call()
