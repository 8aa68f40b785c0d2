"""Buttons say what they do: words that come later are seen, and every button of the props panel has some. Needs no hall."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from PySide6.QtWidgets import QApplication, QLabel

from desktop.widgets.buttons import ActionButton
from desktop.widgets.style import Look
from tests.props import PropsPanel
from tests.scenes.hall import PEOPLE, PracticeHall


def seen(button: ActionButton) -> str:
    """The words that a person sees on it."""
    return " ".join(one.text() for one in button.findChildren(QLabel) if not one.isHidden())


def test_words_that_come_later_are_seen(qt_application: QApplication) -> None:
    button = ActionButton(Look(), "", kind="small")
    assert seen(button) == ""
    button.say("拔下")
    assert seen(button) == "拔下" == button.accessibleName()
    button.say("")
    assert seen(button) == ""


@pytest.mark.parametrize("face", ["desk", "kiosk", "verify"])
def test_every_button_of_the_props_says_something(qt_application: QApplication, face: str) -> None:
    hall: Any = SimpleNamespace(people={one.id: SimpleNamespace(plugged=number == 0) for number, one in enumerate(PEOPLE)})
    panel = PropsPanel(cast(PracticeHall, hall), face)
    buttons = panel.findChildren(ActionButton)
    assert buttons and all(seen(one) for one in buttons)
    if face == "desk":
        assert [seen(panel.tokens[one.id]) for one in PEOPLE] == ["拔下", "插上", "插上"]
    panel.deleteLater()
