"""What the list of one person's kept records shows: newest first, page by page, and always what asks for somebody. Never changes a row.

Every question is answered from an index: what a station kept in years costs no more than what it kept today.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sync.draft import time_text
from sync.outbox_row import COLUMNS, RETURNED, OutboxRow, row_of
from sync.sqlcipher import Connection
from sync.store import Store

__all__ = ["WAITING", "newest", "pressing", "tally"]

WAITING = ("kept", "uploading", "uploaded", "kept_unsigned", "signing")
_ASKING = (*WAITING, "set_aside")
_BACK = f"remote_state IN ({', '.join(repr(one) for one in RETURNED)}) AND amended_by = ''"
"""As the partial index of schema 003 says it. A record whose correction is kept asks for nobody."""


def newest(store: Store, owner: str, limit: int, before: OutboxRow | None = None) -> tuple[OutboxRow, ...]:
    """The rows that were kept last, newest first; ``before`` is the last row of the page above. Raises StoreTrouble."""
    where, values = ("", ()) if before is None else ("AND (kept_at, record_id) < (?, ?)", (time_text(before.kept_at), before.record_id))
    with store.read() as rows:
        return _rows(rows, f"owner = ? {where}", (owner, *values), limit)


def pressing(store: Store, owner: str, limit: int) -> tuple[OutboxRow, ...]:
    """The newest rows of each kind that waits, is set aside or came back; at most ``limit`` of a kind. In no order. Raises StoreTrouble."""
    with store.read() as rows:
        found = [row for state in _ASKING for row in _rows(rows, "owner = ? AND state = ?", (owner, state), limit)]
        found += _rows(rows, f"owner = ? AND {_BACK}", (owner,), limit)
    return tuple({row.record_id: row for row in found}.values())


def tally(store: Store, owner: str, begin: datetime, end: datetime) -> Mapping[str, int]:
    """How many wait, are set aside, came back or are unsigned; of those kept from ``begin`` until ``end``, how many there are and how many the province has."""
    with store.read() as rows:
        def count(where: str, *values: object) -> int:
            found = rows.execute(f"SELECT count(*) FROM outbox WHERE owner = ? AND {where}", (owner, *values)).fetchone()
            return int(found[0]) if found else 0

        day = (time_text(begin), time_text(end))
        return {
            "waiting": sum(count("state = ?", state) for state in WAITING), "set_aside": count("state = 'set_aside'"), "returned": count(_BACK),
            "unsigned": count("state = 'kept_unsigned'"),
            "today": count("kept_at >= ? AND kept_at < ? AND state != 'replaced'", *day),
            "uploaded": sum(count("state = ? AND kept_at >= ? AND kept_at < ?", state, *day) for state in ("receipted", "purged")),
        }


def _rows(rows: Connection, where: str, values: Sequence[object], limit: int) -> tuple[OutboxRow, ...]:
    found = rows.execute(f"SELECT {COLUMNS} FROM outbox WHERE {where} ORDER BY kept_at DESC, record_id DESC LIMIT ?", (*values, limit)).fetchall()
    return tuple(row_of(one) for one in found)
