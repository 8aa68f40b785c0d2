"""A card of short rows: icon, words, lines below, a note at the end, and at most one thing to do. Never decides what a press means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop.widgets.buttons import ActionButton
from desktop.widgets.cards import Card, hairline, label
from desktop.widgets.icons import IconLabel
from desktop.widgets.style import Look

__all__ = ["CardRow", "RowCard"]


@dataclass(frozen=True, slots=True)
class CardRow:
    """One row. ``tone`` as in the style, ``lines`` below the title, ``note`` at the end with ``hint`` on hover; ``act`` the words of its button, ``about``
    what ``chosen`` tells when it is pressed; ``key``: the one that does the same everywhere, shown only.
    """

    icon: str
    tone: str
    title: str
    lines: tuple[str, ...] = ()
    note: str = ""
    hint: str = ""
    act: str = ""
    about: str = ""
    strong: bool = True
    key: str = ""


class RowCard(Card):
    """``chosen(about)`` when a row's button is pressed. Rebuilt only when what it says changes; the keyboard stays where it was."""

    chosen = Signal(str)

    def __init__(self, look: Look, title: str, empty: str = "") -> None:
        super().__init__(look, title, tight=True)
        self._empty = empty
        self._said: object = None
        self.body.setSpacing(look.px("one"))

    def show_rows(self, rows: Sequence[CardRow], note: str = "", lined: bool = True) -> None:
        """Show these rows; ``note`` beside the title. Without rows the card says its words for nothing."""
        self.note.setText(note)
        if (tuple(rows), lined) == self._said:
            return
        self._said = (tuple(rows), lined)
        held = next((one.accessibleName() for one in self.findChildren(ActionButton) if one.hasFocus()), "")
        while self.body.count():
            part = self.body.takeAt(0).widget()
            if part is not None:
                part.hide()
                part.deleteLater()
        if not rows and self._empty:
            self.body.addWidget(label(self._empty, "quiet", wrap=True))
        for at, one in enumerate(rows):
            if at and lined:
                self.body.addWidget(hairline())
            part = self._row(one)
            self.body.addWidget(part)
            part.show()   # now, not when the layout gets to it: its button takes the keyboard at once
        for button in self.findChildren(ActionButton):
            if held and button.accessibleName() == held and not button.isHidden():
                button.setFocus(Qt.FocusReason.OtherFocusReason)

    def _row(self, one: CardRow) -> QWidget:
        look, part = self.look, QWidget()
        row = QHBoxLayout(part)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(look.px("one"))
        mark = IconLabel(look, one.icon, "quiet" if one.tone in {"", "quiet"} else f"{one.tone}_text", look.px("icon"))
        row.addWidget(mark, 0, Qt.AlignmentFlag.AlignTop)
        lines = QVBoxLayout()
        lines.setSpacing(2)
        lines.addWidget(label(one.title, "strong" if one.strong else "", one.tone if one.tone in {"wait", "stop"} and one.strong else "", wrap=True))
        for text in one.lines:
            lines.addWidget(label(text, "meta", wrap=True))
        row.addLayout(lines, 1)
        if one.note:
            note = label(one.note, "meta")
            note.setToolTip(one.hint)
            row.addWidget(note, 0, Qt.AlignmentFlag.AlignTop)
        if one.act:
            button = ActionButton(look, one.act, one.key, "small", shortcut=False)
            button.setAccessibleName(f"{one.act} {one.title}")
            button.clicked.connect(lambda _=False, about=one.about: self.chosen.emit(about))
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        part.setAccessibleName(one.title)
        part.setAccessibleDescription(" ".join((*one.lines, one.note)))
        return part
