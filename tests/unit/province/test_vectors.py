"""The test vectors are what the generator writes, and every one of them verifies: by the province's readers and by others (openssl, rfc8785, cbor2)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import subprocess
from datetime import UTC, datetime

import base45
import cbor2
import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from tests.province import vectors
from tests.province.cms import verify_detached
from tests.province.jcs import Refused, canon, parse, parse_canonical
from tests.province.packet import open_packet
from tests.province.shapes import ACT, ENROLMENT, JOURNAL_HEAD, SUBMISSION, check, check_presence, check_record
from tests.unit.province import hand

NOW = datetime(2026, 11, 22, 6, 0, 0, tzinfo=UTC)
NAMES = ("keys", "record", "packet", "signature", "act", "receipt", "downlink", "enrolment", "sheet", "journal", "devices")
BOTH = ("earnest", "practice")


def read(name):
    return json.loads((vectors.FOLDER / f"{name}.json").read_text("utf-8"))


def raw(text):
    return base64.b64decode(text, validate=True)


KEYS = read("keys")


def key(name):
    return serialization.load_pem_private_key(KEYS["keys"][name]["private"].encode(), None)


def root(name):
    return x509.load_der_x509_certificate(raw(KEYS["certificates"][name]))


def test_files_are_what_the_generator_gives():
    made = vectors.files()
    assert set(made) == {path.name for path in vectors.FOLDER.glob("*.json")} == {f"{name}.json" for name in NAMES}
    for name, text in made.items():
        assert (vectors.FOLDER / name).read_text("utf-8") == text, name


def test_records_by_two_implementations():
    file = read("record")
    for group, form in (("records", check_record), ("amendments", check_record), ("presences", check_presence)):
        for which in BOTH:
            case = file[group][which]
            content = raw(case["canonical"])
            assert content == canon(case["object"]) == hand.jcs(case["object"]) and case["digest"] == hand.sha(content)
            form(parse_canonical(content, "record.canonical"))
            assert ("practice-" in case["object"]["type"]) == (which == "practice")
    strange = file["strange_names"]
    assert raw(strange["canonical"]) == canon(strange["object"]) == hand.jcs(strange["object"])
    for name, bad in file["not_canonical"].items():
        with pytest.raises(Refused):
            parse_canonical(raw(bad), "record.canonical")
            pytest.fail(name)


def test_packets_open_with_intake_and_recovery(tmp_path):
    file = read("packet")
    for which in BOTH:
        case = file["small"][which]
        path = tmp_path / which
        path.write_bytes(raw(case["sealed"]))
        assert (hand.sha(path.read_bytes()), path.stat().st_size) == (case["digest"], case["size"])
        for to in ("intake", "recovery"):
            opened = open_packet(path, lambda kid, to=to: key(to) if kid == KEYS["keys"][to]["keyid"] else None, to)
            assert opened.record == raw(case["parts"][0]["bytes"]) and opened.parts[0][2] == hand.sha(raw(case["parts"][1]["bytes"]))
        for wrap in case["wraps"]:
            assert key(wrap["to"]).decrypt(raw(wrap["key"]), hand.OAEP) == raw(case["data_key"])


def test_larger_packets_from_their_description(tmp_path, monkeypatch):
    """Built again by the hand-made writer with the fixed key and nonce: same bytes."""
    file = read("packet")
    for case in file["several_segments"]:
        size = case["parts"][1]["size"]
        picture = (bytes(range(251)) * (size // 251 + 1))[:size]
        given = {32: raw(case["data_key"]), 8: raw(case["nonce"])}
        monkeypatch.setattr(hand.os, "urandom", lambda n, given=given: given[n])
        roots = {to: {"spki": KEYS["keys"][to]["spki"], "kid": KEYS["keys"][to]["keyid"]} for to in ("intake", "recovery")}
        station = hand.Station("", tmp_path, file["station_id"], key("device"), b"", roots, tmp_path, False)
        packet = station.packet(b"{}", file["record_id"], (picture,), wraps=case["wraps"])
        assert (len(packet), hand.sha(packet)) == (case["size"], case["digest"])


def test_signatures_by_openssl_too(tmp_path):
    file = read("signature")
    for name, case in file["good"].items():
        ca = root("device-ca" if case["signer"] == "device" else "signer-root")
        signed = verify_detached(raw(case["content"]), raw(case["p7s"]), [ca], NOW)
        assert signed.certificate == raw(KEYS["certificates"][case["signer"]]), name
        (tmp_path / "ca.pem").write_bytes(ca.public_bytes(serialization.Encoding.PEM))
        (tmp_path / "p7s").write_bytes(raw(case["p7s"]))
        (tmp_path / "content").write_bytes(raw(case["content"]))
        command = ["cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", str(tmp_path / "p7s"), "-content", str(tmp_path / "content")]
        more = ["-CAfile", str(tmp_path / "ca.pem"), "-purpose", "any", "-attime", str(int(NOW.timestamp())), "-out", "/dev/null"]
        done = subprocess.run(["openssl", *command, *more], capture_output=True, text=True)
        assert done.returncode == 0, (name, done.stderr)
    for name, bad in file["refused"]["p7s"].items():
        with pytest.raises(Refused):
            verify_detached(raw(file["refused"]["content"]), raw(bad), [root("signer-root")], NOW)
            pytest.fail(name)


def test_acts():
    file = read("act")
    for which in BOTH:
        for name, case in file[which].items():
            content = raw(case["canonical"])
            check(parse_canonical(content, "act.invalid"), ACT, "act.invalid")
            assert (
                case["object"]["act"] == name
                and verify_detached(content, raw(case["p7s"]), [root("signer-root")], NOW).signer_id == case["object"]["actor"]["id"]
            )


def envelope_of(case):
    assert (
        raw(case["payload_bytes"]) == canon(case["payload"]) == raw(case["envelope"]["payload"])
        and case["envelope"]["payloadType"] == case["payload_type"]
    )
    name = case["payload_type"].removeprefix("application/vnd.hall-intake.").removesuffix("+json")
    assert hand.envelope_fits(case["envelope"], name, raw(KEYS["keys"][case["key"]]["spki"]))


def test_receipts_are_for_their_submissions():
    file = read("receipt")
    for which in BOTH:
        case = file[which]
        envelope_of(case)
        check(case["submission"], SUBMISSION, "submission.format")
        for member in ("packet_digest", "record_digest", "record_id", "station_id"):
            assert case["payload"][member] == case["submission"][member]
        assert case["payload"]["signature_digest"] == hand.sha(raw(case["submission"]["signature"]))
        assert case["submission"]["packet_digest"] == read("packet")["small"][which]["digest"]
    dsse = file["dsse_signed_bytes"]
    kind, payload = dsse["payload_type"].encode(), raw(dsse["payload"])
    assert raw(dsse["signed"]) == b" ".join([b"DSSEv1", str(len(kind)).encode(), kind, str(len(payload)).encode(), payload])


def test_downlinks():
    file = read("downlink")
    for case in (*file["roots"].values(), *(file[name] for name in ("settings", "settings_older", "tables", "states", "refused_key_of_another_purpose"))):
        envelope_of(case)
    assert file["settings_older"]["payload"]["version"] < file["settings"]["payload"]["version"]
    assert file["refused_key_of_another_purpose"]["key"] == "receipts" and "settings" in file["refused_key_of_another_purpose"]["payload_type"]


def test_enrolment():
    file = read("enrolment")
    content = raw(file["canonical"])
    request = parse_canonical(content, "enrolment.format")
    check(request, ENROLMENT, "enrolment.format")
    csr = raw(request["csr"])
    assert raw(request["code_proof"]) == hmac.new(file["code"].replace("-", "").encode(), csr, hashlib.sha256).digest()
    assert x509.load_der_x509_csr(csr).is_signature_valid
    assert (
        verify_detached(content, raw(file["body"]["signature"]), [root("signer-root")], NOW).signer_id == "AD-000001"
        and raw(file["body"]["request"]) == content
    )
    for which in BOTH:
        assert file[which]["invitation"]["practice"] == hand.roots_body(file[which]["enrolled"]["roots"])["province"]["practice"] == (which == "practice")
        x509.load_der_x509_certificate(raw(file[which]["enrolled"]["certificate"])).verify_directly_issued_by(root("device-ca"))


def sheet_facts(code, purpose):
    protected, _, payload, signature = cbor2.loads(base45.b45decode(code.removeprefix("CR1:"))).value
    signed = utils.encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
    key(purpose).public_key().verify(signed, cbor2.dumps(["Signature1", protected, b"", payload]), ec.ECDSA(hashes.SHA256()))
    assert cbor2.loads(protected) == {1: -7, 4: bytes.fromhex(KEYS["keys"][purpose]["keyid"])}
    return cbor2.loads(payload)


def test_sheets():
    file = read("sheet")
    for name, case in file["codes"].items():
        facts = sheet_facts(case["code"], "sheets")
        assert facts[1] == case["number"] and facts[12] == hashlib.sha256(canon(case["printed"])).digest()[:16]
        assert (facts.get(13), facts[2]) == (True if name == "practice" else None, 2 if name == "enterprise" else 1)
    envelope_of(file["status"])
    sheet_facts(file["refused"]["key_of_another_purpose"], "states")
    with pytest.raises((InvalidSignature, ValueError, cbor2.CBORDecodeError)):
        sheet_facts(file["refused"]["bent"], "sheets")


def test_journal_is_a_chain():
    file = read("journal")
    before = "sha256:" + "0" * 64
    for seq, line in enumerate(file["lines"], 1):
        assert (line["object"]["prev"], line["object"]["seq"]) == (before, seq) and raw(line["canonical"]) == canon(line["object"])
        before = hand.sha(raw(line["canonical"]))
        assert line["digest"] == before
    head = file["head"]["object"]
    check(head, JOURNAL_HEAD, "journal.format")
    assert (head["head"], head["size"]) == (before, len(file["lines"]))


def test_device_lists_are_signed_by_an_administrator():
    for which in BOTH:
        case = read("devices")[which]
        assert parse(raw(case["canonical"]))["emulated"] == (which == "practice")
        assert verify_detached(raw(case["canonical"]), raw(case["p7s"]), [root("signer-root")], NOW).signer_id == "AD-000001"
