"""What a social security card says of its holder, as a hint: anybody can write such a card. Never proof of identity, never a PIN, never a bank.

The application is selected by its name, the holder's data (EF06) and the issuer's (EF05) are read record by record and told by their tags, since the two
generations number their records differently. The bank's application beside it (A000000333010101) is never selected. Sources: published descriptions of
the card's files (LD/T 32-2015, LD/T 33-2015), ISO 7816-4 for T=0 (61xx, 6Cxx).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from devices.base import Cancel
from devices.cards.apdu import Command, Response, Transmit, exchange
from devices.errors import BrokenFrame, Cancelled, CardUnknown

__all__ = ["SocialCardHint", "hint_of", "read_hint", "values"]

APPLICATION: Final = b"sx1.sh." + "社会保障".encode("gbk")
HOLDER_FILE, ISSUER_FILE = 0xEF06, 0xEF05
MOST_RECORDS: Final = 12
_NOT_THERE: Final = frozenset((0x6A82, 0x6A83, 0x6A88, 0x6999, 0x6283))
"""File or record not found, application blocked or not selected."""
_SIZES: Final[dict[int, int]] = {
    0x01: 16, 0x02: 1, 0x03: 4, 0x04: 12, 0x05: 4, 0x06: 4, 0x07: 9, 0x08: 18, 0x09: 30, 0x0A: 1, 0x0B: 1, 0x0C: 3, 0x0D: 4, 0x4E: 30,
}
"""The longest value of each tag; a longer one is no value of that tag."""
_NUMBER: Final = re.compile(r"[0-9]{17}[0-9X]", re.ASCII)


@dataclass(frozen=True, slots=True)
class SocialCardHint:
    """What the card says; ``""`` and None where it does not say it readably. Codes as on identity cards (GB/T 2261.1 sex, GB/T 3304 nation).

    ``number`` is the citizen number (社会保障号码), ``card_no`` the number printed on the card, ``region`` six digits of the issuing place.
    """

    name: str = field(default="", repr=False)
    number: str = field(default="", repr=False)
    sex: str = field(default="", repr=False)
    nation: str = field(default="", repr=False)
    birth_date: date | None = field(default=None, repr=False)
    card_no: str = field(default="", repr=False)
    region: str = ""
    version: str = ""
    issued: date | None = None
    expires: date | None = None


def read_hint(transmit: Transmit, cancel: Cancel) -> SocialCardHint:
    """Reads the card behind ``transmit``. Raises CardUnknown for another card, Cancelled, BrokenFrame, and what ``transmit`` raises."""
    _go_on(cancel)
    selected = exchange(transmit, Command(0x00, 0xA4, 0x04, 0x00, APPLICATION))
    if selected.status != 0x9000:
        raise CardUnknown(f"no social security application ({selected.status:04X})", atr="")
    records = [record for file in (ISSUER_FILE, HOLDER_FILE) for record in _records(transmit, file, cancel)]
    return hint_of(records)


def _records(transmit: Transmit, file: int, cancel: Cancel) -> Iterator[bytes]:
    """Records of a file that has no PIN; none where the card has no such file."""
    _go_on(cancel)
    if exchange(transmit, Command(0x00, 0xA4, 0x02, 0x00, file.to_bytes(2, "big"))).status != 0x9000:
        return
    for number in range(1, MOST_RECORDS + 1):
        _go_on(cancel)
        response: Response = exchange(transmit, Command(0x00, 0xB2, number, 0x04, expected=256))
        if response.status in _NOT_THERE or response.status != 0x9000:
            return
        yield response.data


def _go_on(cancel: Cancel) -> None:
    if cancel.is_set():
        raise Cancelled("while reading a social security card")


# -- contents (pure) -------------------------------------------------------------------------------------------------------------------
def hint_of(untrusted_records: Iterable[bytes]) -> SocialCardHint:
    """The hint in records of EF05 and EF06. Anything that is not readable is left out. Raises BrokenFrame where nothing at all is."""
    found: dict[int, bytes] = {}
    for record in untrusted_records:
        for tag, value in values(record):
            found.setdefault(tag, value)
    if not found:
        raise BrokenFrame("no readable record")
    number = _ascii(found.get(0x08, b"")).upper()
    return SocialCardHint(
        name=_name(found.get(0x09, b"")) + _name(found.get(0x4E, b"")), number=number if _NUMBER.fullmatch(number) else "",
        sex=_sex(found.get(0x0A, b"")), nation=_nation(found.get(0x0B, b"")), birth_date=_day(found.get(0x0D, b"")), card_no=_ascii(found.get(0x07, b"")),
        region=_digits(found.get(0x01, b"")[:3]), version=_ascii(found.get(0x03, b"")), issued=_day(found.get(0x05, b"")), expires=_day(found.get(0x06, b"")),
    )


def values(untrusted_record: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and value of each entry of a record (tag, length, value); what is no known tag of a possible length ends the record."""
    place = 0
    while place + 2 <= len(untrusted_record):
        tag, size = untrusted_record[place], untrusted_record[place + 1]
        value = untrusted_record[place + 2:place + 2 + size]
        if not 0 < size <= _SIZES.get(tag, 0) or len(value) != size:
            return
        yield tag, value
        place += 2 + size


def _name(untrusted: bytes) -> str:
    """A name in GB 18030 (GBK on old cards) without its filling; a broken character stays visible as U+FFFD."""
    return untrusted.rstrip(b"\0\xff ").decode("gb18030", errors="replace").strip()


def _ascii(untrusted: bytes) -> str:
    text = untrusted.rstrip(b"\0\xff ")
    return text.decode("ascii") if text.isascii() and text.decode("ascii").isprintable() else ""


def _digits(untrusted: bytes) -> str:
    """Packed decimal digits; ``""`` where a half byte is none."""
    text = untrusted.hex()
    return text if text.isdigit() else ""


def _day(untrusted: bytes) -> date | None:
    text = _digits(untrusted)
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:])) if len(text) == 8 else None
    except ValueError:
        return None


def _sex(untrusted: bytes) -> str:
    """Cards write the code as a number or as its character."""
    code = untrusted[0] - 0x30 if untrusted[:1].isdigit() else untrusted[0] if untrusted else -1
    return str(code) if code in (0, 1, 2, 9) else ""


def _nation(untrusted: bytes) -> str:
    """Two digits. Some cards pack them (11 is 0x11), others count (11 is 0x0B); where the byte may be either and they differ, nothing is said."""
    if not untrusted:
        return ""
    counted, packed = untrusted[0], _digits(untrusted)
    codes = {int(packed)} if packed else set[int]()
    codes |= {counted}
    possible = {code for code in codes if 1 <= code <= 56 or code in (97, 98)}
    return f"{possible.pop():02d}" if len(possible) == 1 else ""
