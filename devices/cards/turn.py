"""One turn at a PC/SC reader: connect, ask, begin again once after a reset. All of it runs in the reader's lane. Never lets the card go: its caller does.

A step that begins tells the lane how long it may take, so that the caller can leave a step that hangs; a turn whose caller has left asks nothing more.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from devices.base import Cancel
from devices.cards import sam
from devices.cards.apdu import Tunnel
from devices.cards.lane import CallLane
from devices.cards.link import SETTLE_S, STATE_PRESENT, CardReset, Link
from devices.cards.profiles import Profile
from devices.cards.session import SamSession
from devices.errors import Cancelled, CardMute, CardUnknown, NoCard, NoSam
from devices.traffic import trace

__all__ = ["CONNECT_S", "Turn"]

T = TypeVar("T")
LOG = logging.getLogger(__name__)
CONNECT_S = 5.0         # powering a card takes up to 1.5 s on slow readers
READ_S = 15.0           # one whole read; vendors allow 5 s for text and photo alone


class Turn:
    """The link of one reader for the length of one call. Times are seconds."""

    def __init__(self, link: Link, profile: Profile, reader: str, lane: CallLane, cancel: Cancel) -> None:
        self._link, self._profile, self._reader, self._lane, self._cancel = link, profile, reader, lane, cancel

    def run(self, work: Callable[[Turn], T]) -> T:
        """``work`` on a fresh connection; after a reset by another program once more."""
        try:
            return self._connected(work)
        except CardReset as reset:
            LOG.info("card was reset, beginning again: %s", reset)
        try:
            return self._connected(work)
        except CardReset as again:
            raise again.trouble from None

    def session(self) -> SamSession:
        """A session with the reader's module."""
        return SamSession(self._exchange, self._cancel, READ_S, lies=self._lies)

    def transmit(self, apdu: bytes) -> bytes:
        """One command to a card that is no identity card."""
        self._allow(self._profile.exchange_seconds)
        return self._link.transmit(apdu)

    def _connected(self, work: Callable[[Turn], T]) -> T:
        """Connects; a card that does not answer yet (it is just being laid down, or was changed between two polls) gets a second and a bit."""
        end = time.monotonic() + SETTLE_S
        self._allow(CONNECT_S + SETTLE_S)
        while True:
            try:
                self._connect()
                break
            except CardMute:
                if time.monotonic() > end or self._cancel.wait(0.1):
                    raise
        return work(self)

    def _connect(self) -> None:
        """An empty slot is never connected to, nor is a card of another kind."""
        bits, atr = self._link.standing()
        if atr and not self._profile.knows(atr):
            raise CardUnknown("answer to reset does not fit the profile", atr=atr.hex().upper())
        if not bits & STATE_PRESENT and not self._link.direct:
            raise NoCard("slot is empty")
        self._link.connect()

    def _lies(self) -> bool:
        """Whether the service says that a card lies there."""
        self._allow(CONNECT_S)
        return bool(self._link.standing()[0] & STATE_PRESENT)

    def _exchange(self, frame: bytes, seconds: float) -> bytes:
        self._allow(min(seconds, self._profile.exchange_seconds))
        begun, answer = time.monotonic(), None
        try:
            answer = self._carry(frame)
            return answer
        finally:
            trace(LOG, self._reader, frame, answer, time.monotonic() - begun)

    def _carry(self, frame: bytes) -> bytes:
        control, shape = self._profile.control, self._profile.apdu
        if control is not None:
            sent = frame if control.preamble else frame[len(sam.PREAMBLE):]
            received = self._link.control(control, sent)
            return received if control.preamble else sam.PREAMBLE + received
        if shape is None:
            raise NoSam("profile without a tunnel", reader=self._reader)
        return Tunnel(shape, self._link.transmit, sam.PREAMBLE).exchange(frame)

    def _allow(self, seconds: float) -> None:
        if self._lane.left:
            raise Cancelled("the caller has gone")
        self._lane.allow(seconds)
