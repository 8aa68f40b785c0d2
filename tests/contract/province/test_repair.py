"""A record that the province refused is repaired, signed anew and receipted: there is one registration there, whatever the old one was refused for."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import pytest

from sync.canon import canon, digest
from sync.draft import Draft, Source
from sync.errors import ProvinceUnreachable, RepairThere
from sync.freeze import Sitting, freeze
from sync.outbox import Summary
from sync.parked import Parked
from sync.reconcile import DaySheet, reconcile
from sync.repair import reopen
from sync.seal import seal
from sync.signing import make_signature
from sync.tables import Tables
from tests.contract.province.hall import HALL, SAM, WINDOW, HallStation, came_in
from tests.emulators.province_run import ProvinceRun
from tests.flows.sample import full_draft

pytestmark = pytest.mark.timeout(180)
OWNER = "op:OP-000017"


@dataclass
class Desk:
    """What a collector does at the station: a sitting, kept; a repair."""

    hall: HallStation

    @property
    def parked(self) -> Parked:
        return Parked(self.hall.store, self.hall.blobs, lambda: datetime.now(UTC))

    def sitting(self, sam: str) -> Draft:
        one = full_draft(f"d-{uuid.uuid4()}")
        one = replace(one, stills=(), card={**(one.card or {}), "sam": sam})
        self.parked.put(one)
        for kind in ("portrait", "skill_certificate"):
            one = one.with_still(self.parked.add_still(one.draft_id, kind, "image/jpeg", kind.encode() * 200))
        self.parked.put(one)
        return one

    def keep(self, draft: Draft) -> str:
        hall, record_id, now = self.hall, str(uuid.uuid4()), datetime.now(UTC)
        collector = hall.people.collector
        sitting = Sitting(hall.station.station_id, HALL, WINDOW, "OP-000017", "练习员", digest(collector.certificate), True)
        record = freeze(draft, sitting, Tables.load(), record_id, now)
        parts = [(one.name, self.parked.still(still.still_id)) for one, still in zip(record.attachments, draft.stills, strict=True)]
        exact = canon(record.as_json())
        sealed = seal(exact, parts, record_id, hall.station.station_id, hall.station.intake, hall.station.recovery)
        hall.outbox.keep(sealed, digest(exact), make_signature(exact, collector, now), (), OWNER, Summary("练习人", "0012", ("4",)), draft_id=draft.draft_id)
        return record_id

    def repair(self, record_id: str) -> Draft:
        hall = self.hall
        found = self.parked.get(reopen(hall.outbox, self.parked, hall.journal, record_id, OWNER, lambda one: hall.province.record(one) is not None,
                                       str(uuid.uuid4()), datetime.now(UTC)))
        assert found is not None
        return found

    def sheet(self) -> DaySheet:
        return reconcile(self.hall.outbox.rows(), self.hall.journal.lines(), self._day(datetime.now(UTC)), self._day)

    def _day(self, at: datetime) -> date:
        return (at + timedelta(hours=8)).date()


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
