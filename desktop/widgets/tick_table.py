"""The table of records with a tick before each: Space or a click turns it. Never decides which may be ticked: it is told."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, Qt, Signal
from PySide6.QtGui import QIcon, QKeyEvent, QMouseEvent, QPainter, QPen, QPixmap

from desktop.widgets.icons import draw
from desktop.widgets.outbox_table import OutboxTable, TableModel
from desktop.widgets.style import Look

__all__ = ["TickTable"]


class _Ticks(TableModel):
    """The lines, and which of them are ticked or barred."""

    def __init__(self, look: Look, heads: Sequence[str], says: tuple[str, str, str]) -> None:
        super().__init__(look, heads)
        self._says = says
        self.ticked: frozenset[str] = frozenset()
        self.barred: frozenset[str] = frozenset()
        self._boxes = {name: QIcon(_box(look, name)) for name in ("on", "off", "barred")}

    def how(self, record_id: str) -> str:
        return "barred" if record_id in self.barred else "on" if record_id in self.ticked else "off"

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if index.column() == 0 and role in {Qt.ItemDataRole.DecorationRole, Qt.ItemDataRole.AccessibleTextRole}:
            line = self.lines[index.row()]
            how = self.how(line.record_id)
            return self._boxes[how] if role == Qt.ItemDataRole.DecorationRole else f"{self._says[('on', 'off', 'barred').index(how)]} {line.who}"
        return super().data(index, role)


class TickTable(OutboxTable):
    """``turned(record_id, on)`` when a person turns a tick; it is shown only after ``show_ticks`` said so."""

    turned = Signal(str, bool)

    def __init__(self, look: Look, heads: Sequence[str], says: str, tick_words: tuple[str, str, str]) -> None:
        """``tick_words``: ticked, not ticked, cannot be ticked; for screen readers."""
        self._ticks = _Ticks(look, heads, tick_words)
        super().__init__(look, heads, says, self._ticks)

    def show_ticks(self, ticked: frozenset[str], barred: frozenset[str] = frozenset()) -> None:
        """Show which lines are ticked, and which cannot be."""
        if (ticked, barred) == (self._ticks.ticked, self._ticks.barred):
            return
        self._ticks.ticked, self._ticks.barred = ticked, barred
        if self._ticks.lines:
            self._ticks.dataChanged.emit(self._ticks.index(0, 0), self._ticks.index(len(self._ticks.lines) - 1, 0))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Space turns the tick of the current line."""
        if event.key() == Qt.Key.Key_Space and not event.modifiers():
            self._turn(self.current())
            event.accept()
            return
        super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A click in the first column turns the tick of that line."""
        super().mousePressEvent(event)
        index = self.indexAt(event.position().toPoint())
        if index.isValid() and index.column() == 0 and event.button() == Qt.MouseButton.LeftButton:
            self._turn(self._ticks.lines[index.row()].record_id)

    def _turn(self, record_id: str) -> None:
        if record_id and record_id not in self._ticks.barred:
            self.turned.emit(record_id, record_id not in self._ticks.ticked)


def _box(look: Look, how: str) -> QPixmap:
    """A box with a tick, without one, or a bar: never told by colour alone."""
    side, ratio = look.px("icon"), 2.0
    pixmap = QPixmap(round(side * ratio), round(side * ratio))
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    whole = QRectF(2, 2, side * ratio - 4, side * ratio - 4)
    painter.setPen(QPen(look.colour("accent" if how == "on" else "faint"), 3))
    painter.setBrush(look.colour("accent" if how == "on" else "side" if how == "barred" else "surface"))
    painter.drawRoundedRect(whole, 8, 8)
    if how != "off":
        draw(painter, "check" if how == "on" else "minus", whole.adjusted(3, 3, -3, -3), look.name("on_accent" if how == "on" else "quiet"))
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return pixmap

