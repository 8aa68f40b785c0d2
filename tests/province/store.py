"""The province's durable memory: SQLite (WAL, synchronous=FULL), or PostgreSQL by one setting, and one file per upload.

Never decides anything about a request. The setting: the file ``database`` in the province's folder holds PostgreSQL's connection words.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.province.pgstore import PostgresStore

__all__ = ["Store", "fsync_folder", "open_store"]

SCHEMA = Path(__file__).with_name("schema.sql")


def fsync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def open_store(folder: Path, database: str = "") -> Any:
    """The store of a folder. ``database``: PostgreSQL's connection words for a new folder; kept there, so that later openings find it."""
    setting = folder / "database"
    if database:
        setting.write_text(database + "\n", "utf-8")
    if setting.exists():
        return PostgresStore(folder, setting.read_text("utf-8").strip(), SCHEMA.read_text("utf-8"))
    return Store(folder)


class Store:
    """One connection behind one lock. ``write`` is one transaction and durable when it ends; ``rows`` and ``row`` read."""

    def __init__(self, folder: Path) -> None:
        self.uploads = folder / "uploads"
        self.uploads.mkdir(mode=0o700, exist_ok=True)
        self._lock = threading.RLock()
        self._db = sqlite3.connect(folder / "province.db", check_same_thread=False, isolation_level=None, timeout=30)
        self._db.row_factory = sqlite3.Row
        mode = self._db.execute("PRAGMA journal_mode=WAL").fetchone()[0]
        if mode != "wal":
            raise OSError(f"the file system gives no WAL journal: {mode}")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.execute("PRAGMA foreign_keys=ON")
        self._db.executescript(SCHEMA.read_text("utf-8"))

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            if self._db.in_transaction:  # a step of a larger transaction of this thread
                yield self._db
                return
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def rows(self, sql: str, *values: object) -> list[sqlite3.Row]:
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def row(self, sql: str, *values: object) -> sqlite3.Row | None:
        with self._lock:
            return self._db.execute(sql, values).fetchone()

    def fact(self, name: str) -> str | None:
        found = self.row("SELECT value FROM facts WHERE name = ?", name)
        return found["value"] if found else None

    def close(self) -> None:
        with self._lock:
            self._db.close()
