"""A trouble or a state said at the top of a page: what happened, what it means, what to do, the code small. Never hides what went wrong."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout

from desktop.messages import Message
from desktop.widgets.buttons import ActionButton
from desktop.widgets.cards import label
from desktop.widgets.icons import IconLabel
from desktop.widgets.style import Look, set_role

__all__ = ["TONE_ICONS", "Banner", "joined"]

TONE_ICONS = {"good": "check", "wait": "clock", "stop": "warning", "accent": "info", "practice": "info", "quiet": "info"}


def joined(*parts: str) -> str:
    """Sentences one after another: Chinese ones without a blank between."""
    text = ""
    for part in parts:
        text += part if not text or text[-1] in "。？！；）" else f" {part}" if part else ""
    return text


class Banner(QFrame):
    """A band in the colour of its tone with icon and words; ``closed`` when the person puts it away, ``again`` for a retry."""

    closed = Signal()
    again = Signal()

    def __init__(self, look: Look, close_words: str = "", again_words: str = "") -> None:
        super().__init__()
        self.look = look
        set_role(self, role="banner", tone="quiet")
        row = QHBoxLayout(self)
        row.setContentsMargins(look.px("three"), look.px("two"), look.px("two"), look.px("two"))
        row.setSpacing(look.px("two"))
        self._icon = IconLabel(look, "info", "quiet", look.px("icon") + 4)
        row.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout()
        column.setSpacing(2)
        self.title, self.words = label("", "strong", wrap=True), label("", "", wrap=True)
        self.code = label("", "code")
        for part in (self.title, self.words, self.code):
            column.addWidget(part)
        row.addLayout(column, 1)
        self._again = ActionButton(look, again_words or "…", key="Alt+T" if again_words else "", kind="small")
        self._again.clicked.connect(self.again)
        self._close = ActionButton(look, close_words or "…", key="Esc" if close_words else "", kind="small", shortcut=False)
        self._close.clicked.connect(self.closed)
        for button in (self._again, self._close):
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignVCenter)
            button.setVisible(False)
        self._has = (bool(again_words), bool(close_words))
        self.setVisible(False)

    def show_message(self, message: Message | None, tone: str = "stop", retry: bool = False, who: str = "") -> None:
        """Say a trouble; ``None`` takes the banner away. ``who``: "找管理员" and the like, already in words."""
        if message is None:
            self.setVisible(False)
            return
        after = joined(message.cause, message.next, who)
        self._show(tone, message.title, after, message.code, retry)

    def show_words(self, tone: str, title: str, words: str = "") -> None:
        """Say a state without a code."""
        self._show(tone, title, words, "", False)

    def _show(self, tone: str, title: str, words: str, code: str, retry: bool) -> None:
        set_role(self, tone=tone)
        self._icon.show_icon(TONE_ICONS[tone], "quiet" if tone == "quiet" else f"{tone}_text")
        set_role(self.title, tone="" if tone == "quiet" else tone)
        self.title.setText(title)
        self.words.setText(words)
        self.words.setVisible(bool(words))
        self.code.setText(code)
        self.code.setVisible(bool(code))
        self._again.setVisible(retry and self._has[0])
        self._close.setVisible(self._has[1])
        self.setAccessibleName(title)
        self.setAccessibleDescription(words)
        self.setVisible(True)
