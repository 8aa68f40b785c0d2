"""Kept lists and answers on revocation with their age, EC and SM2; the rule on records that come late. Never a network."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import crl
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp as x509_ocsp

from sync import revocation
from sync.certificates import certificate_facts
from sync.errors import CertificateTrouble, FormatTrouble, SignatureInvalid
from sync.lateness import LateRule, judge_time
from sync.revocation import Revocations, known_authorities
from sync.signing import check_signature, make_signature
from tests.emulators.ca import PracticeCa
from tests.emulators.sm2_ca import PracticeSm2Ca
from tests.unit.sync.signers import person

NOW = datetime.now(UTC).replace(microsecond=0)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
RECORD = b'{"claimed_at":"' + f"{NOW:%Y-%m-%dT%H:%M:%SZ}".encode() + b'"}'


class Authority:
    """An issuing CA with one person, its lists and answers: the same words for both families."""

    def __init__(self, ca: Any, signer: Any, roots: tuple[bytes, ...], chain: tuple[bytes, ...], make_list: Callable[..., bytes]) -> None:
        self.ca, self.signer, self.roots, self.chain, self.list_of = ca, signer, roots, chain, make_list
        self.number = int(certificate_facts(signer.certificate).serial, 16)

    @property
    def all(self) -> tuple[bytes, ...]:
        return (*self.roots, *self.chain)


@pytest.fixture(scope="module", params=["ec", "sm2"])
def authority(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Authority:
    folder: Path = tmp_path_factory.mktemp(f"revocation-{request.param}")
    if request.param == "sm2":
        national = PracticeSm2Ca(folder)
        return Authority(national, national.person(), national.signer_roots, national.chain, national.revocation_list)
    ca = PracticeCa.make(folder)
    return Authority(ca, person(ca), ca.signer_roots, ca.chain, ca.revocation_list)


def test_a_fresh_list_says_good_and_how_old_it_is(authority: Authority, tmp_path: Path) -> None:
    kept = Revocations(tmp_path / "revocation")
    assert kept.rows() == () and kept.standing(authority.signer.certificate, authority.chain, authority.roots, NOW).state == "unknown"
    row = kept.take(authority.list_of({}, NOW - HOUR, NOW + DAY, number=7), authority.all)
    assert (row.kind, row.number, row.this_update, row.age(NOW), row.stale(NOW)) == ("crl", "7", NOW - HOUR, HOUR, False)
    again = Revocations(tmp_path / "revocation")
    standing = again.standing(authority.signer.certificate, authority.chain, authority.roots, NOW)
    assert (standing.state, standing.as_of, standing.age(NOW)) == ("good", NOW - HOUR, HOUR)


def test_offline_days_make_it_stale_not_worthless(authority: Authority, tmp_path: Path) -> None:
    kept = Revocations(tmp_path)
    kept.take(authority.list_of({}, NOW - 5 * DAY, NOW - 4 * DAY), authority.all)
    standing = kept.standing(authority.signer.certificate, authority.chain, authority.roots, NOW)
    assert (standing.state, standing.age(NOW)) == ("stale", 5 * DAY) and kept.rows()[0].stale(NOW)


def test_a_list_is_parsed_once_until_it_is_another(authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A province's list has many thousand entries, and each certificate at the login asks it."""
    kept, parsed, load = Revocations(tmp_path), list[int](), crl.CertificateList.load.__func__

    def counted(cls: type, content: bytes, *args: Any, **more: Any) -> Any:
        parsed.append(len(content))
        return load(cls, content, *args, **more)

    def standing() -> Any:
        return kept.standing(authority.signer.certificate, authority.chain, authority.roots, NOW)

    kept.take(authority.list_of({}, NOW - 2 * HOUR, NOW + DAY, number=1), authority.all)
    monkeypatch.setattr(crl.CertificateList, "load", classmethod(counted))
    assert {standing().as_of for _ in range(5)} == {NOW - 2 * HOUR} and kept.has("sha256:no") is False
    assert len(parsed) == 1
    newer = authority.list_of({authority.number: NOW - HOUR}, NOW - HOUR, NOW + DAY, number=2)
    Revocations(tmp_path).take(newer, authority.all)   # by another program: the file counts, not what is held
    parsed.clear()
    for _ in range(3):
        with pytest.raises(CertificateTrouble, match="Revoked"):
            standing()
    assert len(parsed) == 1 and len(kept._held) == 1
    monkeypatch.setattr(revocation, "READ_BYTES", len(newer) - 1)
    for _ in range(2):
        with pytest.raises(CertificateTrouble, match="Revoked"):
            standing()
    assert len(parsed) == 2 and not kept._held, "what is too large is parsed anew, and never held"


@pytest.mark.parametrize("days", [0, 400])
def test_revoked_is_revoked_at_any_age_of_the_list(authority: Authority, tmp_path: Path, days: int) -> None:
    kept = Revocations(tmp_path)
    made = NOW - days * DAY - HOUR
    kept.take(authority.list_of({authority.number: made - HOUR}, made, made + 2 * HOUR), authority.all)
    with pytest.raises(CertificateTrouble) as caught:
        kept.standing(authority.signer.certificate, authority.chain, authority.roots, NOW)
    assert caught.value.facts["why"] == "revoked"
    p7s = make_signature(RECORD, authority.signer, NOW)
    report = check_signature(RECORD, p7s, authority.roots, NOW, revocation=kept.known())
    assert (report.valid, report.trusted, report.why) == (True, False, "revoked")


def test_a_proof_of_time_before_the_revocation_saves_what_was_signed(authority: Authority, tmp_path: Path) -> None:
    """The receipt fixes the time: revoked later does not undo it. Only a list made after that time knows."""
    kept = Revocations(tmp_path)
    kept.take(authority.list_of({authority.number: NOW - HOUR}, NOW - HOUR / 2, NOW + DAY), authority.all)
    p7s = make_signature(RECORD, authority.signer, NOW)
    assert check_signature(RECORD, p7s, authority.roots, NOW - 2 * HOUR, revocation=kept.known()).trusted
    assert check_signature(RECORD, p7s, authority.roots, NOW, revocation=kept.known()).why == "revoked"


def test_other_peoples_numbers_do_not_matter(authority: Authority, tmp_path: Path) -> None:
    kept = Revocations(tmp_path)
    kept.take(authority.list_of({authority.number + 2: NOW - DAY, 5: NOW - DAY}, NOW - HOUR, NOW + DAY), authority.all)
    assert kept.standing(authority.signer.certificate, authority.chain, authority.roots, NOW).state == "good"


def test_ocsp_answers(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """SM2: signed by the authority itself."""
    ca = PracticeSm2Ca(tmp_path_factory.mktemp("ocsp"))
    signer, kept = ca.person(), Revocations(tmp_path)
    kept.take(ca.answer(signer.certificate, NOW - HOUR, NOW + HOUR), (*ca.signer_roots, *ca.chain))
    standing = kept.standing(signer.certificate, ca.chain, ca.signer_roots, NOW)
    assert (standing.state, standing.as_of) == ("good", NOW - HOUR)
    kept.take(ca.answer(signer.certificate, NOW - HOUR / 2, NOW + HOUR, NOW - HOUR), ca.chain)
    assert len(kept.rows()) == 1, "the newer answer about the same certificate took the older one's place"
    with pytest.raises(CertificateTrouble) as caught:
        kept.standing(signer.certificate, ca.chain, ca.signer_roots, NOW)
    assert caught.value.facts["why"] == "revoked"
    stranger = ca.person("OP-000099", "王五")
    assert kept.standing(stranger.certificate, ca.chain, ca.signer_roots, NOW).state == "unknown"


def test_ocsp_answer_of_cryptographys_own_making_is_read(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    ca = PracticeCa.make(tmp_path_factory.mktemp("ocsp-ec"))
    certificate = x509.load_der_x509_certificate(person(ca).certificate)
    builder = x509_ocsp.OCSPResponseBuilder().add_response(
        certificate, ca.issuing, hashes.SHA256(), x509_ocsp.OCSPCertStatus.GOOD, NOW - HOUR, NOW + HOUR, None, None
    ).responder_id(x509_ocsp.OCSPResponderEncoding.NAME, ca.issuing)  # fmt: skip
    der = builder.sign(ca._issuing_key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    row = Revocations(tmp_path).take(der, ca.chain)
    assert (row.kind, row.number) == ("ocsp", f"{certificate.serial_number:X}")


# -- the door -----------------------------------------------------------------------------------------------------------------------------
def test_what_is_not_taken(authority: Authority, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    kept = Revocations(tmp_path / "kept")
    good = authority.list_of({}, NOW - HOUR, NOW + DAY)
    for rubbish in (b"", b"rubbish", b"\x30\x03\x02\x01\x01", good[:-3], good + b"\0", b"-----BEGIN X509 CRL-----\n!!\n-----END X509 CRL-----",
                    b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", authority.signer.certificate):
        with pytest.raises(FormatTrouble):
            kept.take(rubbish, authority.all)
    stranger = PracticeCa.make(tmp_path_factory.mktemp("stranger"))
    for wrong, authorities in ((good[:-1] + bytes([good[-1] ^ 1]), authority.all), (good, stranger.chain), (good, ()), (good, authority.roots),
                               (stranger.revocation_list({}, NOW, NOW + DAY), authority.all)):
        with pytest.raises(SignatureInvalid) as caught:
            kept.take(wrong, authorities)
        assert caught.value.facts["why"] == "untrusted"
    assert kept.rows() == ()


def test_authorities_are_those_that_lead_to_a_root(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> None:
    stranger = PracticeCa.make(tmp_path_factory.mktemp("other"))
    offered = (*stranger.chain, *stranger.signer_roots, authority.signer.certificate, *authority.chain, b"rubbish", *authority.chain)
    assert known_authorities(authority.roots, offered) == authority.all
    assert known_authorities((), authority.chain) == ()


def test_an_older_list_never_takes_a_newer_ones_place(authority: Authority, tmp_path: Path) -> None:
    kept = Revocations(tmp_path)
    newer = authority.list_of({authority.number: NOW - DAY}, NOW - HOUR, NOW + DAY, number=2)
    kept.take(newer, authority.all)
    with pytest.raises(SignatureInvalid) as caught:
        kept.take(authority.list_of({}, NOW - 3 * HOUR, NOW + DAY, number=1), authority.all)
    assert caught.value.facts["why"] == "older"
    assert [one.content for one in kept.rows()] == [newer]
    kept.take(newer, authority.all)


def test_pem_and_broken_files_in_the_folder(authority: Authority, tmp_path: Path) -> None:
    kept = Revocations(tmp_path)
    der = authority.list_of({}, NOW - HOUR, NOW + DAY)
    pem = b"-----BEGIN X509 CRL-----\n" + base64.encodebytes(der) + b"-----END X509 CRL-----\n"
    assert kept.take(pem, authority.all).content == der
    (tmp_path / "crl-other.der").write_bytes(b"torn")
    assert len(kept.rows()) == 1
    (path,) = [one for one in tmp_path.glob("crl-*.der") if one.name != "crl-other.der"]
    path.write_bytes(der[:-1] + bytes([der[-1] ^ 1]))
    assert kept.standing(authority.signer.certificate, authority.chain, authority.roots, NOW).state == "unknown", "a changed file proves nothing"


# -- time -----------------------------------------------------------------------------------------------------------------------------------
END = NOW
RULE = LateRule(after_end=30 * DAY)


@pytest.mark.parametrize(("signed", "sent", "revoked", "proved", "rule", "verdict"), [
    (-9 * DAY, -DAY, None, None, None, "in-time"),
    (-9 * DAY, 400 * DAY, None, None, None, "late-allowed"),
    (-9 * DAY, 30 * DAY, None, None, RULE, "late-allowed"),
    (-9 * DAY, 31 * DAY, None, None, RULE, "late-refused"),
    (-9 * DAY, 31 * DAY, None, -DAY, RULE, "in-time"),
    (DAY, DAY, None, None, None, "after-end"),
    (-400 * DAY, DAY, None, None, None, "before-start"),
    (-9 * DAY, -DAY, -10 * DAY, None, None, "revoked-before"),
    (-9 * DAY, -DAY, -9 * DAY, None, None, "revoked-before"),
    (-9 * DAY, -DAY, -5 * DAY, None, None, "revoked-since"),
    (-9 * DAY, -DAY, -5 * DAY, -8 * DAY, None, "in-time"),
    (-9 * DAY, -DAY, -5 * DAY, None, LateRule(trust_claimed_time=True), "in-time"),
    (-9 * DAY, -DAY, 5 * DAY, None, None, "in-time"),
    (-9 * DAY, 9 * DAY, 5 * DAY, None, None, "revoked-since"),
])  # fmt: skip
def test_signed_while_valid_and_sent_later(signed, sent, revoked, proved, rule, verdict) -> None:
    moments = [END + one if one is not None else None for one in (signed, sent, revoked, proved)]
    assert judge_time(moments[0], moments[1], END - 365 * DAY, END, moments[2], rule, moments[3]) == verdict


def test_the_list_of_an_issuing_authority_among_the_roots_is_heard(authority: Authority, tmp_path: Path) -> None:
    """An SKF token carries no certificates of authorities, so the province lists the issuing one beside its root."""
    kept = Revocations(tmp_path / "kept")
    kept.take(authority.list_of({}, NOW - HOUR, NOW + DAY), authority.all)
    assert kept.standing(authority.signer.certificate, (), authority.all, NOW).state == "good"
    kept.take(authority.list_of({authority.number: NOW - HOUR}, NOW, NOW + DAY, 2), authority.all)
    with pytest.raises(CertificateTrouble) as caught:
        kept.standing(authority.signer.certificate, (), authority.all, NOW)
    assert caught.value.facts["why"] == "revoked"
    assert kept.standing(authority.signer.certificate, (), authority.chain, NOW).state == "unknown", "alone it is a root, and the library hears no list of it"
