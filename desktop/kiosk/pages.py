"""The pages of the terminal: one question each. Never decide anything: they show the state and post what was pressed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QProgressBar, QVBoxLayout, QWidget

from desktop.flows.kiosk import KioskState, mobile_ready
from desktop.flows.words_kiosk import (
    ConfirmPressed,
    DigitPressed,
    ErasePressed,
    LeavePressed,
    NextPressed,
    RetryPressed,
    StaffPressed,
    StartPressed,
)
from desktop.kiosk.drawings import CardDrawing, Mirror, NumberSlots
from desktop.messages import Words
from desktop.widgets.buttons import ActionButton
from desktop.widgets.cards import Card, hairline, label
from desktop.widgets.icons import IconLabel
from desktop.widgets.style import Look, set_role

__all__ = ["PAGE_CLASSES", "KioskPage"]

Post = Callable[[Any], None]


class KioskPage(QWidget):
    """A title and a sentence (``say``), and what there is to do (``do``): one above the other, or side by side on a wide screen."""

    key = ""

    def __init__(self, look: Look, words: Words, post: Post, wide: bool) -> None:
        super().__init__()
        self.look, self.words, self.post, self.wide = look, words, post, wide
        side = Qt.AlignmentFlag.AlignLeft if wide else Qt.AlignmentFlag.AlignHCenter
        self.title, self.line = label("", "kiosk-title" if wide else "kiosk-big", wrap=True), label("", "kiosk-body", wrap=True)
        for part in (self.title, self.line):
            part.setAlignment(side)
        self.say, self.do = QVBoxLayout(), QVBoxLayout()
        self.say.setSpacing(look.px("three"))
        self.do.setSpacing(look.px("three") if wide else look.px("six"))
        self.say.addWidget(self.title)
        self.say.addWidget(self.line)
        if wide:
            across = QHBoxLayout(self)
            across.setSpacing(look.px("six") * 2)
            self.say.addStretch(1)
            across.addLayout(self.say, 5)
            across.addLayout(self.do, 6)
        else:
            down = QVBoxLayout(self)
            down.setSpacing(look.px("six") * 2)
            down.addLayout(self.say)
            down.addLayout(self.do, 1)
        self.build()

    def build(self) -> None:
        """Put what belongs on the page."""

    def show_state(self, state: KioskState) -> None:
        """Show the state."""

    def w(self, key: str, **facts: object) -> str:
        """Words below ``kiosk.<page>``, or with a dot in front below ``kiosk``."""
        return self.words(f"kiosk{key}" if key.startswith(".") else f"kiosk.{self.key}.{key}", **facts)

    def tell(self, title: str, line: str = "") -> None:
        """Title and sentence."""
        self.title.setText(title)
        self.line.setText(line)
        self.line.setVisible(bool(line))

    def button(self, words: str, event: Any, primary: bool = False, icon: str = "") -> ActionButton:
        """A touch button that posts ``event``."""
        made = ActionButton(self.look, words, kind="touch-primary" if primary else "touch", icon=icon)
        made.clicked.connect(lambda: self.post(event))
        return made

    def lines(self, keys: tuple[str, ...], icon: str) -> QWidget:
        """Short sentences with a mark each."""
        card = Card(self.look)
        card.body.setSpacing(self.look.px("one") if self.wide else self.look.px("six"))
        for index, key in enumerate(keys):
            if index:
                card.body.addWidget(hairline())
            row = QHBoxLayout()
            row.setSpacing(self.look.px("four"))
            row.addWidget(IconLabel(self.look, icon, "accent", self.look.type("kiosk_body" if self.wide else "kiosk_title")))
            row.addWidget(label(self.w(key), "kiosk-body" if self.wide else "kiosk-line", wrap=True), 1)
            card.body.addLayout(row)
        return card


class WelcomePage(KioskPage):
    """The calm start."""

    key = "welcome"

    def build(self) -> None:
        self.drawing = CardDrawing(self.look, self.w("hint"))
        self.do.addWidget(self.drawing, 1)
        self.start = self.button(self.w("start"), StartPressed(), primary=True)
        self.do.addWidget(self.start)
        self.hint = label(self.w("hint"), "kiosk-small")
        self.hint.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.do.addWidget(self.hint)

    def show_state(self, state: KioskState) -> None:
        self.tell(self.w("left_behind") if state.left_behind else self.w("title"), "" if state.left_behind else self.w("words"))
        hint = self.w("hint_after" if state.left_behind else "hint")
        self.hint.setText(hint)
        self.drawing.setAccessibleName(hint)
        self.drawing.show_state("trouble" if state.left_behind else "wait")


class NoticePage(KioskPage):
    """How the information is used."""

    key = "notice"

    def build(self) -> None:
        self.tell(self.w("title"))
        self.do.addWidget(self.lines(("line1", "line2", "line3", "line4", "line5"), "check"))
        self.do.addStretch(1)
        self.do.addWidget(self.button(self.w("next"), NextPressed(), primary=True))


class ConsentPage(KioskPage):
    """The separate consent for the face. Both answers have the same weight: no one is steered."""

    key = "consent"

    def build(self) -> None:
        self.tell(self.w("title"))
        self.do.addWidget(self.lines(("line1", "line2", "line3", "line4"), "shield"))
        self.do.addStretch(1)
        self.do.addWidget(self.button(self.w("yes"), NextPressed(), icon="face"))
        self.do.addWidget(self.button(self.w("no"), StaffPressed(), icon="people"))


class CardPage(KioskPage):
    """Put the card down."""

    key = "card"

    def build(self) -> None:
        self.drawing = CardDrawing(self.look, self.w("title"))
        self.do.addWidget(self.drawing, 1)
        self.busy = QProgressBar()
        self.busy.setRange(0, 0)
        self.busy.setTextVisible(False)
        self.do.addWidget(self.busy)
        self.again = self.button(self.w("again"), RetryPressed(), primary=True)
        self.do.addWidget(self.again)

    def show_state(self, state: KioskState) -> None:
        reading, trouble = state.work == "reading", state.trouble
        self.busy.setVisible(reading)
        self.again.setVisible(trouble is not None and state.card_lies)
        if state.left_behind:
            self.tell(self.words("kiosk.welcome.left_behind"))
        elif trouble is not None:
            self.tell(*self._trouble(trouble.code))
        elif reading:
            self.tell(self.w("reading"), self.w("reading_words"))
        else:
            self.tell(self.w("title"), self.w("words"))
        self.drawing.show_state("trouble" if trouble is not None or state.left_behind else "lies" if reading else "wait")

    def _trouble(self, code: str) -> tuple[str, str]:
        key = f".trouble.{code.replace('.', '_')}"
        if self.words.has(f"kiosk{key}"):
            return self.w(key), ""
        kind = "reader" if code.startswith(("reader.", "driver.")) else "other"
        return self.w(f".trouble.{kind}"), self.w(f".trouble.{kind}_next")


class FacePage(KioskPage):
    """The machine looks, or staff will."""

    key = "face"

    def build(self) -> None:
        self.mirror = Mirror(self.look, self.w("title"))
        self.do.addWidget(self.mirror, 1)
        self.again = self.button(self.w("again"), RetryPressed(), primary=True)
        self.on = self.button(self.w("next"), NextPressed(), primary=True)
        self.staff = self.button(self.w("go_on"), StaffPressed(), primary=True)
        self.no = self.button(self.w("no"), StaffPressed(), icon="people")
        for each in (self.again, self.on, self.staff, self.no):
            self.do.addWidget(each)

    def show_state(self, state: KioskState) -> None:
        same = state.face is not None and state.face.verdict == "same"
        looking, by_staff = state.work == "looking", state.face_way == "staff" and not same
        self.on.setVisible(same)
        self.staff.setVisible(by_staff)
        self.no.setVisible(not same and not by_staff)
        self.again.setVisible(not same and not by_staff and not looking)
        hint = self.w(f".hint.{state.hint}") if self.words.has(f"kiosk.hint.{state.hint}") else self.w(".hint.none")
        if same:
            self.tell(self.w("same"), self.w("same_words"))
            self.mirror.show_words(self.w(".hint.same"), "good", "check")
        elif by_staff:
            self.tell(self.w("staff"), self.w("staff_words"))
            self.mirror.show_words("", "quiet", "people")
        elif looking:
            self.tell(self.w("title_left" if self.wide else "title"), self.w("words"))
            self.mirror.show_words(hint, "accent")
        else:
            self.tell(self.w("unsure"), self.w("unsure_words"))
            self.mirror.show_words(hint, "wait")
        if not looking:
            self.mirror.show_frame(None)

    def show_frame(self, frame: NDArray[np.uint8] | None) -> None:
        """The live picture."""
        self.mirror.show_frame(frame)


class MobilePage(KioskPage):
    """Eleven digits on large keys."""

    key = "mobile"

    def build(self) -> None:
        self.slots = NumberSlots(self.look, self.w("title"))
        self.wrong = label("", "kiosk-small", "wait", wrap=True)
        for part in (self.slots, self.wrong):
            self.say.insertWidget(self.say.count() - 1, part) if self.wide else self.do.addWidget(part)
        if not self.wide:
            self.wrong.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        pad = QGridLayout()
        pad.setSpacing(self.look.px("three"))
        for index, digit in enumerate("123456789"):
            pad.addWidget(self._key(digit, DigitPressed(digit)), index // 3, index % 3)
        pad.addWidget(self._key(self.w("clear"), ErasePressed(all=True)), 3, 0)
        pad.addWidget(self._key("0", DigitPressed("0")), 3, 1)
        pad.addWidget(self._key(self.w("erase"), ErasePressed()), 3, 2)
        self.do.addLayout(pad)
        self.do.addStretch(1)
        self.next = self.button(self.w("next"), NextPressed(), primary=True)
        self.do.addWidget(self.next)

    def _key(self, words: str, event: Any) -> ActionButton:
        made = self.button(words, event)
        set_role(made, place="" if self.wide else "pad")
        if len(words) == 1:
            for face in made.findChildren(QLabel):
                set_role(face, role="kiosk-title")
        return made

    def show_state(self, state: KioskState) -> None:
        self.tell(self.w("title"), self.w("words"))
        self.slots.show_digits(state.mobile)
        ready = mobile_ready(state.mobile)
        self.next.setEnabled(ready)
        bad = not ready and (len(state.mobile) == 11 or state.mobile[:1] not in ("", "1"))
        self.wrong.setText(self.w("wrong") if bad else " ")


class CheckPage(KioskPage):
    """Everything once more, large; the last yes."""

    key = "check"

    def build(self) -> None:
        card = Card(self.look)
        card.body.setSpacing(self.look.px("half") if self.wide else self.look.px("six"))
        self.values: dict[str, QLabel] = {}
        for index, key in enumerate(("name", "number", "mobile", "face")):
            if index:
                card.body.addWidget(hairline())
            column = QVBoxLayout()
            column.setSpacing(2)
            column.addWidget(label(self.w(key), "kiosk-small"))
            self.values[key] = label("", "kiosk-title", wrap=True)
            column.addWidget(self.values[key])
            card.body.addLayout(column)
        self.do.addWidget(card)
        self.do.addStretch(1)
        self.agree = self.button(self.w("agree"), ConfirmPressed(), primary=True)
        self.again = self.button(self.w("again"), RetryPressed(), primary=True)
        self.do.addWidget(self.agree)
        self.do.addWidget(self.again)

    def show_state(self, state: KioskState) -> None:
        trouble = state.trouble is not None
        self.tell(self.w(".trouble.keep") if trouble else self.w("title"), self.w(".trouble.keep_next") if trouble else self.w("words"))
        number, mobile = state.number_masked, state.mobile
        self.values["name"].setText(state.name)
        self.values["number"].setText(f"{number[:6]} {number[6:14]} {number[14:]}")
        self.values["mobile"].setText(f"{mobile[:3]} {mobile[3:7]} {mobile[7:]}")
        self.values["face"].setText(self.w("face_same" if state.face is not None and state.face.verdict == "same" else "face_staff"))
        self.agree.setVisible(not trouble)
        self.again.setVisible(trouble)


class KeepingPage(KioskPage):
    """A moment of patience; nothing is promised yet."""

    key = "keeping"

    def build(self) -> None:
        self.tell(self.w("title"), self.w("words"))
        self.do.addStretch(1)
        self.do.addWidget(IconLabel(self.look, "lock", "accent", self.look.type("kiosk_big") * 3), 0, Qt.AlignmentFlag.AlignHCenter)
        busy = QProgressBar()
        busy.setRange(0, 0)
        busy.setTextVisible(False)
        self.do.addWidget(busy)
        self.do.addStretch(2)


class ResultPage(KioskPage):
    """What was done, in the words that are true; the wipe counts down."""

    key = "result"

    def build(self) -> None:
        self.mark = IconLabel(self.look, "check", "good", self.look.type("kiosk_big") * 2)
        self.say.insertWidget(0, self.mark, 0, Qt.AlignmentFlag.AlignLeft if self.wide else Qt.AlignmentFlag.AlignHCenter)
        card = Card(self.look)
        card.body.addWidget(label(self.w("number"), "kiosk-small"))
        self.number = label("", "kiosk-big")
        card.body.addWidget(self.number)
        self.staff = label(self.w("staff"), "kiosk-body" if self.wide else "kiosk-title", "wait", wrap=True)
        card.body.addWidget(self.staff)
        self.do.addWidget(card)
        self.card = label(self.w("card"), "kiosk-body" if self.wide else "kiosk-title", wrap=True)
        self.card.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.do.addWidget(self.card)
        self.do.addStretch(1)
        self.wipe = label("", "kiosk-body")
        self.wipe.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.do.addWidget(self.wipe)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.do.addWidget(self.bar)
        self.do.addWidget(self.button(self.w("leave"), LeavePressed(), primary=True))

    def show_state(self, state: KioskState) -> None:
        self.tell(self.w("sent" if state.sent else "kept"), self.w("sent_words" if state.sent else "kept_words"))
        self.number.setText(state.number)
        self.staff.setVisible(state.face is None or state.face.verdict != "same")
        self.card.setVisible(state.card_lies)
        self.wipe.setText(self.w("wipe", n=state.left))
        self.bar.setRange(0, max(state.whole, 1))
        self.bar.setValue(state.left)


PAGE_CLASSES: dict[str, type[KioskPage]] = {
    each.key: each for each in (WelcomePage, NoticePage, ConsentPage, CardPage, FacePage, MobilePage, CheckPage, KeepingPage, ResultPage)
}
"""Page of the flow -> its widget."""
