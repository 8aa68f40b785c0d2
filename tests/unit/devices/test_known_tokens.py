"""The data of known token libraries, what is plugged, which libraries are there for it. Never tries a library: tests/contract/tokens does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from devices.installed import installed, listed
from devices.tokens.known import candidates, kind_of, known_tokens, library_folders, plugged
from devices.tokens.pkcs11 import Pkcs11Driver
from devices.tokens.skf import SkfDriver


@pytest.mark.parametrize("system", ["linux", "win32"])
def test_data_is_whole(system: str) -> None:
    tokens = known_tokens(system)
    assert len({one.name for one in tokens}) == len(tokens) >= 8
    for one in tokens:
        assert all(re.fullmatch(r"[0-9A-F]{4}:[0-9A-F]{4}", usb) for usb in one.usb)
        assert all(kind in ("skf", "pkcs11") and "/" not in name and "\\" not in name for kind, name in one.libraries)
        assert all(name.endswith(".dll") if system == "win32" else ".so" in name for _, name in one.libraries)
    assert any(one.libraries for one in tokens)


def test_plugged_devices_are_read_from_files(tmp_path: Path) -> None:
    for name, files in {"1-1": {"idVendor": "055c\n", "idProduct": "e618\n"}, "1-1:1.0": {}, "usb1": {"idVendor": "1d6b", "idProduct": "0002"}}.items():
        (tmp_path / name).mkdir()
        for file, text in files.items():
            (tmp_path / name / file).write_text(text)
    assert plugged(tmp_path) == {"055C:E618", "1D6B:0002"}
    assert plugged(tmp_path / "nowhere") is None


def test_candidates_are_libraries_that_are_there_for_what_is_plugged(tmp_path: Path) -> None:
    tokens = known_tokens("linux")
    for name in ("libgm3000.1.0.so", "libgm3000_pkcs11.so", "libes_3000gm.so.1.0.0", "libk7.1.0.so"):
        (tmp_path / name).touch()
    (tmp_path / "again").mkdir()
    (tmp_path / "again" / "libgm3000.1.0.so").symlink_to(tmp_path / "libgm3000.1.0.so")

    def found(usb: frozenset[str] | None) -> set[tuple[str, str]]:
        return {(one.kind, Path(one.path).name) for one in candidates(tokens, usb, (tmp_path, tmp_path / "again", tmp_path / "nowhere"))}

    longmai = {("skf", "libgm3000.1.0.so"), ("pkcs11", "libgm3000_pkcs11.so")}
    unknown_id = {("skf", "libk7.1.0.so")}
    assert found(frozenset({"055C:DB08"})) == longmai | unknown_id
    assert found(frozenset()) == unknown_id
    assert found(None) == longmai | unknown_id | {("skf", "libes_3000gm.so.1.0.0")}
    assert len(candidates(tokens, None, (tmp_path, tmp_path / "again"))) == 4, "the same file under two names is tried once"


def test_folders_are_those_of_the_system() -> None:
    assert Path("/usr/lib") in library_folders("linux")
    assert {one.name for one in library_folders("win32")} == {"System32", "SysWOW64"}


def test_kind_by_the_names_in_the_file(tmp_path: Path) -> None:
    for content, kind in ((b"..SKF_EnumDev\0..C_GetFunctionList", "skf"), (b"..C_GetFunctionList\0", "pkcs11"), (b"something", None), (b"", None)):
        (tmp_path / "x").write_bytes(content)
        assert kind_of(str(tmp_path / "x")) == kind
    assert kind_of(str(tmp_path / "nowhere")) is None and kind_of(str(tmp_path)) is None


def test_device_list_names_both_kinds() -> None:
    entries = [{"kind": kind, "library": f"/opt/{kind}.so", "name": kind, "sha256": ""} for kind in ("pkcs11", "skf", "cng")]
    tokens = [entry for entry in installed({"tokens": entries}).entries if entry.kind == "tokens"]
    assert isinstance(tokens[0].driver, Pkcs11Driver) and isinstance(tokens[1].driver, SkfDriver)
    assert tokens[2].trouble is not None and tokens[2].trouble.code == "device.list_invalid"
    assert len(listed({"tokens": entries})) == 5
