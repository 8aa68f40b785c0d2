"""A practice hall: the real smart-card service, soft tokens, a private keyring, drawn cameras, a province of its own, and an enrolled station.

Everything lies in one folder and ends with it. Needs a namespace of its own (installer/test and tests.practice see to that). Never touches the product's data.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from desktop.effects.token_signer import TokenSigner
from devices.tokens.pkcs11 import Pkcs11Driver
from sync.canon import canon
from sync.enrolment import enrol
from sync.keys import KeyCabinet
from sync.signing import make_signature
from sync.station import Station
from sync.store import open_folder
from tests.emulators import pictures
from tests.emulators.ca import PracticeCa
from tests.emulators.idcards import PRACTICE, SyntheticCard
from tests.emulators.keyring import PrivateKeyring
from tests.emulators.pcscd import Pcscd
from tests.emulators.sam_reader import CHAINED_PROFILE, SAM_NUMBER, WHOLE_PROFILE, Faults, SamReader
from tests.emulators.softhsm import SoftToken, SoftTokens
from tests.emulators.vpcd import VirtualSlot

__all__ = ["ADMINISTRATOR", "COLLECTOR", "HALL_CODE", "PracticeHall", "Province", "Someone", "SUPERVISOR", "WINDOW"]

HALL_CODE, HALL_NAME, WINDOW = "510100-01", "练习市政务大厅", "07"
TOP = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Someone:
    """A person of the practice hall, their token's label and PIN."""

    id: str
    name: str
    label: str
    pin: str
    kind: str
    roles: tuple[str, ...]


COLLECTOR = Someone("OP-000017", "王敏", "operator", "246810", "rsa", ("collector", "verifier"))
SUPERVISOR = Someone("OP-000003", "刘洋", "supervisor", "135791", "ec", ("supervisor", "collector"))
ADMINISTRATOR = Someone("AD-000001", "陈立", "administrator", "864202", "ec", ("administrator",))


class Province:
    """A reference province in a process of its own; orders go to its admin port."""

    def __init__(self, folder: Path, ca: PracticeCa, port: int = 0) -> None:
        self.folder, self._ca, self._port = folder, ca, port
        self._server_files = ca.issue_server()
        self._process: subprocess.Popen[bytes] | None = None
        self.ready: dict[str, Any] = {}

    def start(self) -> None:
        """Begin to serve; the second time on the same port. Raises RuntimeError."""
        certificate, key = self._server_files
        roots = [self._ca.folder / "root.pem", self._ca.folder / "issuing.pem"]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.province", "--folder", str(self.folder), "--port", str(self._port), "--practice", "--name", "练习省",
             "--tls-cert", str(certificate), "--tls-key", str(key), "--tls-ca", str(self._ca.folder / "tls-root.pem"),
             "--signer-root", *map(str, roots), "--tables", str(TOP / "resources" / "tables")],
            cwd=TOP, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self.stop()
            raise RuntimeError("the province does not start")
        self.ready = json.loads(line)
        self._port = self.ready["port"]

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            if self._process.stdout is not None:
                self._process.stdout.close()
            self._process = None

    def order(self, path: str, **body: Any) -> dict[str, Any]:
        """One call of the admin port."""
        request = urllib.request.Request(f"{self.ready['admin_url']}/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read() or b"{}")


class PracticeHall:
    """Use as a context manager. ``home`` is the station's data folder; ``province``, ``slot``, tokens and cameras may be pulled while it stands."""

    def __init__(self, folder: Path, *, window: str = WINDOW, enrolled: bool = True, profile: dict[str, Any] | None = None, models: dict[str, Any] | None = None) -> None:
        self.folder, self.home = folder, folder / "home"
        self._window, self._enrolled, self._profile, self._models = window, enrolled, profile or WHOLE_PROFILE, models or {}
        self._stack = ExitStack()
        self._environment: dict[str, str | None] = {}
        self.pcscd = Pcscd()
        self.slot = VirtualSlot(0)
        self.station: Station | None = None
        self.people: dict[str, SoftToken] = {}

    def __enter__(self) -> PracticeHall:
        try:
            self._begin()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._stack.close()
        for name, value in self._environment.items():
            os.environ.pop(name, None) if value is None else os.environ.__setitem__(name, value)
        self._environment.clear()

    # -- what hands do in a hall ------------------------------------------------------------------------------------------------------
    def place(self, card: SyntheticCard = PRACTICE, faults: Faults | None = None) -> SamReader:
        """Lay a card on the reader; lift it before the test ends."""
        reader = SamReader(card, faults)
        self.slot.place(reader)
        return reader

    def lift(self) -> None:
        self.slot.lift()

    # -- building ---------------------------------------------------------------------------------------------------------------------
    def _begin(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.home.mkdir(mode=0o700, exist_ok=True)
        self._stack.enter_context(self.pcscd)
        self._stack.callback(self.slot.lift)
        self.keyring = self._stack.enter_context(PrivateKeyring(self.folder / "kr"))
        self._set(DBUS_SESSION_BUS_ADDRESS=self.keyring.env["DBUS_SESSION_BUS_ADDRESS"], HALL_INTAKE_HOME=str(self.home))
        self.ca = PracticeCa.load(self.folder / "ca") if (self.folder / "ca" / "root.pem").exists() else PracticeCa.make(self.folder / "ca")
        self._make_tokens()
        self._draw_cameras()
        self.province = Province(self.folder / "province", self.ca)
        self.province.start()
        self._stack.callback(self.province.stop)
        self.province.order("halls", code=HALL_CODE, name=HALL_NAME)
        self.province.order("sams", sam=SAM_NUMBER, hall=HALL_CODE)
        for one in (COLLECTOR, SUPERVISOR, ADMINISTRATOR):
            self.province.order("people", id=one.id, name=one.name, roles=list(one.roles), hall=HALL_CODE)
        if self._enrolled:
            self.enrol()

    def _set(self, **names: str) -> None:
        for name, value in names.items():
            self._environment.setdefault(name, os.environ.get(name))
            os.environ[name] = value

    def _make_tokens(self) -> None:
        folder = self.folder / "tokens"
        known = (folder / "softhsm2.conf").exists()
        self.tokens = SoftTokens(folder)
        self._set(**self.tokens.env)
        for one in (COLLECTOR, SUPERVISOR, ADMINISTRATOR):
            if known:
                self.people[one.id] = self.tokens.token(one.label)
            else:
                self.people[one.id] = self.tokens.make_person(self.ca, one.label, one.pin, one.id, one.name, one.kind, one.roles)  # type: ignore[arg-type]
        for one in (SUPERVISOR, ADMINISTRATOR):
            if self.people[one.id].plugged and self._enrolled and (self.home / "devices.json").exists():
                self.people[one.id].pull()

    def _draw_cameras(self) -> None:
        folder = self.folder / "cameras"
        self.portrait_camera, self.document_camera = folder / "portrait.avi", folder / "document.avi"
        if not self.document_camera.exists():
            folder.mkdir(exist_ok=True)
            pictures.as_video(pictures.live_frames(12), self.portrait_camera)
            page = pictures.certificate("李练工", "职业技能等级证书", ("工种:钢筋工", "等级:三级/高级工", "证书编号:2106-0088412", "发证日期:2021-06-18",
                                                               "发证机关:四川省住房和城乡建设厅", "本证书用于练习,不具效力。"))
            pictures.as_video([pictures.on_mat(page, seed=seed) for seed in range(4)], self.document_camera)

    def enrol(self) -> Station:
        """The administrator enrols this station, once, and signs its device list; then only the collector's token stays plugged."""
        for one in (COLLECTOR, SUPERVISOR, ADMINISTRATOR):
            if not self.people[one.id].plugged:
                self.people[one.id].replug()
        if not (self.home / "devices.json").exists():
            invited = self.province.order("invitations", hall=HALL_CODE, window=self._window)
            with open_folder(self.home, KeyCabinet(), True, make=True) as store:
                self.station = enrol(canon(invited["invitation"]), invited["code"], HALL_CODE, self._window, self.sign_as_administrator, "practice", store)
            self.write_device_list(self.station)
        for one in (SUPERVISOR, ADMINISTRATOR):
            self.people[one.id].pull()
        return self.station  # type: ignore[return-value]

    def write_device_list(self, station: Station, **other: Any) -> None:
        """``devices.json`` and its signature by the administrator's token; ``other`` replaces members."""
        members = {
            "type": "hall-intake/devices/1", "station_id": station.station_id, "practice": True, "emulated": True,
            "profiles": [self._profile], "models": self._models,
            "tokens": [{"kind": "pkcs11", "library": self.tokens.library, "name": "SoftHSM", "sha256": ""}],
            "cameras": [{"name": "练习摄像头", "source": str(self.portrait_camera), "use": "portrait"},
                        {"name": "练习高拍仪", "source": str(self.document_camera), "use": "document"},
                        {"name": "练习扫码", "source": str(self.folder / "cameras" / "sheet.avi"), "use": "code"}],
        } | other
        exact = canon(members)
        (self.home / "devices.json").write_bytes(exact)
        (self.home / "devices.p7s").write_bytes(self.sign_as_administrator(exact))

    def sign_as_administrator(self, content: bytes) -> bytes:
        return self.sign_as(ADMINISTRATOR, content)

    def sign_as(self, one: Someone, content: bytes) -> bytes:
        """A detached signature by this person's token, through the product's own driver."""
        driver = Pkcs11Driver(self.tokens.library, "SoftHSM", emulated=True)
        try:
            for device in driver.find():
                if device.serial == self.people[one.id].serial:
                    with driver.open(device) as token:
                        certificate = next(c for c in token.certificates())
                        token.login(one.pin)
                        try:
                            return make_signature(content, TokenSigner(token, certificate, self.ca.chain), datetime.now(UTC))
                        finally:
                            token.logout()
        finally:
            driver.close()
        raise LookupError(one.label)


CHAINED = CHAINED_PROFILE
"""For halls whose reader answers in pieces."""
