"""Finds token libraries on this machine and tries which of them see a token, for the administrator who writes the device list. Never puts one into use.

Which libraries there are is data (``resources/tokens.toml``); which tokens are plugged the operating system says. A library is tried in a child process.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import sys
import tomllib
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from devices.base import Device
from devices.errors import DeviceTrouble
from devices.tokens.hosted import HostedDriver, Patience
from devices.tokens.pkcs11 import Pkcs11Driver
from devices.tokens.skf import SkfDriver
from resources import find

__all__ = ["Candidate", "Kind", "KnownToken", "Probed", "candidates", "driver_for", "kind_of", "known_tokens", "library_folders", "plugged", "probe"]

Kind = Literal["pkcs11", "skf"]
MARKS: dict[Kind, bytes] = {"skf": b"SKF_EnumDev", "pkcs11": b"C_GetFunctionList"}
"""A name that a library of this kind exports, and so stands in its file."""
LINUX_FOLDERS = ("/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib/loongarch64-linux-gnu")


@dataclass(frozen=True, slots=True)
class KnownToken:
    """One entry of the data: USB ids (``VID:PID``) and the libraries of this system, by kind."""

    name: str
    usb: frozenset[str]
    libraries: tuple[tuple[Kind, str], ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A library that is there and may serve a plugged token. ``path`` is absolute."""

    kind: Kind
    path: str
    name: str


@dataclass(frozen=True, slots=True)
class Probed:
    """What a candidate sees, or why it sees nothing. ``sha256`` is ready for the device list."""

    candidate: Candidate
    sha256: str
    devices: tuple[Device, ...]
    trouble: DeviceTrouble | None = None


def known_tokens(system: str = sys.platform) -> tuple[KnownToken, ...]:
    """The entries of ``resources/tokens.toml`` with the libraries of this system."""
    ending = "windows" if system == "win32" else "linux"
    rows = tomllib.loads(find("tokens.toml").read_text("utf-8"))["token"]
    kinds: tuple[Kind, ...] = ("skf", "pkcs11")
    libraries: list[tuple[tuple[Kind, str], ...]] = [tuple((kind, name) for kind in kinds for name in row.get(f"{kind}_{ending}", ())) for row in rows]
    return tuple(KnownToken(row["name"], frozenset(row["usb"]), of_row) for row, of_row in zip(rows, libraries, strict=True))


def plugged(bus: Path = Path("/sys/bus/usb/devices")) -> frozenset[str] | None:
    """USB ids that are plugged now; None where this system does not say so in files."""
    if not bus.is_dir():
        return None
    found: set[str] = set()
    for one in bus.iterdir():
        try:
            found.add(f"{(one / 'idVendor').read_text().strip()}:{(one / 'idProduct').read_text().strip()}".upper())
        except OSError:
            continue  # an interface, not a device, or gone in this moment
    return frozenset(found)


def library_folders(system: str = sys.platform) -> tuple[Path, ...]:
    """Where libraries of makers lie: system folders and one level of folders below them and below ``/opt``."""
    if system == "win32":
        root = Path(os.environ.get("SYSTEMROOT", "C:\\Windows"))
        return (root / "System32", root / "SysWOW64")
    first = [Path(folder) for folder in LINUX_FOLDERS] + [one / "lib" for one in _below(Path("/opt"))]
    return tuple(folder for top in first for folder in (top, *_below(top)))


def candidates(known: Iterable[KnownToken], usb: frozenset[str] | None, folders: Sequence[Path]) -> tuple[Candidate, ...]:
    """Libraries that are there for tokens that are plugged. Without a list of plugged devices, and for tokens of unknown id, all that are there."""
    found: dict[str, Candidate] = {}
    for token in known:
        if usb is not None and token.usb and not token.usb & usb:
            continue
        for kind, name in token.libraries:
            for path in (folder / name for folder in folders):
                if path.is_file():
                    found.setdefault(str(path.resolve()), Candidate(kind, str(path), token.name))
    return tuple(found.values())


def kind_of(library: str) -> Kind | None:
    """Whether this file is an SKF or a PKCS#11 library, by the names in it; SKF where both are there. None for files that are neither, or cannot be read."""
    try:
        with Path(library).open("rb") as file, closing(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)) as content:
            return next((kind for kind, mark in MARKS.items() if content.find(mark) >= 0), None)
    except (OSError, ValueError):
        return None


def driver_for(kind: Kind, library: str, name: str, *, sha256: str = "", emulated: bool = False, patience: Patience | None = None) -> HostedDriver:
    """The driver of a library of this kind; nothing of it is loaded yet."""
    return (SkfDriver if kind == "skf" else Pkcs11Driver)(library, name, sha256=sha256, emulated=emulated, patience=patience)


def probe(candidate: Candidate, patience: Patience | None = None) -> Probed:
    """Ask one library, in a child process, which tokens it sees. Costs no PIN try."""
    try:
        sha256 = "sha256:" + hashlib.sha256(Path(candidate.path).read_bytes()).hexdigest()
    except OSError:
        sha256 = ""
    with closing(driver_for(candidate.kind, candidate.path, candidate.name, patience=patience)) as driver:
        try:
            return Probed(candidate, sha256, tuple(driver.find()))
        except DeviceTrouble as trouble:
            return Probed(candidate, sha256, (), trouble)


def _below(folder: Path) -> list[Path]:
    try:
        return sorted(one for one in folder.iterdir() if one.is_dir())
    except OSError:
        return []
