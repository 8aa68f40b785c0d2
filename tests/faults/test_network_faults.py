"""What networks and hosts do: restarts, login pages, wrong certificates, doubled answers. Each is named, nothing is lost, nothing comes twice.

Beside each fault its control: a program with one sin, at the same province, before the same checker.
"""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import sync.wire
from sync.courier import Courier
from sync.upload import PART
from tests.contract.province.hall import HallStation, People, open_lists
from tests.emulators.https_hall import HttpsHall, SmallCa
from tests.emulators.province_run import ProvinceRun
from tests.faults.hall_checker import Believing, Hasty, faults_at
from tests.faults.table import Outcome

pytestmark = pytest.mark.timeout(300)
FALLS, PORTAL, OLD = "the province falls in the midst of an upload", "somebody else answers (login page, policy)", "a wrong or old certificate"
TWICE, OTHERS = "an answer comes twice", "another record's receipt"
NO_ANSWER = "takes no answer for a good one"


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
def falls(hall: HallStation, province: ProvinceRun, times: int) -> list[str]:
    """The courier's own thread uploads; the province is killed in the midst of it and comes back, again and again. What does not hold then."""
    hall.courier._monotonic = time.monotonic
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
    return faults_at(hall, province, records)


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


def told_of_falls(folder: Path, people: People, own: ProvinceRun, times: int, outcome: Outcome) -> None:
    with closing(HallStation(folder / "home", people, own)) as hall:
        faults = falls(hall, own, times)
    outcome.ran(FALLS, times, faults, times)
    assert faults == []


def test_a_province_that_falls_in_the_midst_of_an_upload(tmp_path: Path, people: People, own: ProvinceRun, outcome: Outcome) -> None:
    told_of_falls(tmp_path, people, own, 2, outcome)


@pytest.mark.sweep
@pytest.mark.timeout(1800)
def test_a_province_that_falls_thirty_times(tmp_path: Path, people: People, own: ProvinceRun, outcome: Outcome) -> None:
    told_of_falls(tmp_path, people, own, 30, outcome)


def test_a_program_that_takes_a_line_that_ended_for_a_good_one_is_noticed(tmp_path: Path, people: People, own: ProvinceRun, outcome: Outcome) -> None:
    with closing(HallStation(tmp_path / "home", people, own)) as hall:
        hall.courier_kind = Hasty
        hall.reopen()
        faults = falls(hall, own, 1)
    outcome.control(FALLS, NO_ANSWER, faults)
    assert any(one.startswith("lost") for one in faults), faults


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


def sinful(hall: HallStation, courier_kind: type[Courier]) -> HallStation:
    """The same station with another courier."""
    hall.courier_kind = courier_kind
    hall.reopen()
    return hall


def sent_in_the_end(hall: HallStation, record: str, most: int = 30) -> None:
    """Time and steps until the record is receipted or will never be."""
    for _ in range(most):
        if hall.row(record).state in ("receipted", "set_aside"):
            return
        hall.pass_time(1)
        hall.courier.step()


def portal_answers(hall: HallStation, province: ProvinceRun, method: str, portal: str) -> list[str]:
    """One record whose request somebody else answers once; what does not hold then."""
    state, path = PLACES[method]
    record = hall.keep()
    hall.drive(record, state)
    if method == "HEAD":
        hall.begin(record)
    province.order("status", method=method, path=path, **PORTALS[portal])
    hall.courier.step()
    row, found = hall.row(record), list[str]()
    if row.state != state or row.last_error not in ("province.tls", "province.trouble") or row.receipt is not None:
        found.append(f"a page was taken for the province: {row.state} {row.last_error!r}")
    province.desk("DELETE", "/faults")
    sent_in_the_end(hall, record)
    return found + faults_at(hall, province, [record])


@pytest.mark.parametrize("portal", PORTALS)
@pytest.mark.parametrize("method", PLACES)
def test_a_login_page_in_place_of_any_answer_changes_nothing(hall: HallStation, province: ProvinceRun, method: str, portal: str, outcome: Outcome) -> None:
    faults = portal_answers(hall, province, method, portal)
    outcome.ran(PORTAL, 1, faults, 1)
    assert faults == []


def test_a_program_that_takes_a_login_page_for_the_province_is_noticed(hall: HallStation, province: ProvinceRun, outcome: Outcome) -> None:
    faults = portal_answers(sinful(hall, Hasty), province, "PUT", "page")
    outcome.control(PORTAL, "takes a page for the province's answer", faults)
    assert any(one.startswith("a page was taken") for one in faults) and any(one.startswith("lost") for one in faults), faults


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


def meets_another(hall: HallStation, people: People, province: ProvinceRun, folder: Path, wrong: str) -> list[str]:
    """One record whose station is led to a server with a wrong certificate, then to the right one; what does not hold then."""
    record, right = hall.keep(), hall.station
    hall.drive(record, "uploading")
    pem, code = certificates(people, folder)[wrong]
    with HttpsHall(folder, pem, lambda head, tls: b"") as other:
        hall.reopen(replace(right, invitation=replace(right.invitation, url=other.url)))
        hall.courier.step()
        found = [f"readable by a stranger: {head[:60]!r}" for head in other.heads]
    if (hall.row(record).last_error, hall.row(record).state, hall.courier.status().online) != (code, "uploading", False):
        found.append(f"not named: {hall.row(record).last_error!r} in place of {code}")
    hall.reopen(right)
    sent_in_the_end(hall, record)
    return found + faults_at(hall, province, [record])


@pytest.mark.parametrize("wrong", ["another root", "another host", "over", "not yet"])
def test_no_byte_goes_to_a_server_with_a_wrong_certificate(hall: HallStation, people: People, province: ProvinceRun, tmp_path: Path, wrong: str,
                                                          outcome: Outcome) -> None:
    faults = meets_another(hall, people, province, tmp_path, wrong)
    outcome.ran(OLD, 1, faults, 1)
    assert faults == []


class Anyone(sync.wire.PrivateRoots):
    """The control's sin: whoever answers will be the province."""

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        self._context.check_hostname = False
        conn.cert_reqs, conn.assert_hostname = "CERT_NONE", False


def test_a_program_that_asks_nobody_for_a_certificate_is_noticed(hall: HallStation, people: People, province: ProvinceRun, tmp_path: Path,
                                                                monkeypatch: pytest.MonkeyPatch, outcome: Outcome) -> None:
    monkeypatch.setattr(sync.wire, "PrivateRoots", Anyone)
    hall.reopen()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # urllib3 says that this is not safe
        faults = meets_another(hall, people, province, tmp_path, "another root")
    outcome.control(OLD, "asks nobody for a certificate", faults)
    assert any(one.startswith("readable by a stranger") for one in faults), faults


@pytest.mark.parametrize("wrong", ["over", "not yet", "another host"])
def test_a_province_that_shows_an_old_certificate_gets_nothing_until_it_shows_a_good_one(hall: HallStation, people: People, province: ProvinceRun,
                                                                                         wrong: str, outcome: Outcome) -> None:
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
    sent_in_the_end(hall, record)
    faults = faults_at(hall, province, [record])
    outcome.ran(OLD, 1, faults, 1)
    assert faults == []


# -- answers that come twice ----------------------------------------------------------------------------------------------------------------
def answers_double(hall: HallStation, province: ProvinceRun, method: str) -> list[str]:
    """Three records while each answer to ``method`` comes twice; what does not hold then."""
    records = list[str]()
    for _ in range(3):
        records.append(hall.keep(size=2 * PART))
        if method == "PUT":  # all are brought as far first, so that one submission follows the other on the line
            hall.drive(records[-1], "uploaded")
            hall.outbox.failed(records[-1], "province.busy", hall.moment() + timedelta(seconds=60))
    hall.pass_time(120)
    province.order("double", method=method, path="^/v1", times=None)
    for _ in range(12):
        hall.courier.hurry()
        hall.courier.refresh()
        while hall.courier.step():
            continue
        hall.pass_time(120)
    return faults_at(hall, province, records)


# news that are the answer to another question are refused, and said in the log
@pytest.mark.parametrize("method", [pytest.param("GET", marks=pytest.mark.expects_log("sync.news: .* refused: ")), "POST", "HEAD", "PATCH", "PUT"])
def test_an_answer_that_comes_twice_is_never_taken_for_the_next_one(hall: HallStation, province: ProvinceRun, method: str, outcome: Outcome) -> None:
    """On a line that is kept open the second copy would answer the next question, e.g. one record's receipt another record's submission."""
    faults = answers_double(hall, province, method)
    outcome.ran(TWICE, 1, faults, 3)
    assert faults == []


@pytest.mark.expects_log("sync.news: .* refused: ")
def test_a_program_that_takes_what_lies_on_the_line_is_noticed(hall: HallStation, province: ProvinceRun, monkeypatch: pytest.MonkeyPatch,
                                                               outcome: Outcome) -> None:
    monkeypatch.setattr("urllib3.connectionpool.is_connection_dropped", lambda conn: False)
    faults = answers_double(sinful(hall, Believing), province, "PUT")
    outcome.control(TWICE, "takes what lies on the line for its answer", faults)
    assert any(one.startswith("another's receipt") for one in faults), faults


OTHER = "00000000-0000-4000-8000-000000000001"


def others_receipt(hall: HallStation, province: ProvinceRun, **times: Any) -> tuple[str, list[str]]:
    """One record for which another one's receipt comes: its id, and what does not hold then."""
    record = hall.keep()
    hall.drive(record, "uploaded")
    province.order("envelope", path=record, alter={"record_id": OTHER}, **times)
    hall.courier.step()
    found = [f"another's receipt was taken: {hall.row(record).state}"] if hall.row(record).state != "uploaded" else []
    sent_in_the_end(hall, record)
    return record, found


def test_another_records_receipt_is_asked_about_once_more_on_a_new_line(hall: HallStation, province: ProvinceRun, outcome: Outcome) -> None:
    record, faults = others_receipt(hall, province)
    faults += faults_at(hall, province, [record])
    outcome.ran(OTHERS, 1, faults, 1)
    assert faults == []


@pytest.mark.expects_log("set aside: receipt.mismatch")
def test_another_records_receipt_twice_is_quarantine(hall: HallStation, province: ProvinceRun, outcome: Outcome) -> None:
    record, faults = others_receipt(hall, province, times=None)
    assert (hall.row(record).state, hall.row(record).reason) == ("set_aside", "receipt.mismatch")
    province.desk("DELETE", "/faults")
    hall.outbox.retry(record, who="op:OP-000017")
    sent_in_the_end(hall, record)
    faults += faults_at(hall, province, [record])
    outcome.ran(OTHERS, 1, faults, 1)
    assert faults == []


def test_a_program_that_takes_any_receipt_is_noticed(hall: HallStation, province: ProvinceRun, outcome: Outcome) -> None:
    record, faults = others_receipt(sinful(hall, Believing), province)
    faults += faults_at(hall, province, [record])
    outcome.control(OTHERS, "takes any receipt for that of its record", faults)
    assert f"another's receipt: {record}" in faults, faults
