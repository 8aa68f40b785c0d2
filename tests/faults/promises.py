"""What a desk said before it was killed, and whether it holds afterwards. Never repairs anything, and sweeps only as a start of the program does."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from desktop.rooms import Rooms, open_rooms
from resources.trouble import Trouble
from sync.journal import verify_lines
from sync.outbox_row import OutboxRow

__all__ = ["PERSONAL", "Promises", "readable"]

_TEXTS = ("李练工", "51000019900512001", "13800000000", "练习路12号")
"""Name, number (without its check digit), mobile and address of the practice card's person."""
_BYTES = (b"SYNTHETIC PHOTO", bytes.fromhex("FFD8FFE000104A464946"), b"%PDF-")
"""The chip's photo, and how every JPEG and PDF begins."""


PERSONAL = (*dict.fromkeys(text.encode(code) for text in _TEXTS for code in ("utf-8", "utf-16-le", "gb18030")), *_BYTES)
"""What must not stand in any file of the station."""


def readable(*folders: Path, known: dict[Path, tuple[int, int]] | None = None) -> list[str]:
    """Files in which something of the person stands in clear. ``known``: files that were looked at before, left out while size and time are the same."""
    found: list[str] = []
    for path in (one for folder in folders for one in folder.rglob("*") if one.is_file()):
        stamp = (path.stat().st_size, path.stat().st_mtime_ns)
        if known is not None and known.get(path) == stamp:
            continue
        content = path.read_bytes()
        if known is not None:
            known[path] = stamp
        if path.name == "reserve" and not content.strip(b"\xa5"):
            continue
        found += [f"{path.name} holds {needle!r} in clear" for needle in PERSONAL if needle in content]
        found += [f"the name of {path.name} says it" for text in _TEXTS if text in path.name]
    return found


class Promises:
    """``hear`` takes the lines of a killed desk, ``broken`` says what does not hold. One object per data folder."""

    def __init__(self, home: Path, owner: str) -> None:
        self._home, self._owner = home, owner
        self.kept: dict[str, str] = {}
        self.receipted: set[str] = set()
        self.drafts: dict[str, Mapping[str, Any]] = {}
        self._begun: dict[str, str] = {}
        self._fresh: dict[str, set[str]] = {}
        """Stills of each draft that no text has named yet."""
        self.parked: int | None = None
        """How many sittings lay parked when ``broken`` looked last; None before it looked."""
        self.scanned: dict[Path, tuple[int, int]] = {}
        self.count = 0
        """Promises heard."""

    def hear(self, lines: Iterable[Mapping[str, Any]]) -> None:
        for line in lines:
            self.count += line["step"] in ("draft saved", "still kept", "kept", "receipted")
            if line["step"] == "draft saved":
                self.drafts[line["draft"]] = line
                self._fresh.setdefault(line["draft"], set()).difference_update(line["stills"])
            elif line["step"] == "still kept":
                self._fresh.setdefault(line["draft"], set()).add(line["still"])
            elif line["step"] == "keep begun":
                self._begun[line["draft"]] = line["record"]
            elif line["step"] == "kept":
                self.kept[line["record"]] = line["digest"]
                self.drafts.pop(line["draft"], None)
            elif line["step"] == "receipted":
                self.receipted.add(line["record"])

    def broken(self, province: Iterable[Mapping[str, Any]], *, all_sent: bool = False) -> list[str]:
        """All that does not hold, in words. ``province``: its list of records. ``all_sent``: everything that was kept must be there and receipted."""
        arrived = list(province)
        try:
            rooms = open_rooms(self._home)
        except Trouble as trouble:
            return [f"the store does not open: {trouble}"]
        try:
            self.parked = len(rooms.parked.list(self._owner))
            rows = {row.record_id: row for row in rooms.outbox.rows(self._owner, limit=10_000)}
            return [*self._rows(rooms, rows, arrived, all_sent), *self._parked(rooms, rows), *_journal(rooms)]
        finally:
            rooms.close()

    def drop_parked(self) -> None:
        """A clean desk for the next test."""
        rooms = open_rooms(self._home)
        try:
            for draft in rooms.parked.list(self._owner):
                rooms.parked.drop(draft.draft_id)
        finally:
            rooms.close()

    def _rows(self, rooms: Rooms, rows: Mapping[str, OutboxRow], arrived: list[Mapping[str, Any]], all_sent: bool) -> list[str]:
        there = {one["record_id"]: one for one in arrived}
        found = [f"lost: {record_id}" for record_id in self.kept if record_id not in rows]
        found += [f"its receipt is lost: {record_id}" for record_id in self.receipted if record_id in rows and rows[record_id].state != "receipted"]
        found += [f"twice at the province: {one}" for one, count in Counter(one["record_id"] for one in arrived).items() if count > 1]
        for record_id, row in rows.items():
            if self.kept.get(record_id, row.record_digest) != row.record_digest:
                found.append(f"another digest than on the screen: {record_id}")
            if record_id in there and there[record_id]["record_digest"] != row.record_digest:
                found.append(f"another digest at the province: {record_id}")
            if row.state == "receipted" and record_id not in there:
                found.append(f"receipted, but not there: {record_id}")
            if all_sent and row.state != "receipted":
                found.append(f"not sent: {record_id} is {row.state}")
            try:
                rooms.outbox.check_packet(record_id)
            except Trouble as trouble:
                found.append(f"the packet of {record_id}: {trouble}")
        return found

    def _parked(self, rooms: Rooms, rows: Mapping[str, OutboxRow]) -> list[str]:
        """Every draft that was said to be saved and did not become a record, with every still that its text named."""
        drafts = {one.draft_id: one for one in rooms.parked.list(self._owner)}
        found: list[str] = []
        for draft_id, said in self.drafts.items():
            draft = drafts.get(draft_id)
            if draft is None:
                if self._begun.get(draft_id) not in rows:
                    found.append(f"the draft is lost: {draft_id}")
                continue
            if self._begun.get(draft_id) in rows:
                found.append(f"draft and record of one sitting: {draft_id}")
            if len(draft.entries) < said["entries"] or set(said["stills"]) - {one.still_id for one in draft.stills}:
                found.append(f"the draft is older than was said: {draft_id}")
            found += [f"a picture is lost: {one}" for one in self._fresh.get(draft_id, set()) - {one.still_id for one in draft.stills}]
            for one in draft.stills:
                try:
                    if len(rooms.parked.still(one.still_id)) != one.size:
                        found.append(f"a still is cut: {one.still_id}")
                except Trouble as trouble:
                    found.append(f"a still of {draft_id}: {trouble}")
        return found


def _journal(rooms: Rooms) -> list[str]:
    lines = tuple(rooms.journal.lines())
    try:
        verify_lines(lines, rooms.journal.head())
    except Trouble as trouble:
        return [f"the journal: {trouble}"]
    said = Counter(json.loads(line)["about"] for line in lines if json.loads(line)["what"] == "record.kept")
    rows = Counter(row.record_id for row in rooms.outbox.rows(limit=10_000))
    return [] if said == rows else ["journal and rows differ"]
