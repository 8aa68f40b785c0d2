"""An identity-card reader with its security module, at the edge of the APDU: answers frames through a tunnel, in one piece or chained, and fails on demand.

Written from the protocol alone, without the product's codec. Never decodes a photo: the block goes through as it is.
"""

from __future__ import annotations

import struct
import time
from dataclasses import dataclass
from typing import Any

from tests.emulators.idcards import SyntheticCard
from tests.emulators.vpcd import CardPulled

__all__ = ["CHAINED_PROFILE", "SAM_NUMBER", "WHOLE_PROFILE", "Faults", "SamReader"]

PREAMBLE = bytes.fromhex("AAAAAA9669")
SAM_ID = bytes.fromhex("05000100A53A340187D6120078563412")
SAM_NUMBER = "05.01-20200101-0001234567-0305419896"
CLA, INS = 0x80, 0xFE       # of this emulator alone: no vendor publishes its own

WHOLE_PROFILE: dict[str, Any] = {
    "name": "practice-whole", "match": {"reader": "^Virtual PCD"}, "mode": "apdu",
    "apdu": {"cla": "80", "ins": "FE", "p1": "00", "p2": "00", "transfer": "whole", "lengths": "extended"},
}
CHAINED_PROFILE: dict[str, Any] = {
    "name": "practice-chained", "match": {"reader": "^Virtual PCD"}, "mode": "apdu", "exchange_seconds": 5,
    "apdu": {"cla": "80", "ins": "FE", "p1": "00", "p2": "00", "transfer": "chained", "lengths": "short", "chunk": 5},
}


@dataclass
class Faults:
    """What goes wrong. ``pull_after`` counts APDUs: the card is pulled instead of the answer that follows so many good ones."""

    no_sam: bool = False
    sam_failed: bool = False
    sam_unauthorised: bool = False
    pull_after: int | None = None
    slow_seconds: float = 0.0
    slow_command: bytes = b"\x30\x01"
    bad_check_sum: bool = False
    bad_length: bool = False
    noise: bytes = b""
    read_status: int = 0x90
    find_status: int = 0x9F
    knows_addresses: bool = True


class SamReader:
    """What lies on the virtual reader: reader, module and ``card`` in one (None: the module is there, no card on it)."""

    def __init__(self, card: SyntheticCard | None, faults: Faults | None = None) -> None:
        self.card = card
        self.faults = faults or Faults()
        self.atr = card.atr if card else bytes.fromhex("3B888001D103860C0080800051")
        self.reads = 0
        self.commands: list[bytes] = []
        self._forget()

    def _forget(self) -> None:
        self._state = "idle"
        self._held = b""
        self._left = b""

    def power(self, code: bytes) -> None:
        self._forget()

    def transmit(self, apdu: bytes) -> bytes:
        faults = self.faults
        if faults.pull_after is not None:
            if faults.pull_after <= 0:
                raise CardPulled
            faults.pull_after -= 1
        if len(apdu) >= 5 and apdu[:4] == b"\x00\xc0\x00\x00":
            return self._next(apdu[4] or 256)
        if faults.no_sam or len(apdu) < 5 or apdu[0] & ~0x10 != CLA or apdu[1] != INS:
            return b"\x6d\x00"
        data, short = _data(apdu)
        self._held += data
        if apdu[0] & 0x10:
            return b"\x90\x00"
        frame, self._held = self._held, b""
        answer = self._answer(frame)
        if not short:
            return answer + b"\x90\x00"
        self._left = answer
        return self._next(0 if len(answer) > 256 else 256)

    def _next(self, size: int) -> bytes:
        part, self._left = self._left[:size], self._left[size:]
        return part + (bytes((0x61, min(len(self._left), 256) & 0xFF)) if self._left else b"\x90\x00")

    # -- the module ----------------------------------------------------------------------------------------------------------------------
    def _answer(self, frame: bytes) -> bytes:
        body = frame[5:-1]
        if frame[:5] != PREAMBLE or _xor(body) != frame[-1]:
            return self._frame(0x10)
        if struct.unpack(">H", body[:2])[0] != len(frame) - 7:
            return self._frame(0x11)
        command = body[2:4]
        self.commands.append(command)
        if self.faults.slow_seconds and command == self.faults.slow_command:
            time.sleep(self.faults.slow_seconds)
        if self.faults.sam_failed:
            return self._frame(0x60)
        if self.faults.sam_unauthorised:
            return self._frame(0x66)
        return self._command(command)

    def _command(self, command: bytes) -> bytes:
        if command in (b"\x10\xff", b"\x11\xff"):
            return self._frame(0x90)
        if command == b"\x12\xff":
            return self._frame(0x90, SAM_ID)
        if command == b"\x20\x01":
            return self._find()
        if command == b"\x20\x02":
            if self._state != "found":
                return self._frame(0x81)
            self._state = "selected"
            return self._frame(0x90, bytes(8))
        if command == b"\x30\x01":
            return self._read()
        if command == b"\x30\x03":
            return self._addresses()
        return self._frame(0x21)

    def _find(self) -> bytes:
        if self.card is None or self._state == "read":     # the same card is not found again until it was lifted
            return self._frame(0x80)
        if self.faults.find_status != 0x9F:
            return self._frame(self.faults.find_status)
        self._state = "found"
        return self._frame(0x9F, bytes(4))

    def _read(self) -> bytes:
        card, faults = self.card, self.faults
        if card is None or self._state != "selected":
            return self._frame(0x41)
        if faults.read_status != 0x90:
            return self._frame(faults.read_status)
        self._state = "read"
        self.reads += 1
        good = self._frame(0x90, struct.pack(">HH", len(card.text), len(card.photo)) + card.text + card.photo)
        if faults.bad_check_sum:
            return good[:-1] + bytes((good[-1] ^ 0x55,))
        if faults.bad_length:
            return self._frame(0x90, struct.pack(">HH", len(card.text) + 16, len(card.photo)) + card.text + card.photo)
        return faults.noise + good

    def _addresses(self) -> bytes:
        if not self.faults.knows_addresses:
            return self._frame(0x21)
        if self._state != "read" or self.card is None:
            return self._frame(0x41)
        return self._frame(0x90, self.card.addresses) if self.card.addresses else self._frame(0x91)

    @staticmethod
    def _frame(status: int, data: bytes = b"") -> bytes:
        body = struct.pack(">H", len(data) + 4) + b"\0\0" + bytes((status,)) + data
        return PREAMBLE + body + bytes((_xor(body),))


def _xor(body: bytes) -> int:
    total = 0
    for byte in body:
        total ^= byte
    return total


def _data(apdu: bytes) -> tuple[bytes, bool]:
    """Data of a command with a body, and whether its lengths are short."""
    if apdu[4] == 0 and len(apdu) > 7:
        size = int.from_bytes(apdu[5:7], "big")
        return apdu[7:7 + size], False
    return apdu[5:5 + apdu[4]], True
