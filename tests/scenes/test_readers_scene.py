"""Readers in the practice hall, through the real window: a sister is offered in one step and journaled, an unlisted module warns and does not block, the
evidence goes from the draft into the signed record, and ``hall-intake doctor cards`` says how things stand without showing anybody.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel

from desktop.app import Desk, open_face
from desktop.flows.words import CardPlaced
from desktop.settings import Settings
from tests.emulators.idcards import PRACTICE, ZHANG
from tests.emulators.sam_module import SAM_NUMBER, Faults
from tests.scenes.desk_hands import key
from tests.scenes.hall import COLLECTOR, TOP, PracticeHall
from tests.scenes.stages import capture, cleared, lift, log_in, reviewed, signed, type_in, until

FOREIGN_SAM, FOREIGN_NUMBER = bytes.fromhex("05000100A53A340187D6120001000000"), "05.01-20200101-0001234567-0000000001"
OLD = {"driver": "pcsc", "name": "Virtual PCD (OLD-7)", "profile": "practice-whole", "serial": "OLD-7"}


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeHall]:
    with PracticeHall(tmp_path_factory.mktemp("r")) as open_hall:
        yield open_hall


@pytest.fixture
def desk(hall: PracticeHall, qt_application: QApplication, request: pytest.FixtureRequest) -> Iterator[tuple[Desk, Any]]:
    (hall.home / "settings.json").unlink(missing_ok=True)
    if remembered := getattr(request, "param", None):
        Settings(hall.home / "settings.json").choose("card_reader", json.dumps(remembered))
    session, window = open_face("desk", hall.home)
    window.show()
    window.activateWindow()
    until(window.isActiveWindow, "the keyboard in the window")
    session.begin()
    log_in(session, COLLECTOR.pin)
    yield session, window
    cleared(hall)
    window.close()
    assert session.close() == ()
    window.deleteLater()
    qt_application.processEvents()


def words_on(window: Any) -> str:
    return "\n".join(one.text() for one in window.findChildren(QLabel) if one.isVisible())


def lines(session: Desk, what: str) -> list[dict[str, Any]]:
    """Journal lines of a kind, whoever wrote them."""
    return [line for line in map(json.loads, session.rooms().journal.lines()) if line["what"] == what]


@pytest.mark.parametrize("desk", [OLD], indirect=True)
def test_a_sister_is_offered_in_one_step_and_journaled(desk: tuple[Desk, Any], hall: PracticeHall) -> None:
    session, window = desk
    until(lambda: session.intake.state.reader_question, "the question, before any card")
    assert "原来的读卡器不在：Virtual PCD (OLD-7)" in words_on(window) and "同一型号的另一台" in words_on(window)
    hall.place()
    until(lambda: session.intake.state.reader_question and session.intake.state.reader_question.read, "the card waits for the answer")
    assert session.intake.state.draft is None and session.intake.state.trouble is None
    key(Qt.Key.Key_U, Qt.KeyboardModifier.AltModifier)
    until(lambda: session.intake.state.draft and session.intake.state.draft.text("person.name_zh") == "李练工", "the card read by the sister")
    assert not window.desk.reader.isVisible()
    [line] = lines(session, "reader.changed")
    assert line["who"] == f"op:{COLLECTOR.id}"
    assert line["facts"] == {"from": "Virtual PCD /OLD-7/", "to": "Virtual PCD", "profile": "practice-whole", "sister": True}
    kept = json.loads(Settings(hall.home / "settings.json").get("card_reader"))
    assert kept == {"driver": "pcsc", "name": "Virtual PCD", "profile": "practice-whole", "serial": ""}


def test_an_unlisted_module_warns_and_the_evidence_is_signed(desk: tuple[Desk, Any], hall: PracticeHall) -> None:
    """The whole way to the review of the exact bytes; whether the province takes such a record is the province's matter."""
    session, window = desk
    hall.place(PRACTICE, Faults(sam_id=FOREIGN_SAM))
    until(lambda: session.intake.state.draft and session.intake.state.draft.text("person.name_zh"), "the form filled from the card")
    said = words_on(window)
    assert "省平台没有登记这个安全模块" in said and FOREIGN_NUMBER in said and "可以继续办" in said
    assert session.intake.state.trouble is None and lines(session, "card.read")[-1]["facts"] == {"sam": FOREIGN_NUMBER, "listed": False}
    lift(session, hall)
    told: list[object] = []
    session.intake.stepped.connect(told.append)
    hall.place(PRACTICE)
    until(lambda: any(isinstance(one, CardPlaced) for one in told), "the card seen; over an open sitting only F2 reads")
    session.intake.stepped.disconnect(told.append)
    key(Qt.Key.Key_F2)
    until(lambda: session.intake.state.notes == () and session.intake.state.reading is None, "read again by a listed module")
    assert "安全模块" not in words_on(window)
    card = session.intake.state.draft.card
    raw = PRACTICE.text + PRACTICE.photo + PRACTICE.addresses
    assert (card["sam"], card["reader"], card["profile"]) == (SAM_NUMBER, "Virtual PCD", "practice-whole")
    assert card["raw_digest"] == "sha256:" + hashlib.sha256(raw).hexdigest() and card["read_at"].endswith("Z")
    entry = session.intake.state.draft.entries["person.id_doc_no"]
    assert (entry.source, entry.by, entry.device) == ("chip", COLLECTOR.id, "Virtual PCD")
    type_in(session)
    capture(session)
    sheet = reviewed(session)
    assert sheet.record["evidence"]["card"] == dict(card)
    signed(session, COLLECTOR.pin)
    until(lambda: session.review.state.page == "receipt", "the receipt", 60)
    exact = json.loads(session.rooms().outbox.open_packet(sheet.record_id)[0].content)
    held = hall.province.order("records/content", record_id=sheet.record_id)
    assert exact["evidence"]["card"] == held["record"]["evidence"]["card"] == dict(card)


def doctor(hall: PracticeHall, *more: str) -> tuple[int, str]:
    """The product's own command, in a process of its own."""
    environment = os.environ | {"HALL_INTAKE_HOME": str(hall.home)}
    command = [sys.executable, "-m", "desktop", "doctor", "cards", *more]
    ran = subprocess.run(command, cwd=TOP, env=environment, capture_output=True, text=True, timeout=60, check=False)
    return ran.returncode, ran.stdout + ran.stderr


def test_the_doctor_in_the_practice_hall(hall: PracticeHall, tmp_path: Path) -> None:
    hall.place(PRACTICE)
    trace = tmp_path / "trace.txt"
    try:
        until(lambda: "试读: 成功" in doctor(hall)[1], "the service sees the card", 60)
        code, said = doctor(hall, "--trace", str(trace))
    finally:
        hall.lift()
    assert code == 0, said
    for piece in ("智能卡服务 (PC/SC): 正常, 读卡器 2 台", "Virtual PCD  (模拟设备)", "系统名称: Virtual PCD 00 00", "读卡器配置: practice-whole",
                  f"安全模块: 正常, 编号 {SAM_NUMBER}", "证件种类: 居民身份证", "姓名: 李**", "号码: 51****************", "照片: 1024 字节", "怎么办"):
        assert piece in said, said
    text = trace.read_text("utf-8")
    assert "aaaaaa966900033001" in text and "<1284 bytes>" in text and SAM_NUMBER in text
    for person in (PRACTICE, ZHANG):
        name, number = (person.text[start:end].decode("utf-16-le").strip() for start, end in ((0, 30), (122, 158)))
        for secret in (name, number[2:], person.text[:20].hex(), person.text[52:80].hex()):
            assert secret not in text + said
    code, said = doctor(hall, "--no-read")
    assert code == 0 and "试读" not in said
    (hall.home / "devices.json").rename(tmp_path / "kept.json")
    try:
        code, said = doctor(hall)
    finally:
        (tmp_path / "kept.json").rename(hall.home / "devices.json")
    assert code == 1 and "reader.no_sam" in said and "没有 (不会打开这台设备)" in said
