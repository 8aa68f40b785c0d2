"""Tests of ``sync.signing``, ``sync.cms`` and ``sync.trust``: what we sign, openssl accepts; what is not right is named. Never touches a token."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from asn1crypto import cms
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from sync.errors import CertificateTrouble, FormatTrouble, SignatureInvalid
from sync.signing import KeySigner, certificate_facts, check_signature, make_signature
from sync.trust import validate_path
from tests.emulators.ca import PracticeCa, der, name
from tests.province.cms import verify_detached
from tests.unit.sync.signers import Person, person

NOW = datetime.now(UTC).replace(microsecond=0)
RECORD = '{"name_zh":"王小明","type":"hall-intake/practice-record/1"}\n'.encode()


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> PracticeCa:
    return PracticeCa.make(tmp_path_factory.mktemp("ca"))


def openssl(folder: Path, ca: PracticeCa, content: bytes, p7s: bytes) -> subprocess.CompletedProcess[bytes]:
    (folder / "record.json").write_bytes(content)
    (folder / "record.p7s").write_bytes(p7s)
    command = ["openssl", "cms", "-verify", "-binary", "-cades", "-inform", "DER", "-in", "record.p7s", "-content", "record.json", "-out", "seen.json"]
    command += ["-CAfile", str(ca.folder / "root.pem")]
    return subprocess.run(command, cwd=folder, capture_output=True, check=False)


@pytest.mark.parametrize("kind", ["ec", "rsa-2048", "rsa-3072"])
def test_openssl_accepts_what_we_sign(ca: PracticeCa, tmp_path: Path, kind: str) -> None:
    p7s = make_signature(RECORD, person(ca, kind), NOW)
    answer = openssl(tmp_path, ca, RECORD, p7s)
    assert answer.returncode == 0, answer.stderr.decode()
    assert (tmp_path / "seen.json").read_bytes() == RECORD
    tampered = openssl(tmp_path, ca, RECORD.replace("王".encode(), "李".encode()), p7s)
    assert tampered.returncode != 0


def test_openssl_reads_the_attributes(ca: PracticeCa, tmp_path: Path) -> None:
    (tmp_path / "record.p7s").write_bytes(make_signature(RECORD, person(ca), NOW))
    command = ["openssl", "cms", "-cmsout", "-print", "-inform", "DER", "-in", "record.p7s"]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True).stdout.decode()
    for word in ("contentType", "messageDigest", "signingTime", "id-smime-aa-signingCertificateV2", NOW.strftime("%b")):
        assert word in said
    assert said.count("d.certificate:") == 2, "the signer and the issuing CA, without the root"


@pytest.mark.parametrize("kind", ["ec", "rsa-2048"])
def test_the_reference_province_accepts_what_we_sign(ca: PracticeCa, kind: str) -> None:
    """Its verifier was written from the formats alone and shares no line with ours."""
    roots = [x509.load_der_x509_certificate(root) for root in ca.signer_roots]
    signed = verify_detached(RECORD, make_signature(RECORD, person(ca, kind), NOW), roots, NOW)
    assert (signed.signer_id, signed.name, signed.signed_at) == ("OP-000017", "张三", NOW)


def test_report_says_who_and_when(ca: PracticeCa) -> None:
    signer = person(ca, "rsa-2048")
    report = check_signature(RECORD, make_signature(RECORD, signer, NOW), ca.signer_roots, NOW)
    assert (report.signer_id, report.signer_name, report.signed_at) == ("OP-000017", "张三", NOW)
    assert (report.valid, report.trusted, report.why) == (True, True, "")
    assert report.certificate_digest == certificate_facts(signer.certificate).digest
    assert report.certificate == signer.certificate


def test_we_accept_what_openssl_signs(ca: PracticeCa, tmp_path: Path) -> None:
    signer = person(ca)
    (tmp_path / "key.pem").write_bytes(
        signer.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    (tmp_path / "cert.pem").write_bytes(x509.load_der_x509_certificate(signer.certificate).public_bytes(serialization.Encoding.PEM))
    (tmp_path / "record.json").write_bytes(RECORD)
    command = ["openssl", "cms", "-sign", "-binary", "-cades", "-md", "sha256", "-signer", "cert.pem", "-inkey", "key.pem", "-in", "record.json"]
    command += ["-certfile", str(ca.folder / "issuing.pem"), "-outform", "DER", "-out", "record.p7s"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    report = check_signature(RECORD, (tmp_path / "record.p7s").read_bytes(), ca.signer_roots, NOW)
    assert (report.trusted, report.why, report.signer_id) == (True, "", "OP-000017")


# -- what is not right ----------------------------------------------------------------------------------------------------------------
def test_tampered_content(ca: PracticeCa) -> None:
    report = check_signature(RECORD + b" ", make_signature(RECORD, person(ca), NOW), ca.signer_roots, NOW)
    assert (report.valid, report.trusted, report.why) == (False, False, "content")


def test_every_flipped_byte_is_noticed_or_harmless(ca: PracticeCa) -> None:
    """A flipped byte may hit what nobody signs (an identifier's twin form), but then the report still speaks of the right signer."""
    signer = person(ca)
    p7s = make_signature(RECORD, signer, NOW)
    digest = certificate_facts(signer.certificate).digest
    for at in range(0, len(p7s), 7):
        broken = p7s[:at] + bytes([p7s[at] ^ 0x01]) + p7s[at + 1 :]
        report = check_signature(RECORD, broken, ca.signer_roots, NOW)
        assert not report.trusted or report.certificate_digest == digest
        assert report.trusted or report.why


def test_signature_of_another_key_under_my_certificate(ca: PracticeCa) -> None:
    right, other = person(ca), person(ca, id="OP-000099", name="假冒")
    with pytest.raises(SignatureInvalid) as caught:
        make_signature(RECORD, Person(other.key, right.certificate, ca.chain), NOW)
    assert caught.value.facts["why"] == "signature"


def test_swapped_certificate_is_noticed(ca: PracticeCa) -> None:
    """The same key in another person's certificate: signing-certificate-v2 tells which one was meant."""
    signer = person(ca)
    other = der(ca.issue_person("OP-000099", "假冒", signer.key.public_key()))
    info = cms.ContentInfo.load(make_signature(RECORD, signer, NOW))
    signed = info["content"]
    foreign = asn1_x509.Certificate.load(other)
    signed["certificates"] = [foreign]
    signed["signer_infos"][0]["sid"] = cms.SignerIdentifier(
        {"issuer_and_serial_number": {"issuer": foreign.issuer, "serial_number": foreign.serial_number}}
    )
    forged = cms.ContentInfo({"content_type": "signed_data", "content": signed}).dump(force=True)
    report = check_signature(RECORD, forged, ca.signer_roots, NOW)
    assert (report.valid, report.why) == (False, "signing-certificate")


@pytest.mark.parametrize("rubbish", [b"", b"\x30", b"{}", b"\x30\x80\x06", bytes(100), b"\x30\x82\xff\xff" + bytes(50)])
def test_rubbish_is_named(ca: PracticeCa, rubbish: bytes) -> None:
    assert check_signature(RECORD, rubbish, ca.signer_roots, NOW).why == "format"
    with pytest.raises(FormatTrouble):
        certificate_facts(rubbish)


def test_trailing_bytes_are_refused(ca: PracticeCa) -> None:
    assert check_signature(RECORD, make_signature(RECORD, person(ca), NOW) + b"\0", ca.signer_roots, NOW).why == "format"


def test_attached_content_is_refused(ca: PracticeCa) -> None:
    info = cms.ContentInfo.load(make_signature(RECORD, person(ca), NOW))
    info["content"]["encap_content_info"] = {"content_type": "data", "content": RECORD}
    report = check_signature(RECORD, info.dump(force=True), ca.signer_roots, NOW)
    assert (report.valid, report.why) == (False, "attached")


# -- certificates and paths -----------------------------------------------------------------------------------------------------------
def test_expired_certificate_does_not_sign(ca: PracticeCa) -> None:
    expired = person(ca, start=NOW - timedelta(days=400), end=NOW - timedelta(days=1))
    with pytest.raises(CertificateTrouble) as caught:
        make_signature(RECORD, expired, NOW)
    assert caught.value.facts["why"] == "expired"
    early = person(ca, start=NOW + timedelta(days=1))
    with pytest.raises(CertificateTrouble) as caught:
        make_signature(RECORD, early, NOW)
    assert caught.value.facts["why"] == "not-yet-valid"


def test_old_signature_holds_at_its_moment_only(ca: PracticeCa) -> None:
    expired = person(ca, start=NOW - timedelta(days=400), end=NOW - timedelta(days=1))
    then = NOW - timedelta(days=30)
    p7s = make_signature(RECORD, expired, then)
    assert check_signature(RECORD, p7s, ca.signer_roots, then).trusted
    late = check_signature(RECORD, p7s, ca.signer_roots, NOW)
    assert (late.valid, late.trusted, late.why) == (True, False, "expired")
    early = check_signature(RECORD, p7s, ca.signer_roots, NOW - timedelta(days=500))
    assert (early.trusted, early.why) == (False, "not-yet-valid")


def test_signer_of_another_authority(ca: PracticeCa, tmp_path: Path) -> None:
    stranger = PracticeCa.make(tmp_path / "stranger")
    p7s = make_signature(RECORD, person(stranger), NOW)
    report = check_signature(RECORD, p7s, ca.signer_roots, NOW)
    assert (report.valid, report.trusted, report.why) == (True, False, "untrusted")
    assert check_signature(RECORD, p7s, [*ca.signer_roots, *stranger.signer_roots], NOW).trusted
    none = check_signature(RECORD, p7s, [], NOW)
    assert (none.valid, none.trusted, none.why) == (True, False, "no-roots")


def test_missing_intermediate_and_unneeded_certificates(ca: PracticeCa, tmp_path: Path) -> None:
    signer = person(ca)
    bare = make_signature(RECORD, Person(signer.key, signer.certificate, ()), NOW)
    assert check_signature(RECORD, bare, ca.signer_roots, NOW).why == "untrusted"
    crowd = [*PracticeCa.make(tmp_path / "other").chain, *ca.signer_roots, *ca.tls_roots, *ca.chain]
    lean = make_signature(RECORD, Person(signer.key, signer.certificate, crowd), NOW)
    assert len(cms.ContentInfo.load(lean)["content"]["certificates"]) == 2
    assert check_signature(RECORD, lean, ca.signer_roots, NOW).trusted


def test_server_certificate_signs_no_record(ca: PracticeCa) -> None:
    certificate_path, _ = ca.issue_server()
    server = der(x509.load_pem_x509_certificate(certificate_path.read_bytes()))
    with pytest.raises(CertificateTrouble) as caught:
        validate_path(server, (), ca.signer_roots, NOW)
    assert caught.value.facts["why"] == "untrusted"
    with pytest.raises(CertificateTrouble) as caught:
        validate_path(ca.chain[0], (), ca.signer_roots, NOW)
    assert caught.value.facts["why"] == "authority"


def test_weak_keys_are_refused(ca: PracticeCa) -> None:
    for key in (rsa.generate_private_key(65537, 1024), ec.generate_private_key(ec.SECP384R1())):
        weak = Person(key, der(ca.issue_person("OP-000001", "弱", key.public_key())), ca.chain)
        with pytest.raises(CertificateTrouble) as caught:
            make_signature(RECORD, weak, NOW)
        assert caught.value.facts["why"] == "algorithm"
        with pytest.raises(CertificateTrouble) as caught:
            validate_path(weak.certificate, ca.chain, ca.signer_roots, NOW)
        assert caught.value.facts["why"] == "weak"


def test_certificate_facts(ca: PracticeCa) -> None:
    start, end = NOW - timedelta(days=10), NOW + timedelta(days=20)
    facts = certificate_facts(person(ca, "rsa-2048", start=start, end=end).certificate)
    assert (facts.id, facts.name, facts.organisation, facts.key_kind) == ("OP-000017", "张三", "练习登记大厅", "rsa-2048")
    assert (facts.not_before, facts.not_after, facts.authority) == (start, end, False)
    assert "练习" in facts.issuer and facts.digest.startswith("sha256:") and facts.usages == {"digital_signature", "non_repudiation"}
    assert facts.mechanism == "rsa-pkcs1-sha256"


def test_station_signs_with_its_device_key(ca: PracticeCa) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    station = name("station")
    builder = x509.CertificateBuilder(station, station, key.public_key(), 1, NOW - timedelta(days=1), NOW + timedelta(days=9))
    signer = KeySigner(key, der(builder.sign(key, hashes.SHA256())))
    report = check_signature(RECORD, make_signature(RECORD, signer, NOW), (), NOW)
    assert (report.valid, report.signer_id, report.signer_name) == (True, "", "station")
    assert "private" not in repr(signer)


def test_practice_ca_is_deterministic(ca: PracticeCa) -> None:
    again = PracticeCa.load(ca.folder)
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    assert again.signer_roots == ca.signer_roots
    one, two = (each.issue_person("OP-000001", "甲", key, not_before=NOW, not_after=NOW + timedelta(days=1)) for each in (ca, again))
    assert one.serial_number == two.serial_number
    assert "练习" in ca.root.subject.rfc4514_string()
