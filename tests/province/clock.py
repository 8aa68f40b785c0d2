"""The province's clock, which tests may turn. Never used for time-outs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

__all__ = ["Clock"]


class Clock:
    """Wall time plus an offset in seconds."""

    def __init__(self, offset: float = 0) -> None:
        self.offset = offset

    def now(self) -> datetime:
        return (datetime.now(UTC) + timedelta(seconds=self.offset)).replace(microsecond=0)
