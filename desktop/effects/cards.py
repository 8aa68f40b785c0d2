"""Reads identity cards and watches the readers for the desk. Never keeps what was read."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from threading import Event
from typing import Any

from desktop.effects.readers import ReaderChoice
from desktop.flows.words import CardLifted, CardPlaced, CardWasRead, ReadCard, ReaderAsked
from desktop.rooms import Rooms, now
from devices.base import Device
from devices.cards.contract import CardEvent
from devices.watch import CardWatches

__all__ = ["CardWork"]


class CardWork:
    """Handlers of the reader lane, and the watch. ``rooms`` gives the open rooms; ``emit`` takes events in the main thread; ``changed``: readers came or
    went; ``open`` tells whether somebody is logged in: a card that is laid down before a locked desk is told when it is opened. ``readers``: which is used.
    """

    def __init__(self, rooms: Any, emit: Callable[[Any], None], changed: Callable[[], None],
                 open: Callable[[], bool] = lambda: True, readers: ReaderChoice | None = None) -> None:
        self._rooms, self._emit, self._changed, self._open = rooms, emit, changed, open
        self._readers = readers or ReaderChoice(rooms)
        self._lying: Device | None = None
        self._new = False
        self._watch: CardWatches | None = None

    def watch(self, deliver: Callable[[Callable[[], None]], None]) -> None:
        """Begin to watch; ``deliver`` runs a call in the main thread."""
        self._watch = CardWatches(self._rooms().cards().drivers, lambda event: deliver(lambda: self._see(event)))
        self._watch.start()

    def stop(self, seconds: float = 2.0) -> None:
        if self._watch is not None:
            self._watch.stop(seconds)

    def read(self, order: ReadCard, cancel: Event, tell: Any) -> CardWasRead | ReaderAsked:
        """One whole read, or the question which reader is to be used. Raises NoReader and the kinds of ReaderTrouble and card troubles."""
        rooms: Rooms = self._rooms()
        device = self._readers.device(order.device or self._lying)
        if not isinstance(device, Device):
            return ReaderAsked(replace(device, read=True))
        with rooms.cards().open(device) as reader:
            read = reader.read(cancel, tell)
        listed = read.evidence.sam in rooms.station.sams
        rooms.note("station", "card.read", facts={"sam": read.evidence.sam, "listed": listed})
        return CardWasRead(read, now(), str(uuid.uuid4()), listed)

    def _see(self, event: CardEvent) -> None:
        if event.what == "card_placed" and event.device is not None:
            self._lying, self._new = event.device, True
            self.tell_lying()
        elif event.what == "card_lifted":
            if event.device == self._lying:     # one that leaves another reader takes nothing from the one that lies here
                self._lying, self._new = None, False
            self._emit(CardLifted())
        else:
            self._changed()

    def tell_lying(self) -> None:
        """In the main thread: a card that lies there and was not told yet is told now, where somebody is at the desk; for whoever just logged in."""
        if self._lying is not None and self._new and self._open():
            self._new = False
            self._emit(CardPlaced(self._lying))
