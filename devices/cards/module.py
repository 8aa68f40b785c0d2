"""Readers that are asked by frames and know of no cards by themselves: on a line, or behind a vendor's library. Never knows which of the two.

One reader is used by one caller at a time: a watch that looks while somebody reads gets the last picture. The way to the module is kept open as long as a
watch or a connection holds it, and given up after every trouble, so that the next call begins afresh.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Protocol, TypeVar

from devices.base import Cancel, Device, Tell
from devices.cards.contract import CardRead, Sighting
from devices.cards.profiles import Profile
from devices.cards.reading import Decode, card_read
from devices.cards.session import SamSession, Waits
from devices.errors import BrokenFrame, Cancelled, DeviceTrouble, NoReader, ReaderBusy, ReaderGone
from devices.traffic import trace

__all__ = ["ModuleConnection", "ModuleReader", "ModuleSight", "Way", "find_reader"]

T = TypeVar("T")
LOG = logging.getLogger(__name__)
READ_S = 15.0               # one whole read; vendors allow 5 s for text and photo alone
LOOK_S = 5.0
BETWEEN_LOOKS_S = 0.3       # vendors ask for a card every 0.3 s or more seldom
AFTER_TROUBLE_S = 3.0       # a watch leaves a module that does not answer alone for so long
TURN_S = 5.0                # how long a caller waits for the one before


class Way(Protocol):
    """An open way to a module."""

    def exchange(self, frame: bytes, seconds: float, cancel: Cancel) -> bytes:
        """The answer to ``frame``. Raises ``DeviceTrouble``."""
        ...

    def close(self) -> None: ...


class ModuleReader:
    """One reader. ``open_way(cancel, late)`` opens the way to its module, and raises what keeps it from that; ``late``: an answer to an earlier question may
    still come.
    """

    def __init__(
        self, device: Device, profile: Profile, open_way: Callable[[Cancel, bool], Way],
        decode: Decode | None = None, now: Callable[[], datetime] | None = None,
    ) -> None:
        self.device, self.profile, self.decode = device, profile, decode
        self.now = now or (lambda: datetime.now(UTC))
        self._open_way = open_way
        self.read_lies = False
        """A card was read and was not seen to leave since: until it is lifted, the module does not find it again."""

        self._turn = threading.Lock()
        self._way: Way | None = None
        self._late = False
        self._watched = False
        self._leave_alone_until = 0.0
        self._last: Sighting | None = Sighting(device, profile.name)

    # -- for the watch -----------------------------------------------------------------------------------------------------------------
    def look(self, cancel: Cancel) -> Sighting | None:
        """How the reader stands, None where it cannot be reached. A module that does not answer is a reader without a card. Raises nothing."""
        self._watched = True
        if not self._turn.acquire(blocking=False):
            return self._last
        try:
            if time.monotonic() >= self._leave_alone_until:
                self._last = self._seen(cancel)
            return self._last
        finally:
            self._turn.release()

    def rest(self) -> None:
        """The watch has ended: the way is given up unless somebody reads."""
        self._watched = False
        if self._turn.acquire(blocking=False):
            self._end_turn()

    def _seen(self, cancel: Cancel) -> Sighting | None:
        try:
            card = self.session(cancel, lambda session: session.lies(self.read_lies), LOOK_S)
        except Cancelled:
            return self._last
        except DeviceTrouble as trouble:
            LOG.info("%s: a look failed: %s", self.device.name, trouble)
            self._leave_alone_until = time.monotonic() + AFTER_TROUBLE_S
            return None if isinstance(trouble, ReaderGone) else Sighting(self.device, self.profile.name)
        self.read_lies = self.read_lies and card
        return Sighting(self.device, self.profile.name, card)

    # -- for a connection --------------------------------------------------------------------------------------------------------------
    def begin_turn(self, cancel: Cancel | None = None) -> None:
        """Waits for the caller before, and for the way to be open. Raises ReaderBusy, and why the way does not open."""
        if not self._turn.acquire(timeout=TURN_S):
            raise ReaderBusy(f"{self.device.name}: another call is under way")
        try:
            self._opened(cancel or Cancel())
        except BaseException:
            self._end_turn()
            raise

    def end_turn(self) -> None:
        """Gives the reader to the next caller."""
        self._end_turn()

    def session(self, cancel: Cancel, work: Callable[[SamSession], T], deadline: float = READ_S) -> T:
        """``work`` on a fresh session; whoever calls this has the turn. Any trouble but one that the module itself named gives the way up."""
        way = self._opened(cancel)

        def exchange(frame: bytes, seconds: float) -> bytes:
            begun, answer = time.monotonic(), None
            try:
                answer = way.exchange(frame, min(seconds, self.profile.exchange_seconds), cancel)
                return answer
            finally:
                trace(LOG, self.device.name, frame, answer, time.monotonic() - begun)
                if answer is None:
                    self._give_up(late=True)

        try:
            return work(SamSession(exchange, cancel, deadline, Waits()))
        except BrokenFrame:   # nobody can say what the module thinks that it was asked
            self._give_up(late=True)
            raise

    def _opened(self, cancel: Cancel) -> Way:
        if self._way is None:
            self._way, self._late = self._open_way(cancel, self._late), False
        return self._way

    def _end_turn(self) -> None:
        if not self._watched:
            self._give_up()
        self._turn.release()

    def _give_up(self, late: bool = False) -> None:
        self._late = self._late or late
        way, self._way = self._way, None
        if way is not None:
            way.close()


class ModuleConnection:
    """An open reader: the turn is ours until ``close``."""

    def __init__(self, reader: ModuleReader) -> None:
        reader.begin_turn()
        self.device = reader.device
        self._reader: ModuleReader | None = reader

    def __enter__(self) -> ModuleConnection:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Safe to call twice."""
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.end_turn()

    def sam_number(self) -> str:
        """Number of the module, ``""`` from one that does not tell it. Raises as ``read`` does, SamRefused where the module failed its self-test."""
        return self._open().session(Cancel(), lambda session: session.number())

    def read(self, cancel: Cancel, tell: Tell) -> CardRead:
        """One read. Raises NoCard, CardReadAlready, CardRemoved, CardMute, SamRefused, BrokenFrame, TimedOut, Cancelled, and why the way does not open."""
        reader = self._open()
        number, blocks = reader.session(cancel, lambda session: (
            session.number(), session.read(tell, reader.profile.management, reader.read_lies)))
        reader.read_lies = True
        LOG.info("read by %s, module %s", self.device.name, number)
        return card_read(blocks, number, self.device.name, reader.profile.name, reader.now(), reader.decode)

    def _open(self) -> ModuleReader:
        if self._reader is None:
            raise NoReader("the connection was closed")
        return self._reader


class ModuleSight:
    """A standing look at all readers of one driver. Nothing that a reader does ends it."""

    def __init__(self, readers: Callable[[], Sequence[ModuleReader]], between: float = BETWEEN_LOOKS_S) -> None:
        self._readers = readers
        self._between = between
        self._cancel = Cancel()
        self._seen: tuple[Sighting, ...] | None = None
        self._held: dict[str, ModuleReader] = {}

    def __enter__(self) -> ModuleSight:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        held, self._held = self._held, {}
        for reader in held.values():
            reader.rest()

    def cancel(self) -> None:
        self._cancel.set()

    def wait(self, seconds: float) -> tuple[Sighting, ...]:
        """All readers that are there, as soon as something changed or the time is over. Raises DriverMissing and what the list of ports raises."""
        self._cancel.clear()
        end = time.monotonic() + seconds
        while True:
            seen = self._look()
            changed, self._seen = seen != self._seen, seen
            left = end - time.monotonic()
            if changed or left <= 0 or self._cancel.wait(min(self._between, left)):
                return seen

    def _look(self) -> tuple[Sighting, ...]:
        readers = {reader.device.address: reader for reader in self._readers()}
        for address in [address for address in self._held if address not in readers]:
            self._held.pop(address).rest()
        self._held = readers
        return tuple(seen for seen in (reader.look(self._cancel) for reader in readers.values()) if seen is not None)


def find_reader(readers: Sequence[ModuleReader], device: Device) -> ModuleReader:
    """The reader of ``device``. Raises NoReader where there is none at all, ReaderGone where this one is not there."""
    if not readers:
        raise NoReader("no readers available")
    for reader in readers:
        if reader.device.address == device.address:
            return reader
    raise ReaderGone(f"{device.address} is not there", reader=device.name)
