"""What is plugged: readers, cameras, tokens, as lamps; and the news that a token came or went. Never opens a device for longer than a look."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from typing import Any

from PySide6.QtCore import QTimer

from desktop.bridge.jobs import Jobs
from desktop.flows.words import CheckDevices, DeviceFacts, DevicesSeen, TokensChanged
from desktop.rooms import Rooms
from devices.base import Device
from devices.cards.choice import Remembered
from devices.errors import ChosenReaderGone, DeviceTrouble, NoCamera, NoReader, NoSocialSlot, NoToken

__all__ = ["LampWork"]

_POLL_MS = 1500
"""PKCS#11 has no event that can be relied upon (project's signing notes, 1.4): presence is polled."""


class LampWork:
    """Handlers of the lamps. ``emit`` posts to intake, ``tokens`` to login, both in the main thread; ``chosen``: the reader that the face uses."""

    def __init__(self, rooms: Any, jobs: Jobs, emit: Callable[[Any], None], tokens: Callable[[Any], None],
                 chosen: Callable[[], Remembered | None] = lambda: None) -> None:
        self._rooms, self._jobs, self._emit, self._tokens, self._chosen = rooms, jobs, emit, tokens, chosen
        self._plugged: frozenset[Device] | None = None
        self._shown: DevicesSeen | None = None
        self._timer = QTimer()
        self._timer.setInterval(_POLL_MS)
        self._timer.timeout.connect(self.look)

    def start(self) -> None:
        self._timer.start()
        self.look()

    def stop(self) -> None:
        self._timer.stop()

    def look(self) -> None:
        """In the main thread; a look that is still on its way is not doubled, and a busy token is left in peace."""
        if self._jobs.busy("token") or self._jobs.busy("lamps"):
            return
        self._jobs.start("token", self._token_lamp, self._token_seen, None)

    def missed(self) -> None:
        """A token was not there when it was wanted: the next look that sees it is news, even where it was away between two looks only."""
        self._plugged = frozenset()

    def check(self, _order: CheckDevices, _post: object) -> None:
        """The next look is told even where nothing changed; it comes at the next poll where a device is busy now."""
        self._shown = None
        self.look()

    def _token_lamp(self, _cancel: Event, _tell: Any) -> tuple[DeviceFacts, frozenset[Device]]:
        rooms: Rooms = self._rooms()
        found = rooms.registry.find("tokens")
        return _lamp("token", found.devices, found.troubles, NoToken.code), frozenset(found.devices)

    def _token_seen(self, answer: tuple[DeviceFacts, frozenset[Device]]) -> None:
        lamp, plugged = answer
        if self._plugged is not None and plugged != self._plugged:
            self._tokens(TokensChanged())
        self._plugged = plugged
        self._jobs.start("lamps", lambda _cancel, _tell: self._all(lamp), self._show, None)

    def _all(self, token: DeviceFacts) -> DevicesSeen:
        rooms: Rooms = self._rooms()
        readers, cameras = rooms.registry.find("cards"), rooms.registry.find("cameras")
        lamps = (_reader_lamp(readers.devices, readers.troubles, self._chosen()),
                 _lamp("camera", cameras.devices, cameras.troubles, NoCamera.code), token)
        if not rooms.registry.lists("hints"):
            return DevicesSeen(lamps)
        slots = rooms.registry.find("hints")
        return DevicesSeen((*lamps, _lamp("social", slots.devices, slots.troubles, NoSocialSlot.code)))

    def _show(self, seen: DevicesSeen) -> None:
        if seen != self._shown:
            self._shown = seen
            self._emit(seen)


def _reader_lamp(devices: tuple[Device, ...], troubles: tuple[DeviceTrouble, ...], chosen: Remembered | None) -> DeviceFacts:
    """Names the chosen reader, here or not; where none was chosen yet, the only one that is here."""
    names = tuple(sorted({device.name for device in devices}))
    if not devices:
        return _lamp("reader", devices, troubles, NoReader.code)
    if chosen is None:
        return DeviceFacts("reader", "good", names[0]) if len(names) == 1 else DeviceFacts("reader", "good", also=names)
    also = tuple(name for name in names if name != chosen.name)
    if any((device.driver, device.name) == (chosen.driver, chosen.name) for device in devices):
        return DeviceFacts("reader", "good", chosen.name, also=also)
    if troubles:
        return DeviceFacts("reader", "trouble", chosen.name, troubles[0].code, also)
    return DeviceFacts("reader", "other", chosen.name, ChosenReaderGone.code, also)


def _lamp(name: str, devices: tuple[Device, ...], troubles: tuple[DeviceTrouble, ...], none: str) -> DeviceFacts:
    if devices:
        return DeviceFacts(name, "good", devices[0].name)
    if troubles:
        return DeviceFacts(name, "trouble", code=troubles[0].code)
    return DeviceFacts(name, "absent", code=none)
