"""Several drivers as one, and their watches as one. Never needs a reader."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Any

import pytest

from devices.base import Device
from devices.cards.contract import CardEvent, Sighting
from devices.cards.readers import Readers
from devices.errors import NoReader, ReaderGone, ServiceStopped
from devices.watch import CardWatches


class Played:
    """A driver with one reader, or one that is down."""

    def __init__(self, name: str, down: bool = False, profile: str = "p") -> None:
        self.name, self.down, self.closed = name, down, 0
        self.device = Device(name, f"{name} reader", name)
        self.profile = profile

    def find(self) -> list[Device]:
        return [sighting.device for sighting in self.look() if sighting.profile]

    def look(self) -> list[Sighting]:
        if self.down:
            raise ServiceStopped("down")
        return [Sighting(self.device, self.profile, True)]

    def open(self, device: Device) -> Any:
        return (self.name, device)

    def sight(self) -> Any:
        return PlayedSight(self)

    def close(self) -> None:
        self.closed += 1


class PlayedSight:
    def __init__(self, driver: Played) -> None:
        self._driver, self._cancel = driver, threading.Event()

    def wait(self, seconds: float) -> list[Sighting]:
        self._cancel.wait(min(seconds, 0.05))
        return self._driver.look()

    def cancel(self) -> None:
        self._cancel.set()

    def __enter__(self) -> PlayedSight:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...


def test_a_driver_that_is_down_takes_nothing_from_the_others() -> None:
    up, down, foreign = Played("serial"), Played("pcsc", down=True), Played("other", profile="")
    readers = Readers([down, up, foreign])
    assert readers.find() == (up.device,)
    assert [sighting.device for sighting in readers.look()] == [up.device, foreign.device]
    assert readers.open(up.device) == ("serial", up.device)
    with pytest.raises(ReaderGone):
        readers.open(Device("vendor", "x", "x"))
    readers.close()
    assert (up.closed, down.closed) == (1, 1)


def test_with_no_reader_the_trouble_is_told() -> None:
    for call in ("find", "look"):
        with pytest.raises(ServiceStopped):
            getattr(Readers([Played("pcsc", down=True), Played("other", profile="")]), call)()
        assert getattr(Readers([]), call)() == ()
    with pytest.raises(NoReader):
        Readers([]).open(Device("pcsc", "x", "x"))


def test_watches_of_several_drivers_are_one() -> None:
    seen: list[tuple[str, str]] = []
    enough = threading.Event()

    def note(event: CardEvent) -> None:
        seen.append((event.what, event.device.driver if event.device else ""))
        if len(seen) >= 5:
            enough.set()

    watches = CardWatches([Played("serial"), Played("vendor"), Played("pcsc", down=True)], note)
    watches.start()
    assert enough.wait(5.0)
    assert watches.stop()
    both = ("serial", "vendor")
    assert sorted(seen) == [*(("card_placed", name) for name in both), *(("reader_arrived", name) for name in both), ("service_down", "")]
    with pytest.raises(RuntimeError):
        watches.start()
