"""Synthetic records and a whole store around them, for tests of what is kept. Never uses a real person's data: names and numbers carry a marker."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sync.blobs import Blobs
from sync.canon import canon
from sync.draft import Draft, Source
from sync.journal import Journal
from sync.outbox import Outbox, Summary
from sync.parked import Parked
from sync.seal import DRAFT_PART, RECORD_PART, PublicKeyInfo, SealedRecord, seal
from sync.store import Keys, Store, open_folder

__all__ = [
    "MARKS", "NAME", "NUMBER", "OWNER", "PICTURE", "STATION_ID", "Clock", "OneKey", "Room", "draft", "new_recipient",
    "open_room", "open_room_with", "record", "sealed",
]

STATION_ID = "7d9a3a52-0c3d-4f0e-9d1b-6a0c8f0e2b11"
OWNER = "op:OP-000017"
NAME = "测试人员甲乙丙"
NUMBER = "510104199001019"
"""The first digits of every synthetic document number."""
PICTURE = b"SYNTHETIC-PICTURE-"
MARKS = tuple(text.encode(code) for text in (NAME, NUMBER) for code in ("utf-8", "utf-16-le", "gb18030")) + (PICTURE, json.dumps(NAME).strip('"').encode())
"""What must stand in no file of the data folder."""
_START = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)


@dataclass
class Clock:
    """A clock that a test moves."""

    now: datetime = _START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


def new_recipient(kid: str, bits: int = 2048) -> tuple[rsa.RSAPrivateKey, PublicKeyInfo]:
    """A key pair of a province."""
    key = rsa.generate_private_key(65537, bits)
    return key, PublicKeyInfo(kid, key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo))


def draft(serial: int = 1, owner: str = OWNER, draft_id: str = "") -> Draft:
    """A draft with a marked name and number."""
    empty = Draft(draft_id or str(uuid.uuid4()), owner, _START)
    named = empty.take("person.name_zh", NAME, Source.CHIP, by=owner, at=_START, device="reader")
    return named.take("person.id_doc_no", f"{NUMBER}{serial:06}", Source.CHIP, by=owner, at=_START, device="reader")


def record(serial: int, record_id: str) -> bytes:
    """The canonical bytes of a small record."""
    return canon({"type": "hall-intake/practice-record/1", "record_id": record_id, "serial": serial,
                  "sections": {"person": {"name_zh": NAME, "id_doc_no": f"{NUMBER}{serial:06}"}}})


def sealed(to: PublicKeyInfo, serial: int = 1, record_id: str = "", size: int = 20_000, signed: bool = True) -> SealedRecord:
    """A sealed record with one attachment of ``size`` bytes."""
    name = record_id or str(uuid.uuid4())
    picture = (PICTURE + os.urandom(max(0, size - len(PICTURE))))[:size]
    return seal(record(serial, name), [("a1.jpg", picture)], name, STATION_ID, to, to, first_part=RECORD_PART if signed else DRAFT_PART)


@dataclass
class Room:
    """A whole store with its rooms around it."""

    store: Store
    blobs: Blobs
    to: PublicKeyInfo
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.journal = Journal(self.store, STATION_ID, self.clock)
        self.outbox = Outbox(self.store, self.blobs, self.journal, self.clock)
        self.parked = Parked(self.store, self.blobs, self.clock)

    def keep(self, serial: int = 1, *, owner: str = OWNER, signed: bool = True, draft_id: str = "", size: int = 20_000, station_wrap: bool = True,
             record_id: str = "") -> str:
        """Keeps a synthetic record, named like its draft where no other name is given; its id."""
        one = sealed(self.to, serial, record_id or draft_id, size, signed)
        self.outbox.keep(one, one.record_digest, b"p7s" if signed else b"", (), owner, Summary(NAME, f"{serial:04}", ("4",)), draft_id=draft_id,
                         station_wrap=station_wrap)
        return one.record_id


@dataclass(frozen=True)
class OneKey:
    """A keyring with one key for every store."""

    key: bytes = field(repr=False)

    def load(self, store_id: str, practice: bool = False) -> bytes:
        return self.key

    def make(self, store_id: str, practice: bool = False) -> bytes:
        return self.key


def open_room(folder: Path, key: bytes, to: PublicKeyInfo) -> AbstractContextManager[Room]:
    """The room of ``folder``; made where there is none."""
    return open_room_with(folder, OneKey(key), to)


@contextmanager
def open_room_with(folder: Path, keys: Keys, to: PublicKeyInfo) -> Iterator[Room]:
    """As ``open_room``, with another keyring."""
    with open_folder(folder, keys, make=True) as store:
        blobs = Blobs(folder / "blobs", room=0, reserve=0)
        blobs.prepare()
        yield Room(store, blobs, to)
