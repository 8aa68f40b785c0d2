"""Mints credit sheet codes and status answers of a drawn-up province (FORMATS 10). Its keys are made anew each time and worth nothing."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import base45
import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

__all__ = ["SheetOffice", "payload"]

EPOCH = date(1970, 1, 1)


def payload(today: date, **changes: Any) -> dict[int, Any]:
    """An honest payload map; ``k7=5`` changes member 7, ``k5=None`` drops member 5."""
    made: dict[int, Any] = {
        1: "CX-510100-20261122-000031", 2: 1, 3: "李建国", 4: "5101**********0012", 5: "四川示例建设有限公司", 6: [4], 7: 2, 8: 0,
        9: (today - EPOCH).days, 10: (today - EPOCH).days + 90, 11: 77, 12: hashlib.sha256(b"print").digest()[:16],
    }  # fmt: skip
    for name, value in changes.items():
        key = int(name[1:])
        if value is None:
            made.pop(key, None)
        else:
            made[key] = value
    return made


@dataclass
class SheetOffice:
    """A key of purpose sheets, and what can be signed with it."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @property
    def spki(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    @property
    def kid(self) -> bytes:
        return hashlib.sha256(self.spki).digest()[:8]

    def signature(self, protected: bytes, body: bytes) -> bytes:
        pair = decode_dss_signature(self.key.sign(cbor2.dumps(["Signature1", protected, b"", body]), ec.ECDSA(SHA256())))
        return b"".join(part.to_bytes(32, "big") for part in pair)

    def code(self, body: dict[int, Any] | bytes, *, algorithm: int = -7, kid: bytes | None = None) -> bytes:
        """``CR1:…`` of a payload map (or of payload bytes as they are)."""
        raw = body if isinstance(body, bytes) else cbor2.dumps(body, canonical=True)
        protected = cbor2.dumps({1: algorithm, 4: self.kid if kid is None else kid}, canonical=True)
        return self.wrapped([protected, {}, raw, self.signature(protected, raw)])

    @staticmethod
    def wrapped(parts: list[Any], tag: int = 18) -> bytes:
        return b"CR1:" + base45.b45encode(cbor2.dumps(cbor2.CBORTag(tag, parts), canonical=True))

    def roots_entry(self, now: datetime, state: str = "good") -> dict[str, Any]:
        """The key's line in the roots list."""
        import base64

        return {
            "keyid": self.kid.hex(), "purpose": "sheets", "spki": base64.b64encode(self.spki).decode(), "state": state,
            "not_before": _z(now - timedelta(days=400)), "not_after": _z(now + timedelta(days=400)),
        }  # fmt: skip

    def status(self, body: dict[int, Any], now: datetime, state: str = "current", **facts: Any) -> dict[str, Any]:
        """The payload of a sheet-status envelope about this sheet."""
        told = {"name": body[3], "masked": body[4], "employer": body.get(5), "good": body[7], "bad": body[8], **facts}
        newer = "CX-510100-20261122-000099" if state == "superseded" else None
        return {"type": "hall-intake/sheet-status/1", "number": body[1], "state": state, "facts": told, "newer": newer, "as_of": _z(now)}


def _z(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
