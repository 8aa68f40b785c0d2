"""SM2 for the reference province: verification of signatures and of the certificates that SM2 keys issued. Never signs; plain and slow on purpose.

Written from FORMATS section 3.1 and GB/T 32918 alone: affine points, one bit at a time, so that it shares no idea with the stations' own.
"""

from __future__ import annotations

from typing import Any

from asn1crypto import algos
from asn1crypto import x509 as asn1x509
from cryptography.hazmat.primitives.hashes import SM3, Hash

__all__ = ["CURVE", "ID", "SIGNED_WITH", "issued", "point_of", "sm3", "verifies"]

ID = b"1234567812345678"
CURVE, SIGNED_WITH = "1.2.156.10197.1.301", "1.2.156.10197.1.501"
FIELD = 2**256 - 2**224 - 2**96 + 2**64 - 1
ORDER = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
COEFFICIENTS = (FIELD - 3, 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93)
BASE = (0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7, 0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0)

Point = tuple[int, int]


def sm3(content: bytes) -> bytes:
    hashing = Hash(SM3())
    hashing.update(content)
    return hashing.finalize()


def _plus(one: Point | None, two: Point | None) -> Point | None:
    if one is None or two is None:
        return one or two
    (x1, y1), (x2, y2) = one, two
    if x1 == x2:
        if (y1 + y2) % FIELD == 0:
            return None
        slope = (3 * x1 * x1 + COEFFICIENTS[0]) * pow(2 * y1, -1, FIELD)
    else:
        slope = (y2 - y1) * pow(x2 - x1, -1, FIELD)
    x3 = (slope * slope - x1 - x2) % FIELD
    return x3, (slope * (x1 - x3) - y1) % FIELD


def _times(factor: int, point: Point) -> Point | None:
    found: Point | None = None
    for bit in bin(factor)[2:]:
        found = _plus(found, found)
        if bit == "1":
            found = _plus(found, point)
    return found


def point_of(certificate: asn1x509.Certificate) -> Point:
    """The public point of a certificate with an SM2 key. Raises ValueError for every other key."""
    key: Any = certificate.public_key
    if key.algorithm != "ec" or key["algorithm"]["parameters"].chosen.dotted != CURVE:
        raise ValueError("no SM2 key")
    octets = key["public_key"].native
    if len(octets) != 65 or octets[0] != 4:
        raise ValueError("no uncompressed point")
    x, y = int.from_bytes(octets[1:33], "big"), int.from_bytes(octets[33:], "big")
    if max(x, y) >= FIELD or (y * y - x**3 - COEFFICIENTS[0] * x - COEFFICIENTS[1]) % FIELD:
        raise ValueError("not on the curve")
    return x, y


def verifies(point: Point, message: bytes, signature: bytes) -> bool:
    """Whether this key signed this message under the id of FORMATS section 3.1."""
    try:
        pair = algos.DSASignature.load(signature, strict=True)
        r, s = pair["r"].native, pair["s"].native
        if pair.dump(force=True) != signature:
            return False
    except (ValueError, TypeError):
        return False
    if not (0 < r < ORDER and 0 < s < ORDER) or (r + s) % ORDER == 0:
        return False
    z = sm3(len(ID * 8).to_bytes(2, "big") + ID + b"".join(number.to_bytes(32, "big") for number in (*COEFFICIENTS, *BASE, *point)))
    e = int.from_bytes(sm3(z + message), "big")
    found = _plus(_times(s, BASE), _times((r + s) % ORDER, point))
    return found is not None and (e + found[0]) % ORDER == r


def issued(upper: bytes, lower: bytes) -> bool:
    """Whether the SM2 key of the certificate ``upper`` signed the certificate ``lower`` (both DER)."""
    try:
        child = asn1x509.Certificate.load(lower, strict=True)
        if child["signature_algorithm"]["algorithm"].dotted != SIGNED_WITH or child["tbs_certificate"]["signature"]["algorithm"].dotted != SIGNED_WITH:
            return False
        point = point_of(asn1x509.Certificate.load(upper, strict=True))
        return verifies(point, child["tbs_certificate"].dump(), child["signature_value"].native)
    except (ValueError, TypeError, KeyError):
        return False
