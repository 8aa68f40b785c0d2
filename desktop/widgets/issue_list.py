"""The list "still to do": every issue at once, each line jumps to its field. Never decides what is an issue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from desktop.widgets.cards import hairline, label
from desktop.widgets.icons import IconLabel
from desktop.widgets.status_dots import Dot
from desktop.widgets.style import Look, set_role

__all__ = ["IssueLine", "IssueList"]

_TONES = {"returned": "stop", "must": "stop", "missing": "stop", "explain": "wait"}


@dataclass(frozen=True, slots=True)
class IssueLine:
    """One issue in words. ``severity``: returned (by the province), must (wrong), missing, explain (please say why)."""

    path: str
    words: str
    severity: str
    code: str = ""


class _Line(QPushButton):
    """One pressable line; its words wrap."""

    def __init__(self, look: Look, line: IssueLine) -> None:
        super().__init__()
        set_role(self, kind="row")
        self.setAutoDefault(True)
        self.setAccessibleName(line.words)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(2, look.px("half") + 2, 2, look.px("half") + 2)
        self._row.setSpacing(look.px("one"))
        dot = Dot(look, _TONES[line.severity], look.px("dot") + 3)
        self._row.addWidget(dot, 0, Qt.AlignmentFlag.AlignVCenter)
        self._words = label(line.words, "issue", wrap=True)
        self._words.setFont(look.font("body"))
        self._row.addWidget(self._words, 1)
        for part in (dot, self._words):
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return max(self._row.totalHeightForWidth(width), 0) + 4

    def sizeHint(self):
        hint = super().sizeHint()
        hint.setHeight(self.heightForWidth(max(self.width(), 200)))
        return hint

    def resizeEvent(self, event) -> None:
        super().resizeEvent(event)
        self.setMinimumHeight(self.heightForWidth(self.width()))
        self._row.setGeometry(self.rect())


class IssueList(QWidget):
    """All open issues; ``picked(path)`` when a line is pressed."""

    picked = Signal(str)

    def __init__(self, look: Look, done_words: str) -> None:
        super().__init__()
        self.look, self._done_words = look, done_words
        self._lines: tuple[IssueLine, ...] | None = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self.show_lines(())

    def show_lines(self, lines: Sequence[IssueLine]) -> None:
        """Show these; mended ones vanish."""
        if tuple(lines) == self._lines:
            return
        self._lines = tuple(lines)
        while self._column.count():
            old = self._column.takeAt(0).widget()
            if old is not None:
                old.hide()
                old.deleteLater()
        if not lines:
            self._column.addWidget(self._all_done())
        for line in lines:
            self._column.addWidget(hairline())
            button = _Line(self.look, line)
            button.clicked.connect(lambda _=False, path=line.path: self.picked.emit(path))
            self._column.addWidget(button)

    def _all_done(self) -> QWidget:
        part = QWidget()
        row = QHBoxLayout(part)
        row.setContentsMargins(0, self.look.px("one"), 0, 0)
        row.setSpacing(self.look.px("one"))
        row.addWidget(IconLabel(self.look, "check", "good_text"))
        row.addWidget(label(self._done_words, "", "good"), 1)
        return part
