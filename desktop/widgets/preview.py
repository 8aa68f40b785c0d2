"""The live picture of a camera from numpy frames, with guides and outlines. Never keeps a frame longer than until the next one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.widgets.icons import draw
from desktop.widgets.style import Look

__all__ = ["Preview"]


class Preview(QWidget):
    """Shows frames (height x width x 3, BGR, 8 bit). ``guide``: '', 'portrait' (oval) or 'page' (A4 frame). ``mirror`` for people who look at themselves."""

    def __init__(self, look: Look, guide: str = "", mirror: bool = False, says: str = "") -> None:
        super().__init__()
        self._look, self._guide, self._mirror = look, guide, mirror
        self._image, self._words, self._tone = QImage(), "", "accent"
        self._outlines: tuple[tuple[tuple[float, float], ...], ...] = ()
        self.setAccessibleName(says)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(240, 180)

    def sizeHint(self) -> QSize:
        return QSize(640, 480)

    def show_frame(self, frame: NDArray[np.uint8] | None) -> None:
        """Show a frame; None clears. The pixels are copied: the camera may write on."""
        if frame is None:
            self._image = QImage()
        else:
            pixels = np.ascontiguousarray(frame)
            height, width = pixels.shape[:2]
            kind = QImage.Format.Format_BGR888 if pixels.ndim == 3 else QImage.Format.Format_Grayscale8
            self._image = QImage(pixels.data, width, height, pixels.strides[0], kind).copy()
        self.update()

    def show_still(self, data: bytes | None) -> None:
        """Show an encoded picture (JPEG, PNG) in place of the live one."""
        self._image = QImage.fromData(data) if data else QImage()
        self.update()

    def show_guide(self, words: str = "", tone: str = "accent", outlines: Sequence[Sequence[tuple[float, float]]] = ()) -> None:
        """Words below the picture, tone of the guide, and outlines in frame pixels."""
        self._words, self._tone = words, tone
        self._outlines = tuple(tuple(points) for points in outlines)
        self.update()

    def picture_place(self) -> QRectF:
        """Where the picture stands in the widget."""
        size = self._image.size() if not self._image.isNull() else QSize(4, 3)
        fitted = size.scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        return QRectF((self.width() - fitted.width()) / 2, (self.height() - fitted.height()) / 2, fitted.width(), fitted.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        path = QPainterPath()
        path.addRoundedRect(QRectF(self.rect()), self._look.px("card"), self._look.px("card"))
        painter.fillPath(path, self._look.colour("stage"))
        painter.setClipPath(path)
        place = self.picture_place()
        if self._image.isNull():
            side = 56.0
            draw(painter, "camera", QRectF(self.width() / 2 - side / 2, self.height() / 2 - side, side, side), self._look.name("on_stage"))
        else:
            image = self._image.flipped(Qt.Orientation.Horizontal) if self._mirror and hasattr(self._image, "flipped") else (
                self._image.mirrored(True, False) if self._mirror else self._image)
            painter.drawImage(place, image)
        self._paint_guide(painter, place)
        self._paint_words(painter)

    def _paint_guide(self, painter: QPainter, place: QRectF) -> None:
        pen = QPen(self._look.colour(self._look.tone(self._tone)[0]), 3)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if self._guide == "portrait":
            height = place.height() * 0.72
            painter.drawEllipse(place.center(), height * 0.36, height / 2)
        if self._guide == "page" and not self._outlines:
            pen.setStyle(Qt.PenStyle.DashLine)
            painter.setPen(pen)
            height = place.height() * 0.9
            painter.drawRoundedRect(QRectF(place.center().x() - height / 2.828, place.center().y() - height / 2, height / 1.414, height), 6, 6)
        if self._outlines and not self._image.isNull():
            factor = place.width() / self._image.width()
            for outline in self._outlines:
                points = [QPointF(place.x() + (self._image.width() - x if self._mirror else x) * factor, place.y() + y * factor) for x, y in outline]
                painter.drawPolygon(QPolygonF(points))

    def _paint_words(self, painter: QPainter) -> None:
        if not self._words:
            return
        painter.setFont(self._look.font("body"))
        width = min(painter.fontMetrics().horizontalAdvance(self._words) + 32, self.width() - 24)
        height = painter.fontMetrics().height() + 14
        place = QRectF((self.width() - width) / 2, self.height() - height - 14, width, height)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._look.colour("accent") if self._tone == "accent" else QColor(self._look.name(self._look.tone(self._tone)[2])))
        painter.drawRoundedRect(place, height / 2, height / 2)
        painter.setPen(self._look.colour("on_accent") if self._tone == "accent" else self._look.colour(self._look.tone(self._tone)[1]))
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, self._words)
