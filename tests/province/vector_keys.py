"""Fixed test keys and the deterministic writers that the test vectors need: OAEP with a given seed, CMS, certificates. Never used by a served province.

Elliptic keys come from their names; RSA keys cannot, so ``keys.json`` is made once and then kept.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from asn1crypto import algos, core, tsp
from asn1crypto import cms as asn1cms
from asn1crypto import x509 as asn1x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from tests.province.jcs import b64
from tests.province.keys import keyid, spki

__all__ = ["FROM", "TO", "VectorKeys", "certificate", "cms", "oaep"]

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
FROM = datetime(2026, 1, 1, tzinfo=UTC)
TO = datetime(2036, 1, 1, tzinfo=UTC)
RSA_NAMES = {"intake": 3072, "recovery": 3072, "collector": 2048}


def elliptic(name: str) -> ec.EllipticCurvePrivateKey:
    """The P-256 test key of that name: SHA-256 of ``hall-intake test key <name>`` modulo the order."""
    return ec.derive_private_key(int.from_bytes(hashlib.sha256(f"hall-intake test key {name}".encode()).digest(), "big") % P256_ORDER, ec.SECP256R1())


class VectorKeys:
    """RSA keys out of ``keys.json`` (made once where it is not there), elliptic keys by name."""

    def __init__(self, file: Path) -> None:
        kept = json.loads(file.read_text("utf-8"))["keys"] if file.exists() else {}
        self._rsa: dict[str, rsa.RSAPrivateKey] = {}
        for name, bits in RSA_NAMES.items():
            self._rsa[name] = (
                serialization.load_pem_private_key(kept[name]["private"].encode("ascii"), None) if name in kept else rsa.generate_private_key(65537, bits)
            )

    def get(self, name: str) -> Any:
        return self._rsa[name] if name in self._rsa else elliptic(name)

    def listed(self, *names: str) -> dict[str, Any]:
        """What stands in ``keys.json``."""
        found: dict[str, Any] = {}
        for name in names:
            key = self.get(name)
            text = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode("ascii")
            found[name] = {"private": text, "spki": b64(spki(key)), "keyid": keyid(spki(key))}
        return found


def _mgf1(seed: bytes, size: int) -> bytes:
    return b"".join(hashlib.sha256(seed + counter.to_bytes(4, "big")).digest() for counter in range(-(-size // 32)))[:size]


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def oaep(key: rsa.RSAPrivateKey, message: bytes, seed: bytes) -> bytes:
    """RSAES-OAEP (RFC 8017 section 7.1.1) with SHA-256, empty label and a given seed of 32 bytes."""
    size = key.key_size // 8
    block = hashlib.sha256(b"").digest() + bytes(size - len(message) - 66) + b"\x01" + message
    masked = _xor(block, _mgf1(seed, len(block)))
    encoded = b"\x00" + _xor(seed, _mgf1(masked, 32)) + masked
    public = key.public_key().public_numbers()
    return pow(int.from_bytes(encoded, "big"), public.e, public.n).to_bytes(size, "big")


def certificate(subject: dict[Any, str], public: Any, issuer: str, issuer_key: Any, serial: int, authority: bool = False) -> x509.Certificate:
    """A certificate whose bytes are always the same (ECDSA by RFC 6979)."""
    usage = {name: False for name in ("key_encipherment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only")}
    usage.update(digital_signature=not authority, content_commitment=not authority, key_cert_sign=authority, crl_sign=authority)
    builder = x509.CertificateBuilder(
        issuer_name=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]),
        subject_name=x509.Name([x509.NameAttribute(oid, text) for oid, text in subject.items()]),
        public_key=public.public_key(),
        serial_number=serial,
        not_valid_before=FROM,
        not_valid_after=TO,
    )
    builder = builder.add_extension(x509.BasicConstraints(authority, None), True).add_extension(x509.KeyUsage(**usage), True)
    return builder.sign(issuer_key, hashes.SHA256(), ecdsa_deterministic=True)


def _attribute(name: str, value: Any) -> asn1cms.CMSAttribute:
    return asn1cms.CMSAttribute({"type": name, "values": [value]})


def cms(content: bytes, key: Any, signer: x509.Certificate, signed_at: datetime) -> bytes:
    """Detached CAdES-BES over ``content`` (FORMATS section 3), always the same bytes."""
    der = signer.public_bytes(serialization.Encoding.DER)
    own = asn1x509.Certificate.load(der)
    reference = tsp.ESSCertIDv2({"cert_hash": hashlib.sha256(der).digest()})
    attributes = asn1cms.CMSAttributes(
        [
            _attribute("content_type", "data"),
            _attribute("signing_time", asn1cms.Time({"utc_time": core.UTCTime(signed_at)})),
            _attribute("message_digest", hashlib.sha256(content).digest()),
            _attribute("signing_certificate_v2", tsp.SigningCertificateV2({"certs": [reference]})),
        ]
    )
    signed = attributes.dump()
    if isinstance(key, rsa.RSAPrivateKey):
        algorithm, signature = "rsassa_pkcs1v15", key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
    else:
        algorithm, signature = "sha256_ecdsa", key.sign(signed, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
    info = asn1cms.SignerInfo(
        {
            "version": "v1",
            "sid": asn1cms.SignerIdentifier({"issuer_and_serial_number": {"issuer": own.issuer, "serial_number": own.serial_number}}),
            "digest_algorithm": algos.DigestAlgorithm({"algorithm": "sha256"}),
            "signed_attrs": attributes,
            "signature_algorithm": algos.SignedDigestAlgorithm({"algorithm": algorithm}),
            "signature": signature,
        }
    )
    body = asn1cms.SignedData(
        {
            "version": "v1",
            "digest_algorithms": [algos.DigestAlgorithm({"algorithm": "sha256"})],
            "encap_content_info": {"content_type": "data"},
            "certificates": [asn1cms.CertificateChoices("certificate", own)],
            "signer_infos": [info],
        }
    )
    return asn1cms.ContentInfo({"content_type": "signed_data", "content": body}).dump()
