"""Results of the smart-card service by number, and the named trouble of each. Never calls the service."""

from __future__ import annotations

from typing import Final

from devices.errors import (
    CardMute,
    CardRemoved,
    DeviceTrouble,
    NoCard,
    NoReader,
    NotPermitted,
    ReaderBusy,
    ReaderGone,
    ReaderTrouble,
    ServiceStopped,
    TimedOut,
)

__all__ = ["CANCELLED", "NO_READERS", "OK", "RESET", "SERVICE_LOST", "TIME_OUT", "TRANSMIT_FAILED", "UNKNOWN_READER", "plain", "trouble_of"]

OK: Final = 0
CANCELLED: Final = 0x80100002
TIME_OUT: Final = 0x8010000A
UNKNOWN_READER: Final = 0x80100009
TRANSMIT_FAILED: Final = 0x80100016
NO_READERS: Final = 0x8010002E
RESET: Final = 0x80100068
SERVICE_LOST: Final = frozenset((0x80100003, 0x80100012, 0x80100013, 0x80100018, 0x8010001D, 0x8010001E))
"""The context is dead for good; only a new one helps (a restarted service, a Windows service that ended with the last reader)."""

_TROUBLES: Final[dict[int, tuple[type[DeviceTrouble], str]]] = {
    **{code: (ServiceStopped, "smart-card service") for code in SERVICE_LOST},
    0x80100009: (ReaderGone, "unknown reader"), 0x80100017: (ReaderGone, "reader unavailable"), 0x8010002E: (NoReader, "no readers available"),
    0x8010000C: (NoCard, "no card"), 0x80100069: (CardRemoved, "card removed"), 0x80100066: (CardMute, "card unresponsive"),
    0x80100067: (CardMute, "card unpowered"),
    0x80100068: (ReaderBusy, "card reset by another program"), 0x8010000B: (ReaderBusy, "sharing violation"), 0x8010000F: (CardMute, "protocol mismatch"),
    0x8010006A: (NotPermitted, "security violation"), 0x80100016: (ReaderTrouble, "transmit failed"), 0x8010000A: (TimedOut, "time-out"),
    0x8010001F: (ReaderTrouble, "control not supported"), 0x80100022: (ReaderTrouble, "control not supported"),
}


def plain(code: int) -> int:
    """The result as the unsigned number that manuals print."""
    return code & 0xFFFFFFFF


def trouble_of(code: int, where: str) -> DeviceTrouble:
    """The named trouble of a result; one that no table knows stays visible in ``facts["status"]``."""
    number = plain(code)
    kind, detail = _TROUBLES.get(number, (ReaderTrouble, "result that no table knows"))
    return kind(f"{where}: {detail} ({number:08X})", status=f"{number:08X}")
