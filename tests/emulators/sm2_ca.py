"""A practice certification authority whose certificates are SM2 all the way, and keys for its people. Never for earnest: every subject says 练习.

Keys are made and used by the ``openssl`` command line alone, so what is signed here owes nothing to the product's own arithmetic. cryptography cannot build
certificates with SM2; asn1crypto can, once it is given the signature.
"""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from asn1crypto import algos, core, crl, keys, ocsp, x509

__all__ = ["PracticeSm2Ca", "Sm2Key", "Sm2Person"]

SM2_SM3 = "1.2.156.10197.1.501"
DEFAULT_ID = "1234567812345678"
HALL, PROVINCE = "练习登记大厅", "练习省"
YEAR = timedelta(days=365)


@dataclass(frozen=True)
class Sm2Key:
    """An SM2 private key as a PEM file."""

    path: Path

    @classmethod
    def make(cls, path: Path) -> Sm2Key:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run(["openssl", "genpkey", "-algorithm", "SM2", "-out", str(path)], check=True, capture_output=True)
        return cls(path)

    @property
    def spki(self) -> bytes:
        return subprocess.run(["openssl", "pkey", "-in", str(self.path), "-pubout", "-outform", "DER"], check=True, capture_output=True).stdout

    def sign_message(self, message: bytes, ident: str = DEFAULT_ID) -> bytes:
        """DER signature over SM3(Z ‖ message), Z made by openssl."""
        return self._sign(message, "-rawin", "-digest", "sm3", "-pkeyopt", f"distid:{ident}")

    def sign_digest(self, digest: bytes) -> bytes:
        """DER signature over a ready digest, as a token makes it."""
        return self._sign(digest)

    def _sign(self, content: bytes, *options: str) -> bytes:
        source = self.path.with_suffix(".in")
        source.write_bytes(content)
        command = ["openssl", "pkeyutl", "-sign", "-inkey", str(self.path), "-in", str(source), *options]
        return subprocess.run(command, check=True, capture_output=True).stdout


@dataclass
class Sm2Person:
    """A ``Signer`` (``sync.signing``) whose key lies in a file."""

    key: Sm2Key
    certificate: bytes
    chain: Sequence[bytes]

    def sign(self, mechanism: str, digest: bytes) -> bytes:
        assert mechanism == "sm2-sm3"
        return self.key.sign_digest(digest)


class PracticeSm2Ca:
    """A root and an issuing CA in a folder. Valid from two years ago for ten."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._root_key, self._issuing_key = Sm2Key.make(folder / "root.key"), Sm2Key.make(folder / "issuing.key")
        start = _today() - 2 * YEAR
        names = {word: _name(f"练习国密{word} (practice)", organisation=PROVINCE) for word in ("根证书", "签发证书")}
        self.root_name, self.issuing_name = names.values()
        self.root = self._kept("root", self.root_name, self.root_name, self._root_key, self._root_key, start, 1)
        self.issuing = self._kept("issuing", self.issuing_name, self.root_name, self._issuing_key, self._root_key, start, 0)

    @property
    def signer_roots(self) -> tuple[bytes, ...]:
        return (self.root,)

    @property
    def chain(self) -> tuple[bytes, ...]:
        return (self.issuing,)

    def issue_person(
        self, id: str, name_zh: str, spki: bytes, roles: Sequence[str] = ("collector",), not_before: datetime | None = None, not_after: datetime | None = None
    ) -> bytes:
        """A signing certificate, DER: CN the name, serialNumber the id, OU the roles. Valid one year from yesterday unless told otherwise."""
        start = not_before or _today() - timedelta(days=1)
        subject = _name(name_zh, id, HALL, roles)
        limits = _limits(False, None, "digital_signature", "non_repudiation")
        responder = x509.GeneralName(name="uniform_resource_identifier", value="http://ocsp.invalid/")  # never asked: answers are handed over
        limits.append(_extension("authority_information_access", False, [{"access_method": "ocsp", "access_location": responder}]))
        return _certificate(subject, self.issuing_name, spki, self._issuing_key, start, not_after or start + YEAR, limits)

    def person(self, id: str = "OP-000017", name_zh: str = "张三", **dates: Any) -> Sm2Person:
        """A new key and its certificate."""
        key = Sm2Key.make(self.folder / f"{id}.key")
        return Sm2Person(key, self.issue_person(id, name_zh, key.spki, **dates), self.chain)

    def revocation_list(self, revoked: dict[int, datetime], this_update: datetime, next_update: datetime, number: int = 1) -> bytes:
        """A CRL of the issuing CA, DER: serial number -> when."""
        tbs: dict[str, Any] = {
            "version": "v2", "signature": {"algorithm": SM2_SM3}, "issuer": self.issuing_name,
            "this_update": _time(this_update), "next_update": _time(next_update),
            "crl_extensions": [_extension("crl_number", False, core.Integer(number))],
        }  # fmt: skip
        if revoked:
            tbs["revoked_certificates"] = [{"user_certificate": serial, "revocation_date": _time(at)} for serial, at in revoked.items()]
        body = crl.TbsCertList(tbs)
        signature = self._issuing_key.sign_message(body.dump())
        return crl.CertificateList({"tbs_cert_list": body, "signature_algorithm": {"algorithm": SM2_SM3}, "signature": signature}).dump()

    def answer(self, certificate: bytes, this_update: datetime, next_update: datetime, revoked_at: datetime | None = None) -> bytes:
        """An OCSP response about one certificate, signed by the issuing CA itself, DER."""
        issuer, subject = x509.Certificate.load(self.issuing), x509.Certificate.load(certificate)
        status: Any = {"revocation_time": revoked_at, "revocation_reason": "key_compromise"} if revoked_at else core.Null()
        body = ocsp.ResponseData(
            {
                "responder_id": ocsp.ResponderId(name="by_name", value=issuer.subject),
                "produced_at": this_update,
                "responses": [
                    {
                        "cert_id": {
                            "hash_algorithm": {"algorithm": "sha1"}, "issuer_name_hash": issuer.subject.sha1,
                            "issuer_key_hash": issuer.public_key.sha1, "serial_number": subject.serial_number,
                        },
                        "cert_status": ocsp.CertStatus(name="revoked" if revoked_at else "good", value=status),
                        "this_update": this_update, "next_update": next_update,
                    }
                ],
            }
        )  # fmt: skip
        basic = ocsp.BasicOCSPResponse(
            {"tbs_response_data": body, "signature_algorithm": {"algorithm": SM2_SM3}, "signature": self._issuing_key.sign_message(body.dump())}
        )
        return ocsp.OCSPResponse({"response_status": "successful", "response_bytes": {"response_type": "basic_ocsp_response", "response": basic}}).dump()

    def _kept(self, stem: str, subject: x509.Name, issuer: x509.Name, key: Sm2Key, issuer_key: Sm2Key, start: datetime, depth: int) -> bytes:
        path = self.folder / f"{stem}.der"
        if not path.exists():
            path.write_bytes(_certificate(subject, issuer, key.spki, issuer_key, start, start + 10 * YEAR, _limits(True, depth, "key_cert_sign", "crl_sign")))
        return path.read_bytes()


def _today() -> datetime:
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _time(moment: datetime) -> x509.Time:
    return x509.Time({"utc_time": core.UTCTime(moment)})


def _name(common: str, serial: str = "", organisation: str = HALL, units: Sequence[str] = ()) -> x509.Name:
    parts: dict[str, Any] = {"country_name": "CN", "organization_name": organisation}
    if units:
        parts["organizational_unit_name"] = " ".join(units)
    parts["common_name"] = common
    if serial:
        parts["serial_number"] = serial
    return x509.Name.build(parts)


def _limits(authority: bool, depth: int | None, *usages: str) -> list[dict[str, Any]]:
    basic = x509.BasicConstraints({"ca": authority, "path_len_constraint": depth} if authority else {"ca": False})
    return [_extension("basic_constraints", True, basic), _extension("key_usage", True, x509.KeyUsage(set(usages)))]


def _extension(kind: str, critical: bool, value: Any) -> dict[str, Any]:
    return {"extn_id": kind, "critical": critical, "extn_value": value}


def _certificate(
    subject: x509.Name, issuer: x509.Name, spki: bytes, issuer_key: Sm2Key, start: datetime, end: datetime, extensions: list[dict[str, Any]]
) -> bytes:
    public, above = keys.PublicKeyInfo.load(spki), keys.PublicKeyInfo.load(issuer_key.spki)
    serial = int.from_bytes(hashlib.sha256(subject.dump() + spki + start.isoformat().encode()).digest()[:15], "big") | 1
    known = [
        _extension("key_identifier", False, core.OctetString(public.sha1)),
        _extension("authority_key_identifier", False, x509.AuthorityKeyIdentifier({"key_identifier": above.sha1})),
    ]
    tbs = x509.TbsCertificate(
        {
            "version": "v3", "serial_number": serial, "signature": {"algorithm": SM2_SM3}, "issuer": issuer,
            "validity": {"not_before": _time(start), "not_after": _time(end)}, "subject": subject, "subject_public_key_info": public,
            "extensions": [*known, *extensions],
        }
    )  # fmt: skip
    signature = issuer_key.sign_message(tbs.dump())
    algorithm = algos.SignedDigestAlgorithm({"algorithm": SM2_SM3})
    return x509.Certificate({"tbs_certificate": tbs, "signature_algorithm": algorithm, "signature_value": signature}).dump()
