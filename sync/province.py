"""The platform's requests and answers (FORMATS section 13). Never decides what becomes of a record: that is the courier's.

Every thread that asks gets a session of its own; answers that carry a signature are handed out verified or as untrusted bytes, as their names say.
"""

from __future__ import annotations

import base64
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import requests

from sync.canon import canon, digest, parse_json
from sync.downlink import Purpose
from sync.envelope import open_envelope
from sync.errors import ClockOff, FormatTrouble, ProvinceRefused
from sync.members import Members
from sync.station import Station
from sync.wire import Limits, Wire, open_session, tls_context

__all__ = ["ClockOffset", "Offered", "OpenSession", "Province", "Submitted"]

CLOCK_LIMIT_S = 300.0
"""Seconds by which station and province may differ before a person is told (a signing time may lie 600 s ahead at most, FORMATS section 3)."""

_TABLE = re.compile(r"[a-z][a-z0-9_]{0,63}")
_SHEET_NUMBER = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,31}")

OpenSession = Callable[[Station], requests.Session]


class SignedAct(Protocol):
    """An act and its signature, as the outbox keeps them."""

    @property
    def act(self) -> bytes: ...
    @property
    def signature(self) -> bytes: ...


class Submitted(Protocol):
    """What of an outbox row a submission says."""

    @property
    def record_id(self) -> str: ...
    @property
    def origin(self) -> str: ...
    @property
    def packet_digest(self) -> str: ...
    @property
    def packet_size(self) -> int: ...
    @property
    def record_digest(self) -> str: ...
    @property
    def signature(self) -> bytes: ...
    @property
    def acts(self) -> Sequence[SignedAct]: ...


@dataclass(frozen=True, slots=True)
class ClockOffset:
    """Province minus station, in seconds, as seen half-way through the question.

    ``uncertain_s``: half the way there and back, plus half of the whole second that the answer is rounded to.
    """

    seconds: float
    uncertain_s: float

    @property
    def wrong(self) -> bool:
        return abs(self.seconds) - self.uncertain_s > CLOCK_LIMIT_S

    def corrected(self, moment: datetime) -> datetime:
        """``moment`` by the province's clock."""
        return moment + timedelta(seconds=self.seconds)


@dataclass(frozen=True, slots=True)
class Offered:
    """Digests of the lists and answers that the province has, and untrusted certificates (DER) of the authorities that made them."""

    digests: tuple[str, ...]
    authorities: tuple[bytes, ...] = field(default=(), repr=False)


class Province:
    """The platform as seen by one station. May be shared by threads; each has its own session."""

    def __init__(
        self, station: Station, open_sessions: OpenSession | None = None, *, proxies: Mapping[str, str] | None = None, folder: Path | None = None,
        limits: Limits | None = None, now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """``proxies`` as requests takes them; ``folder``: where the encrypted device key stands while OpenSSL reads it (None: the system's folder)."""
        self._station = station
        self._open: OpenSession = open_sessions or _open_with(proxies, folder)
        self._limits = limits
        self._now = now
        self._lock = threading.Lock()
        self._wires: list[Wire] = []
        self._mine = threading.local()

    @property
    def station(self) -> Station:
        return self._station

    def adopt(self, station: Station) -> None:
        """The station after a downlink; where its TLS roots changed, every thread opens a new session at its next question."""
        with self._lock:
            changed = (station.tls_roots, station.identity) != (self._station.tls_roots, self._station.identity)
            self._station = station
            if changed:
                self._mine = threading.local()

    def wire(self) -> Wire:
        """The way that belongs to this thread."""
        wire: Wire | None = getattr(self._mine, "wire", None)
        if wire is None:
            wire = Wire(self._station.url, self._open(self._station), self._limits)
            self._mine.wire = wire
            with self._lock:
                self._wires.append(wire)
        return wire

    def close(self) -> None:
        """Closes the sessions of all threads."""
        with self._lock:
            wires, self._wires, self._mine = self._wires, [], threading.local()
        for wire in wires:
            wire.close()

    def cut(self) -> None:
        """From any thread: what the sessions are asking ends at once. For the end of the program, where an answer is still out."""
        with self._lock:
            wires = tuple(self._wires)
        for wire in wires:
            wire.cut()

    def time(self) -> ClockOffset:
        """The province's clock against this station's. Raises the kinds of ProvinceTrouble."""
        before, started = self._now(), time.monotonic()
        answer = Members(self._object("GET", "/v1/time"), "time")
        took = time.monotonic() - started
        answer.be("type", "hall-intake/time/1")
        offset = (answer.time("now") + timedelta(seconds=0.5) - (before + timedelta(seconds=took / 2))).total_seconds()
        return ClockOffset(offset, took / 2 + 0.5)

    def check_clock(self) -> ClockOffset:
        """As ``time``; raises ClockOff (fact: seconds, rounded) where the difference is past CLOCK_LIMIT_S."""
        offset = self.time()
        if offset.wrong:
            raise ClockOff(f"the clocks differ by {offset.seconds:.0f} s", seconds=round(abs(offset.seconds)))
        return offset

    def submit(self, row: Submitted, upload_id: str) -> bytes:
        """Hands in an uploaded packet (FORMATS section 6); the answer is the untrusted receipt envelope. The same row may be submitted again and again."""
        body = canon({
            "type": "hall-intake/submission/1", "record_id": row.record_id, "station_id": row.origin or self._station.station_id, "upload_id": upload_id,
            "packet_digest": row.packet_digest, "packet_size": row.packet_size, "record_digest": row.record_digest, "signature": _b64(row.signature),
            "acts": [{"act": _b64(one.act), "signature": _b64(one.signature)} for one in row.acts],
        })
        return self.wire().ask_json("PUT", f"/v1/records/{row.record_id}", body, (200, 201))[1]

    def renew(self, request: bytes) -> bytes:
        """The untrusted answer to a renewal of this station's certificate (``sync.renewal``). The same request may be sent again and again."""
        return self.wire().ask_json("POST", "/v1/certificates", request, (200, 201))[1]

    def record(self, record_id: str) -> bytes | None:
        """The untrusted receipt envelope of a record that the province has, or None where it does not know it."""
        try:
            return self.wire().ask_json("GET", f"/v1/records/{record_id}")[1]
        except ProvinceRefused as refused:
            if refused.facts.get("why") == "record.unknown":
                return None
            raise

    def downlink(self, purpose: Purpose, since: int = 0) -> bytes:
        """The untrusted envelope of one purpose; ``since`` is the cursor of the states."""
        path = f"/v1/downlink/{purpose}" + (f"?since={since}" if purpose == "states" else "")
        return self.wire().ask_json("GET", path)[1]

    def table(self, name: str) -> bytes:
        """The untrusted bytes of one code table (``sync.editions``)."""
        if not _TABLE.fullmatch(name):
            raise FormatTrouble("not a table's name", what="table")
        return self.wire().ask_json("GET", f"/v1/tables/{name}")[1]

    def journal_head(self, head: Mapping[str, Any]) -> None:
        """Tells the head of the journal (FORMATS section 12). Raises ProvinceRefused (why: ``journal.fork``) where the province knows a longer one."""
        self.wire().ask("POST", "/v1/journal-heads", canon(head), {"Content-Type": "application/json"}, (204,))

    def revocations(self) -> Offered:
        """Which lists of revoked certificates and answers the province has got from its certificate authorities (FORMATS section 15)."""
        answer = Members(self._object("GET", "/v1/revocations"), "revocations", ("type", "lists", "authorities"))
        answer.be("type", "hall-intake/revocations/1")
        return Offered(tuple(one.digest("digest") for one in answer.each("lists", ("kind", "digest", "size"))), answer.list64("authorities"))

    def revocation(self, wanted: str) -> bytes:
        """The untrusted list or answer of this digest; whoever keeps it checks its authority's signature. Raises FormatTrouble for other bytes."""
        answer = Members(self._object("GET", f"/v1/revocations/{wanted}"), "revocation", ("type", "content"))
        answer.be("type", "hall-intake/revocation/1")
        untrusted = answer.bytes64("content")
        if digest(untrusted) != wanted:
            raise FormatTrouble("another list than the one that was asked for", what="revocation.content")
        return untrusted

    def sheet(self, number: str) -> dict[str, Any] | None:
        """The verified status of a credit record sheet (FORMATS section 10), None where the province knows no such number.

        Raises FormatTrouble, SignatureInvalid and the kinds of ProvinceTrouble.
        """
        if not _SHEET_NUMBER.fullmatch(number):
            raise FormatTrouble("not a sheet number", what="sheet.number")
        try:
            untrusted = self.wire().ask_json("GET", f"/v1/sheets/{number}")[1]
        except ProvinceRefused as refused:
            if refused.facts.get("why") == "sheet.unknown":
                return None
            raise
        status = open_envelope(untrusted, self._station.keys, "sheet-status")
        members = Members(status, "sheet-status", ("type", "number", "state", "facts", "newer", "as_of"))
        members.be("type", "hall-intake/sheet-status/1")
        members.be("number", number)
        members.be("state", "current", "superseded", "revoked", "expired")
        return status

    def _object(self, method: str, path: str) -> dict[str, Any]:
        return parse_json(self.wire().ask_json(method, path)[1], "answer")


def _open_with(proxies: Mapping[str, str] | None, folder: Path | None) -> OpenSession:
    return lambda station: open_session(tls_context(station.tls_roots, station.identity, folder), proxies)


def _b64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
