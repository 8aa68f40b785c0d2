"""Checking a credit record sheet on the real parts: by camera and by file, current, superseded, revoked, forged, and with the province away."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from desktop.app import open_face
from desktop.faces import Verify
from desktop.flows.words_verify import FileGiven, PrintResult
from sync.editions import current
from sync.tables import Tables
from tests.emulators import pictures
from tests.scenes.hall import SHEET_FACTS, PracticeHall
from tests.scenes.stages import until

FACTS = SHEET_FACTS


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeHall]:
    with PracticeHall(tmp_path_factory.mktemp("v")) as open_hall:
        open_hall.lay_sheet()
        yield open_hall


@pytest.fixture
def check(hall: PracticeHall, qt_application: QApplication) -> Iterator[tuple[Verify, QWidget]]:
    session, window = open_face("verify", hall.home)
    window.show()
    session.begin()
    until(lambda: session.stage is not None, "the window")
    yield session, window
    window.close()
    assert session.close() == ()
    window.deleteLater()
    qt_application.processEvents()


def verdict(session: Verify) -> Any:
    return until(lambda: session.stage.state.verdict if not session.stage.state.asking else None, "a verdict", 30)


def without_camera(session: Verify) -> None:
    session.camera.stop(5)
    if session.stage.state.verdict is not None:
        until(lambda: not session.stage.state.asking, "the platform's word")


def words_on(window: QWidget) -> str:
    return "\n".join(label.text() for label in window.findChildren(QLabel) if label.isVisible())


def test_a_sheet_under_the_camera_is_current(check: tuple[Verify, QWidget], hall: PracticeHall) -> None:
    session, window = check
    assert verdict(session).kind == "valid"
    assert "可以用" in words_on(window)
    until(lambda: "李国强" in words_on(window) and "5101**********0012" in words_on(window), "the signed facts")


@pytest.mark.parametrize("state", ["superseded", "revoked", "expired"])
def test_a_sheet_that_is_no_longer_good(check: tuple[Verify, QWidget], hall: PracticeHall, state: str) -> None:
    session, window = check
    without_camera(session)
    made = hall.province.order("sheets", **FACTS)
    hall.province.order("sheets/state", number=made["number"], state=state)
    give(session, window, base64.b64decode(made["pdf"]))
    assert verdict(session).kind == state
    assert "不能用" in words_on(window)


def give(session: Verify, window: QWidget, content: bytes) -> None:
    """Put the sheet that the camera saw away, and bring a file."""
    page = window.currentWidget()
    for key in (Qt.Key.Key_Y, Qt.Key.Key_Return):
        QTest.keyClick(page, key)
    until(lambda: session.stage.state.page == "look", "ready for the next sheet")
    session.post(FileGiven(content, "sheet.pdf"))
    until(lambda: session.stage.state.page != "look" or session.stage.state.trouble is not None, "the file opened", 30)


def test_a_forged_code_shows_nothing_personal(check: tuple[Verify, QWidget], hall: PracticeHall) -> None:
    session, window = check
    without_camera(session)
    made = hall.province.order("sheets", **(FACTS | {"name": "赵伪造"}))
    code: str = made["code"]
    forged = code[:60] + ("A" if code[60] != "A" else "B") + code[61:]
    import cv2

    done, png = cv2.imencode(".png", pictures.credit_sheet(forged))
    assert done
    give(session, window, png.tobytes())
    assert verdict(session).kind in ("forged", "not_ours")
    assert "赵伪造" not in words_on(window)


def test_without_the_province_the_verdict_says_so(check: tuple[Verify, QWidget], hall: PracticeHall) -> None:
    session, window = check
    without_camera(session)
    made = hall.province.order("sheets", **FACTS)
    hall.province.order("faults", faults=[{"kind": "status", "status": 503, "path": "/v1/sheets", "times": 1}])
    give(session, window, base64.b64decode(made["pdf"]))
    assert verdict(session).kind == "valid_unchecked"


def test_a_hostile_file_ends_in_a_sentence(check: tuple[Verify, QWidget], hall: PracticeHall) -> None:
    session, window = check
    without_camera(session)
    give(session, window, b"%PDF-1.7 rubbish")
    until(lambda: session.stage.state.trouble is not None, "the sentence", 30)
    assert session.stage.state.trouble.code == "vision.hostile_file" and "打不开" in words_on(window)


def test_categories_are_named_by_the_edition_that_came_down_on_screen_and_on_paper(hall: PracticeHall, qt_application: QApplication,
                                                                                   monkeypatch: pytest.MonkeyPatch) -> None:
    """As at the desk: an edition counts from the next start, whichever face fetched it."""
    rows = [[row.code, row.zh if row.code != "4" else "新名称的类别", row.en] for row in Tables.load().rows("practitioner_categories")]
    hall.province.order("tables", table="practitioner_categories", edition="9", rows=rows)
    papers: list[Any] = []
    monkeypatch.setattr("desktop.papers.print_a4", lambda paint, _title: papers.append(paint) or True)
    monkeypatch.setattr("desktop.papers.draw_check", lambda _painter, paper, _words, _size: papers.append(paper))
    for start in ("fetches", "uses"):
        session, window = open_face("verify", hall.home)
        window.show()
        session.begin()
        until(lambda now=session: now.stage is not None, "the window")
        without_camera(session)
        if start == "fetches":
            until(lambda now=session: current(Tables.load(), now.rooms().station, now.rooms().store).label("practitioner_categories", "4") == "新名称的类别",
                  "the edition", 30)
        else:
            give(session, window, base64.b64decode(hall.province.order("sheets", **FACTS)["pdf"]))
            assert verdict(session).kind == "valid"
            until(lambda shown=window: "新名称的类别" in words_on(shown), "the new name")
            session.print_result(PrintResult(session.stage.state.look, session.stage.state.verdict))
            papers.pop()(None, None)
            assert any("新名称的类别" in (row[1] or "") for row in papers[-1].rows)
        window.close()
        assert session.close() == ()
        window.deleteLater()
    qt_application.processEvents()
