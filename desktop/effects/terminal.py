"""The self-service terminal's handlers: card, looking, keeping a presence, wiping.

Never shows one person what another left, never holds a key that could open a presence.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from threading import Event
from typing import Any

import cv2
import numpy as np
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_private_key

from desktop.bridge.jobs import Jobs
from desktop.effects.camera import RunningCamera
from desktop.effects.carry import Post
from desktop.effects.readers import ReaderChoice
from desktop.effects.records import Held, kept_packet
from desktop.flows.fill import fill
from desktop.flows.machine import Failed
from desktop.flows.words_kiosk import (
    CallStaff,
    CardWasRead,
    FaceCompared,
    FaceResult,
    KeepPresence,
    Kept,
    KioskFacts,
    LookTold,
    Note,
    ReadCard,
    StaffCalled,
    StartLooking,
)
from desktop.rooms import Rooms, now
from devices.cameras.contract import Frame
from devices.cards.contract import CardRead
from devices.errors import NoModel
from devices.vision.face import Comparison, FaceComparer
from devices.vision.portrait import check
from resources.trouble import Trouble
from sync.canon import canon, digest
from sync.draft import Draft, Source, time_text
from sync.errors import StoreTrouble
from sync.freeze import Sitting, presence
from sync.signing import KeySigner, make_signature

__all__ = ["TerminalWork", "kiosk_facts", "masked_number"]

_LOOK_S = 15.0
_GOOD_FRAMES = 5
"""Frames that are compared; the median decides (the project's imaging notes, 5.2)."""


def masked_number(number: str) -> str:
    """As the national database masks it: ``510104198803120012`` -> ``5101**********0012``."""
    return number[:4] + "*" * max(0, len(number) - 8) + number[-4:] if len(number) > 8 else "*" * len(number)


def kiosk_facts(rooms: Rooms) -> KioskFacts:
    """What this terminal is and can."""
    try:
        FaceComparer(rooms.models)
        can = True
    except NoModel:
        can = False
    station = rooms.station
    return KioskFacts(station.hall_name, station.window, station.practice, can)


class TerminalWork:
    """Handlers of the terminal. ``rooms`` gives the open rooms, ``show`` takes live frames, ``bell`` calls staff, ``clean`` clears the clipboard."""

    def __init__(self, rooms: Any, jobs: Jobs, camera: RunningCamera, show: Callable[[Frame | None], None], bell: Callable[[], None],
                 clean: Callable[[], None]) -> None:
        self._rooms, self._jobs, self._camera, self._show, self._bell, self._clean = rooms, jobs, camera, show, bell, clean
        self._readers = ReaderChoice(rooms)

    def read(self, order: ReadCard, cancel: Event, tell: Any) -> CardWasRead:
        rooms: Rooms = self._rooms()
        with rooms.cards().open(self._readers.unattended()) as reader:
            read: CardRead = reader.read(cancel, tell)
        return CardWasRead(order.sitting, read, read.card.name_zh or read.card.name_latin, masked_number(read.card.number), read.photo_image is not None)

    # -- looking ----------------------------------------------------------------------------------------------------------------------
    def look(self, order: StartLooking, post: Post) -> None:
        """Hints while looking, then one three-way answer; at most 15 s. Frames and features are gone when it ends."""
        sitting, looking = order.sitting, _Looking(self._rooms, order.card)

        def seen(answer: str | Comparison | None) -> None:
            if isinstance(answer, Comparison):
                post(FaceCompared(sitting, FaceResult("model", answer.verdict, answer.score, answer.model), answer.why))
            elif answer is not None:
                post(LookTold(sitting, answer))

        def failed(trouble: Trouble) -> None:
            post(Failed(trouble, "StartLooking"))

        self._camera.start(lambda: self._rooms().cameras(), "portrait", self._show, looking.look, seen, failed)

    def stop_looking(self, _order: object, _post: Post) -> None:
        self._camera.stop()
        self._show(None)

    # -- keeping ----------------------------------------------------------------------------------------------------------------------
    def keep(self, order: KeepPresence, _cancel: Event, _tell: Any) -> tuple[Kept, str]:
        """The answer, and the record's id. Made, signed with the device key, sealed to the province only, durable when it returns."""
        rooms: Rooms = self._rooms()
        station, at = rooms.station, now()
        owner = f"st:{station.station_id}"
        face = {"way": order.face.way, "verdict": order.face.verdict, "score": order.face.score, "model": order.face.model} if order.face else None
        draft = fill(Draft(str(uuid.uuid4()), owner, at, face=face), order.card, by=station.station_id, at=at)
        draft = draft.take("person.mobile", order.mobile, Source.TYPED, by=station.station_id, at=at)
        sitting = Sitting(station.station_id, station.hall, station.window, station.station_id, f"{station.hall_name} {station.window}",
                          digest(station.certificate), station.practice)
        notice = {"version": order.notice_version, "agreed_at": time_text(at), "face": order.face_consent}
        record = presence(draft, sitting, str(uuid.uuid4()), at, notice)
        exact = canon(record.as_json())
        key = load_der_private_key(station.identity.private_key, None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise StoreTrouble("the device key is of another kind", step="device_key")
        signature = make_signature(exact, KeySigner(key, station.certificate, station.identity.chain), at)
        kept_packet(rooms, Held(record.record_id, draft, exact, (), signature), owner, "", station_can_open=False)
        return Kept(order.sitting, record.record_id[:8].upper()), record.record_id

    def receipted(self, record_id: str) -> bool:
        """Whether this presence has its receipt."""
        row = self._rooms().outbox.row(record_id)
        return row is not None and row.state in ("receipted", "purged")

    # -- the rest ---------------------------------------------------------------------------------------------------------------------
    def call(self, order: CallStaff, post: Post) -> None:
        """A bell at the terminal and a line in the journal: more the hall has not told us of."""
        self._bell()
        self._jobs.start("outbox", lambda _cancel, _tell: self._rooms().note(f"st:{self._rooms().station.station_id}", "kiosk.call", "", {"page": order.page}))
        post(StaffCalled(order.sitting))

    def wipe(self, _order: object, _post: Post) -> None:
        self._camera.stop()
        self._show(None)
        self._clean()
        self._jobs.cancel("reader")

    def note(self, order: Note, _cancel: Event, _tell: Any) -> None:
        rooms: Rooms = self._rooms()
        rooms.note(f"st:{rooms.station.station_id}", order.what, "", dict(order.facts))


class _Looking:
    """One look at one person: collects good frames, then compares them with the card's picture."""

    def __init__(self, rooms: Any, card: CardRead) -> None:
        self._rooms, self._card = rooms, card
        self._comparer: FaceComparer | None = None
        self._good: list[Frame] = []
        self._until = 0.0
        self._done = False

    def look(self, frame: Frame) -> str | Comparison | None:
        """A hint, or the answer; None once the answer was given. Raises NoModel, which ends the look."""
        if self._done:
            return None
        if self._comparer is None:
            self._comparer = FaceComparer(self._rooms().models)
            self._until = time.monotonic() + _LOOK_S
        report = check(frame, self._comparer.finder.find(frame))
        if not report.must:
            self._good.append(frame.copy())
        if len(self._good) >= _GOOD_FRAMES or (time.monotonic() > self._until):
            return self._compared(self._comparer, report.must[0] if report.must else "no_face")
        return report.must[0] if report.must else "hold"

    def _compared(self, comparer: FaceComparer, why: str) -> Comparison:
        self._done = True
        chip = cv2.imdecode(np.frombuffer(self._card.photo_image or b"", np.uint8), cv2.IMREAD_COLOR) if self._card.photo_image else None
        good, self._good = self._good, []
        if chip is None or not good:
            return Comparison("unsure", "", "", "chip" if chip is None else why)
        return comparer.compare(np.asarray(chip, np.uint8), good)
