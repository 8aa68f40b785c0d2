"""Verifies detached signatures and the path to given roots (FORMATS section 3). Never signs, never asks a network, never decides on roles.

Of the SM2 forms the one of section 3.1 is taken; the others are named as unsupported.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from asn1crypto import cms as asn1cms
from asn1crypto import tsp
from asn1crypto import x509 as asn1x509
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from tests.province import sm2
from tests.province.jcs import Refused, digest, moment, parse

__all__ = ["Signed", "certificate_der", "path_to_roots", "verify_detached"]

CLOCK_AHEAD = timedelta(seconds=600)
LONGEST_PATH = 5
MAX_CMS = 256 * 1024
SIGNED_DATA, GM_SIGNED_DATA, GM_DATA = "1.2.840.113549.1.7.2", "1.2.156.10197.6.1.4.2.2", "1.2.156.10197.6.1.4.2.1"
GM_SM3, GM_SIGNATURE = "1.2.156.10197.1.401", "1.2.156.10197.1.301.1"


@dataclass(frozen=True)
class Signed:
    """Who signed and when: subject serialNumber, common name, DER certificate, its digest, the signing-time attribute."""

    signer_id: str
    name: str
    certificate: bytes
    certificate_digest: str
    signed_at: datetime


def certificate_der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)


def _invalid(detail: str) -> Refused:
    return Refused(422, "signature.invalid", detail)


def _signer_info(untrusted: bytes) -> tuple[bool, Any, Any]:
    """Whether it is the SM2 form, SignedData and its one SignerInfo, detached over data."""
    if len(untrusted) > MAX_CMS or untrusted[1:2] == b"\x80":
        raise _invalid("longer than any signature of this interface, or of indefinite length (not DER)")
    try:
        info = asn1cms.ContentInfo.load(untrusted, strict=True)
        kind = info["content_type"].dotted
        if kind in (SIGNED_DATA, GM_SIGNED_DATA):
            signed = info["content"].parse(asn1cms.SignedData) if kind == GM_SIGNED_DATA else info["content"]
            inner = signed["encap_content_info"]
            expected = GM_DATA if kind == GM_SIGNED_DATA else "1.2.840.113549.1.7.1"
            if len(signed["signer_infos"]) != 1 or inner["content_type"].dotted != expected or inner["content"].native is not None:
                raise _invalid("not one detached signature over data")
            return kind == GM_SIGNED_DATA, signed, signed["signer_infos"][0]
    except (ValueError, TypeError, KeyError) as error:
        raise _invalid("not a CMS structure") from error
    raise _invalid("not a CMS SignedData")


def _attributes(signer: Any) -> dict[str, Any]:
    """The signed attributes by name, each once with one value."""
    found: dict[str, Any] = {}
    for attribute in signer["signed_attrs"]:
        name = attribute["type"].native
        if name in found or len(attribute["values"]) != 1:
            raise _invalid("a signed attribute is there twice")
        found[name] = attribute["values"][0]
    for name in ("content_type", "message_digest", "signing_time", "signing_certificate_v2"):
        if name not in found:
            raise _invalid(f"the signed attribute {name} is missing")
    if not isinstance(found["signing_certificate_v2"], tsp.SigningCertificateV2):
        raise _invalid("signing-certificate-v2 is of another form")
    return found


def _signer_certificate(signed: Any, signer: Any) -> tuple[asn1x509.Certificate, list[x509.Certificate]]:
    """The certificate that the SignerInfo names, and all certificates of the container."""
    every = [choice.chosen for choice in signed["certificates"] if choice.name == "certificate"]
    sid = signer["sid"]
    for certificate in every:
        if sid.name == "issuer_and_serial_number":
            fits = certificate.issuer == sid.chosen["issuer"] and certificate.serial_number == sid.chosen["serial_number"].native
        else:
            fits = certificate.key_identifier == sid.chosen.native
        if fits:
            return certificate, [x509.load_der_x509_certificate(c.dump()) for c in every]
    raise _invalid("the signer's certificate is not in the container")


def _check_key(certificate: x509.Certificate, signer: Any, content: bytes) -> None:
    key = certificate.public_key()
    signature = signer["signature"].native
    try:
        if isinstance(key, rsa.RSAPublicKey) and signer["signature_algorithm"]["algorithm"].native in ("rsassa_pkcs1v15", "sha256_rsa"):
            if key.key_size < 2048:
                raise _invalid("RSA key too short")
            key.verify(signature, content, padding.PKCS1v15(), hashes.SHA256())
        elif isinstance(key, ec.EllipticCurvePublicKey) and signer["signature_algorithm"]["algorithm"].native == "sha256_ecdsa":
            key.verify(signature, content, ec.ECDSA(hashes.SHA256()))
        else:
            raise Refused(422, "signature.unsupported", "neither RSA PKCS#1 nor ECDSA with SHA-256")
    except InvalidSignature as error:
        raise _invalid("the signature does not fit") from error


def verify_detached(content: bytes, untrusted: bytes, roots: Sequence[x509.Certificate], now: datetime) -> Signed:
    """Who signed ``content``. Raises Refused 422 ``signature.invalid``, ``signature.untrusted``, ``signature.unsupported``."""
    is_sm2, signed, signer = _signer_info(untrusted)
    check = _check_sm2 if is_sm2 else _check_cades
    certificate, every, signed_at = check(content, signed, signer)
    der = certificate_der(certificate)
    if signed_at is not None and signed_at > now + CLOCK_AHEAD:
        raise Refused(422, "signature.untrusted", "the signing time lies ahead of the province's clock")
    path_to_roots(certificate, every, roots, signed_at or now)
    serial = certificate.subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)
    common = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if len(serial) != 1:
        raise Refused(422, "signature.untrusted", "the certificate's subject has no one serialNumber")
    return Signed(str(serial[0].value), str(common[0].value) if common else "", der, digest(der), signed_at or now)


def _check_cades(content: bytes, signed: Any, signer: Any) -> tuple[x509.Certificate, list[x509.Certificate], datetime]:
    if signer["digest_algorithm"]["algorithm"].native != "sha256":
        raise Refused(422, "signature.unsupported", "the digest is not SHA-256")
    attributes = _attributes(signer)
    try:
        named = attributes["signing_certificate_v2"]["certs"][0]
        certificate_hash, hash_name = named["cert_hash"].native, named["hash_algorithm"]["algorithm"].native
        signed_at = attributes["signing_time"].native.astimezone(UTC)
        raw, every = _signer_certificate(signed, signer)
        certificate = x509.load_der_x509_certificate(raw.dump())
    except (ValueError, TypeError, KeyError, IndexError) as error:
        raise _invalid("broken attributes or certificates") from error
    if attributes["content_type"].native != "data" or attributes["message_digest"].native != hashlib.sha256(content).digest():
        raise _invalid("made over other bytes")
    if hash_name != "sha256" or certificate_hash != hashlib.sha256(certificate_der(certificate)).digest():
        raise _invalid("signing-certificate-v2 names another certificate")
    _check_key(certificate, signer, signer["signed_attrs"].untag().dump(force=True))
    return certificate, every, signed_at


def _check_sm2(content: bytes, signed: Any, signer: Any) -> tuple[x509.Certificate, list[x509.Certificate], datetime | None]:
    """The form of section 3.1: no attributes, the content itself is signed; the time is the signed object's ``claimed_at``, where it has one."""
    try:
        names = (signer["digest_algorithm"]["algorithm"].dotted, signer["signature_algorithm"]["algorithm"].dotted, signer["signed_attrs"].native)
        if names != (GM_SM3, GM_SIGNATURE, None):
            raise Refused(422, "signature.unsupported", "not the SM2 form of section 3.1")
        raw, every = _signer_certificate(signed, signer)
        point, signature = sm2.point_of(raw), signer["signature"].native
        certificate = x509.load_der_x509_certificate(raw.dump())
    except (ValueError, TypeError, KeyError, IndexError) as error:
        raise _invalid("broken signer or certificates") from error
    if not sm2.verifies(point, content, signature):
        raise _invalid("the signature does not fit")
    try:
        claimed = parse(content).get("claimed_at")
        return certificate, every, moment(claimed) if claimed is not None else None
    except Refused as error:
        raise _invalid("the signed object tells no time that can be read") from error


def _valid_at(certificate: x509.Certificate, at: datetime) -> bool:
    return certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc


def _may_sign(certificate: x509.Certificate) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return usage.digital_signature or usage.content_commitment


def _is_issuer(certificate: x509.Certificate, below: int) -> bool:
    """Whether ``certificate`` is a CA that may have ``below`` CAs under it."""
    try:
        basic = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return False
    return basic.ca and usage.key_cert_sign and (basic.path_length is None or basic.path_length >= below)


def _issued(upper: x509.Certificate, lower: x509.Certificate) -> bool:
    """Whether the key of ``upper`` signed ``lower``: with SM2 by our own reckoning, else by the library's."""
    if lower.signature_algorithm_oid.dotted_string == sm2.SIGNED_WITH:
        return sm2.issued(certificate_der(upper), certificate_der(lower))
    try:
        lower.verify_directly_issued_by(upper)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return True


def path_to_roots(certificate: x509.Certificate, untrusted: Iterable[x509.Certificate], roots: Sequence[x509.Certificate], at: datetime) -> None:
    """Raise Refused 422 ``signature.untrusted`` unless a valid path leads from ``certificate`` to one of ``roots`` at the time ``at``."""
    if not _may_sign(certificate) or not _valid_at(certificate, at):
        raise Refused(422, "signature.untrusted", "the certificate may not sign, or was not valid at the signing time")
    candidates = list(untrusted)

    def climb(lower: x509.Certificate, below: int) -> bool:
        for upper in [*roots, *candidates]:
            if below > LONGEST_PATH or upper.subject != lower.issuer or not _valid_at(upper, at) or not _is_issuer(upper, below):
                continue
            if not _issued(upper, lower):
                continue
            if upper in roots or (upper.subject != upper.issuer and climb(upper, below + 1)):
                return True
        return False

    try:
        found = climb(certificate, 0)
    except ValueError as error:
        raise Refused(422, "signature.untrusted", "a certificate of the path is broken") from error
    if not found:
        raise Refused(422, "signature.untrusted", "no path to a signer root")
