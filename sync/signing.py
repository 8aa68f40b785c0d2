"""Signs exact bytes with whoever fulfils ``Signer``, and says of a signature who made it and whether it holds. Never sees a PIN, a token or a private key
of a person, and never signs without verifying at once what came back.
"""

from __future__ import annotations

import base64
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

from sync import sm2
from sync.canon import parse_json
from sync.certificates import BROKEN, CertificateFacts, Mechanism, certificate_facts, public_key
from sync.cms import CADES_BES, GM_P7_PLAIN, PROFILES, Opened, Sm2Profile, container, open_container, signed_attributes
from sync.errors import CertificateExpired, CertificateTrouble, FormatTrouble, SignatureInvalid
from sync.trust import Revocation, validate_path

__all__ = [
    "CertificateFacts", "KeySigner", "Mechanism", "P1", "SignatureReport", "Signer", "Sm2Choice", "certificate_facts", "check_may_sign", "check_p1",
    "check_signature", "make_signature", "p1_of",
]


@dataclass(frozen=True, slots=True)
class Sm2Choice:
    """How SM2 signatures are made and read: the profile that is written, and the distinguishing ids, of which the first is written and all are tried."""

    profile: Sm2Profile = "gm-p7-plain"
    idents: tuple[bytes, ...] = (sm2.DEFAULT_ID,)


USUAL = Sm2Choice()
"""FORMATS section 3.1."""


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
        """Sign a ready 32-byte digest: RSA gives the PKCS#1 v1.5 block, ECDSA and SM2 the DER ``SEQUENCE {r, s}``. For SM2 it is e = SM3(Z ‖ M)."""
        ...


@dataclass(frozen=True, slots=True)
class SignatureReport:
    """What a signature is worth. ``valid``: the bytes are those that this certificate's key signed. ``trusted``: valid, and the certificate led to a root at
    the moment asked about. ``signed_at`` is the signer's own claim: the signing-time, or the content's ``claimed_at`` where the profile has none.
    ``certificate`` is its DER. ``profile`` is the form of the signature, ``ident`` the SM2 id that fitted.

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
    others: tuple[bytes, ...] = field(default=(), repr=False)
    profile: str = ""
    ident: bytes = b""


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


def make_signature(content: bytes, signer: Signer, claimed_at: datetime, choice: Sm2Choice = USUAL) -> bytes:
    """Detached SignedData (DER; FORMATS section 3) over these exact bytes, verified before it is given out: CAdES-BES, or ``choice`` for an SM2 key.

    Raises ``CertificateExpired``, ``CertificateTrouble(why="not-yet-valid" | "algorithm")`` when the certificate may not sign at ``claimed_at`` (aware UTC),
    ``SignatureInvalid`` when what came back does not verify, ``FormatTrouble`` for a broken certificate, and whatever ``signer.sign`` raises.
    """
    if claimed_at.tzinfo is None:
        raise ValueError("the claimed time must know its time zone")
    moment = claimed_at.astimezone(UTC).replace(microsecond=0)
    mechanism = _mechanism_at(certificate_facts(signer.certificate), moment)
    profile = PROFILES[choice.profile] if mechanism == "sm2-sm3" else CADES_BES
    attributes = signed_attributes(profile, content, signer.certificate, moment) if profile.attributes else b""
    signed = attributes or content
    digest = hashlib.sha256(signed).digest()
    if mechanism == "sm2-sm3":
        digest = sm2.digest_of(sm2.point_of(public_key(signer.certificate)), signed, choice.idents[0])
    signature = signer.sign(mechanism, digest)
    p7s = container(profile, attributes, signature, signer.certificate, signer.chain, mechanism)
    opened = open_container(content, p7s)
    if _fitting(opened, choice.idents[:1]) is None or opened.certificate != signer.certificate or opened.signed_at not in (None, moment):
        raise SignatureInvalid("the signer's answer does not verify", why="signature")
    return p7s


def check_may_sign(certificate: bytes, moment: datetime) -> None:
    """Raises what ``make_signature`` would raise for this certificate at this moment: to be asked before a PIN is spent."""
    _mechanism_at(certificate_facts(certificate), moment)


def _mechanism_at(facts: CertificateFacts, moment: datetime) -> Mechanism:
    if moment < facts.not_before:
        raise CertificateTrouble("the clock is before the certificate's first day", why="not-yet-valid")
    if moment > facts.not_after:
        raise CertificateExpired("the certificate has ended", why="expired", until=f"{facts.not_after:%Y-%m-%d}")
    if facts.mechanism is None:
        raise CertificateTrouble(f"no signature is made with {facts.key_kind}", why="algorithm")
    return facts.mechanism


def check_signature(
    content: bytes, untrusted_p7s: bytes, roots: Sequence[bytes], moment: datetime | None = None, choice: Sm2Choice = USUAL,
    revocation: Revocation | None = None,
) -> SignatureReport:
    """Who signed these exact bytes, and does it hold at ``moment`` (aware) against ``roots`` (DER)? Raises nothing for bad bytes: the report says why.

    Without ``moment`` the certificate is judged at the time that the signer claims, which proves nothing by itself: for what was signed long ago and is kept
    by us (the device list). Where a proof of time is at hand (a receipt), give its time. ``revocation``: lists and answers to hold it against.
    """
    try:
        opened = open_container(content, untrusted_p7s)
        facts = certificate_facts(opened.certificate)
    except SignatureInvalid as error:
        return SignatureReport("", "", "", None, False, False, str(error.facts["why"]))
    except FormatTrouble:
        return SignatureReport("", "", "", None, False, False, "format")
    ident = _fitting(opened, choice.idents)
    signed_at = opened.signed_at or _claimed_at(content)
    valid, trusted, why = ident is not None, False, "signature"
    if valid:
        try:
            validate_path(opened.certificate, opened.others, roots, moment or signed_at or datetime.now(UTC), revocation, choice.idents)
            trusted, why = True, ""
        except CertificateTrouble as error:
            why = str(error.facts["why"])
    return SignatureReport(facts.id, facts.name, facts.digest, signed_at, valid, trusted, why, opened.certificate, opened.others, opened.profile, ident or b"")


def _claimed_at(content: bytes) -> datetime | None:
    """``claimed_at`` of a signed object: stands for the signing-time where the profile has none (FORMATS section 3.1)."""
    try:
        claimed = parse_json(content).get("claimed_at")
        moment = datetime.fromisoformat(claimed) if isinstance(claimed, str) else None
    except (FormatTrouble, ValueError):
        return None
    return moment if moment is not None and moment.tzinfo is not None else None


def _fitting(opened: Opened, idents: Sequence[bytes]) -> bytes | None:
    """The SM2 id under which the certificate's key made this signature (empty for RSA and EC), or None: it did not.

    A key that is too weak, or of another kind, made none.
    """
    try:
        if certificate_facts(opened.certificate).mechanism != opened.mechanism:
            return None
        spki = public_key(opened.certificate)
        if opened.mechanism == "sm2-sm3":
            return next((ident for ident in idents if sm2.verify_message(spki, opened.signed, opened.signature, ident)), None)
        key = load_der_public_key(spki)
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(opened.signature, opened.signed, padding.PKCS1v15(), hashes.SHA256())
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(opened.signature, opened.signed, ec.ECDSA(hashes.SHA256()))
        else:
            return None
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, FormatTrouble):
        return None
    return b""


# -- P1: the bare SM2 signature (SOF_SignData of GM/T 0020) -------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class P1:
    """Base64 of the DER signature, and of the certificate: what platforms with the SOF interface take instead of a container."""

    signature: str
    certificate: str


def p1_of(content: bytes, p7s: bytes, choice: Sm2Choice = USUAL) -> P1:
    """The P1 form of a ``gm-p7-plain`` signature: the same signature without its container, so the token is not asked again.

    Raises ``SignatureInvalid`` for any other profile (there the attributes were signed), and for a signature that does not hold.
    """
    opened = open_container(content, p7s)
    if opened.profile != GM_P7_PLAIN.name:
        raise SignatureInvalid(f"{opened.profile} has no P1 form", why="algorithm")
    if _fitting(opened, choice.idents) is None:
        raise SignatureInvalid("the signature does not hold", why="signature")
    return P1(base64.b64encode(opened.signature).decode("ascii"), base64.b64encode(opened.certificate).decode("ascii"))


def check_p1(content: bytes, untrusted: P1, roots: Sequence[bytes], others: Sequence[bytes], moment: datetime | None = None,
             choice: Sm2Choice = USUAL) -> SignatureReport:
    """As ``check_signature`` for a P1 signature; ``others`` are the certificates between signer and root, which a P1 does not carry."""
    try:
        signature, certificate = base64.b64decode(untrusted.signature, validate=True), base64.b64decode(untrusted.certificate, validate=True)
        p7s = container(GM_P7_PLAIN, b"", signature, certificate, others, "sm2-sm3")
    except (*BROKEN, FormatTrouble):
        return SignatureReport("", "", "", None, False, False, "format")
    return check_signature(content, p7s, roots, moment, choice)
