"""The host protocol of the security module in an identity-card reader (SAM_V): frames, statuses, and one read. Never opens a port.

Sources: GA/T 467-2019 section 7 as published by reader vendors. A frame is preamble, length (2 bytes, big endian, counts all that follow it),
command and parameter (host) or three status bytes (module), data, and the XOR of all between preamble and itself.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from devices.base import Cancel, Tell
from devices.errors import BrokenFrame, Cancelled, CardMute, CardRemoved, DeviceTrouble, NoCard, ReaderOutdated, ReaderTrouble, SamRefused, TimedOut

__all__ = [
    "APPENDED_ADDRESS", "FIND", "MANAGEMENT", "PREAMBLE", "READ_BASE", "RESET", "SAM_ID", "SELECT", "STATUS", "Answer", "Blocks", "Exchange", "FrameParser",
    "SamSession", "Waits", "build", "check_status", "parse_answer", "sam_number", "slice_blocks", "trouble_of",
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

Exchange = Callable[[bytes, float], bytes]
"""Sends one whole frame and gives the answer's bytes, within so many seconds. Raises ``DeviceTrouble``."""


# -- frames ----------------------------------------------------------------------------------------------------------------------------
def build(command: tuple[int, int], data: bytes = b"") -> bytes:
    """A frame from the host. Raises ValueError for data that no frame can hold."""
    body = struct.pack(">H", len(data) + 3) + bytes(command) + data if len(data) <= 0xFFFC else b""
    if not body:
        raise ValueError("data too long for a frame")
    return PREAMBLE + body + bytes((_xor(body),))


def _xor(body: bytes) -> int:
    total = 0
    for byte in body:
        total ^= byte
    return total


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


@dataclass(frozen=True, slots=True)
class Blocks:
    """What one read gave, as it came: text (256 bytes), photo (1024, WLT), appended addresses (0 to 280)."""

    text: bytes = field(repr=False)
    photo: bytes = field(repr=False)
    addresses: bytes = field(default=b"", repr=False)


def slice_blocks(untrusted: bytes) -> Blocks:
    """Text and photo by the two length fields in front of them. Raises BrokenFrame where lengths and bytes do not agree."""
    if len(untrusted) < 4:
        raise BrokenFrame("answer without length fields")
    text, photo = struct.unpack(">HH", untrusted[:4])
    if len(untrusted) != 4 + text + photo:
        raise BrokenFrame(f"length fields {text} and {photo} in {len(untrusted)} bytes")
    return Blocks(untrusted[4:4 + text], untrusted[4 + text:])


# -- the read --------------------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Waits:
    """Seconds that one exchange may take, and the time between two tries to find a card (time-outs seen in vendors' programs)."""

    short: float = 2.0
    base: float = 5.0
    address: float = 3.0
    between_finds: float = 0.3
    finds: int = 2


class SamSession:
    """Reads through one module. One thread at a time; ``deadline`` (seconds) is for the whole of each call."""

    def __init__(self, exchange: Exchange, cancel: Cancel, deadline: float = 15.0, waits: Waits | None = None) -> None:
        self._exchange = exchange
        self._cancel = cancel
        self._waits = waits or Waits()
        self._end = time.monotonic() + deadline

    def number(self) -> str:
        """State and number of the module. Raises SamRefused where it failed its own test."""
        check_status(self._ask(STATUS, self._waits.short))
        return sam_number(check_status(self._ask(SAM_ID, self._waits.short)).data)

    def read(self, tell: Tell) -> Blocks:
        """Find, select, text and photo, appended address. Raises NoCard before a card was found, CardRemoved when it left after that."""
        tell("read.find", 0, 4)
        self._find()
        try:
            tell("read.select", 1, 4)
            check_status(self._ask(SELECT, self._waits.short))
            tell("read.text", 2, 4)
            blocks = slice_blocks(check_status(self._ask(READ_BASE, self._waits.base)).data)
            tell("read.address", 3, 4)
            appended = check_status(self._ask(APPENDED_ADDRESS, self._waits.address), DONE, NOTHING, UNKNOWN_COMMAND)   # old modules know no 30 03
        except NoCard as gone:
            raise CardRemoved("the card left during the read") from gone
        tell("read.done", 4, 4)
        return Blocks(blocks.text, blocks.photo, appended.data if appended.status == DONE else b"")

    def _find(self) -> None:
        for attempt in range(self._waits.finds):
            answer = self._ask(FIND, self._waits.short)
            if answer.status in (FOUND, DONE):
                return
            if answer.status != NO_CARD or attempt + 1 == self._waits.finds:
                raise trouble_of(answer.status)
            if self._cancel.wait(self._waits.between_finds):
                raise Cancelled("while looking for a card")

    def _ask(self, command: tuple[int, int], seconds: float) -> Answer:
        if self._cancel.is_set():
            raise Cancelled(f"before command {bytes(command).hex()}")
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimedOut("deadline of the read")
        return parse_answer(self._exchange(build(command), min(seconds, left)))
