"""The form: tabs on top, section cards below, only what this category needs. Never checks and never saves: it posts what was typed."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from desktop.flows.intake_state import IntakeState, Place, row_count
from desktop.flows.words import RowAdded
from desktop.staff.category_card import PATH, CategoryCard
from desktop.staff.kit import Kit, Post
from desktop.staff.section_card import SectionCard
from desktop.widgets.buttons import TabButton
from desktop.widgets.cards import ScrolledColumn, label
from desktop.widgets.fields import FieldBox
from desktop.widgets.style import set_role
from sync.draft import Draft, Source
from sync.record import SECTIONS, Section

__all__ = ["FormPage", "visible_sections"]


def visible_sections(draft: Draft) -> tuple[Section, ...]:
    """The sections that this person's categories need; before a category is chosen only the person."""
    categories = draft.categories()
    return tuple(one for one in SECTIONS if one.name == "person" or (categories and one.categories & categories))


class FormPage(QWidget):
    """Cards are built again only where their shape changes; otherwise values are shown in place and the caret stays."""

    def __init__(self, kit: Kit, post: Post) -> None:
        super().__init__()
        self.kit, self._post = kit, post
        column = QVBoxLayout(self)
        column.setContentsMargins(0, kit.look.px("two"), 0, 0)
        column.setSpacing(0)
        column.addWidget(self._tab_row())
        self.scrolled = ScrolledColumn(kit.look)
        column.addWidget(self.scrolled, 1)
        self.categories = CategoryCard(kit, post)
        self.cards: dict[str, SectionCard] = {}
        self._hint = label(kit.words("form.choose_first"), "quiet", wrap=True)
        self._hint.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.scrolled.column.addWidget(self.categories)
        self.scrolled.column.addWidget(self._hint)
        self._place, self._draft_id = Place(), ""
        self._wanted, self._at, self._missing = "", "", ()  # type: ignore[var-annotated]
        self._bring = QTimer(self)
        self._bring.setSingleShot(True)
        self._bring.timeout.connect(self._bring_focus)
        self._shapes: tuple[object, ...] = ()
        for key, way in (("Ctrl+PgDown", 1), ("Ctrl+PgUp", -1)):
            QShortcut(QKeySequence(key), self, activated=lambda step=way: self._next_section(step))
        QShortcut(QKeySequence("Alt+N"), self, activated=self._add_row)
        QApplication.instance().focusChanged.connect(self._focus_went)  # type: ignore[union-attr]
        for switch in self.categories.switches.values():
            switch.installEventFilter(self)

    def _tab_row(self) -> QScrollArea:
        self._tabs: dict[str, TabButton] = {}
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setFixedHeight(self.kit.look.px("row") + 4)
        inner = QWidget()
        set_role(inner, role="scrolled")
        lines = QVBoxLayout(inner)
        lines.setContentsMargins(self.kit.look.px("six") - 4, 0, self.kit.look.px("six"), 0)
        lines.setSpacing(0)
        self._tab_lines = (QHBoxLayout(), QHBoxLayout())
        for line in self._tab_lines:
            line.setSpacing(2)
            line.addStretch(1)
            lines.addLayout(line)
        area.setWidget(inner)
        self._tab_area = area
        return area

    # -- building ----------------------------------------------------------------------------------------------------------------------
    def remember(self) -> None:
        """Where the caret is, before anything is hidden: Qt gives the keyboard of what it hides to whatever comes next."""
        box = self._box_of(self.focusWidget())
        self._at = box.path if box is not None else ""

    def show_state(self, state: IntakeState) -> None:
        """Show the draft."""
        draft = state.draft
        if draft is None:
            return
        if draft.draft_id != self._draft_id:
            self._clear()
            self._draft_id = draft.draft_id
        self._arrange(state, draft)
        locked = frozenset(path for path, entry in draft.entries.items() if entry.source is Source.CHIP and path not in state.unlocked)
        troubles = {one.path: one for one in reversed(state.issues)}
        for card in self.cards.values():
            card.show_draft(draft, locked, troubles)
        self._missing = tuple(one.path for one in state.issues if one.severity != "explain")
        self.categories.show_draft(draft)
        self._hint.setVisible(not draft.categories())
        self._mark_tabs(state, draft)
        if state.place != self._place:
            self._place, self._wanted = state.place, state.place.path

    def _clear(self) -> None:
        for card in self.cards.values():
            card.hide()
            card.deleteLater()
        self.cards = {}

    def _arrange(self, state: IntakeState, draft: Draft) -> None:
        wanted = {one.name: row_count(state, one.name) if one.repeats else 1 for one in visible_sections(draft)}
        shapes = tuple(SectionCard.shape_of(one, draft, wanted[one.name]) for one in SECTIONS if one.name in wanted)
        if shapes == self._shapes and self.cards:
            return
        self._shapes = shapes
        for name in [name for name in self.cards if name not in wanted]:
            card = self.cards.pop(name)
            card.hide()
            card.deleteLater()
        column = self.scrolled.column
        for place, one in enumerate(section for section in SECTIONS if section.name in wanted):
            held = self.cards.get(one.name)
            if held is None or held.shape != SectionCard.shape_of(one, draft, wanted[one.name]):
                if held is not None:
                    held.hide()
                    held.deleteLater()
                card = SectionCard(self.kit, self._post, one, draft, wanted[one.name])
                for box in card.fields.values():
                    box.entered.connect(self._entered)
                self.cards[one.name] = card
                column.insertWidget(place + (1 if place else 0), card)
                card.show()   # now, not when the layout gets to it: a field of it may be given the focus at once
        self._make_tabs(tuple(wanted))

    def _make_tabs(self, names: tuple[str, ...]) -> None:
        shown = (names[0], "categories", *names[1:])
        if tuple(self._tabs) == shown:
            return
        for tab in self._tabs.values():
            tab.hide()
            tab.deleteLater()
        self._tabs = {}
        two = len(shown) > (11 if self.kit.lang == "zh" else 7) * 100 // self.kit.look.scale
        half = (len(shown) + 1) // 2 if two else len(shown)
        self._tab_area.setFixedHeight((self.kit.look.px("row") + 4) * (2 if two else 1))
        for place, name in enumerate(shown):
            text = self.kit.words("form.categories_short") if name == "categories" else self._title(name)
            tab = TabButton(self.kit.look, text)
            tab.clicked.connect(lambda _=False, which=name: self._to_section(which))
            self._tab_lines[place // half].insertWidget(place % half, tab)
            self._tabs[name] = tab

    def _title(self, name: str) -> str:
        found = next(one for one in SECTIONS if one.name == name)
        return found.label_en if self.kit.words.lang == "en" else found.label_zh

    def _mark_tabs(self, state: IntakeState, draft: Draft) -> None:
        open_ = {one.path.partition(".")[0].partition("[")[0] for one in state.issues if one.severity != "explain" and one.path != PATH}
        filled = {path.partition(".")[0].partition("[")[0] for path in draft.entries}
        current = self._section_of(self.focusWidget())
        for name, tab in self._tabs.items():
            done = bool(draft.categories()) if name == "categories" else name in filled and name not in open_
            tab.mark(done, name == current)

    # -- moving ------------------------------------------------------------------------------------------------------------------------
    def _section_of(self, widget: QWidget | None) -> str:
        if widget is not None and self.categories.isAncestorOf(widget):
            return "categories"
        return next((name for name, card in self.cards.items() if widget is not None and card.isAncestorOf(widget)), "")

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.FocusIn:
            self._entered(PATH)
        return super().eventFilter(watched, event)

    def _focus_went(self, _before: QWidget | None, now: QWidget | None) -> None:
        if now is not None and self.isAncestorOf(now):
            here = self._section_of(now)
            for name, card in self.cards.items():
                card.show_here(name == here)

    def _add_row(self) -> None:
        """Alt+N: one more row where the caret is."""
        name = self._section_of(self.focusWidget())
        if name in self.cards and self.cards[name].section.repeats:
            self._post(RowAdded(name))

    def _entered(self, path: str) -> None:
        name = "categories" if path == PATH else path.partition(".")[0].partition("[")[0]
        for key, tab in self._tabs.items():
            if (key == name) != (tab.property("current") == "true"):
                tab.mark(tab.property("done") == "true", key == name)
        if name in self._tabs:
            self._tab_area.ensureWidgetVisible(self._tabs[name], 40, 0)
        self._bring_focus()
        self._bring.start(0)   # once more when cards that were just built have their places

    def _bring_focus(self) -> None:
        """Scroll to where the caret is."""
        widget = self.focusWidget()
        name = self._section_of(widget)
        if widget is None or not name:
            return
        self.scrolled.bring(self._box_of(widget) or widget)

    def _box_of(self, widget: QWidget | None) -> FieldBox | None:
        return next((box for card in self.cards.values() for box in card.fields.values() if box.isAncestorOf(widget)), None) if widget else None

    def take_focus(self) -> None:
        """The caret where the state wants it; else where it was, if something is still missing there; else to the first thing that is missing."""
        wanted, self._wanted = self._wanted, ""
        before = self.focusWidget()
        open_ = [path for path in self._missing if path == PATH or self._known(path)]
        if not wanted and self._at in open_:
            wanted = self._at
        if not wanted and open_:
            wanted = open_[0]
        if wanted:
            self.go(wanted)
        elif before is not None and before.isVisibleTo(self):
            before.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            self.setFocus(Qt.FocusReason.OtherFocusReason)

    def _known(self, path: str) -> bool:
        return path.partition(".")[0].partition("[")[0] in self.cards

    def go(self, path: str) -> None:
        """Put the caret into ``path`` (a field or a section) and bring it into view; the same place again flashes nothing, it just has the focus."""
        if path in {PATH, "categories"}:
            next(iter(self.categories.switches.values())).setFocus(Qt.FocusReason.OtherFocusReason)
            return
        card = self.cards.get(path.partition(".")[0].partition("[")[0])
        box = (card.fields.get(path) or next(iter(card.fields.values()), None)) if card is not None else None
        if box is not None:
            box.take_focus()
            self._entered(box.path)

    def _to_section(self, name: str) -> None:
        if name == "categories":
            self.go(PATH)
            return
        card = self.cards[name]
        free = next((box for box in card.fields.values() if not box.face.locked and not box.value()), None)
        self.scrolled.verticalScrollBar().setValue(max(0, card.y() - self.kit.look.px("three")))
        target = free or next(iter(card.fields.values()), None)
        if target is not None:
            target.take_focus()

    def _next_section(self, step: int) -> None:
        names = list(self._tabs)
        current = self._section_of(self.focusWidget())
        at = names.index(current) if current in names else 0
        self._to_section(names[(at + step) % len(names)])
