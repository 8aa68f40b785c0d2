"""Where the keyboard is on every page of the desk, that keys work at once, and that the form never jumps. Never waits before a key."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLineEdit, QMainWindow, QWidget

from desktop.flows.machine import Failed
from desktop.flows.words import (
    AskPin,
    BackPressed,
    ByHandPressed,
    CertificatesListed,
    DiscardPressed,
    DocumentPressed,
    Edited,
    ListOutbox,
    LockPressed,
    PagePicked,
    ParkedListed,
    PinStateRead,
    PlacePicked,
    PortraitPressed,
    ReceiptWanted,
    RecordMoved,
    Signed,
    SignPressed,
    SignRecord,
    SittingMade,
    StationOpened,
    StillTaken,
    TakeDocument,
)
from desktop.staff.window import StaffWindow
from desktop.widgets.buttons import KeyCap
from desktop.widgets.style import Look
from devices.tokens.contract import PinState
from sync.draft import DraftStill
from sync.errors import DiskFull, NotEnrolled
from tests.flows.sample import CERTIFICATE, EXPIRED, NOW, OTHER, STATION
from tests.scenes.staff_scenes import PARKED, RECEIPT, Scene

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
    made.window.close()
    made.window.deleteLater()
    for stage in made.stages.values():
        stage.deleteLater()
    QApplication.processEvents()
    qt_application.setStyleSheet("")


def key(code: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    """One key where the keyboard is, without any wait."""
    widget = QApplication.focusWidget()
    assert widget is not None and widget.isVisible() and widget.isEnabled(), widget
    QTest.keyClick(widget, code, modifier)


def field(window: StaffWindow, path: str) -> QLineEdit:
    name = path.partition(".")[0].partition("[")[0]
    return window.desk.form.cards[name].fields[path].edit


def choices(window: StaffWindow) -> QWidget:
    return next(iter(window.desk.form.categories.switches.values()))


PAGES: dict[str, tuple[Callable[[Scene], object], Callable[[StaffWindow], QWidget]]] = {
    "not enrolled": (lambda s: s.login(Failed(NotEnrolled(), "OpenStation")), lambda w: w.login_page._again),
    "certificates": (lambda s: s.login(StationOpened(STATION), CertificatesListed((EXPIRED, CERTIFICATE, OTHER))),
                     lambda w: w.login_page._people.itemAt(1).widget()),
    "asking the token": (lambda s: s.login(StationOpened(STATION), CertificatesListed((CERTIFICATE,))), lambda w: w.login_page.pin.edit),
    "log-in": (lambda s: s.login(StationOpened(STATION), CertificatesListed((CERTIFICATE,)), PinStateRead(PinState(6))), lambda w: w.login_page.pin.edit),
    "last try": (lambda s: s.login(StationOpened(STATION), CertificatesListed((CERTIFICATE,)), PinStateRead(PinState(1, last_try=True))),
                 lambda w: w.login_page._back),
    "waiting": (lambda s: s.inside(), lambda w: w.desk.waiting),
    "form, no category": (lambda s: s.sitting(), choices),
    "form, by hand": (lambda s: s.inside().desk(ByHandPressed(), SittingMade("d-5", NOW)), choices),
    "form, place asked": (lambda s: s.worker().desk(PlacePicked("skill[0].trade")), lambda w: field(w, "skill[0].trade")),
    "portrait": (lambda s: s.sitting().desk(PortraitPressed()), lambda w: w.desk.foot.take),
    "document": (lambda s: s.worker().desk(DocumentPressed("contract")), lambda w: w.desk.foot.take),
    "question": (lambda s: s.worker().desk(DiscardPressed()), lambda w: w.desk._stay),
    "outbox": (lambda s: s.inside().desk(PagePicked("outbox")), lambda w: w.desk.outbox.table),
    "parked": (lambda s: s.inside().desk(PagePicked("parked")), lambda w: w.desk.parked._rows()[0]),
    "nothing parked": (lambda s: s.inside().desk(ParkedListed(()), PagePicked("parked")), lambda w: w.desk.parked),
    "health": (lambda s: s.inside().desk(PagePicked("health")), lambda w: w.desk.health._again),
    "review": (lambda s: s.reviewed(), lambda w: w.review_page._scrolled),
    "PIN": (lambda s: s.reviewed().review(AskPin()), lambda w: w.review_page.pin.edit),
    "last PIN": (lambda s: s.reviewed().review(AskPin(), PinStateRead(PinState(1, last_try=True))), lambda w: w.review_page._back),
    "signing": (lambda s: s.reviewed().review(AskPin(), PinStateRead(PinState(6)), SignPressed("1")), lambda w: w.review_page),
    "unkept": (lambda s: s.reviewed().review(AskPin(), PinStateRead(PinState(6)), SignPressed("1"), Signed(RECEIPT.record_id),
                                             Failed(DiskFull(free=1, needed=2), "Keep")), lambda w: w.review_page._again),
    "kept": (lambda s: s.kept(), lambda w: w.review_page._next),
    "receipt": (lambda s: s.kept().review(RecordMoved(RECEIPT.record_id, "receipted", RECEIPT)), lambda w: w.review_page._next),
    "locked": (lambda s: s.inside().login(LockPressed(), CertificatesListed((CERTIFICATE,)), PinStateRead(PinState(6))), lambda w: w.login_page.pin.edit),
}


@pytest.mark.parametrize("name", PAGES)
def test_each_page_has_the_keyboard_where_work_goes_on(scene: Scene, name: str) -> None:
    reach, place = PAGES[name]
    reach(scene)
    wanted = place(scene.window)
    assert QApplication.focusWidget() is wanted and wanted.isVisible()
    QApplication.processEvents()
    assert QApplication.focusWidget() is wanted, "and it stays there"


def test_esc_right_after_a_key_goes_back_from_what_the_key_opened(scene: Scene) -> None:
    scene.worker()
    for opens in (Qt.Key.Key_F3, Qt.Key.Key_F4):
        key(opens)
        assert scene.stages["intake"].state.capture is not None
        key(Qt.Key.Key_Escape)
        assert scene.stages["intake"].state.capture is None
        assert scene.window.desk.form.isAncestorOf(QApplication.focusWidget())


def test_the_shutter_keeps_the_keyboard_while_a_page_is_taken(scene: Scene) -> None:
    scene.worker().desk(DocumentPressed("contract"))
    key(Qt.Key.Key_Space)
    key(Qt.Key.Key_Space)
    assert len([one for one in scene.effects if isinstance(one, TakeDocument)]) == 1
    scene.desk(StillTaken(DraftStill("contract", "s-9", "image/jpeg", 8, "sha256:" + "1" * 64, 1), b""))
    assert QApplication.focusWidget() is scene.window.desk.foot.take
    key(Qt.Key.Key_Escape)
    assert scene.stages["intake"].state.capture is None


def test_space_presses_what_has_the_focus_not_the_shutter(scene: Scene) -> None:
    scene.worker().desk(DocumentPressed("contract"))
    seen = scene.window.desk.capture._seen
    seen.setFocus()
    key(Qt.Key.Key_Space)
    assert not scene.stages["intake"].state.capture.seen and not [one for one in scene.effects if isinstance(one, TakeDocument)]


def test_back_in_the_form_the_caret_is_where_something_is_missing(scene: Scene) -> None:
    scene.sitting().desk(Edited("person.categories", ("4",), NOW), PlacePicked("employer.name"))
    key(Qt.Key.Key_F3)
    key(Qt.Key.Key_Escape)
    assert QApplication.focusWidget() is field(scene.window, "employer.name"), "it was here, and this is still missing"
    QTest.keyClicks(QApplication.focusWidget(), "abc")
    key(Qt.Key.Key_F3)
    key(Qt.Key.Key_Escape)
    assert QApplication.focusWidget() is field(scene.window, "person.mobile"), "done here: the first thing that is missing"


def test_a_pin_that_is_typed_early_loses_nothing_and_is_not_sent_early(scene: Scene) -> None:
    scene.reviewed()
    key(Qt.Key.Key_F9)
    QTest.keyClicks(QApplication.focusWidget(), "135790")
    key(Qt.Key.Key_Return)
    assert scene.stages["review"].state.page == "checking" and not [one for one in scene.effects if isinstance(one, SignRecord)]
    scene.review(PinStateRead(PinState(6)))
    key(Qt.Key.Key_Return)
    assert [one.pin for one in scene.effects if isinstance(one, SignRecord)] == ["135790"] and scene.window.review_page.pin.edit.text() == ""


@pytest.mark.parametrize("leave", [BackPressed(), LockPressed(), PinStateRead(PinState(1, last_try=True)), PinStateRead(PinState(0, locked=True))])
def test_a_pin_that_was_begun_does_not_stay(scene: Scene, leave: object) -> None:
    scene.reviewed().review(AskPin())
    QTest.keyClicks(QApplication.focusWidget(), "1357")
    scene.review(leave)
    assert scene.window.review_page.pin.edit.text() == ""


def test_ctrl_f_searches_from_everywhere(scene: Scene) -> None:
    scene.worker()
    for _ in range(3):
        key(Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
        assert scene.stages["intake"].state.page == "outbox" and QApplication.focusWidget() is scene.window.desk.outbox.search
        scene.window.desk.outbox.table.setFocus()
    assert ListOutbox() in scene.effects


def test_a_row_keeps_the_focus_when_the_list_is_made_again(scene: Scene) -> None:
    scene.inside().desk(PagePicked("parked"))
    scene.window.desk.parked._rows()[1].setFocus()
    scene.desk(ParkedListed((*PARKED.parked, PARKED.parked[0])))
    rows = scene.window.desk.parked._rows()
    assert len(rows) == 3 and rows[1].hasFocus()


def test_the_receipt_goes_to_a_file_without_a_loop(scene: Scene) -> None:
    scene.kept().review(RecordMoved(RECEIPT.record_id, "receipted", RECEIPT))
    asked: list[object] = []
    scene.stages["review"].stepped.connect(asked.append)
    key(Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)   # returns at once
    dialogue = scene.window.findChild(QFileDialog)
    assert dialogue is not None and dialogue.isVisible() and [name.rpartition("/")[2] for name in dialogue.selectedFiles()] == [f"{RECEIPT.serial}.pdf"]
    dialogue.fileSelected.emit("/somewhere/receipt.pdf")
    dialogue.reject()
    assert ReceiptWanted(RECEIPT.record_id, "/somewhere/receipt.pdf") in asked
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert scene.window.findChild(QFileDialog) is None


# -- the form does not jump -------------------------------------------------------------------------------------------------------------
def heads_cut(window: StaffWindow) -> list[str]:
    """Titles of cards that are cut at the top of the form."""
    scrolled = window.desk.form.scrolled
    at = scrolled.verticalScrollBar().value()
    found = [(card.title.text(), card.title.mapTo(scrolled.widget(), QPoint(0, 0)).y(), card.title.height()) for card in scrolled._cards()]
    return [name for name, top, height in found if top < at < top + height]


@pytest.mark.parametrize("size", [(1366, 768), pytest.param((1024, 640), marks=pytest.mark.sweep), pytest.param((1920, 1080), marks=pytest.mark.sweep)])
def test_every_field_is_brought_into_view_and_no_head_is_cut(scene: Scene, size: tuple[int, int]) -> None:
    scene.window.resize(*size)
    scene.sitting().desk(Edited("person.categories", ("1", "2", "3", "4"), NOW))
    QApplication.processEvents()
    form = scene.window.desk.form
    paths = [path for card in form.cards.values() for path in card.fields]
    for path in (*paths, "person.categories", *reversed(paths)):
        scene.desk(PlacePicked(path))
        QApplication.processEvents()
        widget = QApplication.focusWidget()
        top = widget.mapTo(form.scrolled.viewport(), QPoint(0, 0)).y()
        assert top >= 0 and top + widget.height() <= form.scrolled.viewport().height(), path
        assert heads_cut(scene.window) == [], path


def test_a_field_that_gets_the_focus_moves_nothing(scene: Scene) -> None:
    scene.sitting().desk(Edited("person.categories", ("4",), NOW))
    QApplication.processEvents()
    form = scene.window.desk.form

    def places() -> list[tuple[int, int]]:
        QApplication.processEvents()
        return [(card.y(), card.height()) for card in (form.categories, *form.cards.values())]

    form.go("person.categories")
    before = places()
    for path in ("person.mobile", "skill[0].trade", "contract.to"):
        form.go(path)
        assert places() == before, path


def test_nothing_is_shown_as_a_window_of_its_own(scene: Scene, qt_application: QApplication) -> None:
    """A widget without a parent would flash as a window, and stay when the desk is closed."""
    shown: list[object] = []

    class Watch(QObject):
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if event.type() == QEvent.Type.Show and isinstance(watched, QWidget) and watched.isWindow() and not isinstance(watched, QMainWindow):
                shown.append(watched)
            return False

    watch = Watch()
    qt_application.installEventFilter(watch)
    try:
        scene.worker().desk(PlacePicked("skill[0].trade"))
        QTest.keyClicks(QApplication.focusWidget(), "gjg")
        scene.desk(PortraitPressed(), PagePicked("outbox"), PagePicked("parked"), PagePicked("health"), PagePicked("desk"))
        scene.complete().kept()
        scene.review(RecordMoved(RECEIPT.record_id, "receipted", RECEIPT))
        QApplication.processEvents()
    finally:
        qt_application.removeEventFilter(watch)
    assert shown == []
    assert [one for one in qt_application.topLevelWidgets() if one is not scene.window and scene.window.isAncestorOf(one)] == []


def test_what_was_typed_last_is_saved_when_the_window_closes(scene: Scene) -> None:
    scene.sitting().desk(PlacePicked("person.mobile"))
    closed: list[int] = []
    scene.window.closing.connect(lambda: closed.append(len(scene.effects)))
    QTest.keyClicks(QApplication.focusWidget(), "138")
    scene.window.close()
    assert closed and type(scene.effects[closed[0] - 1]).__name__ == "SaveDraft", "leaving the field comes before the end"
    assert len(scene.effects) == closed[0]


def test_the_key_of_one_more_row_stands_only_where_it_acts(scene: Scene) -> None:
    scene.worker()

    def shown() -> list[str]:
        QApplication.processEvents()
        return [name for name, card in scene.window.desk.form.cards.items()
                if any(one.isVisible() and one.text() == "Alt N" for one in card.findChildren(KeyCap))]

    for name in ("skill", "training"):
        field(scene.window, f"{name}[0].{'trade' if name == 'skill' else 'course'}").setFocus()
        assert shown() == [name]
    key(Qt.Key.Key_N, Qt.KeyboardModifier.AltModifier)
    assert field(scene.window, "training[1].type") is not None and shown() == ["training"]
    field(scene.window, "person.mobile").setFocus()
    assert shown() == []
