"""What the doctor prints. Never needs a reader."""

from __future__ import annotations

import argparse
import io
import json
from pathlib import Path

import pytest

from desktop.commands import doctor
from desktop.messages import codes
from devices.base import Device
from devices.cards.contract import Sighting
from devices.cards.idcard import Finding
from devices.doctor import CardsReport, MaskedRead, ReaderReport
from devices.errors import NoCard, NoReader, NoSam
from tests.emulators.sam_reader import SAM_NUMBER

READER = Device("pcsc", "Virtual PCD", "Virtual PCD 00 00", emulated=True)
FIELDS = {
    "kind": "resident", "name_zh": "李**", "name_latin": "", "number": "51****", "address": "***", "newest_address": "", "issuer": "**",
    "valid_to": "长期",
}


def printed(report: CardsReport) -> tuple[int, str]:
    out = io.StringIO()
    return doctor.print_cards(report, out), out.getvalue()


def test_a_good_reader() -> None:
    read = MaskedRead(FIELDS, (Finding("finding.expired", "warning", "valid_to"),), 1024, 0.5)
    code, text = printed(CardsReport((ReaderReport(Sighting(READER, "p", True, atr=b"\x3b"), SAM_NUMBER, read),)))
    assert code == 0
    pieces = ("智能卡服务: 正常", "模拟设备", "读卡器配置: p", "ATR 3B", SAM_NUMBER, "证件种类: 居民身份证", "姓名: 李**", "(finding.expired)", "未解码")
    assert [piece for piece in pieces if piece not in text] == []
    assert "外文姓名" not in text


def test_a_reader_without_card_is_fine_and_one_without_profile_is_not() -> None:
    assert printed(CardsReport((ReaderReport(Sighting(READER, "p"), trouble=NoCard("slot is empty")),)))[0] == 0
    code, text = printed(CardsReport((ReaderReport(Sighting(READER, "", True), trouble=NoSam("no profile fits", reader="X")),)))
    assert code == 1
    assert "reader.no_sam" in text and "怎么办" in text and "没有 (不会打开这台设备)" in text


def test_no_reader_at_all() -> None:
    code, text = printed(CardsReport((), NoReader("none")))
    assert code == 1 and "reader.none" in text


@pytest.mark.parametrize("content", ["[]", "{", "\"x\"", json.dumps({"profiles": [{"name": "broken"}]})])
def test_a_wrong_list_is_said_to_be_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], content: str) -> None:
    monkeypatch.setenv("HALL_INTAKE_HOME", str(tmp_path))
    (tmp_path / "devices.json").write_text(content, "utf-8")
    parser = argparse.ArgumentParser()
    doctor.add_arguments(parser)
    assert doctor.run(parser.parse_args(["cards", "--no-read"])) == 1
    assert "device.list_invalid" in capsys.readouterr().out


def test_every_finding_has_words() -> None:
    source = Path(__file__).parents[4].joinpath("devices", "cards", "idcard.py").read_text("utf-8")
    named = {piece.split('"')[0] for piece in source.split('Finding("')[1:]}
    assert len(named) == 18
    for language in ("zh_CN", "en"):
        assert named <= codes(language)
