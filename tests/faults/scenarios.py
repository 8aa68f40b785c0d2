"""What a desk does between two starts of the program, as one function each, for the faults that come at the n-th call. Never catches a trouble itself."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from resources.trouble import Trouble
from sync.amends import Amends
from sync.blobs import Blobs
from sync.canon import digest
from sync.draft import DraftStill
from sync.rekey import change_key
from sync.seal import PublicKeyInfo
from tests.emulators.cabinet import FileCabinet
from tests.emulators.old_stores import OLD_NAMES, unpack
from tests.emulators.records import OWNER, PICTURE, OneKey, Room, draft, open_room_with, sealed

__all__ = ["Acknowledge", "KEY", "SCENARIOS", "copy", "keys_of", "prepare"]

Acknowledge = Callable[[str], None]
"""Takes what a screen would say now: ``record id, serial``, ``draft, serial``, or ``still:id, serial``."""

KEY = bytes(range(32))
_SERIAL = 70_007


def keys_of(home: Path) -> OneKey | FileCabinet:
    """The keyring of a scenario's folder: one file beside it where keys change, else one key for ever."""
    return FileCabinet(_keyring(home)) if _keyring(home).exists() else OneKey(KEY)


def copy(template: Path, home: Path) -> None:
    """A fresh ``home``, and its keyring beside it, as ``prepare`` left them."""
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(template, home)
    if _keyring(template).exists():
        shutil.copy(_keyring(template), _keyring(home))


def _keyring(home: Path) -> Path:
    return home.parent / f"keyring-{home.name}.json"


def prepare(scenario: str, home: Path, to: PublicKeyInfo) -> None:
    """The folder before the scenario."""
    home.mkdir()
    if scenario == "making":
        return
    if scenario == "upgrade":
        unpack(OLD_NAMES[0], home)
        return
    keys = FileCabinet(_keyring(home)) if scenario == "rekey" else OneKey(KEY)
    with open_room_with(home, keys, to) as room:
        old = room.keep(1, size=900)
        room.outbox.receipted(old, b"receipt")
        room.keep(2, size=900)
        room.keep(3, size=900, signed=False, record_id=_unsigned())
        if scenario == "repair":
            room.outbox.set_aside(room.keep(4, size=900, record_id=_aside()), "province.refused")
        if scenario == "correction":
            room.outbox.receipted(room.keep(4, size=900, record_id=_aside()), b"receipt")
            room.outbox.remote_state(_aside(), "correction_required", room.clock())


def registration(home: Path, to: PublicKeyInfo, acknowledge: Acknowledge) -> None:
    """Start, a sitting with a picture, kept, sent, receipted; an old record forgotten; end."""
    with open_room_with(home, keys_of(home), to) as room:
        room.blobs.prepare()
        room.outbox.begin()
        _register(room, acknowledge)
        record_id = next(row.record_id for row in room.outbox.rows(states=["kept"]) if row.summary.id_tail == f"{_SERIAL:04}")
        room.outbox.mark(record_id, "uploading", upload_id="u", upload_offset=0)
        room.outbox.mark(record_id, "uploaded", upload_offset=900)
        room.outbox.receipted(record_id, b"receipt")
        room.clock.forward(days=31)
        room.outbox.purge_due(room.clock() - timedelta(seconds=1), 31)


def early(home: Path, to: PublicKeyInfo, acknowledge: Acknowledge) -> None:
    """The control: says "kept" before it is."""
    with open_room_with(home, keys_of(home), to) as room:
        record_id = str(uuid.uuid4())
        acknowledge(f"{record_id} {_SERIAL}")
        room.keep(_SERIAL, size=900, record_id=record_id)


def careless(home: Path, to: PublicKeyInfo, acknowledge: Acknowledge) -> None:
    """The control: says "kept" whatever came of it, and lets files be shorter than they should."""
    with open_room_with(home, keys_of(home), to) as room:
        room.blobs = room.outbox._blobs = _CarelessBlobs(room.blobs.folder, room=0, reserve=0)
        record_id = str(uuid.uuid4())
        with suppress(Trouble, OSError):
            room.keep(_SERIAL, size=900, record_id=record_id)
        acknowledge(f"{record_id} {_SERIAL}")


def signing(home: Path, to: PublicKeyInfo, acknowledge: Acknowledge) -> None:
    """A record that was kept without a signature gets one."""
    with open_room_with(home, keys_of(home), to) as room:
        room.outbox.begin()
        room.outbox.mark(_unsigned(), "signing")
        packet = sealed(to, 3, _unsigned(), 900)
        room.outbox.keep_signed(packet, packet.record_digest, b"p7s", (), who=OWNER)
        acknowledge(f"{_unsigned()} 3")


def repairing(home: Path, to: PublicKeyInfo, acknowledge: Acknowledge) -> None:
    """A record that was set aside is opened again, whole, and the repaired one is kept in its place."""
    with open_room_with(home, keys_of(home), to) as room:
        room.outbox.begin()
        one = replace(draft(4), replaces=_aside())
        still = DraftStill("portrait", "s-1", "image/jpeg", 900, digest(PICTURE * 50), 1, "B")
        room.parked.put_whole(one.with_still(still), {"s-1": PICTURE * 50}, lambda tx: None)
        acknowledge("draft 4")
        acknowledge(f"{room.keep(4, size=900, draft_id=one.draft_id)} 4")


def correcting(home: Path, to: PublicKeyInfo, acknowledge: Acknowledge) -> None:
    """A record that the province returned is opened again, whole, and its correction is kept beside it."""
    with open_room_with(home, keys_of(home), to) as room:
        room.outbox.begin()
        one = replace(draft(5), amends=Amends(_aside(), "sha256:" + "0" * 64, 2))
        still = DraftStill("portrait", "s-1", "image/jpeg", 900, digest(PICTURE * 50), 1, "B")
        room.parked.put_whole(one.with_still(still), {"s-1": PICTURE * 50}, lambda tx: None)
        acknowledge("draft 5")
        acknowledge(f"{room.keep(5, size=900, draft_id=one.draft_id)} 5")


def making(home: Path, to: PublicKeyInfo, acknowledge: Acknowledge) -> None:
    """The very first start, and a first record."""
    with open_room_with(home, keys_of(home), to) as room:
        _register(room, acknowledge)


def opening(home: Path, to: PublicKeyInfo, acknowledge: Acknowledge) -> None:
    """A start, a record, an end: over a store of an older version, its upgrade."""
    with open_room_with(home, keys_of(home), to) as room:
        room.outbox.begin()
        acknowledge(f"{room.keep(_SERIAL, size=900)} {_SERIAL}")


def rekeying(home: Path, to: PublicKeyInfo, acknowledge: Acknowledge) -> None:
    """A new key for the store, then a record."""
    keys = keys_of(home)
    assert isinstance(keys, FileCabinet)
    with open_room_with(home, keys, to) as room:
        change_key(room.store, keys)
        acknowledge(f"{room.keep(_SERIAL, size=900)} {_SERIAL}")


SCENARIOS: dict[str, Callable[[Path, PublicKeyInfo, Acknowledge], None]] = {
    "registration": registration, "signing": signing, "repair": repairing, "correction": correcting, "making": making, "upgrade": opening, "rekey": rekeying,
    "careless": careless, "early": early,
}


class _CarelessBlobs(Blobs):
    """Takes an error for a success."""

    def _write_file(self, path: Path, content) -> None:  # type: ignore[no-untyped-def,override]
        with path.open("xb", buffering=0) as file, suppress(OSError):
            for piece in (content,) if isinstance(content, bytes) else content:
                os.write(file.fileno(), piece[:len(piece) // 2])
                os.write(file.fileno(), piece[len(piece) // 2:])


def _register(room: Room, acknowledge: Acknowledge) -> None:
    one = draft(_SERIAL)
    room.parked.put(one)
    acknowledge(f"draft {_SERIAL}")
    still = room.parked.add_still(one.draft_id, "portrait", "image/jpeg", PICTURE + os.urandom(500))
    acknowledge(f"still:{still.still_id} {_SERIAL}")
    one = one.taken(still)
    room.parked.put(one)
    acknowledge(f"{room.keep(_SERIAL, size=900, draft_id=one.draft_id)} {_SERIAL}")


def _unsigned() -> str:
    return "3d9a3a52-0c3d-4f0e-9d1b-6a0c8f0e2b33"


def _aside() -> str:
    return "3d9a3a52-0c3d-4f0e-9d1b-6a0c8f0e2b44"
