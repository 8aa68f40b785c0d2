"""The windows on the newest Qt that runs on ARM halls. Sweep only; ``installer/test --sweep`` fetches it (``older_qt.py``)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.packaging.older_qt import OLDER, fits, install, installed_in

TOP = Path(__file__).resolve().parents[2]


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """HALL_INTAKE_OLDER_QT names a folder where it was put: an own network namespace has no way out."""
    given = os.environ.get("HALL_INTAKE_OLDER_QT", "")
    folder = Path(given) if given else tmp_path / "qt"
    if not installed_in(folder):
        try:
            install(folder)
        except (subprocess.SubprocessError, OSError) as error:
            pytest.skip(f"the older Qt cannot be fetched here: {type(error).__name__}; python -m tests.packaging.older_qt FOLDER, set HALL_INTAKE_OLDER_QT")
    return folder


@pytest.mark.sweep
@pytest.mark.timeout(900)
@pytest.mark.skipif(not fits(), reason="PySide6 6.7 has no build for Python 3.13")
def test_windows_and_flows_run_on_the_older_qt(older: Path) -> None:
    env = os.environ | {"PYTHONPATH": f"{older}{os.pathsep}{TOP}", "QT_QPA_PLATFORM": "offscreen"}
    asked = [sys.executable, "-c", "import PySide6.QtCore as q; print(q.qVersion())"]
    version = subprocess.run(asked, env=env, cwd=TOP, capture_output=True, text=True, check=True)
    assert version.stdout.strip() == OLDER
    tests = ["tests/flows", "tests/unit/desktop", "tests/scenes/test_kiosk_scene.py", "tests/scenes/test_desk_stages.py"]
    suite = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests]
    run = subprocess.run(suite, env=env, cwd=TOP, capture_output=True, text=True, timeout=800)
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-2000:]
