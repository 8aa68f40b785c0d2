"""The province's own keys: one per purpose, intake and recovery, the device CA; envelopes and device certificates are made here. Never reads a request.

Everything lies in ``keys/`` of the province's folder, mode 0600 and unencrypted: a reference province guards no real person.
A real one keeps the roots key offline.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.province.jcs import b64, canon, stamp

__all__ = ["PURPOSES", "Keys", "certificate_authority", "device_certificate", "envelope", "keyid", "load_key", "pem", "server_certificate", "spki"]

PURPOSES = ("roots", "receipts", "settings", "tables", "states", "sheets")
KEY_YEARS = 5
DEVICE_YEARS = 2
RSA_BITS = 3072

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def spki(key: PrivateKey) -> bytes:
    """DER SubjectPublicKeyInfo of the public half."""
    return key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def keyid(key_info: bytes) -> str:
    """First 16 hex digits of SHA-256 over the DER SubjectPublicKeyInfo (FORMATS section 4)."""
    return hashlib.sha256(key_info).hexdigest()[:16]


def envelope(key: ec.EllipticCurvePrivateKey, name: str, payload: bytes, deterministic: bool = False) -> bytes:
    """DSSE v1 over ``payload`` (FORMATS section 4). ``deterministic`` takes the nonce from RFC 6979, for the test vectors."""
    kind = f"application/vnd.hall-intake.{name}+json"
    signed = b"DSSEv1 %d %s %d %s" % (len(kind.encode()), kind.encode(), len(payload), payload)
    signature = key.sign(signed, ec.ECDSA(hashes.SHA256(), deterministic_signing=deterministic))
    return canon({"payloadType": kind, "payload": b64(payload), "signatures": [{"keyid": keyid(spki(key)), "sig": b64(signature)}]})


def pem(key: PrivateKey) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def load_key(content: bytes) -> Any:
    """A key of this folder's own; to test its primes again at each start takes longer than all the rest of the start."""
    return serialization.load_pem_private_key(content, None, unsafe_skip_rsa_key_validation=True)


def write_private(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _name(**parts: str) -> x509.Name:
    oids = {"cn": NameOID.COMMON_NAME, "serial": NameOID.SERIAL_NUMBER, "o": NameOID.ORGANIZATION_NAME}
    return x509.Name([x509.NameAttribute(oids[part], text) for part, text in parts.items()])


def _usage(**on: bool) -> x509.KeyUsage:
    every = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{name: on.get(name, False) for name in every})


def _builder(subject: x509.Name, issuer: x509.Name, public_key: Any, at: datetime, years: int) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - timedelta(hours=1))
        .not_valid_after(at + timedelta(days=365 * years))
    )


def certificate_authority(name: str, at: datetime) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    """A new P-256 root: key and self-signed certificate, valid ten years."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name(cn=name)
    builder = _builder(subject, subject, key.public_key(), at, 10).add_extension(x509.BasicConstraints(True, 0), True)
    builder = builder.add_extension(_usage(key_cert_sign=True, crl_sign=True), True)
    return key, builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False).sign(key, hashes.SHA256())


def server_certificate(ca_key: Any, ca: x509.Certificate, hosts: list[str], at: datetime) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    """A TLS server certificate for names and addresses in ``hosts``."""
    import ipaddress

    names: list[x509.GeneralName] = []
    for host in hosts:
        try:
            names.append(x509.IPAddress(ipaddress.ip_address(host)))
        except ValueError:
            names.append(x509.DNSName(host))
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(_name(cn=hosts[0]), ca.subject, key.public_key(), at, DEVICE_YEARS).add_extension(x509.SubjectAlternativeName(names), False)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False).add_extension(_usage(digital_signature=True), True)
    builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), False)
    return key, builder.add_extension(x509.BasicConstraints(False, None), True).sign(ca_key, hashes.SHA256())


def device_certificate(ca_key: Any, ca: x509.Certificate, public_key: Any, station_id: str, province: str, at: datetime) -> bytes:
    """DER certificate of a station (FORMATS section 8): CN and serialNumber say the station id."""
    builder = _builder(_name(o=province, cn=station_id, serial=station_id), ca.subject, public_key, at, DEVICE_YEARS)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False).add_extension(_usage(digital_signature=True), True)
    builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), False)
    return builder.add_extension(x509.BasicConstraints(False, None), True).sign(ca_key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


@dataclass(frozen=True)
class Listed:
    """A key of the list ``keys.json``: where it lies and how it stands."""

    keyid: str
    purpose: str
    file: str
    not_before: str
    not_after: str
    state: str


class Keys:
    """All keys of one province folder. ``active`` gives the newest good key of a purpose."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.list: list[Listed] = [Listed(**row) for row in json.loads((folder / "keys.json").read_text("utf-8"))]
        self._loaded: dict[str, Any] = {row.keyid: load_key((folder / row.file).read_bytes()) for row in self.list}
        self.device_ca = x509.load_pem_x509_certificate((folder / "device-ca.crt").read_bytes())
        self.device_ca_key = load_key((folder / "device-ca.pem").read_bytes())

    @classmethod
    def make(cls, folder: Path, at: datetime) -> Keys:
        """New keys for a new province; the folder must not exist."""
        folder.mkdir(mode=0o700)
        (folder / "keys.json").write_text("[]", "utf-8")
        ca_key, ca = certificate_authority("Reference province device CA", at)
        write_private(folder / "device-ca.pem", pem(ca_key))
        (folder / "device-ca.crt").write_bytes(ca.public_bytes(serialization.Encoding.PEM))
        keys = cls(folder)
        for purpose in (*PURPOSES, "intake", "recovery"):
            keys.rotate(purpose, at)
        return keys

    def rotate(self, purpose: str, at: datetime, revoke: bool = False) -> str:
        """A new key for ``purpose``; the one before is retired, or revoked. Returns the new keyid."""
        key: PrivateKey = rsa.generate_private_key(65537, RSA_BITS) if purpose in ("intake", "recovery") else ec.generate_private_key(ec.SECP256R1())
        number = sum(1 for row in self.list if row.purpose == purpose) + 1
        file = f"{purpose}-{number}.pem"
        write_private(self.folder / file, pem(key))
        old = "revoked" if revoke else "retired"
        rows = [Listed(**{**vars(row), "state": old}) if row.purpose == purpose and row.state == "good" else row for row in self.list]
        new = keyid(spki(key))
        rows.append(Listed(new, purpose, file, stamp(at), stamp(at + timedelta(days=365 * KEY_YEARS)), "good"))
        (self.folder / "keys.json").write_text(json.dumps([vars(row) for row in rows]), "utf-8")
        self.list = rows
        self._loaded[new] = key
        return new

    def active(self, purpose: str) -> Any:
        return self._loaded[next(row.keyid for row in reversed(self.list) if row.purpose == purpose and row.state == "good")]

    def by_id(self, purpose: str, wanted: str) -> Any | None:
        """The key ``wanted`` if it has that purpose and is not revoked."""
        return next((self._loaded[row.keyid] for row in self.list if (row.purpose, row.keyid) == (purpose, wanted) and row.state != "revoked"), None)

    def sign(self, purpose: str, name: str, payload: bytes) -> bytes:
        return envelope(self.active(purpose), name, payload)

    def public_list(self) -> list[dict[str, str]]:
        """``keys`` of the roots body."""
        return [
            {
                "keyid": row.keyid,
                "purpose": row.purpose,
                "spki": b64(spki(self._loaded[row.keyid])),
                "not_before": row.not_before,
                "not_after": row.not_after,
                "state": row.state,
            }
            for row in self.list
            if row.purpose in PURPOSES
        ]

    def sealing(self, purpose: str) -> dict[str, str]:
        """``intake`` or ``recovery`` of the roots body."""
        row = next(row for row in reversed(self.list) if row.purpose == purpose and row.state == "good")
        body = {"kid": row.keyid, "alg": "RSA-OAEP-256", "spki": b64(spki(self._loaded[row.keyid]))}
        return {**body, "not_after": row.not_after} if purpose == "intake" else body

    def issue(self, public_key: Any, station_id: str, province: str, at: datetime | None = None) -> bytes:
        return device_certificate(self.device_ca_key, self.device_ca, public_key, station_id, province, at or datetime.now(UTC))
