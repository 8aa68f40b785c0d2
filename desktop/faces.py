"""The terminal and the sheet check, composed: rooms, lanes, stage, effects. Never holds a rule or a page of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QApplication

from desktop.bridge.jobs import Jobs
from desktop.bridge.stage import Stage
from desktop.effects.camera import RunningCamera
from desktop.effects.cards import CardWork
from desktop.effects.carry import Carrier, Post
from desktop.effects.checking import CheckWork
from desktop.effects.terminal import TerminalWork, kiosk_facts
from desktop.effects.voice import Voice
from desktop.effects.whole import StoreCheck
from desktop.flows import words, words_kiosk, words_verify
from desktop.flows.kiosk import kiosk_flow
from desktop.flows.machine import Failed
from desktop.flows.verify import verify_flow
from desktop.flows.words_kiosk import CardSeen, CardTaken, KioskFacts
from desktop.flows.words_verify import HealthSeen, VerifyFacts
from desktop.messages import Words
from desktop.rooms import LAST_ANSWER_S, Rooms, open_rooms
from resources.trouble import Trouble
from sync.courier import CourierStatus
from sync.errors import NotEnrolled, StoreDamaged

__all__ = ["Kiosk", "Verify"]

_CLOSE_S = 6.0


class Face(QObject):
    """A face that opens its rooms first: ``opened(stage)`` once it can be shown, ``failed(trouble)`` where it cannot; ``begin`` may be called again then."""

    opened = Signal(object)
    failed = Signal(object)
    damaged = Signal(object)
    """The store turned out to be damaged after it was opened; the face can do nothing more."""

    def __init__(self, folder: Path, language: str = "zh_CN", cabinet: Any = None) -> None:
        super().__init__()
        self._folder, self._language, self._cabinet = folder, language, cabinet
        self._open: Rooms | None = None
        self._wake, self._end = Event(), Event()
        self.stage: Stage | None = None
        self.show_frame: Callable[[Any], None] = lambda _frame: None
        self.jobs = Jobs()
        self.camera = RunningCamera(self.jobs)
        self.carrier = Carrier(self.jobs)
        self._whole = StoreCheck(self.jobs, self.damaged.emit)

    def rooms(self) -> Rooms:
        """The open rooms. Raises NotEnrolled before they are."""
        if self._open is None:
            raise NotEnrolled("nothing is open yet")
        return self._open

    def begin(self) -> None:
        """Open; the answer comes as a signal."""
        if self._open is not None and self._open.store.damaged:
            self.failed.emit(StoreDamaged("found while it was open"))
            return
        self.jobs.start("outbox", lambda _cancel, _tell: self._opened_rooms(), self._show, self.failed.emit)

    def close(self) -> tuple[str, ...]:
        """Watch, camera, courier, lanes, store. Returns the names of threads that did not end."""
        self.stop_watch()
        self.camera.stop()
        self._end.set()
        self._wake.set()
        self.jobs.stop("courier", LAST_ANSWER_S)
        if self._open is not None:
            self._open.province.cut()  # answers that do not come; the courier's is asked for at the next start
        left = self.jobs.close(_CLOSE_S)
        if self._open is not None:
            self._open.close(wait=not left)
            self._open = None
        return left

    def post(self, event: Any) -> None:
        if self.stage is not None:
            self.stage.post(event)

    # -- of each face -----------------------------------------------------------------------------------------------------------------
    def facts(self, rooms: Rooms) -> Any:
        """In the lane: what the flow must know of this station."""
        raise TypeError("each face has facts of its own")

    def make_stage(self, facts: Any) -> Stage:
        raise TypeError("each face has a stage of its own")

    def stop_watch(self) -> None:
        """Before anything else ends."""

    def told(self, status: CourierStatus) -> None:
        """News of the courier, in the main thread."""

    def _opened_rooms(self) -> tuple[Rooms, Any]:
        rooms = self._open or open_rooms(self._folder, self._cabinet)
        return rooms, self.facts(rooms)

    def _show(self, answer: tuple[Rooms, Any]) -> None:
        self._open, facts = answer
        courier = self._open.make_courier(lambda status: self.jobs.post(lambda: self.told(status)))
        self.jobs.run("courier", lambda stop: courier.run(stop, self._wake), self._end)
        self._whole.start(self._open)
        self.stage = self.make_stage(facts)
        self.opened.emit(self.stage)
        self.stage.begin()

    def hurry(self) -> None:
        self._wake.set()


class Kiosk(Face):
    """The self-service terminal."""

    def __init__(self, folder: Path, language: str = "zh_CN", cabinet: Any = None, voice: bool = False) -> None:
        super().__init__(folder, language, cabinet)
        self._voice = Voice(voice, language)
        self._kept, self._sitting = "", 0
        self._cards = CardWork(self.rooms, self._card_event, lambda: None)
        self._work = TerminalWork(self.rooms, self.jobs, self.camera, lambda frame: self.show_frame(frame), QApplication.beep,
                                  lambda: QApplication.clipboard().clear())

    def facts(self, rooms: Rooms) -> KioskFacts:
        return kiosk_facts(rooms)

    def stop_watch(self) -> None:
        self._voice.stop()
        self._cards.stop()

    def make_stage(self, facts: KioskFacts) -> Stage:
        w, work = words_kiosk, self._work
        self.carrier.at_once(w.WatchCards, self._watch)
        self.carrier.in_lane(w.ReadCard, "reader", work.read)
        self.carrier.at_once(w.StartLooking, work.look)
        self.carrier.at_once(w.StopLooking, work.stop_looking)
        self.carrier.in_lane(w.KeepPresence, "outbox", self._keep)
        self.carrier.at_once(w.CallStaff, work.call)
        self.carrier.at_once(w.Wipe, self._wipe)
        self.carrier.at_once(w.Speak, lambda order, _post: self._say(order.key))
        self.carrier.in_lane(w.Note, "outbox", work.note)
        return Stage(kiosk_flow(facts), self.carrier.carry)

    def _say(self, key: str) -> None:
        words_ = Words(self.stage.state.language if self.stage is not None else self._language)
        if words_.has(f"kiosk.{key}"):
            self._voice.say(words_(f"kiosk.{key}"))

    def _watch(self, _order: Any, post: Post) -> None:
        try:
            self._cards.watch(self.jobs.post)
        except Trouble as trouble:
            post(Failed(trouble, "WatchCards"))

    def _card_event(self, event: Any) -> None:
        if isinstance(event, words.CardPlaced):
            self.post(CardSeen())
        elif isinstance(event, words.CardLifted):
            self.post(CardTaken())

    def _keep(self, order: words_kiosk.KeepPresence, cancel: Event, tell: Any) -> words_kiosk.Kept:
        kept, self._kept = self._work.keep(order, cancel, tell)
        self._sitting = order.sitting
        self.hurry()
        return kept

    def _wipe(self, order: Any, post: Post) -> None:
        self._kept = ""
        self._work.wipe(order, post)

    def told(self, status: CourierStatus) -> None:
        """The receipt of the one on screen is looked for whenever something went through."""
        record_id, sitting = self._kept, self._sitting
        if record_id and not status.moving:
            def seen(there: bool) -> None:
                if there and self._kept == record_id:
                    self._kept = ""
                    self.post(words_kiosk.Sent(sitting))

            self.jobs.start("outbox", lambda _cancel, _tell: self._work.receipted(record_id), seen)


class Verify(Face):
    """The check of credit record sheets."""

    def __init__(self, folder: Path, language: str = "zh_CN", cabinet: Any = None) -> None:
        super().__init__(folder, language, cabinet)
        self.pick_file: Callable[[], None] = lambda: None
        self.print_result: Callable[[Any], None] = lambda _order: None
        self._work = CheckWork(self.rooms, self.jobs, self.camera, lambda frame: self.show_frame(frame))

    def facts(self, rooms: Rooms) -> VerifyFacts:
        station = rooms.station
        return VerifyFacts(station.hall_name, station.window, "", station.practice, self._language)

    def make_stage(self, facts: VerifyFacts) -> Stage:
        w, work = words_verify, self._work
        self.carrier.at_once(w.WatchCamera, work.watch)
        self.carrier.in_lane(w.LookNow, "pictures", work.look_now)
        self.carrier.at_once(w.PickFile, lambda _order, _post: self.pick_file())
        self.carrier.in_lane(w.OpenFile, "pictures", work.open_file)
        self.carrier.at_once(w.Judge, work.judge)
        self.carrier.at_once(w.PrintResult, self._print)
        self.carrier.in_lane(w.Note, "outbox", work.note)
        self.carrier.at_once(w.Forget, lambda _order, _post: self.show_frame(None))
        return Stage(verify_flow(facts), self.carrier.carry)

    def told(self, status: CourierStatus) -> None:
        known = status.online or status.offline_since is not None
        self.post(HealthSeen(status.online if known else None, self.rooms().station.kept["roots"].issued_at))

    def _print(self, order: words_verify.PrintResult, post: Post) -> None:
        try:
            self.print_result(order)
        except Trouble as trouble:
            post(Failed(trouble, "PrintResult"))
