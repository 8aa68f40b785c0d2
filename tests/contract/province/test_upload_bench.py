"""The small form of ``tests.bench.upload``: over a slow line, against bare requests, through cuts. Rates are printed, never judged; bytes are."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sync.upload import LARGEST, PART
from tests.bench.upload import Bench

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with Bench(tmp_path_factory.mktemp("bench")) as made:
        yield made


def test_a_cut_costs_one_part_at_most(bench: Bench) -> None:
    found = bench.cuts(9.3, cuts=6)
    print(found)
    assert found["cuts"] == 6 and found["uploads begun"] == 1
    assert found["parts sent again for one cut, at most"] <= 1.0


def test_the_bare_way_sends_the_same_parts(bench: Bench) -> None:
    found = bench.against_bare(11, rounds=1)
    print(found)
    sizes = found["parts MiB"]
    assert isinstance(sizes, list) and sizes[0] == 1.0 and sum(sizes) == 11 and max(sizes) <= LARGEST / PART


def test_parts_stay_small_on_a_slow_line(bench: Bench) -> None:
    found = bench.line(mbit=6, mib=2.5, delay_s=0.005)
    print(found)
    assert found["parts MiB"] == [1.0, 1.0, 0.5], "twice as much would take longer than a part may"
