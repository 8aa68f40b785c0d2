"""One shared connection to one reader that was chosen: connect, transmit, let go; all calls block. Never loads the library itself."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Sequence
from typing import Any, Protocol

from devices.cards import hresult
from devices.cards.hresult import trouble_of
from devices.cards.profiles import ControlShape
from devices.errors import BrokenFrame, CardRemoved, DeviceTrouble, NoReader, NotPermitted, ReaderGone, ReaderTrouble
from devices.traffic import TRAFFIC, trace_apdu

__all__ = [
    "SETTLE_S", "STATE_CHANGED", "STATE_MUTE", "STATE_PRESENT", "STATE_UNAVAILABLE", "STATE_UNKNOWN", "CardReset", "Link", "Scard", "State", "establish",
    "reader_names", "states_now",
]

LOG = logging.getLogger(__name__)
SCOPE_USER = 0
SHARE_SHARED, SHARE_DIRECT = 2, 3
PROTOCOL_T0, PROTOCOL_T1 = 1, 2
LEAVE, UNPOWER = 0, 2
STATE_CHANGED, STATE_UNKNOWN, STATE_UNAVAILABLE, STATE_PRESENT, STATE_MUTE = 0x2, 0x4, 0x8, 0x20, 0x200
SETTLE_S = 1.2      # the slowest poll of presence seen is 0.45 s (facts of the virtual reader); after it a card that left is known to have left

State = tuple[str, int, bytes]
"""Reader name, state bits, answer to reset."""


class Scard(Protocol):
    """The part of ``smartcard.scard`` that we use; a test may give its own."""

    SCARD_PCI_T0: Any
    SCARD_PCI_T1: Any

    def SCardEstablishContext(self, scope: int, /) -> Sequence[Any]: ...
    def SCardReleaseContext(self, context: int, /) -> int: ...
    def SCardListReaders(self, context: int, groups: list[str], /) -> Sequence[Any]: ...
    def SCardGetStatusChange(self, context: int, milliseconds: int, states: list[tuple[str, int]], /) -> Sequence[Any]: ...
    def SCardCancel(self, context: int, /) -> int: ...
    def SCardConnect(self, context: int, reader: str, share: int, protocols: int, /) -> Sequence[Any]: ...
    def SCardDisconnect(self, card: int, disposition: int, /) -> int: ...
    def SCardTransmit(self, card: int, pci: Any, data: list[int], /) -> Sequence[Any]: ...
    def SCardControl(self, card: int, code: int, data: list[int], /) -> Sequence[Any]: ...


class CardReset(Exception):
    """Another program reset the card, or one transmission failed with the card still there: connect again and begin again, once."""

    def __init__(self, trouble: DeviceTrouble) -> None:
        super().__init__(str(trouble))
        self.trouble = trouble


def establish(scard: Scard) -> int:
    """A new context. Raises ServiceStopped, NotPermitted."""
    code, context = scard.SCardEstablishContext(SCOPE_USER)
    if hresult.plain(code) != hresult.OK:
        raise trouble_of(code, "establish")
    return int(context)


def reader_names(scard: Scard, context: int) -> tuple[str, ...]:
    """Names of all readers; none plugged in is an empty tuple."""
    code, names = scard.SCardListReaders(context, [])
    if hresult.plain(code) == hresult.NO_READERS:
        return ()
    if hresult.plain(code) != hresult.OK:
        raise trouble_of(code, "list readers")
    return tuple(str(name) for name in names)


def states_now(scard: Scard, context: int, names: Sequence[str]) -> tuple[State, ...]:
    """State of each reader without touching its card; readers that have just gone are left out."""
    if not names:
        return ()
    code, states = scard.SCardGetStatusChange(context, 0, [(name, 0) for name in names])
    number = hresult.plain(code)
    if number in (hresult.UNKNOWN_READER, hresult.NO_READERS):
        return ()
    if number not in (hresult.OK, hresult.TIME_OUT, hresult.CANCELLED):
        raise trouble_of(code, "status")
    seen = [(str(name), int(state), bytes(atr)) for name, state, atr in states]
    return tuple((name, state, atr) for name, state, atr in seen if not state & (STATE_UNKNOWN | STATE_UNAVAILABLE))


class Link:
    """A connection of its own context to ``reader``, always shared (or direct where the profile says so)."""

    def __init__(self, scard: Scard, reader: str, direct: bool = False) -> None:
        self._scard = scard
        self._reader = reader
        self.direct = direct
        self._context: int | None = None
        self._card: int | None = None
        self._pci: Any = None

    def state(self) -> State:
        """How the reader stands now, with the card's answer to reset. Does not connect. Raises ReaderGone, NoReader, ServiceStopped."""
        try:
            return self._look()
        except DeviceTrouble as trouble:
            if not self._context_died(trouble):
                raise
        return self._look()

    def atr(self) -> bytes:
        """Answer to reset of the card that lies there. Raises as ``state``."""
        return self.state()[2]

    def find(self) -> None:
        """Raises ReaderGone, NoReader, ServiceStopped where the service does not list this reader."""
        if self._context is None:
            self._context = establish(self._scard)
        names = reader_names(self._scard, self._context)
        if not names:
            raise NoReader("no readers available")
        if self._reader not in names:
            raise ReaderGone("reader is not listed any more")

    def standing(self) -> tuple[int, bytes]:
        """State bits and answer to reset, as ``state``; the list of readers is asked for only where the reader is not known to the service any more."""
        if self._context is not None:
            try:
                for _, bits, atr in states_now(self._scard, self._context, [self._reader]):
                    return bits, atr
            except DeviceTrouble as trouble:
                if not self._context_died(trouble):
                    raise
        _, bits, atr = self.state()
        return bits, atr

    def _look(self) -> State:
        self.find()
        assert self._context is not None
        states = states_now(self._scard, self._context, [self._reader])
        if not states:
            raise ReaderGone("reader is not listed any more")
        return states[0]

    def connect(self) -> None:
        """Connects anew; call ``state`` before, it brings a context. Raises NoCard, CardMute, ReaderBusy, …"""
        self.disconnect()
        context = self._context if self._context is not None else establish(self._scard)
        self._context = context
        share, protocols = (SHARE_DIRECT, 0) if self.direct else (SHARE_SHARED, PROTOCOL_T0 | PROTOCOL_T1)
        code, card, protocol = self._scard.SCardConnect(context, self._reader, share, protocols)
        if hresult.plain(code) != hresult.OK:
            trouble = trouble_of(code, "connect")
            self._context_died(trouble)
            raise trouble
        self._card = int(card)
        self._pci = self._scard.SCARD_PCI_T0 if protocol == PROTOCOL_T0 else self._scard.SCARD_PCI_T1

    def transmit(self, apdu: bytes) -> bytes:
        """The response to one command APDU. Raises CardRemoved, ReaderGone, ServiceStopped, …, or CardReset where beginning again may help."""
        if len(apdu) < 4:   # the virtual reader takes one byte for a control code and never answers
            raise BrokenFrame("command shorter than its header")
        code, answer = self._scard.SCardTransmit(self._connected(), self._pci, list(apdu))
        if LOG.isEnabledFor(TRAFFIC):
            trace_apdu(LOG, self._reader, apdu, None if hresult.plain(code) != hresult.OK else _plain_bytes(answer))
        if hresult.plain(code) != hresult.OK:
            raise self._failed(code, "transmit")
        if len(answer) < 2:   # the service says "done" with nothing in hand when the card goes in the middle of an answer
            raise self._after_failed_transmission(BrokenFrame(f"response of {len(answer)} bytes"))
        return _plain_bytes(answer)

    def control(self, shape: ControlShape, frame: bytes) -> bytes:
        """The answer to a frame sent by the reader's control channel, without the reply prefix."""
        code_here = shape.code_windows if sys.platform == "win32" else shape.code_linux
        code, answer = self._scard.SCardControl(self._connected(), code_here, list(shape.prefix + frame))
        if hresult.plain(code) != hresult.OK:
            raise self._failed(code, "control")
        received = _plain_bytes(answer)
        if not received.startswith(shape.reply_prefix):
            raise BrokenFrame("answer without the prefix of the profile")
        return received[len(shape.reply_prefix):]

    def disconnect(self) -> None:
        """Lets the card go and powers it down, so that the next read finds it fresh. Only ever done to the reader that was chosen."""
        if self._card is not None:
            self._scard.SCardDisconnect(self._card, LEAVE if self.direct else UNPOWER)
            self._card = None

    def close(self) -> None:
        """Lets card and context go. Safe to call twice."""
        self.disconnect()
        if self._context is not None:
            self._scard.SCardReleaseContext(self._context)
            self._context = None

    def _connected(self) -> int:
        if self._card is None:
            raise ReaderTrouble("not connected")
        return self._card

    def _context_died(self, trouble: DeviceTrouble) -> bool:
        """Drops a context that will never work again; True when a new one is worth a try."""
        if isinstance(trouble, NotPermitted) or int(str(trouble.facts.get("status", "0")), 16) not in hresult.SERVICE_LOST:
            return False
        context, self._context, self._card = self._context, None, None
        if context is not None:
            self._scard.SCardReleaseContext(context)
        return context is not None

    def _failed(self, code: int, where: str) -> Exception:
        trouble = trouble_of(code, where)
        number = hresult.plain(code)
        self._context_died(trouble)
        if number == hresult.RESET:
            return CardReset(trouble)
        if number == hresult.TRANSMIT_FAILED:
            return self._after_failed_transmission(trouble)
        return trouble

    def _after_failed_transmission(self, trouble: DeviceTrouble) -> Exception:
        """Waits until the service has noticed a card that left; only then it can be told from a slip of the reader."""
        end = time.monotonic() + SETTLE_S
        while self._context is not None and time.monotonic() < end:
            try:
                states = states_now(self._scard, self._context, [self._reader])
            except DeviceTrouble as worse:
                self._context_died(worse)
                return worse
            if not states:
                return ReaderGone("reader went during a transmission")
            if not states[0][1] & STATE_PRESENT:
                return CardRemoved("card left during a transmission")
            time.sleep(0.05)
        return CardReset(trouble)


def _plain_bytes(answer: Sequence[int]) -> bytes:
    """Some builds of the library give signed bytes."""
    try:
        return bytes(answer)
    except ValueError:
        return bytes(byte & 0xFF for byte in answer)
