"""One registration through the desk's stages, on the real parts: card, token, keyring, province. The windows have scenes of their own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from desktop.app import Desk
from desktop.flows.words import (
    AskPin,
    CapturePressed,
    DocumentPressed,
    Edited,
    PinTyped,
    PortraitPressed,
    ReviewPressed,
    SignPressed,
)
from desktop.rooms import now
from tests.scenes.hall import COLLECTOR, PracticeHall
from tests.scenes.stages import until

TYPED = {
    "person.mobile": "13800000000", "education.level": "71", "employer.name": "四川示例建设有限公司", "skill[0].trade": "020", "skill[0].level": "4",
    "skill[0].cert_no": "2106-0088412",
}


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeHall]:
    with PracticeHall(tmp_path_factory.mktemp("h")) as open_hall:
        yield open_hall


@pytest.fixture
def desk(hall: PracticeHall, qt_application: QApplication) -> Iterator[Desk]:
    open_desk = Desk(hall.home)
    open_desk.begin()
    yield open_desk
    hall.lift()
    assert open_desk.close() == ()


def log_in(desk: Desk, pin: str = COLLECTOR.pin) -> None:
    until(lambda: desk.login.state.page == "pin", "the PIN page")
    desk.login.post(PinTyped(pin))
    until(lambda: desk.login.state.page == "in", "the desk after log-in")


def fill_in(desk: Desk, hall: PracticeHall) -> None:
    hall.place()
    until(lambda: desk.intake.state.draft and desk.intake.state.draft.text("person.name_zh"), "the form filled from the card")
    desk.intake.post(Edited("person.categories", ("4",), now()))
    for path, value in TYPED.items():
        desk.intake.post(Edited(path, value, now()))
    for press, kind in ((PortraitPressed(), "portrait"), (DocumentPressed("skill_certificate"), "skill_certificate")):
        desk.intake.post(press)
        until(lambda: desk.intake.state.capture is not None and desk.intake.state.capture.hint is not None, f"the live picture for {kind}")
        desk.intake.post(CapturePressed())
        until(lambda kind=kind: kind in {one.kind for one in desk.intake.state.draft.stills}, f"the still {kind}")


def test_from_card_to_receipt(desk: Desk, hall: PracticeHall, tmp_path: Path) -> None:
    log_in(desk)
    fill_in(desk, hall)
    state = desk.intake.state
    assert [one.code for one in state.issues if one.severity != "explain"] == []
    assert state.draft.entries["person.name_zh"].source == "chip"
    desk.intake.post(ReviewPressed(now()))
    until(lambda: desk.review.state.page == "reading", "the review page")
    sheet = desk.review.state.sheet
    assert sheet.record["sections"]["person"]["name_zh"] == "李练工" and set(sheet.pictures) == {"a1.jpg", "a2.jpg"}
    desk.review.post(AskPin())
    until(lambda: desk.review.state.page == "pin", "the PIN field")
    desk.review.post(SignPressed(COLLECTOR.pin))
    until(lambda: desk.review.state.page in ("kept", "receipt"), "kept")
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
