"""Signed envelopes from the province to a station (FORMATS section 7). Never lowers a version, never tells one station of another's records.

A version rises when the body or the key is another one, or when half of the envelope's life is over; else the kept bytes are given again.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from tests.province.jcs import Refused, canon, digest, stamp
from tests.province.keys import keyid, spki
from tests.province.realm import PUBLICITY_WORKDAYS, Realm

__all__ = ["Downlinks"]

LIFE = {"roots": timedelta(days=365), "settings": timedelta(days=30), "tables": timedelta(days=30), "states": timedelta(days=1)}
PAGE = 500
RETENTION_DAYS = 30


class Downlinks:
    """Makes and keeps the envelopes of one province."""

    def __init__(self, realm: Realm) -> None:
        self._realm = realm

    def _envelope(self, purpose: str, station_id: str, body: dict[str, Any], always_new: bool = False) -> bytes:
        now = self._realm.clock.now()
        body_digest = digest(canon([keyid(spki(self._realm.keys.active(purpose))), body]))
        with self._realm.store.write() as db:
            kept = db.execute("SELECT * FROM downlinks WHERE purpose = ? AND station_id = ?", (purpose, station_id)).fetchone()
            if kept and not always_new and kept["body_digest"] == body_digest and stamp(now) < kept["renew_at"]:
                return kept["envelope"]
            version = kept["version"] + 1 if kept else 1
            payload = canon(
                {
                    "type": "hall-intake/downlink/1",
                    "purpose": purpose,
                    "version": version,
                    "issued_at": stamp(now),
                    "expires_at": stamp(now + LIFE[purpose]),
                    "body": body,
                }
            )
            made = self._realm.keys.sign(purpose, purpose, payload)
            db.execute(
                "INSERT INTO downlinks VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (purpose, station_id) DO UPDATE SET version = excluded.version, "
                "body_digest = excluded.body_digest, renew_at = excluded.renew_at, envelope = excluded.envelope",
                (purpose, station_id, version, body_digest, stamp(now + LIFE[purpose] / 2), made),
            )
        return made

    def roots(self) -> bytes:
        realm = self._realm
        return self._envelope(
            "roots",
            "",
            {
                "province": {"id": realm.id, "name": realm.name, "practice": realm.practice},
                "keys": realm.keys.public_list(),
                "intake": realm.keys.sealing("intake"),
                "recovery": realm.keys.sealing("recovery"),
                "signer_roots": realm.trusted("signer_roots"),
                "tls_roots": realm.trusted("tls_roots"),
            },
        )

    def settings(self, station: Any) -> bytes:
        realm, hall = self._realm, station["hall"]
        stations = [{"id": s["id"], "window": s["window"], "state": s["state"]} for s in realm.stations.list(hall)]
        return self._envelope(
            "settings",
            station["id"],
            {
                "hall": {"code": hall, "name": realm.hall_name(hall)},
                "window": station["window"],
                "stations": stations,
                "people": realm.people(hall),
                "sams": realm.stations.readers(hall),
                "retention_days": RETENTION_DAYS,
                "publicity_workdays": PUBLICITY_WORKDAYS,
                **({"late": rule} if (rule := realm.trusted("late")) else {}),
            },
        )

    def tables(self) -> bytes:
        return self._envelope("tables", "", self._realm.tables.editions())

    def states(self, station: Any, since: int) -> bytes:
        rows = self._realm.store.rows("SELECT * FROM states WHERE station_id = ? AND seq > ? ORDER BY seq LIMIT ?", station["id"], since, PAGE)
        records = [{"record_id": r["record_id"], "state": r["state"], "at": r["at"], "until": r["until"], "items": json.loads(r["items"])} for r in rows]
        return self._envelope("states", station["id"], {"cursor": rows[-1]["seq"] if rows else since, "records": records}, always_new=True)

    def give(self, station: Any, purpose: str, since: str) -> bytes:
        """The envelope for ``GET /v1/downlink/{purpose}``. Raises Refused 400, 404 ``downlink.unknown``."""
        if not since.isascii() or not since.isdigit() or len(since) > 15:
            raise Refused(400, "request.malformed", "since is a cursor")
        if purpose == "states":
            return self.states(station, int(since))
        if purpose == "settings":
            return self.settings(station)
        if purpose in ("tables", "roots"):
            return self.tables() if purpose == "tables" else self.roots()
        raise Refused(404, "downlink.unknown", "roots, settings, tables or states")
