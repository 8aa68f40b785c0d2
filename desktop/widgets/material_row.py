"""One kind of material in the list: there or missing, pages, how it was checked. Never opens the camera."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy

from desktop.widgets.cards import label
from desktop.widgets.icons import IconLabel
from desktop.widgets.status_dots import Dot
from desktop.widgets.style import Look, set_role

__all__ = ["MaterialRow"]


class MaterialRow(QPushButton):
    """A pressable row; pressing it takes a picture of this kind."""

    def __init__(self, look: Look, name: str, note: str, held: bool) -> None:
        super().__init__()
        set_role(self, kind="row")
        self.setAutoDefault(True)
        self.setAccessibleName(f"{name} {note}")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(2, look.px("half"), 2, look.px("half"))
        self._row.setSpacing(look.px("half") + 2)
        self._least = look.px("row")
        mark = IconLabel(look, "check", "good_text", look.px("icon") - 2) if held else Dot(look, "stop", look.px("dot") + 3)
        words, after = label(name, "material", wrap=True), label(note, "meta")
        for part in (mark, words, after):
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._row.addWidget(mark)
        self._row.addWidget(words, 1)
        self._row.addWidget(after)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return max(self._row.totalHeightForWidth(width) + 8, self._least)

    def sizeHint(self) -> QSize:
        return QSize(120, self.heightForWidth(max(self.width(), 120)))

    def minimumSizeHint(self) -> QSize:
        return QSize(120, self._least)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.setMinimumHeight(self.heightForWidth(self.width()))
        self._row.setGeometry(self.rect())
