"""``installer/run --practice --headless`` as a newcomer starts it: twice, on one folder. Never looks inside the application."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import practice
from tests.house.stairs import TOP
from tests.scenes.hall import PREPARED

pytestmark = pytest.mark.timeout(600)


def start(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.practice", "--headless", "--folder", str(folder), *words]
    env = {name: value for name, value in os.environ.items() if name != PREPARED} | {"HALL_INTAKE_ALONE": "1"}
    return subprocess.run(command, cwd=TOP, env=env, capture_output=True, text=True, check=False, timeout=280)


def test_whole_job_twice(tmp_path: Path) -> None:
    for number, out in enumerate((tmp_path / "first", tmp_path / "second"), 1):
        run = start(tmp_path / "hall", "--out", str(out))
        assert run.returncode == 0, run.stdout + run.stderr
        assert f"R-{_day(out)}-{number * 2 - 1:06}" in run.stdout, "the desk's receipt; the terminal's is the one after it"
        assert re.search(r"terminal: record +[0-9a-f-]{36} receipted", run.stdout)
        assert re.search(r"sheet under the camera +valid\n", run.stdout) and re.search(r"sheet in a PDF +revoked\n", run.stdout)
        assert "accepted by openssl" in run.stdout
        written = {path.name for path in out.iterdir()}
        assert {"record.json", "record.p7s", "practice-ca.pem", "receipt.pdf", "desk-01.png", "kiosk-01.png", "verify-01.png"} <= written
    assert "pictures for the cameras" not in run.stdout, "the second start builds nothing again"


def test_hall_of_another_edition_is_made_anew(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its store may have other columns: a practice that fails at the first word it saves helps nobody."""
    (tmp_path / "results").mkdir()
    for edition, kept in (("of last week", False), (practice._edition(), True)):
        (tmp_path / "home").mkdir(exist_ok=True)
        (tmp_path / "home" / "devices.json").touch()
        (tmp_path / practice.MARK).write_text(edition, "utf-8")
        with practice._held(tmp_path, anew=False):
            assert (tmp_path / "home").exists() == kept and (tmp_path / "results").exists()
        assert (tmp_path / practice.MARK).read_text("utf-8") == practice._edition()
        assert ("another edition" in capsys.readouterr().out) != kept


def _day(out: Path) -> str:
    record = json.loads((out / "record.json").read_bytes())
    assert record["type"] == "hall-intake/practice-record/1"
    return str(record["claimed_at"])[:10].replace("-", "")


def test_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine", "utf-8")
    run = start(tmp_path, "--anew")
    assert run.returncode == 1
    assert "choose another --folder" in run.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]
