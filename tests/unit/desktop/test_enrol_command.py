"""``hall-intake enrol`` with a soft token, a private keyring and the reference province: from the command line to an enrolled store."""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop.commands.enrol import add_arguments, run
from sync.canon import canon
from sync.keys import KeyCabinet
from sync.station import load
from sync.store import open_folder
from tests.contract.province.hall import HALL, WINDOW, open_lists
from tests.emulators.ca import PracticeCa
from tests.emulators.keyring import PrivateKeyring
from tests.emulators.province_run import ProvinceRun
from tests.emulators.softhsm import SoftTokens

pytestmark = pytest.mark.timeout(180)
PIN = "246810"


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> PracticeCa:
    return PracticeCa.make(tmp_path_factory.mktemp("people") / "ca")


@pytest.fixture(scope="module")
def province(tmp_path_factory: pytest.TempPathFactory, ca: PracticeCa) -> Iterator[ProvinceRun]:
    certificate, key = ca.issue_server()
    with ProvinceRun(tmp_path_factory.mktemp("province") / "p", [ca.folder / "root.pem"], (certificate, key, ca.folder / "tls-root.pem")) as running:
        open_lists(running)
        yield running


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory, ca: PracticeCa) -> SoftTokens:
    made = SoftTokens(tmp_path_factory.mktemp("tokens"))
    made.make_person(ca, "administrator", PIN, "AD-000001", "练习管理员", roles=("administrator",))
    return made


@pytest.fixture(scope="module")
def keyring() -> Iterator[PrivateKeyring]:
    with tempfile.TemporaryDirectory(prefix="kr", dir="/tmp") as short, PrivateKeyring(Path(short) / "k") as running:
        yield running


@pytest.fixture
def home(tmp_path: Path, tokens: SoftTokens, keyring: PrivateKeyring, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in {**tokens.env, "DBUS_SESSION_BUS_ADDRESS": keyring.env["DBUS_SESSION_BUS_ADDRESS"], "HALL_INTAKE_HOME": str(tmp_path / "home")}.items():
        monkeypatch.setenv(name, value)
    return tmp_path / "home"


def pin(text: str = PIN) -> str:
    """An open descriptor that says the PIN."""
    reading, writing = os.pipe()
    os.write(writing, text.encode() + b"\n")
    os.close(writing)
    return str(reading)


def invited(province: ProvinceRun, folder: Path) -> tuple[str, str]:
    given = province.desk("POST", "/invitations", hall=HALL, window=WINDOW)
    path = folder / "invitation.json"
    path.write_text(json.dumps(given["invitation"]), "utf-8")
    return str(path), given["code"]


def command(*words: str) -> int:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return run(parser.parse_args(words))


def enrol(invitation: str, code: str, tokens: SoftTokens, *more: str) -> int:
    return command("--invitation", invitation, "--code", code, "--hall", HALL, "--window", WINDOW, "--token", tokens.library, *more)


def test_a_machine_becomes_a_window(home: Path, tmp_path: Path, province: ProvinceRun, tokens: SoftTokens, capsys: pytest.CaptureFixture[str]) -> None:
    invitation, code = invited(province, tmp_path)
    assert enrol(invitation, code, tokens, "--pin-file", pin()) == 0
    said = capsys.readouterr().out
    assert "练习管理员（AD-000001）" in said and PIN not in said and "根密钥 " in said
    with open_folder(home, KeyCabinet()) as store:
        station = load(store)
        assert station.station_id in said and station.practice and store.practice
        names = [json.loads(line[0])["what"] for line in _journal(store)]
    assert names == ["station.enrolled"]
    assert enrol(invitation, code, tokens, "--pin-file", pin()) == 1
    assert "already" in capsys.readouterr().err


def _journal(store: object) -> list[tuple[bytes]]:
    with store.read() as rows:  # type: ignore[attr-defined]
        return rows.execute("SELECT line FROM journal ORDER BY seq").fetchall()


def test_a_wrong_pin_is_tried_once_and_costs_no_code(home: Path, tmp_path: Path, province: ProvinceRun, tokens: SoftTokens,
                                                     capsys: pytest.CaptureFixture[str]) -> None:
    invitation, code = invited(province, tmp_path)
    assert enrol(invitation, code, tokens, "--pin-file", pin("000000")) == 1
    assert "token.wrong_pin" in capsys.readouterr().err
    assert enrol(invitation, code, tokens, "--pin-file", pin()) == 0


def test_a_code_of_another_form_never_reaches_the_token(home: Path, tmp_path: Path, province: ProvinceRun, tokens: SoftTokens,
                                                        capsys: pytest.CaptureFixture[str]) -> None:
    invitation, _ = invited(province, tmp_path)
    assert enrol(invitation, "ABCD", tokens) == 1
    assert "station.code" in capsys.readouterr().err


def test_an_unknown_signer_and_a_missing_library_are_named(home: Path, tmp_path: Path, province: ProvinceRun, tokens: SoftTokens,
                                                           capsys: pytest.CaptureFixture[str]) -> None:
    invitation, code = invited(province, tmp_path)
    assert enrol(invitation, code, tokens, "--signer", "AD-999999") == 1
    assert "certificate.refused" in capsys.readouterr().err
    assert command("--invitation", invitation, "--code", code, "--hall", HALL, "--window", WINDOW, "--token", str(tmp_path / "no.so")) == 1
    assert "driver.missing" in capsys.readouterr().err


def test_a_file_that_is_no_invitation_is_named(home: Path, tmp_path: Path, tokens: SoftTokens, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.json"
    assert enrol(str(path), "ABCD-EFGH-JKLM-NPQR", tokens) == 2
    path.write_bytes(canon({"type": "hall-intake/invitation/2"}))
    assert enrol(str(path), "ABCD-EFGH-JKLM-NPQR", tokens) == 1
    assert "sync.format" in capsys.readouterr().err
    assert not (home / "store.db").exists()
