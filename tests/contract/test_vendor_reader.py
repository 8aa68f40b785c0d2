"""What concerns vendors' libraries alone: one that hangs, crashes, lies, overflows, is missing or altered; and photos. Over a stub in a child process."""

from __future__ import annotations

import hashlib
import struct
import threading
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from devices.base import say_nothing
from devices.cards.contract import CardRead
from devices.cards.photo import PIXEL_BYTES, Photos, png
from devices.cards.profiles import PhotoShape, Profile
from devices.cards.vendor import VendorDriver
from devices.errors import BrokenFrame, DeviceTrouble, DriverCrashed, DriverHung, DriverMissing, NoReader, ReaderGone, ReaderTrouble
from tests.contract.reader_stands import Stands
from tests.emulators.idcards import PRACTICE, ZHANG


def read(connection: Any) -> CardRead:
    return connection.read(threading.Event(), say_nothing)


@pytest.mark.parametrize("family", ["sdt", "cvr"])
@pytest.mark.parametrize(("fault", "kinds"), [
    ("hang", (DriverHung,)), ("crash", (DriverCrashed,)), ("lie", (BrokenFrame,)), ("huge", (BrokenFrame,)), ("overflow", (BrokenFrame, DriverCrashed)),
])
def test_a_bad_library_has_its_trouble_and_the_next_read_works(
    stands: Stands, monkeypatch: pytest.MonkeyPatch, family: str, fault: str, kinds: tuple[type[DeviceTrouble], ...],
    table: Callable[[str, str, str, str], None],
) -> None:
    monkeypatch.setenv("STUB_FAULT", fault)
    stand = stands.make(family, exchange_seconds=0.6)
    stand.lay(PRACTICE)
    with stand.driver.open(stand.device()) as connection, pytest.raises(kinds) as caught:
        read(connection)
    assert type(caught.value) in kinds
    monkeypatch.setenv("STUB_FAULT", "")
    stand.driver.close()    # the stub reads its surroundings at its start
    stand.lay(ZHANG)
    with stand.driver.open(stand.device()) as connection:
        assert read(connection).card.name_zh == "张三"
    table(family, "resident", f"library: {fault}, next card", f"{caught.value.code}, read")


def test_a_library_that_is_missing_altered_or_no_library(stub_library: Path, tmp_path: Path) -> None:
    text = tmp_path / "libtext.so"
    text.write_text("no library", "ascii")
    digest = "sha256:" + hashlib.sha256(stub_library.read_bytes()).hexdigest()
    for path, sha256 in ((tmp_path / "none.so", ""), (text, ""), (stub_library, "sha256:" + "0" * 64)):
        driver = VendorDriver([Profile.from_json({"name": "v", "mode": "sdt", "vendor": {"library": str(path), "sha256": sha256}})])
        try:
            with pytest.raises(DriverMissing) as caught:
                driver.find()
            assert caught.value.facts["library"] == path.name
            assert [(seen.device.name, seen.card) for seen in driver.look()] == [("v", False)]
        finally:
            driver.close()
    driver = VendorDriver([Profile.from_json({"name": "v", "mode": "sdt", "vendor": {"library": str(stub_library), "sha256": digest}})])
    try:
        assert driver.find() == (), "the library is the right one; no reader is plugged in"
        with pytest.raises(ReaderGone):
            driver.open(driver.look()[0].device)
    finally:
        driver.close()


def test_a_library_without_the_functions(tmp_path: Path) -> None:
    import subprocess

    source = tmp_path / "thin.c"
    source.write_text("int SDT_OpenPort(int port) { return 0x90; }\n", "ascii")
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", str(tmp_path / "libthin.so"), str(source)], check=True)
    driver = VendorDriver([Profile.from_json({"name": "v", "mode": "sdt", "vendor": {"library": str(tmp_path / "libthin.so")}})])
    try:
        with pytest.raises(DriverMissing, match="SDT_ClosePort"):
            driver.find()
    finally:
        driver.close()


def test_no_reader_is_named() -> None:
    driver = VendorDriver([])
    assert (driver.find(), driver.look()) == ((), ())
    with pytest.raises(NoReader):
        driver.open(stands_device())


def stands_device() -> Any:
    from devices.base import Device

    return Device("vendor", "v", "v:1001")


# -- photos ----------------------------------------------------------------------------------------------------------------------------
def shape(library: Path, **changed: Any) -> PhotoShape:
    return PhotoShape(**({"path": str(library), "sha256": "", "entry": "unpack", "argument": 708} | changed))


def rows(picture: bytes) -> list[bytes]:
    """The rows of a PNG without filters."""
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", picture[16:24])
    size = struct.unpack(">I", picture[33:37])[0]
    raw = zlib.decompress(picture[41:41 + size])
    assert zlib.crc32(picture[37:41 + size]) == struct.unpack(">I", picture[41 + size:45 + size])[0]
    assert len(raw) == height * (width * 3 + 1)
    return [raw[start + 1:start + 1 + width * 3] for start in range(0, len(raw), width * 3 + 1)]


@pytest.mark.parametrize("reader", ["serial", "sdt"])
def test_a_photo_is_decoded_where_a_library_is(stands: Stands, stub_library: Path, reader: str) -> None:
    stand = stands.make(reader, photo={"library": str(stub_library), "entry": "unpack", "argument": 708})
    stand.lay(PRACTICE)
    with stand.driver.open(stand.device()) as connection:
        found = read(connection)
    assert found.photo == PRACTICE.photo and found.photo_trouble is None and found.photo_image is not None
    lines = rows(found.photo_image)
    assert (len(lines), lines[0][0], lines[125][0], lines[3][2 * 3 + 2]) == (126, 125, 0, 2), "the library's last row is the picture's first"
    assert repr(found).count(str(found.photo_image)) == 0
    stand.driver.close()


def test_a_photo_library_that_fails_costs_the_picture_and_nothing_else(stands: Stands, stub_library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand = stands.make("serial", photo={"library": str(stub_library), "entry": "unpack", "argument": 999})
    stand.lay(PRACTICE)
    with stand.driver.open(stand.device()) as connection:
        found = read(connection)
    assert (found.card.name_zh, found.photo, found.photo_image, type(found.photo_trouble)) == ("李练工", PRACTICE.photo, None, ReaderTrouble)
    stand.driver.close()
    for fault, kinds in (("hang", DriverHung), ("crash", DriverCrashed), ("overflow", BrokenFrame), ("no_photo", ReaderTrouble)):
        monkeypatch.setenv("STUB_FAULT", fault)
        photos = Photos(decode_seconds=0.5)
        decode = photos.decoder(shape(stub_library))
        assert decode is not None
        with pytest.raises(kinds):
            decode(PRACTICE.photo)
        photos.close()
    assert Photos().decoder(None) is None


def test_pixels_lie_as_the_profile_says() -> None:
    pixels = bytes(range(3)) + bytes(PIXEL_BYTES - 6) + b"\x07\x08\x09"
    for pixel_order, row_order, first, last in (("rgb", "down", b"\0\1\2", b"\7\x08\x09"), ("bgr", "down", b"\2\1\0", b"\x09\x08\7"),
                                                ("rgb", "up", b"\0\0\0", b"\0\0\0")):
        lines = rows(png(pixels, shape(Path("x"), pixels=pixel_order, rows=row_order)))
        assert (lines[0][:3], lines[-1][-3:]) == (first, last)
    assert rows(png(pixels, shape(Path("x"), rows="up")))[-1][:3] == b"\0\1\2"
    with pytest.raises(BrokenFrame):
        png(pixels[:-1], shape(Path("x")))
