"""Columns on a terminal, where a Chinese character is two wide; for a program that reads them, tabs. Never cuts a word."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import TextIO

__all__ = ["for_people", "line_of", "padded"]


def for_people(out: TextIO) -> bool:
    """Whether somebody looks at it: words and columns then, else codes and tabs."""
    return out.isatty()


def padded(text: str, width: int) -> str:
    """``text`` with blanks up to ``width`` places of the terminal; a longer one stays whole."""
    taken = sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)
    return text + " " * max(0, width - taken)


def line_of(cells: Sequence[str], widths: Sequence[int]) -> str:
    """One line; the last cell is as long as it is."""
    return "  ".join(padded(cell, width) for cell, width in zip(cells, [*widths, 0], strict=True)).rstrip()
