"""Reads QR and bar codes from a picture: bytes and place. Judges nothing, opens nothing, follows no address in a code.

The order of engines was measured: zxing-cpp as it is, twice enlarged, with flattened light, then pyzbar where it is installed.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import cv2
import numpy as np
import zxingcpp
from numpy.typing import NDArray

__all__ = ["Code", "Quad", "read_codes", "read_codes_live"]

Grey = NDArray[np.uint8]
"""Height x width, 8 bit."""
Quad = tuple[tuple[int, int], tuple[int, int], tuple[int, int], tuple[int, int]]
"""Corners in pixels of the picture that was given, clockwise from the top left of the code."""

MAX_PIXELS = 24_000_000
"""Larger pictures are made smaller first."""
MAX_ENLARGED = 9_000_000
"""Pixels up to which doubling is tried: above, a module is large enough or hopeless."""
MAX_BYTES = 4_096
"""More than any QR code holds (2,953); anything longer is dropped."""
MAX_CODES = 32

FORMATS = "QRCode,MicroQRCode,DataMatrix,Aztec,PDF417,Code128,Code39,EAN13"


@dataclass(frozen=True, slots=True)
class Code:
    """One code. ``bytes`` is what was encoded; ``text`` is only for showing, it may be wrong for codes without a declared character set."""

    bytes: builtins.bytes = field(repr=False)
    text: str = field(repr=False)
    quad: Quad
    engine: str


def read_codes(grey: NDArray[np.uint8]) -> tuple[Code, ...]:
    """All codes of a still (grey or BGR). Never raises; an empty tuple where nothing could be read. Some 10 ms with a code, 130 ms without (1080p)."""
    for engine, scale, picture, read in _attempts(grey):
        found = _tried(read, picture, engine, scale)
        if found:
            return found
    return ()


def read_codes_live(grey: NDArray[np.uint8], thorough: bool = False) -> tuple[Code, ...]:
    """For moving pictures: one cheap look (some 5 ms at 1080p). Give ``thorough`` at every fifth frame: rotated and inverted codes too."""
    base = _prepared(grey)
    if base is None:
        return ()
    picture, scale = base
    if thorough:
        return _tried(_zxing, picture, "zxing", scale)
    return _tried(_zxing_quick, picture, "zxing.quick", scale)


def _prepared(picture: NDArray[np.uint8]) -> tuple[Grey, float] | None:
    """Grey, contiguous, not larger than the cap; with the scale that was used. None where it is no picture."""
    if picture.dtype != np.uint8 or picture.ndim not in (2, 3) or min(picture.shape[:2]) < 16:
        return None
    if picture.ndim == 3:
        if picture.shape[2] != 3:
            return None
        picture = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), dtype=np.uint8)
    scale = 1.0
    if picture.size > MAX_PIXELS:
        scale = float(np.sqrt(MAX_PIXELS / picture.size))
        picture = np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    return np.ascontiguousarray(picture), scale


def _attempts(picture: NDArray[np.uint8]) -> Iterator[tuple[str, float, Grey, Callable[[Grey], list[Found]]]]:
    base = _prepared(picture)
    if base is None:
        return
    grey, scale = base
    yield "zxing", scale, grey, _zxing
    if grey.size <= MAX_ENLARGED:
        yield "zxing.x2", scale * 2, _doubled(grey), _zxing
        yield "zxing.flat.x2", scale * 2, _doubled(_flattened(grey)), _zxing
    yield "pyzbar", scale, grey, _pyzbar


def _doubled(grey: Grey) -> Grey:
    return np.asarray(cv2.resize(grey, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC), dtype=np.uint8)


def _flattened(grey: Grey) -> Grey:
    """Divided by its own light (a wide blur), then a blur of sigma 1 against noise."""
    light = cv2.blur(grey, (61, 61)).astype(np.float32) + 1.0
    even = np.clip(grey.astype(np.float32) / light * 160.0, 0, 255).astype(np.uint8)
    return np.asarray(cv2.GaussianBlur(even, (0, 0), 1.0), dtype=np.uint8)


Found = tuple[bytes, str, list[tuple[float, float]]]


def _tried(read: Callable[[Grey], list[Found]], grey: Grey, engine: str, scale: float) -> tuple[Code, ...]:
    """One engine's answer. A visitor's paper can raise in any engine (a structured-append QR does in pyzbar): that counts as nothing found."""
    try:
        found = read(grey)
    except Exception:
        return ()
    codes: list[Code] = []
    for data, text, corners in found[:MAX_CODES]:
        if 0 < len(data) <= MAX_BYTES and len(corners) == 4:
            a, b, c, d = ((round(x / scale), round(y / scale)) for x, y in corners)
            codes.append(Code(data, text, (a, b, c, d), engine))
    return tuple(codes)


def _zxing(grey: Grey) -> list[Found]:
    return [_from_zxing(symbol) for symbol in zxingcpp.read_barcodes(grey, formats=zxingcpp.barcode_formats_from_str(FORMATS))]


def _zxing_quick(grey: Grey) -> list[Found]:
    symbols = zxingcpp.read_barcodes(grey, formats=zxingcpp.barcode_formats_from_str(FORMATS), try_rotate=False, try_downscale=False, try_invert=False)
    return [_from_zxing(symbol) for symbol in symbols]


def _from_zxing(symbol: Any) -> Found:
    place = symbol.position
    corners = [(float(point.x), float(point.y)) for point in (place.top_left, place.top_right, place.bottom_right, place.bottom_left)]
    return bytes(symbol.bytes), str(symbol.text), corners


def _pyzbar(grey: Grey) -> list[Found]:
    """The second opinion. QR only (its other decoders had memory faults), pure ASCII only (it returns wrong Chinese without a character set)."""
    from pyzbar import pyzbar  # pyright: ignore[reportMissingTypeStubs]  # lazily: needs the zbar library of the system (Debian: libzbar0)

    decoded = cast("list[Any]", pyzbar.decode(grey, symbols=[pyzbar.ZBarSymbol.QRCODE]))  # pyright: ignore[reportUnknownMemberType]
    found: list[Found] = []
    for symbol in decoded:
        data = bytes(symbol.data)
        if data.isascii():
            corners = [(float(point.x), float(point.y)) for point in symbol.polygon]
            found.append((data, data.decode("ascii"), corners))
    return found
