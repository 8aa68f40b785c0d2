"""The halls' time. Never the machine's zone: an old machine whose zone is wrong must not print another hour than the hall's clock shows."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

__all__ = ["at_hall"]

_HALL_TIME = timezone(timedelta(hours=8))
"""All halls keep China Standard Time (UTC+8, no summer time)."""


def at_hall(moment: datetime) -> datetime:
    """The same moment (aware) as the hall's clock shows it."""
    return moment.astimezone(_HALL_TIME)
