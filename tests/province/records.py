"""Submissions: everything is checked, then one durable commit, then the receipt (FORMATS sections 1, 3, 5, 6). Never keeps plain bytes of a person.

The receipt is made after the commit of the row: a crash between the two leaves a row without receipt, and the next PUT or GET makes it.
"""

from __future__ import annotations

import json
from typing import Any

from tests.province.cms import Signed, verify_detached
from tests.province.jcs import Refused, b64, canon, digest, moment, parse, parse_canonical, stamp, unb64
from tests.province.lateness import Lateness
from tests.province.packet import Opened, open_packet
from tests.province.realm import HALL_TIME, PUBLICITY_WORKDAYS, Realm
from tests.province.shapes import ACT, SUBMISSION, check, check_presence, check_record
from tests.province.tus import Uploads

__all__ = ["STATES", "Records"]

_STATE = "INSERT INTO states (record_id, station_id, state, at, until, items) VALUES (?, ?, ?, ?, ?, ?)"
STATES = ("received", "accepted", "correction_required", "under_review", "publicity", "effective", "refused", "withdrawn")


def same_submission(row: Any, body: dict[str, Any], signature: bytes) -> bool:
    return (row["station_id"], row["packet_digest"], row["record_digest"], row["signature"]) == (
        body["station_id"],
        body["packet_digest"],
        body["record_digest"],
        signature,
    )


class Records:
    """All records of a province."""

    def __init__(self, realm: Realm, uploads: Uploads, lateness: Lateness) -> None:
        self._realm, self._lateness = realm, lateness
        self._store = realm.store
        self._uploads = uploads

    # -- the way in ------------------------------------------------------------------------------------------------------------------
    def put(self, station: Any, record_id: str, untrusted: bytes, to: str = "intake") -> tuple[int, bytes]:
        """201 or 200 and the receipt envelope; ``to="recovery"`` opens the packet with the recovery key. Raises Refused 4xx."""
        body = parse(untrusted)
        check(body, SUBMISSION, "submission.format")
        if body["record_id"] != record_id:
            raise Refused(403, "station.other", "the submission is of another record than the request")
        origin = self._origin(station, body["station_id"])
        signature = unb64(body["signature"], "submission.format", 422)
        known = self._store.row("SELECT * FROM records WHERE record_id = ?", record_id)
        if known is None:
            opened = self._open(station, body, to)
            record = self._check_record(origin, body, opened)
            acts = self._check_acts(record, body, signature)
            self._check_signer(origin, record, opened.record, signature, acts)
            known = self._keep(origin, body, record, signature)
            if same_submission(known, body, signature):
                return 201, self._receipt(known)
        if not same_submission(known, body, signature):
            raise Refused(409, "record.other", "another content is kept under this record id")
        return 200, self._receipt(known)

    def _origin(self, carrier: Any, station_id: str) -> Any:
        """The station that sealed the packet: the asking one, or one of this province whose export it carries (FORMATS section 14.3)."""
        origin = carrier if carrier["id"] == station_id else self._store.row("SELECT * FROM stations WHERE id = ?", station_id)
        if origin is None:
            raise Refused(403, "station.other", "the submission is of a station that this province does not know")
        return origin

    def _open(self, station: Any, body: dict[str, Any], to: str) -> Opened:
        upload = self._uploads.find(station["id"], body["upload_id"])
        if (upload["record_id"], upload["digest"]) != (body["record_id"], body["packet_digest"]):
            raise Refused(422, "packet.digest", "the upload is another packet")
        if upload["size"] != body["packet_size"]:
            raise Refused(422, "packet.size", "the upload has another size")
        keys = self._realm.keys
        opened = open_packet(self._uploads.finish(upload), lambda kid: keys.by_id(to, kid), to)
        if (opened.header["record_id"], opened.header["station_id"]) != (body["record_id"], body["station_id"]):
            raise Refused(422, "packet.header", "the header names another record or station")
        return opened

    def _check_record(self, station: Any, body: dict[str, Any], opened: Opened) -> dict[str, Any]:
        if digest(opened.record) != body["record_digest"]:
            raise Refused(422, "record.digest", "record.json has another digest than submitted")
        record = parse_canonical(opened.record, "record.canonical")
        names = {self._realm.kind("record"): check_record, self._realm.kind("presence"): check_presence}
        if record.get("type") not in names:
            raise Refused(422, "record.type", "not a type that this province takes")
        names[record["type"]](record)
        if record["record_id"] != body["record_id"]:
            raise Refused(422, "record.format", "record.json is another record")
        place = record["station"]
        at = moment(record["claimed_at"], "record.format")
        if place["id"] != station["id"] or not self._realm.stations.was_at(station["id"], place["hall"], place["window"], at):
            raise Refused(422, "record.station", "record.json names another station, hall or window")
        if tuple((a["name"], a["size"], a["sha256"]) for a in record["attachments"]) != opened.parts:
            raise Refused(422, "record.attachments", "the parts are not the record's attachments")
        card = record["evidence"]["card"]
        if card:
            self._realm.stations.check_reader(card["sam"], place["hall"], moment(card["read_at"], "record.format"))
        self._check_amends(record)
        return record

    def _check_amends(self, record: dict[str, Any]) -> None:
        """Which record it corrects (FORMATS section 1): the one that is here, its next revision, and nobody's correction before."""
        amends = record["amends"]
        before = self._store.row("SELECT record_digest FROM records WHERE record_id = ?", amends) if amends else None
        if before is None:
            return
        if before["record_digest"] != record["prev_digest"]:
            raise Refused(422, "record.amends", "the amended record has another digest")
        first = self._store.row("SELECT revision FROM amendments WHERE record_id = ?", amends)
        if record["revision"] != (first["revision"] if first else 1) + 1:
            raise Refused(422, "record.amends", "not the next revision of the amended record")
        other = self._store.row("SELECT record_id FROM amendments WHERE amends = ?", amends)
        if other and other["record_id"] != record["record_id"]:
            raise Refused(422, "record.amends", "the record is amended already")

    # -- who signed ------------------------------------------------------------------------------------------------------------------
    def _check_acts(self, record: dict[str, Any], body: dict[str, Any], signature: bytes) -> list[tuple[dict[str, Any], Signed]]:
        found: list[tuple[dict[str, Any], Signed]] = []
        if record["type"] == self._realm.kind("presence") and body["acts"]:
            raise Refused(422, "act.invalid", "a presence has no acts")
        for row in body["acts"]:
            content = unb64(row["act"], "act.invalid", 422)
            act = parse_canonical(content, "act.invalid")
            check(act, ACT, "act.invalid")
            if act["type"] != self._realm.kind("act") or act["record"] != body["record_digest"]:
                raise Refused(422, "act.invalid", "the act is of another type or record")
            if act["first_signature"] != (None if act["act"] == "takeover" else digest(signature)):
                raise Refused(422, "act.invalid", "the act names another first signature")
            signed = self._verify(content, unb64(row["signature"], "act.invalid", 422))
            if (act["actor"]["id"], act["actor"]["certificate"]) != (signed.signer_id, signed.certificate_digest):
                raise Refused(422, "act.invalid", "another person signed the act")
            if act["act"] != "takeover" and act["actor"]["id"] == record["collector"]["id"]:
                raise Refused(422, "act.invalid", "the collector cannot countersign or supervise the own record")
            self._realm.need_role(signed.signer_id, record["station"]["hall"], "supervisor")
            found.append((act, signed))
        return found

    def _check_signer(self, station: Any, record: dict[str, Any], content: bytes, signature: bytes, acts: list[tuple[dict[str, Any], Signed]]) -> None:
        now = self._realm.clock.now()
        collector = record["collector"]
        if record["type"] == self._realm.kind("presence"):
            signed = verify_detached(content, signature, [self._realm.keys.device_ca], now)
            said = (signed.signer_id, signed.certificate_digest)
            own = signed.signer_id == station["id"] and signed.certificate_digest in self._realm.stations.certificates(station["id"])
            if not own or (collector["id"], collector["certificate"]) != said:
                raise Refused(422, "record.collector", "a presence is signed by the station's own device key")
            return
        signed = self._verify(content, signature)
        takeover = any(act["act"] == "takeover" and by.signer_id == signed.signer_id for act, by in acts)
        if (collector["id"], collector["certificate"]) == (signed.signer_id, signed.certificate_digest):
            self._realm.need_role(signed.signer_id, record["station"]["hall"], "collector")
        elif not takeover:
            raise Refused(422, "record.collector", "the signer is not the record's collector, and no takeover says why")

    def _verify(self, content: bytes, signature: bytes) -> Signed:
        signed = verify_detached(content, signature, self._realm.signer_roots(), self._realm.clock.now())
        self._lateness.check(signed)
        return signed

    # -- kept, then receipted ----------------------------------------------------------------------------------------------------------
    def _keep(self, station: Any, body: dict[str, Any], record: dict[str, Any], signature: bytes) -> Any:
        """One durable commit. Two requests at once: the first one wins, the row that is there is returned."""
        at = stamp(self._realm.clock.now())
        with self._store.write() as db:
            if not db.execute("SELECT 1 FROM records WHERE record_id = ?", (body["record_id"],)).fetchone():
                serial = db.execute("SELECT COALESCE(MAX(serial), 0) + 1 FROM records").fetchone()[0]
                db.execute(
                    "INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",
                    (
                        body["record_id"],
                        station["id"],
                        record["type"],
                        body["upload_id"],
                        body["packet_digest"],
                        body["packet_size"],
                        body["record_digest"],
                        signature,
                        json.dumps(body["acts"]),
                        serial,
                        at,
                    ),
                )
                db.execute(
                    "INSERT INTO states (record_id, station_id, state, at, until, items) VALUES (?, ?, 'received', ?, NULL, '[]')",
                    (body["record_id"], station["id"], at),
                )
                self._amend(db, record, at)
        return self._store.row("SELECT * FROM records WHERE record_id = ?", body["record_id"])

    def _amend(self, db: Any, record: dict[str, Any], at: str) -> None:
        """In the commit that keeps a correction: the amended record is withdrawn, for the correction stands in its place."""
        before = db.execute("SELECT station_id FROM records WHERE record_id = ?", (record["amends"],)).fetchone()
        if before is None:
            return
        values = (record["record_id"], record["amends"], record["revision"])
        if not db.execute("INSERT INTO amendments VALUES (?, ?, ?) ON CONFLICT DO NOTHING", values).rowcount:
            raise Refused(422, "record.amends", "the record is amended already")
        db.execute(_STATE, (record["amends"], before["station_id"], "withdrawn", at, None, "[]"))

    def _receipt(self, row: Any) -> bytes:
        """The kept receipt; made now, after the row's commit, where there is none."""
        if row["receipt"] is None:
            payload = canon(
                {
                    "type": self._realm.kind("receipt"),
                    "province": self._realm.id,
                    "station_id": row["station_id"],
                    "record_id": row["record_id"],
                    "packet_digest": row["packet_digest"],
                    "record_digest": row["record_digest"],
                    "signature_digest": digest(row["signature"]),
                    "received_at": stamp(self._realm.clock.now()),
                    "serial": f"R-{row['accepted_at'][:10].replace('-', '')}-{row['serial']:06d}",
                    "state": "received",
                }
            )
            made = self._realm.keys.sign("receipts", "receipt", payload)
            with self._store.write() as db:
                db.execute("UPDATE records SET receipt = ? WHERE record_id = ? AND receipt IS NULL", (made, row["record_id"]))
        return self._store.row("SELECT receipt FROM records WHERE record_id = ?", row["record_id"])["receipt"]

    def get(self, station: Any, record_id: str) -> bytes:
        """The receipt envelope of a record of this station. Raises Refused 404 ``record.unknown``."""
        row = self._store.row("SELECT * FROM records WHERE record_id = ? AND station_id = ?", record_id, station["id"])
        if row is None:
            raise Refused(404, "record.unknown", "no such record of this station")
        return self._receipt(row)

    # -- what happens to it --------------------------------------------------------------------------------------------------------------
    def set_state(self, record_id: str, state: str, until: str | None = None, items: list[dict[str, str]] | None = None) -> int:
        """A new state of a record, told by the next downlink. Returns the change's cursor."""
        if state not in STATES:
            raise Refused(422, "state.unknown", f"not one of {', '.join(STATES)}")
        at = stamp(self._realm.clock.now())
        with self._store.write() as db:
            row = db.execute("SELECT station_id FROM records WHERE record_id = ?", (record_id,)).fetchone()
            if row is None:
                raise Refused(404, "record.unknown", "no such record")
            if state == "publicity" and until is None:
                today = self._realm.clock.now().astimezone(HALL_TIME).date()
                until = self._realm.tables.after_workdays(today, PUBLICITY_WORKDAYS).isoformat()
            values = (record_id, row["station_id"], state, at, until, json.dumps(items or [], ensure_ascii=False))
            return db.execute(_STATE + " RETURNING seq", values).fetchone()[0]

    def advance(self) -> None:
        """What time itself brings: a publicity that is over without objection makes the record effective."""
        now = self._realm.clock.now()
        today = now.astimezone(HALL_TIME).date().isoformat()
        over = (
            "SELECT record_id, station_id FROM states s WHERE state = 'publicity' AND until < ? "
            "AND seq = (SELECT MAX(seq) FROM states t WHERE t.record_id = s.record_id) ORDER BY seq"
        )
        if self._store.row(over, today) is None:
            return
        with self._store.write() as db:
            for row in db.execute(over, (today,)).fetchall():
                db.execute(_STATE, (row["record_id"], row["station_id"], "effective", stamp(now), None, "[]"))

    def list(self) -> list[dict[str, Any]]:
        """What came in, without content: id, station, type, digests, serial, newest state."""
        rows = self._store.rows(
            "SELECT record_id, station_id, type, packet_digest, record_digest, packet_size, serial, accepted_at, "
            "(SELECT state FROM states s WHERE s.record_id = r.record_id ORDER BY seq DESC LIMIT 1) AS state, "
            "(SELECT record_id FROM amendments a WHERE a.amends = r.record_id) AS amended_by FROM records r ORDER BY serial"
        )
        return [{name: row[name] for name in row.keys()} for row in rows]

    def content(self, record_id: str) -> dict[str, Any]:
        """The record, unsealed again from its packet (for the practice hall's province desk)."""
        row = self._store.row("SELECT upload_id FROM records WHERE record_id = ?", record_id)
        if row is None:
            raise Refused(404, "record.unknown", "no such record")
        opened = open_packet(self._uploads.path(row["upload_id"]), lambda kid: self._realm.keys.by_id("intake", kid))
        return {"record": parse(opened.record), "digest": digest(opened.record), "base64": b64(opened.record)}
