"""A station goes to another machine: the folder is copied by whatever means, its key travels sealed under a code. Never leaves two that may work.

``move_out`` marks the store as moved (from then on it opens nowhere without the code) and writes ``store.move``: the key under the code. The key stays in the
old keyring, so that a move that fails can be taken back at the old machine with the same code. ``move_in`` takes the mark off and changes the key.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from hmac import compare_digest
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sync.carry_in import normal_transfer_code
from sync.carry_out import CODE_LETTERS
from sync.ciphers import derived_key
from sync.draft import time_text
from sync.errors import ExportRefused, KeyMissing, NotEnrolled
from sync.file_errors import named_file_errors
from sync.journal import Journal
from sync.label import StoreLabel, check_key, read_label, write_once
from sync.rekey import NextKeys, change_key
from sync.store import Keys, open_folder

__all__ = ["MOVE_FILE", "MovingKeys", "move_in", "move_out"]

MOVE_FILE = "store.move"
_NONCE = 12


class MovingKeys(Keys, NextKeys, Protocol):
    """What a move needs of ``sync.keys.KeyCabinet``."""

    def put(self, store_id: str, key: bytes, practice: bool = False) -> None: ...


def move_out(folder: Path, cabinet: MovingKeys, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> str:
    """Marks the store as moved and gives the code; the folder may then be copied. Raises as ``open_folder``."""
    code = "".join(secrets.choice(CODE_LETTERS) for _ in range(20))
    with open_folder(folder, cabinet) as store:
        label = StoreLabel(store.store_id, store.practice)
        key = cabinet.load(label.store_id, label.practice)
        nonce = os.urandom(_NONCE)
        with named_file_errors("move", folder):
            (folder / MOVE_FILE).unlink(missing_ok=True)  # of a move that was never begun
            write_once(folder / MOVE_FILE, nonce + AESGCM(_key(code, label)).encrypt(nonce, key, _about(label)))
        with store.write() as tx:
            tx.execute("INSERT INTO meta (name, value) VALUES ('moved_out', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", (time_text(clock()),))
            Journal(store, "", clock).write(tx, "station", "station.moved_out")
        store.forget_old_pages()
    return "-".join(code[i:i + 4] for i in range(0, 20, 4))


def move_in(folder: Path, cabinet: MovingKeys, typed: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
    """Makes the copied store this machine's own, under a new key; done again where it was cut short.

    Raises NotEnrolled where nothing was moved here, ExportRefused (why: ``code``), as ``open_folder`` and ``change_key``.
    """
    label = read_label(folder)
    if label is None or not (folder / MOVE_FILE).exists():
        raise NotEnrolled("no station was moved here")
    with named_file_errors("move", folder):
        sealed = (folder / MOVE_FILE).read_bytes()
    try:
        key = AESGCM(_key(normal_transfer_code(typed), label)).decrypt(sealed[:_NONCE], sealed[_NONCE:], _about(label))
    except (InvalidTag, ValueError) as error:
        raise ExportRefused("another code", why="code") from error
    try:
        cabinet.load(label.store_id, label.practice)  # an earlier try, or the machine that it left
    except KeyMissing:
        check_key(folder, label, key)
        cabinet.put(label.store_id, key, label.practice)
    with open_folder(folder, cabinet, arriving=True) as store:
        with store.write() as tx:
            if tx.execute("DELETE FROM meta WHERE name = 'moved_out'").rowcount:
                Journal(store, "", clock).write(tx, "station", "station.moved_in")
        if compare_digest(cabinet.load(label.store_id, label.practice), key):
            change_key(store, cabinet)
        with named_file_errors("move", folder):
            (folder / MOVE_FILE).unlink()


def _key(code: str, label: StoreLabel) -> bytes:
    return derived_key(code.encode("ascii"), label.salt, b"hall-intake/move/1")


def _about(label: StoreLabel) -> bytes:
    return b"hall-intake/move/1 " + label.store_id.encode("ascii")
