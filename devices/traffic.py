"""The log level below DEBUG for what goes over the wire to a device, with personal bytes masked. Never logs contents of a card."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

__all__ = ["TRAFFIC", "masked_answer", "masked_command", "name_level", "trace", "trace_apdu", "trace_to"]

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


def trace_apdu(log: logging.Logger, reader: str, sent: bytes, received: bytes | None) -> None:
    """One APDU at level TRAFFIC: header and status word; everything between by length only. ``received`` None: it failed."""
    if not log.isEnabledFor(TRAFFIC):
        return
    answer = "-" if received is None else f"<{max(0, len(received) - 2)} bytes> {received[-2:].hex()}"
    log.log(TRAFFIC, "%s apdu %s <%d bytes> < %s", reader, sent[:4].hex(), max(0, len(sent) - 4), answer)


@contextmanager
def trace_to(file: Path, head: Sequence[str]) -> Generator[None]:
    """Writes what the reader drivers log, traffic too, into a new ``file`` that only this account can read. Raises FileExistsError, OSError.

    ``head`` stands in front: versions and names, for the helpdesk. Lines of other rooms are left out.
    """
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        out.writelines(line + "\n" for line in head)
        handler = logging.StreamHandler(out)
        form = logging.Formatter("%(asctime)s.%(msecs)03dZ %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S")
        form.converter = time.gmtime
        handler.setFormatter(form)
        log = logging.getLogger("devices.cards")
        before = log.level
        name_level()
        log.addHandler(handler)
        log.setLevel(TRAFFIC)
        try:
            yield
        finally:
            log.setLevel(before)
            log.removeHandler(handler)


def _masked(frame: bytes, head: int, open_data: bool) -> str:
    if not frame.startswith(_PREAMBLE):
        return f"<{len(frame)} bytes, no frame>"
    shown, rest = frame[:head].hex(), frame[head:-1]
    if not rest:
        return shown
    return f"{shown} {rest.hex()}" if open_data else f"{shown} <{len(rest)} bytes>"
