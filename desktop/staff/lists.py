"""Two quiet pages: sittings that were put aside, and the health of the devices. Never opens or checks anything itself."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from desktop.flows.intake_state import IntakeState
from desktop.flows.words import CheckPressed, ParkedPicked
from desktop.messages import say_code
from desktop.staff.kit import Kit, Post
from desktop.staff.wording import ago, exact, exact_time, platform_words
from desktop.widgets.banner import joined
from desktop.widgets.buttons import ActionButton
from desktop.widgets.cards import Card, EmptyState, ScrolledColumn, label
from desktop.widgets.person_row import PersonRow
from desktop.widgets.status_dots import Dot

__all__ = ["HealthPage", "ParkedPage"]


def _empty(layout: QVBoxLayout) -> None:
    while layout.count():
        part = layout.takeAt(0).widget()
        if part is not None:
            part.hide()
            part.deleteLater()


class ParkedPage(QWidget):
    """One row per parked sitting, newest first."""

    def __init__(self, kit: Kit, post: Post) -> None:
        super().__init__()
        self.kit, self._post = kit, post
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        self.scrolled = ScrolledColumn(kit.look)
        column.addWidget(self.scrolled)
        self._said: object = None

    def show_state(self, state: IntakeState) -> None:
        """Show the list."""
        now = self.kit.now()
        said = (state.parked, now.minute)
        if said == self._said:
            return
        self._said = said
        at = next((place for place, row in enumerate(self._rows()) if row.hasFocus()), 0 if self.hasFocus() else -1)
        self._fill(state)
        if at >= 0:
            self.take_focus(at)

    def take_focus(self, row: int = 0) -> None:
        """Focus to a row; to the page where there is none."""
        rows = self._rows()
        (rows[min(row, len(rows) - 1)] if rows else self).setFocus(Qt.FocusReason.OtherFocusReason)

    def _rows(self) -> list[PersonRow]:
        return [row for row in self.findChildren(PersonRow) if not row.isHidden()]

    def _fill(self, state: IntakeState) -> None:
        words, now = self.kit.words, self.kit.now()
        _empty(self.scrolled.column)
        if not state.parked:
            empty = EmptyState(self.kit.look, "folder", words("parked.none"), words("parked.none_words"))
            empty.setMinimumHeight(420)
            self.scrolled.column.addWidget(empty)
            return
        self.scrolled.column.addWidget(label(words("parked.title", n=len(state.parked)), "page"))
        self.scrolled.column.addWidget(label(words("parked.words"), "quiet", wrap=True))
        for number, one in enumerate(state.parked, 1):
            tail = words("parked.tail", tail=one.id_tail) if one.id_tail else words("parked.no_tail")
            key = str(number) if number <= 9 else ""
            row = PersonRow(self.kit.look, one.name or words("side.nameless"), tail, ago(words, one.saved_at, now), key=key, icon="person")
            row.setToolTip(exact(one.saved_at))
            row.clicked.connect(lambda _=False, which=one.draft_id: self._post(ParkedPicked(which)))
            self.scrolled.column.addWidget(row)
            row.show()   # now, not when the layout gets to it: it may be given the focus at once


class HealthPage(QWidget):
    """One card per device: how it is, and what to do where it is not well."""

    def __init__(self, kit: Kit, post: Post) -> None:
        super().__init__()
        self.kit, self._post = kit, post
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        self.scrolled = ScrolledColumn(kit.look)
        column.addWidget(self.scrolled)
        self._said: object = None
        self._asked, self._at = False, ""
        self._again = ActionButton(kit.look, kit.words("health.again"), "F5", "primary", "refresh")
        self._again.clicked.connect(lambda: post(CheckPressed()))

    def foot_buttons(self) -> tuple[ActionButton, ...]:
        """The one thing that is done here, for the foot of the desk."""
        return (self._again,)

    def show_state(self, state: IntakeState) -> None:
        """Show devices and platform."""
        words = self.kit.words
        platform, tone = platform_words(words, state.courier, self.kit.now())
        if self._asked and not state.checking:   # to the second: where nothing changed, the time shows that it was looked
            self._at = words("health.checked", at=exact_time(self.kit.now()))
        self._asked = state.checking
        self._again.say(words("health.checking" if state.checking else "health.again"))
        said = (state.devices, platform, state.courier.error_code, self._at)
        if said == self._said:
            return
        self._said = said
        _empty(self.scrolled.column)
        self.scrolled.column.addWidget(label(words("health.title"), "page"))
        for one in state.devices:
            good = {"good": "good", "absent": "wait", "other": "wait", "trouble": "stop"}.get(one.state, "quiet")
            title = words(f"lamp.{one.name}") if one.state == "good" else words(f"lamp.{one.name}_{one.state}")
            self.scrolled.column.addWidget(self._card(good, title, one.detail, one.code))
        self.scrolled.column.addWidget(self._card(tone, platform, words("health.platform"), state.courier.error_code))
        if self._at:
            self.scrolled.column.addWidget(label(self._at, "meta"))

    def take_focus(self) -> None:
        """Focus to the one thing that can be done here."""
        self._again.setFocus(Qt.FocusReason.OtherFocusReason)

    def _card(self, tone: str, title: str, detail: str, code: str) -> QWidget:
        card = Card(self.kit.look, tight=True)
        grid = QGridLayout()
        grid.setHorizontalSpacing(self.kit.look.px("two"))
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(1, 1)
        message = say_code(code, self.kit.words.lang) if code else None
        lines = [label(title, "strong", "" if tone in {"good", "quiet"} else tone)]
        if detail:
            lines.append(label(detail, "meta", wrap=True))
        if message is not None:
            lines += [label(joined(message.cause, message.next), wrap=True), label(code, "code")]
        grid.addWidget(Dot(self.kit.look, tone, self.kit.look.px("dot") + 4), 0, 0, Qt.AlignmentFlag.AlignVCenter)
        for place, line in enumerate(lines):
            grid.addWidget(line, place, 1)
        card.body.addLayout(grid)
        return card
