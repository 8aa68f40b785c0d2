"""Identity-card readers behind a vendor's library (``SDT_*``, ``CVR_*``), each in a child process of its own. Never loads a library into this process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime

from devices.base import Cancel, Device
from devices.cards.contract import Sighting
from devices.cards.module import ModuleConnection, ModuleReader, ModuleSight, find_reader
from devices.cards.photo import Photos
from devices.cards.profiles import LibraryShape, Profile
from devices.errors import BrokenFrame, DeviceTrouble
from devices.host import Host

__all__ = ["VendorDriver"]

OPEN_S, CLOSE_S = 5.0, 2.0
_OBJECTS = {"sdt": "devices.cards.vendor_sdk:SdtLibrary", "cvr": "devices.cards.vendor_sdk:CvrLibrary"}


class VendorDriver:
    """Finds, watches and opens the readers of profiles of modes ``sdt`` and ``cvr``. ``close`` ends the child processes."""

    name = "vendor"

    def __init__(self, profiles: Sequence[Profile], emulated: bool = False, now: Callable[[], datetime] | None = None, photos: Photos | None = None) -> None:
        self._photos = photos or Photos()
        self._hosts: list[Host] = []
        self._readers = [self._reader(profile, profile.library, emulated, now) for profile in profiles if profile.library is not None]

    def find(self) -> Sequence[Device]:
        """Readers that their library can open now. Raises DriverMissing, DriverCrashed, DriverHung where no library has a reader and one failed."""
        found: list[Device] = []
        troubles: list[DeviceTrouble] = []
        for reader in self._readers:
            try:
                reader.begin_turn()
            except DeviceTrouble as trouble:
                troubles.append(trouble)
            else:
                reader.end_turn()
                found.append(reader.device)
        broken = [trouble for trouble in troubles if trouble.code.startswith("driver.")]
        if broken and not found:
            raise broken[0]
        return tuple(found)

    def look(self) -> tuple[Sighting, ...]:
        """All named readers as they stand; one that its library cannot open is listed without a card."""
        seen = tuple(reader.look(Cancel()) or Sighting(reader.device, reader.profile.name) for reader in self._readers)
        for reader in self._readers:
            reader.rest()
        return seen

    def sight(self) -> ModuleSight:
        return ModuleSight(lambda: self._readers)

    def open(self, device: Device) -> ModuleConnection:
        """Raises ReaderGone, NoReader, ReaderBusy, DriverMissing, DriverCrashed, DriverHung."""
        return ModuleConnection(find_reader(self._readers, device))

    def close(self) -> None:
        """Ends the child processes; those that hang are ended by force."""
        for host in self._hosts:
            host.close()
        self._photos.close()

    def _reader(self, profile: Profile, shape: LibraryShape, emulated: bool, now: Callable[[], datetime] | None) -> ModuleReader:
        host = Host(_OBJECTS[profile.mode], shape.path, shape.sha256, shape.port)
        self._hosts.append(host)
        device = Device(self.name, profile.name, f"{profile.name}:{shape.port}", "", emulated)
        return ModuleReader(device, profile, lambda cancel, late: _HostWay(host, cancel), self._photos.decoder(profile.photo), now)


class _HostWay:
    """The way to a module through the library in ``host``. A call that hangs costs the child; the next one starts another."""

    def __init__(self, host: Host, cancel: Cancel) -> None:
        self._host = host
        host.call("open", seconds=OPEN_S, cancel=cancel)

    def exchange(self, frame: bytes, seconds: float, cancel: Cancel) -> bytes:
        untrusted = self._host.call("exchange", frame, seconds=seconds, cancel=cancel)
        if not isinstance(untrusted, bytes):
            raise BrokenFrame("the library's child gave no frame")
        return untrusted

    def close(self) -> None:
        """Lets the port go, so that another program may have it. A child that has ended has let it go already."""
        if self._host.pid is not None:
            with suppress(DeviceTrouble):
                self._host.call("close", seconds=CLOSE_S)
