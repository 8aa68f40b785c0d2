"""The self-service terminal's window on the real parts: notice, card, staff way, mobile number, result, wipe; and what may go wrong in between."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from desktop.app import open_face
from desktop.faces import Kiosk
from tests.scenes.hall import PracticeHall
from tests.scenes.hands import press, type_keys
from tests.scenes.stages import cleared, until


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeHall]:
    with PracticeHall(tmp_path_factory.mktemp("k")) as open_hall:
        yield open_hall


@pytest.fixture
def kiosk(hall: PracticeHall, qt_application: QApplication) -> Iterator[tuple[Kiosk, QWidget]]:
    session, window = open_face("kiosk", hall.home)
    window.resize(1080, 1920)
    window.show()
    session.begin()
    until(lambda: session.stage is not None, "the welcome page")
    yield session, window
    cleared(hall)
    window.close()
    assert session.close() == ()
    window.deleteLater()
    qt_application.processEvents()


def words_on(window: QWidget) -> str:
    return "\n".join(label.text() for label in window.findChildren(QLabel) if label.isVisible())


def walk_to_check(window: QWidget, session: Kiosk, hall: PracticeHall) -> None:
    press(window, "开始办理")
    press(window, "我知道了")
    until(lambda: session.stage.state.page == "card", "the card page")
    hall.place()
    until(lambda: session.stage.state.page != "card", "the card read")
    press(window, "好，接着填")
    until(lambda: session.stage.state.page == "mobile", "the number pad")
    for digit in "13800000000":
        press(window, digit)
    press(window, "下一步")
    until(lambda: session.stage.state.page == "check", "the check page")


def test_an_applicant_proves_who_they_are(kiosk: tuple[Kiosk, QWidget], hall: PracticeHall) -> None:
    session, window = kiosk
    walk_to_check(window, session, hall)
    shown = words_on(window)
    assert "李练工" in shown and "138 0000 0000" in shown and "19900512" not in shown.replace(" ", "")
    press(window, "都对")
    until(lambda: session.stage.state.page == "result", "the result")
    until(lambda: session.stage.state.sent, "the province's receipt", 40)
    (row,) = session.rooms().outbox.rows(states=("receipted",))
    record = hall.province.order("records/content", record_id=row.record_id)["record"]
    assert record["type"] == "hall-intake/practice-presence/1" and record["sections"]["person"]["mobile"] == "13800000000"
    assert record["notice"]["face"] == "not-used" and row.summary.name == "李练工"
    with pytest.raises(Exception, match="no key"):
        session.rooms().outbox.open_packet(row.record_id)
    press(window, "办好了")
    until(lambda: session.stage.state.page == "welcome", "the welcome page again")
    assert "李练工" not in words_on(window) and "李练工" not in repr(session.stage.state)


def test_a_card_taken_away_too_early_leaves_nothing_of_the_person(kiosk: tuple[Kiosk, QWidget], hall: PracticeHall) -> None:
    session, window = kiosk
    walk_to_check(window, session, hall)
    press(window, "返回")
    until(lambda: session.stage.state.page == "mobile", "the number pad again")
    for _ in range(4):
        if session.stage.state.page != "welcome":
            press(window, "返回")
    until(lambda: session.stage.state.page == "welcome", "the welcome page")
    assert "李练工" not in words_on(window)
    assert session.rooms().parked.list(f"st:{session.rooms().station.station_id}") == ()


def test_digits_come_from_a_keyboard_too(kiosk: tuple[Kiosk, QWidget], hall: PracticeHall) -> None:
    session, window = kiosk
    press(window, "开始办理")
    press(window, "我知道了")
    until(lambda: session.stage.state.page == "card", "the card page")
    hall.place()
    press(window, "好，接着填")
    until(lambda: session.stage.state.page == "mobile", "the number pad")
    type_keys(window.currentWidget(), "1390000")
    until(lambda: session.stage.state.mobile == "1390000", "the digits")
