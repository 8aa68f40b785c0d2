"""One loop that takes the next due record one step further: kept, uploading, uploaded, receipted. Never signs, never sends what is unsigned.

A step is small and ends on the disk; whatever is cut short is asked for (GET /v1/records/{id}, HEAD) before anything is sent again.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from random import SystemRandom
from typing import Any

from sync.around import Around
from sync.envelope import open_envelope
from sync.errors import (
    ClockOff,
    ClockWrong,
    FormatTrouble,
    PacketDamaged,
    ProvinceBusy,
    ProvinceRefused,
    ProvinceTrouble,
    ProvinceUnreachable,
    ReceiptMismatch,
    SignatureInvalid,
    StationRefused,
    StoreTrouble,
    SyncTrouble,
    TlsTrouble,
)
from sync.news import News
from sync.patience import Patience, delay
from sync.province import Province
from sync.queued import Packets, Queue, QueueRow
from sync.receipt import check
from sync.station import Station
from sync.upload import Slice, check_packet, upload_packet

__all__ = ["Courier", "CourierStatus"]

_LOG = logging.getLogger(__name__)

DUE = ("kept", "uploading", "uploaded")
POLL_S = 2.0
"""Seconds between two looks at an empty queue; ``wake`` is quicker."""
SLICE_S = 10.0
"""Seconds after which a large packet lets other records and the small messages pass, at the border of a part."""
CAME_BACK_S = 5.0
"""Seconds within which a station tries again when its network is back: all stations of a hall wake at once."""
DIGEST_TRIES = 3
"""Uploads whose packet arrived with another digest before the record is set aside."""
_HOST = (ProvinceUnreachable, ProvinceBusy, TlsTrouble, ClockWrong)
"""Troubles of the way or the host, not of a record."""
_STATION_CODES = ("route.", "enrolment.", "tus.")
"""Refusals that are about the program: the records wait, none is set aside."""
ROOTS_MAY_HELP = ("unknown_key", "revoked", "key_age")
"""Why a receipt's signature does not count here, where a newer list of keys may say otherwise."""
_TELL_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class CourierStatus:
    """A snapshot for the screen. ``moving``: a record id or empty; bytes are of its packet; times are aware UTC; ``clock_offset_s``: province minus station;
    ``asking``: a person wanted it now, and no answer has come yet.
    """

    online: bool = False
    offline_since: datetime | None = None
    moving: str = ""
    done_bytes: int = 0
    total_bytes: int = 0
    last_success: datetime | None = None
    next_try_at: datetime | None = None
    last_error_code: str = ""
    clock_offset_s: float | None = None
    asking: bool = False


class Courier:
    """The way of the records. ``step``, ``refresh`` and ``run`` belong to one thread; ``status`` and ``station`` may be read from any."""

    def __init__(
        self, outbox: Queue, packets: Packets, province: Province, news: News, clock: Callable[[], datetime], tell: Callable[[CourierStatus], None], *,
        random: Callable[[], float] | None = None, monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``clock()`` is aware UTC; ``tell(status)`` is called from the courier's thread, ten times a second at most while bytes go out."""
        self._outbox, self._packets, self._province, self._news = outbox, packets, province, news
        self._clock, self._tell, self._random, self._monotonic = clock, tell, random or SystemRandom().random, monotonic
        self._host = Patience(self._random)
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._status = CourierStatus()
        self._told = 0.0
        self._asked: set[str] = set()
        self._hurrying = False
        self._hurried: QueueRow | None = None
        self._hurried_failed = False
        self._other_digest: dict[str, int] = {}
        self._crossed: set[str] = set()
        """Records for which once another one's receipt came: answers on one line may be off by one, so it is asked again on a new line."""

    @property
    def station(self) -> Station:
        """The station after the last downlink."""
        return self._province.station

    def status(self) -> CourierStatus:
        """How things stand now."""
        with self._lock:
            return self._status

    def run(self, stop: threading.Event, wake: threading.Event) -> None:
        """The thread's body. ``wake`` = "sync now": waits and due times are passed over once.

        Ends at the next step after ``stop``; set ``wake`` too to end at once. Closes the province's sessions.
        """
        self._stop = stop
        around = Around(self._clock, self._monotonic)
        while not stop.is_set():
            if wake.is_set():
                wake.clear()
                self.hurry()
            try:
                moved = self._turn()
            except Exception as error:  # the queue must outlive any fault: it is named, waited upon and tried again
                self._note_fault(error)
                moved = False
            self._show(asking=False)
            if not moved and not stop.is_set():
                wake.wait(self._pause())
            if around.came_back():
                self._host.hurry(self._monotonic() + self._random() * CAME_BACK_S)
        self._province.close()

    def hurry(self) -> None:
        """The next steps do not wait for due times: each record is tried once more, and the news is asked for."""
        self._show(asking=True)
        self._host.hurry(self._monotonic())
        self._news.hurry()
        self._hurrying, self._hurried, self._hurried_failed = True, None, False

    def refresh(self) -> bool:
        """Asks the clock and the news where they are due; whether anything was asked. Troubles are kept in the status."""
        if self._host.left(self._monotonic()) > 0 or not self._news.due(self._monotonic()):
            return False
        try:
            self._news.ask(self._province, self._clock(), self._monotonic())
        except Exception as error:
            self._news_failed(error)
            return False
        self._served()
        return True

    def step(self) -> bool:
        """Takes the next due record one step further; false where nothing is due or the host must be left in peace. Raises StoreTrouble only."""
        if self._host.left(self._monotonic()) > 0 or (self._host.must_probe and not self._probe()):
            return False
        row = self._next()
        if row is None:
            return False
        self._show(moving=row.record_id, done_bytes=0, total_bytes=row.packet_size)
        try:
            self._advance(row)
        except (ProvinceTrouble, SignatureInvalid, FormatTrouble, PacketDamaged) as trouble:
            self._settle(row, trouble)
        except StoreTrouble:
            raise
        except Exception as error:  # a fault of this program at one record: it waits like any other trouble of its own, or it would be next for ever
            _LOG.error("record %s fell out of its step: %s", row.record_id, type(error).__name__)
            self._settle(row, SyncTrouble(type(error).__name__))
        finally:
            self._show(moving="", done_bytes=0, total_bytes=0)
        return True

    # -- one step -------------------------------------------------------------------------------------------------------------------
    def _turn(self) -> bool:
        asked = self.refresh()
        return self.step() or asked

    def _next(self) -> QueueRow | None:
        """The record that is due, else the next one that a person will not wait for: all of them in order of age, each until its first failure."""
        row = self._outbox.next_due(self._clock())
        if row is not None or not self._hurrying:
            return row
        row = self._outbox.row(self._hurried.record_id) if self._hurried is not None and not self._hurried_failed else None
        if row is None or row.state not in DUE:
            page = self._outbox.rows(states=DUE, limit=1, after=self._hurried)
            row = page[0] if page else None
            self._hurrying, self._hurried, self._hurried_failed = row is not None, row, False
        return row

    def _advance(self, row: QueueRow) -> None:
        if not row.signature:
            raise SignatureInvalid("a record without a signature is never sent", why="unsigned")
        if self._knows(row):
            return
        if row.state == "kept":
            self._outbox.mark(row.record_id, "uploading")
        elif row.state == "uploading":
            self._upload(row)
        else:
            self._take(row, self._province.submit(row, row.upload_id))
            return
        self._asked.add(row.record_id)

    def _knows(self, row: QueueRow) -> bool:
        """Reconcile: where this record may have reached the province before, ask first. True where its receipt was taken."""
        if row.record_id in self._asked or not (row.tries or row.upload_id):
            return False
        untrusted = self._province.record(row.record_id)
        if untrusted is None:
            self._asked.add(row.record_id)
            return False
        self._take(row, untrusted)
        return True

    def _upload(self, row: QueueRow) -> None:
        path = self._packet(row)
        check_packet(path, row.packet_digest, row.packet_size)
        done = upload_packet(
            self._province.wire(), path, row.record_id, row.packet_digest, row.upload_id or None, Slice(self._stop, SLICE_S, self._monotonic), self._progress,
            lambda made: self._outbox.mark(row.record_id, "uploading", upload_id=made, upload_offset=0),
        )
        if done.complete:
            self._outbox.mark(row.record_id, "uploaded", upload_id=done.upload_id, upload_offset=done.offset, sent_at=self._clock())
        else:
            self._outbox.mark(row.record_id, "uploading", upload_id=done.upload_id, upload_offset=done.offset, next_try_at=self._clock())
        self._served()

    def _packet(self, row: QueueRow) -> Path:
        try:
            return self._packets.path(row.packet_blob)
        except (StoreTrouble, ValueError) as error:
            raise PacketDamaged("the packet file is gone") from error

    def _take(self, row: QueueRow, untrusted: bytes) -> None:
        try:
            received_at = check(self._opened(untrusted), row, self.station)
        except ReceiptMismatch as mismatch:
            if mismatch.facts.get("member") != "record_id" or row.record_id in self._crossed:
                raise
            self._crossed.add(row.record_id)
            self._province.wire().hang_up()
            raise ProvinceTrouble("an answer to another question", member="record_id") from mismatch
        self._outbox.receipted(row.record_id, untrusted, received_at)
        self._asked.discard(row.record_id)
        self._crossed.discard(row.record_id)
        self._served()

    def _opened(self, untrusted: bytes) -> dict[str, Any]:
        """The receipt of an envelope. Raises ReceiptMismatch, and SignatureInvalid where newer roots may yet vouch for it."""
        try:
            return open_envelope(untrusted, self.station.keys, "receipt")
        except FormatTrouble as error:
            if str(error.facts.get("what", "")).startswith("envelope"):  # nobody signed this: a gateway's answer, not the province's
                raise ProvinceTrouble(f"no envelope: {error.detail}") from error
            raise ReceiptMismatch(error.detail, member="envelope") from error
        except SignatureInvalid as error:
            if error.facts.get("why") in ROOTS_MAY_HELP:
                raise
            raise ReceiptMismatch(error.detail, member="signature") from error

    # -- troubles -------------------------------------------------------------------------------------------------------------------
    def _settle(self, row: QueueRow, trouble: SyncTrouble) -> None:
        """What becomes of the record after ``trouble``."""
        self._asked.discard(row.record_id)
        if self._hurried is not None and row.record_id == self._hurried.record_id:
            self._hurried_failed = True
        why = str(trouble.facts.get("why", ""))
        if isinstance(trouble, (*_HOST, StationRefused)) or (isinstance(trouble, ProvinceRefused) and why.startswith(_STATION_CODES)):
            self._host_trouble(trouble)
            self._outbox.failed(row.record_id, trouble.code, self._clock(), trouble.detail)
        elif why.startswith("upload.") or (why == "packet.digest" and self._may_send_again(row)):
            # The province has not all of the packet. A new POST gives the same upload, or a new one where it was dropped; HEAD says where it stands.
            self._outbox.mark(row.record_id, "kept", upload_id="", upload_offset=0)
            self._later(row, trouble)
        elif why == "signature.untrusted" and (offset := self._news.clock_offset) is not None and offset.wrong:
            self._later(row, ClockOff(trouble.detail, seconds=round(abs(offset.seconds))))  # its signing time lies ahead: time itself mends that
        elif isinstance(trouble, (ProvinceRefused, ReceiptMismatch, PacketDamaged)):
            self._put_aside(row, trouble, trouble.code)
        elif isinstance(trouble, SignatureInvalid) and why == "unsigned":
            self._put_aside(row, trouble, trouble.code)
        elif isinstance(trouble, SignatureInvalid) and why in ROOTS_MAY_HELP:
            self._news.hurry()  # the province may sign with a key of newer roots
            self._later(row, trouble)
        else:
            self._host.doubted(self._monotonic())
            self._later(row, trouble)

    def _news_failed(self, error: Exception) -> None:
        """A trouble of the host is waited upon. A fault of this machine (its store, this program) keeps the news out and nobody's record back."""
        if isinstance(error, SyncTrouble) and not isinstance(error, StoreTrouble):
            self._host_trouble(error)
            return
        _LOG.log(logging.INFO if isinstance(error, StoreTrouble) else logging.ERROR, "the news fell out of its round: %s", type(error).__name__)
        self._news.later(self._monotonic(), error.code if isinstance(error, SyncTrouble) else SyncTrouble.code)
        self._show(last_error_code=self._news.trouble_code)

    def _may_send_again(self, row: QueueRow) -> bool:
        """The packet here is whole (``check_packet``), what arrived was not: a few whole uploads more before a person must look."""
        self._other_digest[row.record_id] = self._other_digest.get(row.record_id, 0) + 1
        return self._other_digest[row.record_id] < DIGEST_TRIES

    def _later(self, row: QueueRow, trouble: SyncTrouble) -> None:
        wait = delay(row.tries + 1, _at_least(trouble), self._random)
        self._outbox.failed(row.record_id, trouble.code, self._clock() + timedelta(seconds=wait), trouble.detail)
        self._show(last_error_code=trouble.code)

    def _put_aside(self, row: QueueRow, trouble: SyncTrouble, reason: str) -> None:
        _LOG.warning("record %s set aside: %s", row.record_id, reason)
        self._outbox.failed(row.record_id, trouble.code, self._clock(), trouble.detail)  # keeps the province's own code visible
        self._outbox.set_aside(row.record_id, reason)
        self._show(last_error_code=trouble.code)

    def _host_trouble(self, trouble: SyncTrouble) -> None:
        now = self._clock()
        self._host.failed(self._monotonic(), _at_least(trouble))
        wait = timedelta(seconds=self._host.left(self._monotonic()))
        before = self.status()
        self._show(online=False, offline_since=before.offline_since or now, next_try_at=now + wait, last_error_code=trouble.code,
                   last_success=before.last_success or self._news.last_round(), clock_offset_s=self._offset_s())

    def _probe(self) -> bool:
        """The breaker is open: one small question. A clock that differs is no failure of the host."""
        try:
            self._province.time()
        except SyncTrouble as trouble:
            self._host_trouble(trouble)
            return False
        self._served()
        return True

    def _note_fault(self, error: Exception) -> None:
        code = error.code if isinstance(error, SyncTrouble) else SyncTrouble.code
        _LOG.error("the courier stopped short: %s", type(error).__name__)
        self._host.failed(self._monotonic())
        self._show(last_error_code=code, next_try_at=self._clock() + timedelta(seconds=self._host.left(self._monotonic())))

    # -- status ---------------------------------------------------------------------------------------------------------------------
    def _served(self) -> None:
        """What the news had to complain of (a clock that is off, a list that was refused) stands until its next round, whatever else goes through."""
        self._host.succeeded()
        self._show(online=True, offline_since=None, next_try_at=None, last_success=self._clock(), last_error_code=self._news.trouble_code,
                   clock_offset_s=self._offset_s())

    def _offset_s(self) -> float | None:
        return self._news.clock_offset.seconds if self._news.clock_offset else None

    def _progress(self, done: int, total: int) -> None:
        if done == total or self._monotonic() - self._told >= _TELL_EVERY_S:
            self._told = self._monotonic()
            self._show(done_bytes=done, total_bytes=total)

    def _show(self, **changes: Any) -> None:
        with self._lock:
            changed = replace(self._status, **changes)
            same, self._status = changed == self._status, changed
        if same:
            return
        try:
            self._tell(changed)
        except Exception as error:  # whoever listens: the records go on
            _LOG.error("nobody took the courier's word: %s", type(error).__name__)

    def _pause(self) -> float:
        left = self._host.left(self._monotonic())
        return min(max(left, 0.05), POLL_S) if left else POLL_S


def _at_least(trouble: SyncTrouble) -> float:
    """Seconds that the province asked to wait."""
    asked = trouble.facts.get("retry_after", 0.0)
    return float(asked) if isinstance(asked, (int, float)) else 0.0
