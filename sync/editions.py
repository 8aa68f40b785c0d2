"""Code tables and the calendar as the province sends them: fetched by the digest that it signed, kept as exact bytes, laid over those of the product.

Never takes a table whose bytes are not the signed ones, and never takes a shipped table away.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

from sync.canon import canon, digest, parse_canonical
from sync.errors import FormatTrouble, SignatureInvalid
from sync.members import Members
from sync.station import StationStore, Tx, put_rows, read_rows
from sync.tables import Row, Tables
from sync.workdays import CALENDAR, Workdays

__all__ = ["AsksTables", "TableStation", "current", "fetch", "missing", "read_table", "table_bytes", "workdays"]

_ROW = "table."
_MOST_ROWS = 100_000


class Edition(Protocol):
    """What of ``sync.downlink.TableEdition`` is read."""

    @property
    def digest(self) -> str: ...


class TableStation(Protocol):
    """What of ``sync.station.Station`` is read: name -> edition that the province counts by."""

    @property
    def tables(self) -> Mapping[str, Edition]: ...


class AsksTables(Protocol):
    """What of ``sync.province.Province`` is asked."""

    def table(self, name: str) -> bytes: ...


def table_bytes(name: str, rows: Sequence[Row]) -> bytes:
    """The bytes of FORMATS section 7 that a digest is of."""
    return canon({"type": "hall-intake/table/1", "table": name, "rows": [[row.code, row.zh, row.en] for row in rows]})


def read_table(untrusted: bytes, name: str, wanted: str) -> tuple[Row, ...]:
    """The rows of a table whose digest is ``wanted``. Raises SignatureInvalid (why: ``other_table``), FormatTrouble."""
    if digest(untrusted) != wanted:
        raise SignatureInvalid(f"the table {name} is not the one that was signed for", why="other_table")
    members = Members(parse_canonical(untrusted, "table"), "table", ("type", "table", "rows"))
    members.be("type", "hall-intake/table/1")
    members.be("table", name)
    found: list[Row] = []
    for cells in members.array("rows"):
        if not isinstance(cells, list) or len(cells) != 3 or not all(isinstance(cell, str) for cell in cells):  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
            raise FormatTrouble("a row is not three texts", what="table.rows")
        found.append(Row(*(str(cell) for cell in cells)))  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    if not 0 < len(found) <= _MOST_ROWS or len({row.code for row in found}) != len(found):
        raise FormatTrouble("a table has rows, each code once", what="table.rows")
    if name == CALENDAR:
        Workdays.of(found)
    return tuple(found)


def missing(station: TableStation, shipped: Tables, store: StationStore) -> tuple[str, ...]:
    """Tables of the signed list that stand neither in the product nor in the store in that edition."""
    own, kept = _digests(shipped), read_rows(store)
    return tuple(name for name, edition in sorted(station.tables.items())
                 if own.get(name) != edition.digest and digest(kept.get(_ROW + name, b"")) != edition.digest)


Tell = Callable[[Tx, str, tuple[Row, ...], tuple[Row, ...]], None]
"""Writes down what came: the table, its rows before and now."""


def fetch(province: AsksTables, station: TableStation, shipped: Tables, store: StationStore, tell: Tell) -> None:
    """Fetches and keeps what is missing; ``tell`` writes each down in the very transaction that keeps it.

    Raises the kinds of ProvinceTrouble, SignatureInvalid and FormatTrouble at the first that is refused; those before it are kept.
    """
    for name in missing(station, shipped, store):
        untrusted = province.table(name)
        rows = read_table(untrusted, name, station.tables[name].digest)
        before = _kept_rows(store, shipped, name)
        with store.write() as tx:
            put_rows(tx, {_ROW + name: untrusted})
            tell(tx, name, before, rows)


def current(shipped: Tables, station: TableStation, store: StationStore) -> Tables:
    """The tables that count: those of the signed list that are here, and the shipped ones beside them.

    A table whose newest edition has not come yet stands as it was before.
    """
    found = dict(shipped.by_name)
    for name in station.tables:
        if rows := _kept_rows(store, shipped, name):
            found[name] = rows
    return Tables(MappingProxyType(found))


def workdays(tables: Tables) -> Workdays:
    """The calendar among ``tables``; where there is none, nothing but weekends is known."""
    return Workdays.of(tables.by_name.get(CALENDAR, ()))


def _digests(shipped: Tables) -> dict[str, str]:
    return {name: digest(table_bytes(name, rows)) for name, rows in shipped.by_name.items()}


def _kept_rows(store: StationStore, shipped: Tables, name: str) -> tuple[Row, ...]:
    """As they were kept; they were signed for when they came."""
    kept = read_rows(store).get(_ROW + name)
    return read_table(kept, name, digest(kept)) if kept is not None else shipped.by_name.get(name, ())
