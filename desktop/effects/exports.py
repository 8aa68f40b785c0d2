"""One record onto a medium, sealed, because a person asked for it. Never takes it out of the queue and never writes anything readable of a person."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

from desktop.effects.carry import Carrier
from desktop.flows.words.day import Exported, ExportRecord
from desktop.rooms import Rooms
from sync.carry_out import export_queue
from sync.errors import StoreTrouble

__all__ = ["ExportWork"]


class ExportWork:
    """Handler of the outbox lane. ``owner`` gives the row owner of who is logged in: nobody exports another person's record."""

    def __init__(self, rooms: Any, owner: Callable[[], str]) -> None:
        self._rooms, self._owner = rooms, owner

    def take_over(self, carrier: Carrier) -> None:
        """The effect that is carried out here."""
        carrier.in_lane(ExportRecord, "outbox", self.export)

    def export(self, order: ExportRecord, _cancel: Event, _tell: Any) -> Exported:
        """Raises ExportNotWritten, NotAllowed, PacketDamaged, StoreTrouble (also: not here, or receipted already)."""
        rooms: Rooms = self._rooms()
        if rooms.outbox.row(order.record_id, self._owner()) is None:
            raise StoreTrouble("the record is not here", step="record")
        done = export_queue(rooms.store, rooms.blobs, rooms.station, Path(order.path), who=self._owner(), only=(order.record_id,))
        if not done.records:
            raise StoreTrouble("the record has its receipt", step="state")
        return Exported(order.record_id, order.path, done.code if done.signed else "")
