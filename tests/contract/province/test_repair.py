"""A record that the province refused is repaired, signed anew and receipted: there is one registration there, whatever the old one was refused for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sync.draft import Source
from sync.errors import ProvinceUnreachable, RepairThere
from tests.contract.province.desk import OWNER, Desk
from tests.contract.province.hall import SAM, HallStation, came_in
from tests.emulators.province_run import ProvinceRun

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def desk(hall: HallStation) -> Iterator[Desk]:
    yield Desk(hall)


def records_of(province: ProvinceRun, before: set[str]) -> set[str]:
    return {one["record_id"] for one in province.look()["records"]} - before


@pytest.mark.expects_log("set aside: province.reader")
def test_refused_set_aside_repaired_receipted_and_one_record_there(hall: HallStation, province: ProvinceRun, desk: Desk) -> None:
    before = records_of(province, set())
    old = desk.keep(desk.sitting("05.01-20200101-0000000099-0000000099"))  # a module that no list of the province names: 422, for good
    hall.drive(old, "set_aside")
    assert hall.row(old).reason == "province.reader" and not desk.sheet().balanced
    draft = desk.repair(old)
    assert draft.card is not None and draft.card["sam"].endswith("99") and len(draft.stills) == 2
    hall.reopen()
    again = desk.repair(old)
    assert again == draft, "the same sitting, also after a new start"
    mended = replace(again, card={**(again.card or {}), "sam": SAM}).take("person.mobile", "13900000002", Source.TYPED, by="OP-000017", at=datetime.now(UTC))
    desk.parked.put(mended)
    new = desk.keep(mended)
    assert (hall.row(old).state, hall.row(old).replaced_by) == ("replaced", new)
    hall.drive(new, "receipted")
    hall.courier.hurry()
    while hall.courier.step():
        pass
    assert (hall.row(old).state, hall.row(new).state) == ("replaced", "receipted")
    assert records_of(province, before) == {new} and (came_in(province, new), came_in(province, old)) == (1, 0)
    sheet = desk.sheet()
    assert sheet.balanced and (sheet.captured, sheet.signed, sheet.sent, sheet.acknowledged) == (1, 1, 1, 1)
    assert [(one.record_id, one.by) for one in sheet.replaced] == [(old, new)]
    assert hall.outbox.purge_due(datetime.now(UTC) + timedelta(days=400), 30) == (new,) and hall.blobs.ids() == ()


@pytest.mark.expects_log("set aside: receipt.mismatch")
def test_what_the_province_took_is_not_repaired_but_gets_its_receipt(hall: HallStation, province: ProvinceRun, desk: Desk) -> None:
    before = records_of(province, set())
    old = desk.keep(desk.sitting(SAM))
    province.order("envelope", method="PUT", path=old, alter={"serial": None}, key="own")
    hall.drive(old, "set_aside")
    province.order("unreachable", times=None)
    with pytest.raises(ProvinceUnreachable):
        desk.repair(old)
    province.desk("DELETE", "/faults")
    with pytest.raises(RepairThere):
        desk.repair(old)
    assert desk.parked.list(OWNER) == ()
    hall.outbox.retry(old, who=OWNER)
    hall.drive(old, "receipted")
    assert records_of(province, before) == {old} and desk.sheet().balanced


@pytest.mark.expects_log("set aside: province.refused")
def test_offline_a_record_that_was_refused_for_good_is_repaired(hall: HallStation, province: ProvinceRun, desk: Desk) -> None:
    old = desk.keep(desk.sitting(SAM))
    province.order("status", method="PUT", path=old, status=422, code="record.format")
    hall.drive(old, "set_aside")
    province.order("unreachable", times=None)
    new = desk.keep(desk.repair(old))
    province.desk("DELETE", "/faults")
    hall.pass_time(600)
    hall.drive(new, "receipted")
    assert (came_in(province, new), came_in(province, old), desk.sheet().balanced) == (1, 0, True)


@pytest.mark.expects_log("set aside: province.refused")
def test_a_repair_that_is_thrown_away_leaves_the_first_to_be_sent(hall: HallStation, province: ProvinceRun, desk: Desk) -> None:
    old = desk.keep(desk.sitting(SAM))
    province.order("status", method="PUT", path=old, status=422, code="record.format")
    hall.drive(old, "set_aside")
    desk.parked.drop(desk.repair(old).draft_id)
    hall.outbox.retry(old, who=OWNER)
    hall.drive(old, "receipted")
    assert came_in(province, old) == 1 and desk.sheet().balanced and desk.sheet().replaced == ()
