"""The smart-card service and its virtual readers for contract suites. Never starts outside of namespaces of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.emulators.pcscd import Pcscd, why_not_here
from tests.emulators.vpcd import VirtualSlot


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
