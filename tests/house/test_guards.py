"""The guards of tests/conftest.py bite: each planted leak fails its test. Never leaks in this process; every sin runs in a pytest of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.stairs import TOP

SINS = {
    "stray log lines": "import logging\n\ndef test_sin():\n    logging.getLogger('x').warning('spilt')\n",
    "threads left running": "import threading, time\n\ndef test_sin():\n    threading.Thread(target=time.sleep, args=(3,), daemon=True).start()\n",
    "child processes left running": "import subprocess\nkept = []\n\ndef test_sin():\n    kept.append(subprocess.Popen(['sleep', '4']))\n",
    "unclosed <socket.socket": "import socket\n\ndef test_sin():\n    socket.socket()\n",
    "timer <PySide6.QtCore.QTimer": (
        "from PySide6.QtCore import QTimer\nfrom PySide6.QtWidgets import QApplication\napp = QApplication([])\nkept = []\n\n"
        "def test_sin():\n    timer = QTimer()\n    timer.start(100000)\n    kept.append(timer)\n"
    ),
    "window <PySide6.QtWidgets.QWidget": (
        "from PySide6.QtWidgets import QApplication, QWidget\napp = QApplication([])\nkept = []\n\ndef test_sin():\n    kept.append(QWidget())\n"
    ),
    "1 skipped: none is allowed": "import pytest\n\ndef test_sin():\n    pytest.skip('not today')\n",
}


def _run(folder: Path, test: str) -> subprocess.CompletedProcess[str]:
    (folder / "tests").mkdir()
    shutil.copy(TOP / "pyproject.toml", folder)
    shutil.copy(TOP / "tests/conftest.py", folder / "tests")
    (folder / "tests/test_sin.py").write_text(test, "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--no-skips", "tests"]
    env = {**os.environ, "HALL_INTAKE_ALONE": "", "QT_QPA_PLATFORM": "offscreen"}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("words", SINS)
def test_guard_bites(words: str, tmp_path: Path) -> None:
    run = _run(tmp_path, SINS[words])
    assert run.returncode == 1, run.stdout + run.stderr
    assert words in run.stdout


def test_honest_test_passes(tmp_path: Path) -> None:
    run = _run(tmp_path, "import logging, pytest\n\n@pytest.mark.expects_log('spilt')\ndef test_fine():\n    logging.getLogger('x').warning('spilt')\n")
    assert run.returncode == 0, run.stdout + run.stderr
