"""Looking at a social security card: the first slot with one, named troubles, a line in the journal without a person. Never a reader of identity cards."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from desktop.effects.social import SocialWork
from desktop.flows.words.social import ReadSocial, SocialRead
from devices.base import Device
from devices.cards.socialcard import SocialCardHint
from devices.errors import (
    BrokenFrame,
    Cancelled,
    CardMute,
    CardRemoved,
    CardUnknown,
    DeviceTrouble,
    DriverMissing,
    NoCard,
    NotPermitted,
    ServiceStopped,
    TimedOut,
)
from devices.installed import installed
from sync.journal import _check

SAID = SocialCardHint(name="李练工", number="510000199005120017")
SLOTS = tuple(Device("social", f"Slot {index}", f"Slot {index} 00 00") for index in range(2))


class Slots:
    """In place of a driver: what each slot gives, a hint or a trouble."""

    name = "social"

    def __init__(self, *gives: Any, down: DeviceTrouble | None = None) -> None:
        self.gives, self.down = gives, down

    def find(self) -> tuple[Device, ...]:
        if self.down is not None:
            raise self.down
        return SLOTS[:len(self.gives)]

    def read(self, device: Device, cancel: threading.Event) -> SocialCardHint:
        given = self.gives[SLOTS.index(device)]
        if isinstance(given, DeviceTrouble):
            raise given
        return given


def look(*slots: Slots, troubles: tuple[DeviceTrouble, ...] = ()) -> tuple[SocialRead, list[Any]]:
    lines: list[Any] = []
    registry = SimpleNamespace(hints=lambda: slots, troubles=lambda kind: troubles if kind == "hints" else ())
    rooms = SimpleNamespace(registry=registry, note=lambda *line: lines.append(line))
    return SocialWork(lambda: rooms).read(ReadSocial("d-1"), threading.Event(), None), lines   # type: ignore[arg-type, return-value]


@pytest.mark.parametrize("gives", [(SAID,), (NoCard("empty"), SAID), (CardUnknown("6A82", atr=""), SAID), (BrokenFrame("dirty"), SAID)])
def test_the_first_slot_with_a_readable_card_speaks(gives: tuple[Any, ...]) -> None:
    answer, lines = look(Slots(*gives))
    assert answer == SocialRead("d-1", SAID) and lines == [("station", "card.social_seen")]
    _check("station", "card.social_seen", "", {})


@pytest.mark.parametrize(("gives", "code"), [
    ((), "social.no_slot"), ((NoCard("empty"), NoCard("empty")), "social.no_card"), ((CardUnknown("6A82", atr=""),), "social.unknown"),
    ((BrokenFrame("no record"),), "social.unreadable"), ((CardMute("mute"), NoCard("empty")), "social.unreadable"),
    ((CardRemoved("pulled"),), "social.unreadable"), ((TimedOut("hangs", reader="Slot 0"),), "social.unreadable"),
    ((NotPermitted("polkit"),), "reader.not_permitted"),
])
def test_troubles_are_named_and_leave_no_line(gives: tuple[Any, ...], code: str) -> None:
    answer, lines = look(Slots(*gives))
    assert answer.said is None and answer.trouble is not None and answer.trouble.code == code and lines == []


def test_why_slots_cannot_be_asked_is_said() -> None:
    assert look(troubles=(DriverMissing("no pyscard", library="pyscard"),))[0].trouble.code == "driver.missing"   # type: ignore[union-attr]
    assert look(Slots(down=ServiceStopped("gone")))[0].trouble.code == "reader.service_stopped"   # type: ignore[union-attr]
    assert look(Slots(Cancelled("closing")))[0] == SocialRead("d-1")


def test_a_station_has_slots_only_where_its_device_list_names_one() -> None:
    social = {"name": "slot", "mode": "social", "match": {"reader": "^Vendor CT"}}
    assert not installed({}).lists("hints") and not installed({"profiles": "?"}).lists("hints")
    registry = installed({"profiles": [social]})
    assert registry.lists("hints") and [driver.name for driver in registry.hints()] == ["social"]
    assert [driver.name for driver in registry.cards()] == ["pcsc"], "and it is no reader of identity cards"
    broken = installed({"profiles": [{**social, "match": {}}]})
    assert [trouble.code for trouble in broken.troubles("hints")] == ["device.list_invalid"]
