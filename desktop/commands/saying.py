"""A named trouble on the terminal: what happened, what it means, what to do, and its code. Never prints a stack."""

from __future__ import annotations

import sys

from desktop.messages import say
from resources.trouble import Trouble

__all__ = ["complain"]


def complain(trouble: Trouble, about: str = "") -> None:
    """The words of ``trouble`` on standard error; ``about`` names the record or line that it is about."""
    message = say(trouble)
    words = " ".join(part for part in (message.title, message.cause, message.next) if part)
    print(f"{about + ': ' if about else ''}{words} [{trouble}]", file=sys.stderr)
