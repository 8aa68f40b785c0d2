"""Vendors' libraries by ctypes, for a child process (``devices/host.py``): a reader's SDK spoken to as if it were a module, and a photo decoder.

Never loaded into the application's own process, never asks a library to write a file. A library's word about lengths is checked against what it could have
written; whatever it does beyond that is the end of the child and of nothing else.

Sources of the signatures: public headers and bindings of sdtapi (``SDT_*``), termb (``CVR_*``) and of the WLT decoders.
"""

from __future__ import annotations

import ctypes
import hashlib
import struct
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from devices.cards import sam
from devices.cards.photo import PIXEL_BYTES
from devices.errors import BrokenFrame, DriverMissing, NotPermitted, ReaderGone, ReaderTrouble, TimedOut

__all__ = ["CvrLibrary", "PhotoLibrary", "SdtLibrary"]

ROOM, FENCE = 4096, 60 * 1024
"""A library gets so many bytes to write its answer into; what it writes beyond them, into the fence, is seen afterwards."""
MARK = 0xA5
SELECTED_S = 3.0


class _Room:
    """Memory that a library writes into."""

    def __init__(self, mark: int = 0) -> None:
        self._bytes = (ctypes.c_ubyte * (ROOM + FENCE))()
        ctypes.memset(self._bytes, mark, ROOM)
        ctypes.memset(ctypes.addressof(self._bytes) + ROOM, MARK, FENCE)

    @property
    def pointer(self) -> Any:
        return ctypes.cast(self._bytes, ctypes.c_void_p)

    def taken(self, length: int, what: str) -> bytes:
        """The first ``length`` bytes. Raises BrokenFrame where the library wrote, or says that it wrote, more than it may."""
        written = bytes(self._bytes)
        if written[ROOM:] != bytes((MARK,)) * FENCE:
            raise BrokenFrame(f"the library wrote past the end of the {what}")
        if not 0 <= length <= ROOM:
            raise BrokenFrame(f"the library says that the {what} has {length} bytes")
        return written[:length]


class _Library:
    """A loaded library. Raises DriverMissing(library) where it cannot be loaded, lacks a needed function, or has another digest than it must."""

    def __init__(self, path: str, sha256: str, needed: Sequence[str]) -> None:
        self.name = Path(path).name
        try:
            found = "sha256:" + hashlib.sha256(Path(path).read_bytes()).hexdigest()
            if sha256 and found != sha256:
                raise DriverMissing(f"{self.name}: another digest than the device list says", library=self.name)
            self._loaded: Any = getattr(ctypes, "WinDLL" if sys.platform == "win32" else "CDLL")(path)
        except OSError as missing:   # absent, or for another kind of processor
            raise DriverMissing(f"{self.name}: {missing}", library=self.name) from missing
        for name in needed:
            if self.function(name) is None:
                raise DriverMissing(f"{self.name}: no function {name}", library=self.name)

    def function(self, name: str) -> Callable[..., int] | None:
        try:
            found = getattr(self._loaded, name)
        except AttributeError:
            return None
        found.restype = ctypes.c_int
        return found

    def call(self, name: str, *arguments: Any) -> int:
        """The result of a function that must be there. Raises DriverMissing."""
        function = self.function(name)
        if function is None:
            raise DriverMissing(f"{self.name}: no function {name}", library=self.name)
        return int(function(*arguments))


class SdtLibrary:
    """``SDT_*`` (sdtapi, of every maker): the results of its functions are the module's own statuses, so each call becomes an answer frame."""

    def __init__(self, path: str, sha256: str, port: int) -> None:
        self._library = _Library(path, sha256, ("SDT_OpenPort", "SDT_ClosePort", "SDT_StartFindIDCard", "SDT_SelectIDCard", "SDT_ReadBaseMsg"))
        self._port = port
        self._open = False

    def open(self) -> None:
        """Raises ReaderGone where the library finds no reader at its port."""
        self.close()
        result = self._library.call("SDT_OpenPort", self._port)
        if result != sam.DONE:
            raise _local(result)
        self._open = True

    def close(self) -> None:
        if self._open:
            self._open = False
            self._library.call("SDT_ClosePort", self._port)

    def exchange(self, frame: bytes) -> bytes:
        """The answer to a frame of the module's protocol. Raises what the library itself failed at."""
        if not self._open:
            self.open()
        command = (frame[7], frame[8])
        if command == sam.STATUS:
            return self._plain("SDT_GetSAMStatus")
        if command == sam.SAM_ID:
            return self._fixed("SDT_GetSAMID", 16)
        if command == sam.FIND:
            return self._fixed("SDT_StartFindIDCard", 4, sam.FOUND)
        if command == sam.SELECT:
            return self._fixed("SDT_SelectIDCard", 8)
        if command == sam.READ_BASE:
            return self._base()
        if command == sam.APPENDED_ADDRESS:
            return self._address()
        if command == sam.MANAGEMENT:
            return self._fixed("SDT_ReadMngInfo", 28)
        return sam.answer_frame(sam.UNKNOWN_COMMAND)

    def _plain(self, name: str) -> bytes:
        if self._library.function(name) is None:
            return sam.answer_frame(sam.DONE)
        return sam.answer_frame(_status(self._library.call(name, self._port, 0)))

    def _fixed(self, name: str, size: int, good: int = sam.DONE) -> bytes:
        """A function that fills ``size`` bytes; one that this library lacks is a command that the module does not know."""
        if self._library.function(name) is None:
            return sam.answer_frame(sam.UNKNOWN_COMMAND)
        room = _Room()
        status = _status(self._library.call(name, self._port, room.pointer, 0))
        return sam.answer_frame(status, room.taken(size, name) if status in (good, sam.DONE) else b"")

    def _base(self) -> bytes:
        text, photo, text_size, photo_size = _Room(), _Room(), ctypes.c_uint(0), ctypes.c_uint(0)
        status = _status(self._library.call(
            "SDT_ReadBaseMsg", self._port, text.pointer, ctypes.byref(text_size), photo.pointer, ctypes.byref(photo_size), 0))
        if status != sam.DONE:
            return sam.answer_frame(status)
        return _base_frame(text.taken(text_size.value, "text"), photo.taken(photo_size.value, "photo"))

    def _address(self) -> bytes:
        if self._library.function("SDT_ReadNewAppMsg") is None:
            return sam.answer_frame(sam.UNKNOWN_COMMAND)
        room, size = _Room(), ctypes.c_uint(0)
        status = _status(self._library.call("SDT_ReadNewAppMsg", self._port, room.pointer, ctypes.byref(size), 0))
        return sam.answer_frame(status, room.taken(size.value, "address")[:280] if status == sam.DONE else b"")


class CvrLibrary:
    """``CVR_*`` (termb of Huashi): find and select are one call, the text comes into memory with ``CVR_ReadBaseMsg`` (mode 1: as it came, no picture file).

    ``CVR_Read_Content`` is not used: it writes the person into files. So this family gives no newest address.
    """

    def __init__(self, path: str, sha256: str, port: int) -> None:
        self._library = _Library(path, sha256, ("CVR_InitComm", "CVR_CloseComm", "CVR_Authenticate", "CVR_ReadBaseMsg"))
        self._port = port
        self._open = False
        self._selected_at: float | None = None

    def open(self) -> None:
        """Raises ReaderGone where the library finds no reader at its port."""
        self.close()
        if self._library.call("CVR_InitComm", self._port) != 1:
            raise ReaderGone("CVR_InitComm found no reader")
        self._open = True

    def close(self) -> None:
        if self._open:
            self._open = False
            self._library.call("CVR_CloseComm")

    def exchange(self, frame: bytes) -> bytes:
        """The answer to a frame of the module's protocol, as far as this library can give one."""
        if not self._open:
            self.open()
        command = (frame[7], frame[8])
        if command in (sam.STATUS, sam.SELECT):     # the port is open; the card was selected when it was found
            return sam.answer_frame(sam.DONE)
        if command == sam.SAM_ID:
            return self._number()
        if command == sam.FIND:
            return self._find()
        if command == sam.READ_BASE:
            return self._base()
        return sam.answer_frame(sam.UNKNOWN_COMMAND)

    def _find(self) -> bytes:
        """A card that a look has just found and selected is not found a second time, so it counts as found until it was read or ``SELECTED_S`` are over."""
        result = self._library.call("CVR_Authenticate")
        now = time.monotonic()
        if result == 1:
            self._selected_at = now
        elif result == 2 and self._selected_at is not None and now - self._selected_at < SELECTED_S:
            result = 1
        return sam.answer_frame({1: sam.FOUND, 2: sam.NO_CARD, 3: 0x81}.get(result, 0x24))

    def _number(self) -> bytes:
        """The number as this library prints it; where it gives none, or another writing, the module counts as one that does not tell."""
        if self._library.function("CVR_GetSAMID") is None:
            return sam.answer_frame(sam.UNKNOWN_COMMAND)
        room = _Room()
        self._library.call("CVR_GetSAMID", room.pointer)
        number = sam.sam_number_bytes(room.taken(128, "number").split(b"\0")[0].decode("ascii", "replace").strip())
        return sam.answer_frame(sam.DONE, number) if number else sam.answer_frame(sam.UNKNOWN_COMMAND)

    def _base(self) -> bytes:
        text, photo, text_size, photo_size = _Room(), _Room(), ctypes.c_uint(256), ctypes.c_uint(1024)
        self._selected_at = None
        result = self._library.call("CVR_ReadBaseMsg", text.pointer, ctypes.byref(text_size), photo.pointer, ctypes.byref(photo_size), 1)
        if result != 1:
            return sam.answer_frame(0x41)
        return _base_frame(text.taken(text_size.value, "text"), photo.taken(photo_size.value, "photo"))


class PhotoLibrary:
    """A WLT decoder with an entry ``int entry(char *wlt, char *pixels, int argument)``, which fills 102 x 126 x 3 bytes and gives a positive number."""

    def __init__(self, path: str, sha256: str, entry: str, argument: int) -> None:
        self._library = _Library(path, sha256, (entry,))
        self._entry, self._argument = entry, argument

    def decode(self, block: bytes) -> bytes:
        """The pixels. Raises ReaderTrouble(status) where the library refuses, BrokenFrame where it wrote nothing or too much."""
        fence = FENCE
        room = (ctypes.c_ubyte * (PIXEL_BYTES + fence))()
        ctypes.memset(room, MARK, PIXEL_BYTES + fence)
        given = ctypes.create_string_buffer(block, max(len(block), ROOM))
        result = self._library.call(self._entry, given, ctypes.cast(room, ctypes.c_void_p), self._argument)
        if result <= 0:
            raise ReaderTrouble(f"the photo library answered {result}", status=str(result))
        pixels, beyond = bytes(room[:PIXEL_BYTES]), bytes(room[PIXEL_BYTES:])
        if beyond != bytes((MARK,)) * fence or pixels == bytes((MARK,)) * PIXEL_BYTES:
            raise BrokenFrame("the photo library wrote nothing, or too much")
        return pixels


def _status(result: int) -> int:
    """The module's status in a result. Raises what the library failed at by itself."""
    if result in (1, 2, 3, 5) or not 0 < result <= 0xFF:
        raise _local(result)
    return result


def _local(result: int) -> ReaderGone | TimedOut | ReaderTrouble | NotPermitted:
    """Results of the library itself: 1 port, 2 time, 3 receiving, 5 speed."""
    if result == 1:
        return ReaderGone("the library cannot open its port")
    if result == 2:
        return TimedOut("the library got no answer")
    return ReaderTrouble(f"the library answered {result}", status=str(result))


def _base_frame(text: bytes, photo: bytes) -> bytes:
    if len(text) + len(photo) > 0x09F0:
        raise BrokenFrame(f"text of {len(text)} and photo of {len(photo)} bytes")
    return sam.answer_frame(sam.DONE, struct.pack(">HH", len(text), len(photo)) + text + photo)
