"""A station on a small ext4 of its own that begins to fail: ``unshare -m python -m tests.faults.small_disk FOLDER VARIANT ROUNDS SEED``, outcome as JSON.

``true``: records are kept until every call on the disk answers EIO (the SHUTDOWN ioctl after flushing the log: what was synced is there, nothing else can be
done any more); ``careless``: the control takes a failed write for a good one. Then the disk is mounted anew and looked at.
"""

from __future__ import annotations

import fcntl
import json
import os
import random
import struct
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from resources.trouble import Trouble
from sync.seal import PublicKeyInfo
from tests.emulators.records import draft, new_recipient, open_room
from tests.faults.checker import faults_after
from tests.faults.power import KEY, mounted

_EXT4_SHUTDOWN, _LOGFLUSH = 0x8004587D, 1
_MOST = 6


def _fail(at: Path) -> None:
    """From now on every call on this disk answers EIO."""
    descriptor = os.open(at, os.O_RDONLY)
    fcntl.ioctl(descriptor, _EXT4_SHUTDOWN, struct.pack("I", _LOGFLUSH))
    os.close(descriptor)


def _keep_until_it_fails(at: Path, to: PublicKeyInfo, careless: bool, first: int, good: int) -> tuple[list[str], list[str]]:
    """What was said to be kept, and the codes that came out after the disk failed."""
    said, codes = list[str](), list[str]()
    with suppress(Trouble, OSError), open_room(at / "home", KEY, to) as room:
        for serial in range(first, first + good):
            said.append(f"{room.keep(serial, size=20_000)} {serial}")
        _fail(at)
        for serial in range(first + good, first + good + 3):
            one = draft(serial)
            try:
                record_id = room.keep(serial, size=20_000, record_id=one.draft_id)
            except (Trouble, OSError) as trouble:
                codes.append(trouble.code if isinstance(trouble, Trouble) else type(trouble).__name__)
                record_id = one.draft_id if careless else ""
            if record_id:
                said.append(f"{record_id} {serial}")
    return said, codes


def main() -> None:
    """Rounds over one disk."""
    folder, variant, rounds, chance = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), random.Random(int(sys.argv[4]))
    to, image = new_recipient("test")[1], folder / "disk"
    with image.open("wb") as disk:
        disk.truncate(48 * 1024 * 1024)
    subprocess.run(["mkfs.ext4", "-q", "-F", "-m", "0", str(image)], check=True)
    said, codes, faults, done = list[str](), list[str](), list[str](), 0
    for number in range(rounds):
        with mounted(image, folder / "mount"):
            more, told = _keep_until_it_fails(folder / "mount", to, variant == "careless", 1 + 1000 * number, chance.randint(1, _MOST))
        said, codes, done = said + more, codes + told, number + 1
        with mounted(image, folder / "mount") as home:
            faults = faults_after(home, KEY, to, said)
        if faults:
            break
    print(json.dumps({"rounds": done, "acknowledged": len(said), "codes": codes, "faults": faults}))


if __name__ == "__main__":
    main()
