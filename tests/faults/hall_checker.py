"""What must hold of a station at a province after any fault: nothing lost, nothing twice, the store opens, nothing is readable. Beside it couriers with one sin
each, so that the checker can be shown to notice. Never sends anything on: who asks has given the courier its time.
"""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from resources.trouble import Trouble
from sync.courier import Courier
from sync.errors import ProvinceTrouble, SyncTrouble
from sync.journal import verify_lines
from sync.outbox_row import OutboxRow
from tests.contract.province.hall import HallStation
from tests.emulators.province_run import ProvinceRun
from tests.faults.checker import readable_files

__all__ = ["Believing", "Hasty", "faults_at", "renaming"]


def faults_at(hall: HallStation, province: ProvinceRun, kept: Iterable[str], *folders: Path) -> list[str]:
    """All that does not hold, in words, after the program's next start. ``kept``: ids that were said to be kept, all of which had time to be receipted;
    ``folders`` are scanned beside the station's own.
    """
    found, kept = readable_files(hall.folder, *folders), list(kept)
    try:
        hall.reopen()
        verify_lines(hall.journal.lines(), hall.journal.head())
    except Trouble as trouble:
        return [*found, f"the store does not open: {trouble}"]
    there = Counter(one["record_id"] for one in province.look()["records"] if one["station_id"] == hall.station.station_id)
    for record_id in kept:
        row = hall.outbox.row(record_id)
        found += [f"lost: {record_id}"] if row is None else _of_row(hall, row)
        if there[record_id] != 1:
            found.append(f"{'twice' if there[record_id] else 'lost'}: {record_id} is there {there[record_id]} times")
    return found + [f"twice: {record_id} is there beside what was kept" for record_id in there if record_id not in set(kept)]


def _of_row(hall: HallStation, row: OutboxRow) -> list[str]:
    if row.state != "receipted":
        return [f"not sent: {row.record_id} is {row.state}, {row.last_error} {row.reason}"]
    found = [] if _speaks_of(row) else [f"another's receipt: {row.record_id}"]
    try:
        hall.outbox.check_packet(row.record_id)
    except Trouble as trouble:
        found.append(f"the packet of {row.record_id} does not open: {trouble}")
    return found


def _speaks_of(row: OutboxRow) -> bool:
    try:
        receipt = json.loads(base64.b64decode(json.loads(row.receipt or b"{}")["payload"]))
    except (ValueError, KeyError):
        return False
    return (receipt["record_id"], receipt["packet_digest"]) == (row.record_id, row.packet_digest)


# -- sins ---------------------------------------------------------------------------------------------------------------------------------
class Hasty(Courier):
    """Takes whatever became of a request for its success."""

    def _settle(self, row: Any, trouble: SyncTrouble) -> None:
        super()._settle(row, trouble)
        if isinstance(trouble, ProvinceTrouble):
            self._outbox.receipted(row.record_id, b"it will have arrived", self._clock())


class Believing(Courier):
    """Takes any receipt for that of its record."""

    def _take(self, row: Any, untrusted: bytes) -> None:
        self._outbox.receipted(row.record_id, untrusted, self._clock())
        self._served()


def renaming(hall: HallStation, record_id: str) -> str:
    """What a program does that makes a new id per try, once a try failed: the same sitting under a new id, the old row out of the way; the new id."""
    hall.outbox.set_aside(record_id, "tried again under another id")
    return hall.keep()
