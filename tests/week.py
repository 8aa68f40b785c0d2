"""A week at one station with three days offline, and the reconciliation sheet of each evening. Never uses a device, a window or a person's real data.

``python -m tests.week [--folder DIR]``: a real store, outbox, journal and courier at a reference province; both clocks are turned day by day. Printed: each
evening's sheet as it stood that evening, then all five as they stand when everything came through. Ends with 1 where a record is missing or there twice.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from desktop.commands.reconcile import lines_of, sheet_of
from desktop.flows.intake_state import hall_date
from sync.reconcile import DaySheet
from tests.contract.province.hall import HallStation, People, came_in, open_lists
from tests.emulators.province_run import ProvinceRun

__all__ = ["DAYS", "OFFLINE", "Week"]

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
OFFLINE = (1, 2, 3)
_RECORDS = (3, 2, 2, 2, 2)
_STEPS = 400


class Week:
    """Turns both clocks to a day of the week and works there. ``kept``: the records of each day."""

    def __init__(self, hall: HallStation, province: ProvinceRun) -> None:
        self.hall, self.province = hall, province
        self.kept: dict[int, list[str]] = {}
        today = datetime.now(UTC).replace(hour=1, minute=0, second=0, microsecond=0)
        self._morning = today + timedelta(days=7 - hall_date(today).weekday())
        """09:00 at the hall, next Monday."""

    def day(self, number: int) -> date:
        return hall_date(self._morning + timedelta(days=number))

    def work(self, number: int, records: int, online: bool) -> DaySheet:
        """Keeps so many records that day, lets the courier try, and gives the evening's sheet."""
        ahead = self._morning + timedelta(days=number) - datetime.now(UTC)
        self.hall.moment = lambda: datetime.now(UTC) + ahead
        self.hall.later += 86_400
        self.province.desk("DELETE", "/faults")
        self.province.desk("POST", "/clock", offset=ahead.total_seconds())
        if not online:
            self.province.order("unreachable", times=None)
        self.kept[number] = [self.hall.keep() for _ in range(records)]
        self.hall.courier.hurry()
        for _ in range(_STEPS):
            if not self.hall.courier.step():
                break
        return self.sheet(number)

    def sheet(self, number: int) -> DaySheet:
        """As it stands now."""
        return sheet_of(self.hall.outbox, self.hall.journal, self.day(number))

    def whole(self) -> bool:
        """Every record is at the province, once."""
        return all(came_in(self.province, record) == 1 for kept in self.kept.values() for record in kept)


def play(folder: Path, say: Callable[[str], None]) -> bool:
    """The whole week; whether every record came in once and every sheet is equal in the end."""
    people = People(folder / "ca")
    with people.province(folder / "province") as province:
        open_lists(province)
        hall = HallStation(folder / "home", people, province)
        try:
            week = Week(hall, province)
            for number, name in enumerate(DAYS):
                online = number not in OFFLINE
                sheet = week.work(number, _RECORDS[number], online)
                say(f"== {name} {week.day(number)}, evening ({'online' if online else 'the line is down'})\n" + "\n".join(lines_of(sheet)) + "\n")
            say("== the same five days, as they stand on Friday evening")
            sheets = [week.sheet(number) for number in range(len(DAYS))]
            for sheet in sheets:
                say("\n".join(lines_of(sheet)))
            return week.whole() and all(sheet.balanced for sheet in sheets)
        finally:
            hall.close()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.week")
    parser.add_argument("--folder", type=Path, help="where the store lies meanwhile")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        return 0 if play(Path(folder), print) else 1


if __name__ == "__main__":
    sys.exit(main())
