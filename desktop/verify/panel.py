"""The verdict: a band that answers "may I use it", the signed facts large, the question about the paper, the evidence. Never judges and never asks anybody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from desktop.flows.verify import COMPARED, VerifyState, inert_words
from desktop.flows.words_verify import Answered
from desktop.hall_time import at_hall
from desktop.messages import Words
from desktop.widgets.buttons import ActionButton
from desktop.widgets.cards import hairline, label
from desktop.widgets.icons import IconLabel
from desktop.widgets.style import Look, set_role
from sync.sheet import PlatformNow, SheetFacts, Verdict
from sync.tables import Tables

__all__ = ["FactRow", "VerdictPanel", "age_words", "fact_rows", "verdict_sheet", "verdict_words"]

BANDS = {"green": ("good", "check"), "amber": ("wait", "clock"), "red": ("stop", "warning"), "grey": ("quiet", "help")}
"""Colour of a verdict -> tone of the look and icon: never colour alone."""


@dataclass(frozen=True, slots=True)
class FactRow:
    """One line of the table: what the code says, and what the platform says now (empty where it was not asked)."""

    label: str
    signed: str
    now: str = ""
    differs: bool = False


def age_words(words: Words, then: datetime | None, now: datetime) -> str:
    """3 分钟前; empty for an unknown time."""
    if then is None:
        return ""
    minutes = max(int((now - then).total_seconds() // 60), 0)
    if minutes < 1:
        return words("verify.age.now")
    if minutes < 60:
        return words("verify.age.minutes", n=minutes)
    return words("verify.age.hours", n=minutes // 60) if minutes < 48 * 60 else words("verify.age.days", n=minutes // 1440)


def verdict_words(state: VerifyState, words: Words) -> tuple[str, str]:
    """Headline and sentence of what is on screen."""
    verdict = state.verdict
    assert verdict is not None
    evidence, base = verdict.evidence, f"verify.verdict.{verdict.kind}"
    if state.answer is False and verdict.kind in ("valid", "valid_unchecked"):
        return words("verify.verdict.differs.title"), words("verify.verdict.differs.words")
    title, line = words(f"{base}.title"), words(f"{base}.words")
    match verdict.kind:
        case "valid_unchecked" if evidence.status_as_of is not None and state.at is not None and evidence.why == "list":
            line = words(f"{base}.words_list", age=age_words(words, evidence.status_as_of, state.at))
        case "superseded" if evidence.why == "facts_differ":
            more = (verdict.now.bad or 0) - (verdict.facts.bad or 0) if verdict.now is not None and verdict.facts is not None else 0
            title = words(f"{base}.title_bad", n=more) if more > 0 else words(f"{base}.title_differ")
        case "revoked" if evidence.why == "key_revoked":
            title = words(f"{base}.title_key")
        case "not_ours" if inert := inert_words(state.code):
            line = words(f"{base}.words_host", words=inert)
        case "practice_mix" if state.facts.practice:
            title, line = words(f"{base}.title_practice"), words(f"{base}.words_practice")
        case _:
            pass
    return title, line


def fact_rows(verdict: Verdict, words: Words, tables: Tables) -> tuple[FactRow, ...]:
    """The lines of the table; only what the verdict carries (failed ones carry nothing personal)."""
    facts, now = verdict.facts, verdict.now
    if facts is None:
        return ()
    rows: list[FactRow] = []

    def add(key: str, signed: str | None, there: str | None = None, compare: bool = True) -> None:
        if signed is None:
            return
        said, differs = "", False
        if now is not None and compare:
            differs = there is not None and there != signed
            said = words("verify.not_told") if there is None else words("verify.differs_now", value=there) if differs else words("verify.agrees")
        rows.append(FactRow(words(f"verify.field.{key}"), signed, said, differs))

    def count(number: int | None) -> str | None:
        return None if number is None else words("verify.count", n=number)

    person = facts.kind == 1
    add("name" if person else "enterprise", facts.name, now.name if now else None)
    add("masked" if person else "code", facts.masked, now.masked if now else None)
    add("employer", facts.employer, now.employer if now else None)
    lang = "en" if words.lang == "en" else "zh"
    add("categories", "、".join(tables.label("practitioner_categories", str(each), lang) for each in facts.categories) or None, compare=False)
    add("good", count(facts.good), count(now.good) if now else None)
    add("bad", count(facts.bad), count(now.bad) if now else None)
    rows.extend(_dates(facts, now, words))
    return tuple(rows)


def _dates(facts: SheetFacts, now: PlatformNow | None, words: Words) -> list[FactRow]:
    newer = now.newer if now is not None and now.newer else ""
    return [
        FactRow(words("verify.field.issued"), words("verify.dates", issued=facts.issued.isoformat(), until=facts.valid_until.isoformat())),
        FactRow(words("verify.field.number"), facts.number, words("verify.differs_now", value=newer) if newer else "", bool(newer)),
    ]


class VerdictPanel(QWidget):
    """Shows the verdict of a state. ``post`` takes the answers Y and N."""

    def __init__(self, look: Look, words: Words, post: Callable[[Any], None], tables: Tables) -> None:
        super().__init__()
        self.look, self.words, self._tables = look, words, tables
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._make_band())
        self._table = QGridLayout()
        edge = look.px("six")
        self._table.setContentsMargins(edge, look.px("one"), edge, 0)
        self._table.setHorizontalSpacing(look.px("four"))
        self._table.setVerticalSpacing(0)
        self._table.setColumnMinimumWidth(0, look.type("body") * 6)
        self._table.setColumnStretch(1, 3)
        self._table.setColumnStretch(2, 3)
        column.addLayout(self._table)
        self._ask = QWidget()
        row = QHBoxLayout(self._ask)
        row.setContentsMargins(edge, look.px("three"), edge, 0)
        row.setSpacing(look.px("one"))
        self.question = label("", "strong")
        self.same = ActionButton(look, words("verify.same"), key="Y")
        self.differs = ActionButton(look, words("verify.differs"), key="N")
        self.same.clicked.connect(lambda: post(Answered(True)))
        self.differs.clicked.connect(lambda: post(Answered(False)))
        for each in (self.question, self.same, self.differs):
            row.addWidget(each)
        row.addStretch(1)
        column.addWidget(self._ask)
        column.addStretch(1)
        self.evidence = label("", "meta", wrap=True)
        self.evidence.setContentsMargins(edge, look.px("two"), edge, look.px("three"))
        column.addWidget(self.evidence)

    def _make_band(self) -> QFrame:
        self.band = QFrame()
        set_role(self.band, role="band", tone="quiet")
        row = QHBoxLayout(self.band)
        edge = self.look.px("six")
        row.setContentsMargins(edge, self.look.px("four"), edge, self.look.px("four"))
        row.setSpacing(edge)
        self._icon = IconLabel(self.look, "help", "quiet", self.look.type("page") * 2)
        self.title, self.line = label("", "verdict", wrap=True), label("", "", wrap=True)
        column = QVBoxLayout()
        column.setSpacing(2)
        column.addWidget(self.title)
        column.addWidget(self.line)
        row.addWidget(self._icon)
        row.addLayout(column, 1)
        return self.band

    def show_state(self, state: VerifyState) -> None:
        """Show the verdict; nothing while there is none."""
        verdict = state.verdict
        self.setVisible(verdict is not None)
        if verdict is None:
            self._clear()
            return
        tone, icon = BANDS["red" if state.answer is False else verdict.colour]
        title, line = verdict_words(state, self.words)
        strong = "" if tone == "quiet" else tone
        set_role(self.band, tone=tone)
        self._icon.show_icon(icon, "quiet" if tone == "quiet" else f"{tone}_text")
        for part, said in ((self.title, title), (self.line, line)):
            part.setText(said)
            set_role(part, tone=strong)
        if state.asking:
            self.line.setText(f"{line} · {self.words('verify.asking')}")
        self.band.setAccessibleName(title)
        self._show_table(fact_rows(verdict, self.words, self._tables), verdict.now is not None)
        self._show_question(state, verdict)
        self.evidence.setText(self._evidence(state, verdict))

    def _clear(self) -> None:
        while (item := self._table.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()

    def _show_table(self, rows: tuple[FactRow, ...], asked: bool) -> None:
        self._clear()
        if rows and asked:
            self._table.addWidget(self._cell(self.words("verify.column_code"), "meta"), 0, 1)
            self._table.addWidget(self._cell(self.words("verify.column_now"), "meta"), 0, 2)
        for index, row in enumerate(rows, 1):
            line = index * 2
            self._table.addWidget(hairline(), line - 1, 0, 1, 3)
            self._table.addWidget(self._cell(row.label, "quiet"), line, 0)
            self._table.addWidget(self._cell(row.signed, "fact"), line, 1, 1, 1 if asked else 2)
            if asked:
                self._table.addWidget(self._cell(row.now, "pill-fact" if row.differs else "", "wait" if row.differs else ""), line, 2)
        if rows:
            self._table.addWidget(hairline(), len(rows) * 2 + 1, 0, 1, 3)

    def _cell(self, said: str, role: str, tone: str = "") -> QWidget:
        made = label(said, role, tone, wrap=True)
        made.setMinimumHeight(self.look.px("row"))
        made.setAlignment(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft)
        return made

    def _show_question(self, state: VerifyState, verdict: Verdict) -> None:
        asked = verdict.kind in COMPARED and verdict.facts is not None
        self._ask.setVisible(asked)
        key = {None: "question" if verdict.now is not None else "question_plain", True: "answered_same", False: "answered_differs"}[state.answer]
        self.question.setText(self.words(f"verify.{key}"))
        set_role(self.question, tone={None: "", True: "good", False: "stop"}[state.answer])
        self.same.setVisible(state.answer is not True)
        self.differs.setVisible(state.answer is not False)

    def _evidence(self, state: VerifyState, verdict: Verdict) -> str:
        words, evidence = self.words, verdict.evidence
        at = state.at or datetime.now(UTC)
        parts: list[str] = []
        if evidence.key_state and state.facts.province:
            parts.append(words("verify.evidence.by", name=state.facts.province))
        if evidence.kid:
            parts.append(words("verify.evidence.kid", kid=evidence.kid[:8]) + (words("verify.evidence.retired") if evidence.key_state == "retired" else ""))
        if evidence.asked_at is not None:
            parts.append(words("verify.evidence.asked", time=at_hall(evidence.asked_at).strftime("%H:%M:%S")))
        elif evidence.kid:
            parts.append(words("verify.evidence.not_asked"))
        if evidence.status_as_of is not None:
            parts.append(words("verify.evidence.list", age=age_words(words, evidence.status_as_of, at)))
        if evidence.keys_as_of is not None:
            parts.append(words("verify.evidence.keys", age=age_words(words, evidence.keys_as_of, at)))
        parts.append(words("verify.evidence.code", digest=evidence.code_digest.removeprefix("sha256:")[:8]))
        return " · ".join(parts)


def verdict_sheet(look: Look) -> str:
    """The bands, and facts large enough to compare with paper at arm's length."""
    bands = "".join(
        f'QFrame[role="band"][tone="{tone}"] {{ background: {look.name(look.tone(tone)[2])}; border-bottom: 1px solid {look.name("hairline")}; '
        f"border-top-left-radius: {look.px('card')}px; border-top-right-radius: {look.px('card')}px; }}\n"
        for tone in ("good", "wait", "stop", "quiet")
    )
    return f"""
{bands}
QLabel[role="fact"] {{ font-size: {look.type("section")}px; font-weight: 600; }}
QLabel[role="pill-fact"] {{ background: {look.name("wait_soft")}; color: {look.name("wait_text")}; border-radius: {look.px("small")}px; padding: 0 8px; }}
"""
