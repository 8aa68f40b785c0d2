"""One section of the registration as a card built from sync.record. Never knows a rule: issues mark fields."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QFontMetrics
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QMenu, QVBoxLayout, QWidget

from desktop.flows.words import Edited, LeftField, RowAdded, RowRemoved, Unlocked
from desktop.staff.kit import Kit, Post
from desktop.staff.wording import entry_hint, exact
from desktop.widgets.buttons import ActionButton
from desktop.widgets.cards import Card, hairline
from desktop.widgets.choice import ChoiceBox
from desktop.widgets.fields import DateBox, FieldBox, FieldFace, split_rows
from sync.draft import Draft
from sync.record import Field, Section
from sync.rules import Issue

__all__ = ["RARE_FIELDS", "SectionCard"]

RARE_FIELDS = frozenset({"person.name_latin", "person.newest_address", "person.nationality", "person.travel_permit_no"})
"""Shown only where they have a value or the kind of document has them: foreigners (553, 554), residence permits (X01, X02)."""

_HIDDEN = frozenset({"person.categories", "person.id_valid_long"})
_WIDTHS = {
    "person.name_zh": 3, "person.id_doc_type": 4, "person.id_doc_no": 5, "person.sex": 3, "person.birth_date": 3, "person.nation": 3, "person.mobile": 3,
    "person.id_address": 12, "person.newest_address": 12, "person.id_issuer": 6, "person.id_valid_from": 3, "person.id_valid_to": 3, "education.level": 4,
    "education.school": 4, "education.major": 4, "education.graduated_on": 4, "employer.name": 7, "employer.uscc": 5, "employer.post": 6, "employer.since": 6,
    "skill.trade": 5, "skill.level": 3, "skill.cert_no": 4, "skill.issuer": 8, "skill.issued_on": 4, "title.issuer": 5, "registration.issuer": 6,
    "post.issuer": 6, "training.course": 6, "training.type": 4, "training.hours": 2, "contract.term_type": 6,
    "contract.no": 6, "contract.from": 6, "contract.to": 6, "performance.confidential": 4, "employment.employer": 7, "employment.post": 5, "employment.from": 6,
    "employment.to": 6, "special_operation.type": 5, "special_operation.cert_no": 4, "special_operation.valid_to": 3, "insurance.payer": 6,
    "insurance.paid_to": 3, "insurance.proof_no": 3, "safety.class": 5, "safety.cert_no": 4, "safety.valid_to": 3,
}
_BY_KIND = {"date": 3, "code": 4, "idno": 5, "mobile": 3, "int": 2, "bool": 3, "uscc": 5}


def _width(section: str, field: Field) -> int:
    return _WIDTHS.get(f"{section}.{field.name}", _BY_KIND.get(field.kind, 4))


def _shown(section: Section, draft: Draft) -> tuple[Field, ...]:
    """The fields of a section for this person; the mobile number, which everybody must type, stands beside the first chip values."""
    kind = draft.text("person.id_doc_type")
    wanted: set[str] = set()
    if kind in {"553", "554", "414"}:
        wanted |= {"person.name_latin", "person.nationality"}
    if kind in {"X01", "X02"}:
        wanted |= {"person.travel_permit_no"}
    found: list[Field] = []
    for one in section.fields:
        path = f"{section.name}.{one.name}"
        if path in _HIDDEN or (path in RARE_FIELDS and path not in wanted and not draft.value(path)):
            continue
        found.append(one)
    mobile = next((one for one in found if section.name == "person" and one.name == "mobile"), None)
    if mobile is not None:
        found.remove(mobile)
        found.insert(next((at for at, one in enumerate(found) if one.name == "nation"), 0) + 1, mobile)
    return tuple(found)


class SectionCard(Card):
    """``fields``: path -> box. ``shape`` tells when the card must be built again."""

    def __init__(self, kit: Kit, post: Post, section: Section, draft: Draft, rows: int) -> None:
        english = kit.words.lang == "en"
        super().__init__(kit.look, section.label_en if english else section.label_zh)
        self.kit, self.post, self.section, self.rows = kit, post, section, rows
        self._add: ActionButton | None = None
        self.fields: dict[str, FieldBox] = {}
        self.shape = self.shape_of(section, draft, rows)
        fields = _shown(section, draft)
        if not section.repeats:
            self._grid(section.name, fields, self.body)
            return
        self._add_button()
        for index in range(rows):
            if index:
                self.body.addWidget(hairline())
            self._row(index, fields)
        if not rows:
            self.note.setText(kit.words("form.no_rows"))

    @staticmethod
    def shape_of(section: Section, draft: Draft, rows: int) -> object:
        """What decides the build of the card."""
        return section.name, rows, tuple(one.name for one in _shown(section, draft))

    def _add_button(self) -> None:
        add = ActionButton(self.kit.look, self.kit.words("form.add"), "Alt+N", "small", "plus", shortcut=False)
        add.setAccessibleName(f"{self.kit.words('form.add')} {self.title.text()}")
        add.clicked.connect(lambda: self.post(RowAdded(self.section.name)))
        add.show_key(False)
        self.head.addWidget(add)
        self._add = add

    def show_here(self, here: bool) -> None:
        """Whether the keyboard is in this section: its key adds a row here and nowhere else."""
        if self._add is not None:
            self._add.show_key(here)

    def _row(self, index: int, fields: tuple[Field, ...]) -> None:
        part = QWidget()
        row = QHBoxLayout(part)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(self.look.px("two"))
        column = QVBoxLayout()
        row.addLayout(column, 1)
        self._grid(f"{self.section.name}[{index}]", fields, column)
        remove = ActionButton(self.look, "", kind="plain", icon="trash")
        remove.setAccessibleName(self.kit.words("form.remove", n=index + 1))
        remove.setToolTip(self.kit.words("form.remove", n=index + 1))
        remove.clicked.connect(lambda _=False, at=index: self.post(RowRemoved(self.section.name, at, self.kit.now())))
        beside = QVBoxLayout()
        beside.addSpacing(QFontMetrics(self.look.font("meta")).height() + self.look.px("half"))   # beside the field, not its label
        beside.addWidget(remove)
        beside.addStretch(1)
        row.addLayout(beside)
        self.body.addWidget(part)

    def _grid(self, prefix: str, fields: tuple[Field, ...], into: QVBoxLayout) -> None:
        """Labels above, packed into rows of twelve units; the last of a row takes a small rest."""
        columns = 12 if self.look.scale < 150 else 8
        grid = QGridLayout()
        grid.setHorizontalSpacing(self.look.px("three"))
        grid.setVerticalSpacing(self.look.px("two"))
        for column in range(columns):
            grid.setColumnStretch(column, 1)
            grid.setColumnMinimumWidth(column, 0)
        widths = [min(columns, _width(self.section.name, one) * (1 if columns == 12 else 2)) for one in fields]
        for line, indices in enumerate(split_rows(widths, columns)):
            at = 0
            rest = columns - sum(widths[index] for index in indices)
            for place, index in enumerate(indices):
                span = widths[index] + (rest if place == len(indices) - 1 and rest <= 3 else 0)
                grid.addWidget(self._box(f"{prefix}.{fields[index].name}", fields[index]), line, at, 1, span)
                at += span
        into.addLayout(grid)

    def _box(self, path: str, field: Field) -> FieldBox:
        words, look = self.kit.words, self.look
        text = field.label_en if words.lang == "en" else field.label_zh
        if field.kind == "code":
            rows = [(row.code, row.en if self.kit.lang == "en" else row.zh) for row in self.kit.tables.rows(field.table)]
            box: FieldBox = ChoiceBox(look, path, text, rows)
        elif field.kind == "bool":
            box = ChoiceBox(look, path, text, [("yes", words("form.yes")), ("no", words("form.no"))])
        elif field.kind == "date":
            box = DateBox(look, path, text, forever=path == "person.id_valid_to")
        else:
            box = FieldBox(look, path, text, field.max_length, grouped=field.kind == "idno")
        box.edited.connect(self._edited)
        box.left.connect(lambda where: self.post(LeftField(where)))
        box.unlock_asked.connect(self._ask_unlock)
        self.fields[path] = box
        return box

    def _edited(self, path: str, value: str) -> None:
        now = self.kit.now()
        if path == "person.id_valid_to":
            forever = value == self.kit.words("form.forever") or value == "长期"
            self.post(Edited("person.id_valid_long", True if forever else "", now))
            value = "" if forever else value
        if path == "performance.confidential" or path.endswith("].confidential"):
            self.post(Edited(path, value == "yes" if value in {"yes", "no"} else value, now))
            return
        self.post(Edited(path, value, now))

    def _ask_unlock(self, path: str) -> None:
        """Changing a chip value asks for the reason: a menu at the field, no dialog."""
        box = self.fields[path]
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        head: QAction = menu.addAction(self.kit.words("unlock.ask"))
        head.setEnabled(False)
        for reason in ("misprint", "rare_character", "corrected"):
            menu.addAction(self.kit.words(f"unlock.{reason}")).triggered.connect(lambda _=False, why=reason: self.post(Unlocked(path, why)))
        menu.popup(box.edit.mapToGlobal(box.edit.rect().bottomLeft()))

    def show_draft(self, draft: Draft, locked: frozenset[str], troubles: Mapping[str, Issue]) -> None:
        """Show values, marks and issues."""
        for path, box in self.fields.items():
            entry = draft.entries.get(path)
            issue = troubles.get(path)
            trouble = issue.severity if issue is not None and (issue.severity != "missing") else ""
            wanted = ""
            if issue is not None and issue.severity == "returned":
                trouble, wanted = "must", self.kit.words("correction.hint", text=issue.facts["text"])
            if path == "person.id_valid_to" and entry is None and draft.value("person.id_valid_long") is True:
                entry = draft.entries["person.id_valid_long"]
                box.show_face(FieldFace(self.kit.words("form.forever"), entry.source.value, "person.id_valid_long" in locked,
                                        wanted + entry_hint(path, entry, self.kit.words), trouble))
                continue
            if entry is None:
                box.show_face(FieldFace(box.value() if box.edit.hasFocus() else "", hint=wanted, trouble=trouble))
                continue
            value = entry.value
            text = ("yes" if value else "no") if isinstance(value, bool) else str(value) if not isinstance(value, tuple) else ""
            box.show_face(FieldFace(text, entry.source.value, path in locked, wanted + entry_hint(path, entry, self.kit.words), trouble))
        if self.section.name == "person" and draft.card:
            read = next((entry for entry in draft.entries.values() if entry.source.value == "chip"), None)
            if read is not None:
                self.note.setText(self.kit.words("form.read_at", at=exact(read.at)[11:16], reader=read.device, sam=draft.card.get("sam", "")[-4:]))


