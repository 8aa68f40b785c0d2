"""The terminal on screen: every page fits, can be touched, says true words, and shows nothing of the person before."""

from __future__ import annotations

import re
import tomllib

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPushButton, QWidget

from desktop.bridge.stage import Stage
from desktop.flows.kiosk import PAGES, kiosk_flow
from desktop.flows.words_kiosk import (
    CallStaff,
    CardTaken,
    ElderSet,
    FaceCompared,
    KeepPresence,
    Kept,
    KioskFacts,
    LanguageSet,
    Sent,
    StartLooking,
    StartPressed,
    Ticked,
)
from desktop.kiosk.window import KioskWindow
from desktop.widgets.style import Look
from resources import find
from tests.emulators.pictures import portrait
from tests.flows.test_kiosk import SAME
from tests.scenes.shots_faces import kiosk_states, kiosk_window


@pytest.fixture
def shown(qt_application):
    windows: list[QWidget] = []

    def show(models, events, size=(1080, 1920), look=None):
        window = kiosk_window(models, events, size, look or Look(calm=True))
        windows.append(window)
        for _ in range(3):
            qt_application.processEvents()
            qt_application.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        return window

    yield show
    for window in windows:
        window._clock.stop()
        window.close()
        window.deleteLater()
    qt_application.sendPostedEvents(None, QEvent.Type.DeferredDelete)


STATES = list(kiosk_states())


def labels(window: QWidget) -> str:
    return "\n".join(label.text() for label in window.findChildren(QLabel) if label.isVisible())


def button(window: QWidget, words: str) -> QPushButton:
    return next(each for each in window.findChildren(QPushButton) if each.isVisible() and words in each.accessibleName())


@pytest.mark.parametrize("size", [(1080, 1920), (1280, 1024)])
@pytest.mark.parametrize("elder", [False, True])
@pytest.mark.parametrize("language", ["zh_CN", "en"])
def test_every_page_fits_and_can_be_touched(shown, size, elder, language):
    for name, models, events in STATES:
        window = shown(models, [LanguageSet(language), ElderSet(elder), *events], size)
        assert (window.width(), window.height()) == size, name
        for each in window.findChildren(QPushButton):
            if each.isVisible():
                place = each.rect().translated(each.mapTo(window, each.rect().topLeft()))
                assert window.rect().contains(place), (name, each.accessibleName(), place)
                assert place.height() >= 56 and place.width() >= 56, (name, each.accessibleName())
                assert each.accessibleName(), name
                hint = each.minimumSizeHint().width()
                assert hint <= each.width() + 1, (name, each.accessibleName(), "words do not fit")
        window.close()


@pytest.mark.parametrize("name", ["notice", "consent", "card", "face", "mobile", "check"])
def test_back_time_and_help_stand_at_one_place(shown, name):
    _, models, events = next(state for state in STATES if state[0] == name)
    window = shown(models, events)
    places = [(each.mapTo(window, each.rect().topLeft()).x(), each.mapTo(window, each.rect().topLeft()).y()) for each in (window._back, window._call)]
    assert places[0][0] == 64 and places[0][1] == places[1][1] > 1700
    assert window._call.mapTo(window, window._call.rect().topRight()).x() == 1080 - 64 - 1


def test_the_whole_way_by_touch(qt_application, shown):
    window = shown(True, [])
    orders: list[object] = []
    window.stage._carry = lambda effect, post: orders.append(effect)
    from desktop.flows.words_kiosk import CardSeen
    from tests.flows.test_kiosk import read

    for words in ("开始办理", "我知道了", "同意刷脸"):
        QTest.mouseClick(button(window, words), Qt.MouseButton.LeftButton)
    for event in (CardSeen(), read(), FaceCompared(1, SAME)):
        window.stage.post(event)
    for digit in "13800001234":
        QTest.mouseClick(button(window, digit), Qt.MouseButton.LeftButton)
    QTest.mouseClick(button(window, "下一步"), Qt.MouseButton.LeftButton)
    assert "李建国" in labels(window) and "138 0000 1234" in labels(window)
    QTest.mouseClick(button(window, "都对"), Qt.MouseButton.LeftButton)
    assert [type(order).__name__ for order in orders if isinstance(order, StartLooking | KeepPresence)] == ["StartLooking", "KeepPresence"]
    window.stage.post(Kept(1, "07-0031"))
    assert "还没上传" in labels(window) and "已经上传" not in labels(window) and "07-0031" in labels(window)
    window.stage.post(Sent(1))
    assert "已经上传了" in labels(window)
    QTest.mouseClick(button(window, "办好了"), Qt.MouseButton.LeftButton)
    assert window.state.page == "welcome"
    QTest.mouseClick(button(window, "叫工作人员"), Qt.MouseButton.LeftButton)
    assert any(isinstance(order, CallStaff) for order in orders) and window._call.text() == "正在叫人"


def test_while_a_card_is_to_be_taken_away_nobody_is_told_that_laying_one_down_begins(shown):
    by_name = {name: (models, events) for name, models, events in STATES}
    window = shown(*by_name["welcome"])
    assert "放上身份证也能开始" in labels(window)
    window = shown(*by_name["welcome_left_behind"])
    said = labels(window)
    assert "请先拿走上一张身份证" in said and "也能开始" not in said and "拿走以后，再放自己的身份证" in said
    assert "也能开始" not in window._pages["welcome"].drawing.accessibleName()
    window.stage.post(CardTaken())
    assert "放上身份证也能开始" in labels(window) and "拿走" not in labels(window)


def test_after_the_wipe_no_widget_holds_anything_of_the_person(shown):
    for name in ("check", "result", "face"):
        _, models, events = next(state for state in STATES if state[0] == name)
        window = shown(models, [*events, *[Ticked()] * 70])
        assert window.state.page == "welcome"
        everything = "\n".join(label.text() for label in window.findChildren(QLabel))
        assert "李建国" not in everything and "0012" not in everything and "1234" not in everything and "07-0031" not in everything
        assert window._pages["face"].mirror._image.isNull() and window._pages["mobile"].slots._digits == ""


def test_a_frame_is_only_taken_while_looking(shown):
    window = shown(True, next(state for state in STATES if state[0] == "face")[2])
    window.show_frame(portrait(320, 240))
    assert not window._pages["face"].mirror._image.isNull()
    window.stage.post(FaceCompared(1, SAME))
    assert window._pages["face"].mirror._image.isNull()
    window.show_frame(portrait(320, 240))
    assert window._pages["face"].mirror._image.isNull()


def test_both_answers_to_the_face_weigh_the_same(shown):
    window = shown(True, next(state for state in STATES if state[0] == "consent")[2])
    yes, no = button(window, "同意刷脸"), button(window, "我不刷脸")
    assert yes.size() == no.size() and yes.property("kind") == no.property("kind") == "touch"


@pytest.mark.parametrize("name", ["face", "face_unsure", "consent"])
def test_the_way_without_a_face_is_always_there(shown, name):
    window = shown(True, next(state for state in STATES if state[0] == name)[2])
    assert button(window, "我不刷脸，找工作人员办").isEnabled()


def test_a_keyboard_works_too(shown):
    window = shown(True, next(state for state in STATES if state[0] == "mobile_wrong")[2])
    QTest.keyClick(window, Qt.Key.Key_Backspace)
    QTest.keyClicks(window, "139x")
    assert window.state.mobile == "139"
    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert window.state.page == "face"


def test_the_clock_runs_only_for_people(qt_application):
    stage = Stage(kiosk_flow(KioskFacts()), lambda effect, post: None)
    window = KioskWindow(stage, Look(calm=True))
    assert not window._clock.isActive()
    stage.post(StartPressed())
    assert window._clock.isActive() and window._clock.interval() == 1000
    for _ in range(100):
        stage.post(Ticked())
    assert stage.view.page == "welcome" and not window._clock.isActive()
    window.close()
    window.deleteLater()
    qt_application.sendPostedEvents(None, QEvent.Type.DeferredDelete)


# -- words -----------------------------------------------------------------------------------------------------------------------------
def _flat(table, prefix=""):
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _words(language: str, face: str) -> dict[str, str]:
    return dict(_flat(tomllib.loads(find("i18n", f"{language}.toml").read_text("utf-8"))[face]))


def test_kiosk_sentences_are_short_and_plain():
    for key, text in _words("zh_CN", "kiosk").items():
        for sentence in re.split(r"[。？！]", text):
            assert len(re.sub(r"[\s↑]|\{\w+\}", "", sentence)) <= 15, (key, sentence)
        assert not re.search("同步|密钥|签名有效|比对|核验", text), (key, text)


@pytest.mark.parametrize("face", ["kiosk", "verify"])
def test_both_languages_say_the_same_things(face):
    chinese, english = _words("zh_CN", face), _words("en", face)
    assert set(chinese) == set(english)
    holes = re.compile(r"\{(\w+)\}")
    assert [key for key in chinese if set(holes.findall(chinese[key])) != set(holes.findall(english[key]))] == []
    assert [key for key, text in english.items() if re.search(r"[\u4e00-\u9fff]", text) and key != "language"] == []


def test_every_page_has_something_to_say_aloud():
    said = _words("zh_CN", "kiosk")
    assert [page for page in PAGES if page != "welcome" and f"say.{page}" not in said] == []
