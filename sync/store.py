"""The station's store: one SQLCipher file with one writer, opened only when it is whole and ours. Never makes a key and never mends or replaces a file.

Folder: ``store.db`` · ``store-id`` (who the store is; no secret) · ``store.check`` (written last when a store is made: without it no person's data was
ever inside; holds the key check value, so that a wrong key and a damaged file are told apart) · ``lock`` · ``blobs/``.
"""

from __future__ import annotations

import os
import shutil
import threading
import uuid
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hmac import compare_digest
from importlib.resources import files
from pathlib import Path
from typing import Protocol

from sync.canon import canon, parse_canonical
from sync.ciphers import derived_key, key_check
from sync.draft import time_text
from sync.errors import FormatTrouble, KeyMissing, NotEnrolled, StoreDamaged, StoreForeign, StoreTooNew, StoreTrouble
from sync.oslock import FolderLock
from sync.sqlcipher import Connection, check_versions, connect, named_errors, roll_back

__all__ = ["Keys", "SCHEMA_VERSION", "Store", "StoreLabel", "open_folder", "read_label"]

SCHEMA_VERSION = 1
_APPLICATION_ID = 0x48495354
"""``HIST`` in the file's header, inside the encryption."""
_PLAIN = b"SQLite format 3\x00"


class Keys(Protocol):
    """What a store needs of ``sync.keys.KeyCabinet``."""

    def load(self, store_id: str, practice: bool = False) -> bytes: ...
    def make(self, store_id: str, practice: bool = False) -> bytes: ...


@dataclass(frozen=True, slots=True)
class StoreLabel:
    """Who the store is: a UUID that names its key in the keyring, and whether it is for practice."""

    store_id: str
    practice: bool


def read_label(folder: Path) -> StoreLabel | None:
    """The label of the store in ``folder``, or None where there is none. Raises StoreDamaged."""
    path = folder / "store-id"
    try:
        content = path.read_bytes() if path.exists() else b""
        if not content:
            return None  # an empty one: the very first step of a making was cut short
        members = parse_canonical(content, "store-id")
        if members["type"] != "hall-intake/store-id/1" or type(members["practice"]) is not bool:
            raise ValueError("type")
        return StoreLabel(str(uuid.UUID(members["store_id"])), members["practice"])
    except (FormatTrouble, OSError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise StoreDamaged("store-id is not readable") from error


def open_folder(folder: Path, cabinet: Keys, practice: bool | None = None, *, make: bool = False) -> Store:
    """The store of ``folder`` with its key from ``cabinet``; ``practice=None`` takes what the label says.

    A new store and a new key are made only where none was ever there and ``make`` says so. Raises NotEnrolled where there is no store,
    KeyMissing, KeyringMissing, KeyringLocked, KeyringUnsafe, StoreForeign (practice and earnest mixed), StoreDamaged, StoreTooNew, StoreInUse, StoreTrouble.
    """
    if not folder.is_dir():
        if not make:
            raise NotEnrolled("there is no store")
        folder.mkdir(mode=0o700, parents=True)
    lock = FolderLock(folder / "lock")
    try:
        label = read_label(folder)
        if label is None:
            _refuse_leftovers(folder)
            if not make:
                raise NotEnrolled("there is no store")
            label = _new_label(folder, bool(practice))
        if practice is not None and label.practice != practice:
            raise StoreForeign("practice and earnest do not mix")
        if _begun(folder):
            key = cabinet.load(label.store_id, label.practice)
        elif make:
            key = _first_key(label, cabinet)
        else:
            raise NotEnrolled("there is no store")
        return _opened(folder, label, key, lock)
    except BaseException:
        lock.release()
        raise


class Store:
    """An open store; a context manager. One writer at a time behind a lock, readers with connections of their own.

    ``write`` and ``read`` may be used from any thread. After an I/O error the store refuses everything until it is closed and opened again.
    """

    def __init__(self, folder: Path, label: StoreLabel, key: bytes, lock: FolderLock) -> None:
        """Checks and opens what is there; ``open`` and ``open_folder`` are the doors. Raises as ``open``; on any raise nothing was changed on the disk."""
        check_versions()
        self.folder = folder
        self.store_id = label.store_id
        self.practice = label.practice
        _check_key(folder, label, key)
        _check_whole(folder, label, key)
        self._key = key
        self._lock = lock
        self._path = folder / "store.db"
        self._writing = threading.Lock()
        self._writing_thread = 0
        self._pool = threading.Lock()
        self._idle: list[Connection] = []
        self._broken = ""
        self._writer: Connection | None = connect(self._path, key, "rw")

    @classmethod
    def open(cls, folder: Path, key: bytes, station_hint: str | None = None) -> Store:
        """The existing store of ``folder``. ``station_hint``: the station id that must be inside, once the station is enrolled.

        Raises NotEnrolled where there is none, KeyMissing where ``key`` is another one, StoreDamaged (nothing was changed), StoreForeign, StoreTooNew,
        StoreInUse, StoreTrouble.
        """
        if not folder.is_dir():
            raise NotEnrolled("there is no store")
        lock = FolderLock(folder / "lock")
        try:
            label = read_label(folder)
            if label is None or not _begun(folder):
                _refuse_leftovers(folder)
                raise NotEnrolled("there is no store")
            opened = _opened(folder, label, key, lock)
        except BaseException:
            lock.release()
            raise
        station = opened.station_value("station_id")
        if station_hint is not None and station is not None and station.decode("utf-8") != station_hint:
            opened.close()
            raise StoreForeign("the store belongs to another station")
        return opened

    @classmethod
    def make(cls, folder: Path, key: bytes, *, practice: bool = False) -> Store:
        """A new store with a key that the caller keeps. Raises StoreForeign where there is one already, else as ``open``."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = FolderLock(folder / "lock")
        try:
            _refuse_leftovers(folder)
            if read_label(folder) is not None:
                raise StoreForeign("there is a store already")
            return _opened(folder, _new_label(folder, practice), key, lock)
        except BaseException:
            lock.release()
            raise

    @property
    def wrap_key(self) -> bytes:
        """The key that wraps data keys in rows (FORMATS section 9), derived from the store's key."""
        return derived_key(self._key, uuid.UUID(self.store_id).bytes, b"hall-intake/station-wrap/1")

    @contextmanager
    def write(self) -> Generator[Connection]:
        """One transaction: committed durably when the block ends, rolled back when it raises. Not to be nested. Raises DiskFull, StoreDamaged, StoreTrouble."""
        if self._writing_thread == threading.get_ident():
            raise RuntimeError("a write inside a write")
        with self._writing:
            writer = self._usable(self._writer)
            self._writing_thread = threading.get_ident()
            try:
                with self._watched("write"):
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

    def station_value(self, name: str) -> bytes | None:
        """Exact bytes kept under ``name`` in the table of the station, or None."""
        with self.read() as rows:
            found = rows.execute("SELECT value FROM station WHERE name = ?", (name,)).fetchone()
        return None if found is None else bytes(found[0])

    def put_station_value(self, tx: Connection, name: str, value: bytes) -> None:
        """Keeps exact bytes under ``name``, in the transaction ``tx`` of ``write``."""
        tx.execute("INSERT INTO station (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", (name, value))

    def blob_ids(self) -> frozenset[str]:
        """Ids of all blobs that a row names: the argument of ``Blobs.sweep``."""
        with self.read() as rows:
            found = rows.execute("SELECT packet_blob FROM outbox WHERE packet_blob IS NOT NULL UNION ALL SELECT blob_id FROM stills").fetchall()
        return frozenset(str(row[0]) for row in found)

    def forget_old_pages(self) -> None:
        """Empties the write-ahead log, so that erased rows (keys above all) do not stay in it."""
        with self._writing, self._watched("checkpoint"):
            self._usable(self._writer).execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

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
        if writer is None or self._broken:
            raise StoreTrouble(self._broken or "the store is closed", step="disk" if self._broken else "closed")
        return writer

    @contextmanager
    def _watched(self, step: str) -> Generator[None]:
        """After an I/O error or damage the same descriptors are not trusted again: what the disk took is known only after a new open."""
        try:
            with named_errors(step, _free(self.folder)):
                yield
        except StoreTrouble as trouble:
            if isinstance(trouble, StoreDamaged) or trouble.facts.get("step") == "disk":
                self._broken = f"closed after: {trouble.detail}"
            raise


def _opened(folder: Path, label: StoreLabel, key: bytes, lock: FolderLock) -> Store:
    """The store, made first where ``store.check`` says that its making was not finished."""
    check = folder / "store.check"
    if not check.exists() or not check.stat().st_size:
        check_versions()
        _finish(folder, label, key)
        check.unlink(missing_ok=True)
        _write_once(check, key_check(key, uuid.UUID(label.store_id).bytes).encode("ascii"))
    return Store(folder, label, key, lock)


def _finish(folder: Path, label: StoreLabel, key: bytes) -> None:
    """Makes file and schema; takes up a making that a crash cut short. A file with content that does not open is left as it is (StoreDamaged)."""
    path = folder / "store.db"
    opened = connect(path, key, "rwc")
    try:
        with named_errors("schema", _free(folder)):
            if _pragma(opened, "user_version") == 0:
                opened.executescript(f"BEGIN IMMEDIATE; PRAGMA application_id = {_APPLICATION_ID}; {_schema(1)}; PRAGMA user_version = {SCHEMA_VERSION};")
                opened.execute("INSERT INTO meta VALUES ('store_id', ?), ('made_at', ?)", (label.store_id, time_text(datetime.now(UTC))))
                opened.execute("COMMIT")
            opened.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        opened.close()
    with path.open("rb") as file:
        if file.read(len(_PLAIN)) in (_PLAIN, b""):
            raise StoreTrouble("the new store is not encrypted", step="encryption")


def _schema(step: int) -> str:
    return files("sync").joinpath("schema", f"{step:03}.sql").read_text("utf-8")


def _begun(folder: Path) -> bool:
    """Whether a byte was ever written under a key here. From then on a missing key is KeyMissing, never a reason for a new one."""
    path, blobs = folder / "store.db", folder / "blobs"
    if (folder / "store.check").exists() or (path.exists() and path.stat().st_size > 0):
        return True
    return blobs.is_dir() and any(one.name != "reserve" for one in blobs.iterdir())


def _first_key(label: StoreLabel, cabinet: Keys) -> bytes:
    """The key for a store of which nothing is written: the one that a making cut short left in the keyring, or a new one."""
    try:
        return cabinet.load(label.store_id, label.practice)
    except KeyMissing:
        return cabinet.make(label.store_id, label.practice)


def _refuse_leftovers(folder: Path) -> None:
    """Raises StoreDamaged where there is something of a store, but no label of it."""
    if read_label(folder) is None and _begun(folder):
        raise StoreDamaged("the store has lost its store-id")


def _new_label(folder: Path, practice: bool) -> StoreLabel:
    _refuse_leftovers(folder)
    (folder / "store-id").unlink(missing_ok=True)
    label = StoreLabel(str(uuid.uuid4()), practice)
    _write_once(folder / "store-id", canon({"type": "hall-intake/store-id/1", "store_id": label.store_id, "practice": label.practice}))
    return label


def _check_key(folder: Path, label: StoreLabel, key: bytes) -> None:
    try:
        expected = (folder / "store.check").read_text("ascii")
    except (OSError, ValueError) as error:
        raise StoreDamaged("store.check is not readable") from error
    if len(expected) != 64:
        raise StoreDamaged("store.check is not readable")
    if not compare_digest(expected, key_check(key, uuid.UUID(label.store_id).bytes)):
        raise KeyMissing("the key that was found is not the key of this store")


def _check_whole(folder: Path, label: StoreLabel, key: bytes) -> None:
    """Reads every page of the file without changing a byte of it or of its log. Raises StoreDamaged, StoreForeign, StoreTooNew."""
    path, log, index = (folder / name for name in ("store.db", "store.db-wal", "store.db-shm"))
    try:
        with path.open("rb") as file:
            start = file.read(len(_PLAIN))
    except OSError as error:
        raise StoreDamaged(f"store.db: {error.strerror}") from error
    if start == _PLAIN:
        raise StoreForeign("store.db is not encrypted")
    if not start:
        raise StoreDamaged("store.db is empty")
    there = {one for one in (log, index) if one.exists()}
    try:
        opened = connect(path, key, "ro")
        try:
            with named_errors("check"):
                # cipher_integrity_check reads the file behind the log's back: a page torn by a power cut and whole in the log would be called damage
                _check_pages(opened, label, whole_file=not (log.exists() and log.stat().st_size))
        finally:
            opened.close()
    finally:
        for one in {log, index} - there:  # made by looking; the lock is ours, so nobody else needs them
            one.unlink(missing_ok=True)


def _check_pages(opened: Connection, label: StoreLabel, whole_file: bool) -> None:
    if whole_file and opened.execute("PRAGMA cipher_integrity_check").fetchall():
        raise StoreDamaged("a page fails its check sum")
    if opened.execute("PRAGMA quick_check(1)").fetchall() != [("ok",)]:
        raise StoreDamaged("the tables fail their check")
    if _pragma(opened, "application_id") != _APPLICATION_ID:
        raise StoreForeign("not a store of this program")
    if _pragma(opened, "user_version") > SCHEMA_VERSION:
        raise StoreTooNew(f"schema {_pragma(opened, 'user_version')}, this program knows {SCHEMA_VERSION}")
    if opened.execute("SELECT value FROM meta WHERE name = 'store_id'").fetchone() != (label.store_id,):
        raise StoreForeign("store.db and store-id do not belong together")


def _pragma(opened: Connection, name: str) -> int:
    found = opened.execute(f"PRAGMA {name}").fetchone()
    return int(found[0]) if found else 0


def _free(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def _write_once(path: Path, content: bytes, fsync: Callable[[int], None] = os.fsync) -> None:
    """A new small file, on the disk with its folder entry."""
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        fsync(file.fileno())
    if os.name != "nt":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            fsync(folder)
        finally:
            os.close(folder)
