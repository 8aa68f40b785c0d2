"""Drives stages without a window and waits for what they show. Never sleeps for a fixed time."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from PySide6.QtCore import QEventLoop
from PySide6.QtWidgets import QApplication

from desktop.app import Desk
from desktop.flows.words import (
    AskPin,
    CapturePressed,
    CardLifted,
    DocumentPressed,
    Edited,
    PinTyped,
    PortraitPressed,
    ReviewPressed,
    ReviewSheet,
    SignPressed,
)
from desktop.rooms import now
from devices.cards.pcsc import PcscDriver
from tests.scenes.hall import PracticeHall

__all__ = ["TYPED", "capture", "cleared", "lift", "log_in", "reviewed", "signed", "type_in", "until"]

TYPED: Mapping[str, Any] = {
    "person.categories": ("4",), "person.mobile": "13800000000", "education.level": "71", "employer.name": "四川示例建设有限公司", "skill[0].trade": "020",
    "skill[0].level": "4", "skill[0].cert_no": "2106-0088412",
}
"""What the card does not say of the person of ``tests.emulators.idcards.PRACTICE``."""


def until(fits: Callable[[], Any], what: str, seconds: float = 60.0, seen: Callable[[], object] = lambda: "") -> Any:
    """Let events pass until ``fits()`` is true, and give its answer. Raises AssertionError that names what was waited for, and what was ``seen`` instead."""
    application = QApplication.instance()
    assert application is not None
    end = time.monotonic() + seconds
    while not (answer := fits()):
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds:.0f} s for: {what} {seen()}")
        application.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)
        time.sleep(0.005)
    return answer


def cleared(hall: PracticeHall) -> None:
    """Takes the card away and waits until the service has seen it go: one that is laid down before may never be seen (``VirtualSlot``), and the next desk
    would take the old one for its own.
    """
    hall.lift()
    reader = PcscDriver((), emulated=True)
    end = time.monotonic() + 30
    while any(one.card for one in reader.look()):
        assert time.monotonic() < end, "the card does not leave the reader"
        time.sleep(0.05)


def log_in(desk: Desk, pin: str) -> None:
    until(lambda: desk.login.state.page == "pin", "the PIN page", 40, lambda: (desk.login.state.page, desk.login.state.trouble))
    desk.login.post(PinTyped(pin))
    until(lambda: desk.login.state.page == "in", "the desk after log-in", 40, lambda: (desk.login.state.page, desk.login.state.trouble))


def lift(desk: Desk, hall: PracticeHall) -> None:
    """Takes the card away and waits until the desk was told: a card that is laid down before that is taken for the old one."""
    told: list[object] = []

    def hear(event: object) -> None:
        if isinstance(event, CardLifted):
            told.append(event)

    desk.intake.stepped.connect(hear)
    hall.lift()
    until(lambda: told, "the card lifted")
    desk.intake.stepped.disconnect(hear)


def type_in(desk: Desk, **other: Any) -> None:
    """Every value of ``TYPED`` that the draft lacks; ``other`` by the last part of the path."""
    for path, value in TYPED.items():
        if not desk.intake.state.draft.value(path):
            desk.intake.post(Edited(path, other.get(path.rpartition(".")[2], value), now()))


def capture(desk: Desk) -> None:
    """Portrait and skill certificate, where the draft lacks them."""
    for press, kind in ((PortraitPressed(), "portrait"), (DocumentPressed("skill_certificate"), "skill_certificate")):
        if any(one.kind == kind for one in desk.intake.state.draft.stills):
            continue
        desk.intake.post(press)
        until(lambda: desk.intake.state.capture is not None and desk.intake.state.capture.hint is not None, f"the live picture for {kind}")
        desk.intake.post(CapturePressed())
        until(lambda kind=kind: kind in {one.kind for one in desk.intake.state.draft.stills}, f"the still {kind}")


def reviewed(desk: Desk) -> ReviewSheet:
    """The review page of the open sitting."""
    desk.intake.post(ReviewPressed(now()))
    return until(lambda: desk.review.state.page == "reading" and desk.review.state.sheet, "the review page")


def signed(desk: Desk, pin: str) -> None:
    """From the review page to kept."""
    desk.review.post(AskPin())
    until(lambda: desk.review.state.page == "pin", "the PIN field")
    desk.review.post(SignPressed(pin))
    until(lambda: desk.review.state.page in ("kept", "receipt"), "kept")
