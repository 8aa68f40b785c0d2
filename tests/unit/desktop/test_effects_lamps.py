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
def work(registry: Registry, jobs: Jobs, seen: list[Any]) -> Iterator[LampWork]:
    made = LampWork(lambda: SimpleNamespace(registry=registry), jobs, seen.append, seen.append)
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
