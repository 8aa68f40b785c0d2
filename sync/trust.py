"""Whether a signer's certificate leads to one of the given roots at a given moment (RFC 5280). Never uses the system's roots, never asks the network.

Revocation is not known to the station; the province checks it when a record arrives.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime

from asn1crypto import x509
from pyhanko_certvalidator import CertificateValidator, ValidationContext
from pyhanko_certvalidator.errors import (
    DisallowedAlgorithmError,
    ExpiredError,
    NotYetValidError,
    PathBuildingError,
    PathValidationError,
    RevokedError,
    ValidationError,
)

from sync.cms import BROKEN, certificate_facts
from sync.errors import CertificateTrouble, FormatTrouble

__all__ = ["validate_path"]

WHY: tuple[tuple[type[Exception], str], ...] = (
    (ExpiredError, "expired"),
    (NotYetValidError, "not-yet-valid"),
    (RevokedError, "revoked"),
    (DisallowedAlgorithmError, "weak"),
    (PathBuildingError, "untrusted"),
    (PathValidationError, "path"),
    (ValidationError, "path"),
)


def validate_path(untrusted_certificate: bytes, untrusted_others: Sequence[bytes], trust_roots: Sequence[bytes], moment: datetime) -> None:
    """Build and check a path from a person's certificate over ``untrusted_others`` to one of ``trust_roots`` (all DER) at ``moment`` (aware).

    Raises ``CertificateTrouble(why=...)``: no-roots, untrusted, expired, not-yet-valid, revoked, weak, usage (not for signing), authority (a CA's own
    certificate), path, format.
    """
    if moment.tzinfo is None:
        raise ValueError("the moment must know its time zone")
    if not trust_roots:
        raise CertificateTrouble("no roots given", why="no-roots")
    try:
        facts = certificate_facts(untrusted_certificate)
    except FormatTrouble as error:
        raise CertificateTrouble(error.detail, why="format") from None
    if facts.authority:
        raise CertificateTrouble("a CA's certificate signs no records", why="authority")
    if facts.usages and not facts.usages & {"digital_signature", "non_repudiation"}:
        raise CertificateTrouble(f"key usage {sorted(facts.usages)}", why="usage")
    if facts.mechanism is None:
        raise CertificateTrouble(f"key {facts.key_kind}", why="weak")
    try:
        context = ValidationContext(
            trust_roots=[x509.Certificate.load(root) for root in trust_roots],
            moment=moment,
            allow_fetching=False,
            revocation_mode="soft-fail",
        )
        others = [x509.Certificate.load(other) for other in untrusted_others]
        validator = CertificateValidator(x509.Certificate.load(untrusted_certificate), others, context)
        asyncio.run(validator.async_validate_path())
    except (PathBuildingError, ValidationError) as error:
        why = next(word for kind, word in WHY if isinstance(error, kind))
        raise CertificateTrouble(type(error).__name__, why=why) from None
    except BROKEN as error:
        raise CertificateTrouble(type(error).__name__, why="format") from None
