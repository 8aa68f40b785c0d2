"""The free desk: where to put the card, or how far reading is. Never shows anything of the person before."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QProgressBar, QStackedLayout, QVBoxLayout, QWidget

from desktop.flows.intake_state import IntakeState
from desktop.flows.words import BackPressed, ByHandPressed
from desktop.staff.drawings import ReaderDrawing
from desktop.staff.kit import Kit, Post
from desktop.widgets.buttons import ActionButton
from desktop.widgets.cards import EmptyState

__all__ = ["WaitingPage"]


class WaitingPage(QWidget):
    """Two calm pages: waiting for a card, reading one."""

    def __init__(self, kit: Kit, post: Post) -> None:
        super().__init__()
        self.kit, words = kit, kit.words
        self._stack = QStackedLayout(self)
        self._wait = EmptyState(kit.look, "card", words("wait.title"), words("wait.words"), ReaderDrawing(kit.look, says=words("wait.title")))
        by_hand = ActionButton(kit.look, words("wait.by_hand"), "Ctrl+N", "link")
        by_hand.clicked.connect(lambda: post(ByHandPressed()))
        self._wait.below.addWidget(by_hand, 0, Qt.AlignmentFlag.AlignHCenter)
        self._read = EmptyState(kit.look, "card", words("read.title"), words("read.words"), ReaderDrawing(kit.look, True, words("read.title")))
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(320)
        self._bar.setAccessibleName(words("read.title"))
        holder = QVBoxLayout()
        holder.addWidget(self._bar, 0, Qt.AlignmentFlag.AlignHCenter)
        stop = ActionButton(kit.look, words("read.stop"), "Esc", "link", shortcut=False)
        stop.clicked.connect(lambda: post(BackPressed()))
        holder.addWidget(stop, 0, Qt.AlignmentFlag.AlignHCenter)
        self._read.below.addLayout(holder)
        self._stack.addWidget(self._wait)
        self._stack.addWidget(self._read)

    def show_state(self, state: IntakeState) -> None:
        """Waiting or reading."""
        self._stack.setCurrentWidget(self._read if state.reading is not None else self._wait)
        if state.reading is None:
            reader = next((one for one in state.devices if one.name == "reader"), None)
            known = reader is None or reader.state in {"good", "other"}
            self._wait.title.setText(self.kit.words("wait.title" if known else "wait.no_reader"))
            self._wait.words.setText(self.kit.words("wait.words" if known else "wait.no_reader_words"))
            return
        key = f"progress.{state.reading.what.replace('.', '_')}"
        self._read.words.setText(self.kit.words(key) if self.kit.words.has(key) else self.kit.words("read.words"))
        self._bar.setRange(0, state.reading.total or 0)
        self._bar.setValue(state.reading.done)
