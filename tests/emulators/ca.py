"""A practice certification authority: roots, an issuing CA, certificates for people and a TLS server. Never for earnest: every subject says 练习.

Its keys lie as plain PEM in its folder, which is a test's or the practice hall's own. People's roots and the TLS root are two, so that a server's
certificate never passes as a signer's.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

__all__ = ["PracticeCa"]

HALL = "练习登记大厅"
YEAR = timedelta(days=365)
PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey


def name(common: str, *, serial: str = "", organisation: str = HALL, units: Sequence[str] = ()) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"), x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation)]
    parts += [x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit) for unit in units]
    parts.append(x509.NameAttribute(NameOID.COMMON_NAME, common))
    if serial:
        parts.append(x509.NameAttribute(NameOID.SERIAL_NUMBER, serial))
    return x509.Name(parts)


def der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


class PracticeCa:
    """Roots and keys in one folder: ``root.pem issuing.pem tls-root.pem`` and a ``.key`` beside each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root, self._root_key = self._read("root")
        self.issuing, self._issuing_key = self._read("issuing")
        self.tls_root, self._tls_key = self._read("tls-root")

    @classmethod
    def make(cls, folder: Path, not_before: datetime | None = None, years: int = 10) -> PracticeCa:
        """New keys in a folder that is made. Valid from ``not_before`` (default: two years ago, so that tests can issue expired certificates)."""
        folder.mkdir(parents=True, exist_ok=True)
        start = not_before or _today() - 2 * YEAR
        end = start + years * YEAR
        root_key, issuing_key, tls_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
        root_name, issuing_name, tls_name = (name(f"练习{word} (practice)", organisation="练习省") for word in ("根证书", "签发证书", "传输根证书"))
        root = _authority(root_name, root_key.public_key(), root_name, root_key, start, end, 1)
        issuing = _authority(issuing_name, issuing_key.public_key(), root_name, root_key, start, end, 0)
        tls_root = _authority(tls_name, tls_key.public_key(), tls_name, tls_key, start, end, 0)
        for word, certificate, key in (("root", root, root_key), ("issuing", issuing, issuing_key), ("tls-root", tls_root, tls_key)):
            (folder / f"{word}.pem").write_bytes(pem(certificate))
            _write_key(folder / f"{word}.key", key)
        return cls(folder)

    @classmethod
    def load(cls, folder: Path) -> PracticeCa:
        return cls(folder)

    # -- what a province hands out -----------------------------------------------------------------------------------------------------
    @property
    def signer_roots(self) -> tuple[bytes, ...]:
        """``signer_roots`` of the roots body: DER."""
        return (der(self.root),)

    @property
    def tls_roots(self) -> tuple[bytes, ...]:
        """``tls_roots`` of the roots body: DER."""
        return (der(self.tls_root),)

    @property
    def chain(self) -> tuple[bytes, ...]:
        """The intermediates between a person's certificate and the root: DER."""
        return (der(self.issuing),)

    # -- issuing -----------------------------------------------------------------------------------------------------------------------
    def issue_person(
        self, id: str, name_zh: str, public_key: PublicKey, roles: Sequence[str] = ("collector",), not_before: datetime | None = None,
        not_after: datetime | None = None, organisation: str = HALL,
    ) -> x509.Certificate:
        """A signing certificate: CN the name, serialNumber the id, O the hall, OU the roles. Valid one year from yesterday unless told otherwise."""
        start = not_before or _today() - timedelta(days=1)
        subject = name(name_zh, serial=id, organisation=organisation, units=roles)
        builder = _builder(subject, public_key, self.issuing.subject, self._issuing_key, start, not_after or start + YEAR)
        builder = builder.add_extension(x509.BasicConstraints(False, None), critical=True)
        builder = builder.add_extension(_usage(digital_signature=True, content_commitment=True), critical=True)
        return builder.sign(self._issuing_key, hashes.SHA256())

    def revocation_list(self, revoked: Mapping[int, datetime], this_update: datetime, next_update: datetime, number: int = 1) -> bytes:
        """The issuing CA's CRL, DER: serial numbers and since when."""
        builder = x509.CertificateRevocationListBuilder(self.issuing.subject, this_update, next_update).add_extension(x509.CRLNumber(number), False)
        for serial, at in revoked.items():
            builder = builder.add_revoked_certificate(x509.RevokedCertificateBuilder(serial, at).build())
        return builder.sign(self._issuing_key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)

    def issue_server(
        self, hosts: Sequence[str] = ("localhost", "127.0.0.1", "::1"), stem: str = "server", not_before: datetime | None = None,
        not_after: datetime | None = None,
    ) -> tuple[Path, Path]:
        """A TLS server's certificate and key under the TLS root; gives the paths of ``<stem>.pem`` and ``<stem>.key``."""
        key = ec.generate_private_key(ec.SECP256R1())
        start = not_before or _today() - timedelta(days=1)
        builder = _builder(name(hosts[0], organisation="练习省"), key.public_key(), self.tls_root.subject, self._tls_key, start, not_after or start + YEAR)
        builder = builder.add_extension(x509.BasicConstraints(False, None), critical=True)
        builder = builder.add_extension(_usage(digital_signature=True), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        builder = builder.add_extension(x509.SubjectAlternativeName([_host(host) for host in hosts]), critical=False)
        certificate_path, key_path = self.folder / f"{stem}.pem", self.folder / f"{stem}.key"
        certificate_path.write_bytes(pem(builder.sign(self._tls_key, hashes.SHA256())))
        _write_key(key_path, key)
        return certificate_path, key_path

    def _read(self, word: str) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        key = serialization.load_pem_private_key((self.folder / f"{word}.key").read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return x509.load_pem_x509_certificate((self.folder / f"{word}.pem").read_bytes()), key


def _today() -> datetime:
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _usage(**given: bool) -> x509.KeyUsage:
    words = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
        "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    return x509.KeyUsage(**{word: given.get(word, False) for word in words})


def _serial(subject: x509.Name, public_key: PublicKey, start: datetime) -> int:
    """The same subject, key and day get the same serial number: issuing again makes no stranger."""
    spki = public_key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return int.from_bytes(hashlib.sha256(subject.public_bytes() + spki + start.isoformat().encode()).digest()[:15], "big") | 1


def _builder(
    subject: x509.Name, public_key: PublicKey, issuer: x509.Name, issuer_key: ec.EllipticCurvePrivateKey, start: datetime, end: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder(subject_name=subject, issuer_name=issuer, public_key=public_key, serial_number=_serial(subject, public_key, start))
        .not_valid_before(start).not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )  # fmt: skip


def _authority(
    subject: x509.Name, public_key: PublicKey, issuer: x509.Name, issuer_key: ec.EllipticCurvePrivateKey, start: datetime, end: datetime, depth: int
) -> x509.Certificate:
    builder = _builder(subject, public_key, issuer, issuer_key, start, end)
    builder = builder.add_extension(x509.BasicConstraints(True, depth), critical=True)
    return builder.add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True).sign(issuer_key, hashes.SHA256())


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    path.touch(0o600)
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
