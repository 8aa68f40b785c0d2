"""Draws every page and state of the terminal and of the sheet check into PNG files, for people to look at. Not a test: ``python -m tests.scenes.shots_faces FOLDER``."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtWidgets import QApplication, QWidget

from desktop.bridge.stage import Stage
from desktop.flows.kiosk import kiosk_flow
from desktop.flows.machine import Failed
from desktop.flows.words_kiosk import (
    CallPressed,
    CardSeen,
    CardWasRead,
    ConfirmPressed,
    DigitPressed,
    ElderSet,
    FaceCompared,
    FaceResult,
    Kept,
    KioskFacts,
    LanguageSet,
    LookTold,
    NextPressed,
    Sent,
    StaffCalled,
    StaffPressed,
    StartPressed,
    Ticked,
)
from desktop.kiosk.window import KioskWindow
from desktop.widgets.style import Look
from devices.errors import CardRemoved
from sync.errors import DiskFull
from tests.emulators.pictures import live_frames
from tests.flows.test_kiosk import CARD

NOW = datetime(2026, 11, 22, 6, 6, tzinfo=UTC)
SAME, UNSURE = FaceResult("model", "same", "0.71"), FaceResult("model", "unsure", "0.40")
MOBILE = [DigitPressed(digit) for digit in "13800001234"]


def read() -> CardWasRead:
    return CardWasRead(1, CARD, "李建国", "510100********0012")


def kiosk_states() -> Iterator[tuple[str, bool, list[Any]]]:
    """Name, whether models are there, the events that lead there."""
    card = [StartPressed(), NextPressed(), NextPressed()]
    face = [*card, CardSeen(), read()]
    check = [*face, FaceCompared(1, SAME), *MOBILE, NextPressed()]
    by_staff = [StartPressed(), NextPressed(), CardSeen(), read(), StaffPressed(), *MOBILE, NextPressed()]
    yield "welcome", True, []
    yield "welcome_left_behind", True, [*face, *[Ticked()] * 60]
    yield "notice", True, [StartPressed()]
    yield "consent", True, [StartPressed(), NextPressed()]
    yield "card", True, card
    yield "card_reading", True, [*card, CardSeen()]
    yield "card_trouble", True, [*card, CardSeen(), Failed(CardRemoved(), "ReadCard")]
    yield "face", True, [*face, LookTold(1, "too_far"), *[Ticked()] * 8]
    yield "face_unsure", True, [*face, FaceCompared(1, UNSURE, "turned")]
    yield "face_staff", False, by_staff[:4]
    yield "mobile", True, [*face, FaceCompared(1, SAME), *MOBILE[:7], *[Ticked()] * 50]
    yield "mobile_wrong", True, [*face, FaceCompared(1, SAME), DigitPressed("2")]
    yield "check", True, check
    yield "check_trouble", True, [*check, ConfirmPressed(), Failed(DiskFull(), "KeepPresence")]
    yield "keeping", True, [*check, ConfirmPressed(), CallPressed()]
    yield "result", True, [*check, ConfirmPressed(), Kept(1, "07-0031"), *[Ticked()] * 5]
    yield "result_sent_staff", False, [*by_staff, ConfirmPressed(), CallPressed(), StaffCalled(1), Kept(1, "07-0031"), Sent(1)]


def kiosk_window(models: bool, events: list[Any], size: tuple[int, int], look: Look) -> KioskWindow:
    """A window that shows the state after the events; its clock stands."""
    stage = Stage(kiosk_flow(KioskFacts("成都市政务大厅", "07", look.practice, models)), lambda effect, post: None)
    window = KioskWindow(stage, look)
    window.resize(*size)
    window.show()
    stage.begin()
    for event in events:
        stage.post(event)
    window._clock.stop()
    if stage.view.work == "looking":
        window.show_frame(live_frames(4)[1])
    return window


def shoot(window: QWidget, path: Path) -> None:
    """One PNG."""
    application = QApplication.instance()
    for _ in range(4):
        application.processEvents()
    window.grab().save(str(path))
    window.close()
    window.deleteLater()
    application.processEvents()


def kiosk_shots(folder: Path) -> None:
    calm = Look(calm=True)
    for name, models, events in kiosk_states():
        shoot(kiosk_window(models, events, (1080, 1920), calm), folder / f"kiosk_{name}.png")
        shoot(kiosk_window(models, events, (1280, 1024), calm), folder / f"kioskw_{name}.png")
        shoot(kiosk_window(models, [ElderSet(True), *events], (1080, 1920), calm), folder / f"kiosk_elder_{name}.png")
        shoot(kiosk_window(models, [ElderSet(True), *events], (1280, 1024), calm), folder / f"kioskw_elder_{name}.png")
        shoot(kiosk_window(models, [LanguageSet("en"), *events], (1080, 1920), Look(calm=True, practice=True)), folder / f"kiosk_en_{name}.png")
        shoot(kiosk_window(models, [LanguageSet("en"), ElderSet(True), *events], (1280, 1024), calm), folder / f"kioskw_en_elder_{name}.png")


def main(folder: Path) -> None:
    """All of them."""
    application = QApplication.instance() or QApplication([])
    folder.mkdir(parents=True, exist_ok=True)
    kiosk_shots(folder)
    del application


_ = timedelta
if __name__ == "__main__":
    main(Path(sys.argv[1]))
