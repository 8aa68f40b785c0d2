"""Byte lines to a security module: a serial port, or TCP to a serial server. The only file that knows pyserial. Never looks into a frame's data."""

from __future__ import annotations

import errno
import importlib
import socket
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from devices.base import Cancel
from devices.cards.sam import FrameParser
from devices.errors import BrokenFrame, Cancelled, DeviceTrouble, DriverMissing, NotPermitted, ReaderBusy, ReaderGone, TimedOut

__all__ = ["FrameLine", "Line", "Port", "SerialLine", "TcpLine", "ports_here"]

STEP_S = 0.05               # how often a waiting call looks at its cancel
WRITE_S = 2.0
CONNECT_S = 2.0
AFTER_BROKEN_S = 0.3        # after a broken frame a whole one may still follow: noise can look like a preamble
QUIET_S, LONGEST_QUIET_S = 0.3, 3.0
MOST_NOISE = 1 << 16        # a line that pours out bytes without a frame is no module
_LOST: tuple[type[Exception], ...] = (OSError, *((importlib.import_module("termios").error,) if sys.platform != "win32" else ()))


@dataclass(frozen=True, slots=True)
class Port:
    """A serial port of this machine. ``usb``: vendor and product of its adapter, None for a built-in one."""

    name: str
    usb: tuple[int, int] | None = None
    serial: str = ""


class Line(Protocol):
    """Both ways, bytes. Every call raises ``ReaderGone`` where the line is cut."""

    def send(self, frame: bytes) -> None: ...

    def receive(self) -> bytes:
        """What has come, or nothing after STEP_S."""
        ...

    def speed(self, baud: int) -> None: ...

    def close(self) -> None: ...


def ports_here() -> tuple[Port, ...]:
    """Serial ports of this machine. Raises DriverMissing where pyserial cannot be loaded."""
    found: Iterable[Any] = _library("serial.tools.list_ports").comports()
    return tuple(Port(str(port.device), None if port.vid is None else (int(port.vid), int(port.pid)), str(port.serial_number or "")) for port in found)


class SerialLine:
    """A serial port, 8N1, held by us alone. Raises ReaderGone, ReaderBusy, NotPermitted, DriverMissing."""

    def __init__(self, port: str, baud: int) -> None:
        library = _library("serial")
        try:
            self._port: Any = library.Serial(port, baud, timeout=STEP_S, write_timeout=WRITE_S, exclusive=None if sys.platform == "win32" else True)
        except (*_LOST, ValueError) as failed:
            raise _refused(port, failed) from failed

    def send(self, frame: bytes) -> None:
        try:
            self._port.reset_input_buffer()
            self._port.write(frame)
            self._port.flush()
        except _LOST as cut:
            raise ReaderGone(f"serial port: {type(cut).__name__}") from cut

    def receive(self) -> bytes:
        try:
            first = bytes(self._port.read(1))
            return first + bytes(self._port.read(self._port.in_waiting)) if first else b""
        except (*_LOST, TypeError) as cut:   # pyserial answers with a TypeError where another thread has closed the port
            raise ReaderGone(f"serial port: {type(cut).__name__}") from cut

    def speed(self, baud: int) -> None:
        try:
            self._port.baudrate = baud
        except (*_LOST, ValueError) as cut:
            raise ReaderGone(f"serial port: speed {baud}: {type(cut).__name__}") from cut

    def close(self) -> None:
        """Lets the port go. Safe where the device went before."""
        try:
            self._port.close()
        except _LOST:
            self._port = None


class TcpLine:
    """A raw TCP connection to a serial server (its own settings decide the speed). Raises ReaderGone where nobody listens."""

    def __init__(self, host: str, port: int) -> None:
        try:
            self._socket = socket.create_connection((host, port), CONNECT_S)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as failed:
            raise ReaderGone(f"serial server {host}:{port}: {type(failed).__name__}") from failed

    def send(self, frame: bytes) -> None:
        try:
            self._socket.settimeout(WRITE_S)
            self._socket.sendall(frame)
        except OSError as cut:
            raise ReaderGone(f"serial server: {type(cut).__name__}") from cut

    def receive(self) -> bytes:
        try:
            self._socket.settimeout(STEP_S)
            received = self._socket.recv(4096)
        except TimeoutError:
            return b""
        except OSError as cut:
            raise ReaderGone(f"serial server: {type(cut).__name__}") from cut
        if not received:
            raise ReaderGone("serial server closed the line")
        return received

    def speed(self, baud: int) -> None:
        """Nothing to do here: the server knows the speed."""

    def close(self) -> None:
        self._socket.close()


class FrameLine:
    """Frames over a line. An answer may come in any pieces, with noise before it."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def exchange(self, frame: bytes, seconds: float, cancel: Cancel) -> bytes:
        """The bytes up to the end of the answer to ``frame``. Raises TimedOut, Cancelled, BrokenFrame (after none better came), ReaderGone."""
        self._line.send(frame)
        parser, received = FrameParser(), 0
        end, broken = time.monotonic() + seconds, None
        while time.monotonic() < end:
            if cancel.is_set():
                raise Cancelled("while the reader was working")
            piece = self._line.receive()
            received += len(piece)
            if received > MOST_NOISE:
                raise BrokenFrame("bytes without end")
            try:
                if _whole(parser, piece):
                    return parser.frame
            except BrokenFrame as noise:   # a whole frame may still follow, but not for long
                end, broken = min(end, time.monotonic() + AFTER_BROKEN_S), noise
        raise broken or TimedOut(f"no answer within {seconds:.1f} s")

    def settle(self, cancel: Cancel) -> None:
        """Waits until the line is quiet: a late answer to an earlier question must not be taken for the answer to the next."""
        end = time.monotonic() + LONGEST_QUIET_S
        quiet_since = time.monotonic()
        while time.monotonic() - quiet_since < QUIET_S and time.monotonic() < end and not cancel.is_set():
            if self._line.receive():
                quiet_since = time.monotonic()

    def speed(self, baud: int) -> None:
        self._line.speed(baud)

    def close(self) -> None:
        self._line.close()


def _whole(parser: FrameParser, piece: bytes) -> bool:
    """Whether a frame is whole with ``piece``. A broken one is told once no whole one stands behind it; the parser goes on from there."""
    broken: BrokenFrame | None = None
    while True:
        try:
            if parser.feed(piece) is not None:
                return True
        except BrokenFrame as noise:
            broken, piece = noise, b""
            continue
        if broken is not None:
            raise broken
        return False


def _library(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as missing:
        raise DriverMissing(f"{name}: {missing}", library="pyserial") from missing


def _refused(port: str, failed: Exception) -> DeviceTrouble:
    """Why a port did not open. On Windows a port that another program holds says "access denied"."""
    number = getattr(failed, "errno", None)
    text = str(failed)
    if number in (errno.EBUSY, errno.EAGAIN) or "exclusively lock" in text or (sys.platform == "win32" and "PermissionError" in text):
        return ReaderBusy(f"{port} is held by another program")
    if number in (errno.EACCES, errno.EPERM):
        return NotPermitted(f"{port}: no permission")
    return ReaderGone(f"{port}: {type(failed).__name__} {number or ''}".rstrip())
