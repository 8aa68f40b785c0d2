"""A day's end in the window, by keyboard, on the real parts: kept unsigned, signed later with one PIN, uploaded; panel, news, reconciliation sheet, PDF."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel, QLineEdit, QWidget

from desktop.app import Desk, open_face
from tests.scenes.desk_hands import caret, fill_missing, key, type_pin
from tests.scenes.hall import COLLECTOR, HALL_CODE, PracticeHall
from tests.scenes.hands import type_keys
from tests.scenes.stages import cleared, until

CONTROL, ALT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier
LONG_S = 60.0


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeHall]:
    with PracticeHall(tmp_path_factory.mktemp("d")) as open_hall:
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


def said(widget: QWidget) -> str:
    return "\n".join(one.text() for one in widget.findChildren(QLabel) if one.isVisible())


def says(widget: QWidget, words: str) -> None:
    until(lambda: words in said(widget), f"the words {words}", LONG_S, lambda: said(widget))


def keep_one_unsigned(session: Desk, window: Any, hall: PracticeHall) -> str:
    """Card, form, pictures, review, F10; the record's id."""
    hall.place()
    until(lambda: session.intake.state.draft is not None and session.intake.state.draft.text("person.name_zh"), "the form filled from the card", LONG_S)
    key(Qt.Key.Key_4, ALT)
    fill_missing(session, window)
    key(Qt.Key.Key_F9)
    until(lambda: session.review.state.page == "reading", "the review page", LONG_S)
    key(Qt.Key.Key_F10)
    until(lambda: session.review.state.page == "kept_unsigned", "kept without a signature", LONG_S)
    assert "已安全保存，还没签名" in said(window.review_page)
    key(Qt.Key.Key_F9)
    (row,) = session.rooms().outbox.rows(states=("kept_unsigned",))
    return str(row.record_id)


def test_a_day_ends_balanced(desk: tuple[Desk, Any], hall: PracticeHall, tmp_path: Path) -> None:
    session, window = desk
    until(lambda: session.login.state.page == "pin", "the PIN page", LONG_S)
    type_pin()
    key(Qt.Key.Key_Return)
    until(lambda: session.login.state.page == "in", "the desk", LONG_S)
    record_id = keep_one_unsigned(session, window, hall)

    key(Qt.Key.Key_D, CONTROL)   # the day is not balanced yet, and says which record keeps it open
    until(lambda: session.intake.state.sheet.facts is not None, "the sheet", LONG_S)
    facts = session.intake.state.sheet.facts
    assert (facts.sheet.captured, facts.sheet.signed, facts.sheet.sent, facts.sheet.acknowledged) == (1, 0, 0, 0)
    assert [(one.difference.record_id, one.difference.kind, one.name) for one in facts.lines] == [(record_id, "unsigned", "李练工")]

    key(Qt.Key.Key_B, CONTROL)   # one PIN for what waits
    until(lambda: session.batch.state.page == "choosing", "the list", LONG_S)
    assert session.batch.state.chosen == {record_id}
    key(Qt.Key.Key_F9)
    until(lambda: session.batch.state.page == "confirming", "what is signed", LONG_S)
    key(Qt.Key.Key_Return)
    until(lambda: session.batch.state.page == "sheet", "the page of the one", LONG_S)
    assert "李练工" in said(window.batch_page.sheet)
    key(Qt.Key.Key_F9)
    key(Qt.Key.Key_F9)
    type_pin()
    until(lambda: session.batch.state.page == "pin", "the token's answer", LONG_S)
    key(Qt.Key.Key_Return)
    until(lambda: session.batch.state.page == "ended", "the verdict", LONG_S)
    assert session.batch.state.ended.done == (record_id,) and "1 份都签好了" in said(window.batch_page)
    key(Qt.Key.Key_F9)
    until(lambda: session.rooms().outbox.row(record_id).state == "receipted", "the receipt", LONG_S)

    key(Qt.Key.Key_D, CONTROL)
    until(lambda: session.intake.state.sheet.facts is not None and session.intake.state.sheet.facts.sheet.balanced, "a balanced sheet", LONG_S)
    assert "全部对上" in said(window.desk.sheet)
    save_sheet(tmp_path / "day.pdf")
    until(lambda: session.intake.state.sheet.saved, "the paper", LONG_S)
    text = subprocess.run(["pdftotext", str(tmp_path / "day.pdf"), "-"], capture_output=True, text=True, check=True).stdout
    assert "日结对账单" in text and "练习" in text and "李练工" not in text

    panel_and_news(session, window, hall, record_id)


def save_sheet(path: Path) -> None:
    key(Qt.Key.Key_S, CONTROL)
    dialogue = until(lambda: next((one for one in QApplication.topLevelWidgets() if isinstance(one, QFileDialog) and one.isVisible()), None), "the dialogue")
    until(lambda: dialogue.isAncestorOf(QApplication.focusWidget()), "the keyboard in the dialogue")
    field = caret()
    assert isinstance(field, QLineEdit) and field.text().startswith("日结对账")
    field.selectAll()
    type_keys(dialogue, str(path))
    key(Qt.Key.Key_Return)


def panel_and_news(session: Desk, window: Any, hall: PracticeHall, record_id: str) -> None:
    """The line is cut and mended; what the province says of the record and changes for the hall comes to the panel."""
    until(lambda: window.isActiveWindow() and QApplication.focusWidget() is not None, "the keyboard back from the dialogue")
    key(Qt.Key.Key_U, CONTROL)
    panel = window.desk.sync
    says(panel, "都传完了")
    hall.province.cut_line()
    key(Qt.Key.Key_F5)
    says(panel, "可继续办")
    assert "断网" in said(panel) and "等连上" in said(panel)
    hall.province.mend_line()
    hall.province.order("records/state", record_id=record_id, state="correction_required", items=[{"path": "person.mobile", "text": "号码打不通"}])
    hall.province.order("people", id="OP-000099", name="新来的", roles=["collector"], hall=HALL_CODE)
    key(Qt.Key.Key_F5)
    says(panel, "手机号码：号码打不通")
    assert "：退回补正" in said(panel)
    says(panel, "新来的 现在可以在本厅办（经办人）")
    assert COLLECTOR.name in window.top._operator.text()
