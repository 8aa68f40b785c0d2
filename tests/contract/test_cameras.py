"""One suite for every camera: a video file, a still sequence, and with ``--device`` a real one."""

from __future__ import annotations

import threading
import time

import cv2
import numpy as np
import pytest

from devices.cameras.opencv import CameraSource, OpencvDriver
from devices.errors import CameraBusy, CameraGone, Cancelled, NoCamera
from tests.emulators.pictures import as_stills, as_video, live_frames


@pytest.fixture(scope="module")
def frames():
    return live_frames(6, width=640, height=480)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Emulated sources always; with ``--device 0`` the camera of that index where nothing has to be unplugged."""
    if "source" in metafunc.fixturenames:
        real = metafunc.config.getoption("--device", None) or ""
        more = ["device"] if real.isdecimal() and "emulated" not in metafunc.function.__name__ and "unplugged" not in metafunc.function.__name__ else []
        metafunc.parametrize("source", ["video", "stills", *more], indirect=True)


@pytest.fixture
def source(request, tmp_path, frames):
    if request.param == "device":
        return CameraSource("摄像头", request.config.getoption("--device"), "portrait")
    place = str(as_video(frames, tmp_path / "face.avi", 30)) if request.param == "video" else as_stills(frames, tmp_path / "face")
    return CameraSource("练习摄像头", place, "portrait")


@pytest.fixture
def driver(source):
    return OpencvDriver([source])


def unplug(source: CameraSource) -> None:
    from pathlib import Path

    path = Path(source.source)
    for each in path.parent.glob(path.name.replace("%03d", "*")):
        each.unlink()


def test_find_is_cheap_and_tells_emulated(driver, source):
    (device,) = driver.find()
    assert device.name == "练习摄像头" and device.emulated and device.address == source.source
    assert driver.for_use("portrait") == device
    with pytest.raises(NoCamera) as caught:
        driver.for_use("document")
    assert caught.value.facts["use"] == "document"


def test_pictures_come_and_go_on_after_the_last(driver):
    with driver.open(driver.find()[0]) as camera:
        size = (camera.granted.height, camera.granted.width, 3)
        seen = [camera.frame() for _ in range(15)]
    assert camera.granted.rate > 5 and (camera.device.emulated is False or size == (480, 640, 3))
    assert all(frame.shape == size and frame.dtype == np.uint8 for frame in seen)
    assert not np.array_equal(seen[0], seen[2])


def test_a_frame_belongs_to_the_caller(driver):
    with driver.open(driver.find()[0]) as camera:
        camera.frame()[:] = 0
        assert camera.frame().mean() > 20


def test_a_still_is_a_jpeg_of_full_size(driver):
    with driver.open(driver.find()[0]) as camera:
        still = camera.still()
    picture = cv2.imdecode(np.frombuffer(still.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (still.height, still.width, 3) == (camera.granted.height, camera.granted.width, 3) and "jpeg" not in repr(still)


def test_twice_is_busy_and_after_closing_free(driver):
    device = driver.find()[0]
    with driver.open(device), pytest.raises(CameraBusy):
        driver.open(device)
    with driver.open(device) as camera:
        assert camera.frame().any()


def test_unplugged_is_gone_within_two_seconds(driver, source):
    with driver.open(driver.find()[0]) as camera:
        camera.frame()
        unplug(source)
        began = time.monotonic()
        with pytest.raises(CameraGone):
            for _ in range(100):
                camera.frame()
        assert time.monotonic() - began < 4
    assert driver.find() == ()


def test_unplugged_before_is_no_camera(driver, source):
    device = driver.find()[0]
    unplug(source)
    with pytest.raises(NoCamera):
        driver.open(device)


def test_closing_wakes_a_waiting_reader_and_leaves_no_thread(driver):
    before = threading.active_count()
    camera = driver.open(driver.find()[0])
    errors: list[BaseException] = []

    def read() -> None:
        try:
            while True:
                camera.frame()
        except Cancelled as error:
            errors.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    time.sleep(0.1)
    camera.close()
    camera.close()
    reader.join(2)
    assert not reader.is_alive() and len(errors) == 1 and threading.active_count() == before


def test_a_file_that_is_no_video_is_no_camera(tmp_path):
    junk = tmp_path / "junk.avi"
    junk.write_bytes(b"nothing" * 50)
    driver = OpencvDriver([CameraSource("x", str(junk), "code")])
    with pytest.raises(NoCamera):
        driver.open(driver.find()[0])
    junk.unlink()
    assert driver.find() == ()


def test_the_device_list_is_read_strictly():
    assert CameraSource.from_json({"name": "高拍仪", "source": "0", "use": "document"}).index == 0
    for bad in ({"name": "x", "source": "rtsp://a", "use": "code"}, {"name": "x", "source": "0", "use": "spy"}, {"name": "x", "source": 0, "use": "code"},
                {"name": "x", "source": "0", "use": "code", "more": 1}):  # fmt: skip
        with pytest.raises(ValueError):
            CameraSource.from_json(bad)


def test_an_index_that_is_not_there():
    driver = OpencvDriver([CameraSource("x", "97", "portrait")])
    with pytest.raises(NoCamera):
        driver.for_use("portrait")
