"""Signing beside the sitting through the window: ticks by keyboard, the PIN once and gone, no way round the list, every end in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import get_args

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QWidget

from desktop.flows.machine import Failed
from desktop.flows.words import (
    BatchAsked,
    BatchBuilt,
    BuildBatch,
    EndBatch,
    EndShift,
    KeepUnsigned,
    KeptUnsigned,
    OperatorIn,
    PinStateRead,
    Progress,
    ReviewBuilt,
    ShowBatchRecord,
    SignBatch,
    StopBatch,
    WaitingListed,
)
from desktop.messages import LANGUAGES, Words
from desktop.widgets.style import Look
from devices.errors import WrongPin
from devices.tokens.contract import PinState
from sync.batch import EndReason
from tests.flows.sample import NOW, STATION
from tests.scenes.batch_scenes import LINES, OTHERS, ROWS, SUPERVISOR, at_pin, choosing, confirming, ended
from tests.scenes.staff_scenes import Scene

LOOK = Look(practice=True, calm=True)
NONE = Qt.KeyboardModifier.NoModifier


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


def key(code: Qt.Key, modifier: Qt.KeyboardModifier = NONE) -> None:
    widget = QApplication.focusWidget()
    assert widget is not None and widget.isVisible() and widget.isEnabled(), widget
    QTest.keyClick(widget, code, modifier)
    QApplication.processEvents()


def made(scene: Scene, kind: type) -> list:
    return [one for one in scene.effects if isinstance(one, kind)]


def test_from_the_desk_to_the_verdict_of_each_by_keyboard(scene: Scene) -> None:
    scene.inside()
    QApplication.processEvents()
    key(Qt.Key.Key_B, Qt.KeyboardModifier.ControlModifier)
    assert "正在找等待签名的记录" in texts(scene.window.batch_page)
    scene.batch(WaitingListed("sign", ROWS))
    assert QApplication.focusWidget() is scene.window.batch_page.choose.table and "已勾 6 份" in texts(scene.window.batch_page)
    key(Qt.Key.Key_Space)
    assert ROWS[0].record_id not in scene.stages["batch"].state.chosen
    key(Qt.Key.Key_N, Qt.KeyboardModifier.AltModifier)
    key(Qt.Key.Key_F9)
    assert not made(scene, BuildBatch), "nothing is ticked"
    key(Qt.Key.Key_A, Qt.KeyboardModifier.AltModifier)
    key(Qt.Key.Key_F9)
    assert made(scene, BuildBatch)[0].record_ids == tuple(one.record_id for one in ROWS)
    scene.batch(Progress("build", 2, 6))
    assert "正在排出要签的内容，2 / 6" in texts(scene.window.batch_page)
    scene.batch(BatchBuilt(LINES))
    assert "已看过 0 / 6 份" in texts(scene.window.batch_page)
    key(Qt.Key.Key_F9)
    scene.batch(PinStateRead(PinState(6)))
    QTest.keyClicks(QApplication.focusWidget(), "135790")
    key(Qt.Key.Key_Return)
    (order,) = made(scene, SignBatch)
    assert order.pin == "135790" and order.confirmed == tuple(one.item for one in LINES) and scene.window.batch_page.side.pin.edit.text() == ""
    scene.batch(Progress("sign", 3, 6))
    assert "正在签名，3 / 6" in texts(scene.window.batch_page) and "别拔证书" in texts(scene.window.batch_page)
    key(Qt.Key.Key_Escape)
    assert scene.stages["batch"].state.page == "signing", "no way back while the token signs"
    key(Qt.Key.Key_S, Qt.KeyboardModifier.AltModifier)
    assert made(scene, StopBatch) and "签完手上这一份就停" in texts(scene.window.batch_page)


def test_each_can_be_read_and_the_list_remembers_it(scene: Scene) -> None:
    other = Scene(LOOK)
    sheet = other.reviewed().stages["review"].state.sheet
    other.close()
    confirming(scene)
    QApplication.processEvents()
    key(Qt.Key.Key_Return)
    assert made(scene, ShowBatchRecord) == [ShowBatchRecord(LINES[0].item.record_id)]
    scene.batch(ReviewBuilt(replace(sheet, record_id=LINES[0].item.record_id)))
    said = texts(scene.window.batch_page)
    assert "从业人员实名登记表" in said and "李国强" in said
    key(Qt.Key.Key_F9)
    assert "已看过 1 / 6 份" in texts(scene.window.batch_page) and not made(scene, SignBatch)


def test_those_of_others_need_a_reason_and_barred_ones_stay_unticked(scene: Scene) -> None:
    scene.inside().batch(OperatorIn(SUPERVISOR, STATION), BatchAsked(), WaitingListed("sign", (*OTHERS, *ROWS)))
    page = scene.window.batch_page
    QApplication.processEvents()
    page.choose.table._turn(OTHERS[1].record_id)
    assert OTHERS[1].record_id not in scene.stages["batch"].state.chosen
    page.choose.table._turn(OTHERS[0].record_id)
    QApplication.processEvents()
    assert page.side.reason.isVisible()
    key(Qt.Key.Key_F9)
    assert not made(scene, BuildBatch)
    page.side.reason.setFocus()
    QTest.keyClicks(page.side.reason, "clerk is ill")
    key(Qt.Key.Key_F9)
    assert made(scene, BuildBatch)[0].reason == "clerk is ill"


def test_what_cannot_be_signed_is_named_with_its_reason(scene: Scene) -> None:
    confirming(scene, ((ROWS[5].record_id, "draft.incomplete"),))
    said = texts(scene.window.batch_page)
    assert "这些现在签不了" in said and "蒋兰" in said and "draft.incomplete" in said
    confirming_nothing = Scene(LOOK)
    try:
        confirming_nothing.window.show()
        choosing(confirming_nothing).batch(*_built_nothing())
        assert "勾上的都签不了" in texts(confirming_nothing.window.batch_page) and not confirming_nothing.window.batch_page.main.isEnabled()
    finally:
        confirming_nothing.close()


def _built_nothing() -> list:
    from desktop.flows.words import BuildPressed

    return [BuildPressed(), BatchBuilt((), tuple((one.record_id, "draft.incomplete") for one in ROWS))]


def test_a_wrong_pin_ends_it_and_the_last_try_is_a_question(scene: Scene) -> None:
    at_pin(scene)
    QTest.keyClicks(QApplication.focusWidget(), "1")
    key(Qt.Key.Key_Return)
    scene.batch(Failed(WrongPin(tries_left=1), "SignBatch"), PinStateRead(PinState(1, last_try=True)))
    said = texts(scene.window.batch_page)
    assert "PIN 不对" in said and "只剩最后一次" in said and not scene.window.batch_page.side.pin.edit.isVisible()
    assert len(made(scene, SignBatch)) == 1


def test_locking_while_it_signs_ends_it(scene: Scene) -> None:
    at_pin(scene)
    QTest.keyClicks(QApplication.focusWidget(), "1")
    key(Qt.Key.Key_Return)
    key(Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    assert made(scene, EndBatch) and scene.window._stack.currentWidget() is scene.window.login_page
    assert "郑和平" not in texts(scene.window)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("reason", get_args(EndReason))
def test_every_end_is_said_in_words_of_its_own(reason: str, lang: str) -> None:
    words = Words(lang)
    said = [words(f"batch.end_{one.replace('-', '_')}") for one in get_args(EndReason)]
    assert words.has(f"batch.end_{reason.replace('-', '_')}") and len(set(said)) == len(said)


def test_the_result_names_every_record(scene: Scene) -> None:
    ended(scene, "removed", 2, code="token.gone")
    said = texts(scene.window.batch_page)
    assert "签好 2 份，一共 6 份" in said and "证书 Key 拔下来了" in said and "一份没丢" in said
    assert all(one.name in said for one in ROWS) and said.count("没轮到") == 4
    QApplication.processEvents()
    key(Qt.Key.Key_F5)
    assert scene.stages["batch"].state.page == "listing", "the rest, with a new list and a new PIN"


def test_all_done_says_so_and_goes_back_to_the_desk(scene: Scene) -> None:
    ended(scene, "done", 6)
    assert "6 份都签好了" in texts(scene.window.batch_page)
    key(Qt.Key.Key_F9)
    assert scene.window._stack.currentWidget() is scene.window.desk


def test_own_trouble_of_a_record_is_told_beside_it(scene: Scene) -> None:
    ended(scene, "done", 4, 2)
    said = texts(scene.window.batch_page)
    assert "签好 4 份，一共 6 份" in said and "signature.invalid" in said and said.index("卫国") < said.index("郑和平"), "what needs somebody comes first"


def test_hand_over_is_one_pin_and_locks(scene: Scene) -> None:
    choosing(scene)
    QApplication.processEvents()
    key(Qt.Key.Key_3, Qt.KeyboardModifier.AltModifier)
    scene.batch(PinStateRead(PinState(6)))
    assert "签交班记录" in texts(scene.window.batch_page)
    QTest.keyClicks(QApplication.focusWidget(), "246810")
    key(Qt.Key.Key_Return)
    assert [one.pin for one in made(scene, EndShift)] == ["246810"]


def test_countersignature_is_for_supervisors(scene: Scene) -> None:
    choosing(scene)
    QApplication.processEvents()
    assert not scene.window.batch_page._tabs["countersign"].isVisible()
    scene.batch(OperatorIn(SUPERVISOR, STATION), BatchAsked(), WaitingListed("sign", ROWS))
    QApplication.processEvents()
    key(Qt.Key.Key_2, Qt.KeyboardModifier.AltModifier)
    assert scene.stages["batch"].state.deed == "countersign"


def test_nothing_waits_is_calm_and_says_where_it_would_come_from(scene: Scene) -> None:
    choosing(scene, ())
    said = texts(scene.window.batch_page)
    assert "没有等待签名的" in said and "F10" in said and not scene.window.batch_page.main.isVisible()
    key(Qt.Key.Key_Escape)
    assert scene.window._stack.currentWidget() is scene.window.desk


def test_what_cannot_be_signed_now_is_kept_from_the_review_page(scene: Scene) -> None:
    scene.reviewed()
    QApplication.processEvents()
    key(Qt.Key.Key_F10)
    assert made(scene, KeepUnsigned) and "已安全保存" not in texts(scene.window.review_page)
    scene.review(KeptUnsigned(ROWS[0].record_id, NOW))
    said = texts(scene.window.review_page)
    assert "已安全保存，还没签名" in said and "签名" in said
    field = QApplication.focusWidget()
    assert field is not None and not isinstance(field, QLineEdit)
    key(Qt.Key.Key_F9)
    assert scene.stages["review"].state.page == "idle"
