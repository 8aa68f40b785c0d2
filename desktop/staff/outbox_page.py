"""Where each kept record is and why it waits, in words; returned ones first. Never sends anything itself."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from desktop.flows.intake_state import IntakeState
from desktop.flows.words import OlderPressed, OutboxFacts, ReceiptWanted, RecordPicked, RetryPressed
from desktop.flows.words.day import ExportTold, ExportWanted, RepairPressed
from desktop.messages import say_code
from desktop.staff.kit import Kit, Post
from desktop.staff.outbox_band import OutboxBand
from desktop.staff.wording import ago, exact, record_place
from desktop.widgets.banner import joined
from desktop.widgets.buttons import ActionButton
from desktop.widgets.cards import Card, EmptyState, ScrolledColumn, label
from desktop.widgets.files import ask_for_pdf, ask_for_zip
from desktop.widgets.outbox_table import OutboxLine, OutboxTable

__all__ = ["OutboxPage"]


def _say(part: QLabel, words: str) -> None:
    part.setText(words)
    part.setVisible(bool(words))


class OutboxPage(QWidget):
    """A thin band over a table; the chosen record in words below."""

    def __init__(self, kit: Kit, post: Post) -> None:
        super().__init__()
        self.kit, self._post, look, words = kit, post, kit.look, kit.words
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        area = ScrolledColumn(look)   # with large text it is all higher than the window, and nothing of it may be cut
        outer.addWidget(area)
        column = area.column
        column.setAlignment(Qt.AlignmentFlag(0))
        edge = look.px("six")
        column.setContentsMargins(edge, look.px("four"), edge, look.px("four"))
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
        self._band = OutboxBand(kit, post)
        column.addWidget(self._band)
        self._empty = EmptyState(look, "outbox", "", "")
        column.addWidget(self._empty, 1)
        self._listed = Card(look, tight=True)
        self.table = OutboxTable(look, [words(f"outbox.head_{name}") for name in ("who", "what", "where", "why", "when")], words("outbox.title"))
        self.table.chosen.connect(lambda record_id: post(RecordPicked(record_id)) if record_id else None)
        self._listed.body.addWidget(self.table)
        self._older = ActionButton(look, words("outbox.older"), "Alt+O", "small")
        self._older.clicked.connect(lambda: post(OlderPressed()))
        self._listed.body.addWidget(self._older, 0, Qt.AlignmentFlag.AlignHCenter)
        for part, stretch in ((self._listed, 1), (self._told(), 0), (self._below(), 0)):
            column.addWidget(part, stretch)
        column.addStretch(0)
        self._state: IntakeState | None = None

    def _below(self) -> QWidget:
        look, words = self.kit.look, self.kit.words
        self._detail = Card(look, tight=True)
        row = QHBoxLayout()
        row.setSpacing(look.px("two"))
        lines = QVBoxLayout()
        lines.setSpacing(2)
        self._who, self._why, self._code_small = label("", "strong"), label("", "quiet", wrap=True), label("", "code")
        for part in (self._who, self._why, self._code_small):
            lines.addWidget(part)
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
        words = self.kit.words
        self._title.setText(words("outbox.title_returned" if state.page == "returned" else "outbox.title"))
        self._band.show_state(state)
        self._older.setVisible(state.outbox_more and state.page == "outbox")
        if before is None or (before.page, before.outbox, before.courier) != (state.page, state.outbox, state.courier) or not self.table.model().rowCount():
            self._show_rows()
        self._show_detail(state)
        done = state.exported
        self._exported.setVisible(done is not None)
        if done is not None:
            self._went.setText(words("outbox.exported", place=Path(done.path).name))
            _say(self._code, done.code)
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
        self._empty.setVisible(not rows)
        self._listed.setVisible(bool(rows))
        self.table.fit(self._listed)
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
        do = joined(message.next, words.who(message.who)) if message is not None else ""
        said = words(advice) if words.has(advice) else ""
        if do:   # its own remedy is the better one: both together contradict or repeat each other
            said = words("outbox.safe_set_aside")
        stop = "。" if why and self.kit.lang == "zh" else "." if why else ""
        _say(self._why, joined(why + stop, cause, said, do, words("outbox.amends", id=row.amends[:8]) if row.amends else ""))
        _say(self._code_small, " · ".join(dict.fromkeys(part for part in (row.error_code, row.refusal) if part)) if row.state == "set_aside" else "")
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
