"""The window for checking credit record sheets: picture left, verdict right. Never judges, never opens what a code says, keeps no picture past its look."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QFileDialog, QFrame, QHBoxLayout, QVBoxLayout, QWidget

from desktop.bridge.stage import Stage
from desktop.flows.verify import VerifyState, must_acknowledge, must_compare
from desktop.flows.words_verify import AcknowledgePressed, FileGiven, NextPressed, OpenPressed, PrintPressed, ScanPressed
from desktop.messages import Words, say
from desktop.verify.panel import VerdictPanel, age_words, verdict_sheet
from desktop.widgets.banner import Banner
from desktop.widgets.buttons import ActionButton
from desktop.widgets.cards import EmptyState, label
from desktop.widgets.preview import Preview
from desktop.widgets.status_dots import Lamp, StatusDots
from desktop.widgets.style import Look, set_role
from sync.tables import Tables

__all__ = ["VerifyWindow"]

MOST_FILE = 30 * 1024 * 1024
"""Bytes read from a dropped file; one more tells that it was larger, and vision.files refuses it."""


def _now() -> datetime:
    return datetime.now(UTC)


class VerifyWindow(QWidget):
    """Shows the verify flow of ``stage``; designed at 1366 x 768. ``pick_file`` answers the effect PickFile, ``show_frame`` takes live pictures."""

    def __init__(self, stage: Stage, look: Look, tables: Tables, words: Callable[[str], Words] = Words, clock: Callable[[], datetime] = _now) -> None:
        super().__init__()
        facts = stage.view.facts
        self.stage, self.look, self._tables, self._clock_now = stage, look, tables, clock
        self.words = words(facts.language)
        self.setObjectName("verify")
        set_role(self, role="practice-edge" if look.practice else "ground")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setStyleSheet(look.sheet() + verdict_sheet(look))
        self.setWindowTitle(self.words("verify.title") + (f" · {self.words('verify.practice')}" if look.practice else ""))
        self.setAcceptDrops(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFocus()
        edge = 3 if look.practice else 0
        column = QVBoxLayout(self)
        column.setContentsMargins(edge, edge, edge, edge)
        column.setSpacing(0)
        column.addWidget(self._head())
        column.addWidget(self._body(), 1)
        column.addWidget(self._foot())
        self._keys()
        self._minute = QTimer(self)
        self._minute.setInterval(30_000)
        self._minute.timeout.connect(lambda: self._show_lamps(self.state))
        self._minute.start()
        stage.changed.connect(self.show_state)
        self.show_state(stage.view)

    @property
    def state(self) -> VerifyState:
        """What is shown."""
        return self.stage.view

    def show_frame(self, frame: NDArray[np.uint8] | None, quads: tuple[tuple[tuple[int, int], ...], ...] = ()) -> None:
        """A live picture, while no sheet is held on screen."""
        if self.state.page == "look":
            self.preview.show_frame(frame)
            self.preview.show_guide(self.words("verify.hint"), "accent", quads)

    def pick_file(self) -> None:
        """Ask for a file without stopping the window; answers FileGiven."""
        dialogue = QFileDialog(self, self.words("verify.open"), "", self.words("verify.file_types"))
        dialogue.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialogue.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialogue.fileSelected.connect(lambda name: self._give(Path(name)))
        dialogue.open()

    def show_state(self, state: VerifyState) -> None:
        """Show a state."""
        self._show_lamps(state)
        self._show_banner(state)
        self.panel.show_state(state)
        self.empty.setVisible(state.verdict is None)
        if state.verdict is None:
            told = {"working": "working", "verdict": "asking"}.get(state.page, "empty")
            self.empty.title.setText(self.words(f"verify.{told}"))
            self.empty.words.setText(self.words("verify.empty_words") if told == "empty" else "")
        if state.page == "verdict":
            tone = {"green": "good", "amber": "wait", "red": "stop", "grey": "wait"}[state.verdict.colour] if state.verdict is not None else "accent"
            self.preview.show_frame(state.picture)
            self.preview.show_guide("", tone, (state.quad,) if state.quad else ())
        elif self._page_was == "verdict" or state.page == "working":
            self.preview.show_frame(None)
            self.preview.show_guide(self.words("verify.hint"))
        self._page_was = state.page
        self._show_foot(state)

    def _show_lamps(self, state: VerifyState) -> None:
        online = {True: ("online", "good"), False: ("offline", "wait"), None: ("online_unknown", "quiet")}[state.online]
        lamps = [Lamp("platform", self.words(f"verify.{online[0]}"), online[1])]
        age = age_words(self.words, state.lists_as_of, self._clock_now())
        old = state.lists_as_of is None or (self._clock_now() - state.lists_as_of).days >= 1
        lamps.append(Lamp("lists", self.words("verify.lists", age=age) if age else self.words("verify.lists_none"), "wait" if old else "good"))
        self.lamps.show_lamps(lamps)

    def _show_banner(self, state: VerifyState) -> None:
        if state.waiting:
            self.banner.show_words("wait", self.words("verify.waiting"))
        elif state.trouble is not None:
            message = say(state.trouble, self.words.lang)
            self.banner.show_message(message, "wait", who=self.words.who(message.who))
        else:
            self.banner.show_message(None)

    def _show_foot(self, state: VerifyState) -> None:
        bad, compare = must_acknowledge(state), must_compare(state)
        told = "must" if bad else "must_compare" if compare else "free"
        self.note.setText(self.words(f"verify.{told}"))
        self.acknowledge.setVisible(bad)
        self.acknowledge.setEnabled(not state.asking)
        self.next.setVisible(not bad and state.verdict is not None)
        self.next.setEnabled(not compare)
        self.print.setVisible(state.verdict is not None)
        self.print.setEnabled(not state.asking)
        free = state.page == "look" or not (bad or compare or state.page == "working" or state.verdict is None)
        self.scan.setEnabled(free)
        self.open.setEnabled(free)

    def _post(self, event: Any) -> Callable[[], None]:
        return lambda: self.stage.post(event)

    # -- building ------------------------------------------------------------------------------------------------------------------------
    def _head(self) -> QWidget:
        bar = QWidget()
        set_role(bar, role="bar", edge="bottom")
        bar.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        bar.setFixedHeight(self.look.px("bar_top"))
        row = QHBoxLayout(bar)
        row.setContentsMargins(self.look.px("four"), 0, self.look.px("two"), 0)
        row.setSpacing(self.look.px("six"))
        row.addWidget(label(self.words("verify.title"), "strong"))
        facts = self.state.facts
        row.addWidget(label(" · ".join(part for part in (facts.hall, facts.window, facts.person) if part), "meta"))
        if self.look.practice:
            row.addWidget(label(self.words("verify.practice"), "practice"))
        row.addStretch(1)
        self.lamps = StatusDots(self.look, self.words("verify.title"))
        row.addWidget(self.lamps)
        return bar

    def _body(self) -> QWidget:
        body = QWidget()
        set_role(body, role="ground")
        body.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        row = QHBoxLayout(body)
        edge = self.look.px("four")
        row.setContentsMargins(edge, edge, edge, edge)
        row.setSpacing(edge)
        self.preview = Preview(self.look, guide="page", says=self.words("verify.hint"))
        self.preview.show_guide(self.words("verify.hint"))
        self._page_was = "look"
        row.addWidget(self.preview, 3)
        right = QVBoxLayout()
        right.setSpacing(self.look.px("two"))
        self.banner = Banner(self.look)
        right.addWidget(self.banner)
        card = QFrame()
        set_role(card, role="card")
        inner = QVBoxLayout(card)
        inner.setContentsMargins(1, 1, 1, 1)
        self.panel = VerdictPanel(self.look, self.words, self.stage.post, self._tables)
        self.empty = EmptyState(self.look, "qr", "")
        inner.addWidget(self.panel)
        inner.addWidget(self.empty)
        right.addWidget(card, 1)
        row.addLayout(right, 4)
        return body

    def _foot(self) -> QWidget:
        bar = QWidget()
        set_role(bar, role="bar", edge="top")
        bar.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        bar.setFixedHeight(self.look.px("bar_bottom"))
        row = QHBoxLayout(bar)
        row.setContentsMargins(self.look.px("four"), 0, self.look.px("four"), 0)
        row.setSpacing(self.look.px("two"))
        self.note = label("", "meta")
        self.scan = ActionButton(self.look, self.words("verify.scan"), key="Space", kind="small")
        self.open = ActionButton(self.look, self.words("verify.open"), key="Ctrl+O", kind="small")
        self.print = ActionButton(self.look, self.words("verify.print"), key="F7")
        self.next = ActionButton(self.look, self.words("verify.next"), key="Return", kind="primary", shortcut=False)
        self.acknowledge = ActionButton(self.look, self.words("verify.acknowledge"), key="Return", kind="primary", shortcut=False)
        for button, event in (
            (self.scan, ScanPressed()), (self.open, OpenPressed()), (self.print, PrintPressed()), (self.next, NextPressed()),
            (self.acknowledge, AcknowledgePressed()),
        ):  # fmt: skip
            button.clicked.connect(self._post(event))
        row.addWidget(self.note)
        row.addWidget(self.scan)
        row.addWidget(self.open)
        row.addStretch(1)
        for button in (self.print, self.next, self.acknowledge):
            row.addWidget(button)
        return bar

    def _keys(self) -> None:
        """Enter is the one primary action, whichever stands there; where no code is on screen it does nothing."""
        for key in ("Return", "Enter"):
            shortcut = QShortcut(QKeySequence(key), self)
            shortcut.activated.connect(self._enter)

    def _enter(self) -> None:
        self.stage.post(AcknowledgePressed() if must_acknowledge(self.state) else NextPressed())

    # -- files ---------------------------------------------------------------------------------------------------------------------------
    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Files of this machine only; addresses are not fetched."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """The first file."""
        for url in event.mimeData().urls():
            if url.isLocalFile():
                event.acceptProposedAction()
                self._give(Path(url.toLocalFile()))
                return

    def _give(self, path: Path) -> None:
        try:
            if not path.is_file():
                raise OSError
            with path.open("rb") as file:
                data = file.read(MOST_FILE + 1)
        except OSError:
            data = b""
        self.stage.post(FileGiven(data, path.name))
