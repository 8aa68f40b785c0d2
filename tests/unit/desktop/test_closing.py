"""A face that closes while the province is silent: the line is cut, no thread is left behind."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication

from desktop.app import Desk
from desktop.faces import Verify


@pytest.mark.parametrize("face", [Desk, Verify])
@pytest.mark.parametrize("silent", [True, False])
def test_an_answer_that_does_not_come_keeps_nobody_from_closing(tmp_path: Path, qt_application: QApplication, monkeypatch: pytest.MonkeyPatch, face: Any,
                                                                silent: bool) -> None:
    for room in ("desktop.app", "desktop.faces"):
        monkeypatch.setattr(f"{room}.LAST_ANSWER_S", 0.2)
    session, cut = face(tmp_path), threading.Event()
    session._open = SimpleNamespace(province=SimpleNamespace(cut=cut.set), close=lambda wait: None, store=SimpleNamespace(damaged=False))
    early: list[bool] = []
    session.jobs.run("courier", lambda stop: cut.wait(20) if silent else early.append(stop.wait(20) and cut.is_set()))
    session.jobs.start("judge", lambda _cancel, _tell: cut.wait(20))
    started = time.monotonic()
    assert session.close() == () and time.monotonic() - started < 4
    assert cut.is_set() and early == ([] if silent else [False]), "a courier that ends by itself is not cut short"
