"""The host protocol of the security module in an identity-card reader (SAM_V): frames, statuses, contents. Never opens a port.

Sources: GA/T 467-2019 section 7 as published by reader vendors. A frame is preamble, length (2 bytes, big endian, counts all that follow it),
command and parameter (host) or three status bytes (module), data, and the XOR of all between preamble and itself.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field
from typing import Final

from devices.errors import BrokenFrame, CardMute, DeviceTrouble, NoCard, ReaderOutdated, ReaderTrouble, SamRefused

__all__ = [
    "APPENDED_ADDRESS", "DONE", "FIND", "FOUND", "MANAGEMENT", "NOTHING", "NO_CARD", "PREAMBLE", "READ_BASE", "RESET", "SAM_ID", "SELECT", "STATUS",
    "UNKNOWN_COMMAND", "Answer", "Blocks", "CardNumbers", "FrameParser", "answer_frame", "build", "card_numbers", "check_status", "parse_answer",
    "sam_number", "sam_number_bytes", "slice_blocks", "trouble_of",
]

PREAMBLE: Final = bytes.fromhex("AAAAAA9669")
SHORTEST, LONGEST = 4, 0x0A00   # values of the length field that an answer may have (status and check sum; text, photo, two fingers)

RESET: Final = (0x10, 0xFF)
STATUS: Final = (0x11, 0xFF)
SAM_ID: Final = (0x12, 0xFF)
FIND: Final = (0x20, 0x01)
SELECT: Final = (0x20, 0x02)
READ_BASE: Final = (0x30, 0x01)
APPENDED_ADDRESS: Final = (0x30, 0x03)
MANAGEMENT: Final = (0x30, 0x05)

DONE, FOUND, NOTHING, UNKNOWN_COMMAND, NO_CARD = 0x90, 0x9F, 0x91, 0x21, 0x80

_NUMBER: Final = re.compile(r"([0-9]{2})\.([0-9]{2})-([0-9]{8})-([0-9]{10})-([0-9]{10})", re.ASCII)


# -- frames ----------------------------------------------------------------------------------------------------------------------------
def build(command: tuple[int, int], data: bytes = b"") -> bytes:
    """A frame from the host. Raises ValueError for data that no frame can hold."""
    body = struct.pack(">H", len(data) + 3) + bytes(command) + data if len(data) <= 0xFFFC else b""
    if not body:
        raise ValueError("data too long for a frame")
    return PREAMBLE + body + bytes((_xor(body),))


def answer_frame(status: int, data: bytes = b"") -> bytes:
    """A frame as the module would send it: for ways that hand over status and data apart (a vendor's library). Raises ValueError for too much data."""
    if len(data) + 4 > LONGEST:
        raise ValueError("data too long for a frame")
    body = struct.pack(">H", len(data) + 4) + b"\0\0" + bytes((status & 0xFF,)) + data
    return PREAMBLE + body + bytes((_xor(body),))


def _xor(body: bytes) -> int:
    """By folding the whole in halves: a loop over 1,300 bytes costs more than the rest of a read's parsing."""
    value, size = int.from_bytes(body, "big"), len(body)
    while size > 1:
        half = (size + 1) // 2
        value = (value >> 8 * half) ^ (value & (1 << 8 * half) - 1)
        size = half
    return value


@dataclass(frozen=True, slots=True)
class Answer:
    """One frame of the module. ``status`` is SW3, the only one to decide on; ``card_status`` is what the card said to the module (for the log)."""

    status: int
    data: bytes = field(default=b"", repr=False)
    card_status: bytes = b"\0\0"


class FrameParser:
    """Takes bytes as they come and gives answers; noise before a preamble is skipped. Holds at most one frame and its noise."""

    def __init__(self) -> None:
        self._held = bytearray()

        self.frame = b""
        """The last whole frame as it came."""

    def feed(self, untrusted: bytes) -> Answer | None:
        """The next answer, or None while bytes are missing. Raises BrokenFrame for a bad length or check sum; the parser then stands behind that preamble."""
        self._held += untrusted
        start = self._held.find(PREAMBLE)
        if start < 0:
            del self._held[:max(0, len(self._held) - len(PREAMBLE) + 1)]
            return None
        del self._held[:start]
        if len(self._held) < len(PREAMBLE) + 2:
            return None
        length = int.from_bytes(self._held[5:7], "big")
        if not SHORTEST <= length <= LONGEST:
            del self._held[:len(PREAMBLE)]
            raise BrokenFrame(f"length field {length:04X}")
        end = len(PREAMBLE) + 2 + length
        if len(self._held) < end:
            return None
        body = bytes(self._held[5:end - 1])
        if _xor(body) != self._held[end - 1]:
            del self._held[:len(PREAMBLE)]
            raise BrokenFrame("check sum")
        self.frame = bytes(self._held[:end])
        del self._held[:end]
        return Answer(status=body[4], data=body[5:], card_status=body[2:4])


def parse_answer(untrusted: bytes) -> Answer:
    """The answer in bytes that must hold a whole one. Raises BrokenFrame for anything else."""
    answer = FrameParser().feed(untrusted)
    if answer is None:
        raise BrokenFrame(f"no whole frame in {len(untrusted)} bytes")
    return answer


# -- statuses --------------------------------------------------------------------------------------------------------------------------
_TROUBLES: Final[dict[int, tuple[type[DeviceTrouble], str]]] = {
    0x10: (BrokenFrame, "module: check sum of our frame wrong"), 0x11: (BrokenFrame, "module: length of our frame wrong"),
    0x21: (ReaderTrouble, "module: unknown command or parameter"), 0x23: (ReaderTrouble, "module: operation not permitted"),
    0x24: (ReaderTrouble, "module: unidentified error"),
    0x31: (SamRefused, "card refused the module"), 0x32: (SamRefused, "module refused the card"), 0x33: (SamRefused, "verification of the information failed"),
    0x40: (ReaderOutdated, "unknown type of card"), 0x41: (CardMute, "reading the card failed"), 0x47: (CardMute, "card gave no random number"),
    0x60: (SamRefused, "self-test of the module failed"), 0x66: (SamRefused, "module not authorised"),
    0x80: (NoCard, "no card found, or the same one still lies there"), 0x81: (CardMute, "selecting the card failed"),
    0x91: (ReaderTrouble, "no such item on the card"),
}


def trouble_of(status: int) -> DeviceTrouble:
    """The named trouble of a status that is neither 90 nor 9F. A status that no source knows stays visible in ``facts``."""
    kind, detail = _TROUBLES.get(status, (ReaderTrouble, "status that no source knows"))
    return kind(f"{detail} ({status:02X})", status=f"{status:02X}")


def check_status(answer: Answer, *good: int) -> Answer:
    """``answer`` when its status is one of ``good`` (90 when none is given); raises its trouble otherwise."""
    if answer.status not in (good or (DONE,)):
        raise trouble_of(answer.status)
    return answer


# -- contents --------------------------------------------------------------------------------------------------------------------------
def sam_number(untrusted: bytes) -> str:
    """The module's number as it is printed on the reader, ``05.01-20200101-0001234567-0305419896``. Raises BrokenFrame unless given 16 bytes."""
    if len(untrusted) != 16:
        raise BrokenFrame(f"module number of {len(untrusted)} bytes")
    kind, version, day, serial, check = struct.unpack("<HHIII", untrusted)
    return f"{kind:02d}.{version:02d}-{day:08d}-{serial:010d}-{check:010d}"


def sam_number_bytes(number: str) -> bytes:
    """The 16 bytes of a printed number; empty where it is not written as ``sam_number`` writes it."""
    written = _NUMBER.fullmatch(number)
    parts = [int(part) for part in written.groups()] if written else []
    return struct.pack("<HHIII", *parts) if parts and max(parts) <= 0xFFFFFFFF else b""


@dataclass(frozen=True, slots=True)
class Blocks:
    """What one read gave, as it came: text (256 bytes), photo (1024, WLT), appended addresses (0 to 280), management data (28, where asked for)."""

    text: bytes = field(repr=False)
    photo: bytes = field(repr=False)
    addresses: bytes = field(default=b"", repr=False)
    management: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class CardNumbers:
    """Management data of a card (30 05): issuer, serial number of the chip, number of the card body. Never a key for a person: a new card has new ones."""

    issuer: bytes = field(repr=False)
    chip: bytes = field(repr=False)
    body: bytes = field(repr=False)


def card_numbers(untrusted: bytes) -> CardNumbers:
    """Raises BrokenFrame unless given 28 bytes (4, 8 and 16)."""
    if len(untrusted) != 28:
        raise BrokenFrame(f"management data of {len(untrusted)} bytes")
    return CardNumbers(untrusted[:4], untrusted[4:12], untrusted[12:])


def slice_blocks(untrusted: bytes) -> Blocks:
    """Text and photo by the two length fields in front of them. Raises BrokenFrame where lengths and bytes do not agree."""
    if len(untrusted) < 4:
        raise BrokenFrame("answer without length fields")
    text, photo = struct.unpack(">HH", untrusted[:4])
    if len(untrusted) != 4 + text + photo:
        raise BrokenFrame(f"length fields {text} and {photo} in {len(untrusted)} bytes")
    return Blocks(untrusted[4:4 + text], untrusted[4 + text:])
