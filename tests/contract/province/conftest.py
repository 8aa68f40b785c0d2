"""A reference province beside the tests of a module, and a freshly enrolled station for each test. Never shared between modules."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.province.hall import HallStation, People, open_lists
from tests.emulators.province_run import ProvinceRun


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> People:
    return People(tmp_path_factory.mktemp("people") / "ca")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, people: People) -> Iterator[ProvinceRun]:
    with people.province(tmp_path_factory.mktemp("province") / "p") as province:
        open_lists(province)
        yield province


@pytest.fixture
def province(running: ProvinceRun) -> Iterator[ProvinceRun]:
    yield running
    running.desk("DELETE", "/faults")
    running.desk("POST", "/clock", offset=0)


@pytest.fixture
def hall(tmp_path: Path, people: People, province: ProvinceRun) -> Iterator[HallStation]:
    made = HallStation(tmp_path / "home", people, province)
    yield made
    made.close()
