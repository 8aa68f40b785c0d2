"""Whole sittings in a real store, kept as a desk keeps them: for tests of what becomes of a record afterwards. Never signs for earnest."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sync.canon import canon, digest
from sync.draft import Draft, Source
from sync.freeze import Sitting, freeze
from sync.outbox import OutboxRow, Summary
from sync.seal import seal
from sync.tables import Tables
from tests.emulators.records import STATION_ID, Room
from tests.flows.sample import full_draft

__all__ = ["AT", "SITTING", "keep", "lines", "receipt_all", "row", "sitting"]

SITTING = Sitting(STATION_ID, "510100-01", "07", "OP-000017", "王敏", digest(b"certificate"), True)
AT = datetime(2026, 11, 22, 6, 2, tzinfo=UTC)
_TABLES = Tables.load()


def sitting(room: Room) -> Draft:
    """A whole parked draft with two pictures, a list of values, a row, a chip value and evidence."""
    one = replace(full_draft(f"d-{uuid.uuid4()}"), stills=(), face={"band": "same", "way": "model"})
    one = one.take("person.name_zh", "李国强", Source.CHIP, by="OP-000017", at=AT, device="reader 1")
    room.parked.put(one)
    for kind in ("portrait", "skill_certificate"):
        still = room.parked.add_still(one.draft_id, kind, "image/jpeg", kind.encode() * 9, "A", 2)
        one = one.with_still(still)
    room.parked.put(one)
    return one


def keep(room: Room, draft: Draft) -> str:
    """The sitting as a kept record, frozen, sealed, with a signature that nobody looks at; its id."""
    record_id = str(uuid.uuid4())
    record = freeze(draft, SITTING, _TABLES, record_id, AT)
    parts = [(one.name, room.parked.still(still.still_id)) for one, still in zip(record.attachments, draft.stills, strict=True)]
    exact = canon(record.as_json())
    sealed = seal(exact, parts, record_id, STATION_ID, room.to, room.to)
    room.outbox.keep(sealed, digest(exact), b"p7s", (), draft.owner, Summary("李国强", "0018", ("4",)), draft_id=draft.draft_id)
    return record_id


def row(room: Room, record_id: str) -> OutboxRow:
    """A row that must be there."""
    found = room.outbox.row(record_id)
    assert found is not None
    return found


def lines(room: Room, about: str) -> list[tuple[str, Any]]:
    """What the journal tells of a record: each line's ``what`` and facts."""
    told = [json.loads(line) for line in room.journal.lines()]
    return [(one["what"], one["facts"]) for one in told if one["about"] == about]


def receipt_all(room: Room, record_id: str) -> None:
    """The record, sent and receipted."""
    for state in ("uploading", "uploaded"):
        room.outbox.mark(record_id, state)
    room.outbox.receipted(record_id, b"receipt")
