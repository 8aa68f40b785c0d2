"""The window of the desk: shows one of four stages and carries keys to it. Never holds a state of its own beside what is in front."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from desktop.bridge.stage import Stage
from desktop.flows.batch import BatchState
from desktop.flows.intake_state import IntakeState
from desktop.flows.login import LoginState
from desktop.flows.review import ReviewState
from desktop.flows.words import BackPressed, LockPressed
from desktop.staff.bars import TopBar
from desktop.staff.batch_page import BatchPage
from desktop.staff.desk_page import DeskPage
from desktop.staff.kit import Kit
from desktop.staff.login_page import LoginPage
from desktop.staff.review_page import ReviewPage
from desktop.widgets.style import set_role

__all__ = ["StaffWindow", "front"]


def front(login: LoginState, review: ReviewState, batch: BatchState | None = None) -> str:
    """Which stage is in front: login until somebody is in, review or signing of many while it has a page, else the desk."""
    if login.page != "in":
        return "login"
    if review.page != "idle":
        return "review"
    return "batch" if batch is not None and batch.page != "idle" else "intake"


class StaffWindow(QMainWindow):
    """``closing`` before the window goes (the application ends its lanes then); ``show_frame`` takes live frames from the camera lane, main thread only."""

    closing = Signal()

    def __init__(self, kit: Kit, login: Stage, intake: Stage, review: Stage, batch: Stage, lock_after_minutes: int = 0) -> None:
        super().__init__()
        self.kit, self.login, self.intake, self.review, self.batch = kit, login, intake, review, batch
        practice = kit.look.practice
        self.setWindowTitle(kit.words("app.title_practice" if practice else "app.title"))
        self.setMinimumSize(1024, 640)
        self.resize(1366, 768)
        edge = QWidget()
        edge.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        set_role(edge, role="practice-edge" if practice else "ground")
        outer = QVBoxLayout(edge)
        outer.setContentsMargins(*([3] * 4 if practice else [0] * 4))
        inner = QWidget()
        inner.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        set_role(inner, role="ground")
        outer.addWidget(inner)
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.top = TopBar(kit, intake.post)
        column.addWidget(self.top)
        self._stack = QStackedWidget()
        column.addWidget(self._stack, 1)
        self.login_page, self.desk, self.review_page = LoginPage(kit, login.post), DeskPage(kit, intake.post), ReviewPage(kit, review.post)
        self.batch_page = BatchPage(kit, batch.post)
        for page in (self.login_page, self.desk, self.review_page, self.batch_page):
            self._stack.addWidget(page)
        self.setCentralWidget(edge)
        for stage in (login, intake, review, batch):
            stage.changed.connect(self._show)
        back = QShortcut(QKeySequence("Esc"), self, activated=self._back)
        back.setAutoRepeat(False)   # one press, one step
        self._work: tuple[str, object] = ("", None)
        self._minute = QTimer(self)
        self._minute.setInterval(20_000)
        self._minute.timeout.connect(self._show)
        self._minute.start()
        self._idle = QTimer(self)
        self._idle.setSingleShot(True)
        self._idle.timeout.connect(self._lock)
        if lock_after_minutes:
            self._idle.setInterval(lock_after_minutes * 60_000)
            QApplication.instance().installEventFilter(self)
            self._idle.start()
        self._show()

    # -- showing -----------------------------------------------------------------------------------------------------------------------
    def _show(self, _view: object = None) -> None:
        """Show all four states; only what changed is painted again."""
        login: LoginState = self.login.state
        intake: IntakeState = self.intake.state
        review: ReviewState = self.review.state
        batch: BatchState = self.batch.state
        which = front(login, review, batch)
        if which == "review" and review.page in {"kept", "receipt", "kept_unsigned"} and intake.reading is not None:
            QTimer.singleShot(0, self, self._step_aside)
        self.top.show_people(login.station, login.operator if login.page == "in" else None)
        self.top.show_lamps(intake)
        self.top.dots.setVisible(which != "login")
        self.login_page.show_state(login)
        if which != "login":
            self.desk.show_state(intake)
            self.review_page.show_state(review)
            self.batch_page.show_state(batch)
        pages: dict[str, LoginPage | DeskPage | ReviewPage | BatchPage] = {"login": self.login_page, "intake": self.desk, "review": self.review_page,
                                                                           "batch": self.batch_page}
        page = pages[which]
        if self._stack.currentWidget() is not page:
            self._stack.setCurrentWidget(page)
        if self._work != (which, page.work):
            self._work = (which, page.work)
            page.take_focus()   # at once: a key that comes next is meant for what is shown now

    def _step_aside(self) -> None:
        """The next card is being read: the last record's page gives the desk free."""
        if self.review.state.page in {"kept", "receipt", "kept_unsigned"} and self.intake.state.reading is not None:
            self.review.post(BackPressed())

    def show_frame(self, frame: NDArray[np.uint8] | None) -> None:
        """A live frame (height x width x 3, BGR) for the preview that is open; None clears it."""
        self.desk.show_frame(frame)

    # -- keys, idle, closing -----------------------------------------------------------------------------------------------------------
    def _stage(self) -> Stage:
        stages = {"login": self.login, "intake": self.intake, "review": self.review, "batch": self.batch}
        return stages[front(self.login.state, self.review.state, self.batch.state)]

    def _back(self) -> None:
        self._stage().post(BackPressed())

    def _lock(self) -> None:
        stage = self._stage()
        if stage is not self.login:
            stage.post(LockPressed())

    def eventFilter(self, watched: Any, event: QEvent) -> bool:
        if event.type() in {QEvent.Type.KeyPress, QEvent.Type.MouseButtonPress, QEvent.Type.Wheel, QEvent.Type.MouseMove}:
            self._idle.start()
        return super().eventFilter(watched, event)

    def closeEvent(self, event: QCloseEvent) -> None:
        self._minute.stop()
        self._idle.stop()
        if (field := self.focusWidget()) is not None:
            field.clearFocus()   # now, while what was typed last can still be saved
        self.closing.emit()
        super().closeEvent(event)


