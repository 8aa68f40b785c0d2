"""The page of a face that is not open yet: opening, not enrolled, or why it cannot open and what to do. Never knows which face it is."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.messages import Words, say
from desktop.widgets.buttons import ActionButton
from desktop.widgets.cards import EmptyState
from desktop.widgets.style import Look, set_role
from resources.trouble import Trouble

__all__ = ["OpeningPage"]


class OpeningPage(QWidget):
    """``again`` is called when the person wants another try."""

    def __init__(self, look: Look, words: Words, again: Callable[[], None]) -> None:
        super().__init__()
        self._look, self._words = look, words
        set_role(self, role="ground")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._column = QVBoxLayout(self)
        self._state = EmptyState(look, "home", words("opening.title"), words("opening.words"))
        self._again = ActionButton(look, words("opening.again"), "F5", "primary")
        self._again.clicked.connect(again)
        self._state.below.addWidget(self._again, 0, Qt.AlignmentFlag.AlignHCenter)
        self._column.addWidget(self._state)
        self.show_opening()

    def show_opening(self) -> None:
        self._state.title.setText(self._words("opening.title"))
        self._state.words.setText(self._words("opening.words"))
        self._again.setVisible(False)

    def show_trouble(self, trouble: Trouble) -> None:
        """What happened, what it means, what to do, who, and the code."""
        message = say(trouble, self._words.lang)
        self._state.title.setText(message.title)
        self._state.words.setText(f"{message.cause}\n{message.next}\n{self._words.who(message.who)} · {message.code}")
        self._again.setVisible(True)
        self._again.setFocus(Qt.FocusReason.OtherFocusReason)
