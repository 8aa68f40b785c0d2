"""Drivers loaded and not loaded, the product's list, masked traffic. Never needs a device."""

from __future__ import annotations

import logging

import pytest

from devices.base import Device
from devices.errors import DeviceListInvalid, DriverMissing, ServiceStopped
from devices.installed import installed, listed
from devices.registry import Listed, Registry
from devices.traffic import TRAFFIC, masked_answer, masked_command, trace
from tests.emulators.idcards import PRACTICE
from tests.emulators.sam_reader import WHOLE_PROFILE, SamReader


class Fine:
    name = "fine"

    def find(self) -> list[Device]:
        return [Device("fine", "A", "a")]


class Down:
    name = "down"

    def find(self) -> list[Device]:
        raise ServiceStopped("down")


def missing() -> Fine:
    raise ImportError("no such library")


def test_one_that_cannot_load_stays_with_its_reason_and_harms_no_other() -> None:
    registry = Registry([Listed("cards", "gone", missing), Listed("cards", "fine", Fine), Listed("cards", "down", Down), Listed("tokens", "other", Fine)])
    assert [(entry.name, entry.driver is not None) for entry in registry.entries] == [("gone", False), ("fine", True), ("down", True), ("other", True)]
    assert type(registry.entries[0].trouble) is DriverMissing
    found = registry.find("cards")
    assert [device.name for device in found.devices] == ["A"]
    assert [type(trouble) for trouble in found.troubles] == [DriverMissing, ServiceStopped]
    assert (len(registry.cards()), len(registry.tokens()), len(registry.cameras())) == (2, 1, 0)


def test_the_products_list_says_what_is_wrong_with_an_entry() -> None:
    body: dict[str, object] = {"profiles": [WHOLE_PROFILE, {"name": "broken"}], "cameras": "none", "tokens": [{"kind": "pkcs11", "name": "T"}]}
    troubles = {entry.name: entry.trouble for entry in installed(body).entries}
    assert list(troubles) == ["pcsc", "opencv", "T"]
    assert isinstance(troubles["pcsc"], DeviceListInvalid) and troubles["pcsc"].facts["entry"] == "broken"
    assert [line.name for line in listed({"tokens": 5})] == ["pcsc", "opencv", "tokens"]


def test_a_good_entry_loads_and_an_empty_list_gives_a_driver_that_finds_nothing() -> None:
    for body in ({"profiles": [WHOLE_PROFILE], "emulated": True}, {}):
        entry = installed(body).entries[0]
        assert entry.trouble is None and entry.driver is not None and entry.driver.name == "pcsc"


def test_readers_on_lines_and_behind_libraries_have_lines_of_their_own() -> None:
    profiles = [WHOLE_PROFILE, {"name": "server", "mode": "tcp", "tcp": {"host": "127.0.0.1", "port": 9}},
                {"name": "sdk", "mode": "sdt", "vendor": {"library": "libsdtapi.so"}}]
    registry = installed({"profiles": profiles, "emulated": True})
    assert [(entry.name, entry.driver is not None) for entry in registry.entries] == [("pcsc", True), ("serial", True), ("vendor", True), ("opencv", True)]
    assert [device.name for device in registry.cards()[1].find()] == ["server"]
    broken = {entry.name: entry.trouble for entry in installed({"profiles": [WHOLE_PROFILE, {"name": "server", "mode": "tcp"}]}).entries}
    assert broken["pcsc"] is None and isinstance(broken["serial"], DeviceListInvalid)


# -- traffic ---------------------------------------------------------------------------------------------------------------------------
def frame(command: str) -> tuple[bytes, bytes]:
    """A command of the module and its answer."""
    reader = SamReader(PRACTICE)
    sent = b""
    for step in ("2001", "2002", "3001", command):
        body = b"\x00\x03" + bytes.fromhex(step)
        check = 0
        for byte in body:
            check ^= byte
        sent = bytes.fromhex("AAAAAA9669") + body + bytes((check,))
        answer = reader.transmit(b"\x80\xfe\x00\x00\x00\x00\x0a" + sent + b"\x00\x00")[:-2]
        if step == command:
            break
    return sent, answer


def test_personal_bytes_are_masked_and_the_modules_own_number_is_not() -> None:
    sent, answer = frame("3001")
    assert (masked_command(sent), masked_answer(answer, b"\x30\x01")) == ("aaaaaa966900033001", "aaaaaa96690508000090 <1284 bytes>")
    assert masked_answer(frame("2001")[1], b"\x20\x01") == "aaaaaa9669000800009f <4 bytes>"
    assert masked_answer(frame("12ff")[1], b"\x12\xff") == "aaaaaa96690014000090 05000100a53a340187d6120078563412"
    assert masked_answer(answer, b"\x12\xff") == "aaaaaa96690508000090 <1284 bytes>", "a text in the place of a number stays masked"
    assert masked_answer(PRACTICE.text) == "<256 bytes, no frame>"


def test_traffic_stands_below_debug(caplog: pytest.LogCaptureFixture) -> None:
    log = logging.getLogger("test.traffic")
    sent, answer = frame("3001")
    with caplog.at_level(logging.DEBUG, "test.traffic"):
        trace(log, "Reader", sent, answer, 0.1)
    assert caplog.records == []
    with caplog.at_level(TRAFFIC, "test.traffic"):
        trace(log, "Reader", sent, answer, 0.1)
        trace(log, "Reader", sent, None, 0.1)
    assert [record.getMessage() for record in caplog.records] == [
        "Reader > aaaaaa966900033001 < aaaaaa96690508000090 <1284 bytes> (100.0 ms)", "Reader > aaaaaa966900033001 < - (100.0 ms)",
    ]
