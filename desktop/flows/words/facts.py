"""Facts of the staff flows: what stands on screens and in states. Never an order and never a PIN."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from devices.base import Device
from sync.outbox_row import RETURNED

__all__ = [
    "CertificateChoice", "CourierFacts", "DeviceFacts", "Hint", "Operator", "OutboxFacts", "ParkedFacts", "ReceiptFacts", "ReviewSheet",
    "StationFacts",
]


@dataclass(frozen=True, slots=True)
class StationFacts:
    """Who this machine is, for the screen: ``hall`` and ``window`` by name, ``practice`` from the province's signed descriptor."""

    station_id: str
    province: str
    hall: str
    window: str
    practice: bool


@dataclass(frozen=True, slots=True)
class CertificateChoice:
    """A signing certificate on a plugged token. ``device`` and ``key_id`` find it again; ``why`` is a reason code where it is not ``usable``
    (expired, not_yet, untrusted, revoked, no_role, algorithm). ``revocation`` (sync.trust): good, stale, unknown, unchecked; ``revocation_as_of``: the time
    of the list or answer that says so, aware, None where none speaks of it.
    """

    device: Device
    key_id: bytes
    signer_id: str
    signer_name: str
    issuer: str
    not_after: date
    days_left: int
    usable: bool = True
    why: str = ""
    revocation: str = "unchecked"
    revocation_as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class Operator:
    """Who is logged in: id and name from the certificate, roles from the province's signed list."""

    operator_id: str
    name: str
    roles: frozenset[str]
    certificate: CertificateChoice


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """One lamp: ``name`` reader, camera, token, social (contact slot, where the station has one); ``state`` good, absent, trouble, unknown, other (another one
    than the chosen one is here); ``code`` of its trouble, ``detail`` the model's name, ``also``: names of others of the kind that are here.
    """

    name: str
    state: str
    detail: str = ""
    code: str = ""
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CourierFacts:
    """How uploading goes now. Times aware. ``moving`` a record id or empty; ``done`` and ``total`` in bytes;
    ``asking``: 立即同步 was pressed and no answer has come yet; ``asked_at``: when the last press was answered; ``clock_off_s``: province minus station.
    """

    online: bool | None = None
    offline_since: datetime | None = None
    moving: str = ""
    done: int = 0
    total: int = 0
    last_success: datetime | None = None
    next_try_at: datetime | None = None
    error_code: str = ""
    asking: bool = False
    clock_off_s: float | None = None
    asked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ParkedFacts:
    """A parked sitting in the list."""

    draft_id: str
    name: str = field(repr=False)
    id_tail: str = field(repr=False)
    saved_at: datetime


@dataclass(frozen=True, slots=True)
class OutboxFacts:
    """A kept record in the list. ``state`` of sync.life, ``remote`` the platform's state (FORMATS 7) or empty since ``remote_at``, ``until`` the last day of
    its publicity or the day until which its correction is due; ``items`` what must be corrected, ``places`` the path of each (empty where the whole record is
    meant); ``replaced_by``: the record that was kept in its place, where it was repaired; ``refusal``: the platform's own code of why it did not take it;
    ``amends``: the record that it corrects; ``amended_by``: its correction.
    """

    record_id: str
    name: str = field(repr=False)
    id_tail: str = field(repr=False)
    categories: tuple[str, ...]
    state: str
    kept_at: datetime
    sent_at: datetime | None = None
    tries: int = 0
    error_code: str = ""
    next_try_at: datetime | None = None
    serial: str = ""
    remote: str = ""
    items: tuple[str, ...] = field(default=(), repr=False)
    remote_at: datetime | None = None
    until: date | None = None
    places: tuple[str, ...] = ()
    replaced_by: str = ""
    refusal: str = ""
    amends: str = ""
    amended_by: str = ""

    @property
    def returned(self) -> bool:
        """It came back, and no correction of it was kept."""
        return self.remote in RETURNED and not self.amended_by

    @property
    def may_open(self) -> bool:
        """Whether it can be repaired or corrected in a new sitting."""
        return self.state == "set_aside" or self.returned and self.state in {"receipted", "purged"}


@dataclass(frozen=True, slots=True)
class ReceiptFacts:
    """A receipt that was checked against its row: what the receipt page and the paper need. ``digest`` of the record; ``attachments`` None and ``collector``
    empty where the record itself cannot be opened here (any more).
    """

    record_id: str
    serial: str
    received_at: datetime
    name: str = field(repr=False)
    id_tail: str = field(repr=False)
    categories: tuple[str, ...]
    attachments: int | None
    digest: str
    practice: bool
    province: str = ""
    hall: str = ""
    window: str = ""
    collector: str = ""


@dataclass(frozen=True, slots=True)
class ReviewSheet:
    """What will be signed: ``record`` parsed back from the exact canonical bytes, their ``digest`` and ``size`` in bytes;
    ``pictures``: attachment name -> encoded thumbnail (JPEG or PNG); ``changed``: paths that differ from the version that this one amends or replaces;
    ``gone``: those that it has no more.
    """

    record_id: str
    record: Mapping[str, Any] = field(repr=False)
    digest: str
    size: int
    pictures: Mapping[str, bytes] = field(default_factory=dict[str, bytes], repr=False)
    changed: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hint:
    """What the camera room says of the live picture: ``code`` a key below ``hint.`` of the words (e.g. ``portrait.blink``), ``tone`` good, wait or stop."""

    code: str
    tone: str = "wait"
