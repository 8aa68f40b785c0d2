"""Words that all drivers share: device, driver, cancel, progress. Never opens anything."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

__all__ = ["Cancel", "Device", "Driver", "Tell", "say_nothing"]

Cancel = threading.Event
"""Set by whoever wants a long call to end; the call then raises ``Cancelled`` at its next step."""


class Tell(Protocol):
    """Progress of a long call. ``what`` is a key (``read.text``), ``total`` is 0 where it is unknown."""

    def __call__(self, what: str, done: int = 0, total: int = 0) -> None: ...


def say_nothing(what: str, done: int = 0, total: int = 0) -> None:
    """The ``Tell`` of callers who do not look."""


@dataclass(frozen=True, slots=True)
class Device:
    """A reference to a device: cheap, hashable, never a connection.

    ``name`` is what people see and what choices are remembered by (without trailing indices),
    ``address`` is what the driver opens, ``emulated`` is an honest label, not a defence.
    """

    driver: str
    name: str
    address: str
    serial: str = ""
    emulated: bool = False


class Driver(Protocol):
    """What every driver has beside the contract of its kind."""

    @property
    def name(self) -> str: ...

    def find(self) -> Sequence[Device]:
        """Devices present now. Raises ``DeviceTrouble`` where the way to them (service, library) is down."""
        ...
