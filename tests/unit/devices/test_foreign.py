"""A ``Host`` child run by another Python, without any installed package: the same answers, crashes, hangs and ends. Never needs a 32-bit machine."""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

from devices.errors import Cancelled, DriverCrashed, DriverHung, DriverMissing, TokenGone
from devices.host import Host
from devices.tokens.bits import HELPER, child_python, is_32_bit
from tests.unit.devices import plain_objects

ECHO = f"{plain_objects.__name__}:Echo"


def foreign(**patience: float) -> Host:
    return Host(ECHO, "ready", python=sys.executable, **patience)


def test_answers_and_troubles_travel() -> None:
    with foreign() as host:
        assert host.call("say", "你好") == ("ready", "你好")
        assert host.call("installed_packages") == [], "the helper has the standard library only"
        with pytest.raises(TokenGone) as caught:
            host.call("lose")
        assert caught.value.facts == {"status": "PULLED"}
        assert host.call("say", b"\0" * 3_000_000)[1] == bytes(3_000_000)
        assert host.starts == 1


def test_printing_harms_nothing() -> None:
    with foreign() as host:
        assert host.call("print_loudly") == "done"
        assert host.call("say", 1) == ("ready", 1)


def test_crash_and_hang_are_named_and_the_next_call_begins_anew() -> None:
    with foreign(call_seconds=20) as host:
        host.call("say", 1)
        with pytest.raises(DriverCrashed):
            host.call("crash")
        assert host.call("say", 2) == ("ready", 2)
        begun = time.monotonic()
        with pytest.raises(DriverHung):
            host.call("hang", seconds=0.3)
        assert time.monotonic() - begun < 5
        assert host.call("say", 3) == ("ready", 3)
        assert host.starts == 3


def test_call_off() -> None:
    import threading

    with foreign() as host:
        host.call("say", 1)
        off = threading.Event()
        off.set()
        with pytest.raises(Cancelled):
            host.call("hang", cancel=off)


def test_python_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "python").write_text("not a program")
    (tmp_path / "python").chmod(0o755)
    for path in (str(tmp_path / "python"), str(tmp_path / "nowhere"), "/bin/false"):
        with Host(ECHO, "ready", python=path) as host, pytest.raises(DriverCrashed):
            host.call("say", 1)


def test_child_ends_with_its_parent(tmp_path: Path) -> None:
    """The parent is killed outright; its child notices, also while it is in a call."""
    told = tmp_path / "pid"
    code = (
        "from devices.host import Host\nimport sys, pathlib\n"
        f"host = Host({ECHO!r}, 'ready', python=sys.executable)\n"
        f"pathlib.Path({str(told)!r}).write_text(str(host.call('own_pid')))\nhost.call('hang')\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[3])
    while not (told.exists() and told.read_text()):
        assert parent.poll() is None
        time.sleep(0.02)
    child = int(told.read_text())
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    end = time.monotonic() + 10
    while _lives(child):
        assert time.monotonic() < end, "the child outlives its parent"
        time.sleep(0.05)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (OSError, IndexError):
        return False


# -- which Python -----------------------------------------------------------------------------------------------------------------------
def library(path: Path, machine: int, sign: bytes = b"PE\0\0") -> str:
    path.write_bytes(b"MZ" + bytes(58) + struct.pack("<I", 128) + bytes(64) + sign + struct.pack("<H", machine) + bytes(64))
    return str(path)


def test_a_32_bit_library_needs_the_helper(tmp_path: Path) -> None:
    old, new = library(tmp_path / "mtoken.dll", 0x014C), library(tmp_path / "mtoken_x64.dll", 0x8664)
    program = tmp_path / "hall-intake.exe"
    assert is_32_bit(old) and not is_32_bit(new)
    assert child_python(new, str(program)) is None
    with pytest.raises(DriverMissing) as caught:
        child_python(old, str(program))
    assert caught.value.facts["library"] == old
    helper = tmp_path / HELPER
    helper.parent.mkdir()
    helper.write_bytes(b"")
    assert child_python(old, str(program)) == str(helper)


def test_files_that_are_no_library(tmp_path: Path) -> None:
    for content in (b"", b"MZ", b"\x7fELF" + bytes(100), b"MZ" + bytes(58) + b"\xff\xff\xff\xff"):
        (tmp_path / "x").write_bytes(content)
        assert not is_32_bit(str(tmp_path / "x"))
    assert not is_32_bit(str(tmp_path / "nowhere")) and not is_32_bit(library(tmp_path / "y", 0x014C, b"NE\0\0"))
