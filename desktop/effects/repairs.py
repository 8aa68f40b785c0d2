"""A record that was set aside or returned, opened as a sitting of its own collector. Never asks the province in the lane that saves what is being typed."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from threading import Event
from typing import Any

from desktop.bridge.jobs import Jobs
from desktop.effects.carry import Carrier, Post
from desktop.flows.machine import Failed
from desktop.flows.words.day import RepairReady, RepairRecord
from desktop.rooms import Rooms, now
from resources.trouble import Trouble
from sync.errors import ProvinceTrouble
from sync.repair import reopen

__all__ = ["RepairWork"]

_LANE = "repair"
"""Here the province is asked; what follows is the outbox lane's, in its order with saves and drops of drafts."""


class RepairWork:
    """``owner`` gives the row owner of who is logged in: nobody repairs another person's record."""

    def __init__(self, rooms: Any, owner: Callable[[], str], jobs: Jobs) -> None:
        self._rooms, self._owner, self._jobs = rooms, owner, jobs

    def take_over(self, carrier: Carrier) -> None:
        """The effect that is carried out here."""
        carrier.at_once(RepairRecord, self.start)

    def start(self, order: RepairRecord, post: Post) -> None:
        """In the main thread: first the province's word, then the sitting."""
        owner = self._owner()

        def failed(trouble: Trouble) -> None:
            post(Failed(trouble, "RepairRecord"))

        def asked(word: bool | ProvinceTrouble) -> None:
            self._jobs.start("outbox", lambda _cancel, _tell: self.open(order, owner, word), post, failed)

        self._jobs.start(_LANE, lambda cancel, tell: self.ask(order, cancel, tell), asked, failed)

    def ask(self, order: RepairRecord, _cancel: Event, _tell: Any) -> bool | ProvinceTrouble:
        """Whether the province has the record, or why it does not say; ``sync.repair`` judges. Not asked where the sitting is open already, or it came back."""
        rooms: Rooms = self._rooms()
        row = rooms.outbox.row(order.record_id)
        if row is not None and row.returned:
            return True
        if rooms.parked.sitting_of(order.record_id):
            return ProvinceTrouble("not asked: the repair was open")  # where it is thrown away before the next lane comes to it, a word is lacking
        try:
            return rooms.known_there(order.record_id)
        except ProvinceTrouble as trouble:
            return trouble

    def open(self, order: RepairRecord, owner: str, word: bool | ProvinceTrouble) -> RepairReady:
        """Raises what ``sync.repair.reopen`` raises."""
        rooms: Rooms = self._rooms()

        def said(_record_id: str) -> bool:
            if isinstance(word, ProvinceTrouble):
                raise word
            return word

        return RepairReady(order.record_id, reopen(rooms.outbox, rooms.parked, rooms.journal, order.record_id, owner, said, str(uuid.uuid4()), now()))
