"""What of the queue is next, what waits for what, and what may be forgotten: questions to the rows. Never changes one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

from sync.draft import time_text
from sync.outbox_row import RETURNED
from sync.panel import Waits
from sync.receipt import received_at
from sync.sqlcipher import Connection

__all__ = ["DUE", "forgettable", "next_due_id", "next_try_at", "waiting"]

DUE = ("kept", "uploading", "uploaded")
_UNSENT = "state NOT IN ('receipted', 'purged', 'replaced')"
"""In the very words of the index ``outbox_waits``: so the rows themselves, with their signatures, are not read."""
_LANES = (("uploaded",), ("kept", "uploading"))
"""Small messages first: a record that is up lacks only its submission."""
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_WAIT = timedelta(days=1)
"""No back-off is as long, and a province that asks for more is asked again once a day."""


def next_due_id(rows: Connection, now: datetime) -> str | None:
    """The signed record that has been due the longest; one that is up comes before one that is not.

    A next try further away than any wait can be was set by a wrong clock: it is due.
    """
    for (what, than), states in product((("next_try_at <= ?", now), ("next_try_at > ?", now + _LONGEST_WAIT)), _LANES):
        one = (f"SELECT * FROM (SELECT next_try_at, kept_at, record_id FROM outbox WHERE state = ? AND {what}"
               " ORDER BY next_try_at, kept_at, record_id LIMIT 1)")  # one for each state: the index gives it without sorting
        values = [value for state in states for value in (state, time_text(than))]
        found = rows.execute(" UNION ALL ".join([one] * len(states)), values).fetchall()
        if found:
            return str(min(found)[2])
    return None


def next_try_at(rows: Connection) -> datetime | None:
    """When the next record falls due, or None where nothing waits to be sent."""
    found = rows.execute("SELECT min(next_try_at) FROM outbox WHERE state IN (?, ?, ?)", DUE).fetchone()
    return datetime.fromisoformat(found[0]) if found and found[0] else None


def waiting(rows: Connection) -> tuple[Waits, ...]:
    """What of this machine is not receipted, by state and reason; whoever kept it. The reason of what was set aside is the one it was set aside for."""
    found = rows.execute("SELECT state, CASE state WHEN 'set_aside' THEN reason ELSE last_error END, count(*), sum(packet_size), min(next_try_at)"
                         f" FROM outbox WHERE {_UNSENT} GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2").fetchall()
    return tuple(Waits(str(state), str(why), int(count), int(size), datetime.fromisoformat(at) if state in DUE else None)
                 for state, why, count, size, at in found)


def forgettable(rows: Connection, now: datetime, retention_days: int) -> tuple[str, ...]:
    """Records whose receipt is older than the retention, by this station's clock of then and by the province's time in it.

    Not while a sitting corrects it. What came back and has no correction yet stays for as long after it came back, and until its correction is due.
    """
    before = now - timedelta(days=retention_days)
    found = rows.execute(
        "SELECT record_id, receipt FROM outbox WHERE state = 'receipted' AND receipted_at <= ?"
        " AND NOT EXISTS (SELECT 1 FROM drafts WHERE amends = outbox.record_id AND amends != '')"
        f" AND NOT (remote_state IN ({', '.join('?' * len(RETURNED))}) AND amended_by = '' AND (remote_at > ? OR coalesce(remote_until, '') >= ?))"
        " ORDER BY receipted_at", (time_text(before), *RETURNED, time_text(before), now.astimezone(UTC).date().isoformat())).fetchall()
    return tuple(str(record_id) for record_id, receipt in found if (received_at(bytes(receipt)) or _LONG_AGO) <= before)
