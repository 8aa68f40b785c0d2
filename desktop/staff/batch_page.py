"""Signing beside the sitting: choose, read, one PIN, progress, result; countersign; hand over. Never holds a PIN, never signs what was not shown."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QProgressBar, QStackedWidget, QVBoxLayout, QWidget

from desktop.flows.batch import MOST, BatchState, may_build, needs_reason
from desktop.flows.words import (
    AskPin,
    BackPressed,
    BatchAsked,
    BuildPressed,
    LastTryAccepted,
    LockPressed,
    ReasonEdited,
    RetryPressed,
    SignPressed,
    StopPressed,
    TroubleClosed,
)
from desktop.staff.bars import bar
from desktop.staff.batch_views import ChooseView, ConfirmView, EndView
from desktop.staff.kit import Kit, Post
from desktop.staff.pin_box import PinBox
from desktop.staff.record_sheet import RecordSheet
from desktop.widgets.banner import Banner
from desktop.widgets.buttons import ActionButton, TabButton
from desktop.widgets.cards import Card, EmptyState, ScrolledColumn, label
from desktop.widgets.style import set_role

__all__ = ["BatchPage"]

_PIN = frozenset({"checking", "pin", "last_try", "locked_pin"})
_WAITS = frozenset({"idle", "listing", "building", "opening", "signing"})


class SignSide(QWidget):
    """Right: how many, whose certificate, why, and the PIN field."""

    def __init__(self, kit: Kit, post: Post) -> None:
        super().__init__()
        self.kit, self._post, look, words = kit, post, kit.look, kit.words
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        set_role(self, role="side", edge="left")
        self.setFixedWidth(look.px("side_right") + 24)
        column = QVBoxLayout(self)
        column.setContentsMargins(*[look.px("four")] * 4)
        column.setSpacing(look.px("two"))
        card = Card(look, tight=True)
        self.title = label("", "section", wrap=True)
        self._words, self._signer, self._certificate = label("", "quiet", wrap=True), label("", "strong"), label("", "meta", wrap=True)
        for part in (self.title, self._words, self._signer, self._certificate):
            card.body.addWidget(part)
        self._why = label(words("batch.reason"), "label")
        self.reason = QLineEdit()
        self.reason.setMaxLength(500)
        self.reason.setAccessibleName(words("batch.reason"))
        self.reason.textEdited.connect(lambda text: post(ReasonEdited(text)))
        self._why.setBuddy(self.reason)
        self._why_words = label(words("batch.reason_words"), "meta", wrap=True)
        for part in (self._why, self.reason, self._why_words):
            card.body.addWidget(part)
        self.pin = PinBox(kit)
        self.pin.typed.connect(lambda pin: post(SignPressed(pin)))
        self.pin.accepted.connect(lambda: post(LastTryAccepted()))
        card.body.addWidget(self.pin)
        column.addWidget(card)
        column.addStretch(1)

    def show_state(self, state: BatchState) -> None:
        """Show what the next step is about."""
        words, shift = self.kit.words, state.deed == "shift"
        choosing = state.page == "choosing"
        count = len(state.chosen) if choosing else len(state.lines)
        self.title.setText(words("batch.shift_title") if shift else words("batch.chosen" if choosing else "batch.to_sign", n=count))
        said = words("batch.shift_about") if shift else words("batch.too_many", n=MOST) if choosing and count > MOST else \
            words("batch.about_choose" if choosing else "batch.about_sign")
        self._words.setText(said)
        if state.operator is not None:
            one = state.operator.certificate
            self._signer.setText(words("review.signer", name=state.operator.name))
            self._certificate.setText(words("review.certificate", issuer=one.issuer, days=one.days_left, device=one.device.name))
        asks = choosing and needs_reason(state)
        for part in (self._why, self.reason, self._why_words):
            part.setVisible(asks)
        if self.reason.text() != state.reason:
            self.reason.setText(state.reason)
        self.pin.setVisible(state.page in _PIN)
        self.pin.show_pin(state.page, state.pin)


class BatchPage(QWidget):
    """Left one list or one page of a record, right who signs; below the one primary action."""

    def __init__(self, kit: Kit, post: Post) -> None:
        super().__init__()
        self.kit, self._post, look = kit, post, kit.look
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        row = QHBoxLayout()
        row.setSpacing(0)
        column.addLayout(row, 1)
        middle = QVBoxLayout()
        middle.setContentsMargins(look.px("six"), look.px("four"), look.px("six"), look.px("four"))
        middle.setSpacing(look.px("three"))
        row.addLayout(middle, 1)
        self.side = SignSide(kit, post)
        row.addWidget(self.side)
        middle.addLayout(self._head())
        self.banner = Banner(look, kit.words("banner.close"))
        self.banner.closed.connect(lambda: post(TroubleClosed()))
        middle.addWidget(self.banner)
        self._stack = QStackedWidget()
        middle.addWidget(self._stack, 1)
        self.choose, self.confirm, self.end = ChooseView(kit, post), ConfirmView(kit, post), EndView(kit)
        self._nothing = EmptyState(look, "sign", "", "")
        self._wait = self._waiting()
        self._reader = ScrolledColumn(look, 0)
        self._reader.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.sheet = RecordSheet(kit)
        self._reader.column.addWidget(self.sheet)
        for page in (self.choose, self.confirm, self.end, self._nothing, self._wait, self._reader):
            self._stack.addWidget(page)
        column.addWidget(self._foot())
        lock = QShortcut(QKeySequence("Ctrl+L"), self, activated=lambda: post(LockPressed()))
        lock.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        self._state = BatchState()
        self.work: tuple[str, str] = ("", "")

    def _head(self) -> QHBoxLayout:
        look, words = self.kit.look, self.kit.words
        head = QHBoxLayout()
        self._title = label("", "page")
        head.addWidget(self._title)
        head.addStretch(1)
        self._tabs: dict[str, TabButton] = {}
        for number, deed in enumerate(("sign", "countersign", "shift"), 1):
            tab = TabButton(look, words(f"batch.tab_{deed}"))
            tab.setShortcut(f"Alt+{number}")
            tab.setToolTip(f"Alt {number}")
            tab.clicked.connect(lambda _=False, deed=deed: self._turn(deed))
            head.addWidget(tab)
            self._tabs[deed] = tab
        return head

    def _waiting(self) -> EmptyState:
        look = self.kit.look
        page = EmptyState(look, "sign", "", "")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(look.px("side_right"))
        page.below.addWidget(self._bar, 0, Qt.AlignmentFlag.AlignHCenter)
        return page

    def _foot(self) -> QWidget:
        look, words = self.kit.look, self.kit.words
        frame, row = bar(self.kit, "bottom")
        self._hint = label("", "meta")
        row.addWidget(self._hint)
        row.addStretch(1)
        self._back = ActionButton(look, words("batch.back"), "Esc", shortcut=False)
        self._back.clicked.connect(lambda: self._post(BackPressed()))
        self._stop = ActionButton(look, words("batch.stop"), "Alt+S", icon="stop")
        self._stop.clicked.connect(lambda: self._post(StopPressed()))
        self._again = ActionButton(look, words("batch.again"), "F5", icon="refresh")
        self._again.clicked.connect(lambda: self._post(RetryPressed()))
        self.main = ActionButton(look, words("batch.build"), "F9", "primary", "sign")
        self.main.clicked.connect(self._press)
        for button in (self._again, self._back, self._stop, self.main):
            row.addWidget(button)
        return frame

    def _turn(self, deed: str) -> None:
        """Another deed: back to the desk and at once to the other list. Only where nothing is under way."""
        if self._state.page in {"choosing", "ended"} and deed != self._state.deed:
            self._post(BackPressed())
            self._post(BatchAsked(deed))  # type: ignore[arg-type]

    def _press(self) -> None:
        """The primary action of this page."""
        page = self._state.page
        if page == "pin":
            self.side.pin.give()
        else:
            self._post({"choosing": BuildPressed(), "confirming": AskPin(), "locked_pin": RetryPressed()}.get(page, BackPressed()))

    def show_state(self, state: BatchState) -> None:
        """Show where signing stands."""
        words, page = self.kit.words, state.page
        self._state = state
        self._title.setText(words(f"batch.title_{state.deed or 'sign'}"))
        supervisor = state.operator is not None and "supervisor" in state.operator.roles
        for deed, tab in self._tabs.items():
            tab.mark(current=deed == state.deed)
            tab.setVisible(page in {"choosing", "ended"} and (deed != "countersign" or supervisor))
        self.side.show_state(state)
        self.side.setVisible(page in _PIN | {"choosing", "confirming"} and bool(state.deed == "shift" or state.rows or state.lines))
        if state.trouble is not None:
            message = self.kit.say(state.trouble)
            self.banner.show_message(message, "stop", who=words.who(message.who))
        else:
            self.banner.show_message(None)
        self._show_middle(state)
        self._show_foot(state)
        current = state.sheet.digest if state.sheet is not None and page == "sheet" else ""
        self.work = ({"checking": "pin"}.get(page, page), current)

    def _show_middle(self, state: BatchState) -> None:
        page = state.page
        shown: QWidget = self._wait
        if page == "choosing":
            self.choose.show_state(state)
            shown = self.choose if state.rows else self._nothing
        elif page == "confirming" or (page in _PIN and state.deed != "shift"):
            self.confirm.show_state(state)
            shown = self.confirm
        elif page == "sheet" and state.sheet is not None:
            self.sheet.show_sheet(state.sheet)
            shown = self._reader
        elif page == "ended":
            self.end.show_state(state)
            shown = self.end
        elif page in _PIN:
            shown = self._nothing
        self._show_words(state)
        self._stack.setCurrentWidget(shown)

    def _show_words(self, state: BatchState) -> None:
        """The calm pages: nothing waits, the shift, and how far a step is."""
        words, page = self.kit.words, state.page
        key = "shift" if page in _PIN else f"nothing_{state.deed}"
        if words.has(f"batch.{key}"):
            self._nothing.title.setText(words(f"batch.{key}"))
            self._nothing.words.setText(words(f"batch.{key}_words"))
        if page not in _WAITS:
            return
        name = "stopping" if state.stopping else "shift_signing" if page == "signing" and state.deed == "shift" else "listing" if page == "idle" else page
        self._wait.title.setText(words(f"batch.wait_{name}", done=state.done, total=state.total))
        self._wait.words.setText(words(f"batch.wait_{name}_words"))
        counted = page in {"building", "signing"} and state.total > 0
        self._bar.setVisible(counted)
        self._bar.setRange(0, state.total or 1)
        self._bar.setValue(state.done)
        self._bar.setAccessibleName(self._wait.title.text())

    def _show_foot(self, state: BatchState) -> None:
        words, page = self.kit.words, state.page
        said = {"choosing": "batch.build", "confirming": "batch.read_sign", "pin": "batch.sign", "checking": "batch.sign", "sheet": "batch.to_list",
                "ended": "foot.to_desk", "locked_pin": "batch.look_again"}.get(page, "batch.sign")
        count = len(state.chosen) if page == "choosing" else len(state.lines)
        self.main.say(words("batch.shift_sign") if state.deed == "shift" and page in {"pin", "checking"} else words(said, n=count))
        self.main.setVisible((page != "choosing" or bool(state.rows)) and page in {"choosing", "confirming", "pin", "checking", "sheet", "ended", "locked_pin"})
        ready = {"choosing": may_build(state), "confirming": bool(state.lines), "checking": False}.get(page, True)
        self.main.setEnabled(ready)
        self._back.setVisible(page not in {"signing", "ended", "sheet"})
        self._stop.setVisible(page in {"building", "signing"} and state.deed != "shift")
        self._stop.say(words("batch.stopping" if state.stopping else "batch.stop"))   # never greyed: it keeps the keyboard
        left = state.ended is not None and bool(state.ended.left or state.ended.failed)
        self._again.setVisible(page == "ended" and left)
        self._hint.setText(words(f"batch.hint_{page}") if words.has(f"batch.hint_{page}") else "")

    def take_focus(self) -> None:
        """Focus to where work goes on: the list, the PIN, the safe answer, the page that is read."""
        page = self.work[0]
        places: dict[str, QWidget] = {"choosing": self.choose.table if self._state.rows else self._back, "confirming": self.confirm.table,
                                      "pin": self.side.pin.edit, "last_try": self._back, "locked_pin": self._back, "sheet": self._reader,
                                      "ended": self.main, "signing": self._stop, "building": self._stop}
        places.get(page, self).setFocus(Qt.FocusReason.OtherFocusReason)
