"""Draws every page and state of terminal and sheet check into PNGs, for people to look at. Not a test: ``python -m tests.scenes.shots_faces FOLDER``."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication, QWidget

from desktop.bridge.stage import Stage
from desktop.flows.kiosk import kiosk_flow
from desktop.flows.machine import Failed
from desktop.flows.verify import verify_flow
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
from desktop.flows.words_verify import Answered, CodeSeen, FileGiven, HealthSeen, Judged, VerifyFacts
from desktop.kiosk.window import KioskWindow
from desktop.verify.window import VerifyWindow
from desktop.widgets.style import Look
from devices.errors import CardRemoved, FileHostile
from devices.vision.codes import read_codes
from sync.errors import DiskFull
from sync.sheet import StatusList, judge, sheet_keys
from sync.tables import Tables
from tests.emulators.pictures import credit_sheet, live_frames, on_mat
from tests.emulators.sheets import EPOCH, SheetOffice, payload
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
        application.sendPostedEvents(None, QEvent.Type.DeferredDelete)
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
    which = sys.argv[2:] or ["kiosk", "verify"]
    if "kiosk" in which:
        kiosk_shots(folder)
    if "verify" in which:
        verify_shots(folder)
    del application


def verify_states() -> Iterator[tuple[str, list[Any]]]:
    """Name, the events that lead there."""
    office = SheetOffice()
    keys = sheet_keys({"keys": [office.roots_entry(NOW)]})
    body = payload(NOW.date(), k9=(NOW.date() - timedelta(days=40) - EPOCH).days)
    code = office.code(body)
    old = payload(NOW.date() - timedelta(days=100))
    shown = on_mat(credit_sheet(code.decode()), 1400, 1050, turn=-3)
    (found,) = read_codes(on_mat(credit_sheet(code.decode()), 4200, 3150, turn=-3))
    seen = CodeSeen(0, code, tuple((x // 3, y // 3) for x, y in found.quad), shown)
    health = HealthSeen(True, NOW - timedelta(hours=2))

    def judged(code: bytes, asking: bool = False, **more: Any) -> list[Any]:
        verdict = judge(code, keys, NOW, practice=more.pop("practice", False), keys_as_of=NOW - timedelta(hours=2), **more)
        return [health, CodeSeen(0, code, seen.quad, shown), Judged(1, verdict, asking, NOW)]

    yield "look", [health]
    yield "look_trouble", [HealthSeen(False, None), FileGiven(b"x", "x"), Failed(FileHostile(why="kind"), "OpenFile")]
    yield "working", [health, FileGiven(b"x", "x")]
    yield "valid", judged(code, online=office.status(body, NOW))
    yield "asking", judged(code, asking=True)
    yield "unchecked", [*judged(code, status=StatusList(bytes(50), NOW - timedelta(hours=5))), HealthSeen(False, NOW - timedelta(hours=5))]
    yield "unchecked_waiting", [*judged(code), CodeSeen(0, b"CR1:OTHER")]
    yield "bad_count", judged(code, online=office.status(body, NOW, bad=1))
    yield "superseded", judged(code, online=office.status(body, NOW, "superseded"))
    yield "revoked", judged(code, online=office.status(body, NOW, "revoked"))
    yield "expired", judged(office.code(old))
    yield "forged", judged(SheetOffice().code(body, kid=office.kid))
    yield "unknown_key", judged(SheetOffice().code(body))
    yield "not_ours", judged(b"https://pukgac.com/verify?id=1")
    yield "practice_mix", judged(office.code(payload(NOW.date(), k13=True)))
    yield "differs", [*judged(code, online=office.status(body, NOW)), Answered(False)]
    yield "answered", [*judged(code), Answered(True)]


def verify_window(events: list[Any], size: tuple[int, int], look: Look, language: str = "zh_CN") -> VerifyWindow:
    """A window that shows the state after the events."""
    stage = Stage(verify_flow(VerifyFacts("成都市政务大厅", "03 窗口", "刘洋", look.practice, language, "四川省住房和城乡建设厅")), lambda effect, post: None)
    window = VerifyWindow(stage, look, Tables.load(), clock=lambda: NOW)
    window.resize(*size)
    window.show()
    stage.begin()
    for event in events:
        stage.post(event)
    return window


def verify_shots(folder: Path) -> None:
    for name, events in verify_states():
        shoot(verify_window(events, (1366, 768), Look()), folder / f"verify_{name}.png")
        shoot(verify_window(events, (1920, 1080), Look(scale=150, practice=True), "en"), folder / f"verify_en150_{name}.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
