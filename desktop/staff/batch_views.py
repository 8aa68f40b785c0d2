"""The three lists of signing beside the sitting: what waits, what will be signed, what became of it. Never signs and never ticks by itself."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop.flows.batch import BatchState
from desktop.flows.words import BatchEnded, LinePicked, RowsTicked, ShiftEnded, WaitingFacts
from desktop.staff.kit import Kit, Post
from desktop.staff.wording import ago, clock_time, exact, reason_words
from desktop.widgets.banner import Banner
from desktop.widgets.buttons import ActionButton
from desktop.widgets.cards import Card, EmptyState, ScrolledColumn, label
from desktop.widgets.outbox_table import OutboxLine, OutboxTable
from desktop.widgets.row_card import CardRow, RowCard
from desktop.widgets.tick_table import TickTable

__all__ = ["ChooseView", "ConfirmView", "EndView", "end_words"]

_HEADS = ("who", "what", "where", "why", "when")


def end_words(kit: Kit, ended: BatchEnded) -> tuple[str, str, str]:
    """(tone, title, words): how many are signed, before why it ended."""
    words = kit.words
    done, failed, left = len(ended.done), len(ended.failed), len(ended.left)
    key = ended.reason.replace("-", "_")
    why = words(f"batch.end_{key}") if words.has(f"batch.end_{key}") else words("batch.end_trouble")
    if ended.reason == "trouble" and ended.code:
        why = words("batch.end_code", title=reason_words(words, ended.code), code=ended.code)
    if not failed and not left:
        return "good", words("batch.all_done", n=done), words("batch.all_done_words")
    title = words("batch.some_done", n=done, total=done + failed + left)
    return ("wait" if done else "stop"), title, why + (words("batch.left_words") if left else "")


class ChooseView(QWidget):
    """What waits for this person's signature, with a tick before each."""

    def __init__(self, kit: Kit, post: Post) -> None:
        super().__init__()
        self.kit, self._post, look, words = kit, post, kit.look, kit.words
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(look.px("two"))
        head = QHBoxLayout()
        head.setSpacing(look.px("one"))
        self._words = label("", "quiet", wrap=True)
        head.addWidget(self._words, 1)
        self._all = ActionButton(look, words("batch.all"), "Alt+A", "small", "check")
        self._all.clicked.connect(lambda: post(RowsTicked(self._free)))
        self._none = ActionButton(look, words("batch.none"), "Alt+N", "small", "minus")
        self._none.clicked.connect(lambda: post(RowsTicked(self._free, False)))
        head.addWidget(self._all)
        head.addWidget(self._none)
        column.addLayout(head)
        card = Card(look)
        says = (words("batch.ticked"), words("batch.unticked"), words("batch.barred"))
        self.table = TickTable(look, [words(f"batch.head_{name}") for name in _HEADS], words("batch.title"), says)
        self.table.turned.connect(lambda record_id, on: post(RowsTicked((record_id,), on)))
        card.body.addWidget(self.table)
        column.addWidget(card, 1)
        self._free: tuple[str, ...] = ()

    def show_state(self, state: BatchState) -> None:
        """Show what waits and what is ticked."""
        words = self.kit.words
        self._words.setText(words(f"batch.choose_{state.deed}"))
        self._free = tuple(one.record_id for one in state.rows if not one.why)
        self.table.show_lines([self._line(one) for one in state.rows])
        self.table.show_ticks(state.chosen, frozenset(one.record_id for one in state.rows if one.why))

    def _line(self, one: WaitingFacts) -> OutboxLine:
        words, now = self.kit.words, self.kit.now()
        what = self.kit.joined(self.kit.tables.label("practitioner_categories", code, self.kit.lang) for code in one.categories)
        where = words("batch.own") if one.own else words("batch.of", name=one.collector)
        tone = "stop" if one.why else "quiet" if one.own else "wait"
        return OutboxLine(one.record_id, words("kept.who", name=one.name, tail=one.id_tail), what, where, reason_words(words, one.why),
                          ago(words, one.kept_at, now), exact(one.kept_at), tone)


class ConfirmView(QWidget):
    """The list that will be signed, each with its page; and those that cannot be signed, with their reasons."""

    def __init__(self, kit: Kit, post: Post) -> None:
        super().__init__()
        self.kit, look, words = kit, kit.look, kit.words
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(look.px("two"))
        self._words = label("", "quiet", wrap=True)
        column.addWidget(self._words)
        self._card = Card(look)
        self.table = OutboxTable(look, [words(f"batch.sign_{name}") for name in _HEADS], words("batch.confirm_title"))
        self.table.opened.connect(lambda record_id: post(LinePicked(record_id)))
        self._card.body.addWidget(self.table)
        column.addWidget(self._card, 1)
        self.refused = RowCard(look, words("batch.refused"))
        column.addWidget(self.refused)
        self._rest = QWidget()
        column.addWidget(self._rest, 1)

    def show_state(self, state: BatchState) -> None:
        """Show the list with what was read of it."""
        words = self.kit.words
        self._words.setText(words("batch.confirm_words", read=len(state.opened), n=len(state.lines)) if state.lines else words("batch.confirm_nothing"))
        lines = []
        for one in state.lines:
            read = one.item.record_id in state.opened
            what = self.kit.joined(self.kit.tables.label("practitioner_categories", code, self.kit.lang) for code in one.categories)
            why = words("batch.takeover") if one.takeover else words("batch.counter") if state.deed == "countersign" else ""
            lines.append(OutboxLine(one.item.record_id, words("kept.who", name=one.name, tail=one.id_tail), what,
                                    words("batch.read" if read else "batch.unread"), why, one.item.record_id[:8], one.item.digest,
                                    "good" if read else "quiet"))
        self.table.show_lines(lines)
        self._card.setVisible(bool(lines))
        self._rest.setVisible(not lines)
        names = {one.record_id: words("kept.who", name=one.name, tail=one.id_tail) for one in state.rows}
        self.refused.show_rows([_refused(self.kit, names.get(record_id, record_id[:8]), code) for record_id, code in state.refused])
        self.refused.setVisible(bool(state.refused))


def _refused(kit: Kit, who: str, code: str) -> CardRow:
    return CardRow("warning", "wait", who, (reason_words(kit.words, code),), code)


class EndView(QWidget):
    """How it ended, and the verdict of every record of the list."""

    def __init__(self, kit: Kit) -> None:
        super().__init__()
        self.kit = kit
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(kit.look.px("three"))
        self.verdict = Banner(kit.look)
        column.addWidget(self.verdict)
        self._scrolled = ScrolledColumn(kit.look, 0)
        self.results = RowCard(kit.look, kit.words("batch.results"))
        self._scrolled.column.addWidget(self.results)
        column.addWidget(self._scrolled, 1)
        self._shift = EmptyState(kit.look, "check", kit.words("batch.shift_done"))
        column.addWidget(self._shift, 1)

    def show_state(self, state: BatchState) -> None:
        """Show what became of the list, or of the shift."""
        ended = state.ended
        self.verdict.setVisible(ended is not None)
        self._scrolled.setVisible(ended is not None)
        self._shift.setVisible(ended is None)
        if ended is None:
            self._show_shift(state.shift)
            return
        self.verdict.show_words(*end_words(self.kit, ended))
        self.results.show_rows(self._rows(state, ended))

    def _show_shift(self, shift: ShiftEnded | None) -> None:
        words = self.kit.words
        if shift is None:
            title, said = words("batch.shift_open"), words("batch.shift_open_words")
        else:
            title, said = words("batch.shift_done"), words("batch.shift_words_done", n=shift.number, lines=shift.lines, at=clock_time(shift.at))
        self._shift.title.setText(title)
        self._shift.words.setText(said)

    def _rows(self, state: BatchState, ended: BatchEnded) -> list[CardRow]:
        """Those that need somebody first, then what was not reached, then what is signed."""
        words = self.kit.words
        names = {one.item.record_id: words("kept.who", name=one.name, tail=one.id_tail) for one in state.lines}

        def who(record_id: str) -> str:
            return names.get(record_id, words("sheet.record", id=record_id[:8]))

        rows = [CardRow("warning", "stop", who(record_id), (reason_words(words, code), code), words("batch.failed")) for record_id, code in ended.failed]
        rows += [CardRow("clock", "wait", who(record_id), (), words("batch.left")) for record_id in ended.left]
        rows += [CardRow("check", "good", who(record_id), (), words("batch.done_counter" if state.deed == "countersign" else "batch.done"), strong=False)
                 for record_id in ended.done]
        return rows
