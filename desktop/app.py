"""The only room that knows all: builds rooms, lanes, stages and the window of a face, and closes them in reverse. Never holds a rule or a widget of its own."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import Any

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QApplication, QWidget

from desktop.bridge.jobs import Jobs
from desktop.bridge.stage import Stage
from desktop.effects.camera import RunningCamera
from desktop.effects.cards import CardWork
from desktop.effects.carry import Carrier, Post
from desktop.effects.drafts import DraftWork
from desktop.effects.exports import ExportWork
from desktop.effects.lamps import LampWork
from desktop.effects.mail import MailWork
from desktop.effects.notices import NoticeWork
from desktop.effects.pictures import PictureWork
from desktop.effects.readers import ReaderChoice
from desktop.effects.records import RecordWork
from desktop.effects.repairs import RepairWork
from desktop.effects.sheets import SheetWork
from desktop.effects.signing import SigningDesk
from desktop.effects.social import SocialWork
from desktop.effects.whole import StoreCheck
from desktop.errors import NotSaved
from desktop.faces import Kiosk, Verify
from desktop.flows.batch import BATCH
from desktop.flows.intake import intake
from desktop.flows.login import LOGIN
from desktop.flows.machine import Failed
from desktop.flows.review import REVIEW
from desktop.flows.words import (
    AskReaders,
    BuildReview,
    CancelRead,
    CheckDevices,
    ClosePreview,
    CompareFaces,
    DropDraft,
    DropStill,
    Keep,
    KeepUnsigned,
    ListOutbox,
    ListParked,
    LogOut,
    NewSitting,
    Note,
    OpenDraft,
    OpenPreview,
    OpenStation,
    Operator,
    OperatorIn,
    ParkDraft,
    PrintReceipt,
    ReadCard,
    ReceiptSaved,
    RetryRecord,
    SaveDraft,
    SaveReceipt,
    Send,
    SignRecord,
    StationFacts,
    StationOpened,
    SyncNow,
    TakeDocument,
    TakeFile,
    TakePortrait,
    UseReader,
    WatchRecord,
)
from desktop.flows.words.social import ReadSocial
from desktop.folders import data_folder
from desktop.frame import framed
from desktop.messages import Words
from desktop.papers import ReceiptPrinter, SheetPrinter
from desktop.rooms import LAST_ANSWER_S, Rooms, open_rooms
from desktop.settings import SETTINGS_FILE, Settings
from desktop.single import Single
from desktop.widgets.qt_words import speak
from desktop.widgets.style import Look
from devices.errors import NoToken, TokenGone
from resources.trouble import Trouble
from sync.errors import NotEnrolled, StoreDamaged
from sync.store import read_label
from sync.tables import Tables

__all__ = ["Desk", "open_face", "run_face"]

_CLOSE_S = 6.0


class Desk(QObject):
    """The staff desk without its window: stages, lanes, works. ``show_frame`` and ``print_receipt`` are set by whoever has a screen."""

    def __init__(self, folder: Path, cabinet: Any = None, auto_read: bool = True) -> None:
        super().__init__()
        self._folder, self._cabinet = folder, cabinet
        self._open: Rooms | None = None
        self.show_frame: Callable[[Any], None] = lambda _frame: None
        self.write_receipt: Callable[[Any, str], None] | None = None
        self.jobs = Jobs()
        self._carrier = Carrier(self.jobs)
        self.login = Stage(LOGIN, self._carrier.carry)
        self._table_rows = dict(Tables.load().by_name)
        self.tables = Tables(MappingProxyType(self._table_rows))  # the province's editions are laid over the shipped ones when the store is open
        self.intake = Stage(intake(self.tables, auto_read), self._carrier.carry)
        self.review = Stage(REVIEW, self._carrier.carry)
        self.batch = Stage(BATCH, self._carrier.carry)
        self._stages = {"login": self.login, "intake": self.intake, "review": self.review, "batch": self.batch}
        self._camera = RunningCamera(self.jobs)
        self._readers = ReaderChoice(self.rooms, self._owner)
        self._lamps = LampWork(self.rooms, self.jobs, self.intake.post, self.login.post, self._readers.chosen)
        self._cards = CardWork(self.rooms, self.intake.post, self._lamps.look, lambda: self.login.state.page == "in", self._readers)
        self.intake.stepped.connect(self._intake_stepped)
        self.login.stepped.connect(self._login_stepped)
        self._drafts = DraftWork(self.rooms, self._owner, self._open_draft, self.jobs)
        self._notices = NoticeWork(self.rooms, self.jobs, self.intake.post)
        self._mail = MailWork(self.rooms, self._owner, self.jobs, self._notices.pass_on)
        self.sheets, self._exports = SheetWork(self.rooms, self._owner, self.jobs), ExportWork(self.rooms, self._owner)
        self._repairs = RepairWork(self.rooms, self._owner, self.jobs)
        self._pictures = PictureWork(self.rooms, self._camera, self.jobs, lambda frame: self.show_frame(frame))
        self._signing = SigningDesk(self.rooms, self.jobs, Settings(folder / SETTINGS_FILE), self._operator, lambda: self._mail.hurry())
        self._records = RecordWork(self.rooms, self._signing.tokens, self._operator, self._kept)
        self._whole = StoreCheck(self.jobs, self._damaged)
        self._hand_out()

    def begin(self) -> None:
        """First views and first effects."""
        for stage in self._stages.values():
            stage.begin()

    def rooms(self) -> Rooms:
        """The open rooms. Raises NotEnrolled before they are."""
        if self._open is None:
            raise NotEnrolled("nothing is open yet")
        return self._open

    def close(self) -> tuple[str, ...]:
        """Watch, courier, lanes, store, in this order, with a deadline. Returns the names of threads that did not end."""
        self._lamps.stop()
        self._drafts.write_now()
        self._cards.stop()
        self._camera.stop()
        self._mail.stop()
        self.jobs.stop("courier", LAST_ANSWER_S)
        if self._open is not None:
            self._open.province.cut()  # answers that do not come; the courier's is asked for at the next start
        left = self.jobs.close(_CLOSE_S)
        if self._open is not None:
            self._open.close(wait=not left)
            self._open = None
        return left

    def _login_stepped(self, event: Any) -> None:
        if isinstance(event, Failed) and isinstance(event.trouble, NoToken | TokenGone):
            self._lamps.missed()
        if self.login.state.page != "in":
            self._signing.batch.lock()

    def _intake_stepped(self, event: Any) -> None:
        """Somebody came to the desk: a card that lies there is theirs to read."""
        if isinstance(event, OperatorIn):
            self._cards.tell_lying()

    def _kept(self, record_id: str, draft_id: str) -> None:
        """In the outbox lane."""
        self._drafts.end(draft_id)
        self._mail.hurry()

    def _damaged(self, damage: Trouble) -> None:
        """Whoever is at the desk, and who comes next, hears it; nothing is kept or sent from then on."""
        for stage in (self.login, self.intake):
            stage.post(Failed(damage, "CheckStore"))

    # -- who is here ------------------------------------------------------------------------------------------------------------------
    def _operator(self) -> Operator:
        operator: Operator | None = self.login.state.operator
        if operator is None:
            raise NotEnrolled("nobody is logged in")
        return operator

    def _owner(self) -> str:
        operator: Operator | None = self.login.state.operator
        return f"op:{operator.operator_id}" if operator is not None else ""

    def _open_draft(self) -> str:
        draft = self.intake.state.draft
        return draft.draft_id if draft is not None else ""

    # -- handlers ---------------------------------------------------------------------------------------------------------------------
    def _hand_out(self) -> None:
        carrier = self._carrier
        carrier.at_once(OpenStation, self._open_station)
        carrier.at_once(Send, lambda order, _post: self._stages[order.flow].post(order.event))
        carrier.at_once(LogOut, lambda _order, _post: None)
        carrier.at_once(CancelRead, lambda _order, _post: self.jobs.cancel("reader"))
        carrier.in_lane(SignRecord, "token", self._records.sign)
        self._signing.hand_out(carrier)
        carrier.in_lane(KeepUnsigned, "outbox", self._records.keep_unsigned)
        carrier.in_lane(ReadCard, "reader", self._cards.read, progress=True)
        carrier.in_lane(ReadSocial, "reader", SocialWork(self.rooms).read)
        carrier.in_lane(AskReaders, "reader", self._readers.ask)
        carrier.in_lane(UseReader, "reader", self._readers.use)
        carrier.at_once(NewSitting, self._drafts.make)
        carrier.at_once(SaveDraft, self._drafts.save)
        carrier.at_once(ParkDraft, self._drafts.park)
        carrier.at_once(DropDraft, self._drafts.drop)
        carrier.at_once(Note, self._drafts.note)
        carrier.at_once(OpenPreview, self._pictures.open)
        carrier.at_once(ClosePreview, self._pictures.close)
        carrier.at_once(SyncNow, self._mail.sync)
        carrier.at_once(WatchRecord, self._mail.watch)
        carrier.at_once(CheckDevices, self._lamps.check)
        for effect, work in ((ListParked, self._drafts.list), (OpenDraft, self._drafts.open),
                             (DropStill, self._drafts.drop_still), (ListOutbox, self._mail.list),
                             (RetryRecord, self._mail.retry), (BuildReview, self._records.build), (Keep, self._records.keep)):
            carrier.in_lane(effect, "outbox", work)
        for effect, work in ((TakePortrait, self._pictures.portrait), (TakeDocument, self._pictures.document), (TakeFile, self._pictures.file),
                             (CompareFaces, self._pictures.compare)):
            carrier.in_lane(effect, "pictures", work)
        self.sheets.take_over(carrier)
        self._exports.take_over(carrier)
        self._repairs.take_over(carrier)
        carrier.at_once(SaveReceipt, lambda order, post: self._receipt(order.record_id, order.path, post, "SaveReceipt"))
        carrier.at_once(PrintReceipt, lambda order, post: self._receipt(order.record_id, "", post, "PrintReceipt"))

    def _open_station(self, _order: OpenStation, post: Post) -> None:
        if self._open is not None:
            post(Failed(StoreDamaged("found while it was open"), "OpenStation") if self._open.store.damaged else self._station_opened())
            return

        def opened(rooms: Rooms) -> None:
            self._open = rooms
            self._table_rows.update(rooms.tables.by_name)
            try:
                self._cards.watch(self.jobs.post)
            except Trouble:
                self._lamps.look()
            self._mail.start()
            self._notices.start()
            self._lamps.start()
            self._whole.start(rooms)
            post(self._station_opened())

        self.jobs.start("outbox", lambda _cancel, _tell: open_rooms(self._folder, self._cabinet), opened,
                        lambda trouble: post(Failed(trouble, "OpenStation")))

    def _station_opened(self) -> StationOpened:
        station = self.rooms().station
        return StationOpened(StationFacts(station.station_id, station.province_name, station.hall_name, station.window, station.practice))

    def _receipt(self, record_id: str, path: str, post: Post, effect: str) -> None:
        """Facts in the lane, painting in the main thread (Qt paints there), then the journal."""
        owner = self._owner()

        def painted(facts: Any) -> None:
            try:
                if self.write_receipt is None:
                    raise NotSaved("nobody here paints a receipt", path="")
                self.write_receipt(facts, path)
            except Trouble as trouble:
                post(Failed(trouble, effect))
                return
            self.jobs.start("outbox", lambda _cancel, _tell: self.rooms().note(owner, "receipt.saved" if path else "receipt.printed", record_id))
            post(ReceiptSaved(record_id, path))

        self.jobs.start("outbox", lambda _cancel, _tell: self._mail.receipt(record_id), painted, lambda trouble: post(Failed(trouble, effect)))


def run_face(face: str, full_screen: bool = False) -> int:
    """Open one face and run until its window is closed. Exit code 0; a second start of the same folder brings the first to the front and ends with 0."""
    application = QApplication.instance() or QApplication(sys.argv[:1])
    folder = data_folder()
    windows: list[QWidget] = []

    def to_front() -> None:
        for window in windows:
            window.setWindowState(window.windowState() & ~Qt.WindowState.WindowMinimized)
            window.show()
            window.raise_()
            window.activateWindow()

    single = Single(folder, to_front)
    if not single.first:
        return 0
    session, window = open_face(face, folder)
    windows.append(window)
    window.showFullScreen() if full_screen else window.show()
    session.begin()
    try:
        return int(application.exec())
    finally:
        session.close()
        single.close()


def open_face(face: str, folder: Path, cabinet: Any = None) -> tuple[Any, QWidget]:
    """Session and window of ``desk``, ``kiosk`` or ``verify``; nothing runs before ``session.begin()``."""
    settings = Settings(folder / "settings.json")
    look = Look(settings.get("text_scale"), settings.get("high_contrast"), _practice(folder), settings.get("calm"))
    words = Words(settings.get("language"))
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    application.setStyleSheet(look.sheet())
    speak(application, words.lang)
    if face == "desk":
        return _desk(folder, look, words, settings, cabinet)
    return framed(Kiosk(folder, words.lang, cabinet, settings.get("kiosk_voice")) if face == "kiosk" else Verify(folder, words.lang, cabinet), look, words)


def _practice(folder: Path) -> bool:
    """By the store's label, before the store is open; what the province signed decides later."""
    try:
        label = read_label(folder)
    except Trouble:
        return False
    return label is not None and label.practice


def _desk(folder: Path, look: Look, words: Words, settings: Settings, cabinet: Any) -> tuple[Desk, QWidget]:
    from desktop.staff.kit import Kit
    from desktop.staff.window import StaffWindow

    desk = Desk(folder, cabinet, auto_read=settings.get("auto_read"))
    kit = Kit(look, words, desk.tables)
    window = StaffWindow(kit, desk.login, desk.intake, desk.review, desk.batch, settings.get("lock_after_minutes"))
    desk.show_frame = window.show_frame
    desk.write_receipt = ReceiptPrinter(words, desk.tables).write
    desk.sheets.paint = SheetPrinter(kit, lambda: desk.login.state).write
    return desk, window
