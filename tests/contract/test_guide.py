"""The guide to a profile for a new reader, followed word by word: its examples with the values of the emulated readers, tried by the doctor's own command.

Never changes a member that the guide does not call the vendor's or the machine's.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.contract.reader_stands import until
from tests.emulators.idcards import PRACTICE
from tests.emulators.sam_lines import PtyReader, SocketReader
from tests.emulators.sam_module import SAM_NUMBER, SamModule
from tests.emulators.sam_reader import SamReader

TOP = Path(__file__).resolve().parents[2]
GUIDE = (TOP / "devices" / "cards" / "PROFILES.md").read_text("utf-8")


def example(name: str) -> dict[str, Any]:
    """The guide's entry of this name."""
    block = re.search(r"```json\n(.*?)```", GUIDE, re.DOTALL)
    assert block is not None
    decoder, text, entries = json.JSONDecoder(), block[1].strip(), list[dict[str, Any]]()
    while text:
        entry, end = decoder.raw_decode(text)
        entries.append(entry)
        text = text[end:].lstrip()
    return next(entry for entry in entries if entry["name"] == name)


def doctor(folder: Path, entry: dict[str, Any]) -> str:
    """Step 4 of the guide."""
    (folder / "devices.json").write_text(json.dumps({"profiles": [entry]}), "utf-8")
    command = [sys.executable, "-m", "desktop", "doctor", "cards"]
    ran = subprocess.run(command, cwd=TOP, env=os.environ | {"HALL_INTAKE_HOME": str(folder)}, capture_output=True, text=True, timeout=60, check=False)
    return ran.stdout + ran.stderr


def test_a_tunnel_from_the_guide_reads_a_card(slot: Any, tmp_path: Path) -> None:
    entry = example("vendor-model")
    said = doctor(tmp_path, entry)
    assert "Virtual PCD" in said and "没有 (不会打开这台设备)" in said, "step 1: the reader is named"
    entry["match"]["reader"] = "^Virtual PCD"
    slot.place(SamReader(PRACTICE))
    until(lambda: "试读: 成功" in doctor(tmp_path, entry), 60)
    slot.lift()


@pytest.mark.parametrize("name", ["vendor-com", "window-7"])
def test_a_line_from_the_guide_reads_a_card(name: str, tmp_path: Path) -> None:
    module, entry = SamModule(PRACTICE), example(name)
    reader: Any = PtyReader(module) if name == "vendor-com" else SocketReader(module)
    try:
        if name == "vendor-com":
            entry["match"]["port"] = reader.port
        else:
            entry["tcp"] |= {"host": "127.0.0.1", "port": reader.port}
        said = doctor(tmp_path, entry)
        assert "试读: 成功" in said and SAM_NUMBER in said, said
    finally:
        reader.close()


def test_a_library_from_the_guide_reads_a_card(stub_library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry, reader = example("vendor-sdk"), SocketReader(SamModule(PRACTICE), tmp_path / "sam")
    monkeypatch.setenv("STUB_SAM", str(tmp_path / "sam"))
    entry["vendor"]["library"] = str(stub_library)
    try:
        said = doctor(tmp_path, entry)
        assert "试读: 成功" in said and SAM_NUMBER in said, said
        (tmp_path / "libwrong.so").write_bytes(b"none")
        entry["vendor"]["library"] = str(tmp_path / "libwrong.so")
        assert "driver.missing" in doctor(tmp_path, entry)
    finally:
        reader.close()


@pytest.mark.parametrize("code", re.findall(r"^\| `((?:device|reader|driver)\.[a-z_]+)`", GUIDE, re.MULTILINE))
def test_codes_of_the_guide_exist(code: str) -> None:
    from desktop.messages import codes

    assert code in codes("zh_CN")
