"""What nobody foresaw on the way of one record holds up that record only; no fault ends the courier."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from sync.around import Around
from sync.changes import Change, recent
from sync.errors import DiskFull, StoreTrouble
from sync.patience import Patience
from sync.station import load, read_rows
from tests.contract.province.hall import HALL, HallStation, asked, came_in
from tests.emulators.province_run import ProvinceRun

pytestmark = pytest.mark.timeout(180)


@pytest.mark.expects_log("fell out of its step: ValueError")
def test_a_fault_of_the_program_at_one_record_does_not_hold_up_the_others(hall: HallStation, province: ProvinceRun, monkeypatch: pytest.MonkeyPatch) -> None:
    hall.jitter = 0.5
    bad, good = hall.keep(), hall.keep()
    submit = hall.province.submit

    def breaks(row: Any, upload_id: str) -> bytes:
        if row.record_id == bad:
            raise ValueError("nobody foresaw this, and it may hold a name")
        return submit(row, upload_id)

    monkeypatch.setattr(hall.province, "submit", breaks)
    for _ in range(12):
        hall.courier.step()
    assert hall.row(good).state == "receipted"
    row = hall.row(bad)
    assert row.state == "uploaded" and row.tries >= 1 and row.next_try_at > hall.moment()
    assert row.last_error == "sync.trouble" and row.last_detail == "ValueError", "the kind of the error, never its text"
    monkeypatch.undo()
    hall.pass_time(600)
    hall.drive(bad, "receipted")
    assert came_in(province, bad) == 1


@pytest.mark.expects_log("nobody took the courier's word: RuntimeError")
def test_a_screen_that_takes_no_word_does_not_end_the_courier(hall: HallStation) -> None:
    record_id = hall.keep()
    stop, wake, broken = threading.Event(), threading.Event(), threading.Event()
    broken.set()

    def tell(_status: Any) -> None:
        if broken.is_set():
            raise RuntimeError("the screen is gone")

    hall.courier._tell = tell
    hall.courier._monotonic = time.monotonic
    thread = threading.Thread(target=hall.courier.run, args=(stop, wake))
    thread.start()
    try:
        time.sleep(0.5)
        assert thread.is_alive()
        broken.clear()
        until = time.monotonic() + 20
        while hall.row(record_id).state != "receipted" and time.monotonic() < until:
            wake.set()
            time.sleep(0.1)
        assert hall.row(record_id).state == "receipted"
    finally:
        stop.set()
        wake.set()
        thread.join(10)
    assert not thread.is_alive()


@pytest.mark.expects_log("the news fell out of its round")
@pytest.mark.parametrize(("fault", "code"), [(ValueError("nobody foresaw this"), "sync.trouble"), (DiskFull("no room", free=0, needed=1), "store.disk_full")])
def test_news_that_cannot_be_taken_do_not_hold_up_the_records(hall: HallStation, province: ProvinceRun, monkeypatch: pytest.MonkeyPatch, fault: Exception,
                                                              code: str) -> None:
    def breaks(*_: Any) -> None:
        raise fault

    monkeypatch.setattr("sync.news.apply", breaks)
    record_id = hall.keep()
    for _ in range(4):
        hall.courier._turn()
    assert hall.row(record_id).state == "receipted" and came_in(province, record_id) == 1
    before = asked(province, "GET", "/v1/downlink")
    assert not hall.courier.refresh() and asked(province, "GET", "/v1/downlink") == before, "the news is not asked for in every turn"
    hall.courier.hurry()
    hall.courier.refresh()
    status = hall.courier.status()
    assert status.last_error_code == code and status.offline_since is None, "the platform is there: it is this machine that cannot"


@pytest.mark.parametrize(("version", "person"), [(20_261_130_014_100, "OP-000088"), (2**53 - 1, "OP-000089")])
def test_a_downlink_whose_version_is_a_time_is_taken_and_told(hall: HallStation, province: ProvinceRun, version: int, person: str) -> None:
    province.desk("POST", "/people", id=person, name="新来的", roles=["collector"], hall=HALL)
    province.order("envelope", method="GET", path="/v1/downlink/settings", alter={"version": version})
    hall.courier.refresh()
    assert load(hall.store).person(person) is not None and hall.courier.station.kept["settings"].version == version
    told = [one for one in recent(hall.journal) if one.change == Change("person.added", person)]
    assert [one.version for one in told] == [version]


@pytest.mark.expects_log("the news fell out of its round")
def test_a_change_and_its_line_in_the_journal_stand_together_or_not_at_all(hall: HallStation, province: ProvinceRun, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kill between the two lost the line for ever: the object was there, so it was no news any more."""
    publish = {"table": "degree", "edition": "5", "rows": [["1", "练习", "Practice"]]}
    hall.courier.refresh()
    province.desk("POST", "/people", id="OP-000090", name="新来的", roles=["collector"], hall=HALL)
    province.desk("POST", "/tables", **publish)
    write = hall.journal.write

    def killed(tx: Any, who: str, what: str, *rest: Any) -> None:
        if what == "downlink.changed":
            raise StoreTrouble("as if it were killed here", step="disk")
        write(tx, who, what, *rest)

    for _ in range(2):
        monkeypatch.setattr(hall.journal, "write", killed)
        hall.courier.hurry()
        hall.courier.refresh()
        monkeypatch.undo()
        hall.reopen()
        assert load(hall.store).person("OP-000090") is None and "table.degree" not in read_rows(hall.store)
    hall.courier.refresh()
    told = [one.change for one in recent(hall.journal)]
    assert told.count(Change("person.added", "OP-000090")) == 1 and [one.kind for one in told].count("table.rows") == 1
    assert load(hall.store).person("OP-000090") is not None and "table.degree" in read_rows(hall.store)


def test_the_last_success_is_known_at_a_start_while_the_line_is_down(hall: HallStation, province: ProvinceRun) -> None:
    assert hall.courier.status().last_success is None
    hall.courier.refresh()
    served = hall.courier.status().last_success
    assert served is not None
    province.order("unreachable", times=None)
    hall.pass_time(3 * 86_400)
    hall.reopen()
    assert hall.courier.status().online is False and not hall.courier.refresh()
    status = hall.courier.status()
    assert status.last_success is not None and abs((status.last_success - served).total_seconds()) < 600 and status.offline_since is not None
    province.desk("DELETE", "/faults")


def test_a_network_that_comes_back_ends_the_wait(hall: HallStation, province: ProvinceRun, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the wait was a long one: nobody presses anything."""
    address = [""]
    monkeypatch.setattr("sync.courier.Around", lambda clock, monotonic: Around(clock, monotonic, lambda: address[0]))
    record_id = hall.keep()
    province.order("unreachable", times=None)
    stop, wake = threading.Event(), threading.Event()
    hall.courier._monotonic = time.monotonic
    hall.courier._host = Patience(lambda: 1.0)
    for _ in range(9):
        hall.courier._host.failed(time.monotonic())
    thread = threading.Thread(target=hall.courier.run, args=(stop, wake))
    thread.start()
    try:
        province.desk("DELETE", "/faults")
        time.sleep(2.5)
        assert hall.row(record_id).state == "kept", "it waits"
        address[0] = "10.0.0.7"
        until = time.monotonic() + 20
        while hall.row(record_id).state != "receipted" and time.monotonic() < until:
            time.sleep(0.1)
        assert hall.row(record_id).state == "receipted"
    finally:
        stop.set()
        wake.set()
        thread.join(10)


@pytest.mark.parametrize(("method", "path"), [("PATCH", "/v1/packets"), ("PUT", "/v1/records")])
def test_an_end_while_the_province_is_silent_costs_nothing(hall: HallStation, province: ProvinceRun, method: str, path: str) -> None:
    record_id = hall.keep()
    province.order("delay", method=method, path=path, seconds=8)
    stop, wake = threading.Event(), threading.Event()
    hall.courier._monotonic = time.monotonic
    thread = threading.Thread(target=hall.courier.run, args=(stop, wake))
    thread.start()
    until = time.monotonic() + 20
    while time.monotonic() < until and hall.row(record_id).state != ("uploading" if method == "PATCH" else "uploaded"):
        time.sleep(0.02)
    time.sleep(0.5)
    started = time.monotonic()
    stop.set()
    wake.set()
    thread.join(0.5)
    assert thread.is_alive(), "an answer that was not silent proves nothing"
    hall.province.cut()
    thread.join(5)
    assert not thread.is_alive() and time.monotonic() - started < 3
    hall.reopen()
    hall.pass_time(600)
    hall.drive(record_id, "receipted")
    assert came_in(province, record_id) == 1
