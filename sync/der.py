"""Writes the few DER values that a signature container is made of. Never reads any: reading outside bytes is asn1crypto's work.

A container is a fixed shape around a few outside values, so writing it takes microseconds; the library needs many milliseconds for the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache

__all__ = ["NULL", "explicit", "implicit_set", "integer", "octets", "oid", "sequence", "set_of", "utc_time"]

NULL = b"\x05\x00"


def _value(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def sequence(*parts: bytes) -> bytes:
    return _value(0x30, b"".join(parts))


def set_of(parts: Iterable[bytes]) -> bytes:
    """In the order that DER asks for: ascending by their own encoding (X.690, section 11.6)."""
    return _value(0x31, b"".join(sorted(parts)))


def implicit_set(number: int, parts: Iterable[bytes]) -> bytes:
    """``[number] IMPLICIT SET OF``."""
    return _value(0xA0 | number, b"".join(sorted(parts)))


def explicit(number: int, content: bytes) -> bytes:
    """``[number] EXPLICIT``."""
    return _value(0xA0 | number, content)


def octets(content: bytes) -> bytes:
    return _value(0x04, content)


def integer(number: int) -> bytes:
    return _value(0x02, number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True))


@lru_cache(maxsize=64)
def oid(dotted: str) -> bytes:
    """An object identifier of at least two arcs."""
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    content = bytearray()
    for arc in (40 * first + second, *rest):
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(0x80 | arc & 0x7F)
        content += bytes(reversed(groups))
    return _value(0x06, bytes(content))


def utc_time(moment: datetime) -> bytes:
    """UTCTime in whole seconds, from 1950 to 2049 (RFC 5652, section 11.3). Raises ValueError for other years."""
    utc = moment.astimezone(UTC)
    if not 1950 <= utc.year < 2050:
        raise ValueError("a year beyond UTCTime")
    return _value(0x17, utc.strftime("%y%m%d%H%M%SZ").encode("ascii"))
