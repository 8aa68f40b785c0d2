"""All reader drivers of a station as one: the desk asks for readers, not for ways to them. Never prefers one; that is ``choice.py``."""

from __future__ import annotations

from collections.abc import Sequence

from devices.base import Device
from devices.cards.contract import CardConnection, CardDriver, Sighting
from devices.errors import DeviceTrouble, NoReader, ReaderGone

__all__ = ["Readers"]


class Readers:
    """A card driver made of others. One that is down takes nothing from the rest."""

    name = "readers"

    def __init__(self, drivers: Sequence[CardDriver]) -> None:
        self.drivers = tuple(drivers)

    def find(self) -> Sequence[Device]:
        """Readers of all drivers. Raises the first driver's trouble where none has a reader and one is down."""
        found: list[Device] = []
        troubles: list[DeviceTrouble] = []
        for driver in self.drivers:
            try:
                found += driver.find()
            except DeviceTrouble as trouble:
                troubles.append(trouble)
        if troubles and not found:
            raise troubles[0]
        return tuple(found)

    def look(self) -> tuple[Sighting, ...]:
        """All readers as they stand, those of no concern to us too. Raises as ``find``."""
        seen: list[Sighting] = []
        troubles: list[DeviceTrouble] = []
        for driver in self.drivers:
            try:
                seen += driver.look()
            except DeviceTrouble as trouble:
                troubles.append(trouble)
        if troubles and not any(sighting.profile for sighting in seen):
            raise troubles[0]
        return tuple(seen)

    def open(self, device: Device) -> CardConnection:
        """Raises what its driver raises, NoReader where there is no driver at all, ReaderGone where this one's is not loaded."""
        for driver in self.drivers:
            if driver.name == device.driver:
                return driver.open(device)
        if not self.drivers:
            raise NoReader("no driver for readers")
        raise ReaderGone(f"no driver {device.driver}", reader=device.name)

    def close(self) -> None:
        """Ends child processes of all drivers."""
        for driver in self.drivers:
            driver.close()
