"""The drivers of one station, loaded or not: one that cannot load stays in the list with its reason. Never decides which drivers there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from devices.base import Device, Driver
from devices.errors import DeviceTrouble, DriverMissing

if TYPE_CHECKING:   # a registry without cameras must not load what cameras need
    from devices.cameras.contract import CameraDriver
    from devices.cards.contract import CardDriver, HintDriver
    from devices.tokens.contract import TokenDriver

__all__ = ["Entry", "Found", "Kind", "Listed", "Registry"]

Kind = Literal["cards", "cameras", "tokens", "hints"]


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of the product's list. ``load`` imports what the driver needs and makes it."""

    kind: Kind
    name: str
    load: Callable[[], Driver]


@dataclass(frozen=True, slots=True)
class Entry:
    """What became of a line: a driver, or the trouble that kept it from loading."""

    kind: Kind
    name: str
    driver: Driver | None
    trouble: DeviceTrouble | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """Devices of all drivers of one kind, and the troubles of those that could not look."""

    devices: tuple[Device, ...]
    troubles: tuple[DeviceTrouble, ...]


class Registry:
    """Loads each line once, in the order of the list."""

    def __init__(self, listed: Iterable[Listed]) -> None:
        self.entries = tuple(map(_load, listed))

    def cards(self) -> tuple[CardDriver, ...]:
        return tuple(cast("CardDriver", driver) for driver in self._loaded("cards"))

    def cameras(self) -> tuple[CameraDriver, ...]:
        return tuple(cast("CameraDriver", driver) for driver in self._loaded("cameras"))

    def tokens(self) -> tuple[TokenDriver, ...]:
        return tuple(cast("TokenDriver", driver) for driver in self._loaded("tokens"))

    def hints(self) -> tuple[HintDriver, ...]:
        """Contact slots for cards that are a hint of a person and never an identity."""
        return tuple(cast("HintDriver", driver) for driver in self._loaded("hints"))

    def lists(self, kind: Kind) -> bool:
        """Whether the list has a driver of this kind, loaded or not."""
        return any(entry.kind == kind for entry in self.entries)

    def troubles(self, kind: Kind) -> tuple[DeviceTrouble, ...]:
        """Why drivers of this kind could not be loaded."""
        return tuple(entry.trouble for entry in self.entries if entry.kind == kind and entry.trouble is not None)

    def find(self, kind: Kind) -> Found:
        """Asks every loaded driver of ``kind``; one that cannot look takes nothing from the others."""
        devices: list[Device] = []
        troubles = list(self.troubles(kind))
        for driver in self._loaded(kind):
            try:
                devices += driver.find()
            except DeviceTrouble as trouble:
                troubles.append(trouble)
        return Found(tuple(devices), tuple(troubles))

    def _loaded(self, kind: Kind) -> Sequence[Driver]:
        return [entry.driver for entry in self.entries if entry.kind == kind and entry.driver is not None]


def _load(line: Listed) -> Entry:
    try:
        return Entry(line.kind, line.name, line.load())
    except DeviceTrouble as trouble:
        return Entry(line.kind, line.name, None, trouble)
    except (ImportError, OSError) as missing:
        return Entry(line.kind, line.name, None, DriverMissing(f"{line.name}: {missing}", library=line.name))
