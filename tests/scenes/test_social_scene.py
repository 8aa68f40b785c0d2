"""A social security card at the desk, through the real window and the real smart-card service: said as a hint, in nothing that is kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel

from desktop.app import Desk, open_face
from tests.emulators import social_card
from tests.emulators.idcards import PRACTICE
from tests.emulators.sam_reader import WHOLE_PROFILE
from tests.emulators.social_card import SocialCard
from tests.emulators.vpcd import VirtualSlot
from tests.scenes.desk_hands import key
from tests.scenes.hall import ADMINISTRATOR, COLLECTOR, PracticeHall
from tests.scenes.stages import capture, cleared, log_in, reviewed, type_in, until

READER = WHOLE_PROFILE | {"match": {"reader": "^Virtual PCD 00 00"}}
SLOT = {"name": "practice-contact", "mode": "social", "match": {"reader": "^Virtual PCD 00 01"}}
OTHER_NAME, OTHER_TAIL = "赵练手", "8878"


@pytest.fixture
def hall(tmp_path: Any) -> Iterator[PracticeHall]:
    with PracticeHall(tmp_path / "h") as open_hall:
        assert open_hall.station is not None
        administrator = open_hall.people[ADMINISTRATOR.id]
        administrator.replug()
        open_hall.write_device_list(open_hall.station, profiles=[READER, SLOT])
        administrator.pull()
        yield open_hall


@pytest.fixture
def contact() -> Iterator[VirtualSlot]:
    slot = VirtualSlot(1)
    yield slot
    slot.lift()


@pytest.fixture
def desk(hall: PracticeHall, contact: VirtualSlot, qt_application: QApplication) -> Iterator[tuple[Desk, Any]]:
    session, window = open_face("desk", hall.home)
    window.resize(1366, 768)
    window.show()
    window.activateWindow()
    until(window.isActiveWindow, "the keyboard in the window")
    session.begin()
    log_in(session, COLLECTOR.pin)
    yield session, window
    contact.lift()
    cleared(hall)
    window.close()
    assert session.close() == ()
    window.deleteLater()
    qt_application.processEvents()


def words_on(window: Any) -> str:
    return "\n".join(one.text() for one in window.findChildren(QLabel) if one.isVisible())


def looked(session: Desk, window: Any, code: str) -> str:
    """Alt+K until the service has seen how the slot stands, then what the window says."""
    def pressed() -> bool:
        if not session.intake.state.social.reading:
            seen = session.intake.state.social
            if code == (seen.trouble.code if seen.trouble is not None else "said" if seen.said is not None else ""):
                return True
            key(Qt.Key.Key_K, Qt.KeyboardModifier.AltModifier)
        return False

    until(pressed, f"{code} after Alt+K", seen=lambda: session.intake.state.social)
    return words_on(window)


def test_a_social_card_is_said_as_a_hint_and_is_in_nothing_that_is_kept(desk: tuple[Desk, Any], hall: PracticeHall, contact: VirtualSlot) -> None:
    session, window = desk
    assert "看看社保卡" not in words_on(window), "nothing to compare it with"
    until(lambda: any(one.name == "social" for one in session.intake.state.devices), "the slot's lamp", seen=lambda: session.intake.state.devices)
    hall.place(PRACTICE)
    until(lambda: session.intake.state.draft and session.intake.state.draft.text("person.name_zh") == "李练工", "the form filled from the card")
    held = session.intake.state.draft
    assert "看看社保卡" in words_on(window)
    assert "卡槽里没有社保卡" in looked(session, window, "social.no_card")
    number = held.text("person.id_doc_no")
    contact.place(SocialCard(social_card.records(number=number)))
    said = looked(session, window, "said")
    assert "这只是提示，不能证明身份" in said and "李练工" in said and number[-4:] in said
    contact.lift()
    key(Qt.Key.Key_Escape)
    assert not window.desk.social.isVisible()
    looked(session, window, "social.no_card")
    contact.place(SocialCard({}))
    assert "这张社保卡读不出来" in looked(session, window, "social.unreadable")
    contact.lift()
    looked(session, window, "social.no_card")
    contact.place(SocialCard(social_card.records(OTHER_NAME, "51000019850101" + OTHER_TAIL)))
    said = looked(session, window, "said")
    assert "社保卡和表里的姓名和号码不一样" in said and "不能证明身份" in said and OTHER_NAME in said and OTHER_TAIL in said
    assert session.intake.state.draft == held and session.intake.state.trouble is None, "nothing was filled in"
    type_in(session)
    capture(session)
    sheet = reviewed(session)
    exact = json.dumps(sheet.record, ensure_ascii=False)
    lines = b"\n".join(session.rooms().journal.lines()).decode()
    assert "card.social_seen" in lines
    for text in (exact, lines):
        assert OTHER_NAME not in text and OTHER_TAIL not in text and "A12345678" not in text
    assert "social" not in json.dumps(sheet.record["evidence"]) and sheet.record["evidence"]["card"] == dict(held.card or {})
    assert {entry.source for entry in held.entries.values()} == {"chip"}


