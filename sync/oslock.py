"""One lock file of the operating system, so that one program at a time has a store open. Never waits and never trusts a process id in a file."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from sync.errors import StoreInUse, StoreTrouble

__all__ = ["FolderLock"]


class FolderLock:
    """Holds ``path`` locked until ``release`` or the end of the process. The file stays and is always empty."""

    def __init__(self, path: Path) -> None:
        """Raises StoreInUse where another holder is alive, StoreTrouble where the file cannot be opened."""
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StoreTrouble(f"lock: {error.strerror}", step="lock") from error
        try:
            _lock(self._descriptor)
        except OSError as error:
            os.close(self._descriptor)
            raise StoreInUse("another program holds the lock") from error
        self._held = True

    def release(self) -> None:
        """Gives the lock back; more than once is no fault."""
        if self._held:
            self._held = False
            os.close(self._descriptor)


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
