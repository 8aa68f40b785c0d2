"""Identity-card readers by PC/SC. The only file that knows pyscard. Never connects to a reader that no profile fits, and never exclusively.

A call that blocks: each open reader has a lane (``lane.py``) with a context of its own. The caller leaves after ``exchange_seconds`` of the profile with
TimedOut; the lane stays with the blocked call and lets go of card and context when the driver returns. As long as it is blocked, this reader raises
TimedOut at once, so at most one thread per reader can ever hang.
"""

from __future__ import annotations

import importlib
import logging
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, TypeVar, cast

from devices.base import Cancel, Device, Tell
from devices.cards import hresult
from devices.cards.apdu import Transmit
from devices.cards.contract import CardRead, Sighting
from devices.cards.lane import CallLane
from devices.cards.link import (
    STATE_CHANGED,
    STATE_MUTE,
    STATE_PRESENT,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
    Link,
    Scard,
    State,
    establish,
    reader_names,
    states_now,
)
from devices.cards.photo import Photos
from devices.cards.profiles import Profile, profile_for
from devices.cards.reading import Decode, card_read
from devices.cards.sam import Blocks
from devices.cards.turn import CONNECT_S, Turn
from devices.errors import Cancelled, DeviceTrouble, DriverMissing, NoReader, NoSam, ReaderGone, TimedOut

__all__ = ["PcscConnection", "PcscDriver", "PcscSight", "Rest", "load_scard", "remembered_name"]

T = TypeVar("T")
LOG = logging.getLogger(__name__)
CLOSE_S = 1.0
UNPLUG_TRIES = 3
PLUG_AND_PLAY = "\\\\?PnP?\\Notification"
_INDEX = re.compile(r" (?:[0-9A-F]{2} [0-9A-F]{2}|[0-9]{1,3})$")
_SERIAL = re.compile(r" \(([^()]+)\) [0-9A-F]{2} [0-9A-F]{2}$")


def load_scard() -> Scard:
    """The library. Raises DriverMissing(library)."""
    try:
        return cast(Scard, importlib.import_module("smartcard.scard"))
    except ImportError as missing:
        raise DriverMissing(f"smartcard.scard: {missing}", library="pyscard") from missing


def remembered_name(reader: str) -> str:
    """The reader's name without the indices that depend on the order of plugging (``Name 00 01`` on Linux and macOS, ``Name 0`` on Windows)."""
    return _INDEX.sub("", reader)


class PcscDriver:
    """Finds, watches and opens the readers that the administrator's profiles fit. Raises DriverMissing where pyscard cannot be loaded."""

    name = "pcsc"

    def __init__(
        self, profiles: Sequence[Profile], scard: Scard | None = None, emulated: bool = False, now: Callable[[], datetime] | None = None,
        photos: Photos | None = None,
    ) -> None:
        self._profiles = tuple(profile for profile in profiles if profile.mode in ("apdu", "control"))
        self._by_card = any(profile.reader is None for profile in self._profiles)
        self._photos = photos or Photos()
        self._scard = scard if scard is not None else load_scard()
        self._emulated = emulated
        self._now = now or (lambda: datetime.now(UTC))
        self._blocked: dict[str, CallLane] = {}
        self._rest = Rest()

    def close(self) -> None:
        """Ends the child processes of photo libraries, and lets the last reader's lane and context go. The driver may be used again."""
        self._photos.close()
        self._rest.end()

    def find(self) -> Sequence[Device]:
        """Readers that a profile fits. Raises ServiceStopped, NotPermitted."""
        return tuple(seen.device for seen in self.look() if seen.profile)

    def look(self) -> tuple[Sighting, ...]:
        """All readers as they stand, those without a profile too. Touches no card."""
        context = establish(self._scard)
        try:
            return tuple(map(self.sighting, states_now(self._scard, context, reader_names(self._scard, context))))
        finally:
            self._scard.SCardReleaseContext(context)

    def sighting(self, state: State) -> Sighting:
        """What a state of the service says in our words."""
        reader, bits, atr = state
        profile = profile_for(self._profiles, reader, atr)
        serial = _SERIAL.search(reader)
        device = Device(self.name, remembered_name(reader), reader, serial.group(1) if serial else "", self._emulated)
        return Sighting(device, profile.name if profile else "", bool(bits & STATE_PRESENT), bool(bits & STATE_MUTE), atr)

    def sight(self) -> PcscSight:
        return PcscSight(self._scard, self.sighting)

    def open(self, device: Device) -> PcscConnection:
        """Raises ReaderGone, NoReader, NoSam(reader) where no profile fits. A reader that was read before and has gone since may say so at its first call."""
        rested = None if self._by_card else self._rest.take(device.address)
        link = rested.link if rested is not None else Link(self._scard, device.address)
        try:
            if rested is None and not self._by_card:
                link.find()
            profile = profile_for(self._profiles, device.address, link.atr() if self._by_card else b"")
            if profile is None:
                raise NoSam(f"no profile fits {device.address}", reader=device.name)
        except DeviceTrouble:
            link.close()
            raise
        link.direct = profile.share == "direct"
        lane, rest = (rested.lane if rested is not None else None), (None if self._by_card else self._rest)
        return PcscConnection(self._scard, device, profile, self._blocked, self._now, self._photos.decoder(profile.photo), link, lane, rest)


@dataclass(slots=True)
class _Rested:
    address: str
    link: Link
    lane: CallLane


class Rest:
    """Link and lane of the reader that was used last, kept between two reads: a new context and a new thread cost more than all else around the exchanges.

    One at most. A card is never kept: it was let go before.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._one: _Rested | None = None

    def take(self, address: str) -> _Rested | None:
        """What rests of this reader; it is the caller's from now on."""
        with self._lock:
            if self._one is None or self._one.address != address:
                return None
            one, self._one = self._one, None
            return one

    def lay(self, address: str, link: Link, lane: CallLane) -> None:
        """Keeps them in the place of what rested before."""
        with self._lock:
            before, self._one = self._one, _Rested(address, link, lane)
        _end(before)

    def end(self) -> None:
        with self._lock:
            before, self._one = self._one, None
        _end(before)


def _end(rested: _Rested | None) -> None:
    if rested is not None:
        rested.lane.leave(rested.link.close, CLOSE_S)


class PcscConnection:
    """An open reader. The card itself is connected for the length of one call only, so a card that comes later or was changed is never mistaken."""

    def __init__(
        self, scard: Scard, device: Device, profile: Profile, blocked: dict[str, CallLane], now: Callable[[], datetime], decode: Decode | None,
        link: Link | None = None, lane: CallLane | None = None, rest: Rest | None = None,
    ) -> None:
        self.device = device
        self._rest = rest
        self._decode = decode
        self._profile = profile
        self._scard = scard
        self._blocked = blocked
        self._now = now
        self._lane = lane
        self._link = link or self._new_link()

    def __enter__(self) -> PcscConnection:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Lets the reader go within a second; a blocked call is left to its lane. Safe to call twice."""
        lane, self._lane = self._lane, None
        if lane is None:
            self._link.close()
        elif self._rest is not None:
            self._rest.lay(self.device.address, self._link, lane)
            self._link = self._new_link()
        elif not lane.leave(self._link.close, CLOSE_S):
            self._blocked[self.device.address] = lane

    def sam_number(self) -> str:
        """Number of the security module. Raises as ``read`` does, SamRefused where the module failed its self-test."""
        return self._turn(Cancel(), lambda turn: turn.session().number())

    def read(self, cancel: Cancel, tell: Tell) -> CardRead:
        """One read; ``tell`` is called in the reader's lane.

        Raises NoCard, CardReadAlready, CardRemoved, CardMute, CardUnknown, NoSam, SamRefused, BrokenFrame, TimedOut, Cancelled, and what ``open`` raises.
        """
        profile = self._profile

        def whole(turn: Turn) -> tuple[str, Blocks]:
            session = turn.session()
            return session.number(), session.read(tell, profile.management, read_before=True)   # nobody but the module knows what was read before

        number, blocks = self._turn(cancel, whole)
        LOG.info("read by %s, module %s", self.device.name, number)
        return card_read(blocks, number, self.device.name, profile.name, self._now(), self._decode)

    def apdus(self, cancel: Cancel, work: Callable[[Transmit], T]) -> T:
        """``work`` on a fresh connection to a card that is no identity card; each command may take ``exchange_seconds`` of the profile."""
        return self._turn(cancel, lambda turn: work(turn.transmit))

    def _turn(self, cancel: Cancel, work: Callable[[Turn], T]) -> T:
        """``work`` in the lane. Where the caller leaves a step that hangs, lane and link are given up together and a new pair is made next time."""
        stuck = self._blocked.get(self.device.address)
        if stuck is not None and not stuck.ended(CLOSE_S):
            raise TimedOut("an earlier call to this reader still hangs", reader=self.device.name)
        self._blocked.pop(self.device.address, None)
        lane = self._lane = self._lane or CallLane(self.device.name)
        turn = Turn(self._link, self._profile, self.device.name, lane, cancel)
        link, got = self._link, list[T]()

        def run() -> None:
            """The card is let go in the same call: one that is powered down later may be in somebody else's hands by then."""
            try:
                got.append(turn.run(work))
            finally:
                lane.allow(CLOSE_S)
                link.disconnect()

        try:
            lane.call(run, CONNECT_S, cancel)
            return got[0]
        except (TimedOut, Cancelled):
            if not got:
                raise
            LOG.warning("%s: letting the card go takes too long", self.device.name)     # and takes nothing from what was read
            return got[0]
        finally:
            if lane.left:
                self._blocked[self.device.address] = lane
                lane.leave(self._link.close, 0)
                self._lane, self._link = None, self._new_link()

    def _new_link(self) -> Link:
        return Link(self._scard, self.device.address, self._profile.share == "direct")


class PcscSight:
    """A standing look at all readers, in a context of its own. Spent after the first trouble."""

    def __init__(self, scard: Scard, sighting: Callable[[State], Sighting]) -> None:
        self._scard = scard
        self._sighting = sighting
        self._context: int | None = None
        self._known: dict[str, State] = {}

    def __enter__(self) -> PcscSight:
        self._context = establish(self._scard)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        context, self._context = self._context, None
        if context is not None:
            self._scard.SCardReleaseContext(context)

    def cancel(self) -> None:
        context = self._context
        if context is not None:
            self._scard.SCardCancel(context)

    def wait(self, seconds: float) -> tuple[Sighting, ...]:
        """All readers, at once when one of them is new, else as soon as something changes or the time is over. Raises ServiceStopped and others."""
        context = self._context
        if context is None:
            raise NoReader("the look was closed")
        for _ in range(UNPLUG_TRIES):
            names = reader_names(self._scard, context)
            self._known = {name: self._known.get(name, (name, 0, b"")) for name in names}
            asked = [(name, bits) for name, bits, _ in self._known.values()] + [(PLUG_AND_PLAY, len(names) << 16)]
            code, states = self._scard.SCardGetStatusChange(context, max(0, int(seconds * 1000)), asked)
            number = hresult.plain(code)
            if number == hresult.UNKNOWN_READER:   # one was unplugged between the two calls
                continue
            if number not in (hresult.OK, hresult.TIME_OUT, hresult.CANCELLED):
                raise hresult.trouble_of(code, "watch")
            if number == hresult.OK:
                self._take(states)
            return tuple(map(self._sighting, self._known.values()))
        raise ReaderGone("readers come and go")

    def _take(self, states: Sequence[Sequence[Any]]) -> None:
        seen = [(str(name), int(bits) & ~STATE_CHANGED, bytes(atr)) for name, bits, atr in states if name != PLUG_AND_PLAY]
        self._known = {name: (name, bits, atr) for name, bits, atr in seen if not bits & (STATE_UNKNOWN | STATE_UNAVAILABLE)}
