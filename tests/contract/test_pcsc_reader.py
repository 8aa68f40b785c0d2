"""What concerns PC/SC alone: the service stopped and restarted, readers of no concern to us, other cards, many cards in a row. Over the real service."""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Iterator
from datetime import date

import pytest

from devices.base import Device, say_nothing
from devices.cards.contract import CardEvent, CardRead
from devices.cards.hints import HintReaders
from devices.cards.pcsc import PcscConnection, PcscDriver
from devices.cards.profiles import Profile
from devices.doctor import examine_cards
from devices.errors import CardRemoved, CardUnknown, DeviceTrouble, NoCard, NoReader, NoSam, ReaderGone, ServiceStopped
from devices.registry import Entry
from devices.watch import CardWatch
from tests.contract.reader_stands import PcscStand, until
from tests.emulators import idcards, social_card
from tests.emulators.idcards import PRACTICE, ZHANG
from tests.emulators.pcscd import Pcscd
from tests.emulators.sam_module import Faults
from tests.emulators.sam_reader import WHOLE_PROFILE, SamReader
from tests.emulators.social_card import SocialCard
from tests.emulators.vpcd import VirtualSlot

TODAY = date(2026, 11, 22)


@pytest.fixture
def stand(slot: VirtualSlot) -> PcscStand:
    return PcscStand(slot, WHOLE_PROFILE)


@pytest.fixture
def connection(stand: PcscStand) -> Iterator[PcscConnection]:
    with stand.driver.open(stand.device()) as opened:
        yield opened


def read(connection: PcscConnection) -> CardRead:
    return connection.read(threading.Event(), say_nothing)


def test_another_kind_of_card_is_not_asked(slot: VirtualSlot) -> None:
    stand = PcscStand(slot, WHOLE_PROFILE, match={"reader": "^Virtual PCD", "atr": "3B00"})
    reader = stand.lay(PRACTICE)
    with stand.driver.open(stand.device()) as connection, pytest.raises(CardUnknown) as caught:
        read(connection)
    assert caught.value.facts["atr"] == PRACTICE.atr.hex().upper()
    assert reader.commands == []


def test_a_reader_without_profile_is_seen_and_never_opened(stand: PcscStand) -> None:
    reader, driver = stand.lay(PRACTICE), PcscDriver([])
    assert [seen.profile for seen in driver.look()] == ["", ""]
    assert driver.find() == ()
    with pytest.raises(NoSam) as caught:
        driver.open(driver.look()[0].device)
    assert caught.value.facts["reader"] == "Virtual PCD"
    assert reader.commands == []


def test_service_stopped_and_back(stand: PcscStand, pcscd: Pcscd, connection: PcscConnection) -> None:
    stand.lay(PRACTICE)
    assert read(connection).card.name_zh == "李练工"
    pcscd.stop()
    for call in (lambda: read(connection), stand.driver.find, stand.driver.look):
        with pytest.raises(ServiceStopped):
            call()
    report = examine_cards([Entry("cards", "pcsc", stand.driver)], TODAY, threading.Event())
    assert type(report.trouble) is ServiceStopped
    pcscd.start()
    stand.lay(ZHANG)
    assert read(connection).card.name_zh == "张三", "the same connection works again"


def test_service_stopped_during_a_read(stand: PcscStand, pcscd: Pcscd, connection: PcscConnection) -> None:
    stand.lay(PRACTICE, Faults(slow_seconds=1.0))
    timer = threading.Timer(0.3, pcscd.stop)
    timer.start()
    with pytest.raises((ServiceStopped, CardRemoved)):
        read(connection)
    timer.join()
    pcscd.start()
    stand.lay(ZHANG)
    assert read(connection).card.name_zh == "张三"


# -- watching --------------------------------------------------------------------------------------------------------------------------
@pytest.fixture
def watched(stand: PcscStand) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(event: CardEvent) -> None:
        if event.device is None or event.device.address.endswith("00 00"):
            seen.append(event.what)

    watch = CardWatch(stand.driver, note)
    watch.start()
    yield seen
    assert watch.stop(2.0)


def test_watch_survives_a_restart_of_the_service(slot: VirtualSlot, pcscd: Pcscd, watched: list[str]) -> None:
    slot.place(SamReader(PRACTICE))
    until(lambda: watched == ["reader_arrived", "card_placed"])
    pcscd.stop()
    until(lambda: watched[2:] == ["card_lifted", "reader_left", "service_down"])
    time.sleep(1.2)
    assert len(watched) == 5, "an outage is told once"
    pcscd.start()
    until(lambda: watched[5:] == ["service_up", "reader_arrived"])
    slot.place(SamReader(ZHANG))
    until(lambda: watched[7:] == ["card_placed"])


def test_watch_that_starts_without_the_service(stand: PcscStand, pcscd: Pcscd) -> None:
    pcscd.stop()
    seen: list[str] = []
    watch = CardWatch(stand.driver, lambda event: seen.append(event.what))
    watch.start()
    until(lambda: seen == ["service_down"])
    pcscd.start()
    until(lambda: seen[:3] == ["service_down", "service_up", "reader_arrived"])
    assert watch.stop(2.0)


def test_no_reader() -> None:
    """The virtual driver always shows its slots, so the service without any reader is played by a layer that lists none."""

    class Empty:
        SCARD_PCI_T0 = SCARD_PCI_T1 = None

        def SCardEstablishContext(self, scope: int) -> tuple[int, int]:
            return 0, 1

        def SCardListReaders(self, context: int, groups: list[str]) -> tuple[int, list[str]]:
            return 0x8010002E, []

        def SCardReleaseContext(self, context: int) -> int:
            return 0

    driver = PcscDriver([Profile.from_json(WHOLE_PROFILE)], scard=Empty())   # type: ignore[arg-type]
    assert driver.find() == ()
    with pytest.raises(NoReader):
        driver.open(Device("pcsc", "Virtual PCD", "Virtual PCD 00 00"))
    assert type(examine_cards([Entry("cards", "pcsc", driver)], TODAY, threading.Event()).trouble) is NoReader


# -- social security cards ---------------------------------------------------------------------------------------------------------------
def test_a_social_security_card_gives_a_hint_and_its_slot_is_no_identity_reader(slot: VirtualSlot) -> None:
    profile = Profile.from_json({"name": "contact", "mode": "social", "match": {"reader": "^Virtual PCD"}})
    hints = HintReaders([profile])
    assert PcscDriver([profile]).find() == ()
    device = next(device for device in hints.find() if device.address.endswith("00 00"))
    with pytest.raises(NoCard):
        hints.read(device, threading.Event())
    for files, name in ((social_card.FIRST, "李练工"), (social_card.SECOND, "李练工·买买提")):
        card = SocialCard(files)
        slot.place(card)
        until(lambda name=name: _hint_name(hints, device) == name)
        assert {apdu[1] for apdu in card.asked} == {0xA4, 0xB2, 0xC0}
        slot.lift()
        until(lambda: _hint_name(hints, device) is None)
    with pytest.raises(ReaderGone):
        HintReaders([]).read(device, threading.Event())


def _hint_name(hints: HintReaders, device: Device) -> str | None:
    try:
        return hints.read(device, threading.Event()).name
    except DeviceTrouble:
        return None


# -- many cards ------------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("cards", [50, pytest.param(1000, marks=[pytest.mark.sweep, pytest.mark.timeout(900)])])
def test_many_cards_in_a_row_leave_nothing_behind(stand: PcscStand, cards: int) -> None:
    """Each read opens the reader anew, as the desk does. The card is changed under the reader's nose: laying it down takes the service half a second."""
    people = list(idcards.PEOPLE.values())
    reader = stand.lay(people[0])
    device = stand.device()

    def turn(number: int) -> None:
        reader.card = people[number % len(people)]
        with stand.driver.open(device) as connection:
            assert read(connection).evidence.sam
        assert reader.reads == number + 1

    for number in range(10):
        turn(number)
    gc.collect()
    handles, memory, threads = _handles(), _resident_kb(), threading.active_count()
    for number in range(10, cards):
        turn(number)
    gc.collect()
    assert _handles() <= handles
    assert threading.active_count() <= threads
    assert _resident_kb() - memory < 2048 + cards, "kilobytes"
    stand.lift()


def _handles() -> int:
    return len(os.listdir("/proc/self/fd"))


def _resident_kb() -> int:
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
