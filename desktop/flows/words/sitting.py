"""Events and effects of one sitting: card, form, parking, review. Never anything that takes a picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from desktop.flows.words.facts import ParkedFacts
from devices.base import Device
from devices.cards.contract import CardRead
from sync.draft import Draft, Value

__all__ = [
    "ByHandPressed", "CancelRead", "CardLifted", "CardPlaced", "CardWasRead", "DiscardConfirmed", "DiscardPressed", "DraftOpened", "DraftParked",
    "DraftSaved", "DropDraft", "Edited", "LeftField", "ListParked", "NewSitting", "Note", "OpenDraft", "OtherPersonPressed", "ParkDraft",
    "ParkPressed", "ParkedListed", "ParkedPicked", "PlacePicked", "ReadCard", "ReadPressed", "ReviewPressed", "RowAdded", "RowRemoved", "SaveDraft",
    "SittingDone", "SittingMade", "Unlocked",
]


@dataclass(frozen=True, slots=True)
class CardPlaced:
    """The watch saw a card on this reader."""

    device: Device


@dataclass(frozen=True, slots=True)
class CardLifted:
    """The card is gone."""


@dataclass(frozen=True, slots=True)
class ReadPressed:
    """F2."""


@dataclass(frozen=True, slots=True)
class ReadCard:
    """Effect: read the identity card; ``device``: where it was laid, None: the chosen reader. Progress meanwhile. Answer: CardWasRead, ReaderAsked or Failed.
    """

    device: Device | None = None


@dataclass(frozen=True, slots=True)
class CancelRead:
    """Effect: set the cancel event of the reading lane. Answer: Failed(Cancelled) of the read."""


@dataclass(frozen=True, slots=True)
class CardWasRead:
    """A whole read. ``new_id`` is a fresh UUID, used where no sitting is open; ``at`` aware; ``sam_listed``: the province knows the module that read."""

    read: CardRead = field(repr=False)
    at: datetime
    new_id: str
    sam_listed: bool = True


@dataclass(frozen=True, slots=True)
class OtherPersonPressed:
    """The other card belongs to the next person: park this sitting, begin theirs."""


@dataclass(frozen=True, slots=True)
class ByHandPressed:
    """Begin a sitting without a card."""


@dataclass(frozen=True, slots=True)
class NewSitting:
    """Effect: a fresh draft id. Answer: SittingMade."""


@dataclass(frozen=True, slots=True)
class SittingMade:
    """A fresh UUID and the time."""

    draft_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Edited:
    """A person changed a field; ``at`` aware."""

    path: str
    value: Value = field(repr=False)
    at: datetime


@dataclass(frozen=True, slots=True)
class LeftField:
    """The caret left a field: save now."""

    path: str


@dataclass(frozen=True, slots=True)
class RowAdded:
    """One more empty row of a repeating section."""

    section: str


@dataclass(frozen=True, slots=True)
class RowRemoved:
    """A row is taken away; later ones move up."""

    section: str
    index: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Unlocked:
    """A chip value may be typed over; ``reason`` a key below ``unlock.`` (misprint, rare_character, corrected). Goes into the journal."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class PlacePicked:
    """An issue was pressed: bring its field and put the caret there."""

    path: str


@dataclass(frozen=True, slots=True)
class SaveDraft:
    """Effect: keep the draft parked. The handler writes the last one at most every 500 ms, at once where ``now``. Answer: DraftSaved, or Failed.

    ``photo``: the chip's picture, kept with the draft; None leaves the one that is there.
    """

    draft: Draft = field(repr=False)
    now: bool = False
    photo: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class DraftSaved:
    """The draft is on the disk since ``at``."""

    draft_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Note:
    """Effect: a journal line (FORMATS 12). ``facts`` never hold names, numbers or PINs. No answer."""

    what: str
    about: str
    facts: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class ParkPressed:
    """F8."""


@dataclass(frozen=True, slots=True)
class ParkDraft:
    """Effect: the draft durably into the parked rows. Answer: DraftParked, or Failed; only then the desk is cleared."""

    draft: Draft = field(repr=False)


@dataclass(frozen=True, slots=True)
class DraftParked:
    """It is on the disk."""

    draft_id: str


@dataclass(frozen=True, slots=True)
class ListParked:
    """Effect: this operator's parked sittings. Answer: ParkedListed."""


@dataclass(frozen=True, slots=True)
class ParkedListed:
    """All of ``owner``'s, newest first."""

    parked: tuple[ParkedFacts, ...]
    owner: str = ""


@dataclass(frozen=True, slots=True)
class ParkedPicked:
    """Go on with this one (the open one is parked first)."""

    draft_id: str


@dataclass(frozen=True, slots=True)
class OpenDraft:
    """Effect: load a parked draft with thumbnails. Answer: DraftOpened, or Failed."""

    draft_id: str


@dataclass(frozen=True, slots=True)
class DraftOpened:
    """``pictures``: still_id -> encoded thumbnail; ``chip_photo`` the picture of the card that was read for it, where there was one."""

    draft: Draft = field(repr=False)
    pictures: Mapping[str, bytes] = field(repr=False)
    at: datetime
    chip_photo: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class DiscardPressed:
    """Ask whether this sitting shall be thrown away."""


@dataclass(frozen=True, slots=True)
class DiscardConfirmed:
    """Yes, throw it away."""


@dataclass(frozen=True, slots=True)
class DropDraft:
    """Effect: erase a draft, its key and its pictures; journaled. No answer but Failed."""

    draft_id: str


@dataclass(frozen=True, slots=True)
class ReviewPressed:
    """F9; ``at`` aware."""

    at: datetime


@dataclass(frozen=True, slots=True)
class SittingDone:
    """From review: the record of this draft is kept; the desk is free."""

    draft_id: str
