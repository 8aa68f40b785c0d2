"""Reader profiles: what is accepted, what is refused, and which reader they fit. Never needs a reader."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.cards.profiles import Profile, profile_for
from devices.errors import DeviceListInvalid
from tests.emulators.sam_reader import CHAINED_PROFILE, WHOLE_PROFILE

ATR = bytes.fromhex("3B888001D103860C0080800051")
CONTROL: dict[str, Any] = {
    "name": "c", "match": {"atr": "3B888001D10386000080800000", "atr_mask": "FFFFFFFFFFFFFF00FFFFFFFF00"}, "mode": "control", "share": "direct",
    "control": {"code_linux": 0x42000001, "code_windows": 0x003136B0, "prefix": "E0", "reply_prefix": "E1", "preamble": False},
}


SERIAL: dict[str, Any] = {"name": "s", "mode": "serial", "match": {"usb": "10C4:EA60", "usb_serial": "A1"}, "serial": {"bauds": [115200, 9600]}}
TCP: dict[str, Any] = {"name": "t", "mode": "tcp", "tcp": {"host": "192.0.2.7", "port": 4001}}
SDT: dict[str, Any] = {
    "name": "v", "mode": "sdt", "vendor": {"library": "libsdtapi.so", "sha256": "sha256:" + "0a" * 32, "port": 1003}, "management": True,
    "photo": {"library": "libwlt.so", "sha256": "", "entry": "_Z6unpackPcS_i", "argument": 708, "pixels": "bgr", "rows": "down"},
}


def changed(profile: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """A copy with one member at ``a.b`` set, or taken away (None)."""
    new = copy.deepcopy(profile)
    *folders, last = path.split(".")
    place = new
    for folder in folders:
        place = place[folder]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return new


def test_profiles_of_the_practice_hall() -> None:
    whole, chained = Profile.from_json(WHOLE_PROFILE), Profile.from_json(CHAINED_PROFILE)
    assert whole.apdu is not None and (whole.apdu.extended, whole.apdu.chained, whole.share, whole.exchange_seconds) == (True, False, "shared", 5.0)
    assert chained.apdu is not None and (chained.apdu.extended, chained.apdu.chained, chained.apdu.chunk) == (False, True, 5)
    assert whole.fits("Virtual PCD 00 00") and not whole.fits("ACS ACR122U 00 00")


def test_control_profile_and_card_mask() -> None:
    profile = Profile.from_json(CONTROL)
    assert profile.control is not None and (profile.control.prefix, profile.control.reply_prefix, profile.control.preamble) == (b"\xe0", b"\xe1", False)
    assert profile.fits("any reader", ATR) and not profile.fits("any reader") and not profile.fits("any reader", ATR[:-1])
    assert not profile.knows(bytes.fromhex("3B888001D103860C0180800051"))


def test_lines_and_libraries() -> None:
    serial, tcp, sdt = Profile.from_json(SERIAL), Profile.from_json(TCP), Profile.from_json(SDT)
    assert serial.line is not None and (serial.line.usb, serial.line.usb_serial, serial.line.bauds) == ((0x10C4, 0xEA60), "A1", (115200, 9600))
    assert tcp.line is not None and (tcp.line.host, tcp.line.tcp_port) == ("192.0.2.7", 4001)
    assert sdt.library is not None and (sdt.library.path, sdt.library.port, sdt.management) == ("libsdtapi.so", 1003, True)
    assert sdt.photo is not None and (sdt.photo.argument, sdt.photo.pixels, sdt.photo.rows) == (708, "bgr", "down")
    cvr = Profile.from_json({"name": "c", "mode": "cvr", "vendor": {"library": "termb.dll"}, "photo": {"library": "w", "entry": "unpack", "argument": 0}})
    assert cvr.library is not None and (cvr.library.port, cvr.library.sha256) == (1001, "")
    assert cvr.photo is not None and (cvr.photo.pixels, cvr.photo.rows) == ("rgb", "up")
    port = Profile.from_json({"name": "p", "mode": "serial", "match": {"port": "COM3"}})
    assert port.line is not None and (port.line.port, port.line.usb, port.line.bauds[0], len(port.line.bauds)) == ("COM3", None, 115200, 5)
    social = Profile.from_json({"name": "x", "mode": "social", "match": {"reader": "^Contact"}})
    assert social.fits("Contact 00 00") and not any(profile.fits("any", ATR) for profile in (serial, tcp, sdt))


def test_name_decides_and_the_card_is_judged_later() -> None:
    profile = Profile.from_json(changed(WHOLE_PROFILE, "match.atr", ATR.hex()))
    assert profile.fits("Virtual PCD 00 00", b"\x3b\x00") and not profile.knows(b"\x3b\x00") and profile.knows(ATR)
    assert profile_for([Profile.from_json(CONTROL), profile], "Virtual PCD 00 00") is profile
    assert profile_for([profile], "Token 00 00", ATR) is None


@pytest.mark.parametrize(("profile", "path", "value"), [
    (WHOLE_PROFILE, "name", None), (WHOLE_PROFILE, "name", ""), (WHOLE_PROFILE, "name", 7), (WHOLE_PROFILE, "match", None), (WHOLE_PROFILE, "match", []),
    (WHOLE_PROFILE, "match", {}), (WHOLE_PROFILE, "match.reader", "("), (WHOLE_PROFILE, "match.reader", 5), (WHOLE_PROFILE, "match.colour", "red"),
    (WHOLE_PROFILE, "match.atr", "3G"), (WHOLE_PROFILE, "mode", "telepathy"), (WHOLE_PROFILE, "mode", []), (WHOLE_PROFILE, "mode", "control"),
    (WHOLE_PROFILE, "apdu", None), (WHOLE_PROFILE, "apdu.cla", "8000"), (WHOLE_PROFILE, "apdu.ins", None), (WHOLE_PROFILE, "apdu.transfer", "half"),
    (WHOLE_PROFILE, "apdu.lengths", 5), (WHOLE_PROFILE, "apdu.chunk", 0), (WHOLE_PROFILE, "apdu.chunk", True), (WHOLE_PROFILE, "apdu.chunk", 256),
    (WHOLE_PROFILE, "apdu.get_response", "C0"), (WHOLE_PROFILE, "apdu.preamble", "yes"), (WHOLE_PROFILE, "apdu.library", "/lib/x.so"),
    (WHOLE_PROFILE, "share", "exclusive"), (WHOLE_PROFILE, "exchange_seconds", 0), (WHOLE_PROFILE, "exchange_seconds", 31),
    (WHOLE_PROFILE, "exchange_seconds", True), (WHOLE_PROFILE, "exchange_seconds", 2.5), (CHAINED_PROFILE, "apdu.cla", "FF"),
    (CONTROL, "match.atr_mask", "FF"), (CONTROL, "control.code_linux", -1), (CONTROL, "control.code_linux", "1"), (CONTROL, "control.prefix", "E"),
    (CONTROL, "control", {"code_linux": 0}), (WHOLE_PROFILE, "control", {}), (WHOLE_PROFILE, "management", 1), (SERIAL, "match", None),
    (SERIAL, "match", {}), (SERIAL, "match", {"port": "COM3", "usb": "10C4:EA60"}), (SERIAL, "match.usb", "10C4"), (SERIAL, "match.usb", "10C4:EA6G"),
    (SERIAL, "serial.bauds", []), (SERIAL, "serial.bauds", [300]), (SERIAL, "serial.bauds", 115200), (SERIAL, "serial.parity", "N"),
    (TCP, "match", {"port": "COM3"}), (TCP, "tcp", None), (TCP, "tcp.host", ""), (TCP, "tcp.port", 0), (TCP, "tcp.port", 65_536), (SDT, "vendor", None),
    (SDT, "vendor.library", None), (SDT, "vendor.sha256", "sha256:00"), (SDT, "vendor.sha256", 5), (SDT, "vendor.port", 0), (SDT, "vendor.port", "USB1"),
    (SDT, "photo.entry", None), (SDT, "photo.argument", None), (SDT, "photo.argument", -1), (SDT, "photo.pixels", "cmyk"), (SDT, "photo.rows", "left"),
    (SDT, "photo", "libwlt.so"),
])
def test_wrong_profiles_are_refused_by_name(profile: dict[str, Any], path: str, value: object) -> None:
    with pytest.raises(DeviceListInvalid) as caught:
        Profile.from_json(changed(profile, path, value))
    assert caught.value.facts["why"]
    assert caught.value.facts["entry"] == (profile["name"] if path != "name" else "?")


def test_the_examples_of_the_guide_are_profiles() -> None:
    text = (Path(__file__).parents[4] / "devices/cards/PROFILES.md").read_text("utf-8").partition("```json")[2].partition("```")[0].strip()
    modes: list[str] = []
    while text:
        entry, end = json.JSONDecoder().raw_decode(text)
        modes.append(Profile.from_json(entry).mode)
        text = text[end:].strip()
    assert set(modes) == {"apdu", "control", "serial", "tcp", "sdt", "social"}


LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
NAMES = st.sampled_from(["name", "match", "mode", "apdu", "control", "reader", "atr", "cla", "ins"])
JSON = st.deferred(lambda: LEAVES | st.lists(JSON, max_size=3) | st.dictionaries(NAMES, JSON, max_size=4))


@given(JSON)
def test_any_json_is_a_profile_or_a_named_trouble(untrusted: object) -> None:
    try:
        assert Profile.from_json(untrusted).name
    except DeviceListInvalid as trouble:
        assert trouble.facts["why"]


def test_the_product_carries_no_profile_for_the_virtual_reader() -> None:
    product = [path for room in ("desktop", "devices", "resources", "sync") for path in (Path(__file__).parents[4] / room).rglob("*") if path.is_file()]
    assert product
    assert [path.name for path in product if path.suffix in {".py", ".json", ".toml", ".csv"} and "Virtual PCD" in path.read_text("utf-8")] == []
