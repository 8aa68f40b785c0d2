"""What is plugged in, what is not, and why: facts for whoever prints them. Never shows a person's data unmasked, never changes a device."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from devices.base import Cancel, Device, say_nothing
from devices.cards.contract import CardConnection, CardRead, Sighting
from devices.cards.idcard import Finding, findings
from devices.errors import DeviceTrouble, NoReader, NoSam
from devices.registry import Entry

__all__ = ["CardsReport", "MaskedRead", "ReaderReport", "examine_cards", "masked"]


class _Looking(Protocol):
    def look(self) -> Sequence[Sighting]: ...
    def open(self, device: Device) -> CardConnection: ...


@dataclass(frozen=True, slots=True)
class MaskedRead:
    """A dry read as it may be shown to a helpdesk: nobody can be told from it. ``seconds`` from opening to the card."""

    fields: Mapping[str, str]
    findings: tuple[Finding, ...]
    photo_bytes: int
    seconds: float


@dataclass(frozen=True, slots=True)
class ReaderReport:
    """One reader. ``sam`` is ``""`` where it could not be asked; ``trouble`` says what is wrong, None: nothing."""

    seen: Sighting
    sam: str = ""
    read: MaskedRead | None = None
    trouble: DeviceTrouble | None = None


@dataclass(frozen=True, slots=True)
class CardsReport:
    """All readers; ``trouble`` is what concerns them all: library, device list, service, no reader."""

    readers: tuple[ReaderReport, ...]
    trouble: DeviceTrouble | None = None


def examine_cards(entries: Sequence[Entry], today: date, cancel: Cancel, dry_read: bool = True) -> CardsReport:
    """Looks at every reader and asks those that a profile fits. Raises nothing: every ``DeviceTrouble`` is part of the report."""
    readers: list[ReaderReport] = []
    for entry in entries:
        if entry.kind != "cards":
            continue
        if entry.driver is None or not hasattr(entry.driver, "look"):
            return CardsReport(tuple(readers), entry.trouble or DeviceTrouble(f"{entry.name} cannot look"))
        driver: _Looking = entry.driver   # type: ignore[assignment]
        try:
            readers += [_examine(driver, seen, today, cancel, dry_read) for seen in driver.look()]
        except DeviceTrouble as trouble:
            return CardsReport(tuple(readers), trouble)
    return CardsReport(tuple(readers), None if readers else NoReader("no readers available"))


def _examine(driver: _Looking, seen: Sighting, today: date, cancel: Cancel, dry_read: bool) -> ReaderReport:
    if not seen.profile:
        return ReaderReport(seen, trouble=NoSam("no profile fits", reader=seen.device.name))
    sam, begun = "", time.monotonic()
    try:
        with driver.open(seen.device) as connection:
            sam = connection.sam_number()
            if not dry_read:
                return ReaderReport(seen, sam)
            read = connection.read(cancel, say_nothing)
    except DeviceTrouble as trouble:
        return ReaderReport(seen, sam, trouble=trouble)
    return ReaderReport(seen, sam, masked(read, today, time.monotonic() - begun))


def masked(read: CardRead, today: date, seconds: float) -> MaskedRead:
    """Lengths and kinds instead of contents; of name and number the first characters, so that garbled text can be told from good."""
    card = read.card
    until = "长期" if card.valid_long else "" if card.valid_to is None else card.valid_to.isoformat()
    fields = {
        "kind": card.kind, "name_zh": _starred(card.name_zh, 1), "name_latin": _starred(card.name_latin, 1), "number": _starred(card.number, 2),
        "address": _starred(card.address, 0), "newest_address": _starred(card.newest_address, 0), "issuer": _starred(card.issuer, 0), "valid_to": until,
    }
    return MaskedRead(fields, findings(card, today), len(read.photo), seconds)


def _starred(text: str, shown: int) -> str:
    return text[:shown] + "*" * max(0, len(text) - shown)
