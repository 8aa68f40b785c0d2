"""The PC/SC driver over a played service: results that no virtual reader gives, the control channel, resets, refusals. Never loads pyscard."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
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
from tests.emulators.played_scard import EMPTY, READER, TOKEN, Service
from tests.emulators.sam_module import PREAMBLE, SAM_NUMBER
from tests.emulators.sam_reader import CHAINED_PROFILE, WHOLE_PROFILE

CONTROL = {
    "name": "control", "match": {"reader": "^Vendor RF"}, "mode": "control", "share": "direct",
    "control": {"code_linux": 0x42000001, "code_windows": 0x42000001, "prefix": "E0", "reply_prefix": "E1"},
}


def driver(service: Service, profile: dict[str, Any] | None = None) -> PcscDriver:
    return PcscDriver([Profile.from_json(profile or WHOLE_PROFILE | {"match": {"reader": "^Vendor RF"}})], scard=service)   # type: ignore[arg-type]


def read(service: Service, profile: dict[str, Any] | None = None) -> str:
    opened = driver(service, profile)
    try:
        with opened.open(opened.find()[0]) as connection:
            return connection.read(threading.Event(), say_nothing).card.name_zh
    finally:
        opened.close()


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
    ({"establish": [0, 0x8010006A]}, NotPermitted), ({"connect": [0x8010000B]}, ReaderBusy), ({"connect": [0x8010006A]}, NotPermitted),
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
    opened.close()
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


# -- the control channel ---------------------------------------------------------------------------------------------------------------
def control(**changed: Any) -> dict[str, Any]:
    return CONTROL | {"control": CONTROL["control"] | changed}   # type: ignore[operator]


def test_a_reader_that_frames_by_itself_in_its_control_channel() -> None:
    service = Service()
    service.unwrap, service.wrap = (lambda sent: PREAMBLE + sent[2:]), (lambda frame: b"\x80\x01" + frame[5:])
    assert read(service, control(prefix="E0E1", reply_prefix="8001", preamble=False)) == "李练工"


def test_the_code_of_the_other_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devices.cards.link.sys.platform", "win32")
    service = Service()
    assert read(service, control(code_windows=0x003136B0)) == "李练工"
    assert {call[1] for call in service.calls if call[0] == "control"} == {0x003136B0}


def test_a_control_channel_that_is_refused_is_named_on_both_systems() -> None:
    for result in (0x8010001F, 0x80100022):
        with pytest.raises(ReaderTrouble) as caught:
            read(Service(control=[result]), CONTROL)
        assert caught.value.facts == {"status": f"{result:08X}"}
    with pytest.raises(NotPermitted):
        read(Service(control=[0x8010006A]), CONTROL)


def test_the_module_is_asked_without_a_card_where_the_profile_says_direct() -> None:
    service = Service()
    service.present = EMPTY
    opened = driver(service, CONTROL)
    with opened.open(opened.find()[0]) as connection:
        assert connection.sam_number() == SAM_NUMBER
    opened.close()


# -- what rests between two reads ------------------------------------------------------------------------------------------------------
def test_two_reads_share_a_context_and_the_card_is_let_go_between_them() -> None:
    service = Service()
    opened = driver(service)
    for _ in range(3):
        with opened.open(opened.find()[0]) as connection:
            assert connection.read(threading.Event(), say_nothing).card.name_zh == "李练工"
    opened.close()
    opened.close()
    calls = [call[0] for call in service.calls]
    assert (calls.count("connect"), calls.count("disconnect")) == (3, 3)
    assert calls.count("establish") == 1 + 3, "one for the reads, one for each look"
    assert (service.contexts, service.connections) == (0, 0)


def test_a_context_that_died_between_two_reads_is_replaced() -> None:
    service = Service()
    opened = driver(service)
    for status in (0, 0x8010001D, 0x8010001E):
        service.results["status"] = []
        device = opened.find()[0]
        service.results["status"] = [status] if status else []
        with opened.open(device) as connection:
            assert connection.read(threading.Event(), say_nothing).card.name_zh == "李练工"
    opened.close()
    assert service.contexts == 0


def test_a_reader_that_has_gone_between_two_reads_says_so() -> None:
    service = Service()
    opened = driver(service)
    device = opened.find()[0]
    with opened.open(device) as connection:
        connection.sam_number()
    service.results["status"] = [hresult.UNKNOWN_READER, hresult.UNKNOWN_READER]
    with pytest.raises(ReaderGone), opened.open(device) as connection:
        connection.read(threading.Event(), say_nothing)
    opened.close()
    assert service.contexts == 0


@pytest.mark.expects_log("letting the card go takes too long")
def test_letting_a_card_go_that_hangs_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devices.cards.pcsc.CONNECT_S", 0.3)
    monkeypatch.setattr("devices.cards.pcsc.CLOSE_S", 0.1)
    let_go = threading.Event()

    class Hanging(Service):
        def SCardDisconnect(self, card: int, disposition: int) -> int:
            let_go.wait(30)
            return super().SCardDisconnect(card, disposition)

    service = Hanging()
    opened = driver(service)
    device = opened.find()[0]
    with opened.open(device) as connection:
        assert connection.read(threading.Event(), say_nothing).card.name_zh == "李练工"
    for _ in range(2):
        with pytest.raises(TimedOut), opened.open(device) as connection:
            connection.read(threading.Event(), say_nothing)
    let_go.set()
    until(lambda: service.connections == 0)
    with opened.open(device) as connection:
        assert connection.read(threading.Event(), say_nothing).card.name_zh == "李练工"
    opened.close()
    until(lambda: service.contexts == 0)


def until(true: Callable[[], object]) -> None:
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end, "did not come about"
        time.sleep(0.01)


# -- every call fails once -------------------------------------------------------------------------------------------------------------
PATHS = {
    "whole": WHOLE_PROFILE | {"match": {"reader": "^Vendor RF"}}, "chained": CHAINED_PROFILE | {"match": {"reader": "^Vendor RF"}}, "control": CONTROL,
}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("result", [
    0x8010001D, 0x8010001E, 0x80100003, 0x80100013, 0x8010006A, 0x80100017, 0x80100009, 0x8010002E, 0x80100069, 0x8010000C, 0x8010000B, 0x80100068, 0x80100016,
    0x8010000A, 0x8010DEAD, -2146435043,
], ids=lambda result: f"{result & 0xFFFFFFFF:08X}")
def test_whichever_call_fails_it_has_a_name_and_the_next_read_works(monkeypatch: pytest.MonkeyPatch, path: str, result: int) -> None:
    """A service that stops, a permission that is refused, a reader that goes: at each call of a read, one after another."""
    for module in ("turn", "link"):
        monkeypatch.setattr(f"devices.cards.{module}.SETTLE_S", 0.0)
    counting = Service()
    assert read(counting, PATHS[path]) == "李练工"
    for number in range(1, counting.count + 1):
        service = Service()
        service.fail = (number, result)
        opened = driver(service, PATHS[path])
        for attempt in ("fails", "works"):
            try:
                with opened.open(opened.find()[0]) as connection:
                    assert connection.read(threading.Event(), say_nothing).card.name_zh == "李练工"
            except DeviceTrouble as trouble:
                assert attempt == "fails", f"call {number} ({service.calls[-1]}): {trouble}"
            except IndexError:      # the list of readers failed, so there is none
                assert attempt == "fails"
            service.reader.forget()     # the card is lifted and laid down again: a direct connection powers nothing down
        opened.close()
        assert (service.contexts, service.connections) == (0, 0), f"call {number}: everything is let go"
        assert TOKEN not in {call[1] for call in service.calls if call[0] == "connect"}
