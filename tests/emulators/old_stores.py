"""A store with something in every table and every state, to be kept as bytes of each schema version. Never a real person's data.

``python -m tests.emulators.old_stores FILE.zip``, run with a released version, writes the store of that version for ``tests/unit/sync/stores/``.
"""

from __future__ import annotations

import json
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sync.seal import PublicKeyInfo
from sync.sqlcipher import connect
from tests.emulators.records import OWNER, STATION_ID, Room, draft, open_room

__all__ = ["KEY", "OLD_NAMES", "STORES", "fill", "rows_of", "unpack"]

KEY = bytes(range(32))
STORES = Path(__file__).parents[1] / "unit" / "sync" / "stores"
OLD_NAMES = sorted(one.name for one in STORES.glob("schema-*.zip"))
_OUTBOX = ("record_id, owner, state, state_before, reason, name, id_tail, categories, packet_blob, packet_digest, packet_size, record_digest, signature, acts,"
           " upload_id, upload_offset, tries, last_error, last_detail, next_try_at, kept_at, sent_at, receipted_at, receipt, remote_state, remote_at,"
           " remote_until, remote_items")
_TABLES = {"meta": "name, value", "station": "name, value", "drafts": "draft_id, owner, created_at, saved_at, body, key",
           "stills": "still_id, draft_id, kind, media, size, sha256, pages, trust, nonce, blob_id", "outbox": _OUTBOX, "packet_keys": "record_id, wrap",
           "journal": "seq, line, digest"}
"""The columns of schema version 1, which every later one still has."""


def fill(room: Room) -> None:
    """Drafts with a still, and a record in every state of ``sync.life``."""
    with room.store.write() as tx:
        room.store.put_station_value(tx, "station_id", STATION_ID.encode())
        room.store.put_station_value(tx, "device.key", bytes(range(100)))
    for serial in (901, 902):
        one = draft(serial)
        room.parked.put(one)
        room.parked.put(one.with_still(room.parked.add_still(one.draft_id, "portrait", "image/jpeg", b"SYNTHETIC-PICTURE-" + bytes(500))))
    room.keep(1, size=300)
    room.keep(2, size=300, signed=False)
    room.outbox.mark(room.keep(3, size=300, signed=False), "signing")
    room.outbox.mark(room.keep(4, size=300), "uploading", upload_id="u-4", upload_offset=7)
    uploaded = room.keep(5, size=300)
    for state in ("uploading", "uploaded"):
        room.outbox.mark(uploaded, state)
    room.outbox.receipted(room.keep(6, size=300, station_wrap=False, owner=f"st:{STATION_ID}"), b"receipt 6")
    aside = room.keep(7, size=300, owner="op:OP-000018")
    room.outbox.failed(aside, "province.busy", room.clock(), "detail")
    room.outbox.set_aside(aside, "province.refused")
    mended = room.keep(9, size=300)
    room.outbox.set_aside(mended, "province.refused")
    repair = replace(draft(903), replaces=mended)
    room.parked.put(repair)
    room.keep(10, size=300, draft_id=repair.draft_id)
    old = room.keep(8, size=300)
    room.outbox.receipted(old, b"receipt 8")
    with room.store.write() as tx:
        tx.execute("UPDATE outbox SET receipted_at = '2026-01-01T00:00:00Z' WHERE record_id = ?", (old,))
    room.outbox.purge_due(room.clock(), 30)
    assert all(count for count in room.outbox.counts().values()) and room.parked.list(OWNER)


def rows_of(folder: Path, key: bytes = KEY) -> Mapping[str, list[tuple[Any, ...]]]:
    """All rows of all tables, in the columns of schema version 1, read beside the product's rooms."""
    opened = connect(folder / "store.db", key, "rw")
    try:
        return {table: opened.execute(f"SELECT {columns} FROM {table} ORDER BY 1").fetchall() for table, columns in _TABLES.items()}
    finally:
        opened.close()


def unpack(name: str, to: Path) -> Path:
    """The store of ``name``, unpacked into ``to``."""
    with zipfile.ZipFile(STORES / name) as packed:
        packed.extractall(to)
    return to


def _write(file: Path) -> None:
    public = rsa.generate_private_key(65537, 2048).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "home"
        with open_room(folder, KEY, PublicKeyInfo("test", public)) as room:
            fill(room)
        with zipfile.ZipFile(file, "x", zipfile.ZIP_STORED) as packed:
            for one in sorted(folder.rglob("*")):
                if one.is_file():
                    packed.write(one, one.relative_to(folder))
    print(json.dumps({"file": str(file), "bytes": file.stat().st_size}))


if __name__ == "__main__":
    _write(Path(sys.argv[1]))
