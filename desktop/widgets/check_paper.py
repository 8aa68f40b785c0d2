"""The result of a sheet check on paper: what was seen, plainly not a certificate. Never says more than the screen said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from PySide6.QtCore import QPointF, QRectF, QSizeF
from PySide6.QtGui import QColor, QPainter, QPen

from desktop.hall_time import at_hall
from desktop.messages import Words
from desktop.widgets.paper import MM, practice_mark, write_text

__all__ = ["CheckPaper", "draw_check"]

_QUIET, _LINE = QColor("#556170"), QColor("#c3ccd8")


@dataclass(frozen=True, slots=True)
class CheckPaper:
    """``rows``: label, what the code says, what the platform says now."""

    title: str
    line: str
    rows: Sequence[tuple[str, str, str]] = field(repr=False)
    evidence: str
    place: str
    practice: bool
    printed_at: datetime


def draw_check(painter: QPainter, paper: CheckPaper, words: Words, size: QSizeF) -> None:
    """Paint the page of ``size`` (units of 1/96 inch)."""
    width = size.width()
    if paper.practice:
        practice_mark(painter, words, size)
    y = write_text(painter, QRectF(0, 0, width, 40), paper.place, 11, colour=_QUIET) + 2 * MM
    y += write_text(painter, QRectF(0, y, width, 80), words("paper.check_title"), 22, True) + 3 * MM
    y += write_text(painter, QRectF(0, y, width, 60), paper.title, 18, True) + 1 * MM
    y += write_text(painter, QRectF(0, y, width, 80), paper.line, 12) + 4 * MM
    for label, signed, now in paper.rows:
        painter.setPen(QPen(_LINE, 0.8))
        painter.drawLine(QPointF(0, y), QPointF(width, y))
        y += 2 * MM
        write_text(painter, QRectF(0, y + 1, 32 * MM, 40), label, 10, colour=_QUIET)
        left = write_text(painter, QRectF(34 * MM, y, width * 0.4, 120), signed, 12, True)
        right = write_text(painter, QRectF(34 * MM + width * 0.42, y, width * 0.58 - 34 * MM, 120), now, 12)
        y += max(left, right, 5 * MM) + 2 * MM
    y += 4 * MM
    y += write_text(painter, QRectF(0, y, width, 80), paper.evidence, 9, colour=_QUIET) + 4 * MM
    write_text(painter, QRectF(0, y, width, 80), words("paper.check_note"), 12, True)
    foot = words("paper.printed", at=at_hall(paper.printed_at).strftime("%Y-%m-%d %H:%M:%S"))
    write_text(painter, QRectF(0, size.height() - 6 * MM, width, 30), foot, 8.5, colour=_QUIET)
