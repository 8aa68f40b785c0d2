"""The schema of the store and the way forward from every released version. Never goes back a step, and never takes one without a copy of what was there.

A step is ``schema/NNN.sql`` in one transaction with its version number. Before it the whole store is copied beside itself (``store.before-NNN.db``,
encrypted under the same key, fsynced); a copy is dropped ``COPY_DAYS`` after its step, for it still holds what was erased since.
"""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

from sync.draft import time_text
from sync.errors import DiskFull, StoreDamaged, StoreForeign, StoreTooNew, StoreTrouble
from sync.file_errors import free_bytes
from sync.label import StoreLabel, sync_folder
from sync.sqlcipher import Connection, connect, named_errors, roll_back

__all__ = ["COPY_DAYS", "SCHEMA_VERSION", "TABLES", "check_whole", "copies", "drop_copies", "make_file", "upgrade"]

SCHEMA_VERSION = 3
COPY_DAYS = 30
TABLES = ("meta", "station", "drafts", "stills", "outbox", "packet_keys", "journal")
_APPLICATION_ID = 0x48495354
"""``HIST`` in the file's header, inside the encryption."""
_PLAIN = b"SQLite format 3\x00"
_COPY = re.compile(r"^store\.before-\d{3}\.db$")


def make_file(folder: Path, label: StoreLabel, key: bytes) -> None:
    """Makes file and schema; takes up a making that a crash cut short. A file with content that does not open is left as it is (StoreDamaged)."""
    path = folder / "store.db"
    opened = connect(path, key, "rwc")
    try:
        with named_errors("schema", free_bytes(folder)):
            if _pragma(opened, "user_version") == 0:
                steps = "; ".join(_sql(step) for step in range(1, SCHEMA_VERSION + 1))
                opened.executescript(f"BEGIN IMMEDIATE; PRAGMA application_id = {_APPLICATION_ID}; {steps}; PRAGMA user_version = {SCHEMA_VERSION};")
                opened.execute("INSERT INTO meta VALUES ('store_id', ?), ('made_at', ?)", (label.store_id, time_text(datetime.now(UTC))))
                opened.execute("COMMIT")
            opened.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        opened.close()
    with path.open("rb") as file:
        if file.read(len(_PLAIN)) in (_PLAIN, b""):
            raise StoreTrouble("the new store is not encrypted", step="encryption")


def upgrade(folder: Path, label: StoreLabel, key: bytes, version: int) -> None:
    """Takes every step after ``version``, each behind a copy. What a crash cuts short is taken up at the next open.

    Raises DiskFull where the copy has no room, StoreTrouble where a step fails; the store is then as it was before that step.
    """
    for step in range(version + 1, SCHEMA_VERSION + 1):
        opened = connect(folder / "store.db", key, "rw")
        try:
            with named_errors("upgrade", free_bytes(folder)):
                _copy(opened, folder, label, key, step)
                opened.executescript(f"BEGIN IMMEDIATE; {_sql(step)}; PRAGMA user_version = {step}; COMMIT;")
                opened.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            roll_back(opened)
            opened.close()


def copies(folder: Path) -> tuple[Path, ...]:
    """The copies that were made before steps."""
    return tuple(sorted(one for one in folder.iterdir() if _COPY.match(one.name)))


def drop_copies(folder: Path, older_than_s: float = 0.0) -> None:
    """Unlinks the copies whose file was written so many seconds ago; all where the key was changed (they are under the old one)."""
    for one in copies(folder):
        with suppress(OSError):
            if time.time() - one.stat().st_mtime >= older_than_s:
                one.unlink()


def check_whole(folder: Path, label: StoreLabel, key: bytes, most: int | None = None) -> int:
    """The store's schema version, after every page was read (of a file of more than ``most`` bytes: the first ones), without changing a byte of it or its log.

    Raises StoreDamaged, StoreForeign, StoreTooNew.
    """
    path, log, index = (folder / name for name in ("store.db", "store.db-wal", "store.db-shm"))
    try:
        with path.open("rb") as file:
            start = file.read(len(_PLAIN))
        thorough = most is None or path.stat().st_size <= most
    except OSError as error:
        raise StoreDamaged(f"store.db: {error.strerror}") from error
    if start == _PLAIN:
        raise StoreForeign("store.db is not encrypted")
    if not start:
        raise StoreDamaged("store.db is empty")
    there = {one for one in (log, index) if one.exists()}
    try:
        # cipher_integrity_check reads the file behind the log's back: a page torn by a power cut and whole in the log would be called damage
        return _checked(path, label, key, whole_file=thorough and not (log.exists() and log.stat().st_size), tables=thorough)
    finally:
        for one in {log, index} - there:  # made by looking; the lock is ours, so nobody else needs them
            with suppress(OSError):
                one.unlink(missing_ok=True)


def _checked(path: Path, label: StoreLabel, key: bytes, *, whole_file: bool, tables: bool) -> int:
    opened = connect(path, key, "ro")
    try:
        with named_errors("check"):
            if whole_file and opened.execute("PRAGMA cipher_integrity_check").fetchall():
                raise StoreDamaged("a page fails its check sum")
            if tables and opened.execute("PRAGMA quick_check(1)").fetchall() != [("ok",)]:
                raise StoreDamaged("the tables fail their check")
            version = _pragma(opened, "user_version")
            if _pragma(opened, "application_id") != _APPLICATION_ID:
                raise StoreForeign("not a store of this program")
            if version > SCHEMA_VERSION:
                raise StoreTooNew(f"schema {version}, this program knows {SCHEMA_VERSION}")
            if version < 1:
                raise StoreDamaged("no schema version")
            if opened.execute("SELECT value FROM meta WHERE name = 'store_id'").fetchone() != (label.store_id,):
                raise StoreForeign("store.db and store-id do not belong together")
            return version
    finally:
        opened.close()


def _copy(opened: Connection, folder: Path, label: StoreLabel, key: bytes, step: int) -> None:
    """A whole, fsynced, encrypted copy beside the store. One that a crash or an earlier try left is made anew: the store may have gone on since."""
    copy = folder / f"store.before-{step:03}.db"
    copy.unlink(missing_ok=True)
    size = sum(one.stat().st_size for one in (folder / "store.db", folder / "store.db-wal") if one.exists())
    if free_bytes(folder) < 2 * size:
        raise DiskFull("no room for the copy before a schema step", free=free_bytes(folder), needed=2 * size)
    try:
        opened.execute("VACUUM INTO ?", (str(copy),))
        with copy.open("rb+") as file:
            start = file.read(len(_PLAIN))
            os.fsync(file.fileno())
        sync_folder(folder)
        if start in (_PLAIN, b""):
            raise StoreTrouble("the copy is not encrypted", step="encryption")
        if _checked(copy, label, key, whole_file=True, tables=True) != step - 1:
            raise StoreTrouble("the copy is of another version", step="upgrade")
    except BaseException as error:
        with suppress(OSError):
            copy.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise StoreTrouble(f"copy: {error.strerror}", step="disk") from error
        raise


def _sql(step: int) -> str:
    return files("sync").joinpath("schema", f"{step:03}.sql").read_text("utf-8")


def _pragma(opened: Connection, name: str) -> int:
    found = opened.execute(f"PRAGMA {name}").fetchone()
    return int(found[0]) if found else 0
