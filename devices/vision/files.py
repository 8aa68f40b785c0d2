"""Pictures from files that strangers bring (PDF, JPEG, PNG), opened in a child process. Never decodes one in the caller's process, never believes its name.

``pictures`` is the door; ``FileOpener`` is what lives in the child of ``devices.host.Host``.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from devices.base import Cancel
from devices.cameras.contract import Frame
from devices.errors import DriverCrashed, DriverHung, FileHostile
from devices.host import Host
from devices.vision.codes import read_codes

__all__ = ["FileOpener", "codes_on", "file_host", "kind_of", "pictures"]

MOST_BYTES = 30 * 1024 * 1024
MOST_PIXELS = 40_000_000
"""Of one picture; refused before decoding, from the header."""
MOST_PAGES = 20
DPI = 200
"""PDF pages are rendered at this many dots per inch, less where the page is huge."""
MEMORY = 3 * 1024**3
"""Bytes of address space of the child (Linux)."""
OPEN_SECONDS, PAGE_SECONDS = 20.0, 20.0


def file_host() -> Host:
    """A host with a ``FileOpener`` in it; the caller closes it."""
    return Host("devices.vision.files:FileOpener", call_seconds=PAGE_SECONDS)


def pictures(untrusted: bytes, name: str, host: Host, cancel: Cancel | None = None) -> Iterator[Frame]:
    """The pages as pictures (BGR), one at a time.

    ``name`` is only for the log and never decides anything. Raises FileHostile(why): size, kind, pixels, pages, locked, broken, crash, hang; Cancelled.
    """
    if not 0 < len(untrusted) <= MOST_BYTES:
        raise FileHostile("too large or empty", why="size")
    if not kind_of(untrusted):
        raise FileHostile("neither PDF nor JPEG nor PNG", why="kind")
    try:
        count: object = host.call("count", untrusted, seconds=OPEN_SECONDS, cancel=cancel)
        if not isinstance(count, int) or not 1 <= count <= MOST_PAGES:
            raise FileHostile("no pages, or too many", why="pages")
        for index in range(count):
            yield _checked(host.call("page", untrusted, index, seconds=PAGE_SECONDS, cancel=cancel))
    except DriverCrashed as error:
        raise FileHostile("the file brought its reader down", why="crash") from error
    except DriverHung as error:
        raise FileHostile("the file keeps its reader busy for ever", why="hang") from error


def kind_of(untrusted: bytes) -> str:
    """pdf, jpeg, png, or empty: by its first bytes, never by its name."""
    if untrusted.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if untrusted.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    return "pdf" if b"%PDF-" in untrusted[:1024] else ""


def _checked(answer: object) -> Frame:
    """What a child that may have been taken over gives back: an array of the right shape, or FileHostile."""
    if not isinstance(answer, np.ndarray):
        raise FileHostile("the reader gave no picture", why="broken")
    array = cast("NDArray[np.uint8]", answer)
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3 or not 0 < array.shape[0] * array.shape[1] <= MOST_PIXELS:
        raise FileHostile("the reader gave no picture", why="broken")
    return np.array(array, dtype=np.uint8)


class FileOpener:
    """Lives in the child. Keeps nothing between calls."""

    def __init__(self) -> None:
        if sys.platform.startswith("linux"):
            import resource

            with suppress(OSError, ValueError):
                resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        cv2.setNumThreads(1)

    def count(self, untrusted: bytes) -> int:
        """How many pages. Raises FileHostile."""
        if kind_of(untrusted) != "pdf":
            _size(untrusted)
            return 1
        import pypdfium2

        document = _pdf(untrusted)
        try:
            return len(document)
        except pypdfium2.PdfiumError as error:
            raise FileHostile("pages cannot be counted", why="broken") from error
        finally:
            document.close()

    def page(self, untrusted: bytes, index: int) -> Frame:
        """Page ``index`` as BGR. Raises FileHostile."""
        return _rendered(untrusted, index) if kind_of(untrusted) == "pdf" else _decoded(untrusted)

    def codes(self, untrusted: bytes, index: int) -> tuple[tuple[bytes, tuple[tuple[int, int], ...]], ...]:
        """Bytes and place of the codes on page ``index``: read here too, for a decoder is as easy to break as a file format. Raises FileHostile."""
        grey = np.asarray(cv2.cvtColor(self.page(untrusted, index), cv2.COLOR_BGR2GRAY), dtype=np.uint8)
        return tuple((code.bytes, tuple((int(x), int(y)) for x, y in code.quad)) for code in read_codes(grey))


def codes_on(untrusted: bytes, index: int, host: Host, cancel: Cancel | None = None) -> tuple[tuple[bytes, tuple[tuple[int, int], ...]], ...]:
    """The codes on one page of a stranger's file, read in the child. Raises FileHostile(why): crash, hang, and those of ``pictures``; Cancelled."""
    try:
        found: Any = host.call("codes", untrusted, index, seconds=PAGE_SECONDS, cancel=cancel)
    except DriverCrashed as error:
        raise FileHostile("the file brought its reader down", why="crash") from error
    except DriverHung as error:
        raise FileHostile("the file keeps its reader busy for ever", why="hang") from error
    return tuple((bytes(content), tuple((int(x), int(y)) for x, y in quad)) for content, quad in found)


def _pdf(untrusted: bytes):  # type: ignore[no-untyped-def]  # the library's class is only named here
    import pypdfium2

    try:
        return pypdfium2.PdfDocument(untrusted)
    except pypdfium2.PdfiumError as error:
        raise FileHostile("the document does not open", why="locked" if "password" in str(error).lower() else "broken") from error


def _rendered(untrusted: bytes, index: int) -> Frame:
    import pypdfium2

    document = _pdf(untrusted)
    try:
        page = document[index]
        width, height = page.get_size()
        if not (0 < width < 20_000 and 0 < height < 20_000):
            raise FileHostile("a page of no size", why="pixels")
        scale = min(DPI / 72, (MOST_PIXELS / (width * height)) ** 0.5 * 0.95)
        bitmap = cast("Any", page).render(scale=scale, may_draw_forms=False)
        picture = np.array(bitmap.to_numpy(), dtype=np.uint8)
    except (pypdfium2.PdfiumError, IndexError, MemoryError) as error:
        raise FileHostile("the page cannot be drawn", why="broken") from error
    finally:
        document.close()
    if picture.ndim == 2 or picture.shape[2] == 1:
        return np.asarray(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR), dtype=np.uint8)
    return np.ascontiguousarray(picture[:, :, :3])


def _decoded(untrusted: bytes) -> Frame:
    _size(untrusted)
    try:
        picture = cv2.imdecode(np.frombuffer(untrusted, np.uint8), cv2.IMREAD_COLOR)
    except (cv2.error, MemoryError) as error:
        raise FileHostile("the picture cannot be decoded", why="broken") from error
    if picture is None:  # pyright: ignore[reportUnnecessaryComparison]  # OpenCV's stubs leave None out
        raise FileHostile("the picture cannot be decoded", why="broken")
    return np.asarray(picture, dtype=np.uint8)


def _size(untrusted: bytes) -> tuple[int, int]:
    """Width and height from the header, so that a small file cannot ask for gigabytes. Raises FileHostile."""
    size = struct.unpack(">II", untrusted[16:24]) if kind_of(untrusted) == "png" and len(untrusted) > 24 else _jpeg_size(untrusted)
    if size is None:
        raise FileHostile("no size in the header", why="broken")
    if not 0 < size[0] * size[1] <= MOST_PIXELS:
        raise FileHostile("too many pixels", why="pixels")
    return size[0], size[1]


def _jpeg_size(untrusted: bytes) -> tuple[int, int] | None:
    """From the first start-of-frame segment."""
    place = 2
    while place + 9 < len(untrusted) and kind_of(untrusted) == "jpeg":
        if untrusted[place] != 0xFF:
            return None
        marker = untrusted[place + 1]
        if marker == 0xFF:
            place += 1
            continue
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", untrusted[place + 5 : place + 9])
            return width, height
        place += 2 + int.from_bytes(untrusted[place + 2 : place + 4], "big")
    return None
