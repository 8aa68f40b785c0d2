"""The rules of signing many records with one PIN: one list that a person confirmed, one token, one certificate, one user. Pure: no clock, no token, no store.

A session ends for good at the first of: the list is done, the token is removed, the desk is locked, idle, so many signatures, so many hours, a wrong PIN,
another token, certificate or user than it began with, a clock that goes back, a cancel. It never begins again; a new one needs a new PIN and a new list.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

__all__ = ["Batch", "BatchItem", "BatchLimits", "Binding", "EndReason", "begin", "ends_with"]

EndReason = Literal[
    "done", "removed", "locked", "idle", "count", "time", "wrong-pin", "pin-locked", "login-lost", "other-token", "other-certificate", "other-user", "clock",
    "cancelled", "trouble",
]  # fmt: skip

_BY_CODE: dict[str, EndReason] = {
    "token.gone": "removed", "token.none": "removed", "token.wrong_pin": "wrong-pin", "token.pin_locked": "pin-locked", "token.login_needed": "login-lost",
    "device.cancelled": "cancelled",
}  # fmt: skip
_OF_ONE_RECORD = ("draft.", "signature.", "packet.", "sync.format", "person.not_allowed", "act.")
"""Codes of troubles that are one record's own: the others of the list go on."""


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """How far one PIN reaches. ``idle`` is the time without a signature."""

    most: int = 500
    longest: timedelta = timedelta(hours=4)
    idle: timedelta = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Binding:
    """What a session is bound to: the token's serial number, the certificate's digest, and who is logged in at the desk and in the operating system."""

    token: str
    certificate: str
    user: str


@dataclass(frozen=True, slots=True)
class BatchItem:
    """A record of the confirmed list: its id, and the digest of the exact bytes that were shown."""

    record_id: str
    digest: str


@dataclass(frozen=True, slots=True)
class Batch:
    """A session over its list. Every step gives a new one; one that has ended gives no further record. Times are aware UTC.

    ``under_way`` are records that were given out and are not yet kept: one may be on its way to the disk while the next is being signed.
    ``failed`` are records that could not be signed for reasons of their own (record id and code), with the others going on.
    """

    binding: Binding
    limits: BatchLimits
    waiting: tuple[BatchItem, ...]
    began_at: datetime
    last_at: datetime
    under_way: tuple[BatchItem, ...] = ()
    done: tuple[str, ...] = ()
    failed: tuple[tuple[str, str], ...] = ()
    ended: EndReason | None = None

    @property
    def total(self) -> int:
        return len(self.waiting) + len(self.under_way) + len(self.done) + len(self.failed)

    @property
    def left(self) -> tuple[str, ...]:
        """Records that are unsigned as before."""
        return tuple(one.record_id for one in (*self.under_way, *self.waiting))

    def next(self, now: datetime, binding: Binding) -> tuple[Batch, BatchItem | None]:
        """The record to be signed now, or None where the session has ended or all are given out; ``binding`` is what is there at this moment."""
        why = self.ended or self._over(now, binding)
        if why is not None:
            return self.end(why), None
        if not self.waiting:
            return self, None
        return replace(self, waiting=self.waiting[1:], under_way=(*self.under_way, self.waiting[0])), self.waiting[0]

    def signed(self, record_id: str, now: datetime) -> Batch:
        """A record under way is signed and kept, also after the end: what was signed stays signed."""
        return replace(self._taken(record_id), done=(*self.done, record_id), last_at=max(now, self.last_at))._done()

    def refused(self, record_id: str, code: str) -> Batch:
        """A record under way could not be signed (a trouble's code): ends the session, unless it is that record's own trouble."""
        reason = ends_with(code)
        if reason is not None:
            return self.put_back(record_id).end(reason)
        return replace(self._taken(record_id), failed=(*self.failed, (record_id, code)))._done()

    def put_back(self, record_id: str) -> Batch:
        """A record under way stays unsigned: the session ended before it was kept."""
        (item,) = [one for one in self.under_way if one.record_id == record_id]
        return replace(self._taken(record_id), waiting=(item, *self.waiting))

    def end(self, reason: EndReason) -> Batch:
        return self if self.ended else replace(self, ended=reason)

    def _taken(self, record_id: str) -> Batch:
        left = tuple(one for one in self.under_way if one.record_id != record_id)
        if len(left) == len(self.under_way):
            raise ValueError("this record is not under way")
        return replace(self, under_way=left)

    def _done(self) -> Batch:
        return self if self.waiting or self.under_way else self.end("done")

    def _over(self, now: datetime, binding: Binding) -> EndReason | None:
        if binding.token != self.binding.token:
            return "other-token" if binding.token else "removed"
        if binding.certificate != self.binding.certificate:
            return "other-certificate"
        if binding.user != self.binding.user:
            return "other-user"
        if now < self.last_at:
            return "clock"
        if now - self.began_at > self.limits.longest:
            return "time"
        if now - self.last_at > self.limits.idle:
            return "idle"
        return "count" if self.waiting and len(self.done) + len(self.under_way) >= self.limits.most else None


def begin(items: tuple[BatchItem, ...], binding: Binding, now: datetime, limits: BatchLimits | None = None) -> Batch:
    """A session over the list that was confirmed. Raises ValueError for an empty list, one that names a record twice, or a binding with an empty part."""
    if not items or len({one.record_id for one in items}) != len(items):
        raise ValueError("a list of different records is needed")
    if not (binding.token and binding.certificate and binding.user):
        raise ValueError("a session is bound to a token, a certificate and a user")
    return Batch(binding, limits or BatchLimits(), items, now, now)


def ends_with(code: str) -> EndReason | None:
    """How a trouble ends the session; None where it is one record's own."""
    if code in _BY_CODE:
        return _BY_CODE[code]
    return None if code.startswith(_OF_ONE_RECORD) else "trouble"
