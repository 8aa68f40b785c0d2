"""How long it takes to keep a record durably, and to open a store with 100,000 of them. Never decides: it prints figures, and the ratio to a bare sequence.

``python -m tests.bench.store keep [--mib 5] [--rounds 60] [--folder DIR]``: seal and keep a record with attachments, against the bare sequence (AES-GCM, one
digest, write, fsync of file and folder, one row) and a raw fsynced write of the same bytes, in each round in another order; medians and their ratios.
``python -m tests.bench.store open [--records 100000] [--folder DIR]``: time and memory of an open with that many records, against an empty store, each in a
process of its own, median of five. DIR should lie on the disk that is meant; a memory file system measures nothing.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sync.blobs import Blobs
from sync.draft import time_text
from sync.outbox import Outbox, Summary
from sync.seal import seal
from sync.sqlcipher import Connection, connect
from sync.store import Store
from tests.emulators.records import OWNER, STATION_ID, Clock, Room, new_recipient, record

_MIB = 1024 * 1024
KEY = bytes(range(32))
_SIGNATURE = bytes(1900)
"""As long as a CAdES-BES signature with one certificate above the signer's."""


def _median_ms(times: list[float]) -> float:
    return round(1000 * statistics.median(times), 2)


# -- keep ---------------------------------------------------------------------------------------------------------------------------------
class Keeping:
    """The ways to put the same attachments on the disk."""

    def __init__(self, folder: Path, mib: float) -> None:
        self._folder = folder
        self._to = new_recipient("bench")[1]
        self._parts = [(f"a{number}.jpg", os.urandom(int(mib * _MIB / 5))) for number in range(5)]
        self._store = Store.make(folder / "home", KEY)
        blobs = Blobs(folder / "home" / "blobs", room=0, reserve=0)
        blobs.prepare()
        self._room = Room(self._store, blobs, self._to)
        self._rows: Connection = connect(folder / "bare.db", KEY, "rwc")
        self._rows.execute("CREATE TABLE kept (record_id TEXT PRIMARY KEY, blob TEXT, digest TEXT, signature BLOB)")

    def product(self) -> None:
        """Seal and keep."""
        record_id = str(uuid.uuid4())
        sealed = seal(record(1, record_id), self._parts, record_id, STATION_ID, self._to, self._to)
        self._room.outbox.keep(sealed, sealed.record_digest, _SIGNATURE, (), OWNER, Summary("甲", "0001", ("4",)))

    def bare(self) -> None:
        """AES-GCM in one piece, one digest, write, fsync of file and folder, one row."""
        content = AESGCM(KEY).encrypt(os.urandom(12), b"".join(part for _, part in self._parts), None)
        digest = hashlib.sha256(content).hexdigest()
        name = uuid.uuid4().hex
        self._write(content, name)
        self._rows.execute("INSERT INTO kept VALUES (?, ?, ?, ?)", (str(uuid.uuid4()), name, digest, _SIGNATURE))

    def raw(self) -> None:
        """The same bytes, written and fsynced."""
        self._write(b"".join(part for _, part in self._parts), uuid.uuid4().hex)

    def sealing(self) -> None:
        """Only the sealing, no disk."""
        record_id = str(uuid.uuid4())
        assert seal(record(1, record_id), self._parts, record_id, STATION_ID, self._to, self._to).digest

    def close(self) -> None:
        self._rows.close()
        self._store.close()

    def _write(self, content: bytes, name: str) -> None:
        with (self._folder / name).open("xb", buffering=0) as file:
            file.write(content)
            os.fsync(file.fileno())
        folder = os.open(self._folder, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)


def keep(folder: Path, mib: float, rounds: int) -> dict[str, object]:
    """Medians in milliseconds and their ratios."""
    keeping = Keeping(folder, mib)
    ways: dict[str, Callable[[], None]] = {"product": keeping.product, "bare": keeping.bare, "raw": keeping.raw, "sealing": keeping.sealing}
    times: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 3):
        names = list(ways)
        for name in (*names[number % len(names):], *names[:number % len(names)]):  # none is always the one after the same other
            way = ways[name]
            start = time.perf_counter()
            way()
            if number >= 3:
                times[name].append(time.perf_counter() - start)
    keeping.close()
    found = {name: _median_ms(taken) for name, taken in times.items()}
    pairs = [product / bare for product, bare in zip(times["product"], times["bare"], strict=True)]
    return {"mib": mib, "rounds": rounds, "median_ms": found, "product/bare": round(found["product"] / found["bare"], 2),
            "median of the rounds' product/bare": round(statistics.median(pairs), 2), "product/raw": round(found["product"] / found["raw"], 2),
            "best_ms": {name: round(1000 * min(taken), 2) for name, taken in times.items()}}


# -- open ---------------------------------------------------------------------------------------------------------------------------------
def fill(folder: Path, records: int) -> None:
    """A store with so many records, a tenth of them waiting, with rows, wraps, journal lines and the (empty) files of those that wait."""
    if (folder / "store.db").exists():
        return
    with Store.make(folder, KEY) as store:
        room = Room(store, Blobs(folder / "blobs", room=0, reserve=0), new_recipient("bench")[1], Clock())
        room.blobs.prepare()
        for first in range(0, records, 2000):
            with store.write() as tx:
                for serial in range(first, min(records, first + 2000)):
                    _row(room, tx, serial)
                    if serial % 10 == 0:
                        room.clock.forward(seconds=30)


def _row(room: Room, tx: Connection, serial: int) -> None:
    record_id, blob_id, at = str(uuid.uuid4()), uuid.uuid4().hex, time_text(room.clock())
    if serial % 10 == 0:
        (room.blobs.folder / blob_id).touch()
    state = "kept" if serial % 10 == 0 else "receipted"
    tx.execute("INSERT INTO outbox (record_id, owner, state, name, id_tail, categories, packet_blob, packet_digest, packet_size, record_digest, signature,"
               " next_try_at, kept_at, receipt, receipted_at) VALUES (?, ?, ?, '甲乙丙', ?, '4', ?, ?, 5000000, ?, ?, ?, ?, ?, ?)",
               (record_id, f"op:OP-{serial % 30:06}", state, f"{serial % 10_000:04}", blob_id, f"sha256:{'0' * 64}", f"sha256:{'1' * 64}", _SIGNATURE,
                at, at, bytes(900) if state == "receipted" else None, at if state == "receipted" else None))
    tx.execute("INSERT INTO packet_keys (record_id, wrap) VALUES (?, ?)", (record_id, os.urandom(60)))
    for what in ("record.kept", "record.uploading", "record.uploaded", "record.receipted"):
        room.journal.write(tx, OWNER, what, record_id, {"packet": f"sha256:{'0' * 64}"})


def open_once(folder: Path) -> dict[str, float]:
    """In a process of its own: seconds to open, to sweep, and to the first page of a list, the next due record and the counts; growth of resident memory."""
    import sync.outbox  # noqa: F401  (all imports are done before the clock starts)
    with open("/proc/self/clear_refs", "w", encoding="ascii") as reset:
        reset.write("5")
    before = _peak_mib()
    start = time.perf_counter()
    with Store.open(folder, KEY) as store:
        opened = time.perf_counter()
        room = Room(store, Blobs(folder / "blobs", room=0, reserve=0), new_recipient_free())
        outbox: Outbox = room.outbox
        outbox.begin()
        begun = time.perf_counter()
        outbox.rows("op:OP-000010", ["kept"], limit=50)
        outbox.next_due(room.clock.now)
        outbox.counts("op:OP-000010")
        outbox.counts()
        listed = time.perf_counter()
        peak = _peak_mib()
    return {"open_s": opened - start, "begin_s": begun - opened, "first_page_s": listed - begun, "mib": peak - before}


def _peak_mib() -> float:
    with open("/proc/self/status", encoding="ascii") as status:
        return int(next(line for line in status if line.startswith("VmHWM")).split()[1]) / 1024


def new_recipient_free():  # type: ignore[no-untyped-def]
    """No key is needed to look; making one would be measured."""
    from sync.seal import PublicKeyInfo

    return PublicKeyInfo("bench", b"")


def opening(folder: Path, records: int) -> dict[str, object]:
    """Medians of five opens, each in a process of its own, beside an empty store."""
    told: dict[str, object] = {"records": records}
    for name, count in (("empty", 0), ("full", records)):
        home = folder / f"home-{count}"
        fill(home, count)
        runs = [json.loads(subprocess.check_output([sys.executable, "-m", "tests.bench.store", "open-once", "--folder", str(home)])) for _ in range(5)]
        told[name] = {key: round(statistics.median(run[key] for run in runs), 4) for key in runs[0]} | {"db_mib": (home / "store.db").stat().st_size // _MIB}
    return told


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("keep", "open", "open-once"))
    parser.add_argument("--mib", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--folder", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = args.folder or Path(made)
        folder.mkdir(exist_ok=True)
        told = open_once(folder) if args.what == "open-once" else keep(folder, args.mib, args.rounds) if args.what == "keep" else opening(folder, args.records)
    print(json.dumps(told, indent=None if args.what == "open-once" else 2))


if __name__ == "__main__":
    main()
