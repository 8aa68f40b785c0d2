"""Fetches PySide6 6.7, the newest line that runs on ARM halls (glibc 2.31), into a folder of its own. Never into the environment of the tests.

``python -m tests.packaging.older_qt FOLDER``, where it is not there yet: the tests themselves run without a network.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

__all__ = ["OLDER", "fits", "install", "installed_in"]

OLDER = "6.7.3"


def fits() -> bool:
    """Whether there is a build of it for this Python."""
    return sys.version_info < (3, 13)


def installed_in(folder: Path) -> bool:
    """Whether it stands there, whole."""
    return (folder / "whole").exists() and (folder / "whole").read_text("ascii") == OLDER


def install(folder: Path) -> None:
    """Raises CalledProcessError, TimeoutExpired, OSError."""
    pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:", "--target", str(folder)]
    subprocess.run([*pip, f"PySide6-Essentials=={OLDER}", f"shiboken6=={OLDER}"], check=True, timeout=600)
    (folder / "whole").write_text(OLDER, "ascii")


if __name__ == "__main__":
    if fits() and not installed_in(Path(sys.argv[1])):
        try:
            install(Path(sys.argv[1]))
        except (subprocess.SubprocessError, OSError) as error:
            sys.exit(f"{type(error).__name__}: {error}")
