"""The practice hall's services, started in order and ended in reverse: keyring, tokens, province, smart-card service, enrolment, device list.

Never runs outside of namespaces of its own (installer/alone), and never reaches into the product but through its command line and its environment.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.emulators.ca import PracticeCa
from tests.emulators.idcards import PRACTICE
from tests.emulators.keyring import PrivateKeyring
from tests.emulators.pcscd import Pcscd
from tests.emulators.province_run import ProvinceRun
from tests.emulators.sam_reader import SAM_NUMBER, WHOLE_PROFILE, SamReader
from tests.emulators.softhsm import SoftTokens
from tests.emulators.vpcd import VirtualSlot
from tests.hall.drawings import cameras

__all__ = ["HALL", "PEOPLE", "WINDOW", "HallInUse", "HallTrouble", "PracticeHall", "Practitioner"]

TOP = Path(__file__).resolve().parents[2]
HALL, HALL_NAME, WINDOW = "510100-01", "练习登记大厅", "07"
PORT = 8443
"""Of the province; the station's enrolment pins it, and the namespace is the hall's own."""
KEYRING_HOME = Path("/run/hall-keyring")
"""Short, for socket paths have 107 bytes at most; its data lie in the hall's folder."""


class HallTrouble(Exception):
    """A service did not start. The text is one sentence with the remedy."""


class HallInUse(HallTrouble):
    """Another practice hall runs on this folder."""


@dataclass(frozen=True, slots=True)
class Practitioner:
    """A person with a soft certificate token. ``pin`` is no secret: practice only."""

    label: str
    id: str
    name: str
    pin: str
    roles: tuple[str, ...]


PEOPLE = {
    "operator": Practitioner("operator", "OP-000017", "陈经办", "135790", ("collector", "verifier")),
    "supervisor": Practitioner("supervisor", "SV-000003", "周主管", "246801", ("supervisor", "collector")),
    "administrator": Practitioner("administrator", "AD-000001", "吴管理", "357912", ("administrator",)),
}


class PracticeHall:
    """A context manager. Afterwards ``env`` is the environment in which the product finds this hall, ``slot`` the virtual reader's place for cards."""

    def __init__(self, folder: Path, say: Callable[[str], None] = lambda line: None) -> None:
        self.folder = folder
        self.home = folder / "station"
        self.pictures = folder / "pictures"
        self.env: dict[str, str] = {}
        self.slot = VirtualSlot()
        self._say = say
        self._open = ExitStack()

    def __enter__(self) -> PracticeHall:
        if os.environ.get("HALL_INTAKE_ALONE") != "1":
            raise HallTrouble("the practice hall runs in namespaces of its own; start it with installer/run --practice")
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with ExitStack() as opening:
            self._open = opening
            self._hold()
            self._start()
            self._open = opening.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._open.close()

    # -- in order ------------------------------------------------------------------------------------------------------------------------
    def _hold(self) -> None:
        """One hall per folder: the lock goes with the process."""
        lock = self._open.enter_context((self.folder / "lock").open("w"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise HallInUse(f"a practice hall runs on {self.folder} already; use its window, or another --folder") from error

    def _start(self) -> None:
        self._say("keyring (Secret Service) ...")
        self.keyring = self._open.enter_context(_named("the keyring (dbus-daemon, gnome-keyring-daemon)", self._keyring))
        self.ca = PracticeCa.load(self.folder / "ca") if (self.folder / "ca/root.pem").exists() else PracticeCa.make(self.folder / "ca")
        self.tokens = SoftTokens(self.folder / "tokens")
        self._say("certificate tokens (SoftHSM2) ...")
        self._make_people()
        self._say("pictures for the cameras ...")
        self._draw()
        self._say("reference province (HTTPS on loopback) ...")
        self.province = self._open.enter_context(_named("the reference province", self._province))
        self._say("smart-card service (pcscd with a virtual reader) ...")
        self.pcscd = self._open.enter_context(_named("the smart-card service", Pcscd))
        self._open.callback(self.slot.lift)
        self.env = {
            **os.environ, **self.tokens.env, "PYTHONPATH": str(TOP), "HALL_INTAKE_HOME": str(self.home),
            "DBUS_SESSION_BUS_ADDRESS": self.keyring.env["DBUS_SESSION_BUS_ADDRESS"],
        }  # fmt: skip
        if not (self.home / "store-id").exists():
            self._say("enrolling this station ...")
            self._enrol()
        self._write_device_list()
        self.plug("operator")

    def _keyring(self) -> PrivateKeyring:
        KEYRING_HOME.mkdir(mode=0o700, exist_ok=True)
        data = self.folder / "keyring"
        data.mkdir(mode=0o700, exist_ok=True)
        if not (KEYRING_HOME / "data").exists():
            (KEYRING_HOME / "data").symlink_to(data)
        return PrivateKeyring(KEYRING_HOME, password="practice")

    def _make_people(self) -> None:
        for person in PEOPLE.values():
            if not (self.folder / "tokens" / f"{person.label}.json").exists():
                self.tokens.make_person(self.ca, person.label, person.pin, person.id, person.name, roles=person.roles)

    def _draw(self) -> None:
        if not (self.pictures / "done").exists():
            env = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(TOP)}
            drawn = subprocess.run([sys.executable, "-m", "tests.hall.drawings", str(self.pictures)], env=env, capture_output=True, text=True, check=False)
            if drawn.returncode:
                raise HallTrouble(f"the pictures for the cameras could not be drawn: {drawn.stderr.strip().splitlines()[-1:]}")
            (self.pictures / "done").touch()

    def _province(self) -> ProvinceRun:
        certificate, key = self.ca.issue_server()
        province = ProvinceRun(self.folder / "province", [self.ca.folder / "root.pem"], (certificate, key, self.ca.folder / "tls-root.pem"))
        province.port = PORT
        return province

    # -- the station ---------------------------------------------------------------------------------------------------------------------
    def _enrol(self) -> None:
        """By the product's own command, with the administrator's token and an invitation of the province."""
        self.province.desk("POST", "/halls", code=HALL, name=HALL_NAME)
        self.province.desk("POST", "/sams", sam=SAM_NUMBER, hall=HALL)
        for person in PEOPLE.values():
            self.province.desk("POST", "/people", id=person.id, name=person.name, roles=list(person.roles), hall=HALL)
        invited = self.province.desk("POST", "/invitations", hall=HALL, window=WINDOW)
        path = self.folder / "invitation.json"
        path.write_text(json.dumps(invited["invitation"], ensure_ascii=False), "utf-8")
        self.plug("administrator")
        reading, writing = os.pipe()
        os.write(writing, PEOPLE["administrator"].pin.encode() + b"\n")
        os.close(writing)
        try:
            words = ["--invitation", str(path), "--code", invited["code"], "--hall", HALL, "--window", WINDOW, "--token", self.tokens.library, "--pin-file", str(reading)]
            done = subprocess.run([sys.executable, "-m", "desktop", "enrol", *words], env=self.env, pass_fds=[reading], capture_output=True, text=True, check=False)
        finally:
            os.close(reading)
        if done.returncode:
            raise HallTrouble(f"the station could not be enrolled: {done.stderr.strip()}")

    def _device_list(self) -> dict[str, Any]:
        (station,) = [one["id"] for one in self.province.look()["stations"] if one["state"] == "good" and (one["hall"], one["window"]) == (HALL, WINDOW)]
        return {
            "type": "hall-intake/devices/1", "station_id": station, "practice": True, "emulated": True, "profiles": [WHOLE_PROFILE],
            "tokens": [{"kind": "pkcs11", "library": self.tokens.library, "name": "练习证书 Key", "sha256": ""}],
            "cameras": cameras(self.pictures), "models": {},
        }  # fmt: skip

    def _write_device_list(self) -> None:
        """What the administrator allows here, signed with their token; written again only where it changed."""
        from desktop.commands.enrol import sign_with_token
        from devices.tokens.pkcs11 import Pkcs11Driver
        from sync.canon import canon

        exact = canon(self._device_list())
        content, signature = self.home / "devices.json", self.home / "devices.p7s"
        if content.exists() and signature.exists() and content.read_bytes() == exact:
            return
        self._say("device list, signed by the administrator ...")
        self.plug("administrator")
        os.environ.update(self.tokens.env)
        driver = Pkcs11Driver(self.tokens.library, "practice", emulated=True)
        try:
            with driver.open(driver.find()[0]) as token:
                signed = sign_with_token(token, PEOPLE["administrator"].id, lambda state, name: PEOPLE["administrator"].pin, exact)
        finally:
            driver.close()
        content.write_bytes(exact)
        signature.write_bytes(signed)

    # -- hands ---------------------------------------------------------------------------------------------------------------------------
    def plug(self, label: str) -> None:
        """Plug this person's token in and pull the others; an empty label pulls all."""
        for person in PEOPLE.values():
            token = self.tokens.token(person.label)
            if person.label == label and not token.plugged:
                token.replug()
            elif person.label != label and token.plugged:
                token.pull()

    def place_card(self) -> None:
        """Put the practice person's card on the reader."""
        self.slot.place(SamReader(PRACTICE))

    def lift_card(self) -> None:
        self.slot.lift()


@contextmanager
def _named(what: str, make: Callable[[], Any]) -> Iterator[Any]:
    """The service that ``make`` gives, entered; what keeps it from starting becomes one sentence."""
    try:
        service = make()
        entered = service.__enter__()
    except (OSError, RuntimeError, ValueError) as error:
        raise HallTrouble(f"{what} did not start ({error}); installer/run --practice installs what it needs") from error
    try:
        yield entered
    finally:
        service.__exit__(None, None, None)


def fresh(folder: Path) -> bool:
    """Whether the folder's certificates last for another month; a hall that is older is made anew."""
    made = folder / "ca" / "root.pem"
    return not made.exists() or datetime.fromtimestamp(made.stat().st_mtime, UTC) > datetime.now(UTC) - timedelta(days=330)
