"""The reconciliation sheet on A4, as many pages as its differences need. Never prints a person's name or number: records stand there by their ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from desktop.hall_time import at_hall
from desktop.messages import Words
from desktop.widgets.paper import MM, Draw, practice_mark, write_text

__all__ = ["SheetPaper", "SheetPaperLine", "sheet_pages"]

_QUIET, _LINE, _INK = QColor("#556170"), QColor("#c3ccd8"), QColor("#161d27")
_FIRST, _LATER = 14, 19
"""Lines of the first page, which has the head and the numbers, and of those after it; each line takes 11 mm at most."""
_LINE_HEIGHT = 11 * MM


@dataclass(frozen=True, slots=True)
class SheetPaperLine:
    """One difference in words: the record's id, what differs and why, whose it is, since when."""

    record_id: str
    what: str
    why: str
    whose: str
    since: str


@dataclass(frozen=True, slots=True)
class SheetPaper:
    """What stands on the sheet. ``counts``: label and number, in their order; ``note`` below them."""

    day: str
    place: str
    verdict: str
    words: str
    counts: Sequence[tuple[str, int]]
    note: str
    lines: Sequence[SheetPaperLine]
    practice: bool
    printed_at: datetime


def sheet_pages(paper: SheetPaper, words: Words) -> tuple[Draw, ...]:
    """One painter for each page."""
    parts = [paper.lines[:_FIRST]]
    rest = paper.lines[_FIRST:]
    while rest:
        parts.append(rest[:_LATER])
        rest = rest[_LATER:]
    return tuple(partial(_draw, paper, words, number, len(parts), lines) for number, lines in enumerate(parts, 1))


def _draw(paper: SheetPaper, words: Words, number: int, total: int, lines: Sequence[SheetPaperLine], painter: QPainter, size: QSizeF) -> None:
    width = size.width()
    if paper.practice:
        practice_mark(painter, words, size)
    y = write_text(painter, QRectF(0, 0, width, 40), paper.place, 11, colour=_QUIET) + 2 * MM
    title = words("paper.sheet_title", day=paper.day) + (f"（{words('paper.practice')}）" if paper.practice else "")
    y += write_text(painter, QRectF(0, y, width, 80), title, 20 if number == 1 else 14, True) + 4 * MM
    if number == 1:
        y = _head(painter, paper, width, y)
    painter.setPen(QPen(_INK, 1))
    painter.drawLine(QPointF(0, y), QPointF(width, y))
    y += 2 * MM
    for one in lines:
        _line(painter, one, width, y)
        y += _LINE_HEIGHT
    if number == total:
        _signatures(painter, words, width, size.height() - 30 * MM)
    foot = words("paper.printed", at=at_hall(paper.printed_at).strftime("%Y-%m-%d %H:%M:%S"))
    write_text(painter, QRectF(0, size.height() - 6 * MM, width, 30), foot, 8.5, colour=_QUIET)
    write_text(painter, QRectF(0, size.height() - 6 * MM, width, 30), words("paper.page", n=number, m=total), 8.5, colour=_QUIET,
               align=Qt.AlignmentFlag.AlignRight)


def _head(painter: QPainter, paper: SheetPaper, width: float, y: float) -> float:
    y += write_text(painter, QRectF(0, y, width, 60), paper.verdict, 14, True) + 1 * MM
    y += write_text(painter, QRectF(0, y, width, 80), paper.words, 11) + 4 * MM
    column = width / len(paper.counts)
    for at, (name, count) in enumerate(paper.counts):
        centre = Qt.AlignmentFlag.AlignHCenter
        write_text(painter, QRectF(at * column, y, column, 60), str(count), 26, True, align=centre)
        write_text(painter, QRectF(at * column, y + 13 * MM, column, 30), name, 10, colour=_QUIET, align=centre)
        if at:
            sign = "=" if count == paper.counts[at - 1][1] else "≠"
            write_text(painter, QRectF(at * column - 10 * MM, y, 20 * MM, 60), sign, 26, align=centre)
    y += 20 * MM
    return y + write_text(painter, QRectF(0, y, width, 60), paper.note, 10, colour=_QUIET) + 4 * MM


def _line(painter: QPainter, one: SheetPaperLine, width: float, y: float) -> None:
    right = 44 * MM
    write_text(painter, QRectF(0, y, width - right, 30), one.what + (f" · {one.why}" if one.why else ""), 10.5)
    write_text(painter, QRectF(0, y + 5 * MM, width - right, 30), one.record_id, 8.5, colour=_QUIET)
    write_text(painter, QRectF(width - right, y, right, 30), one.whose, 10, align=Qt.AlignmentFlag.AlignRight)
    write_text(painter, QRectF(width - right, y + 5 * MM, right, 30), one.since, 8.5, colour=_QUIET, align=Qt.AlignmentFlag.AlignRight)
    painter.setPen(QPen(_LINE, 0.6))
    painter.drawLine(QPointF(0, y + _LINE_HEIGHT - 1.4 * MM), QPointF(width, y + _LINE_HEIGHT - 1.4 * MM))


def _signatures(painter: QPainter, words: Words, width: float, y: float) -> None:
    for at, name in enumerate(("sheet_collector", "sheet_supervisor")):
        left = at * width / 2
        write_text(painter, QRectF(left, y, 24 * MM, 30), words(f"paper.{name}"), 10.5, colour=_QUIET)
        painter.setPen(QPen(_INK, 0.8))
        painter.drawLine(QPointF(left + 24 * MM, y + 5 * MM), QPointF(left + width / 2 - 8 * MM, y + 5 * MM))
