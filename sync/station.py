"""Who this machine is: its enrolment, its device key, the province's keys and settings. Never takes roots from any key but the pinned one.

Everything stands in the store's table ``station`` as the exact bytes that were verified, and is verified again at each start.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Protocol

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_private_key

from sync.canon import digest, parse_json
from sync.downlink import PURPOSES, Downlink, Person, Purpose, Roots, Settings, States, TableEdition, check_follows, open_downlink
from sync.envelope import KeyRing
from sync.errors import FormatTrouble, NotEnrolled, SignatureInvalid, SyncTrouble
from sync.lateness import LateRule
from sync.members import Members
from sync.seal import PublicKeyInfo
from sync.wire import DeviceIdentity

__all__ = ["Applied", "Invitation", "Station", "StationStore", "Tx", "apply", "load", "put_rows", "read_rows",
           "write_rows"]


class Tx(Protocol):
    """A transaction or a reading of the store."""

    def execute(self, sql: str, parameters: Any = ..., /) -> Any: ...


class StationStore(Protocol):
    """What of ``sync.store.Store`` this room needs: the table ``station`` (name, value)."""

    practice: bool

    def write(self) -> AbstractContextManager[Tx]: ...
    def read(self) -> AbstractContextManager[Tx]: ...


@dataclass(frozen=True, slots=True)
class Invitation:
    """What the administrator carries to a new station (FORMATS section 8); ``tls_root`` DER certificate, ``root_key`` DER SubjectPublicKeyInfo."""

    province: str
    name: str
    practice: bool
    url: str
    tls_root: bytes = field(repr=False)
    root_key: bytes = field(repr=False)

    @classmethod
    def read(cls, untrusted: bytes) -> Invitation:
        """Raises FormatTrouble."""
        members = Members(parse_json(untrusted, "invitation"), "invitation", ("type", "province", "name", "practice", "url", "tls_root", "root_key"))
        members.be("type", "hall-intake/invitation/1")
        url = members.text("url", 512)
        if not url.startswith("https://"):
            raise FormatTrouble("the province's address is not https", what="invitation.url")
        found = cls(members.text("province"), members.text("name"), members.flag("practice"), url, members.bytes64("tls_root"), members.bytes64("root_key"))
        KeyRing.pinned(found.root_key)
        certificate_of(found.tls_root, "invitation.tls_root")
        return found


@dataclass(frozen=True, slots=True)
class Station:
    """An enrolled station. ``settings`` is None where their key was revoked and no newer ones have come: then nobody has a role here."""

    station_id: str
    invitation: Invitation
    identity: DeviceIdentity = field(repr=False)
    roots: Roots
    settings: Settings | None
    tables: Mapping[str, TableEdition]
    states_cursor: int
    kept: Mapping[Purpose, Downlink] = field(repr=False)

    @property
    def province(self) -> str:
        return self.invitation.province

    @property
    def province_name(self) -> str:
        return self.roots.name

    @property
    def practice(self) -> bool:
        """As pinned at enrolment; no downlink changes it."""
        return self.invitation.practice

    @property
    def url(self) -> str:
        return self.invitation.url

    @property
    def hall(self) -> str:
        return self.settings.hall if self.settings else ""

    @property
    def hall_name(self) -> str:
        return self.settings.hall_name if self.settings else ""

    @property
    def window(self) -> str:
        return self.settings.window if self.settings else ""

    @property
    def certificate(self) -> bytes:
        """The device certificate, DER."""
        return self.identity.certificate

    @property
    def certificate_digest(self) -> str:
        return digest(self.identity.certificate)

    @property
    def certificate_until(self) -> datetime:
        """When the device certificate ends."""
        return certificate_of(self.identity.certificate, "device.certificate").not_valid_after_utc

    @property
    def keys(self) -> KeyRing:
        return self.roots.keys

    @property
    def intake(self) -> PublicKeyInfo:
        return self.roots.intake

    @property
    def recovery(self) -> PublicKeyInfo:
        return self.roots.recovery

    @property
    def signer_roots(self) -> tuple[bytes, ...]:
        return self.roots.signer_roots

    @property
    def tls_roots(self) -> tuple[bytes, ...]:
        return self.roots.tls_roots

    @property
    def people(self) -> tuple[Person, ...]:
        return self.settings.people if self.settings else ()

    @property
    def sams(self) -> tuple[str, ...]:
        return self.settings.sams if self.settings else ()

    @property
    def retention_days(self) -> int | None:
        """Days a receipted packet is kept here; None where no settings say so: then nothing is purged."""
        return self.settings.retention_days if self.settings else None

    @property
    def publicity_workdays(self) -> int | None:
        return self.settings.publicity_workdays if self.settings else None

    @property
    def late(self) -> LateRule:
        """The province's rule on what was signed in time and comes late."""
        return self.settings.late if self.settings else LateRule()

    def person(self, person_id: str) -> Person | None:
        """Who the settings say this is."""
        return next((one for one in self.people if one.id == person_id), None)

    def expired(self, now: datetime) -> tuple[Purpose, ...]:
        """The downlink objects past their date: used on, their age is shown."""
        return tuple(purpose for purpose in PURPOSES if purpose in self.kept and self.kept[purpose].expired(now))


def load(store: StationStore) -> Station:
    """The station of this store. Raises NotEnrolled, and FormatTrouble or SignatureInvalid where the rows do not hold together."""
    rows = read_rows(store)
    if "station_id" not in rows:
        raise NotEnrolled("no enrolment in this store")
    return from_rows(rows)


def from_rows(rows: Mapping[str, bytes]) -> Station:
    """The station that these rows describe, everything verified. Raises as ``load`` does."""
    try:
        invitation = Invitation.read(rows["invitation"])
        chain = tuple(rows[name] for name in sorted(rows) if name.startswith("device.chain."))
        identity = DeviceIdentity(rows["device.certificate"], chain, rows["device.key"])
        roots_link = open_downlink(rows["downlink.roots"], KeyRing.pinned(invitation.root_key), "roots")
        station_id = rows["station_id"].decode("ascii")
    except (KeyError, UnicodeDecodeError) as error:
        raise FormatTrouble(f"the station's rows are not whole: {error}", what="station") from error
    check_device_key(identity)
    roots = Roots.read(roots_link)
    if (roots.province, roots.practice) != (invitation.province, invitation.practice):
        raise SignatureInvalid("the roots are those of another province", why="other_province")
    kept: dict[Purpose, Downlink] = {"roots": roots_link}
    for purpose in PURPOSES[1:]:
        if (bytes_ := rows.get(f"downlink.{purpose}")) is not None:
            try:
                kept[purpose] = open_downlink(bytes_, roots.keys, purpose)
            except SignatureInvalid:
                continue  # its key was revoked since: it counts no longer, and its version neither
    return Station(
        station_id, invitation, identity, roots,
        Settings.read(kept["settings"]) if "settings" in kept else None,
        MappingProxyType(TableEdition.read_all(kept["tables"]) if "tables" in kept else {}),
        States.read(kept["states"]).cursor if "states" in kept else 0, MappingProxyType(kept),
    )


@dataclass(frozen=True, slots=True)
class Applied:
    """The station after a downlink, and what of it was refused: one bad object does not keep the others (a revocation among them) out."""

    station: Station
    news: tuple[Purpose, ...] = ()
    refused: tuple[SyncTrouble, ...] = ()


Tell = Callable[[Tx, Purpose, Station, Station], None]
"""Writes down what an object of the downlink changed: its purpose, the station before and after."""


def apply(store: StationStore, station: Station, untrusted: Mapping[Purpose, bytes], before: Callable[[States], None] | None = None,
          tell: Tell | None = None) -> Applied:
    """Verifies and keeps the news of a downlink, roots first, each object in a transaction of its own.

    ``before(states)`` is called with the news on records just before they count as seen, so that a crash between brings them again; ``tell`` in the very
    transaction that keeps an object, so that what it changed is told or the object comes again.
    Refused objects (SignatureInvalid: ``rollback``, ``same_version``, ``other_province`` or those of ``open_payload``; FormatTrouble)
    leave what was kept untouched.
    """
    news: list[Purpose] = []
    refused: list[SyncTrouble] = []
    for purpose in PURPOSES:
        if purpose not in untrusted:
            continue
        try:
            changed = _changed(read_rows(store), station, purpose, untrusted[purpose])
        except (SignatureInvalid, FormatTrouble) as error:
            refused.append(error)
            continue
        if changed is None:
            continue
        if purpose == "states" and before is not None:
            before(States.read(changed.kept["states"]))
        with store.write() as tx:
            put_rows(tx, {f"downlink.{purpose}": untrusted[purpose]})
            if tell is not None:
                tell(tx, purpose, station, changed)
        station = changed
        news.append(purpose)
    return Applied(station, tuple(news), tuple(refused))


def _changed(rows: dict[str, bytes], station: Station, purpose: Purpose, untrusted: bytes) -> Station | None:
    keys = KeyRing.pinned(station.invitation.root_key) if purpose == "roots" else station.keys
    if not check_follows(station.kept.get(purpose), open_downlink(untrusted, keys, purpose)):
        return None
    return from_rows({**rows, f"downlink.{purpose}": untrusted})


def read_rows(store: StationStore) -> dict[str, bytes]:
    """The table ``station``."""
    with store.read() as reading:
        return {str(name): bytes(value) for name, value in reading.execute("SELECT name, value FROM station").fetchall()}


def write_rows(store: StationStore, rows: Mapping[str, bytes], drop: tuple[str, ...] = ()) -> None:
    """Sets ``rows`` and drops the others named, in one transaction."""
    with store.write() as tx:
        put_rows(tx, rows, drop)


def put_rows(tx: Tx, rows: Mapping[str, bytes], drop: tuple[str, ...] = ()) -> None:
    """As ``write_rows``, in the transaction ``tx``."""
    for name in drop:
        tx.execute("DELETE FROM station WHERE name = ?", (name,))
    for name, value in rows.items():
        tx.execute("INSERT INTO station (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", (name, value))


def certificate_of(der: bytes, what: str) -> x509.Certificate:
    """A DER certificate. Raises FormatTrouble (fact: what)."""
    try:
        return x509.load_der_x509_certificate(der)
    except ValueError as error:
        raise FormatTrouble(f"{what} is not a certificate", what=what) from error


def check_device_key(identity: DeviceIdentity) -> None:
    """Raises FormatTrouble where key and certificate of the station do not belong together."""
    certificate = certificate_of(identity.certificate, "device.certificate")
    try:
        key = load_der_private_key(identity.private_key, None)
    except (ValueError, TypeError) as error:
        raise FormatTrouble("the device key cannot be read", what="device.key") from error
    shape = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if certificate.public_key().public_bytes(*shape) != key.public_key().public_bytes(*shape):
        raise FormatTrouble("the device certificate is for another key", what="device.certificate")
