"""Code tables, read from resources/tables. Never translates a code for another system: that is done at the border (province.py)."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import resources

__all__ = ["Row", "Tables"]

_HEADERS = (["code", "name_zh", "name_en"], ["date", "kind", "name"])


@dataclass(frozen=True, slots=True)
class Row:
    """A code and its names."""

    code: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Tables:
    """All code tables of this edition, by name."""

    by_name: Mapping[str, tuple[Row, ...]]

    @classmethod
    def load(cls) -> Tables:
        """Every table with the header code,name_zh,name_en, and the calendar (date,kind,name). Raises FileNotFoundError where there are none."""
        found: dict[str, tuple[Row, ...]] = {}
        for entry in resources.find("tables").iterdir():
            if not entry.name.endswith(".csv"):
                continue
            rows = list(csv.reader(io.StringIO(entry.read_text("utf-8"))))
            if rows and rows[0] in _HEADERS:
                found[entry.name.removesuffix(".csv")] = tuple(Row(*row) for row in rows[1:] if row)
        return cls(MappingProxyType(found))

    def rows(self, table: str) -> tuple[Row, ...]:
        """All rows of ``table`` in their order. Raises KeyError."""
        return self.by_name[table]

    def has(self, table: str, code: str) -> bool:
        return any(row.code == code for row in self.rows(table))

    def label(self, table: str, code: str, lang: str = "zh") -> str:
        """The name of a code; an unknown code is shown as itself, never hidden."""
        for row in self.rows(table):
            if row.code == code:
                return row.en if lang == "en" else row.zh
        return code
