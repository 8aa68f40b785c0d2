"""Locks of the operating system, so that one program at a time has a store open: the folder's file, and the store's id on this machine.

The file alone would let a copied folder be opened beside its original. Never waits and never trusts a process id in a file.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from sync.errors import StoreInUse, StoreTrouble

__all__ = ["StoreLock"]


class StoreLock:
    """Holds the file ``path`` and, once claimed, a store's id, until ``release`` or the end of the process. The file stays and is always empty."""

    def __init__(self, path: Path) -> None:
        """Raises StoreInUse where another holder is alive, StoreTrouble where the file cannot be opened."""
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StoreTrouble(f"lock: {error.strerror}", step="lock") from error
        self._let_go: Callable[[], None] | None = None
        try:
            _lock(self._descriptor)
        except OSError as error:
            os.close(self._descriptor)
            raise StoreInUse("another program holds the lock") from error
        self._held = True

    def claim(self, store_id: str) -> None:
        """Raises StoreInUse where a store of this id is open from another folder of this machine (a copy of this one)."""
        self._let_go = _claim(f"hall-intake:{store_id}")

    def release(self) -> None:
        """Gives the locks back; more than once is no fault."""
        if self._held:
            self._held = False
            if self._let_go is not None:
                self._let_go()
            os.close(self._descriptor)


if sys.platform == "win32":
    import ctypes
    import msvcrt

    _ALREADY_EXISTS = 183

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

    def _claim(name: str) -> Callable[[], None]:
        """A named mutex of the whole machine. Not tried by the project's own tests."""
        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        kernel.CreateMutexW.restype = ctypes.c_void_p
        mutex = ctypes.c_void_p(kernel.CreateMutexW(None, False, f"Global\\{name.replace(':', '-')}"))
        if ctypes.get_last_error() == _ALREADY_EXISTS:
            kernel.CloseHandle(mutex)
            raise StoreInUse("a copy of this store is open")
        return lambda: kernel.CloseHandle(mutex)
else:
    import fcntl
    import socket

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _claim(name: str) -> Callable[[], None]:
        """A socket name without a file, which the kernel forgets with its holder. Linux only; elsewhere the folder's lock stands alone."""
        holder = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        if sys.platform == "linux":
            try:
                holder.bind(b"\0" + name.encode("ascii"))
            except OSError as error:
                holder.close()
                raise StoreInUse("a copy of this store is open") from error
        return holder.close
