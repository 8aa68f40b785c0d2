"""A played smart-card service: one reader with a module, one token in another reader, results by name or by the number of the call. Never loads pyscard."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.emulators.idcards import PRACTICE
from tests.emulators.sam_reader import SamReader

__all__ = ["EMPTY", "PRESENT", "READER", "TOKEN", "Service"]

READER = "Vendor RF (A1B2) 00 00"
TOKEN = "Token 01 00"
PRESENT, EMPTY = 0x20, 0x10


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
