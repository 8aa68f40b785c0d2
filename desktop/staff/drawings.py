"""Calm drawings that show where to put things. Never a photo and never a person."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from desktop.widgets.style import Look

__all__ = ["ReaderDrawing"]


class ReaderDrawing(QWidget):
    """A card above a reader, with an arrow down; while reading the card lies on it and waves go out."""

    def __init__(self, look: Look, reading: bool = False, says: str = "") -> None:
        super().__init__()
        self._look, self._reading = look, reading
        self.setAccessibleName(says)
        self.setFixedSize(QSize(320, 220))

    def paintEvent(self, event: QPaintEvent) -> None:
        look, painter = self._look, QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        edge = QPen(look.colour("faint"), 2)
        strong = QPen(look.colour("accent"), 2)
        painter.setPen(edge)
        painter.setBrush(look.colour("surface"))
        body = QPolygonF([QPointF(58, 208), QPointF(262, 208), QPointF(238, 150), QPointF(82, 150)])
        painter.drawPolygon(body)
        painter.setBrush(look.colour("pill"))
        painter.drawRoundedRect(QRectF(50, 206, 220, 12), 5, 5)
        painter.setPen(QPen(look.colour("hairline"), 2, Qt.PenStyle.DashLine))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPolygon(QPolygonF([QPointF(104, 198), QPointF(216, 198), QPointF(203, 162), QPointF(117, 162)]))
        top = 118.0 if self._reading else 12.0
        painter.setPen(strong)
        painter.setBrush(look.colour("accent_soft"))
        painter.drawRoundedRect(QRectF(88, top, 144, 78), 8, 8)
        painter.setBrush(look.colour("surface"))
        painter.drawEllipse(QPointF(121, top + 30), 11, 11)
        painter.drawChord(QRectF(104, top + 44, 34, 34), 0, 180 * 16)
        for offset, width in ((26.0, 62.0), (40.0, 48.0), (54.0, 56.0)):
            painter.drawLine(QPointF(154, top + offset), QPointF(154 + width, top + offset))
        if self._reading:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            for size in (22.0, 38.0, 54.0):
                painter.drawArc(QRectF(160 - size, 96 - size / 1.6, size * 2, size * 1.3), 40 * 16, 100 * 16)
            return
        painter.drawLine(QPointF(160, 104), QPointF(160, 136))
        painter.drawPolyline([QPointF(150, 127), QPointF(160, 138), QPointF(170, 127)])
