"""Pictures from photo blocks (WLT), through a vendor's library in a child process where the administrator has one. Never writes a photo to disk.

No open decoder of the format is known. Without a library there is no decoder, and the raw block of 1024 bytes is all there is. Libraries that want the photo
as a file (``GetBmp`` of WltRS.dll, ``dewlt``) are not used: a person's photo would lie on the disk.
"""

from __future__ import annotations

import struct
import threading
import zlib

from devices.cards.profiles import PhotoShape
from devices.cards.reading import Decode
from devices.errors import BrokenFrame
from devices.host import Host

__all__ = ["HEIGHT", "PIXEL_BYTES", "WIDTH", "Photos", "png"]

WIDTH, HEIGHT = 102, 126
PIXEL_BYTES = WIDTH * HEIGHT * 3
DECODE_S = 5.0


class Photos:
    """The decoders of one driver: one child process per library, started at its first photo. ``close`` ends them."""

    def __init__(self, decode_seconds: float = DECODE_S) -> None:
        self._seconds = decode_seconds
        self._hosts: dict[PhotoShape, Host] = {}
        self._lock = threading.Lock()

    def decoder(self, shape: PhotoShape | None) -> Decode | None:
        """What makes a PNG of a photo block with this library; None where there is no library. The call raises DriverMissing, DriverCrashed, DriverHung, …"""
        if shape is None:
            return None
        return lambda block: png(self._pixels(shape, block), shape)

    def close(self) -> None:
        with self._lock:
            hosts, self._hosts = list(self._hosts.values()), {}
        for host in hosts:
            host.close()

    def _pixels(self, shape: PhotoShape, block: bytes) -> bytes:
        with self._lock:
            host = self._hosts.setdefault(shape, Host("devices.cards.vendor_sdk:PhotoLibrary", shape.path, shape.sha256, shape.entry, shape.argument))
        untrusted = host.call("decode", block, seconds=self._seconds)
        if not isinstance(untrusted, bytes) or len(untrusted) != PIXEL_BYTES:
            raise BrokenFrame("the photo library gave no picture")
        return untrusted


def png(pixels: bytes, shape: PhotoShape) -> bytes:
    """A PNG of 102 x 126 pixels of 3 bytes, laid as ``shape`` says. Raises BrokenFrame for another size."""
    if len(pixels) != PIXEL_BYTES:
        raise BrokenFrame(f"a picture of {len(pixels)} bytes")
    rows = [pixels[start:start + WIDTH * 3] for start in range(0, PIXEL_BYTES, WIDTH * 3)]
    if shape.rows == "up":
        rows.reverse()
    if shape.pixels == "bgr":
        rows = [_swapped(row) for row in rows]
    head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows))) + _chunk(b"IEND", b"")


def _swapped(row: bytes) -> bytes:
    turned = bytearray(row)
    turned[0::3], turned[2::3] = row[2::3], row[0::3]
    return bytes(turned)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
