"""Drives stages without a window and waits for what they show. Never sleeps for a fixed time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QEventLoop
from PySide6.QtWidgets import QApplication

__all__ = ["until"]


def until(fits: Callable[[], Any], what: str, seconds: float = 20.0) -> Any:
    """Let events pass until ``fits()`` is true, and give its answer. Raises AssertionError that names what was waited for."""
    application = QApplication.instance()
    assert application is not None
    end = time.monotonic() + seconds
    while not (answer := fits()):
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds:.0f} s for: {what}")
        application.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)
        time.sleep(0.005)
    return answer
