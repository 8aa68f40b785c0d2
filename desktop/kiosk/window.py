"""The terminal's window: head, steps, the page, and back - time - help at the same place on every page. Never holds anything of a person itself."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLayout, QStackedWidget, QVBoxLayout, QWidget

from desktop.bridge.stage import Stage
from desktop.flows.kiosk import PAGES, STEPS, KioskState
from desktop.flows.words_kiosk import BackPressed, CallPressed, DigitPressed, ElderSet, ErasePressed, LanguageSet, MorePressed, Ticked
from desktop.kiosk.drawings import StepDots, TimeButton
from desktop.kiosk.pages import PAGE_CLASSES, FacePage
from desktop.messages import Words
from desktop.widgets.buttons import ActionButton
from desktop.widgets.cards import label
from desktop.widgets.style import Look, set_role

__all__ = ["ELDER_SCALE", "KioskWindow"]

ELDER_SCALE = {False: 150, True: 125}
"""Percent of the terminal's type, which is already large (28 / 56 px), on tall and on wide screens (1280 x 1024 has no more room)."""


class KioskWindow(QWidget):
    """Shows the kiosk flow of ``stage``; made for 1080 x 1920 and 1280 x 1024. One clock posts ``Ticked`` each second."""

    def __init__(self, stage: Stage, look: Look, words: Callable[[str], Words] = Words) -> None:
        super().__init__()
        self.stage, self._look, self._words_in = stage, look, words
        self._built: tuple[str, bool, bool] | None = None
        self.setObjectName("kiosk")
        set_role(self, role="practice-edge" if look.practice else "ground")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._whole = QVBoxLayout(self)
        edge = 4 if look.practice else 0
        self._whole.setContentsMargins(edge, edge, edge, edge)
        self._whole.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        self._inner: QWidget | None = None
        self._clock = QTimer(self)
        self._clock.setInterval(1000)
        self._clock.timeout.connect(lambda: stage.post(Ticked()))
        stage.changed.connect(self.show_state)
        self.show_state(stage.view)

    @property
    def state(self) -> KioskState:
        """What is shown."""
        return self.stage.view

    def show_frame(self, frame: NDArray[np.uint8] | None) -> None:
        """A live picture for the face page; dropped when the machine is not looking."""
        page = self._pages["face"]
        if isinstance(page, FacePage) and (frame is None or self.state.work == "looking"):
            page.show_frame(frame)

    def show_state(self, state: KioskState) -> None:
        """Show a state; language, large type and the screen's shape build the window anew."""
        wanted = (state.language, state.elder, self.width() > self.height())
        if wanted != self._built:
            self._build(*wanted)
        page = self._pages[state.page]
        for each in self._pages.values() if state.page == "welcome" else (page,):
            each.show_state(state)  # at the end every page forgets, not only the one on screen
        if state.work != "looking":
            self.show_frame(None)
        if self._stack.currentWidget() is not page:
            self._stack.setCurrentWidget(page)
            self.setFocus()
        self._show_frame_of(state)
        busy = state.page != "welcome"
        if busy != self._clock.isActive():
            self._clock.start() if busy else self._clock.stop()

    def _show_frame_of(self, state: KioskState) -> None:
        step = STEPS.get(state.page, 0)
        self._dots.show_step(step)
        self._dots.setVisible(bool(step))
        self._step.setText(self._words("kiosk.step", n=step) if step else " ")
        timed = state.page not in ("welcome", "keeping")
        self._more.setVisible(timed)
        self._more.show_time(state.left, state.whole)
        self._back.setVisible(state.page in STEPS and state.page != "keeping")
        self._call.say(self._words({"": "kiosk.call", "asked": "kiosk.asked"}.get(state.called, "kiosk.coming")))

    def _build(self, language: str, elder: bool, wide: bool) -> None:
        """All widgets anew, in this language, size and shape."""
        self._built = (language, elder, wide)
        scale = min(self._look.scale * (ELDER_SCALE[wide] if elder else 100) // 100, 200)
        self.look = look = Look(scale, self._look.contrast, self._look.practice, self._look.calm)
        self._words = words = self._words_in(language)
        if self._inner is not None:
            self._inner.hide()
            self._whole.removeWidget(self._inner)
            self._inner.deleteLater()
        self.setStyleSheet(look.sheet() + _touch_sheet(look))
        self.setWindowTitle(words("kiosk.title"))
        self._inner = QWidget()
        set_role(self._inner, role="ground")
        self._inner.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        column = QVBoxLayout(self._inner)
        side = 48 if wide or elder else 64
        column.setContentsMargins(side, look.px("six"), side, look.px("six") * (1 if wide else 2))
        column.setSpacing(look.px("three") if wide else look.px("six") * 2)
        column.addLayout(self._head(words, elder))
        column.addLayout(self._progress())
        self._stack = QStackedWidget()
        self._pages = {name: PAGE_CLASSES[name](look, words, self.stage.post, wide) for name in PAGES}
        for page in self._pages.values():
            self._stack.addWidget(page)
        column.addWidget(self._stack, 1)
        column.addLayout(self._foot(words, elder))
        self._whole.addWidget(self._inner)
        self.setFocus()

    def _head(self, words: Words, elder: bool) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(self.look.px("three"))
        facts = self.state.facts
        row.addWidget(label(" · ".join(part for part in (facts.hall, words("kiosk.title")) if part), "kiosk-small"))
        if facts.practice:
            row.addWidget(label(words("kiosk.practice_words"), "kiosk-small", "practice"))
        row.addStretch(1)
        self._elder = self._small(words("kiosk.elder_off" if elder else "kiosk.elder_on"))
        self._elder.clicked.connect(lambda: self.stage.post(ElderSet(not self.state.elder)))
        self._tongue = self._small(words("kiosk.language"))
        self._tongue.clicked.connect(lambda: self.stage.post(LanguageSet("en" if self.state.language == "zh_CN" else "zh_CN")))
        for each in (self._elder, self._tongue):
            row.addWidget(each)
        return row

    def _small(self, words: str) -> ActionButton:
        made = ActionButton(self.look, words, kind="touch")
        set_role(made, place="head")
        return made

    def _progress(self) -> QVBoxLayout:
        self._dots, self._step = StepDots(self.look), label("", "kiosk-small")
        column = QVBoxLayout()
        column.setSpacing(self.look.px("two"))
        for each in (self._dots, self._step):
            column.addWidget(each, 0, Qt.AlignmentFlag.AlignHCenter)
        return column

    def _foot(self, words: Words, elder: bool) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(self.look.px("one"))
        self._back = ActionButton(self.look, words("kiosk.back"), kind="touch", icon="" if elder else "back")
        self._back.clicked.connect(lambda: self.stage.post(BackPressed()))
        self._more = TimeButton(self.look, words("kiosk.more_short" if elder else "kiosk.more"), words("kiosk.seconds"))
        self._more.clicked.connect(lambda: self.stage.post(MorePressed()))
        self._call = ActionButton(self.look, words("kiosk.call"), kind="touch", icon="" if elder else "bell")
        self._call.clicked.connect(lambda: self.stage.post(CallPressed()))
        places = (Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignHCenter, Qt.AlignmentFlag.AlignRight)
        for each, place in zip((self._back, self._more, self._call), places, strict=True):
            row.addWidget(each, 1, place)
            policy = each.sizePolicy()
            policy.setRetainSizeWhenHidden(True)
            each.setSizePolicy(policy)
        return row

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """A keyboard works too: digits, Backspace, Esc."""
        if event.text() and event.text() in "0123456789":
            self.stage.post(DigitPressed(event.text()))
        elif event.key() == Qt.Key.Key_Backspace:
            self.stage.post(ErasePressed())
        elif event.key() == Qt.Key.Key_Escape:
            self.stage.post(BackPressed())
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._built is not None and self._built[2] != (self.width() > self.height()):
            self.show_state(self.state)


def _touch_sheet(look: Look) -> str:
    """What only the terminal has: lower buttons in the head, taller keys for numbers, a primary button that can be off."""
    return f"""
QLabel[role="kiosk-line"] {{ font-size: {look.type("kiosk_body") * 5 // 4}px; }}
QPushButton[place="head"] {{ min-height: {look.px("row_touch")}px; }}
QPushButton[place="pad"] {{ min-height: {look.px("button_touch") * 4 // 3}px; }}
QPushButton[kind="touch-primary"]:disabled {{ background: {look.name("pill")}; border-color: {look.name("pill")}; }}
QPushButton[kind="touch-primary"]:focus {{ border: 3px solid {look.name("text")}; }}
QPushButton[kind="touch"]:focus {{ border: 3px solid {look.name("accent")}; }}
"""
