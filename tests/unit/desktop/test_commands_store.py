"""The commands outbox and journal over a real keyring and a real store; they never show a name."""

from __future__ import annotations

import argparse
import contextlib
import errno
import json
import os
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.commands import journal, outbox
from desktop.commands import store as store_command
from desktop.messages import say_code
from sync.amends import Amends
from sync.blobs import Blobs
from sync.keys import KeyCabinet
from sync.store import open_folder
from tests.emulators.keyring import PrivateKeyring
from tests.emulators.records import NAME, OWNER, Room, draft, new_recipient

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Secret Service")
TO = new_recipient("test")[1]


@pytest.fixture
def ids(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Three kept records in the data folder of this account, the second set aside."""
    with PrivateKeyring(tmp_path_factory.mktemp("k")) as keyring:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", keyring.env["DBUS_SESSION_BUS_ADDRESS"])
        monkeypatch.setenv("HALL_INTAKE_HOME", str(tmp_path / "home"))
        for name in ("DISPLAY", "WAYLAND_DISPLAY"):
            monkeypatch.delenv(name, raising=False)
        with open_folder(tmp_path / "home", KeyCabinet(), True, make=True) as store:
            room = Room(store, Blobs(store.folder / "blobs", room=0, reserve=0), TO)
            room.blobs.prepare()
            kept = [room.keep(serial) for serial in range(3)]
            room.outbox.set_aside(kept[1], "province.refused")
        yield kept


def _run(command, *arguments: str) -> int:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args(arguments))


def test_list_show_and_retry(ids: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(outbox, "list") == 0
    told = capsys.readouterr().out
    assert all(record_id in told for record_id in ids) and "# set_aside: 1" in told and NAME not in told
    assert _run(outbox, "list", "--state", "set_aside", "--owner", OWNER) == 0
    told = capsys.readouterr().out
    assert ids[1] in told and ids[0] not in told and "province.refused" in told
    assert _run(outbox, "retry", ids[1]) == 0
    assert ids[1] in capsys.readouterr().out, "a command that did something says so"
    assert _run(outbox, "show", ids[1]) == 0
    told = capsys.readouterr().out
    assert "state: kept" in told and NAME not in told


def test_every_answer_says_what_to_do_next(ids: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(outbox, "show", ids[1]) == 0
    told = capsys.readouterr().out
    assert "reason: province.refused" in told and say_code("province.refused").next in told, "a code alone helps nobody"  # type: ignore[union-attr]
    with open_folder(tmp_path / "home", KeyCabinet()) as store, store.write() as tx:
        tx.execute("UPDATE outbox SET last_detail = 'status 422: record.attachments' WHERE record_id = ?", (ids[1],))
    assert _run(outbox, "show", ids[1]) == 0 and "材料和登记内容对不上" in capsys.readouterr().out, "the reason that the platform gave"
    for act in ("show", "retry"):
        assert _run(outbox, act, "nobody") == 1
        told = capsys.readouterr().err
        assert "outbox list" in told and "store.trouble" not in told, "a mistyped id is no fault of the store"
    with open_folder(tmp_path / "home", KeyCabinet()):
        assert _run(outbox, "list") == 1 and "close the program" in capsys.readouterr().err
    monkeypatch.setattr("builtins.input", _nobody)
    for command, arguments in ((outbox, ("import", str(tmp_path))), (store_command, ("move-in",))):
        assert _run(command, *arguments) == 1 and "[" in capsys.readouterr().err, "nobody at the keyboard: named, no stack"
    for owner in ("OP-000018", "op:张三", "op:"):
        for arguments in (("list", "--owner", owner), ("import", str(tmp_path), "--owner", owner)):
            with pytest.raises(SystemExit) as ended:
                _run(outbox, *arguments)
            assert ended.value.code == 2 and "op:OP-000018" in capsys.readouterr().err, "records of such an owner would be seen by nobody"


def test_a_reader_that_has_seen_enough_is_no_trouble_of_the_store(ids: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """``hall-intake outbox list | head``."""
    reads, writes = os.pipe()
    os.close(reads)
    with os.fdopen(writes, "w", encoding="utf-8") as out, contextlib.redirect_stdout(out):
        assert _run(outbox, "list") == 0
    assert capsys.readouterr().err == ""


def _full(_descriptor: int) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _nobody(_prompt: str) -> str:
    raise EOFError


def test_a_person_at_a_terminal_gets_columns_words_and_what_to_do(ids: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "for_people", lambda _out: True)
    assert _run(outbox, "list") == 0
    heads, *lines = capsys.readouterr().out.splitlines()
    rows = [line for line in lines if line[:36] in ids]
    assert len(rows) == 3 and len({_places(line, "2026-") for line in rows}) == 1
    aside = next(line for line in rows if line.startswith(ids[1]))
    assert "单独放着 set_aside" in aside and "省平台没有收下 [province.refused]" in aside and any("outbox show" in line for line in lines)
    assert _places(heads, "保存") == _places(aside, "2026-"), "a Chinese character takes two places"
    assert _run(outbox, "show", ids[1]) == 0
    told = capsys.readouterr().out
    assert "怎么办" in told and "改正重办" in told and "replaced by" not in told, "what is empty is not shown"
    assert _run(outbox, "show", ids[0]) == 0 and "outbox retry" in capsys.readouterr().out


def _places(line: str, word: str) -> int:
    before = line[:line.index(word)]
    return len(before) + sum(unicodedata.east_asian_width(one) in "WF" for one in before)


def test_what_was_repaired_names_the_one_in_its_place_and_is_not_retried(ids: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with open_folder(tmp_path / "home", KeyCabinet()) as store:
        room = Room(store, Blobs(store.folder / "blobs", room=0, reserve=0), TO)
        one = replace(draft(1), replaces=ids[1])
        room.parked.put(one)
        new = room.keep(1, draft_id=one.draft_id)
    assert _run(outbox, "show", ids[1]) == 0
    told = capsys.readouterr().out
    assert f"replaced by: {new}" in told and "state: replaced" in told
    assert _run(outbox, "retry", ids[1]) == 0 and new in capsys.readouterr().out
    assert _run(outbox, "list", "--state", "replaced") == 0 and ids[1] in capsys.readouterr().out
    assert _run(outbox, "verify") == 0 and _run(outbox, "reconcile", "--day", "2026-11-22") == 1
    assert f"-> {new}" in capsys.readouterr().out


def test_verify_finds_a_changed_packet(ids: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(outbox, "verify") == 0
    packet = next(one for one in (tmp_path / "home" / "blobs").iterdir() if len(one.name) == 32)
    packet.write_bytes((whole := packet.read_bytes())[:-1] + bytes([whole[-1] ^ 1]))
    assert _run(outbox, "verify") == 1
    told = capsys.readouterr().err
    assert "packet.damaged" in told and "store.damaged" not in told, "one file is bad, not the store"


def test_the_journal_is_exported_and_checked_without_the_store(ids: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                               capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "journal.txt"
    assert _run(journal, "export", str(file)) == 0
    assert _run(journal, "export", str(file)) == 1 and "export.not_written" in capsys.readouterr().err, "never over a file that is there"
    with monkeypatch.context() as patch:
        patch.setattr("sync.medium.os.fsync", _full)
        assert _run(journal, "export", str(tmp_path / "half.txt")) == 1 and "export.not_written" in capsys.readouterr().err
    assert not (tmp_path / "half.txt").exists()
    with open_folder(tmp_path / "home", KeyCabinet()):
        assert _run(journal, "export", str(tmp_path / "no.txt")) == 1 and "close the program" in capsys.readouterr().err
    lines = file.read_bytes().splitlines()
    assert json.loads(lines[-1])["size"] == len(lines) - 1 and NAME not in file.read_text("utf-8")
    monkeypatch.setenv("HALL_INTAKE_HOME", str(tmp_path / "nowhere"))
    assert _run(journal, "verify", str(file)) == 0
    head = tmp_path / "head.json"
    head.write_bytes(lines[-1])
    file.write_bytes(b"\n".join([*lines[:1], *lines[2:]]))
    assert _run(journal, "verify", str(file)) == 1
    file.write_bytes(b"\n".join(lines[:-2]))
    assert _run(journal, "verify", str(file)) == 1
    file.write_bytes(b"\n".join(lines))
    assert _run(journal, "verify", str(file), "--head", str(head)) == 0
    assert "line 2" in capsys.readouterr().err


def test_the_key_is_changed_and_the_station_moves_by_commands(ids: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                              capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(store_command, "rekey") == 0 and _run(outbox, "verify") == 0
    assert _run(store_command, "move-out") == 0
    code = next(line.split(": ")[1] for line in capsys.readouterr().out.splitlines() if "moving code" in line)
    assert _run(outbox, "list") == 1 and "store.moved" in capsys.readouterr().err
    monkeypatch.setattr("builtins.input", lambda _prompt: "A" * 20)
    assert _run(store_command, "move-in") == 1 and "export.refused" in capsys.readouterr().err
    monkeypatch.setattr("builtins.input", lambda _prompt: code)
    assert _run(store_command, "move-in") == 0 and _run(outbox, "verify") == 0
    assert _run(store_command, "move-in") == 1 and "station.not_enrolled" in capsys.readouterr().err


def test_a_command_says_by_name_why_it_cannot(ids: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with open_folder(tmp_path / "home", KeyCabinet()):
        assert _run(outbox, "list") == 1
    assert "store.in_use" in capsys.readouterr().err
    monkeypatch.setenv("HALL_INTAKE_HOME", str(tmp_path / "nowhere"))
    assert _run(outbox, "list") == 1
    assert "station.not_enrolled" in capsys.readouterr().err


def test_a_correction_and_what_it_corrects_name_each_other(ids: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with open_folder(tmp_path / "home", KeyCabinet()) as store:
        room = Room(store, Blobs(store.folder / "blobs", room=0, reserve=0), TO)
        old = room.keep(7)
        room.outbox.receipted(old, b"receipt")
        room.outbox.remote_state(old, "correction_required", room.clock())
        one = replace(draft(8), amends=Amends(old, "sha256:" + "0" * 64, 2))
        room.parked.put(one)
        new = room.keep(8, draft_id=one.draft_id)
    for record_id, said in ((old, f"amended by: {new}"), (new, f"amends: {old}"), (new, "revision: 2")):
        assert _run(outbox, "show", record_id) == 0
        assert said in capsys.readouterr().out
