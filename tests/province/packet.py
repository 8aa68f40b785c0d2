"""Opens packets with the province's intake or recovery key (FORMATS section 2). Never writes plain bytes anywhere.

``pack`` makes a packet from given key and nonce; only the test vectors use it, the stations have their own.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.province.jcs import Refused, b64, canon, digest, parse_canonical, unb64
from tests.province.shapes import HEADER, PARTS, check

__all__ = ["Opened", "Unwrap", "data_key", "open_packet", "pack", "read_header"]

SEGMENT = 1_048_576
TAG = 16
MAX_HEADER = 65_536
MAX_INDEX = 1_048_576
OAEP = padding.OAEP(mgf=padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)

Unwrap = Callable[[str], Any]
"""Gives the private key for a kid, or None."""


@dataclass(frozen=True, repr=False)
class Opened:
    """A packet's header, the exact bytes of ``record.json``, and name, size, digest of the other parts."""

    header: dict[str, Any]
    record: bytes
    parts: tuple[tuple[str, int, str], ...]


def read_header(file: BinaryIO) -> tuple[dict[str, Any], bytes]:
    """Header and the bytes that the associated data digests. Raises Refused 422 ``packet.header``."""
    frame = file.read(12)
    if len(frame) != 12 or frame[:4] != b"HIPK":
        raise Refused(422, "packet.header", "not a packet")
    version, algorithm, zero, length = struct.unpack(">BBHI", frame[4:])
    if (version, algorithm, zero) != (1, 1, 0) or not 0 < length <= MAX_HEADER:
        raise Refused(422, "packet.header", "version, algorithm or header length not of version 1")
    untrusted = file.read(length)
    header = parse_canonical(untrusted, "packet.header")
    check(header, HEADER, "packet.header")
    if sorted(wrap["to"] for wrap in header["wraps"]) != ["intake", "recovery"] or len(unb64(header["nonce"], "packet.header", 422)) != 8:
        raise Refused(422, "packet.header", "one wrap to intake, one to recovery, a nonce of 8 bytes")
    return header, frame + untrusted


def data_key(header: dict[str, Any], to: str, unwrap: Unwrap) -> bytes:
    """The key of a packet, out of its wrap for ``to``. Raises Refused 422 ``packet.key``."""
    wrap = next(w for w in header["wraps"] if w["to"] == to)
    private = unwrap(wrap["kid"])
    if private is None:
        raise Refused(422, "packet.key", f"sealed to a key that is not our {to} key")
    try:
        key = private.decrypt(unb64(wrap["key"], "packet.key", 422), OAEP)
    except ValueError as error:
        raise Refused(422, "packet.key", "the wrap does not open") from error
    if len(key) != 32:
        raise Refused(422, "packet.key", "not a key of 32 bytes")
    return key


def _segments(file: BinaryIO, size: int, header: dict[str, Any], associated: bytes, key: bytes):
    """Plain segments, each checked. Raises Refused 422 ``packet.unseal``."""
    left = size - file.tell()
    number = 0
    nonce = unb64(header["nonce"])
    while True:
        take = min(left, SEGMENT + TAG)
        left -= take
        last = left == 0
        data = hashlib.sha256(associated).digest() + struct.pack(">IB", number, last)
        try:
            plain = AESGCM(key).decrypt(nonce + struct.pack(">I", number), file.read(take), data)
        except (InvalidTag, ValueError) as error:
            raise Refused(422, "packet.unseal", f"segment {number} does not open") from error
        if not last and len(plain) != SEGMENT:
            raise Refused(422, "packet.unseal", f"segment {number} is short")
        yield plain
        if last:
            return
        number += 1


class _Plain:
    """Reads plain bytes across segments."""

    def __init__(self, segments: Any) -> None:
        self._segments = segments
        self._held = b""
        self.taken = 0

    def take(self, size: int) -> bytes:
        while len(self._held) < size:
            piece = next(self._segments, None)
            if piece is None:
                raise Refused(422, "packet.parts", "the parts are longer than the packet")
            self._held += piece
        found, self._held = self._held[:size], self._held[size:]
        self.taken += size
        return found

    def digest(self, size: int) -> str:
        running = hashlib.sha256()
        while size:
            piece = self.take(min(size, SEGMENT))
            running.update(piece)
            size -= len(piece)
        return "sha256:" + running.hexdigest()

    def ended(self) -> bool:
        return not self._held and not any(self._segments)


def open_packet(path: Path, unwrap: Unwrap, to: str = "intake") -> Opened:
    """Unseal the packet and check every segment, size and digest. Raises Refused 422 ``packet.*``."""
    with path.open("rb") as file:
        header, associated = read_header(file)
        key = data_key(header, to, unwrap)
        plain = _Plain(_segments(file, path.stat().st_size, header, associated, key))
        length = struct.unpack(">I", plain.take(4))[0]
        if length > MAX_INDEX:
            raise Refused(422, "packet.parts", "index too long")
        index = parse_canonical(plain.take(length), "packet.parts")
        check(index, PARTS, "packet.parts")
        names = [part["name"] for part in index["parts"]]
        if names[:1] != ["record.json"] or len(set(names)) != len(names) or index["parts"][0]["size"] > 4 * SEGMENT:
            raise Refused(422, "packet.parts", "record.json comes first, each name once")
        record = plain.take(index["parts"][0]["size"])
        found = [digest(record), *(plain.digest(part["size"]) for part in index["parts"][1:])]
        if not plain.ended() or plain.taken != header["plain_size"]:
            raise Refused(422, "packet.parts", "plain_size does not fit")
    if found != [part["sha256"] for part in index["parts"]]:
        raise Refused(422, "packet.parts", "a part has another digest than the index says")
    return Opened(header, record, tuple((part["name"], part["size"], part["sha256"]) for part in index["parts"][1:]))


def pack(parts: Sequence[tuple[str, bytes]], record_id: str, station_id: str, key: bytes, nonce: bytes, wraps: list[dict[str, str]]) -> bytes:
    """Packet bytes from a given data key and header nonce (test vectors only: a station takes both from chance)."""
    index = canon({"type": "hall-intake/parts/1", "parts": [{"name": name, "size": len(content), "sha256": digest(content)} for name, content in parts]})
    plain = struct.pack(">I", len(index)) + index + b"".join(content for _, content in parts)
    header = canon(
        {
            "type": "hall-intake/packet/1",
            "record_id": record_id,
            "station_id": station_id,
            "nonce": b64(nonce),
            "plain_size": len(plain),
            "wraps": wraps,
        }
    )
    start = b"HIPK" + struct.pack(">BBHI", 1, 1, 0, len(header)) + header
    pieces = [plain[at : at + SEGMENT] for at in range(0, len(plain), SEGMENT)] or [b""]
    sealed = b""
    for number, piece in enumerate(pieces):
        data = hashlib.sha256(start).digest() + struct.pack(">IB", number, number == len(pieces) - 1)
        sealed += AESGCM(key).encrypt(nonce + struct.pack(">I", number), piece, data)
    return start + sealed
