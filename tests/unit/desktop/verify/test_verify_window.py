"""Verdicts on screen: the right word first, nothing personal on failed ones, keys, files."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QWidget

from desktop.flows.words_verify import FileGiven, PrintResult
from desktop.messages import Words
from desktop.verify.panel import BANDS, age_words
from desktop.widgets.style import Look
from sync.sheet import COLOURS
from tests.emulators.pictures import certificate
from tests.scenes.shots_faces import NOW, verify_states, verify_window

STATES = dict(verify_states())


@pytest.fixture
def shown(qt_application):
    windows: list[QWidget] = []

    def show(name, size=(1366, 768), look=None, language="zh_CN"):
        window = verify_window(STATES[name], size, look or Look(), language)
        windows.append(window)
        window.activateWindow()
        QTest.qWaitForWindowActive(window, 2000)
        qt_application.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        qt_application.processEvents()
        return window

    yield show
    for window in windows:
        window._minute.stop()
        window.close()
        window.deleteLater()
    qt_application.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def labels(window: QWidget) -> str:
    return "\n".join(label.text() for label in window.findChildren(QLabel) if label.isVisible())


def wait_for(what) -> bool:
    """A button pressed by its key acts a moment later (it shows that it was pressed)."""
    for _ in range(100):
        if what():
            return True
        QTest.qWait(20)
    return False


HEADLINES = {
    "valid": "可以用", "unchecked": "待定：还没问到平台", "bad_count": "不能用：打印后新增不良行为 1 条", "superseded": "不能用：已有新的记录单",
    "revoked": "不能用：这张单子已作废", "expired": "不能用：过了有效期", "forged": "不能用：签名不对，可能是伪造的", "differs": "不能用：纸面和二维码不一样",
    "unknown_key": "看不出来：不认识签发它的密钥", "not_ours": "不是诚信记录单", "practice_mix": "不能用：这是练习用的单子",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(HEADLINES))
def test_the_verdict_comes_first_with_word_icon_and_colour(shown, name):
    window = shown(name)
    assert window.panel.title.text() == HEADLINES[name]
    red = name in ("bad_count", "superseded", "revoked", "expired", "forged", "differs")
    tone = "stop" if red else {"valid": "good", "unchecked": "wait"}.get(name, "quiet")
    assert window.panel.band.property("tone") == tone


@pytest.mark.parametrize("name", ["revoked", "expired", "forged", "unknown_key", "not_ours", "practice_mix"])
def test_failed_verdicts_show_nothing_personal(shown, name):
    text = labels(shown(name))
    assert "李建国" not in text and "5101" not in text.replace("CX-510100", "") and "示例建设" not in text


@pytest.mark.parametrize("name", ["valid", "unchecked", "bad_count"])
def test_facts_stand_large_beside_the_question(shown, name):
    window = shown(name)
    assert "李建国" in labels(window) and "5101**********0012" in labels(window) and "请对照纸面" in labels(window)
    large = [label for label in window.findChildren(QLabel) if label.property("role") == "fact" and label.isVisible()]
    assert large and all(label.fontInfo().pixelSize() >= 18 for label in large)


def test_what_differs_from_the_platform_is_marked_and_said(shown):
    window = shown("bad_count")
    marked = [label.text() for label in window.findChildren(QLabel) if label.property("role") == "pill-fact" and label.isVisible()]
    assert marked == ["不同：1 条"]


def test_an_address_is_shown_by_its_host_only(shown):
    text = labels(shown("not_ours"))
    assert "pukgac.com" in text and "verify?id" not in text and "https" not in text


def test_yes_no_enter_by_keys(shown):
    window = shown("unchecked")
    assert not window.next.isEnabled()
    QTest.keyClick(window, Qt.Key.Key_Return)
    assert window.state.page == "verdict"
    QTest.keyClick(window, Qt.Key.Key_Y)
    assert wait_for(lambda: window.state.answer is True) and window.next.isEnabled()
    QTest.keyClick(window, Qt.Key.Key_N)
    assert wait_for(lambda: window.state.answer is False) and window.acknowledge.isVisible() and window.panel.title.text() == HEADLINES["differs"]
    QTest.keyClick(window, Qt.Key.Key_Return)
    assert window.state.page == "look" and "李建国" not in labels(window)


def test_print_is_an_order_and_nothing_more(shown):
    window = shown("superseded")
    orders: list[object] = []
    window.stage._carry = lambda effect, post: orders.append(effect)
    QTest.keyClick(window, Qt.Key.Key_F7)
    assert wait_for(lambda: any(isinstance(order, PrintResult) for order in orders))


def test_a_dropped_file_goes_in_and_an_address_does_not(shown, tmp_path):
    window = shown("look")
    seen: list[object] = []
    window.stage.stepped.connect(seen.append)
    path = tmp_path / "sheet.pdf"
    path.write_bytes(b"%PDF-1.7 x")
    for url in (QUrl("https://example.cn/sheet.pdf"), QUrl.fromLocalFile(str(path))):
        mime = QMimeData()
        mime.setUrls([url])
        buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        window.dropEvent(QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, mime, buttons, keys))
    assert [event for event in seen if isinstance(event, FileGiven)] == [FileGiven(b"%PDF-1.7 x", "sheet.pdf")]
    assert window.state.page == "working"


def test_a_folder_or_a_file_that_is_gone_is_given_empty(shown, tmp_path):
    window = shown("look")
    seen: list[object] = []
    window.stage.stepped.connect(seen.append)
    window._give(tmp_path)
    assert seen == [FileGiven(b"", tmp_path.name)]


def test_live_pictures_only_while_looking(shown):
    window = shown("look")
    window.show_frame(certificate(dpi=30))
    assert not window.preview._image.isNull()
    held = shown("forged")
    before = held.preview._image.cacheKey()
    held.show_frame(certificate(dpi=30))
    assert held.preview._image.cacheKey() == before


@pytest.mark.parametrize("name", sorted(STATES))
def test_everything_fits_at_both_sizes(shown, name):
    for size, look, language in (((1366, 768), Look(), "zh_CN"), ((1920, 1080), Look(scale=150, practice=True), "en")):
        window = shown(name, size, look, language)
        assert (window.width(), window.height()) == size


def test_practice_is_said(shown):
    window = shown("valid", look=Look(practice=True))
    assert "练习" in window.windowTitle() and "练习" in labels(window) and window.property("role") == "practice-edge"


def test_every_colour_has_a_band():
    assert set(BANDS) == set(COLOURS.values())


def test_ages_as_people_say_them():
    from datetime import timedelta

    words = Words()
    said = [age_words(words, NOW - timedelta(seconds=seconds), NOW) for seconds in (5, 180, 7200, 200_000)]
    assert said == ["刚刚", "3 分钟前", "2 小时前", "2 天前"] and age_words(words, None, NOW) == ""
