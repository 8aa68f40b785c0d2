"""The watch over a played service: Windows, where the service ends with the last reader; a permission that is refused; resets. Never loads pyscard."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from devices.base import say_nothing
from devices.cards.contract import CardEvent
from devices.cards.pcsc import PcscDriver
from devices.cards.profiles import Profile
from devices.errors import NotPermitted, ServiceStopped
from devices.watch import CardWatch
from tests.emulators.idcards import PRACTICE, ZHANG
from tests.emulators.played_scard import HandledService
from tests.emulators.sam_reader import WHOLE_PROFILE, SamReader

OURS = WHOLE_PROFILE | {"match": {"reader": "^Vendor RF"}}


def until(true: Callable[[], object], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "did not come about"
        time.sleep(0.01)


@pytest.fixture
def service() -> HandledService:
    return HandledService()


@pytest.fixture
def driver(service: HandledService) -> PcscDriver:
    return PcscDriver([Profile.from_json(OURS)], scard=service)   # type: ignore[arg-type]


@pytest.fixture
def seen(service: HandledService, driver: PcscDriver) -> Iterator[list[str]]:
    told: list[str] = []
    watch = CardWatch(driver, lambda event: _note(told, event), back_off=(0.02, 0.05))
    watch.start()
    yield told
    assert watch.stop(10.0)
    driver.close()
    assert service.contexts == 0, "every context was let go"


def _note(told: list[str], event: CardEvent) -> None:
    told.append(event.what)


def test_the_last_reader_unplugged_takes_the_service_along_and_both_come_back(service: HandledService, driver: PcscDriver, seen: list[str]) -> None:
    until(lambda: seen == ["reader_arrived"])
    service.lay(SamReader(PRACTICE))
    until(lambda: seen[1:] == ["card_placed"])
    service.plug(False)
    until(lambda: seen[2:] == ["card_lifted", "reader_left", "service_down"])
    for call in (driver.find, driver.look):
        with pytest.raises(ServiceStopped):
            call()
    service.lift()
    service.plug(True)
    until(lambda: seen[5:] == ["service_up", "reader_arrived"])
    service.lay(SamReader(ZHANG))
    until(lambda: seen[7:] == ["card_placed"])
    with driver.open(driver.find()[0]) as connection:
        assert connection.read(threading.Event(), say_nothing).card.name_zh == "张三"


def test_a_permission_that_is_refused_and_then_given(service: HandledService, driver: PcscDriver) -> None:
    told: list[str] = []
    service.results["establish"] = [0x8010006A] * 3
    with pytest.raises(NotPermitted):
        driver.find()
    watch = CardWatch(driver, lambda event: told.append(event.what), back_off=(0.02, 0.05))
    watch.start()
    until(lambda: told == ["service_down", "service_up", "reader_arrived"])
    assert watch.stop(10.0)


def test_a_reader_that_reports_its_card_gone_and_back_for_ever_tells_it_once(service: HandledService, seen: list[str]) -> None:
    """The chip's HALT does nothing, so some readers find the card anew again and again."""
    until(lambda: seen == ["reader_arrived"])
    reader = SamReader(PRACTICE)
    for _ in range(12):
        service.lay(reader)
        time.sleep(0.05)
        with service.gone():
            time.sleep(0.05)
    service.lay(reader)
    until(lambda: "card_placed" in seen)
    time.sleep(1.0)
    assert seen == ["reader_arrived", "card_placed"]
    service.lift()
    until(lambda: seen[2:] == ["card_lifted"])
