"""Reader profiles: what a reader's name or card looks like and how it carries frames of its security module. Data only; the product ships no profile.

Profiles come from the administrator's signed device list (``resources/province/FORMATS.md`` 8.1); how to write one stands in the README of this folder.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, cast

from devices.cards.apdu import CHAIN_BIT, TunnelShape
from devices.errors import DeviceListInvalid

__all__ = ["ControlShape", "Profile", "profile_for"]

_MEMBERS: Final = frozenset(("name", "match", "mode", "apdu", "control", "share", "exchange_seconds"))
_APDU_MEMBERS: Final = frozenset(("cla", "ins", "p1", "p2", "transfer", "lengths", "preamble", "chunk", "get_response"))
_CONTROL_MEMBERS: Final = frozenset(("code_linux", "code_windows", "prefix", "reply_prefix", "preamble"))


@dataclass(frozen=True, slots=True)
class ControlShape:
    """Frames by SCardControl: the control code per system (0 where it has none), bytes in front of each frame and of each answer."""

    code_linux: int
    code_windows: int
    prefix: bytes = b""
    reply_prefix: bytes = b""
    preamble: bool = True


@dataclass(frozen=True, slots=True)
class Profile:
    """One kind of reader. ``reader`` is searched in the reader's name, ``atr`` under ``atr_mask`` compared with the card's; one of them at least."""

    name: str
    mode: Literal["apdu", "control"]
    reader: re.Pattern[str] | None = None
    atr: bytes = b""
    atr_mask: bytes = b""
    apdu: TunnelShape | None = None
    control: ControlShape | None = None
    share: Literal["shared", "direct"] = "shared"
    exchange_seconds: float = field(default=5.0)

    def fits(self, reader_name: str, atr: bytes = b"") -> bool:
        """Whether this profile is for the reader: by its name, or, where the profile has no name, by the card that lies there."""
        if self.reader is not None:
            return self.reader.search(reader_name) is not None
        return bool(atr) and self.knows(atr)

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
            members = _object(untrusted, "profile", _MEMBERS)
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
    match = _object(members["match"], "match", frozenset(("reader", "atr", "atr_mask")))
    reader = re.compile(_text(match, "reader")) if "reader" in match else None
    atr = _hex(match, "atr") if "atr" in match else b""
    mask = _hex(match, "atr_mask") if "atr_mask" in match else b"\xff" * len(atr)
    if reader is None and not atr:
        raise ValueError("match needs reader or atr")
    if len(mask) != len(atr):
        raise ValueError("atr_mask must be as long as atr")
    mode = _one_of(members, "mode", ("apdu", "control"))
    if mode not in members:
        raise KeyError(mode)
    seconds = members.get("exchange_seconds", 5)
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 1 <= seconds <= 30:
        raise ValueError("exchange_seconds must be 1 to 30")
    share = _one_of(members, "share", ("shared", "direct")) if "share" in members else "shared"
    return Profile(
        name=name, mode="apdu" if mode == "apdu" else "control", reader=reader, atr=atr, atr_mask=mask,
        apdu=_apdu(members["apdu"]) if mode == "apdu" else None, control=_control(members["control"]) if mode == "control" else None,
        share="direct" if share == "direct" else "shared", exchange_seconds=float(seconds),
    )


def _apdu(untrusted: object) -> TunnelShape:
    shape = _object(untrusted, "apdu", _APDU_MEMBERS)
    chunk = shape.get("chunk", 240)
    if isinstance(chunk, bool) or not isinstance(chunk, int) or not 1 <= chunk <= 255:
        raise ValueError("chunk must be 1 to 255")
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
    codes: list[int] = []
    for member in ("code_linux", "code_windows"):
        code = shape.get(member, 0)
        if isinstance(code, bool) or not isinstance(code, int) or not 0 <= code <= 0xFFFFFFFF:
            raise ValueError(f"{member} must be a 32-bit number")
        codes.append(code)
    if not any(codes):
        raise ValueError("control needs a code")
    prefix, reply_prefix = (_hex(shape, member) if member in shape else b"" for member in ("prefix", "reply_prefix"))
    return ControlShape(codes[0], codes[1], prefix, reply_prefix, _flag(shape, "preamble"))


def _object(untrusted: object, what: str, known: frozenset[str]) -> Mapping[str, Any]:
    if not isinstance(untrusted, Mapping):
        raise TypeError(f"{what} is not an object")
    members = cast("Mapping[str, Any]", untrusted)
    unknown = sorted(str(member) for member in members if member not in known)
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


def _flag(members: Mapping[str, Any], member: str) -> bool:
    value = members.get(member, True)
    if not isinstance(value, bool):
        raise ValueError(f"{member} must be true or false")
    return value
