"""The client's rooms against the reference province over real TLS: to the receipt, and through everything that goes wrong on the way."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sync.courier import CourierStatus
from sync.enrolment import enrol
from sync.errors import EnrolmentRefused, ProvinceRefused, ProvinceUnreachable, SignatureInvalid
from sync.patience import OPENS_AFTER
from sync.province import Province
from sync.signing import make_signature
from sync.station import load
from sync.store import Store
from sync.upload import PART
from tests.contract.hall import HALL, WINDOW, HallStation, People, open_lists
from tests.emulators.https_hall import HttpsHall, SmallCa
from tests.emulators.province_run import ProvinceRun

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> People:
    return People(tmp_path_factory.mktemp("people") / "ca")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, people: People) -> Iterator[ProvinceRun]:
    with people.province(tmp_path_factory.mktemp("province") / "p") as province:
        open_lists(province)
        yield province


@pytest.fixture
def province(running: ProvinceRun) -> Iterator[ProvinceRun]:
    yield running
    running.desk("DELETE", "/faults")
    running.desk("POST", "/clock", offset=0)


@pytest.fixture
def hall(tmp_path: Path, people: People, province: ProvinceRun) -> Iterator[HallStation]:
    made = HallStation(tmp_path / "home", people, province)
    yield made
    made.close()


def asked(province: ProvinceRun, method: str, part: str = "") -> int:
    return sum(1 for one in province.look()["requests"] if one["method"] == method and part in one["path"])


def came_in(province: ProvinceRun, record_id: str) -> int:
    return sum(1 for one in province.look()["records"] if one["record_id"] == record_id)


# -- enrolment ------------------------------------------------------------------------------------------------------------------------
def test_an_enrolled_station_is_whole_after_a_new_start(hall: HallStation) -> None:
    found = load(hall.store)
    assert (found.hall, found.window, found.practice) == (HALL, WINDOW, True)
    assert found.station_id == hall.station.station_id and found.certificate_until > datetime.now(UTC)
    assert found.person("OP-000017") is not None and found.signer_roots == hall.people.ca.signer_roots


def test_a_code_works_once_and_nobody_enrols_twice(hall: HallStation, tmp_path: Path, province: ProvinceRun) -> None:
    given = province.desk("POST", "/invitations", hall=HALL, window=WINDOW)
    invitation = json.dumps(given["invitation"]).encode()
    with pytest.raises(EnrolmentRefused) as caught:
        enrol(invitation, given["code"], HALL, WINDOW, hall.administrator_signs, "x", hall.store)
    assert caught.value.facts["why"] == "already"
    for number, why in ((1, ""), (2, "enrolment.code")):
        with Store.make(tmp_path / f"other{number}", b"k" * 32, practice=True) as store:
            if why:
                with pytest.raises(EnrolmentRefused) as caught:
                    enrol(invitation, given["code"], HALL, WINDOW, hall.administrator_signs, "x", store)
                assert caught.value.facts["why"] == why and store.station_value("pending.key") is None
            else:
                assert enrol(invitation, given["code"].lower(), HALL, WINDOW, hall.administrator_signs, "x", store).station_id


def test_a_lost_answer_does_not_cost_the_code(hall: HallStation, tmp_path: Path, province: ProvinceRun) -> None:
    given = province.desk("POST", "/invitations", hall=HALL, window=WINDOW)
    invitation = json.dumps(given["invitation"]).encode()
    province.order("cut-answer", method="POST", path="/v1/enrolments")
    with Store.make(tmp_path / "other", b"k" * 32, practice=True) as store:
        with pytest.raises(ProvinceUnreachable):
            enrol(invitation, given["code"], HALL, WINDOW, hall.administrator_signs, "x", store)
        before = len(province.look()["stations"])
        station = enrol(invitation, given["code"], HALL, WINDOW, hall.administrator_signs, "x", store)
        assert len(province.look()["stations"]) == before and load(store).station_id == station.station_id
        assert store.station_value("pending.key") is None


def test_only_an_administrator_enrols(hall: HallStation, tmp_path: Path, province: ProvinceRun) -> None:
    given = province.desk("POST", "/invitations", hall=HALL, window=WINDOW)
    with Store.make(tmp_path / "other", b"k" * 32, practice=True) as store, pytest.raises(EnrolmentRefused) as caught:
        enrol(json.dumps(given["invitation"]).encode(), given["code"], HALL, WINDOW,
              lambda content: make_signature(content, hall.people.collector, datetime.now(UTC)), "x", store)
    assert caught.value.facts["why"] == "enrolment.administrator"


# -- the way of a record --------------------------------------------------------------------------------------------------------------
def test_a_record_goes_step_by_step_to_its_receipt(hall: HallStation, province: ProvinceRun) -> None:
    record_id = hall.keep(size=2 * PART + 5)
    seen = [hall.row(record_id).state]
    while hall.courier.step():
        seen.append(hall.row(record_id).state)
    assert seen == ["kept", "uploading", "uploaded", "receipted"]
    row = hall.row(record_id)
    assert row.receipt and row.sent_at and row.receipted_at and came_in(province, record_id) == 1
    assert hall.courier.status().online and hall.courier.status().last_error_code == ""
    assert any(status.moving == record_id and status.done_bytes == status.total_bytes for status in hall.statuses)


def test_what_is_unsigned_is_never_sent(hall: HallStation, province: ProvinceRun) -> None:
    record_id = hall.keep(signed=False)
    before = len(province.look()["requests"])
    assert not hall.courier.step() and hall.row(record_id).state == "kept_unsigned"
    assert len(province.look()["requests"]) == before


@pytest.mark.expects_log("set aside: signature.invalid")
def test_even_a_queue_that_offers_an_unsigned_row_sends_nothing(hall: HallStation, province: ProvinceRun, monkeypatch: pytest.MonkeyPatch) -> None:
    record_id = hall.keep()
    unsigned = replace(hall.row(record_id), signature=b"")
    monkeypatch.setattr(hall.outbox, "next_due", lambda now: unsigned)
    before = len(province.look()["requests"])
    hall.courier.step()
    assert hall.row(record_id).state == "set_aside" and len(province.look()["requests"]) == before


@pytest.mark.expects_log("set aside: receipt.mismatch")
@pytest.mark.parametrize(("alter", "key"), [
    ({"packet_digest": "sha256:" + "0" * 64}, "own"), ({"signature_digest": "sha256:" + "0" * 64}, "own"), ({"station_id": "x"}, "own"),
    ({"type": "hall-intake/receipt/1"}, "own"), ({"state": "lost"}, "own"), ({"serial": None}, "own"), ({"more": "x"}, "own"), ({}, "settings"),
])
def test_a_wrong_receipt_sets_the_record_aside(hall: HallStation, province: ProvinceRun, alter: dict[str, Any], key: str) -> None:
    record_id = hall.keep()
    province.order("envelope", method="PUT", path=record_id, alter=alter, key=key)
    hall.drive(record_id, "set_aside")
    row = hall.row(record_id)
    assert row.reason == "receipt.mismatch" and row.receipt is None
    assert hall.outbox.purge_due(datetime.now(UTC) + timedelta(days=9999), 0) == ()
    assert hall.blobs.path(row.packet_blob).exists()


def test_a_receipt_by_an_unknown_key_waits_for_newer_roots(hall: HallStation, province: ProvinceRun) -> None:
    record_id = hall.keep()
    province.desk("POST", "/keys/rotate", purpose="receipts")
    hall.drive(record_id, "uploaded")
    hall.courier.step()
    assert hall.row(record_id).state == "uploaded" and hall.row(record_id).last_error == "signature.invalid"
    assert hall.courier.refresh() and hall.courier.station.kept["roots"].version > hall.station.kept["roots"].version
    hall.pass_time(1)
    hall.drive(record_id, "receipted")
    assert came_in(province, record_id) == 1


# -- cuts and silence -----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("order", [
    {"kind": "cut-request", "method": "PATCH", "after": 300_000}, {"kind": "cut-answer", "method": "PATCH"}, {"kind": "cut-answer", "method": "POST"},
    {"kind": "status", "method": "PATCH", "status": 500}, {"kind": "status", "method": "HEAD", "status": 502},
])
def test_a_cut_upload_resumes_with_at_most_one_part_again(hall: HallStation, province: ProvinceRun, order: dict[str, Any]) -> None:
    record_id = hall.keep(size=4 * PART)
    hall.drive(record_id, "uploading")
    before = asked(province, "PATCH")
    province.order(**order, path="/v1/packets")
    hall.courier.step()
    assert hall.row(record_id).state == "uploading" and hall.row(record_id).tries == 1
    hall.pass_time(1)
    hall.drive(record_id, "receipted")
    parts = -(-hall.row(record_id).packet_size // PART)
    assert asked(province, "PATCH") - before <= parts + 1
    assert came_in(province, record_id) == 1


def test_a_damaged_part_is_sent_again(hall: HallStation, province: ProvinceRun) -> None:
    record_id = hall.keep(size=PART)
    province.order("status", method="PATCH", path="/v1/packets", status=460, code="upload.checksum")
    hall.drive(record_id, "uploading")
    hall.courier.step()
    hall.pass_time(1)
    hall.drive(record_id, "receipted")


@pytest.mark.parametrize("order", [
    {"kind": "cut-answer"}, {"kind": "cut-answer", "after": 20}, {"kind": "status", "status": 500}, {"kind": "status", "status": 408},
    {"kind": "cut-request", "after": 100},
])
def test_an_answer_lost_at_the_commit_has_exactly_one_effect(hall: HallStation, province: ProvinceRun, order: dict[str, Any]) -> None:
    record_id = hall.keep()
    hall.drive(record_id, "uploaded")
    province.order(**order, method="PUT", path=record_id)
    hall.courier.step()
    assert hall.row(record_id).state == "uploaded" and hall.row(record_id).last_error.startswith("province.")
    hall.reopen()
    hall.pass_time(1)
    before = asked(province, "PATCH")
    hall.drive(record_id, "receipted")
    assert came_in(province, record_id) == 1 and asked(province, "PATCH") == before, "what the province has is asked for, not sent again"
    assert asked(province, "GET", record_id) == 1


def test_every_step_survives_a_new_start(hall: HallStation, province: ProvinceRun) -> None:
    record_id = hall.keep(size=2 * PART)
    states = [hall.row(record_id).state]
    while states[-1] != "receipted":
        hall.reopen()
        hall.courier.step()
        states.append(hall.row(record_id).state)
        assert len(states) < 10
    assert states == ["kept", "uploading", "uploaded", "receipted"] and came_in(province, record_id) == 1


def test_a_province_that_is_killed_and_comes_back_loses_nothing(tmp_path: Path, people: People) -> None:
    own = people.province(tmp_path / "p")
    own.start()
    try:
        open_lists(own)
        hall = HallStation(tmp_path / "home", people, own)
        records = [hall.keep(size=2 * PART) for _ in range(2)]
        hall.drive(records[0], "uploaded")
        own.stop(kill=True)
        assert not hall.courier.status().offline_since and hall.courier.step()
        assert hall.courier.status().online is False and hall.courier.status().last_error_code == "province.unreachable"
        own.start()
        hall.pass_time(600)
        for record_id in records:
            hall.drive(record_id, "receipted")
            assert came_in(own, record_id) == 1
        assert hall.courier.status().online
        hall.close()
    finally:
        own.stop()


@pytest.mark.parametrize(("status", "code"), [(429, "province.busy"), (503, "province.busy")])
def test_a_busy_province_is_left_in_peace_for_as_long_as_it_asks(hall: HallStation, province: ProvinceRun, status: int, code: str) -> None:
    record_id = hall.keep()
    province.order("status", path="/v1/packets", method="POST", status=status, retry_after=40)
    hall.drive(record_id, "uploading")
    hall.courier.step()
    assert hall.row(record_id).last_error == code and hall.courier.status().last_error_code == code
    seen = len(province.look()["requests"])
    hall.pass_time(39)
    assert not hall.courier.step() and not hall.courier.refresh() and len(province.look()["requests"]) == seen
    hall.pass_time(2)
    hall.drive(record_id, "receipted")


def test_an_unreachable_province_is_tried_ever_more_rarely_and_then_by_one_small_question(hall: HallStation, province: ProvinceRun) -> None:
    hall.jitter = 0.5
    record_id = hall.keep()
    hall.drive(record_id, "uploading")
    province.order("unreachable", times=None)
    waits: list[float] = []
    for _ in range(9):
        assert not hall.courier.status().online
        hall.courier.step()
        status = hall.courier.status()
        assert status.next_try_at is not None and status.offline_since is not None
        wait = round((status.next_try_at - hall.moment()).total_seconds())
        waits.append(wait)
        assert not hall.courier.step(), "no second try inside the wait"
        hall.pass_time(wait + 1)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert hall.row(record_id).tries == OPENS_AFTER, "with the breaker open no record is touched"
    province.desk("DELETE", "/faults")
    hall.drive(record_id, "receipted")
    assert hall.courier.status().offline_since is None


def test_one_bad_record_does_not_hold_up_the_others(hall: HallStation, province: ProvinceRun) -> None:
    hall.jitter = 0.9
    bad, good = hall.keep(), hall.keep()
    province.order("status", method="PUT", path=bad, status=500, times=None)
    for _ in range(12):
        hall.courier.step()
    assert hall.row(good).state == "receipted" and hall.row(bad).state == "uploaded" and hall.row(bad).tries >= 1


@pytest.mark.expects_log("set aside: province.refused")
@pytest.mark.parametrize(("status", "code"), [(422, "record.format"), (409, "record.other"), (413, "request.too_large"), (400, "submission.format")])
def test_a_refusal_sets_the_record_aside_with_its_reason(hall: HallStation, province: ProvinceRun, status: int, code: str) -> None:
    record_id = hall.keep()
    province.order("status", method="PUT", path=record_id, status=status, code=code)
    hall.drive(record_id, "set_aside")
    row = hall.row(record_id)
    assert row.reason == "province.refused" and code in row.last_detail
    hall.outbox.retry(record_id, who="op:OP-000017")
    hall.drive(record_id, "receipted")


@pytest.mark.expects_log("set aside: province.refused")
def test_another_content_under_the_same_id_is_set_aside(hall: HallStation, province: ProvinceRun) -> None:
    record_id = hall.keep()
    hall.drive(record_id, "receipted")
    with hall.store.write() as tx:  # the same id, other bytes: a store put back from an old copy
        tx.execute("UPDATE outbox SET state = 'uploaded', receipt = NULL, record_digest = ? WHERE record_id = ?", ("sha256:" + "1" * 64, record_id))
    with pytest.raises(ProvinceRefused) as caught:
        hall.province.submit(hall.row(record_id), hall.row(record_id).upload_id)
    assert caught.value.facts["why"] == "record.other"
    province.order("status", method="GET", path=record_id, status=404, code="record.unknown")
    hall.courier.step()
    assert hall.row(record_id).state == "set_aside"


@pytest.mark.parametrize("order", [
    {"status": 404, "code": "upload.unknown", "method": "PUT"}, {"status": 409, "code": "upload.incomplete", "method": "PUT"},
    {"status": 422, "code": "packet.digest", "method": "PATCH"},
])
def test_an_upload_that_the_province_lost_is_made_again(hall: HallStation, province: ProvinceRun, order: dict[str, Any]) -> None:
    record_id = hall.keep()
    path = record_id if order["method"] == "PUT" else "/v1/packets"
    province.order("status", path=path, **order)
    while hall.row(record_id).tries == 0:
        hall.courier.step()
    assert hall.row(record_id).state == "kept" and hall.row(record_id).upload_id == ""
    hall.pass_time(1)
    hall.drive(record_id, "receipted")
    assert came_in(province, record_id) == 1


@pytest.mark.expects_log("set aside: packet.damaged")
@pytest.mark.parametrize("harm", ["changed", "gone"])
def test_a_damaged_packet_file_is_never_sent(hall: HallStation, province: ProvinceRun, harm: str) -> None:
    record_id = hall.keep()
    path = hall.blobs.path(hall.row(record_id).packet_blob)
    if harm == "gone":
        path.unlink()
    else:
        content = bytearray(path.read_bytes())
        content[-1] ^= 1
        path.write_bytes(content)
    before = asked(province, "POST", "/v1/packets")
    hall.drive(record_id, "set_aside")
    assert hall.row(record_id).reason == "packet.damaged" and asked(province, "POST", "/v1/packets") == before


def test_a_login_page_keeps_everything_where_it_is(hall: HallStation, province: ProvinceRun) -> None:
    record_id = hall.keep()
    province.order("status", status=200, body="<html>Please log in</html>", media="text/html", path="^/v1/(records|packets)", times=2)
    hall.drive(record_id, "uploading")
    hall.courier.step()
    assert hall.row(record_id).state == "uploading" and hall.row(record_id).last_error in ("province.tls", "province.trouble")
    hall.pass_time(600)
    hall.courier.step()
    hall.pass_time(600)
    hall.drive(record_id, "receipted")


def test_a_login_page_at_the_submission_is_no_receipt(hall: HallStation, province: ProvinceRun) -> None:
    record_id = hall.keep()
    hall.drive(record_id, "uploaded")
    province.order("status", status=200, body="<html>Please log in</html>", media="text/html", path=record_id, method="PUT")
    hall.courier.step()
    assert hall.row(record_id).state == "uploaded" and hall.row(record_id).last_error == "province.tls"
    assert not hall.courier.status().online


def test_an_interceptor_gets_no_byte_of_a_record(hall: HallStation, tmp_path: Path) -> None:
    record_id = hall.keep()
    hall.drive(record_id, "uploading")
    with HttpsHall(tmp_path, SmallCa().issue()[0], lambda head, tls: b"") as other:
        hall.reopen(replace(hall.station, invitation=replace(hall.station.invitation, url=other.url)))
        hall.courier.step()
        assert not other.heads
    assert hall.row(record_id).last_error == "province.tls" and hall.row(record_id).state == "uploading"


@pytest.mark.expects_log("station.revoked|refused")
def test_a_revoked_station_keeps_its_records(hall: HallStation, province: ProvinceRun) -> None:
    record_id = hall.keep()
    province.desk("POST", "/stations/revoke", station_id=hall.station.station_id)
    for _ in range(4):
        hall.courier.step()
        hall.pass_time(600)
    assert hall.row(record_id).state in ("kept", "uploading") and hall.row(record_id).last_error == "province.refused"
    assert not hall.courier.status().online


# -- clock and news -------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("skew", [-7200, 3600])
def test_the_clocks_difference_is_measured_and_told(hall: HallStation, province: ProvinceRun, skew: int) -> None:
    province.desk("POST", "/clock", offset=skew)
    assert abs(hall.province.time().seconds - skew) < 3
    hall.courier.refresh()  # with a clock behind the certificate's first day the province refuses the station: still it is the clock that is named
    status = hall.courier.status()
    assert status.last_error_code == "province.clock" and status.clock_offset_s is not None and abs(status.clock_offset_s - skew) < 3
    province.desk("POST", "/clock", offset=0)
    hall.courier.hurry()
    assert hall.courier.refresh()
    assert hall.courier.status().online and hall.courier.status().last_error_code == "" and not hall.province.check_clock().wrong


def test_states_of_records_are_mirrored(hall: HallStation, province: ProvinceRun) -> None:
    record_id = hall.keep()
    hall.drive(record_id, "receipted")
    province.desk("POST", "/records/state", record_id=record_id, state="correction_required", items=[{"path": "person.name_zh", "text": "请补正"}])
    hall.courier.hurry()
    assert hall.courier.refresh()
    row = hall.row(record_id)
    assert row.state == "receipted" and row.remote_state == "correction_required" and row.remote_items == (("person.name_zh", "请补正"),)
    cursor = load(hall.store).states_cursor
    assert cursor > 0
    province.desk("POST", "/records/state", record_id=record_id, state="publicity", until="2026-12-31")
    hall.courier.hurry()
    hall.courier.refresh()
    assert hall.row(record_id).remote_state == "publicity" and load(hall.store).states_cursor > cursor


def test_new_people_come_by_the_settings_and_stay_after_a_new_start(hall: HallStation, province: ProvinceRun) -> None:
    province.desk("POST", "/people", id="OP-000099", name="新来的", roles=["collector"], hall=HALL)
    hall.courier.refresh()
    assert hall.courier.station.person("OP-000099") is not None and load(hall.store).person("OP-000099") is not None
    province.desk("POST", "/people", id="OP-000099", remove=True)
    hall.courier.hurry()
    hall.courier.refresh()
    assert load(hall.store).person("OP-000099") is None


@pytest.mark.expects_log("refused")
@pytest.mark.parametrize(("alter", "key"), [({"version": 1, "body.retention_days": 0}, "own"), ({"version": 99}, "receipts"), ({"version": 99}, "other"),
                                            ({"version": 99, "body.library": "/tmp/x.so"}, "own")])
def test_a_bad_downlink_changes_nothing(hall: HallStation, province: ProvinceRun, alter: dict[str, Any], key: str) -> None:
    before = load(hall.store)
    province.order("envelope", method="GET", path="/v1/downlink/settings", alter=alter, key=key)
    hall.courier.refresh()
    after = load(hall.store)
    assert after.settings == before.settings and after.kept["settings"].payload == before.kept["settings"].payload
    assert hall.courier.status().last_error_code in ("signature.invalid", "sync.format")


def test_the_journals_head_is_told_and_a_fork_is_named(hall: HallStation, province: ProvinceRun) -> None:
    hall.keep()
    before = asked(province, "POST", "/v1/journal-heads")
    hall.courier.refresh()
    assert asked(province, "POST", "/v1/journal-heads") == before + 1 and hall.courier.status().last_error_code == ""
    with pytest.raises(ProvinceRefused) as caught:
        hall.province.journal_head({**hall.journal.head(), "size": 0})
    assert caught.value.facts["why"] == "journal.fork"


def test_packets_go_only_when_receipt_and_retention_say_so(hall: HallStation, province: ProvinceRun) -> None:
    sent = hall.keep()
    hall.drive(sent, "receipted")
    waiting = hall.keep()
    hall.courier.hurry()
    hall.courier.refresh()
    assert hall.row(sent).state == "receipted"
    days = hall.station.retention_days
    assert days is not None
    hall.pass_time((days + 1) * 86_400)  # this station's clock alone runs ahead: nothing goes
    hall.courier.hurry()
    hall.courier.refresh()
    assert hall.row(sent).state == "receipted"
    province.desk("POST", "/clock", offset=(days + 1) * 86_400)
    hall.courier.hurry()
    hall.courier.refresh()
    assert hall.row(sent).state == "purged" and hall.row(waiting).state == "kept"


def test_a_sheets_status_is_verified(hall: HallStation, province: ProvinceRun) -> None:
    made = province.desk("POST", "/sheets", kind=1, name="练习人", masked="5101**********0012", employer="", good=0, bad=0)
    status = hall.province.sheet(made["number"])
    assert status is not None and status["state"] == "current"
    assert hall.province.sheet("CR-unknown-1") is None
    province.order("envelope", method="GET", path="/v1/sheets", key="receipts")
    with pytest.raises(SignatureInvalid):
        hall.province.sheet(made["number"])


# -- the thread -----------------------------------------------------------------------------------------------------------------------
def test_the_courier_runs_wakes_and_stops(hall: HallStation, province: ProvinceRun) -> None:
    hall.later = 0.0
    stop, wake = threading.Event(), threading.Event()
    thread = threading.Thread(target=hall.courier.run, args=(stop, wake))
    thread.start()
    try:
        first = hall.keep(size=2 * PART)
        wake.set()
        ends = time.monotonic() + 30
        while hall.row(first).state != "receipted" and time.monotonic() < ends:
            time.sleep(0.05)
        assert hall.row(first).state == "receipted"
        status: CourierStatus = hall.courier.status()
        assert status.online and status.last_success is not None and status.moving == ""
    finally:
        stop.set()
        wake.set()
        thread.join(10)
    assert not thread.is_alive()


def test_sync_now_does_not_wait(hall: HallStation, province: ProvinceRun) -> None:
    hall.jitter = 0.99
    record_id = hall.keep()
    province.order("status", method="POST", path="/v1/packets", status=503, retry_after=3000)
    hall.drive(record_id, "uploading")
    hall.courier.step()
    assert not hall.courier.step()
    hall.courier.hurry()
    hall.drive(record_id, "receipted", most=5)


def test_two_threads_have_two_sessions(hall: HallStation, province: ProvinceRun) -> None:
    shared: Province = hall.province
    wires = [shared.wire()]
    thread = threading.Thread(target=lambda: wires.append(shared.wire()))
    thread.start()
    thread.join()
    assert wires[0] is not wires[1] and shared.wire() is wires[0]
