"""The child of the full-hall test: a station on a small disk of its own, its effects and its courier. Tells what happened as one JSON object.

``python -m tests.faults.full_hall DISK ELSEWHERE VARIANT``. VARIANT ``careless`` is the control: it takes a record for kept although the disk was full.
"""

from __future__ import annotations

import json
import sys
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from desktop.effects.drafts import DraftWork
from desktop.flows.machine import Failed
from desktop.flows.words import SaveDraft
from desktop.rooms import Rooms
from resources.trouble import Trouble
from sync.blobs import Blobs
from sync.draft import Draft
from sync.parked import Parked
from sync.store import Store
from tests.contract.province.hall import HallStation, People, open_lists
from tests.emulators.records import OWNER, draft
from tests.faults.hall_checker import faults_at

_MIB = 1024 * 1024


class SmallHall(HallStation):
    """A station whose disk is small: a floor of 4 MiB, a reserve of 2 MiB; put together as ``desktop.rooms`` does."""

    def _build(self) -> None:
        super()._build()
        self.blobs = Blobs(self.folder / "blobs", room=4 * _MIB, reserve=2 * _MIB)
        self.blobs.prepare()
        self.store.spare_room(self.blobs.spare_room)
        self.outbox._blobs = self.blobs
        self.courier._packets = self.blobs
        self.parked = Parked(self.store, self.blobs, self.moment)

    def reopen(self, station: Any = None) -> None:
        Blobs(self.folder / "blobs", reserve=2 * _MIB).spare_room()
        super().reopen(station)

    def rooms(self) -> Rooms:
        nothing: Any = None
        return Rooms(self.folder, self.store, self.blobs, self.journal, self.parked, self.outbox, self.province, nothing, {}, nothing, nothing, nothing)


class _AtOnce:
    """Lanes without threads."""

    def start(self, lane: str, work: Callable[[Any, Any], Any], done: Callable[[Any], None], failed: Callable[[Trouble], None]) -> None:
        try:
            done(work(None, None))
        except Trouble as trouble:
            failed(trouble)


def _save(hall: SmallHall, one: Draft) -> str:
    """What the desk's effect posts: the name of the event, and the code of its trouble."""
    posted: list[Any] = []
    work = DraftWork(hall.rooms, lambda: OWNER, lambda: one.draft_id, _AtOnce())  # type: ignore[arg-type]
    work.save(SaveDraft(one, True), posted.append)
    (event,) = posted
    return event.trouble.code if isinstance(event, Failed) else type(event).__name__


def _code(act: Callable[[], object]) -> str:
    try:
        act()
    except Trouble as trouble:
        return trouble.code
    return "done"


def _fill(disk: Path, leave: int) -> Path:
    """Rubbish of others until ``leave`` bytes are free."""
    path = disk / "rubbish"
    with path.open("ab", buffering=0) as rubbish:
        try:
            while (free := Blobs(disk).free()) > leave:
                rubbish.write(bytes(min(64 * 1024, max(4096, free - leave))))
        except OSError:
            pass
    return path


def main() -> None:
    """Full in two steps, sent and forgotten on the full disk, and free again."""
    disk, elsewhere, careless = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] == "careless"
    people, told = People(elsewhere / "ca"), dict[str, object]()
    with people.province(elsewhere / "p") as province:
        open_lists(province)
        hall = SmallHall(disk / "home", people, province)
        kept = [hall.keep(size=_MIB) for _ in range(3)]
        begun = draft(1)
        told["begin"] = _save(hall, begun)
        _fill(disk, 3 * _MIB)
        told["low: new sitting"] = _save(hall, draft(2))
        told["low: open sitting"] = _save(hall, begun)
        told["low: still"] = _code(lambda: hall.parked.add_still(begun.draft_id, "portrait", "image/jpeg", bytes(100_000)))
        kept.append(hall.keep(size=300_000))
        rubbish = _fill(disk, 0)
        told["full: reserve"] = (hall.blobs.folder / "reserve").exists()
        hall.reopen()
        told["full: free"] = hall.blobs.free() < 3 * _MIB
        told["full: new sitting"] = _save(hall, draft(3))
        told["full: open sitting"] = _save(hall, begun)
        told["full: still"] = _code(lambda: hall.parked.add_still(begun.draft_id, "portrait", "image/jpeg", bytes(100_000)))
        told["full: keep"] = _code(hall.keep)
        told["full: news"] = hall.courier.refresh() and hall.courier.status().last_error_code
        for record_id in kept:
            hall.drive(record_id, "receipted")
        told["faults"] = faults_at(hall, province, [*kept, str(uuid.uuid4())] if careless else kept, disk)
        told["purged"] = len(hall.outbox.purge_due(hall.moment() + timedelta(days=31), 30))
        told["full: after purge"] = hall.blobs.free() > _MIB
        rubbish.unlink()
        hall.blobs.keep_reserve()
        told["free: reserve"] = (hall.blobs.folder / "reserve").stat().st_size
        told["free: new sitting"] = _save(hall, draft(4))
        told["free: keep"] = _code(hall.keep)
        hall.close()
        with Store.open(hall.folder, hall._key):
            told["opens"] = True
    print(json.dumps(told))


if __name__ == "__main__":
    main()
