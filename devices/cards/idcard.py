"""Identity cards as the security module hands them over: four layouts of one 256-byte block, and what is odd about a card. Never opens a reader.

Sources: GB 11643-1999 (number), ISO 7064 MOD 11-2 (check digit), GA 490 and GA 1186 (layouts, as published by reader vendors), GA/T 467-2019 (blocks).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final, Literal

from devices.errors import BrokenFrame, CardKindUnknown, ReaderOutdated

__all__ = [
    "TEXT_BYTES", "Finding", "IdentityCard", "Kind", "check_digit", "document_type", "findings", "linked_number", "newest_address", "parse",
    "passport_check_digit",
]

Kind = Literal["resident", "hmt_permit", "foreign_2017", "foreign_2023"]

TEXT_BYTES: Final = 256
ADDRESS_BYTES: Final = 70
MOST_ADDRESSES: Final = 4
LONG: Final = "长期"

_KINDS: Final[dict[str, Kind]] = {"J": "hmt_permit", "I": "foreign_2017", "Y": "foreign_2023"}
_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_REMAINDERS: Final = "10X98765432"
_NUMBER_18: Final = re.compile(r"[0-9]{17}[0-9X]", re.ASCII)
_NUMBER_2017: Final = re.compile(r"[A-Z]{3}[0-9]{12}", re.ASCII)
_PERMIT: Final = re.compile(r"[HM][0-9]{8}(?:[0-9]{2})?|[0-9]{8}", re.ASCII)
_KIND_LETTER: Final = re.compile(r"[A-Z]", re.ASCII)
"""What marks a kind. On resident cards the place is reserved and blank; whatever else stands there says nothing."""
_NATIONS: Final = frozenset(f"{n:02d}" for n in (*range(1, 57), 97, 98))


@dataclass(frozen=True, slots=True)
class IdentityCard:
    """What stands on a card. Codes stay codes (GB/T 2261.1 sex, GB/T 3304 nation, ISO 3166 alpha-3 nationality); blanks are ``""``.

    ``valid_to`` is the last valid day; None with ``valid_long`` means 长期, None without it means that the card does not say so readably.
    ``newest_address`` is the appended address (30 03) or ``""``; it never replaces ``address``. ``previous_link`` leads to the number of the 2017 card.
    """

    kind: Kind
    name_zh: str = field(repr=False)
    name_latin: str = field(repr=False)
    sex: str = field(repr=False)
    nation: str = field(repr=False)
    birth_date: date | None = field(repr=False)
    address: str = field(repr=False)
    number: str = field(repr=False)
    issuer: str = field(repr=False)
    valid_from: date | None
    valid_to: date | None
    valid_long: bool
    nationality: str = field(default="", repr=False)
    travel_permit_no: str = field(default="", repr=False)
    issue_count: str = ""
    card_version: str = ""
    authority_code: str = ""
    previous_link: str = field(default="", repr=False)
    newest_address: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something odd about a card. ``code`` is a key of the messages; error: not to be taken over as it is; warning: the operator decides; note: to be seen."""

    code: str
    severity: Literal["error", "warning", "note"]
    field: str = ""


# -- layouts ---------------------------------------------------------------------------------------------------------------------------
def parse(untrusted_text: bytes, untrusted_addresses: bytes = b"") -> IdentityCard:
    """The card in a text block of 256 bytes (UTF-16LE, padded with blanks), with the answer to 30 03 where there was one.

    Raises BrokenFrame where the block has another length, ReaderOutdated where it holds neither a name nor a number
    (a reader with old firmware may hand over a kind of card that it does not know), CardKindUnknown(kind) for a capital letter that no layout has.
    """
    if len(untrusted_text) != TEXT_BYTES:
        raise BrokenFrame(f"text block of {len(untrusted_text)} bytes instead of {TEXT_BYTES}")
    block = _Block(untrusted_text)
    letter = block.text(248, 2)
    if letter not in _KINDS and _KIND_LETTER.fullmatch(letter):     # a layout that is guessed would put one thing into the field of another
        raise CardKindUnknown(f"kind {letter}", kind=letter)
    kind = _KINDS.get(letter, "resident")
    newest = newest_address(untrusted_addresses)
    if kind == "foreign_2017":
        card = _foreign_2017(block, newest)
    elif kind == "foreign_2023":
        card = _foreign_2023(block, newest)
    else:
        card = _resident(block, kind, newest)
    if not (card.name_zh or card.name_latin) and not card.number:
        raise ReaderOutdated("text block with neither name nor number")
    return card


def newest_address(untrusted_addresses: bytes) -> str:
    """The last address that is not blank among the (up to four) appended ones of 70 bytes each; ``""`` where there is none."""
    size = min(len(untrusted_addresses), ADDRESS_BYTES * MOST_ADDRESSES)
    blocks = [untrusted_addresses[start:start + ADDRESS_BYTES] for start in range(0, size, ADDRESS_BYTES)]
    written = [address for address in map(_decode, blocks) if address]
    return written[-1] if written else ""


class _Block:
    """Fields of a text block by offset and length in bytes."""

    def __init__(self, untrusted: bytes) -> None:
        self._bytes = untrusted

    def text(self, offset: int, length: int) -> str:
        return _decode(self._bytes[offset:offset + length])

    def joined(self, *places: tuple[int, int]) -> str:
        return _decode(b"".join(self._bytes[offset:offset + length] for offset, length in places))

    def day(self, offset: int) -> date | None:
        return _day(self.text(offset, 16))

    def until(self) -> tuple[date | None, bool]:
        """Last valid day and 长期: bytes 204 to 220 in every layout."""
        written = self.text(204, 16)
        return (None, True) if written == LONG else (_day(written), False)


def _decode(untrusted: bytes) -> str:
    """Text without its tail of blanks and NULs. What is no UTF-16 becomes U+FFFD and stays visible; inner blanks stay."""
    return untrusted.decode("utf-16-le", errors="replace").rstrip(" \0")


def _day(written: str) -> date | None:
    if len(written) != 8 or not (written.isascii() and written.isdigit()):
        return None
    try:
        return date(int(written[:4]), int(written[4:6]), int(written[6:]))
    except ValueError:
        return None


def _resident(block: _Block, kind: Kind, newest: str) -> IdentityCard:
    permit = kind == "hmt_permit"
    valid_to, valid_long = block.until()
    return IdentityCard(
        kind=kind, name_zh=block.text(0, 30), name_latin="", sex=block.text(30, 2), nation="" if permit else block.text(32, 4), birth_date=block.day(36),
        address=block.text(52, 70), number=block.text(122, 36).upper(), issuer=block.text(158, 30), valid_from=block.day(188), valid_to=valid_to,
        valid_long=valid_long, travel_permit_no=block.text(220, 18) if permit else "", issue_count=block.text(238, 4) if permit else "", newest_address=newest,
    )


def _foreign_2017(block: _Block, newest: str) -> IdentityCard:
    valid_to, valid_long = block.until()
    return IdentityCard(
        kind="foreign_2017", name_zh=block.text(158, 30), name_latin=block.text(0, 120), sex=block.text(120, 2), nation="", birth_date=block.day(220),
        address="", number=block.text(122, 30).upper(), issuer="", valid_from=block.day(188), valid_to=valid_to, valid_long=valid_long,
        nationality=block.text(152, 6), card_version=block.text(236, 4), authority_code=block.text(240, 8), newest_address=newest,
    )


def _foreign_2023(block: _Block, newest: str) -> IdentityCard:
    valid_to, valid_long = block.until()
    return IdentityCard(
        kind="foreign_2023", name_zh=block.text(0, 30), name_latin=block.joined((52, 70), (220, 22)), sex=block.text(30, 2),
        nation="", birth_date=block.day(36), address="", number=block.text(122, 36).upper(), issuer="", valid_from=block.day(188),
        valid_to=valid_to, valid_long=valid_long, nationality=block.text(242, 6), issue_count=block.text(32, 4),
        previous_link=block.text(250, 6), newest_address=newest,
    )


# -- rules -----------------------------------------------------------------------------------------------------------------------------
def check_digit(first_17: str) -> str:
    """The 18th character of a citizen number (ISO 7064 MOD 11-2). Raises ValueError unless given 17 digits."""
    if len(first_17) != 17 or not (first_17.isascii() and first_17.isdigit()):
        raise ValueError("17 digits are needed")
    return _REMAINDERS[sum(int(digit) * weight for digit, weight in zip(first_17, _WEIGHTS, strict=True)) % 11]


def passport_check_digit(characters: str) -> str:
    """Check digit with the weights 7, 3, 1 (as on passports), which ends the number of the 2017 residence card. Raises ValueError for other than 0-9, A-Z."""
    if not re.fullmatch(r"[0-9A-Z]*", characters):
        raise ValueError("digits and capital letters are needed")
    return str(sum(int(character, 36) * (7, 3, 1)[place % 3] for place, character in enumerate(characters)) % 10)


def linked_number(card: IdentityCard) -> str:
    """The number of the 2017 card that a 2023 card replaced; ``""`` where it cannot be told. (One source; agrees with the published pair of specimens.)"""
    fits = card.kind == "foreign_2023" and _NUMBER_18.fullmatch(card.number) and re.fullmatch(r"[0-9]{3}", card.previous_link, re.ASCII)
    if not fits or not re.fullmatch(r"[A-Z]{3}", card.nationality):
        return ""
    number = card.nationality + card.number[1:3] + card.previous_link[:2] + card.number[8:14] + card.previous_link[2]
    return number + passport_check_digit(number)


def document_type(card: IdentityCard) -> str:
    """Code of ``id_document_types.csv``: 111, 553, or X01/X02 for the residence permits (830000 is Taiwan; 810000, 820000 Hong Kong, Macao)."""
    if card.kind == "resident":
        return "111"
    if card.kind == "hmt_permit":
        return "X02" if card.number.startswith("83") else "X01"
    return "553"


def findings(card: IdentityCard, today: date) -> tuple[Finding, ...]:
    """Everything odd about ``card`` on ``today`` (the hall's day, not this machine's). Abolished region codes are never odd."""
    return (*_of_number(card), *_of_person(card), *_of_validity(card, today))


def _of_number(card: IdentityCard) -> Iterator[Finding]:
    shape = _NUMBER_2017 if card.kind == "foreign_2017" else _NUMBER_18
    if not shape.fullmatch(card.number):
        yield Finding("finding.number_malformed", "error", "number")
        return
    if card.kind == "foreign_2017":
        if passport_check_digit(card.number[:14]) != card.number[14]:
            yield Finding("finding.number_check_digit", "warning", "number")
        if card.birth_date and card.number[7:13] != f"{card.birth_date:%y%m%d}":
            yield Finding("finding.birth_differs", "warning", "birth_date")
        return
    if check_digit(card.number[:17]) != card.number[17]:
        yield Finding("finding.number_check_digit", "error", "number")
    if card.birth_date and _day(card.number[6:14]) != card.birth_date:
        yield Finding("finding.birth_differs", "warning", "birth_date")
    # no source says that the sequence of a 9… number tells the sex, and the published specimen would contradict it
    if card.kind != "foreign_2023" and card.sex in ("1", "2") and int(card.number[16]) % 2 != int(card.sex) % 2:
        yield Finding("finding.sex_differs", "warning", "sex")
    heads = {"hmt_permit": ("810000", "820000", "830000"), "foreign_2023": ("9",)}.get(card.kind)
    if heads and not card.number.startswith(heads):
        yield Finding("finding.number_series", "warning", "number")


def _of_person(card: IdentityCard) -> Iterator[Finding]:
    written = (card.name_zh, card.name_latin, card.address, card.issuer, card.newest_address)
    if any("\ufffd" in text for text in written):
        yield Finding("finding.text_garbled", "warning")
    if not (card.name_zh or card.name_latin):
        yield Finding("finding.name_missing", "error", "name_zh")
    if card.birth_date is None:
        yield Finding("finding.birth_unreadable", "error", "birth_date")
    if card.sex not in ("0", "1", "2", "9"):
        yield Finding("finding.sex_unknown", "warning", "sex")
    if card.kind == "resident" and card.nation not in _NATIONS:
        yield Finding("finding.nation_unknown", "warning", "nation")
    if card.kind == "hmt_permit" and not _PERMIT.fullmatch(card.travel_permit_no):
        yield Finding("finding.travel_permit_malformed", "warning", "travel_permit_no")
    if card.newest_address and card.newest_address != card.address:
        yield Finding("finding.newer_address", "note", "newest_address")
    if linked_number(card):
        yield Finding("finding.earlier_number", "note", "previous_link")


def _of_validity(card: IdentityCard, today: date) -> Iterator[Finding]:
    if card.birth_date and card.birth_date > today:
        yield Finding("finding.birth_future", "error", "birth_date")
    if card.valid_from is None or (card.valid_to is None and not card.valid_long):
        yield Finding("finding.validity_unknown", "warning", "valid_to")
    if card.valid_from and card.valid_from > today:
        yield Finding("finding.not_yet_valid", "warning", "valid_from")
    if card.valid_to and card.valid_to < today:
        yield Finding("finding.expired", "warning", "valid_to")
    if card.kind == "resident" and card.birth_date and card.valid_from and not _usual_term(card, card.birth_date, card.valid_from):
        yield Finding("finding.term_unusual", "note", "valid_to")


def _usual_term(card: IdentityCard, born: date, start: date) -> bool:
    """Whether the card is valid as long as the law says (居民身份证法 article 5); the age may be that of the day of application, up to 90 days before."""
    if card.valid_to is None:
        return not card.valid_long or _age(born, start) >= 46
    terms = {_term(_age(born, day)) for day in (start, start - timedelta(days=90))}
    return card.valid_to.year - start.year in terms


def _age(born: date, day: date) -> int:
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def _term(age: int) -> int:
    """Years: below 16 five, to 25 ten, to 45 twenty, from 46 on for good (here 0)."""
    return 5 if age < 16 else 10 if age < 26 else 20 if age < 46 else 0
