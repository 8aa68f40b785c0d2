"""One registration through the desk's stages, on the real parts: card, token, keyring, province. The windows have scenes of their own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from desktop.app import Desk
from tests.scenes.hall import COLLECTOR, PracticeHall
from tests.scenes.stages import capture, cleared, log_in, reviewed, signed, type_in, until


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeHall]:
    with PracticeHall(tmp_path_factory.mktemp("h")) as open_hall:
        yield open_hall


@pytest.fixture
def desk(hall: PracticeHall, qt_application: QApplication) -> Iterator[Desk]:
    open_desk = Desk(hall.home)
    open_desk.begin()
    yield open_desk
    cleared(hall)
    assert open_desk.close() == ()


def test_from_card_to_receipt(desk: Desk, hall: PracticeHall, tmp_path: Path) -> None:
    log_in(desk, COLLECTOR.pin)
    hall.place()
    until(lambda: desk.intake.state.draft and desk.intake.state.draft.text("person.name_zh"), "the form filled from the card")
    type_in(desk)
    capture(desk)
    state = desk.intake.state
    assert [one.code for one in state.issues if one.severity != "explain"] == []
    assert state.draft.entries["person.name_zh"].source == "chip"
    sheet = reviewed(desk)
    assert sheet.record["sections"]["person"]["name_zh"] == "李练工" and set(sheet.pictures) == {"a1.jpg", "a2.jpg"}
    signed(desk, COLLECTOR.pin)
    until(lambda: desk.review.state.page == "receipt", "the receipt", 40)
    receipt = desk.review.state.receipt
    assert receipt.serial.startswith("R-") and receipt.practice and receipt.attachments == 2
    # what the province has is what was signed, and openssl agrees with the signature
    row = desk.rooms().outbox.row(sheet.record_id)
    exact = desk.rooms().outbox.open_packet(sheet.record_id)[0].content
    (tmp_path / "record.json").write_bytes(exact)
    (tmp_path / "record.p7s").write_bytes(row.signature)
    said = subprocess.run(["openssl", "cms", "-verify", "-binary", "-cades", "-inform", "DER", "-in", str(tmp_path / "record.p7s"),
                           "-content", str(tmp_path / "record.json"), "-CAfile", str(hall.ca.folder / "root.pem"), "-purpose", "any", "-out", "/dev/null"],
                          capture_output=True, text=True)
    assert said.returncode == 0, said.stderr
    held = hall.province.order("records/content", record_id=sheet.record_id)
    assert held["record"]["sections"]["person"]["name_zh"] == json.loads(exact)["sections"]["person"]["name_zh"] == "李练工"
