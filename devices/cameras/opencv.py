"""Cameras through OpenCV: device indices, video files and still sequences, by one VideoCapture code. Never writes a picture to the disk, opens no URL.

A still sequence is written like OpenCV does: ``/folder/frame_%03d.png``. File sources loop and are called emulated.
One thread per open camera takes pictures; the latest one wins.
"""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import cv2
import numpy as np

from devices.base import Device
from devices.cameras.contract import Frame, Still
from devices.errors import CameraBusy, CameraGone, Cancelled, NoCamera

__all__ = ["CameraSource", "Granted", "OpencvCamera", "OpencvDriver"]

FRAME_WAIT = 2.0
"""Seconds that ``frame`` may block (contract)."""
WARM_UP = 5
"""First frames of a device that are thrown away: exposure and white balance still move (document cameras)."""
FULL_SIZE = (4096, 3072)
"""Asked of devices; a UVC driver grants its nearest size, so asking for more than any has means full resolution."""
STILL_CHOICES = 3
"""Frames among which ``still`` takes the sharpest."""
JPEG_QUALITY = 90
"""Of contract ``Still``."""
DEFAULT_RATE = 25.0
"""Frames per second of a file that does not say; OpenCV says 1 for still sequences."""


@dataclass(frozen=True, slots=True)
class CameraSource:
    """One line of the signed device list: where pictures come from and what for (portrait, document, code)."""

    name: str
    source: str
    use: str
    size: tuple[int, int] = FULL_SIZE

    @classmethod
    def from_json(cls, untrusted: Mapping[str, object]) -> CameraSource:
        """From an entry of ``cameras`` in ``devices.json`` (FORMATS 8.1). Raises ValueError."""
        name, source, use = untrusted.get("name"), untrusted.get("source"), untrusted.get("use")
        if not (isinstance(name, str) and isinstance(source, str) and isinstance(use, str)) or set(untrusted) - {"name", "source", "use"}:
            raise ValueError("a camera is name, source and use")
        if use not in ("portrait", "document", "code") or not name or not source or "://" in source:
            raise ValueError("a camera's use or source is not one of ours")
        return cls(name, source, use)

    @property
    def index(self) -> int | None:
        """The number of the device, or None for files."""
        return int(self.source) if self.source.isdecimal() else None

    def present(self) -> bool:
        """Is it there now? Cheap: opens nothing. Where the system has no device files (Windows), a listed index counts as present."""
        if self.index is not None:
            return not sys.platform.startswith("linux") or Path(f"/dev/video{self.index}").exists()
        path = Path(self.source)
        if pattern := re.fullmatch(r"(.*)%0(\d)d(\.\w+)", path.name):
            start, digits, end = pattern.groups()
            shape = re.compile(re.escape(start) + r"\d{" + digits + "}" + re.escape(end))
            return path.parent.is_dir() and any(shape.fullmatch(entry.name) for entry in path.parent.iterdir())
        return path.is_file()


@dataclass(frozen=True, slots=True)
class Granted:
    """What the camera really gives: pixels, frames per second, four-character code of the stream."""

    width: int
    height: int
    rate: float
    code: str


class OpencvDriver:
    """Finds and opens the cameras of the device list. One camera is opened once at a time; a second time is ``CameraBusy``."""

    name = "opencv"

    def __init__(self, sources: Sequence[CameraSource]) -> None:
        self._sources = tuple(sources)
        self._held: set[str] = set()
        self._lock = threading.Lock()

    def find(self) -> Sequence[Device]:
        """The listed cameras that are there now, in the order of the list."""
        return tuple(self._device(source) for source in self._sources if source.present())

    def for_use(self, use: str) -> Device:
        """The first present camera for ``use`` (portrait, document, code). Raises NoCamera(use)."""
        for source in self._sources:
            if source.use == use and source.present():
                return self._device(source)
        raise NoCamera("no listed camera is present", use=use)

    def open(self, device: Device) -> OpencvCamera:
        """An open camera. Raises NoCamera, CameraBusy, CameraGone."""
        source = next((each for each in self._sources if self._device(each) == device), None)
        if source is None or not source.present():
            raise NoCamera("not in the list, or not present", use=source.use if source else "")
        with self._lock:
            if source.source in self._held:
                raise CameraBusy("this program has it open already")
            self._held.add(source.source)
        try:
            return OpencvCamera(device, source, lambda: self._release(source))
        except BaseException:
            self._release(source)
            raise

    def _release(self, source: CameraSource) -> None:
        with self._lock:
            self._held.discard(source.source)

    def _device(self, source: CameraSource) -> Device:
        return Device(self.name, source.name, source.source, emulated=source.index is None)


class OpencvCamera:
    """One open camera; a context manager. Made by ``OpencvDriver.open``."""

    def __init__(self, device: Device, source: CameraSource, released: Any) -> None:
        self.device = device
        self._source = source
        self._released = released
        self._news = threading.Condition()
        self._latest: Frame | None = None
        self._count = 0
        self._ended = False
        self._stop = threading.Event()
        self._capture = _capture(source)
        try:
            self.granted = _granted(self._capture)
            self._warm_up()
        except BaseException:
            self._capture.release()
            raise
        self._grabber = threading.Thread(target=self._grab, name=f"camera {device.name}", daemon=True)
        self._grabber.start()

    def frame(self) -> Frame:
        """The next picture (height x width x 3, BGR). Blocks for at most 2 s. Raises CameraGone, Cancelled after closing."""
        with self._news:
            seen = self._count
            self._news.wait_for(lambda: self._count > seen or self._ended or self._stop.is_set(), timeout=FRAME_WAIT)
            if self._stop.is_set():
                raise Cancelled("the camera was closed")
            if self._latest is None or self._count == seen:
                raise CameraGone("no picture came", camera=self.device.name)
            return self._latest.copy()

    def still(self) -> Still:
        """The sharpest of the next pictures as JPEG. Raises CameraGone."""
        best = max((self.frame() for _ in range(STILL_CHOICES)), key=_sharpness)
        done, jpeg = cv2.imencode(".jpg", best, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        if not done:
            raise CameraGone("the picture could not be packed", camera=self.device.name)
        return Still(jpeg.tobytes(), best.shape[1], best.shape[0])

    def __enter__(self) -> OpencvCamera:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Stops and lets the device go; at most 2 s. Doing it twice is fine."""
        if self._stop.is_set():
            return
        self._stop.set()
        with self._news:
            self._news.notify_all()
        self._grabber.join(FRAME_WAIT)
        with self._news:
            self._latest = None
        self._released()

    def _warm_up(self) -> None:
        for _ in range(WARM_UP if self._source.index is not None else 1):
            there, _picture = self._capture.read()
            if not there:
                raise CameraBusy("it opens but gives no picture") if self._source.index is not None else CameraGone("the file holds no picture")
        if self._source.index is None:
            self._capture = _again(self._capture, self._source)

    def _grab(self) -> None:
        pause = 1 / self.granted.rate if self._source.index is None else 0.0
        try:
            while not self._stop.wait(pause):
                picture = self._read()
                with self._news:
                    if picture is None:
                        break
                    self._latest = picture
                    self._count += 1
                    self._news.notify_all()
        finally:
            with self._news:
                self._ended = True
                self._news.notify_all()
            self._capture.release()

    def _read(self) -> Frame | None:
        """The next picture, the first one again after the last of a file; None when there are no more (unplugged, file removed)."""
        with suppress(cv2.error, CameraGone, CameraBusy, NoCamera):
            if self._source.index is None and not self._source.present():
                return None
            there, picture = self._capture.read()
            if not there and self._source.index is None:
                self._capture = _again(self._capture, self._source)
                there, picture = self._capture.read()
            if there:
                return _colour(np.asarray(picture, dtype=np.uint8))
        return None


def _capture(source: CameraSource) -> cv2.VideoCapture:
    """An open VideoCapture with full resolution asked for. Raises CameraBusy, NoCamera."""
    if source.index is None:
        capture = cv2.VideoCapture(source.source, cv2.CAP_IMAGES if "%" in source.source else cv2.CAP_FFMPEG)
        if not capture.isOpened():
            raise NoCamera("the file is no video that can be read", use=source.use)
        return capture
    backend = {"linux": cv2.CAP_V4L2, "win32": cv2.CAP_DSHOW}.get(sys.platform, cv2.CAP_ANY)
    capture = cv2.VideoCapture(source.index, backend)
    if not capture.isOpened():
        capture.release()
        raise _why_closed(source)
    capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
    capture.set(cv2.CAP_PROP_FRAME_WIDTH, source.size[0])
    capture.set(cv2.CAP_PROP_FRAME_HEIGHT, source.size[1])
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    return capture


def _why_closed(source: CameraSource) -> CameraBusy | NoCamera:
    node = f"/dev/video{source.index}"
    if sys.platform.startswith("linux") and not os.access(node, os.R_OK | os.W_OK):
        return NoCamera("not present, or this account may not use it", use=source.use)
    return CameraBusy("it does not open; another program uses it", camera=source.name)


def _again(capture: cv2.VideoCapture, source: CameraSource) -> cv2.VideoCapture:
    """The file from its beginning."""
    capture.release()
    return _capture(source)


def _granted(capture: cv2.VideoCapture) -> Granted:
    rate = capture.get(cv2.CAP_PROP_FPS)
    code = int(capture.get(cv2.CAP_PROP_FOURCC)) & 0xFFFFFFFF
    return Granted(
        int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)),
        int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)),
        rate if 1 < rate <= 120 else DEFAULT_RATE,
        code.to_bytes(4, "little").decode("ascii", "replace").strip("\x00 "),
    )


def _colour(picture: Frame) -> Frame:
    if picture.ndim == 2 or picture.shape[2] == 1:
        return np.asarray(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR), dtype=np.uint8)
    return np.asarray(picture[:, :, :3], dtype=np.uint8)


def _sharpness(frame: Frame) -> float:
    """Only for choosing among frames of one scene; between scenes this number means nothing (facts: variance of Laplacian)."""
    grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
    return float(cv2.Laplacian(grey, cv2.CV_64F).var())
