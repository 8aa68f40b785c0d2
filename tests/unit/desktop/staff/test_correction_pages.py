"""A returned record through the window: the row, the band with its items, what is still to do, the review with its marks, the pair."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QPushButton, QWidget

from desktop.flows.machine import Failed
from desktop.flows.words import DiscardPressed, Edited, PagePicked, PortraitPressed, RecordPicked, ReviewPressed
from desktop.flows.words.day import ItemTurned, RepairRecord
from desktop.messages import Words
from desktop.staff.correction_band import CorrectionBand
from desktop.staff.wording import item_words
from desktop.widgets.style import Look
from sync.errors import CorrectionElsewhere
from tests.flows.sample import NOW
from tests.scenes.correction_scenes import OLD, correcting, correction, correction_scenes, listed, returned
from tests.scenes.staff_scenes import Scene, stage_window

LOOK = Look(practice=True, calm=True)
ALT, CTRL = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def scene(qt_application: QApplication) -> Iterator[Scene]:
    qt_application.setStyleSheet(LOOK.sheet())
    made = Scene(LOOK)
    made.window.resize(1366, 768)
    made.window.show()
    made.window.activateWindow()
    QApplication.processEvents()
    yield made
    made.close()
    qt_application.setStyleSheet("")


def texts(widget: QWidget) -> str:
    QApplication.processEvents()
    return "\n".join(one.text() for one in widget.findChildren(QLabel) if one.isVisible())


def key(code: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    widget = QApplication.focusWidget()
    assert widget is not None and widget.isVisible() and widget.isEnabled(), widget
    QTest.keyClick(widget, code, modifier)
    QApplication.processEvents()


def test_from_the_row_with_alt_e(scene: Scene) -> None:
    scene.inside().desk(listed(), PagePicked("returned"))
    page = scene.window.desk.outbox
    page.table.pick(OLD)
    said = texts(page)
    assert "最晚 2026-12-14 补正" in said and "按“补正”打开" in said and page._repair.text() == "补正" and not page._retry.isVisible()
    key(Qt.Key.Key_E, ALT)
    assert scene.effects[-1] == RepairRecord(OLD) and "正在打开" in page._repair.text()
    scene.desk(Failed(CorrectionElsewhere("x"), "RepairRecord"))
    assert "这一份不能在本机补正" in texts(scene.window.desk) and page._repair.isEnabled()


def test_the_contents_are_forgotten_and_the_row_says_what_to_do(scene: Scene) -> None:
    correcting(scene, listed(returned(state="purged", name="", id_tail="")), correction(known=False))
    assert "原来的内容已按期清除" in texts(scene.window.desk.correction) and "改过了" not in texts(scene.window.desk.correction)
    scene.desk(Edited("person.mobile", "13900001111", NOW))
    assert "还有 3 处" in texts(scene.window.desk.correction), "what stood there is not known, so a person must say that it is done"
    scene.desk(PagePicked("returned"))
    scene.window.desk.outbox.table.pick(OLD)
    assert "带证来" in texts(scene.window.desk.outbox) and scene.window.desk.outbox._repair.isVisible()


def test_every_item_stands_in_the_band_and_in_what_is_still_to_do(scene: Scene) -> None:
    correcting(scene)
    desk = scene.window.desk
    band, todo = texts(desk.correction), texts(desk.right.still)
    for said in ("手机号码：手机号码打不通", "职业技能证书：证书编号看不清", "整份登记：请写明是新招"):
        assert said in band and said in todo
    assert "最晚 2026-12-14 交" in band and "还有 3 处" in band and "退回 3" in todo
    mobile = desk.form.cards["person"].fields["person.mobile"]
    assert mobile.face.trouble == "must" and mobile.face.hint.startswith("退回说明：手机号码打不通")
    scene.desk(PortraitPressed())
    assert not desk.correction.isVisible()


def test_keys_say_what_is_done_and_take_it_back(scene: Scene) -> None:
    correcting(scene)
    desk = scene.window.desk
    key(Qt.Key.Key_2, CTRL)
    key(Qt.Key.Key_3, CTRL)
    assert "还有 1 处" in texts(desk.correction) and "退回 1" in texts(desk.right.still)
    key(Qt.Key.Key_2, CTRL)
    assert "还有 2 处" in texts(desk.correction), "the keys keep their lines"
    key(Qt.Key.Key_2, CTRL)
    scene.desk(Edited("person.mobile", "13900001111", NOW))
    said = texts(desk.correction)
    assert "可以核对签名" in said and "改过了" in said and "都齐了" in texts(desk.right.still)


def test_f9_puts_the_caret_where_the_open_item_is(scene: Scene) -> None:
    correcting(scene).desk(ItemTurned(0), ItemTurned(1), ReviewPressed(NOW))
    QApplication.processEvents()
    focused = QApplication.focusWidget()
    assert focused is scene.window.desk.correction._buttons[2], "only a press answers what names no place"
    key(Qt.Key.Key_Space)
    assert "可以核对签名" in texts(scene.window.desk.correction)


def test_throwing_it_away_says_what_stays(scene: Scene) -> None:
    correcting(scene).desk(DiscardPressed())
    assert "退回的那份和它的回执不受影响" in texts(scene.window.desk)


def test_the_review_marks_what_differs_and_the_pair_names_itself(scene: Scene, qt_application: QApplication) -> None:
    def make() -> Scene:
        return Scene(LOOK)

    for name, one in correction_scenes(make):
        one.window.resize(1366, 768)
        one.window.show()
        said = texts(one.window)
        if name == "96-correction-review":
            assert said.count("有改动") == 4 and "补正：第 2 版，接记录 5b1f7c20" in said and "改了 4 处" in said and "这一版没有：单位 · 岗位" in said
        if name == "97-corrected-pair":
            page = one.window.desk.outbox
            assert "由记录 0d1f3c55 补正" in said and not page._repair.isVisible() and page._print.isVisible()
            page.table.pick("0d1f3c55-6f0e-4a7e-8f5e-1a2b3c4d5e6f")
            one.desk(RecordPicked("0d1f3c55-6f0e-4a7e-8f5e-1a2b3c4d5e6f"))
            assert "这一份补正记录 5b1f7c20" in texts(page)
        one.close()


def test_every_state_can_be_shown_in_english_too_and_every_button_has_a_name(qt_application: QApplication) -> None:
    def make() -> Scene:
        return Scene(LOOK, "en")

    for name, one in correction_scenes(make):
        one.window.show()
        QApplication.processEvents()
        nameless = [type(part).__name__ for part in one.window.findChildren(QWidget)
                    if isinstance(part, QPushButton | QLineEdit) and part.isVisible() and not part.accessibleName()]
        assert nameless == [], name
        assert not [part.text() for part in one.window.findChildren(QLabel) if part.isVisible() and ("{" in part.text() or "}" in part.text())], name
        one.close()


def test_what_the_platform_writes_is_never_hidden() -> None:
    words = Words("zh_CN")
    assert item_words("person.x", "改\u202e", words).startswith("person.x：改") and "\u202e" not in item_words("person.x", "改\u202e", words)
    assert item_words("record", "改", words) == item_words("", "改", words) == "整份登记：改"


def test_lines_are_as_high_as_their_words_with_large_text(qt_application: QApplication) -> None:
    look = Look(200, practice=True, calm=True)
    qt_application.setStyleSheet(look.sheet())
    made = correcting(Scene(look))
    try:
        stage_window(made, 1920, 1080)
        for _ in range(6):
            QApplication.processEvents()
        band = next(iter(made.window.findChildren(CorrectionBand)))
        lines = [band._lines.column.itemAt(at).widget() for at in range(band._lines.column.count())]
        assert len(lines) == 3 and all(line.height() <= band._buttons[0].height() + 8 for line in lines), [line.height() for line in lines]
    finally:
        made.close()
        qt_application.setStyleSheet("")
