"""A province's keys and what it signs with them, for tests that need no server. Never checks anything: it signs wrong things as gladly as right ones."""

from __future__ import annotations

import base64
import hashlib
import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID

from sync.canon import canon

__all__ = ["PlainStationStore", "ProvinceWord", "b64", "spki", "stamp"]

ISSUED = datetime(2026, 11, 22, 6, 0, 0, tzinfo=UTC)


def b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def spki(key: Any) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def keyid(key: Any) -> str:
    return hashlib.sha256(spki(key)).hexdigest()[:16]


class PlainStationStore:
    """The table ``station`` in memory, with the two doors of the real store."""

    def __init__(self, practice: bool = False) -> None:
        self.practice = practice
        self._db = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self._db.execute("CREATE TABLE station (name TEXT PRIMARY KEY, value BLOB NOT NULL)")
        self._lock = threading.RLock()

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            yield self._db

    def close(self) -> None:
        self._db.close()


class ProvinceWord:
    """One key per purpose, and envelopes on demand."""

    def __init__(self, practice: bool = False, province: str = "51") -> None:
        self.practice, self.province = practice, province
        self.root = ec.generate_private_key(ec.SECP256R1())
        self.keys = {purpose: ec.generate_private_key(ec.SECP256R1()) for purpose in ("receipts", "settings", "tables", "states", "sheets")}
        self.intake = rsa.generate_private_key(65537, 2048)
        self.states: dict[str, str] = {}
        self.tls_key = ec.generate_private_key(ec.SECP256R1())
        self.tls_root = self._certificate("TLS root", self.tls_key, self.tls_key, "TLS root")
        self.device_key = ec.generate_private_key(ec.SECP256R1())

    def _certificate(self, name: str, key: Any, issuer_key: Any, issuer: str) -> bytes:
        names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, one)]) for one in (name, issuer)]
        builder = x509.CertificateBuilder().subject_name(names[0]).issuer_name(names[1]).public_key(key.public_key()).serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(ISSUED - timedelta(days=900)).not_valid_after(ISSUED + timedelta(days=3650))
        return builder.sign(issuer_key, SHA256()).public_bytes(Encoding.DER)

    def seal(self, name: str, payload: bytes, *keys: Any, keyids: tuple[str, ...] = ()) -> bytes:
        """An envelope over ``payload`` by ``keys`` (default: the purpose's own)."""
        kind = f"application/vnd.hall-intake.{name}+json"
        purpose = {"receipt": "receipts", "sheet-status": "sheets"}.get(name, name)
        keys = keys or ((self.root if purpose == "roots" else self.keys[purpose]),)
        content = b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)
        signatures = [{"keyid": (keyids[i] if keyids else keyid(key)), "sig": b64(key.sign(content, ec.ECDSA(SHA256())))} for i, key in enumerate(keys)]
        return json.dumps({"payloadType": kind, "payload": b64(payload), "signatures": signatures}).encode()

    def downlink(self, purpose: str, version: int, body: dict[str, Any], *keys: Any, issued: datetime = ISSUED) -> bytes:
        payload = {"type": "hall-intake/downlink/1", "purpose": purpose, "version": version, "issued_at": stamp(issued),
                   "expires_at": stamp(issued + timedelta(days=30)), "body": body}
        return self.seal(purpose, canon(payload), *keys)

    def roots_body(self, **changes: Any) -> dict[str, Any]:
        listed = [{"keyid": keyid(key), "purpose": purpose, "spki": b64(spki(key)), "not_before": stamp(ISSUED - timedelta(days=30)),
                   "not_after": stamp(ISSUED + timedelta(days=3000)), "state": self.states.get(purpose, "good")} for purpose, key in self.keys.items()]
        wrap = {"kid": keyid(self.intake), "alg": "RSA-OAEP-256", "spki": b64(spki(self.intake))}
        return {"province": {"id": self.province, "name": "练习省", "practice": self.practice}, "keys": listed,
                "intake": {**wrap, "not_after": stamp(ISSUED + timedelta(days=365))}, "recovery": wrap,
                "signer_roots": [b64(self.tls_root)], "tls_roots": [b64(self.tls_root)], **changes}

    def settings_body(self, **changes: Any) -> dict[str, Any]:
        people = [{"id": "OP-000017", "name": "练习员", "roles": ["collector"]}]
        return {"hall": {"code": "510100-01", "name": "大厅"}, "window": "07", "stations": [], "people": people,
                "sams": ["05.01-20260101-0000000001-0000000001"], "retention_days": 30, "publicity_workdays": 15, **changes}

    def invitation(self, url: str = "https://127.0.0.1:1") -> bytes:
        return canon({"type": "hall-intake/invitation/1", "province": self.province, "name": "练习省", "practice": self.practice, "url": url,
                      "tls_root": b64(self.tls_root), "root_key": b64(spki(self.root))})

    def station_rows(self, station_id: str) -> dict[str, bytes]:
        """The rows of an enrolled station."""
        private = self.device_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        return {
            "invitation": self.invitation(), "station_id": station_id.encode(), "device.key": private,
            "device.certificate": self._certificate(station_id, self.device_key, self.tls_key, "TLS root"), "device.chain.00": self.tls_root,
            "downlink.roots": self.downlink("roots", 1, self.roots_body()), "downlink.settings": self.downlink("settings", 1, self.settings_body()),
        }
