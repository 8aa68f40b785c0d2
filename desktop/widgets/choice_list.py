"""The list below a field that is being typed in. Never a window of its own, never has the keyboard: the caret stays in the field.

A pop-up window takes the keyboard and gives it back by messages of the window system; whoever types on meanwhile finds the caret in the field before
(seen under X11 with 30 ms between letters and Tab). So this list is a child of the field's own window and is led by the field's keys.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QObject, QPoint, QStringListModel, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QAbstractScrollArea, QApplication, QLineEdit, QListView, QWidget

from desktop.widgets.style import Look

__all__ = ["ChoiceList"]

_MOST_ROWS = 10
_STEPS = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: _MOST_ROWS - 1, Qt.Key.Key_PageUp: 1 - _MOST_ROWS}


class ChoiceList(QListView):
    """Rows of words for ``edit``; ``taken(words)`` when one is pressed or Enter is. Down, Up, PageDown, PageUp move, Esc closes; open only while the
    field has the caret.
    """

    def __init__(self, look: Look, edit: QLineEdit, says: str, taken: Callable[[str], None]) -> None:
        super().__init__(edit)
        self._look, self._edit, self._taken = look, edit, taken
        self._lines = QStringListModel(self)
        self.setModel(self._lines)
        self.setProperty("role", "choices")
        self.setAccessibleName(says)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setUniformItemSizes(True)
        self.clicked.connect(lambda index: self._take(index.row()))
        self._scrolled: QAbstractScrollArea | None = None
        self.hide()
        edit.installEventFilter(self)

    # -- opening and closing -----------------------------------------------------------------------------------------------------------
    def open_with(self, lines: Sequence[str]) -> None:
        """Show these rows, the first one marked; none closes the list."""
        if not lines or not self._edit.hasFocus():
            self.shut()
            return
        if list(lines) != self._lines.stringList():
            self._lines.setStringList(list(lines))
        self.setCurrentIndex(self._lines.index(0))
        if self.isHidden():
            self.setParent(self._edit.window())
            self._follow()
            QApplication.instance().installEventFilter(self)
        self._place()
        self.show()
        self.raise_()

    def shut(self) -> None:
        """Close the list; what was typed stays."""
        if not self.isHidden():
            QApplication.instance().removeEventFilter(self)
            self.hide()
            self.setParent(self._edit)   # goes with its field

    def is_open(self) -> bool:
        return not self.isHidden()

    def _follow(self) -> None:
        """The field moves when its page is scrolled."""
        around: QWidget | None = self._edit.parentWidget()
        while around is not None and not (isinstance(around, QAbstractScrollArea) and around is not self):
            around = around.parentWidget()
        if around is not None and self._scrolled is None:
            self._scrolled = around
            around.verticalScrollBar().valueChanged.connect(self._place)

    def _place(self) -> None:
        """Below the field, or above where there is more room."""
        if self.parentWidget() is self._edit:
            return
        window, field = self._edit.window(), self._edit
        top = field.mapTo(window, QPoint(0, 0))
        below, above = window.height() - top.y() - field.height() - 4, top.y() - 4
        self.ensurePolished()
        frame = self.height() - self.viewport().height()   # border and padding of the style sheet
        wanted = min(_MOST_ROWS, self._lines.rowCount()) * self.sizeHintForRow(0) + frame
        height = min(wanted, max(below, above))
        widest = max(self.sizeHintForColumn(0) + frame + 2 * self._look.px("two"), field.width())
        width = min(widest, window.width() - 8)
        left = max(4, min(top.x(), window.width() - width - 4))
        at = top.y() + field.height() + 2 if height <= below else top.y() - height - 2
        self.setGeometry(left, at, width, height)
        self.scrollTo(self.currentIndex())

    def _take(self, row: int) -> None:
        words = self._lines.stringList()[row] if 0 <= row < self._lines.rowCount() else ""
        self.shut()
        if words:
            self._taken(words)

    # -- the field's keys --------------------------------------------------------------------------------------------------------------
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if watched is self._edit and self.is_open():
            if kind == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape:
                event.accept()   # Esc closes the list first, and only then goes back
                return True
            if kind == QEvent.Type.KeyPress and isinstance(event, QKeyEvent) and self._key(event):
                return True
            if kind in {QEvent.Type.FocusOut, QEvent.Type.Hide}:
                self.shut()
        elif kind == QEvent.Type.MouseButtonPress and isinstance(watched, QWidget) and watched is not self and not self.isAncestorOf(watched):
            self.shut()
        return super().eventFilter(watched, event)

    def _key(self, event: QKeyEvent) -> bool:
        if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            return False
        if event.key() in _STEPS:
            row = self.currentIndex().row() + _STEPS[Qt.Key(event.key())]
            self.setCurrentIndex(self._lines.index(max(0, min(row, self._lines.rowCount() - 1))))
            return True
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self._take(self.currentIndex().row())
            return True
        if event.key() == Qt.Key.Key_Escape:
            self.shut()
            return True
        return False
