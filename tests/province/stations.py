"""The province's list of devices: stations with their certificates and places, readers with their SAM numbers. Never answers a request itself.

A station may be revoked, replaced by another, lent to another hall for a time, or found cloned; a reader may be revoked, replaced or lent. What was done before
is judged by its own time: a record of yesterday is not refused for a reader that was replaced today.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509

from tests.province.clock import Clock
from tests.province.jcs import Refused, canon, stamp
from tests.province.keys import Keys

__all__ = ["SLACK", "Stations"]

SLACK = timedelta(hours=1)
"""Around the moment when a device changes hands: claimed times are those of the stations' clocks."""


def _digest(certificate: bytes) -> str:
    return "sha256:" + hashlib.sha256(certificate).hexdigest()


class Stations:
    """Stations and readers of one province."""

    def __init__(self, store: Any, keys: Keys, province: str, clock: Clock) -> None:
        self._store, self._keys, self._province, self._clock = store, keys, province, clock

    # -- who asks ----------------------------------------------------------------------------------------------------------------------
    def of(self, certificate: bytes) -> dict[str, Any]:
        """The station of a client certificate, with the place where it is now. Raises Refused 401 or 403."""
        known = self._store.row("SELECT station_id, ended_at FROM certificates WHERE digest = ?", _digest(certificate))
        if known is None or known["ended_at"]:
            raise Refused(401, "station.certificate", "not the certificate of a station of this province")
        row = self._row(known["station_id"])
        if row["revoked_at"]:
            raise Refused(403, "station.revoked", "this station was revoked")
        if row["replaced_by"]:
            raise Refused(403, "station.replaced", "another station took this one's place")
        now, x = self._clock.now(), x509.load_der_x509_certificate(certificate)
        if not x.not_valid_before_utc <= now <= x.not_valid_after_utc:
            raise Refused(401, "station.expired", "the station's certificate is not valid now")
        return row

    def refuse_clones(self, station: dict[str, Any]) -> None:
        """Raises Refused 403 ``station.cloned``: what two machines send under one name is not taken before people have looked at it."""
        if station["cloned_at"]:
            raise Refused(403, "station.cloned", "the journals told under this station's name do not fit each other")

    def _row(self, station_id: str) -> dict[str, Any]:
        row = self._store.row("SELECT * FROM stations WHERE id = ?", station_id)
        found = {name: row[name] for name in row.keys()}
        hall, window = self.place(station_id, self._clock.now())
        return {**found, "hall": hall, "window": window}

    def certificates(self, station_id: str) -> set[str]:
        """Digests of all certificates that the station ever had: an old signature was made under an old one."""
        return {row["digest"] for row in self._store.rows("SELECT digest FROM certificates WHERE station_id = ?", station_id)}

    def list(self, hall: str | None = None) -> list[dict[str, Any]]:
        """All stations, by age: id, hall and window now, machine, state, until (of a loan)."""
        rows = self._store.rows("SELECT * FROM stations ORDER BY enrolled_at, id")
        listed = []
        for row in rows:
            here, window = self.place(row["id"], self._clock.now())
            if hall in (None, here):
                listed.append({"id": row["id"], "hall": here, "window": window, "machine": row["machine"], "state": self._state(row, here, window)})
        return listed

    @staticmethod
    def _state(row: Any, hall: str, window: str) -> str:
        for column, state in (("revoked_at", "revoked"), ("replaced_by", "replaced"), ("cloned_at", "cloned")):
            if row[column]:
                return state
        return "good" if (hall, window) == (row["hall"], row["window"]) else "lent"

    # -- where it is -------------------------------------------------------------------------------------------------------------------
    def _loans(self, station_id: str) -> list[Any]:
        return self._store.rows('SELECT hall, "window", since, until FROM loans WHERE station_id = ? ORDER BY since', station_id)

    def place(self, station_id: str, at: datetime) -> tuple[str, str]:
        """Hall and window where the station stands at ``at``."""
        for loan in reversed(self._loans(station_id)):
            if loan["since"] <= stamp(at) < loan["until"]:
                return loan["hall"], loan["window"]
        home = self._store.row('SELECT hall, "window" FROM stations WHERE id = ?', station_id)
        return home["hall"], home["window"]

    def was_at(self, station_id: str, hall: str, window: str, at: datetime) -> bool:
        """Whether it may have stood there at ``at``, give or take the slack."""
        lent = [loan for loan in self._loans(station_id) if loan["since"] <= stamp(at + SLACK) and stamp(at - SLACK) < loan["until"]]
        return any((loan["hall"], loan["window"]) == (hall, window) for loan in lent) or any(
            self.place(station_id, at + by) == (hall, window) for by in (timedelta(0), SLACK, -SLACK)
        )

    # -- what becomes of it ------------------------------------------------------------------------------------------------------------
    def enrol(self, request_digest: str, request: dict[str, Any], public_key: Any, code: str, administrator: str, answer: Callable[..., Any]) -> bytes:
        """One durable commit: station, certificate, used code, answer. A code that names a station makes that one good again, with a new certificate."""
        now = self._clock.now()
        with self._store.write() as db:
            named = db.execute("SELECT station_id FROM invitations WHERE code = ? AND used_by IS NULL", (code,)).fetchone()
            if named is None:
                raise Refused(403, "enrolment.code", "the code was used")
            station_id = named["station_id"] or str(uuid.uuid4())
            certificate = self._keys.issue(public_key, station_id, self._province, now)
            db.execute("UPDATE invitations SET used_by = ? WHERE code = ?", (request_digest, code))
            if named["station_id"]:
                db.execute("UPDATE certificates SET ended_at = ? WHERE station_id = ? AND ended_at IS NULL", (stamp(now), station_id))
                db.execute("UPDATE stations SET certificate = ?, machine = ?, administrator = ?, revoked_at = NULL, replaced_by = NULL WHERE id = ?",
                           (certificate, request["machine"], administrator, station_id))
            else:
                db.execute("INSERT INTO stations VALUES (?, ?, ?, ?, ?, ?, ?, NULL, NULL, NULL)",
                           (station_id, request["hall"], request["window"], certificate, request["machine"], administrator, stamp(now)))
            self._keep_certificate(db, station_id, certificate)
            made = canon(answer(station_id, certificate))
            db.execute("INSERT INTO enrolments VALUES (?, ?, ?)", (request_digest, station_id, made))
        return made

    def _keep_certificate(self, db: Any, station_id: str, certificate: bytes, request: str = "") -> None:
        values = (_digest(certificate), station_id, certificate, stamp(self._clock.now()), request)
        db.execute("INSERT INTO certificates VALUES (?, ?, ?, ?, NULL, ?)", values)

    def renew(self, station_id: str, request: str, public_key: Any) -> bytes:
        """A further certificate of a station in good standing; the same request again gets the same one. The old ones hold until they end."""
        with self._store.write() as db:
            known = db.execute("SELECT certificate FROM certificates WHERE station_id = ? AND request = ?", (station_id, request)).fetchone()
            if known:
                return known["certificate"]
            certificate = self._keys.issue(public_key, station_id, self._province, self._clock.now())
            self._keep_certificate(db, station_id, certificate, request)
            db.execute("UPDATE stations SET certificate = ? WHERE id = ?", (certificate, station_id))
        return certificate

    def _change(self, sql: str, *values: object) -> None:
        with self._store.write() as db:
            if db.execute(sql, values).rowcount != 1:
                raise ValueError("no such device in good standing")

    def revoke(self, station_id: str) -> None:
        self._change("UPDATE stations SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL", stamp(self._clock.now()), station_id)

    def replace(self, station_id: str, by: str) -> None:
        sql = "UPDATE stations SET replaced_by = ? WHERE id = ? AND replaced_by IS NULL AND EXISTS (SELECT 1 FROM stations WHERE id = ?)"
        self._change(sql, by, station_id, by)

    def lend(self, station_id: str, hall: str, window: str, until: str) -> None:
        self._change("INSERT INTO loans VALUES (?, ?, ?, ?, ?)", station_id, hall, window, stamp(self._clock.now()), until)

    def mark_cloned(self, station_id: str) -> None:
        with self._store.write() as db:
            db.execute("UPDATE stations SET cloned_at = ? WHERE id = ? AND cloned_at IS NULL", (stamp(self._clock.now()), station_id))

    def release(self, station_id: str) -> None:
        """People looked: one machine speaks for the station again, and its next journal head begins anew. What was told before stays, as history."""
        with self._store.write() as db:
            db.execute("UPDATE stations SET cloned_at = NULL WHERE id = ?", (station_id,))
            db.execute("UPDATE journal_heads SET fork = 2 WHERE station_id = ?", (station_id,))

    # -- readers -----------------------------------------------------------------------------------------------------------------------
    def add_reader(self, sam: str, hall: str) -> None:
        with self._store.write() as db:
            db.execute("INSERT INTO readers VALUES (?, ?, 'good', NULL, NULL, NULL) ON CONFLICT DO NOTHING", (sam, hall))

    def turn_reader(self, sam: str, state: str, other: str | None = None, until: str | None = None) -> None:
        """From now on ``revoked``, ``replaced`` (other: the new SAM number), ``lent`` (other: the hall, until a time), or ``good`` again."""
        if state not in ("good", "revoked", "replaced", "lent"):
            raise ValueError("good, revoked, replaced or lent")
        self._change("UPDATE readers SET state = ?, since = ?, until = ?, other = ? WHERE sam = ?", state, stamp(self._clock.now()), until, other, sam)

    def remove_reader(self, sam: str) -> None:
        with self._store.write() as db:
            db.execute("DELETE FROM readers WHERE sam = ?", (sam,))

    def readers(self, hall: str) -> list[str]:
        """SAM numbers that may read in this hall now."""
        now = self._clock.now()
        rows = self._store.rows("SELECT * FROM readers ORDER BY sam")
        return [row["sam"] for row in rows if self._reader_fault(row, hall, stamp(now), stamp(now)) == ""]

    def reader_list(self) -> list[dict[str, Any]]:
        return [{name: row[name] for name in row.keys()} for row in self._store.rows("SELECT * FROM readers ORDER BY hall, sam")]

    def check_reader(self, sam: str, hall: str, read_at: datetime) -> None:
        """Raises Refused 422 ``sam.unknown``, ``sam.revoked``, ``sam.replaced``, ``sam.lent`` where the reader did not belong there when it read."""
        row = self._store.row("SELECT * FROM readers WHERE sam = ?", sam)
        fault = "sam.unknown" if row is None else self._reader_fault(row, hall, stamp(read_at - SLACK), stamp(read_at + SLACK))
        if fault:
            raise Refused(422, fault, "this SAM did not belong to the hall when it read")

    @staticmethod
    def _reader_fault(row: Any, hall: str, early: str, late: str) -> str:
        """``early`` and ``late``: the moment, less and more the slack; what fits either is let pass."""
        state, since, until = row["state"], row["since"] or "", row["until"] or "9999"
        if state in ("revoked", "replaced") and early >= since:
            return "sam.revoked" if state == "revoked" else "sam.replaced"
        if state == "lent" and late >= since and early < until and hall == row["other"]:
            return ""
        if hall != row["hall"]:
            return "sam.unknown"
        return "sam.lent" if state == "lent" and early >= since and late < until else ""
