"""The product's drivers, one line each, fed from the administrator's device list. Never checks that list's signature: whoever hands it over has done so.

Imports stand inside the lines, so that a library that cannot be loaded costs its own driver only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from devices.base import Driver
from devices.errors import DeviceListInvalid
from devices.registry import Listed, Registry

if TYPE_CHECKING:
    from devices.cards.profiles import Profile

__all__ = ["installed", "listed"]


def installed(device_list: Mapping[str, object]) -> Registry:
    """The registry of a station. ``device_list`` is the verified body of ``devices.json`` (FORMATS 8.1); an empty one gives drivers that find nothing."""
    return Registry(listed(device_list))


def listed(device_list: Mapping[str, object]) -> tuple[Listed, ...]:
    """The lines. Every kind of driver has at least one, so that a station without an entry still says what is missing.

    Serial readers, vendors' libraries and slots for social security cards have a line where a profile names one.
    """
    return (
        Listed("cards", "pcsc", lambda: _pcsc(device_list)),
        *(Listed("cards", name, lambda load=load: load(device_list)) for name, modes, load in _MORE_READERS if _modes(device_list) & modes),
        *((Listed("hints", "social", lambda: _social(device_list)),) if _modes(device_list) & _SOCIAL else ()),
        Listed("cameras", "opencv", lambda: _opencv(device_list)),
        *(Listed("tokens", name, lambda token=token: _token(token, device_list)) for name, token in _tokens(device_list)),
    )


def _pcsc(device_list: Mapping[str, object]) -> Driver:
    from devices.cards.pcsc import PcscDriver

    return PcscDriver(_profiles(device_list, frozenset(("serial", "tcp", "sdt", "cvr")), False), emulated=device_list.get("emulated") is True)


def _serial(device_list: Mapping[str, object]) -> Driver:
    from devices.cards.serial import SerialDriver

    return SerialDriver(_profiles(device_list, _SERIAL, True), emulated=device_list.get("emulated") is True)


def _vendor(device_list: Mapping[str, object]) -> Driver:
    from devices.cards.vendor import VendorDriver

    return VendorDriver(_profiles(device_list, _VENDOR, True), emulated=device_list.get("emulated") is True)


def _social(device_list: Mapping[str, object]) -> Driver:
    from devices.cards.hints import HintReaders

    return HintReaders(_profiles(device_list, _SOCIAL, True), emulated=device_list.get("emulated") is True)


_SERIAL, _VENDOR, _SOCIAL = frozenset(("serial", "tcp")), frozenset(("sdt", "cvr")), frozenset(("social",))
_MORE_READERS = (("serial", _SERIAL, _serial), ("vendor", _VENDOR, _vendor))


def _profiles(device_list: Mapping[str, object], modes: frozenset[str], among: bool) -> list[Profile]:
    """The profiles whose mode is among ``modes``, or is not: a profile without a readable mode is the PC/SC driver's to complain of."""
    from devices.cards.profiles import Profile

    return [Profile.from_json(entry) for entry in _entries(device_list, "profiles") if (str(entry.get("mode")) in modes) is among]


def _modes(device_list: Mapping[str, object]) -> set[str]:
    """Modes that profiles name; of a list that is none, nothing (its driver says what is wrong with it)."""
    try:
        return {str(entry.get("mode")) for entry in _entries(device_list, "profiles")}
    except DeviceListInvalid:
        return set()


def _opencv(device_list: Mapping[str, object]) -> Driver:
    from devices.cameras.opencv import CameraSource, OpencvDriver

    sources: list[CameraSource] = []
    for entry in _entries(device_list, "cameras"):
        try:
            sources.append(CameraSource.from_json(entry))
        except ValueError as wrong:
            raise DeviceListInvalid(f"camera: {wrong}", entry=str(entry.get("name", "cameras")), why=str(wrong)) from wrong
    return OpencvDriver(sources)


def _tokens(device_list: Mapping[str, object]) -> list[tuple[str, Mapping[str, Any]]]:
    """Name and entry of each token library; a member of the wrong shape becomes one line that fails with its reason."""
    try:
        entries = _entries(device_list, "tokens")
    except DeviceListInvalid:
        return [("tokens", {})]
    return [(str(entry.get("name", "tokens")), entry) for entry in entries]


def _token(entry: Mapping[str, Any], device_list: Mapping[str, object]) -> Driver:
    from devices.tokens.known import driver_for

    kind, library, name, sha256 = (entry.get(member) for member in ("kind", "library", "name", "sha256"))
    if not (isinstance(library, str) and library and isinstance(name, str) and name and isinstance(sha256, str)):
        raise DeviceListInvalid("token without library, name or sha256", entry=str(name or "tokens"), why="library, name and sha256 are texts")
    if kind not in ("pkcs11", "skf"):
        raise DeviceListInvalid(f"token of kind {kind!r}", entry=name, why="this version knows pkcs11 and skf")
    return driver_for(kind, library, name, sha256=sha256, emulated=device_list.get("emulated") is True)


def _entries(device_list: Mapping[str, object], member: str) -> list[Mapping[str, Any]]:
    found = device_list.get(member, [])
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in cast("list[object]", found)):
        raise DeviceListInvalid(f"{member} is no list of objects", entry=member, why="must be a list of objects")
    return cast("list[Mapping[str, Any]]", found)
