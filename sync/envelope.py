"""Opens what the province signed (DSSE, FORMATS section 4) with the keys of its roots list. Never signs, never fetches a key.

A key has one purpose; the purpose must be that of the payload. One good signature of a key that was not revoked is enough.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from sync.canon import parse_canonical, parse_json
from sync.errors import FormatTrouble, SignatureInvalid
from sync.members import Members, parse_time

__all__ = ["PURPOSE_OF", "KeyRing", "PayloadName", "VerifyKey", "keyid_of", "open_envelope", "open_payload", "signed_bytes"]

PayloadName = Literal["roots", "receipt", "settings", "tables", "states", "sheet-status"]
"""The ``<name>`` of ``application/vnd.hall-intake.<name>+json``."""

PURPOSE_OF: dict[PayloadName, str] = {
    "roots": "roots", "receipt": "receipts", "settings": "settings", "tables": "tables", "states": "states", "sheet-status": "sheets",
}
"""Payload name -> the only purpose whose keys may sign it."""

_MOMENT_OF = {"receipt": "received_at", "sheet-status": "as_of"}
"""The member that says when the payload was signed; ``issued_at`` for everything of the downlink."""

MOST_BYTES = 16 * 1024 * 1024
"""No envelope is larger; a states list of 50,000 records has about 10 MB."""


def keyid_of(spki: bytes) -> str:
    """First 16 hex digits of SHA-256 over the DER SubjectPublicKeyInfo."""
    return hashlib.sha256(spki).hexdigest()[:16]


def signed_bytes(payload_type: str, payload: bytes) -> bytes:
    """The bytes that DSSE v1 signs."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


@dataclass(frozen=True, slots=True)
class VerifyKey:
    """One public key of the province. ``not_before`` and ``not_after`` are None for the pinned root key only."""

    keyid: str
    purpose: str
    spki: bytes
    not_before: datetime | None = None
    not_after: datetime | None = None
    state: str = "good"

    def check(self, content: bytes, signature: bytes) -> bool:
        """Whether ``signature`` (DER, ECDSA P-256 with SHA-256) is this key's over ``content``."""
        try:
            _p256(self.spki).verify(signature, content, ec.ECDSA(SHA256()))
        except InvalidSignature:
            return False
        return True

    def covers(self, moment: datetime) -> bool:
        """Whether the key could sign at ``moment``."""
        return (self.not_before is None or self.not_before <= moment) and (self.not_after is None or moment <= self.not_after)


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys with which this station checks the province's word."""

    keys: tuple[VerifyKey, ...]

    @classmethod
    def pinned(cls, spki: bytes) -> KeyRing:
        """The ring that holds nothing but the offline root key of the invitation. Raises FormatTrouble for another kind of key."""
        _p256(spki)
        return cls((VerifyKey(keyid_of(spki), "roots", spki),))

    @classmethod
    def from_roots(cls, body: Members) -> KeyRing:
        """The keys of a roots list. Root keys in it are passed over: only the pinned one makes roots. Raises FormatTrouble."""
        found: dict[str, VerifyKey] = {}
        for one in body.each("keys", ("keyid", "purpose", "spki", "not_before", "not_after", "state")):
            spki = one.bytes64("spki")
            key = VerifyKey(one.text("keyid", 16), one.be("purpose", *PURPOSE_OF.values()), spki,
                            one.time("not_before"), one.time("not_after"), one.be("state", "good", "retired", "revoked"))
            _p256(spki)
            if key.keyid != keyid_of(spki):
                raise FormatTrouble("a keyid does not belong to its key", what="roots.keys")
            if key.keyid in found:
                raise FormatTrouble("a key stands twice in the roots list: one purpose per key", what="roots.keys")
            found[key.keyid] = key
        return cls(tuple(key for key in found.values() if key.purpose != "roots"))

    def find(self, keyid: str) -> VerifyKey | None:
        """The key of that id, or None."""
        return next((key for key in self.keys if key.keyid == keyid), None)


def open_payload(untrusted: bytes, keys: KeyRing, name: PayloadName) -> bytes:
    """The payload's exact bytes, once a key of the right purpose vouches for them.

    Raises FormatTrouble for anything that is no envelope of this name, and SignatureInvalid with the fact ``why``:
    ``unknown_key``, ``purpose``, ``revoked``, ``signature`` or ``key_age``.
    """
    payload_type, payload, signatures = _take_apart(untrusted)
    if payload_type != f"application/vnd.hall-intake.{name}+json":
        raise FormatTrouble(f"the envelope does not hold a {name}", what="envelope.payloadType")
    content = signed_bytes(payload_type, payload)
    why = "unknown_key"
    for keyid, signature in signatures:
        key = keys.find(keyid)
        if key is None:
            continue
        if key.purpose != PURPOSE_OF[name]:
            why = "purpose"
        elif key.state == "revoked":
            why = "revoked"
        elif not key.check(content, signature):
            why = "signature"
        elif not key.covers(_moment(payload, name)):
            why = "key_age"
        else:
            return payload
    raise SignatureInvalid(f"no good signature over this {name}: {why}", why=why)


def open_envelope(untrusted: bytes, keys: KeyRing, name: PayloadName) -> dict[str, Any]:
    """The object that the province signed. Raises as ``open_payload`` does, and FormatTrouble where the payload is not canonical JSON."""
    return parse_canonical(open_payload(untrusted, keys, name), name)


def _take_apart(untrusted: bytes) -> tuple[str, bytes, list[tuple[str, bytes]]]:
    if len(untrusted) > MOST_BYTES:
        raise FormatTrouble("the envelope is too large", what="envelope")
    envelope = Members(parse_json(untrusted, "envelope"), "envelope")
    signatures: list[tuple[str, bytes]] = []
    for one in envelope.array("signatures")[:16]:
        signature = Members(one, "envelope.signatures")
        signatures.append((signature.text("keyid", 64), signature.bytes64("sig")))
    if not signatures:
        raise FormatTrouble("the envelope has no signature", what="envelope.signatures")
    return envelope.text("payloadType", 128), envelope.bytes64("payload"), signatures


def _moment(payload: bytes, name: PayloadName) -> datetime:
    member = _MOMENT_OF.get(name, "issued_at")
    return parse_time(parse_canonical(payload, name).get(member), f"{name}.{member}")


def _p256(spki: bytes) -> ec.EllipticCurvePublicKey:
    try:
        key = load_der_public_key(spki)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise FormatTrouble("not a public key", what="spki") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise FormatTrouble("not a P-256 key", what="spki")
    return key
