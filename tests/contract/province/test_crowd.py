"""Stations at once at a province on PostgreSQL: the small form of ``tests.bench.stations`` (which has fifty). Figures are printed, never judged."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.stations import crowd, percentile
from tests.emulators.postgres import Postgres, find_programs

pytestmark = [pytest.mark.timeout(300), pytest.mark.skipif(find_programs() is None, reason="no PostgreSQL server here")]


def test_five_stations_send_four_records_each(tmp_path: Path) -> None:
    with Postgres() as running:
        found = crowd(tmp_path, stations=5, records=4, size=200_000, database=running.words())
    figures = found.figures()
    print(figures)
    assert (figures["records"], figures["receipts"], figures["failed tries"]) == (20, 20, 0)
    assert figures["came in, each once"] == 20 and figures["serials without a gap"] == 20


@pytest.mark.parametrize(("values", "percent", "wanted"), [([1.0], 99, 1.0), ([3.0, 1.0, 2.0], 50, 2.0), ([float(n) for n in range(1, 101)], 99, 99.0)])
def test_a_percentile_is_a_value_that_was_seen(values: list[float], percent: int, wanted: float) -> None:
    assert percentile(values, percent) == wanted
