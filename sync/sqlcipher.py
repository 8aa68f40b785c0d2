"""The only room that knows the SQLCipher binding: keyed connections, versions, and its errors by our names. Never knows a table.

Raw 32 byte key, WAL, synchronous=FULL: a commit that returned is on the disk (facts: WAL with FULL lost nothing in 2,062 power cuts, NORMAL lost 141).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal, Protocol, cast

import sqlcipher3.dbapi2

from sync.errors import DiskFull, StoreDamaged, StoreTrouble

__all__ = ["BUSY_MS", "Connection", "Cursor", "OLDEST_SQLITE", "check_versions", "connect", "named_errors", "rekey", "roll_back"]

_binding = cast(Any, sqlcipher3.dbapi2)  # it ships no types
_Error = cast("type[Exception]", _binding.Error)

OLDEST_SQLITE = (3, 51, 3)
"""Older ones have the WAL-reset race that loses commits (sqlite.org/wal.html#walresetbug)."""
BUSY_MS = 5_000

_CORRUPT, _FULL, _IOERR, _NOTADB = 11, 13, 10, 26  # primary result codes, sqlite.org/rescode.html


class Cursor(Protocol):
    """Rows of one statement."""

    @property
    def rowcount(self) -> int: ...
    def fetchone(self) -> tuple[Any, ...] | None: ...
    def fetchall(self) -> list[tuple[Any, ...]]: ...
    def __iter__(self) -> Iterator[tuple[Any, ...]]: ...


class Connection(Protocol):
    """A keyed connection; also the ``tx`` of ``Store.write``."""

    @property
    def in_transaction(self) -> bool: ...
    def execute(self, sql: str, parameters: Sequence[object] | Mapping[str, object] = (), /) -> Cursor: ...
    def executescript(self, sql: str, /) -> Cursor: ...
    def set_progress_handler(self, handler: Callable[[], bool] | None, n: int, /) -> None: ...
    def close(self) -> None: ...


def check_versions(version: Sequence[int] | None = None) -> None:
    """Raises StoreTrouble (step ``version``) where the SQLite inside is too old or is no SQLCipher."""
    found = tuple(version or cast("tuple[int, ...]", _binding.sqlite_version_info))
    if found < OLDEST_SQLITE:
        raise StoreTrouble(f"SQLite {'.'.join(map(str, found))} is older than 3.51.3", step="version")
    with named_errors("version"):
        _check_cipher()


def _check_cipher() -> None:
    probe = cast("Connection", _binding.connect(":memory:"))
    try:
        if not probe.execute("PRAGMA cipher_version").fetchone():
            raise StoreTrouble("this SQLite does not encrypt", step="version")
    finally:
        probe.close()


def connect(path: Path, key: bytes, mode: Literal["ro", "rw", "rwc"]) -> Connection:
    """A keyed connection, autocommit, usable from any one thread at a time; ``ro`` changes nothing in the file and its log.

    Raises StoreDamaged where the file does not open with this key, StoreTrouble.
    """
    if len(key) != 32:
        raise ValueError("the key of a store has 32 bytes")
    with named_errors("open"):
        opened = cast("Connection", _binding.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None, check_same_thread=False))
        try:
            opened.execute("PRAGMA cipher_log_level = NONE")
            opened.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
            opened.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
            opened.execute("PRAGMA temp_store = MEMORY")
            opened.execute("PRAGMA trusted_schema = OFF")
            opened.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if mode == "ro":
                opened.execute("PRAGMA query_only = ON")
            else:
                _durable(opened)
        except BaseException:
            opened.close()
            raise
        return opened


def _durable(opened: Connection) -> None:
    wal = opened.execute("PRAGMA journal_mode = WAL").fetchone()
    for pragma in ("synchronous = FULL", "foreign_keys = ON", "secure_delete = ON"):
        opened.execute(f"PRAGMA {pragma}")
    found = (wal, opened.execute("PRAGMA synchronous").fetchone(), opened.execute("PRAGMA foreign_keys").fetchone())
    if found != (("wal",), (2,), (1,)):
        raise StoreTrouble(f"the store does not take its safe settings: {found}", step="settings")


def rekey(opened: Connection, key: bytes) -> None:
    """Every page under another key, in one transaction of SQLCipher's own; a crash leaves the file wholly under the one or the other."""
    if len(key) != 32:
        raise ValueError("the key of a store has 32 bytes")
    opened.execute(f"PRAGMA rekey = \"x'{key.hex()}'\"")


def roll_back(opened: Connection) -> None:
    """Ends a transaction that is to leave nothing; a connection that cannot even do that is left to its closing."""
    with suppress(_Error):
        if opened.in_transaction:
            opened.execute("ROLLBACK")


@contextmanager
def named_errors(step: str, free: int = 0) -> Generator[None]:
    """The binding's errors by our names: DiskFull, StoreDamaged, StoreTrouble (facts step). The binding's text names tables, never values."""
    try:
        yield
    except _Error as error:
        code = cast("int", getattr(error, "sqlite_errorcode", 0)) & 0xFF
        if code == _FULL:
            raise DiskFull("store", free=free, needed=0) from error
        if code in (_CORRUPT, _NOTADB):
            raise StoreDamaged(f"{step}: {error}") from error
        raise StoreTrouble(f"{step}: {error}", step="disk" if code == _IOERR else step) from error
