"""The band over a sitting that corrects what the province returned: until when, and each item with the press that says it is done. Never judges a value."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop.flows.intake_repair import amended
from desktop.flows.intake_state import IntakeState
from desktop.flows.words.day import ItemTurned
from desktop.staff.kit import Kit, Post
from desktop.staff.wording import item_words
from desktop.widgets.banner import Banner, joined
from desktop.widgets.buttons import ActionButton
from desktop.widgets.cards import ScrolledColumn, label
from desktop.widgets.icons import IconLabel
from sync.draft import Draft

__all__ = ["CorrectionBand"]

_MOST_LINES, _MOST_ROWS = 3, 5
"""Items seen at once, and rows of text that they may take; the others are scrolled to."""
_KEYS = 9


class CorrectionBand(QWidget):
    """Stays as long as the sitting is open; its lines keep their order and their keys, done or not."""

    def __init__(self, kit: Kit, post: Post) -> None:
        super().__init__()
        self.kit, self._post = kit, post
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.banner = Banner(kit.look)
        column.addWidget(self.banner)
        self._lines = ScrolledColumn(kit.look, 0)
        self._lines.column.setSpacing(0)
        self._lines.column.setContentsMargins(kit.look.px("three"), kit.look.px("half"), kit.look.px("two"), kit.look.px("half"))
        column.addWidget(self._lines)
        self._buttons: list[ActionButton] = []
        self._said: object = None
        self._wanted = ""
        self._fitted = 0
        self._lines.viewport().installEventFilter(self)
        self.setVisible(False)

    def show_state(self, state: IntakeState) -> bool:
        """Whether there is anything to show."""
        draft = state.draft if state.page == "desk" and state.capture is None else None
        shown = draft is not None and draft.amends is not None and not draft.replaces
        self.setVisible(shown)
        if not shown:
            return False
        assert draft is not None and draft.amends is not None
        self._show_head(state, draft)
        open_ = tuple(draft.is_open(one) for one in draft.amends.items)
        self._wanted = state.place.path
        if (draft.draft_id, draft.amends.items, open_) != self._said:
            self._said = draft.draft_id, draft.amends.items, open_
            self._show_lines(draft, open_)
        return True

    def _show_head(self, state: IntakeState, draft: Draft) -> None:
        words, row = self.kit.words, amended(state)
        assert draft.amends is not None
        due = words("correction.until", day=row.until.isoformat()) if row is not None and row.until is not None else ""
        title = words("correction.title_refused" if row is not None and row.remote == "refused" else "correction.title")
        empty = "_empty" if row is not None and row.state == "purged" else ""
        left = sum(draft.is_open(one) for one in draft.amends.items)
        what = words(f"correction.left{empty}", n=left) if left else words("correction.all_done" if draft.amends.items else "correction.no_items")
        self.banner.show_words("wait" if left or not draft.amends.items else "good", f"{title}{due}", joined(what, words(f"correction.words{empty}")))

    def _show_lines(self, draft: Draft, open_: tuple[bool, ...]) -> None:
        assert draft.amends is not None
        focused = next((at for at, one in enumerate(self._buttons) if one.hasFocus()), -1)
        while self._lines.column.count():
            part = self._lines.column.takeAt(0).widget()
            if part is not None:
                part.hide()
                part.deleteLater()
        self._buttons = []
        for at, item in enumerate(draft.amends.items):
            line = self._line(at, item_words(item.path, item.text, self.kit.words), open_[at], item.done)
            self._lines.column.addWidget(line)
            line.show()
        self._lines.setVisible(bool(draft.amends.items))
        self._fit()
        if 0 <= focused < len(self._buttons):
            self._buttons[focused].setFocus(Qt.FocusReason.OtherFocusReason)

    def _line(self, at: int, text: str, is_open: bool, done: bool) -> QWidget:
        look, words = self.kit.look, self.kit.words
        part = QWidget()
        row = QHBoxLayout(part)
        row.setContentsMargins(0, 2, 0, 2)
        row.setSpacing(look.px("one"))
        row.addWidget(IconLabel(look, "warning" if is_open else "check", "stop_text" if is_open else "good_text"), 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(label(text, "strong" if is_open else "quiet", wrap=True), 1)
        if not is_open and not done:
            row.addWidget(label(words("correction.changed"), "meta", "good"))
        button = ActionButton(look, words("correction.undo" if done else "correction.done"), f"Ctrl+{at + 1}" if at < _KEYS else "", "small",
                              "" if done else "check")
        button.setAccessibleDescription(text)
        button.clicked.connect(lambda: self._post(ItemTurned(at)))
        self._buttons.append(button)
        row.addWidget(button)
        button.setVisible(is_open or done)   # once it has a parent: else it would be a window
        return part

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The lines are as wide as what scrolls them, which may change while the band stays."""
        if watched is self._lines.viewport() and event.type() == QEvent.Type.Resize and self._lines.viewport().width() != self._fitted:
            self._fit()
        return super().eventFilter(watched, event)

    def _fit(self) -> None:
        """Each line as high as its words are at this width, and as its button: one that is done moves nothing under the caret."""
        if not self._buttons:
            return
        self._fitted = self._lines.viewport().width()
        column, row = self._lines.column, self._buttons[0].sizeHint().height() + 4
        edges = column.contentsMargins()
        bar = self._lines.verticalScrollBar()
        scrolls = len(self._buttons) > _MOST_LINES and not bar.isVisible()   # it will
        width = self._lines.viewport().width() - edges.left() - edges.right() - (bar.sizeHint().width() if scrolls else 0)
        heights: list[int] = []
        for line in (column.itemAt(at).widget() for at in range(column.count())):
            heights.append(max(row, line.layout().totalHeightForWidth(width)))
            line.setFixedHeight(heights[-1])
        self._lines.setFixedHeight(min(sum(heights[:_MOST_LINES]), _MOST_ROWS * row) + edges.top() + edges.bottom())

    def take_focus(self) -> bool:
        """To the first item that names no place, where the caret was sent there: only a press answers it."""
        at = next((at for at, one in enumerate(self._buttons) if self._is_placeless(at) and not one.isHidden()), -1) if not self._wanted else -1
        if at >= 0 and self.isVisible():
            self._buttons[at].setFocus(Qt.FocusReason.OtherFocusReason)
            self._lines.ensureWidgetVisible(self._buttons[at])
        return at >= 0 and self.isVisible()

    def _is_placeless(self, at: int) -> bool:
        assert isinstance(self._said, tuple)
        item, open_ = self._said[1][at], self._said[2][at]
        return bool(open_ and not item.place)
