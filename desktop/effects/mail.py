"""What became of kept records: lists, the courier's thread and its news, receipts. Never sends by itself: that is the courier's work."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from threading import Event
from typing import Any

from PySide6.QtCore import QTimer

from desktop.bridge.jobs import Jobs
from desktop.effects.carry import Post
from desktop.flows.intake_state import hall_day
from desktop.flows.words import (
    CourierFacts,
    CourierSeen,
    ListOutbox,
    OutboxFacts,
    OutboxListed,
    ReceiptFacts,
    RecordMoved,
    RetryRecord,
    SyncNow,
    WatchRecord,
)
from desktop.rooms import Rooms, now
from resources.trouble import Trouble
from sync.canon import parse_canonical, parse_json
from sync.courier import CourierStatus
from sync.errors import NotAllowed, PacketDamaged, PacketTooNew, StoreTrouble
from sync.outbox_list import WAITING, newest, pressing, tally
from sync.outbox_row import OutboxRow

__all__ = ["MailWork", "receipt_facts"]

_PAGE = 200
"""Records of one page of the list."""
_SEEN_S = 0.6
"""How long "asking" is shown at least: a line that is down refuses within a millisecond, and a press that changes nothing looks like a dead button."""
_ASKING = 200
"""Most records of each kind that asks for somebody (waits, set aside, came back) that the list shows however old they are; the counts know them all."""


def receipt_payload(envelope: bytes) -> Mapping[str, Any]:
    """The payload of a receipt that was verified before it was kept."""
    return parse_json(base64.b64decode(parse_json(envelope, "receipt")["payload"]), "receipt")


def receipt_facts(rooms: Rooms, row: OutboxRow) -> ReceiptFacts | None:
    """What the receipt page and the paper say, or None while there is no receipt.

    The receipt stands by itself: where the packet was forgotten, came from another station or is damaged, only what stood in it is left out.
    """
    if row.receipt is None:
        return None
    payload, station = receipt_payload(row.receipt), rooms.station
    record: Mapping[str, Any] = {}
    if row.state == "receipted":
        with suppress(NotAllowed, PacketDamaged, PacketTooNew):
            record = parse_canonical(rooms.outbox.open_packet(row.record_id)[0].content, "record")
    collector = record.get("collector", {}).get("name", "")
    return ReceiptFacts(row.record_id, payload["serial"], datetime.fromisoformat(payload["received_at"]), row.summary.name, row.summary.id_tail,
                        row.summary.categories, len(record["attachments"]) if record else None, row.record_digest, station.practice, station.province_name,
                        station.hall_name, station.window, collector)


class MailWork:
    """Handlers around the outbox. ``emit`` posts to intake in the main thread; ``owner`` gives the row owner of who is logged in, or an empty text."""

    def __init__(self, rooms: Any, owner: Callable[[], str], jobs: Jobs, emit: Callable[[Any], None]) -> None:
        self._rooms, self._owner, self._jobs, self._emit = rooms, owner, jobs, emit
        self._wake, self._end = threading.Event(), threading.Event()
        self._looking = self._look_again = False
        self._pages = 1
        self._watched: dict[str, tuple[str, Post]] = {}
        self._status: CourierStatus | None = None
        self._pressed: float | None = None
        self._asked_at: datetime | None = None
        self._moment = QTimer()
        self._moment.setSingleShot(True)
        self._moment.timeout.connect(self._later)

    # -- the courier's thread -------------------------------------------------------------------------------------------------------
    def start(self) -> None:
        courier = self._rooms().make_courier(lambda status: self._jobs.post(lambda: self._told(status)))
        self._jobs.run("courier", lambda stop: courier.run(stop, self._wake), self._end)

    def stop(self) -> None:
        """Have it end at its next step, and wake it for that."""
        self._moment.stop()
        self._end.set()
        self._wake.set()

    def hurry(self) -> None:
        self._wake.set()

    def sync(self, _order: SyncNow, _post: Post) -> None:
        self._pressed = time.monotonic()
        self.hurry()

    def _told(self, status: CourierStatus) -> None:
        self._status = status
        known = status.online or status.offline_since is not None
        asking = status.asking or self._wake.is_set() or self._still_shown(status)
        self._emit(CourierSeen(CourierFacts(status.online if known else None, status.offline_since, status.moving, status.done_bytes, status.total_bytes,
                                            status.last_success, status.next_try_at, status.last_error_code, asking, status.clock_offset_s, self._asked_at)))
        if not status.moving or status.done_bytes in (0, status.total_bytes):
            self.look()

    def _still_shown(self, status: CourierStatus) -> bool:
        """Whether a press was answered so quickly that "asking" stands a moment longer. What moves is an answer of its own."""
        if self._pressed is None or status.asking or self._wake.is_set() or self._end.is_set():
            return False
        left = 0.0 if status.moving else self._pressed + _SEEN_S - time.monotonic()
        if left <= 0:
            self._pressed, self._asked_at = None, now()
            return False
        self._moment.start(round(left * 1000) + 1)
        return True

    def _later(self) -> None:
        """The courier may have said more meanwhile: its status now is what counts."""
        if self._pressed is not None and self._status is not None:
            self._told(self._status)

    # -- looking --------------------------------------------------------------------------------------------------------------------
    def look(self) -> None:
        """In the main thread: list anew and tell what moved; one look at a time, and one more where something changed meanwhile."""
        owner = self._owner()
        if self._looking or not owner:
            self._look_again = self._looking
            return
        self._looking, self._look_again = True, False

        def work(cancel: Event, tell: Any) -> tuple[OutboxListed, list[RecordMoved]]:
            return self.list(ListOutbox(self._pages), cancel, tell), self._moves()

        def done(answer: tuple[OutboxListed, list[RecordMoved]]) -> None:
            self._looking = False
            if self._owner() != owner:   # another person came meanwhile: their list, not this one
                self.look()
                return
            self._emit(answer[0])
            for moved in answer[1]:
                if moved.record_id in self._watched:
                    _, post = self._watched[moved.record_id]
                    self._watched[moved.record_id] = (moved.state, post)
                    post(moved)
            if self._look_again:
                self.look()

        def failed(_trouble: Trouble) -> None:
            self._looking = False

        self._jobs.start("outbox", work, done, failed)

    def list(self, order: ListOutbox, _cancel: Event, _tell: Any) -> OutboxListed:
        """The newest pages, with whatever older one asks for somebody; counts over all."""
        rooms: Rooms = self._rooms()
        owner, self._pages = self._owner(), order.pages
        rows = newest(rooms.store, owner, order.pages * _PAGE + 1)
        shown = {row.record_id: row for row in (*rows[:order.pages * _PAGE], *pressing(rooms.store, owner, _ASKING))}
        in_order = sorted(shown.values(), key=lambda row: (row.kept_at, row.record_id), reverse=True)
        counts = tally(rooms.store, owner, *hall_day(now()))
        return OutboxListed(tuple(_facts(row) for row in in_order), counts, rooms.outbox.waiting(), len(rows) > order.pages * _PAGE, owner)

    def watch(self, order: WatchRecord, post: Post) -> None:
        self._watched = {order.record_id: ("", post)}
        self.look()

    def retry(self, order: RetryRecord, cancel: Event, tell: Any) -> OutboxListed:
        rooms: Rooms = self._rooms()
        rooms.outbox.retry(order.record_id, who=self._owner(), owner=self._owner())
        self.hurry()
        return self.list(ListOutbox(self._pages), cancel, tell)

    def receipt(self, record_id: str) -> ReceiptFacts:
        """For paper. Raises StoreTrouble where there is no receipt, NotAllowed for another person's record."""
        rooms: Rooms = self._rooms()
        row = rooms.outbox.row(record_id, self._owner())
        facts = receipt_facts(rooms, row) if row is not None else None
        if facts is None:
            raise StoreTrouble("no receipt yet", step="receipt")
        return facts

    def _moves(self) -> list[RecordMoved]:
        rooms: Rooms = self._rooms()
        moves: list[RecordMoved] = []
        for record_id, (state, _) in tuple(self._watched.items()):
            row = rooms.outbox.row(record_id)
            if row is not None and row.state != state:
                moves.append(RecordMoved(record_id, row.state, receipt_facts(rooms, row)))
        return moves


def _facts(row: OutboxRow) -> OutboxFacts:
    serial = receipt_payload(row.receipt)["serial"] if row.receipt is not None else ""
    waits = row.next_try_at if row.state in WAITING and row.next_try_at > row.kept_at + timedelta(seconds=1) else None
    return OutboxFacts(row.record_id, row.summary.name, row.summary.id_tail, row.summary.categories, row.state, row.kept_at, row.sent_at, row.tries,
                       row.reason or row.last_error, waits, serial, row.remote_state, tuple(text for _, text in row.remote_items), row.remote_at,
                       row.remote_until, tuple(path for path, _ in row.remote_items), row.replaced_by, row.refusal, row.amends, row.amended_by)
