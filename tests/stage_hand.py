"""Opens the product's window on a practice hall and stands beside it with the props until it is closed. Never drives the product: people do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from tests.bell import Bell
from tests.props import PropsPanel
from tests.scenes.hall import COLLECTOR, PracticeHall

__all__ = ["show"]

TOP = Path(__file__).resolve().parents[1]
LOOK_MS = 150
"""How often the bell and the product are looked after; a signal that asks for the end is heard then, too."""
LEAVE_S = 10.0


def show(hall: PracticeHall, face: str, bell: Bell) -> int:
    """The product in a process of its own, as at a hall's window; the panel in this one. The product's exit code."""
    application = QApplication.instance() or QApplication(["hall-intake-practice"])
    assert isinstance(application, QApplication)
    application.setQuitOnLastWindowClosed(False)
    if face == "verify":
        hall.lay_sheet()
    panel = PropsPanel(hall, face)
    print(f"\n练习大厅: {COLLECTOR.name} 的证书 PIN 是 {COLLECTOR.pin}; 证件、证书和网线在 “练习道具” 窗口里. 关上登记台的窗口就结束.", flush=True)
    product = _start(face)
    callers: list[subprocess.Popen[bytes]] = []
    asked: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda got, _frame: asked.append(got))

    def look() -> None:
        if asked or product.poll() is not None:
            application.quit()
        elif bell.rung():
            callers.append(_start(face))  # a second start of the product brings the first one's window to the front
            panel.come()
        callers[:] = [one for one in callers if one.poll() is None]

    timer = QTimer()
    timer.setInterval(LOOK_MS)
    timer.timeout.connect(look)
    timer.start()
    panel.come()
    try:
        application.exec()
    finally:
        timer.stop()
        code = product.poll()
        for process in (product, *callers):
            _leave(process)
        panel.deleteLater()
    return 130 if asked else code or 0


def _start(face: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "desktop", face], env={**os.environ, "PYTHONPATH": str(TOP)})


def _leave(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        end = time.monotonic() + LEAVE_S
        while process.poll() is None and time.monotonic() < end:
            time.sleep(0.05)
        if process.poll() is None:
            process.kill()
            process.wait()
