"""Handlers of the credit-sheet check: camera, files, verdicts. Never opens an address from a code, never decodes a stranger's file in this process."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from typing import Any

import cv2
import numpy as np

from desktop.bridge.jobs import Jobs
from desktop.effects.camera import RunningCamera
from desktop.effects.carry import Post
from desktop.flows.machine import Failed
from desktop.flows.words_verify import CodeSeen, Judge, Judged, LookNow, Note, OpenFile, WatchCamera
from desktop.rooms import Rooms, now
from devices.cameras.contract import Frame
from devices.errors import CodeUnreadable
from devices.vision.codes import Code, read_codes, read_codes_live
from devices.vision.files import codes_on, file_host, pictures
from resources.trouble import Trouble
from sync.errors import SyncTrouble
from sync.sheet import judge, sheet_keys

__all__ = ["CheckWork"]

_THOROUGH_EVERY = 5


class CheckWork:
    """Handlers of the check. ``rooms`` gives the open rooms, ``show`` takes live frames in the main thread."""

    def __init__(self, rooms: Any, jobs: Jobs, camera: RunningCamera, show: Callable[[Frame | None], None]) -> None:
        self._rooms, self._jobs, self._camera, self._show = rooms, jobs, camera, show

    def watch(self, _order: WatchCamera, post: Post) -> None:
        count = 0

        def look(frame: Frame) -> CodeSeen | None:
            nonlocal count
            count += 1
            grey = np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), dtype=np.uint8)
            codes = read_codes_live(grey, count % _THOROUGH_EVERY == 0)
            return _seen(0, codes[0], frame) if codes else None

        def seen(event: CodeSeen | None) -> None:
            if event is not None:
                post(event)

        def failed(trouble: Trouble) -> None:
            post(Failed(trouble, "WatchCamera"))

        self._camera.start(lambda: self._rooms().cameras(), "code", self._show, look, seen, failed)

    def look_now(self, order: LookNow, cancel: Event, _tell: Any) -> CodeSeen:
        frame = self._camera.take(cancel)
        codes = read_codes(np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), dtype=np.uint8))
        if not codes:
            raise CodeUnreadable("no code in the still")
        return _seen(order.look, codes[0], frame)

    def open_file(self, order: OpenFile, cancel: Event, _tell: Any) -> CodeSeen:
        """Pages and codes come out of a child process. Raises FileHostile, CodeUnreadable."""
        with file_host() as host:
            for index, page in enumerate(pictures(order.untrusted, "", host, cancel)):
                for content, quad in codes_on(order.untrusted, index, host, cancel):
                    return CodeSeen(order.look, content, quad, page)
        raise CodeUnreadable("no code on any page")

    def judge(self, order: Judge, post: Post) -> None:
        """Offline at once, then with what the platform says; where it cannot be asked, the first verdict is repeated as final."""

        def offline(_cancel: Event, _tell: Any) -> Judged:
            return Judged(order.look, self._verdict(order.untrusted, None), True, now())

        def online(_cancel: Event, _tell: Any) -> Judged:
            rooms: Rooms = self._rooms()
            first = self._verdict(order.untrusted, None)
            if first.facts is None:
                return Judged(order.look, first, False, now())
            try:
                status = rooms.province.sheet(first.facts.number)
            except SyncTrouble:
                status = None
            return Judged(order.look, self._verdict(order.untrusted, status), False, now())

        def failed(trouble: Trouble) -> None:
            post(Failed(trouble, "Judge"))

        self._jobs.start("judge", offline, post, failed)
        self._jobs.start("judge", online, post, failed)

    def note(self, order: Note, _cancel: Event, _tell: Any) -> None:
        self._rooms().note("station", order.what, "", dict(order.facts))

    def _verdict(self, untrusted: bytes, online: Any) -> Any:
        station = self._rooms().station
        roots = station.kept["roots"]
        return judge(untrusted, sheet_keys(roots.body), now(), practice=station.practice, online=online, keys_as_of=roots.issued_at)


def _seen(look: int, code: Code, frame: Frame) -> CodeSeen:
    return CodeSeen(look, code.bytes, tuple((int(x), int(y)) for x, y in code.quad), frame)
