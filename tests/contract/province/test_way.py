"""The client's rooms against the reference province over real TLS: to the receipt, and through everything that goes wrong on the way."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sync.courier import CourierStatus
from sync.errors import ProvinceRefused
from sync.patience import OPENS_AFTER
from sync.province import Province
from sync.upload import PART
from tests.contract.province.hall import HallStation, People, asked, came_in, open_lists
from tests.emulators.https_hall import HttpsHall, SmallCa
from tests.emulators.province_run import ProvinceRun

pytestmark = pytest.mark.timeout(180)


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
    if order["method"] == "HEAD":
        hall.begin(record_id)
    else:
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
    assert row.reason == "province.refused" and row.refusal == code
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
    assert hall.row(record_id).state in ("kept", "uploading") and hall.row(record_id).last_error == "province.station_revoked"
    assert not hall.courier.status().online


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


@pytest.mark.parametrize("way", ["good", "silent"])
def test_sync_now_is_seen_within_a_second_even_where_nobody_answers(hall: HallStation, province: ProvinceRun, way: str) -> None:
    """The courier says "asking" before it asks, and what came of it after."""
    told: list[tuple[float, CourierStatus]] = []
    hall.courier._tell = lambda status: told.append((time.monotonic(), status))
    hall.courier.refresh()
    if way == "silent":
        province.order("delay", path="/v1/time", seconds=3)
    stop, wake = threading.Event(), threading.Event()
    thread = threading.Thread(target=hall.courier.run, args=(stop, wake))
    thread.start()
    try:
        pressed = time.monotonic()
        wake.set()
        while not any(status.asking for _, status in told) and time.monotonic() - pressed < 5:
            time.sleep(0.01)
        first = next(at for at, status in told if status.asking)
        assert first - pressed < 1.0
        while hall.courier.status().asking and time.monotonic() - pressed < 30:
            time.sleep(0.01)
        assert not hall.courier.status().asking and hall.courier.status().online
        assert way == "good" or time.monotonic() - pressed > 2.5, "it stayed on the screen until the answer was there"
    finally:
        stop.set()
        wake.set()
        thread.join(10)


def test_what_waits_and_why_is_counted_over_the_whole_machine(hall: HallStation, province: ProvinceRun) -> None:
    first, second = hall.keep(), hall.keep(signed=False)
    province.order("status", method="POST", path="/v1/packets", status=503, retry_after=60)
    hall.drive(first, "uploading")
    hall.courier.step()
    waits = {(one.state, one.why): one for one in hall.outbox.waiting()}
    busy = waits["uploading", "province.busy"]
    assert (busy.count, busy.bytes) == (1, hall.row(first).packet_size) and busy.next_try_at is not None
    assert waits["kept_unsigned", ""].count == 1 and waits["kept_unsigned", ""].next_try_at is None and len(waits) == 2 and second
