"""SM2 signatures over public data: the digest with Z, and verification (GB/T 32918.2, GM/T 0009). Never signs and never sees a private key.

Private keys stay in tokens, so nothing here is secret and nothing needs constant time. libcrypto verifies where Python has one that knows SM2; else the
arithmetic below does, four to ten times slower. Both are held to the same vectors.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.hashes import SM3, Hash

from sync import libcrypto
from sync.errors import FormatTrouble

__all__ = ["DEFAULT_ID", "digest_of", "engine_name", "point_of", "sm3", "verify", "verify_by_arithmetic", "verify_message"]

DEFAULT_ID = b"1234567812345678"
"""The distinguishing identifier where nobody agreed on another (GM/T 0009-2012, clause 10)."""
SPKI_HEAD = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d034200")
"""DER head of a SubjectPublicKeyInfo: ecPublicKey on sm2p256v1, 65 bytes of point to follow."""

# GB/T 32918.5-2017, clause 2: the recommended curve
P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
GX = 0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7
GY = 0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0

Verifier = Callable[[bytes, bytes, bytes], bool]
"""(point, digest, signature) -> whether they fit."""


class _Point(NamedTuple):
    """Jacobian: x = X / Z^2, y = Y / Z^3; Z = 0 is the point at infinity."""

    x: int
    y: int
    z: int


_INFINITY = _Point(1, 1, 0)


def sm3(content: bytes) -> bytes:
    """The 32-byte SM3 digest. Raises ``UnsupportedAlgorithm`` where the cryptography library was built without it."""
    hashing = Hash(SM3())
    hashing.update(content)
    return hashing.finalize()


def point_of(spki: bytes) -> bytes:
    """The public point (0x04 ‖ x ‖ y, 65 bytes) of a DER SubjectPublicKeyInfo. Raises ``FormatTrouble`` for any other key, and for a point off the curve."""
    point = spki[len(SPKI_HEAD) :]
    if not spki.startswith(SPKI_HEAD) or len(point) != 65 or point[0] != 4:
        raise FormatTrouble("no SM2 key with an uncompressed point", what="public key")
    x, y = int.from_bytes(point[1:33], "big"), int.from_bytes(point[33:], "big")
    if x >= P or y >= P or (y * y - x * x * x - A * x - B) % P:
        raise FormatTrouble("the point is not on the curve", what="public key")
    return point


def digest_of(point: bytes, message: bytes, ident: bytes = DEFAULT_ID) -> bytes:
    """e = SM3(Z ‖ message), Z = SM3(bits of the id ‖ id ‖ a ‖ b ‖ G ‖ point) (GM/T 0009-2012, clause 8): what a token signs."""
    if len(ident) > 8191:
        raise ValueError("an identifier has at most 8191 bytes")
    constants = b"".join(number.to_bytes(32, "big") for number in (A, B, GX, GY))
    return sm3(sm3((8 * len(ident)).to_bytes(2, "big") + ident + constants + point[1:]) + message)


def verify_message(spki: bytes, message: bytes, signature: bytes, ident: bytes = DEFAULT_ID) -> bool:
    """Whether this key signed this message. False for broken keys and signatures, and where there is no SM3."""
    try:
        point = point_of(spki)
        return verify(point, digest_of(point, message, ident), signature)
    except (FormatTrouble, UnsupportedAlgorithm):
        return False


def verify(point: bytes, digest: bytes, signature: bytes) -> bool:
    """Whether the key of this point (checked by ``point_of``) made this DER signature over a ready 32-byte digest."""
    return _engine()[1](point, digest, signature)


def engine_name() -> str:
    """``libcrypto`` or ``arithmetic``: which of the two verifies here."""
    return _engine()[0]


@lru_cache(maxsize=1)
def _engine() -> tuple[str, Verifier]:
    """libcrypto if it passes a known signature and refuses the same with one bit changed; it never changes while the program runs."""
    library = libcrypto.load()
    if library is not None:

        def by_library(point: bytes, digest: bytes, signature: bytes) -> bool:
            return _parse(signature) is not None and library.verify(SPKI_HEAD + point, digest, signature)

        wrong = KNOWN_DIGEST[:-1] + bytes([KNOWN_DIGEST[-1] ^ 1])
        if by_library(KNOWN_POINT, KNOWN_DIGEST, KNOWN_SIGNATURE) and not by_library(KNOWN_POINT, wrong, KNOWN_SIGNATURE):
            return "libcrypto", by_library
    return "arithmetic", verify_by_arithmetic


# -- the arithmetic -------------------------------------------------------------------------------------------------------------------
def verify_by_arithmetic(point: bytes, digest: bytes, signature: bytes) -> bool:
    """As ``verify``, in Python alone: R = e + x(s·G + t·P) with t = r + s (GB/T 32918.2, clause 7)."""
    parsed = _parse(signature)
    if parsed is None:
        return False
    r, s = parsed
    t = (r + s) % N
    if t == 0:
        return False
    key = _Point(int.from_bytes(point[1:33], "big"), int.from_bytes(point[33:], "big"), 1)
    total = _twofold(s, t, key)
    if total.z == 0:
        return False
    x = total.x * pow(total.z, -2, P) % P
    return (int.from_bytes(digest, "big") + x) % N == r


def _parse(signature: bytes) -> tuple[int, int] | None:
    """r and s of a strict DER ``SEQUENCE {INTEGER r, INTEGER s}``, both between 1 and n - 1; None for anything else."""
    if len(signature) > 72 or signature[:1] != b"\x30" or signature[1:2] != bytes([len(signature) - 2]):
        return None
    numbers: list[int] = []
    rest = signature[2:]
    while rest:
        size = rest[1] if len(rest) > 2 else 0
        value, left = rest[2 : 2 + size], rest[2 + size :]
        if rest[0] != 2 or not 1 <= size <= 33 or len(value) != size or value[0] & 0x80 or (size > 1 and value[0] == 0 and not value[1] & 0x80):
            return None
        numbers.append(int.from_bytes(value, "big"))
        rest = left
    if len(numbers) != 2 or not all(0 < number < N for number in numbers):
        return None
    return numbers[0], numbers[1]


def _twofold(s: int, t: int, key: _Point) -> _Point:
    """s·G + t·key, four bits of both at a time."""
    of_generator, of_key = _multiples_of_g(), _multiples(key)
    total = _INFINITY
    for shift in range(252, -4, -4):
        for _ in range(4):
            total = _double(total)
        if part := (s >> shift) & 15:
            total = _add(total, of_generator[part])
        if part := (t >> shift) & 15:
            total = _add(total, of_key[part])
    return total


@lru_cache(maxsize=1)
def _multiples_of_g() -> tuple[_Point, ...]:
    return _multiples(_Point(GX, GY, 1))


def _multiples(point: _Point) -> tuple[_Point, ...]:
    """0 to 15 times the point."""
    found = [_INFINITY, point]
    while len(found) < 16:
        found.append(_add(found[-1], point))
    return tuple(found)


def _double(one: _Point) -> _Point:
    """dbl-2001-b for a = -3 (Explicit-Formulas Database)."""
    x, y, z = one
    delta, gamma = z * z % P, y * y % P
    beta = x * gamma % P
    alpha = 3 * (x - delta) * (x + delta) % P
    third = (alpha * alpha - 8 * beta) % P
    return _Point(third, (alpha * (4 * beta - third) - 8 * gamma * gamma) % P, ((y + z) ** 2 - gamma - delta) % P)


def _add(one: _Point, two: _Point) -> _Point:
    """add-1998-cmo-2; doubles equal points."""
    if one.z == 0:
        return two
    if two.z == 0:
        return one
    x1, y1, z1 = one
    x2, y2, z2 = two
    square1, square2 = z1 * z1 % P, z2 * z2 % P
    u1, u2 = x1 * square2 % P, x2 * square1 % P
    s1, s2 = y1 * square2 * z2 % P, y2 * square1 * z1 % P
    h, r = (u2 - u1) % P, (s2 - s1) % P
    if h == 0:
        return _double(one) if r == 0 else _INFINITY
    h2 = h * h % P
    h3, v = h * h2 % P, u1 * h2 % P
    x3 = (r * r - h3 - 2 * v) % P
    return _Point(x3, (r * (v - x3) - s1 * h3) % P, h * z1 * z2 % P)


KNOWN_POINT = bytes.fromhex(
    "0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
    "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
)
KNOWN_DIGEST = bytes.fromhex("f0b43e94ba45accaace692ed534382eb17e6ab5a19ce7b31f4486fdfc0d28640")
KNOWN_SIGNATURE = bytes.fromhex(
    "3046022100f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3"
    "022100b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa"
)
"""The example of GB/T 32918.5-2017, annex A.2: "message digest" under the default id."""
