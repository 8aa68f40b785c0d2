"""Code tables and the calendar of working days, in editions (FORMATS section 7). Never changes an edition that was told: a change is a new one.

A table is three columns: code, Chinese name, English name; of ``workdays``: day, ``holiday`` or ``workday``, name. What it does not name is worked Monday to
Friday.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from tests.province.jcs import Refused, canon, digest
from tests.province.store import Store

__all__ = ["HEADERS", "TableOffice"]

HEADERS = (["code", "name_zh", "name_en"], ["date", "kind", "name"])


class TableOffice:
    """The tables of one province."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def publish(self, name: str, edition: str, rows: Sequence[Sequence[str]]) -> str:
        """A new edition; the digest of its bytes. Raises Refused where it is not in its form."""
        if not name.isidentifier() or not edition or not rows or not all(len(row) == 3 and all(isinstance(cell, str) for cell in row) for row in rows):
            raise Refused(422, "table.format", "a table has a name, an edition and rows of three texts")
        content = canon({"type": "hall-intake/table/1", "table": name, "rows": [list(row) for row in rows]})
        with self._store.write() as db:
            db.execute("INSERT INTO tables VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET edition = excluded.edition, content = excluded.content",
                       (name, edition, content))
        return digest(content)

    def publish_folder(self, folder: Path, edition: str) -> None:
        """Every CSV file there with one of the headers, where its edition is not there yet."""
        there = {row["name"] for row in self._store.rows("SELECT name FROM tables WHERE edition = ?", edition)}
        for path in sorted(folder.glob("*.csv")):
            rows = list(csv.reader(io.StringIO(path.read_text("utf-8"))))
            if rows and rows[0] in HEADERS and path.stem not in there:
                self.publish(path.stem, edition, [row for row in rows[1:] if row])

    def editions(self) -> dict[str, dict[str, str]]:
        """Body of the downlink ``tables``."""
        rows = self._store.rows("SELECT name, edition, content FROM tables ORDER BY name")
        return {row["name"]: {"edition": row["edition"], "digest": digest(bytes(row["content"]))} for row in rows}

    def content(self, name: str) -> bytes:
        """Raises Refused 404 ``table.unknown``."""
        row = self._store.row("SELECT content FROM tables WHERE name = ?", name)
        if row is None:
            raise Refused(404, "table.unknown", "no such table")
        return bytes(row["content"])

    def after_workdays(self, first: date, count: int) -> date:
        """The last of ``count`` working days that follow ``first``."""
        named = self._calendar()
        day = first
        while count > 0:
            day += timedelta(days=1)
            kind = named.get(day.isoformat(), "")
            count -= kind == "workday" or (kind != "holiday" and day.weekday() < 5)
        return day

    def _calendar(self) -> dict[str, Any]:
        row = self._store.row("SELECT content FROM tables WHERE name = ?", "workdays")
        return {day: kind for day, kind, _ in json.loads(bytes(row["content"]))["rows"]} if row is not None else {}
