"""A record and its attachments as one encrypted packet, and back (FORMATS section 2). Never writes a file and never holds a private key.

Packet bytes are the wire bytes. The data key is wrapped in the header for the province's intake and recovery keys; the station's own wrap is not
in the packet but in the row (outbox.py), so that dropping the row's wrap makes this station forget.
"""

from __future__ import annotations

import base64
import binascii
import os
import struct
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from sync.canon import canon, digest, parse_canonical
from sync.ciphers import AES_256_GCM, NONCE_BYTES, SEGMENT_BYTES, TAG_BYTES, Segments, new_key, wrap_for
from sync.errors import FormatTrouble, PacketTooLarge, PacketTooNew
from sync.meanwhile import Meanwhile

__all__ = [
    "DRAFT_PART", "PACKET_LIMIT", "PacketHeader", "Part", "PublicKeyInfo", "RECORD_PART", "ROWS_PART", "SealedRecord", "Wrap", "read_header", "seal",
    "unseal_with_key",
]

RECORD_PART = "record.json"
DRAFT_PART = "draft.json"
"""The first part of a packet that still lacks its signature; such a packet is never uploaded."""
ROWS_PART = "rows.json"
"""The first part of the sealed rows of an export (FORMATS section 14); no record, never uploaded."""
PACKET_LIMIT = 128 * 1024 * 1024
"""Plain bytes of a packet at most: they stand in memory twice while it is made."""

_FIRST_PARTS = (RECORD_PART, DRAFT_PART, ROWS_PART)
_MAGIC = b"HIPK"
_VERSION = 1
_START = struct.Struct(">4sBBHI")
_HEADER_LIMIT = 64 * 1024
_WRAP_ALGORITHM = "RSA-OAEP-256"


@dataclass(frozen=True, slots=True)
class PublicKeyInfo:
    """A public key of the province: its id and its DER SubjectPublicKeyInfo."""

    kid: str
    spki_der: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SealedRecord:
    """A finished packet. ``data_key`` is for the station's wrap only; ``parts`` are names and digests, in order."""

    record_id: str
    packet: bytes = field(repr=False)
    hashing: Meanwhile[str] = field(repr=False, compare=False)
    size: int
    data_key: bytes = field(repr=False)
    first_part: str = RECORD_PART
    record_digest: str = ""
    """Digest of the first part: for ``record.json`` the digest that is signed."""

    @property
    def digest(self) -> str:
        """Of the packet; waits until it is reckoned, so ask after the packet is on its way to the disk."""
        return self.hashing.answer()


@dataclass(frozen=True, slots=True)
class Wrap:
    """The data key, wrapped for one of the province's keys."""

    to: str
    kid: str
    alg: str
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class PacketHeader:
    """What a packet says of itself; unproven until a segment opens. ``segments_at`` is the offset of the first segment."""

    record_id: str
    station_id: str
    nonce: bytes
    plain_size: int
    wraps: tuple[Wrap, ...]
    context: bytes = field(repr=False)
    segments_at: int = 0
    algorithm: int = AES_256_GCM
    """As in ciphers.py. What is sealed with one that this program does not have is kept, sent and carried all the same, only not opened."""

    @property
    def packet_size(self) -> int:
        """Size in bytes of a whole packet with this header."""
        segments = max(1, -(-self.plain_size // SEGMENT_BYTES))
        return self.segments_at + self.plain_size + segments * TAG_BYTES


@dataclass(frozen=True, slots=True)
class Part:
    """One part of an opened packet, its digest compared."""

    name: str
    content: bytes = field(repr=False)


def seal(record_bytes: bytes, parts: Iterable[tuple[str, bytes]], record_id: str, station_id: str, intake: PublicKeyInfo, recovery: PublicKeyInfo, *,
         first_part: str = RECORD_PART) -> SealedRecord:
    """The packet of ``record_bytes`` (exact canonical bytes, or a draft's with ``first_part=DRAFT_PART``) and its attachments.

    Raises PacketTooLarge (facts size, limit in bytes), CertificateTrouble for unusable province keys, ValueError for names that stand twice
    or ids that are no UUIDs.
    """
    everything = ((first_part, record_bytes), *parts)
    if len({name for name, _ in everything}) != len(everything) or first_part not in _FIRST_PARTS:
        raise ValueError("part names must differ, the first one is record.json or draft.json")
    _uuid(record_id)
    _uuid(station_id)
    index = canon({"type": "hall-intake/parts/1", "parts": [{"name": name, "size": len(b), "sha256": digest(b)} for name, b in everything]})
    plain_size = 4 + len(index) + sum(len(content) for _, content in everything)
    if plain_size > PACKET_LIMIT:
        raise PacketTooLarge(f"{plain_size} bytes", size=plain_size, limit=PACKET_LIMIT)
    key, nonce = new_key(), os.urandom(NONCE_BYTES)
    header = canon({
        "type": "hall-intake/packet/1", "record_id": record_id, "station_id": station_id, "nonce": _b64(nonce), "plain_size": plain_size,
        "wraps": [{"to": to, "kid": info.kid, "alg": _WRAP_ALGORITHM, "key": _b64(wrap_for(info.spki_der, key))}
                  for to, info in (("intake", intake), ("recovery", recovery))],
    })
    start = _START.pack(_MAGIC, _VERSION, AES_256_GCM, 0, len(header))
    segments_at = len(start) + len(header)
    packet = bytearray(segments_at + plain_size + TAG_BYTES * -(-plain_size // SEGMENT_BYTES))
    packet[:segments_at] = start + header
    Segments(key, nonce, _context(start, header)).seal_into(_plain(index, everything), memoryview(packet)[segments_at:])
    done = bytes(packet)
    return SealedRecord(record_id, done, Meanwhile(lambda: digest(done), "hashing"), len(done), key, first_part, digest(record_bytes))


def read_header(untrusted: bytes | Path) -> PacketHeader:
    """The header of a packet (its bytes, or its file). Raises FormatTrouble, OSError of the file."""
    return _header(_first_bytes(untrusted))


def unseal_with_key(untrusted: bytes | Path, data_key: bytes) -> tuple[Part, ...]:
    """All parts of a packet, ``record.json`` or ``draft.json`` first; every digest and the end were checked.

    Raises PacketTooNew for an algorithm that this program does not have, FormatTrouble, OSError of the file.
    """
    header = read_header(untrusted)
    if header.algorithm != AES_256_GCM:
        raise PacketTooNew(f"sealed with algorithm {header.algorithm}", what="packet", algorithm=header.algorithm)
    if header.packet_size != _size(untrusted):
        raise FormatTrouble("the packet has another length than its header says", what="packet")
    plain = bytearray()
    for piece in Segments(data_key, header.nonce, header.context).open_all(_pieces(untrusted, header.segments_at)):
        plain += piece
    if len(plain) != header.plain_size:
        raise FormatTrouble("the packet has another plain length than its header says", what="packet")
    return tuple(_split(memoryview(plain)))


def _plain(index: bytes, everything: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
    yield len(index).to_bytes(4, "big") + index
    for _, content in everything:
        yield content


def _split(plain: memoryview) -> Iterator[Part]:
    """The parts of the plain bytes of a packet."""
    length = int.from_bytes(plain[:4], "big")
    if len(plain) < 4 + length:
        raise FormatTrouble("the index of parts is cut off", what="parts")
    index = parse_canonical(bytes(plain[4:4 + length]), "parts")
    listed = index.get("parts")
    if index.get("type") != "hall-intake/parts/1" or not isinstance(listed, list):
        raise FormatTrouble("no index of parts", what="parts")
    at, names = 4 + length, set[str]()
    for one in cast("list[Any]", listed):
        try:
            name, size, sha256 = str(one["name"]), int(one["size"]), str(one["sha256"])
        except (KeyError, TypeError, ValueError) as error:
            raise FormatTrouble("the index of parts is not in its form", what="parts") from error
        content = bytes(plain[at:at + size]) if size >= 0 else b""
        if len(content) != size or digest(content) != sha256 or name in names:
            raise FormatTrouble("a part is not what the index says", what="parts")
        if not names and name not in _FIRST_PARTS:
            raise FormatTrouble("the first part is not a record", what="parts")
        names.add(name)
        at += size
        yield Part(name, content)
    if at != len(plain) or not names:
        raise FormatTrouble("bytes after the last part", what="parts")


def _header(untrusted: bytes) -> PacketHeader:
    if len(untrusted) < _START.size:
        raise FormatTrouble("no packet: too short", what="packet")
    magic, version, algorithm, zero, length = cast("tuple[bytes, int, int, int, int]", _START.unpack_from(untrusted))
    if magic != _MAGIC or version != _VERSION or zero or length > _HEADER_LIMIT or len(untrusted) < _START.size + length:
        raise FormatTrouble("no packet of this version", what="packet")
    start, body = untrusted[:_START.size], untrusted[_START.size:_START.size + length]
    members = parse_canonical(body, "packet header")
    try:
        if members["type"] != "hall-intake/packet/1":
            raise ValueError("type")
        nonce, plain_size = _unb64(members["nonce"]), members["plain_size"]
        if len(nonce) != NONCE_BYTES or type(plain_size) is not int or not 0 < plain_size <= PACKET_LIMIT:
            raise ValueError("nonce or plain_size")
        wraps = tuple(Wrap(str(w["to"]), str(w["kid"]), str(w["alg"]), _unb64(w["key"])) for w in members["wraps"])
        return PacketHeader(_uuid(members["record_id"]), _uuid(members["station_id"]), nonce, plain_size, wraps, _context(start, body), _START.size + length,
                            algorithm)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FormatTrouble("the packet header is not in its form", what="packet") from error


def _context(start: bytes, header: bytes) -> bytes:
    return bytes.fromhex(digest(start + header).removeprefix("sha256:"))


def _first_bytes(untrusted: bytes | Path) -> bytes:
    if isinstance(untrusted, bytes):
        return untrusted[:_START.size + _HEADER_LIMIT]
    with untrusted.open("rb") as packet:
        return packet.read(_START.size + _HEADER_LIMIT)


def _size(untrusted: bytes | Path) -> int:
    return len(untrusted) if isinstance(untrusted, bytes) else untrusted.stat().st_size


def _pieces(untrusted: bytes | Path, start: int) -> Iterator[bytes]:
    if isinstance(untrusted, bytes):
        yield untrusted[start:]
        return
    with untrusted.open("rb") as packet:
        packet.seek(start)
        while piece := packet.read(SEGMENT_BYTES):
            yield piece


def _uuid(text: str) -> str:
    if str(uuid.UUID(text)) != text:
        raise ValueError("not a UUID in its usual form")
    return text


def _b64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _unb64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error
