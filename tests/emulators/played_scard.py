"""A played smart-card service: one reader with a module, one token in another reader, results by name or by the number of the call. Never loads pyscard."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.emulators.idcards import PRACTICE
from tests.emulators.sam_reader import SamReader
from tests.emulators.vpcd import CardPulled

__all__ = ["EMPTY", "PRESENT", "READER", "TOKEN", "HandledService", "Service"]

READER = "Vendor RF (A1B2) 00 00"
TOKEN = "Token 01 00"
PRESENT, EMPTY = 0x20, 0x10
DIRECT, CARD_REMOVED, TIMED_OUT, CANCELLED = 3, 0x80100069, 0x8010000A, 0x80100002
NO_SERVICE, SERVICE_STOPPED = 0x8010001D, 0x8010001E
PNP = "\\\\?PnP?\\Notification"


class Service:
    """``results`` gives the next results of a function by name; ``fail`` = (number of the call, result) fails the n-th call of those that may fail.

    ``escape`` turns the bytes of a control command into a frame and a frame into the bytes of its answer.
    """

    SCARD_PCI_T0, SCARD_PCI_T1 = "T0", "T1"

    def __init__(self, reader: SamReader | None = None, **results: list[int]) -> None:
        self.reader = reader or SamReader(PRACTICE)
        self.results = results
        self.calls: list[tuple[Any, ...]] = []
        self.present = PRESENT
        self.open_contexts: set[int] = set()
        self.open_cards: dict[int, int] = {}
        self._handed_out = 0
        self.fail: tuple[int, int] | None = None
        self.count = 0
        self.unwrap: Callable[[bytes], bytes] = lambda sent: sent[1:]
        self.wrap: Callable[[bytes], bytes] = lambda frame: b"\xe1" + frame

    def _next(self, name: str, *arguments: Any, counted: bool = True) -> int:
        self.calls.append((name, *arguments))
        if counted:
            self.count += 1
            if self.fail is not None and self.fail[0] == self.count:
                return self.fail[1]
        left = self.results.get(name, [])
        return left.pop(0) if left else 0

    def SCardEstablishContext(self, scope: int) -> tuple[int, int]:
        result = self._next("establish")
        self._handed_out += 1
        if not result:
            self.open_contexts.add(self._handed_out)
        return result, self._handed_out

    def SCardReleaseContext(self, context: int) -> int:
        self.open_contexts.discard(context)
        self.open_cards = {card: of for card, of in self.open_cards.items() if of != context}   # a context takes its connections along
        return self._next("release", context, counted=False)

    @property
    def contexts(self) -> int:
        return len(self.open_contexts)

    @property
    def connections(self) -> int:
        return len(self.open_cards)

    def SCardListReaders(self, context: int, groups: list[str]) -> tuple[int, list[str]]:
        return self._next("list"), [READER, TOKEN]

    def SCardGetStatusChange(self, context: int, milliseconds: int, states: list[tuple[str, int]]) -> tuple[int, list[tuple[str, int, list[int]]]]:
        return self._next("status"), [(name, 2 | (self.present if name == READER else PRESENT), list(PRACTICE.atr)) for name, _ in states]

    def SCardConnect(self, context: int, reader: str, share: int, protocols: int) -> tuple[int, int, int]:
        if share != DIRECT:     # a direct connection powers nothing
            self.reader.power(b"\x01")
        result = self._next("connect", reader, share)
        self._handed_out += 1
        if not result:
            self.open_cards[self._handed_out] = context
        return result, self._handed_out, 2

    def SCardDisconnect(self, card: int, disposition: int) -> int:
        self.open_cards.pop(card, None)
        return self._next("disconnect", disposition, counted=False)

    def SCardTransmit(self, card: int, pci: Any, data: list[int]) -> tuple[int, list[int]]:
        result = self._next("transmit", pci)
        return result, [] if result else list(self.reader.transmit(bytes(data)))

    def SCardControl(self, card: int, code: int, data: list[int]) -> tuple[int, list[int]]:
        result = self._next("control", code)
        frame = self.unwrap(bytes(data))
        answer = b"" if result else self.reader.transmit(b"\x80\xfe\x00\x00\x00" + len(frame).to_bytes(2, "big") + frame + b"\x00\x00")[:-2]
        return result, [] if result else [byte - 256 if byte > 127 else byte for byte in self.wrap(answer)]   # some builds give signed bytes

    def SCardCancel(self, context: int) -> int:
        return self._next("cancel", counted=False)


class HandledService(Service):
    """A played service that hands lay cards on: waits for changes as the real one does, and a card may be pulled in the middle of an answer."""

    def __init__(self) -> None:
        super().__init__(SamReader(None))
        self.present = EMPTY
        self.plugged = True
        self._moved = threading.Condition()
        self._cancelled = False

    def plug(self, plugged: bool) -> None:
        """The last reader goes, and the service of Windows ends with it; or it comes back, and the service with it."""
        with self._moved:
            self.plugged = plugged
            self._moved.notify_all()

    def SCardEstablishContext(self, scope: int) -> tuple[int, int]:
        return super().SCardEstablishContext(scope) if self.plugged else (NO_SERVICE, 0)

    def SCardListReaders(self, context: int, groups: list[str]) -> tuple[int, list[str]]:
        return super().SCardListReaders(context, groups) if self.plugged else (SERVICE_STOPPED, [])

    def lay(self, reader: SamReader) -> None:
        with self._moved:
            self.reader, self.present = reader, PRESENT
            self._moved.notify_all()

    def lift(self) -> None:
        """The module stays behind; the card, and what was read of it, is gone."""
        with self._moved:
            self.reader.lift()
            self.present = EMPTY
            self._moved.notify_all()

    @contextmanager
    def gone(self) -> Iterator[None]:
        """The reader believes that the card has left, and finds it again when the block ends."""
        with self._moved:
            self.present = EMPTY
            self._moved.notify_all()
        try:
            yield
        finally:
            with self._moved:
                self.present = PRESENT
                self._moved.notify_all()

    def SCardCancel(self, context: int) -> int:
        with self._moved:
            self._cancelled = True
            self._moved.notify_all()
        return 0

    def SCardGetStatusChange(self, context: int, milliseconds: int, states: list[tuple[str, int]]) -> tuple[int, list[tuple[str, int, list[int]]]]:
        asked = [(name, bits) for name, bits in states if name != PNP]
        with self._moved:
            changed = self._moved.wait_for(
                lambda: self._cancelled or not self.plugged or any(bits & 0x30 != self._bits(name) for name, bits in asked), milliseconds / 1000)
            if not self.plugged:
                return SERVICE_STOPPED, []
            cancelled, self._cancelled = self._cancelled, False
            now = [(name, self._bits(name) | (2 if bits & 0x30 != self._bits(name) else 0), list(PRACTICE.atr) if self._bits(name) == PRESENT else [])
                   for name, bits in asked]
        return (CANCELLED if cancelled else 0 if changed else TIMED_OUT), now

    def SCardControl(self, card: int, code: int, data: list[int]) -> tuple[int, list[int]]:
        try:
            return super().SCardControl(card, code, data)
        except CardPulled:
            self.lift()
            return CARD_REMOVED, []

    def _bits(self, name: str) -> int:
        return self.present if name == READER else PRESENT
