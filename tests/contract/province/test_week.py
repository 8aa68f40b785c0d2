"""A simulated week with three days offline: the sheet of each evening, as it stands that evening and when all has come through. Also: python -m tests.week."""

from __future__ import annotations

import pytest

from desktop.commands.reconcile import lines_of
from sync.reconcile import DaySheet
from tests.contract.province.hall import HallStation, came_in
from tests.emulators.province_run import ProvinceRun
from tests.emulators.records import NAME
from tests.week import Week

pytestmark = pytest.mark.timeout(300)

def counts(sheet: DaySheet) -> tuple[int, int, int, int]:
    return sheet.captured, sheet.signed, sheet.sent, sheet.acknowledged


def test_a_week_with_three_days_offline(hall: HallStation, province: ProvinceRun) -> None:
    week = Week(hall, province)
    monday = week.work(0, 3, online=True)
    assert counts(monday) == (3, 3, 3, 3) and monday.balanced and monday.acknowledged_that_day == 3
    for number in (1, 2, 3):  # Tuesday to Thursday the line is down
        sheet = week.work(number, 2, online=False)
        assert counts(sheet) == (2, 2, 0, 0) and not sheet.balanced and sheet.acknowledged_that_day == 0
        assert {one.record_id for one in sheet.differences} == set(week.kept[number])
        assert {(one.kind, one.weight) for one in sheet.differences} == {("waiting", "waits")}
        assert {one.record_id for one in sheet.earlier} == {record for day in range(1, number) for record in week.kept[day]}
    assert any("province.unreachable" in line for line in lines_of(week.sheet(1)))
    friday = week.work(4, 2, online=True)
    assert counts(friday) == (2, 2, 2, 2) and friday.balanced and friday.acknowledged_that_day == 8, "the backlog of three days and the day's own"
    for number in (1, 2, 3):
        sheet = week.sheet(number)
        assert counts(sheet) == (2, 2, 2, 2) and sheet.balanced and sheet.acknowledged_that_day == 0
    unsigned = hall.keep(signed=False)
    week.kept[4].append(unsigned)
    evening = week.sheet(4)
    assert counts(evening) == (3, 2, 2, 2) and [(one.record_id, one.kind) for one in evening.differences] == [(unsigned, "unsigned")]
    text = "\n".join(lines_of(evening))
    assert unsigned in text and "采集 captured: 3" in text and NAME not in text and "练习" not in text
    assert all(came_in(province, record) == 1 for day, kept in week.kept.items() for record in kept if record != unsigned)
    print("\n" + "\n".join(line for number in range(5) for line in lines_of(week.sheet(number))))
