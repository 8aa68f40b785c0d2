"""Whether a screen answers is told before Qt is asked, which would end the process."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from desktop.screen import screen_trouble
from tests.house.stairs import TOP


@pytest.mark.parametrize("environment", [{}, {"DISPLAY": ":7953"}, {"DISPLAY": "unix:7953.0"}, {"DISPLAY": "127.0.0.1:7953"},
                                         {"WAYLAND_DISPLAY": "wayland-7"}, {"WAYLAND_DISPLAY": "wayland-7", "XDG_RUNTIME_DIR": "/nowhere"}])
def test_a_screen_that_is_not_there_is_named(environment: dict[str, str]) -> None:
    trouble = screen_trouble(environment, "linux")
    assert trouble is not None and trouble.code == "desktop.no_screen"
    assert trouble.facts["named"] == (environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY", ""))


def test_a_screen_that_answers_is_enough(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "wayland-0"))
        server.listen()
        assert screen_trouble({"WAYLAND_DISPLAY": "wayland-0", "XDG_RUNTIME_DIR": str(tmp_path)}, "linux") is None
    with socket.create_server(("127.0.0.1", 6000 + 7954)):
        assert screen_trouble({"DISPLAY": "127.0.0.1:7954.0"}, "linux") is None
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("\0/tmp/.X11-unix/X7955")
        server.listen()
        assert screen_trouble({"DISPLAY": ":7955"}, "linux") is None


def test_what_somebody_chose_and_other_systems_are_believed() -> None:
    assert screen_trouble({"QT_QPA_PLATFORM": "offscreen"}, "linux") is None
    assert screen_trouble({}, "win32") is None
    assert screen_trouble({"DISPLAY": "/private/tmp/launch/org.xquartz:0"}, "linux") is None


def test_the_command_says_it_in_one_sentence(tmp_path: Path) -> None:
    env = {"PATH": "/usr/bin:/bin", "HALL_INTAKE_HOME": str(tmp_path), "PYTHONPATH": str(TOP)}
    run = subprocess.run([sys.executable, "-m", "desktop", "desk"], env=env, capture_output=True, text=True, check=False, timeout=60)
    assert run.returncode == 1
    assert "desktop.no_screen" in run.stderr and "Traceback" not in run.stderr and "qt.qpa" not in run.stderr
