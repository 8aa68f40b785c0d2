"""Fields of a form: label above, value, mark of its source at the right end. Never checks a rule: rules make issues, issues mark fields."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QLineEdit, QSizePolicy, QToolButton, QToolTip, QVBoxLayout, QWidget

from desktop.widgets.cards import label
from desktop.widgets.icons import SOURCE_ICONS, icon
from desktop.widgets.style import Look, set_role

__all__ = ["DateBox", "FieldBox", "FieldFace", "group_id_number", "tidy_date"]


def group_id_number(number: str) -> str:
    """An 18-digit number in groups of 6, 8 and 4; anything else unchanged."""
    return f"{number[:6]} {number[6:14]} {number[14:]}" if re.fullmatch(r"\d{17}[\dX]", number) else number


def tidy_date(typed: str) -> str:
    """What people type for a date as ``2021-06-18``; what is no date comes back unchanged. ``长期`` stays."""
    found = re.fullmatch(r"\s*(\d{4})\s*[-./年 ]?\s*(\d{1,2})\s*[-./月 ]?\s*(\d{1,2})\s*日?\s*", typed)
    if re.fullmatch(r"\d{8}", typed.strip()):
        return f"{typed.strip()[:4]}-{typed.strip()[4:6]}-{typed.strip()[6:]}"
    return f"{found[1]}-{int(found[2]):02}-{int(found[3]):02}" if found else typed.strip()


@dataclass(frozen=True, slots=True)
class FieldFace:
    """What a field shows now. ``source`` is chip, scan, typed, platform or empty; ``hint`` who, when, device; ``trouble`` must, missing, explain or empty."""

    value: str = ""
    source: str = ""
    locked: bool = False
    hint: str = ""
    trouble: str = ""


class _Edit(QLineEdit):
    """A line edit with marks at its right end that grow with the text."""

    left = Signal()
    asked = Signal()

    def __init__(self, side: int) -> None:
        super().__init__()
        self._side, self._marks = side, []  # type: ignore[var-annotated]

    def add_mark(self, press: Callable[[], None]) -> QToolButton:
        """One more mark, from the right end inwards; hidden until it is shown."""
        mark = QToolButton(self)
        mark.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        mark.setCursor(Qt.CursorShape.PointingHandCursor)
        mark.setIconSize(QSize(self._side, self._side))
        mark.clicked.connect(press)
        mark.hide()
        self._marks.append(mark)
        return mark

    def place_marks(self) -> None:
        """Put the shown marks side by side and keep the text off them."""
        step, at = self._side + 8, self.width() - 4
        for mark in self._marks:
            if not mark.isHidden():
                at -= step
                mark.setGeometry(at, (self.height() - step) // 2, step, step)
        self.setTextMargins(0, 0, self.width() - 4 - at, 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.place_marks()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() != Qt.FocusReason.PopupFocusReason:
            self.left.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_F1:
            self.asked.emit()
            return
        super().keyPressEvent(event)


class FieldBox(QWidget):
    """One field. ``edited(path, value)`` on every change by a person, ``left(path)`` when the caret goes on, ``unlock_asked(path)`` on a locked one."""

    edited = Signal(str, str)
    left = Signal(str)
    unlock_asked = Signal(str)
    entered = Signal(str)

    def __init__(self, look: Look, path: str, words: str, max_length: int = 0, grouped: bool = False, need: str = "") -> None:
        super().__init__()
        self.look, self.path, self.words, self._grouped = look, path, words, grouped
        self.face = FieldFace()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(look.px("half"))
        self.label = label(words + need, "label")
        self.edit = _Edit(look.px("icon") - 2)
        self.edit.setAccessibleName(words)
        self.edit.installEventFilter(self)
        if max_length:
            self.edit.setMaxLength(max_length + (2 if grouped else 0))
        self.label.setBuddy(self.edit)
        column.addWidget(self.label)
        column.addWidget(self.edit)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusProxy(self.edit)
        self._mark = self.edit.add_mark(self._mark_pressed)
        self._lock = self.edit.add_mark(lambda: self.unlock_asked.emit(self.path))
        self._lock.setIcon(icon(look, "lock", "faint"))
        self.edit.textEdited.connect(self._typed)
        self.edit.left.connect(lambda: self.left.emit(self.path))
        self.edit.asked.connect(self._tell_source)

    # -- what is shown ---------------------------------------------------------------------------------------------------------------
    def show_face(self, face: FieldFace) -> None:
        """Show a value. The caret is not moved where the text stays the same."""
        shown = self.shown_text(face.value)
        if self.edit.text() != shown and not (self.edit.hasFocus() and self.value() == face.value):
            self.edit.setText(shown)
            if not self.edit.hasFocus():
                self.edit.setCursorPosition(0)
        self.edit.setReadOnly(face.locked)
        self.edit.setToolTip(face.hint)
        name = SOURCE_ICONS.get(face.source, "")
        if (face.source, face.locked) != (self.face.source, self.face.locked):
            if name:
                self._mark.setIcon(icon(self.look, name, "quiet"))
            self._mark.setVisible(bool(name) and not (face.source == "typed" and not face.locked))
            self._lock.setVisible(face.locked)
            self.edit.place_marks()
        self._mark.setToolTip(face.hint)
        self._lock.setToolTip(face.hint)
        self.edit.setAccessibleDescription(face.hint)
        if (face.locked, face.trouble) != (self.face.locked, self.face.trouble):
            set_role(self.edit, locked="true" if face.locked else "false", trouble=face.trouble)
        self.face = face

    def shown_text(self, value: str) -> str:
        """The value as people read it."""
        return group_id_number(value) if self._grouped else value

    def value(self) -> str:
        """What stands in the field, as it is stored."""
        text = self.edit.text()
        return text.replace(" ", "").upper() if self._grouped else text.strip()

    def take_focus(self) -> None:
        """Put the caret here, everything selected."""
        self.edit.setFocus(Qt.FocusReason.OtherFocusReason)
        self.edit.selectAll()

    # -- what a person does ----------------------------------------------------------------------------------------------------------
    def _typed(self, _text: str) -> None:
        self.edited.emit(self.path, self.value())

    def _mark_pressed(self) -> None:
        if self.face.locked:
            self.unlock_asked.emit(self.path)
        else:
            self._tell_source()

    def _tell_source(self) -> None:
        QToolTip.showText(self.edit.mapToGlobal(self.edit.rect().bottomLeft()), self.face.hint or self.words, self.edit)

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        if event.type() == QEvent.Type.FocusIn:
            self.entered.emit(self.path)
        return super().eventFilter(watched, event)  # type: ignore[arg-type]


class DateBox(FieldBox):
    """A date, typed in any usual way, shown as 2021-06-18."""

    def __init__(self, look: Look, path: str, words: str, need: str = "", forever: bool = False) -> None:
        super().__init__(look, path, words, 12, need=need)
        self._forever = forever
        self.edit.left.connect(self._tidy)

    def value(self) -> str:
        return tidy_date(self.edit.text())

    def _tidy(self) -> None:
        if not self.edit.isReadOnly() and self.edit.text() != self.value():
            self.edit.setText(self.value())


def split_rows(widths: Sequence[int], columns: int) -> list[list[int]]:
    """Indices of fields packed into rows of ``columns`` units, in order."""
    rows: list[list[int]] = [[]]
    used = 0
    for index, width in enumerate(widths):
        width = min(width, columns)
        if used + width > columns:
            rows.append([])
            used = 0
        rows[-1].append(index)
        used += width
    return rows
