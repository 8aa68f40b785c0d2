"""Sync panel, reconciliation sheet and export through the window: honest words in every state, keys, focus, nobody else's record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import chain

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel, QLineEdit, QPushButton, QScrollArea, QWidget

from desktop.flows.machine import Failed
from desktop.flows.words import (
    BackPressed,
    CourierFacts,
    CourierSeen,
    DiscardPressed,
    OutboxListed,
    PagePicked,
    PortraitPressed,
    RecordMoved,
    SyncNow,
    SyncPressed,
)
from desktop.flows.words.day import Exported, ExportRecord, ExportWanted, MakeSheet, PrintSheet, RepairRecord, SaveSheet, SheetCounted, SheetMade, SheetSaved
from desktop.staff.wording import exact_time
from desktop.widgets.style import Look
from sync.errors import RepairThere
from sync.journal import JournalFault
from tests.flows.sample import NOW
from tests.scenes.batch_scenes import batch_scenes
from tests.scenes.day_scenes import BROKEN, CHANGED, CLOCK, REFUSED, day_scenes, outbox, repaired, repairing, sheet
from tests.scenes.staff_scenes import DEVICES, MOVING, OFFLINE, ONLINE, RECEIPT, Scene

LOOK = Look(practice=True, calm=True)


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


def panel(scene: Scene, courier: CourierSeen = ONLINE) -> str:
    scene.inside(courier).desk(outbox(), CHANGED, PagePicked("sync"))
    return texts(scene.window.desk.sync)


# -- sync panel ---------------------------------------------------------------------------------------------------------------------------
def test_what_moves_how_far_and_what_is_behind_it(scene: Scene) -> None:
    said = panel(scene, MOVING)
    assert "正在上传：陈志远" in said and "5.2 MB / 8.4 MB，61 %" in said and "后面还有 6 份" in said and "2 分钟前" in said


def test_offline_says_so_and_that_work_goes_on(scene: Scene) -> None:
    said = panel(scene, BROKEN)
    assert "断网 12 分钟，可继续办" in said and "province.unreachable" in said
    rows = said.split("断网时能办什么")[1]
    assert "签名" in rows and "能办" in rows and "等连上" in rows and "排着队，连上自己传。" in rows


def test_why_each_waits_and_what_a_person_must_do(scene: Scene) -> None:
    said = panel(scene, OFFLINE)
    assert "单独放着 1 份 · 4.2 MB" in said and "省平台的回执和发出去的对不上" in said and "receipt.mismatch" in said
    assert "等待签名 3 份" in said and "等待上传 5 份 · 31.4 MB" in said and "连不上省平台" in said
    scene.window.desk.sync.waits.chosen.emit("returned")
    assert scene.stages["intake"].state.page == "returned"


def test_sync_now_is_answered_by_the_very_press(scene: Scene) -> None:
    panel(scene, OFFLINE)
    assert QApplication.focusWidget() is scene.window.desk.sync.sync
    key(Qt.Key.Key_F5)
    assert SyncNow() in scene.effects and "正在联系省平台" in texts(scene.window.desk.sync)
    assert QApplication.focusWidget() is scene.window.desk.sync.sync, "the keyboard stays"
    scene.desk(CourierSeen(CourierFacts(True, last_success=NOW)))
    assert "正在联系" not in texts(scene.window.desk.sync)


def test_news_name_the_items_the_days_and_the_changes(scene: Scene) -> None:
    said = panel(scene)
    assert "周小兰 · 尾号 1201：退回补正" in said and "劳动合同或用工协议：劳动合同缺第 2 页" in said and "手机号码：手机号码打不通" in said
    assert "公示到 2026-12-03" in said and "刘洋 现在可以在本厅办（经办人、主管）" in said and "2 张代码表换了版：技能等级、工种" in said
    assert "代码表第 9 版" in said and "过期了，先照用" in said
    scene.window.desk.sync.news.chosen.emit("r-1")
    QApplication.processEvents()
    assert scene.stages["intake"].state.page == "outbox" and scene.window.desk.outbox.table.current() == "r-1"


@pytest.mark.parametrize(("courier", "words"), [(REFUSED, "province.station"), (CLOCK, "province.clock_off"), (CourierSeen(CourierFacts()), "还没连过")])
def test_troubles_are_said_in_words(scene: Scene, courier: CourierSeen, words: str) -> None:
    said = panel(scene, courier)
    assert words in said and "未知" not in said


def test_a_station_that_is_refused_reads_nowhere_that_the_line_is_down(scene: Scene) -> None:
    refused = CourierSeen(replace(REFUSED.courier, error_code="province.station_revoked"))
    for page in ("sync", "outbox"):
        scene.inside(refused).desk(outbox(), PagePicked(page))
        assert "断网，连上" not in texts(scene.window) and "平台不收本机的" in texts(scene.window), page


@pytest.mark.parametrize(("refusal", "said"), [("record.attachments", "材料和登记内容对不上"), ("record.not-known-here", "record.not-known-here")])
def test_why_the_platform_did_not_take_a_record_is_said(scene: Scene, refusal: str, said: str) -> None:
    """The next step is "mend it by the reason": then the reason has to be there, in words or, unknown here, as the platform wrote it."""
    rows = tuple(replace(one, state="set_aside", error_code="province.refused", refusal=refusal) if one.record_id == "r-2" else one for one in outbox().rows)
    scene.inside().desk(replace(outbox(), rows=rows), PagePicked("returned"))
    scene.window.desk.outbox.pick("r-2")
    shown = texts(scene.window.desk.outbox)
    assert f"原因：{said}" in shown and f"province.refused · {refusal}" in shown


def test_nothing_waits_is_said_as_such(scene: Scene) -> None:
    scene.inside().desk(OutboxListed((), {}), PagePicked("sync"))
    said = texts(scene.window.desk.sync)
    assert "都传完了" in said and "没有在等的" in said and "没有新消息" in said


# -- the sheet ----------------------------------------------------------------------------------------------------------------------------
def test_from_the_key_to_the_numbers_and_the_paper(scene: Scene) -> None:
    scene.inside()
    QApplication.processEvents()
    key(Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier)
    assert MakeSheet() in scene.effects and "正在核对" in texts(scene.window.desk.sheet)
    scene.desk(SheetCounted(500, 2000))
    assert scene.window.desk.sheet._bar.value() == 500
    key(Qt.Key.Key_F7)
    assert not [one for one in scene.effects if isinstance(one, PrintSheet)], "there is nothing to print yet"
    scene.desk(SheetMade(sheet("waits")))
    said = texts(scene.window.desk.sheet)
    assert "还差 4 份，不用现在处理" in said and "23" in said and "≠" in said
    assert QApplication.focusWidget() is scene.window.desk.sheet.table
    key(Qt.Key.Key_F7)
    assert [one for one in scene.effects if isinstance(one, PrintSheet)] == [PrintSheet(sheet("waits"))]
    scene.desk(SheetSaved())
    assert "对账单已经存好或送到打印机" in texts(scene.window.desk.sheet)
    key(Qt.Key.Key_Left, Qt.KeyboardModifier.AltModifier)
    assert isinstance(scene.effects[-1], MakeSheet) and scene.effects[-1].day == sheet().sheet.day.replace(day=21)
    key(Qt.Key.Key_Escape)
    assert scene.stages["intake"].state.page == "desk"


def test_a_pdf_is_asked_for_by_a_name_without_a_person(scene: Scene) -> None:
    scene.inside().desk(PagePicked("sheet"), SheetMade(sheet("waits")))
    QApplication.processEvents()
    key(Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    dialogue = next(one for one in QApplication.topLevelWidgets() if isinstance(one, QFileDialog) and one.isVisible())
    assert dialogue.selectedFiles()[0].endswith("日结对账-2026-11-22.pdf")
    dialogue.fileSelected.emit("/x/day.pdf")
    dialogue.close()
    assert SaveSheet(sheet("waits"), "/x/day.pdf") in scene.effects


@pytest.mark.parametrize(("kind", "words"), [("balanced", "全部对上"), ("empty", "这一天没有登记"), ("person", "要人处理"), ("alarm", "请找管理员")])
def test_the_verdict_comes_before_the_numbers(scene: Scene, kind: str, words: str) -> None:
    scene.inside().desk(PagePicked("sheet"), SheetMade(sheet(kind)))
    assert words in texts(scene.window.desk.sheet.verdict)


def test_own_differences_open_and_those_of_others_do_not(scene: Scene) -> None:
    scene.inside().desk(PagePicked("sheet"), SheetMade(sheet("person")))
    page = scene.window.desk.sheet
    wanted: list[str] = []
    page.wanted.connect(wanted.append)
    rows = [page.table.model().index(row, 0).data() for row in range(page.table.model().rowCount())]
    assert rows[2].startswith("刘洋 登记的 · 00000003") and "1204" not in rows[2]
    page._open("00000003-6f0e-4a7e-8f5e-1a2b3c4d5e6f")
    assert wanted == []
    page._open("00000002-6f0e-4a7e-8f5e-1a2b3c4d5e6f")
    assert wanted == ["00000002-6f0e-4a7e-8f5e-1a2b3c4d5e6f"]


def test_a_journal_that_does_not_hold_is_said_and_no_numbers_are_shown(scene: Scene) -> None:
    scene.inside().desk(PagePicked("sheet"), Failed(JournalFault("x", what="journal", line=17), "MakeSheet"))
    said = texts(scene.window.desk)
    assert "操作日志对不上" in said and "journal.fault" in said and "没有做成" in said and "采集" not in said


# -- export from a row --------------------------------------------------------------------------------------------------------------------
def test_a_record_that_was_set_aside_is_exported_from_its_row(scene: Scene) -> None:
    scene.inside(OFFLINE).desk(outbox(), PagePicked("returned"))
    page = scene.window.desk.outbox
    page.table.pick("r-2")
    said = texts(page)
    assert "省平台的回执和发出去的对不上" in said
    key(Qt.Key.Key_X, Qt.KeyboardModifier.AltModifier)
    dialogue = next(one for one in QApplication.topLevelWidgets() if isinstance(one, QFileDialog) and one.isVisible())
    assert "吴" not in dialogue.selectedFiles()[0]
    dialogue.fileSelected.emit("/x/a.zip")
    dialogue.close()
    assert scene.effects[-1] == ExportRecord("r-2", "/x/a.zip")
    scene.desk(Exported("r-2", "/x/a.zip", "K7QM-2XWD"))
    assert "K7QM-2XWD" in texts(page) and "不要和介质放在一起" in texts(page)
    page._written.click()
    assert "K7QM" not in texts(page)


# -- repair from a row --------------------------------------------------------------------------------------------------------------------
def test_a_record_that_was_set_aside_is_repaired_from_its_row(scene: Scene) -> None:
    scene.inside(OFFLINE).desk(outbox(), PagePicked("returned"))
    page = scene.window.desk.outbox
    page.table.pick("r-2")
    assert "改正重办" in texts(page) and "别再发一次" in texts(page)
    key(Qt.Key.Key_E, Qt.KeyboardModifier.AltModifier)
    assert scene.effects[-1] == RepairRecord("r-2") and not page._repair.isEnabled() and "正在打开" in page._repair.text()
    scene.desk(Failed(RepairThere("x"), "RepairRecord"))
    assert "省平台已经有这一份" in texts(scene.window.desk) and page._repair.isEnabled()


def test_the_sitting_says_what_it_repairs_and_why(scene: Scene) -> None:
    repairing(scene)
    said = texts(scene.window.desk)
    assert "改正重办：" in said and "省平台的回执和发出去的对不上" in said and "改好后重新签名" in said
    scene.desk(DiscardPressed())
    assert "不受影响" in texts(scene.window.desk)
    scene.desk(BackPressed(), PortraitPressed())
    assert "改好后重新签名" not in texts(scene.window.desk)


def test_what_was_repaired_names_the_other_one_and_has_nothing_to_press(scene: Scene) -> None:
    scene.inside().desk(repaired(), PagePicked("outbox"))
    page = scene.window.desk.outbox
    page.table.pick("r-2")
    said = texts(page)
    assert "改正重办了" in said and "由记录 r-4 接替" in said and "不再上传" in said
    assert not any(button.isVisible() for button in (page._repair, page._retry, page._export, page._print, page._save))


def test_the_sheet_names_the_pair_and_is_balanced(scene: Scene) -> None:
    scene.inside().desk(PagePicked("sheet"), SheetMade(sheet("replaced")))
    page = scene.window.desk.sheet
    shown = [str(page.table.model().index(0, column).data()) for column in range(page.table.model().columnCount())]
    assert "改正重办了，算新的一份" in shown and "由记录 0d1f3c55 接替" in shown and "全部对上" in texts(page)


def test_only_the_province_opens_an_export_without_a_code(scene: Scene) -> None:
    scene.inside(OFFLINE).desk(outbox(), PagePicked("returned"), ExportWanted("r-2", "/x/a.zip"), Exported("r-2", "/x/a.zip"))
    assert "只有省平台能打开" in texts(scene.window.desk.outbox)


# -- all of them --------------------------------------------------------------------------------------------------------------------------
def test_every_state_can_be_shown_in_english_too_and_every_button_has_a_name(qt_application: QApplication) -> None:
    def make() -> Scene:
        return Scene(LOOK, "en")

    for name, one in chain(day_scenes(make), batch_scenes(make)):
        one.window.show()
        one.desk(SyncPressed())
        QApplication.processEvents()
        nameless = [type(part).__name__ for part in one.window.findChildren(QWidget)
                    if isinstance(part, QPushButton | QLineEdit) and part.isVisible() and not part.accessibleName()]
        assert nameless == [], name
        assert not [part.text() for part in one.window.findChildren(QLabel) if part.isVisible() and ("{" in part.text() or "}" in part.text())], name
        one.close()


def test_a_press_of_sync_now_is_told_to_the_second(scene: Scene) -> None:
    """Offline the answer has the words that stand there already: its time is what shows that the press was heard, on the panel and over the list."""
    scene.inside(OFFLINE).desk(outbox(), PagePicked("sync"))
    said = texts(scene.window.desk.sync.now)
    assert "试过" not in said and said.count("自己") == 1, "the same comfort is not said twice"
    scene.desk(replace(OFFLINE, courier=replace(OFFLINE.courier, asked_at=NOW)))
    assert f"{exact_time(NOW)} 试过，还没连上" in texts(scene.window.desk.sync)
    scene.desk(PagePicked("outbox"))
    assert f"{exact_time(NOW)} 试过" in texts(scene.window.desk.outbox)
    scene.desk(replace(OFFLINE, courier=replace(OFFLINE.courier, asked_at=NOW - timedelta(minutes=11))))
    assert "试过" not in texts(scene.window.desk.outbox), "its own tries are newer by now"


def test_the_list_ends_below_its_last_line(scene: Scene) -> None:
    scene.inside(OFFLINE).desk(outbox(), PagePicked("returned"))
    table = scene.window.desk.outbox.table
    last = table.row_place(table.model().rowCount() - 1)
    assert last.height() <= table.viewport().height() - last.bottom() + last.height() < 2 * last.height()


def test_what_is_kept_names_whose_it_is_before_the_receipt(scene: Scene) -> None:
    said = texts(scene.kept().window.review_page.kept)
    assert "李国强" in said and "上传以后才有" in said and "R-2026" not in said


def test_a_check_of_the_devices_is_told_to_the_second(scene: Scene) -> None:
    scene.inside(OFFLINE).desk(DEVICES, PagePicked("health"))
    page = scene.window.desk.health
    assert "检查过" not in texts(page)
    key(Qt.Key.Key_F5)
    assert page._again.text() == "正在检查……"
    scene.desk(DEVICES)
    assert page._again.text() == "再检查一次" and f"{exact_time(NOW)} 检查过" in texts(page), "nothing changed, and it shows that it was looked"


@pytest.mark.parametrize(("letter", "page"), [("P", "parked"), ("R", "returned"), ("T", "outbox"), ("U", "sync"), ("D", "sheet"), ("I", "health")])
def test_each_page_of_the_left_column_has_its_key_and_shows_it(letter: str, page: str, scene: Scene) -> None:
    scene.inside(OFFLINE).desk(outbox())
    assert f"Ctrl {letter}" in texts(scene.window.desk.left)
    key(getattr(Qt.Key, f"Key_{letter}"), Qt.KeyboardModifier.ControlModifier)
    assert scene.stages["intake"].state.page == page


def test_what_the_platform_did_not_take_is_said_while_the_person_is_still_there(scene: Scene) -> None:
    scene.kept().review(RecordMoved(RECEIPT.record_id, "set_aside"))
    said = texts(scene.window.review_page)
    assert "省平台没收下" in said and "没有丢" in said and "上传以后才有" not in said and "等待上传" not in said
    scene.desk(outbox())
    key(Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    assert scene.stages["intake"].state.page == "returned" and "要处理的记录" in texts(scene.window.desk)


def test_a_refused_row_names_the_platforms_own_code_and_says_each_remedy_once(scene: Scene) -> None:
    scene.inside(ONLINE).desk(outbox(), PagePicked("returned"))
    rows = scene.stages["intake"].state.outbox
    refused = [replace(one, error_code="province.refused", refusal="record.format") if one.record_id == "r-2" else one for one in rows]
    scene.desk(OutboxListed(tuple(refused), {}))
    scene.window.desk.outbox.table.pick("r-2")
    said = texts(scene.window.desk.outbox)
    assert "province.refused · record.format" in said and said.count("“改正重办”") == 1


@pytest.mark.parametrize("lang", ["zh_CN", "en"])
@pytest.mark.parametrize("scale", [100, 150, 200])
def test_nothing_of_the_side_columns_is_cut(scale: int, lang: str, qt_application: QApplication) -> None:
    look = Look(scale, practice=True, calm=True)
    qt_application.setStyleSheet(look.sheet())
    made = Scene(look, lang).worker().desk(outbox())
    try:
        made.window.resize(1366 if scale == 100 else 1920, 768 if scale == 100 else 1080)
        made.window.show()
        QApplication.processEvents()
        for side in (made.window.desk.left, made.window.desk.right):
            area = side.findChild(QScrollArea)
            assert area.widget().width() <= area.viewport().width(), side
    finally:
        made.close()
        qt_application.setStyleSheet("")
