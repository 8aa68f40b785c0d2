"""Reads identity cards and watches the readers for the desk. Never keeps what was read."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from threading import Event
from typing import Any

from desktop.flows.words import CardLifted, CardPlaced, CardWasRead, ReadCard
from desktop.rooms import Rooms, now
from devices.base import Device
from devices.cards.contract import CardEvent
from devices.errors import NoReader
from devices.watch import CardWatch

__all__ = ["CardWork"]


class CardWork:
    """Handlers of the reader lane, and the watch. ``rooms`` gives the open rooms; ``emit`` takes events in the main thread."""

    def __init__(self, rooms: Any, emit: Callable[[Any], None], changed: Callable[[], None]) -> None:
        self._rooms, self._emit, self._changed = rooms, emit, changed
        self._lying: Device | None = None
        self._watch: CardWatch | None = None

    def watch(self, deliver: Callable[[Callable[[], None]], None]) -> None:
        """Begin to watch; ``deliver`` runs a call in the main thread."""
        self._watch = CardWatch(self._rooms().cards(), lambda event: deliver(lambda: self._see(event)))
        self._watch.start()

    def stop(self, seconds: float = 2.0) -> None:
        if self._watch is not None:
            self._watch.stop(seconds)

    def read(self, order: ReadCard, cancel: Event, tell: Any) -> CardWasRead:
        """One whole read. Raises NoReader and the kinds of ReaderTrouble and card troubles."""
        rooms: Rooms = self._rooms()
        driver = rooms.cards()
        device = order.device or self._lying
        if device is None:
            found = driver.find()
            if not found:
                raise NoReader("no reader that a profile fits")
            device = found[0]
        with driver.open(device) as reader:
            read = reader.read(cancel, tell)
        rooms.note("station", "card.read", facts={"sam": read.evidence.sam, "listed": read.evidence.sam in rooms.station.sams})
        return CardWasRead(read, now(), str(uuid.uuid4()))

    def _see(self, event: CardEvent) -> None:
        if event.what == "card_placed" and event.device is not None:
            self._lying = event.device
            self._emit(CardPlaced(event.device))
        elif event.what == "card_lifted":
            self._lying = None
            self._emit(CardLifted())
        else:
            self._changed()
