"""Makes the reconciliation sheet of a day for the desk, and notes that it was handed out. Never tells whose another person's record is by name or number."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from threading import Event
from typing import Any

from desktop.bridge.jobs import Jobs
from desktop.effects.carry import Carrier, Post
from desktop.errors import NotSaved
from desktop.flows.intake_state import hall_date
from desktop.flows.machine import Failed
from desktop.flows.words.day import MakeSheet, PrintSheet, SaveSheet, SheetCounted, SheetFacts, SheetLine, SheetMade, SheetSaved, StopSheet
from desktop.rooms import Rooms, now
from devices.errors import Cancelled
from resources.trouble import Trouble
from sync.journal import verify_lines
from sync.outbox_row import OutboxRow
from sync.reconcile import Difference, reconcile

__all__ = ["SheetWork"]

_LANE = "sheet"
"""A lane of its own: the outbox lane saves what is being typed, and a large journal takes seconds."""
_PAGE = 500
_TELL_EVERY = 1000


class SheetWork:
    """Handlers around the sheet. ``owner`` gives the row owner of who is logged in; ``paint(facts, path)`` is set by whoever has a screen (main thread)."""

    def __init__(self, rooms: Any, owner: Callable[[], str], jobs: Jobs, clock: Callable[[], datetime] = now) -> None:
        self._rooms, self._owner, self._jobs, self._clock = rooms, owner, jobs, clock
        self.paint: Callable[[SheetFacts, str], None] | None = None

    def take_over(self, carrier: Carrier) -> None:
        """The effects that are carried out here."""
        carrier.at_once(MakeSheet, self.start)
        carrier.at_once(StopSheet, self.stop)
        carrier.at_once(SaveSheet, self.hand_out)
        carrier.at_once(PrintSheet, self.hand_out)

    def start(self, order: MakeSheet, post: Post) -> None:
        """In the main thread: the sheet is made in its lane; one that was stopped answers nothing."""

        def failed(trouble: Trouble) -> None:
            if not isinstance(trouble, Cancelled):
                post(Failed(trouble, "MakeSheet"))

        owner = self._owner()
        self._jobs.start(_LANE, lambda cancel, tell: self.make(order, owner, cancel, tell), lambda facts: post(SheetMade(facts, owner)), failed,
                         lambda _what, done, total: post(SheetCounted(done, total)))

    def stop(self, _order: StopSheet, _post: Post) -> None:
        self._jobs.cancel(_LANE)

    def make(self, order: MakeSheet, owner: str, cancel: Event, tell: Any) -> SheetFacts:
        """The sheet from the whole queue and journal, whose chain is checked first. Raises JournalFault, StoreTrouble, Cancelled."""
        rooms: Rooms = self._rooms()
        at = self._clock()
        today = hall_date(at)
        head = rooms.journal.head()
        verify_lines(_counted(rooms.journal.lines(), int(head["size"]), cancel, tell), head)
        rows = {row.record_id: row for row in _all(rooms, cancel)}
        sheet = reconcile(rows.values(), _counted(rooms.journal.lines(), 0, cancel, tell), order.day or today, hall_date)
        said = [tuple(_line(one, rows.get(one.record_id), rooms, owner) for one in found) for found in (sheet.differences, sheet.earlier, sheet.replaced)]
        return SheetFacts(sheet, said[0], said[1], at, today, said[2])

    def hand_out(self, order: SaveSheet | PrintSheet, post: Post) -> None:
        """In the main thread, where Qt paints; then the journal."""
        path = order.path if isinstance(order, SaveSheet) else ""
        if self.paint is None:
            raise NotSaved("nobody here paints a sheet", path="")
        self.paint(order.facts, path)
        owner, day = self._owner(), order.facts.sheet.day.isoformat()
        self._jobs.start("outbox", lambda _cancel, _tell: self._rooms().note(owner, "sheet.saved" if path else "sheet.printed", facts={"day": day}))
        post(SheetSaved(path))


def _line(one: Difference, row: OutboxRow | None, rooms: Rooms, owner: str) -> SheetLine:
    """The person's own records by name; of others' only who kept them. One without a row belongs to nobody that could be told: it is shown to everybody."""
    if row is not None and row.owner == owner:
        return SheetLine(one, row.summary.name, row.summary.id_tail)
    if row is None:
        return SheetLine(one)
    person = rooms.station.person(row.owner.removeprefix("op:"))
    return SheetLine(one, keeper=person.name if person is not None else row.owner.removeprefix("op:"))


def _all(rooms: Rooms, cancel: Event) -> Iterator[OutboxRow]:
    after: OutboxRow | None = None
    while page := rooms.outbox.rows(limit=_PAGE, after=after):
        _stop_if(cancel)
        yield from page
        after = page[-1]


def _counted(lines: Iterable[bytes], total: int, cancel: Event, tell: Any) -> Iterator[bytes]:
    for number, line in enumerate(lines, 1):
        if number % _TELL_EVERY == 0:
            _stop_if(cancel)
            if total:
                tell("sheet", number, total)
        yield line


def _stop_if(cancel: Event) -> None:
    if cancel.is_set():
        raise Cancelled("the sheet is not wanted any more")
