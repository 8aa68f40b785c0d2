"""Lamps are told when they change, tokens when they come and go, and a busy token is left in peace."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication

from desktop.bridge.jobs import Jobs
from desktop.effects.lamps import LampWork
from desktop.flows.words import CheckDevices, DeviceFacts, DevicesSeen, TokensChanged
from devices.base import Device
from devices.cards.choice import Remembered
from devices.errors import DeviceTrouble, ServiceStopped
from devices.registry import Found
from tests.scenes.stages import until

TOKEN = Device(driver="faulty", name="operator", address="slot:1", serial="1")


class Registry:
    """In place of devices.registry: what is plugged now."""

    def __init__(self) -> None:
        self.devices: dict[str, tuple[Device, ...]] = {"tokens": (TOKEN,), "cards": (), "cameras": ()}
        self.troubles: dict[str, tuple[DeviceTrouble, ...]] = {}
        self.looks: list[str] = []
        self.threads: set[str] = set()
        self.kinds = {"tokens", "cards", "cameras"}

    def lists(self, kind: str) -> bool:
        return kind in self.kinds

    def find(self, kind: str) -> Found:
        self.looks.append(kind)
        self.threads.add(threading.current_thread().name)
        return Found(self.devices[kind], self.troubles.get(kind, ()))


@pytest.fixture
def registry() -> Registry:
    return Registry()


@pytest.fixture
def jobs(qt_application: QApplication) -> Iterator[Jobs]:
    made = Jobs()
    yield made
    assert made.close() == ()


@pytest.fixture
def seen() -> list[Any]:
    return []


@pytest.fixture
def chosen() -> list[Remembered | None]:
    """The reader that is used: the one item."""
    return [None]


@pytest.fixture
def work(registry: Registry, jobs: Jobs, seen: list[Any], chosen: list[Remembered | None]) -> Iterator[LampWork]:
    made = LampWork(lambda: SimpleNamespace(registry=registry), jobs, seen.append, seen.append, lambda: chosen[0])
    yield made
    made.stop()


def look(work: LampWork, registry: Registry, jobs: Jobs) -> None:
    """One whole look: tokens, then the rest, then what the main thread is told of it."""
    passed: list[int] = []
    before = registry.looks.count("cameras")
    work.look()
    until(lambda: registry.looks.count("cameras") > before, "the look")
    jobs.start("lamps", lambda *_: None, lambda _answer: passed.append(1))
    until(lambda: passed, "its answer")


def test_lamps_are_told_once_and_again_when_one_changes(work: LampWork, registry: Registry, jobs: Jobs, seen: list[Any]) -> None:
    look(work, registry, jobs)
    look(work, registry, jobs)
    assert [type(one) for one in seen] == [DevicesSeen]
    assert seen[0].devices == (DeviceFacts("reader", "absent", code="reader.none"), DeviceFacts("camera", "absent", code="camera.none"),
                               DeviceFacts("token", "good", "operator"))
    registry.troubles["cards"] = (ServiceStopped("gone"),)
    look(work, registry, jobs)
    assert seen[1].devices[0] == DeviceFacts("reader", "trouble", code="reader.service_stopped") and len(seen) == 2
    assert registry.threads == {"lane token", "lane lamps"}


FIRST, SECOND = Device("pcsc", "Vendor (A1)", "Vendor (A1) 00 00"), Device("pcsc", "Vendor (B2)", "Vendor (B2) 01 00")


def test_the_lamp_names_the_chosen_reader_not_the_first(
    work: LampWork, registry: Registry, jobs: Jobs, seen: list[Any], chosen: list[Remembered | None],
) -> None:
    def lamp() -> DeviceFacts:
        look(work, registry, jobs)
        return seen[-1].devices[0]

    registry.devices["cards"] = (FIRST,)
    assert lamp() == DeviceFacts("reader", "good", "Vendor (A1)")
    registry.devices["cards"] = (FIRST, SECOND)
    assert lamp() == DeviceFacts("reader", "good", "", also=("Vendor (A1)", "Vendor (B2)")), "nobody has chosen: none is named"
    chosen[0] = Remembered("pcsc", "Vendor (B2)", "p")
    assert lamp() == DeviceFacts("reader", "good", "Vendor (B2)", also=("Vendor (A1)",))
    registry.devices["cards"] = (FIRST,)
    assert lamp() == DeviceFacts("reader", "other", "Vendor (B2)", "reader.chosen_gone", ("Vendor (A1)",))
    registry.troubles["cards"] = (ServiceStopped("gone"),)
    assert lamp() == DeviceFacts("reader", "trouble", "Vendor (B2)", "reader.service_stopped", ("Vendor (A1)",))
    registry.devices["cards"], registry.troubles["cards"] = (), ()
    assert lamp() == DeviceFacts("reader", "absent", code="reader.none")


def test_a_slot_for_social_cards_has_a_lamp_where_the_station_lists_one(work: LampWork, registry: Registry, jobs: Jobs, seen: list[Any]) -> None:
    look(work, registry, jobs)
    assert len(seen[-1].devices) == 3
    registry.kinds.add("hints")
    registry.devices["hints"] = ()
    look(work, registry, jobs)
    assert seen[-1].devices[3] == DeviceFacts("social", "absent", code="social.no_slot")
    registry.devices["hints"] = (Device("social", "Vendor CT", "Vendor CT 00 00"),)
    look(work, registry, jobs)
    assert seen[-1].devices[3] == DeviceFacts("social", "good", "Vendor CT")


def test_token_that_comes_or_goes_is_news_and_the_first_look_is_not(work: LampWork, registry: Registry, jobs: Jobs, seen: list[Any]) -> None:
    look(work, registry, jobs)
    assert not [one for one in seen if isinstance(one, TokensChanged)]
    registry.devices["tokens"] = ()
    look(work, registry, jobs)
    registry.devices["tokens"] = (TOKEN,)
    look(work, registry, jobs)
    assert len([one for one in seen if isinstance(one, TokensChanged)]) == 2


def test_token_that_was_away_between_two_looks_is_news_once_it_was_missed(work: LampWork, registry: Registry, jobs: Jobs, seen: list[Any]) -> None:
    look(work, registry, jobs)
    work.missed()
    look(work, registry, jobs)
    look(work, registry, jobs)
    assert len([one for one in seen if isinstance(one, TokensChanged)]) == 1


def test_busy_token_is_not_looked_at(work: LampWork, registry: Registry, jobs: Jobs) -> None:
    signing = threading.Event()
    jobs.start("token", lambda *_: signing.wait(5))
    until(lambda: jobs.busy("token"), "a signature on its way")
    for _ in range(3):
        work.look()
        QApplication.processEvents()
    assert registry.looks == []
    signing.set()


def test_asked_for_the_lamps_are_told_even_where_nothing_changed(work: LampWork, registry: Registry, jobs: Jobs, seen: list[Any]) -> None:
    look(work, registry, jobs)
    work.check(CheckDevices(), None)
    until(lambda: len(seen) == 2, "the lamps again")
    assert seen[0] == seen[1]
