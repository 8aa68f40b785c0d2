"""The table driver x card kind x fault, from what the contract suites really saw: ``python -m tests.contract.card_table [--markdown FILE]``.

Runs the suites of readers in this process and prints what each test noted by the fixture ``table``. Nothing is written by hand: a row is there because a test
passed it, or marked because it failed. Needs namespaces of its own (``installer/alone``, or as the tests run), else PC/SC is missing from it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tests.emulators.pcscd import why_not_here

__all__ = ["ROW", "Table", "main"]

ROW = "card-table"
HERE = Path(__file__).parent
SUITES = ("test_card_reader.py", "test_pcsc_reader.py", "test_serial_reader.py", "test_vendor_reader.py", "test_manual_entry.py")
DRIVERS = ("pcsc-whole", "pcsc-chained", "pcsc-escape", "serial", "tcp", "sdt", "cvr", "by hand", "social")
GOOD = "intact"
"""The fault of rows that have none."""


class Table:
    """A pytest plug-in that gathers rows (driver, card, fault, what came of it). Of one cell with several results all are kept."""

    def __init__(self) -> None:
        self.cells: dict[tuple[str, str, str], list[str]] = {}
        self.failed: list[str] = []
        self.passed = 0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.passed:
            self.passed += 1
        if report.failed:
            self.failed.append(report.nodeid)
        if report.when != "call":
            return
        for name, row in report.user_properties:
            if name == ROW and isinstance(row, tuple):
                driver, card, fault, said = map(str, row)
                results = self.cells.setdefault((driver, card, fault), [])
                result = said if report.passed else f"{said} (test failed)"
                if result not in results:
                    results.append(result)

    def lines(self) -> Iterator[str]:
        """Two tables as Markdown: cards that are read, faults and their names."""
        drivers = [name for name in DRIVERS if any(cell[0] == name for cell in self.cells)]
        yield from self._table("card", drivers, dict.fromkeys(card for _, card, fault in self.cells if fault == GOOD), lambda card: (card, GOOD))
        yield ""
        faults = dict.fromkeys(fault for _, _, fault in self.cells if fault != GOOD)
        yield from self._table("fault", drivers, faults, lambda fault: (None, fault))
        yield ""
        yield f"{self.passed} tests passed, {len(self.failed)} failed"
        yield from (f"- FAILED {name}" for name in self.failed)

    def _table(self, head: str, drivers: list[str], rows: Iterable[str], key: object) -> Iterator[str]:
        yield f"| {head} | {' | '.join(drivers)} |"
        yield "|---" * (len(drivers) + 1) + "|"
        for row in rows:
            card, fault = key(row)   # type: ignore[operator]
            cells = [self._cell(driver, card, fault) for driver in drivers]
            yield f"| {row} | {' | '.join(cells)} |"

    def _cell(self, driver: str, card: str | None, fault: str) -> str:
        said = [one for (of, kind, what), results in self.cells.items() if of == driver and what == fault and card in (None, kind) for one in results]
        return ", ".join(dict.fromkeys(said)) or "-"


def main(arguments: list[str]) -> int:
    """The exit code of the suites."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table here, too")
    given = parser.parse_args(arguments)
    if why := why_not_here():
        print(f"without PC/SC: {why}", file=sys.stderr)
    table = Table()
    code = pytest.main(["-q", "--no-header", "-p", "no:cacheprovider", *(str(HERE / suite) for suite in SUITES)], plugins=[table])
    text = "\n".join(table.lines())
    print(f"\n{text}")
    if given.markdown is not None:
        given.markdown.write_text(text + "\n", "utf-8")
    return int(code)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
