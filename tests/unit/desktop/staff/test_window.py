"""The desk through its window: what is in front, keys, focus, the PIN field, names for screen readers, honest words."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QPushButton, QWidget

from desktop.flows.machine import Failed
from desktop.flows.words import (
    AskPin,
    CancelRead,
    CardPlaced,
    CertificatesListed,
    DraftParked,
    Edited,
    Keep,
    ListOutbox,
    LockPressed,
    Login,
    Note,
    OutboxListed,
    PagePicked,
    ParkDraft,
    PinStateRead,
    ReadCard,
    RecordMoved,
    Signed,
    SignPressed,
    SignRecord,
    StationOpened,
    SyncNow,
    TakePortrait,
)
from desktop.staff.record_sheet import odd_words
from desktop.staff.window import StaffWindow
from desktop.widgets.style import Look
from devices.errors import CardRemoved
from devices.tokens.contract import PinState
from sync.errors import DiskFull, NotEnrolled
from tests.flows.sample import CERTIFICATE, NOW, READER, STATION
from tests.scenes.staff_scenes import RECEIPT, Scene

LOOK = Look(practice=True, calm=True)


@pytest.fixture
def scene(qt_application: QApplication) -> Iterator[Scene]:
    qt_application.setStyleSheet(LOOK.sheet())
    made = Scene(LOOK)
    made.window.show()
    made.window.activateWindow()
    QApplication.processEvents()
    yield made
    made.window.close()
    made.window.deleteLater()
    for stage in made.stages.values():
        stage.deleteLater()
    QApplication.processEvents()
    qt_application.setStyleSheet("")


def texts(widget: QWidget) -> str:
    """All words that are seen."""
    seen = [one.text() for one in widget.findChildren(QLabel) if one.isVisible()] + [one.text() for one in widget.findChildren(QLineEdit) if one.isVisible()]
    return "\n".join(seen)


def press(window: StaffWindow, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    QTest.keyClick(QApplication.focusWidget() or window, key, modifier)
    QTest.qWait(140)


def test_not_enrolled_says_what_to_do(scene: Scene) -> None:
    scene.login(Failed(NotEnrolled(), "OpenStation"))
    QApplication.processEvents()
    said = texts(scene.window)
    assert "这台机器还没有登记到省平台" in said and "hall-intake enrol" in said


def test_the_pin_goes_out_once_and_leaves_the_field(scene: Scene) -> None:
    scene.login(StationOpened(STATION), CertificatesListed((CERTIFICATE,)), PinStateRead(PinState(6)))
    QTest.qWait(30)
    field = scene.window.login_page.pin.edit
    assert field.hasFocus() and field.echoMode() == QLineEdit.EchoMode.Password
    QTest.keyClicks(field, "246810")
    press(scene.window, Qt.Key.Key_Return)
    assert [one.pin for one in scene.effects if isinstance(one, Login)] == ["246810"]
    assert field.text() == "" and not field.isEnabled()
    press(scene.window, Qt.Key.Key_Return)
    assert len([one for one in scene.effects if isinstance(one, Login)]) == 1


def test_last_try_is_a_question_first(scene: Scene) -> None:
    scene.login(StationOpened(STATION), CertificatesListed((CERTIFICATE,)), PinStateRead(PinState(1, last_try=True)))
    QApplication.processEvents()
    page = scene.window.login_page
    assert not page.pin.edit.isVisible() and "只剩最后一次" in texts(scene.window)
    page.pin._accept.click()
    QTest.qWait(30)
    assert page.pin.edit.isVisible() and page.pin.edit.isEnabled()


def test_keys_of_the_desk(scene: Scene) -> None:
    scene.inside()
    QApplication.processEvents()
    press(scene.window, Qt.Key.Key_F2)
    assert ReadCard() in scene.effects
    press(scene.window, Qt.Key.Key_Escape)
    assert CancelRead() in scene.effects
    scene.desk(Failed(CardRemoved(), "ReadCard"))
    QApplication.processEvents()
    assert "证件拿得早了一点" in texts(scene.window) and "card.removed" in texts(scene.window)
    press(scene.window, Qt.Key.Key_Escape)
    assert not scene.window.desk.banner.isVisible()


def test_f9_with_open_issues_goes_to_the_first_of_them(scene: Scene) -> None:
    scene.sitting().desk(Edited("person.categories", ("4",), NOW))
    QTest.qWait(30)
    press(scene.window, Qt.Key.Key_F9)
    QTest.qWait(30)
    assert QApplication.focusWidget() is scene.window.desk.form.cards["person"].fields["person.mobile"].edit
    assert scene.stages["review"].state.page == "idle"


def test_typing_reaches_the_draft_and_its_issue_vanishes(scene: Scene) -> None:
    scene.sitting().desk(Edited("person.categories", ("4",), NOW))
    QTest.qWait(30)
    box = scene.window.desk.form.cards["person"].fields["person.mobile"]
    box.take_focus()
    before = len(scene.stages["intake"].state.issues)
    QTest.keyClicks(box.edit, "13800000000")
    assert scene.draft().text("person.mobile") == "13800000000" and len(scene.stages["intake"].state.issues) == before - 1
    assert box.edit.hasFocus() and box.edit.text() == "13800000000"


def test_chip_values_are_locked_until_a_reason_is_given(scene: Scene) -> None:
    scene.sitting()
    QTest.qWait(30)
    box = scene.window.desk.form.cards["person"].fields["person.name_zh"]
    assert box.edit.isReadOnly() and "证件芯片" in box.edit.toolTip()
    box._lock.click()
    menu = scene.window.desk.form.cards["person"].findChild(QWidget, "qt_menu") or QApplication.activePopupWidget()
    assert menu is not None
    menu.actions()[2].trigger()
    menu.close()
    QTest.qWait(30)
    assert any(isinstance(one, Note) and one.facts["reason"] == "rare_character" for one in scene.effects)
    assert not box.edit.isReadOnly() and scene.window.focusWidget() is box.edit


def test_only_what_the_category_needs_is_shown(scene: Scene) -> None:
    scene.sitting()
    form = scene.window.desk.form
    assert list(form.cards) == ["person"]
    scene.desk(Edited("person.categories", ("4",), NOW))
    assert "skill" in form.cards and "title" not in form.cards
    scene.desk(Edited("person.categories", ("2",), NOW))
    assert "title" in form.cards and "skill" not in form.cards


def test_f3_takes_a_portrait_with_two_presses_and_space_too(scene: Scene) -> None:
    scene.sitting()
    QTest.qWait(30)
    press(scene.window, Qt.Key.Key_F3)
    assert scene.window.desk._stack.currentWidget() is scene.window.desk.capture
    press(scene.window, Qt.Key.Key_Space)
    assert [one for one in scene.effects if isinstance(one, TakePortrait)]
    press(scene.window, Qt.Key.Key_Escape)
    assert scene.window.desk._stack.currentWidget() is scene.window.desk.form


def test_f8_clears_only_after_the_disk_said_so(scene: Scene) -> None:
    scene.sitting()
    QTest.qWait(30)
    press(scene.window, Qt.Key.Key_F8)
    assert [one for one in scene.effects if isinstance(one, ParkDraft)]
    assert scene.window.desk._stack.currentWidget() is scene.window.desk.form
    scene.desk(DraftParked("d-1"))
    QApplication.processEvents()
    assert scene.window.desk._stack.currentWidget() is scene.window.desk.waiting and "李国强" not in texts(scene.window.desk._stack)


def test_review_shows_only_the_canonical_record_and_signs_once(scene: Scene) -> None:
    scene.reviewed(odd=True)
    QApplication.processEvents()
    said = texts(scene.window.review_page)
    assert "⟨U+202E⟩" in said and "\u202e" not in said and "钢筋工（020）" in said and "练习" in said
    assert "改变文字顺序的字符 U+202E" in said
    press(scene.window, Qt.Key.Key_F9)
    assert scene.stages["review"].state.page == "checking"
    scene.review(PinStateRead(PinState(6)))
    QTest.qWait(30)
    field = scene.window.review_page.pin.edit
    QTest.keyClicks(field, "135790")
    press(scene.window, Qt.Key.Key_F9)
    assert [one.pin for one in scene.effects if isinstance(one, SignRecord)] == ["135790"] and field.text() == ""


@pytest.mark.parametrize(("value", "said"), [
    ("四川示例建设有限公司", ""), ("A座 12-3", ""), ("买买提·艾力", ""), ("Mоscow", "“о”是 U+043E CYRILLIC SMALL LETTER O，看起来像“o”"),
    ("四川\u200b公司", "看不见的字符 U+200B"), ("公司\u202e川四", "改变文字顺序的字符 U+202E"), (("甲", "乙\u2060"), "U+2060"), ("⼆路", "U+2F06"),
])
def test_what_is_not_what_it_looks_like_is_pointed_out(scene: Scene, value: object, said: str) -> None:
    found = odd_words(scene.kit, value)
    assert (said in found) if said else found == ""


def test_kept_and_uploaded_are_said_only_when_true(scene: Scene) -> None:
    scene.reviewed().review(AskPin(), PinStateRead(PinState(6)), SignPressed("1"), Signed(RECEIPT.record_id))
    QApplication.processEvents()
    assert [one for one in scene.effects if isinstance(one, Keep)] and "已安全保存" not in texts(scene.window)
    scene.review(Failed(DiskFull(free=1, needed=2), "Keep"))
    QApplication.processEvents()
    assert "还没有保存" in texts(scene.window) and "已安全保存" not in texts(scene.window)
    kept = Scene(LOOK)
    try:
        kept.window.show()
        kept.kept()
        QApplication.processEvents()
        said = texts(kept.window.review_page)
        assert "已安全保存" in said and "等待上传" in said and "已上传" not in said
        kept.review(RecordMoved(RECEIPT.record_id, "receipted", RECEIPT))
        QApplication.processEvents()
        assert "已上传" in texts(kept.window.review_page) and RECEIPT.serial in texts(kept.window.review_page)
        kept.desk(CardPlaced(READER))
        QTest.qWait(30)
        assert kept.window._stack.currentWidget() is kept.window.desk, "the next card gives the desk free"
    finally:
        kept.window.close()
        kept.window.deleteLater()


def test_outbox_words_and_sync(scene: Scene) -> None:
    scene.inside().desk(PagePicked("outbox"))
    QTest.qWait(30)
    table = scene.window.desk.outbox.table
    assert table.model().rowCount() == 9
    assert table.model().index(0, 2).data() == "退回补正", "returned ones first"
    press(scene.window, Qt.Key.Key_F5)
    assert SyncNow() in scene.effects
    scene.window.desk.outbox.search.setText("钱国庆")
    assert table.model().rowCount() == 1


def test_older_records_come_by_a_button_and_a_search_goes_on_in_them(scene: Scene) -> None:
    scene.inside().desk(PagePicked("outbox"))
    QApplication.processEvents()
    button = next(one for one in scene.window.desk.outbox.findChildren(QPushButton) if one.accessibleName() == "更早的记录")
    assert button.isVisibleTo(scene.window.desk.outbox)
    button.click()
    assert ListOutbox(2) in scene.effects and not button.isVisibleTo(scene.window.desk.outbox), "until they are there"
    rows = scene.stages["intake"].state.outbox
    scene.desk(OutboxListed(rows, {}, (), True))
    scene.window.desk.outbox.search.setText("不在这几页")
    assert ListOutbox(3) in scene.effects
    scene.desk(OutboxListed(rows, {}, (), False))
    assert [one for one in scene.effects if isinstance(one, ListOutbox)][-1] == ListOutbox(3), "and ends where nothing older is there"


def test_lock_hides_the_sitting_and_brings_it_back(scene: Scene) -> None:
    scene.sitting()
    scene.desk(LockPressed())
    QApplication.processEvents()
    assert scene.window._stack.currentWidget() is scene.window.login_page
    assert "李国强" not in texts(scene.window)
    assert scene.stages["intake"].state.draft is not None


def test_everything_that_can_be_pressed_or_filled_has_a_name(scene: Scene) -> None:
    scene.worker()
    QTest.qWait(30)
    nameless = [type(one).__name__ for one in scene.window.findChildren(QWidget)
                if isinstance(one, QPushButton | QLineEdit) and one.isVisible() and not one.accessibleName()]
    assert nameless == []


def test_tab_reaches_the_form_and_every_stop_is_seen(scene: Scene) -> None:
    scene.sitting().desk(Edited("person.categories", ("4",), NOW))
    QTest.qWait(30)
    seen: set[str] = set()
    for _ in range(80):
        press_tab(scene.window)
        widget = QApplication.focusWidget()
        assert widget is not None and widget.isVisible()
        seen.add(widget.accessibleName())
    assert {"手机号码", "单位名称", "工种", "核对，经办人签名"} <= seen


def press_tab(window: StaffWindow) -> None:
    QTest.keyClick(QApplication.focusWidget() or window, Qt.Key.Key_Tab)
    QApplication.processEvents()


@pytest.mark.parametrize("size", [(1366, 768), (1920, 1080)])
def test_nothing_is_wider_than_the_window(scene: Scene, size: tuple[int, int]) -> None:
    scene.worker()
    scene.window.resize(*size)
    QTest.qWait(30)
    assert (scene.window.width(), scene.window.height()) == size
    for area in (scene.window.desk.form.scrolled, scene.window.desk.right.findChildren(QWidget)[0]):
        inner = getattr(area, "widget", lambda: None)()
        if inner is not None:
            assert inner.width() <= area.viewport().width()
