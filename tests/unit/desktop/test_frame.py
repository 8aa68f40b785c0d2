"""A face whose store turns out to be damaged goes back to its first page and says so there; trying again does not open it beside itself."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from PySide6.QtWidgets import QApplication, QLabel, QWidget

from desktop.faces import Verify
from desktop.frame import framed
from desktop.messages import Words, say_code
from desktop.widgets.opening import OpeningPage
from desktop.widgets.style import Look
from sync.errors import StoreDamaged


def test_damage_brings_the_first_page_back_with_its_words(tmp_path: Path, qt_application: QApplication) -> None:
    session, frame = framed(Verify(tmp_path), Look(), Words("zh_CN"))
    try:
        shown = QWidget()
        frame.addWidget(shown)  # type: ignore[attr-defined]
        frame.setCurrentWidget(shown)  # type: ignore[attr-defined]
        session.damaged.emit(StoreDamaged("a page"))
        page: Any = frame.currentWidget()  # type: ignore[attr-defined]
        assert isinstance(page, OpeningPage)
        assert say_code("store.damaged", "zh_CN").title in {one.text() for one in page.findChildren(QLabel)}
        said: list[Any] = []
        session.failed.connect(said.append)
        session._open = SimpleNamespace(store=SimpleNamespace(damaged=True), close=lambda wait: None, province=SimpleNamespace(cut=lambda: None))  # type: ignore[assignment]
        session.begin()
        assert [type(one) for one in said] == [StoreDamaged]
    finally:
        assert session.close() == ()
        frame.deleteLater()
