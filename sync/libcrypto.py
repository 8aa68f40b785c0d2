"""Verifies SM2 signatures with the libcrypto that Python's own ssl module uses, by ctypes. Never loads another library, never signs, never sees a private key.

Only that library is asked: it is trusted for TLS already, so no file name from a search path comes into a decision about signatures. Where it is missing,
older than 3, or built without SM2 (some distributions do that), ``load`` says None and ``sync.sm2`` computes by itself.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

__all__ = ["Libcrypto", "load"]

WINDOWS_NAMES = ("libcrypto-3.dll", "libcrypto-3-x64.dll", "libcrypto-3-arm64.dll")
"""What Python's installers call the library that lies beside ``_ssl.pyd``."""

_POINTER, _SIZE, _INT = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
_PROTOTYPES: dict[str, tuple[Any, list[Any]]] = {
    "OpenSSL_version_num": (ctypes.c_ulong, []),
    "d2i_PUBKEY": (_POINTER, [_POINTER, ctypes.POINTER(ctypes.c_char_p), ctypes.c_long]),
    "EVP_PKEY_CTX_new": (_POINTER, [_POINTER, _POINTER]),
    "EVP_PKEY_verify_init": (_INT, [_POINTER]),
    "EVP_PKEY_verify": (_INT, [_POINTER, ctypes.c_char_p, _SIZE, ctypes.c_char_p, _SIZE]),
    "EVP_PKEY_CTX_free": (None, [_POINTER]),
    "EVP_PKEY_free": (None, [_POINTER]),
    "ERR_clear_error": (None, []),
}


class Libcrypto:
    """The functions needed, with their prototypes. Calls release the interpreter's lock and share nothing, so threads may use one object."""

    def __init__(self, library: ctypes.CDLL) -> None:
        """Raises ``AttributeError`` where a function is missing, ``OSError`` where the library is too old."""
        for name, (answer, arguments) in _PROTOTYPES.items():
            function = getattr(library, name)
            function.restype, function.argtypes = answer, arguments
        if library.OpenSSL_version_num() >> 28 < 3:
            raise OSError("libcrypto is older than 3")
        self._library = library

    def verify(self, spki: bytes, digest: bytes, signature: bytes) -> bool:
        """Whether this key (DER SubjectPublicKeyInfo) made this signature (DER) over this ready digest. False for anything else."""
        library = self._library
        key = library.d2i_PUBKEY(None, ctypes.byref(ctypes.c_char_p(spki)), len(spki))
        context = library.EVP_PKEY_CTX_new(key, None) if key else None
        try:
            if not context or library.EVP_PKEY_verify_init(context) != 1:
                return False
            return library.EVP_PKEY_verify(context, signature, len(signature), digest, len(digest)) == 1
        finally:
            library.EVP_PKEY_CTX_free(context)
            library.EVP_PKEY_free(key)
            library.ERR_clear_error()  # the queue is the thread's, and Python's ssl reads it too


def load() -> Libcrypto | None:
    """Python's libcrypto, or None where it cannot serve. Whether it knows SM2 is for the caller to try."""
    for path in _candidates():
        try:
            return Libcrypto(ctypes.CDLL(str(path)))
        except (OSError, AttributeError):
            continue
    return None


def _candidates() -> Sequence[Path]:
    try:
        import _ssl
    except ImportError:
        return ()
    module = getattr(_ssl, "__file__", None)
    if module is None:  # built into the interpreter, which then shows the functions itself, or does not
        return (Path(sys.executable),) if sys.platform != "win32" else ()
    if sys.platform == "win32":
        return tuple(Path(module).with_name(name) for name in WINDOWS_NAMES)
    return (Path(module),)  # its own functions and those of the libraries that it needs are found through it
