"""Surfaces: section card, hairline, empty state, scrolled column. Never knows what lies on them."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from desktop.widgets.icons import IconLabel
from desktop.widgets.style import Look, set_role

__all__ = ["Card", "EmptyState", "ScrolledColumn", "hairline", "label"]


def label(words: str, role: str = "", tone: str = "", wrap: bool = False) -> QLabel:
    """A label by its role in the style sheet. Plain text only: outside text never becomes markup."""
    made = QLabel(words)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setWordWrap(wrap)
    set_role(made, role=role, tone=tone)
    return made


def hairline() -> QFrame:
    """One line of one pixel."""
    line = QFrame()
    set_role(line, role="hairline")
    line.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    return line


class Card(QFrame):
    """A section on its own surface: title left, note right, content below (``body``)."""

    def __init__(self, look: Look, title: str = "", note: str = "", role: str = "section", tight: bool = False) -> None:
        super().__init__()
        self.look = look
        set_role(self, role="card")
        edge = look.px("two" if tight else "four")
        column = QVBoxLayout(self)
        column.setContentsMargins(edge + 2 if tight else edge, edge, edge + 2 if tight else edge, edge)
        column.setSpacing(look.px("one" if tight else "two"))
        self.head = QHBoxLayout()
        self.head.setSpacing(look.px("one"))
        self.title = label(title, role)
        self.note = label(note, "meta")
        if not title:
            for part in (self.title, self.note):
                part.setParent(self)
                part.hide()
        if title:
            self.head.addWidget(self.title)
            self.head.addStretch(1)
            self.head.addWidget(self.note)
            column.addLayout(self.head)
            self.setAccessibleName(title)
        self.body = QVBoxLayout()
        self.body.setSpacing(look.px("two"))
        column.addLayout(self.body)


class EmptyState(QWidget):
    """A calm page with one drawing, one sentence and what to do."""

    def __init__(self, look: Look, icon: str, title: str, words: str = "", drawing: QWidget | None = None) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setSpacing(look.px("two"))
        column.addStretch(3)
        mark = drawing or IconLabel(look, icon, "faint", look.px("icon_big") * 2)
        column.addWidget(mark, 0, Qt.AlignmentFlag.AlignHCenter)
        self.title = label(title, "page")
        self.title.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(self.title)
        self.words = label(words, "quiet", wrap=True)
        self.words.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(self.words)
        self.below = QVBoxLayout()
        self.below.setSpacing(look.px("two"))
        column.addLayout(self.below)
        column.addStretch(4)


class ScrolledColumn(QScrollArea):
    """One column of cards that scrolls up and down only; ``column`` takes the cards."""

    def __init__(self, look: Look, edge: int | None = None) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        inner = QWidget()
        set_role(inner, role="scrolled")
        self.column = QVBoxLayout(inner)
        margin = look.px("six") if edge is None else edge
        self.column.setContentsMargins(margin, look.px("three"), margin, look.px("three"))
        self.column.setSpacing(look.px("three"))
        self.column.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.setWidget(inner)

    def bring(self, widget: QWidget) -> None:
        """Scroll no further than needed so that ``widget`` is seen; where scrolling is needed, its card stands at the top. No head is cut at the top."""
        inner, bar, height = self.widget(), self.verticalScrollBar(), self.viewport().height()
        if not inner.isAncestorOf(widget):
            return
        gap = self.column.spacing()
        heads = {card: (card.y() - gap, card.y() + card.title.geometry().bottom() + gap) for card in self._cards()}
        top = widget.mapTo(inner, QPoint(0, 0)).y()
        bottom, at = top + widget.height(), bar.value()
        if top < at or bottom > at + height:
            at = next((head for card, (head, _) in heads.items() if card is widget or card.isAncestorOf(widget)), top - gap)
            if bottom + gap > at + height:   # a card that is higher than the page
                at = bottom + gap - height
        at = max(0, min(at, bar.maximum()))
        for head, below in heads.values():
            if head < at < below:
                at = head if bottom - head <= height else min(below, bar.maximum())
        bar.setValue(at)
        self.horizontalScrollBar().setValue(0)

    def _cards(self) -> list[Card]:
        found = self.widget().findChildren(Card, options=Qt.FindChildOption.FindDirectChildrenOnly)
        return [one for one in found if not one.isHidden()]
