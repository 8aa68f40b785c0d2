"""An identity-card reader with its security module, at the edge of the APDU: carries frames through a tunnel, in one piece or chained.

Written from the protocol alone, without the product's codec.
"""

from __future__ import annotations

from typing import Any

from tests.emulators.idcards import SyntheticCard
from tests.emulators.sam_module import SAM_NUMBER, Faults, SamModule
from tests.emulators.vpcd import CardPulled

__all__ = ["CHAINED_PROFILE", "SAM_NUMBER", "WHOLE_PROFILE", "Faults", "SamReader"]

CLA, INS = 0x80, 0xFE       # of this emulator alone: no vendor publishes its own

WHOLE_PROFILE: dict[str, Any] = {
    "name": "practice-whole", "match": {"reader": "^Virtual PCD"}, "mode": "apdu",
    "apdu": {"cla": "80", "ins": "FE", "p1": "00", "p2": "00", "transfer": "whole", "lengths": "extended"},
}
CHAINED_PROFILE: dict[str, Any] = {
    "name": "practice-chained", "match": {"reader": "^Virtual PCD"}, "mode": "apdu", "exchange_seconds": 5,
    "apdu": {"cla": "80", "ins": "FE", "p1": "00", "p2": "00", "transfer": "chained", "lengths": "short", "chunk": 5},
}


class SamReader(SamModule):
    """What lies on the virtual reader: reader, module and ``card`` in one (None: the module is there, no card on it)."""

    def __init__(self, card: SyntheticCard | None, faults: Faults | None = None) -> None:
        super().__init__(card, faults)
        self.atr = card.atr if card else bytes.fromhex("3B888001D103860C0080800051")
        self._held = b""
        self._left = b""

    def power(self, code: bytes) -> None:
        self.forget()
        self._held = self._left = b""

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
        answer = self.answer(frame)
        if not short:
            return answer + b"\x90\x00"
        self._left = answer
        return self._next(0 if len(answer) > 256 else 256)

    def _next(self, size: int) -> bytes:
        part, self._left = self._left[:size], self._left[size:]
        return part + (bytes((0x61, min(len(self._left), 256) & 0xFF)) if self._left else b"\x90\x00")


def _data(apdu: bytes) -> tuple[bytes, bool]:
    """Data of a command with a body, and whether its lengths are short."""
    if apdu[4] == 0 and len(apdu) > 7:
        size = int.from_bytes(apdu[5:7], "big")
        return apdu[7:7 + size], False
    return apdu[5:5 + apdu[4]], True
