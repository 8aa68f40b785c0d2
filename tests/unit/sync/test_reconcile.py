"""The day's sheet from rows, receipts and journal: every contradiction of the three is named by its record."""

from __future__ import annotations

import base64
import json
import uuid
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from sync.canon import canon, digest
from sync.outbox_row import OutboxRow, Summary
from sync.reconcile import KINDS, DaySheet, reconcile

DAY = date(2026, 11, 22)
NOON = datetime(2026, 11, 22, 4, 0, 0, tzinfo=UTC)


def day_of(moment: datetime) -> date:
    return (moment + timedelta(hours=8)).date()


def row(state: str = "receipted", at: datetime = NOON, **changes: Any) -> OutboxRow:
    made = OutboxRow(str(uuid.uuid4()), "op:OP-000017", state, Summary("", ""), "", digest(b"packet"), 6, digest(b"record"), b"signature", (), "", 0, 0,
                     "", at, at)
    made = replace(made, **changes)
    if state in ("receipted", "purged") and "receipt" not in changes:
        made = replace(made, receipt=receipt(made))
    return made


def receipt(one: OutboxRow, **changes: Any) -> bytes:
    payload = {"record_id": one.record_id, "packet_digest": one.packet_digest, "record_digest": one.record_digest, "signature_digest": digest(one.signature),
               "received_at": "2026-11-22T05:00:00Z", "serial": "R-" + one.record_id, **changes}
    return json.dumps({"payload": base64.b64encode(canon(payload)).decode()}).encode()


def told(one: OutboxRow, *more: str, what: str = "record.kept", signed: bool = True, at: datetime = NOON) -> list[bytes]:
    facts = {"packet": one.packet_digest, "signed": signed}
    lines = [(what, facts), *((f"record.{name}", {}) for name in more)]
    return [canon({"type": "hall-intake/journal/1", "seq": 1, "prev": "", "at": at.strftime("%Y-%m-%dT%H:%M:%SZ"), "who": "station", "what": what,
                   "about": one.record_id, "facts": dict(facts)}) for what, facts in lines]


def sheet(rows: list[OutboxRow], journal: list[bytes]) -> DaySheet:
    return reconcile(rows, journal, DAY, day_of)


def test_a_day_where_all_is_there_is_balanced() -> None:
    rows = [row(), row("purged"), row()]
    found = sheet(rows, [line for one in rows for line in told(one, "receipted")])
    assert (found.captured, found.signed, found.sent, found.acknowledged) == (3, 3, 3, 3) and found.balanced and found.acknowledged_that_day == 3


@pytest.mark.parametrize(("state", "kind", "counts"), [
    ("kept", "waiting", (1, 1, 0, 0)), ("uploading", "waiting", (1, 1, 0, 0)), ("uploaded", "unacknowledged", (1, 1, 1, 0)),
    ("set_aside", "set_aside", (1, 1, 0, 0)),
])
def test_what_is_on_its_way_is_named(state: str, kind: str, counts: tuple[int, ...]) -> None:
    one = row(state, last_error="province.busy")
    found = sheet([one], told(one))
    assert (found.captured, found.signed, found.sent, found.acknowledged) == counts and not found.balanced
    assert [(d.record_id, d.kind, d.why) for d in found.differences] == [(one.record_id, kind, "province.busy")]


def test_what_was_never_signed_is_named_and_what_was_signed_later_counts() -> None:
    open_, later = row("kept_unsigned", signature=b""), row()
    found = sheet([open_, later], [*told(open_, signed=False), *told(later, "signed", "receipted", signed=False)])
    assert (found.captured, found.signed, found.acknowledged) == (2, 1, 1) and [d.kind for d in found.differences] == ["unsigned"]


@pytest.mark.parametrize(("kind", "make"), [
    ("row_missing", lambda one: ([], told(one))),
    ("not_in_journal", lambda one: ([one], [])),
    ("kept_twice", lambda one: ([one], [*told(one, "receipted"), *told(one)])),
    ("receipt_missing", lambda one: ([replace(one, receipt=None)], told(one, "receipted"))),
    ("receipt_other", lambda one: ([replace(one, receipt=receipt(one, packet_digest=digest(b"x")))], told(one, "receipted"))),
    ("receipt_other", lambda one: ([replace(one, receipt=b"not json")], told(one, "receipted"))),
    ("receipt_not_in_journal", lambda one: ([one], told(one))),
    ("serial_twice", lambda one: ([one, replace(row(), receipt=receipt(row(), serial="R-" + one.record_id))], told(one, "receipted"))),
])
def test_a_contradiction_of_the_witnesses_is_an_alarm(kind: str, make: Any) -> None:
    one = row()
    found = sheet(*make(one))
    mine = [d.kind for d in found.differences if d.record_id == one.record_id]
    assert kind in mine and KINDS[kind] == "alarm" and not found.balanced and found.differences[0].weight == "alarm"


def test_days_are_the_halls_and_earlier_days_are_told_apart() -> None:
    late = datetime(2026, 11, 21, 16, 30, 0, tzinfo=UTC)  # half past midnight of the 22nd at the hall
    early = datetime(2026, 11, 21, 15, 30, 0, tzinfo=UTC)
    today, before, after = row("kept", late), row("kept", early), row("kept", NOON + timedelta(days=1))
    found = sheet([today, before, after], [*told(today, at=late), *told(before, at=early), *told(after, at=NOON + timedelta(days=1))])
    assert found.captured == 1 and [d.record_id for d in found.differences] == [today.record_id] and [d.record_id for d in found.earlier] == [before.record_id]


def test_what_another_station_captured_counts_apart() -> None:
    one = row(origin=str(uuid.uuid4()))
    found = sheet([one], told(one, "receipted", what="record.imported"))
    assert (found.captured, found.carried_in, found.acknowledged_that_day) == (0, 1, 1) and found.balanced
