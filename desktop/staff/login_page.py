"""Coming to the desk: not enrolled, store trouble, certificate, PIN. Never keeps a PIN."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop.flows.login import LoginState
from desktop.flows.words import BackPressed, CertificateChoice, CertificatePicked, LastTryAccepted, PinTyped, RetryPressed, SwitchPressed
from desktop.staff.kit import Kit, Post
from desktop.staff.pin_box import PinBox
from desktop.widgets.banner import Banner
from desktop.widgets.buttons import ActionButton
from desktop.widgets.cards import Card, label
from desktop.widgets.icons import IconLabel
from desktop.widgets.person_row import PersonRow

__all__ = ["LoginPage"]


class LoginPage(QWidget):
    """One card in the middle; what happens next is always written on it."""

    def __init__(self, kit: Kit, post: Post) -> None:
        super().__init__()
        self.kit, self._post, look, words = kit, post, kit.look, kit.words
        outer = QVBoxLayout(self)
        outer.addStretch(2)
        row = QHBoxLayout()
        row.addStretch(1)
        self.card = Card(look)
        self.card.setFixedWidth(look.px("side_right") + 190)
        row.addWidget(self.card)
        row.addStretch(1)
        outer.addLayout(row)
        outer.addStretch(3)
        self.card.body.setSpacing(look.px("two"))
        self._key = IconLabel(look, "token", "accent_text", look.px("icon_big") * 2)
        self.card.body.addWidget(self._key)
        self._where = label("", "meta")
        self._title = label("", "page", wrap=True)
        self._words = label("", "quiet", wrap=True)
        self._banner = Banner(look)
        for part in (self._where, self._title, self._words, self._banner):
            self.card.body.addWidget(part)
        self._steps = QVBoxLayout()
        self._steps.setSpacing(look.px("two"))
        self.card.body.addLayout(self._steps)
        self._people = QVBoxLayout()
        self._people.setSpacing(look.px("half"))
        self.card.body.addLayout(self._people)
        self.pin = PinBox(kit)
        self.pin.typed.connect(lambda pin: post(PinTyped(pin)))
        self.pin.accepted.connect(lambda: post(LastTryAccepted()))
        self.card.body.addWidget(self.pin)
        foot = QHBoxLayout()
        self._back = ActionButton(look, words("login.back"), "Esc", shortcut=False)
        self._back.clicked.connect(lambda: post(BackPressed()))
        self._switch = ActionButton(look, words("login.switch"), "Alt+C", "link")
        self._switch.clicked.connect(lambda: post(SwitchPressed()))
        self._again = ActionButton(look, words("login.again"), "F5", "primary")
        self._again.clicked.connect(lambda: post(RetryPressed()))
        self._enter = ActionButton(look, words("login.enter"), "Return", "primary", shortcut=False)
        self._enter.clicked.connect(self.pin.give)
        foot.addWidget(self._back)
        foot.addWidget(self._switch)
        foot.addStretch(1)
        foot.addWidget(self._again)
        foot.addWidget(self._enter)
        self.card.body.addSpacing(look.px("half"))
        self.card.body.addLayout(foot)
        self._said: object = None
        self.work: tuple[str, object] = ("", None)

    def show_state(self, state: LoginState) -> None:
        """Show where coming in stands."""
        words, page = self.kit.words, state.page
        self._where.setText(words("app.station", hall=state.station.hall, window=state.station.window) if state.station else words("app.name"))
        self._key.setVisible(page in {"no_token", "looking"})
        key = "locked" if state.locked and page in {"pin", "checking", "trying", "no_token"} else page
        self._title.setText(words(f"login.title_{key}"))
        who = state.operator.name if state.locked and state.operator else state.chosen.signer_name if state.chosen else ""
        self._words.setText(words(f"login.words_{key}", name=who))
        self._words.setVisible(bool(self._words.text()))
        self._show_trouble(state)
        self._show_steps(page == "not_enrolled")
        self._show_people(state)
        self.pin.setVisible(page in {"checking", "pin", "trying", "last_try", "locked_pin"})
        self.pin.show_pin(page, state.pin)
        self._back.setVisible(page in {"pin", "last_try", "locked_pin"} and not state.locked)
        self._switch.setVisible(state.locked and page in {"pin", "no_token", "last_try", "locked_pin"})
        self._again.setVisible(page in {"not_enrolled", "stopped", "no_token"})
        self._enter.setVisible(page in {"pin", "checking", "trying"})
        self._enter.setEnabled(page == "pin")
        self._enter.say(words("login.trying" if page == "trying" else "login.enter"))
        self.work = ("pin" if page in {"checking", "pin"} else page, state.chosen)

    def take_focus(self) -> None:
        """Focus to where work goes on."""
        target: QWidget = self
        if self.work[0] == "pin":
            target = self.pin.edit
        elif self.work[0] in {"not_enrolled", "stopped", "no_token"}:
            target = self._again
        elif self.work[0] == "certificates" and self._people.count():
            target = next((row for row in self.findChildren(PersonRow) if row.isEnabled() and not row.isHidden()), self)
        elif self.work[0] in {"last_try", "locked_pin"} and not self._back.isHidden():
            target = self._back
        target.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_trouble(self, state: LoginState) -> None:
        if state.trouble is None or state.page in {"not_enrolled", "locked_pin", "last_try"}:
            self._banner.show_message(None)
            return
        message = self.kit.say(state.trouble)
        self._banner.show_message(message, "stop", who=self.kit.words.who(message.who))

    def _show_steps(self, shown: bool) -> None:
        while self._steps.count():
            part = self._steps.takeAt(0).widget()
            if part is not None:
                part.hide()
                part.deleteLater()
        for number in (1, 2, 3) if shown else ():
            part = QWidget()
            row = QHBoxLayout(part)
            row.setContentsMargins(0, 0, 0, 0)
            row.setSpacing(self.kit.look.px("two"))
            row.addWidget(label(str(number), "pill"), 0, Qt.AlignmentFlag.AlignTop)
            row.addWidget(label(self.kit.words(f"login.enrol_{number}"), wrap=True), 1)
            self._steps.addWidget(part)
        if shown:
            part = QWidget()
            row = QHBoxLayout(part)
            row.setContentsMargins(0, 0, 0, 0)
            row.addWidget(IconLabel(self.kit.look, "help", "quiet"), 0, Qt.AlignmentFlag.AlignTop)
            row.addWidget(label(self.kit.words("login.enrol_command"), "meta", wrap=True), 1)
            self._steps.addWidget(part)

    def _show_people(self, state: LoginState) -> None:
        said = (state.page == "certificates", state.certificates, state.chosen)
        if said == self._said:
            return
        self._said = said
        while self._people.count():
            part = self._people.takeAt(0).widget()
            if part is not None:
                part.hide()
                part.deleteLater()
        shown: tuple[CertificateChoice, ...] = state.certificates if state.page == "certificates" else (state.chosen,) if state.chosen else ()
        for number, one in enumerate(shown, 1):
            note = self.kit.words("login.days", days=one.days_left) if one.usable else self.kit.words(f"login.why_{one.why}")
            key = str(number) if state.page == "certificates" and one.usable and number <= 9 else ""
            row = PersonRow(self.kit.look, one.signer_name, self.kit.words("login.certificate", id=one.signer_id, issuer=one.issuer), note, one.usable, key)
            row.setEnabled(one.usable and state.page == "certificates")
            row.clicked.connect(lambda _=False, which=one: self._post(CertificatePicked(which)))
            self._people.addWidget(row)
            row.show()   # now, not when the layout gets to it: it may be given the focus at once
