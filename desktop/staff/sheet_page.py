"""The reconciliation sheet of a day: captured = signed = sent = acknowledged, every difference by its record. Never counts anything itself."""

from __future__ import annotations

from datetime import date, timedelta

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QStackedWidget, QVBoxLayout, QWidget

from desktop.flows.intake_state import IntakeState
from desktop.flows.words.day import DayPicked, SheetFacts, SheetLine, SheetWanted
from desktop.staff.kit import Kit, Post
from desktop.staff.wording import ago, clock_time, exact, reason_words
from desktop.widgets.banner import Banner
from desktop.widgets.buttons import ActionButton
from desktop.widgets.cards import Card, EmptyState, label
from desktop.widgets.files import ask_for_pdf
from desktop.widgets.outbox_table import OutboxLine, OutboxTable
from desktop.widgets.style import set_role

__all__ = ["SheetPage", "sheet_verdict"]

_TONES = {"alarm": "stop", "person": "stop", "waits": "wait", "settled": "quiet"}
_COUNTS = ("captured", "signed", "sent", "acknowledged")


def sheet_verdict(kit: Kit, facts: SheetFacts) -> tuple[str, str, str]:
    """(tone, title, words): may the day be closed, before why."""
    words, sheet = kit.words, facts.sheet
    found = [one.difference for one in (*facts.lines, *facts.earlier)]
    grave = sum(one.weight == "alarm" for one in found)
    person = sum(one.weight == "person" for one in found)
    if grave:
        return "stop", words("sheet.alarm", n=grave), words("sheet.alarm_words")
    if person:
        return "stop", words("sheet.person", n=person), words("sheet.person_words")
    if found:
        return "wait", words("sheet.waits", n=len(found)), words("sheet.waits_words")
    if not sheet.captured:
        return "quiet", words("sheet.empty"), words("sheet.empty_words")
    return "good", words("sheet.balanced"), words("sheet.balanced_words")


class CountRow(Card):
    """Four numbers with = or ≠ between them."""

    def __init__(self, kit: Kit) -> None:
        super().__init__(kit.look)
        self.kit = kit
        row = QHBoxLayout()
        row.setSpacing(kit.look.px("three"))
        self._numbers: dict[str, QLabel] = {}
        self._signs: list[QLabel] = []
        for at, name in enumerate(_COUNTS):
            if at:
                sign = label("=", "page")
                self._signs.append(sign)
                row.addWidget(sign, 0, Qt.AlignmentFlag.AlignVCenter)
            column = QVBoxLayout()
            column.setSpacing(0)
            self._numbers[name] = label("", "verdict")
            for part, place in ((self._numbers[name], "number"), (label(kit.words(f"sheet.{name}"), "meta"), "name")):
                part.setAlignment(Qt.AlignmentFlag.AlignHCenter)
                part.setObjectName(place)
                column.addWidget(part)
            row.addLayout(column, 1)
        self.body.addLayout(row)
        self._note = label("", "meta", wrap=True)
        self.body.addWidget(self._note)

    def show_facts(self, facts: SheetFacts) -> None:
        """Show the four numbers."""
        words, sheet = self.kit.words, facts.sheet
        counts = [getattr(sheet, name) for name in _COUNTS]
        for name, count in zip(_COUNTS, counts, strict=True):
            self._numbers[name].setText(str(count))
            set_role(self._numbers[name], tone="" if count == counts[0] else "wait")
        for sign, before, after in zip(self._signs, counts[:-1], counts[1:], strict=True):
            sign.setText("=" if before == after else "≠")
            set_role(sign, tone="good" if before == after else "wait")
        parts = [words("sheet.receipts", n=sheet.acknowledged_that_day)]
        if sheet.carried_in:
            parts.append(words("sheet.carried", n=sheet.carried_in))
        parts.append(words("sheet.made_at", at=clock_time(facts.at)))
        self._note.setText(" · ".join(parts))
        self._note.setToolTip(exact(facts.at))
        self.setAccessibleName(words("sheet.title"))
        self.setAccessibleDescription(", ".join(f"{words(f'sheet.{name}')} {count}" for name, count in zip(_COUNTS, counts, strict=True)))


class SheetPage(QWidget):
    """Day, verdict, numbers, differences. ``wanted(record_id)`` on Enter: that record is to be seen."""

    wanted = Signal(str)

    def __init__(self, kit: Kit, post: Post) -> None:
        super().__init__()
        self.kit, self._post, look, words = kit, post, kit.look, kit.words
        column = QVBoxLayout(self)
        edge = look.px("six")
        column.setContentsMargins(edge, look.px("four"), edge, look.px("four"))
        column.setSpacing(look.px("three"))
        column.addLayout(self._head())
        self._stack = QStackedWidget()
        column.addWidget(self._stack, 1)
        self._making = self._making_page()
        self._failed = EmptyState(look, "warning", words("sheet.failed"), words("sheet.failed_words"))
        self._shown = QWidget()
        inner = QVBoxLayout(self._shown)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(look.px("three"))
        self.verdict, self.counts = Banner(look), CountRow(kit)
        inner.addWidget(self.verdict)
        inner.addWidget(self.counts)
        self._card = Card(look)
        self.table = OutboxTable(look, [words(f"sheet.head_{name}") for name in ("who", "day", "what", "why", "when")], words("sheet.differences"))
        self.table.opened.connect(self._open)
        self._card.body.addWidget(self.table)
        inner.addWidget(self._card, 1)
        inner.addStretch(0)
        for page in (self._making, self._failed, self._shown):
            self._stack.addWidget(page)
        self._save = ActionButton(look, words("sheet.save"), "Ctrl+S", icon="download")
        self._save.clicked.connect(self._choose)
        self._print = ActionButton(look, words("sheet.print"), "F7", "primary", "printer")
        self._print.clicked.connect(lambda: post(SheetWanted()))
        self._facts: SheetFacts | None = None
        self._own: frozenset[str] = frozenset()

    def _head(self) -> QHBoxLayout:
        look, words = self.kit.look, self.kit.words
        head = QHBoxLayout()
        head.setSpacing(look.px("one"))
        head.addWidget(label(words("sheet.title"), "page"))
        head.addStretch(1)
        self._before = ActionButton(look, words("sheet.before"), "Alt+Left", "small", "back")
        self._day = label("", "section")
        self._after = ActionButton(look, words("sheet.after"), "Alt+Right", "small", "forward")
        self._again = ActionButton(look, words("sheet.again"), "F5", "small", "refresh")
        self._before.clicked.connect(lambda: self._turn(-1))
        self._after.clicked.connect(lambda: self._turn(1))
        self._again.clicked.connect(lambda: self._post(DayPicked(again=True)))
        for part in (self._before, self._day, self._after, self._again):
            head.addWidget(part, 0, Qt.AlignmentFlag.AlignVCenter)
        return head

    def _making_page(self) -> EmptyState:
        look, words = self.kit.look, self.kit.words
        page = EmptyState(look, "list", words("sheet.making"), words("sheet.making_words"))
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(look.px("side_right"))
        self._bar.setAccessibleName(words("sheet.making"))
        page.below.addWidget(self._bar, 0, Qt.AlignmentFlag.AlignHCenter)
        return page

    def foot_buttons(self) -> tuple[ActionButton, ...]:
        """The two ways onto paper, for the foot of the desk: PDF, and print as the primary one."""
        return self._save, self._print

    def show_state(self, state: IntakeState) -> None:
        """Show the sheet, or how far it is."""
        sheet = state.sheet
        facts = self._facts = sheet.facts
        day = facts.sheet.day if facts is not None and not sheet.working else sheet.asked
        self._day.setText(self._day_words(day, facts.today if facts is not None else None))
        self._after.setEnabled(facts is not None and not sheet.working and facts.sheet.day < facts.today)
        self._before.setEnabled(facts is not None and not sheet.working)
        self._bar.setRange(0, sheet.total or 0)
        self._bar.setValue(sheet.done)
        if sheet.failed:
            self._stack.setCurrentWidget(self._failed)
        elif facts is None or sheet.working:
            self._stack.setCurrentWidget(self._making)
        else:
            self._stack.setCurrentWidget(self._shown)
            self._show_facts(facts, sheet.saved)
        for button in self.foot_buttons():
            button.setEnabled(facts is not None and not sheet.working)

    def _show_facts(self, facts: SheetFacts, saved: bool) -> None:
        tone, title, said = sheet_verdict(self.kit, facts)
        self.verdict.show_words(tone, title, self.kit.words("sheet.saved") if saved else said)
        self.counts.show_facts(facts)
        lines = [self._line(one, today=True) for one in facts.lines] + [self._line(one, today=False) for one in facts.earlier]
        lines += [self._line(one, today=True) for one in facts.replaced]
        self._own = frozenset(one.difference.record_id for one in (*facts.lines, *facts.earlier, *facts.replaced) if one.own and one.name)
        self.table.show_lines(lines)
        self._card.setVisible(bool(lines))
        self.table.fit(self._card)

    def _line(self, one: SheetLine, today: bool) -> OutboxLine:
        words, difference = self.kit.words, one.difference
        short = difference.record_id[:8]
        who = words("kept.who", name=one.name, tail=one.id_tail) if one.name else words("sheet.of", keeper=one.keeper, id=short) if one.keeper else \
            words("sheet.record", id=short)
        since = difference.since
        when, at = (ago(self.kit.words, since, self.kit.now()), exact(since)) if since is not None else ("", "")
        why = words("outbox.replaced_by", id=difference.by[:8]) if difference.by else reason_words(words, difference.why)
        return OutboxLine(difference.record_id, who, words("sheet.of_day" if today else "sheet.of_earlier"), words(f"sheet.kind_{difference.kind}"),
                          why, when, f"{at} · {difference.record_id}", _TONES[difference.weight])

    def _day_words(self, day: date | None, today: date | None) -> str:
        words = self.kit.words
        if day is None or day == today:
            return words("sheet.today") if day is None else words("sheet.today_is", day=day.isoformat())
        return day.isoformat()

    def _turn(self, days: int) -> None:
        if self._facts is not None:
            self._post(DayPicked(self._facts.sheet.day + timedelta(days=days)))

    def _open(self, record_id: str) -> None:
        if record_id in self._own:
            self.wanted.emit(record_id)

    def _choose(self) -> None:
        if self._facts is not None:
            name = self.kit.words("sheet.file", day=self._facts.sheet.day.isoformat())
            ask_for_pdf(self, self.kit.words("sheet.save"), name, lambda path: self._post(SheetWanted(path)))

    def take_focus(self) -> None:
        """Focus to the differences; to the day where there are none."""
        (self.table if self.table.isVisibleTo(self) else self._again).setFocus(Qt.FocusReason.OtherFocusReason)
