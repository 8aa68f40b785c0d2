"""What an X.509 certificate says. Never trusts one: that is ``sync.trust``.

With ``cms.py``, ``trust.py`` and ``revocation.py`` the only file that takes asn1crypto's objects apart, which carry no types: hence the loosened type rules.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal, cast

from asn1crypto import x509

from sync.errors import FormatTrouble

__all__ = ["BROKEN", "CertificateFacts", "Mechanism", "certificate_facts", "parsed_certificate", "public_key"]

Mechanism = Literal["rsa-pkcs1-sha256", "ecdsa-sha256", "sm2-sm3"]
"""How a digest is signed; the same words as in the contract of tokens."""

SUBJECT_SERIAL_NUMBER = "2.5.4.5"
COMMON_NAME = "2.5.4.3"
ORGANISATION = "2.5.4.10"
CURVES = {"secp256r1": "ec-p256", "1.2.156.10197.1.301": "sm2"}
BROKEN = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError)
"""What asn1crypto raises on bytes that are not what they should be, at the first look at them."""


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """What a certificate says. ``id`` is the subject's serialNumber (2.5.4.5), empty where it has none; ``digest`` is over the DER.

    ``key_kind`` is ``rsa-2048`` (with its bits), ``ec-p256``, ``sm2``, or another curve's or algorithm's name. ``usages`` are RFC 5280's words, empty
    where the certificate sets no limit. Times are UTC.
    """

    id: str
    name: str
    organisation: str
    issuer: str
    serial: str
    not_before: datetime
    not_after: datetime
    key_kind: str
    digest: str
    authority: bool
    usages: frozenset[str]

    @property
    def mechanism(self) -> Mechanism | None:
        """How this certificate's key signs for us; None where it may not: RSA from 2048 bits, EC on P-256."""
        if self.key_kind.startswith("rsa-"):
            return "rsa-pkcs1-sha256" if int(self.key_kind[4:]) >= 2048 else None
        return {"ec-p256": "ecdsa-sha256", "sm2": "sm2-sm3"}.get(self.key_kind)  # pyright: ignore[reportReturnType]


@lru_cache(maxsize=64)
def certificate_facts(untrusted_der: bytes) -> CertificateFacts:
    """Read a certificate. Raises ``FormatTrouble`` for bytes that are none."""
    try:
        certificate = parsed_certificate(untrusted_der)
        validity = certificate["tbs_certificate"]["validity"]
        usage = certificate.key_usage_value
        return CertificateFacts(
            id=_name_part(certificate.subject, SUBJECT_SERIAL_NUMBER),
            name=_name_part(certificate.subject, COMMON_NAME),
            organisation=_name_part(certificate.subject, ORGANISATION),
            issuer=_name_part(certificate.issuer, COMMON_NAME),
            serial=f"{certificate.serial_number:X}",
            not_before=validity["not_before"].native.astimezone(UTC),
            not_after=validity["not_after"].native.astimezone(UTC),
            key_kind=_key_kind(certificate.public_key),
            digest="sha256:" + hashlib.sha256(untrusted_der).hexdigest(),
            authority=bool(certificate.ca),
            usages=frozenset(cast("set[str]", usage.native)) if usage is not None else frozenset(),
        )
    except BROKEN as error:
        raise FormatTrouble(f"certificate: {type(error).__name__}", what="certificate") from None


@lru_cache(maxsize=64)
def public_key(der: bytes) -> bytes:
    """The SubjectPublicKeyInfo of a certificate, DER. Raises ``FormatTrouble``."""
    try:
        return parsed_certificate(der).public_key.dump()
    except BROKEN as error:
        raise FormatTrouble(f"certificate: {type(error).__name__}", what="certificate") from None


def parsed_certificate(untrusted_der: bytes) -> Any:
    """The certificate as asn1crypto sees it; it reads lazily, so ``BROKEN`` may come at any look. Trailing bytes and unused bits are refused."""
    certificate = x509.Certificate.load(untrusted_der, strict=True)
    if certificate["signature_value"].contents[:1] != b"\0":   # the one byte that no signature covers: another spelling of the same certificate
        raise ValueError("the signature is not whole bytes")
    return certificate


def _name_part(name: Any, oid: str) -> str:
    """The last attribute of this kind in a name, as text, or empty."""
    parts = [str(part["value"].native) for level in name.chosen for part in level if part["type"].dotted == oid]
    return parts[-1] if parts else ""


def _key_kind(key: Any) -> str:
    if key.algorithm == "rsa":
        return f"rsa-{key.bit_size}"
    if key.algorithm == "ec":
        form, curve = key.curve
        return CURVES.get(str(curve), f"ec-{curve}") if form == "named" else "ec-unnamed"
    return str(key.algorithm)
