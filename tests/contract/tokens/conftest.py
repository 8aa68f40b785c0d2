"""The three kinds of soft tokens as fixtures (``tests/emulators/token_kinds.py``). Never asks a real token."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from devices.tokens.hosted import HostedDriver, HostedToken
from tests.emulators.token_kinds import DIGEST, PIN, QUICK, WRONG, Kind, Soft, by_name, sign, soft_kinds

__all__ = ["DIGEST", "Kind", "PIN", "QUICK", "Soft", "WRONG", "by_name", "sign"]


@pytest.fixture(scope="package")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Kind]]:
    with soft_kinds(tmp_path_factory.mktemp("tokens")) as made:
        yield made


@pytest.fixture(params=["softhsm", "faulty", "softskf"])
def kind(request: pytest.FixtureRequest, kinds: dict[str, Kind]) -> Iterator[Kind]:
    """Each kind without faults: what holds for one MUST hold for all."""
    yield kinds[request.param]
    kinds[request.param].heal()


@pytest.fixture(params=["faulty", "softskf"])
def faulty_kind(request: pytest.FixtureRequest, kinds: dict[str, Kind]) -> Iterator[Kind]:
    """The kinds that can be told to have the faults of real tokens."""
    yield kinds[request.param]
    kinds[request.param].heal()


@pytest.fixture
def skf(kinds: dict[str, Kind]) -> Iterator[Kind]:
    yield kinds["softskf"]
    kinds["softskf"].heal()


@pytest.fixture
def driver(kind: Kind) -> Iterator[HostedDriver]:
    with _closing(kind.driver()) as driver:
        yield driver


@pytest.fixture
def token(faulty_kind: Kind) -> Iterator[HostedToken]:
    """The operator's token of a kind that can have faults, open."""
    with _closing(faulty_kind.driver()) as driver, driver.open(by_name(driver, "operator")) as token:
        yield token


class _closing:
    def __init__(self, driver: HostedDriver) -> None:
        self.driver = driver

    def __enter__(self) -> HostedDriver:
        return self.driver

    def __exit__(self, *_: object) -> None:
        self.driver.close()
