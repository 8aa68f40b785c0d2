"""What is plugged in, what is not, and why: facts for whoever prints them. Never shows a person's data unmasked, never changes a device."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import cast

from devices.base import Cancel, say_nothing
from devices.cards.contract import CardDriver, CardRead, Sighting
from devices.cards.idcard import Finding, findings
from devices.errors import DeviceTrouble, NoReader, NoSam
from devices.registry import Entry

__all__ = ["CardsReport", "DriverReport", "MaskedRead", "ReaderReport", "examine_cards", "masked"]


@dataclass(frozen=True, slots=True)
class MaskedRead:
    """A dry read as it may be shown to a helpdesk: nobody can be told from it. ``seconds`` from opening to the card."""

    fields: Mapping[str, str]
    findings: tuple[Finding, ...]
    photo_bytes: int
    seconds: float
    photo: str = "no_decoder"
    """``decoded``, ``no_decoder``, or the code of the trouble that the decoder had."""


@dataclass(frozen=True, slots=True)
class ReaderReport:
    """One reader. ``sam`` is ``""`` where it could not be asked; ``trouble`` says what is wrong, None: nothing, or a reader that is none of ours."""

    seen: Sighting
    sam: str = ""
    read: MaskedRead | None = None
    trouble: DeviceTrouble | None = None


@dataclass(frozen=True, slots=True)
class DriverReport:
    """One driver. ``trouble``: why it could not be loaded, or could not look; ``readers`` that it sees."""

    name: str
    readers: int = 0
    trouble: DeviceTrouble | None = None


@dataclass(frozen=True, slots=True)
class CardsReport:
    """All readers; ``trouble`` is what keeps the station from having any reader: library, device list, service, no reader, no profile.

    ``ports`` are serial ports that no profile names, as an administrator would write them into one.
    """

    readers: tuple[ReaderReport, ...]
    trouble: DeviceTrouble | None = None
    drivers: tuple[DriverReport, ...] = ()
    ports: tuple[str, ...] = ()


def examine_cards(entries: Sequence[Entry], today: date, cancel: Cancel, dry_read: bool = True) -> CardsReport:
    """Looks at every reader and asks those that a profile fits. Raises nothing: every ``DeviceTrouble`` is part of the report."""
    readers: list[ReaderReport] = []
    drivers: list[DriverReport] = []
    for entry in entries:
        if entry.kind == "cards":
            found, driver = _driver(entry, today, cancel, dry_read)
            readers += found
            drivers.append(driver)
    return CardsReport(tuple(readers), _of_all(readers, drivers), tuple(drivers), _ports(readers))


def _driver(entry: Entry, today: date, cancel: Cancel, dry_read: bool) -> tuple[list[ReaderReport], DriverReport]:
    if entry.driver is None:
        return [], DriverReport(entry.name, 0, entry.trouble or DeviceTrouble(f"{entry.name} was not loaded"))
    driver = cast("CardDriver", entry.driver)
    try:
        found = [_examine(driver, seen, today, cancel, dry_read) for seen in driver.look()]
    except DeviceTrouble as trouble:
        return [], DriverReport(entry.name, 0, trouble)
    return found, DriverReport(entry.name, len(found))


def _of_all(readers: Sequence[ReaderReport], drivers: Sequence[DriverReport]) -> DeviceTrouble | None:
    """What is wrong with the station as a whole."""
    if any(reader.seen.profile for reader in readers):
        return None
    for driver in drivers:
        if driver.trouble is not None:
            return driver.trouble
    return NoSam("no profile fits any reader", reader=readers[0].seen.device.name) if readers else NoReader("no readers available")


def _examine(driver: CardDriver, seen: Sighting, today: date, cancel: Cancel, dry_read: bool) -> ReaderReport:
    if not seen.profile:    # a token's reader, a printer's port: named, never opened
        return ReaderReport(seen)
    sam, begun = "", time.monotonic()
    try:
        with driver.open(seen.device) as connection:
            sam = connection.sam_number()
            if not dry_read:
                return ReaderReport(seen, sam)
            read = connection.read(cancel, say_nothing)
    except DeviceTrouble as trouble:
        return ReaderReport(seen, sam, trouble=trouble)
    return ReaderReport(replace(seen, card=True), sam, masked(read, today, time.monotonic() - begun))


def _ports(readers: Sequence[ReaderReport]) -> tuple[str, ...]:
    """Serial ports of this machine that belong to no reader here. Where they cannot be listed there are none to show."""
    from devices.cards.line import ports_here

    try:
        ports = ports_here()
    except DeviceTrouble:
        return ()
    ours = {reader.seen.device.address for reader in readers}
    return tuple(f"{port.name}  USB {port.usb[0]:04X}:{port.usb[1]:04X}  {port.serial}".rstrip() if port.usb else port.name
                 for port in ports if port.name not in ours)


def masked(read: CardRead, today: date, seconds: float) -> MaskedRead:
    """Lengths and kinds instead of contents; of name and number the first characters, so that garbled text can be told from good."""
    card = read.card
    until = "长期" if card.valid_long else "" if card.valid_to is None else card.valid_to.isoformat()
    fields = {
        "kind": card.kind, "name_zh": _starred(card.name_zh, 1), "name_latin": _starred(card.name_latin, 1), "number": _starred(card.number, 2),
        "address": _starred(card.address, 0), "newest_address": _starred(card.newest_address, 0), "issuer": _starred(card.issuer, 0), "valid_to": until,
    }
    photo = "decoded" if read.photo_image else read.photo_trouble.code if read.photo_trouble else "no_decoder"
    return MaskedRead(fields, findings(card, today), len(read.photo), seconds, photo)


def _starred(text: str, shown: int) -> str:
    return text[:shown] + "*" * max(0, len(text) - shown)
