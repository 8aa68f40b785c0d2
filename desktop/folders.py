"""Where this account's data lies. Never creates a store."""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ["data_folder"]


def data_folder() -> Path:
    """The data folder: ``HALL_INTAKE_HOME``, else the platform's own place. Made with mode 0700 where it does not exist. Raises OSError."""
    named = os.environ.get("HALL_INTAKE_HOME")
    if named:
        folder = Path(named)
    elif sys.platform == "win32":
        folder = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "hall-intake"
    else:
        folder = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "hall-intake"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
