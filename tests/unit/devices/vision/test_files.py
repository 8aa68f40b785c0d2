"""Files that strangers bring: opened elsewhere, named when they are hostile."""

from __future__ import annotations

import os
import struct
import zlib

import cv2
import numpy as np
import pypdfium2
import pytest

from devices.errors import FileHostile
from devices.host import Host
from devices.vision.files import file_host, kind_of, pictures
from tests.emulators.pictures import certificate


@pytest.fixture(scope="module")
def host():
    with file_host() as opened:
        opened.start()
        yield opened


def as_pdf(pages: int = 1, size=(595, 842)) -> bytes:
    import io

    document = pypdfium2.PdfDocument.new()
    for _ in range(pages):
        document.new_page(*size)
    out = io.BytesIO()
    document.save(out)
    document.close()
    return out.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def bomb(width=60_000, height=60_000) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


@pytest.mark.parametrize("ending", [".png", ".jpg"])
def test_pictures_come_back_as_they_were(host, ending):
    page = certificate(dpi=75)
    data = cv2.imencode(ending, page)[1].tobytes()
    (found,) = pictures(data, "x" + ending, host)
    assert found.shape == page.shape and float(np.abs(found.astype(int) - page).mean()) < 3


def test_a_document_page_by_page(host):
    found = list(pictures(as_pdf(3), "x.png", host))
    assert [page.shape for page in found] == [(2339, 1653, 3)] * 3


def why(data: bytes, host) -> str:
    with pytest.raises(FileHostile) as caught:
        list(pictures(data, "x", host))
    return str(caught.value.facts["why"])


def test_what_is_refused(host):
    assert why(b"", host) == "size" and why(b"MZ" + bytes(100), host) == "kind"
    assert why(bytes(31 * 1024 * 1024), host) == "size"
    assert why(bomb(), host) == "pixels"
    assert why(b"\xff\xd8\xff\xe0" + bytes(50), host) in ("broken",)
    assert why(cv2.imencode(".png", certificate(dpi=40))[1].tobytes()[:60], host) == "broken"
    assert why(b"%PDF-1.7\n" + os.urandom(500), host) == "broken"
    assert why(as_pdf(21), host) == "pages"


def test_a_huge_page_is_drawn_small(host):
    (found,) = pictures(as_pdf(1, (14_000, 14_000)), "x", host)
    assert found.shape[0] * found.shape[1] <= 40_000_000


class Crashing:
    """Stands for a decoder with a memory fault."""

    def count(self, untrusted: bytes) -> int:
        os.kill(os.getpid(), 9)
        return 1


class Lying:
    """Stands for a child that was taken over."""

    def count(self, untrusted: bytes) -> int:
        return 1

    def page(self, untrusted: bytes, index: int) -> object:
        return np.zeros((5, 5), np.float64)


@pytest.mark.parametrize("who,what", [("Crashing", "crash"), ("Lying", "broken")])
def test_a_file_that_brings_its_reader_down_is_a_named_trouble(who, what):
    with Host(f"tests.unit.devices.vision.test_files:{who}") as host:
        assert why(as_pdf(), host) == what


def test_the_kind_is_read_from_the_bytes():
    assert kind_of(b"\xff\xd8\xff\xe1") == "jpeg" and kind_of(b"junk\n%PDF-1.4") == "pdf" and kind_of(b"GIF89a") == ""
