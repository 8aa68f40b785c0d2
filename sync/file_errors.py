"""The operating system's file errors by our names. Never swallows one."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from sync.errors import DiskFull, StoreTrouble

__all__ = ["FULL", "free_bytes", "named_file_errors"]

FULL = {errno.ENOSPC, errno.EDQUOT} if hasattr(errno, "EDQUOT") else {errno.ENOSPC}


def free_bytes(folder: Path) -> int:
    """Free bytes on the disk of ``folder``. Raises OSError."""
    return shutil.disk_usage(folder).free


@contextmanager
def named_file_errors(step: str, folder: Path) -> Generator[None]:
    """DiskFull where the disk of ``folder`` is full, StoreTrouble (step ``disk``) for every other OSError; a reader that went away is no file's error."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        if error.errno in FULL:
            raise DiskFull(step, free=free_bytes(folder), needed=0) from error
        raise StoreTrouble(f"{step}: {error.strerror}", step="disk") from error
