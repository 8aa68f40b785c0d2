"""What the doctor prints. Never needs a reader."""

from __future__ import annotations

import argparse
import io
import json
import logging
from pathlib import Path

import pytest

from desktop.commands import doctor
from desktop.messages import codes
from devices.base import Device
from devices.cards.contract import Sighting
from devices.cards.idcard import Finding
from devices.doctor import CardsReport, DriverReport, MaskedRead, ReaderReport
from devices.errors import DriverMissing, NoCard, NoReader, NoSam
from tests.emulators.idcards import PRACTICE
from tests.emulators.sam_lines import SocketReader
from tests.emulators.sam_module import SAM_NUMBER, SamModule

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
    drivers = (DriverReport("pcsc", 1), DriverReport("vendor", 0, DriverMissing("no library", library="libsdtapi.so")))
    code, text = printed(CardsReport((ReaderReport(Sighting(READER, "p", True, atr=b"\x3b"), SAM_NUMBER, read),), None, drivers, ("COM3  USB 10C4:EA60",)))
    assert code == 0, "a library that is not needed is told of and harms nothing"
    pieces = ("智能卡服务 (PC/SC): 正常, 读卡器 1 台", "厂商读卡库: 不能用", "driver.missing", "COM3  USB 10C4:EA60",
              "模拟设备", "读卡器配置: p", "ATR 3B", SAM_NUMBER, "证件种类: 居民身份证", "姓名: 李**", "(finding.expired)", "未解码")
    assert [piece for piece in pieces if piece not in text] == []
    assert "外文姓名" not in text


def test_a_reader_without_card_is_fine_and_one_without_profile_is_not() -> None:
    assert printed(CardsReport((ReaderReport(Sighting(READER, "p"), trouble=NoCard("slot is empty")),)))[0] == 0
    token = ReaderReport(Sighting(READER, "", True))
    assert printed(CardsReport((token, ReaderReport(Sighting(READER, "p"), SAM_NUMBER))))[0] == 0, "a token's reader is none of ours"
    code, text = printed(CardsReport((token,), NoSam("no profile fits", reader="X")))
    assert code == 1
    assert "reader.no_sam" in text and "怎么办" in text and "没有 (不会打开这台设备)" in text


@pytest.mark.parametrize(("state", "words"), [("decoded", "已解码"), ("no_decoder", "没有厂商解码库"), ("driver.crashed", "driver.crashed")])
def test_what_became_of_the_photo(state: str, words: str) -> None:
    read = MaskedRead(FIELDS, (), 1024, 0.5, state)
    assert words in printed(CardsReport((ReaderReport(Sighting(READER, "p", True), SAM_NUMBER, read),)))[1]


def test_a_trace_is_written_for_the_helpdesk_and_never_over_another_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:
    module = SamModule(PRACTICE)
    server = SocketReader(module)
    try:
        monkeypatch.setenv("HALL_INTAKE_HOME", str(tmp_path))
        profile = {"name": "练习串口", "mode": "tcp", "tcp": {"host": "127.0.0.1", "port": server.port}}
        (tmp_path / "devices.json").write_text(json.dumps({"profiles": [profile]}), "utf-8")
        parser = argparse.ArgumentParser()
        doctor.add_arguments(parser)
        args = parser.parse_args(["cards", "--trace", str(tmp_path / "trace.txt")])
        assert doctor.run(args) == 0
        text, said = (tmp_path / "trace.txt").read_text("utf-8"), capsys.readouterr().out
        assert (tmp_path / "trace.txt").stat().st_mode & 0o077 == 0
        for piece in ("pyserial 3", "aaaaaa966900033001 < aaaaaa96690508000090 <1284 bytes>", SAM_NUMBER, "安全模块: 正常", "姓名: 李**"):
            assert piece in text
        secrets = ("李练工", "19900512", "练习路", "工地路", PRACTICE.text[:60].hex(), PRACTICE.photo[:30].hex(), PRACTICE.addresses[:30].hex())
        assert [secret for secret in secrets if secret in text + said] == []
        assert "串口和串口服务器: 正常, 读卡器 1 台" in said and "trace.txt" in said
        assert logging.getLogger("devices.cards").handlers == []
        assert doctor.run(args) == 1, "a file that is there is left as it is"
        assert (tmp_path / "trace.txt").read_text("utf-8") == text and "写不了" in capsys.readouterr().err
    finally:
        server.close()


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
