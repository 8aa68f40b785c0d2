"""One running camera: the latest frame wins, a still comes from the same open device, and nothing of a stopped camera arrives."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication

from desktop.bridge.jobs import Jobs
from desktop.effects.camera import RunningCamera
from devices.errors import CameraGone, Cancelled, TimedOut
from resources.trouble import Trouble
from tests.scenes.stages import until


class Lens:
    """A camera whose frames count up. ``fails_at``: the frame instead of which it is gone."""

    def __init__(self, log: list[str], name: str, fails_at: int | None = None) -> None:
        self._log, self.name, self._fails_at = log, name, fails_at
        self.frames = self.asked = 0
        self.held = threading.Event()
        self.held.set()

    def frame(self) -> Any:
        self.asked += 1
        self.held.wait(5)
        if self.frames == self._fails_at:
            raise CameraGone("unplugged")
        self.frames += 1
        return np.full((2, 2, 3), self.frames % 250, np.uint8)

    def __enter__(self) -> Lens:
        self._log.append(f"open {self.name}")
        return self

    def __exit__(self, *_: object) -> None:
        self._log.append(f"close {self.name}")


class Driver:
    """Gives one lens for every use."""

    def __init__(self, lens: Lens) -> None:
        self._lens = lens

    def for_use(self, use: str) -> str:
        return use

    def open(self, _device: str) -> Lens:
        return self._lens


@pytest.fixture
def jobs(qt_application: QApplication) -> Iterator[Jobs]:
    made = Jobs()
    yield made
    assert made.close() == ()


@pytest.fixture
def camera(jobs: Jobs) -> Iterator[RunningCamera]:
    made = RunningCamera(jobs)
    yield made
    made.stop()


def start(camera: RunningCamera, lens: Lens, shown: list[int] | None = None, said: list[Any] | None = None, failed: list[Trouble] | None = None,
          look: Callable[[Any], Any] = lambda frame: None) -> None:
    pictures, hints, troubles = (shown if shown is not None else []), (said if said is not None else []), (failed if failed is not None else [])
    camera.start(lambda: Driver(lens), "portrait", lambda frame: pictures.append(int(frame[0, 0, 0])), look, hints.append, troubles.append)  # type: ignore


def test_frames_are_shown_and_a_hint_is_said_once(camera: RunningCamera) -> None:
    shown: list[int] = []
    said: list[Any] = []
    start(camera, Lens([], "a"), shown, said, look=lambda frame: "good")
    until(lambda: len(shown) > 5, "frames")
    assert shown == sorted(shown) and said == ["good"]


def test_a_slow_screen_gets_the_latest_frame_and_no_queue(camera: RunningCamera) -> None:
    lens, shown = Lens([], "a"), list[int]()
    start(camera, lens, shown)
    until(lambda: shown, "the first frame")
    before = len(shown)
    end = time.monotonic() + 0.5
    while time.monotonic() < end:   # the main thread is busy with something else
        time.sleep(0.02)
    assert lens.frames > 5
    QApplication.processEvents()
    assert len(shown) - before <= 2


def test_still_is_a_copy_of_the_next_frame(camera: RunningCamera, jobs: Jobs) -> None:
    lens = Lens([], "a")
    start(camera, lens)
    until(lambda: lens.frames, "the camera")
    got: list[Any] = []
    jobs.start("pictures", lambda cancel, _tell: camera.take(cancel), got.append)
    until(lambda: got, "the still")
    assert got[0].flags.owndata and got[0].shape == (2, 2, 3)


def taken(camera: RunningCamera, jobs: Jobs) -> list[Trouble]:
    troubles: list[Trouble] = []
    jobs.start("pictures", lambda cancel, _tell: camera.take(cancel), None, troubles.append)
    return troubles


def test_still_without_a_camera_and_still_called_off(camera: RunningCamera, jobs: Jobs) -> None:
    troubles = taken(camera, jobs)
    until(lambda: troubles, "no camera")
    assert isinstance(troubles[0], CameraGone)
    lens = Lens([], "a")
    start(camera, lens)
    until(lambda: lens.frames, "the camera")
    lens.held.clear()
    troubles = taken(camera, jobs)
    until(lambda: jobs.busy("pictures"), "the still on its way")
    jobs.cancel("pictures")
    until(lambda: troubles, "called off")
    assert isinstance(troubles[0], Cancelled)
    lens.held.set()


def test_still_that_never_comes_is_given_up(camera: RunningCamera, jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("desktop.effects.camera._STILL_S", 0.2)
    lens = Lens([], "a")
    start(camera, lens)
    until(lambda: lens.frames, "the camera")
    lens.held.clear()
    troubles = taken(camera, jobs)
    until(lambda: troubles, "given up")
    assert isinstance(troubles[0], TimedOut)
    lens.held.set()


def test_camera_that_fails_says_so_and_ends_the_waiting_still(camera: RunningCamera, jobs: Jobs) -> None:
    failed: list[Trouble] = []
    lens = Lens([], "a", fails_at=3)
    start(camera, lens, failed=failed)
    until(lambda: failed, "the trouble")
    assert failed[0].code == "camera.gone"


def test_nothing_of_a_stopped_camera_arrives(camera: RunningCamera) -> None:
    """A picture of one person must not stand on the screen of the next: frames and hints that are on their way are let fall."""
    shown: list[int] = []
    said: list[Any] = []
    failed: list[Trouble] = []
    lens = Lens([], "a")
    start(camera, lens, shown, said, failed, look=lambda frame: int(frame[0, 0, 0]))
    until(lambda: shown and said, "the camera")
    end = time.monotonic() + 0.4
    while time.monotonic() < end:   # frames pile up in the queue of the main thread
        time.sleep(0.02)
    camera.stop()
    before = len(shown), len(said)
    for _ in range(20):
        QApplication.processEvents()
        time.sleep(0.01)
    assert (len(shown), len(said)) == before and failed == []


def test_second_camera_opens_after_the_first_is_closed_and_keeps_its_own_still(camera: RunningCamera, jobs: Jobs) -> None:
    log: list[str] = []
    first, second = Lens(log, "first"), Lens(log, "second")
    start(camera, first)
    until(lambda: first.frames, "the first camera")
    first.held.clear()   # slow to give its last frame
    start(camera, second)
    got: list[Any] = []
    troubles: list[Trouble] = []
    jobs.start("pictures", lambda cancel, _tell: camera.take(cancel), got.append, troubles.append)
    QApplication.processEvents()
    time.sleep(0.1)
    first.held.set()
    until(lambda: got or troubles, "the still")
    assert troubles == [] and log[:3] == ["open first", "close first", "open second"]


def test_camera_that_is_stopped_late_is_waited_for_at_the_end(qt_application: QApplication) -> None:
    jobs = Jobs()
    camera, lens = RunningCamera(jobs), Lens([], "a")
    start(camera, lens)
    until(lambda: lens.frames, "the camera")
    lens.held.clear()
    until(lambda: lens.asked > lens.frames, "the camera held in a call")
    camera.stop()
    assert jobs.close(0.1) == ("camera portrait",)
    lens.held.set()
