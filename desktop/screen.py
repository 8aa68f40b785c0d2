"""Whether a window can be opened at all, asked before Qt is loaded: Qt ends the process where it cannot. Never opens a window and knows no Qt."""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from desktop.errors import NoScreen

__all__ = ["screen_trouble"]

FIRST_PORT = 6000
"""Of X servers that are reached by the network (X(7), DISPLAY NAMES)."""
WAIT_S = 3.0


def screen_trouble(environment: Mapping[str, str], system: str) -> NoScreen | None:
    """Why no window can be opened here, or None. Only Linux can lack a screen; a platform that somebody chose (QT_QPA_PLATFORM) is taken at its word."""
    if not system.startswith("linux") or environment.get("QT_QPA_PLATFORM"):
        return None
    wayland, display = environment.get("WAYLAND_DISPLAY", ""), environment.get("DISPLAY", "")
    if wayland and _answers(str(Path(environment.get("XDG_RUNTIME_DIR", "/nowhere")) / wayland)):
        return None
    if display and _x_answers(display):
        return None
    return NoScreen("no screen answers", named=display or wayland)


def _x_answers(display: str) -> bool:
    """``[host]:number[.screen]``; without a host a socket in the file system or, on Linux, an abstract one."""
    named = re.fullmatch(r"(?:(?P<host>[^:/]*):)(?P<number>\d+)(?:\.\d+)?", display)
    if named is None:
        return True  # a form of name that we do not know: Qt may
    host, number = named["host"], int(named["number"])
    if host and host != "unix":
        with suppress(OSError), socket.create_connection((host, FIRST_PORT + number), WAIT_S):
            return True
        return False
    path = f"/tmp/.X11-unix/X{number}"
    return _answers(path) or _answers(f"\0{path}")


def _answers(path: str) -> bool:
    with suppress(OSError), socket.socket(socket.AF_UNIX) as line:
        line.settimeout(WAIT_S)
        line.connect(path)
        return True
    return False
