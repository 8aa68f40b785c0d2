"""Revoked certificates and late signatures: lists come with the sync and are kept for days, the province's rule, the takeover. Never a token."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sync.acts import make_act
from sync.canon import digest
from sync.certificates import certificate_facts
from sync.errors import CertificateTrouble, ProvinceUnreachable
from sync.news import News
from sync.revocation import Revocations
from sync.seal import RECORD_PART
from sync.signing import make_signature
from tests.contract.province.hall import HallStation, asked, open_lists
from tests.contract.province.test_signers import BothFamilies, keep
from tests.emulators.province_run import ProvinceRun

pytestmark = pytest.mark.timeout(180)
DAY = timedelta(days=1)
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def people(tmp_path: Path) -> BothFamilies:
    return BothFamilies(tmp_path / "people")


@pytest.fixture
def running(tmp_path: Path, people: BothFamilies) -> Iterator[ProvinceRun]:
    with people.province(tmp_path / "province") as province:
        open_lists(province)
        for id, roles in (("OP-000021", ["collector"]), ("SV-000001", ["supervisor"]), ("SV-000002", ["supervisor"])):
            province.desk("POST", "/people", id=id, name="练习", roles=roles, hall=hall_code())
        yield province


def hall_code() -> str:
    from tests.contract.province.hall import HALL

    return HALL


def publish(province: ProvinceRun, content: bytes, authorities: tuple[bytes, ...], kind: str = "crl") -> None:
    """What an authority of the province publishes reaches the province's desk."""
    province.desk("POST", "/revocations", kind=kind, content=b64(content), authorities=[b64(one) for one in authorities])


def b64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def lists_of(hall: HallStation) -> Revocations:
    """This station keeps lists from now on."""
    kept = Revocations(hall.folder / "revocation")
    hall.news = News(hall.store, hall.outbox, hall.journal, lists=kept)
    return kept


def fetch(hall: HallStation) -> None:
    hall.news.hurry()
    hall.news.ask(hall.province, hall.moment(), hall.later)


def serial(person: Any) -> int:
    return int(certificate_facts(person.certificate).serial, 16)


def test_lists_of_both_families_come_with_the_sync_and_only_once(hall: HallStation, people: BothFamilies, running: ProvinceRun) -> None:
    kept = lists_of(hall)
    fetch(hall)
    assert kept.rows() == () and hall.news.trouble_code == "", "a province without lists is no trouble"
    publish(running, people.ca.revocation_list({}, NOW, NOW + DAY), people.ca.chain)
    publish(running, people.national.revocation_list({}, NOW, NOW + DAY), people.national.chain)
    publish(running, people.national.answer(people.sm2_collector.certificate, NOW, NOW + DAY), people.national.chain, "ocsp")
    fetch(hall)
    assert sorted(one.kind for one in kept.rows()) == ["crl", "crl", "ocsp"]
    fetched = asked(running, "GET", "/v1/revocations/")
    fetch(hall)
    assert asked(running, "GET", "/v1/revocations/") == fetched == 3, "what is kept is not fetched again"
    roots = hall.province.station.signer_roots
    for person, chain in ((people.collector, people.ca.chain), (people.sm2_collector, people.national.chain)):
        standing = kept.standing(person.certificate, chain, roots, NOW + timedelta(minutes=1))
        assert (standing.state, standing.as_of) == ("good", NOW)


def test_days_without_a_line_are_an_age_and_a_revocation_is_heard_with_the_next_sync(hall: HallStation, people: BothFamilies, running: ProvinceRun) -> None:
    kept, chain = lists_of(hall), people.national.chain
    publish(running, people.national.revocation_list({}, NOW, NOW + DAY), chain)
    fetch(hall)
    running.stop()
    with pytest.raises(ProvinceUnreachable):
        fetch(hall)
    roots, later = hall.province.station.signer_roots, NOW + 3 * DAY
    standing = kept.standing(people.sm2_collector.certificate, chain, roots, later)
    assert standing.state == "stale" and standing.age(later) == 3 * DAY
    running.start()
    publish(running, people.national.revocation_list({serial(people.sm2_collector): NOW}, NOW + timedelta(seconds=1), NOW + DAY, 2), chain)
    fetch(hall)
    with pytest.raises(CertificateTrouble) as caught:
        kept.standing(people.sm2_collector.certificate, chain, roots, later)
    assert caught.value.facts["why"] == "revoked"


@pytest.mark.expects_log("was not taken")
def test_a_list_of_a_strangers_making_is_not_taken(hall: HallStation, people: BothFamilies, running: ProvinceRun, tmp_path: Path) -> None:
    stranger = BothFamilies(tmp_path / "stranger")
    kept = lists_of(hall)
    publish(running, stranger.ca.revocation_list({serial(people.collector): NOW}, NOW, NOW + DAY), stranger.ca.chain)
    publish(running, people.national.revocation_list({}, NOW, NOW + DAY), people.national.chain)
    fetch(hall)
    assert len(kept.rows()) == 1, "the stranger's list keeps the good one from nothing"


@pytest.mark.expects_log("set aside: signature.late")
@pytest.mark.parametrize("case", ["after the end", "revoked since"])
def test_what_comes_too_late_is_taken_over_by_a_supervisor(hall: HallStation, people: BothFamilies, running: ProvinceRun, case: str) -> None:
    collector = people.collector
    if case == "after the end":
        ended = people.national.person("OP-000021", "国密员", not_before=NOW - 30 * DAY, not_after=NOW - 2 * DAY)
        record_id = keep_at(hall, people, ended, NOW - 3 * DAY)
        running.desk("POST", "/late", after_end_days=1, trust_claimed_time=False)
    else:
        record_id = keep(hall, collector, collector)
        publish(running, people.ca.revocation_list({serial(collector): NOW + timedelta(seconds=1)}, NOW, NOW + DAY), people.ca.chain)
    hall.drive(record_id, "set_aside")
    assert hall.row(record_id).reason == "signature.late"
    fetch(hall)
    assert hall.province.station.late.after_end == (DAY if case == "after the end" else None)
    take_over(hall, people, record_id)
    hall.drive(record_id, "receipted")


def test_the_rule_may_take_it_all_the_same(hall: HallStation, people: BothFamilies, running: ProvinceRun) -> None:
    running.desk("POST", "/late", after_end_days=30, trust_claimed_time=True)
    ended = people.national.person("OP-000021", "国密员", not_before=NOW - 30 * DAY, not_after=NOW - 2 * DAY)
    hall.drive(keep_at(hall, people, ended, NOW - 3 * DAY), "receipted")
    revoked = keep(hall, people.collector, people.collector)
    publish(running, people.ca.revocation_list({serial(people.collector): NOW + timedelta(seconds=1)}, NOW, NOW + DAY), people.ca.chain)
    hall.drive(revoked, "receipted")


@pytest.mark.expects_log("set aside: province.refused")
def test_signed_after_the_revocation_was_never_right(hall: HallStation, people: BothFamilies, running: ProvinceRun) -> None:
    running.desk("POST", "/late", after_end_days=None, trust_claimed_time=True)
    publish(running, people.ca.revocation_list({serial(people.collector): NOW - DAY}, NOW - DAY, NOW + DAY), people.ca.chain)
    record_id = keep(hall, people.collector, people.collector)
    hall.drive(record_id, "set_aside")
    assert hall.row(record_id).reason == "province.refused"


def keep_at(hall: HallStation, people: BothFamilies, collector: Any, moment: datetime) -> str:
    """A record that was signed at ``moment``, while its station stood where it stands."""
    from tests.contract.province import test_signers

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(test_signers, "NOW", moment)
        return keep(hall, collector, collector)


def take_over(hall: HallStation, people: BothFamilies, record_id: str) -> None:
    row = hall.row(record_id)
    (exact,) = [one.content for one in hall.outbox.open_packet(record_id) if one.name == RECORD_PART]
    assert digest(exact) == row.record_digest
    supervisor, moment = people.ec_supervisor, datetime.now(UTC)
    act = make_act("takeover", exact, None, "采集员证书已到期", supervisor, moment)
    hall.outbox.sign_again(record_id, row.signature, make_signature(exact, supervisor, moment), (act,), who="op:SV-000001", what="record.taken_over")
