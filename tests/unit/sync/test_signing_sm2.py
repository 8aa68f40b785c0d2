"""Signatures with SM2 certificates: three containers and P1, paths to SM2 roots, the claimed time. openssl is witness; the province reads the plain form."""

from __future__ import annotations

import base64
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from asn1crypto import core, parser
from asn1crypto.x509 import Certificate
from cryptography import x509

from sync import sm2
from sync.canon import canon
from sync.cms import open_container
from sync.errors import CertificateExpired, CertificateTrouble, FormatTrouble, SignatureInvalid
from sync.signing import P1, Sm2Choice, certificate_facts, check_p1, check_signature, make_signature, p1_of
from sync.trust import validate_path
from tests.emulators.ca import PracticeCa
from tests.emulators.sm2_ca import PracticeSm2Ca, Sm2Person
from tests.province.cms import verify_detached
from tests.province.jcs import Refused
from tests.unit.sync.signers import person as person_of

NOW = datetime.now(UTC).replace(microsecond=0)
RECORD = canon({"type": "hall-intake/practice-record/1", "name_zh": "王小明", "claimed_at": f"{NOW:%Y-%m-%dT%H:%M:%SZ}"})
PROFILES = ("gm-p7-plain", "gm-p7-attrs", "cms-sm2")


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> PracticeSm2Ca:
    return PracticeSm2Ca(tmp_path_factory.mktemp("sm2-ca"))


@pytest.fixture(scope="module")
def signer(ca: PracticeSm2Ca) -> Sm2Person:
    return ca.person()


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_is_made_and_read(ca: PracticeSm2Ca, signer: Sm2Person, profile) -> None:
    choice = Sm2Choice(profile)
    p7s = make_signature(RECORD, signer, NOW, choice)
    report = check_signature(RECORD, p7s, ca.signer_roots, NOW)
    assert (report.valid, report.trusted, report.why, report.profile, report.ident) == (True, True, "", profile, sm2.DEFAULT_ID)
    assert (report.signer_id, report.signer_name, report.signed_at) == ("OP-000017", "张三", NOW)
    assert report.others == ca.chain and report.certificate == signer.certificate
    tampered = check_signature(RECORD.replace("王".encode(), "李".encode()), p7s, ca.signer_roots, NOW)
    assert (tampered.valid, tampered.why) == (False, "signature" if profile == "gm-p7-plain" else "content")


@pytest.mark.parametrize("profile", PROFILES)
def test_openssl_verifies_the_bytes_with_its_own_z(signer: Sm2Person, tmp_path: Path, profile) -> None:
    opened = open_container(RECORD, make_signature(RECORD, signer, NOW, Sm2Choice(profile)))
    (tmp_path / "signed").write_bytes(opened.signed)
    (tmp_path / "sig").write_bytes(opened.signature)
    assert (opened.signed == RECORD) is (profile == "gm-p7-plain")
    command = ["openssl", "pkeyutl", "-verify", "-inkey", str(signer.key.path), "-rawin", "-digest", "sm3", "-pkeyopt", "distid:1234567812345678"]
    answer = subprocess.run([*command, "-in", "signed", "-sigfile", "sig"], cwd=tmp_path, capture_output=True, check=False)
    assert answer.returncode == 0, answer.stderr
    (tmp_path / "signed").write_bytes(opened.signed + b" ")
    assert subprocess.run([*command, "-in", "signed", "-sigfile", "sig"], cwd=tmp_path, capture_output=True, check=False).returncode != 0


def test_plain_form_is_what_gm_t_0010_readers_expect(signer: Sm2Person) -> None:
    """Fixed order, GM identifiers, NULL parameters, no signed attributes: readers in the field take these members one after another."""
    kind, tagged = members(make_signature(RECORD, signer, NOW))
    assert oid(kind) == "1.2.156.10197.6.1.4.2.2"
    version, digests, data, certificates, infos = members(members(tagged)[0])
    assert version == b"\x02\x01\x01" and len(members(certificates)) == 2 and len(members(infos)) == 1
    assert [oid(one) for one in members(data)] == ["1.2.156.10197.6.1.4.2.1"], "detached: no content"
    sm3_with_null = [bytes.fromhex("06082a811ccf55018311"), b"\x05\x00"]
    assert members(members(digests)[0]) == sm3_with_null
    one, who, hashing, signing, signature = members(members(infos)[0])
    assert one == b"\x02\x01\x01" and len(members(who)) == 2 and members(hashing) == sm3_with_null
    assert oid(members(signing)[0]) == "1.2.156.10197.1.301.1" and members(signing)[1:] == [b"\x05\x00"]
    assert signature[:1] == b"\x04" and len(members(signature[2:])) == 2


def members(der: bytes) -> list[bytes]:
    """The values inside a constructed one."""
    _, _, _, _, inside, _ = parser.parse(der)
    found: list[bytes] = []
    while inside:
        size = sum(len(part) for part in parser.parse(inside)[3:6])
        found.append(inside[:size])
        inside = inside[size:]
    return found


def oid(der: bytes) -> str:
    return core.ObjectIdentifier.load(der).dotted


def test_the_reference_province_accepts_the_plain_form(ca: PracticeSm2Ca, signer: Sm2Person) -> None:
    """Its verifier was written from the formats alone and shares no line with ours."""
    roots = [x509.load_der_x509_certificate(root) for root in ca.signer_roots]
    signed = verify_detached(RECORD, make_signature(RECORD, signer, NOW), roots, NOW)
    assert (signed.signer_id, signed.name, signed.signed_at) == ("OP-000017", "张三", NOW)
    with pytest.raises(Refused, match="signature.invalid"):
        verify_detached(RECORD + b" ", make_signature(RECORD, signer, NOW), roots, NOW)
    with pytest.raises(Refused, match="signature.unsupported"):
        verify_detached(RECORD, make_signature(RECORD, signer, NOW, Sm2Choice("cms-sm2")), roots, NOW)


def test_another_id_is_a_setting_and_is_told(ca: PracticeSm2Ca, signer: Sm2Person) -> None:
    empty_too = Sm2Choice(idents=(b"", sm2.DEFAULT_ID))
    p7s = make_signature(RECORD, signer, NOW, empty_too)
    assert check_signature(RECORD, p7s, ca.signer_roots, NOW).why == "signature", "nobody said that the empty id is used"
    report = check_signature(RECORD, p7s, ca.signer_roots, NOW, Sm2Choice(idents=(sm2.DEFAULT_ID, b"")))
    assert (report.trusted, report.ident) == (True, b"")


def test_p1_is_the_same_signature_without_its_container(ca: PracticeSm2Ca, signer: Sm2Person, tmp_path: Path) -> None:
    p1 = p1_of(RECORD, make_signature(RECORD, signer, NOW))
    assert base64.b64decode(p1.certificate) == signer.certificate
    assert sm2.verify_message(signer.key.spki, RECORD, base64.b64decode(p1.signature))
    report = check_p1(RECORD, p1, ca.signer_roots, ca.chain, NOW)
    assert (report.trusted, report.signer_id) == (True, "OP-000017")
    assert check_p1(RECORD + b" ", p1, ca.signer_roots, ca.chain, NOW).why == "signature"
    assert check_p1(RECORD, P1("!", p1.certificate), ca.signer_roots, ca.chain, NOW).why == "format"
    assert check_p1(RECORD, P1(p1.signature, "AAAA"), ca.signer_roots, ca.chain, NOW).why == "format"
    with pytest.raises(SignatureInvalid):
        p1_of(RECORD, make_signature(RECORD, signer, NOW, Sm2Choice("gm-p7-attrs")))


def test_a_signature_that_does_not_fit_is_not_given_out(ca: PracticeSm2Ca, signer: Sm2Person) -> None:
    other = ca.person("OP-000099", "假冒")
    with pytest.raises(SignatureInvalid):
        make_signature(RECORD, Sm2Person(other.key, signer.certificate, ca.chain), NOW)


def test_every_flipped_byte_is_noticed_or_harmless(ca: PracticeSm2Ca, signer: Sm2Person) -> None:
    p7s = make_signature(RECORD, signer, NOW)
    for at in range(0, len(p7s), 11):
        broken = p7s[:at] + bytes([p7s[at] ^ 0x01]) + p7s[at + 1 :]
        report = check_signature(RECORD, broken, ca.signer_roots, NOW)
        assert not report.trusted or report.certificate == signer.certificate
        assert report.trusted or report.why


def test_bytes_signed_as_attributes_never_pass_as_a_content(ca: PracticeSm2Ca, signer: Sm2Person) -> None:
    """The old confusion of CMS: the attributes of one signature shown as the content of another without attributes."""
    opened = open_container(RECORD, make_signature(RECORD, signer, NOW, Sm2Choice("gm-p7-attrs")))
    p1 = P1(base64.b64encode(opened.signature).decode(), base64.b64encode(signer.certificate).decode())
    assert check_p1(opened.signed, p1, ca.signer_roots, ca.chain, NOW).why == "attributes"


# -- certificates and paths -----------------------------------------------------------------------------------------------------------
def test_path_of_three_sm2_certificates(ca: PracticeSm2Ca, signer: Sm2Person, tmp_path: Path) -> None:
    assert validate_path(signer.certificate, ca.chain, ca.signer_roots, NOW) == "unchecked"
    stranger = PracticeSm2Ca(tmp_path / "stranger")
    for roots, others, why in (
        (stranger.signer_roots, ca.chain, "untrusted"), (ca.signer_roots, (), "untrusted"), ((), ca.chain, "no-roots"),
        (ca.signer_roots, stranger.chain, "untrusted"),
    ):  # fmt: skip
        with pytest.raises(CertificateTrouble) as caught:
            validate_path(signer.certificate, others, roots, NOW)
        assert caught.value.facts["why"] == why
    assert validate_path(signer.certificate, (), [ca.issuing], NOW) == "unchecked", "an issuing CA on the list is an anchor by itself"


def test_forged_issuer_signature(ca: PracticeSm2Ca, signer: Sm2Person) -> None:
    """A certificate whose last byte was changed has all the right names and a wrong signature."""
    forged = signer.certificate[:-1] + bytes([signer.certificate[-1] ^ 1])
    with pytest.raises(CertificateTrouble):
        validate_path(forged, ca.chain, ca.signer_roots, NOW)


def test_dates_are_held(ca: PracticeSm2Ca) -> None:
    expired = ca.person("OP-000018", "李四", not_before=NOW - timedelta(days=400), not_after=NOW - timedelta(days=1))
    with pytest.raises(CertificateExpired) as caught:
        make_signature(RECORD, expired, NOW)
    assert caught.value.code == "certificate.expired" and caught.value.facts["until"] == f"{NOW - timedelta(days=1):%Y-%m-%d}"
    then = NOW - timedelta(days=30)
    record = canon({"claimed_at": f"{then:%Y-%m-%dT%H:%M:%SZ}"})
    p7s = make_signature(record, expired, then)
    assert check_signature(record, p7s, ca.signer_roots).trusted, "judged at the content's own claim"
    assert check_signature(record, p7s, ca.signer_roots, NOW).why == "expired"


def test_facts_of_an_sm2_certificate(signer: Sm2Person) -> None:
    facts = certificate_facts(signer.certificate)
    assert (facts.id, facts.name, facts.key_kind, facts.mechanism, facts.authority) == ("OP-000017", "张三", "sm2", "sm2-sm3", False)
    assert facts.usages == {"digital_signature", "non_repudiation"}


def test_one_list_of_roots_serves_both_families(ca: PracticeSm2Ca, signer: Sm2Person, tmp_path: Path) -> None:
    """A province in transition: EC and SM2 people side by side."""
    elliptic = PracticeCa.make(tmp_path / "ec")
    roots = [*elliptic.signer_roots, *ca.signer_roots]
    assert check_signature(RECORD, make_signature(RECORD, signer, NOW), roots, NOW).trusted
    assert check_signature(RECORD, make_signature(RECORD, person_of(elliptic), NOW), roots, NOW).trusted


def test_another_spelling_of_a_certificate_is_refused(signer: Sm2Person) -> None:
    """The count of unused bits before the issuer's signature is covered by no signature."""
    value = Certificate.load(signer.certificate)["signature_value"].contents
    at = signer.certificate.rindex(value)
    with pytest.raises(FormatTrouble):
        certificate_facts(signer.certificate[:at] + b"\x01" + signer.certificate[at + 1 :])
