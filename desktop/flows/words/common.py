"""Events that every staff flow knows, and the effect that passes an event to another flow. Never anything of one flow alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = [
    "BackPressed", "Progress", "RetryPressed", "Send", "TroubleClosed",
]


@dataclass(frozen=True, slots=True)
class RetryPressed:
    """Again: the same effect that failed."""


@dataclass(frozen=True, slots=True)
class BackPressed:
    """Esc: one step back; loses nothing."""


@dataclass(frozen=True, slots=True)
class TroubleClosed:
    """The banner was read and put away."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a long effect is: ``what`` a key below ``progress.``; ``total`` 0 where it is not known."""

    what: str
    done: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class Send:
    """Effect: post ``event`` to the stage of another flow (``login``, ``intake``, ``review``). No answer."""

    flow: str
    event: Any = field(repr=False)
