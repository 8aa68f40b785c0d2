"""A new key for a store, safe against a crash at every step: at each moment one of the keys in the keyring opens it. Never changes a packet.

Steps: second key into the keyring · its check value into ``store.check.next`` · new wraps in one transaction · the file under the new key in one
transaction · the second key in the first one's place in the keyring · the second entry goes · ``store.check.next`` becomes ``store.check``.
What a crash cuts short is ended, or taken back, at the next open.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from sync.ciphers import key_check
from sync.errors import StoreDamaged
from sync.file_errors import named_file_errors
from sync.label import CHECK, NEXT_CHECK, StoreLabel, fits, sync_folder, write_once
from sync.sqlcipher import connect
from sync.steps import drop_copies

__all__ = ["NextKeys", "Rekeyed", "change_key", "finish_rekey"]


class NextKeys(Protocol):
    """What a change of keys needs of ``sync.keys.KeyCabinet``."""

    def make_next(self, store_id: str, practice: bool = False) -> bytes: ...
    def load_next(self, store_id: str, practice: bool = False) -> bytes | None: ...
    def settle(self, store_id: str, key: bytes, practice: bool = False) -> None: ...
    def drop_next(self, store_id: str, practice: bool = False) -> None: ...


class Rekeyed(Protocol):
    """What of ``sync.store.Store`` is needed."""

    folder: Path
    store_id: str
    practice: bool

    def change_key(self, key: bytes) -> None: ...


def change_key(store: Rekeyed, cabinet: NextKeys, reached: Callable[[str], None] = lambda step: None) -> None:
    """Puts a new key into an open store that nobody else uses; ``reached`` is told each step. Raises as the cabinet, DiskFull, StoreTrouble.

    After a trouble the store is to be closed; the next open knows what to do.
    """
    label = StoreLabel(store.store_id, store.practice)
    key = cabinet.make_next(label.store_id, label.practice)
    reached("second key")
    with named_file_errors("rekey", store.folder):
        write_once(store.folder / NEXT_CHECK, key_check(key, label.salt).encode("ascii"))
        reached("check")
        store.change_key(key)
        reached("file")
        drop_copies(store.folder)  # they are under the old key
        _settle(store.folder, label, cabinet, key, reached)


def finish_rekey(folder: Path, label: StoreLabel, cabinet: NextKeys, key: bytes) -> bytes:
    """The key of a store whose change of keys was cut short; the change is ended where the file is under the new key, else taken back.

    ``key``: the first one in the keyring. Raises as the cabinet.
    """
    second = cabinet.load_next(label.store_id, label.practice)
    if second is not None and _opens(folder, second):
        _settle(folder, label, cabinet, second)
        return second
    if _opens(folder, key):
        if _is(folder, label, key):
            _settle(folder, label, cabinet, key)
        else:
            (folder / NEXT_CHECK).unlink()
            cabinet.drop_next(label.store_id, label.practice)
    return key


def _settle(folder: Path, label: StoreLabel, cabinet: NextKeys, key: bytes, reached: Callable[[str], None] = lambda step: None) -> None:
    cabinet.settle(label.store_id, key, label.practice)
    reached("keyring")
    cabinet.drop_next(label.store_id, label.practice)  # before the last step: what is there at a beginning was never any store's key
    reached("second entry")
    os.replace(folder / NEXT_CHECK, folder / CHECK)  # either name is read at an open, so this one small file may change its place
    sync_folder(folder)


def _opens(folder: Path, key: bytes) -> bool:
    try:
        connect(folder / "store.db", key, "ro").close()
    except StoreDamaged:
        return False
    return True


def _is(folder: Path, label: StoreLabel, key: bytes) -> bool:
    """Whether ``store.check.next`` is whole and of this key."""
    try:
        return fits(folder / NEXT_CHECK, label, key)
    except StoreDamaged:
        return False
