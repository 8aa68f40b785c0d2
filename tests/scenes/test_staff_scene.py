"""The staff desk's window by keyboard alone, on the real parts: log in, card, form, pictures, review, signature, kept, receipt on paper."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from desktop.app import Desk, open_face
from tests.scenes.desk_hands import button_at_caret, caret, fill_missing, key, save_receipt, type_pin
from tests.scenes.hall import COLLECTOR, PracticeHall
from tests.scenes.stages import cleared, until


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeHall]:
    with PracticeHall(tmp_path_factory.mktemp("s")) as open_hall:
        yield open_hall


@pytest.fixture
def desk(hall: PracticeHall, qt_application: QApplication) -> Iterator[tuple[Desk, Any]]:
    session, window = open_face("desk", hall.home)
    window.show()
    window.activateWindow()
    until(window.isActiveWindow, "the keyboard in the window")
    session.begin()
    yield session, window
    cleared(hall)
    window.close()
    assert session.close() == ()
    window.deleteLater()
    qt_application.processEvents()


def test_a_registration_by_keyboard_alone(desk: tuple[Desk, Any], hall: PracticeHall, tmp_path: Path) -> None:
    session, window = desk
    until(lambda: session.login.state.page == "pin", "the PIN page")
    type_pin()
    key(Qt.Key.Key_Return)
    until(lambda: session.login.state.page == "in", "the desk")
    hall.place()
    until(lambda: session.intake.state.draft is not None and session.intake.state.draft.text("person.name_zh"), "the form filled from the card")
    assert window.desk.form.categories.isAncestorOf(caret())
    key(Qt.Key.Key_4, Qt.KeyboardModifier.AltModifier)
    assert session.intake.state.draft.categories() == {"4"}
    fill_missing(session, window)
    key(Qt.Key.Key_F9)
    until(lambda: session.review.state.page == "reading", "the review page")
    assert caret().isAncestorOf(window.review_page.sheet)
    key(Qt.Key.Key_PageDown)
    key(Qt.Key.Key_F9)
    type_pin()   # at once, while the token is still asked how many tries are left
    until(lambda: session.review.state.page == "pin", "the token's answer")
    key(Qt.Key.Key_Return)
    until(lambda: session.review.state.page == "receipt", "the receipt", 40)
    receipt = session.review.state.receipt
    assert receipt.serial.startswith("R-") and receipt.name == "李练工"
    draft_owner = f"op:{COLLECTOR.id}"
    assert session.rooms().parked.list(draft_owner) == () and session.rooms().outbox.row(receipt.record_id).owner == draft_owner
    assert button_at_caret().startswith("办下一位")
    save_receipt(tmp_path / "receipt.pdf")
    until(lambda: session.review.state.saved, "the paper")
    text = subprocess.run(["pdftotext", str(tmp_path / "receipt.pdf"), "-"], capture_output=True, text=True, check=True).stdout
    assert receipt.serial in text and "练习" in text and "李练工" in text
    assert "19900512" not in text.replace(" ", "")
    printed: list[Any] = []
    session.write_receipt = lambda facts, path: printed.append((facts.serial, path))   # no test prints on the printer of whoever runs it
    until(lambda: button_at_caret().startswith("办下一位"), "the keyboard back from the dialogue")
    key(Qt.Key.Key_F7)
    until(lambda: printed, "the print order")
    assert printed == [(receipt.serial, "")]
    key(Qt.Key.Key_Return)
    assert session.review.state.page == "idle" and session.intake.state.draft is None
    assert window.desk.waiting.isVisible()
