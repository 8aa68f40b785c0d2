"""Closes the side doors through which plaintext of a person could reach the disk: core dumps, wide file modes. Never touches the store."""

from __future__ import annotations

import ctypes
import os
import sys

__all__ = ["harden"]

_PR_SET_DUMPABLE = 4  # linux/prctl.h


def harden() -> None:
    """No core dumps of this process and its children, no memory to debuggers of the same account, new files for this account only.

    Called first thing in ``main``; on Windows core dumps are a matter of the system's settings (Windows Error Reporting is told off here).
    """
    os.umask(0o077)
    if sys.platform == "win32":
        # SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX: no dialog and no local dump by Windows Error Reporting
        ctypes.windll.kernel32.SetErrorMode(0x0001 | 0x0002)
        return
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
