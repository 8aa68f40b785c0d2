"""The end of a day: captured = signed = sent = acknowledged, from rows, receipts and journal; every difference is named by its record.

Pure: reads nothing by itself, changes nothing, asks nobody. Three witnesses that could contradict each other are held against each other: the journal (what was
kept, and when), the row (where it is), and the province's own receipt (what it has).
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, cast

from sync.canon import digest, parse_canonical, parse_json
from sync.errors import FormatTrouble
from sync.members import parse_time
from sync.outbox_row import OutboxRow

__all__ = ["KINDS", "DaySheet", "Difference", "reconcile"]

KINDS = {
    "unsigned": "waits", "waiting": "waits", "unacknowledged": "waits", "set_aside": "person",
    "row_missing": "alarm", "not_in_journal": "alarm", "kept_twice": "alarm", "receipt_other": "alarm", "receipt_missing": "alarm",
    "receipt_not_in_journal": "alarm", "serial_twice": "alarm", "replaced_otherwise": "alarm", "amended_otherwise": "alarm", "replaced": "settled",
}
"""Kind of a difference -> how grave: ``waits`` mends itself in time, ``person`` needs somebody, ``alarm`` must never be; ``settled`` is none any more."""

_SENT = ("uploaded", "receipted", "purged")


@dataclass(frozen=True, slots=True)
class Difference:
    """One record that keeps the four counts apart, or a witness that contradicts another. ``why``: a trouble's code, or empty; ``since``: when it was kept;
    ``by``: the record that came in its place, where it was repaired.
    """

    record_id: str
    kind: str
    state: str = ""
    why: str = ""
    since: datetime | None = None
    by: str = ""

    @property
    def weight(self) -> str:
        return KINDS[self.kind]


@dataclass(frozen=True, slots=True)
class DaySheet:
    """One day at this station, as it stands now. ``carried_in``: taken over from other stations that day; ``acknowledged_that_day``: receipts of that day.

    ``earlier``: differences of records that were captured before the day. ``replaced``: of that day, repaired since; no open difference, and not counted: the
    record that came in the place of such a one is, on its own day.
    """

    day: date
    captured: int
    signed: int
    sent: int
    acknowledged: int
    carried_in: int
    acknowledged_that_day: int
    differences: tuple[Difference, ...]
    earlier: tuple[Difference, ...]
    replaced: tuple[Difference, ...] = ()

    @property
    def balanced(self) -> bool:
        """Nothing of the day, and nothing of the days before, is open."""
        return self.captured == self.signed == self.sent == self.acknowledged and not self.differences and not self.earlier


@dataclass(slots=True)
class _Story:
    """What the journal tells of one record."""

    kept: list[datetime] = field(default_factory=list[datetime])
    signed: bool = False
    carried: bool = False
    receipted: bool = False
    replaced_by: str = ""
    amended_by: str = ""


def reconcile(rows: Iterable[OutboxRow], journal: Iterable[bytes], day: date, day_of: Callable[[datetime], date]) -> DaySheet:
    """The sheet of ``day``. ``journal``: all lines, whose chain was verified before (``sync.journal.verify_lines``); ``day_of``: the hall's date of a moment.

    Raises FormatTrouble for a line that is none.
    """
    stories = _stories(journal)
    here = {row.record_id: row for row in rows}
    receipts = {record_id: receipt for record_id, row in here.items() if (receipt := _receipt(row)) is not None}
    twice = {serial for serial, count in Counter(str(one.get("serial")) for one in receipts.values()).items() if count > 1}
    found: dict[str, list[Difference]] = {}
    for record_id in {**stories, **here}:
        found[record_id] = _differences(record_id, here.get(record_id), stories.get(record_id), receipts.get(record_id), twice)
    _hold_against(found, here, stories)
    days = {record_id: day_of(moment) for record_id in found if (moment := _captured_at(here.get(record_id), stories.get(record_id))) is not None}
    today = [record_id for record_id, captured in days.items() if captured == day
             and not _is_carried(here.get(record_id), stories.get(record_id)) and not (record_id in here and here[record_id].state == "replaced")]
    return DaySheet(
        day, len(today), sum(_is_signed(here.get(one), stories.get(one)) for one in today), sum(one in here and here[one].state in _SENT for one in today),
        sum(one in receipts and _is_for(receipts[one], here[one]) for one in today),
        sum(captured == day and _is_carried(here.get(one), stories.get(one)) for one, captured in days.items()),
        sum(_received_on(one, day, day_of) for one in receipts.values()),
        _sorted(one for record_id, captured in days.items() if captured == day for one in found[record_id]),
        _sorted(one for record_id, captured in days.items() if captured < day for one in found[record_id]),
        _sorted(Difference(row.record_id, "replaced", row.state, row.reason, row.kept_at, row.replaced_by) for record_id, captured in days.items()
                if captured == day and (row := here.get(record_id)) is not None and row.state == "replaced"),
    )


def _stories(journal: Iterable[bytes]) -> dict[str, _Story]:
    stories: dict[str, _Story] = {}
    for untrusted in journal:
        line = parse_canonical(untrusted, "journal")
        what, about = str(line.get("what", "")), str(line.get("about", ""))
        if not about or not what.startswith("record."):
            continue
        story = stories.setdefault(about, _Story())
        if what in ("record.kept", "record.imported") and _facts(line).get("packet") is not None:
            story.kept.append(parse_time(line.get("at"), "journal.at"))
            story.carried = story.carried or what == "record.imported"
        story.signed = story.signed or what == "record.signed" or (what == "record.kept" and _facts(line).get("signed") is True)
        if what == "record.replaced":
            story.replaced_by = str(_facts(line).get("by", ""))
        if what == "record.amended":
            story.amended_by = str(_facts(line).get("by", ""))
        story.receipted = story.receipted or what == "record.receipted"
    return stories


def _facts(line: Mapping[str, Any]) -> Mapping[str, Any]:
    facts: Any = line.get("facts")
    return cast("Mapping[str, Any]", facts) if isinstance(facts, dict) else {}


def _receipt(row: OutboxRow) -> Mapping[str, Any] | None:
    """The payload of the row's receipt, whose signature was verified before it was kept; empty where it cannot be read."""
    if row.receipt is None:
        return None
    try:
        return parse_json(base64.b64decode(str(parse_json(row.receipt, "receipt").get("payload", ""))), "receipt")
    except (FormatTrouble, ValueError):
        return {}


def _is_for(receipt: Mapping[str, Any], row: OutboxRow) -> bool:
    expected = {"record_id": row.record_id, "packet_digest": row.packet_digest, "record_digest": row.record_digest, "signature_digest": digest(row.signature)}
    return all(receipt.get(name) == value for name, value in expected.items())


def _is_signed(row: OutboxRow | None, story: _Story | None) -> bool:
    return bool(row is not None and row.signature) and (story is None or story.signed or story.carried)


def _is_carried(row: OutboxRow | None, story: _Story | None) -> bool:
    return bool((row is not None and row.origin) or (story is not None and story.carried))


def _captured_at(row: OutboxRow | None, story: _Story | None) -> datetime | None:
    if story is not None and story.kept:
        return story.kept[0]
    return row.kept_at if row is not None else None


def _received_on(receipt: Mapping[str, Any], day: date, day_of: Callable[[datetime], date]) -> bool:
    try:
        return day_of(parse_time(receipt.get("received_at"), "received_at")) == day
    except FormatTrouble:
        return False


def _differences(record_id: str, row: OutboxRow | None, story: _Story | None, receipt: Mapping[str, Any] | None, twice: set[str]) -> list[Difference]:
    kept = story is not None and bool(story.kept)
    if row is None:
        return [Difference(record_id, "row_missing", since=story.kept[0])] if story is not None and kept else []
    found: list[str] = []
    if not kept:
        found.append("not_in_journal")
    elif story is not None and len(story.kept) > 1:
        found.append("kept_twice")
    if row.state in ("receipted", "purged"):
        if receipt is None:
            found.append("receipt_missing")
        elif not _is_for(receipt, row):
            found.append("receipt_other")
        elif str(receipt.get("serial")) in twice:
            found.append("serial_twice")
        if kept and story is not None and not story.receipted:
            found.append("receipt_not_in_journal")
    elif row.state == "replaced":
        pass  # its replacement is in its place: _hold_against
    elif row.state in ("kept_unsigned", "signing"):
        found.append("unsigned")
    else:
        found.append({"set_aside": "set_aside", "uploaded": "unacknowledged"}.get(row.state, "waiting"))
    return [Difference(record_id, kind, row.state, row.reason or row.last_error, row.kept_at) for kind in found]


def _hold_against(found: dict[str, list[Difference]], here: Mapping[str, OutboxRow], stories: Mapping[str, _Story]) -> None:
    """Repairs and corrections: row and journal must name the same other record, and it must be here."""
    for record_id, row in here.items():
        story = stories.get(record_id)
        told = story.replaced_by if story is not None else ""
        if (told or row.state == "replaced") and (row.state != "replaced" or told != row.replaced_by or told not in here or told == record_id):
            found[record_id].append(Difference(record_id, "replaced_otherwise", row.state, row.reason, row.kept_at, row.replaced_by or told))
        told = story.amended_by if story is not None else ""
        if (told or row.amended_by) and (told != row.amended_by or told not in here or here[told].amends != record_id):
            found[record_id].append(Difference(record_id, "amended_otherwise", row.state, row.reason, row.kept_at))


def _sorted(differences: Iterable[Difference]) -> tuple[Difference, ...]:
    grave = {"alarm": 0, "person": 1, "waits": 2, "settled": 3}
    return tuple(sorted(differences, key=lambda one: (grave[one.weight], one.since.timestamp() if one.since else 0.0, one.record_id)))
