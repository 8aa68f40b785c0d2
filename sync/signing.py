"""Signs exact bytes with whoever fulfils ``Signer``, and says of a signature who made it and whether it holds. Never sees a PIN, a token or a private key
of a person, and never signs without verifying at once what came back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import load_der_public_key

from sync.cms import CertificateFacts, Mechanism, Opened, certificate_facts, container, open_container, public_key, signed_attributes
from sync.errors import CertificateTrouble, FormatTrouble, SignatureInvalid
from sync.trust import validate_path

__all__ = ["CertificateFacts", "KeySigner", "Mechanism", "SignatureReport", "Signer", "certificate_facts", "check_signature", "make_signature"]


class Signer(Protocol):
    """A private key that signs digests, and the certificate that speaks for it."""

    @property
    def certificate(self) -> bytes:
        """The signer's certificate, DER."""
        ...

    @property
    def chain(self) -> Sequence[bytes]:
        """Certificates of authorities above it, DER, in any order; what does not lead upward is left out of the signature."""
        ...

    def sign(self, mechanism: Mechanism, digest: bytes) -> bytes:
        """Sign a ready 32-byte digest: RSA gives the PKCS#1 v1.5 block, ECDSA the DER ``SEQUENCE {r, s}``."""
        ...


@dataclass(frozen=True, slots=True)
class SignatureReport:
    """What a signature is worth. ``valid``: the bytes are those that this certificate's key signed. ``trusted``: valid, and the certificate led to a root at
    the moment asked about. ``signed_at`` is the signer's own claim. ``certificate`` is its DER.

    ``why`` is empty when trusted, else one of: format, attached, signers, no-certificate, algorithm, attributes, content (other bytes were signed),
    signing-certificate, signature (key and signature do not fit), and of the path: no-roots, untrusted, expired, not-yet-valid, revoked, weak, usage,
    authority, path.
    """

    signer_id: str
    signer_name: str
    certificate_digest: str
    signed_at: datetime | None
    valid: bool
    trusted: bool
    why: str
    certificate: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class KeySigner:
    """The station's own device key (EC P-256) as a ``Signer``."""

    private_key: ec.EllipticCurvePrivateKey = field(repr=False)
    certificate: bytes = field(repr=False)
    chain: tuple[bytes, ...] = field(default=(), repr=False)

    def sign(self, mechanism: Mechanism, digest: bytes) -> bytes:
        if mechanism != "ecdsa-sha256":
            raise CertificateTrouble(f"the station's key does not sign {mechanism}", why="algorithm")
        return self.private_key.sign(digest, ec.ECDSA(Prehashed(hashes.SHA256())))


def make_signature(content: bytes, signer: Signer, claimed_at: datetime) -> bytes:
    """Detached CMS (CAdES-BES, DER; FORMATS section 3) over these exact bytes, verified before it is given out.

    Raises ``CertificateTrouble(why="not-yet-valid" | "expired" | "algorithm")`` when the certificate may not sign at ``claimed_at`` (aware UTC),
    ``SignatureInvalid`` when what came back does not verify, ``FormatTrouble`` for a broken certificate, and whatever ``signer.sign`` raises.
    """
    if claimed_at.tzinfo is None:
        raise ValueError("the claimed time must know its time zone")
    moment = claimed_at.astimezone(UTC).replace(microsecond=0)
    facts = certificate_facts(signer.certificate)
    if moment < facts.not_before:
        raise CertificateTrouble("the clock is before the certificate's first day", why="not-yet-valid")
    if moment > facts.not_after:
        raise CertificateTrouble("the certificate has ended", why="expired")
    mechanism = facts.mechanism
    if mechanism is None or mechanism == "sm2-sm3":
        raise CertificateTrouble(f"no signature is made with {facts.key_kind}", why="algorithm")
    attributes = signed_attributes(content, signer.certificate, moment)
    signature = signer.sign(mechanism, hashlib.sha256(attributes).digest())
    p7s = container(attributes, signature, signer.certificate, signer.chain, mechanism)
    opened = open_container(content, p7s)
    if not _holds(opened) or opened.certificate != signer.certificate or opened.signed_at != moment:
        raise SignatureInvalid("the signer's answer does not verify", why="signature")
    return p7s


def check_signature(content: bytes, untrusted_p7s: bytes, roots: Sequence[bytes], moment: datetime | None = None) -> SignatureReport:
    """Who signed these exact bytes, and does it hold at ``moment`` (aware) against ``roots`` (DER)? Raises nothing for bad bytes: the report says why.

    Without ``moment`` the certificate is judged at the time that the signer claims, which proves nothing by itself: for what was signed long ago and is kept
    by us (the device list). Where a proof of time is at hand (a receipt), give its time.
    """
    try:
        opened = open_container(content, untrusted_p7s)
        facts = certificate_facts(opened.certificate)
    except SignatureInvalid as error:
        return SignatureReport("", "", "", None, False, False, str(error.facts["why"]))
    except FormatTrouble:
        return SignatureReport("", "", "", None, False, False, "format")
    valid, trusted, why = _holds(opened), False, "signature"
    if valid:
        try:
            validate_path(opened.certificate, opened.others, roots, moment or opened.signed_at)
            trusted, why = True, ""
        except CertificateTrouble as error:
            why = str(error.facts["why"])
    return SignatureReport(facts.id, facts.name, facts.digest, opened.signed_at, valid, trusted, why, opened.certificate)


def _holds(opened: Opened) -> bool:
    """Whether the certificate's key made this signature over these attributes. A key that is too weak, or of another kind, made none."""
    try:
        if certificate_facts(opened.certificate).mechanism != opened.mechanism:
            return False
        key = load_der_public_key(public_key(opened.certificate))
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(opened.signature, opened.attributes, padding.PKCS1v15(), hashes.SHA256())
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(opened.signature, opened.attributes, ec.ECDSA(hashes.SHA256()))
        else:
            return False
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, FormatTrouble):
        return False
    return True
