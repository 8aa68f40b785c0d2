"""One stand per reader driver: the driver, and hands that lay cards on its emulated reader. Never judges what the driver makes of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from devices.base import Device
from devices.cards.pcsc import PcscDriver
from devices.cards.profiles import Profile
from devices.cards.serial import SerialDriver
from devices.cards.vendor import VendorDriver
from devices.errors import DeviceTrouble, NoCard
from tests.emulators.idcards import SyntheticCard
from tests.emulators.played_scard import READER, HandledService
from tests.emulators.sam_lines import PtyReader, SocketReader
from tests.emulators.sam_module import Faults, SamModule
from tests.emulators.sam_reader import CHAINED_PROFILE, WHOLE_PROFILE, SamReader
from tests.emulators.vpcd import VirtualSlot

__all__ = ["EscapeStand", "LineStand", "PcscStand", "Stand", "Stands", "VendorStand", "until"]

ESCAPE_PROFILE: dict[str, Any] = {
    "name": "practice-escape", "match": {"reader": "^Vendor RF"}, "mode": "control", "share": "direct",
    "control": {"code_linux": 0x42000001, "code_windows": 0x003136B0, "prefix": "E0", "reply_prefix": "E1"},
}
"""Of the played reader alone: no vendor publishes its own."""


def until(true: Callable[[], object], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "did not come about"
        time.sleep(0.02)


def _profile(members: dict[str, Any], changed: dict[str, Any]) -> Profile:
    """The profile with other members; ``exchange_seconds`` may be less than a list allows, to keep tests of silence short."""
    seconds = changed.pop("exchange_seconds", 5)
    return replace(Profile.from_json(members | changed), exchange_seconds=seconds)


class Stand:
    """What the suite needs. ``rereads``: a card that lies there may be read again; ``keeps_statuses``: the module's own status reaches the driver;
    ``appends``: the newest address can be read; ``presence``: the reader knows by itself whether a card lies there.
    """

    rereads = False
    keeps_statuses = True
    appends = True
    presence = False
    empty_slots: tuple[type[DeviceTrouble] | None, ...] = ()
    """What the doctor says of the other readers that this stand has."""

    name: str
    profile_name: str
    driver: Any

    def device(self) -> Device:
        return self.driver.find()[0]

    def lay(self, card: SyntheticCard | None, faults: Faults | None = None) -> SamModule:
        """Puts ``card`` down (None: the reader without a card) and waits until a driver can know it."""
        raise AssertionError

    def lift(self) -> None:
        raise AssertionError

    def close(self) -> None: ...


class PcscStand(Stand):
    """The real service, a virtual reader, an emulated tunnel."""

    rereads = True
    presence = True
    empty_slots = (NoCard,)

    def __init__(self, slot: VirtualSlot, profile: dict[str, Any], **changed: Any) -> None:
        self._slot = slot
        self.profile_name = profile["name"]
        self.driver = PcscDriver([_profile(profile, changed)], emulated=True)

    def device(self) -> Device:
        return next(device for device in self.driver.find() if device.address.endswith("00 00"))

    def lay(self, card: SyntheticCard | None, faults: Faults | None = None) -> SamModule:
        self.lift()   # and seen to be gone: the service must not take the new card for the old one (``VirtualSlot``)
        reader = SamReader(card, faults)
        self._slot.place(reader)
        until(lambda: any(seen.card for seen in self.driver.look()))
        return reader

    def lift(self) -> None:
        self._slot.lift()
        until(lambda: not any(seen.card for seen in self.driver.look()))

    def close(self) -> None:
        self.driver.close()


class EscapeStand(Stand):
    """The control channel of a reader. The virtual reader refuses every control code, so the service is played."""

    presence = True
    empty_slots: tuple[type[DeviceTrouble] | None, ...] = (None,)   # a token's reader: named, never opened

    def __init__(self, **changed: Any) -> None:
        self.profile_name = ESCAPE_PROFILE["name"]
        self.service = HandledService()
        self.driver = PcscDriver([_profile(ESCAPE_PROFILE, changed)], scard=self.service, emulated=True)   # type: ignore[arg-type]

    def lay(self, card: SyntheticCard | None, faults: Faults | None = None) -> SamModule:
        reader = SamReader(card, faults)
        self.service.lay(reader)
        return reader

    def lift(self) -> None:
        self.service.lift()

    def close(self) -> None:
        self.driver.close()
        assert (self.service.contexts, self.service.connections) == (0, 0), "everything is let go"
        assert {call[1:] for call in self.service.calls if call[0] == "connect"} <= {(READER, 3)}, "direct, and to the chosen reader alone"


class LineStand(Stand):
    """A pty, or a TCP connection to a serial server."""

    def __init__(self, kind: str, **changed: Any) -> None:
        self.module = SamModule()
        self.profile_name = f"practice-{kind}"
        self.reader: Any = PtyReader(self.module) if kind == "serial" else SocketReader(self.module)
        profile: dict[str, Any] = {"name": self.profile_name, "mode": kind}
        profile |= {"match": {"port": self.reader.port}} if kind == "serial" else {"tcp": {"host": "127.0.0.1", "port": self.reader.port}}
        self.driver = SerialDriver([_profile(profile, changed)], emulated=True)

    def lay(self, card: SyntheticCard | None, faults: Faults | None = None) -> SamModule:
        self.module.lay(card, faults)
        return self.module

    def lift(self) -> None:
        self.module.lift()

    def close(self) -> None:
        self.driver.close()
        self.reader.close()


class VendorStand(Stand):
    """The stub of a vendor's library in its child process; ``set_variable`` sets what the stub reads from its surroundings."""

    def __init__(self, family: str, library: Path, folder: Path, set_variable: Callable[[str, str], None], **changed: Any) -> None:
        self.module = SamModule()
        self.profile_name = f"practice-{family}"
        self.keeps_statuses = self.appends = family == "sdt"
        self.reader = SocketReader(self.module, folder / "sam")
        set_variable("STUB_SAM", str(folder / "sam"))
        profile = {"name": self.profile_name, "mode": family, "vendor": {"library": str(library), "port": 1001}}
        self.driver = VendorDriver([_profile(profile, changed)], emulated=True)

    def lay(self, card: SyntheticCard | None, faults: Faults | None = None) -> SamModule:
        self.module.lay(card, faults)
        return self.module

    def lift(self) -> None:
        self.module.lift()

    def close(self) -> None:
        self.driver.close()
        self.reader.close()


class Stands:
    """Makes stands by name and clears them away."""

    NAMES = ("pcsc-whole", "pcsc-chained", "pcsc-escape", "serial", "tcp", "sdt", "cvr")

    def __init__(
        self, stack: ExitStack, slot: Callable[[], VirtualSlot], library: Callable[[], Path], folder: Path, set_variable: Callable[[str, str], None],
    ) -> None:
        self._stack, self._slot, self._library, self._folder, self._set = stack, slot, library, folder, set_variable

    def make(self, name: str, **changed: Any) -> Stand:
        stand: Stand
        if name == "pcsc-escape":
            stand = EscapeStand(**changed)
        elif name.startswith("pcsc"):
            stand = PcscStand(self._slot(), WHOLE_PROFILE if name == "pcsc-whole" else CHAINED_PROFILE, **changed)
        elif name in ("serial", "tcp"):
            stand = LineStand(name, **changed)
        else:
            stand = VendorStand(name, self._library(), self._folder, self._set, **changed)
        stand.name = name
        self._stack.callback(stand.close)
        return stand
