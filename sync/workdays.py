"""Arithmetic of working days over the calendar table, which says "provisional" past its data. Never guesses a holiday.

The calendar (FORMATS section 7, table ``workdays``) names holidays and worked weekends; any other day is worked from Monday to Friday. Of a year that it names
no day of, nothing is known yet: what is counted there is provisional.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from sync.errors import FormatTrouble
from sync.tables import Row

__all__ = ["CALENDAR", "Workday", "Workdays"]

CALENDAR = "workdays"
"""The name of the table."""
_MOST_DAYS = 3660


@dataclass(frozen=True, slots=True)
class Workday:
    """A day that was counted to; ``provisional`` where a year without data was counted through."""

    day: date
    provisional: bool


@dataclass(frozen=True, slots=True)
class Workdays:
    """The calendar. ``worked``: day -> worked or not, for the days that it names."""

    worked: Mapping[date, bool]

    @classmethod
    def of(cls, rows: Iterable[Row]) -> Workdays:
        """From the table's rows. Raises FormatTrouble (what: ``workdays``) for a row that is no day of it."""
        found: dict[date, bool] = {}
        for row in rows:
            try:
                day = date.fromisoformat(row.code)
            except ValueError as error:
                raise FormatTrouble("a day of the calendar is no date", what=CALENDAR) from error
            if row.zh not in ("holiday", "workday") or day in found:
                raise FormatTrouble("a day of the calendar is of no known kind, or stands twice", what=CALENDAR)
            found[day] = row.zh == "workday"
        return cls(found)

    def knows(self, year: int) -> bool:
        """Whether the calendar names days of that year."""
        return any(day.year == year for day in self.worked)

    def is_worked(self, day: date) -> bool:
        return self.worked.get(day, day.weekday() < 5)

    def after(self, first: date, count: int) -> Workday:
        """The last of ``count`` working days that follow ``first``. Raises ValueError for a count below 0 or beyond ten years."""
        if not 0 <= count <= 2500:
            raise ValueError("count is from 0 to 2500 working days")
        day, years = first, {first.year}
        for _ in range(_MOST_DAYS):
            if count == 0:
                break
            day += timedelta(days=1)
            years.add(day.year)
            count -= self.is_worked(day)
        return Workday(day, not all(self.knows(year) for year in years))
