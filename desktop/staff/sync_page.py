"""The sync panel: what moves now, what waits and why, what works offline, what the platform changed. Never sends anything, never says more than is known."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from desktop.flows.intake_state import IntakeState
from desktop.flows.words import PagePicked, SyncPressed
from desktop.staff.kit import Kit, Post
from desktop.staff.panel_words import Headline, ability_rows, headline, list_lines, news_rows, next_words, wait_rows
from desktop.staff.wording import ago, exact, support_words
from desktop.version import program_version
from desktop.widgets.buttons import ActionButton
from desktop.widgets.cards import Card, ScrolledColumn, label
from desktop.widgets.icons import IconLabel
from desktop.widgets.row_card import RowCard
from desktop.widgets.style import set_role

__all__ = ["SyncPage"]

_ONE_COLUMN_FROM = 150
"""Percent of text scale from which the cards stand below each other."""


class NowCard(Card):
    """One sentence, a bar while bytes move, four facts and the code for the help desk."""

    def __init__(self, kit: Kit) -> None:
        super().__init__(kit.look)
        self.kit, look, words = kit, kit.look, kit.words
        self.setAccessibleName(words("sync.title"))
        head = QHBoxLayout()
        head.setSpacing(look.px("two"))
        self._icon = IconLabel(look, "clock", "quiet", look.px("icon_big"))
        head.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        lines = QVBoxLayout()
        lines.setSpacing(2)
        self.title, self.words, self.code = label("", "section", wrap=True), label("", "quiet", wrap=True), label("", "code")
        for part in (self.title, self.words, self.code):
            lines.addWidget(part)
        head.addLayout(lines, 1)
        self.body.addLayout(head)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setRange(0, 1000)
        self._bar.setAccessibleName(words("state.uploading"))
        self.body.addWidget(self._bar)
        facts = QGridLayout()
        facts.setHorizontalSpacing(look.px("six"))
        facts.setVerticalSpacing(2)
        self._facts = {}
        for column, name in enumerate(("last", "next", "waiting", "support")):
            facts.addWidget(label(words(f"sync.fact_{name}"), "meta"), 0, column)
            self._facts[name] = label("", "strong" if name == "support" else "value")
            facts.addWidget(self._facts[name], 1, column)
        self._facts["support"].setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._facts["support"].setToolTip(words("sync.support_words"))
        facts.setColumnStretch(4, 1)
        self.body.addLayout(facts)
        self._version = program_version()

    def show_state(self, state: IntakeState) -> None:
        """Show how things stand."""
        words, courier, now = self.kit.words, state.courier, self.kit.now()
        told: Headline = headline(words, state, now)
        self._icon.show_icon(told.icon, "quiet" if told.tone == "quiet" else f"{told.tone}_text")
        set_role(self.title, tone=told.tone if told.tone in {"wait", "stop", "good"} else "")
        for part, text in ((self.title, told.title), (self.words, told.words), (self.code, told.code)):
            part.setText(text)
            part.setVisible(bool(text))
        self._bar.setVisible(told.share >= 0)
        self._bar.setValue(max(0, told.share))
        none = words("sync.none_yet")
        self._facts["last"].setText(ago(words, courier.last_success, now) if courier.last_success else none)
        self._facts["last"].setToolTip(exact(courier.last_success) if courier.last_success else "")
        self._facts["next"].setText(next_words(words, courier, now))
        self._facts["waiting"].setText(words("sync.waiting_count", n=sum(one.count for one in state.waits)))
        self._facts["support"].setText(support_words(courier, state.waits, self._version, now))


class SyncPage(QWidget):
    """Left what goes on and what waits, right what works without the line and what is new. ``wanted(record_id)``: a record of the news is to be seen."""

    wanted = Signal(str)

    def __init__(self, kit: Kit, post: Post) -> None:
        super().__init__()
        self.kit, self._post, words = kit, post, kit.words
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        self.scrolled = ScrolledColumn(kit.look)
        outer.addWidget(self.scrolled)
        self.scrolled.column.addWidget(label(words("sync.title"), "page"))
        self.now = NowCard(kit)
        self.scrolled.column.addWidget(self.now)
        self.waits = RowCard(kit.look, words("sync.waits"), words("sync.waits_none"))
        self.waits.chosen.connect(lambda page: post(PagePicked(page)))
        self.abilities = RowCard(kit.look, words("sync.abilities"))
        self.abilities.body.setSpacing(kit.look.px("half"))
        self.news = RowCard(kit.look, words("sync.news"), words("sync.news_none"))
        self.news.chosen.connect(self.wanted)
        self.sync = ActionButton(kit.look, words("outbox.sync"), "F5", "primary", "refresh")
        self.sync.clicked.connect(lambda: post(SyncPressed()))
        self._lists = label("", "meta", wrap=True)
        self.scrolled.column.addLayout(self._beside())
        self.scrolled.column.addWidget(self._lists)

    def _beside(self) -> QHBoxLayout:
        look = self.kit.look
        row = QHBoxLayout()
        row.setSpacing(look.px("three"))
        columns = [QVBoxLayout() for _ in range(1 if look.scale >= _ONE_COLUMN_FROM else 2)]
        for column in columns:
            column.setSpacing(look.px("three"))
            row.addLayout(column, 1)
        columns[0].addWidget(self.waits)
        columns[0].addWidget(self.news)
        columns[-1].addWidget(self.abilities)
        for column in columns:
            column.addStretch(1)
        return row

    def foot_buttons(self) -> tuple[ActionButton, ...]:
        """The primary action, for the foot of the desk."""
        return (self.sync,)

    def show_state(self, state: IntakeState) -> None:
        """Show the panel."""
        words, now = self.kit.words, self.kit.now()
        self.now.show_state(state)
        self.sync.say(words("sync.asked" if state.courier.asking else "outbox.sync"))   # never greyed: it keeps the keyboard
        self.waits.show_rows(wait_rows(words, state.waits, state.courier), words("sync.all_people") if state.waits else "")
        self.abilities.show_rows(ability_rows(words, state.courier), lined=False)
        self.news.show_rows(news_rows(words, state, now))
        self._lists.setText(list_lines(words, state, now))
        self._lists.setVisible(bool(self._lists.text()))

    def take_focus(self) -> None:
        """Focus to the one thing that is done here."""
        self.sync.setFocus(Qt.FocusReason.OtherFocusReason)
