"""One running camera: its thread, the live picture, and stills out of the same open device. Never keeps a frame longer than until the next one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from desktop.bridge.jobs import Jobs
from devices.cameras.contract import Frame
from devices.cameras.opencv import OpencvDriver
from devices.errors import CameraGone, Cancelled, TimedOut
from resources.trouble import Trouble

__all__ = ["RunningCamera"]

_FRAMES_PER_S = 25.0
_LOOKS_PER_S = 3.0
"""How often a frame is looked at for hints: looking costs 20-60 ms on an old machine."""
_STILL_S = 6.0
_CLOSE_S = 5.0


class RunningCamera:
    """At most one camera runs. ``start`` and ``stop`` from the main thread; ``take`` from a lane."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self._name = ""
        self._wanted: Future[Frame] | None = None
        self._lock = threading.Lock()
        self._free = threading.Event()
        self._free.set()

    def start(self, driver: Callable[[], OpencvDriver], use: str, show: Callable[[Frame], None], look: Callable[[Frame], Any], seen: Callable[[Any], None],
              failed: Callable[[Trouble], None]) -> None:
        """Open the camera for ``use`` in a thread of its own. ``show(frame)`` and ``seen(look(frame))`` come in the main thread, the latest frame wins."""
        self.stop()
        self._name = f"camera {use}"
        before, self._free = self._free, threading.Event()
        mine = self._free

        def body(stop: threading.Event) -> None:
            def tell(call: Callable[[], None]) -> None:
                self._jobs.post(lambda: None if stop.is_set() else call())   # nothing of a camera that was stopped comes after the stop

            try:
                before.wait(_CLOSE_S)   # the camera before may still be waiting for its last frame
                cameras = driver()
                with cameras.open(cameras.for_use(use)) as camera:
                    self._run(camera, stop, tell, show, look, seen)
            except Trouble as trouble:
                caught = trouble
                tell(lambda: failed(caught))
            finally:
                if self._free is mine:   # a still that waits for the next camera is not this one's to refuse
                    self._refuse(CameraGone("the camera was closed"))
                mine.set()

        self._jobs.run(self._name, body)

    def stop(self, seconds: float = 0.0) -> None:
        """Tell the camera to close, and wait for it at most so long; a still that is being waited for ends with CameraGone."""
        if self._name:
            self._jobs.stop(self._name, seconds)
            self._name = ""

    def take(self, cancel: threading.Event) -> Frame:
        """The next full picture of the running camera. Raises CameraGone, TimedOut, Cancelled."""
        with self._lock:
            self._wanted = wanted = Future()
        until = time.monotonic() + _STILL_S
        while not wanted.done():
            if cancel.wait(0.02):
                raise Cancelled("called off")
            if not self._name:
                raise CameraGone("no camera runs")
            if time.monotonic() > until:
                raise TimedOut("no still in time")
        return wanted.result()

    def _run(self, camera: Any, stop: threading.Event, tell: Callable[[Callable[[], None]], None], show: Callable[[Frame], None],
             look: Callable[[Frame], Any], seen: Callable[[Any], None]) -> None:
        next_look, last_hint = 0.0, object()
        showing = threading.Event()   # a frame is on its way to the screen: the next one waits for it

        def shown(frame: Frame) -> None:
            showing.clear()
            show(frame)

        while not stop.is_set():
            begun = time.monotonic()
            frame: Frame = camera.frame()
            with self._lock:
                wanted, self._wanted = self._wanted, None
            if wanted is not None:
                wanted.set_result(frame.copy())
            if not showing.is_set():
                showing.set()
                tell(lambda latest=frame: shown(latest))
            if begun >= next_look:
                hint = look(frame)
                if hint != last_hint:
                    last_hint = hint
                    tell(lambda said=hint: seen(said))
                next_look = time.monotonic() + 1 / _LOOKS_PER_S
            stop.wait(max(0.0, 1 / _FRAMES_PER_S - (time.monotonic() - begun)))

    def _refuse(self, trouble: Trouble) -> None:
        with self._lock:
            wanted, self._wanted = self._wanted, None
        if wanted is not None:
            wanted.set_exception(trouble)
