"""Writes ``resources/province/vectors/*.json``: every format once in earnest and once as practice, with keys that everybody knows. Never read by the product.

``python -m tests.province.vectors`` writes the files; the same run gives the same bytes.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from tests.province.cms import certificate_der
from tests.province.jcs import b64, canon, digest
from tests.province.keys import PURPOSES, envelope, keyid, spki
from tests.province.packet import pack
from tests.province.sheets import Facts, printed_content, sheet_code
from tests.province.vector_keys import FROM, TO, VectorKeys, certificate, cms, oaep

__all__ = ["FOLDER", "files"]

FOLDER = Path(__file__).resolve().parents[2] / "resources" / "province" / "vectors"
AT, AT_TIME = "2026-11-22T06:00:00Z", datetime(2026, 11, 22, 6, 0, 0, tzinfo=UTC)
STATION, RECORD = "3f0c7a52-8d1e-4c6b-9a42-5b1d2e3f4a5b", "8b1a9953-c461-4a29-b3c7-0d5f6e7a8b9c"
AMENDING, PRESENCE, UPLOAD = "c2d3e4f5-a6b7-4c8d-9e0f-1a2b3c4d5e6f", "d4e5f6a7-b8c9-4d0e-8f1a-2b3c4d5e6f70", "e5f6a7b8-c9d0-4e1f-9a2b-3c4d5e6f7081"
HALL, WINDOW, SAM, CODE = "510100-01", "07", "05.01-20260101-0000000001-1234567890", "ABCD-EFGH-JKLM-NPQR"
PICTURE = b"\xff\xd8\xff\xe0 not really a picture \xff\xd9"
NOTE = "Test vectors. The private keys are public: whoever trusts them trusts everybody."
PEOPLE = {"collector": ("OP-000017", "采集员甲"), "supervisor": ("SV-000001", "主管丙"), "administrator": ("AD-000001", "管理员丁")}


def kind(name: str, practice: bool) -> str:
    return f"hall-intake/{'practice-' if practice else ''}{name}/1"


def either(make: Any) -> dict[str, Any]:
    """The same thing in earnest and as practice."""
    return {"earnest": make(False), "practice": make(True)}


class Vectors:
    """All vectors; each method makes the content of one file."""

    def __init__(self, keys: VectorKeys) -> None:
        self.keys = keys
        root = keys.get("signer-root")
        self.root = certificate({NameOID.COMMON_NAME: "Test vector signer root"}, root, "Test vector signer root", root, 1, True)
        device_ca = keys.get("device-ca")
        self.device_ca = certificate({NameOID.COMMON_NAME: "Test vector device CA"}, device_ca, "Test vector device CA", device_ca, 2, True)
        self.certificates = {
            name: certificate({NameOID.SERIAL_NUMBER: number, NameOID.COMMON_NAME: title}, keys.get(name), "Test vector signer root", root, 10 + at)
            for at, (name, (number, title)) in enumerate(PEOPLE.items())
        }
        subject = {NameOID.ORGANIZATION_NAME: "51", NameOID.COMMON_NAME: STATION, NameOID.SERIAL_NUMBER: STATION}
        self.certificates["device"] = certificate(subject, keys.get("device"), "Test vector device CA", device_ca, 20)

    # -- pieces ------------------------------------------------------------------------------------------------------------------------
    def person(self, name: str) -> dict[str, str]:
        number, title = PEOPLE[name]
        return {"id": number, "name": title, "certificate": digest(certificate_der(self.certificates[name]))}

    def p7s(self, content: bytes, name: str) -> bytes:
        return cms(content, self.keys.get(name), self.certificates[name], AT_TIME)

    def envelope(self, purpose: str, name: str, body: dict[str, Any]) -> dict[str, Any]:
        content = canon(body)
        made = envelope(self.keys.get(purpose), name, content, deterministic=True)
        return {
            "key": purpose,
            "payload_type": f"application/vnd.hall-intake.{name}+json",
            "payload": body,
            "payload_bytes": b64(content),
            "envelope": json.loads(made),
        }

    def a_record(self, practice: bool) -> dict[str, Any]:
        by = PEOPLE["collector"][0]
        return {
            "type": kind("record", practice), "schema": 1, "record_id": RECORD, "revision": 1, "amends": None, "prev_digest": None,
            "station": {"id": STATION, "hall": HALL, "window": WINDOW}, "collector": self.person("collector"), "purpose": "实名登记",
            "claimed_at": AT, "time_source": "province-offset", "labels": digest(b"labels"), "categories": ["1", "4"],
            "sections": {
                "person": {"name_zh": "张练习", "sex": "1", "nation": "01", "birth_date": "1990-01-01", "address": "练习市练习路1号“测试”"},
                "skill": [{"trade": "020"}, {"trade": "030"}],
            },
            "provenance": {
                "person.name_zh": {"source": "chip", "by": by, "at": AT, "device": "Practice reader 00"},
                "skill[0].trade": {"source": "typed", "by": by, "at": AT, "device": ""},
            },
            "evidence": {
                "card": {"sam": SAM, "reader": "Practice reader 00", "profile": "practice", "read_at": AT, "raw_digest": digest(b"raw")},
                "face": {"way": "staff", "verdict": "same", "score": "", "model": ""},
            },
            "attachments": [
                {"index": 1, "kind": "portrait", "name": "a1.jpg", "media": "image/jpeg", "size": len(PICTURE), "sha256": digest(PICTURE),
                 "pages": 1, "trust": "B"}
            ],
        }  # fmt: skip

    def an_amendment(self, practice: bool) -> dict[str, Any]:
        before = digest(canon(self.a_record(practice)))
        found = {**self.a_record(practice), "record_id": AMENDING, "revision": 2, "amends": RECORD, "prev_digest": before, "attachments": []}
        return {**found, "evidence": {"card": None, "face": None}}

    def a_presence(self, practice: bool) -> dict[str, Any]:
        found = {**self.a_record(practice), "type": kind("presence", practice), "record_id": PRESENCE, "purpose": "自助实名核验", "categories": []}
        station = {"id": STATION, "name": f"{HALL} {WINDOW}", "certificate": digest(certificate_der(self.certificates["device"]))}
        sections = {"person": found["sections"]["person"]}
        source = {"person.name_zh": {"source": "chip", "by": STATION, "at": AT, "device": "Practice reader 00"}}
        notice = {"version": "2026-11", "agreed_at": AT, "face": "declined"}
        return {**found, "collector": station, "sections": sections, "provenance": source, "attachments": [], "notice": notice}

    # -- files -------------------------------------------------------------------------------------------------------------------------
    def keys_file(self) -> dict[str, Any]:
        names = (*PURPOSES, "intake", "recovery", "signer-root", "device-ca", *PEOPLE, "device")
        certificates = {"signer-root": self.root, "device-ca": self.device_ca, **self.certificates}
        return {"note": NOTE, "keys": self.keys.listed(*names), "certificates": {name: b64(certificate_der(c)) for name, c in certificates.items()}}

    def record_file(self) -> dict[str, Any]:
        def case(value: dict[str, Any]) -> dict[str, Any]:
            return {"object": value, "canonical": b64(canon(value)), "digest": digest(canon(value))}

        whole = canon(self.a_record(False))
        strange = {
            "\u20ac": "euro",
            "\r": "cr",
            "\ufb33": "dalet",
            "1": "one",
            "\U0001f600": "smile",
            "\u0080": "control",
            "\u00f6": "o",
            "</script>": '\b\t\n\f\r"\\/\u001f\u007f',
        }
        refused = {
            "a blank": whole.replace(b'","', b'", "', 1), "a newline at the end": whole + b"\n", "other order": b'{"type":"x","schema":1}',
            "escaped letter": b'{"type":"\\u0078"}', "float": b'{"type":"x","schema":1.0}', "member twice": b'{"type":"x","type":"x"}',
            "byte order mark": b"\xef\xbb\xbf{}",
        }  # fmt: skip
        return {
            "note": NOTE, "records": either(lambda p: case(self.a_record(p))), "amendments": either(lambda p: case(self.an_amendment(p))),
            "presences": either(lambda p: case(self.a_presence(p))), "strange_names": case(strange),
            "not_canonical": {name: b64(bad) for name, bad in refused.items()},
        }  # fmt: skip

    def packet_of(self, practice: bool, parts: list[tuple[str, bytes]]) -> dict[str, Any]:
        key, nonce = hashlib.sha256(b"test data key").digest(), hashlib.sha256(b"test nonce").digest()[:8]
        seeds = {to: hashlib.sha256(f"test seed {to}".encode()).digest() for to in ("intake", "recovery")}
        wraps = [
            {"to": to, "kid": keyid(spki(self.keys.get(to))), "alg": "RSA-OAEP-256", "key": b64(oaep(self.keys.get(to), key, seed))}
            for to, seed in seeds.items()
        ]
        sealed = pack(parts, RECORD, STATION, key, nonce, wraps)
        return {
            "data_key": b64(key),
            "nonce": b64(nonce),
            "oaep_seeds": {to: b64(seed) for to, seed in seeds.items()},
            "wraps": wraps,
            "size": len(sealed),
            "digest": digest(sealed),
            "sealed": sealed,
        }

    def packet_file(self) -> dict[str, Any]:
        def small(practice: bool) -> dict[str, Any]:
            parts = [("record.json", canon(self.a_record(practice))), ("a1.jpg", PICTURE)]
            made = self.packet_of(practice, parts)
            return {**made, "sealed": b64(made["sealed"]), "parts": [{"name": name, "bytes": b64(content)} for name, content in parts]}

        segments = []
        for size in (1_048_576, 2_500_000):
            pattern = bytes(range(251)) * (size // 251 + 1)
            made = self.packet_of(False, [("record.json", b"{}"), ("a1.jpg", pattern[:size])])
            made.pop("sealed")
            parts = [{"name": "record.json", "bytes": b64(b"{}")}, {"name": "a1.jpg", "repeat": "bytes 0..250, again and again", "size": size}]
            segments.append({**made, "parts": parts})
        return {"note": NOTE, "record_id": RECORD, "station_id": STATION, "small": either(small), "several_segments": segments}

    def signature_file(self) -> dict[str, Any]:
        content = canon(self.a_record(False))

        def case(name: str, over: bytes) -> dict[str, Any]:
            made = self.p7s(over, name)
            return {"content": b64(over), "p7s": b64(made), "digest": digest(made), "signer": name, "signed_at": AT}

        good = {
            "rsa": case("collector", content),
            "ecdsa": case("supervisor", content),
            "presence_by_device": case("device", canon(self.a_presence(False))),
        }
        good["practice"] = case("collector", canon(self.a_record(True)))
        torn = self.p7s(content, "collector")
        bad = {"over_other_bytes": self.p7s(content + b" ", "collector"), "torn": torn[:-1] + bytes([torn[-1] ^ 1]), "no_cms": b"0\x03\x02\x01\x01"}
        return {"note": NOTE, "good": good, "refused": {"content": b64(content), "p7s": {name: b64(made) for name, made in bad.items()}}}

    def act_file(self) -> dict[str, Any]:
        def case(practice: bool, act: str, first: str | None) -> dict[str, Any]:
            value = {
                "type": kind("act", practice), "act": act, "record": digest(canon(self.a_record(practice))), "first_signature": first,
                "reason": "采集员证书介质损坏", "actor": self.person("supervisor"), "claimed_at": AT,
            }  # fmt: skip
            return {"object": value, "canonical": b64(canon(value)), "digest": digest(canon(value)), "p7s": b64(self.p7s(canon(value), "supervisor"))}

        def acts(practice: bool) -> dict[str, Any]:
            first = digest(self.p7s(canon(self.a_record(practice)), "collector"))
            return {
                "takeover": case(practice, "takeover", None),
                "countersign": case(practice, "countersign", first),
                "supervise": case(practice, "supervise", first),
            }

        return {"note": NOTE, **either(acts)}

    def receipt_file(self) -> dict[str, Any]:
        def receipt(practice: bool) -> dict[str, Any]:
            content = canon(self.a_record(practice))
            packet = self.packet_of(practice, [("record.json", content), ("a1.jpg", PICTURE)])["digest"]
            signature = self.p7s(content, "collector")
            submission = {
                "type": "hall-intake/submission/1", "record_id": RECORD, "station_id": STATION, "upload_id": UPLOAD, "packet_digest": packet,
                "packet_size": self.packet_of(practice, [("record.json", content), ("a1.jpg", PICTURE)])["size"], "record_digest": digest(content),
                "signature": b64(signature), "acts": [],
            }  # fmt: skip
            body = {
                "type": kind("receipt", practice), "province": "51", "station_id": STATION, "record_id": RECORD,
                "packet_digest": packet, "record_digest": digest(content), "signature_digest": digest(signature),
                "received_at": "2026-11-22T06:00:05Z", "serial": "R-20261122-000001", "state": "received",
            }  # fmt: skip
            return {"submission": submission, **self.envelope("receipts", "receipt", body)}

        content = canon({"type": "x"})
        signed = b"DSSEv1 39 application/vnd.hall-intake.states+json %d " % len(content) + content
        return {
            "note": NOTE,
            **either(receipt),
            "dsse_signed_bytes": {"payload": b64(content), "payload_type": "application/vnd.hall-intake.states+json", "signed": b64(signed)},
        }

    def roots_body(self, practice: bool) -> dict[str, Any]:
        since, until = f"{FROM:%Y-%m-%dT%H:%M:%SZ}", f"{TO:%Y-%m-%dT%H:%M:%SZ}"
        keys = [
            {
                "keyid": keyid(spki(self.keys.get(p))),
                "purpose": p,
                "spki": b64(spki(self.keys.get(p))),
                "not_before": since,
                "not_after": until,
                "state": "good",
            }
            for p in PURPOSES
        ]
        sealing = {
            to: {"kid": keyid(spki(self.keys.get(to))), "alg": "RSA-OAEP-256", "spki": b64(spki(self.keys.get(to)))} for to in ("intake", "recovery")
        }
        sealing["intake"]["not_after"] = until
        province = {"id": "51", "name": "练习省" if practice else "参考省", "practice": practice}
        signer_roots = [b64(certificate_der(self.root))]
        return {"province": province, "keys": keys, **sealing, "signer_roots": signer_roots, "tls_roots": [b64(certificate_der(self.device_ca))]}

    def settings_body(self) -> dict[str, Any]:
        people = [{"id": number, "name": title, "roles": [role]} for role, (number, title) in sorted(PEOPLE.items(), key=lambda item: item[1])]
        return {
            "hall": {"code": HALL, "name": "第一政务大厅"}, "window": WINDOW, "stations": [{"id": STATION, "window": WINDOW, "state": "good"}],
            "people": people, "sams": [SAM], "retention_days": 30, "publicity_workdays": 15,
        }  # fmt: skip

    def downlink(self, purpose: str, version: int, body: dict[str, Any]) -> dict[str, Any]:
        outer = {
            "type": "hall-intake/downlink/1",
            "purpose": purpose,
            "version": version,
            "issued_at": AT,
            "expires_at": "2027-11-22T06:00:00Z",
            "body": body,
        }
        return self.envelope(purpose, purpose, outer)

    def downlink_file(self) -> dict[str, Any]:
        items = [{"path": "person.name_zh", "text": "与证件不符"}]
        changes = [
            {"record_id": RECORD, "state": "received", "at": AT, "until": None, "items": []},
            {"record_id": RECORD, "state": "correction_required", "at": AT, "until": "2026-12-14", "items": items},
        ]
        tables = {"worker_trades": {"edition": "1", "digest": digest(b"table")}}
        wrong_key = self.envelope("receipts", "settings", {"type": "hall-intake/downlink/1"})
        return {
            "note": NOTE, "roots": either(lambda p: self.downlink("roots", 1, self.roots_body(p))),
            "settings": self.downlink("settings", 3, self.settings_body()),
            "settings_older": self.downlink("settings", 2, self.settings_body()), "tables": self.downlink("tables", 1, tables),
            "states": self.downlink("states", 4, {"cursor": 2, "records": changes}), "refused_key_of_another_purpose": wrong_key,
        }  # fmt: skip

    def enrolment_file(self) -> dict[str, Any]:
        device = self.keys.get("device")
        csr = (
            x509.CertificateSigningRequestBuilder(x509.Name([]))
            .sign(device, hashes.SHA256(), ecdsa_deterministic=True)
            .public_bytes(serialization.Encoding.DER)
        )
        proof = hmac.new(CODE.replace("-", "").encode(), csr, hashlib.sha256).digest()
        request = {
            "type": "hall-intake/enrolment/1", "code_proof": b64(proof), "csr": b64(csr), "hall": HALL, "window": WINDOW,
            "machine": "test vector", "claimed_at": AT,
        }  # fmt: skip
        content = canon(request)

        def answer(practice: bool) -> dict[str, Any]:
            roots, settings = self.downlink("roots", 1, self.roots_body(practice)), self.downlink("settings", 3, self.settings_body())
            invitation = {
                "type": "hall-intake/invitation/1", "province": "51", "name": roots["payload"]["body"]["province"]["name"], "practice": practice,
                "url": "https://province.example", "tls_root": b64(certificate_der(self.device_ca)), "root_key": b64(spki(self.keys.get("roots"))),
            }  # fmt: skip
            enrolled = {
                "type": "hall-intake/enrolled/1", "station_id": STATION, "certificate": b64(certificate_der(self.certificates["device"])),
                "chain": [b64(certificate_der(self.device_ca))], "roots": roots["envelope"], "settings": settings["envelope"],
            }  # fmt: skip
            return {"invitation": invitation, "enrolled": enrolled}

        body = {"request": b64(content), "signature": b64(self.p7s(content, "administrator"))}
        return {"note": NOTE, "code": CODE, "request": request, "canonical": b64(content), "digest": digest(content), "body": body, **either(answer)}

    def sheet_file(self) -> dict[str, Any]:
        issued, until = date(2026, 11, 22), date(2027, 2, 20)
        number = "CX-51-20261122-00000"
        cases = {
            "person": Facts(number + "1", 1, "张练习", "5101**********0012", "练习建筑工程有限公司", (1, 4), 2, 0, issued, until, 1, False),
            "practice": Facts(number + "2", 1, "李练习", "5101**********0029", "", (4,), 0, 1, issued, until, 2, True),
            "enterprise": Facts(number + "3", 2, "练习建筑工程有限公司", "9151**********000X", "", (), 1, 0, issued, until, 3, False),
        }
        key = self.keys.get("sheets")
        codes = {name: {"code": sheet_code(facts, key, True), "printed": printed_content(facts), "number": facts.number} for name, facts in cases.items()}
        facts = {"name": "张练习", "masked": "5101**********0012", "employer": "练习建筑工程有限公司", "good": 2, "bad": 0}
        status = {"type": "hall-intake/sheet-status/1", "number": number + "1", "state": "current", "facts": facts, "newer": None, "as_of": AT}
        foreign = sheet_code(cases["person"], self.keys.get("states"), True)
        bent = codes["person"]["code"][:-3] + "000"
        return {
            "note": NOTE,
            "codes": codes,
            "status": self.envelope("sheets", "sheet-status", status),
            "refused": {"key_of_another_purpose": foreign, "bent": bent},
        }

    def journal_file(self) -> dict[str, Any]:
        lines: list[dict[str, Any]] = []
        before = "sha256:" + "0" * 64
        happened = [
            ("op:OP-000017", "person.login", "", {}),
            ("op:OP-000017", "record.keep", RECORD, {"packet": digest(b"packet"), "parts": 2}),
            ("station", "record.receipt", RECORD, {"serial": "R-20261122-000001"}),
        ]
        for seq, (who, what, about, facts) in enumerate(happened, 1):
            line = {"type": "hall-intake/journal/1", "seq": seq, "prev": before, "at": AT, "who": who, "what": what, "about": about, "facts": facts}
            before = digest(canon(line))
            lines.append({"object": line, "canonical": b64(canon(line)), "digest": before})
        head = {"type": "hall-intake/journal-head/1", "station_id": STATION, "size": len(lines), "head": before, "at": AT}
        return {"note": NOTE, "lines": lines, "head": {"object": head, "canonical": b64(canon(head))}}

    def devices_file(self) -> dict[str, Any]:
        def case(practice: bool) -> dict[str, Any]:
            value = {
                "type": "hall-intake/devices/1", "station_id": STATION, "practice": practice, "profiles": [],
                "tokens": [{"kind": "pkcs11", "library": "/opt/vendor/lib/token.so", "name": "vendor", "sha256": digest(b"library")}],
                "cameras": [{"name": "portrait", "source": "0", "use": "portrait"}],
                "models": {"detector": {"path": "models/detector.onnx", "sha256": digest(b"detector")},
                           "recogniser": {"path": "models/recogniser.onnx", "sha256": digest(b"recogniser")}},
                "emulated": practice,
            }  # fmt: skip
            return {"object": value, "canonical": b64(canon(value)), "p7s": b64(self.p7s(canon(value), "administrator"))}

        return {"note": NOTE, **either(case)}


def files(folder: Path = FOLDER) -> dict[str, str]:
    """File name to text of every vector file. RSA keys are taken from ``folder/keys.json`` where it is."""
    vectors = Vectors(VectorKeys(folder / "keys.json"))
    makers = {
        "keys": vectors.keys_file, "record": vectors.record_file, "packet": vectors.packet_file, "signature": vectors.signature_file, "act": vectors.act_file,
        "receipt": vectors.receipt_file, "downlink": vectors.downlink_file, "enrolment": vectors.enrolment_file, "sheet": vectors.sheet_file,
        "journal": vectors.journal_file, "devices": vectors.devices_file,
    }  # fmt: skip
    return {f"{name}.json": json.dumps(make(), ensure_ascii=False, indent=1, sort_keys=True) + "\n" for name, make in makers.items()}


def main() -> int:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in files().items():
        (FOLDER / name).write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
