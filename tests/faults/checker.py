"""What must hold after any crash: nothing acknowledged is lost, nothing is there twice, everything opens, nothing is readable. Never repairs anything."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from resources.trouble import Trouble
from sync.journal import verify_lines
from sync.seal import PublicKeyInfo
from sync.store import Keys
from tests.emulators.records import MARKS, OWNER, OneKey, Room, open_room_with
from tests.faults.keeper import serial_of

__all__ = ["faults_after", "readable_files"]

_ORPHANS = 2
"""Files that one crash can leave: a packet and its slip go as one, a still."""


def readable_files(*folders: Path) -> list[str]:
    """Files under ``folders`` in which a synthetic person's name, number or picture can be read."""
    return [f"{file.name} is readable" for folder in folders for file in folder.rglob("*")
            if file.is_file() and any(mark in file.read_bytes() for mark in MARKS)]


def faults_after(folder: Path, keys: bytes | Keys, to: PublicKeyInfo, acknowledged: Iterable[str], drafts: int = 1) -> list[str]:
    """All that does not hold, in words; ``acknowledged``: lines of ``record id, serial``, or ``draft, serial`` for a draft that was said to be parked, or
    ``still:id, serial`` for a picture of it;
    ``drafts``: how many there may be at most.

    Sweeps, as a start of the program does.
    """
    readable, acknowledged = readable_files(folder), list(acknowledged)
    if acknowledged and not (folder / "store.check").exists():
        return [*readable, "acknowledged before there was a store"]
    try:
        with open_room_with(folder, OneKey(keys) if isinstance(keys, bytes) else keys, to) as room:
            swept = room.outbox.begin()
            found = readable + _faults(room, [line.split() for line in acknowledged], drafts)
            if len(swept.dropped) > _ORPHANS or swept.kept:
                found.append(f"more orphans than one crash can leave: {swept}")
            return found
    except Trouble as trouble:
        return [*readable, f"the store does not open: {trouble}"]


def _faults(room: Room, acknowledged: list[list[str]], most_drafts: int) -> list[str]:
    rows = {row.record_id: row for row in room.outbox.rows(limit=1_000_000)}
    found = [f"lost: {record_id}" for record_id, _ in acknowledged if record_id != "draft" and ":" not in record_id and record_id not in rows]
    serials: Counter[int] = Counter()
    for record_id, row in rows.items():
        try:
            room.outbox.check_packet(record_id)
            if row.state == "replaced":
                if row.replaced_by not in rows:
                    found.append(f"{record_id} is replaced by nothing")
            elif row.state == "purged" or row.owner.startswith("st:"):
                serials[-len(serials)] += 1
            else:
                serials[int(json.loads(room.outbox.open_packet(record_id)[0].content)["serial"])] += 1
        except Trouble as trouble:
            found.append(f"{record_id} does not open: {trouble}")
        other = rows.get(row.amended_by)
        if row.amended_by and (other is None or other.amends != record_id) or row.amends and rows[row.amends].amended_by != record_id:
            found.append(f"{record_id} and its correction do not name each other")
    drafts = room.parked.list(OWNER)
    for one in drafts:
        if not one.replaces:
            serials[serial_of(one)] += 1
        elif one.replaces not in rows or rows[one.replaces].state != "set_aside":  # the record itself is still there while it is repaired
            found.append(f"{one.draft_id} repairs what is not set aside")
        if one.amends is not None and not rows[one.amends.record_id].returned:
            found.append(f"{one.draft_id} corrects what asks for no correction")
        found += [f"still lost: {still.still_id}" for still in one.stills if not room.parked.still(still.still_id)]
    stills = {f"still:{still.still_id}" for one in drafts for still in one.stills}
    parked = {serial_of(one) for one in drafts}
    found += [f"picture lost: {what}" for what, serial in acknowledged if ":" in what and int(serial) in parked and what not in stills]
    found += [f"twice: {serial}" for serial, count in serials.items() if count > 1]
    found += [f"draft lost: {serial}" for what, serial in acknowledged if what == "draft" and int(serial) not in serials]
    if len(drafts) > most_drafts:
        found.append(f"{len(drafts)} drafts of one desk")
    chain = [json.loads(line) for line in room.journal.lines()]
    verify_lines(room.journal.lines(), room.journal.head())
    if Counter(line["about"] for line in chain if line["what"] == "record.kept") != Counter(list(rows)):
        found.append("the journal and the rows differ")
    if set(room.blobs.ids()) != room.store.blob_ids():
        found.append("files and rows differ after the sweep")
    if slips := {one.stem for one in room.blobs.folder.glob("*.slip")} - set(room.blobs.ids()):
        found.append(f"slips without packets: {slips}")
    return found
