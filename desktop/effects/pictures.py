"""Portraits, documents and files for the sitting: live hints, stills, what is kept. Never writes a picture outside the encrypted store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

import cv2
import numpy as np

from desktop.bridge.jobs import Jobs
from desktop.effects.camera import RunningCamera
from desktop.effects.carry import Post
from desktop.effects.thumbs import encoded, thumbnail
from desktop.flows.machine import Failed
from desktop.flows.words import ClosePreview, CompareFaces, FaceCompared, Hint, HintSeen, OpenPreview, StillTaken, TakeDocument, TakeFile, TakePortrait
from desktop.rooms import Rooms
from devices.cameras.contract import Frame
from devices.errors import FileHostile, NoModel, TimedOut
from devices.vision.face import FaceComparer, FaceFinder
from devices.vision.files import MOST_BYTES, file_host, pictures
from devices.vision.page import find_page, flatten
from devices.vision.portrait import check, packed
from devices.vision.quality import page_quality
from resources.trouble import Trouble
from sync.draft import DraftStill

__all__ = ["PictureWork"]

_PAGE_QUALITY = 75
_PORTRAIT_QUALITY = 85
_PORTRAIT_PIXELS = 1280
_ROW_S = 10.0
"""How long a picture waits for the row of its draft."""


class PictureWork:
    """Handlers of the camera and picture lanes. ``rooms`` gives the open rooms, ``show`` takes live frames in the main thread."""

    def __init__(self, rooms: Any, camera: RunningCamera, jobs: Jobs, show: Callable[[Frame | None], None]) -> None:
        self._rooms, self._camera, self._jobs, self._show = rooms, camera, jobs, show

    # -- live -------------------------------------------------------------------------------------------------------------------------
    def open(self, order: OpenPreview, post: Post) -> None:
        look = self._look_portrait() if order.use == "portrait" else _look_page

        def failed(trouble: Trouble) -> None:
            post(Failed(trouble, "OpenPreview"))

        self._camera.start(lambda: self._rooms().cameras(), order.use, self._show, look, lambda hint: post(HintSeen(hint)), failed)

    def close(self, _order: ClosePreview, _post: Post) -> None:
        self._camera.stop()
        self._show(None)

    def _look_portrait(self) -> Callable[[Frame], Hint | None]:
        rooms: Rooms = self._rooms()
        found: list[FaceFinder | None] = []

        def look(frame: Frame) -> Hint | None:
            if not found:
                found.append(_finder(rooms))
            finder = found[0]
            return _first_hint("portrait", check(frame, finder.find(frame) if finder else None))

        return look

    # -- stills -----------------------------------------------------------------------------------------------------------------------
    def portrait(self, order: TakePortrait, cancel: Event, _tell: Any) -> StillTaken:
        """The ID photo where a face was found (GA/T 461 crop), else the whole picture: a person looks at it either way."""
        rooms: Rooms = self._rooms()
        frame = self._camera.take(cancel)
        finder = _finder(rooms)
        report = check(frame, finder.find(frame) if finder else None)
        content = packed(report.picture) if report.picture is not None else encoded(frame, _PORTRAIT_PIXELS, _PORTRAIT_QUALITY)
        return self._kept(order.draft_id, "portrait", content, "B", _hints("portrait", report.must, report.look))

    def document(self, order: TakeDocument, cancel: Event, _tell: Any) -> StillTaken:
        """The flattened page where one is surely seen, else the whole picture."""
        frame = self._camera.take(cancel)
        return self._page(order.draft_id, order.kind, order.trust, frame)

    def file(self, order: TakeFile, cancel: Event, _tell: Any) -> list[StillTaken]:
        """Every page of a file, opened in a child process. Raises FileHostile."""
        path = Path(order.path)
        try:
            if path.stat().st_size > MOST_BYTES:
                raise FileHostile("too large", why="size")
            untrusted = path.read_bytes()
        except OSError as error:
            raise FileHostile("cannot be read", why="broken") from error
        with file_host() as host:
            return [self._kept(order.draft_id, order.kind, encoded(page, 0, _PAGE_QUALITY), order.trust, ()) for page in pictures(untrusted, "", host, cancel)]

    def compare(self, order: CompareFaces, _cancel: Event, _tell: Any) -> FaceCompared:
        """On this machine only; the templates are gone when it returns. Raises NoModel: then staff compares."""
        rooms: Rooms = self._rooms()
        chip = cv2.imdecode(np.frombuffer(order.chip_photo, np.uint8), cv2.IMREAD_COLOR)
        live = cv2.imdecode(np.frombuffer(rooms.parked.still(order.still_id), np.uint8), cv2.IMREAD_COLOR)
        if chip is None or live is None:
            raise NoModel("no picture to compare", why="photo")
        result = FaceComparer(rooms.models).compare(np.asarray(chip, np.uint8), [np.asarray(live, np.uint8)])
        return FaceCompared(result.verdict, "model", result.score, result.model, order.still_id)

    def _page(self, draft_id: str, kind: str, trust: str, frame: Frame) -> StillTaken:
        found = find_page(frame)
        if found is not None and found.sure:
            page = flatten(frame, found.corners).page
            quality = page_quality(page, corners=found.corners, frame=(frame.shape[0], frame.shape[1]))
            hints = _hints("page", tuple(k for k in quality.why if quality.verdict == "poor"), tuple(k for k in quality.why if quality.verdict != "poor"))
        else:
            page, hints = frame, (Hint("page.whole", "wait"),)
        return self._kept(draft_id, kind, encoded(page, 0, _PAGE_QUALITY), trust, hints)

    def _kept(self, draft_id: str, kind: str, content: bytes, trust: str, hints: tuple[Hint, ...]) -> StillTaken:
        """The draft's row comes first: what was ordered in the outbox lane before this press is written when this goes on."""
        written = Event()
        self._jobs.start("outbox", lambda _cancel, _tell: written.set())
        if not written.wait(_ROW_S):
            raise TimedOut("the store is busy")
        still: DraftStill = self._rooms().parked.add_still(draft_id, kind, "image/jpeg", content, trust)
        return StillTaken(still, thumbnail(content), hints, draft_id)


def _finder(rooms: Rooms) -> FaceFinder | None:
    try:
        return FaceFinder(rooms.models.detector)
    except NoModel:
        return None


def _hints(place: str, must: tuple[str, ...], look: tuple[str, ...]) -> tuple[Hint, ...]:
    return (*(Hint(f"{place}.{key}", "stop") for key in must), *(Hint(f"{place}.{key}", "wait") for key in look))


def _first_hint(place: str, report: Any) -> Hint | None:
    hints = _hints(place, report.must, report.look)
    return hints[0] if hints else Hint(f"{place}.good", "good")


def _look_page(frame: Frame) -> Hint | None:
    found = find_page(frame)
    return Hint("page.good", "good") if found is not None and found.sure else Hint("page.none", "wait")
