"""Fields, choices, lists, portraits, preview: what a person sees and types."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QInputMethodEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton, QVBoxLayout, QWidget

from desktop.messages import Message
from desktop.widgets.banner import Banner, joined
from desktop.widgets.buttons import ActionButton, ToggleButton
from desktop.widgets.choice import ChoiceBox, initials
from desktop.widgets.fields import DateBox, FieldBox, FieldFace, group_id_number, split_rows, tidy_date
from desktop.widgets.issue_list import IssueLine, IssueList
from desktop.widgets.preview import Preview
from desktop.widgets.status_dots import Lamp, StatusDots
from desktop.widgets.style import Look

LOOK = Look()
TRADES = [("010", "砌筑工"), ("020", "钢筋工"), ("030", "架子工"), ("040", "混凝土工")]


@pytest.fixture
def holder(qt_application: QApplication) -> Iterator[QWidget]:
    qt_application.setStyleSheet(LOOK.sheet())
    made = QWidget()
    QVBoxLayout(made)
    made.resize(500, 300)
    yield made
    made.close()
    made.deleteLater()
    qt_application.processEvents()
    qt_application.setStyleSheet("")


def committed(text: str) -> QInputMethodEvent:
    """What an input method sends when Chinese was typed."""
    event = QInputMethodEvent()
    event.setCommitString(text)
    return event


def put(holder: QWidget, widget: QWidget) -> None:
    holder.layout().addWidget(widget)
    holder.show()
    holder.activateWindow()
    QApplication.processEvents()


@pytest.mark.parametrize(("typed", "date"), [
    ("20210618", "2021-06-18"), ("2021.6.8", "2021-06-08"), ("2021年6月18日", "2021-06-18"), (" 2021/06/18 ", "2021-06-18"), ("2021-06-18", "2021-06-18"),
    ("长期", "长期"), ("no date", "no date"), ("", ""),
])
def test_dates_as_people_type_them(typed: str, date: str) -> None:
    assert tidy_date(typed) == date


def test_numbers_in_groups() -> None:
    assert group_id_number("510104198803120012") == "510104 19880312 0012" and group_id_number("51010419880312001X") == "510104 19880312 001X"
    assert group_id_number("CHN123456789012") == "CHN123456789012"


def test_rows_pack_in_order() -> None:
    assert split_rows([3, 4, 5, 6, 6, 12, 1], 12) == [[0, 1, 2], [3, 4], [5], [6]]


def test_initials_of_the_trades() -> None:
    assert [initials(words) for _, words in TRADES] == ["qzg", "gjg", "jzg", "hntg"]


def test_a_grouped_number_is_stored_without_blanks(holder: QWidget) -> None:
    box, said = FieldBox(LOOK, "person.id_doc_no", "证件号码", 30, grouped=True), []
    box.edited.connect(lambda path, value: said.append((path, value)))
    put(holder, box)
    box.show_face(FieldFace("510104198803120012"))
    assert box.edit.text() == "510104 19880312 0012" and box.value() == "510104198803120012"
    box.edit.clear()
    QTest.keyClicks(box.edit, "51010419880312001x")
    assert said[-1] == ("person.id_doc_no", "51010419880312001X")


def test_a_locked_value_cannot_be_typed_over_and_asks_at_its_lock(holder: QWidget) -> None:
    box, asked = FieldBox(LOOK, "person.name_zh", "姓名"), []
    box.unlock_asked.connect(asked.append)
    put(holder, box)
    box.show_face(FieldFace("李国强", "chip", True, "来自证件芯片"))
    QTest.keyClicks(box.edit, "x")
    assert box.edit.text() == "李国强" and box.edit.toolTip() == "来自证件芯片" and box.edit.accessibleName() == "姓名"
    assert not box._lock.isHidden()
    box._lock.click()
    assert asked == ["person.name_zh"]
    box.show_face(FieldFace("李国强", "typed", False))
    assert box._lock.isHidden() and not box.edit.isReadOnly()


def test_showing_the_same_value_leaves_the_caret(holder: QWidget) -> None:
    box = FieldBox(LOOK, "employer.name", "单位名称")
    put(holder, box)
    box.edit.setFocus()
    QTest.keyClicks(box.edit, "abcdef")
    box.edit.setCursorPosition(2)
    box.show_face(FieldFace("abcdef", "typed"))
    assert box.edit.cursorPosition() == 2


def test_a_date_is_tidied_on_leaving(holder: QWidget) -> None:
    box, left = DateBox(LOOK, "skill[0].issued_on", "发证日期"), []
    other = FieldBox(LOOK, "x", "x")
    box.left.connect(left.append)
    put(holder, box)
    put(holder, other)
    box.edit.setFocus()
    QTest.keyClicks(box.edit, "20210618")
    assert box.value() == "2021-06-18"
    other.edit.setFocus()
    assert box.edit.text() == "2021-06-18" and left == ["skill[0].issued_on"]


def test_choosing_by_initials_code_or_words(holder: QWidget) -> None:
    box, other, said = ChoiceBox(LOOK, "skill[0].trade", "工种", TRADES), FieldBox(LOOK, "x", "x"), []
    box.edited.connect(lambda _path, value: said.append(value))
    put(holder, box)
    put(holder, other)
    for typed, code in (("gjg", "020"), ("030", "030"), ("混凝", "040")):
        box.edit.setFocus()
        box.edit.clear()
        if typed.isascii():
            QTest.keyClicks(box.edit, typed)
        else:
            QApplication.sendEvent(box.edit, committed(typed))
        assert box.list.is_open()
        other.edit.setFocus()
        assert said[-1] == code and box.value() == code and box.edit.text() == dict(TRADES)[code] and not box.list.is_open()
    box.show_face(FieldFace("020", "typed"))
    assert box.edit.text() == "钢筋工"


def test_half_typed_letters_survive_what_arrives_meanwhile(holder: QWidget) -> None:
    box = ChoiceBox(LOOK, "skill[0].trade", "工种", TRADES)
    put(holder, box)
    box.show_face(FieldFace("010", "typed"))
    box.take_focus()
    QTest.keyClicks(box.edit, "gj")
    box.show_face(FieldFace("010", "typed"))
    assert box.edit.text() == "gj"


def test_what_fits_no_row_stays_for_the_rules(holder: QWidget) -> None:
    box, other, said = ChoiceBox(LOOK, "skill[0].trade", "工种", TRADES), FieldBox(LOOK, "x", "x"), []
    box.edited.connect(lambda _path, value: said.append(value))
    put(holder, box)
    put(holder, other)
    box.edit.setFocus()
    QTest.keyClicks(box.edit, "zzz")
    other.edit.setFocus()
    assert said[-1] == "zzz", "the rules say that it is not in the list"


def test_the_primary_action_shows_and_obeys_its_key(holder: QWidget) -> None:
    button, pressed = ActionButton(LOOK, "核对", "F9", "primary"), []
    button.clicked.connect(lambda: pressed.append(1))
    put(holder, button)
    assert button.text() == "核对" and button.accessibleName() == "核对" and button.width() > 60
    QTest.keyClick(holder, Qt.Key.Key_F9)
    QTest.qWait(150)
    assert pressed
    button.say("签名")
    assert button.text() == "签名" and button.shortcut().toString() == "F9"
    button.setFocus()
    QTest.keyClick(button, Qt.Key.Key_Return)
    QTest.qWait(150)
    assert len(pressed) == 2


def test_a_toggle_says_its_state(holder: QWidget) -> None:
    toggle, clicks = ToggleButton(LOOK, "技术工人", "Alt+4"), []
    toggle.clicked.connect(lambda on: clicks.append(on))
    put(holder, toggle)
    toggle.show_on(True)
    assert toggle.isChecked() and clicks == [], "showing is no click"
    toggle.click()
    assert clicks == [False]


def test_issue_lines_jump_and_vanish(holder: QWidget) -> None:
    issues, picked = IssueList(LOOK, "都齐了"), []
    issues.picked.connect(picked.append)
    put(holder, issues)
    issues.show_lines([IssueLine("person.mobile", "手机号码：还没填", "missing"), IssueLine("contract.to", "到期日期：已经早于今天", "must")])
    QApplication.processEvents()
    buttons = [one for one in issues.findChildren(QPushButton) if not one.isHidden()]
    buttons[1].click()
    assert picked == ["contract.to"] and buttons[0].accessibleName() == "手机号码：还没填"
    issues.show_lines([])
    assert not [one for one in issues.findChildren(QPushButton) if not one.isHidden()]


def test_a_banner_says_all_and_never_markup(holder: QWidget) -> None:
    banner = Banner(LOOK, "知道了", "再试一次")
    put(holder, banner)
    banner.show_message(Message("<b>甲</b>", "乙。", "丙。", "operator", "card.mute"), retry=True)
    assert banner.isVisible() and banner.title.text() == "<b>甲</b>" and banner.title.textFormat() == Qt.TextFormat.PlainText
    assert banner.words.text() == "乙。丙。" and banner.code.text() == "card.mute"
    banner.show_message(None)
    assert not banner.isVisible()
    assert joined("One.", "Two.") == "One. Two." and joined("", "") == ""


def test_lamps_say_words_not_only_colours(holder: QWidget) -> None:
    dots = StatusDots(LOOK, "状态")
    put(holder, dots)
    dots.show_lamps([Lamp("reader", "读卡器", "good"), Lamp("platform", "断网 3 分钟", "wait")])
    assert dots.accessibleDescription() == "读卡器, 断网 3 分钟" and "断网 3 分钟" in dots.toolTip()


def test_preview_copies_and_mirrors(holder: QWidget) -> None:
    preview = Preview(LOOK, mirror=True)
    put(holder, preview)
    frame = np.zeros((90, 160, 3), np.uint8)
    frame[:, :80] = (0, 0, 255)
    preview.show_frame(frame)
    frame[:] = 0
    QApplication.processEvents()
    shot, place = preview.grab().toImage(), preview.picture_place()
    right = shot.pixelColor(round(place.right() - 8), round(place.center().y()))
    assert right.red() > 200 and right.green() < 60, "the left half of the frame is red and is seen at the right"
    preview.show_frame(None)
