"""What the terminal paints itself: the card on its reader, the mirror, the number's slots, the ring of time. Never keeps a frame longer than the next one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, QVariantAnimation
from PySide6.QtGui import QColor, QFontMetricsF, QHideEvent, QImage, QLinearGradient, QPainter, QPainterPath, QPaintEvent, QPen, QShowEvent
from PySide6.QtWidgets import QPushButton, QSizePolicy, QWidget

from desktop.widgets.icons import draw
from desktop.widgets.style import Look, set_role

__all__ = ["CardDrawing", "Mirror", "NumberSlots", "StepDots", "TimeButton"]


def _painter(widget: QWidget) -> QPainter:
    painter = QPainter(widget)
    painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
    return painter


class CardDrawing(QWidget):
    """An identity card that slides onto its place on the terminal. ``show_state``: wait (it slides), lies, trouble."""

    def __init__(self, look: Look, says: str) -> None:
        super().__init__()
        self._look, self._state, self._way = look, "wait", 0.0
        self.setAccessibleName(says)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(320, 260)
        self._slide = QVariantAnimation(self)
        self._slide.setStartValue(0.0)
        self._slide.setEndValue(1.0)
        self._slide.setDuration(1800)
        self._slide.setLoopCount(-1)
        self._slide.valueChanged.connect(self._moved)

    def sizeHint(self) -> QSize:
        return QSize(640, 520)

    def show_state(self, state: str) -> None:
        """wait, lies or trouble."""
        self._state = state
        self._run()
        self.update()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._run()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._slide.stop()

    def _run(self) -> None:
        if self._state == "wait" and self.isVisible() and not self._look.calm:
            if self._slide.state() != QVariantAnimation.State.Running:
                self._slide.start()
        else:
            self._slide.stop()

    def _moved(self, value: object) -> None:
        self._way = min(float(str(value)) * 1.6, 1.0)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = _painter(self)
        side = min(self.width() / 1.25, self.height())
        painter.translate((self.width() - side * 1.25) / 2, (self.height() - side) / 2)
        painter.scale(side / 400, side / 400)
        self._desk(painter)
        way = 1.0 if self._state != "wait" else (0.35 if self._look.calm else self._way)
        painter.save()
        painter.translate(250, 60 + 154 * way)
        self._card(painter)
        painter.restore()
        if self._state == "wait":
            self._arrow(painter)

    def _desk(self, painter: QPainter) -> None:
        look = self._look
        tone = "stop" if self._state == "trouble" else "good" if self._state == "lies" else "accent"
        painter.setPen(QPen(look.colour("edge"), 2))
        painter.setBrush(look.colour("surface"))
        painter.drawRoundedRect(QRectF(60, 170, 380, 210), 22, 22)
        painter.setPen(QPen(look.colour(tone), 4, Qt.PenStyle.DashLine if self._state == "wait" else Qt.PenStyle.SolidLine))
        painter.setBrush(look.colour(look.tone(tone)[2]))
        painter.drawRoundedRect(QRectF(125, 205, 250, 150), 14, 14)
        painter.setPen(QPen(look.colour(tone), 4, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for radius in (16, 28, 40):
            painter.drawArc(QRectF(405 - radius / 2, 280 - radius, radius, radius * 2), -70 * 16, 140 * 16)

    def _card(self, painter: QPainter) -> None:
        look = self._look
        painter.setPen(QPen(look.colour("edge"), 2))
        painter.setBrush(QColor("#f3f7fb"))
        painter.drawRoundedRect(QRectF(-105, 0, 210, 132), 10, 10)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor("#c9d6e6"))
        painter.drawRoundedRect(QRectF(34, 22, 56, 72), 5, 5)
        painter.setBrush(QColor("#8fa3bd"))
        painter.drawEllipse(QRectF(51, 34, 22, 26))
        painter.drawPie(QRectF(41, 62, 42, 50), 0, 180 * 16)
        for row, width in enumerate((70, 96, 84, 60)):
            painter.drawRoundedRect(QRectF(-88, 26 + row * 18, width, 7), 3, 3)
        painter.drawRoundedRect(QRectF(-88, 108, 150, 9), 3, 3)

    def _arrow(self, painter: QPainter) -> None:
        painter.setPen(QPen(self._look.colour("accent"), 7, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        path = QPainterPath(QPointF(404, 62))
        path.lineTo(404, 140)
        path.moveTo(382, 118)
        path.lineTo(404, 142)
        path.lineTo(426, 118)
        painter.drawPath(path)


class Mirror(QWidget):
    """The live picture in an oval, mirrored as people know themselves, with a ring in the tone of what happens and words on a pill below."""

    def __init__(self, look: Look, says: str) -> None:
        super().__init__()
        self._look, self._image, self._words, self._tone, self._icon = look, QImage(), "", "accent", ""
        self.setAccessibleName(says)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(300, 340)

    def sizeHint(self) -> QSize:
        return QSize(700, 860)

    def show_frame(self, frame: NDArray[np.uint8] | None) -> None:
        """A frame (height x width x 3, BGR, 8 bit); None forgets."""
        if frame is None:
            self._image = QImage()
        else:
            pixels = np.ascontiguousarray(frame)
            self._image = QImage(pixels.data, pixels.shape[1], pixels.shape[0], pixels.strides[0], QImage.Format.Format_BGR888).copy()
        self.update()

    def show_words(self, words: str, tone: str = "accent", icon: str = "") -> None:
        """Words on the pill; ``icon`` stands in the oval where no picture is."""
        self._words, self._tone, self._icon = words, tone, icon
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = _painter(self)
        pill = self._look.type("kiosk_body") * 2.3 if self._words else 0.0
        height = min(self.height() - pill * 0.6 - 12, self.width() * 1.24)
        width = height / 1.24
        oval = QRectF((self.width() - width) / 2 + 8, 8, width - 16, height - 16)
        path = QPainterPath()
        path.addEllipse(oval)
        shade = QLinearGradient(oval.topLeft(), oval.bottomLeft())
        shade.setColorAt(0, QColor("#ccd7e6"))
        shade.setColorAt(1, QColor("#b3c1d4"))
        painter.fillPath(path, shade)
        if self._image.isNull():
            side = width * 0.34
            draw(painter, self._icon or "face", QRectF(oval.center().x() - side / 2, oval.center().y() - side / 2, side, side), self._look.name("surface"))
        else:
            self._paint_frame(painter, path, oval)
        painter.setPen(QPen(self._look.colour(self._look.tone(self._tone)[0]), 10))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(oval)
        if self._words:
            self._paint_pill(painter, oval.bottom(), pill)

    def _paint_frame(self, painter: QPainter, path: QPainterPath, oval: QRectF) -> None:
        size = self._image.size().scaled(oval.size().toSize(), Qt.AspectRatioMode.KeepAspectRatioByExpanding)
        painter.save()
        painter.setClipPath(path)
        painter.translate(oval.center())
        painter.scale(-1, 1)
        painter.drawImage(QRectF(-size.width() / 2, -size.height() / 2, size.width(), size.height()), self._image)
        painter.restore()

    def _paint_pill(self, painter: QPainter, bottom: float, height: float) -> None:
        painter.setFont(self._look.font("kiosk_body"))
        width = min(QFontMetricsF(painter.font()).horizontalAdvance(self._words) + height, self.width() - 8.0)
        place = QRectF((self.width() - width) / 2, min(bottom - height * 0.4, self.height() - height - 1), width, height)
        strong, _text, _soft = self._look.tone(self._tone)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._look.colour("accent" if self._tone == "accent" else "surface"))
        if self._tone != "accent":
            painter.setPen(QPen(self._look.colour(strong), 3))
        painter.drawRoundedRect(place, height / 2, height / 2)
        painter.setPen(self._look.colour("on_accent" if self._tone == "accent" else _text))
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, self._words)


class NumberSlots(QWidget):
    """Eleven places for a mobile number in groups 3 4 4; the next one is marked."""

    GROUPS = (3, 4, 4)

    def __init__(self, look: Look, says: str) -> None:
        super().__init__()
        self._look, self._digits = look, ""
        self._says = says
        self.setAccessibleName(says)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(round(look.type("kiosk_big") * 1.7))

    def sizeHint(self) -> QSize:
        return QSize(620, self.height())

    def show_digits(self, digits: str) -> None:
        """What was typed so far."""
        self._digits = digits
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = _painter(self)
        gap = 0.7
        units = 11 + gap * 2
        wide = min(self.width() / units, self._look.type("kiosk_big") * 0.86)
        font = self._look.font("kiosk_big", bold=True)
        font.setPixelSize(min(self._look.type("kiosk_big"), int(wide * 1.35)))
        painter.setFont(font)
        x, index = (self.width() - wide * units) / 2, 0
        for size in self.GROUPS:
            for _ in range(size):
                there, now = index < len(self._digits), index == len(self._digits)
                line = QPen(self._look.colour("accent" if now else "edge"), 5 if now else 3, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap)
                painter.setPen(line)
                painter.drawLine(QPointF(x + wide * 0.14, self.height() - 6), QPointF(x + wide * 0.86, self.height() - 6))
                if there:
                    painter.setPen(self._look.colour("text"))
                    painter.drawText(QRectF(x, 0, wide, self.height() - 10), Qt.AlignmentFlag.AlignCenter, self._digits[index])
                x, index = x + wide, index + 1
            x += wide * gap


class StepDots(QWidget):
    """Five bars: done, now, to come; the words beside them say the same."""

    def __init__(self, look: Look, steps: int = 5) -> None:
        super().__init__()
        self._look, self._steps, self._now = look, steps, 0
        self.setFixedSize(steps * 88 + (steps - 1) * 18, 10)

    def show_step(self, now: int) -> None:
        """The step (from 1) that is on screen; 0 for none."""
        self._now = now
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = _painter(self)
        painter.setPen(Qt.PenStyle.NoPen)
        done = QColor(self._look.colour("accent"))
        done.setAlpha(110)
        for index in range(self._steps):
            painter.setBrush(self._look.colour("accent") if index + 1 == self._now else done if index + 1 < self._now else self._look.colour("hairline"))
            painter.drawRoundedRect(QRectF(index * 106, 0, 88, 10), 5, 5)


class TimeButton(QPushButton):
    """The remaining time as a ring with seconds, and the words that give more of it. Amber with a clock hand when it gets short."""

    def __init__(self, look: Look, words: str, seconds: str) -> None:
        super().__init__()
        self._look, self._words, self._seconds = look, words, seconds
        self._left, self._whole = 0, 1
        set_role(self, kind="touch")
        self.setAccessibleName(words)

    def sizeHint(self) -> QSize:
        metrics = QFontMetricsF(self._look.font("kiosk_body"))
        width = metrics.horizontalAdvance(f"{self._words} · 300 ") + metrics.horizontalAdvance(self._seconds.format(n=""))
        return QSize(round(width + self._ring() + 72), super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def _ring(self) -> int:
        return round(self._look.type("kiosk_body") * 1.3)

    def show_time(self, left: int, whole: int) -> None:
        """Seconds left of the whole."""
        self._left, self._whole = left, max(whole, 1)
        self.setAccessibleDescription(self._seconds.format(n=left))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = _painter(self)
        short = self._left <= 15
        painter.setFont(self._look.font("kiosk_body"))
        words = f"{self._words} · {self._seconds.format(n=self._left)}"
        side = float(self._ring())
        width = side + 16 + QFontMetricsF(painter.font()).horizontalAdvance(words)
        x = (self.width() - width) / 2
        ring = QRectF(x, (self.height() - side) / 2, side, side)
        painter.setPen(QPen(self._look.colour("hairline"), 6))
        painter.drawEllipse(ring)
        painter.setPen(QPen(self._look.colour("wait" if short else "accent"), 6, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawArc(ring, 90 * 16, -round(360 * 16 * self._left / self._whole))
        painter.setPen(self._look.colour("wait_text" if short else "text"))
        painter.drawText(QRectF(x + side + 16, 0, width, self.height()), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, words)
