"""The log level below DEBUG for what goes over the wire to a device, with personal bytes masked. Never logs contents of a card."""

from __future__ import annotations

import logging
from typing import Final

__all__ = ["TRAFFIC", "masked_answer", "masked_command", "name_level", "trace"]

TRAFFIC: Final = 5
_PREAMBLE: Final = bytes.fromhex("AAAAAA9669")
_SAM_NUMBER_DATA: Final = 16
_OPEN_ANSWERS: Final = frozenset((b"\x10\xff", b"\x11\xff", b"\x12\xff"))
"""Commands whose answers speak of the reader alone: reset, state, number of the module."""


def name_level() -> None:
    """Gives the level its name in log lines; for the program that sets up logging."""
    logging.addLevelName(TRAFFIC, "TRAFFIC")


def masked_command(frame: bytes) -> str:
    """A frame to the module: head and command; data (there is none today) by length only."""
    return _masked(frame, head=9, open_data=False)


def masked_answer(frame: bytes, command: bytes = b"") -> str:
    """A frame of the module: head and status; data by length only, unless ``command`` (two bytes) asked for the module's own number or state."""
    return _masked(frame, head=10, open_data=command in _OPEN_ANSWERS and len(frame) <= 11 + _SAM_NUMBER_DATA)


def trace(log: logging.Logger, reader: str, sent: bytes, received: bytes | None, seconds: float) -> None:
    """One exchange in the log at level TRAFFIC. ``received`` None: it failed."""
    if not log.isEnabledFor(TRAFFIC):
        return
    command = sent[7:9] if sent.startswith(_PREAMBLE) else b""
    answer = "-" if received is None else masked_answer(received, command)
    log.log(TRAFFIC, "%s > %s < %s (%.1f ms)", reader, masked_command(sent), answer, seconds * 1000)


def _masked(frame: bytes, head: int, open_data: bool) -> str:
    if not frame.startswith(_PREAMBLE):
        return f"<{len(frame)} bytes, no frame>"
    shown, rest = frame[:head].hex(), frame[head:-1]
    if not rest:
        return shown
    return f"{shown} {rest.hex()}" if open_data else f"{shown} <{len(rest)} bytes>"
