"""Fixtures of the fault tests. Never touches the disk where a fault has nothing to do with it: a kill or a failing call is the same in memory, and quicker."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.faults.checker import readable_files
from tests.faults.promises import readable
from tests.faults.table import Outcome, write
from tests.scenes.conftest import qt_application

__all__ = ["outcome", "qt_application", "quick_folder", "shim", "temporary"]

_MEMORY = Path("/dev/shm")
_OUTCOMES = pytest.StashKey[dict[str, Outcome]]()


@pytest.fixture
def outcome(request: pytest.FixtureRequest) -> Outcome:
    """Where a test says what it did, for the fault table."""
    return _outcomes(request.config).setdefault(request.node.nodeid, Outcome(request.node.nodeid))


def _outcomes(config: pytest.Config) -> dict[str, Outcome]:
    return config.stash.setdefault(_OUTCOMES, {})


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Every test of this folder that ran has its place in the table."""
    report = yield
    if not report.skipped and report.when == "call":
        _outcomes(item.config).setdefault(item.nodeid, Outcome(item.nodeid)).passed = report.passed
    elif report.failed and item.nodeid in _outcomes(item.config):  # at its end: e.g. something readable was left
        _outcomes(item.config)[item.nodeid].passed = False
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    if told := session.config.getoption("--fault-table"):
        write(Path(told), _outcomes(session.config).values())


@pytest.fixture(autouse=True)
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder for temporary files of each test and of its children, at whose end nothing of a person may be readable in it."""
    folder = Path(tempfile.mkdtemp(prefix="t-", dir=_MEMORY if os.access(_MEMORY, os.W_OK) else None))  # short: sockets may be made in it
    for name in ("TMPDIR", "TEMP", "TMP", "SQLITE_TMPDIR"):
        monkeypatch.setenv(name, str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    try:
        yield folder
        assert [*readable_files(folder), *readable(folder)] == []
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def quick_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one (as for kills and failing calls), else an ordinary one."""
    if not os.access(_MEMORY, os.W_OK):
        yield tmp_path
        return
    folder = Path(tempfile.mkdtemp(prefix="faults-", dir=_MEMORY))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library whose file calls fail at the n-th (``failing.c``), built now."""
    library = tmp_path_factory.mktemp("shim") / "failing.so"
    source = Path(__file__).with_name("failing.c")
    subprocess.run(["gcc", "-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", "-o", str(library), str(source), "-ldl"], check=True)
    return library
