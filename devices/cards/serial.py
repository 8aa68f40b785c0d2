"""Identity-card readers on a serial port or behind a serial server. Never opens a port that no profile names, never changes a module's speed.

A port is known by its name or by the USB adapter in it; the administrator's profile says so. The speed is found by asking the module for its state at each
speed of the profile, the one that worked last first.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable, Sequence
from datetime import datetime

from devices.base import Cancel, Device
from devices.cards.contract import Sighting
from devices.cards.line import FrameLine, Line, Port, SerialLine, TcpLine, ports_here
from devices.cards.module import ModuleConnection, ModuleReader, ModuleSight, find_reader
from devices.cards.photo import Photos
from devices.cards.profiles import LineShape, Profile
from devices.cards.sam import STATUS, build, parse_answer
from devices.errors import BrokenFrame, NoSam, TimedOut

__all__ = ["OpenLine", "SerialDriver", "open_line"]

LOG = logging.getLogger(__name__)
PROBE_S = 0.8               # some readers need 0.4 s for an answer
OpenLine = Callable[[LineShape, str, int], Line]


def open_line(shape: LineShape, port: str, baud: int) -> Line:
    """The line to a module. Raises ReaderGone, ReaderBusy, NotPermitted, DriverMissing."""
    return TcpLine(shape.host, shape.tcp_port) if shape.host else SerialLine(port, baud)


class SerialDriver:
    """Finds, watches and opens the readers that the profiles of modes ``serial`` and ``tcp`` name. Raises DriverMissing where pyserial is missing."""

    name = "serial"

    def __init__(
        self, profiles: Sequence[Profile], emulated: bool = False, now: Callable[[], datetime] | None = None, ports: Callable[[], Sequence[Port]] = ports_here,
        lines: OpenLine = open_line, photos: Photos | None = None,
    ) -> None:
        self._profiles = tuple(profile for profile in profiles if profile.line is not None)
        self._emulated, self._now, self._ports, self._lines, self._photos = emulated, now, ports, lines, photos or Photos()
        self._readers: dict[tuple[str, Device], ModuleReader] = {}
        self._lock = threading.Lock()
        if any(profile.mode == "serial" for profile in self._profiles):
            ports()

    def find(self) -> Sequence[Device]:
        """Readers whose port is here, and those behind a server, which is not asked."""
        return tuple(reader.device for reader in self._here())

    def look(self) -> tuple[Sighting, ...]:
        """All readers as they stand, with a card or without; ports that no profile names are left out, they belong to other devices."""
        cancel = Cancel()
        seen = tuple(sighting for reader in self._here() if (sighting := reader.look(cancel)) is not None)
        for reader in self._here():
            reader.rest()
        return seen

    def sight(self) -> ModuleSight:
        return ModuleSight(self._here)

    def open(self, device: Device) -> ModuleConnection:
        """Raises ReaderGone, NoReader, ReaderBusy, NotPermitted, NoSam(reader) where no module answers at any speed."""
        return ModuleConnection(find_reader(self._here(), device))

    def close(self) -> None:
        """Ends the child processes of photo libraries."""
        self._photos.close()

    def _here(self) -> list[ModuleReader]:
        """One lasting reader for each place that is named and there."""
        ports = list(self._ports()) if any(profile.mode == "serial" for profile in self._profiles) else []
        found: list[ModuleReader] = []
        with self._lock:
            for profile in self._profiles:
                for device in _places(profile, ports, self.name, self._emulated):
                    if all(reader.device.address != device.address for reader in found):
                        found.append(self._reader(device, profile))
        return found

    def _reader(self, device: Device, profile: Profile) -> ModuleReader:
        known = self._readers.get((profile.name, device))
        if known is None:
            speeds = _Speeds(device, profile.line or LineShape(), self._lines)
            known = self._readers[profile.name, device] = ModuleReader(device, profile, speeds.open, self._photos.decoder(profile.photo), self._now)
        return known


class _Speeds:
    """Opens the line of one reader and finds the speed; remembers the one that worked."""

    def __init__(self, device: Device, shape: LineShape, lines: OpenLine) -> None:
        self._device, self._shape, self._lines = device, shape, lines
        self._worked: int | None = None

    def open(self, cancel: Cancel, late: bool) -> FrameLine:
        bauds = self._shape.bauds[:1] if self._shape.host else self._shape.bauds   # a server has settings of its own
        order = [baud for baud in bauds if baud == self._worked] + [baud for baud in bauds if baud != self._worked]
        way = FrameLine(self._lines(self._shape, self._device.address, order[0]))
        try:
            if late:
                way.settle(cancel)
            self._worked = self._probe(way, order, cancel)
        except BaseException:
            way.close()
            raise
        return way

    def _probe(self, way: FrameLine, order: Sequence[int], cancel: Cancel) -> int:
        """The first speed at which the module answers, whatever it says of its state."""
        for place, baud in enumerate(order):
            if place:
                way.speed(baud)
            try:
                if not parse_answer(way.exchange(build(STATUS), PROBE_S, cancel)).data:
                    return baud
            except (BrokenFrame, TimedOut) as silence:
                LOG.debug("%s at %s: %s", self._device.address, baud, silence)
        raise NoSam(f"no module answers on {self._device.address}", reader=self._device.name)


def _places(profile: Profile, ports: Sequence[Port], driver: str, emulated: bool) -> list[Device]:
    """Devices that ``profile`` names and that are here. A server's device is always named: whether it answers shows when it is opened."""
    shape = profile.line
    if shape is None:
        return []
    if shape.host:
        return [Device(driver, profile.name, f"{shape.host}:{shape.tcp_port}", "", emulated)]
    if shape.port:
        listed = any(port.name == shape.port for port in ports)
        here = listed or (sys.platform != "win32" and os.path.exists(shape.port))
        return [Device(driver, profile.name, shape.port, "", emulated)] if here else []
    return [Device(driver, profile.name, port.name, port.serial, emulated) for port in ports
            if port.usb == shape.usb and shape.usb_serial in ("", port.serial)]
