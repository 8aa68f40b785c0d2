"""The thin band over the list of kept records: how the line is, what moves, last success, next try, what waits, 立即上传. Never sends anything itself."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QProgressBar

from desktop.flows.intake_state import IntakeState
from desktop.flows.words import SyncPressed
from desktop.staff.kit import Kit, Post
from desktop.staff.panel_words import asked_words, next_words
from desktop.staff.wording import ago, exact, platform_words, support_words, waits_words
from desktop.version import program_version
from desktop.widgets.buttons import ActionButton
from desktop.widgets.cards import Card, label
from desktop.widgets.status_dots import Dot

__all__ = ["OutboxBand"]

_NARROW_FROM = 150
"""Percent of text scale from which the support code has a line of its own."""


class OutboxBand(Card):
    """One line while nothing waits; a second one says what does, a bar shows bytes."""

    def __init__(self, kit: Kit, post: Post) -> None:
        super().__init__(kit.look, tight=True)
        self.kit, look, words = kit, kit.look, kit.words
        row = QHBoxLayout()
        row.setSpacing(look.px("two"))
        self._dot = Dot(look)
        self._platform, self._moving = label("", "strong"), label("", "quiet")
        self._waits, self._support = label("", "quiet", wrap=True), label("", "meta")
        self._support.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._sync = ActionButton(look, words("outbox.sync"), "F5", "small", "refresh")
        self._sync.clicked.connect(lambda: post(SyncPressed()))
        for part in (self._dot, self._platform, self._moving):
            row.addWidget(part)
        row.addStretch(1)
        narrow = look.scale >= _NARROW_FROM
        for part in (self._sync,) if narrow else (self._support, self._sync):
            row.addWidget(part)
        self.body.addLayout(row)
        for part in (self._waits, self._support) if narrow else (self._waits,):
            self.body.addWidget(part)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName(words("state.uploading"))
        self._bar.setRange(0, 1000)
        self.body.addWidget(self._bar)
        self._version = program_version()

    def show_state(self, state: IntakeState) -> None:
        """Show how things stand."""
        words, courier, now = self.kit.words, state.courier, self.kit.now()
        said, tone = platform_words(words, courier, now)
        self._platform.setText(said)
        self._dot.show_tone(tone)
        parts: list[str] = []
        if courier.moving:
            parts.append(words("outbox.moving"))
        elif courier.asking:
            parts.append(words("outbox.asking"))
        elif courier.online is False and (tried := asked_words(words, courier, now, "band")):
            parts.append(tried)
        if courier.last_success:
            parts.append(words("outbox.last", at=ago(words, courier.last_success, now)))
        if courier.next_try_at and not courier.moving:
            parts.append(words("outbox.next", at=next_words(words, courier, now)))
        self._moving.setText(" · ".join(parts))
        self._moving.setToolTip(exact(courier.last_success) if courier.last_success else "")
        self._sync.say(words("sync.asked" if courier.asking else "outbox.sync"))
        self._waits.setText(waits_words(words, state.waits))
        self._waits.setVisible(bool(self._waits.text()))
        self._support.setText(words("outbox.support", code=support_words(courier, state.waits, self._version, now)))
        self._bar.setVisible(bool(courier.moving and courier.total))
        self._bar.setValue(courier.done * 1000 // courier.total if courier.total else 0)
