"""The row of status dots at the top right: word and dot for reader, camera, certificate, platform. Never measures anything itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from desktop.widgets.buttons import KeyedButton
from desktop.widgets.cards import label
from desktop.widgets.style import Look, set_role

__all__ = ["Dot", "Lamp", "StatusDots"]


@dataclass(frozen=True, slots=True)
class Lamp:
    """One status. ``name`` is stable (reader, camera, token, platform), ``words`` are shown, ``tone`` good, wait, stop or quiet, ``hint`` on hover."""

    name: str
    words: str
    tone: str
    hint: str = ""


class Dot(QWidget):
    """A dot in the colour of a tone; full for good and wait, with a bar across for stop, hollow for unknown: colour is never alone."""

    def __init__(self, look: Look, tone: str = "quiet", size: int = 0) -> None:
        super().__init__()
        self._look, self._tone, self._side = look, tone, size or look.px("dot")
        self.setFixedSize(self.sizeHint())

    def sizeHint(self) -> QSize:
        return QSize(self._side + 2, self._side + 2)

    def show_tone(self, tone: str) -> None:
        """Change the tone."""
        self._tone = tone
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        strong = self._look.colour(self._look.tone(self._tone)[0])
        middle, radius = QPointF(self.width() / 2, self.height() / 2), self._side / 2
        if self._tone == "quiet":
            pen = painter.pen()
            pen.setColor(strong)
            pen.setWidthF(1.5)
            painter.setPen(pen)
            painter.drawEllipse(middle, radius - 1, radius - 1)
            return
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(strong)
        painter.drawEllipse(middle, radius, radius)
        if self._tone == "stop":
            painter.setBrush(self._look.colour("surface"))
            painter.drawRect(round(middle.x() - radius * 0.55), round(middle.y() - 1), max(2, round(radius * 1.1)), 2)


class StatusDots(KeyedButton):
    """All lamps; a press (or Ctrl+H) opens the health page."""

    pressed_at = Signal(str)

    def __init__(self, look: Look, says: str = "") -> None:
        super().__init__()
        self.look = look
        set_role(self, kind="plain")
        self.setAutoDefault(True)
        self.setAccessibleName(says)
        self.setShortcut("Ctrl+H")
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(look.px("one"), 0, look.px("one"), 0)
        self._row.setSpacing(look.px("six"))
        self._says, self._lamps, self._areas = says, (), {}  # type: ignore[var-annotated]

    def sizeHint(self) -> QSize:
        return QSize(self._row.totalSizeHint().width() + 4, self.look.px("row"))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def show_lamps(self, lamps: Sequence[Lamp]) -> None:
        """Show these lamps; the same ones again do nothing."""
        if tuple(lamps) == self._lamps:
            return
        while self._row.count():
            old = self._row.takeAt(0).widget()
            if old is not None:
                old.deleteLater()
        self._lamps, self._areas = tuple(lamps), {}
        for lamp in lamps:
            part = QWidget()
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            row = QHBoxLayout(part)
            row.setContentsMargins(0, 0, 0, 0)
            row.setSpacing(self.look.px("half") + 2)
            row.addWidget(Dot(self.look, lamp.tone))
            words = label(lamp.words, "meta" if lamp.tone == "quiet" else "lamp", "" if lamp.tone in {"good", "quiet"} else lamp.tone)
            words.setFont(self.look.font("meta"))
            row.addWidget(words)
            self._row.addWidget(part)
            self._areas[lamp.name] = part
        self.setToolTip("\n".join(f"{lamp.words}: {lamp.hint}" if lamp.hint else lamp.words for lamp in lamps))
        self.setAccessibleDescription(", ".join(lamp.words for lamp in lamps))
        self.updateGeometry()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        name = next((name for name, part in self._areas.items() if part.geometry().contains(event.position().toPoint())), "")
        super().mouseReleaseEvent(event)
        self.pressed_at.emit(name)
