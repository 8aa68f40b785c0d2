"""Which Python runs a token library's child: a library for 32-bit Windows needs a 32-bit one. Never loads the library: it reads the head of its file."""

from __future__ import annotations

import struct
import sys
from pathlib import Path

from devices.errors import DriverMissing

__all__ = ["HELPER", "child_python", "is_32_bit"]

HELPER = Path("python32") / "python.exe"
"""The 32-bit Python beside the program, put there by the Windows installer. It needs the standard library only, and can serve SKF only."""
I386 = 0x014C
"""IMAGE_FILE_MACHINE_I386 of the PE header."""


def is_32_bit(library: str) -> bool:
    """Whether this file is a library for 32-bit Windows. False for all other files, also for those that are none."""
    try:
        with Path(library).open("rb") as file:
            head = file.read(64)
            if len(head) < 64 or head[:2] != b"MZ":
                return False
            file.seek(struct.unpack_from("<I", head, 60)[0])
            sign, machine = struct.unpack("<4sH", file.read(6))
    except (OSError, struct.error, OverflowError):
        return False
    return sign == b"PE\0\0" and machine == I386


def child_python(library: str, program: str = sys.executable) -> str | None:
    """The Python for this library's child, or None: the one that runs now. Raises ``DriverMissing`` where a 32-bit one is needed and not there."""
    if sys.maxsize < 2**32 or not is_32_bit(library):
        return None
    helper = Path(program).with_name(HELPER.parts[0]) / HELPER.name
    if not helper.is_file():
        raise DriverMissing("a library for 32-bit programs, and there is no 32-bit helper", library=library)
    return str(helper)
