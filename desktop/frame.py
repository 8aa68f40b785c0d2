"""The window of terminal and sheet check: the opening page first, then the face's own. Never opens a room itself: ``faces.py`` does."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QStackedWidget, QWidget

from desktop.bridge.stage import Stage
from desktop.faces import Kiosk, Verify
from desktop.messages import Words
from desktop.papers import CheckPrinter
from desktop.widgets.opening import OpeningPage
from desktop.widgets.style import Look
from resources.trouble import Trouble

__all__ = ["framed"]


def framed(session: Kiosk | Verify, look: Look, words: Words) -> tuple[Kiosk | Verify, QWidget]:
    """The session and its window, not shown yet."""
    frame = QStackedWidget()
    frame.setWindowTitle(words("app.title_practice" if look.practice else "app.title"))
    frame.resize(QSize(1080, 1920).boundedTo(frame.screen().availableSize()) if isinstance(session, Kiosk) else QSize(1366, 768))
    opening = OpeningPage(look, words, lambda: _again(session, opening))
    frame.addWidget(opening)
    session.failed.connect(opening.show_trouble)

    def damaged(trouble: Trouble) -> None:
        """Back to the first page, with the trouble: nothing can be kept any more."""
        opening.show_trouble(trouble)
        frame.setCurrentWidget(opening)

    session.damaged.connect(damaged)

    def opened(stage: Stage) -> None:
        page = _page(session, stage, look)
        frame.addWidget(page)
        frame.setCurrentWidget(page)
        page.setFocus()

    session.opened.connect(opened)
    return session, frame


def _again(session: Kiosk | Verify, opening: OpeningPage) -> None:
    opening.show_opening()
    session.begin()


def _page(session: Kiosk | Verify, stage: Stage, look: Look) -> QWidget:
    if isinstance(session, Kiosk):
        from desktop.kiosk.window import KioskWindow

        terminal = KioskWindow(stage, look)
        session.show_frame = terminal.show_frame
        return terminal
    from desktop.verify.window import VerifyWindow

    tables = session.rooms().tables
    check = VerifyWindow(stage, look, tables)
    session.show_frame = check.show_frame
    session.pick_file = check.pick_file
    session.print_result = CheckPrinter(lambda: stage.view, check.words, tables).write
    return check
