"""Working days: counted over holidays and worked weekends, provisional where the calendar ends."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.errors import FormatTrouble
from sync.tables import Row, Tables
from sync.workdays import CALENDAR, Workdays

SHIPPED = Workdays.of(Tables.load().rows(CALENDAR))


@pytest.mark.parametrize(("first", "count", "last"), [
    ("2026-02-13", 1, "2026-02-14"), ("2026-02-13", 2, "2026-02-24"), ("2026-09-30", 1, "2026-10-08"), ("2026-09-30", 3, "2026-10-10"),
    ("2026-01-01", 1, "2026-01-04"), ("2026-05-08", 1, "2026-05-09"), ("2026-11-20", 0, "2026-11-20"), ("2026-11-20", 15, "2026-12-11"),
])
def test_days_of_2026(first: str, count: int, last: str) -> None:
    found = SHIPPED.after(date.fromisoformat(first), count)
    assert (found.day.isoformat(), found.provisional) == (last, False)


def test_past_the_calendar_it_is_provisional() -> None:
    assert SHIPPED.after(date(2026, 12, 25), 15).provisional and not SHIPPED.knows(2027)
    assert Workdays({}).after(date(2026, 11, 20), 1).provisional


@given(st.dates(date(2025, 1, 1), date(2027, 12, 31)), st.integers(1, 60))
def test_a_count_is_met_by_so_many_worked_days(first: date, count: int) -> None:
    last = SHIPPED.after(first, count).day
    days = [first + timedelta(days=n) for n in range(1, (last - first).days + 1)]
    assert sum(map(SHIPPED.is_worked, days)) == count and SHIPPED.is_worked(last)


@pytest.mark.parametrize("rows", [[Row("2026-13-01", "holiday", "")], [Row("2026-01-01", "party", "")], [Row("2026-01-01", "holiday", "")] * 2])
def test_a_calendar_with_a_day_that_is_none_is_refused(rows: list[Row]) -> None:
    with pytest.raises(FormatTrouble):
        Workdays.of(rows)


@pytest.mark.parametrize("count", [-1, 2501])
def test_a_count_out_of_reach_is_refused(count: int) -> None:
    with pytest.raises(ValueError):
        SHIPPED.after(date(2026, 1, 1), count)
