"""The windows on PySide6 6.7, the newest line that runs on ARM halls (glibc 2.31). Sweep only: fetches another Qt."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
OLDER = "6.7.3"


@pytest.mark.sweep
@pytest.mark.timeout(900)
@pytest.mark.skipif(sys.version_info >= (3, 13), reason="PySide6 6.7 has no build for Python 3.13")
def test_windows_and_flows_run_on_the_older_qt(tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:", "--target", str(tmp_path / "qt")]
    subprocess.run([*pip, f"PySide6-Essentials=={OLDER}", f"shiboken6=={OLDER}"], check=True, timeout=600)
    env = os.environ | {"PYTHONPATH": f"{tmp_path / 'qt'}{os.pathsep}{TOP}", "QT_QPA_PLATFORM": "offscreen"}
    asked = [sys.executable, "-c", "import PySide6.QtCore as q; print(q.qVersion())"]
    version = subprocess.run(asked, env=env, cwd=TOP, capture_output=True, text=True, check=True)
    assert version.stdout.strip() == OLDER
    tests = ["tests/flows", "tests/unit/desktop", "tests/scenes/test_kiosk_scene.py", "tests/scenes/test_desk_stages.py"]
    suite = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests]
    run = subprocess.run(suite, env=env, cwd=TOP, capture_output=True, text=True, timeout=800)
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-2000:]
