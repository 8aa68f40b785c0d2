"""The algorithms behind packets, stills and key wraps, each with its id. Never stores a key, opens a file or chooses who may read.

FORMATS sections 2 and 9. AES-256-GCM: NIST SP 800-38D; RSA-OAEP-256: RFC 8017 with SHA-256 and MGF1-SHA-256; HKDF: RFC 5869.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import cast

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sync.errors import CertificateTrouble, FormatTrouble

__all__ = [
    "AES_256_GCM", "KEY_BYTES", "NONCE_BYTES", "SEGMENT_BYTES", "SM4_GCM", "TAG_BYTES", "Segments", "derived_key", "key_check", "new_key", "segmented",
    "unwrap_at_station", "wrap_at_station", "wrap_for",
]

AES_256_GCM = 1
SM4_GCM = 2
"""Reserved; this version neither writes nor reads it."""

KEY_BYTES = 32
NONCE_BYTES = 8
"""The random part of a segment's nonce; the other four bytes count the segments."""
TAG_BYTES = 16
SEGMENT_BYTES = 1_048_576
_WRAP_NONCE = 12
_RSA_BITS = 2048
"""The least size of an intake or recovery key."""


def new_key() -> bytes:
    """32 fresh random bytes from the operating system."""
    return os.urandom(KEY_BYTES)


def derived_key(key: bytes, salt: bytes, purpose: bytes) -> bytes:
    """A 32 byte key for one purpose (HKDF-SHA-256), so that one key never serves two ends."""
    return HKDF(algorithm=hashes.SHA256(), length=KEY_BYTES, salt=salt, info=purpose).derive(key)


def key_check(key: bytes, salt: bytes) -> str:
    """64 hex digits that tell whether ``key`` is the right one and say nothing about it (HMAC of a constant)."""
    mac = HMAC(derived_key(key, salt, b"hall-intake/key-check/1"), hashes.SHA256())
    mac.update(b"hall-intake/key-check/1")
    return mac.finalize().hex()


@dataclass(frozen=True, slots=True)
class Segments:
    """AES-256-GCM over segments of 1 MiB. ``context`` (32 bytes) binds them to their header; counter and last flag stop swaps, reorder and truncation."""

    key: bytes = field(repr=False)
    nonce: bytes
    context: bytes

    def seal(self, index: int, last: bool, plain: bytes | memoryview) -> bytes:
        """The ciphertext and tag of segment ``index``."""
        return AESGCM(self.key).encrypt(self._nonce(index), plain, self._about(index, last))

    def seal_into(self, plain: Iterable[bytes], out: memoryview) -> None:
        """The segments of a whole, one after another, into ``out``, which is exactly as long as they are; nothing is copied that need not be."""
        cipher, at, whole = AESGCM(self.key), 0, len(out)
        for index, piece in enumerate(segmented(plain)):
            end = at + len(piece) + TAG_BYTES
            cipher.encrypt_into(self._nonce(index), piece, self._about(index, end == whole), out[at:end])
            at = end
        if at != whole or not whole:
            raise ValueError("the room is not as long as the segments")

    def open(self, index: int, last: bool, untrusted: bytes | memoryview) -> bytes:
        """The plain bytes of segment ``index``. Raises FormatTrouble where key, place or bytes do not fit."""
        try:
            return AESGCM(self.key).decrypt(self._nonce(index), untrusted, self._about(index, last))
        except InvalidTag as error:
            raise FormatTrouble(f"segment {index} does not open", what="segment") from error

    def seal_all(self, plain: Iterable[bytes]) -> Iterator[bytes]:
        """The segments of a whole; there is always at least one."""
        index, waiting = 0, cast("bytes | memoryview", b"")
        for piece in segmented(plain):
            if index or waiting:
                yield self.seal(index, False, waiting)
                index += 1
            waiting = piece
        yield self.seal(index, True, waiting)

    def open_all(self, untrusted: Iterable[bytes]) -> Iterator[bytes]:
        """Plain segments of ciphertext that comes in pieces of any size. Whoever stops before the end has not checked for truncation."""
        index, waiting, begun = 0, cast("bytes | memoryview", b""), False
        for piece in segmented(untrusted, SEGMENT_BYTES + TAG_BYTES):
            if begun:
                yield self.open(index, False, waiting)
                index += 1
            waiting, begun = piece, True
        yield self.open(index, True, waiting)

    def _nonce(self, index: int) -> bytes:
        return self.nonce + index.to_bytes(4, "big")

    def _about(self, index: int, last: bool) -> bytes:
        return self.context + index.to_bytes(4, "big") + (b"\x01" if last else b"\x00")


def segmented(pieces: Iterable[bytes], size: int = SEGMENT_BYTES) -> Iterator[bytes | memoryview]:
    """Pieces of any size as pieces of exactly ``size`` bytes; only the last may be shorter, and none is empty.

    What lies whole within a piece is a view of it, not a copy.
    """
    waiting = bytearray()
    for piece in pieces:
        view, at = memoryview(piece), 0
        if waiting:
            at = min(size - len(waiting), len(view))
            waiting += view[:at]
            if len(waiting) < size:
                continue
            yield bytes(waiting)
            waiting.clear()
        while len(view) - at >= size:
            yield view[at:at + size]
            at += size
        waiting += view[at:]
    if waiting:
        yield bytes(waiting)


def wrap_for(spki: bytes, key: bytes) -> bytes:
    """``key`` for the holder of the private half of ``spki`` (DER), RSA-OAEP-256 with an empty label. Raises CertificateTrouble for other or short keys."""
    try:
        public = serialization.load_der_public_key(spki)
    except ValueError as error:
        raise CertificateTrouble("the key of the province is not a public key", why="key") from error
    if not isinstance(public, rsa.RSAPublicKey) or public.key_size < _RSA_BITS:
        raise CertificateTrouble("the key of the province is not RSA of 2048 bits or more", why="key")
    return public.encrypt(key, padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None))


def wrap_at_station(wrap_key: bytes, record_id: str, key: bytes) -> bytes:
    """The station's own wrap of a data key: nonce, ciphertext and tag (FORMATS section 9)."""
    nonce = os.urandom(_WRAP_NONCE)
    return nonce + AESGCM(wrap_key).encrypt(nonce, key, _about_wrap(record_id))


def unwrap_at_station(wrap_key: bytes, record_id: str, wrap: bytes) -> bytes:
    """The data key of ``wrap_at_station``. Raises FormatTrouble where it is not of this store and record."""
    try:
        return AESGCM(wrap_key).decrypt(wrap[:_WRAP_NONCE], wrap[_WRAP_NONCE:], _about_wrap(record_id))
    except (InvalidTag, ValueError) as error:
        raise FormatTrouble("the station's wrap does not open", what="wrap") from error


def _about_wrap(record_id: str) -> bytes:
    return b"hall-intake/wrap/1 " + record_id.encode("ascii")
