"""A station by hand: the client's formats once more, from FORMATS.md alone, with openssl for CMS.

Never imports a room of the product, nor the province's own writers.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import struct
import subprocess
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
import rfc8785
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SEGMENT = 1_048_576
OAEP = padding.OAEP(mgf=padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)
AT = "2026-11-22T06:00:00Z"
HALL, WINDOW, SAM = "510100-01", "07", "05.01-20260101-0000000001-1234567890"


def jcs(value: Any) -> bytes:
    return rfc8785.dumps(value)


def sha(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def openssl(*arguments: str, stdin: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *arguments], input=stdin, capture_output=True, check=True).stdout


class Ca:
    """A tiny signing CA made by openssl: root, and persons whose subject serialNumber is their id."""

    def __init__(self, folder: Path, name: str = "Test signer root") -> None:
        self.folder = folder
        folder.mkdir()
        self.root = folder / "root.crt"
        openssl(
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-keyout",
            str(folder / "root.key"),
            "-out",
            str(self.root),
            "-days",
            "30",
            "-subj",
            f"/CN={name}",
            "-addext",
            "basicConstraints=critical,CA:TRUE",
            "-addext",
            "keyUsage=critical,keyCertSign,cRLSign",
        )

    def person(self, person_id: str, rsa: bool = False) -> Signer:
        key, request, certificate, extensions = (self.folder / f"{person_id}.{end}" for end in ("key", "csr", "crt", "ext"))
        kind = ["rsa:2048"] if rsa else ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        openssl(
            "req",
            "-new",
            "-newkey",
            *kind,
            "-nodes",
            "-keyout",
            str(key),
            "-out",
            str(request),
            "-subj",
            f"/serialNumber={person_id}/CN=Person {person_id}",
        )
        extensions.write_text("basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature,nonRepudiation\n")
        openssl(
            "x509",
            "-req",
            "-in",
            str(request),
            "-CA",
            str(self.root),
            "-CAkey",
            str(self.folder / "root.key"),
            "-CAcreateserial",
            "-days",
            "20",
            "-extfile",
            str(extensions),
            "-out",
            str(certificate),
        )
        return Signer(person_id, key, certificate)


@dataclass(frozen=True)
class Signer:
    id: str
    key: Path
    certificate: Path

    def der(self) -> bytes:
        return openssl("x509", "-in", str(self.certificate), "-outform", "DER")

    def sign(self, content: bytes, cades: bool = True) -> bytes:
        options = ["-cades"] if cades else []
        return openssl(
            "cms",
            "-sign",
            "-binary",
            "-outform",
            "DER",
            "-md",
            "sha256",
            "-nosmimecap",
            "-signer",
            str(self.certificate),
            "-inkey",
            str(self.key),
            *options,
            stdin=content,
        )


def roots_body(envelope: dict[str, Any]) -> dict[str, Any]:
    return payload(envelope)["body"]


def payload(envelope: dict[str, Any]) -> dict[str, Any]:
    return json.loads(base64.b64decode(envelope["payload"]))


def envelope_fits(envelope: dict[str, Any], name: str, spki: bytes) -> bool:
    """DSSE by hand, with openssl."""
    content, kind = base64.b64decode(envelope["payload"]), f"application/vnd.hall-intake.{name}+json"
    if envelope["payloadType"] != kind:
        return False
    signed = f"DSSEv1 {len(kind)} {kind} {len(content)} ".encode() + content
    key = serialization.load_der_public_key(spki)
    signature = envelope["signatures"][0]
    assert signature["keyid"] == hashlib.sha256(spki).hexdigest()[:16]
    try:
        key.verify(base64.b64decode(signature["sig"]), signed, ec.ECDSA(hashes.SHA256()))
    except Exception:
        return False
    return True


@dataclass
class Station:
    """An enrolled station with its TLS session."""

    url: str
    folder: Path
    station_id: str
    key: ec.EllipticCurvePrivateKey
    certificate: bytes
    roots: dict[str, Any]
    ca: Path
    practice: bool
    hall: str = HALL
    window: str = WINDOW
    session: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self.session.trust_env = False
        self.session.verify = str(self.ca)
        self.session.cert = (str(self.folder / "device.crt"), str(self.folder / "device.key"))

    def ask(self, method: str, path: str, **more: Any) -> requests.Response:
        return self.session.request(method, self.url + path, timeout=(5, 30), **more)

    def device(self) -> Signer:
        return Signer(self.station_id, self.folder / "device.key", self.folder / "device.crt")

    def kind(self, name: str) -> str:
        return f"hall-intake/{'practice-' if self.practice else ''}{name}/1"

    # -- formats -----------------------------------------------------------------------------------------------------------------------
    def record(self, collector: Signer, attachments: tuple[bytes, ...] = (), **changed: Any) -> dict[str, Any]:
        found = {
            "type": self.kind("record"),
            "schema": 1,
            "record_id": str(uuid.uuid4()),
            "revision": 1,
            "amends": None,
            "prev_digest": None,
            "station": {"id": self.station_id, "hall": self.hall, "window": self.window},
            "collector": {"id": collector.id, "name": "采集员", "certificate": sha(collector.der())},
            "purpose": "实名登记",
            "claimed_at": AT,
            "time_source": "station-clock",
            "labels": sha(b"labels"),
            "categories": ["4"],
            "sections": {"person": {"name_zh": "张练习"}, "skill": [{"trade": "020"}]},
            "provenance": {
                "person.name_zh": {"source": "chip", "by": collector.id, "at": AT, "device": "reader"},
                "skill[0].trade": {"source": "typed", "by": collector.id, "at": AT, "device": ""},
            },
            "evidence": {"card": {"sam": SAM, "reader": "reader", "profile": "p", "read_at": AT, "raw_digest": sha(b"raw")}, "face": None},
            "attachments": [
                {
                    "index": n,
                    "kind": "portrait",
                    "name": f"a{n}.jpg",
                    "media": "image/jpeg",
                    "size": len(a),
                    "sha256": sha(a),
                    "pages": 1,
                    "trust": "B",
                }
                for n, a in enumerate(attachments, 1)
            ],
        }
        return {**found, **changed}

    def packet(self, record: bytes, of: str, attachments: tuple[bytes, ...] = (), **header_changed: Any) -> bytes:
        named = [("record.json", record), *((f"a{n}.jpg", a) for n, a in enumerate(attachments, 1))]
        index = jcs({"type": "hall-intake/parts/1", "parts": [{"name": n, "size": len(c), "sha256": sha(c)} for n, c in named]})
        plain = struct.pack(">I", len(index)) + index + b"".join(c for _, c in named)
        key, nonce = os.urandom(32), os.urandom(8)
        wraps = []
        for to in ("intake", "recovery"):
            public = serialization.load_der_public_key(base64.b64decode(self.roots[to]["spki"]))
            wraps.append({"to": to, "kid": self.roots[to]["kid"], "alg": "RSA-OAEP-256", "key": b64(public.encrypt(key, OAEP))})
        header = jcs(
            {
                "type": "hall-intake/packet/1",
                "record_id": of,
                "station_id": self.station_id,
                "nonce": b64(nonce),
                "plain_size": len(plain),
                "wraps": wraps,
                **header_changed,
            }
        )
        out = b"HIPK\x01\x01\x00\x00" + struct.pack(">I", len(header)) + header
        bound = hashlib.sha256(out).digest()
        pieces = [plain[i : i + SEGMENT] for i in range(0, len(plain), SEGMENT)]
        for number, piece in enumerate(pieces):
            last = b"\x01" if number == len(pieces) - 1 else b"\x00"
            out += AESGCM(key).encrypt(nonce + struct.pack(">I", number), piece, bound + struct.pack(">I", number) + last)
        return out

    # -- wire --------------------------------------------------------------------------------------------------------------------------
    def create(self, record_id: str, packet: bytes) -> requests.Response:
        meta = f"record_id {b64(record_id.encode())},digest {b64(sha(packet).encode())}"
        return self.ask("POST", "/v1/packets", headers={"Tus-Resumable": "1.0.0", "Upload-Length": str(len(packet)), "Upload-Metadata": meta})

    def patch(self, location: str, offset: int, part: bytes, checksum: str = "") -> requests.Response:
        headers = {
            "Tus-Resumable": "1.0.0",
            "Content-Type": "application/offset+octet-stream",
            "Upload-Offset": str(offset),
            "Upload-Checksum": checksum or "sha256 " + b64(hashlib.sha256(part).digest()),
        }
        return self.ask("PATCH", location, headers=headers, data=part)

    def upload(self, record_id: str, packet: bytes) -> str:
        location = self.create(record_id, packet).headers["Location"]
        offset = int(self.ask("HEAD", location, headers={"Tus-Resumable": "1.0.0"}).headers["Upload-Offset"])
        while offset < len(packet):
            answer = self.patch(location, offset, packet[offset : offset + SEGMENT])
            assert answer.status_code == 204, answer.text
            offset = int(answer.headers["Upload-Offset"])
        return location.rsplit("/", 1)[1]

    def submission(
        self, record: bytes, record_id: str, packet: bytes, upload_id: str, signature: bytes, acts: tuple[tuple[bytes, bytes], ...] = ()
    ) -> dict[str, Any]:
        return {
            "type": "hall-intake/submission/1",
            "record_id": record_id,
            "station_id": self.station_id,
            "upload_id": upload_id,
            "packet_digest": sha(packet),
            "packet_size": len(packet),
            "record_digest": sha(record),
            "signature": b64(signature),
            "acts": [{"act": b64(a), "signature": b64(s)} for a, s in acts],
        }

    def put(self, record_id: str, submission: dict[str, Any]) -> requests.Response:
        return self.ask("PUT", f"/v1/records/{record_id}", data=jcs(submission), headers={"Content-Type": "application/json"})

    def send(
        self,
        record: dict[str, Any] | bytes,
        signer: Signer,
        attachments: tuple[bytes, ...] = (),
        acts: tuple[tuple[bytes, bytes], ...] = (),
        record_id: str = "",
        signature: bytes | None = None,
        **header_changed: Any,
    ) -> requests.Response:
        """The whole way of one record; the last answer."""
        content = record if isinstance(record, bytes) else jcs(record)
        record_id = record_id or json.loads(content)["record_id"]
        packet = self.packet(content, record_id, attachments, **header_changed)
        upload_id = self.upload(record_id, packet)
        return self.put(record_id, self.submission(content, record_id, packet, upload_id, signature or signer.sign(content), acts))


def enrolment(invitation_code: str, administrator: Signer, key: ec.EllipticCurvePrivateKey, **changed: Any) -> dict[str, str]:
    """Body of ``POST /v1/enrolments``."""
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    csr = request.public_bytes(serialization.Encoding.DER)
    proof = hmac.new(invitation_code.replace("-", "").encode(), csr, hashlib.sha256).digest()
    content = jcs(
        {
            "type": "hall-intake/enrolment/1",
            "code_proof": b64(proof),
            "csr": b64(csr),
            "hall": HALL,
            "window": WINDOW,
            "machine": "test",
            "claimed_at": AT,
            **changed,
        }
    )
    return {"request": b64(content), "signature": b64(administrator.sign(content))}


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def enrol(folder: Path, invitation: dict[str, Any], code: str, administrator: Signer, window: str = WINDOW) -> Station:
    folder.mkdir()
    ca = folder / "tls.crt"
    ca.write_bytes(openssl("x509", "-inform", "DER", stdin=base64.b64decode(invitation["tls_root"])))
    key = new_key()
    answer = requests.post(invitation["url"] + "/v1/enrolments", data=jcs(enrolment(code, administrator, key, window=window)), verify=str(ca), timeout=30)
    assert answer.status_code == 201, answer.text
    body = answer.json()
    certificate = base64.b64decode(body["certificate"])
    (folder / "device.key").write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    (folder / "device.crt").write_bytes(openssl("x509", "-inform", "DER", stdin=certificate))
    return Station(invitation["url"], folder, body["station_id"], key, certificate, roots_body(body["roots"]), ca, invitation["practice"], window=window)
