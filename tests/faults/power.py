"""Power cuts on a loop mount, in a mount namespace of its own: ``unshare -m python -m tests.faults.power FOLDER VARIANT CYCLES``. Tells the outcome as JSON.

The ext4 SHUTDOWN ioctl drops everything that was not flushed. A namespace of its own, because any other one that is made meanwhile would copy the mount
and hold the dead file system alive.
"""

from __future__ import annotations

import fcntl
import json
import os
import random
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sync.seal import PublicKeyInfo
from tests.emulators.records import new_recipient
from tests.faults.checker import faults_after
from tests.faults.keeper import keys_for

KEY = bytes(range(32))
_EXT4_SHUTDOWN, _NOLOGFLUSH = 0x8004587D, 2
_LET_GO_S = 10.0


@contextmanager
def mounted(image: Path, at: Path) -> Iterator[Path]:
    at.mkdir(exist_ok=True)
    subprocess.run(["mount", "-o", "loop", str(image), str(at)], check=True)
    try:
        yield at / "home"
    finally:
        until = time.monotonic() + _LET_GO_S
        while subprocess.run(["umount", str(at)], capture_output=True).returncode or subprocess.check_output(["losetup", "-j", str(image)]):
            if time.monotonic() > until:
                raise RuntimeError("the loop device is not let go")
            time.sleep(0.05)


def _cut(image: Path, at: Path, to: PublicKeyInfo, variant: str, number: int, wait_s: float) -> list[str]:
    """Acknowledgements that were out before the power went, ``wait_s`` after the first.

    Later ones do not count: the ioctl is no instant, and a sync that is under way while the journal is being aborted may return as if it had been done.
    """
    with mounted(image, at) as folder:
        child = subprocess.Popen([sys.executable, "-m", "tests.faults.keeper", str(folder), variant], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                 stderr=subprocess.DEVNULL, env=os.environ | {"FIRST_SERIAL": str(1 + 1000 * number)})
        assert child.stdin is not None and child.stdout is not None
        with child.stdin, child.stdout:
            child.stdin.write(f"{KEY.hex()} {to.spki_der.hex()}\n".encode())
            child.stdin.flush()
            acknowledged = child.stdout.readline()
            time.sleep(wait_s)
            descriptor = os.open(at, os.O_RDONLY)
            os.set_blocking(child.stdout.fileno(), False)
            while more := child.stdout.read():
                acknowledged += more
            fcntl.ioctl(descriptor, _EXT4_SHUTDOWN, struct.pack("I", _NOLOGFLUSH))
            os.close(descriptor)
            time.sleep(0.1)
            child.kill()
            child.wait()
    return [line for line in acknowledged.decode().splitlines() if line]


def _cycles(tmp_path: Path, variant: str, cycles: int, seed: int) -> tuple[int, int, list[str]]:
    """Cuts made, promises that were out before them, faults of the last one."""
    to = new_recipient("test")[1]
    image = tmp_path / "disk"
    with image.open("wb") as disk:
        disk.truncate(256 * 1024 * 1024)
    subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], check=True)
    chance, acknowledged = random.Random(seed), list[str]()
    for number in range(cycles):
        acknowledged += _cut(image, tmp_path / "mount", to, variant, number, chance.uniform(0.05, 1.0))
        with mounted(image, tmp_path / "mount") as folder:
            if faults := faults_after(folder, keys_for(folder, variant, KEY), to, acknowledged):
                return number + 1, len(acknowledged), faults
    return cycles, len(acknowledged), []


if __name__ == "__main__":
    done, kept, found = _cycles(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    print(json.dumps({"acknowledged": kept, "cycles": done, "faults": found}))
