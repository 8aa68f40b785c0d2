"""One read through a security module: find, select, text and photo, address, management data. Never opens a port, never reads fingerprints."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from devices.base import Cancel, Tell
from devices.cards import sam
from devices.cards.sam import DONE, FOUND, NO_CARD, NOTHING, UNKNOWN_COMMAND, Answer, Blocks, build, check_status, parse_answer, slice_blocks, trouble_of
from devices.errors import BrokenFrame, Cancelled, CardMute, CardReadAlready, CardRemoved, NoCard, TimedOut

__all__ = ["Exchange", "SamSession", "Waits"]

Exchange = Callable[[bytes, float], bytes]
"""Sends one whole frame and gives the answer's bytes, within so many seconds. Raises ``DeviceTrouble``."""

LONGEST_SHORT_ANSWER = 16
"""Data bytes of an answer to any command but the three that read; a longer one is a late answer to an earlier command."""


@dataclass(frozen=True, slots=True)
class Waits:
    """Seconds that one exchange may take, and the time between two tries to find a card (time-outs seen in vendors' programs)."""

    short: float = 2.0
    base: float = 5.0
    address: float = 3.0
    between_finds: float = 0.3
    finds: int = 2


class SamSession:
    """Asks one module. One thread at a time; ``deadline`` (seconds) is for the whole session.

    ``lies`` tells whether a card lies on the reader, where the reader knows that by itself (PC/SC); without it the module is asked.
    """

    def __init__(
        self, exchange: Exchange, cancel: Cancel, deadline: float = 15.0, waits: Waits | None = None, lies: Callable[[], bool] | None = None,
    ) -> None:
        self._exchange = exchange
        self._cancel = cancel
        self._waits = waits or Waits()
        self._end = time.monotonic() + deadline
        self._lies = lies

    def number(self) -> str:
        """State and number of the module; ``""`` from one that does not know the question. Raises SamRefused where it failed its own test."""
        check_status(self._short(sam.STATUS))
        answer = check_status(self._short(sam.SAM_ID), DONE, UNKNOWN_COMMAND)
        return sam.sam_number(answer.data) if answer.status == DONE else ""

    def lies(self, read_before: bool) -> bool:
        """Whether a card lies there. A card that was read is not found again until it was lifted, but still answers for its address (30 03)."""
        answer = self._short(sam.FIND)
        if answer.status in (FOUND, DONE):
            return True
        if answer.status != NO_CARD:
            raise trouble_of(answer.status)
        return read_before and self._answers_for_its_address()

    def read(self, tell: Tell, management: bool = False, read_before: bool = False) -> Blocks:
        """Find, select, text and photo, appended address, management data where asked for.

        ``read_before``: a card was read here and was not seen to leave since. Raises NoCard before a card was found, CardReadAlready where that card lies
        there still and must be lifted first, CardRemoved when a card left after it was found,
        CardMute when it fell silent and is known to lie there still. (A card that was selected and fell silent is not found again either, so a reader that
        does not know its cards by itself says CardRemoved for both; the next step is the same.)
        """
        tell("read.find", 0, 4)
        self._find(read_before)
        try:
            tell("read.select", 1, 4)
            check_status(self._short(sam.SELECT))
            tell("read.text", 2, 4)
            blocks = slice_blocks(check_status(self._ask(sam.READ_BASE, self._waits.base)).data)
            tell("read.address", 3, 4)
            addresses = self._appended(sam.APPENDED_ADDRESS)
            numbers = self._appended(sam.MANAGEMENT) if management else b""
        except NoCard as gone:
            raise CardRemoved("the card left during the read") from gone
        except CardMute as mute:
            if self._still_there():
                raise
            raise CardRemoved(f"the card left during the read ({mute.detail})", **mute.facts) from mute
        tell("read.done", 4, 4)
        return Blocks(blocks.text, blocks.photo, addresses, numbers)

    def _appended(self, command: tuple[int, int]) -> bytes:
        """What a card may have or not have, and an old module may not know."""
        answer = check_status(self._ask(command, self._waits.address), DONE, NOTHING, UNKNOWN_COMMAND)
        return answer.data if answer.status == DONE else b""

    def _find(self, read_before: bool) -> None:
        for attempt in range(self._waits.finds):
            answer = self._short(sam.FIND)
            if answer.status in (FOUND, DONE):
                return
            if answer.status != NO_CARD:
                raise trouble_of(answer.status)
            if attempt + 1 < self._waits.finds and self._cancel.wait(self._waits.between_finds):
                raise Cancelled("while looking for a card")
        if read_before and self._answers_for_its_address():
            raise CardReadAlready("the card was read and lies there still")
        raise trouble_of(NO_CARD)

    def _answers_for_its_address(self) -> bool:
        try:
            return self._ask(sam.APPENDED_ADDRESS, self._waits.short).status in (DONE, NOTHING)
        except (BrokenFrame, TimedOut):
            return False

    def _still_there(self) -> bool:
        """Asked after a card fell silent. Where even that question fails, nobody can say that the card left."""
        if self._lies is not None:
            return self._lies()
        try:
            return self._short(sam.FIND).status != NO_CARD
        except (BrokenFrame, TimedOut):
            return True

    def _short(self, command: tuple[int, int]) -> Answer:
        answer = self._ask(command, self._waits.short)
        if len(answer.data) > LONGEST_SHORT_ANSWER:
            raise BrokenFrame(f"answer of {len(answer.data)} bytes to a short question: a late one")
        return answer

    def _ask(self, command: tuple[int, int], seconds: float) -> Answer:
        if self._cancel.is_set():
            raise Cancelled(f"before command {bytes(command).hex()}")
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimedOut("deadline of the read")
        return parse_answer(self._exchange(build(command), min(seconds, left)))
