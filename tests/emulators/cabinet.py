"""A keyring that outlives a killed process: one small file. For crash tests only, and readable on purpose: the real one is in keyring.py."""

from __future__ import annotations

import json
import os
from pathlib import Path

from sync.errors import KeyMissing, StoreTrouble

__all__ = ["FileCabinet"]


class FileCabinet:
    """What ``sync.keys.KeyCabinet`` offers, over ``file``; each change is on the disk when it returns."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def entries(self) -> dict[str, str]:
        """Entry name -> key in hex."""
        return json.loads(self._file.read_text("ascii")) if self._file.exists() else {}

    def load(self, store_id: str, practice: bool = False) -> bytes:
        found = self.entries().get(store_id)
        if found is None:
            raise KeyMissing("no entry")
        return bytes.fromhex(found)

    def make(self, store_id: str, practice: bool = False) -> bytes:
        assert store_id not in self.entries()
        return self._set(store_id, os.urandom(32))

    def make_next(self, store_id: str, practice: bool = False) -> bytes:
        found = self.load_next(store_id)
        return found if found is not None else self._set(f"{store_id}:next", os.urandom(32))

    def load_next(self, store_id: str, practice: bool = False) -> bytes | None:
        found = self.entries().get(f"{store_id}:next")
        return None if found is None else bytes.fromhex(found)

    def settle(self, store_id: str, key: bytes, practice: bool = False) -> None:
        self._set(store_id, key)

    def drop_next(self, store_id: str, practice: bool = False) -> None:
        entries = self.entries()
        entries.pop(f"{store_id}:next", None)
        self._write(entries)

    def put(self, store_id: str, key: bytes, practice: bool = False) -> None:
        if self.entries().get(store_id, key.hex()) != key.hex():
            raise StoreTrouble("another key", step="key")
        self._set(store_id, key)

    def _set(self, name: str, key: bytes) -> bytes:
        self._write(self.entries() | {name: key.hex()})
        return key

    def _write(self, entries: dict[str, str]) -> None:
        fresh = self._file.with_suffix(".new")
        with fresh.open("w", encoding="ascii") as file:
            json.dump(entries, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, self._file)
