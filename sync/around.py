"""Notices that the way may be there again: this machine has slept, or its own address on the network is another one. Sends nothing, asks nobody."""

from __future__ import annotations

import socket
from collections.abc import Callable
from datetime import datetime

__all__ = ["Around", "own_address"]

SLEPT_S = 60.0
"""Seconds by which the clock ran on without the monotonic one (which stands still while the machine sleeps)."""
_FAR = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
"""Addresses that are nobody's (RFC 5737, RFC 3849); they are asked for the route to them only, no packet goes out."""


def own_address() -> str:
    """This machine's addresses on the way out, or nothing where there is no way."""
    found: list[str] = []
    for family, far in _FAR:
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as asking:
                asking.connect((far, 9))
                found.append(str(asking.getsockname()[0]))
        except OSError:
            continue
    return " ".join(found)


class Around:
    """Asked between two turns of the courier, by its thread."""

    def __init__(self, clock: Callable[[], datetime], monotonic: Callable[[], float], address: Callable[[], str] = own_address) -> None:
        self._clock, self._monotonic, self._address = clock, monotonic, address
        self._ahead, self._here = self._difference(), address()

    def came_back(self) -> bool:
        """Once for every sleep, and every time that the machine comes to another address: what failed before may go now."""
        ahead, here = self._difference(), self._address()
        slept, moved = ahead - self._ahead > SLEPT_S, here not in ("", self._here)
        self._ahead, self._here = ahead, here
        return slept or moved

    def _difference(self) -> float:
        return self._clock().timestamp() - self._monotonic()
