"""A clerk's hands on the staff desk: keys alone. Never reaches past the window; what is there is read from the stages."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from desktop.app import Desk
from desktop.widgets.fields import FieldBox
from tests.scenes.hall import COLLECTOR
from tests.scenes.hands import type_keys
from tests.scenes.stages import until

__all__ = ["TYPED", "fill_missing", "in_front", "key", "take_picture", "type_pin"]

TYPED = {"person.mobile": "13800000000", "education.level": "初中毕业", "employer.name": "四川示例建设有限公司", "skill[0].trade": "gjg",
         "skill[0].level": "中级工", "skill[0].cert_no": "2106-0088412"}
"""What a clerk types, code fields by name or by initials of the pinyin (looks: 钢筋工 · gjg)."""

PICTURES = {"portrait": "人像 portrait", "skill_certificate": "证书 document"}


def key(window: QWidget, code: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    """A key where the keyboard is: an open list has it before the field."""
    QTest.keyClick(QApplication.activePopupWidget() or window.focusWidget() or window, code, modifier)
    in_front(window)


def in_front(window: QWidget) -> None:
    """A screen without a window manager gives the keyboard to nobody when a list closes; a real one gives it back to the window."""
    if QApplication.activePopupWidget() is None:
        window.windowHandle().requestActivate()
        QApplication.processEvents()
        widget = window.focusWidget()
        if widget is not None and not widget.hasFocus():
            widget.clearFocus()
            widget.setFocus()


def box_in_focus(window: QWidget) -> FieldBox | None:
    widget: Any = window.focusWidget()
    while widget is not None and not isinstance(widget, FieldBox):
        widget = widget.parentWidget()
    return widget


def type_pin(window: QWidget, what: str) -> None:
    QTest.keyClicks(until(lambda: window.focusWidget(), f"the PIN field {what}"), COLLECTOR.pin)
    key(window, Qt.Key.Key_Return)


def fill_missing(session: Desk, window: QWidget, tell: Callable[[str], object] = lambda words: None) -> None:
    """F9 goes to the first thing that is missing, as long as something is: type it, or take the picture. ``tell`` is told what was reached."""
    for _ in range(12):
        missing = [one.path for one in session.intake.state.issues if one.severity != "explain"]
        if not missing:
            return
        first = missing[0]
        key(window, Qt.Key.Key_F9)
        if first.startswith("stills."):
            take_picture(session, window, first.removeprefix("stills."), tell)
            continue
        place = first if "." in first else f"{first}[0]."   # a section that needs its first row
        box = until(lambda place=place: (b := box_in_focus(window)) is not None and b.path.startswith(place) and b, f"the caret in {place}")
        until(box.edit.hasFocus, f"the keyboard in {box.path}")
        type_keys(window, TYPED[box.path])
        key(window, Qt.Key.Key_Tab)
        until(lambda first=first: first not in {one.path for one in session.intake.state.issues}, f"{first} taken")
    raise AssertionError(f"still missing: {[one.path for one in session.intake.state.issues]}")


def take_picture(session: Desk, window: QWidget, kind: str, tell: Callable[[str], object] = lambda words: None) -> None:
    if session.intake.state.capture is None:
        key(window, Qt.Key.Key_F3 if kind == "portrait" else Qt.Key.Key_F4)
    until(lambda: session.intake.state.capture is not None and session.intake.state.capture.hint is not None, f"the live picture for {kind}")
    tell(f"{PICTURES.get(kind, kind)}, live picture")
    key(window, Qt.Key.Key_Space)
    until(lambda: kind in {one.kind for one in session.intake.state.draft.stills}, f"the still {kind}")
    tell(f"{PICTURES.get(kind, kind)}, taken")
    for _ in range(3):
        if session.intake.state.capture is None:
            return
        key(window, Qt.Key.Key_Escape)   # a still that was taken may close the page by itself just now: Esc then does nothing
        with contextlib.suppress(AssertionError):
            until(lambda: session.intake.state.capture is None, "the form again", 3)
    assert session.intake.state.capture is None
