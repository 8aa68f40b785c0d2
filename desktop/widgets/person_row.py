"""A person to choose: name, what stands below it, a note at the end. Never shows a number in full."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout

from desktop.widgets.buttons import KeyCap, KeyedButton
from desktop.widgets.cards import label
from desktop.widgets.icons import IconLabel
from desktop.widgets.style import Look, set_role

__all__ = ["PersonRow"]


class PersonRow(KeyedButton):
    """Two lines, an icon before, a note and a key after."""

    def __init__(self, look: Look, name: str, below: str, note: str = "", usable: bool = True, key: str = "", icon: str = "token") -> None:
        super().__init__()
        set_role(self, kind="person")
        self.setAutoDefault(True)
        self.setAccessibleName(f"{name} {below} {note}")
        self.setCursor(Qt.CursorShape.PointingHandCursor if usable else Qt.CursorShape.ArrowCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(look.px("two"), look.px("one"), look.px("two"), look.px("one"))
        self._row.setSpacing(look.px("two"))
        lines = QVBoxLayout()
        lines.setSpacing(0)
        first, second = label(name, "strong" if usable else "quiet"), label(below, "meta")
        after = label(note, "meta", "" if usable else "stop")
        mark = IconLabel(look, icon, "quiet" if usable else "faint", look.px("icon") + 6)
        for part in (first, second, after, mark):
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        lines.addWidget(first)
        lines.addWidget(second)
        self._row.addWidget(mark)
        self._row.addLayout(lines, 1)
        self._row.addWidget(after)
        if key:
            cap = KeyCap(key)
            self._row.addWidget(cap, 0, Qt.AlignmentFlag.AlignVCenter)
            self.setShortcut(QKeySequence(key))

    def sizeHint(self) -> QSize:
        return self._row.totalSizeHint()

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()
