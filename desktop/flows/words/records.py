"""Events and effects of outbox, devices, signing, keeping, receipts. Never keeps the PIN beyond the one event and the one effect that carry it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from desktop.flows.words.facts import CertificateChoice, CourierFacts, DeviceFacts, OutboxFacts, ReceiptFacts, ReviewSheet
from sync.draft import Draft
from sync.panel import Waits

__all__ = [
    "AskPin", "BuildReview", "CheckDevices", "CheckPressed", "CourierSeen", "DevicesSeen", "Keep", "Kept", "ListOutbox", "OlderPressed", "OutboxListed",
    "PagePicked",
    "PrintReceipt", "ReceiptSaved", "ReceiptWanted", "RecordMoved", "RecordPicked", "RetryRecord", "ReviewAsked", "ReviewBuilt", "SaveReceipt",
    "SignPressed", "SignRecord", "Signed", "SyncNow", "SyncPressed", "WatchRecord",
]


@dataclass(frozen=True, slots=True)
class PagePicked:
    """``page``: desk, outbox, returned, parked, health, sync, sheet; batch: what waits for a signature, a page of its own flow."""

    page: str


@dataclass(frozen=True, slots=True)
class ListOutbox:
    """Effect: this operator's kept records, the newest ``pages`` pages and all that asks for somebody.

    Answer: OutboxListed; also posted without being asked whenever a row changed.
    """

    pages: int = 1


@dataclass(frozen=True, slots=True)
class OutboxListed:
    """Newest first; ``counts``: waiting, uploaded, returned, set_aside, today, unsigned; ``waits``: what of the whole machine waits, and why, without names;
    ``more``: older ones are there; ``owner``: whose rows they are.
    """

    rows: tuple[OutboxFacts, ...]
    counts: Mapping[str, int]
    waits: tuple[Waits, ...] = ()
    more: bool = False
    owner: str = ""


@dataclass(frozen=True, slots=True)
class OlderPressed:
    """Show older kept records too."""


@dataclass(frozen=True, slots=True)
class RecordPicked:
    """The current line of the table."""

    record_id: str


@dataclass(frozen=True, slots=True)
class SyncPressed:
    """Upload now."""


@dataclass(frozen=True, slots=True)
class SyncNow:
    """Effect: wake the courier. No answer; CourierSeen follows."""


@dataclass(frozen=True, slots=True)
class RetryRecord:
    """Effect: take a record that was set aside back into the queue. Answer: OutboxListed, or Failed."""

    record_id: str


@dataclass(frozen=True, slots=True)
class CourierSeen:
    """How uploading goes; posted on every change."""

    courier: CourierFacts


@dataclass(frozen=True, slots=True)
class DevicesSeen:
    """What is plugged; posted on every change."""

    devices: tuple[DeviceFacts, ...]


@dataclass(frozen=True, slots=True)
class CheckPressed:
    """Look at the devices again."""


@dataclass(frozen=True, slots=True)
class CheckDevices:
    """Effect: look at all devices again. Answer: DevicesSeen."""


@dataclass(frozen=True, slots=True)
class ReviewAsked:
    """From intake: this draft has no issue left."""

    draft: Draft = field(repr=False)


@dataclass(frozen=True, slots=True)
class BuildReview:
    """Effect: freeze, canon, digest, thumbnails. The handler holds the exact bytes. Answer: ReviewBuilt, or Failed(DraftIncomplete...)."""

    draft: Draft = field(repr=False)


@dataclass(frozen=True, slots=True)
class ReviewBuilt:
    """The page to read before signing."""

    sheet: ReviewSheet


@dataclass(frozen=True, slots=True)
class AskPin:
    """F9 on the review page: I have read it, sign."""


@dataclass(frozen=True, slots=True)
class SignPressed:
    """The PIN for one signature; None on a PIN-pad token. Goes straight into ``SignRecord``."""

    pin: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class SignRecord:
    """Effect: sign the held bytes and verify at once. The signature stays with the handler. Answer: Signed, or Failed(WrongPin, TokenGone...)."""

    record_id: str
    certificate: CertificateChoice
    pin: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Signed:
    """The signature is made and verified; nothing is kept yet."""

    record_id: str


@dataclass(frozen=True, slots=True)
class Keep:
    """Effect: seal, fsync the packet, then one transaction (row, journal, draft dropped). Answer: Kept, or Failed: then nothing was kept."""

    record_id: str
    draft_id: str


@dataclass(frozen=True, slots=True)
class Kept:
    """Durable since ``at``. Only now the screen says so."""

    record_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class WatchRecord:
    """Effect: tell how this record goes on. Answers: RecordMoved, again and again."""

    record_id: str


@dataclass(frozen=True, slots=True)
class RecordMoved:
    """Where a kept record is: ``state`` of sync.life; ``receipt`` once the platform's receipt was checked and kept."""

    record_id: str
    state: str
    receipt: ReceiptFacts | None = None


@dataclass(frozen=True, slots=True)
class ReceiptWanted:
    """Print it, or save it as PDF under ``path`` (already asked)."""

    record_id: str
    path: str = ""


@dataclass(frozen=True, slots=True)
class SaveReceipt:
    """Effect: the receipt as PDF to ``path``; journaled. Answer: ReceiptSaved, or Failed."""

    record_id: str
    path: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PrintReceipt:
    """Effect: the receipt to the printer; journaled. Answer: ReceiptSaved, or Failed."""

    record_id: str


@dataclass(frozen=True, slots=True)
class ReceiptSaved:
    """It was printed (``path`` empty) or saved."""

    record_id: str
    path: str = field(default="", repr=False)
