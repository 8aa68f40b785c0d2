"""The guards of tests/conftest.py bite: each planted leak fails its test. Never leaks in this process; the sins run in a pytest of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as xml
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.house.stairs import TOP

SINS = {
    "stray log lines": "import logging\n\ndef test_sin():\n    logging.getLogger('x').warning('spilt')\n",
    "threads left running": "import threading, time\n\ndef test_sin():\n    threading.Thread(target=time.sleep, args=(4,), daemon=True).start()\n",
    "child processes left running": "import subprocess\nkept = []\n\ndef test_sin():\n    kept.append(subprocess.Popen(['sleep', '4']))\n",
    "unclosed <socket.socket": "import socket\n\ndef test_sin():\n    socket.socket()\n",
    "timer <PySide6.QtCore.QTimer": (
        "from PySide6.QtCore import QTimer\nfrom PySide6.QtWidgets import QApplication\napp = QApplication.instance() or QApplication([])\nkept = []\n\n"
        "def test_sin():\n    timer = QTimer()\n    timer.start(100000)\n    kept.append(timer)\n"
    ),
    "window <PySide6.QtWidgets.QWidget": (
        "from PySide6.QtWidgets import QApplication, QWidget\napp = QApplication.instance() or QApplication([])\nkept = []\n\n"
        "def test_sin():\n    kept.append(QWidget())\n"
    ),
}


HONEST = "import logging, pytest\n\n@pytest.mark.expects_log('spilt')\ndef test_fine():\n    logging.getLogger('x').warning('spilt')\n"


def _run(folder: Path, *tests: str) -> tuple[subprocess.CompletedProcess[str], Mapping[str, str]]:
    """One pytest over test files with these texts; what it says of each file (``""``: passed)."""
    (folder / "tests").mkdir()
    shutil.copy(TOP / "pyproject.toml", folder)
    shutil.copy(TOP / "tests/conftest.py", folder / "tests")
    for number, text in enumerate(tests):
        (folder / f"tests/test_{number}.py").write_text(text, "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--no-skips", "--junitxml=said.xml", "tests"]
    env = {**os.environ, "HALL_INTAKE_ALONE": "", "QT_QPA_PLATFORM": "offscreen"}
    run = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=100)
    said: dict[str, str] = {}
    for case in xml.parse(folder / "said.xml").iter("testcase"):
        said[case.get("classname", "")] = said.get(case.get("classname", ""), "") + "".join(case.itertext())
    return run, said


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    run, said = _run(tmp_path_factory.mktemp("sins"), *SINS.values(), HONEST)
    assert run.returncode == 1, run.stdout + run.stderr
    return said


@pytest.mark.parametrize("words", SINS)
def test_guard_bites(words: str, said: Mapping[str, str]) -> None:
    assert words in said[f"tests.test_{list(SINS).index(words)}"]


def test_honest_test_passes(said: Mapping[str, str]) -> None:
    assert said[f"tests.test_{len(SINS)}"].strip() == ""


def test_a_skip_fails_the_run(tmp_path: Path) -> None:
    run, _said = _run(tmp_path, "import pytest\n\ndef test_sin():\n    pytest.skip('not today')\n")
    assert run.returncode == 1, run.stdout + run.stderr
    assert "1 skipped: none is allowed" in run.stdout


def test_every_fault_tells_what_it_did_and_has_a_control() -> None:
    bare = [file.name for file in (TOP / "tests" / "faults").glob("test_*.py")
            if not all(f"outcome.{word}(" in file.read_text("utf-8") for word in ("ran", "control"))]
    assert bare == []
