"""The child of the full-disk tests: on a small disk of its own it tells what happened as one JSON object. ``python -m tests.faults.filler FOLDER VARIANT``.

VARIANT ``careless`` is the control: it says kept although the disk was full.
"""

from __future__ import annotations

import json
import sys
import uuid
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from resources.trouble import Trouble
from sync.blobs import Blobs
from sync.errors import DiskFull
from sync.store import Store
from tests.emulators.records import Room, draft, new_recipient
from tests.faults.checker import faults_after

KEY = bytes(32)
_DRAFTS = 100_000
"""Serial numbers of drafts begin here."""


def main() -> None:
    """Fills the disk with records, then with rubbish to the last byte, looks whether all is there, and forgets what may be forgotten."""
    folder, careless, told = Path(sys.argv[1]), sys.argv[2] == "careless", dict[str, object]()
    to = new_recipient("test")[1]
    with Store.make(folder, KEY) as store:
        blobs = Blobs(folder / "blobs", room=0, reserve=512 * 1024)
        blobs.prepare()
        store.spare_room(lambda: None)  # two thousand drafts, which no desk would begin here, are not to eat the reserve
        room = Room(store, blobs, to)
        kept, said = list[str](), list[str]()
        try:
            for serial in range(10_000):
                kept.append(room.keep(serial, size=300_000))
        except DiskFull as trouble:
            told |= {"kept": len(kept), "full": trouble.code, "facts": trouble.facts}
        with (folder / "rubbish").open("wb", buffering=0) as rubbish:
            try:
                while rubbish.write(bytes(4096)) == 4096:
                    pass
            except OSError:
                pass
        told["free"] = blobs.free()
        if careless:
            kept_all_the_same = str(uuid.uuid4())
            with suppress(Trouble):
                room.keep(99_998, record_id=kept_all_the_same)
            said.append(f"{kept_all_the_same} 99998")
        for what, act in (("blob", lambda: room.keep(99_999)), ("row", lambda: [_park(room, serial, said) for serial in range(_DRAFTS, _DRAFTS + 2_000)])):
            try:
                act()
                told[what] = "no trouble"
            except Trouble as trouble:
                told[what] = trouble.code
        told["rows"] = len(room.outbox.rows(limit=100_000))
        told["files"] = len(blobs.ids())
    with Store.open(folder, KEY) as store:
        room = Room(store, blobs, to)
        for record_id in kept:
            room.outbox.check_packet(record_id)
        told["checked"] = len(kept)
        for record_id in kept[:2]:
            _receipted_in_reserve(room, blobs, record_id)
        told["purged"] = len(room.outbox.purge_due(room.clock() + timedelta(days=31), 30))
        told["free_again"] = blobs.free()
        for record_id in kept:
            room.outbox.check_packet(record_id)
    said += [f"{record_id} {serial}" for serial, record_id in enumerate(kept)]
    told |= {"said": len(said), "faults": faults_after(folder, KEY, to, said, drafts=2_000)}
    print(json.dumps(told))


def _park(room: Room, serial: int, said: list[str]) -> None:
    room.parked.put(draft(serial))
    said.append(f"draft {serial}")


def _receipted_in_reserve(room: Room, blobs: Blobs, record_id: str) -> None:
    with blobs.reserve_given_up():
        room.outbox.receipted(record_id, b"r")


if __name__ == "__main__":
    main()
