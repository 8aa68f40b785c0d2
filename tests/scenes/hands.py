"""Hands on a window: press what can be seen, type what can be typed. Never reaches past the widgets."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QInputMethodEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget

from tests.scenes.stages import until

__all__ = ["drop", "press", "seen", "type_keys"]


def seen(window: QWidget, words: str) -> QAbstractButton | None:
    """The visible, usable button whose words begin so."""
    for button in window.findChildren(QAbstractButton):
        if button.isVisible() and button.isEnabled() and button.text().startswith(words):
            return button
    return None


def press(window: QWidget, words: str, seconds: float = 20.0) -> None:
    """Wait for the button, then click it with the mouse."""
    button = until(lambda: seen(window, words), f"the button {words}", seconds)
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def type_keys(window: QWidget, text: str) -> None:
    """Type where the focus is: keys for ASCII, and what is beyond as an input method brings it."""
    target = window.focusWidget() or window
    if text.isascii():
        for sign in text:
            QTest.keyClicks(target, sign)
            QApplication.processEvents()   # nobody types two keys within one turn of the event loop
        return
    brought = QInputMethodEvent()
    brought.setCommitString(text)
    QApplication.sendEvent(target, brought)


def drop(target: QWidget, file: Path) -> None:
    """Pull a file onto a widget and let go."""
    held = QMimeData()
    held.setUrls([QUrl.fromLocalFile(str(file))])
    where, copying, button, free = target.rect().center(), Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(target, QDragEnterEvent(QPoint(where), copying, held, button, free))
    QApplication.sendEvent(target, QDropEvent(QPointF(where), copying, held, button, free))
