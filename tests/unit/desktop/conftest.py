"""What tests of windows share: the one Qt application of the process."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(scope="session")
def qt_application():
    """Offscreen unless a screen was asked for."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtWidgets import QApplication

    return QApplication.instance() or QApplication(["hall-intake"])
