"""Whether a signer's certificate leads to one of the given roots at a given moment (RFC 5280), RSA, EC or SM2. Never uses the system's roots, never asks the
network: lists and answers on revocation are handed over (``sync/revocation.py`` keeps them).
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from asn1crypto import crl, ocsp, x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from pyhanko_certvalidator import CertificateValidator, ValidationContext
from pyhanko_certvalidator.errors import (
    DisallowedAlgorithmError,
    ExpiredError,
    InsufficientRevinfoError,
    NotYetValidError,
    PathBuildingError,
    PathValidationError,
    RevokedError,
    ValidationError,
)
from pyhanko_certvalidator.policy_decl import CertRevTrustPolicy, FreshnessReqType, RevocationCheckingPolicy, RevocationCheckingRule
from pyhanko_certvalidator.sig_validate import DEFAULT_VALIDATION_CONTEXT, DefaultSignatureValidator

from sync import sm2
from sync.certificates import BROKEN, certificate_facts
from sync.errors import CertificateExpired, CertificateTrouble, FormatTrouble

__all__ = ["Revocation", "RevocationState", "SignatureCheck", "validate_path"]

RevocationState = Literal["good", "stale", "unknown", "unchecked"]
"""``good``: a list or answer of its time says not revoked; ``stale``: an older one does; ``unknown``: none speaks of it; ``unchecked``: none was given."""

WHY: tuple[tuple[type[Exception], str], ...] = (
    (ExpiredError, "expired"),
    (NotYetValidError, "not-yet-valid"),
    (RevokedError, "revoked"),
    (DisallowedAlgorithmError, "weak"),
    (PathBuildingError, "untrusted"),
    (PathValidationError, "path"),
    (ValidationError, "path"),
)
SM2_SM3 = "1.2.156.10197.1.501"
ANY_AGE = timedelta(days=36_500)
NO_CHECK, REQUIRED = RevocationCheckingRule.NO_CHECK, RevocationCheckingRule.CRL_OR_OCSP_REQUIRED


@dataclass(frozen=True, slots=True)
class Revocation:
    """What is known of revoked certificates: CRLs and OCSP responses, DER or parsed before, from anywhere; their signatures are checked with the path."""

    crls: tuple[bytes | crl.CertificateList, ...] = field(default=(), repr=False)
    ocsps: tuple[bytes | ocsp.OCSPResponse, ...] = field(default=(), repr=False)


class SignatureCheck(DefaultSignatureValidator):
    """The library's own check, and SM2 with SM3, which it does not know. ``idents`` are tried in turn."""

    def __init__(self, idents: Sequence[bytes]) -> None:
        self._idents = tuple(dict.fromkeys((sm2.DEFAULT_ID, *idents)))

    def validate_signature(  # the library's own words
        self, signature: bytes, signed_data: bytes, public_key_info: Any, signature_algorithm: Any, context: Any = DEFAULT_VALIDATION_CONTEXT
    ) -> None:
        if signature_algorithm["algorithm"].dotted != SM2_SM3:
            super().validate_signature(signature, signed_data, public_key_info, signature_algorithm, context)
        elif not any(sm2.verify_message(public_key_info.dump(), signed_data, signature, ident) for ident in self._idents):
            raise InvalidSignature


def validate_path(
    untrusted_certificate: bytes, untrusted_others: Sequence[bytes], trust_roots: Sequence[bytes], moment: datetime, revocation: Revocation | None = None,
    idents: Sequence[bytes] = (),
) -> RevocationState:
    """Build and check a path from a person's certificate over ``untrusted_others`` to one of ``trust_roots`` (all DER) at ``moment`` (aware).

    Raises ``CertificateTrouble(why=...)``: no-roots, untrusted, expired, not-yet-valid, revoked, weak, usage (not for signing), authority (a CA's own
    certificate), path, format. A list that says revoked holds at any age; what an answer says of the certificates above is heard, but not required.
    """
    if moment.tzinfo is None:
        raise ValueError("the moment must know its time zone")
    if not trust_roots:
        raise CertificateTrouble("no roots given", why="no-roots")
    _check_purpose(untrusted_certificate)
    path = _Path(untrusted_certificate, untrusted_others, trust_roots, moment, tuple(idents))
    path.hold(NO_CHECK, NO_CHECK)
    if revocation is None:
        return "unchecked"
    try:
        path.hold(REQUIRED, REQUIRED, revocation, ANY_AGE)
    except _NothingKnown:
        try:
            path.hold(REQUIRED, NO_CHECK, revocation, ANY_AGE)
        except _NothingKnown:
            return "unknown"
    try:
        path.hold(REQUIRED, NO_CHECK, revocation)
    except _NothingKnown:
        return "stale"
    return "good"


class _NothingKnown(Exception):
    """No list or answer speaks of the certificate."""


@dataclass(frozen=True, slots=True)
class _Path:
    """One certificate and all that a check of its path needs; each check begins anew."""

    certificate: bytes
    others: Sequence[bytes]
    roots: Sequence[bytes]
    moment: datetime
    idents: tuple[bytes, ...]

    def hold(
        self, own: RevocationCheckingRule, above: RevocationCheckingRule, revocation: Revocation | None = None, max_age: timedelta | None = None
    ) -> None:
        """Raises ``CertificateTrouble``, and ``_NothingKnown`` where a rule asks for an answer on revocation that is not there."""
        kind = FreshnessReqType.DEFAULT if max_age is None else FreshnessReqType.MAX_DIFF_REVOCATION_VALIDATION
        policy = CertRevTrustPolicy(RevocationCheckingPolicy(own, above), freshness=max_age, freshness_req_type=kind, retroactive_revinfo=True)
        known = revocation or Revocation()
        below: list[x509.Certificate] = []
        try:
            roots = [x509.Certificate.load(root) for root in self.roots]
            if revocation is not None:
                roots, below = _split(roots)
            context = ValidationContext(
                trust_roots=roots,
                moment=self.moment,
                allow_fetching=False,
                crls=list(known.crls),
                ocsps=list(known.ocsps),
                revinfo_policy=policy,
                signature_validator=SignatureCheck(self.idents),
            )
            others = [*below, *(x509.Certificate.load(other) for other in self.others)]
            validator = CertificateValidator(x509.Certificate.load(self.certificate), others, context)
            asyncio.run(validator.async_validate_path())
        except InsufficientRevinfoError:
            raise _NothingKnown from None
        except (PathBuildingError, ValidationError) as error:
            if below and not isinstance(error, RevokedError):
                raise _NothingKnown from None  # the path itself was held before, from the nearer root
            raise _named(error, self.certificate) from None
        except UnsupportedAlgorithm as error:
            if revocation is not None:  # the path itself was held before: a responder's own certificate is of a kind that the library cannot check
                raise _NothingKnown from None
            raise CertificateTrouble(str(error), why="weak") from None
        except BROKEN as error:
            if revocation is not None:
                raise _NothingKnown from None
            raise CertificateTrouble(type(error).__name__, why="format") from None


def _split(roots: Sequence[x509.Certificate]) -> tuple[list[x509.Certificate], list[x509.Certificate]]:
    """Roots, and those among them that another one issued: the library hears an authority's list only where that authority stands within the path."""
    names = {one.subject.hashable for one in roots}
    below = [one for one in roots if one.issuer.hashable in names and one.issuer.hashable != one.subject.hashable]
    return [one for one in roots if one not in below], below


def _named(error: Exception, certificate: bytes) -> CertificateTrouble:
    why = next(word for kind, word in WHY if isinstance(error, kind))
    if why == "expired":
        return CertificateExpired(type(error).__name__, why=why, until=f"{certificate_facts(certificate).not_after:%Y-%m-%d}")
    return CertificateTrouble(type(error).__name__, why=why)


def _check_purpose(untrusted_certificate: bytes) -> None:
    """Refuse what is no signing certificate of a person."""
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
