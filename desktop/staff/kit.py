"""What every page of the desk is given: look, words, tables, clock, and where events go. Never holds a state."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from desktop.messages import Message, Words, say
from desktop.widgets.style import Look
from resources.trouble import Trouble
from sync.tables import Tables

__all__ = ["Kit", "Post", "utc_now"]

Post = Callable[[Any], None]
"""Where a page puts what a person did."""


def utc_now() -> datetime:
    """The time now, aware."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Kit:
    """``now`` gives aware times; tests and screenshots hand over their own."""

    look: Look
    words: Words
    tables: Tables
    now: Callable[[], datetime] = utc_now

    @property
    def lang(self) -> str:
        """``zh`` or ``en``, as the code tables name their columns."""
        return "en" if self.words.lang == "en" else "zh"

    def joined(self, parts: Iterable[str]) -> str:
        """An enumeration as this language writes it."""
        return ("、" if self.lang == "zh" else ", ").join(parts)

    def say(self, trouble: Trouble) -> Message:
        """The message of a trouble in this language."""
        return say(trouble, self.words.lang)
