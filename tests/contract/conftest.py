"""The smart-card service, its virtual readers, and stands of all reader drivers for contract suites. Never starts outside of namespaces of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.contract.card_table import ROW
from tests.contract.reader_stands import Stands
from tests.emulators import vendor_stub
from tests.emulators.pcscd import Pcscd, why_not_here
from tests.emulators.vpcd import VirtualSlot


@pytest.fixture
def table(request: pytest.FixtureRequest) -> Callable[[str, str, str, str], None]:
    """Notes what came of a card or a fault at a driver: driver, card, fault (``intact``: none), result. ``card_table.py`` prints it."""
    return lambda driver, card, fault, said: request.node.user_properties.append((ROW, (driver, card, fault, said)))


@pytest.fixture
def pcscd() -> Iterator[Pcscd]:
    """A fresh service; the test may stop and start it."""
    if why := why_not_here():
        pytest.skip(why)
    with Pcscd() as service:
        yield service


@pytest.fixture
def slot(pcscd: Pcscd) -> Iterator[VirtualSlot]:
    """The first slot of the virtual reader, lifted afterwards."""
    virtual = VirtualSlot()
    yield virtual
    virtual.lift()


@pytest.fixture(scope="session")
def stub_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stub of a vendor's library."""
    if why := vendor_stub.why_not_here():
        pytest.skip(why)
    return vendor_stub.build_stub(tmp_path_factory.mktemp("vendor"))


@pytest.fixture
def stands(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stands]:
    """Makes stands; the service starts only where one needs it."""
    with ExitStack() as stack:
        yield Stands(stack, lambda: request.getfixturevalue("slot"), lambda: request.getfixturevalue("stub_library"), tmp_path, monkeypatch.setenv)
