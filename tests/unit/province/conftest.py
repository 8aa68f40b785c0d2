"""A province in earnest format (loopback), one enrolled station and the people of its hall. Never the practice hall's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.emulators.postgres import Postgres, find_programs
from tests.province.__main__ import Running, serve
from tests.unit.province import hand


@pytest.fixture(scope="session")
def people(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """Certificates of collector (RSA), second collector, supervisor, administrator, and a stranger of another root."""
    ca = hand.Ca(tmp_path_factory.mktemp("signers") / "ca")
    other = hand.Ca(tmp_path_factory.mktemp("strangers") / "ca", "Another root")
    return SimpleNamespace(
        root=ca.root,
        collector=ca.person("OP-000017", rsa=True),
        second=ca.person("OP-000018"),
        supervisor=ca.person("SV-000001"),
        administrator=ca.person("AD-000001"),
        unlisted=ca.person("OP-999999"),
        stranger=other.person("OP-000017"),
    )


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.sweep)])
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """The province's one setting. Every test of this folder runs over both; each module has a PostgreSQL of its own."""
    if request.param == "sqlite":
        yield ""
        return
    if find_programs() is None:
        pytest.skip("no PostgreSQL server here")
    with Postgres() as running:
        yield running.words()


def open_province(folder: Path, people: SimpleNamespace, practice: bool, database: str = "") -> Running:
    running = serve(folder, [people.root], practice=practice, database=database)
    realm = running.realm
    realm.add_hall(hand.HALL, "第一政务大厅")
    realm.add_person("OP-000017", "甲", ["collector"], hand.HALL)
    realm.add_person("OP-000018", "乙", ["collector"], hand.HALL)
    realm.add_person("SV-000001", "丙", ["supervisor"], hand.HALL)
    realm.add_person("AD-000001", "丁", ["administrator"], hand.HALL)
    realm.stations.add_reader(hand.SAM, hand.HALL)
    return running


@pytest.fixture(scope="module")
def province(tmp_path_factory: pytest.TempPathFactory, people: SimpleNamespace, database: str) -> Iterator[Running]:
    with open_province(tmp_path_factory.mktemp("province"), people, practice=False, database=database) as running:
        yield running


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory, province: Running, people: SimpleNamespace) -> Iterator[hand.Station]:
    invitation, code = province.realm.invite(hand.HALL, hand.WINDOW)
    made = hand.enrol(tmp_path_factory.mktemp("station") / "s", invitation, code, people.administrator)
    yield made
    made.session.close()


@pytest.fixture(autouse=True)
def nothing_left_open(request: pytest.FixtureRequest) -> Iterator[None]:
    """Takes back faults and clock, and closes the station's connection: the server's thread of it ends with the test."""
    yield
    if "station" in request.fixturenames:
        request.getfixturevalue("station").session.close()
    if "province" in request.fixturenames:
        running = request.getfixturevalue("province")
        running.faults.clear()
        running.realm.clock.offset = 0
