"""The administrator's signed list of what hardware this station may use (FORMATS 8.1). Never opens a device, never trusts an unsigned list."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sync.canon import parse_canonical
from sync.errors import FormatTrouble, SyncTrouble
from sync.signing import check_signature
from sync.station import Station

__all__ = ["DeviceListRefused", "load_device_list"]

_MEMBERS: dict[str, type] = {
    "type": str, "station_id": str, "practice": bool, "profiles": list, "tokens": list, "cameras": list, "models": dict, "emulated": bool,
}


class DeviceListRefused(SyncTrouble):
    """The list of devices is missing, altered, not signed by an administrator, or for another station. Facts: why."""

    code = "station.device_list"


def load_device_list(folder: Path, station: Station) -> Mapping[str, Any]:
    """The members of ``devices.json``, once ``devices.p7s`` beside it holds. Raises DeviceListRefused (why: missing, signature, role, station, kind, form).

    A practice station takes emulated devices only and a real one refuses them: no real person in a practice, no emulated read in earnest.
    The signature is judged at the time that it claims: a list stays good when its administrator's certificate ends, not when the person loses the role.
    """
    try:
        exact, untrusted_signature = (folder / "devices.json").read_bytes(), (folder / "devices.p7s").read_bytes()
    except OSError as error:
        raise DeviceListRefused("no device list", why="missing") from error
    report = check_signature(exact, untrusted_signature, station.signer_roots, datetime.now(UTC))
    if report.why == "expired" and report.signed_at is not None:
        report = check_signature(exact, untrusted_signature, station.signer_roots, report.signed_at)
    if not report.trusted:
        raise DeviceListRefused(f"signature: {report.why}", why="signature")
    person = station.person(report.signer_id)
    if person is None or "administrator" not in person.roles:
        raise DeviceListRefused("the signer is not an administrator", why="role")
    try:
        members = parse_canonical(exact, "devices")
    except FormatTrouble as error:
        raise DeviceListRefused("not canonical", why="form") from error
    fits = set(members) == set(_MEMBERS) and all(isinstance(members[name], kind) for name, kind in _MEMBERS.items())
    if not fits or members["type"] != "hall-intake/devices/1":
        raise DeviceListRefused("members", why="form")
    if members["station_id"] != station.station_id:
        raise DeviceListRefused("for another station", why="station")
    if members["practice"] is not station.practice or members["emulated"] is not station.practice:
        raise DeviceListRefused("practice and earnest do not mix", why="kind")
    return members
