"""Where the PIN is after a login: in no page of the token's child, in no live object of the desk. Looked at from outside, in the memory of both processes.

Freed memory of the desk may still hold a copy for a while (a Python text cannot be wiped): devices/tokens/README.md says what stands against that.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.tokens.pin_desk import MASK
from tests.emulators.ca import PracticeCa
from tests.emulators.sm2_ca import PracticeSm2Ca
from tests.emulators.softhsm import FaultyLibrary, SoftTokens
from tests.emulators.softskf import SoftSkf

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/PID/mem")
TOP = Path(__file__).resolve().parents[3]


def copies(pid: int, wanted: bytes) -> int:
    """How often these bytes stand in the memory of a process."""
    found = 0
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            place, rights, *_, name = [*line.split(), ""] if len(line.split()) == 5 else line.split()
            if "r" not in rights or name in ("[vvar]", "[vsyscall]", "[vvar_vclock]"):
                continue
            start, end = (int(one, 16) for one in place.split("-"))
            memory.seek(start)
            try:
                found += memory.read(end - start).count(wanted)
            except OSError:
                continue
    return found


@pytest.mark.parametrize("kind", ["softhsm", "faulty", "softskf"])
def test_the_pin_is_dropped_after_login(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pin = "".join(secrets.choice("0123456789") for _ in range(12))
    if kind == "softskf":
        skf = SoftSkf(tmp_path / "skf")
        skf.make_person(PracticeSm2Ca(tmp_path / "ca"), "operator", pin, "OP-000017", "张三")
        library = str(skf.path)
    else:
        soft = SoftTokens(tmp_path / "soft")
        soft.make_person(PracticeCa.make(tmp_path / "ca"), "operator", pin, "OP-000017", "张三")
        monkeypatch.setenv("SOFTHSM2_CONF", soft.env["SOFTHSM2_CONF"])
        library = FaultyLibrary(tmp_path / "faulty").path if kind == "faulty" else soft.library
    words = [sys.executable, "-m", "tests.contract.tokens.pin_desk", "skf" if kind == "softskf" else "pkcs11", str(library)]
    with subprocess.Popen(words, cwd=TOP, env=os.environ | {"PYTHONPATH": str(TOP)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as desk:
        assert desk.stdin is not None and desk.stdout is not None
        desk.stdin.write("".join(chr(ord(one) + MASK) for one in pin) + " " + hashlib.sha256(pin.encode()).hexdigest() + "\n")
        for when in ("after the login", "after a signature"):
            desk.stdin.flush()
            child, live = (int(one) for one in desk.stdout.readline().split())
            assert copies(child, pin.encode()) == 0, f"the token's child still holds the PIN {when}"
            assert live == 0, f"the desk still holds the PIN {when}"
            desk.stdin.write("\n")
        desk.stdin.close()
    assert desk.returncode == 0
    assert copies(os.getpid(), pin.encode()) > 0, "this test can find a PIN where there is one"
