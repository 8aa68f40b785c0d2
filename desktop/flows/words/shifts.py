"""Effect and answer of handing a shift over. Never keeps the PIN beyond the one effect that carries it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from desktop.flows.words.facts import CertificateChoice

__all__ = ["EndShift", "ShiftEnded"]


@dataclass(frozen=True, slots=True)
class EndShift:
    """Effect: sign the journal's head at the end of a shift. Answer: ShiftEnded, or Failed(WrongPin, TokenGone...): then it is still open."""

    certificate: CertificateChoice
    pin: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class ShiftEnded:
    """The checkpoint's number, how many lines it vouches for, and its time."""

    number: int
    lines: int
    at: datetime
