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
from desktop.flows.words import ReceiptWanted
from tests.scenes.desk_hands import fill_missing, key, type_pin
from tests.scenes.hall import COLLECTOR, PracticeHall
from tests.scenes.hands import press
from tests.scenes.stages import until


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeHall]:
    with PracticeHall(tmp_path_factory.mktemp("s")) as open_hall:
        yield open_hall


@pytest.fixture
def desk(hall: PracticeHall, qt_application: QApplication) -> Iterator[tuple[Desk, Any]]:
    session, window = open_face("desk", hall.home)
    window.show()
    window.activateWindow()
    session.begin()
    yield session, window
    hall.lift()
    window.close()
    assert session.close() == ()
    window.deleteLater()
    qt_application.processEvents()


def test_a_registration_by_keyboard_alone(desk: tuple[Desk, Any], hall: PracticeHall, tmp_path: Path) -> None:
    session, window = desk
    until(lambda: session.login.state.page == "pin", "the PIN page")
    type_pin(window, "of log-in")
    until(lambda: session.login.state.page == "in", "the desk")
    hall.place()
    until(lambda: session.intake.state.draft is not None and session.intake.state.draft.text("person.name_zh"), "the form filled from the card")
    key(window, Qt.Key.Key_4, Qt.KeyboardModifier.AltModifier)
    until(lambda: session.intake.state.draft.categories() == {"4"}, "the category")
    fill_missing(session, window)
    key(window, Qt.Key.Key_F9)
    until(lambda: session.review.state.page == "reading", "the review page")
    key(window, Qt.Key.Key_F9)
    until(lambda: session.review.state.page == "pin", "the PIN field")
    type_pin(window, "of the signature")
    until(lambda: session.review.state.page == "receipt", "the receipt", 40)
    receipt = session.review.state.receipt
    assert receipt.serial.startswith("R-") and receipt.name == "李练工"
    draft_owner = f"op:{COLLECTOR.id}"
    assert session.rooms().parked.list(draft_owner) == () and session.rooms().outbox.row(receipt.record_id).owner == draft_owner
    session.review.post(ReceiptWanted(receipt.record_id, str(tmp_path / "receipt.pdf")))
    until(lambda: session.review.state.saved, "the paper")
    text = subprocess.run(["pdftotext", str(tmp_path / "receipt.pdf"), "-"], capture_output=True, text=True, check=True).stdout
    assert receipt.serial in text and "练习" in text and "李练工" in text
    assert "19900512" not in text.replace(" ", "")
    press(window, "办下一位")
    until(lambda: session.review.state.page == "idle" and session.intake.state.draft is None, "the desk is free")
