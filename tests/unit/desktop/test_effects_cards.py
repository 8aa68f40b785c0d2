"""Cards are told to whoever is at the desk, once; readers that are there but not ours are not the same as no reader."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from desktop.effects.cards import CardWork
from desktop.flows.words import CardLifted, CardPlaced, ReadCard
from devices.base import Device
from devices.cards.contract import CardEvent, Sighting
from devices.errors import NoReader, NoSam

READER = Device(driver="pcsc", name="Reader", address="Reader 00 00", serial="")


def sighted(profile: str) -> Sighting:
    return Sighting(READER, profile, False, False, b"")


def work_with(*seen: Sighting, told: list[Any] | None = None, open_: Any = lambda: True, changed: Any = lambda: None) -> CardWork:
    rooms = SimpleNamespace(folder=Path("no-such-folder"), cards=lambda: SimpleNamespace(look=lambda: seen))
    return CardWork(lambda: rooms, (told if told is not None else []).append, changed, open_)


def test_no_reader_and_a_reader_that_no_profile_fits_are_two_troubles() -> None:
    with pytest.raises(NoReader):
        work_with().read(ReadCard(), threading.Event(), None)
    with pytest.raises(NoSam) as caught:
        work_with(sighted("")).read(ReadCard(), threading.Event(), None)
    assert caught.value.facts == {"reader": "Reader"}


def test_card_laid_down_before_log_in_is_told_after_it_and_once() -> None:
    told, here = list[Any](), []
    work = work_with(told=told, open_=lambda: bool(here))
    work._see(CardEvent("card_placed", READER))
    assert told == []
    here.append(1)
    work.tell_lying()
    work.tell_lying()
    assert told == [CardPlaced(READER)]


def test_card_lifted_before_log_in_is_not_told() -> None:
    told, here = list[Any](), []
    work = work_with(told=told, open_=lambda: bool(here))
    work._see(CardEvent("card_placed", READER))
    work._see(CardEvent("card_lifted", READER))
    here.append(1)
    work.tell_lying()
    assert told == [CardLifted()]


def test_a_card_that_leaves_another_reader_takes_nothing_from_the_one_that_lies_here() -> None:
    told, here = list[Any](), []
    work = work_with(told=told, open_=lambda: bool(here))
    work._see(CardEvent("card_placed", READER))
    work._see(CardEvent("card_lifted", Device("pcsc", "Other", "Other 01 00")))
    here.append(1)
    work.tell_lying()
    assert told == [CardLifted(), CardPlaced(READER)]


def test_readers_that_come_and_go_are_the_lamps_matter() -> None:
    looked: list[int] = []
    work = work_with(changed=lambda: looked.append(1))
    for what in ("reader_arrived", "reader_left", "service_down", "service_up"):
        work._see(CardEvent(what, READER))   # type: ignore[arg-type]
    assert len(looked) == 4
