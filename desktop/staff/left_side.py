"""The left column: open sitting, parked ones, what must be dealt with, the day in numbers. Never shows a full identity number."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.flows.intake_state import IntakeState
from desktop.flows.words import LockPressed, PagePicked, ParkedPicked
from desktop.staff.kit import Kit, Post
from desktop.widgets.buttons import RowButton
from desktop.widgets.cards import ScrolledColumn, label
from desktop.widgets.style import set_role

__all__ = ["LeftSide"]

_MOST_PARKED = 2
_LARGE_FROM = 150
"""Percent of text scale."""


class LeftSide(QWidget):
    """Rows that open pages, ``search`` for the one that looks for a record. Rebuilt only when what it says changes."""

    search = Signal()

    def __init__(self, kit: Kit, post: Post) -> None:
        super().__init__()
        self.kit, self._post = kit, post
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        set_role(self, role="side", edge="right")
        large = kit.look.scale >= _LARGE_FROM   # side columns grow by half of the text; the keys beside the words need the rest
        self.setFixedWidth(kit.look.px("side_left") + (kit.look.type("meta") if large else 0))
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        area = ScrolledColumn(kit.look)   # with large text the rows are higher than the window
        area.column.setAlignment(Qt.AlignmentFlag(0))
        outer.addWidget(area)
        self._column = area.column
        edge = kit.look.px("one" if large else "two")
        self._column.setContentsMargins(edge, kit.look.px("three"), edge, kit.look.px("two"))
        self._column.setSpacing(2)
        self._said: object = None

    def show_state(self, state: IntakeState) -> None:
        """Show the day."""
        words, name = self.kit.words, ""
        if state.draft is not None:
            name = state.draft.text("person.name_zh") or words("side.nameless")
        said = (state.page, name, state.draft.text("person.id_doc_no")[-4:] if state.draft else "", state.parked, tuple(sorted(state.counts.items())))
        if said == self._said:
            return
        focused = self.focusWidget()
        keep = focused.accessibleName() if focused is not None and self.isAncestorOf(focused) and focused.hasFocus() else ""
        self._said = said
        while self._column.count():
            part = self._column.takeAt(0).widget()
            if part is not None:
                part.hide()
                part.deleteLater()
        self._fill(state, name)
        for row in self.findChildren(RowButton):
            if keep and row.accessibleName() == keep and not row.isHidden():
                row.setFocus()

    def _group(self, words: str) -> None:
        if self._column.count():
            self._column.addSpacing(self.kit.look.px("two"))
        self._column.addWidget(label(words, "group"))

    def _row(self, words: str, pill: str = "", tone: str = "", key: str = "", current: bool = False, event: object = None) -> None:
        row = RowButton(self.kit.look, words, pill, tone, key, current)
        row.clicked.connect(lambda _=False: self._post(event))
        self._add(row)

    def _add(self, row: RowButton) -> None:
        self._column.addWidget(row)
        row.show()   # now, not when the layout gets to it: its key works at once

    def _fill(self, state: IntakeState, name: str) -> None:
        words, counts = self.kit.words, state.counts
        self._group(words("side.now"))
        if name:
            tail = state.draft.text("person.id_doc_no")[-4:] if state.draft else ""
            self._row(name, tail, current=state.page == "desk", event=PagePicked("desk"))
        else:
            self._row(words("side.waiting"), current=state.page == "desk", event=PagePicked("desk"))
        for one in state.parked[:_MOST_PARKED]:
            self._row(one.name or words("side.nameless"), one.id_tail, event=ParkedPicked(one.draft_id))
        self._row(words("side.parked"), str(len(state.parked)), key="Ctrl+P", current=state.page == "parked", event=PagePicked("parked"))
        self._group(words("side.deal"))
        returned = counts.get("returned", 0) + counts.get("set_aside", 0)
        self._row(words("side.returned"), str(returned), "wait" if returned else "", "Ctrl+R", current=state.page == "returned", event=PagePicked("returned"))
        unsigned = counts.get("unsigned", 0)
        self._row(words("side.unsigned"), str(unsigned) if unsigned else "", "wait", "Ctrl+B", event=PagePicked("batch"))
        self._group(words("side.today"))
        self._row(words("side.kept"), str(counts.get("today", 0)), key="Ctrl+T", current=state.page == "outbox", event=PagePicked("outbox"))
        waiting = counts.get("waiting", 0)
        self._row(words("side.waiting_upload"), str(waiting), "wait" if waiting else "", "Ctrl+U", state.page == "sync", PagePicked("sync"))
        self._row(words("side.sheet"), key="Ctrl+D", current=state.page == "sheet", event=PagePicked("sheet"))
        search = RowButton(self.kit.look, words("side.search"), key="Ctrl+F")
        search.clicked.connect(self.search)
        self._add(search)
        self._column.addStretch(1)
        self._row(words("side.health"), key="Ctrl+I", current=state.page == "health", event=PagePicked("health"))
        self._row(words("side.lock"), key="Ctrl+L", event=LockPressed())
