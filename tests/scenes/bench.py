"""What scenes of bad input share: a hall where something is kept and something parked, and the proof that it is not lost. Never a fault of its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from desktop.app import Desk
from desktop.flows.words import Edited, ParkPressed
from desktop.messages import LANGUAGES, codes, say
from desktop.rooms import now, open_rooms
from devices.cards.pcsc import PcscDriver
from devices.host import Host
from resources.trouble import Trouble
from sync.blobs import Blobs
from sync.keys import KeyCabinet
from sync.store import Store
from tests.scenes.hall import COLLECTOR, TOP, PracticeHall
from tests.scenes.stages import capture, lift, log_in, reviewed, signed, type_in, until

__all__ = ["Holdings", "desk_on", "holdings", "provisioned", "said"]

_WAITERS = ((Store, "write"), (Store, "read"), (Blobs, "write"), (Blobs, "read"), (Host, "call"), (KeyCabinet, "_ask"), (PcscDriver, "look"),
            (PcscDriver, "open"), (requests.Session, "send"))
"""What may wait for a disk, a device, a person or the network."""


def said(trouble: Trouble | None, code: str, **facts: object) -> None:
    """The trouble has this code and these facts, and every language says title, cause and next step in words."""
    assert trouble is not None and trouble.code == code, trouble
    assert facts.items() <= trouble.facts.items(), trouble.facts
    for lang in LANGUAGES:
        assert code in codes(lang)
        message = say(trouble, lang)
        assert all(len(text) > 3 and "{" not in text for text in (message.title, message.cause, message.next)), message
        assert lang == "en" or all(any("\u4e00" <= sign for sign in text) for text in (message.title, message.cause, message.next)), message


@dataclass(frozen=True)
class Holdings:
    """What a data folder holds: kept records with their states, parked drafts with the number of their stills."""

    kept: Mapping[str, str]
    parked: Mapping[str, int]


def holdings(home: Path) -> Holdings:
    """Every packet is opened and every still read on the way."""
    rooms = open_rooms(home)
    try:
        rows = rooms.outbox.rows(limit=10_000)
        for row in rows:
            rooms.outbox.check_packet(row.record_id)
        drafts = rooms.parked.list(f"op:{COLLECTOR.id}")
        for still in (one for draft in drafts for one in draft.stills):
            assert len(rooms.parked.still(still.still_id)) == still.size
        return Holdings({row.record_id: row.state for row in rows}, {one.draft_id: len(one.stills) for one in drafts})
    finally:
        rooms.close()


@contextmanager
def _nothing_waits_in_the_main_thread() -> Iterator[None]:
    """Fails where the product, in the main thread, calls something that may wait."""
    import threading

    caught: list[str] = []

    def watched(owner: type, name: str, patch: pytest.MonkeyPatch) -> None:
        original = getattr(owner, name)

        def call(*given: Any, **named: Any) -> Any:
            if threading.current_thread() is threading.main_thread() and (where := _product_frame()):
                caught.append(f"{owner.__name__}.{name} from {where}")
            return original(*given, **named)

        patch.setattr(owner, name, call)

    with pytest.MonkeyPatch.context() as patch:
        for owner, name in _WAITERS:
            watched(owner, name, patch)
        yield
    assert not caught, f"waits in the main thread: {sorted(set(caught))}"


def _product_frame() -> str:
    frame = sys._getframe(2)
    while frame is not None:
        path = frame.f_code.co_filename
        if path.startswith(f"{TOP}/desktop/"):
            return f"{path.removeprefix(f'{TOP}/')}:{frame.f_lineno}"
        frame = frame.f_back   # type: ignore[assignment]
    return ""


@contextmanager
def desk_on(home: Path, hall: PracticeHall, compare: bool = True) -> Iterator[Desk]:
    """A desk that has begun. Afterwards: every thread has ended, nothing waited in the main thread, all that was kept or parked before is still there."""
    before = holdings(home) if compare else None
    with _nothing_waits_in_the_main_thread():
        desk = Desk(home)
        desk.begin()
        try:
            yield desk
        finally:
            hall.lift()
            left = desk.close()
        assert left == ()
    if before is not None:
        after = holdings(home)
        assert before.kept.keys() <= after.kept.keys()
        assert before.parked.items() <= after.parked.items()


def provisioned(hall: PracticeHall) -> Holdings:
    """One record kept and receipted, one sitting parked with its portrait: what every scene after it must not lose."""
    with desk_on(hall.home, hall) as desk:
        log_in(desk, COLLECTOR.pin)
        for mark in ("bench-1", "bench-2"):
            hall.place()
            until(lambda: desk.intake.state.draft and desk.intake.state.draft.text("person.name_zh"), "the form filled from the card")
            lift(desk, hall)
            type_in(desk, cert_no=mark)
            capture(desk)
            if mark == "bench-1":
                reviewed(desk)
                signed(desk, COLLECTOR.pin)
                until(lambda: desk.review.state.page == "receipt", "the receipt", 40)
        desk.intake.post(Edited("employer.name", "放一放公司", now()))
        desk.intake.post(ParkPressed())
        until(lambda: desk.intake.state.parked, "the sitting parked")
    held = holdings(hall.home)
    assert list(held.kept.values()) == ["receipted"] and list(held.parked.values()) == [2]
    return held
