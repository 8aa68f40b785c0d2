"""What a person is told of the way to the province: what waits and why, and one short code for the help desk. Pure: asks no store, no clock, no network."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

__all__ = ["CodeRead", "SyncFacts", "Waits", "phase", "read_support_code", "support_code"]


@dataclass(frozen=True, slots=True)
class Waits:
    """Records of this machine that wait for one reason. ``why``: a trouble's code, or empty where they are simply next; ``bytes`` of their packets."""

    state: str
    why: str
    count: int
    bytes: int
    next_try_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SyncFacts:
    """What the code says. ``online`` None: not known yet; seconds are None where nothing is known; ``clock_off_s``: province minus station."""

    online: bool | None
    error_code: str
    waiting: int
    set_aside: int
    since_success_s: float | None
    clock_off_s: float | None
    version: str


@dataclass(frozen=True, slots=True)
class CodeRead:
    """A support code read back. ``error_codes``: the known codes that it may mean (nearly always one); ``at_least`` bounds are the lower ones of a step."""

    online: bool | None
    error_codes: tuple[str, ...]
    waiting_at_least: int
    set_aside_at_least: int
    since_success_at_least_s: float | None
    clock_off_at_least_s: float | None
    version: str


def phase(online: bool | None, moving: str, asking: bool, error_code: str) -> str:
    """One word for the band: ``sending`` ``asking`` ``unknown`` ``refused`` ``offline`` ``idle``."""
    if moving:
        return "sending"
    if asking:
        return "asking"
    if online is None:
        return "unknown"
    if not online:
        return "refused" if error_code.startswith("province.station") else "offline"
    return "idle"


# -- the code -----------------------------------------------------------------------------------------------------------------------------
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's 32: no I, L, O, U, so that it can be read out on the telephone."""
_COUNTS = (0, 1, 2, 3, 5, 10, 20, 30, 50, 100, 200, 300, 500, 1000, 3000, 10_000)
_SECONDS = (0, 60, 300, 900, 3600, 3 * 3600, 8 * 3600, 86_400, 2 * 86_400, 3 * 86_400, 7 * 86_400, 14 * 86_400, 30 * 86_400, 90 * 86_400, 365 * 86_400)
_OFFS = (0, 5, 60, 300, 3600, 86_400, 30 * 86_400)
_WIDTHS = (12, 2, 4, 4, 4, 3, 3, 4, 4, 10)
"""Bits: error, online, waiting, set aside, since success, clock (size), version (major, minor, patch), check. Fifty bits are ten letters."""


def support_code(facts: SyncFacts) -> str:
    """Ten letters and digits, in two groups, without anything personal: ``XXXXX-XXXXX``."""
    major, minor, patch = _version(facts.version)
    values = (
        _mark(facts.error_code), {None: 0, False: 1, True: 2}[facts.online], _step(_COUNTS, facts.waiting), _step(_COUNTS, facts.set_aside),
        15 if facts.since_success_s is None else _step(_SECONDS, facts.since_success_s),
        7 if facts.clock_off_s is None else _step(_OFFS, abs(facts.clock_off_s)), major, minor, patch,
    )
    packed = 0
    for value, width in zip(values, _WIDTHS, strict=False):
        packed = packed << width | value
    packed = packed << _WIDTHS[-1] | _check(packed)
    letters = "".join(_LETTERS[packed >> place & 31] for place in range(45, -1, -5))
    return f"{letters[:5]}-{letters[5:]}"


def read_support_code(typed: str, known_codes: Collection[str]) -> CodeRead | None:
    """What a code says, or None where it was misheard. ``known_codes``: all codes of troubles (``desktop.messages.codes``)."""
    plain = typed.upper().replace("-", "").replace(" ", "").replace("O", "0").replace("I", "1").replace("L", "1")
    if len(plain) != 10 or any(letter not in _LETTERS for letter in plain):
        return None
    packed = 0
    for letter in plain:
        packed = packed << 5 | _LETTERS.index(letter)
    if packed & 1023 != _check(packed >> 10):
        return None
    values: list[int] = []
    for width in reversed(_WIDTHS):
        values.insert(0, packed & (1 << width) - 1)
        packed >>= width
    error, online, waiting, aside, since, off, major, minor, patch, _ = values
    return CodeRead(
        {0: None, 1: False, 2: True}.get(online), tuple(sorted(code for code in known_codes if _mark(code) == error)) if error else (), _COUNTS[waiting],
        _COUNTS[aside], None if since == 15 else float(_SECONDS[since]), None if off == 7 else float(_OFFS[off]), f"{major}.{minor}.{patch}",
    )


def _mark(code: str) -> int:
    return zlib.crc32(code.encode()) % 4095 + 1 if code else 0


def _step(steps: Sequence[int], value: float) -> int:
    return max(place for place, least in enumerate(steps) if least <= max(value, 0))


def _check(packed: int) -> int:
    return zlib.crc32(packed.to_bytes(8, "big")) & 1023


def _version(text: str) -> tuple[int, int, int]:
    parts = [int(part) if part.isdigit() else 0 for part in (text.split("+")[0] + ".0.0").split(".")[:3]]
    return min(parts[0], 7), min(parts[1], 15), min(parts[2], 15)
