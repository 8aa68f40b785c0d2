"""The PC/SC driver over a played service: results that no virtual reader gives, the control channel, resets, refusals. Never loads pyscard."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from devices.base import Device, say_nothing
from devices.cards import hresult
from devices.cards.pcsc import PcscDriver, remembered_name
from devices.cards.profiles import Profile
from devices.errors import (
    BrokenFrame,
    CardMute,
    CardRemoved,
    DeviceTrouble,
    NoCard,
    NotPermitted,
    ReaderBusy,
    ReaderGone,
    ReaderTrouble,
    ServiceStopped,
    TimedOut,
)
from tests.emulators.idcards import PRACTICE
from tests.emulators.sam_reader import SAM_NUMBER, WHOLE_PROFILE, SamReader

READER = "Vendor RF (A1B2) 00 00"
TOKEN = "Token 01 00"
PRESENT, EMPTY = 0x20, 0x10
CONTROL = {
    "name": "control", "match": {"reader": "^Vendor RF"}, "mode": "control", "share": "direct",
    "control": {"code_linux": 0x42000001, "code_windows": 0x42000001, "prefix": "E0", "reply_prefix": "E1"},
}


class Service:
    """A played smart-card service with one reader and one token; ``results`` gives the next results of a function by name."""

    SCARD_PCI_T0, SCARD_PCI_T1 = "T0", "T1"

    def __init__(self, reader: SamReader | None = None, **results: list[int]) -> None:
        self.reader = reader or SamReader(PRACTICE)
        self.results = results
        self.calls: list[tuple[Any, ...]] = []
        self.present = PRESENT
        self.contexts = 0

    def _next(self, name: str, *arguments: Any) -> int:
        self.calls.append((name, *arguments))
        left = self.results.get(name, [])
        return left.pop(0) if left else 0

    def SCardEstablishContext(self, scope: int) -> tuple[int, int]:
        self.contexts += 1
        return self._next("establish"), self.contexts

    def SCardReleaseContext(self, context: int) -> int:
        self.contexts -= 1
        return self._next("release", context)

    def SCardListReaders(self, context: int, groups: list[str]) -> tuple[int, list[str]]:
        return self._next("list"), [READER, TOKEN]

    def SCardGetStatusChange(self, context: int, milliseconds: int, states: list[tuple[str, int]]) -> tuple[int, list[tuple[str, int, list[int]]]]:
        return self._next("status"), [(name, 2 | (self.present if name == READER else PRESENT), list(PRACTICE.atr)) for name, _ in states]

    def SCardConnect(self, context: int, reader: str, share: int, protocols: int) -> tuple[int, int, int]:
        self.reader.power(b"\x01")
        return self._next("connect", reader, share), 7, 2

    def SCardDisconnect(self, card: int, disposition: int) -> int:
        return self._next("disconnect", disposition)

    def SCardTransmit(self, card: int, pci: Any, data: list[int]) -> tuple[int, list[int]]:
        result = self._next("transmit", pci)
        return result, [] if result else list(self.reader.transmit(bytes(data)))

    def SCardControl(self, card: int, code: int, data: list[int]) -> tuple[int, list[int]]:
        result = self._next("control", code)
        frame = bytes(data[1:])
        return result, [] if result else [0xE1, *self.reader.transmit(b"\x80\xfe\x00\x00\x00" + len(frame).to_bytes(2, "big") + frame + b"\x00\x00")[:-2]]

    def SCardCancel(self, context: int) -> int:
        return self._next("cancel")


def driver(service: Service, profile: dict[str, Any] | None = None) -> PcscDriver:
    return PcscDriver([Profile.from_json(profile or WHOLE_PROFILE | {"match": {"reader": "^Vendor RF"}})], scard=service)   # type: ignore[arg-type]


def read(service: Service, profile: dict[str, Any] | None = None) -> str:
    opened = driver(service, profile)
    with opened.open(opened.find()[0]) as connection:
        return connection.read(threading.Event(), say_nothing).card.name_zh


def test_names_are_remembered_without_indices() -> None:
    assert remembered_name("CREATOR CRT-603 (CZ1) CCR RF 00 01") == "CREATOR CRT-603 (CZ1) CCR RF"
    assert remembered_name("Vendor RF 0") == "Vendor RF"
    assert remembered_name("Reader [if 0] (123) 0A 00") == "Reader [if 0] (123)"
    assert driver(Service()).find() == (Device("pcsc", "Vendor RF (A1B2)", READER, "A1B2"),)


def test_a_token_in_another_reader_is_left_alone_and_ours_is_never_exclusive() -> None:
    service = Service()
    assert read(service) == "李练工"
    assert [call[1:] for call in service.calls if call[0] == "connect"] == [(READER, 2)]
    assert service.contexts == 0, "every context was let go"
    assert service.calls[-2][0] == "disconnect" or service.calls[-1][0] == "release"


def test_the_control_channel() -> None:
    service = Service()
    assert read(service, CONTROL) == "李练工"
    assert {call[1] for call in service.calls if call[0] == "control"} == {0x42000001}
    assert [call[2] for call in service.calls if call[0] == "connect"] == [3], "direct, as the profile says"
    assert [call[1] for call in service.calls if call[0] == "disconnect"] == [0], "a direct connection powers nothing down"
    with pytest.raises(BrokenFrame):
        read(Service(), CONTROL | {"control": CONTROL["control"] | {"reply_prefix": "E7"}})   # type: ignore[operator]
    with pytest.raises(ReaderTrouble) as caught:
        read(Service(control=[0x8010001F]), CONTROL)
    assert caught.value.facts == {"status": "8010001F"}


def test_a_reset_by_another_program_begins_again_once() -> None:
    service = Service(transmit=[0, 0, hresult.RESET])
    assert read(service) == "李练工"
    assert len([call for call in service.calls if call[0] == "connect"]) == 2
    with pytest.raises(ReaderBusy):
        read(Service(transmit=[hresult.RESET, hresult.RESET]))


def test_one_failed_transmission_with_the_card_still_there_begins_again() -> None:
    assert read(Service(transmit=[0, hresult.TRANSMIT_FAILED])) == "李练工"


@pytest.mark.parametrize(("results", "kind"), [
    ({"establish": [0, 0, 0x8010006A]}, NotPermitted), ({"connect": [0x8010000B]}, ReaderBusy), ({"connect": [0x8010006A]}, NotPermitted),
    ({"connect": [0x80100066] * 40}, CardMute), ({"connect": [0x8010000C]}, NoCard), ({"connect": [0x80100009]}, ReaderGone),
    ({"connect": [0x8010001D]}, ServiceStopped), ({"connect": [0x8010000F] * 40}, CardMute), ({"transmit": [0x80100069]}, CardRemoved),
    ({"transmit": [0x80100017]}, ReaderGone), ({"transmit": [0x80100013]}, ServiceStopped), ({"transmit": [0x8010000A]}, TimedOut),
    ({"transmit": [0, 0, 0, 0x8010000C]}, CardRemoved), ({"connect": [0x8010DEAD]}, ReaderTrouble), ({"connect": [-2146435061]}, ReaderBusy),
])
def test_results_have_their_troubles(results: dict[str, list[int]], kind: type[DeviceTrouble]) -> None:
    with pytest.raises(kind) as caught:
        read(Service(**results))
    assert type(caught.value) is kind


def test_an_empty_slot_is_not_connected() -> None:
    service = Service()
    service.present = EMPTY
    with pytest.raises(NoCard):
        read(service)
    assert "connect" not in {call[0] for call in service.calls}


def test_a_dead_context_is_replaced_within_the_read() -> None:
    service = Service()
    opened = driver(service)
    with opened.open(opened.find()[0]) as connection:
        connection.read(threading.Event(), say_nothing)
        service.results["list"] = [0x8010001D]
        assert connection.sam_number() == SAM_NUMBER
    assert service.contexts == 0


def test_looking_is_refused_without_permission() -> None:
    with pytest.raises(NotPermitted):
        driver(Service(establish=[0x8010006A])).find()
    with pytest.raises(ReaderTrouble):
        driver(Service(list=[0x80100004])).find()


def test_sight_replays_the_picture_and_ends_with_the_service() -> None:
    service = Service()
    with driver(service).sight() as sight:
        assert [(seen.device.address, seen.profile != "", seen.card) for seen in sight.wait(0)] == [(READER, True, True), (TOKEN, False, True)]
        service.results["status"] = [hresult.TIME_OUT, hresult.CANCELLED, hresult.UNKNOWN_READER]
        assert len(sight.wait(0)) == len(sight.wait(0)) == len(sight.wait(0)) == 2
        sight.cancel()
        service.results["status"] = [0x8010001E]
        with pytest.raises(ServiceStopped):
            sight.wait(0)
    assert service.contexts == 0
