"""What a collector does at a station of the contract tests: a sitting, kept; a repair or a correction; the day's sheet. Never a window."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from sync.canon import canon, digest
from sync.draft import Draft
from sync.freeze import Sitting, freeze
from sync.outbox import Summary
from sync.parked import Parked
from sync.reconcile import DaySheet, reconcile
from sync.repair import reopen
from sync.seal import seal
from sync.signing import make_signature
from sync.tables import Tables
from tests.contract.province.hall import HALL, WINDOW, HallStation
from tests.flows.sample import full_draft

__all__ = ["OWNER", "Desk"]

OWNER = "op:OP-000017"


@dataclass
class Desk:
    """``hall``: the station with its outbox and courier."""

    hall: HallStation

    @property
    def parked(self) -> Parked:
        return Parked(self.hall.store, self.hall.blobs, lambda: datetime.now(UTC))

    def sitting(self, sam: str) -> Draft:
        one = full_draft(f"d-{uuid.uuid4()}")
        one = replace(one, stills=(), card={**(one.card or {}), "sam": sam})
        self.parked.put(one)
        for kind in ("portrait", "skill_certificate"):
            one = one.with_still(self.parked.add_still(one.draft_id, kind, "image/jpeg", kind.encode() * 200))
        self.parked.put(one)
        return one

    def keep(self, draft: Draft) -> str:
        hall, record_id, now = self.hall, str(uuid.uuid4()), datetime.now(UTC)
        collector = hall.people.collector
        sitting = Sitting(hall.station.station_id, HALL, WINDOW, "OP-000017", "练习员", digest(collector.certificate), True)
        record = freeze(draft, sitting, Tables.load(), record_id, now)
        parts = [(one.name, self.parked.still(still.still_id)) for one, still in zip(record.attachments, draft.stills, strict=True)]
        exact = canon(record.as_json())
        sealed = seal(exact, parts, record_id, hall.station.station_id, hall.station.intake, hall.station.recovery)
        hall.outbox.keep(sealed, digest(exact), make_signature(exact, collector, now), (), OWNER, Summary("练习人", "0012", ("4",)), draft_id=draft.draft_id)
        return record_id

    def repair(self, record_id: str) -> Draft:
        """The sitting in which a record is repaired or corrected."""
        hall = self.hall
        found = self.parked.get(reopen(hall.outbox, self.parked, hall.journal, record_id, OWNER, lambda one: hall.province.record(one) is not None,
                                       str(uuid.uuid4()), datetime.now(UTC)))
        assert found is not None
        return found

    def sheet(self) -> DaySheet:
        return reconcile(self.hall.outbox.rows(), self.hall.journal.lines(), self._day(datetime.now(UTC)), self._day)

    def _day(self, at: datetime) -> date:
        return (at + timedelta(hours=8)).date()
