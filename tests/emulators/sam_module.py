"""The security module of an identity-card reader and the card on it: takes frames, gives frames, and fails on demand.

Written from the protocol alone, without the product's codec. Never decodes a photo: the block goes through as it is. A card that was read, or selected and
not read, is not found again until it was lifted.
"""

from __future__ import annotations

import struct
import threading
import time
from dataclasses import dataclass

from tests.emulators.idcards import SyntheticCard

__all__ = ["PREAMBLE", "SAM_ID", "SAM_NUMBER", "Faults", "SamModule"]

PREAMBLE = bytes.fromhex("AAAAAA9669")
SAM_ID = bytes.fromhex("05000100A53A340187D6120078563412")
SAM_NUMBER = "05.01-20200101-0001234567-0305419896"


@dataclass
class Faults:
    """What goes wrong. ``pull_after`` counts APDUs, ``pull_at`` names the command at which the card leaves."""

    no_sam: bool = False
    sam_failed: bool = False
    sam_unauthorised: bool = False
    pull_after: int | None = None
    pull_at: bytes = b""
    slow_seconds: float = 0.0
    slow_command: bytes = b"\x30\x01"
    bad_check_sum: bool = False
    bad_length: bool = False
    noise: bytes = b""
    read_status: int = 0x90
    find_status: int = 0x9F
    knows_addresses: bool = True
    sam_id: bytes = SAM_ID


class SamModule:
    """One module. ``lay`` and ``lift`` are what hands do; ``forget`` is what a loss of power does."""

    def __init__(self, card: SyntheticCard | None = None, faults: Faults | None = None) -> None:
        self.card = card
        self.faults = faults or Faults()
        self.reads = 0
        self.commands: list[bytes] = []
        self._state = "idle"
        self._lock = threading.Lock()

    def lay(self, card: SyntheticCard | None, faults: Faults | None = None) -> None:
        """Puts ``card`` down in the place of whatever lay there."""
        with self._lock:
            self.card, self.faults, self._state = card, faults or Faults(), "idle"

    def lift(self) -> None:
        with self._lock:
            self.card, self._state = None, "idle"

    def forget(self) -> None:
        with self._lock:
            self._state = "idle"

    def answer(self, frame: bytes) -> bytes:
        """The answer to one whole frame. May sleep."""
        body = frame[5:-1]
        if frame[:5] != PREAMBLE or _xor(body) != frame[-1]:
            return self.frame(0x10)
        if struct.unpack(">H", body[:2])[0] != len(frame) - 7:
            return self.frame(0x11)
        command = body[2:4]
        self.commands.append(command)
        if self.faults.slow_seconds and command == self.faults.slow_command:
            time.sleep(self.faults.slow_seconds)
        with self._lock:
            if self.faults.pull_at and command == self.faults.pull_at:
                self.card, self._state, self.faults.pull_at = None, "idle", b""
            if self.faults.sam_failed:
                return self.frame(0x60)
            if self.faults.sam_unauthorised:
                return self.frame(0x66)
            return self._command(command)

    def _command(self, command: bytes) -> bytes:
        if command in (b"\x10\xff", b"\x11\xff"):
            return self.frame(0x90)
        if command == b"\x12\xff":
            return self.frame(0x90, self.faults.sam_id)
        if command == b"\x20\x01":
            return self._find()
        if command == b"\x20\x02":
            if self._state != "found" or self.card is None:
                return self.frame(0x81)
            self._state = "selected"
            return self.frame(0x90, bytes(8))
        if command == b"\x30\x01":
            return self._read()
        if command in (b"\x30\x03", b"\x30\x05"):
            return self._more(command)
        return self.frame(0x21)

    def _find(self) -> bytes:
        if self.card is None or self._state in ("selected", "read"):
            return self.frame(0x80)
        if self.faults.find_status != 0x9F:
            return self.frame(self.faults.find_status)
        self._state = "found"
        return self.frame(0x9F, bytes(4))

    def _read(self) -> bytes:
        card, faults = self.card, self.faults
        if card is None or self._state != "selected":
            return self.frame(0x41)
        if faults.read_status != 0x90:
            return self.frame(faults.read_status)
        self._state = "read"
        self.reads += 1
        good = self.frame(0x90, struct.pack(">HH", len(card.text), len(card.photo)) + card.text + card.photo)
        if faults.bad_check_sum:
            return good[:-1] + bytes((good[-1] ^ 0x55,))
        if faults.bad_length:
            return self.frame(0x90, struct.pack(">HH", len(card.text) + 16, len(card.photo)) + card.text + card.photo)
        return faults.noise + good

    def _more(self, command: bytes) -> bytes:
        if command == b"\x30\x03" and not self.faults.knows_addresses:
            return self.frame(0x21)
        if self._state != "read" or self.card is None:
            return self.frame(0x41)
        data = self.card.addresses if command == b"\x30\x03" else self.card.management
        return self.frame(0x90, data) if data else self.frame(0x91)

    @staticmethod
    def frame(status: int, data: bytes = b"") -> bytes:
        body = struct.pack(">H", len(data) + 4) + b"\0\0" + bytes((status,)) + data
        return PREAMBLE + body + bytes((_xor(body),))


def _xor(body: bytes) -> int:
    total = 0
    for byte in body:
        total ^= byte
    return total
