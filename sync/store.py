"""The station's store: one SQLCipher file with one writer, opened only when it is whole and ours. Never makes a key and never mends or replaces a file.

Folder: ``store.db`` · ``store-id``, ``store.check`` (label.py) · ``lock`` · ``store.before-NNN.db`` (steps.py) · ``blobs/``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, cast

from sync.blobs import Blobs
from sync.ciphers import derived_key, key_check, new_key, unwrap_at_station, wrap_at_station
from sync.errors import DiskFull, KeyMissing, NotEnrolled, StoreDamaged, StoreForeign, StoreMoved, StoreTrouble
from sync.file_errors import free_bytes, named_file_errors
from sync.label import (
    CHECK,
    NEXT_CHECK,
    StoreLabel,
    begun,
    check_key,
    is_made,
    new_label,
    read_label,
    refuse_leftovers,
    refuse_lost_rows,
    write_once,
)
from sync.oslock import StoreLock
from sync.rekey import NextKeys, finish_rekey
from sync.sqlcipher import BUSY_MS, Connection, check_versions, connect, named_errors, rekey, roll_back
from sync.steps import COPY_DAYS, SCHEMA_VERSION, TABLES, check_whole, drop_copies, make_file, upgrade

__all__ = ["Keys", "SCHEMA_VERSION", "Store", "StoreLabel", "open_folder", "read_label"]

_DAY_S = 86_400
_WHOLE_AT_OPEN = 32 * 1024 * 1024
"""Bytes of a store that is read whole at each open (0.2 s). Of a larger one the first pages are; each page is checked when it is read, and all by ``check``."""
_FEW_FILES = 20_000
"""Files that are looked up one by one; for more of them all ids are read."""
_STEPS_BETWEEN_LOOKS = 1_000
"""Steps of SQLite's machine between two looks whether a check shall give way: some milliseconds."""


class Keys(Protocol):
    """What a store needs of ``sync.keys.KeyCabinet``."""

    def load(self, store_id: str, practice: bool = False) -> bytes: ...
    def make(self, store_id: str, practice: bool = False) -> bytes: ...


def open_folder(folder: Path, cabinet: Keys, practice: bool | None = None, *, make: bool = False, arriving: bool = False) -> Store:
    """The store of ``folder`` with its key from ``cabinet``; ``practice=None`` takes what the label says.

    A new store and a new key are made only where none was ever there and ``make`` says so; ``arriving`` opens one that was moved here (moving.py).
    Raises NotEnrolled where there is no store, KeyMissing, KeyringMissing, KeyringLocked, KeyringUnsafe, StoreForeign (practice and earnest mixed),
    StoreDamaged, StoreTooNew, StoreInUse, StoreMoved, StoreTrouble.
    """
    with named_file_errors("open", folder.parent):
        if not folder.is_dir():
            if not make:
                raise NotEnrolled("there is no store")
            folder.mkdir(mode=0o700, parents=True)
        lock = StoreLock(folder / "lock")
        try:
            Blobs(folder / "blobs").spare_room()  # on a full disk even opening needs some
            label = read_label(folder)
            if label is None:
                refuse_leftovers(folder)
                if not make:
                    raise NotEnrolled("there is no store")
                label = new_label(folder, bool(practice))
            if practice is not None and label.practice != practice:
                raise StoreForeign("practice and earnest do not mix")
            if begun(folder):
                key = cabinet.load(label.store_id, label.practice)
                if (folder / NEXT_CHECK).exists():
                    key = finish_rekey(folder, label, cast("NextKeys", cabinet), key)
            elif make:
                key = _first_key(label, cabinet)
            else:
                raise NotEnrolled("there is no store")
            return _opened(folder, label, key, lock, arriving)
        except BaseException:
            lock.release()
            raise


class Store:
    """An open store; a context manager. One writer at a time behind a lock, readers with connections of their own.

    ``write`` and ``read`` may be used from any thread. After an I/O error the store refuses everything until it is closed and opened again.
    """

    def __init__(self, folder: Path, label: StoreLabel, key: bytes, lock: StoreLock, arriving: bool = False) -> None:
        """Checks and opens what is there, an older schema behind a copy; ``open`` and ``open_folder`` are the doors. Raises as ``open``."""
        check_versions()
        self.folder = folder
        self.store_id = label.store_id
        self._label = label
        self.practice = label.practice
        check_key(folder, label, key)
        version = check_whole(folder, label, key, _WHOLE_AT_OPEN)
        self.unread = (folder / "store.db").stat().st_size > _WHOLE_AT_OPEN
        """Whether only the first pages were read at the open: then ``check`` is to be called beside the work."""
        if version < SCHEMA_VERSION:
            upgrade(folder, label, key, version)
        drop_copies(folder, COPY_DAYS * _DAY_S)
        self._key = key
        self._lock = lock
        self._path = folder / "store.db"
        self._writing = threading.Lock()
        self._writing_thread = 0
        self._pool = threading.Lock()
        self._idle: list[Connection] = []
        self._broken = ""
        self._damaged = False
        self._emptying = False
        """Somebody waits for all readers to end, so that the log can be emptied: a long look gives way."""
        self._log_to_empty = False
        """Erased rows are still in the log: somebody was reading when it was to be emptied."""
        self._spare_room = Blobs(folder / "blobs").spare_room
        self._writer: Connection | None = connect(self._path, key, "rw")
        try:
            self._wrap_key = self._read_meta(arriving)
        except BaseException:
            self._writer.close()
            raise

    @classmethod
    def open(cls, folder: Path, key: bytes, station_hint: str | None = None) -> Store:
        """The existing store of ``folder``. ``station_hint``: the station id that must be inside, once the station is enrolled.

        Raises NotEnrolled where there is none, KeyMissing where ``key`` is another one, StoreDamaged (nothing was changed), StoreForeign, StoreTooNew,
        StoreInUse, StoreTrouble.
        """
        with named_file_errors("open", folder.parent):
            if not folder.is_dir():
                raise NotEnrolled("there is no store")
            lock = StoreLock(folder / "lock")
            try:
                Blobs(folder / "blobs").spare_room()
                label = read_label(folder)
                if label is None or not begun(folder):
                    refuse_leftovers(folder)
                    raise NotEnrolled("there is no store")
                opened = _opened(folder, label, key, lock)
            except BaseException:
                lock.release()
                raise
        try:
            station = opened.station_value("station_id") if station_hint is not None else None
            if station is not None and station.decode("utf-8") != station_hint:
                raise StoreForeign("the store belongs to another station")
        except BaseException:
            opened.close()
            raise
        return opened

    @classmethod
    def make(cls, folder: Path, key: bytes, *, practice: bool = False) -> Store:
        """A new store with a key that the caller keeps. Raises StoreForeign where there is one already, else as ``open``."""
        with named_file_errors("make", folder.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = StoreLock(folder / "lock")
            try:
                refuse_leftovers(folder)
                if read_label(folder) is not None:
                    raise StoreForeign("there is a store already")
                return _opened(folder, new_label(folder, practice), key, lock)
            except BaseException:
                lock.release()
                raise

    @property
    def wrap_key(self) -> bytes:
        """The key that wraps data keys in rows (FORMATS section 9): derived from the store's first key, one of its own once that was changed."""
        return self._wrap_key

    def change_key(self, key: bytes) -> None:
        """New wraps for all data keys in one transaction, then the whole file under ``key`` in another. Nobody may read meanwhile; rekey.py is the door.

        Raises DiskFull (the log grows to the size of the store), StoreTrouble.
        """
        size = self._path.stat().st_size
        if free_bytes(self.folder) < 2 * size:
            raise DiskFull("no room to change the key", free=free_bytes(self.folder), needed=2 * size)
        fresh = new_key()
        with self.write() as tx:
            for record_id, wrap in tx.execute("SELECT record_id, wrap FROM packet_keys").fetchall():
                data_key = unwrap_at_station(self._wrap_key, record_id, bytes(wrap))
                tx.execute("UPDATE packet_keys SET wrap = ? WHERE record_id = ?", (wrap_at_station(fresh, record_id, data_key), record_id))
            tx.execute("INSERT INTO meta (name, value) VALUES ('wrap_key', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", (fresh.hex(),))
        self._wrap_key = fresh
        self.forget_old_pages()
        with self._writing, self._pool, self._watched("rekey"):
            for one in self._idle:
                one.close()
            self._idle.clear()
            rekey(self._usable(self._writer), key)
            self._key = key
        self.forget_old_pages()

    def spare_room(self, spare: Callable[[], None]) -> None:
        """``spare`` is called before each transaction: ``Blobs.spare_room`` of the same disk. For whoever keeps a reserve of another size."""
        self._spare_room = spare

    @contextmanager
    def write(self) -> Generator[Connection]:
        """One transaction: committed durably when the block ends, rolled back when it raises. Not to be nested. Raises DiskFull, StoreDamaged, StoreTrouble."""
        if self._writing_thread == threading.get_ident():
            raise RuntimeError("a write inside a write")
        with self._writing:
            writer = self._usable(self._writer)
            self._spare_room()
            self._writing_thread = threading.get_ident()
            try:
                with self._watched("write"):
                    if self._log_to_empty:
                        self._empty_log(writer, 0)
                    writer.execute("BEGIN IMMEDIATE")
                    yield writer
                    writer.execute("COMMIT")
            finally:
                roll_back(writer)
                self._writing_thread = 0

    @contextmanager
    def read(self) -> Generator[Connection]:
        """A view of one moment; writing is refused. Raises StoreDamaged, StoreTrouble."""
        reader = self._reader()
        try:
            with self._watched("read"):
                reader.execute("BEGIN")
                yield reader
        finally:
            roll_back(reader)
            self._give_back(reader)

    @property
    def damaged(self) -> bool:
        """Whether damage was found since the open: everything is refused."""
        return self._damaged

    def station_value(self, name: str) -> bytes | None:
        """Exact bytes kept under ``name`` in the table of the station, or None."""
        with self.read() as rows:
            found = rows.execute("SELECT value FROM station WHERE name = ?", (name,)).fetchone()
        return None if found is None else bytes(found[0])

    def put_station_value(self, tx: Connection, name: str, value: bytes) -> None:
        """Keeps exact bytes under ``name``, in the transaction ``tx`` of ``write``."""
        tx.execute("INSERT INTO station (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", (name, value))

    def blob_ids(self, of: Collection[str] | None = None) -> frozenset[str]:
        """Ids of all blobs that a row names: the argument of ``Blobs.sweep``. ``of``: only these are asked for (the files that are there)."""
        with self.read() as rows:
            if of is not None and len(of) <= _FEW_FILES:
                return frozenset(one for one in of if rows.execute(
                    "SELECT 1 FROM outbox WHERE packet_blob = ? UNION ALL SELECT 1 FROM stills WHERE blob_id = ?", (one, one)).fetchone())
            found = rows.execute("SELECT packet_blob FROM outbox WHERE packet_blob IS NOT NULL UNION ALL SELECT blob_id FROM stills").fetchall()
        return frozenset(str(row[0]) for row in found)

    def check(self, cancel: threading.Event | None = None) -> bool:
        """Reads every page, table by table, beside whatever else is done; False where ``cancel`` came first. For after the open of a large store.

        Gives way to whoever empties the log, and begins that table anew. Raises StoreDamaged: from then on the store refuses everything. StoreTrouble.
        """
        for table in TABLES:
            while not self._check_table(table, cancel):
                if cancel is not None and cancel.is_set():
                    return False
                with self._writing:  # until the log is empty
                    self._usable(self._writer)
        return True

    def _check_table(self, table: str, cancel: threading.Event | None) -> bool:
        """Whether the table was read to its end. Raises StoreDamaged, StoreTrouble."""
        if cancel is not None and cancel.is_set():
            return False
        gave_way = False

        def stop() -> bool:
            nonlocal gave_way
            gave_way = gave_way or self._emptying or (cancel is not None and cancel.is_set())
            return gave_way

        with self.read() as rows:
            rows.set_progress_handler(stop, _STEPS_BETWEEN_LOOKS)
            try:
                found = rows.execute(f"PRAGMA quick_check('{table}')").fetchall()
            except Exception:
                if not gave_way:
                    raise
                return False
            finally:
                rows.set_progress_handler(None, 0)
            if gave_way:
                return False
            if found != [("ok",)]:
                raise StoreDamaged(f"the table {table} fails its check")
        return True

    def forget_old_pages(self) -> None:
        """Empties the write-ahead log, so that erased rows (keys above all) do not stay; where somebody reads for long, before one of the next writes."""
        with self._writing, self._watched("checkpoint"):
            self._emptying = True
            try:
                self._empty_log(self._usable(self._writer), BUSY_MS)
            finally:
                self._emptying = False

    def _empty_log(self, writer: Connection, wait_ms: int) -> None:
        writer.execute(f"PRAGMA busy_timeout = {wait_ms}")
        try:
            found = writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            writer.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        self._log_to_empty = found is None or bool(found[0])

    def close(self) -> None:
        """Closes all connections and gives the lock back; more than once is no fault."""
        with self._writing, self._pool:
            writer, self._writer = self._writer, None
            idle, self._idle = self._idle, []
            for one in idle:
                one.close()
            if writer is not None:
                writer.close()
                self._lock.release()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read_meta(self, arriving: bool) -> bytes:
        """The wrap key. Raises StoreMoved for a copy that a moved station left behind."""
        with named_errors("meta"):
            found = dict(self._usable(self._writer).execute("SELECT name, value FROM meta").fetchall())
        if "moved_out" in found and not arriving:
            raise StoreMoved(f"moved away at {found['moved_out']}")
        return bytes.fromhex(found["wrap_key"]) if "wrap_key" in found else derived_key(self._key, self._label.salt, b"hall-intake/station-wrap/1")

    def _reader(self) -> Connection:
        with self._pool:
            self._usable(self._writer)
            if self._idle:
                return self._idle.pop()
        return connect(self._path, self._key, "ro")

    def _give_back(self, reader: Connection) -> None:
        with self._pool:
            if self._writer is not None and not self._broken:
                self._idle.append(reader)
                return
        reader.close()

    def _usable(self, writer: Connection | None) -> Connection:
        if self._damaged and writer is not None:
            raise StoreDamaged(self._broken)
        if writer is None or self._broken:
            raise StoreTrouble(self._broken or "the store is closed", step="disk" if self._broken else "closed")
        return writer

    @contextmanager
    def _watched(self, step: str) -> Generator[None]:
        """After an I/O error or damage the same descriptors are not trusted again: what the disk took is known only after a new open."""
        try:
            with named_errors(step, free_bytes(self.folder)):
                yield
        except StoreTrouble as trouble:
            if isinstance(trouble, StoreDamaged) or trouble.facts.get("step") == "disk":
                self._broken = self._broken or f"closed after: {trouble.detail}"
                self._damaged = self._damaged or isinstance(trouble, StoreDamaged)
            raise


def _opened(folder: Path, label: StoreLabel, key: bytes, lock: StoreLock, arriving: bool = False) -> Store:
    """The store, made first where ``store.check`` says that its making was not finished."""
    lock.claim(label.store_id)
    if not is_made(folder, label, key):
        check_versions()
        refuse_lost_rows(folder)
        make_file(folder, label, key)
        check = folder / CHECK
        check.unlink(missing_ok=True)
        write_once(check, key_check(key, label.salt).encode("ascii"))
    return Store(folder, label, key, lock, arriving)


def _first_key(label: StoreLabel, cabinet: Keys) -> bytes:
    """The key for a store of which nothing is written: the one that a making cut short left in the keyring, or a new one."""
    try:
        return cabinet.load(label.store_id, label.practice)
    except KeyMissing:
        return cabinet.make(label.store_id, label.practice)
