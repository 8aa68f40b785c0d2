"""Who a store is and whether there is one: the small files beside ``store.db``. Never opens the store itself.

``store-id`` (no secret) · ``store.check`` (written last when a store is made: without it no person's data was ever inside; holds the key check value,
so that a wrong key and a damaged file are told apart) · ``store.check.next`` (the same of a new key, while one is being put in: rekey.py).
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from hmac import compare_digest
from pathlib import Path

from sync.canon import canon, parse_canonical
from sync.ciphers import key_check
from sync.errors import FormatTrouble, KeyMissing, StoreDamaged

__all__ = [
    "CHECK", "NEXT_CHECK", "StoreLabel", "begun", "check_key", "fits", "is_made", "new_label", "read_label", "refuse_leftovers", "refuse_lost_rows",
    "sync_folder", "write_once",
]

CHECK, NEXT_CHECK = "store.check", "store.check.next"


@dataclass(frozen=True, slots=True)
class StoreLabel:
    """Who the store is: a UUID that names its key in the keyring, and whether it is for practice."""

    store_id: str
    practice: bool

    @property
    def salt(self) -> bytes:
        """16 bytes that make keys and checks of this store its own."""
        return uuid.UUID(self.store_id).bytes


def read_label(folder: Path) -> StoreLabel | None:
    """The label of the store in ``folder``, or None where there is none. Raises StoreDamaged."""
    path = folder / "store-id"
    try:
        content = path.read_bytes() if path.exists() else b""
        if not content or (not content.endswith(b"}") and not begun(folder)):
            return None  # empty, or its beginning alone: the very first step of a making was cut short
        members = parse_canonical(content, "store-id")
        if members["type"] != "hall-intake/store-id/1" or type(members["practice"]) is not bool:
            raise ValueError("type")
        return StoreLabel(str(uuid.UUID(members["store_id"])), members["practice"])
    except (FormatTrouble, OSError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise StoreDamaged("store-id is not readable") from error


def new_label(folder: Path, practice: bool) -> StoreLabel:
    """A label for a folder in which nothing of a store is. Raises StoreDamaged where there is something."""
    refuse_leftovers(folder)
    (folder / "store-id").unlink(missing_ok=True)
    label = StoreLabel(str(uuid.uuid4()), practice)
    write_once(folder / "store-id", canon({"type": "hall-intake/store-id/1", "store_id": label.store_id, "practice": label.practice}))
    return label


def begun(folder: Path) -> bool:
    """Whether a byte was ever written under a key here. From then on a missing key is KeyMissing, never a reason for a new one."""
    return (folder / CHECK).exists() or (folder / NEXT_CHECK).exists() or _has_rows(folder) or _has_files(folder)


def refuse_lost_rows(folder: Path) -> None:
    """Raises StoreDamaged where packets or pictures lie without the store that named them: it was lost, and a new one in its place would forget them."""
    if not _has_rows(folder) and _has_files(folder):
        raise StoreDamaged("store.db is gone, what it named is there")


def _has_rows(folder: Path) -> bool:
    path = folder / "store.db"
    return path.exists() and path.stat().st_size > 0


def _has_files(folder: Path) -> bool:
    blobs = folder / "blobs"
    return blobs.is_dir() and any(one.name != "reserve" for one in blobs.iterdir())


def is_made(folder: Path, label: StoreLabel, key: bytes) -> bool:
    """Whether the making came to its end: false where ``store.check`` is not there, or is but a beginning of this key's because its writing was cut short."""
    path = folder / CHECK
    try:
        found = path.read_bytes() if path.exists() else b""
    except OSError as error:
        raise StoreDamaged(f"{CHECK} is not readable") from error
    whole = key_check(key, label.salt).encode("ascii")
    return found == whole or not whole.startswith(found)


def refuse_leftovers(folder: Path) -> None:
    """Raises StoreDamaged where there is something of a store, but no label of it."""
    if read_label(folder) is None and begun(folder):
        raise StoreDamaged("the store has lost its store-id")


def check_key(folder: Path, label: StoreLabel, key: bytes) -> None:
    """Raises KeyMissing where ``key`` is not this store's (nor the one that was being put in), StoreDamaged where that cannot be said."""
    after = folder / NEXT_CHECK
    if not fits(folder / CHECK, label, key) and not (after.exists() and after.stat().st_size and fits(after, label, key)):
        raise KeyMissing("the key that was found is not the key of this store")


def fits(path: Path, label: StoreLabel, key: bytes) -> bool:
    """Whether ``key`` is the one of this check value. Raises StoreDamaged where it cannot be read."""
    try:
        expected = path.read_text("ascii")
    except (OSError, ValueError) as error:
        raise StoreDamaged(f"{path.name} is not readable") from error
    if len(expected) != 64:
        raise StoreDamaged(f"{path.name} is not readable")
    return compare_digest(expected, key_check(key, label.salt))


def write_once(path: Path, content: bytes, fsync: Callable[[int], None] = os.fsync) -> None:
    """A new small file, on the disk with its folder entry. Raises OSError, also where there is one."""
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        fsync(file.fileno())
    sync_folder(path.parent, fsync)


def sync_folder(path: Path, fsync: Callable[[int], None] = os.fsync) -> None:
    """Puts the entries of a folder on the disk; Windows offers no such call."""
    if os.name == "nt":
        return
    folder = os.open(path, os.O_RDONLY)
    try:
        fsync(folder)
    finally:
        os.close(folder)
