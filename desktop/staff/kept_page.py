"""After signing: safely kept, on its way, uploaded with its serial. Never says 已上传 before the checked receipt is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from desktop.flows.review import ReviewState
from desktop.flows.words import PagePicked, ReceiptFacts, ReceiptWanted, ReviewSheet
from desktop.staff.kit import Kit, Post
from desktop.staff.wording import clock_time, exact
from desktop.widgets.banner import Banner
from desktop.widgets.buttons import ActionButton
from desktop.widgets.cards import Card, hairline, label
from desktop.widgets.files import ask_for_pdf
from desktop.widgets.icons import IconLabel
from desktop.widgets.style import set_role

__all__ = ["KeptPage"]

_STEPS = ("kept", "uploading", "receipted")
_UNSIGNED_STEPS = ("kept", "signing", "uploading", "receipted")


class KeptPage(QWidget):
    """One card: the word that is true now, three steps, whose record it is, the facts of the receipt once it is there."""

    def __init__(self, kit: Kit, post: Post) -> None:
        super().__init__()
        self.kit, self._post, look, words = kit, post, kit.look, kit.words
        outer = QVBoxLayout(self)
        outer.addStretch(2)
        row = QHBoxLayout()
        row.addStretch(1)
        self.card = Card(look)
        self.card.setFixedWidth(look.px("side_right") + 264)
        row.addWidget(self.card)
        row.addStretch(1)
        outer.addLayout(row)
        outer.addStretch(3)
        band = self._band = QFrame()
        set_role(band, role="band", tone="good")
        head = QHBoxLayout(band)
        head.setContentsMargins(look.px("four"), look.px("four"), look.px("four"), look.px("four"))
        head.setSpacing(look.px("three"))
        self._icon = IconLabel(look, "check", "good_text", look.px("icon_big") + 16)
        head.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        lines = QVBoxLayout()
        lines.setSpacing(2)
        self._title, self._words = label("", "page", "good", wrap=True), label("", "quiet", wrap=True)
        lines.addWidget(self._title)
        lines.addWidget(self._words)
        head.addLayout(lines, 1)
        self.card.body.addWidget(band)
        self.banner = Banner(look)
        self.card.body.addWidget(self.banner)
        self._steps = QHBoxLayout()
        self._steps.setSpacing(look.px("one"))
        self.card.body.addLayout(self._steps)
        self._line = hairline()
        self.card.body.addWidget(self._line)
        self._facts = QGridLayout()
        self._facts.setHorizontalSpacing(look.px("four"))
        self._facts.setVerticalSpacing(look.px("one"))
        self._facts.setColumnStretch(1, 1)
        self.card.body.addLayout(self._facts)
        self._record = self._serial = ""
        self._print = ActionButton(look, words("kept.print"), "F7", icon="printer")
        self._print.clicked.connect(lambda: post(ReceiptWanted(self._record)))
        self._save = ActionButton(look, words("kept.save"), "Ctrl+S", icon="download")
        self._save.clicked.connect(self._choose)
        self._see = ActionButton(look, words("kept.see"), "Ctrl+R", icon="warning")
        self._see.clicked.connect(lambda: post(PagePicked("returned")))
        self._said: object = None

    def actions(self) -> tuple[ActionButton, ...]:
        """The buttons of the receipt, and of a record that was not taken, for the foot of the window."""
        return self._see, self._save, self._print

    def show_state(self, state: ReviewState) -> None:
        """Show what is true now."""
        words, shown = self.kit.words, state.page in {"kept", "receipt", "kept_unsigned"}
        receipt = state.receipt if state.page == "receipt" else None
        aside = state.page == "kept" and state.record_state == "set_aside"
        for button in self.actions():
            button.setVisible(aside if button is self._see else shown and receipt is not None)
        if not shown or state.kept_at is None:
            return
        self._record, self._serial = state.sheet.record_id if state.sheet else "", receipt.serial if receipt else ""
        unsigned = state.page == "kept_unsigned"
        self._title.setText(words("kept.uploaded" if receipt else "kept.unsigned" if unsigned else "kept.kept"))
        at = clock_time(state.kept_at)
        self._words.setText(words("kept.uploaded_words") if receipt else words("kept.moving_words" if state.record_state in {"uploading", "uploaded"}
                                                                                 else "kept.waiting_words", at=at))
        if unsigned:
            self._words.setText(words("kept.unsigned_words", at=at))
        if aside:
            self._title.setText(words("kept.aside"))
            self._words.setText(words("kept.aside_words"))
        tone = "wait" if aside else "good"
        set_role(self._band, tone=tone)
        set_role(self._title, tone=tone)
        self._icon.show_icon("warning" if aside else "check", f"{tone}_text")
        if state.trouble is not None:
            message = self.kit.say(state.trouble)
            self.banner.show_message(message, "wait", who=words.who(message.who))
        elif state.saved:
            self.banner.show_words("good", words("kept.saved"))
        else:
            self.banner.show_message(None)
        said = (state.record_state, receipt, self._record)
        if said != self._said:
            self._said = said
            self._show_steps(state.record_state)
            self._show_facts(self._of_receipt(receipt) if receipt is not None else self._of_sheet(state.sheet, unsigned or aside))

    def _show_steps(self, record_state: str) -> None:
        while self._steps.count():
            part = self._steps.takeAt(0).widget()
            if part is not None:
                part.hide()
                part.deleteLater()
        reached = {"kept": 0, "uploading": 1, "uploaded": 1, "receipted": 2, "purged": 2, "set_aside": 1}.get(record_state, 0)
        steps = _UNSIGNED_STEPS if record_state == "kept_unsigned" else _STEPS
        for at, name in enumerate(steps):
            done = at < reached or (at == reached and at in {0, 2})
            aside = at == reached and record_state == "set_aside"
            tone = "good" if done else "wait" if aside else "accent" if at == reached else ""
            icon = "check" if done else "warning" if aside else "upload" if at == reached else "clock"
            part = QWidget()
            row = QHBoxLayout(part)
            row.setContentsMargins(0, 0, 0, 0)
            row.setSpacing(self.kit.look.px("half"))
            row.addWidget(IconLabel(self.kit.look, icon, f"{tone}_text" if tone else "faint"))
            row.addWidget(label(self.kit.words(f"kept.step_{name}"), "meta" if not tone else "step", tone))
            if at < len(steps) - 1:
                row.addWidget(IconLabel(self.kit.look, "forward", "faint", self.kit.look.px("icon") - 4))
            self._steps.addWidget(part)
        self._steps.addStretch(1)

    def _of_receipt(self, receipt: ReceiptFacts) -> list[tuple[str, str, str]]:
        return [("serial", receipt.serial, "strong"), ("received", exact(receipt.received_at), "value"),
                *self._whose(receipt.name, receipt.id_tail, receipt.categories, receipt.attachments)]

    def _of_sheet(self, sheet: ReviewSheet | None, still: bool) -> list[tuple[str, str, str]]:
        """The same rows before the receipt, from what was signed: the card stays as it is when the serial comes. ``still``: none comes by itself."""
        record: Mapping[str, Any] = sheet.record if sheet is not None else {}
        person = record.get("sections", {}).get("person", {})
        if not person:
            return []
        words = self.kit.words
        later = [] if still else [("serial", words("kept.serial_later"), "quiet"), ("received", words("kept.received_later"), "quiet")]
        return later + self._whose(person.get("name_zh", ""), person.get("id_doc_no", "")[-4:], record.get("categories", ()),
                                   len(record.get("attachments", ())))

    def _whose(self, name: str, tail: str, categories: Sequence[str], attachments: int | None) -> list[tuple[str, str, str]]:
        words, kit = self.kit.words, self.kit
        named = kit.joined(kit.tables.label("practitioner_categories", code, kit.lang) for code in categories)
        counted = [("attachments", words("kept.count", n=attachments), "value")] if attachments is not None else []
        return [("who", words("kept.who", name=name, tail=tail), "value"), ("categories", named, "value"), *counted]

    def _show_facts(self, rows: Sequence[tuple[str, str, str]]) -> None:
        while self._facts.count():
            part = self._facts.takeAt(0).widget()
            if part is not None:
                part.hide()
                part.deleteLater()
        self._line.setVisible(bool(rows))
        for line, (name, value, role) in enumerate(rows):
            self._facts.addWidget(label(self.kit.words(f"kept.fact_{name}"), "meta"), line, 0, Qt.AlignmentFlag.AlignVCenter)
            self._facts.addWidget(label(value, role, wrap=True), line, 1)

    def _choose(self) -> None:
        ask_for_pdf(self, self.kit.words("kept.save"), self._serial, lambda path: self._post(ReceiptWanted(self._record, path)))
