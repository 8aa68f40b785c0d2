"""What networks and hosts do: restarts, login pages, wrong certificates, doubled answers. Each is named, nothing is lost, nothing comes twice."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sync.upload import PART
from tests.contract.province.hall import HallStation, People, came_in, open_lists
from tests.emulators.https_hall import HttpsHall, SmallCa
from tests.emulators.province_run import ProvinceRun

pytestmark = pytest.mark.timeout(300)


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


@pytest.fixture
def hall(tmp_path: Path, people: People, province: ProvinceRun) -> Iterator[HallStation]:
    made = HallStation(tmp_path / "home", people, province)
    yield made
    made.close()


# -- the province falls while bytes go out ----------------------------------------------------------------------------------------------
def falls(hall: HallStation, province: ProvinceRun, times: int) -> None:
    """The courier's own thread uploads; the province is killed in the midst of it and comes back, again and again."""
    from time import monotonic

    hall.courier._monotonic = monotonic
    stop, wake = threading.Event(), threading.Event()
    records = [hall.keep(size=12 * PART) for _ in range(times)]
    thread = threading.Thread(target=hall.courier.run, args=(stop, wake), name="courier")
    slow = {"method": "PATCH", "path": "^/v1/packets", "seconds": 0.15, "times": None}   # so that "in the midst" is long enough to be hit on a busy machine
    province.order("delay", **slow)
    thread.start()
    try:
        for number, record in enumerate(records):
            wait_for(lambda: hall.courier.status().moving != "" and 0 < hall.courier.status().done_bytes < hall.courier.status().total_bytes)
            province.stop(kill=number % 3 != 2)
            wait_for(lambda: not hall.courier.status().online)
            assert hall.courier.status().last_error_code == "province.unreachable"
            province.start()
            province.order("delay", **slow)
            wake.set()
            wait_for(lambda record=record: hall.row(record).state == "receipted" or hall.courier.status().moving not in ("", record))
        wait_for(lambda: all(hall.row(one).state == "receipted" for one in records), wake)
    finally:
        stop.set()
        wake.set()
        thread.join(20)
    assert [came_in(province, one) for one in records] == [1] * times


def wait_for(what: Any, wake: threading.Event | None = None, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not what():
        if wake is not None:
            wake.set()
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.002 if wake is None else 0.2)


@pytest.fixture
def own(tmp_path: Path, people: People) -> Iterator[ProvinceRun]:
    with people.province(tmp_path / "own") as province:
        open_lists(province)
        yield province


def test_a_province_that_falls_in_the_midst_of_an_upload(tmp_path: Path, people: People, own: ProvinceRun) -> None:
    with closing(HallStation(tmp_path / "home", people, own)) as hall:
        falls(hall, own, 2)


@pytest.mark.sweep
@pytest.mark.timeout(1800)
def test_a_province_that_falls_thirty_times(tmp_path: Path, people: People, own: ProvinceRun) -> None:
    with closing(HallStation(tmp_path / "home", people, own)) as hall:
        falls(hall, own, 30)


# -- somebody else answers ----------------------------------------------------------------------------------------------------------------
PORTALS = {
    "page": {"status": 200, "body": "<html>Please log in</html>", "media": "text/html"},
    "json": {"status": 200, "body": '{"result": "ok"}', "media": "application/json"},
    "moved": {"status": 302, "body": "", "media": "text/html"},
    "wanted": {"status": 511, "body": "<html>log in</html>", "media": "text/html"},
    "blocked": {"status": 403, "body": "<html>blocked by policy</html>", "media": "text/html"},
    "empty": {"status": 204, "body": "", "media": "text/html"},
}
PLACES = {**dict.fromkeys(("POST", "HEAD", "PATCH"), ("uploading", "^/v1/packets")), "PUT": ("uploaded", "^/v1/records")}


@pytest.mark.parametrize("portal", PORTALS)
@pytest.mark.parametrize("method", PLACES)
def test_a_login_page_in_place_of_any_answer_changes_nothing(hall: HallStation, province: ProvinceRun, method: str, portal: str) -> None:
    state, path = PLACES[method]
    record = hall.keep()
    hall.drive(record, state)
    province.order("status", method=method, path=path, **PORTALS[portal])
    hall.courier.step()
    row = hall.row(record)
    assert row.state == state and row.last_error in ("province.tls", "province.trouble") and row.receipt is None
    hall.pass_time(1)
    hall.drive(record, "receipted")
    assert came_in(province, record) == 1


def certificates(people: People, folder: Path) -> dict[str, tuple[bytes, str]]:
    """Server certificates that are wrong in one way each, and the code of it."""
    now = datetime.now(UTC)

    def pem(stem: str, **wrong: Any) -> bytes:
        certificate, key = people.ca.issue_server(stem=stem, **wrong)
        return certificate.read_bytes() + key.read_bytes()

    return {
        "another root": (SmallCa().issue()[0], "province.tls"),
        "another host": (pem("other", hosts=("elsewhere.example",)), "province.tls"),
        "over": (pem("over", not_before=now - timedelta(days=9), not_after=now - timedelta(days=2)), "province.clock"),
        "not yet": (pem("early", not_before=now + timedelta(days=2), not_after=now + timedelta(days=9)), "province.clock"),
    }


@pytest.mark.parametrize("wrong", ["another root", "another host", "over", "not yet"])
def test_no_byte_goes_to_a_server_with_a_wrong_certificate(hall: HallStation, people: People, province: ProvinceRun, tmp_path: Path, wrong: str) -> None:
    record, right = hall.keep(), hall.station
    hall.drive(record, "uploading")
    pem, code = certificates(people, tmp_path)[wrong]
    with HttpsHall(tmp_path, pem, lambda head, tls: b"") as other:
        hall.reopen(replace(right, invitation=replace(right.invitation, url=other.url)))
        hall.courier.step()
        assert not other.heads
    assert hall.row(record).last_error == code and hall.row(record).state == "uploading" and not hall.courier.status().online
    hall.reopen(right)
    hall.pass_time(1)
    hall.drive(record, "receipted")


@pytest.mark.parametrize("wrong", ["over", "not yet", "another host"])
def test_a_province_that_shows_an_old_certificate_gets_nothing_until_it_shows_a_good_one(hall: HallStation, people: People, province: ProvinceRun,
                                                                                         wrong: str) -> None:
    record, now = hall.keep(), datetime.now(UTC)
    hall.drive(record, "uploading")
    days = {"over": (-9, -2), "not yet": (2, 9), "another host": (-9, 9)}[wrong]
    hosts = {"hosts": ("elsewhere.example",)} if wrong == "another host" else {}
    cert, key = people.ca.issue_server(stem=f"old {wrong}", not_before=now + timedelta(days=days[0]), not_after=now + timedelta(days=days[1]), **hosts)
    province.order("certificate", cert=str(cert), key=str(key), times=None)
    hall.province.wire().hang_up()
    hall.courier.step()
    assert hall.row(record).state == "uploading" and hall.row(record).last_error == ("province.tls" if hosts else "province.clock")
    assert not hall.courier.status().online
    province.desk("DELETE", "/faults")
    hall.pass_time(1)
    hall.drive(record, "receipted")
    assert came_in(province, record) == 1


# -- answers that come twice ----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "PATCH", "PUT"])
def test_an_answer_that_comes_twice_is_never_taken_for_the_next_one(hall: HallStation, province: ProvinceRun, method: str) -> None:
    """On a line that is kept open the second copy would answer the next question, e.g. one record's receipt another record's submission."""
    province.order("double", method=method, path="^/v1", times=None)
    records = [hall.keep(size=2 * PART) for _ in range(3)]
    for _ in range(12):
        hall.courier.hurry()
        hall.courier.refresh()
        while hall.courier.step():
            continue
        hall.pass_time(120)
    assert [hall.row(one).state for one in records] == ["receipted"] * 3
    assert [came_in(province, one) for one in records] == [1] * 3


OTHER = "00000000-0000-4000-8000-000000000001"


def test_another_records_receipt_is_asked_about_once_more_on_a_new_line(hall: HallStation, province: ProvinceRun) -> None:
    record = hall.keep()
    hall.drive(record, "uploaded")
    province.order("envelope", method="PUT", path=record, alter={"record_id": OTHER})
    hall.courier.step()
    assert hall.row(record).state == "uploaded" and hall.row(record).last_error == "province.trouble"
    hall.pass_time(1)
    hall.drive(record, "receipted")


@pytest.mark.expects_log("set aside: receipt.mismatch")
def test_another_records_receipt_twice_is_quarantine(hall: HallStation, province: ProvinceRun) -> None:
    record = hall.keep()
    hall.drive(record, "uploaded")
    province.order("envelope", path=record, alter={"record_id": OTHER}, times=None)
    hall.courier.step()
    hall.pass_time(1)
    hall.drive(record, "set_aside")
    assert hall.row(record).reason == "receipt.mismatch"
