"""The table that says in words where each record is and why it waits. Never moves a record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QIcon, QPainter, QPalette
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QTableView, QWidget

from desktop.widgets.icons import icon
from desktop.widgets.style import Look

__all__ = ["OutboxLine", "OutboxTable", "TableModel"]

_ICONS = {"good": "check", "wait": "clock", "stop": "warning", "accent": "upload", "quiet": "page"}


@dataclass(frozen=True, slots=True)
class OutboxLine:
    """One record in words: ``who`` (name, masked number), ``what`` (categories), ``where`` it is, ``why`` it waits, ``when`` as people say it."""

    record_id: str
    who: str
    what: str
    where: str
    why: str
    when: str
    exact: str
    tone: str = "quiet"


class TableModel(QAbstractTableModel):
    """The lines for Qt's view."""

    def __init__(self, look: Look, heads: Sequence[str]) -> None:
        super().__init__()
        self._look, self._heads = look, tuple(heads)
        self.lines: tuple[OutboxLine, ...] = ()
        self._icons: dict[str, QIcon] = {}

    def show(self, lines: Sequence[OutboxLine]) -> None:
        self.beginResetModel()
        self.lines = tuple(lines)
        self.endResetModel()

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self.lines)

    def columnCount(self, parent: QModelIndex | QPersistentModelIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return len(self._heads)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self._heads[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        return None

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        line = self.lines[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return (line.who, line.what, line.where, line.why, line.when)[index.column()]
        if role == Qt.ItemDataRole.ToolTipRole:
            return line.exact if index.column() == 4 else (line.who, line.what, line.where, line.why)[index.column()]
        if role == Qt.ItemDataRole.DecorationRole and index.column() == 2:
            if line.tone not in self._icons:
                self._icons[line.tone] = icon(self._look, _ICONS[line.tone], self._look.tone(line.tone)[1])
            return self._icons[line.tone]
        if role == Qt.ItemDataRole.ForegroundRole and index.column() in {1, 3, 4}:
            return self._look.colour("quiet")
        if role == Qt.ItemDataRole.ForegroundRole and index.column() == 2:
            return self._look.colour(self._look.tone(line.tone)[1])
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return (line.who, line.what, line.where, line.why, line.when)[index.column()]
        return None


class _Rows(QStyledItemDelegate):
    """Draws rows without a dotted focus frame: the whole line is selected and the table has the focus ring."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        option.state &= ~QStyle.StateFlag.State_HasFocus
        super().paint(painter, option, index)

    def initStyleOption(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        """A selected row keeps the colours that its words have."""
        super().initStyleOption(option, index)
        colour = index.data(Qt.ItemDataRole.ForegroundRole)
        option.palette.setColor(QPalette.ColorRole.HighlightedText, colour if colour is not None else option.palette.color(QPalette.ColorRole.Text))


class OutboxTable(QTableView):
    """``opened(record_id)`` on Enter or double click, ``chosen(record_id)`` when the current line changes."""

    opened = Signal(str)
    chosen = Signal(str)

    def __init__(self, look: Look, heads: Sequence[str], says: str = "", model: TableModel | None = None) -> None:
        super().__init__()
        self.setAccessibleName(says)
        self._model = model or TableModel(look, heads)
        self.setModel(self._model)
        self.setItemDelegate(_Rows(self))
        self.setShowGrid(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        self.verticalHeader().setVisible(False)
        self.verticalHeader().setDefaultSectionSize(look.px("row"))
        head = self.horizontalHeader()
        head.setHighlightSections(False)
        self._least = 4 * look.px("row")
        """Height of the head and three lines: less than that is no list."""
        head.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        for column in range(len(heads)):
            kinds = {1: QHeaderView.ResizeMode.Interactive, 3: QHeaderView.ResizeMode.Stretch}
            head.setSectionResizeMode(column, kinds.get(column, QHeaderView.ResizeMode.ResizeToContents))
        self._widest = look.type("body") * (18 if look.scale < 150 else 10)
        """What the second column takes at most: the words behind it say why."""
        self.setIconSize(QSize(look.px("icon"), look.px("icon")))
        self.activated.connect(lambda index: self.opened.emit(self._model.lines[index.row()].record_id))
        self.selectionModel().currentRowChanged.connect(lambda now, _before: self.chosen.emit(self._model.lines[now.row()].record_id if now.isValid() else ""))

    def show_lines(self, lines: Sequence[OutboxLine]) -> None:
        """Show these lines; the current one stays current when it is still there."""
        if tuple(lines) == self._model.lines:
            return
        kept = self.current()
        self._model.show(lines)
        measure, head = self.fontMetrics(), self.horizontalHeader()
        widest = max((measure.horizontalAdvance(words) for words in {line.what for line in lines}), default=0)
        head.resizeSection(1, max(head.sectionSizeHint(1), min(widest + 24, self._widest)))
        for row, line in enumerate(lines):
            if line.record_id == kept:
                self.selectRow(row)

    def fit(self, card: QWidget) -> None:
        """Have ``card``, which holds the table, end below its last line: a frame round nothing looks like something that did not load."""
        lines = self.verticalHeader().defaultSectionSize() * self._model.rowCount()
        own = self.horizontalHeader().sizeHint().height() + lines + 2 * self.frameWidth() + 4
        self.setMinimumHeight(min(own, self._least))
        card.setMaximumHeight(card.sizeHint().height() - self.sizeHint().height() + own)

    def pick(self, record_id: str) -> None:
        """Make the line of this record the current one, and bring it into sight; nothing where it is not listed."""
        for row, line in enumerate(self._model.lines):
            if line.record_id == record_id:
                self.selectRow(row)
                self.scrollTo(self._model.index(row, 0))

    def current(self) -> str:
        """The record id of the current line, or empty."""
        index = self.currentIndex()
        return self._model.lines[index.row()].record_id if index.isValid() and index.row() < len(self._model.lines) else ""

    def focusInEvent(self, event: QFocusEvent) -> None:
        """The line that the keys move is marked from the beginning."""
        super().focusInEvent(event)
        if self._model.lines and not self.selectionModel().hasSelection():
            self.selectRow(max(0, self.currentIndex().row()))

    def row_place(self, row: int) -> QRect:
        """Where a row stands, for movements that explain."""
        return self.visualRect(self._model.index(row, 0))
