"""Stations and readers that are revoked, replaced, lent, cloned or whose certificate ends: refused in a clear sentence, and no sealed record is lost by it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from desktop.messages import say_code
from sync.carry_in import import_queue
from sync.carry_out import export_queue
from sync.changes import recent
from sync.draft import time_text
from sync.errors import EnrolledElsewhere, ProvinceUnreachable
from sync.renewal import RENEW_BEFORE, is_due, renew
from sync.station import load, read_rows
from sync.store import Store
from tests.contract.province.hall import HALL, SAM, WINDOW, HallStation, People, asked, came_in
from tests.emulators.province_run import ProvinceRun

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def second(tmp_path: Path, people: People, province: ProvinceRun) -> Iterator[HallStation]:
    made = HallStation(tmp_path / "second", people, province)
    yield made
    made.close()


def refused_with(hall: HallStation, record_id: str, code: str) -> None:
    """The record waits as it was, the station says why, and there are words for it."""
    for _ in range(20):
        hall.courier.step()
        hall.pass_time(600)
        if hall.row(record_id).last_error == code:
            break
    row, status = hall.row(record_id), hall.courier.status()
    assert row.state in ("kept", "uploading", "uploaded") and row.last_error == code, (row.state, row.last_error, row.last_detail)
    assert not status.online and status.last_error_code == code and hall.blobs.path(row.packet_blob).exists()
    for lang in ("zh_CN", "en"):
        message = say_code(code, lang)
        assert message is not None and message.who == "administrator" and message.next


# -- revoked and made good again --------------------------------------------------------------------------------------------------------
def test_a_revoked_station_goes_on_when_the_administrator_makes_it_good_again(hall: HallStation, province: ProvinceRun) -> None:
    before = hall.station
    record_id = hall.keep()
    hall.drive(record_id, "uploading")
    province.desk("POST", "/stations/revoke", station_id=before.station_id)
    refused_with(hall, record_id, "province.station_revoked")
    hall.enrol_again(before.station_id)
    assert hall.station.station_id == before.station_id and hall.station.certificate_digest != before.certificate_digest
    hall.drive(record_id, "receipted")
    assert came_in(province, record_id) == 1
    hall.moment = lambda: datetime.now(UTC)
    hall.reopen(replace(hall.station, identity=before.identity))
    assert not hall.courier.refresh() and hall.courier.status().last_error_code == "province.station_unknown", "the old certificate ended"


def test_the_records_of_a_revoked_station_are_carried_by_another(hall: HallStation, second: HallStation, province: ProvinceRun, tmp_path: Path) -> None:
    sent = hall.keep()
    hall.drive(sent, "receipted")
    waiting = hall.keep()
    hall.drive(waiting, "uploading")
    province.desk("POST", "/stations/revoke", station_id=hall.station.station_id)
    refused_with(hall, waiting, "province.station_revoked")
    exported = export_queue(hall.store, hall.blobs, hall.station, tmp_path / "medium")
    import_queue(second.store, second.blobs, second.station, tmp_path / "medium", exported.code, owner="op:OP-000017")
    second.drive(waiting, "receipted")
    assert came_in(province, waiting) == 1 and came_in(province, sent) == 1


def test_a_replaced_station_hands_its_queue_on(hall: HallStation, second: HallStation, province: ProvinceRun, tmp_path: Path) -> None:
    record_id = hall.keep()
    province.desk("POST", "/stations/replace", station_id=hall.station.station_id, by=second.station.station_id)
    refused_with(hall, record_id, "province.station_replaced")
    exported = export_queue(hall.store, hall.blobs, hall.station, tmp_path / "medium")
    import_queue(second.store, second.blobs, second.station, tmp_path / "medium", exported.code, owner="op:OP-000017")
    second.drive(record_id, "receipted")
    assert came_in(province, record_id) == 1


def test_a_station_that_is_not_enrolled_there_is_unknown(hall: HallStation, people: People, tmp_path: Path, province: ProvinceRun) -> None:
    record_id, own = hall.keep(), hall.station
    with people.province(tmp_path / "elsewhere") as other:
        hall.reopen(replace(own, invitation=replace(own.invitation, url=other.url)))
        refused_with(hall, record_id, "province.station_unknown")
    hall.reopen(own)
    hall.drive(record_id, "receipted")


def test_a_code_for_another_station_is_never_taken(hall: HallStation, second: HallStation) -> None:
    before = read_rows(hall.store)
    with pytest.raises(EnrolledElsewhere):
        hall.enrol_again(second.station.station_id)
    assert read_rows(hall.store) == before and load(hall.store).station_id == hall.station.station_id


# -- cloned and put back ----------------------------------------------------------------------------------------------------------------
@pytest.mark.expects_log("journal head refused")
def test_a_cloned_store_sends_nothing_twice_and_is_found_out(hall: HallStation, people: People, province: ProvinceRun, tmp_path: Path) -> None:
    old = [hall.keep(), hall.keep()]
    hall.drive(old[0], "uploaded")
    hall.close()
    shutil.copytree(hall.folder, tmp_path / "clone")
    hall.store = Store.open(hall.folder, hall._key)
    hall._build()
    clone = HallStation.over(tmp_path / "clone", hall)
    for record_id in old:  # both machines send what both have: it is there once
        hall.drive(record_id, "receipted")
        clone.drive(record_id, "receipted")
        assert came_in(province, record_id) == 1
    new = [hall.keep(), clone.keep()]  # both go on working: their journals part
    for one in (hall, clone):
        one.courier.hurry()
        one.courier.refresh()
    refused_with(hall, new[0], "province.station_cloned")
    refused_with(clone, new[1], "province.station_cloned")
    province.desk("POST", "/stations/release", station_id=hall.station.station_id)  # people looked and stopped the clone
    hall.courier.hurry()
    hall.courier.refresh()
    hall.drive(new[0], "receipted")
    assert came_in(province, new[0]) == 1 and came_in(province, new[1]) == 0
    refused_again = clone.keep()
    for one in (clone, hall, clone):  # nobody stopped it after all: the next head that does not fit shows it again
        one.keep()
        one.courier.hurry()
        one.courier.refresh()
    refused_with(clone, refused_again, "province.station_cloned")
    exported = export_queue(clone.store, clone.blobs, clone.station, tmp_path / "medium")  # what only the clone had is not lost either
    province.desk("POST", "/stations/release", station_id=hall.station.station_id)
    import_queue(hall.store, hall.blobs, hall.station, tmp_path / "medium", exported.code, owner="op:OP-000017")
    hall.courier.hurry()
    for record_id in (new[1], refused_again):
        hall.drive(record_id, "receipted")
        assert came_in(province, record_id) == 1
    clone.close()


@pytest.mark.expects_log("journal head refused")
def test_an_old_backup_that_is_put_back_sends_nothing_twice(hall: HallStation, province: ProvinceRun, tmp_path: Path) -> None:
    records = [hall.keep() for _ in range(3)]
    hall.drive(records[0], "uploading")
    hall.close()
    shutil.copytree(hall.folder, tmp_path / "backup")
    hall.store = Store.open(hall.folder, hall._key)
    hall._build()
    for record_id in records:
        hall.drive(record_id, "receipted")
    hall.courier.refresh()
    back = HallStation.over(tmp_path / "backup", hall)
    back.courier.refresh()
    assert back.courier.status().last_error_code in ("province.refused", "province.station_cloned")
    late = back.keep()
    refused_with(back, late, "province.station_cloned")
    province.desk("POST", "/stations/release", station_id=hall.station.station_id)
    back.courier.hurry()
    back.courier.refresh()
    before = asked(province, "PATCH")
    for record_id in (*records, late):
        back.drive(record_id, "receipted")
        assert came_in(province, record_id) == 1
    assert asked(province, "PATCH") - before <= 2, "what the province has is asked for, not sent again"
    back.close()


# -- the certificate ----------------------------------------------------------------------------------------------------------------------
def test_a_certificate_that_ends_soon_is_renewed_and_all_goes_on(hall: HallStation, province: ProvinceRun) -> None:
    before = hall.station
    record_id = hall.keep()
    assert not is_due(before, datetime.now(UTC))
    soon = (before.certificate_until - RENEW_BEFORE - datetime.now(UTC)).total_seconds() + 3600
    province.desk("POST", "/clock", offset=soon)
    hall.courier.refresh()
    after = hall.courier.station
    assert after.certificate_digest != before.certificate_digest and after.certificate_until > before.certificate_until + timedelta(days=300)
    assert load(hall.store).certificate_digest == after.certificate_digest and after.station_id == before.station_id
    province.desk("POST", "/clock", offset=(before.certificate_until - datetime.now(UTC)).total_seconds() + 86_400)  # the old one is over now
    hall.station = after
    hall.reopen()
    hall.drive(record_id, "receipted")
    assert came_in(province, record_id) == 1


def test_a_lost_answer_to_a_renewal_costs_no_certificate(hall: HallStation, province: ProvinceRun) -> None:
    province.order("cut-answer", method="POST", path="/v1/certificates")
    with pytest.raises(ProvinceUnreachable):
        renew(hall.province, hall.store, hall.station, datetime.now(UTC))
    assert load(hall.store).certificate_digest == hall.station.certificate_digest and hall.store.station_value("pending.renewal.key")
    renewed = renew(hall.province, hall.store, hall.station, datetime.now(UTC))
    assert load(hall.store).certificate_digest == renewed.certificate_digest != hall.station.certificate_digest
    assert hall.store.station_value("pending.renewal.key") is None
    hall.province.adopt(renewed)
    assert hall.province.time().seconds < 60


@pytest.mark.expects_log("renewal refused")
def test_a_renewal_that_is_refused_is_asked_for_anew_and_not_with_the_same_request(hall: HallStation, province: ProvinceRun) -> None:
    """Else a request that a province does not take would be sent until the certificate ends, and the station with it."""
    hall.moment = lambda: datetime.now(UTC)
    soon = (hall.station.certificate_until - RENEW_BEFORE - datetime.now(UTC)).total_seconds() + 3600
    province.desk("POST", "/clock", offset=soon)
    province.order("status", method="POST", path="/v1/certificates", status=422, code="renewal.format")
    hall.courier.refresh()
    assert hall.courier.status().last_error_code == "province.refused" and hall.courier.status().online
    assert load(hall.store).certificate_digest == hall.station.certificate_digest and hall.store.station_value("pending.renewal.key") is None
    hall.courier.hurry()
    hall.courier.refresh()
    assert load(hall.store).certificate_digest == hall.courier.station.certificate_digest != hall.station.certificate_digest
    assert [one.change.kind for one in recent(hall.journal)].count("certificate.other") == 1
    province.desk("POST", "/clock", offset=0)


def test_a_renewal_that_was_killed_before_its_row_gets_the_same_certificate_after_the_start(hall: HallStation, province: ProvinceRun,
                                                                                            monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("sync.renewal.put_rows", killed)
    with pytest.raises(KeyboardInterrupt):
        renew(hall.province, hall.store, hall.station, datetime.now(UTC))
    monkeypatch.undo()
    hall.reopen()
    key = hall.store.station_value("pending.renewal.key")
    renewed = renew(hall.province, hall.store, load(hall.store), datetime.now(UTC))
    assert key and hall.store.station_value("device.key") == key, "the one that the province certified before"
    assert load(hall.store).certificate_digest == renewed.certificate_digest != hall.station.certificate_digest
    hall.province.adopt(renewed)
    assert abs(hall.province.time().seconds) < 60


def test_a_certificate_that_is_over_is_said_and_made_good_by_the_administrator(hall: HallStation, province: ProvinceRun) -> None:
    record_id = hall.keep()
    province.desk("POST", "/clock", offset=(hall.station.certificate_until - datetime.now(UTC)).total_seconds() + 86_400)
    hall.moment = lambda: hall.station.certificate_until + timedelta(days=1)
    refused_with(hall, record_id, "province.station_expired")
    province.desk("POST", "/clock", offset=0)
    hall.moment = lambda: datetime.now(UTC)
    hall.enrol_again(hall.station.station_id)
    hall.drive(record_id, "receipted")


# -- lent ---------------------------------------------------------------------------------------------------------------------------------
@pytest.mark.expects_log("set aside: province.refused")
def test_a_lent_station_works_there_and_its_earlier_records_stay_good(hall: HallStation, province: ProvinceRun) -> None:
    home = hall.keep()
    province.desk("POST", "/halls", code="510200-02", name="借入大厅")
    province.desk("POST", "/people", id="OP-000017", name="练习员", roles=["collector"], hall="510200-02")
    until = datetime.now(UTC) + timedelta(hours=5)
    province.desk("POST", "/stations/lend", station_id=hall.station.station_id, hall="510200-02", window="03", until=time_text(until))
    hall.courier.refresh()
    assert (hall.courier.station.hall, hall.courier.station.window) == ("510200-02", "03")
    there = hall.keep()
    for record_id in (home, there):
        hall.drive(record_id, "receipted")
    listed = {one["id"]: one["state"] for one in province.look()["stations"]}
    assert listed[hall.station.station_id] == "lent"
    province.desk("POST", "/stations/lend", station_id=hall.station.station_id, hall=HALL, window=WINDOW, until=time_text(until))  # it came home early
    wrong = hall.keep()  # the settings were not asked for yet: the record says the other hall still; within the slack that is let pass
    hall.drive(wrong, "receipted")
    hall.courier.hurry()
    hall.courier.refresh()
    assert hall.courier.station.hall == HALL
    nowhere = hall.keep()
    province.desk("POST", "/stations/lend", station_id=hall.station.station_id, hall="510300-03", window="01", until=time_text(until))
    with hall.store.read() as rows:
        assert rows.execute("SELECT count(*) FROM outbox WHERE state = 'receipted'").fetchone()[0] == 3
    hall.drive(nowhere, "receipted")


# -- readers ------------------------------------------------------------------------------------------------------------------------------
@pytest.mark.expects_log("set aside: province.reader")
@pytest.mark.parametrize(("state", "more"), [("revoked", {}), ("replaced", {"other": "05.01-new"}), ("lent", {"other": "510200-02"})])
def test_a_reader_that_does_not_belong_here_is_refused_with_a_sentence(hall: HallStation, province: ProvinceRun, state: str, more: dict[str, str]) -> None:
    sam = f"05.01-20260101-0000000009-{state}"
    province.desk("POST", "/sams", sam=sam, hall=HALL)
    good = hall.keep(sam=sam)
    hall.drive(good, "receipted")
    province.desk("POST", "/clock", offset=-7200)  # it changed hands two hours ago, past the slack
    province.desk("POST", "/sams/state", sam=sam, state=state, until="2099-01-01T00:00:00Z", **more)
    province.desk("POST", "/clock", offset=0)
    bad = hall.keep(sam=sam)
    hall.drive(bad, "set_aside")
    assert hall.row(bad).reason == "province.reader" and f"sam.{state}" in hall.row(bad).last_detail
    assert say_code("province.reader") is not None
    hall.courier.refresh()
    assert sam not in hall.courier.station.sams and SAM in hall.courier.station.sams


def test_a_record_that_was_read_before_the_reader_was_replaced_stays_good(hall: HallStation, province: ProvinceRun) -> None:
    sam = "05.01-20260101-0000000010-before"
    province.desk("POST", "/sams", sam=sam, hall=HALL)
    record_id = hall.keep(sam=sam)
    province.desk("POST", "/clock", offset=3 * 86_400)  # three days offline
    province.desk("POST", "/sams/state", sam=sam, state="replaced", other="05.01-new")
    province.desk("POST", "/clock", offset=0)
    hall.drive(record_id, "receipted")
