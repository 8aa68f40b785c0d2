"""What comes down and what it changed: code tables and the calendar with their rows, people, readers, stations, roots; publicity by the province's clock."""

from __future__ import annotations

import argparse
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from desktop.commands import downlink as command
from desktop.commands.downlink import CHANGE_WORDS
from desktop.effects.notices import view_of
from desktop.flows.intake_state import IntakeState
from desktop.flows.notices import changes
from desktop.messages import LANGUAGES, Words
from desktop.staff.panel_words import news_rows
from sync.changes import KINDS, Change, recent
from sync.editions import current, missing, workdays
from sync.station import load, read_rows
from sync.tables import Row, Tables
from tests.contract.province.hall import HALL, HallStation, asked
from tests.emulators.province_run import ProvinceRun
from tests.emulators.records import OneKey

pytestmark = pytest.mark.timeout(180)
SHIPPED = Tables.load()
DEGREES = [[row.code, row.zh, row.en] for row in SHIPPED.rows("degree")]
HOLIDAYS = [["2026-12-31", "holiday", "练习假"], ["2027-01-01", "holiday", "元旦"], ["2027-01-02", "workday", "练习调休"]]


@pytest.fixture(autouse=True)
def first(hall: HallStation, province: ProvinceRun) -> None:
    """The station knows how things were."""
    publish(province, "degree", DEGREES)
    news(hall)


def publish(province: ProvinceRun, table: str, rows: list[list[str]], edition: str = "1") -> None:
    province.desk("POST", "/tables", table=table, edition=edition, rows=rows)


def news(hall: HallStation) -> list[Change]:
    """Asks for everything; what changed by it, oldest first."""
    before = len(recent(hall.journal, 1000))
    hall.courier.hurry()
    assert hall.courier.refresh() and hall.courier.status().last_error_code == "", hall.news.trouble_code
    told = recent(hall.journal, 1000)
    return [one.change for one in reversed(told[:len(told) - before])]


def test_a_new_edition_of_a_table_comes_with_its_rows_and_says_what_changed(hall: HallStation, province: ProvinceRun) -> None:
    assert asked(province, "GET", "/v1/tables/") == 0, "what the product has in that edition is not fetched"
    publish(province, "degree", [*DEGREES[1:-1], ["99", "练习学位", "Practice degree"], [DEGREES[-1][0], "另一个名字", "Another name"]], "2")
    assert news(hall) == [Change("table.edition", "degree", "2"), Change("table.rows", "degree", "+1 -1 1 reworded")]
    tables = current(SHIPPED, hall.courier.station, hall.store)
    assert tables.label("degree", "99") == "练习学位" and not tables.has("degree", DEGREES[0][0])
    assert tables.rows("sex") == SHIPPED.rows("sex"), "tables that the province does not name stand as shipped"
    before = asked(province, "GET", "/v1/tables/")
    assert news(hall) == [] and asked(province, "GET", "/v1/tables/") == before
    hall.reopen()
    assert current(SHIPPED, load(hall.store), hall.store).label("degree", "99") == "练习学位"
    publish(province, "degree", DEGREES, "3")


def test_the_calendar_comes_down_and_says_where_it_ends(hall: HallStation, province: ProvinceRun) -> None:
    shipped = workdays(SHIPPED)
    assert shipped.after(date(2026, 9, 18), 2).day == date(2026, 9, 21), "a worked Sunday counts"
    assert shipped.after(date(2026, 12, 30), 2).provisional, "of 2027 nothing is known yet"
    publish(province, "workdays", [[row.code, row.zh, row.en] for row in SHIPPED.rows("workdays")] + HOLIDAYS)
    assert Change("table.rows", "workdays", "+3 -0 0 reworded") in news(hall)
    calendar = workdays(current(SHIPPED, hall.courier.station, hall.store))
    found = calendar.after(date(2026, 12, 30), 2)
    assert (found.day, found.provisional) == (date(2027, 1, 4), False) and calendar.is_worked(date(2027, 1, 2))


@pytest.mark.parametrize("body", ['{"type":"hall-intake/table/1","table":"degree","rows":[["1","假","Forged"]]}', "{}", "<html>log in</html>"])
@pytest.mark.expects_log("table refused")
def test_a_table_that_was_not_signed_for_is_never_taken(hall: HallStation, province: ProvinceRun, body: str) -> None:
    publish(province, "degree", [["7", "练习学位", "Practice degree"]], "9")
    province.order("status", method="GET", path="/v1/tables/", status=200, body=body, media="application/json", times=None)
    hall.courier.hurry()
    hall.courier.refresh()
    assert "table.degree" not in read_rows(hall.store) and current(SHIPPED, hall.courier.station, hall.store).rows("degree") == SHIPPED.rows("degree")
    assert hall.courier.status().last_error_code and missing(hall.courier.station, SHIPPED, hall.store) == ("degree",)
    province.desk("DELETE", "/faults")
    hall.later += 600
    news(hall)
    assert current(SHIPPED, hall.courier.station, hall.store).rows("degree") == (Row("7", "练习学位", "Practice degree"),)
    publish(province, "degree", DEGREES, "1")


@pytest.mark.parametrize(("path", "body", "kind"), [
    ("/people", {"id": "OP-000077", "name": "新人", "roles": ["collector"], "hall": HALL}, Change("person.added", "OP-000077")),
    ("/people", {"id": "OP-000077", "name": "新人", "roles": ["collector", "supervisor"], "hall": HALL},
     Change("person.roles", "OP-000077", "collector supervisor")),
    ("/people", {"id": "OP-000077", "remove": True}, Change("person.removed", "OP-000077")),
    ("/sams", {"sam": "05.01-20260101-0000000077-1234567890", "hall": HALL}, Change("reader.added", "05.01-20260101-0000000077-1234567890")),
    ("/sams", {"sam": "05.01-20260101-0000000077-1234567890", "remove": True}, Change("reader.removed", "05.01-20260101-0000000077-1234567890")),
])
def test_people_and_readers_that_come_and_go_are_told_by_their_ids(hall: HallStation, province: ProvinceRun, path: str, body: dict[str, Any],
                                                                   kind: Change) -> None:
    province.desk("POST", path, **body)
    assert kind in news(hall)
    assert not any("新人".encode() in line for line in hall.journal.lines())


def test_keys_and_stations_that_change_are_told(hall: HallStation, province: ProvinceRun) -> None:
    province.desk("POST", "/stations/lend", station_id=hall.station.station_id, hall="510200-02", window="03", until="2099-01-01T00:00:00Z")
    keyid = province.desk("POST", "/keys/rotate", purpose="states")["keyid"]
    told = news(hall)
    assert Change("key.added", keyid, "states") in told and Change("hall.other", "", "510200-02") in told and Change("window.other", "", "03") in told


def test_each_of_them_is_on_the_screen_in_both_languages(hall: HallStation, province: ProvinceRun) -> None:
    """From the province's own desk to the words of the panel."""
    publish(province, "workdays", [[row.code, row.zh, row.en] for row in SHIPPED.rows("workdays")], "50")
    news(hall)
    before, other = view_of(hall.courier.station), "05.01-20260101-0000000055-1234567890"
    province.desk("POST", "/people", id="OP-000056", name="新人", roles=["collector"], hall=HALL)
    province.desk("POST", "/sams", sam=other, hall=HALL)
    province.desk("POST", "/late", after_end_days=9, trust_claimed_time=False)
    province.desk("POST", "/keys/rotate", purpose="receipts")
    province.desk("POST", "/keys/rotate", purpose="intake")
    publish(province, "workdays", HOLIDAYS, "51")
    second = HallStation(hall.folder.parent / "second", hall.people, province)
    news(hall)
    found = changes(before, view_of(hall.courier.station), datetime.now(UTC))
    assert {one.what for one in found} == {"person_in", "readers_in", "late", "trust", "keys", "tables", "station_in"}
    for lang in LANGUAGES:
        rows = news_rows(Words(lang), replace(IntakeState(), changes=found), datetime.now(UTC))
        assert len(rows) == len(found) and all(row.title and "{" not in row.title and "news." not in row.title for row in rows)
    told = {one.change.kind for one in recent(hall.journal, 1000)}
    assert {"person.added", "reader.added", "late.other", "key.added", "intake.other", "table.rows", "station.added"} <= told
    second.close()
    province.desk("POST", "/late", after_end_days=None, trust_claimed_time=False)
    province.desk("POST", "/people", id="OP-000056", remove=True)
    province.desk("POST", "/sams", sam=other, remove=True)


def test_the_command_says_what_came_down_and_what_changed(hall: HallStation, province: ProvinceRun, monkeypatch: pytest.MonkeyPatch,
                                                          capsys: pytest.CaptureFixture[str]) -> None:
    assert set(CHANGE_WORDS) == set(KINDS)
    province.desk("POST", "/people", id="OP-000055", name="新人", roles=["collector"], hall=HALL)
    news(hall)
    hall.close()
    monkeypatch.setenv("HALL_INTAKE_HOME", str(hall.folder))
    monkeypatch.setattr(command, "KeyCabinet", lambda: OneKey(hall._key))
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    code = command.run(parser.parse_args([]))
    hall.reopen()
    said = capsys.readouterr().out
    assert code == 0 and "OP-000055" in said and "person added" in said and "新人" not in said
    assert "settings" in said and "calendar of working days: 2026" in said and "good until" in said
    province.desk("POST", "/people", id="OP-000055", remove=True)


def test_publicity_runs_by_working_days_and_ends_by_the_provinces_clock(hall: HallStation, province: ProvinceRun) -> None:
    record = hall.keep()
    hall.drive(record, "receipted")
    publish(province, "workdays", HOLIDAYS, "7")
    province.desk("POST", "/records/state", record_id=record, state="publicity")
    news(hall)
    row, today = hall.row(record), datetime.now(UTC).astimezone(timezone(timedelta(hours=8))).date()
    calendar = workdays(current(SHIPPED, hall.courier.station, hall.store))
    assert row.remote_state == "publicity" and row.remote_until is not None and row.remote_until > today + timedelta(days=15)
    assert calendar.is_worked(row.remote_until)
    province.desk("POST", "/clock", offset=((row.remote_until - today).days + 2) * 86_400)
    hall.moment = lambda: datetime.now(UTC) + timedelta(days=((row.remote_until or today) - today).days + 2)
    news(hall)
    assert hall.row(record).remote_state == "effective"
