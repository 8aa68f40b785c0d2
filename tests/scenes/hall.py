"""A practice hall: the real smart-card service, soft tokens, a private keyring, drawn cameras, a province of its own, and an enrolled station.

Everything lies in one folder and ends with it. Needs a namespace of its own (installer/test and tests.practice see to that). Never touches the product's data.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Callable
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
from tests.emulators.ca import PracticeCa
from tests.emulators.hall_cameras import DOCUMENT, PORTRAIT, SHEET
from tests.emulators.idcards import PRACTICE, SyntheticCard
from tests.emulators.keyring import PrivateKeyring
from tests.emulators.pcscd import Pcscd
from tests.emulators.sam_reader import CHAINED_PROFILE, SAM_NUMBER, WHOLE_PROFILE, Faults, SamReader
from tests.emulators.softhsm import SoftToken, SoftTokens
from tests.emulators.vpcd import VirtualSlot

__all__ = ["ADMINISTRATOR", "COLLECTOR", "HALL_CODE", "PracticeHall", "Province", "Someone", "SUPERVISOR", "WINDOW"]

HALL_CODE, HALL_NAME, WINDOW = "510100-01", "练习市政务大厅", "07"
TOP = Path(__file__).resolve().parents[2]


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
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.province", "--folder", str(self.folder), "--port", str(self._port), "--practice", "--name", "练习省",
             "--tls-cert", str(certificate), "--tls-key", str(key), "--tls-ca", str(self._ca.folder / "tls-root.pem"),
             "--signer-root", str(self._ca.folder / "root.pem"), "--tables", str(TOP / "resources" / "tables")],
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

    def __init__(
        self, folder: Path, *, window: str = WINDOW, enrolled: bool = True, profile: dict[str, Any] | None = None, models: dict[str, Any] | None = None,
        port: int = 0, keyring: Path | None = None, say: Callable[[str], None] = lambda line: None,
    ) -> None:
        """A hall that stands for longer than one start needs a fixed ``port``, for enrolment pins the province's address. ``keyring``: a folder with a
        short path, where ``folder``'s is too long for sockets; ``say`` is told what is being started."""
        self.folder, self.home = folder, folder / "home"
        self._port, self._keyring, self._say = port, keyring or folder / "kr", say
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
        self._say("smart-card service (pcscd with a virtual reader)")
        self._stack.enter_context(self.pcscd)
        self._stack.callback(self.slot.lift)
        self._say("keyring (Secret Service)")
        self.keyring = self._stack.enter_context(PrivateKeyring(self._keyring))
        self._set(DBUS_SESSION_BUS_ADDRESS=self.keyring.env["DBUS_SESSION_BUS_ADDRESS"], HALL_INTAKE_HOME=str(self.home))
        self.ca = PracticeCa.load(self.folder / "ca") if (self.folder / "ca" / "root.pem").exists() else PracticeCa.make(self.folder / "ca")
        self._say("certificate tokens (SoftHSM2)")
        self._make_tokens()
        self._draw_cameras()
        self._say("reference province (HTTPS on loopback)")
        self.province = Province(self.folder / "province", self.ca, self._port)
        self.province.start()
        self._stack.callback(self.province.stop)
        self.province.order("halls", code=HALL_CODE, name=HALL_NAME)
        self.province.order("sams", sam=SAM_NUMBER, hall=HALL_CODE)
        for one in (COLLECTOR, SUPERVISOR, ADMINISTRATOR):
            self.province.order("people", id=one.id, name=one.name, roles=list(one.roles), hall=HALL_CODE)
        if self._enrolled:
            self._say("this station and its device list")
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
        self.portrait_camera, self.document_camera, self.sheet_camera = folder / PORTRAIT, folder / DOCUMENT, folder / SHEET
        if not self.document_camera.exists():
            self._say("pictures for the cameras")
            # drawing needs a Qt application, and a process has only one: the product's
            env = os.environ | {"QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(TOP)}
            subprocess.run([sys.executable, "-m", "tests.emulators.hall_cameras", str(folder)], env=env, check=True, capture_output=True)

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
                        {"name": "练习扫码", "source": str(self.sheet_camera), "use": "code"}],
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
                            return make_signature(content, TokenSigner(token, certificate, certificate.chain), datetime.now(UTC))
                        finally:
                            token.logout()
        finally:
            driver.close()
        raise LookupError(one.label)


CHAINED = CHAINED_PROFILE
"""For halls whose reader answers in pieces."""
