"""Reader profiles: how a reader is known and how it carries frames of its security module. Data only; the product ships no profile.

Profiles come from the administrator's signed device list (``resources/province/FORMATS.md`` 8.1); how to write one stands in PROFILES.md of this folder.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, cast

from devices.cards.apdu import CHAIN_BIT, TunnelShape
from devices.errors import DeviceListInvalid

__all__ = ["BAUDS", "ControlShape", "LibraryShape", "LineShape", "Mode", "PhotoShape", "Profile", "profile_for"]

Mode = Literal["apdu", "control", "serial", "tcp", "sdt", "cvr", "social"]
_MODES: Final[tuple[Mode, ...]] = ("apdu", "control", "serial", "tcp", "sdt", "cvr", "social")
_PART: Final[dict[Mode, str]] = {"apdu": "apdu", "control": "control", "serial": "serial", "tcp": "tcp", "sdt": "vendor", "cvr": "vendor"}
"""The member that says how a mode works; a social card's reader needs none."""
BAUDS: Final = (115200, 57600, 38400, 19200, 9600)
"""Speeds that a module knows (its command 60 00 to 60 04), the usual one first."""

_MEMBERS: Final = frozenset(("name", "mode", "share", "exchange_seconds", "management", "photo"))
_SERIAL_MATCH: Final = frozenset(("port", "usb", "usb_serial"))
_PCSC_MATCH: Final = frozenset(("reader", "atr", "atr_mask"))
_APDU_MEMBERS: Final = frozenset(("cla", "ins", "p1", "p2", "transfer", "lengths", "preamble", "chunk", "get_response"))
_CONTROL_MEMBERS: Final = frozenset(("code_linux", "code_windows", "prefix", "reply_prefix", "preamble"))
_VENDOR_MEMBERS: Final = frozenset(("library", "sha256", "port"))
_PHOTO_MEMBERS: Final = frozenset(("library", "sha256", "entry", "argument", "pixels", "rows"))
_USB: Final = re.compile(r"([0-9A-F]{4}):([0-9A-F]{4})", re.ASCII | re.IGNORECASE)
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ControlShape:
    """Frames by SCardControl: the control code per system (0 where it has none), bytes in front of each frame and of each answer."""

    code_linux: int
    code_windows: int
    prefix: bytes = b""
    reply_prefix: bytes = b""
    preamble: bool = True


@dataclass(frozen=True, slots=True)
class LineShape:
    """Frames over a line. Serial: the port's own name, or vendor and product of a USB adapter (with its serial number); the speeds to try. TCP: the host."""

    port: str = ""
    usb: tuple[int, int] | None = None
    usb_serial: str = ""
    bauds: tuple[int, ...] = BAUDS
    host: str = ""
    tcp_port: int = 0


@dataclass(frozen=True, slots=True)
class LibraryShape:
    """A vendor's reader library: its path, the digest that it must have (empty: any), the port number that it wants (1 to 16 COM, 1001 to 1016 USB)."""

    path: str
    sha256: str
    port: int


@dataclass(frozen=True, slots=True)
class PhotoShape:
    """A vendor's photo library with an entry ``int entry(char *wlt, char *pixels, int argument)``, and how its pixels lie."""

    path: str
    sha256: str
    entry: str
    argument: int
    pixels: Literal["rgb", "bgr"] = "rgb"
    rows: Literal["down", "up"] = "up"


@dataclass(frozen=True, slots=True)
class Profile:
    """One kind of reader. ``reader`` is searched in a PC/SC reader's name, ``atr`` under ``atr_mask`` compared with the card's; one of them at least.

    Readers on a line and readers behind a vendor's library are known by ``line`` and ``library``.
    """

    name: str
    mode: Mode
    reader: re.Pattern[str] | None = None
    atr: bytes = b""
    atr_mask: bytes = b""
    apdu: TunnelShape | None = None
    control: ControlShape | None = None
    line: LineShape | None = None
    library: LibraryShape | None = None
    photo: PhotoShape | None = None
    share: Literal["shared", "direct"] = "shared"
    exchange_seconds: float = field(default=5.0)
    management: bool = False

    def fits(self, reader_name: str, atr: bytes = b"") -> bool:
        """Whether this profile is for the reader: by its name, or, where the profile has no name, by the card that lies there."""
        if self.reader is not None:
            return self.reader.search(reader_name) is not None
        return bool(atr and self.atr) and self.knows(atr)

    def knows(self, atr: bytes) -> bool:
        """Whether a card with this answer to reset can be an identity card here; True where the profile does not say."""
        if not self.atr:
            return True
        return len(atr) == len(self.atr) and all((seen ^ wanted) & mask == 0 for seen, wanted, mask in zip(atr, self.atr, self.atr_mask, strict=True))

    @staticmethod
    def from_json(untrusted: object) -> Profile:
        """The profile in parsed JSON. Raises DeviceListInvalid for unknown, missing or impossible members."""
        name = "?"
        try:
            members = _object(untrusted, "profile", None)
            name = _text(members, "name")
            return _profile(name, members)
        except (KeyError, ValueError, TypeError, re.error) as wrong:
            why = f"{wrong.args[0]} is missing" if isinstance(wrong, KeyError) else str(wrong)
            raise DeviceListInvalid(f"profile {name!r}: {why}", entry=name, why=why) from wrong


def profile_for(profiles: Iterable[Profile], reader_name: str, atr: bytes = b"") -> Profile | None:
    """The first profile of the list that fits the reader."""
    return next((profile for profile in profiles if profile.fits(reader_name, atr)), None)


# -- reading the data ------------------------------------------------------------------------------------------------------------------
def _profile(name: str, members: Mapping[str, Any]) -> Profile:
    mode = _mode(members)
    part = _PART.get(mode, "")
    matched = mode not in ("tcp", "sdt", "cvr")   # those are found by the part that says how they work
    _object(members, "profile", _MEMBERS | {part} | ({"match"} if matched else set[str]()))
    seconds = _whole(members, "exchange_seconds", 1, 30, 5)
    share = _one_of(members, "share", ("shared", "direct")) if "share" in members else "shared"
    reader, atr, mask = _pcsc_match(members) if mode in ("apdu", "control", "social") else (None, b"", b"")
    return Profile(
        name=name, mode=mode, reader=reader, atr=atr, atr_mask=mask,
        apdu=_apdu(members[part]) if mode == "apdu" else None, control=_control(members[part]) if mode == "control" else None,
        line=_line(mode, members) if mode in ("serial", "tcp") else None, library=_library(members[part]) if part == "vendor" else None,
        photo=_photo(members["photo"]) if "photo" in members else None,
        share="direct" if share == "direct" else "shared", exchange_seconds=float(seconds), management=_flag(members, "management", False),
    )


def _mode(members: Mapping[str, Any]) -> Mode:
    written = members["mode"]
    for mode in _MODES:
        if written == mode:
            return mode
    raise ValueError(f"mode must be one of {', '.join(_MODES)}")


def _pcsc_match(members: Mapping[str, Any]) -> tuple[re.Pattern[str] | None, bytes, bytes]:
    match = _object(members["match"], "match", _PCSC_MATCH)
    reader = re.compile(_text(match, "reader")) if "reader" in match else None
    atr = _hex(match, "atr") if "atr" in match else b""
    mask = _hex(match, "atr_mask") if "atr_mask" in match else b"\xff" * len(atr)
    if reader is None and not atr:
        raise ValueError("match needs reader or atr")
    if len(mask) != len(atr):
        raise ValueError("atr_mask must be as long as atr")
    return reader, atr, mask


def _line(mode: Mode, members: Mapping[str, Any]) -> LineShape:
    if mode == "tcp":
        shape = _object(members["tcp"], "tcp", frozenset(("host", "port")))
        return LineShape(host=_text(shape, "host"), tcp_port=_whole(shape, "port", 1, 65_535))
    match = _object(members["match"], "match", _SERIAL_MATCH)
    if ("port" in match) == ("usb" in match):
        raise ValueError("match needs port or usb, one of them")
    usb = _USB.fullmatch(_text(match, "usb")) if "usb" in match else None
    if "usb" in match and usb is None:
        raise ValueError("usb must be vendor and product, 10C4:EA60")
    shape = _object(members.get("serial", {}), "serial", frozenset(("bauds",)))
    bauds = shape.get("bauds", list(BAUDS))
    if not isinstance(bauds, list) or not bauds or any(isinstance(baud, bool) or baud not in BAUDS for baud in cast("list[object]", bauds)):
        raise ValueError(f"bauds must be a list of {', '.join(map(str, BAUDS))}")
    return LineShape(
        port=_text(match, "port") if "port" in match else "", usb=(int(usb[1], 16), int(usb[2], 16)) if usb else None,
        usb_serial=_text(match, "usb_serial") if "usb_serial" in match else "", bauds=tuple(cast("list[int]", bauds)),
    )


def _library(untrusted: object) -> LibraryShape:
    shape = _object(untrusted, "vendor", _VENDOR_MEMBERS)
    return LibraryShape(_text(shape, "library"), _digest(shape), _whole(shape, "port", 1, 1016, 1001))


def _photo(untrusted: object) -> PhotoShape:
    shape = _object(untrusted, "photo", _PHOTO_MEMBERS)
    pixels = _one_of(shape, "pixels", ("rgb", "bgr")) if "pixels" in shape else "rgb"
    rows = _one_of(shape, "rows", ("up", "down")) if "rows" in shape else "up"
    return PhotoShape(
        _text(shape, "library"), _digest(shape), _text(shape, "entry"), _whole(shape, "argument", 0, 0x7FFFFFFF),
        "bgr" if pixels == "bgr" else "rgb", "down" if rows == "down" else "up",
    )


def _apdu(untrusted: object) -> TunnelShape:
    shape = _object(untrusted, "apdu", _APDU_MEMBERS)
    chunk = _whole(shape, "chunk", 1, 255, 240)
    fetch = _hex(shape, "get_response") if "get_response" in shape else b"\x00\xc0"
    if len(fetch) != 2:
        raise ValueError("get_response is class and instruction, two bytes")
    cla, chained = _byte(shape, "cla"), _one_of(shape, "transfer", ("whole", "chained")) == "chained"
    if chained and cla & CHAIN_BIT:
        raise ValueError("the class of a chained transfer must leave bit 10 free")
    return TunnelShape(
        cla=cla, ins=_byte(shape, "ins"), p1=_byte(shape, "p1"), p2=_byte(shape, "p2"), chunk=chunk, get_response=(fetch[0], fetch[1]),
        chained=chained, extended=_one_of(shape, "lengths", ("short", "extended")) == "extended",
        preamble=_flag(shape, "preamble"),
    )


def _control(untrusted: object) -> ControlShape:
    shape = _object(untrusted, "control", _CONTROL_MEMBERS)
    codes = [_whole(shape, member, 0, 0xFFFFFFFF, 0) for member in ("code_linux", "code_windows")]
    if not any(codes):
        raise ValueError("control needs a code")
    prefix, reply_prefix = (_hex(shape, member) if member in shape else b"" for member in ("prefix", "reply_prefix"))
    return ControlShape(codes[0], codes[1], prefix, reply_prefix, _flag(shape, "preamble"))


def _object(untrusted: object, what: str, known: frozenset[str] | None) -> Mapping[str, Any]:
    if not isinstance(untrusted, Mapping):
        raise TypeError(f"{what} is not an object")
    members = cast("Mapping[str, Any]", untrusted)
    unknown = sorted(str(member) for member in members if known is not None and member not in known)
    if unknown:
        raise ValueError(f"{what} has unknown members: {', '.join(unknown)}")
    return members


def _text(members: Mapping[str, Any], member: str) -> str:
    value = members[member]
    if not isinstance(value, str) or not 0 < len(value) <= 200:
        raise ValueError(f"{member} must be a text of 1 to 200 characters")
    return value


def _hex(members: Mapping[str, Any], member: str) -> bytes:
    try:
        return bytes.fromhex(_text(members, member))
    except ValueError as wrong:
        raise ValueError(f"{member} must be hexadecimal") from wrong


def _byte(members: Mapping[str, Any], member: str) -> int:
    value = _hex(members, member)
    if len(value) != 1:
        raise ValueError(f"{member} must be one byte")
    return value[0]


def _one_of(members: Mapping[str, Any], member: str, choices: tuple[str, ...]) -> str:
    value = members[member]
    if value not in choices:
        raise ValueError(f"{member} must be one of {', '.join(choices)}")
    return str(value)


def _digest(members: Mapping[str, Any]) -> str:
    """``sha256:`` and 64 digits, or nothing where any library of that path will do."""
    written = members.get("sha256", "")
    if written != "" and not (isinstance(written, str) and _DIGEST.fullmatch(written)):
        raise ValueError("sha256 must be sha256: and 64 hexadecimal digits")
    return str(written)


def _whole(members: Mapping[str, Any], member: str, least: int, most: int, default: int | None = None) -> int:
    value = members[member] if default is None else members.get(member, default)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError(f"{member} must be {least} to {most}")
    return value


def _flag(members: Mapping[str, Any], member: str, default: bool = True) -> bool:
    value = members.get(member, default)
    if not isinstance(value, bool):
        raise ValueError(f"{member} must be true or false")
    return value
