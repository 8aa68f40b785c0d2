"""Command and response APDUs (ISO 7816-4), chaining, and the tunnel that carries frames of a security module in them. Never opens a reader."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from devices.errors import BrokenFrame, NoSam, ReaderTrouble

__all__ = ["CHAIN_BIT", "Command", "Response", "Transmit", "Tunnel", "TunnelShape", "exchange", "parse_response"]

Transmit = Callable[[bytes], bytes]
"""Sends one command APDU, gives the whole response with its two status bytes. Raises ``DeviceTrouble``."""

LONGEST_ANSWER: Final = 65_536
MOST_ROUNDS: Final = 1_024          # GET RESPONSE that never ends is a broken reader, not a long answer
CHAIN_BIT: Final = 0x10
_UNKNOWN_TO_READER: Final = frozenset((0x6D00, 0x6E00, 0x6A81, 0x6881))
"""Instruction or class not supported, function not supported: there is nothing behind the tunnel."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command APDU. ``expected``: how many answer bytes at most, 256 or 65536 for "all", None for none."""

    cla: int
    ins: int
    p1: int = 0
    p2: int = 0
    data: bytes = field(default=b"", repr=False)
    expected: int | None = None

    def encode(self, extended: bool = False) -> bytes:
        """The bytes of this command, with short or extended lengths. Raises ValueError where they do not fit."""
        head = bytes((self.cla, self.ins, self.p1, self.p2))
        limit, most = (0xFFFF, 65_536) if extended else (0xFF, 256)
        if len(self.data) > limit or (self.expected is not None and not 1 <= self.expected <= most):
            raise ValueError(f"{len(self.data)} bytes with {self.expected} expected do not fit")
        if not extended:
            sent = bytes((len(self.data),)) + self.data if self.data else b""
            return head + sent + (b"" if self.expected is None else bytes((self.expected & 0xFF,)))
        sent = b"\0" + len(self.data).to_bytes(2, "big") + self.data if self.data else b""
        wanted = b"" if self.expected is None else (b"" if self.data else b"\0") + (self.expected & 0xFFFF).to_bytes(2, "big")
        return head + sent + wanted


@dataclass(frozen=True, slots=True)
class Response:
    """A response APDU: data and status word."""

    status: int
    data: bytes = field(default=b"", repr=False)


def parse_response(untrusted: bytes) -> Response:
    """Raises BrokenFrame for fewer than two bytes."""
    if len(untrusted) < 2:
        raise BrokenFrame(f"response of {len(untrusted)} bytes")
    return Response(int.from_bytes(untrusted[-2:], "big"), untrusted[:-2])


def exchange(transmit: Transmit, command: Command, extended: bool = False, get_response: tuple[int, int] = (0x00, 0xC0)) -> Response:
    """The full answer to ``command``: 6Cxx repeats it once with the right length, 61xx fetches the rest by GET RESPONSE (CLA, INS given).

    Raises BrokenFrame for an answer without end.
    """
    response = parse_response(transmit(command.encode(extended)))
    if response.status >> 8 == 0x6C:
        again = Command(command.cla, command.ins, command.p1, command.p2, command.data, (response.status & 0xFF) or 256)
        response = parse_response(transmit(again.encode(extended)))
    whole = bytearray(response.data)
    for _ in range(MOST_ROUNDS):
        if response.status >> 8 != 0x61:
            return Response(response.status, bytes(whole))
        more = Command(*get_response, expected=(response.status & 0xFF) or 256)
        response = parse_response(transmit(more.encode()))
        if response.status >> 8 == 0x6C and not response.data:   # T=0: the rest has another length than was announced
            response = parse_response(transmit(Command(*get_response, expected=(response.status & 0xFF) or 256).encode()))
        whole += response.data
        if len(whole) > LONGEST_ANSWER:
            break
    raise BrokenFrame("answer without end")


@dataclass(frozen=True, slots=True)
class TunnelShape:
    """How a reader wants frames wrapped. Values come from the vendor by way of the reader profile; none is built in.

    ``chained``: the command goes out in pieces of ``chunk`` bytes (class bit 0x10) and the answer comes by 61xx; otherwise one APDU each way,
    with extended lengths when ``extended``. ``preamble`` False: the reader adds and strips the five bytes AAAAAA9669 itself.
    """

    cla: int
    ins: int
    p1: int = 0
    p2: int = 0
    chained: bool = False
    extended: bool = False
    preamble: bool = True
    chunk: int = 240
    get_response: tuple[int, int] = (0x00, 0xC0)


class Tunnel:
    """Carries frames of the security module through APDUs of one shape."""

    def __init__(self, shape: TunnelShape, transmit: Transmit, preamble: bytes) -> None:
        self._shape = shape
        self._transmit = transmit
        self._preamble = preamble

    def exchange(self, frame: bytes) -> bytes:
        """The module's answer to ``frame``, preamble included. Raises NoSam where the reader knows no such command, ReaderTrouble(status) for other words."""
        sent = frame if self._shape.preamble else frame[len(self._preamble):]
        response = self._chained(sent) if self._shape.chained else self._whole(sent)
        if response.status in _UNKNOWN_TO_READER:
            raise NoSam(f"the reader does not know the tunnel ({response.status:04X})", status=f"{response.status:04X}")
        if response.status != 0x9000:
            raise ReaderTrouble(f"tunnel answered {response.status:04X}", status=f"{response.status:04X}")
        return response.data if self._shape.preamble else self._preamble + response.data

    def _command(self, data: bytes, chain: int = 0) -> Command:
        shape = self._shape
        return Command(shape.cla | chain, shape.ins, shape.p1, shape.p2, data, None if chain else 65_536 if shape.extended else 256)

    def _whole(self, sent: bytes) -> Response:
        return exchange(self._transmit, self._command(sent), self._shape.extended, self._shape.get_response)

    def _chained(self, sent: bytes) -> Response:
        size = self._shape.chunk
        pieces = [sent[start:start + size] for start in range(0, len(sent), size)] or [b""]
        for piece in pieces[:-1]:
            response = parse_response(self._transmit(self._command(piece, CHAIN_BIT).encode(self._shape.extended)))
            if response.status != 0x9000:
                return response
        return exchange(self._transmit, self._command(pieces[-1]), self._shape.extended, self._shape.get_response)
