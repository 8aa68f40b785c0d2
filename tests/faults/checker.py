"""What must hold after any crash: nothing acknowledged is lost, nothing is there twice, everything opens, nothing is readable. Never repairs anything."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from resources.trouble import Trouble
from sync.journal import verify_lines
from sync.seal import PublicKeyInfo
from tests.emulators.records import MARKS, OWNER, Room, open_room
from tests.faults.keeper import serial_of

__all__ = ["faults_after"]


def faults_after(folder: Path, key: bytes, to: PublicKeyInfo, acknowledged: Iterable[str]) -> list[str]:
    """All that does not hold, in words; ``acknowledged``: lines of ``record id, serial``. Sweeps, as a start of the program does."""
    readable = [f"{file.name} is readable" for file in folder.rglob("*") if file.is_file() and any(mark in file.read_bytes() for mark in MARKS)]
    if not (folder / "store.check").exists():
        return readable + (["acknowledged before there was a store"] if list(acknowledged) else [])
    try:
        with open_room(folder, key, to) as room:
            swept = room.outbox.begin()
            found = readable + _faults(room, [line.split() for line in acknowledged])
            if len(swept.dropped) > 1 or swept.kept:
                found.append(f"more orphans than one crash can leave: {swept}")
            return found
    except Trouble as trouble:
        return [*readable, f"the store does not open: {trouble}"]


def _faults(room: Room, acknowledged: list[list[str]]) -> list[str]:
    rows = {row.record_id: row for row in room.outbox.rows(limit=1_000_000)}
    found = [f"lost: {record_id}" for record_id, _ in acknowledged if record_id not in rows]
    serials: Counter[int] = Counter()
    for record_id in rows:
        try:
            room.outbox.check_packet(record_id)
            serials[int(json.loads(room.outbox.open_packet(record_id)[0].content)["serial"])] += 1
        except Trouble as trouble:
            found.append(f"{record_id} does not open: {trouble}")
    drafts = room.parked.list(OWNER)
    for one in drafts:
        serials[serial_of(one)] += 1
        found += [f"still lost: {still.still_id}" for still in one.stills if not room.parked.still(still.still_id)]
    found += [f"twice: {serial}" for serial, count in serials.items() if count > 1]
    if len(drafts) > 1:
        found.append(f"{len(drafts)} drafts of one desk")
    chain = [json.loads(line) for line in room.journal.lines()]
    verify_lines(room.journal.lines(), room.journal.head())
    if Counter(line["about"] for line in chain if line["what"] == "record.kept") != Counter(list(rows)):
        found.append("the journal and the rows differ")
    if set(room.blobs.ids()) != room.store.blob_ids():
        found.append("files and rows differ after the sweep")
    return found
