"""Read, sign one, keep, receipt. Never says more than the state says: kept, uploaded and receipted are different words."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from desktop.flows.review import ReviewState
from desktop.flows.words import AskPin, BackPressed, KeepUnsignedPressed, LastTryAccepted, RetryPressed, SignPressed
from desktop.staff.bars import bar
from desktop.staff.kept_page import KeptPage
from desktop.staff.kit import Kit, Post
from desktop.staff.pin_box import PinBox
from desktop.staff.record_sheet import RecordSheet
from desktop.staff.wording import group
from desktop.widgets.banner import Banner
from desktop.widgets.buttons import ActionButton
from desktop.widgets.cards import Card, EmptyState, ScrolledColumn, label
from desktop.widgets.style import set_role

__all__ = ["ReviewPage"]


class ReviewPage(QWidget):
    """Left the form as paper, right who signs what; below the one primary action."""

    def __init__(self, kit: Kit, post: Post) -> None:
        super().__init__()
        self.kit, self._post, words = kit, post, kit.words
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self._stack = QStackedWidget()
        column.addWidget(self._stack, 1)
        self._building = EmptyState(kit.look, "page", words("review.building"), words("review.building_words"))
        self._reading = QWidget()
        self.kept = KeptPage(kit, post)
        for page in (self._building, self._reading, self.kept):
            self._stack.addWidget(page)
        row = QHBoxLayout(self._reading)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        middle = ScrolledColumn(kit.look)
        self.sheet = RecordSheet(kit)
        holder = QHBoxLayout()
        holder.addStretch(1)
        holder.addWidget(self.sheet, 1000)
        holder.addStretch(1)
        middle.column.addLayout(holder)
        middle.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._scrolled = middle
        middle.installEventFilter(self)
        middle.setAccessibleName(words("review.form_title"))
        row.addWidget(middle, 1)
        row.addWidget(self._side())
        column.addWidget(self._foot())
        self._page = "idle"
        self.work: tuple[str, str] = ("", "")

    def _side(self) -> QWidget:
        look, words = self.kit.look, self.kit.words
        side = QWidget()
        side.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        set_role(side, role="side", edge="left")
        side.setFixedWidth(look.px("side_right") + 24)
        column = QVBoxLayout(side)
        column.setContentsMargins(look.px("four"), look.px("four"), look.px("four"), look.px("four"))
        column.setSpacing(look.px("two"))
        self.banner = Banner(look)
        column.addWidget(self.banner)
        card = Card(look, words("review.sign_title"), role="section")
        self._signer, self._certificate = label("", "strong"), label("", "meta", wrap=True)
        self._about = label("", "quiet", wrap=True)
        for part in (self._about, self._signer, self._certificate):
            card.body.addWidget(part)
        self.pin = PinBox(self.kit)
        self.pin.typed.connect(lambda pin: self._post(SignPressed(pin)))
        self.pin.accepted.connect(lambda: self._post(LastTryAccepted()))
        card.body.addWidget(self.pin)
        column.addWidget(card)
        column.addStretch(1)
        column.addWidget(label(words("review.digest"), "meta"))
        self._digest = label("", "code", wrap=True)
        self._digest.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        column.addWidget(self._digest)
        return side

    def _foot(self) -> QWidget:
        look, words = self.kit.look, self.kit.words
        frame, row = bar(self.kit, "bottom")
        self._hint = label("", "meta")
        row.addWidget(self._hint)
        row.addStretch(1)
        self._back = ActionButton(look, words("review.back"), "Esc", shortcut=False)
        self._back.clicked.connect(lambda: self._post(BackPressed()))
        self._sign = ActionButton(look, words("review.sign", n=1), "F9", "primary", "sign")
        self._sign.clicked.connect(self._press)
        self._put_by = ActionButton(look, words("review.keep_unsigned"), "F10", icon="clock")
        self._put_by.clicked.connect(lambda: self._post(KeepUnsignedPressed()))
        self._again = ActionButton(look, words("review.keep_again"), "F9", "primary")
        self._again.clicked.connect(lambda: self._post(RetryPressed()))
        self._next = ActionButton(look, words("review.next"), "F9", "primary")
        self._next.clicked.connect(lambda: self._post(BackPressed()))
        for button in (*self.kept.actions(), self._put_by, self._back, self._sign, self._again, self._next):
            row.addWidget(button)
        return frame

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The page that is read carries the focus ring of its scroll area."""
        if watched is self._scrolled and event.type() in {QEvent.Type.FocusIn, QEvent.Type.FocusOut}:
            set_role(self.sheet, focused="true" if event.type() == QEvent.Type.FocusIn else "false")
        return super().eventFilter(watched, event)

    def _press(self) -> None:
        """First press opens the PIN, the next one signs."""
        if self._page == "pin":
            self.pin.give()
        else:
            self._post(AskPin())

    def show_state(self, state: ReviewState) -> None:
        """Show where signing stands."""
        words, page = self.kit.words, state.page
        self._page = page
        done = page in {"kept", "receipt", "kept_unsigned"}
        self._stack.setCurrentWidget(self._building if page in {"idle", "building"} else self.kept if done else self._reading)
        self.kept.show_state(state)
        if state.sheet is not None:
            self.sheet.show_sheet(state.sheet)
            self._digest.setText(group(state.sheet.digest, 8))
        if state.operator is not None:
            one = state.operator.certificate
            self._signer.setText(words("review.signer", name=state.operator.name))
            self._certificate.setText(words("review.certificate", issuer=one.issuer, days=one.days_left, device=one.device.name))
        self._about.setText(words("review.about"))
        self.pin.setVisible(page in {"checking", "pin", "last_try", "locked_pin", "signing"})
        self.pin.show_pin(page, state.pin)
        if state.trouble is not None and not done:
            message = self.kit.say(state.trouble)
            if page == "unkept":
                message = replace(message, title=words("review.unkept", title=message.title))
            self.banner.show_message(message, "stop", who=words.who(message.who))
        else:
            self.banner.show_message(None)
        self._show_foot(page)
        digest = state.sheet.digest if state.sheet is not None else ""
        if page == "reading" and self.work[1] != digest:
            self._scrolled.verticalScrollBar().setValue(0)
        self.work = ({"checking": "pin", "receipt": "kept", "kept_unsigned": "kept"}.get(page, page), digest)

    def _show_foot(self, page: str) -> None:
        words = self.kit.words
        self._back.setVisible(page in {"building", "reading", "checking", "pin", "last_try", "locked_pin"})
        self._put_by.setVisible(page in {"reading", "checking", "pin", "last_try", "locked_pin"})
        self._sign.setVisible(page in {"reading", "checking", "pin", "last_try", "locked_pin", "signing", "keeping", "putting_by"})
        self._sign.setEnabled(page in {"reading", "pin"})
        said = {"signing": "review.signing", "keeping": "review.keeping", "putting_by": "review.putting_by", "pin": "review.sign"}.get(page, "review.read_sign")
        self._sign.say(words(said, n=1))
        self._again.setVisible(page == "unkept")
        self._next.setVisible(page in {"kept", "receipt", "kept_unsigned"})
        self._hint.setText(words(f"review.hint_{page}") if words.has(f"review.hint_{page}") else "")

    def take_focus(self) -> None:
        """Focus to where work goes on: the sheet that is read, the PIN, the way back from a dangerous question, the next person."""
        places: dict[str, QWidget] = {"reading": self._scrolled, "pin": self.pin.edit, "last_try": self._back, "locked_pin": self._back,
                                      "unkept": self._again, "kept": self._next}
        places.get(self.work[0], self).setFocus(Qt.FocusReason.OtherFocusReason)
