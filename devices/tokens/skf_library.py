"""The functions of an SKF library (GM/T 0016-2012) by ctypes; lives in a ``Host`` child. Never interprets an answer: that is ``skf_token.py``.

Needs the standard library only, so that a 32-bit Python without anything else can run it. ULONG has 32 bits everywhere, structures are packed; of DEVINFO
only four texts are read out of a larger buffer, since makers disagree about its length.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from devices.errors import DriverMissing

__all__ = ["RSA_BLOB", "SM2_BLOB", "DeviceFacts", "Handle", "SkfError", "SkfLibrary", "text_of"]

Handle = ctypes.c_void_p
ULONG = ctypes.c_uint32
_OUT_ULONG = ctypes.POINTER(ULONG)
_OUT_HANDLE = ctypes.POINTER(Handle)
_TEXT = ctypes.c_char_p
_BUFFER = ctypes.c_void_p

BUFFER_TOO_SMALL = 0x0A000020
SM2_BLOB, RSA_BLOB = 132, 268
"""Bytes of ECCPUBLICKEYBLOB and RSAPUBLICKEYBLOB: a surer way to tell keys than SKF_GetContainerType."""
DEVINFO_ROOM = 512
"""More than any maker's DEVINFO; 294 bytes by the standard."""
TEXTS = {"manufacturer": (2, 64), "issuer": (66, 64), "label": (130, 32), "serial": (162, 32)}
ANSWER_ROOM = 64 * 1024
USER = 1

_PROTOTYPES: dict[str, list[Any]] = {
    "SKF_EnumDev": [ctypes.c_int, _BUFFER, _OUT_ULONG],
    "SKF_ConnectDev": [_TEXT, _OUT_HANDLE],
    "SKF_DisConnectDev": [Handle],
    "SKF_GetDevInfo": [Handle, _BUFFER],
    "SKF_EnumApplication": [Handle, _BUFFER, _OUT_ULONG],
    "SKF_OpenApplication": [Handle, _TEXT, _OUT_HANDLE],
    "SKF_CloseApplication": [Handle],
    "SKF_GetPINInfo": [Handle, ULONG, _OUT_ULONG, _OUT_ULONG, _BUFFER],
    "SKF_VerifyPIN": [Handle, ULONG, _TEXT, _OUT_ULONG],
    "SKF_ClearSecureState": [Handle],
    "SKF_EnumContainer": [Handle, _BUFFER, _OUT_ULONG],
    "SKF_OpenContainer": [Handle, _TEXT, _OUT_HANDLE],
    "SKF_CloseContainer": [Handle],
    "SKF_ExportCertificate": [Handle, ctypes.c_int, _BUFFER, _OUT_ULONG],
    "SKF_ExportPublicKey": [Handle, ctypes.c_int, _BUFFER, _OUT_ULONG],
    "SKF_ECCSignData": [Handle, _BUFFER, ULONG, _BUFFER],
    "SKF_RSASignData": [Handle, _BUFFER, ULONG, _BUFFER, _OUT_ULONG],
}
_OPTIONAL: dict[str, list[Any]] = {"SKF_LockDev": [Handle, ULONG], "SKF_UnlockDev": [Handle]}


class SkfError(Exception):
    """A function answered with something else than SAR_OK."""

    def __init__(self, call: str, code: int) -> None:
        super().__init__(f"{call}: {code:#010x}")
        self.call = call
        self.code = code


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """The texts of DEVINFO."""

    manufacturer: str
    issuer: str
    label: str
    serial: str


def text_of(untrusted: bytes) -> str:
    """Text of a library: UTF-8 or GB 18030, up to the first NUL, printable characters only."""
    untrusted = untrusted.partition(b"\0")[0]
    try:
        text = untrusted.decode("utf-8")
    except UnicodeDecodeError:
        text = untrusted.decode("gb18030", "replace")
    return "".join(character for character in text if character.isprintable()).strip()


class SkfLibrary:
    """One library, loaded. Every method raises ``SkfError``; handles are the library's and die with the token."""

    def __init__(self, path: str) -> None:
        """Raises ``DriverMissing`` where it cannot be loaded, or is no SKF library."""
        try:
            if sys.platform == "win32":
                with os.add_dll_directory(os.path.dirname(path)):
                    library: ctypes.CDLL = ctypes.WinDLL(path)  # __stdcall, which matters for 32 bits
            else:
                library = ctypes.CDLL(path)  # releases the interpreter's lock in every call
        except OSError as error:
            raise DriverMissing(str(error), library=path) from None
        self._functions: dict[str, Callable[..., int]] = {}
        for name, arguments in (_PROTOTYPES | _OPTIONAL).items():
            function = getattr(library, name, None)
            if function is not None:
                function.argtypes, function.restype = arguments, ULONG
                self._functions[name] = function
            elif name in _PROTOTYPES:
                raise DriverMissing(f"no function {name}", library=path)

    def _call(self, name: str, *arguments: Any) -> None:
        code = self._functions[name](*arguments)
        if code:
            raise SkfError(name, code)

    def _answer(self, name: str, *arguments: Any) -> bytes:
        """Bytes of a function that tells their number first: asked with room enough, once more where it wants still more."""
        size = ULONG(ANSWER_ROOM)
        for _ in range(2):
            buffer = ctypes.create_string_buffer(size.value)
            room = size.value
            try:
                self._call(name, *arguments, buffer, ctypes.byref(size))
            except SkfError as error:
                if error.code == BUFFER_TOO_SMALL and room < size.value <= 1 << 20:
                    continue
                raise
            return buffer.raw[: min(size.value, room)]
        raise SkfError(name, BUFFER_TOO_SMALL)

    def _handle(self, name: str, *arguments: Any) -> Handle:
        handle = Handle()
        self._call(name, *arguments, ctypes.byref(handle))
        return handle

    # -- devices ------------------------------------------------------------------------------------------------------------------------
    def devices(self) -> list[bytes]:
        """Names of plugged devices."""
        return _names(self._answer("SKF_EnumDev", 1))

    def connect(self, name: bytes) -> Handle:
        return self._handle("SKF_ConnectDev", name)

    def disconnect(self, device: Handle) -> None:
        self._call("SKF_DisConnectDev", device)

    def facts(self, device: Handle) -> DeviceFacts:
        buffer = ctypes.create_string_buffer(DEVINFO_ROOM)
        self._call("SKF_GetDevInfo", device, buffer)
        return DeviceFacts(**{word: text_of(buffer.raw[at : at + size]) for word, (at, size) in TEXTS.items()})

    def lock(self, device: Handle, milliseconds: int) -> bool:
        """Keep other programs out. False where the library cannot."""
        if "SKF_LockDev" in self._functions and "SKF_UnlockDev" in self._functions:
            self._call("SKF_LockDev", device, milliseconds)
            return True
        return False

    def unlock(self, device: Handle) -> None:
        self._call("SKF_UnlockDev", device)

    # -- applications and the PIN ---------------------------------------------------------------------------------------------------------
    def applications(self, device: Handle) -> list[bytes]:
        return _names(self._answer("SKF_EnumApplication", device))

    def open_application(self, device: Handle, name: bytes) -> Handle:
        return self._handle("SKF_OpenApplication", device, name)

    def close_application(self, application: Handle) -> None:
        self._call("SKF_CloseApplication", application)

    def pin_info(self, application: Handle) -> tuple[int, int, bool]:
        """Tries at most, tries left, whether it is the factory's PIN. BOOL has 4 or 8 bytes, so it is given 8."""
        most, left, default = ULONG(), ULONG(), ctypes.c_uint64()
        self._call("SKF_GetPINInfo", application, USER, ctypes.byref(most), ctypes.byref(left), ctypes.byref(default))
        return most.value, left.value, default.value != 0

    def verify_pin(self, application: Handle, pin: str) -> tuple[int, int]:
        """One try: the library's code (0: right), and the tries left that it tells. Our copy of the PIN is overwritten."""
        left, typed = ULONG(0xFFFFFFFF), bytearray(pin.encode("utf-8") + b"\0")
        buffer = (ctypes.c_char * len(typed)).from_buffer(typed)
        try:
            return self._functions["SKF_VerifyPIN"](application, USER, ctypes.cast(buffer, _TEXT), ctypes.byref(left)), left.value
        finally:
            typed[:] = bytes(len(typed))

    def clear_login(self, application: Handle) -> None:
        self._call("SKF_ClearSecureState", application)

    # -- containers -------------------------------------------------------------------------------------------------------------------------
    def containers(self, application: Handle) -> list[bytes]:
        return _names(self._answer("SKF_EnumContainer", application))

    def open_container(self, application: Handle, name: bytes) -> Handle:
        return self._handle("SKF_OpenContainer", application, name)

    def close_container(self, container: Handle) -> None:
        self._call("SKF_CloseContainer", container)

    def signing_certificate(self, container: Handle) -> bytes:
        return self._answer("SKF_ExportCertificate", container, 1)

    def signing_key(self, container: Handle) -> bytes:
        """The public key blob: ``SM2_BLOB`` or ``RSA_BLOB`` bytes."""
        return self._answer("SKF_ExportPublicKey", container, 1)

    def sign_sm2(self, container: Handle, digest: bytes) -> bytes:
        """The 128 bytes of ECCSIGNATUREBLOB over a ready digest."""
        signature = ctypes.create_string_buffer(128)
        self._call("SKF_ECCSignData", container, digest, len(digest), signature)
        return signature.raw

    def sign_rsa(self, container: Handle, block: bytes) -> bytes:
        """PKCS#1 v1.5 of this block."""
        size, signature = ULONG(1024), ctypes.create_string_buffer(1024)
        self._call("SKF_RSASignData", container, block, len(block), signature, ctypes.byref(size))
        return signature.raw[: min(size.value, 1024)]


def _names(untrusted: bytes) -> list[bytes]:
    """A list of texts, each ended by a NUL, the last by two."""
    return [name for name in untrusted.split(b"\0\0")[0].split(b"\0") if name]
