"""A clerk's hands on the staff desk: keys alone, where the keyboard is. Never reaches past the window; what is there is read from the stages.

Nothing waits for the caret: whatever a page shows, the next key is meant for it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QFileDialog, QLineEdit, QWidget

from desktop.app import Desk
from desktop.staff.window import StaffWindow
from desktop.widgets.fields import FieldBox
from tests.scenes.hall import COLLECTOR
from tests.scenes.hands import type_keys
from tests.scenes.stages import until

__all__ = ["TYPED", "button_at_caret", "caret", "field_at_caret", "fill_missing", "key", "save_receipt", "take_picture", "type_pin"]

TYPED = {"person.mobile": "13800000000", "education.level": "初中毕业", "employer.name": "四川示例建设有限公司", "skill[0].trade": "gjg",
         "skill[0].level": "高级工", "skill[0].cert_no": "2106-0088412"}
"""What a clerk types, code fields by name or by initials of the pinyin (looks: 钢筋工 · gjg)."""

PICTURES = {"portrait": "人像 portrait", "skill_certificate": "证书 document"}


def caret() -> QWidget:
    """The widget that the next key goes to. It is seen and usable, or a person types into nothing."""
    widget = QApplication.activePopupWidget() or QApplication.focusWidget()
    assert widget is not None, f"nobody has the keyboard; the active window is {QApplication.activeWindow()}"
    assert widget.isVisible() and widget.isEnabled(), f"the keyboard is in something that cannot be seen or used: {widget}"
    return widget


def key(code: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    """One key where the keyboard is: an open list has it before the field."""
    QTest.keyClick(caret(), code, modifier)
    QApplication.processEvents()


def field_at_caret() -> FieldBox | None:
    widget: Any = caret()
    while widget is not None and not isinstance(widget, FieldBox):
        widget = widget.parentWidget()
    return widget


def button_at_caret() -> str:
    widget = caret()
    return widget.text() if isinstance(widget, QAbstractButton) else ""


def type_pin() -> None:
    """Into whatever has the caret: it must be a PIN field already."""
    field = caret()
    assert isinstance(field, QLineEdit) and field.echoMode() == QLineEdit.EchoMode.Password, field
    QTest.keyClicks(field, COLLECTOR.pin)
    assert len(field.text()) == len(COLLECTOR.pin)


def missing(session: Desk) -> list[str]:
    return [one.path for one in session.intake.state.issues if one.severity != "explain"]


def fill_missing(session: Desk, window: StaffWindow, tell: Callable[[str], object] = lambda words: None) -> None:
    """F9 goes to the first thing that is missing, as long as something is: type it, or take the picture. ``tell`` is told what was reached."""
    for _ in range(12):
        if not (open_ := missing(session)):
            return
        first = open_[0]
        key(Qt.Key.Key_F9)
        if first.startswith("stills."):
            take_picture(session, window, first.removeprefix("stills."), tell)
            continue
        box = field_at_caret()
        assert box is not None, f"F9 for {first} leaves the caret in {caret()}"
        assert box.path.startswith(first if "." in first else f"{first}[0]."), box.path   # a section that needs its first row
        type_keys(window, TYPED[box.path])
        key(Qt.Key.Key_Tab)
        assert first not in missing(session), f"{first} is not taken"
        after = field_at_caret()
        assert after is not None and after is not box, "Tab goes on to the next field"
    raise AssertionError(f"still missing: {missing(session)}")


def take_picture(session: Desk, window: StaffWindow, kind: str, tell: Callable[[str], object] = lambda words: None) -> None:
    """Esc at once goes back to the form; the second time the picture is taken, and Esc goes back again."""
    assert session.intake.state.capture.kind == kind and button_at_caret().startswith("拍")
    key(Qt.Key.Key_Escape)
    assert session.intake.state.capture is None and window.desk.form.isAncestorOf(caret())
    key(Qt.Key.Key_F3 if kind == "portrait" else Qt.Key.Key_F4)
    assert session.intake.state.capture.kind == kind and button_at_caret().startswith("拍")
    until(lambda: session.intake.state.capture.hint is not None, f"the live picture for {kind}")
    tell(f"{PICTURES.get(kind, kind)}, live picture")
    key(Qt.Key.Key_Space)
    assert session.intake.state.capture.taking
    until(lambda: kind in {one.kind for one in session.intake.state.draft.stills}, f"the still {kind}")
    tell(f"{PICTURES.get(kind, kind)}, taken")
    if kind != "portrait":   # a document may have more pages; a portrait closes the page by itself
        assert button_at_caret().startswith("拍")
        key(Qt.Key.Key_Escape)
    assert session.intake.state.capture is None and window.desk.form.isAncestorOf(caret())


def save_receipt(path: Path) -> None:
    """Ctrl+S opens a dialogue without a loop of its own; the keyboard is in its name field."""
    key(Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    dialogue = until(lambda: next((one for one in QApplication.topLevelWidgets() if isinstance(one, QFileDialog) and one.isVisible()), None), "the dialogue")
    until(lambda: dialogue.isAncestorOf(QApplication.focusWidget()), "the keyboard in the dialogue")
    field = caret()
    assert isinstance(field, QLineEdit) and field.text().startswith("R-") and field.text().endswith(".pdf")
    field.selectAll()
    type_keys(dialogue, str(path))
    key(Qt.Key.Key_Return)
