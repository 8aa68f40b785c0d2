"""The ASN.1 of certificates and detached signatures: CAdES-BES in CMS SignedData (FORMATS section 3). Never verifies a signature and never trusts one.

The only file that builds or takes apart asn1crypto's objects, which carry no types: hence the loosened type rules below.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, cast

from asn1crypto import algos, cms, core, tsp, x509

from sync.errors import FormatTrouble, SignatureInvalid

__all__ = ["CertificateFacts", "Mechanism", "Opened", "certificate_facts", "container", "open_container", "public_key", "signed_attributes"]

Mechanism = Literal["rsa-pkcs1-sha256", "ecdsa-sha256", "sm2-sm3"]
"""How a digest is signed; the same words as in the contract of tokens."""

SUBJECT_SERIAL_NUMBER = "2.5.4.5"
COMMON_NAME = "2.5.4.3"
ORGANISATION = "2.5.4.10"
CURVES = {"secp256r1": "ec-p256", "1.2.156.10197.1.301": "sm2"}
SIGNATURE_ALGORITHMS: dict[Mechanism, str] = {"rsa-pkcs1-sha256": "rsassa_pkcs1v15", "ecdsa-sha256": "sha256_ecdsa"}
ACCEPTED: dict[str, Mechanism] = {"rsassa_pkcs1v15": "rsa-pkcs1-sha256", "sha256_rsa": "rsa-pkcs1-sha256", "sha256_ecdsa": "ecdsa-sha256"}
LONGEST = 256 * 1024
"""Bytes beyond which nothing is a signature of ours; a few certificates need 10 KiB."""
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


@dataclass(frozen=True, slots=True)
class Opened:
    """A container taken apart: its form is right and it speaks of the given content; ``signature`` over ``attributes`` is not yet verified."""

    certificate: bytes
    others: tuple[bytes, ...]
    attributes: bytes
    signature: bytes
    mechanism: Mechanism
    signed_at: datetime


def certificate_facts(untrusted_der: bytes) -> CertificateFacts:
    """Read a certificate. Raises ``FormatTrouble`` for bytes that are none."""
    try:
        certificate = _certificate(untrusted_der)
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


def public_key(der: bytes) -> bytes:
    """The SubjectPublicKeyInfo of a certificate, DER. Raises ``FormatTrouble``."""
    try:
        return _certificate(der).public_key.dump()
    except BROKEN as error:
        raise FormatTrouble(f"certificate: {type(error).__name__}", what="certificate") from None


def signed_attributes(content: bytes, certificate: bytes, claimed_at: datetime) -> bytes:
    """DER of the SET that is signed: content-type, message-digest, signing-time (whole seconds), signing-certificate-v2 (RFC 5652, RFC 5035)."""
    moment = claimed_at.astimezone(UTC).replace(microsecond=0)
    reference = tsp.SigningCertificateV2({"certs": [tsp.ESSCertIDv2({"cert_hash": hashlib.sha256(certificate).digest()})]})
    return cms.CMSAttributes(
        [
            cms.CMSAttribute({"type": "content_type", "values": ["data"]}),
            cms.CMSAttribute({"type": "message_digest", "values": [hashlib.sha256(content).digest()]}),
            cms.CMSAttribute({"type": "signing_time", "values": [cms.Time({"utc_time": core.UTCTime(moment)})]}),
            cms.CMSAttribute({"type": "signing_certificate_v2", "values": [reference]}),
        ]
    ).dump()


def container(attributes: bytes, signature: bytes, certificate: bytes, chain: Sequence[bytes], mechanism: Mechanism) -> bytes:
    """DER of the detached SignedData. Of ``chain`` only what leads upward from the certificate goes in, without the root."""
    signer = _certificate(certificate)
    algorithm: dict[str, Any] = {"algorithm": SIGNATURE_ALGORITHMS[mechanism]}
    if mechanism == "rsa-pkcs1-sha256":
        algorithm["parameters"] = core.Null()
    identifier = cms.IssuerAndSerialNumber({"issuer": signer.issuer, "serial_number": signer.serial_number})
    info = cms.SignerInfo(
        {
            "version": "v1",
            "sid": cms.SignerIdentifier({"issuer_and_serial_number": identifier}),
            "digest_algorithm": {"algorithm": "sha256"},
            "signed_attrs": cms.CMSAttributes.load(attributes),
            "signature_algorithm": algos.SignedDigestAlgorithm(algorithm),
            "signature": signature,
        }
    )
    signed = cms.SignedData(
        {
            "version": "v1",
            "digest_algorithms": [{"algorithm": "sha256"}],
            "encap_content_info": {"content_type": "data"},
            "certificates": [signer, *_upward(signer, chain)],
            "signer_infos": [info],
        }
    )
    return cms.ContentInfo({"content_type": "signed_data", "content": signed}).dump()


def open_container(content: bytes, untrusted_p7s: bytes) -> Opened:
    """Take a container apart and hold it against the content. Raises ``SignatureInvalid(why=...)``; the words are those of ``SignatureReport.why``."""
    try:
        return _open(content, untrusted_p7s)
    except SignatureInvalid:
        raise
    except BROKEN as error:
        raise SignatureInvalid(f"container: {type(error).__name__}", why="format") from None


def _open(content: bytes, untrusted_p7s: bytes) -> Opened:
    _must(len(untrusted_p7s) <= LONGEST and untrusted_p7s[1:2] != b"\x80", "format")  # indefinite length is not DER
    info = cms.ContentInfo.load(untrusted_p7s, strict=True)
    _must(info["content_type"].native == "signed_data", "format")
    signed = info["content"]
    _must(signed["encap_content_info"]["content_type"].native == "data", "format")
    _must(isinstance(signed["encap_content_info"]["content"], core.Void), "attached")
    _must(len(signed["signer_infos"]) == 1, "signers")
    signer = signed["signer_infos"][0]
    certificates = [choice.chosen for choice in signed["certificates"] if choice.name == "certificate"]
    _must(signer["sid"].name == "issuer_and_serial_number", "format")
    issuer, serial = signer["sid"].chosen["issuer"].dump(), signer["sid"].chosen["serial_number"].native
    mine = [one for one in certificates if one.issuer.dump() == issuer and one.serial_number == serial]
    _must(len(mine) == 1, "no-certificate")
    certificate = mine[0].dump()
    mechanism = ACCEPTED.get(signer["signature_algorithm"]["algorithm"].native)
    if mechanism is None or signer["digest_algorithm"]["algorithm"].native != "sha256":
        raise SignatureInvalid("algorithm", why="algorithm")
    _must(not isinstance(signer["signed_attrs"], core.Void), "attributes")
    said = _attributes(signer["signed_attrs"])
    _must(said["content_type"].native == "data", "attributes")
    _must(said["message_digest"].native == hashlib.sha256(content).digest(), "content")
    reference = said["signing_certificate_v2"]["certs"][0]
    _must(reference["hash_algorithm"]["algorithm"].native == "sha256", "algorithm")
    _must(reference["cert_hash"].native == hashlib.sha256(certificate).digest(), "signing-certificate")
    return Opened(
        certificate=certificate,
        others=tuple(one.dump() for one in certificates if one is not mine[0]),
        attributes=signer["signed_attrs"].untag().dump(),
        signature=signer["signature"].native,
        mechanism=mechanism,
        signed_at=said["signing_time"].native.astimezone(UTC),
    )


def _attributes(attributes: Any) -> dict[str, Any]:
    """The four attributes of CAdES-BES, each once and with one value. Others may stand beside them."""
    said: dict[str, Any] = {}
    for attribute in attributes:
        kind = attribute["type"].native
        _must(kind not in said and len(attribute["values"]) == 1, "attributes")
        said[kind] = attribute["values"][0]
    _must({"content_type", "message_digest", "signing_time", "signing_certificate_v2"} <= said.keys(), "attributes")
    return said


def _must(right: bool, why: str) -> None:
    if not right:
        raise SignatureInvalid(why, why=why)


def _certificate(untrusted_der: bytes) -> Any:
    return x509.Certificate.load(untrusted_der, strict=True)


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


def _upward(signer: Any, chain: Sequence[bytes]) -> list[Any]:
    """The certificates of ``chain`` between the signer and its root, nearest first."""
    known = [_certificate(der) for der in chain]
    path: list[Any] = []
    lower = signer
    while len(path) < len(known):
        above = [one for one in known if _issued(one, lower) and one.self_issued is False and one not in path]
        if not above:
            break
        lower = above[0]
        path.append(lower)
    return path


def _issued(above: Any, lower: Any) -> bool:
    """Whether names, and key identifiers where both have one, say that one certificate issued the other."""
    told, known = lower.authority_key_identifier, above.key_identifier
    return above.subject == lower.issuer and (told is None or known is None or told == known)
