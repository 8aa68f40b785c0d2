"""A record as a paper form, made from the parsed canonical bytes alone. Never reads a draft: what is shown is what will be signed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from desktop.flows.words import ReviewSheet
from desktop.staff.kit import Kit
from desktop.staff.wording import label_of, visible
from desktop.widgets.banner import joined
from desktop.widgets.cards import hairline, label
from desktop.widgets.fields import group_id_number
from desktop.widgets.icons import SOURCE_ICONS, IconLabel
from desktop.widgets.style import set_role
from sync.oddities import oddities
from sync.record import SECTIONS, Section, attachment_kind

__all__ = ["RecordSheet", "odd_words", "value_words"]

_Row = tuple[str, str, str, bool, str]
"""Label, value in words, source, changed, what is odd about the value."""
_DIGITS = 12
"""Of an attachment's digest under its picture: enough to compare two by eye."""


def value_words(kit: Kit, section: str, field: str, value: Any) -> str:
    """A value of the canonical record in words; a code keeps its code beside its name. Hidden characters are made visible."""
    found = next((one for one in SECTIONS if one.name == section), None)
    known = next((one for one in found.fields if one.name == field), None) if found else None
    if isinstance(value, bool):
        return kit.words("form.yes" if value else "form.no")
    if isinstance(value, list | tuple):
        return kit.joined(value_words(kit, section, field, one) for one in value)
    text = visible(str(value))
    if known is not None and known.table and kit.tables.has(known.table, str(value)):
        return f"{kit.tables.label(known.table, str(value), kit.lang)}（{text}）"
    return group_id_number(text) if known is not None and known.kind == "idno" else text


def odd_words(kit: Kit, value: Any) -> str:
    """What in a typed value is not what it looks like: hidden characters, ones that turn the text round, look-alikes; each kind of character once."""
    found = {one.character: one for part in (value if isinstance(value, list | tuple) else (value,)) if isinstance(part, str) for one in oddities(part)}
    said = [kit.words("review.odd_lookalike", character=one.character, name=one.name, like=one.like) if one.kind == "lookalike" and one.like else
            kit.words(f"review.odd_{one.kind}_bare" if one.kind == "lookalike" else f"review.odd_{one.kind}", character=visible(one.character), name=one.name)
            for one in found.values()]
    return " ".join(said)


class RecordSheet(QFrame):
    """The white page: title, head lines, one table per section, materials with page counts, digest at the foot."""

    def __init__(self, kit: Kit) -> None:
        super().__init__()
        self.kit = kit
        set_role(self, role="card")
        self._column = QVBoxLayout(self)
        edge = kit.look.px("six") + 8
        self._column.setContentsMargins(edge, edge, edge, edge)
        self._column.setSpacing(kit.look.px("two"))
        self._shown = ""
        self.setMaximumWidth(980 * kit.look.scale // 100)

    def show_sheet(self, sheet: ReviewSheet) -> None:
        """Show a record; the same digest again does nothing."""
        if sheet.digest == self._shown:
            return
        self._shown = sheet.digest
        while self._column.count():
            part = self._column.takeAt(0).widget()
            if part is not None:
                part.hide()
                part.deleteLater()
        record = sheet.record
        changed = frozenset(sheet.changed)
        self._head(record)
        self._against(record, sheet)
        sections: Mapping[str, Any] = record.get("sections", {})
        self._table("person", self._own_rows(record, sections, changed))
        known = {one.name for one in SECTIONS}
        for one in SECTIONS:
            if one.name == "person" or one.name not in sections:
                continue
            self._section(one, sections[one.name], record, changed)
        for name in sections:
            if name not in known:
                self._column.addWidget(label(f"{visible(name)}: {visible(str(sections[name]))}", "", "stop", wrap=True))
        self._materials(record.get("attachments", ()), sheet.pictures, changed)
        self._foot(sheet)

    def _head(self, record: Mapping[str, Any]) -> None:
        words = self.kit.words
        row = QHBoxLayout()
        title = label(words("review.form_title"), "page")
        row.addWidget(title)
        if "practice-" in str(record.get("type", "")):
            row.addWidget(label(words("app.practice"), "practice"))
        row.addStretch(1)
        part = QWidget()
        part.setLayout(row)
        row.setContentsMargins(0, 0, 0, 0)
        self._column.addWidget(part)
        station, collector = record.get("station", {}), record.get("collector", {})
        self._column.addWidget(label(words("review.form_head", hall=visible(station.get("hall", "")), window=visible(station.get("window", "")),
                                           name=visible(collector.get("name", "")), id=visible(collector.get("id", ""))), "meta", wrap=True))

    def _against(self, record: Mapping[str, Any], sheet: ReviewSheet) -> None:
        """Which record this one corrects, how much differs from the version before, and what that had and this has not."""
        words = self.kit.words
        if record.get("amends"):
            said = words("review.amends", n=record.get("revision", ""), id=visible(str(record["amends"]))[:8])
            self._column.addWidget(label(said, "meta", wrap=True))
        if sheet.changed or sheet.gone:
            left_out = self.kit.joined(label_of(path, words) for path in sheet.gone)
            said = joined(words("review.differs", n=len(sheet.changed)) if sheet.changed else "", words("review.gone", what=left_out) if left_out else "")
            self._column.addWidget(label(said, "strong", "wait", wrap=True))

    def _own_rows(self, record: Mapping[str, Any], sections: Mapping[str, Any], changed: frozenset[str]) -> list[_Row]:
        person, sources = sections.get("person", {}), record.get("provenance", {})
        section = next(one for one in SECTIONS if one.name == "person")
        categories = self.kit.joined(self.kit.tables.label("practitioner_categories", code, self.kit.lang) for code in record.get("categories", ()))
        own = (self.kit.words("form.categories"), categories, "", "person.categories" in changed, "")
        return [own, *self._rows(section, "person", person, sources, changed)]

    def _rows(self, section: Section, prefix: str, values: Mapping[str, Any], sources: Mapping[str, Any],
              changed: frozenset[str]) -> list[_Row]:
        english = self.kit.words.lang == "en"
        names = [one.name for one in section.fields if one.name in values] + [name for name in values if name not in {one.name for one in section.fields}]
        found: list[_Row] = []
        for name in names:
            one = next((field for field in section.fields if field.name == name), None)
            text = (one.label_en if english else one.label_zh) if one else visible(name)
            source = str(sources.get(f"{prefix}.{name}", {}).get("source", ""))
            found.append((text, value_words(self.kit, section.name, name, values[name]), source, f"{prefix}.{name}" in changed,
                          odd_words(self.kit, values[name]) if one is None or not one.table else ""))
        return found

    def _section(self, section: Section, values: Any, record: Mapping[str, Any], changed: frozenset[str]) -> None:
        sources = record.get("provenance", {})
        rows: Sequence[Mapping[str, Any]] = values if isinstance(values, list) else [values]
        for index, row in enumerate(rows):
            prefix = f"{section.name}[{index}]" if section.repeats else section.name
            self._table(section.name, self._rows(section, prefix, row, sources, changed), index + 1 if len(rows) > 1 else 0)

    def _table(self, name: str, rows: Sequence[_Row], number: int = 0) -> None:
        section = next(one for one in SECTIONS if one.name == name)
        title = section.label_en if self.kit.words.lang == "en" else section.label_zh
        if number < 2:
            self._column.addSpacing(self.kit.look.px("half"))
            self._column.addWidget(label(title, "strong"))
        part = QWidget()
        grid = QGridLayout(part)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(self.kit.look.px("three"))
        grid.setVerticalSpacing(self.kit.look.px("half") + 2)
        for column, stretch in ((0, 0), (1, 1), (2, 0), (3, 1)):
            grid.setColumnStretch(column, stretch)
        for column in (0, 2):
            grid.setColumnMinimumWidth(column, self.kit.look.type("body") * (6 if self.kit.lang == "zh" else 9))
        line, side = 0, 0
        single = self.kit.look.scale >= 150
        grid.addWidget(hairline(), line, 0, 1, 4)
        line += 1
        for text, value, source, is_changed, odd in rows:
            long = single or len(value) > 24 or bool(odd)
            if long and side:
                line, side = line + 1, 0
            grid.addWidget(label(text, "meta"), line, side * 2, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(self._value(value, source, is_changed, odd), line, side * 2 + 1, 1, 3 if long else 1)
            line, side = (line + 1, 0) if side or long else (line, 1)
        self._column.addWidget(part)

    def _value(self, value: str, source: str, changed: bool, odd: str) -> QWidget:
        part = QWidget()
        outer = QVBoxLayout(part)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        row = QHBoxLayout()
        outer.addLayout(row)
        row.setSpacing(self.kit.look.px("half") + 2)
        text = label(value, "strong" if odd or changed else "value", "stop" if odd else "wait" if changed else "", wrap=True)
        text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        text.setWordWrap(len(value) > 24)
        row.addWidget(text, 1 if len(value) > 24 else 0)
        if changed:
            row.addWidget(label(self.kit.words("review.changed"), "pill", "wait"))
        if source in SOURCE_ICONS:
            row.addWidget(IconLabel(self.kit.look, SOURCE_ICONS[source], "faint", self.kit.look.px("icon") - 3, self.kit.words(f"source.{source}")),
                          0, Qt.AlignmentFlag.AlignVCenter)
        row.addStretch(0 if len(value) > 24 else 1)
        if odd:
            outer.addWidget(label(odd, "meta", "stop", wrap=True))
        return part

    def _materials(self, attachments: Sequence[Mapping[str, Any]], pictures: Mapping[str, bytes], changed: frozenset[str]) -> None:
        words = self.kit.words
        self._column.addSpacing(self.kit.look.px("half"))
        self._column.addWidget(label(words("review.materials", n=len(attachments)), "strong"))
        self._column.addWidget(hairline())
        part = QWidget()
        grid = QGridLayout(part)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(self.kit.look.px("three"))
        for at, one in enumerate(attachments):
            cell = QVBoxLayout()
            picture = QLabel()
            picture.setFixedSize(112, 132)
            picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
            set_role(picture, role="thumb")
            image = QImage.fromData(pictures.get(str(one.get("name", "")), b""))
            if not image.isNull():
                picture.setPixmap(QPixmap.fromImage(image).scaled(108, 128, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation))
            else:
                picture.setText(words("review.no_picture"))
            kind = str(one.get("kind", ""))
            try:
                name = attachment_kind(kind).label_en if words.lang == "en" else attachment_kind(kind).label_zh
            except KeyError:
                name = visible(kind)
            cell.addWidget(picture)
            cell.addWidget(label(name, "meta", wrap=True))
            if f"stills.{kind}" in changed:
                cell.addWidget(label(words("review.changed"), "pill", "wait"), 0, Qt.AlignmentFlag.AlignLeft)
            cell.addWidget(label(words("review.pages", n=one.get("pages", 1), trust=self.kit.tables.label("evidence_trust_levels", str(one.get("trust", "")),
                                                                                                          self.kit.lang)), "meta", wrap=True))
            cell.addWidget(label(str(one.get("sha256", "")).removeprefix("sha256:")[:_DIGITS], "code"))
            cell.addStretch(1)
            grid.addLayout(cell, at // 5, at % 5, Qt.AlignmentFlag.AlignTop)
        grid.setColumnStretch(5, 1)
        self._column.addWidget(part)

    def _foot(self, sheet: ReviewSheet) -> None:
        self._column.addWidget(hairline())
        foot = label(self.kit.words("review.foot", id=sheet.record_id, size=sheet.size), "code", wrap=True)
        foot.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._column.addWidget(foot)
