"""The province's desk: a second, plain HTTP port on loopback for tests and the practice hall. Never reachable from outside, never part of the interface.

It orders faults, turns the clock, sets states, keeps the lists of people and SAM numbers, invites and revokes stations, makes sheets.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.province.jcs import Refused, b64
from tests.province.paper import sheet_pdf
from tests.province.recovery import recover
from tests.province.server import ProvinceServer

__all__ = ["AdminServer", "Desk"]


class Desk:
    """What the admin port can do. Every method takes the JSON body and gives a JSON object."""

    def __init__(self, server: ProvinceServer) -> None:
        self._server = server
        self._office = server.office
        self._realm = server.office.realm

    def look(self, body: dict[str, Any]) -> dict[str, Any]:
        realm = self._realm
        listed = realm.stations.list()
        halls = sorted({s["hall"] for s in listed})
        return {
            "province": realm.id,
            "practice": realm.practice,
            "clock_offset": realm.clock.offset,
            "faults": self._server.faults.pending(),
            "requests": list(self._server.seen),
            "stations": listed,
            "readers": realm.stations.reader_list(),
            "people": {hall: realm.people(hall) for hall in halls},
            "records": self._office.records.list(),
        }

    def order_faults(self, body: dict[str, Any]) -> dict[str, Any]:
        for order in body["faults"]:
            self._server.faults.add(order)
        return {"pending": len(self._server.faults.pending())}

    def clear_faults(self, body: dict[str, Any]) -> dict[str, Any]:
        self._server.faults.clear()
        return {}

    def clock(self, body: dict[str, Any]) -> dict[str, Any]:
        self._realm.clock.offset = float(body["offset"])
        return {"offset": self._realm.clock.offset}

    def record_state(self, body: dict[str, Any]) -> dict[str, Any]:
        return {"cursor": self._office.records.set_state(body["record_id"], body["state"], body.get("until"), body.get("items"))}

    def record_content(self, body: dict[str, Any]) -> dict[str, Any]:
        if not self._realm.practice:
            raise Refused(403, "practice.only", "only a practice province shows a record's content here")
        return self._office.records.content(body["record_id"])

    def recover(self, body: dict[str, Any]) -> dict[str, Any]:
        return {"records": recover(self._office, Path(body["export"]))}

    def tables(self, body: dict[str, Any]) -> dict[str, Any]:
        return {"digest": self._realm.tables.publish(body["table"], body["edition"], body["rows"])}

    def people(self, body: dict[str, Any]) -> dict[str, Any]:
        if body.get("remove"):
            self._realm.remove_person(body["id"])
        else:
            self._realm.add_person(body["id"], body["name"], body["roles"], body["hall"])
        return {}

    def sams(self, body: dict[str, Any]) -> dict[str, Any]:
        if body.get("remove"):
            self._realm.stations.remove_reader(body["sam"])
        else:
            self._realm.stations.add_reader(body["sam"], body["hall"])
        return {}

    def halls(self, body: dict[str, Any]) -> dict[str, Any]:
        self._realm.add_hall(body["code"], body["name"])
        return {}

    def invitations(self, body: dict[str, Any]) -> dict[str, Any]:
        invitation, code = self._realm.invite(body["hall"], body["window"], station=body.get("station_id"))
        return {"invitation": invitation, "code": code}

    def revoke(self, body: dict[str, Any]) -> dict[str, Any]:
        self._realm.stations.revoke(body["station_id"])
        return {}

    def replace(self, body: dict[str, Any]) -> dict[str, Any]:
        self._realm.stations.replace(body["station_id"], body["by"])
        return {}

    def lend(self, body: dict[str, Any]) -> dict[str, Any]:
        self._realm.stations.lend(body["station_id"], body["hall"], body["window"], body["until"])
        return {}

    def release(self, body: dict[str, Any]) -> dict[str, Any]:
        self._realm.stations.release(body["station_id"])
        return {}

    def reader_state(self, body: dict[str, Any]) -> dict[str, Any]:
        self._realm.stations.turn_reader(body["sam"], body["state"], body.get("other"), body.get("until"))
        return {}

    def rotate(self, body: dict[str, Any]) -> dict[str, Any]:
        return {"keyid": self._realm.keys.rotate(body["purpose"], self._realm.clock.now(), bool(body.get("revoke")))}

    def sheets(self, body: dict[str, Any]) -> dict[str, Any]:
        values = {**body, "categories": tuple(body.get("categories", ()))}
        facts, code = self._office.sheets.make(**values)
        return {"number": facts.number, "code": code, "pdf": b64(sheet_pdf(facts, code))}

    def sheet_state(self, body: dict[str, Any]) -> dict[str, Any]:
        self._office.sheets.set_state(**body)
        return {}


    def revocations(self, body: dict[str, Any]) -> dict[str, Any]:
        self._office.lateness.give(body["kind"], body["content"], body.get("authorities", []))
        return {}

    def late(self, body: dict[str, Any]) -> dict[str, Any]:
        self._realm.set_fact("late", {"after_end_days": body["after_end_days"], "trust_claimed_time": bool(body["trust_claimed_time"])})
        return {}

    def journal_heads(self, body: dict[str, Any]) -> dict[str, Any]:
        """What a station told of its journal, oldest first: an auditor takes the newest to ``journal verify --head``."""
        rows = self._realm.store.rows("SELECT * FROM journal_heads WHERE station_id = ? ORDER BY told_at, size", body["station_id"])
        return {"heads": [dict(row) for row in rows]}


ROUTES: dict[tuple[str, str], Callable[[Desk, dict[str, Any]], dict[str, Any]]] = {
    ("GET", "/"): Desk.look,
    ("POST", "/faults"): Desk.order_faults,
    ("DELETE", "/faults"): Desk.clear_faults,
    ("POST", "/clock"): Desk.clock,
    ("POST", "/records/state"): Desk.record_state,
    ("POST", "/records/content"): Desk.record_content,
    ("POST", "/records/recover"): Desk.recover,
    ("POST", "/people"): Desk.people,
    ("POST", "/tables"): Desk.tables,
    ("POST", "/sams"): Desk.sams,
    ("POST", "/halls"): Desk.halls,
    ("POST", "/invitations"): Desk.invitations,
    ("POST", "/stations/revoke"): Desk.revoke,
    ("POST", "/stations/replace"): Desk.replace,
    ("POST", "/stations/lend"): Desk.lend,
    ("POST", "/stations/release"): Desk.release,
    ("POST", "/sams/state"): Desk.reader_state,
    ("POST", "/keys/rotate"): Desk.rotate,
    ("POST", "/revocations"): Desk.revocations,
    ("POST", "/late"): Desk.late,
    ("POST", "/journal-heads"): Desk.journal_heads,
    ("POST", "/sheets"): Desk.sheets,
    ("POST", "/sheets/state"): Desk.sheet_state,
}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30
    wbufsize = -1
    disable_nagle_algorithm = True
    server: AdminServer

    def log_message(self, format: str, *args: Any) -> None:
        """Silent."""

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        status, answer = 200, {}
        try:
            body = json.loads(self.rfile.read(length) or b"{}")
            answer = ROUTES[(self.command, self.path)](self.server.desk, body)
        except Refused as refused:
            status, answer = refused.status, {"code": refused.code, "detail": refused.detail}
        except (KeyError, TypeError, ValueError) as error:
            status, answer = 400, {"code": "request.malformed", "detail": f"{type(error).__name__}: {error}"}
        content = json.dumps(answer, ensure_ascii=False).encode("utf-8")
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_DELETE = _serve


class AdminServer(ThreadingHTTPServer):
    """The desk's port, on 127.0.0.1 only."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, port: int, desk: Desk) -> None:
        self.desk = desk
        self._thread: threading.Thread | None = None
        super().__init__(("127.0.0.1", port), _Handler)

    def start(self) -> None:
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.1}, name="province-desk", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        if self._thread is not None:
            self.shutdown()
            self._thread.join(5)
        self.server_close()
