"""What the province tells a station: roots, settings, tables, states (FORMATS section 7). Never lets a version fall, never takes roots from another key.

Nothing here names a library path, a reader profile, a keyring or the practice flag: such members are refused as foreign.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Literal, cast

from sync.canon import parse_canonical
from sync.envelope import KeyRing, keyid_of, open_payload
from sync.errors import FormatTrouble, SignatureInvalid
from sync.lateness import LateRule
from sync.members import Members
from sync.seal import PublicKeyInfo

__all__ = [
    "PURPOSES", "Downlink", "Person", "Purpose", "RecordState", "Roots", "Settings", "States", "TableEdition", "check_follows", "open_downlink",
]

Purpose = Literal["roots", "settings", "tables", "states"]
PURPOSES: tuple[Purpose, ...] = ("roots", "settings", "tables", "states")
"""In the order in which they are applied: new keys first."""

REMOTE_STATES = ("received", "accepted", "correction_required", "under_review", "publicity", "effective", "refused", "withdrawn")
ROLES = ("collector", "supervisor", "administrator", "verifier")


@dataclass(frozen=True, slots=True)
class Downlink:
    """One opened downlink object. ``payload`` are the exact signed bytes."""

    purpose: Purpose
    version: int
    issued_at: datetime
    expires_at: datetime
    body: Mapping[str, Any] = field(repr=False)
    payload: bytes = field(repr=False)

    def expired(self, now: datetime) -> bool:
        """Expired objects are used on; the screen shows their age."""
        return now > self.expires_at


def open_downlink(untrusted: bytes, keys: KeyRing, purpose: Purpose) -> Downlink:
    """One envelope as what it says. ``keys``: the pinned ring for ``roots``, the ring of the roots for the rest.

    Raises FormatTrouble, and SignatureInvalid as ``sync.envelope.open_payload`` does.
    """
    payload = open_payload(untrusted, keys, purpose)
    members = Members(parse_canonical(payload, purpose), purpose, ("type", "purpose", "version", "issued_at", "expires_at", "body"))
    members.be("type", "hall-intake/downlink/1")
    members.be("purpose", purpose)
    members.inner("body")
    return Downlink(purpose, members.integer("version", 1), members.time("issued_at"), members.time("expires_at"),
                    cast("Mapping[str, Any]", members.raw("body")), payload)


def check_follows(kept: Downlink | None, new: Downlink) -> bool:
    """Whether ``new`` is news. Raises SignatureInvalid (why: ``rollback`` or ``same_version``) where its version fell, or stayed with other bytes."""
    if kept is None:
        return True
    if new.version < kept.version:
        raise SignatureInvalid(f"{new.purpose} version fell from {kept.version} to {new.version}", why="rollback")
    if new.version == kept.version and new.payload != kept.payload:
        raise SignatureInvalid(f"{new.purpose} version {new.version} came with other bytes", why="same_version")
    return new.version > kept.version


@dataclass(frozen=True, slots=True)
class Roots:
    """Body of ``roots``: who the province is and which keys speak for it. Certificates are DER; ``intake_until`` is when the intake key ends."""

    province: str
    name: str
    practice: bool
    keys: KeyRing = field(repr=False)
    intake: PublicKeyInfo
    intake_until: datetime
    recovery: PublicKeyInfo
    signer_roots: tuple[bytes, ...] = field(repr=False)
    tls_roots: tuple[bytes, ...] = field(repr=False)

    @classmethod
    def read(cls, downlink: Downlink) -> Roots:
        """Raises FormatTrouble."""
        body = Members(downlink.body, "roots", ("province", "keys", "intake", "recovery", "signer_roots", "tls_roots"))
        province = body.inner("province", ("id", "name", "practice"))
        intake, recovery = body.inner("intake", ("kid", "alg", "spki", "not_after")), body.inner("recovery", ("kid", "alg", "spki"))
        tls_roots = body.list64("tls_roots")
        if not tls_roots:
            raise FormatTrouble("the roots list has no TLS root: the province could not be reached again", what="roots.tls_roots")
        return cls(
            province.text("id"), province.text("name"), province.flag("practice"), KeyRing.from_roots(body),
            _wrap_key(intake), intake.time("not_after"), _wrap_key(recovery),
            body.list64("signer_roots"), tls_roots,
        )


def _wrap_key(members: Members) -> PublicKeyInfo:
    members.be("alg", "RSA-OAEP-256")
    spki = members.bytes64("spki")
    members.be("kid", keyid_of(spki))
    return PublicKeyInfo(members.text("kid"), spki)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may work at this hall; ``id`` is the one in the certificate."""

    id: str
    name: str = field(repr=False)
    roles: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Settings:
    """Body of ``settings``. The other stations of the hall are checked for form only: no rule of this program reads them."""

    hall: str
    hall_name: str
    window: str
    people: tuple[Person, ...] = field(repr=False)
    sams: tuple[str, ...]
    retention_days: int
    publicity_workdays: int
    late: LateRule = field(default_factory=LateRule)

    @classmethod
    def read(cls, downlink: Downlink) -> Settings:
        """Raises FormatTrouble."""
        told = "late" in downlink.body
        body = Members(downlink.body, "settings",
                       ("hall", "window", "stations", "people", "sams", "retention_days", "publicity_workdays", *(("late",) if told else ())))
        hall = body.inner("hall", ("code", "name"))
        for one in body.each("stations", ("id", "window", "state")):
            one.be("state", "good", "lent", "replaced", "revoked", "cloned")
        people = [Person(one.text("id"), one.text("name"), frozenset(one.texts("roles"))) for one in body.each("people", ("id", "name", "roles"))]
        if unknown := {role for person in people for role in person.roles if role not in ROLES}:
            raise FormatTrouble(f"unknown roles {sorted(unknown)}", what="settings.people.roles")
        if len({person.id for person in people}) != len(people):
            raise FormatTrouble("a person stands twice", what="settings.people.id")
        return cls(hall.text("code"), hall.text("name"), body.text("window"), tuple(people), body.texts("sams"),
                   body.integer("retention_days", 0, 36_500), body.integer("publicity_workdays", 0, 366),
                   _late(body.inner("late", ("after_end_days", "trust_claimed_time"))) if told else LateRule())


def _late(members: Members) -> LateRule:
    days = None if members.raw("after_end_days") is None else timedelta(days=members.integer("after_end_days", 0, 36_500))
    return LateRule(days, members.flag("trust_claimed_time"))


@dataclass(frozen=True, slots=True)
class TableEdition:
    """Which edition of a code table the province counts by."""

    edition: str
    digest: str

    @classmethod
    def read_all(cls, downlink: Downlink) -> dict[str, TableEdition]:
        """Body of ``tables``. Raises FormatTrouble."""
        body = Members(downlink.body, "tables")
        editions = {name: body.inner(name, ("edition", "digest")) for name in body.names()}
        return {name: cls(one.text("edition"), one.digest("digest")) for name, one in editions.items()}


@dataclass(frozen=True, slots=True)
class RecordState:
    """Where the province stands with one record. ``items`` are (path, text) pairs of what must be corrected."""

    record_id: str
    state: str
    at: datetime
    until: date | None
    items: tuple[tuple[str, str], ...] = field(repr=False, default=())


@dataclass(frozen=True, slots=True)
class States:
    """Body of ``states``. ``cursor`` is handed back with the next question."""

    cursor: int
    records: tuple[RecordState, ...]

    @classmethod
    def read(cls, downlink: Downlink) -> States:
        """Raises FormatTrouble."""
        body = Members(downlink.body, "states", ("cursor", "records"))
        records = [
            RecordState(one.uuid("record_id"), one.be("state", *REMOTE_STATES), one.time("at"), one.day("until"),
                        tuple((item.text("path"), item.text("text")) for item in one.each("items", ("path", "text"))))
            for one in body.each("records", ("record_id", "state", "at", "until", "items"))
        ]
        return cls(body.integer("cursor"), tuple(records))
