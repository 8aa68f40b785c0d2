"""Reads a large store to its end beside the work, for its open reads only the first pages. Never repairs: damage is told, the store refuses all after it."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

from desktop.bridge.jobs import Jobs
from desktop.rooms import Rooms
from resources.trouble import Trouble
from sync.errors import StoreDamaged

__all__ = ["StoreCheck"]

LOOP = "store check"
"""Name of the thread."""


class StoreCheck:
    """``start`` once the rooms are open; it ends by itself, or within milliseconds when ``jobs`` are closed. ``told`` gets the damage in the main thread."""

    def __init__(self, jobs: Jobs, told: Callable[[StoreDamaged], None]) -> None:
        self._jobs, self._told = jobs, told

    def start(self, rooms: Rooms) -> None:
        """A store that was read whole at its open is not read again."""
        if rooms.store.unread:
            self._jobs.run(LOOP, lambda stop: self._read(rooms, stop))

    def _read(self, rooms: Rooms, stop: Event) -> None:
        try:
            rooms.store.check(stop)
        except StoreDamaged as damage:
            found = damage
            found.__traceback__ = None
            self._jobs.post(lambda: self._told(found))
        except Trouble:
            return  # closed, or broken for another reason that whoever works meets as well
