"""The child of the kill tests: parks drafts and keeps records in a loop until it is killed. Acknowledges each kept record by a line on standard output.

``python -m tests.faults.keeper FOLDER VARIANT``, key and public key in hex on standard input. Other variants break one promise each, so that
the checker can be shown to notice (``rekey`` is a true one that changes the store's key after each record): ``early`` acknowledges before the
commit, ``rekey-first`` puts the new key into the keyring before the file is under it, ``late-file`` lets the packet file follow its row,
``two-steps`` drops the draft in a transaction of its own, ``late-still`` holds a picture for the draft's only once a text names it; and, where only
a power cut shows it, ``no-fsync`` leaves the packet file to the operating system and ``normal`` sets ``synchronous=NORMAL``.
"""

from __future__ import annotations

import os
import sys
import time
import uuid
from pathlib import Path

from sync.blobs import Blobs
from sync.ciphers import key_check
from sync.draft import Draft
from sync.label import CHECK, StoreLabel
from sync.rekey import change_key
from sync.seal import PublicKeyInfo
from tests.emulators.cabinet import FileCabinet
from tests.emulators.records import NUMBER, OWNER, PICTURE, OneKey, Room, draft, open_room_with

__all__ = ["keys_for", "run", "serial_of"]


class LateBlobs(Blobs):
    """Gives the id first and writes the file at the next call: the row may be there without its file."""

    waiting: tuple[str, bytes] | None = None

    def write(self, content, slip=b"") -> str:  # type: ignore[no-untyped-def]
        if self.waiting:
            (self.folder / self.waiting[0]).write_bytes(self.waiting[1])
        self.waiting = (uuid.uuid4().hex, content if isinstance(content, bytes) else b"".join(content))
        return self.waiting[0]


def serial_of(one: Draft) -> int:
    """The serial number that stands in the document number of a synthetic draft."""
    return int(one.text("person.id_doc_no").removeprefix(NUMBER))


def _say(record_id: str, serial: int) -> None:
    os.write(1, f"{record_id} {serial}\n".encode())


def _park(room: Room, serial: int, variant: str) -> Draft:
    one = draft(serial)
    room.parked.put(one)
    _say("draft", serial)
    still = room.parked.add_still(one.draft_id, "portrait", "image/jpeg", PICTURE + os.urandom(3000))
    if variant == "late-still":
        with room.store.write() as tx:
            tx.execute("UPDATE stills SET named = 1")
    _say(f"still:{still.still_id}", serial)
    if variant == "late-still":
        time.sleep(0.02)
    one = one.taken(still)
    room.parked.put(one)
    return one


def _keep(room: Room, one: Draft, variant: str) -> None:
    serial = serial_of(one)
    record_id = str(uuid.uuid4())
    if variant == "early":
        _say(record_id, serial)
    room.keep(serial, draft_id="" if variant == "two-steps" else one.draft_id, record_id=record_id)
    if variant == "two-steps":
        time.sleep(0.01)  # long enough to be hit
        room.parked.drop(one.draft_id)
    if variant != "early":
        _say(record_id, serial)


def keys_for(folder: Path, variant: str, key: bytes) -> OneKey | FileCabinet:
    """The keyring of a variant: a file beside the folder where keys change."""
    return FileCabinet(folder.parent / f"{folder.name}-keyring.json") if variant.startswith("rekey") else OneKey(key)


def _change_key(room: Room, cabinet: FileCabinet, variant: str) -> None:
    if variant == "rekey":
        change_key(room.store, cabinet)
        return
    store, key = room.store, os.urandom(32)
    cabinet.settle(store.store_id, key)
    store.change_key(key)
    (store.folder / CHECK).write_text(key_check(key, StoreLabel(store.store_id, store.practice).salt), "ascii")


def run(folder: Path, variant: str, key: bytes, to: PublicKeyInfo, serial: int) -> None:
    """Until it is killed."""
    keys = keys_for(folder, variant, key)
    with open_room_with(folder, keys, to) as room:
        if variant == "late-file":
            late = LateBlobs(room.blobs.folder, room=0, reserve=0)
            room.blobs, room.outbox._blobs = late, late
        elif variant == "no-fsync":
            room.outbox._blobs = Blobs(room.blobs.folder, room=0, reserve=0, fsync=lambda descriptor: None)
        elif variant == "normal":
            assert room.store._writer is not None
            room.store._writer.execute("PRAGMA synchronous = NORMAL")
        else:
            room.outbox.begin()
        for one in room.parked.list(OWNER):  # what was parked when the last one was killed is taken up, as a person would
            _keep(room, one, variant)
        while True:
            _keep(room, _park(room, serial, variant), variant)
            serial += 1
            if isinstance(keys, FileCabinet):
                _change_key(room, keys, variant)


if __name__ == "__main__":
    _key, _spki = (bytes.fromhex(one) for one in sys.stdin.readline().split())
    run(Path(sys.argv[1]), sys.argv[2], _key, PublicKeyInfo("test", _spki), int(os.environ["FIRST_SERIAL"]))
