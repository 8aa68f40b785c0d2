"""A desk with a real store, a soft token and unsigned records, for tests and measurements of signing many. Never a window, never a province."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Event
from types import SimpleNamespace
from typing import Any

from desktop.effects.batch import BatchWork
from desktop.effects.beside import Beside, inline
from desktop.effects.records import keep_unsigned
from desktop.effects.tokens import TokenWork
from desktop.flows.words import CertificateChoice, ListCertificates, Operator
from desktop.flows.words.batch import BatchBuilt, BatchEnded, BuildBatch, SignBatch
from devices.registry import Listed, Registry
from devices.tokens.hosted import HostedDriver
from sync.batch import BatchLimits
from sync.revocation import REVOCATION_FOLDER, Revocations
from sync.seal import PublicKeyInfo
from sync.tables import Tables
from tests.emulators.records import STATION_ID, Room
from tests.flows.sample import full_draft

__all__ = ["BatchRoom"]


@dataclass
class BatchRoom:
    """What ``Rooms`` is to the batch. ``roles``: person id -> roles; who is logged in is the person of the token ``label``."""

    room: Room
    driver: HostedDriver
    roots: tuple[bytes, ...]
    to: PublicKeyInfo
    roles: Mapping[str, frozenset[str]]
    label: str = "operator"
    limits: BatchLimits | None = None
    beside: Beside = inline
    told: list[tuple[str, int, int]] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.outbox, self.parked, self.journal, self.store = self.room.outbox, self.room.parked, self.room.journal, self.room.store
        self.tables = Tables.load()
        self.registry = Registry([Listed("tokens", self.driver.name, lambda: self.driver)])
        people = {id: SimpleNamespace(id=id, name="某人", roles=roles) for id, roles in self.roles.items()}
        self.station = SimpleNamespace(signer_roots=self.roots, person=people.get, station_id=STATION_ID, hall="510100-01", window="07", practice=True,
                                       intake=self.to, recovery=self.to)
        self.revocations = Revocations(self.room.blobs.folder.parent / REVOCATION_FOLDER)
        self.later = timedelta()
        self.logged_in = True
        self.on_tell: Any = lambda what, done, total: None
        self.tokens = TokenWork(lambda: self)
        self.work = BatchWork(lambda: self, self.tokens, self._operator, self.kept.append, self.limits, lambda: "clerk", self.now, self.beside)
        self.choice = self._choice()

    def now(self) -> datetime:
        return datetime.now(UTC).replace(microsecond=0) + self.later

    def note(self, who: str, what: str, about: str = "", facts: Mapping[str, Any] | None = None) -> None:
        with self.store.write() as tx:
            self.journal.write(tx, who, what, about, facts)

    def unsigned(self, owner: str = "op:OP-000017", size: int = 2000, whole: bool = True) -> str:
        """A person's record, kept without a signature; its id."""
        draft = full_draft(f"d-{os.urandom(6).hex()}")
        draft = draft.without_still("s-portrait").without_still("s-skill_certificate")
        for kind in ("portrait", "skill_certificate"):
            self.parked.put(draft)
            draft = draft.with_still(self.parked.add_still(draft.draft_id, kind, "image/jpeg", _picture(size), "B"))
        self.parked.put(draft if whole else draft.without_still(draft.stills[0].still_id))
        return keep_unsigned(self, draft if whole else draft.without_still(draft.stills[0].still_id), owner)  # type: ignore[arg-type]

    def build(self, *record_ids: str, reason: str = "") -> BatchBuilt:
        return self.work.build(BuildBatch(record_ids, reason), Event(), self._tell)

    def sign(self, built: BatchBuilt, pin: str, cancel: Event | None = None) -> BatchEnded:
        return self.work.sign(SignBatch(self.choice, pin, tuple(one.item for one in built.lines)), cancel or Event(), self._tell)

    def _tell(self, what: str, done: int = 0, total: int = 0) -> None:
        self.told.append((what, done, total))
        self.on_tell(what, done, total)

    def _choice(self) -> CertificateChoice:
        listed = self.tokens.list(ListCertificates(), Event(), None).certificates
        return next(one for one in listed if one.device.name == self.label)

    def _operator(self) -> Operator:
        from sync.errors import NotEnrolled

        if not self.logged_in:
            raise NotEnrolled("nobody is logged in")
        return Operator(self.choice.signer_id, self.choice.signer_name, self.roles[self.choice.signer_id], self.choice)


def _picture(size: int) -> bytes:
    """A small real JPEG, filled up to ``size`` bytes."""
    import cv2
    import numpy

    found = cv2.imencode(".jpg", numpy.full((40, 30, 3), 200, numpy.uint8))[1].tobytes()
    out = io.BytesIO(found)
    out.seek(0, 2)
    out.write(os.urandom(max(0, size - len(found))))
    return out.getvalue()
