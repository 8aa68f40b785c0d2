"""Debounce, read-once and outages of the watch, on pictures drawn by hand. Never needs a reader."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from types import TracebackType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.base import Device
from devices.cards.contract import CardEvent, Sighting
from devices.errors import ServiceStopped
from devices.watch import CardWatch, Presence

READER = Device("pcsc", "Reader", "Reader 00 00")
TOKEN = Device("pcsc", "Token", "Token 01 00")


def picture(card: bool) -> list[Sighting]:
    return [Sighting(READER, "profile", card), Sighting(TOKEN, "", True)]


def names(events: Sequence[CardEvent]) -> list[str]:
    return [event.what for event in events]


def test_a_card_is_told_at_once_and_once() -> None:
    presence = Presence(settle=0.6)
    assert names(presence.see(picture(False), 0.0)) == ["reader_arrived"]
    assert names(presence.see(picture(True), 1.0)) == ["card_placed"]
    assert names(presence.see(picture(True), 2.0)) == []
    assert names(presence.see(picture(False), 3.0)) == []
    assert presence.next_due() == 3.6
    assert names(presence.see(picture(False), 3.6)) == ["card_lifted"]
    assert names(presence.see(picture(True), 3.7)) == ["card_placed"]


def test_a_reader_that_reports_insert_and_remove_for_ever_is_one_card() -> None:
    presence = Presence(settle=0.6)
    told: list[str] = []
    for tick in range(100):
        told += names(presence.see(picture(tick % 2 == 0), tick * 0.4))
    assert told == ["reader_arrived", "card_placed"]


def test_a_reader_that_leaves_takes_its_card_along() -> None:
    presence = Presence()
    presence.see(picture(True), 0.0)
    assert names(presence.see([], 1.0)) == ["card_lifted", "reader_left"]
    presence.see(picture(True), 2.0)
    assert names(presence.forget()) == ["card_lifted", "reader_left"]
    assert presence.forget() == []


@given(st.lists(st.tuples(st.booleans(), st.floats(0.01, 2.0)), max_size=40))
def test_placed_and_lifted_take_turns(steps: list[tuple[bool, float]]) -> None:
    presence, now, told = Presence(0.6), 0.0, []
    for card, pause in steps:
        now += pause
        told += [what for what in names(presence.see(picture(card), now)) if what.startswith("card_")]
    assert told == ["card_placed", "card_lifted"] * (len(told) // 2) + ["card_placed"] * (len(told) % 2)


class Sight:
    """A look that plays what the test puts in."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._cancelled = threading.Event()

    def __enter__(self) -> Sight:
        if self._driver.down:
            raise ServiceStopped("no service")
        self._driver.looks += 1
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        pass

    def wait(self, seconds: float) -> Sequence[Sighting]:
        self._cancelled.wait(min(seconds, 0.01))
        if self._driver.down:
            raise ServiceStopped("gone")
        return picture(True)

    def cancel(self) -> None:
        self._cancelled.set()


class Driver:
    def __init__(self, down: bool = False) -> None:
        self.down = down
        self.looks = 0

    def sight(self) -> Sight:
        return Sight(self)


def until(seen: list[str], wanted: list[str]) -> None:
    end = time.monotonic() + 5
    while seen != wanted:
        assert time.monotonic() < end, seen
        time.sleep(0.005)


def test_outages_are_told_once_and_the_card_anew() -> None:
    driver, seen = Driver(), []
    watch = CardWatch(driver, lambda event: seen.append(event.what), back_off=(0.01, 0.02))
    watch.start()
    until(seen, ["reader_arrived", "card_placed"])
    driver.down = True
    until(seen, ["reader_arrived", "card_placed", "card_lifted", "reader_left", "service_down"])
    time.sleep(0.1)
    driver.down = False
    until(seen, [*seen[:5], "service_up", "reader_arrived", "card_placed"])
    assert watch.stop(2.0)
    assert driver.looks == 2


@pytest.mark.expects_log("listener of card events failed at reader_arrived")
def test_a_listener_that_fails_does_not_blind_the_watch() -> None:
    seen: list[str] = []

    def listen(event: CardEvent) -> None:
        seen.append(event.what)
        if event.what == "reader_arrived":
            raise LookupError("the listener's own fault")

    watch = CardWatch(Driver(), listen)
    watch.start()
    until(seen, ["reader_arrived", "card_placed"])
    assert watch.stop(2.0)


def test_stop_is_safe_before_start_and_twice_and_a_watch_starts_once() -> None:
    watch = CardWatch(Driver(down=True), lambda event: None)
    assert watch.stop()
    watch.start()
    assert watch.stop() and watch.stop()
    with pytest.raises(RuntimeError):
        watch.start()
