"""One station with its real store, outbox and courier, at a reference province that runs beside it. Never the practice hall: no window, no devices."""

from __future__ import annotations

import json
import os
import threading
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from sync.blobs import Blobs
from sync.canon import canon, digest
from sync.courier import Courier, CourierStatus
from sync.draft import time_text
from sync.enrolment import enrol
from sync.journal import Journal
from sync.news import News
from sync.outbox import Outbox, OutboxRow, Summary
from sync.province import Province
from sync.seal import DRAFT_PART, RECORD_PART, seal
from sync.signing import KeySigner, make_signature
from sync.station import Station, load
from sync.store import Store
from sync.upload import upload_packet
from sync.wire import DeviceIdentity, Limits, Wire, open_session, tls_context
from tests.contract.province.interface import Interface
from tests.emulators.ca import PracticeCa
from tests.emulators.province_run import ProvinceRun
from tests.emulators.records import NAME, NUMBER, PICTURE

HALL, WINDOW = "510100-01", "07"
SAM = "05.01-20260101-0000000001-1234567890"


class People:
    """The practice CA and two of its people."""

    def __init__(self, folder: Path) -> None:
        self.ca = PracticeCa.make(folder)
        self.collector = self._person("OP-000017", "练习员")
        self.administrator = self._person("AD-000001", "练习管理员")

    def _person(self, person_id: str, name: str) -> KeySigner:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self.ca.issue_person(person_id, name, key.public_key()).public_bytes(Encoding.DER)
        return KeySigner(key, certificate, self.ca.chain)

    def province(self, folder: Path, database: str = "") -> ProvinceRun:
        certificate, key = self.ca.issue_server()
        return ProvinceRun(folder, [self.ca.folder / "root.pem"], (certificate, key, self.ca.folder / "tls-root.pem"), database=database)


def open_lists(province: ProvinceRun) -> None:
    """Hall, people and SAM number of the province's lists."""
    province.desk("POST", "/halls", code=HALL, name="练习大厅")
    province.desk("POST", "/people", id="OP-000017", name="练习员", roles=["collector"], hall=HALL)
    province.desk("POST", "/people", id="AD-000001", name="练习管理员", roles=["administrator"], hall=HALL)
    province.desk("POST", "/sams", sam=SAM, hall=HALL)


@dataclass
class _Turned:
    """A clock that was turned forward."""

    base: Callable[[], datetime]
    seconds: float

    def __call__(self) -> datetime:
        return self.base() + timedelta(seconds=self.seconds)


class HallStation:
    """A station's folder; ``reopen`` is what a new start of the program does."""

    courier_kind: type[Courier] = Courier
    """A fault test's control puts a courier with a sin here."""

    def __init__(self, folder: Path, people: People, province: ProvinceRun, limits: Limits | None = None, proxies: dict[str, str] | None = None) -> None:
        self.proxies = proxies
        self.interface = Interface()
        self.people, self.province_run = people, province
        self.folder, self._key = folder, os.urandom(32)
        self._begin(limits)
        self.store = Store.make(folder, self._key, practice=True)
        self.station = self._enrol()
        self._build()

    @classmethod
    def over(cls, folder: Path, other: HallStation) -> HallStation:
        """The same station over a copy of its folder."""
        made = cls.__new__(cls)
        made.proxies, made.interface, made.people, made.province_run = other.proxies, Interface(), other.people, other.province_run
        made.folder, made._key = folder, other._key
        made._begin(other.limits)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sync.oslock._claim", lambda name: lambda: None)  # on this machine a copy would not open beside the first
            made.store = Store.open(folder, made._key)
        made.station = load(made.store)
        made._build()
        return made

    def _begin(self, limits: Limits | None) -> None:
        self.limits = limits or Limits(2, 5, 20)
        self.moment: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.jitter = 0.0
        self.later = 0.0
        self.statuses: list[CourierStatus] = []

    def _enrol(self) -> Station:
        given = self.province_run.desk("POST", "/invitations", hall=HALL, window=WINDOW)
        return enrol(json.dumps(given["invitation"]).encode(), given["code"], HALL, WINDOW, self.administrator_signs, "contract test", self.store,
                     open_wire=lambda invited: Wire(invited.url, self._watched([invited.tls_root], None)))

    def _watched(self, roots: Sequence[bytes], identity: DeviceIdentity | None) -> requests.Session:
        """A session as the product opens it, whose requests are held against the text of the interface."""
        session = open_session(tls_context(roots, identity), self.proxies)

        def look(response: requests.Response, **_: Any) -> None:
            asked = response.request
            body = asked.body.encode() if isinstance(asked.body, str) else asked.body
            self.interface.check_request(asked.method or "", asked.url or "", asked.headers, body)

        session.hooks["response"].append(look)
        return session

    def enrol_again(self, station_id: str) -> None:
        """What the administrator does with a code for ``station_id``; then the program starts anew."""
        given = self.province_run.desk("POST", "/invitations", hall=HALL, window=WINDOW, station_id=station_id)
        self.station = enrol(json.dumps(given["invitation"]).encode(), given["code"], HALL, WINDOW, self.administrator_signs, "contract test", self.store,
                             again=True, open_wire=lambda invited: Wire(invited.url, self._watched([invited.tls_root], None)))
        self.reopen()

    def administrator_signs(self, content: bytes) -> bytes:
        return make_signature(content, self.people.administrator, datetime.now(UTC))

    def _build(self) -> None:
        self.blobs = Blobs(self.folder / "blobs", room=0, reserve=0)
        self.blobs.prepare()
        self.journal = Journal(self.store, self.station.station_id, lambda: self.moment())
        self.outbox = Outbox(self.store, self.blobs, self.journal, lambda: self.moment())
        self.outbox.begin()
        self.province = Province(self.station, lambda station: self._watched(station.tls_roots, station.identity), limits=self.limits,
                                 now=lambda: self.moment())
        self.news = News(self.store, self.outbox, self.journal)
        self.courier = self.courier_kind(self.outbox, self.blobs, self.province, self.news, lambda: self.moment(), self.statuses.append,
                                         random=lambda: self.jitter, monotonic=lambda: self.later)

    def reopen(self, station: Station | None = None) -> None:
        """The program starts anew over the same folder."""
        self.close()
        self.store = Store.open(self.folder, self._key)
        self.station = station or self.station
        self._build()

    def close(self) -> None:
        self.province.close()
        self.store.close()
        assert self.interface.misfits == []

    def keep(self, size: int = 3000, signed: bool = True, sam: str = "") -> str:
        """A record with an attachment of ``size`` bytes in the outbox; its id. ``sam``: of the reader that read the card, if one did.

        Name, number and photo carry the marks that a scan of the folders looks for.
        """
        record_id, photo = str(uuid.uuid4()), (PICTURE + os.urandom(size))[:size]
        content = canon(self._record(record_id, photo, sam))
        signature = make_signature(content, self.people.collector, datetime.now(UTC)) if signed else b""
        sealed = seal(content, [("a1.jpg", photo)], record_id, self.station.station_id, self.station.intake, self.station.recovery,
                      first_part=RECORD_PART if signed else DRAFT_PART)
        self.outbox.keep(sealed, digest(content), signature, (), "op:OP-000017", Summary(NAME, "0012", ("4",)))
        return record_id

    def _record(self, record_id: str, photo: bytes, sam: str = "") -> dict[str, Any]:
        now, station = time_text(datetime.now(UTC)), self.courier.station
        card = {"sam": sam, "reader": "r", "profile": "p", "read_at": now, "raw_digest": digest(b"raw")} if sam else None
        return {
            "type": "hall-intake/practice-record/1", "schema": 1, "record_id": record_id, "revision": 1, "amends": None, "prev_digest": None,
            "station": {"id": station.station_id, "hall": station.hall, "window": station.window},
            "collector": {"id": "OP-000017", "name": "练习员", "certificate": digest(self.people.collector.certificate)}, "purpose": "实名登记",
            "claimed_at": now, "time_source": "station-clock", "labels": digest(b"labels"), "categories": ["4"],
            "sections": {"person": {"name_zh": NAME, "id_doc_no": f"{NUMBER}000012"}}, "evidence": {"card": card, "face": None},
            "provenance": {name: {"source": "typed", "by": "OP-000017", "at": now, "device": ""} for name in ("person.name_zh", "person.id_doc_no")},
            "attachments": [{"index": 1, "kind": "portrait", "name": "a1.jpg", "media": "image/jpeg", "size": len(photo), "sha256": digest(photo),
                             "pages": 1, "trust": "B"}],
        }

    def row(self, record_id: str) -> OutboxRow:
        found = self.outbox.row(record_id)
        assert found is not None
        return found

    def pass_time(self, seconds: float = 0.0) -> None:
        """The station's clocks go on, e.g. over a back-off."""
        self.later += seconds
        if isinstance(self.moment, _Turned):
            self.moment.seconds += seconds
        else:
            self.moment = _Turned(self.moment, seconds)

    def begin(self, record_id: str) -> None:
        """Its upload is made and nothing of it sent, as after a cut: its offset is asked for next (HEAD)."""
        self.drive(record_id, "uploading")
        row, stop = self.row(record_id), threading.Event()
        stop.set()
        made = upload_packet(self.province.wire(), self.blobs.path(row.packet_blob), record_id, row.packet_digest, None, stop, lambda done, total: None,
                             lambda made: None)
        self.outbox.mark(record_id, "uploading", upload_id=made.upload_id, upload_offset=made.offset)

    def drive(self, record_id: str, state: str, most: int = 30) -> int:
        """Steps until the record is in ``state``; how many that were."""
        for number in range(most):
            if self.row(record_id).state == state:
                return number
            self.courier.step()
        assert self.row(record_id).state == state, (self.row(record_id).state, self.row(record_id).last_error, self.row(record_id).last_detail)
        return most


def asked(province: ProvinceRun, method: str, part: str = "") -> int:
    return sum(1 for one in province.look()["requests"] if one["method"] == method and part in one["path"])


def came_in(province: ProvinceRun, record_id: str) -> int:
    return sum(1 for one in province.look()["records"] if one["record_id"] == record_id)
