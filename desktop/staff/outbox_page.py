"""Where each kept record is and why it waits, in words; returned ones first. Never sends anything itself."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QProgressBar, QStackedWidget, QVBoxLayout, QWidget

from desktop.flows.intake_state import IntakeState
from desktop.flows.words import OlderPressed, OutboxFacts, ReceiptWanted, RecordPicked, RetryPressed, SyncPressed
from desktop.flows.words.day import ExportTold, ExportWanted, RepairPressed
from desktop.messages import say_code
from desktop.staff.kit import Kit, Post
from desktop.staff.wording import ago, clock_time, exact, platform_words, record_place, support_words, waits_words
from desktop.version import program_version
from desktop.widgets.banner import joined
from desktop.widgets.buttons import ActionButton
from desktop.widgets.cards import Card, EmptyState, label
from desktop.widgets.files import ask_for_pdf, ask_for_zip
from desktop.widgets.outbox_table import OutboxLine, OutboxTable
from desktop.widgets.status_dots import Dot

__all__ = ["OutboxPage"]


class OutboxPage(QWidget):
    """A thin band (what moves, last success, next try, 立即同步) over a table; the chosen record in words below."""

    def __init__(self, kit: Kit, post: Post) -> None:
        super().__init__()
        self.kit, self._post, look, words = kit, post, kit.look, kit.words
        column = QVBoxLayout(self)
        edge = look.px("six")
        column.setContentsMargins(edge, look.px("four"), edge, look.px("four"))
        column.setSpacing(look.px("three"))
        head = QHBoxLayout()
        self._title = label("", "page")
        head.addWidget(self._title)
        head.addStretch(1)
        self.search = QLineEdit()
        self.search.setFixedWidth(look.px("side_left"))
        self.search.setAccessibleName(words("outbox.search"))
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(lambda _text: self._show_rows())
        self._search_label = label(words("outbox.search"), "meta")
        self._search_label.setBuddy(self.search)
        head.addWidget(self._search_label)
        head.addWidget(self.search)
        column.addLayout(head)
        column.addWidget(self._band())
        self._stack = QStackedWidget()
        column.addWidget(self._stack, 1)
        self._empty = EmptyState(look, "outbox", "", "")
        self._stack.addWidget(self._empty)
        card = Card(look)
        card.body.setContentsMargins(0, 0, 0, 0)
        self.table = OutboxTable(look, [words(f"outbox.head_{name}") for name in ("who", "what", "where", "why", "when")], words("outbox.title"))
        self.table.chosen.connect(lambda record_id: post(RecordPicked(record_id)) if record_id else None)
        card.body.addWidget(self.table)
        self._older = ActionButton(look, words("outbox.older"), "", "small")
        self._older.clicked.connect(lambda: post(OlderPressed()))
        card.body.addWidget(self._older, 0, Qt.AlignmentFlag.AlignHCenter)
        self._stack.addWidget(card)
        column.addWidget(self._told())
        column.addWidget(self._below())
        self._version = program_version()
        self._state: IntakeState | None = None
        self._said: object = None

    def _band(self) -> QWidget:
        look, words = self.kit.look, self.kit.words
        card = Card(look, tight=True)
        row = QHBoxLayout()
        row.setSpacing(look.px("two"))
        self._dot = Dot(look)
        row.addWidget(self._dot)
        self._platform = label("", "strong")
        self._moving = label("", "quiet")
        row.addWidget(self._platform)
        row.addWidget(self._moving)
        row.addStretch(1)
        self._sync = ActionButton(look, words("outbox.sync"), "F5", "small", "refresh")
        self._sync.clicked.connect(lambda: self._post(SyncPressed()))
        row.addWidget(self._sync)
        card.body.addLayout(row)
        below = QHBoxLayout()
        self._waits, self._support = label("", "quiet", wrap=True), label("", "meta")
        self._support.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        below.addWidget(self._waits, 1)
        below.addWidget(self._support, 0, Qt.AlignmentFlag.AlignRight)
        card.body.addLayout(below)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName(words("state.uploading"))
        card.body.addWidget(self._bar)
        return card

    def _below(self) -> QWidget:
        look, words = self.kit.look, self.kit.words
        self._detail = Card(look, tight=True)
        row = QHBoxLayout()
        row.setSpacing(look.px("two"))
        lines = QVBoxLayout()
        lines.setSpacing(2)
        self._who, self._why = label("", "strong"), label("", "quiet", wrap=True)
        lines.addWidget(self._who)
        lines.addWidget(self._why)
        row.addLayout(lines, 1)
        self._print = ActionButton(look, words("kept.print"), "F7", "small", "printer")
        self._print.clicked.connect(lambda: self._post(ReceiptWanted(self.table.current())))
        self._save = ActionButton(look, words("kept.save"), "Ctrl+S", "small", "download")
        self._save.clicked.connect(self._choose)
        self._retry = ActionButton(look, words("outbox.retry"), "Alt+R", "small", "refresh")
        self._retry.clicked.connect(lambda: self._post(RetryPressed()))
        self._repair = ActionButton(look, words("outbox.repair"), "Alt+E", "small", "pencil")
        self._repair.clicked.connect(lambda: self._post(RepairPressed()))
        self._export = ActionButton(look, words("outbox.export"), "Alt+X", "small", "folder")
        self._export.clicked.connect(self._choose_medium)
        for button in (self._export, self._repair, self._retry, self._save, self._print):
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignVCenter)
        self._detail.body.addLayout(row)
        return self._detail

    def _told(self) -> QWidget:
        """Where an export went, and the code that must be written down; it stays until a person says so."""
        look, words = self.kit.look, self.kit.words
        self._exported = Card(look, tight=True)
        row = QHBoxLayout()
        row.setSpacing(look.px("two"))
        lines = QVBoxLayout()
        lines.setSpacing(2)
        self._went, self._code, self._code_words = label("", "strong", wrap=True), label("", "page"), label("", "quiet", wrap=True)
        self._code.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        for part in (self._went, self._code, self._code_words):
            lines.addWidget(part)
        row.addLayout(lines, 1)
        self._written = ActionButton(look, words("outbox.written"), "Alt+W", "small", "check")
        self._written.clicked.connect(lambda: self._post(ExportTold()))
        row.addWidget(self._written, 0, Qt.AlignmentFlag.AlignVCenter)
        self._exported.body.addLayout(row)
        return self._exported

    def show_state(self, state: IntakeState) -> None:
        """Show table, band and the chosen record."""
        before, self._state = self._state, state
        words, courier, now = self.kit.words, state.courier, self.kit.now()
        self._title.setText(words("outbox.title_returned" if state.page == "returned" else "outbox.title"))
        said, tone = platform_words(words, courier, now)
        self._platform.setText(said)
        self._dot.show_tone(tone)
        parts = []
        if courier.asking and not courier.moving:
            parts.append(words("outbox.asking"))
        if courier.moving:
            parts.append(words("outbox.moving"))
        if courier.last_success:
            parts.append(words("outbox.last", at=ago(words, courier.last_success, now)))
        if courier.next_try_at and not courier.moving:
            parts.append(words("outbox.next", at=clock_time(courier.next_try_at)))
        self._moving.setText(" · ".join(parts))
        self._moving.setToolTip(exact(courier.last_success) if courier.last_success else "")
        self._sync.setEnabled(not courier.asking)
        self._waits.setText(waits_words(words, state.waits))
        self._waits.setVisible(bool(self._waits.text()))
        self._support.setText(words("outbox.support", code=support_words(courier, state.waits, self._version, now)))
        self._older.setVisible(state.outbox_more and state.page == "outbox")
        self._bar.setVisible(bool(courier.moving and courier.total))
        self._bar.setRange(0, 1000)
        self._bar.setValue(courier.done * 1000 // courier.total if courier.total else 0)
        if before is None or (before.page, before.outbox, before.courier) != (state.page, state.outbox, state.courier) or not self.table.model().rowCount():
            self._show_rows()
        self._show_detail(state)
        done = state.exported
        self._exported.setVisible(done is not None)
        if done is not None:
            self._went.setText(words("outbox.exported", place=Path(done.path).name))
            self._code.setText(done.code)
            self._code.setVisible(bool(done.code))
            self._code_words.setText(words("outbox.export_code" if done.code else "outbox.export_province"))

    def _show_rows(self) -> None:
        state = self._state
        if state is None:
            return
        rows = [one for one in state.outbox if state.page != "returned" or one.returned or one.state == "set_aside"]
        wanted = self.search.text().strip()
        rows = [one for one in rows if not wanted or wanted in one.name or wanted in one.id_tail or wanted.lower() in one.serial.lower()]
        rows.sort(key=lambda one: (0 if one.returned else 1 if one.state == "set_aside" else 2, -one.kept_at.timestamp()))
        self.table.show_lines([self._line(one, state) for one in rows])
        self._stack.setCurrentIndex(1 if rows else 0)
        if not rows and wanted and state.outbox_more and state.page == "outbox":
            self._post(OlderPressed())  # the search goes on in what is not shown yet
        if not rows:
            key = "none_found" if wanted else "none_returned" if state.page == "returned" else "none"
            self._empty.title.setText(self.kit.words(f"outbox.{key}"))
            self._empty.words.setText(self.kit.words(f"outbox.{key}_words"))

    def _line(self, row: OutboxFacts, state: IntakeState) -> OutboxLine:
        words, now = self.kit.words, self.kit.now()
        where, why, tone = record_place(words, row, state.courier, now)
        what = self.kit.joined(self.kit.tables.label("practitioner_categories", code, self.kit.lang) for code in row.categories)
        return OutboxLine(row.record_id, words("kept.who", name=row.name, tail=row.id_tail), what, where, why, ago(words, row.kept_at, now),
                          exact(row.kept_at), tone)

    def _show_detail(self, state: IntakeState) -> None:
        row = next((one for one in state.outbox if one.record_id == self.table.current()), None)
        self._detail.setVisible(row is not None)
        if row is None:
            return
        words = self.kit.words
        where, why, _tone = record_place(words, row, state.courier, self.kit.now())
        self._who.setText(f"{words('kept.who', name=row.name, tail=row.id_tail)} · {where}")
        came_back = "forgotten" if row.state == "purged" else "returned"
        advice = f"outbox.advice_{'amended' if row.amended_by else came_back if row.returned else row.state}"
        message = say_code(row.error_code, words.lang, {"why": row.refusal}) if row.state == "set_aside" and row.error_code else None
        cause = message.cause if message is not None and row.refusal else ""
        code = "" if message is None else f"[{message.code}]" if row.refusal in ("", message.code) else f"[{message.code} · {row.refusal}]"
        do = (message.next + words.who(message.who), code) if message is not None else ("", "")
        first = why + ("。" if why and self.kit.lang == "zh" else "." if why else "")
        self._why.setText(joined(first, cause, *do[:1], words(advice) if words.has(advice) else "",
                                 words("outbox.amends", id=row.amends[:8]) if row.amends else "", *do[1:]))
        self._why.setVisible(bool(self._why.text()))
        for button in (self._print, self._save):
            button.setVisible(bool(row.serial))
        self._retry.setVisible(row.state == "set_aside")
        self._repair.setVisible(row.may_open)
        self._repair.setEnabled(not state.repairing)
        self._repair.say(words("outbox.repairing" if state.repairing == row.record_id else "outbox.correct" if row.returned else "outbox.repair"))
        self._export.setVisible(not row.serial and row.state not in {"receipted", "replaced", "purged"})
        self._export.say(words("outbox.exporting" if state.exporting == row.record_id else "outbox.export"))

    def pick(self, record_id: str) -> None:
        """Make this record the current line, whatever was looked for before."""
        self.search.clear()
        self.table.pick(record_id)
        self.take_focus()

    def take_focus(self) -> None:
        """Focus to the list, to the search where it is empty."""
        (self.table if self.table.isVisibleTo(self) else self.search).setFocus(Qt.FocusReason.OtherFocusReason)

    def _choose_medium(self) -> None:
        record_id = self.table.current()
        ask_for_zip(self, self.kit.words("outbox.export"), f"{self.kit.words('outbox.export_file')}-{record_id[:8]}",
                    lambda path: self._post(ExportWanted(record_id, path)))

    def _choose(self) -> None:
        row = next((one for one in self._state.outbox if one.record_id == self.table.current()), None) if self._state is not None else None
        if row is not None:
            ask_for_pdf(self, self.kit.words("kept.save"), row.serial, lambda path: self._post(ReceiptWanted(row.record_id, path)))
