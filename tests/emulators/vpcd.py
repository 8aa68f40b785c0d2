"""The card side of vsmartcard's virtual reader: a TCP client that answers what the reader driver asks. Never knows what the APDUs mean.

Protocol (vsmartcard ``ifd-vpcd.c``): both ways a 2-byte big-endian length and the payload; from the driver one byte is a control code
(00 off, 01 on, 02 reset, 04 answer to reset; only 04 is answered), anything longer a command APDU.

A limit of the service (pcscd 1.9.9, measured): when somebody connects in the 0.4 s between a pull and the next poll of presence, and another card is put
down within that time, the service says "empty" until that card is lifted again. So a scene that changes cards waits for "lifted" in between, as people do.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from typing import Protocol

from tests.emulators.pcscd import FIRST_PORT

__all__ = ["CardPulled", "VirtualCard", "VirtualSlot"]

OFF, ON, RESET, GET_ATR = b"\x00", b"\x01", b"\x02", b"\x04"


class CardPulled(Exception):
    """Raised by a card in the middle of an answer: the line is cut at once, nothing is answered."""


class VirtualCard(Protocol):
    """What lies on the virtual reader."""

    atr: bytes

    def power(self, code: bytes) -> None:
        """OFF, ON or RESET: the card forgets its state."""
        ...

    def transmit(self, apdu: bytes) -> bytes:
        """The response to a command, with status bytes. May sleep, or raise CardPulled."""
        ...


class VirtualSlot:
    """One slot of the virtual reader. ``place`` is seen by the service within half a second, ``lift`` within about one."""

    def __init__(self, slot: int = 0, host: str = "127.0.0.1") -> None:
        self._address = (host, FIRST_PORT + slot)
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None

    def place(self, card: VirtualCard) -> None:
        """Puts ``card`` down; what lay there is lifted before."""
        self.lift()
        line = socket.create_connection(self._address, timeout=5)
        line.settimeout(None)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = line
        self._thread = threading.Thread(target=_serve, args=(line, card), name="virtual card", daemon=True)
        self._thread.start()

    def lift(self) -> None:
        """Takes the card away. Safe when none lies there."""
        line, thread = self._socket, self._thread
        self._socket = self._thread = None
        if line is not None:
            _cut(line)
        if thread is not None and thread is not threading.current_thread():
            thread.join(5)


def _cut(line: socket.socket) -> None:
    with contextlib.suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
    line.close()


def _serve(line: socket.socket, card: VirtualCard) -> None:
    try:
        while (message := _receive(line)) is not None:
            if len(message) == 1:
                if message == GET_ATR:
                    _send(line, card.atr)
                else:
                    card.power(message)
            else:
                _send(line, card.transmit(message))
    except (CardPulled, OSError):
        pass
    finally:
        _cut(line)


def _receive(line: socket.socket) -> bytes | None:
    head = _exactly(line, 2)
    return None if head is None else _exactly(line, struct.unpack(">H", head)[0])


def _exactly(line: socket.socket, size: int) -> bytes | None:
    held = b""
    while len(held) < size:
        more = line.recv(size - len(held))
        if not more:
            return None
        line.setsockopt(socket.IPPROTO_TCP, getattr(socket, "TCP_QUICKACK", 12), 1)   # else each exchange waits 40 ms for a delayed ACK
        held += more
    return held


def _send(line: socket.socket, payload: bytes) -> None:
    line.sendall(struct.pack(">H", len(payload)) + payload)
