"""A practice hall: the real smart-card service, soft tokens, a private keyring, drawn cameras, a province of its own, and an enrolled station.

Everything lies in one folder and ends with it. Needs a namespace of its own (installer/test and tests.practice see to that). Never touches the product's data.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from desktop.effects.token_signer import TokenSigner
from devices.tokens.pkcs11 import Pkcs11Driver
from sync.canon import canon
from sync.enrolment import enrol
from sync.keys import KeyCabinet
from sync.signing import certificate_facts, make_signature
from sync.station import Station
from sync.store import open_folder
from tests.emulators.ca import PracticeCa
from tests.emulators.hall_cameras import DOCUMENT, PORTRAIT, SHEET
from tests.emulators.idcards import PRACTICE, SyntheticCard
from tests.emulators.keyring import PrivateKeyring
from tests.emulators.pcscd import Pcscd
from tests.emulators.sam_reader import CHAINED_PROFILE, SAM_NUMBER, WHOLE_PROFILE, Faults, SamReader
from tests.emulators.softhsm import Holder, Kind, SoftToken, SoftTokens
from tests.emulators.vpcd import VirtualSlot

__all__ = ["ADMINISTRATOR", "COLLECTOR", "HALL_CODE", "PEOPLE", "PREPARED", "PracticeHall", "Province", "SHEET_FACTS", "SUPERVISOR", "Someone", "WINDOW"]

HALL_CODE, HALL_NAME, WINDOW = "510100-01", "练习市政务大厅", "07"
TOP = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Someone:
    """A person of the practice hall, their token's label and PIN."""

    id: str
    name: str
    label: str
    pin: str
    kind: Kind
    roles: tuple[str, ...]


COLLECTOR = Someone("OP-000017", "王敏", "operator", "246810", "rsa", ("collector", "verifier"))
SUPERVISOR = Someone("OP-000003", "刘洋", "supervisor", "135791", "ec", ("supervisor", "collector"))
ADMINISTRATOR = Someone("AD-000001", "陈立", "administrator", "864202", "ec", ("administrator",))
PEOPLE = (COLLECTOR, SUPERVISOR, ADMINISTRATOR)
SHEET_FACTS: dict[str, Any] = {"kind": 1, "name": "李国强", "masked": "5101**********0012", "employer": "四川示例建设有限公司",
                               "categories": [4], "good": 2, "bad": 0}
PREPARED = "HALL_INTAKE_PREPARED"
"""Environment: the folder in which a test run keeps what all its halls have in common."""


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


class Province:
    """A reference province in a process of its own; orders go to its admin port."""

    def __init__(self, folder: Path, ca: PracticeCa, port: int = 0) -> None:
        self.folder, self._ca, self._port = folder, ca, port or _free_port()
        self._server_files = ca.issue_server()
        self._process: subprocess.Popen[bytes] | None = None
        self.ready: dict[str, Any] = {}

    def start(self) -> None:
        """Begin to serve, always on the same port. Raises RuntimeError."""
        self.launch()
        self.wait()

    def launch(self) -> None:
        """Begin to start; ``wait`` returns when it serves."""
        certificate, key = self._server_files
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.province", "--folder", str(self.folder), "--port", str(self._port), "--practice", "--name", "练习省",
             "--tls-cert", str(certificate), "--tls-key", str(key), "--tls-ca", str(self._ca.folder / "tls-root.pem"),
             "--signer-root", str(self._ca.folder / "root.pem"), "--tables", str(TOP / "resources" / "tables")],
            cwd=TOP, stdout=subprocess.PIPE)

    def wait(self) -> None:
        """Until it serves. Raises RuntimeError."""
        assert self._process is not None and self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self.stop()
            raise RuntimeError("the province does not start")
        self.ready = json.loads(line)

    @property
    def running(self) -> bool:
        return self._process is not None

    def __enter__(self) -> Province:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            if self._process.stdout is not None:
                self._process.stdout.close()
            self._process = None

    def order(self, path: str, method: str = "POST", **body: Any) -> dict[str, Any]:
        """One call of the admin port."""
        told = json.dumps(body).encode()
        request = urllib.request.Request(f"{self.ready['admin_url']}/{path}", told, {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read() or b"{}")

    def cut_line(self) -> None:
        """Nobody reaches it until the line is mended; it runs on."""
        self.order("faults", faults=[{"kind": "unreachable", "times": None}])

    def mend_line(self) -> None:
        """Takes back all orders for trouble."""
        self.order("faults", method="DELETE")

    def fault(self, kind: str, **order: Any) -> None:
        """One order for trouble (``tests/province/faults.py``)."""
        self.order("faults", faults=[{"kind": kind, **order}])

    def records(self) -> list[dict[str, Any]]:
        """What came in, without content, in the order of serials."""
        return self.order("", "GET")["records"]


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

    def publish_revocations(self, *certificates: bytes) -> None:
        """What the practice CA publishes reaches the province: a list of revoked certificates, with these (DER) on it since this moment."""
        now = datetime.now(UTC).replace(microsecond=0)
        revoked = {int(certificate_facts(one).serial, 16): now for one in certificates}
        content = self.ca.revocation_list(revoked, now, now + timedelta(days=7))
        self.province.order("revocations", kind="crl", content=base64.b64encode(content).decode("ascii"),
                            authorities=[base64.b64encode(one).decode("ascii") for one in self.ca.chain])

    # -- building ---------------------------------------------------------------------------------------------------------------------
    def _begin(self) -> None:
        self._take_prepared()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.home.mkdir(mode=0o700, exist_ok=True)
        drawing = self._draw_cameras()
        self.ca = PracticeCa.load(self.folder / "ca") if (self.folder / "ca" / "root.pem").exists() else PracticeCa.make(self.folder / "ca")
        self._say("reference province (HTTPS on loopback)")
        self.province = Province(self.folder / "province", self.ca, self._port)
        self.province.launch()
        self._stack.callback(self.province.stop)
        self._say("smart-card service (pcscd with a virtual reader)")
        self._stack.enter_context(self.pcscd)
        self._stack.callback(self.slot.lift)
        self._say("keyring (Secret Service)")
        self.keyring = self._stack.enter_context(PrivateKeyring(self._keyring))
        self._set(DBUS_SESSION_BUS_ADDRESS=self.keyring.env["DBUS_SESSION_BUS_ADDRESS"], HALL_INTAKE_HOME=str(self.home))
        self._say("certificate tokens (SoftHSM2)")
        self._make_tokens()
        if drawing is not None and drawing.wait(60):
            raise RuntimeError("the cameras' pictures could not be drawn")
        self.province.wait()
        self._fill_province()
        if self._enrolled:
            self._say("this station and its device list")
            self.enrol()

    def _fill_province(self) -> None:
        self.province.order("halls", code=HALL_CODE, name=HALL_NAME)
        self.province.order("sams", sam=SAM_NUMBER, hall=HALL_CODE)
        self.publish_revocations()
        for one in PEOPLE:
            self.province.order("people", id=one.id, name=one.name, roles=list(one.roles), hall=HALL_CODE)

    # -- what takes long is made once for all halls of a test run, where it asks for that ---------------------------------------------
    def _take_prepared(self) -> None:
        """Copies CA, tokens, pictures and the province's keys from the folder in HALL_INTAKE_PREPARED; makes them there where they are not yet."""
        named = os.environ.get(PREPARED)
        if not named or self.folder.exists() and any(self.folder.iterdir()):
            return
        prepared = Path(named)
        if not (prepared / "whole").exists():
            PracticeHall(prepared, enrolled=False)._prepare()
        for part in ("ca", "tokens", "cameras", "province"):
            shutil.copytree(prepared / part, self.folder / part)

    def _prepare(self) -> None:
        """All of a hall that no service is needed for."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        drawing = self._draw_cameras()
        self.ca = PracticeCa.make(self.folder / "ca")
        with Province(self.folder / "province", self.ca) as self.province:
            self._fill_province()
        try:
            self._make_tokens()
        finally:
            self.close()
        if drawing is not None and drawing.wait(60):
            raise RuntimeError("the cameras' pictures could not be drawn")
        (self.folder / "whole").touch()

    def _set(self, **names: str) -> None:
        for name, value in names.items():
            self._environment.setdefault(name, os.environ.get(name))
            os.environ[name] = value

    def _make_tokens(self) -> None:
        folder = self.folder / "tokens"
        known = (folder / "softhsm2.conf").exists()
        self.tokens = SoftTokens(folder)
        self._set(**self.tokens.env)
        if not known:
            self.tokens.make_people(self.ca, [Holder(one.label, one.pin, one.id, one.name, one.kind, one.roles) for one in PEOPLE])
        self.people = {one.id: self.tokens.token(one.label) for one in PEOPLE}
        if self._enrolled and (self.home / "devices.json").exists():
            self._pull_but_collector()

    def _pull_but_collector(self) -> None:
        for one in (SUPERVISOR, ADMINISTRATOR):
            if self.people[one.id].plugged:
                self.people[one.id].pull()

    def _draw_cameras(self) -> subprocess.Popen[bytes] | None:
        """Begins to draw, where there is nothing yet."""
        folder = self.folder / "cameras"
        self.portrait_camera, self.document_camera, self.sheet_camera = folder / PORTRAIT, folder / DOCUMENT, folder / SHEET
        if self.document_camera.exists():
            return None
        self._say("pictures for the cameras")
        return self._stack.enter_context(_drawing(str(folder)))

    def lay_sheet(self, state: str = "current") -> str:
        """A credit sheet under the sheet camera; its number. ``state``: current superseded revoked expired, forged (signed by nobody), or none."""
        if state == "none":
            code, number = "", ""
        else:
            made = self.province.order("sheets", **SHEET_FACTS)
            code, number = str(made["code"]), str(made["number"])
            if state == "forged":
                code = code[:60] + ("A" if code[60] != "A" else "B") + code[61:]
            elif state != "current":
                self.province.order("sheets/state", number=number, state=state)
        with _drawing(str(self.folder / "cameras"), code) as drawing:
            if drawing.wait(60):
                raise RuntimeError("the sheet could not be drawn")
        return number

    def enrol(self) -> Station:
        """The administrator enrols this station, once, and signs its device list; then only the collector's token stays plugged."""
        for one in PEOPLE:
            if not self.people[one.id].plugged:
                self.people[one.id].replug()
        if not (self.home / "devices.json").exists():
            invited = self.province.order("invitations", hall=HALL_CODE, window=self._window)
            with self._hand_of(ADMINISTRATOR) as sign:
                with open_folder(self.home, KeyCabinet(), True, make=True) as store:
                    self.station = enrol(canon(invited["invitation"]), invited["code"], HALL_CODE, self._window, sign, "practice", store)
                self._write_device_list(self.station, {}, sign)
        self._pull_but_collector()
        return self.station  # type: ignore[return-value]

    def write_device_list(self, station: Station, **other: Any) -> None:
        """``devices.json`` and its signature by the administrator's token; ``other`` replaces members."""
        with self._hand_of(ADMINISTRATOR) as sign:
            self._write_device_list(station, other, sign)

    def _write_device_list(self, station: Station, other: dict[str, Any], sign: Callable[[bytes], bytes]) -> None:
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
        (self.home / "devices.p7s").write_bytes(sign(exact))

    def sign_as_administrator(self, content: bytes) -> bytes:
        return self.sign_as(ADMINISTRATOR, content)

    def sign_as(self, one: Someone, content: bytes) -> bytes:
        """A detached signature by this person's token, through the product's own driver."""
        with self._hand_of(one) as sign:
            return sign(content)

    @contextmanager
    def _hand_of(self, one: Someone) -> Iterator[Callable[[bytes], bytes]]:
        """What signs as this person, whose token is open meanwhile. Raises LookupError where it is not plugged."""
        driver = Pkcs11Driver(self.tokens.library, "SoftHSM", emulated=True)
        try:
            device = next((found for found in driver.find() if found.serial == self.people[one.id].serial), None)
            if device is None:
                raise LookupError(one.label)
            with driver.open(device) as token:
                certificate = next(iter(token.certificates()))
                token.login(one.pin)
                try:
                    yield lambda content: make_signature(content, TokenSigner(token, certificate, certificate.chain), datetime.now(UTC))
                finally:
                    token.logout()
        finally:
            driver.close()


@contextmanager
def _drawing(*words: str) -> Iterator[subprocess.Popen[bytes]]:
    """Drawing needs a Qt application, and a process has only one: the product's. So it is done beside it; ended with the block."""
    env = os.environ | {"QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(TOP)}
    with subprocess.Popen([sys.executable, "-m", "tests.emulators.hall_cameras", *words], env=env) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


CHAINED = CHAINED_PROFILE
"""For halls whose reader answers in pieces."""
