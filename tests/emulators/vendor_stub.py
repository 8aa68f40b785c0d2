"""Builds the stub of vendors' reader libraries with the C compiler. Never loads it: that is what child processes are for."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

__all__ = ["build_stub", "why_not_here"]

SOURCE = Path(__file__).with_suffix(".c")


def why_not_here() -> str:
    """Why the stub cannot be built here; an empty string when it can."""
    return "" if shutil.which("gcc") else "gcc is not installed"


def build_stub(folder: Path, *flags: str, name: str = "libvendor.so") -> Path:
    """The stub as a shared library in ``folder``."""
    library = folder / name
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", *flags, "-o", str(library), str(SOURCE)], check=True)
    return library
