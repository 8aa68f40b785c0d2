"""What an identity-card reader can do for us. Never keeps a person's data beyond the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Protocol

from devices.base import Cancel, Device, Tell
from devices.cards.idcard import IdentityCard
from devices.cards.sam import CardNumbers
from devices.cards.socialcard import SocialCardHint
from devices.errors import DeviceTrouble

__all__ = ["CardConnection", "CardDriver", "CardEvent", "CardRead", "HintDriver", "ReadEvidence", "Sight", "SightDriver", "Sighting"]


@dataclass(frozen=True, slots=True)
class ReadEvidence:
    """Who read: SAM number, reader and profile by name, time (aware, UTC), SHA-256 over text, photo and newest address as they came."""

    sam: str
    reader: str
    profile: str
    read_at: datetime
    raw_digest: str


@dataclass(frozen=True, slots=True)
class CardRead:
    """One successful read. ``photo`` is the raw WLT block (1024 bytes); ``photo_image`` a PNG where a vendor's decoder was there and worked, else None.

    ``photo_trouble`` says why a decoder that is there failed. ``numbers`` is the card's management data, where the profile asks for it.
    """

    card: IdentityCard = field(repr=False)
    evidence: ReadEvidence
    photo: bytes = field(repr=False)
    photo_image: bytes | None = field(default=None, repr=False)
    photo_trouble: DeviceTrouble | None = None
    numbers: CardNumbers | None = field(default=None, repr=False)


class CardConnection(Protocol):
    """An open reader; a context manager."""

    device: Device

    def sam_number(self) -> str:
        """Number of the security module; ``""`` from one that does not tell it."""
        ...

    def read(self, cancel: Cancel, tell: Tell) -> CardRead:
        """Find, select, read text and photo, then the newest address. MUST raise CardRemoved when the card leaves during the read.

        A card that was read and still lies there is either read again or said to be CardReadAlready; never the data of an earlier read.
        """
        ...

    def __enter__(self) -> CardConnection: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...


@dataclass(frozen=True, slots=True)
class CardEvent:
    """What the watch saw. ``what``: reader_arrived, reader_left, card_placed, card_lifted, service_down, service_up. ``device`` None for the service."""

    what: str
    device: Device | None = None


@dataclass(frozen=True, slots=True)
class Sighting:
    """A reader as it stands now. ``profile`` is ``""`` for a reader that no profile fits (a staff token's reader): it is named, never opened."""

    device: Device
    profile: str = ""
    card: bool = False
    mute: bool = False
    atr: bytes = b""


class CardDriver(Protocol):
    """Finds and opens the readers of one kind."""

    @property
    def name(self) -> str: ...

    def find(self) -> Sequence[Device]: ...

    def look(self) -> Sequence[Sighting]:
        """All readers as they stand, without touching a card that PC/SC knows of; those of no concern to us have no profile."""
        ...

    def open(self, device: Device) -> CardConnection: ...

    def sight(self) -> Sight: ...

    def close(self) -> None:
        """Ends child processes. Readers that are open stay open."""
        ...


class HintDriver(Protocol):
    """Contact slots for social security cards. What they tell is no read: it has no evidence and fills nothing."""

    @property
    def name(self) -> str: ...

    def find(self) -> Sequence[Device]: ...

    def read(self, device: Device, cancel: Cancel) -> SocialCardHint: ...


class Sight(Protocol):
    """A standing look at all readers of one kind; a context manager. Every call may raise ``DeviceTrouble``; the look is then spent."""

    def wait(self, seconds: float) -> Sequence[Sighting]:
        """All readers, as soon as something changed or the time is over."""
        ...

    def cancel(self) -> None:
        """Ends a running ``wait`` from another thread."""
        ...

    def __enter__(self) -> Sight: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...


class SightDriver(Protocol):
    """A driver whose readers can be watched."""

    def sight(self) -> Sight: ...
