"""The child of the read-only test: a store on a disk that can only be read. ``python -m tests.faults.read_only HOME TO``, what came out as one JSON object."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

from resources.trouble import Trouble
from sync.blobs import Blobs
from sync.carry_out import export_files
from sync.store import Store

KEY = bytes(32)


def _out(act: Callable[[], object]) -> str:
    try:
        act()
    except Trouble as trouble:
        return trouble.code
    return "done"


def main() -> None:
    """Opening and writing are refused by name; the packets can still be brought to safety."""
    home, to = Path(sys.argv[1]), Path(sys.argv[2])
    print(json.dumps({"open": _out(lambda: Store.open(home, KEY)), "write": _out(lambda: Blobs(home / "blobs", room=0, reserve=0).write(b"x")),
                      "export": _out(lambda: export_files(home, to))}))


if __name__ == "__main__":
    main()
