"""What a station learns from the reference province beside receipts: its enrolment, people, states, clock, journal, sheets. Over real TLS."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sync.enrolment import enrol
from sync.errors import EnrolmentRefused, ProvinceRefused, ProvinceUnreachable, SignatureInvalid
from sync.signing import make_signature
from sync.station import load
from sync.store import Store
from tests.contract.province.hall import HALL, WINDOW, HallStation, asked
from tests.emulators.province_run import ProvinceRun

pytestmark = pytest.mark.timeout(180)


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


# -- clock and news -------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("skew", "code"), [(-7200, "province.clock"), (3600, "province.clock_off")])
def test_the_clocks_difference_is_measured_and_told(hall: HallStation, province: ProvinceRun, skew: int, code: str) -> None:
    province.desk("POST", "/clock", offset=skew)
    assert abs(hall.province.time().seconds - skew) < 3
    hall.courier.refresh()  # with a clock behind the certificate's first day the province refuses the station: still it is the clock that is named
    status = hall.courier.status()
    assert status.last_error_code == code and status.clock_offset_s is not None and abs(status.clock_offset_s - skew) < 3
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
