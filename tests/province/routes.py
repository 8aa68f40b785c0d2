"""The routes of ``resources/province/openapi.yaml`` and what answers them. Never touches a socket."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.province.downlink import Downlinks
from tests.province.enrolment import enrol, renew
from tests.province.jcs import Refused, canon, parse, stamp
from tests.province.lateness import Lateness
from tests.province.realm import Realm
from tests.province.records import Records
from tests.province.shapes import JOURNAL_HEAD, check, is_uuid
from tests.province.sheets import Sheets
from tests.province.tus import MAX_PART, VERSION, Uploads

__all__ = ["Answer", "Office", "Request", "Route", "TABLE", "find_route"]

MAX_BODY = 4 * 1024 * 1024


@dataclass(frozen=True)
class Request:
    """A request with its whole body. ``station`` is the row of the client certificate, or None on open routes."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Any
    body: bytes
    station: Any
    part: str = ""


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    media: str = "application/json"


class Office:
    """All that answers requests in one province, put together."""

    def __init__(self, realm: Realm) -> None:
        self.realm = realm
        self.downlinks = Downlinks(realm)
        self.uploads = Uploads(realm.store)
        self.lateness = Lateness(realm)
        self.records = Records(realm, self.uploads, self.lateness)
        self.sheets = Sheets(realm)

    # -- open routes -------------------------------------------------------------------------------------------------------------------
    def time(self, request: Request) -> Answer:
        return Answer(200, canon({"type": "hall-intake/time/1", "now": stamp(self.realm.clock.now())}))

    def descriptor(self, request: Request) -> Answer:
        return Answer(200, self.downlinks.roots())

    def enrolments(self, request: Request) -> Answer:
        return Answer(201, enrol(self.realm, self.downlinks, request.body))

    # -- packets -----------------------------------------------------------------------------------------------------------------------
    def packet_options(self, request: Request) -> Answer:
        return Answer(204, headers=self.uploads.options())

    def packet_create(self, request: Request) -> Answer:
        self.realm.stations.refuse_clones(request.station)
        self.uploads.check_version(request.headers.get("Tus-Resumable"))
        upload_id, offset = self.uploads.create(request.station["id"], request.headers)
        return Answer(201, headers={**VERSION, "Location": f"/v1/packets/{upload_id}", "Upload-Offset": str(offset)})

    def packet_head(self, request: Request) -> Answer:
        self.uploads.check_version(request.headers.get("Tus-Resumable"))
        offset, size = self.uploads.state(request.station["id"], request.part)
        return Answer(200, headers={**VERSION, "Upload-Offset": str(offset), "Upload-Length": str(size), "Cache-Control": "no-store"})

    def packet_patch(self, request: Request) -> Answer:
        self.realm.stations.refuse_clones(request.station)
        self.uploads.check_version(request.headers.get("Tus-Resumable"))
        offset = self.uploads.append(request.station["id"], request.part, request.headers, request.body)
        return Answer(204, headers={**VERSION, "Upload-Offset": str(offset)})

    def packet_delete(self, request: Request) -> Answer:
        self.uploads.check_version(request.headers.get("Tus-Resumable"))
        self.uploads.terminate(request.station["id"], request.part)
        return Answer(204, headers=VERSION)

    # -- records and the rest ------------------------------------------------------------------------------------------------------------
    def record_put(self, request: Request) -> Answer:
        if not is_uuid(request.part):
            raise Refused(422, "submission.format", "a record id is a UUID of version 4")
        self.realm.stations.refuse_clones(request.station)
        status, receipt = self.records.put(request.station, request.part, request.body)
        return Answer(status, receipt)

    def certificate(self, request: Request) -> Answer:
        self.realm.stations.refuse_clones(request.station)
        return Answer(201, renew(self.realm, request.station, request.body))

    def record_get(self, request: Request) -> Answer:
        return Answer(200, self.records.get(request.station, request.part))

    def table(self, request: Request) -> Answer:
        return Answer(200, self.realm.tables.content(request.part))

    def downlink(self, request: Request) -> Answer:
        if request.part == "states":
            self.records.advance()
        return Answer(200, self.downlinks.give(request.station, request.part, request.query.get("since", "0")))

    def sheet(self, request: Request) -> Answer:
        return Answer(200, self.sheets.status(request.part))

    def revocations(self, request: Request) -> Answer:
        return Answer(200, canon(self.lateness.index()))

    def revocation(self, request: Request) -> Answer:
        return Answer(200, canon(self.lateness.one(request.part)))

    def journal_heads(self, request: Request) -> Answer:
        body = parse(request.body)
        check(body, JOURNAL_HEAD, "journal.format")
        if body["station_id"] != request.station["id"]:
            raise Refused(403, "station.other", "the head is of another station")
        station = body["station_id"]
        with self.realm.store.write() as db:
            newest = db.execute("SELECT MAX(size) FROM journal_heads WHERE station_id = ? AND fork = 0", (station,)).fetchone()[0] or 0
            other = db.execute(
                "SELECT 1 FROM journal_heads WHERE station_id = ? AND size = ? AND head <> ? AND fork = 0", (station, body["size"], body["head"])
            ).fetchone()
            fork = bool(other) or body["size"] < newest
            db.execute(
                "INSERT INTO journal_heads VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (station_id, size, head) DO UPDATE SET fork = excluded.fork",
                (station, body["size"], body["head"], body["at"], stamp(self.realm.clock.now()), int(fork)),
            )
        if fork:
            self.realm.stations.mark_cloned(station)
            raise Refused(409, "journal.fork", "the journal is shorter than, or another one than, what was told before")
        return Answer(204)


@dataclass(frozen=True)
class Route:
    """``template`` as in openapi.yaml; ``part`` of the request is what stands in the braces."""

    method: str
    template: str
    answer: Callable[[Office, Request], Answer]
    needs_station: bool = True
    max_body: int = 0
    query: tuple[str, ...] = ()


TABLE = (
    Route("GET", "/v1/time", Office.time, False),
    Route("GET", "/v1/descriptor", Office.descriptor, False),
    Route("POST", "/v1/enrolments", Office.enrolments, False, MAX_BODY),
    Route("OPTIONS", "/v1/packets", Office.packet_options),
    Route("POST", "/v1/packets", Office.packet_create),
    Route("HEAD", "/v1/packets/{upload_id}", Office.packet_head),
    Route("PATCH", "/v1/packets/{upload_id}", Office.packet_patch, True, MAX_PART),
    Route("DELETE", "/v1/packets/{upload_id}", Office.packet_delete),
    Route("POST", "/v1/certificates", Office.certificate, True, MAX_BODY),
    Route("PUT", "/v1/records/{record_id}", Office.record_put, True, MAX_BODY),
    Route("GET", "/v1/records/{record_id}", Office.record_get),
    Route("GET", "/v1/downlink/{purpose}", Office.downlink, query=("since",)),
    Route("GET", "/v1/tables/{table}", Office.table),
    Route("POST", "/v1/journal-heads", Office.journal_heads, True, MAX_BODY),
    Route("GET", "/v1/sheets/{number}", Office.sheet),
    Route("GET", "/v1/revocations", Office.revocations),
    Route("GET", "/v1/revocations/{digest}", Office.revocation),
)


def _query(route: Route, untrusted: str) -> dict[str, str]:
    """Raises Refused 400 for a name that the route does not know, and for one that comes twice."""
    try:
        pairs = parse_qsl(untrusted, keep_blank_values=True, strict_parsing=bool(untrusted), errors="strict")
    except ValueError as error:
        raise Refused(400, "request.malformed", "not a query") from error
    if {name for name, _ in pairs} - set(route.query) or len(dict(pairs)) != len(pairs):
        raise Refused(400, "request.malformed", "a query of this route has other names, each once")
    return dict(pairs)


def find_route(method: str, target: str) -> tuple[Route, str, dict[str, str]]:
    """Route, the part in braces, and the query. Raises Refused 400, 404 ``route.unknown``, 405 ``route.method``."""
    split = urlsplit(target)
    fitting: list[tuple[Route, str]] = []
    for route in TABLE:
        found = re.fullmatch(re.sub(r"\{\w+\}", "([^/]+)", route.template), split.path)
        if found:
            fitting.append((route, unquote(found.group(1)) if found.groups() else ""))
    if not fitting or any("\0" in part for _, part in fitting):
        raise Refused(404, "route.unknown", "no such route")
    for route, part in fitting:
        if route.method == method:
            return route, part, _query(route, split.query)
    raise Refused(405, "route.method", "not a method of this route", Allow=", ".join(route.method for route, _ in fitting))
