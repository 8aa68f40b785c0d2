"""The administrator's signed list of what hardware this station may use (FORMATS 8.1). Never opens a device, never trusts an unsigned list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from sync.canon import parse_canonical
from sync.errors import FormatTrouble, SyncTrouble
from sync.signing import check_signature
from sync.station import Station

__all__ = ["CameraEntry", "DeviceList", "DeviceListRefused", "TokenEntry", "load_device_list"]


class DeviceListRefused(SyncTrouble):
    """The list of devices is missing, altered, not signed by an administrator, or for another station. Facts: why."""

    code = "station.device_list"


@dataclass(frozen=True, slots=True)
class TokenEntry:
    """A token library: ``kind`` pkcs11 or skf."""

    kind: str
    library: str
    name: str
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class CameraEntry:
    """A camera: ``source`` a device index or a path, ``use`` portrait, document or code."""

    name: str
    source: str
    use: str


@dataclass(frozen=True, slots=True)
class DeviceList:
    """What this station may use. ``profiles`` and ``models`` are as written in the list; their rooms check them."""

    emulated: bool
    profiles: tuple[Mapping[str, Any], ...] = ()
    tokens: tuple[TokenEntry, ...] = ()
    cameras: tuple[CameraEntry, ...] = ()
    models: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: cast("dict[str, Mapping[str, str]]", {}))
    signed_by: str = ""

    def camera_sources(self, use: str) -> tuple[CameraEntry, ...]:
        return tuple(one for one in self.cameras if one.use == use)


def load_device_list(folder: Path, station: Station) -> DeviceList:
    """``devices.json`` with ``devices.p7s`` of the data folder, checked. Raises DeviceListRefused (fact ``why``: missing, signature, role, station, kind, form).

    A practice station takes emulated devices only, a real one refuses them: no real person in a practice, no emulated read in earnest.
    """
    try:
        exact, untrusted_signature = (folder / "devices.json").read_bytes(), (folder / "devices.p7s").read_bytes()
    except FileNotFoundError as error:
        raise DeviceListRefused("no device list", why="missing") from error
    report = check_signature(exact, untrusted_signature, station.signer_roots)
    if not (report.valid and report.trusted):
        raise DeviceListRefused(f"signature: {report.why}", why="signature")
    person = station.person(report.signer_id)
    if person is None or "administrator" not in person.roles:
        raise DeviceListRefused("the signer is not an administrator", why="role")
    try:
        members = parse_canonical(exact, "devices")
        if members["type"] != "hall-intake/devices/1":
            raise DeviceListRefused("type", why="form")
        if members["station_id"] != station.station_id:
            raise DeviceListRefused("for another station", why="station")
        if members["practice"] is not station.practice or members["emulated"] is not station.practice:
            raise DeviceListRefused("practice and earnest do not mix", why="kind")
        return DeviceList(
            members["emulated"], tuple(cast("Sequence[Mapping[str, Any]]", members["profiles"])),
            tuple(TokenEntry(t["kind"], t["library"], t["name"], t.get("sha256", "")) for t in members["tokens"]),
            tuple(CameraEntry(c["name"], c["source"], c["use"]) for c in members["cameras"]), members["models"], report.signer_id)
    except (FormatTrouble, KeyError, TypeError) as error:
        raise DeviceListRefused(f"form: {type(error).__name__}", why="form") from error
