"""A record that the province returned is corrected, receipted, and stands in the old one's place there; so is a correction that was returned itself."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from sync.canon import parse_canonical
from sync.draft import Draft, Source
from sync.errors import StoreTrouble
from sync.repair import reopen
from tests.contract.province.desk import OWNER, Desk
from tests.contract.province.hall import SAM, HallStation, came_in
from tests.emulators.province_run import ProvinceRun

pytestmark = pytest.mark.timeout(180)
ITEMS = [{"path": "person.mobile", "text": "打不通"}, {"path": "record", "text": "请写明情况"}]


@pytest.fixture
def desk(hall: HallStation) -> Iterator[Desk]:
    yield Desk(hall)


def send_back(hall: HallStation, province: ProvinceRun, record_id: str, state: str = "correction_required") -> None:
    province.desk("POST", "/records/state", record_id=record_id, state=state, until="2030-12-14", items=ITEMS)
    news(hall)
    assert hall.row(record_id).returned


def news(hall: HallStation) -> None:
    hall.courier.hurry()
    assert hall.courier.refresh()


def mended(desk: Desk, draft: Draft, mobile: str) -> Draft:
    assert draft.amends is not None and [(one.path, one.text) for one in draft.amends.items] == [(one["path"], one["text"]) for one in ITEMS]
    at = datetime.now(UTC).replace(microsecond=0)
    done = replace(draft, amends=draft.amends.turned(1)).take("person.mobile", mobile, Source.TYPED, by="OP-000017", at=at)
    desk.parked.put(done)
    return done


def there(province: ProvinceRun) -> dict[str, tuple[str, str | None]]:
    return {one["record_id"]: (one["state"], one["amended_by"]) for one in province.look()["records"]}


def test_returned_corrected_receipted_and_the_province_shows_the_old_one_amended(hall: HallStation, province: ProvinceRun, desk: Desk) -> None:
    old = desk.keep(desk.sitting(SAM))
    hall.drive(old, "receipted")
    send_back(hall, province, old)
    assert hall.row(old).remote_until == date(2030, 12, 14)
    draft = mended(desk, desk.repair(old), "13900000002")
    hall.reopen()
    assert desk.repair(old) == draft, "the same sitting, also after a new start"
    new = desk.keep(draft)
    receipt = hall.row(old).receipt
    hall.drive(new, "receipted")
    assert (there(province)[old], there(province)[new]) == (("withdrawn", new), ("received", None)) and came_in(province, new) == 1
    record = parse_canonical(hall.outbox.open_packet(new)[0].content, "record")
    assert (record["amends"], record["prev_digest"], record["revision"]) == (old, hall.row(old).record_digest, 2)
    news(hall)
    row = hall.row(old)
    assert (row.state, row.remote_state, row.amended_by, row.receipt) == ("receipted", "withdrawn", new, receipt) and not row.returned
    sheet = desk.sheet()
    assert sheet.balanced and (sheet.captured, sheet.signed, sheet.sent, sheet.acknowledged) == (2, 2, 2, 2)


@pytest.mark.parametrize("state", ["correction_required", "refused"])
def test_a_correction_that_comes_back_is_corrected_again(hall: HallStation, province: ProvinceRun, desk: Desk, state: str) -> None:
    chain = [desk.keep(desk.sitting(SAM))]
    for number in range(2):
        hall.drive(chain[-1], "receipted")
        send_back(hall, province, chain[-1], state)
        chain.append(desk.keep(mended(desk, desk.repair(chain[-1]), f"1390000001{number}")))
    hall.drive(chain[-1], "receipted")
    first, second, third = chain
    assert (there(province)[first], there(province)[second], there(province)[third]) == (("withdrawn", second), ("withdrawn", third), ("received", None))
    assert [hall.row(one).revision for one in chain] == [1, 2, 3] and desk.sheet().balanced


@pytest.mark.expects_log("set aside: province.refused")
def test_a_correction_that_is_refused_is_repaired_and_still_amends(hall: HallStation, province: ProvinceRun, desk: Desk) -> None:
    old = desk.keep(desk.sitting(SAM))
    hall.drive(old, "receipted")
    send_back(hall, province, old)
    aside = desk.keep(mended(desk, desk.repair(old), "13900000002"))
    province.order("status", method="PUT", path=aside, status=422, code="record.format")
    hall.drive(aside, "set_aside")
    assert not hall.row(old).returned and there(province)[old] == ("correction_required", None)
    new = desk.keep(desk.repair(aside))
    hall.drive(new, "receipted")
    assert there(province)[old] == ("withdrawn", new) and aside not in there(province) and hall.row(old).amended_by == new
    assert desk.sheet().balanced


def test_what_the_province_accepts_meanwhile_is_not_opened_any_more(hall: HallStation, province: ProvinceRun, desk: Desk) -> None:
    old = desk.keep(desk.sitting(SAM))
    hall.drive(old, "receipted")
    send_back(hall, province, old)
    province.desk("POST", "/records/state", record_id=old, state="accepted")
    news(hall)
    with pytest.raises(StoreTrouble):
        reopen(hall.outbox, desk.parked, hall.journal, old, OWNER, lambda _id: True, str(uuid.uuid4()), datetime.now(UTC))
