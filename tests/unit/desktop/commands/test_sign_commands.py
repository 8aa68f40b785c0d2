"""Tests of ``hall-intake sign`` and ``hall-intake signature``: what they say and their exit codes. Never opens a store."""

from __future__ import annotations

import argparse
import json
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from desktop.commands import sign, signature
from devices.tokens.contract import PinState
from sync.acts import make_act
from sync.canon import canon
from sync.signing import certificate_facts, make_signature
from tests.emulators.ca import PracticeCa
from tests.emulators.sm2_ca import PracticeSm2Ca
from tests.emulators.softhsm import SoftTokens
from tests.emulators.softskf import SoftSkf
from tests.unit.sync.signers import Person, person

NOW = datetime.now(UTC).replace(microsecond=0)


def run(command, *words: str) -> int:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args(words))


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> PracticeCa:
    return PracticeCa.make(tmp_path_factory.mktemp("ca"))


def write(folder: Path, signer: Person, at: datetime = NOW, **changed: object) -> list[str]:
    """A signed record as an export holds it."""
    facts = certificate_facts(signer.certificate)
    collector = {"id": facts.id, "name": facts.name, "certificate": facts.digest}
    record = {"type": "hall-intake/practice-record/1", "record_id": "2f1e", "collector": collector, "sections": {"person": {"name_zh": "王小明"}}}
    content = canon(record | changed)
    (folder / "record.json").write_bytes(content)
    (folder / "record.p7s").write_bytes(make_signature(content, signer, at))
    return ["verify", str(folder)]


def test_verify_says_who_and_when(ca: PracticeCa, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = write(tmp_path, person(ca))
    assert run(signature, *command, "--roots", str(ca.folder / "root.pem")) == 0
    said = capsys.readouterr().out
    assert "张三（编号 OP-000017" in said and f"{NOW:%Y-%m-%d %H:%M:%S}Z" in said and "结论   有效" in said
    assert "王小明" not in said, "never the person whom the record is about"


def test_verify_reads_der_roots(ca: PracticeCa, tmp_path: Path) -> None:
    (tmp_path / "root.der").write_bytes(ca.signer_roots[0])
    assert run(signature, *write(tmp_path, person(ca)), "--roots", str(tmp_path / "root.der")) == 0


def test_verify_without_or_with_other_roots(ca: PracticeCa, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = write(tmp_path, person(ca))
    assert run(signature, *command) == 3
    assert "[no-roots]" in capsys.readouterr().out
    other = PracticeCa.make(tmp_path / "other")
    assert run(signature, *command, "--roots", str(other.folder / "root.pem")) == 3
    assert "[untrusted]" in capsys.readouterr().out


def test_verify_at_a_moment(ca: PracticeCa, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    then = NOW - timedelta(days=30)
    command = [*write(tmp_path, person(ca, start=NOW - timedelta(days=300), end=NOW - timedelta(days=1)), then), "--roots", str(ca.folder / "root.pem")]
    assert run(signature, *command) == 3
    assert "[expired]" in capsys.readouterr().out
    assert run(signature, *command, "--at", "claimed") == 0
    assert run(signature, *command, "--at", then.isoformat()) == 0
    assert run(signature, *command, "--at", "yesterday") == 1


def test_verify_tampered_record(ca: PracticeCa, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = write(tmp_path, person(ca))
    record = tmp_path / "record.json"
    record.write_bytes(record.read_bytes().replace("王小明".encode(), "王大明".encode()))
    assert run(signature, *command, "--roots", str(ca.folder / "root.pem")) == 1
    assert "[content]" in capsys.readouterr().out


def test_verify_signer_who_is_not_the_collector(ca: PracticeCa, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    facts = certificate_facts(person(ca).certificate)
    named = {"id": facts.id, "name": facts.name, "certificate": facts.digest}
    command = write(tmp_path, person(ca, id="OP-000099", name="李四"), collector=named)
    assert run(signature, *command, "--roots", str(ca.folder / "root.pem")) == 1
    assert "[signer]" in capsys.readouterr().out


def test_verify_sm2_and_a_takeover(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    national = PracticeSm2Ca(tmp_path / "ca")
    collector, supervisor = national.person(), national.person("SV-000003", "李四")
    (tmp_path / "root.der").write_bytes(national.signer_roots[0])
    command = [*write(tmp_path, collector), "--roots", str(tmp_path / "root.der")]
    assert run(signature, *command) == 0
    assert "格式   gm-p7-plain，用户标识 1234567812345678" in capsys.readouterr().out
    assert run(signature, *command, "--sm2-id", "another") == 1
    record = (tmp_path / "record.json").read_bytes()
    (tmp_path / "record.p7s").write_bytes(make_signature(record, supervisor, NOW))
    assert run(signature, *command) == 1
    act = make_act("takeover", record, None, "采集员证书损坏", supervisor, NOW)
    (tmp_path / "act1.json").write_bytes(act.act)
    (tmp_path / "act1.p7s").write_bytes(act.signature)
    capsys.readouterr()
    assert run(signature, *command) == 0
    assert "接办   李四（编号 SV-000003" in capsys.readouterr().out
    (tmp_path / "act1.p7s").write_bytes(b"")
    assert run(signature, *command) == 1
    assert "第二人的签名无效" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["sm2", "ec", "rsa-2048"])
def test_the_parts_of_a_signature_are_verified_by_openssl(ca: PracticeCa, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str) -> None:
    """With the words that the command prints, by the public key alone."""
    signer = PracticeSm2Ca(tmp_path / "ca").person() if kind == "sm2" else person(ca, kind)
    command = write(tmp_path, signer)
    assert run(signature, *command, "--parts", str(tmp_path / "parts")) == 3, "no roots were given"
    words = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("openssl")).split()
    assert subprocess.run(words, cwd=tmp_path / "parts", capture_output=True).returncode == 0
    if kind == "sm2":
        assert (tmp_path / "parts" / "signed.bin").read_bytes() == (tmp_path / "record.json").read_bytes()
    (tmp_path / "parts" / "signed.bin").write_bytes(b"another content")
    assert subprocess.run(words, cwd=tmp_path / "parts", capture_output=True).returncode != 0
    assert run(signature, *command, "--parts", str(tmp_path / "parts")) == 1, "never over a file that is there"


def test_verify_missing_and_broken_files(ca: PracticeCa, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(signature, "verify", str(tmp_path)) == 1
    assert "record.json" in capsys.readouterr().err
    command = write(tmp_path, person(ca))
    (tmp_path / "record.p7s").write_bytes(b"rubbish")
    assert run(signature, *command) == 1
    assert "[format]" in capsys.readouterr().out
    assert run(signature, *command, "--roots", str(ca.folder / "root.key")) == 1


def test_list_tokens(ca: PracticeCa, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    soft = SoftTokens(tmp_path)
    for name, value in soft.env.items():
        monkeypatch.setenv(name, value)
    assert run(sign, "list", "--library", soft.library) == 1
    soft.make_person(ca, "operator", "123456", "OP-000017", "张三", "ec", not_after=NOW + timedelta(days=10))
    capsys.readouterr()
    assert run(sign, "list", "--library", soft.library) == 0
    said = capsys.readouterr().out
    for words in ("operator（", "PIN: 正常", "张三（编号 OP-000017", "快到期了", "ec-p256"):
        assert words in said
    assert run(sign, "list", "--library", "/nowhere.so") == 1
    assert "[driver.missing]" in capsys.readouterr().err


def test_list_says_what_the_province_thinks(
    ca: PracticeCa, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over the station's own list: roots and people are the station's, a library that cannot be used is named beside those that can."""
    soft = SoftTokens(tmp_path / "soft")
    for name, value in soft.env.items():
        monkeypatch.setenv(name, value)
    soft.make_person(ca, "operator", "123456", "OP-000017", "张三", "ec")
    soft.make_person(PracticeCa.make(tmp_path / "other"), "stranger", "123456", "OP-000017", "张三", "ec")
    soft.make_person(ca, "newcomer", "123456", "OP-000088", "新人", "ec")
    people = {"OP-000017": SimpleNamespace(id="OP-000017", name="张三", roles=("collector", "supervisor"))}
    station = SimpleNamespace(signer_roots=ca.signer_roots, person=people.get)
    entries = [{"kind": "pkcs11", "library": soft.library, "name": "软 Key", "sha256": ""}, {"kind": "cng", "library": "/x", "name": "旧 Key", "sha256": ""}]
    monkeypatch.setattr(sign, "_enrolled", lambda: (station, sign.Registry(sign.listed({"tokens": entries, "emulated": True}))))
    assert run(sign, "list") == 0
    said = capsys.readouterr()
    blocks = {block.partition("（")[0]: block for block in re.split(r"\n(?=\w)", said.out)}
    assert "可信；角色 collector、supervisor" in blocks["operator"] and "练习" in blocks["operator"]
    assert "不是本省认可的机构签发" in blocks["stranger"]
    assert "人员名单里没有这个编号" in blocks["newcomer"]
    assert "device.list_invalid" in said.err


def test_probe_tells_what_to_write_into_the_device_list(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Two libraries for the plugged token are installed, one is broken; a third is given by hand. What sees a token is ready to be copied."""
    skf = SoftSkf(tmp_path / "skf")
    skf.make_person(PracticeSm2Ca(tmp_path / "ca"), "operator", "123456", "OP-000017", "张三")
    (skf.folder / "libgm3000.1.0.so").symlink_to(skf.path)
    (skf.folder / "libgm3000_pkcs11.so").write_bytes(b"rubbish")
    monkeypatch.setattr(sign, "plugged", lambda: frozenset({"055C:E618"}))
    monkeypatch.setattr(sign, "library_folders", lambda: (skf.folder,))
    assert run(sign, "probe") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("055C:E618") and "看到 1 个 Key" in lines[1] and "[driver.missing]" in lines[3]
    entry = json.loads(lines[2].partition("设备清单条目 ")[2])
    assert entry == {"kind": "skf", "library": str(skf.folder / "libgm3000.1.0.so"), "name": "Longmai GM3000", "sha256": entry["sha256"]}
    assert run(sign, "list", "--library", entry["library"]) == 0
    said = capsys.readouterr().out
    assert "密钥 sm2" in said and "还可试 10 次" in said
    monkeypatch.setattr(sign, "plugged", lambda: frozenset({"1D6B:0002"}))
    assert run(sign, "probe") == 1
    assert "没有装认得的库" in capsys.readouterr().err
    assert run(sign, "probe", "--library", skf.path) == 0


def test_lists_of_revoked_certificates_are_kept_and_shown_with_their_age(
    ca: PracticeCa, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HALL_INTAKE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(sign, "_enrolled", lambda: (SimpleNamespace(signer_roots=ca.signer_roots), None))
    assert run(sign, "lists") == 0
    assert "没有吊销名单" in capsys.readouterr().out
    crl = x509.CertificateRevocationListBuilder(ca.issuing.subject, NOW - timedelta(days=3), NOW - timedelta(days=1)).sign(ca._issuing_key, hashes.SHA256())
    (tmp_path / "list.pem").write_bytes(crl.public_bytes(serialization.Encoding.PEM))
    assert run(sign, "lists", str(tmp_path / "list.pem")) == 1, "the issuing authority is not known"
    assert "没有收下" in capsys.readouterr().err
    assert run(sign, "lists", str(tmp_path / "list.pem"), "--issuer", str(ca.folder / "issuing.pem")) == 0
    assert "3 天前，已经过了该换新的日子" in capsys.readouterr().out
    assert run(sign, "lists", str(tmp_path / "nowhere.crl")) == 1


def test_list_needs_an_enrolled_station(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("HALL_INTAKE_HOME", str(tmp_path))
    assert run(sign, "list") == 1
    assert "[station.not_enrolled]" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (PinState(None), "正常"), (PinState(None, low=True), "近来输错过"), (PinState(1, low=True, last_try=True), "只剩最后一次"),
        (PinState(0, locked=True), "已锁住"), (PinState(3, low=True), "还可试 3 次"), (PinState(None, pin_pad=True), "在 Key 上输入"),
        (PinState(None, default_pin=True), "出厂 PIN"),
    ],
)  # fmt: skip
def test_pin_in_words(state: PinState, words: str) -> None:
    assert words in sign._pin(state)
