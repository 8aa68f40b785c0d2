"""The desk: left the day, in the middle one page, right the sitting, below what next. Never decides which page: the state does."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from desktop.flows.intake_social import note as social_note
from desktop.flows.intake_state import IntakeState
from desktop.flows.words import BackPressed, DiscardConfirmed, OtherPersonPressed, PagePicked, RetryPressed, TroubleClosed
from desktop.flows.words.social import SocialClosed
from desktop.staff.bars import DeskFoot
from desktop.staff.capture_page import CapturePage
from desktop.staff.correction_band import CorrectionBand
from desktop.staff.form_page import FormPage
from desktop.staff.kit import Kit, Post
from desktop.staff.left_side import LeftSide
from desktop.staff.lists import HealthPage, ParkedPage
from desktop.staff.outbox_page import OutboxPage
from desktop.staff.reader_band import NotesBand, ReaderBand
from desktop.staff.repair_band import RepairBand
from desktop.staff.right_side import RightSide
from desktop.staff.sheet_page import SheetPage
from desktop.staff.sync_page import SyncPage
from desktop.staff.waiting_page import WaitingPage
from desktop.widgets.banner import Banner
from desktop.widgets.buttons import ActionButton
from devices.errors import CardChanged

__all__ = ["DeskPage"]


class DeskPage(QWidget):
    """Everything of the intake flow."""

    def __init__(self, kit: Kit, post: Post) -> None:
        super().__init__()
        self.kit, self._post = kit, post
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        row = QHBoxLayout()
        row.setSpacing(0)
        column.addLayout(row, 1)
        self.left, self.right = LeftSide(kit, post), RightSide(kit, post)
        self.left.search.connect(self._search)
        self.work: tuple[object, ...] = ()
        middle = QVBoxLayout()
        middle.setSpacing(0)
        row.addWidget(self.left)
        row.addLayout(middle, 1)
        row.addWidget(self.right)
        middle.addWidget(self._messages())
        self._stack = QStackedWidget()
        middle.addWidget(self._stack, 1)
        self.waiting, self.form, self.capture = WaitingPage(kit, post), FormPage(kit, post), CapturePage(kit, post)
        self.outbox, self.parked, self.health = OutboxPage(kit, post), ParkedPage(kit, post), HealthPage(kit, post)
        self.sync, self.sheet = SyncPage(kit, post), SheetPage(kit, post)
        for shows in (self.sync, self.sheet):
            shows.wanted.connect(self._show_record)
        for page in (self.waiting, self.form, self.capture, self.outbox, self.parked, self.health, self.sync, self.sheet):
            self._stack.addWidget(page)
        self.foot = DeskFoot(kit, post, {one: page.foot_buttons() for one, page in (("sync", self.sync), ("sheet", self.sheet), ("health", self.health))})
        column.addWidget(self.foot)

    def _messages(self) -> QWidget:
        """Banner of a trouble, and the two questions that are asked in place: another card, throw away."""
        kit, words = self.kit, self.kit.words
        self._top = QWidget()
        column = QVBoxLayout(self._top)
        column.setContentsMargins(kit.look.px("six"), kit.look.px("two"), kit.look.px("six"), 0)
        column.setSpacing(kit.look.px("one"))
        self.banner = Banner(kit.look, words("banner.close"), words("banner.again"))
        self.banner.closed.connect(lambda: self._post(TroubleClosed()))
        self.banner.again.connect(lambda: self._post(RetryPressed()))
        column.addWidget(self.banner)
        self._other = ActionButton(kit.look, words("banner.other_person"), "Alt+P", icon="people")
        self._other.clicked.connect(lambda: self._post(OtherPersonPressed()))
        column.addWidget(self._other, 0, Qt.AlignmentFlag.AlignLeft)
        self.reader, self.notes, self.social = ReaderBand(kit, self._post), NotesBand(kit, self._post), NotesBand(kit, self._post, SocialClosed())
        self.repair, self.correction = RepairBand(kit), CorrectionBand(kit, self._post)
        column.addWidget(self.repair)
        column.addWidget(self.correction)
        column.addWidget(self.reader)
        column.addWidget(self.notes)
        column.addWidget(self.social)
        self._question = Banner(kit.look)
        column.addWidget(self._question)
        line = QHBoxLayout()
        self._drop = ActionButton(kit.look, words("discard.yes"), "Alt+Delete", "danger", "trash")
        self._drop.clicked.connect(lambda: self._post(DiscardConfirmed()))
        self._stay = ActionButton(kit.look, words("discard.no"), "Esc", shortcut=False)
        self._stay.clicked.connect(lambda: self._post(BackPressed()))
        line.addWidget(self._drop)
        line.addWidget(self._stay)
        line.addStretch(1)
        column.addLayout(line)
        return self._top

    def show_state(self, state: IntakeState) -> None:
        """Show the page of the state and everything around it."""
        self.form.remember()
        sitting = state.page == "desk" and state.draft is not None
        self.left.show_state(state)
        self.right.setVisible(sitting)
        self.right.show_state(state)
        self._show_messages(state)
        pages = {"outbox": self.outbox, "returned": self.outbox, "parked": self.parked, "health": self.health,
                 "sync": self.sync, "sheet": self.sheet}
        page: QWidget = pages.get(state.page, self.waiting)
        if state.page == "desk" and state.draft is not None:
            page = self.capture if state.capture is not None else self.waiting if state.reading is not None else self.form
        for one in {page, self.capture}:
            one.show_state(state)  # type: ignore[attr-defined]
        if page is self.form or self._stack.currentWidget() is self.form:
            self.form.show_state(state)
        if self._stack.currentWidget() is not page:
            self._stack.setCurrentWidget(page)
        self.foot.show_state(state)
        page_now = state.page if page is self.outbox else type(page).__name__
        made = page is self.sheet and state.sheet.facts is not None and not state.sheet.working
        self.work = (page_now, state.place.count, state.capture.use if state.capture else "", state.discard_asked, made)

    @staticmethod
    def _lost(state: IntakeState) -> str:
        """What goes when the sitting is thrown away, and what does not."""
        draft = state.draft
        return "repair.discard" if draft and draft.replaces else "correction.discard" if draft and draft.amends else "discard.words"

    def _show_messages(self, state: IntakeState) -> None:
        words = self.kit.words
        if state.trouble is not None:
            message = self.kit.say(state.trouble)
            self.banner.show_message(message, "stop", state.retry is not None, words.who(message.who))
        else:
            self.banner.show_message(None)
        other = isinstance(state.trouble, CardChanged) and state.other_card is not None
        self._other.setVisible(other)
        if state.discard_asked:
            self._question.show_words("stop", words("discard.title"), words(self._lost(state)))
        else:
            self._question.show_message(None)
        self._drop.setVisible(state.discard_asked)
        self._stay.setVisible(state.discard_asked)
        asked = state.reader_question if state.page == "desk" and state.capture is None else None
        notes = state.notes if state.page == "desk" and state.capture is None and state.draft is not None else ()
        self.reader.show_question(asked)
        self.notes.show_notes(notes)
        hint = social_note(state) if state.page == "desk" and state.capture is None else None
        self.social.show_notes((hint,) if hint is not None else (), "quiet" if hint is not None and hint.code == "social.same" else "wait")
        bands = [self.repair.show_state(state), self.correction.show_state(state)]
        self._top.setVisible(state.trouble is not None or state.discard_asked or asked is not None or bool(notes) or hint is not None or any(bands))

    def show_frame(self, frame: NDArray[np.uint8] | None) -> None:
        """A live frame for whichever preview is open."""
        for preview in (self.capture.portrait, self.capture.document):
            if preview.isVisibleTo(self):
                preview.show_frame(frame)

    def take_focus(self) -> None:
        """Focus to where work goes on: the safe answer of a question, the shutter, the field that is wanted, the list."""
        page = self._stack.currentWidget()
        if self._stay.isVisibleTo(self):
            self._stay.setFocus(Qt.FocusReason.OtherFocusReason)
        elif page is self.form and self.correction.take_focus():
            return
        elif page in {self.form, self.outbox, self.parked, self.health, self.sync, self.sheet}:
            page.take_focus()  # type: ignore[attr-defined]
        else:
            (self.foot.take if page is self.capture else page).setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_record(self, record_id: str) -> None:
        """From a page that names a record: the outbox with this line as the current one."""
        self._post(PagePicked("outbox"))
        self.outbox.pick(record_id)

    def _search(self) -> None:
        """Ctrl+F from wherever: the outbox with the caret in its search field."""
        self._post(PagePicked("outbox"))
        self.outbox.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.outbox.search.selectAll()
