"""A day of signing at the desk's stages, on the real parts: unsigned records, one PIN for the list, a takeover, the shift, and its journal checked offline.

The windows have scenes of their own. Never a clock that is judged.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from desktop.app import Desk
from desktop.commands import journal
from desktop.flows.words import (
    AskPin,
    BackPressed,
    BatchAsked,
    BuildPressed,
    KeepUnsignedPressed,
    LinePicked,
    LockPressed,
    ReasonEdited,
    RowsTicked,
    SignPressed,
    SwitchPressed,
    SyncPressed,
)
from sync.canon import canon, digest, parse_canonical
from sync.seal import RECORD_PART
from tests.scenes.hall import COLLECTOR, SUPERVISOR, TOP, PracticeHall, Someone
from tests.scenes.stages import capture, lift, log_in, reviewed, type_in, until

pytestmark = pytest.mark.timeout(300)
MANY = 3


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeHall]:
    with PracticeHall(tmp_path_factory.mktemp("h")) as open_hall:
        yield open_hall


def command(*words: str) -> subprocess.CompletedProcess[str]:
    """``hall-intake`` as a person calls it."""
    return subprocess.run([sys.executable, "-m", "desktop", *words], cwd=TOP, env=os.environ | {"PYTHONPATH": str(TOP)}, capture_output=True, text=True)


def kept_unsigned(desk: Desk, hall: PracticeHall) -> None:
    """One sitting whose record is kept without a signature."""
    hall.place()
    until(lambda: desk.intake.state.draft and desk.intake.state.draft.text("person.name_zh"), "the form filled from the card", 40)
    type_in(desk)
    capture(desk)
    reviewed(desk)
    desk.review.post(KeepUnsignedPressed())
    until(lambda: desk.review.state.page == "kept_unsigned", "kept without a signature", 30, lambda: desk.review.state.trouble)
    desk.review.post(BackPressed())
    lift(desk, hall)


def to_pin(desk: Desk) -> None:
    desk.batch.post(AskPin())
    until(lambda: desk.batch.state.page == "pin", "the PIN of the list", 30, lambda: (desk.batch.state.page, desk.batch.state.trouble))


def signed_list(desk: Desk, pin: str) -> tuple[str, ...]:
    """From the built list to its end; the records that were signed."""
    until(lambda: desk.batch.state.page == "confirming", "the list to confirm", 30, lambda: (desk.batch.state.page, desk.batch.state.trouble))
    to_pin(desk)
    desk.batch.post(SignPressed(pin))
    ended = until(lambda: desk.batch.state.page == "ended" and desk.batch.state.ended, "the list signed", 60, lambda: desk.batch.state.trouble)
    assert (ended.reason, ended.failed, ended.left) == ("done", (), ()), ended
    return ended.done


def receipted(desk: Desk, record_ids: Sequence[str]) -> None:
    def states() -> set[str]:
        return {desk.rooms().outbox.row(one).state for one in record_ids}  # type: ignore[union-attr]

    until(lambda: states() == {"receipted"}, "receipts", 60, states)


def change_over(desk: Desk, hall: PracticeHall, to: Someone) -> None:
    """Another person takes the desk over with their own token."""
    desk.intake.post(LockPressed())
    until(lambda: desk.login.state.page != "in", "the desk locked")
    for one in (COLLECTOR, SUPERVISOR):
        token = hall.people[one.id]
        (token.pull if token.plugged and one is not to else token.replug if not token.plugged and one is to else lambda: None)()
    desk.login.post(SwitchPressed())
    until(lambda: desk.login.state.chosen is not None and desk.login.state.chosen.signer_id == to.id, "their certificate", 60, lambda: desk.login.state)
    log_in(desk, to.pin)


@pytest.fixture(scope="module")
def day(hall: PracticeHall, qt_application: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """The day itself; the folders of its records (record.json, record.p7s, acts) and its journal, as files."""
    out = tmp_path_factory.mktemp("out")
    desk = Desk(hall.home)
    desk.begin()
    try:
        log_in(desk, COLLECTOR.pin)
        for _ in range(MANY):
            kept_unsigned(desk, hall)
        desk.batch.post(BatchAsked())
        until(lambda: desk.batch.state.page == "choosing", "the list of what waits")
        rows = desk.batch.state.rows
        assert len(rows) == MANY and all(one.own for one in rows)
        desk.batch.post(RowsTicked((rows[-1].record_id,), False))  # one is left for the supervisor
        desk.batch.post(BuildPressed())
        until(lambda: desk.batch.state.page == "confirming", "the list to confirm")
        desk.batch.post(LinePicked(rows[0].record_id))
        sheet = until(lambda: desk.batch.state.page == "sheet" and desk.batch.state.sheet, "the page of one record")
        assert sheet.record["record_id"] == rows[0].record_id and set(sheet.pictures) == {"a1.jpg", "a2.jpg"}
        desk.batch.post(BackPressed())
        done = signed_list(desk, COLLECTOR.pin)
        assert done == tuple(one.record_id for one in rows[:-1])
        assert desk.rooms().outbox.row(done[0]).record_digest == sheet.digest  # type: ignore[union-attr]
        receipted(desk, done)
        desk.batch.post(BackPressed())

        desk.batch.post(BatchAsked("shift"))
        until(lambda: desk.batch.state.page == "pin", "the PIN for the shift's end")
        desk.batch.post(SignPressed(COLLECTOR.pin))
        until(lambda: desk.batch.state.page == "ended" and desk.batch.state.shift, "the shift handed over")
        until(lambda: desk.login.state.page != "in", "the desk locked behind it")
        log_in(desk, COLLECTOR.pin)

        change_over(desk, hall, SUPERVISOR)
        desk.batch.post(BatchAsked())
        until(lambda: desk.batch.state.page == "choosing", "the supervisor's list")
        (left,) = desk.batch.state.rows
        assert (left.record_id, left.own, left.collector) == (rows[-1].record_id, False, COLLECTOR.name)
        for event in (RowsTicked((left.record_id,)), ReasonEdited("采集员证书介质损坏"), BuildPressed()):
            desk.batch.post(event)
        assert signed_list(desk, SUPERVISOR.pin) == (left.record_id,)
        receipted(desk, (left.record_id,))
        desk.batch.post(BatchAsked("shift"))
        until(lambda: desk.batch.state.page == "pin", "the PIN for the shift's end")
        desk.batch.post(SignPressed(SUPERVISOR.pin))
        until(lambda: desk.batch.state.page == "ended" and desk.batch.state.shift, "the shift handed over")
        folders = {one.record_id: save(desk, one.record_id, out) for one in rows}
        desk.intake.post(SyncPressed())
        size = desk.rooms().journal.head()["size"]
        until(lambda: told(hall, desk)[-1:] and told(hall, desk)[-1]["size"] >= size, "the head at the province", 90, lambda: told(hall, desk)[-1:])
        (out / "head.json").write_bytes(canon(told(hall, desk)[-1]))
    finally:
        hall.lift()
        assert desk.close() == ()
    (out / "root.pem").write_bytes((hall.ca.folder / "root.pem").read_bytes())
    said = command("journal", "export", str(out / "journal.txt"))
    assert said.returncode == 0, said.stderr
    yield folders | {"journal": out / "journal.txt", "head": out / "head.json", "roots": out / "root.pem"}


def told(hall: PracticeHall, desk: Desk) -> list[dict[str, object]]:
    """The heads that the province has, in the form of an auditor's file."""
    station = desk.rooms().station.station_id
    heads = hall.province.order("journal-heads", station_id=station)["heads"]
    return [{"type": "hall-intake/journal-head/1", "station_id": station, "size": one["size"], "head": one["head"], "at": one["at"]} for one in heads]


def save(desk: Desk, record_id: str, out: Path) -> Path:
    """What an archive keeps of a record."""
    folder, row = out / record_id, desk.rooms().outbox.row(record_id)
    folder.mkdir()
    assert row is not None
    (content,) = [one.content for one in desk.rooms().outbox.open_packet(record_id) if one.name == RECORD_PART]
    (folder / "record.json").write_bytes(content)
    (folder / "record.p7s").write_bytes(row.signature)
    for number, act in enumerate(row.acts, 1):
        (folder / f"act{number}.json").write_bytes(act.act)
        (folder / f"act{number}.p7s").write_bytes(act.signature)
    return folder


def test_every_record_of_the_day_is_verifiable_by_itself(day: dict[str, Path]) -> None:
    for record_id, folder in list(day.items())[:MANY]:
        said = command("signature", "verify", str(folder), "--roots", str(day["roots"]))
        assert said.returncode == 0 and "有效" in said.stdout, (record_id, said.stdout, said.stderr)
        by = SUPERVISOR if (folder / "act1.json").exists() else COLLECTOR
        assert f"签名人 {by.name}（编号 {by.id}" in said.stdout and (by is COLLECTOR) != ("接办" in said.stdout)
        openssl = ["openssl", "cms", "-verify", "-binary", "-cades", "-inform", "DER", "-in", "record.p7s", "-content", "record.json",
                   "-CAfile", str(day["roots"]), "-purpose", "any", "-out", "/dev/null"]
        done = subprocess.run(openssl, cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert sum((folder / "act1.json").exists() for folder in list(day.values())[:MANY]) == 1


def test_the_journal_of_the_day_holds_offline(day: dict[str, Path]) -> None:
    said = command("journal", "verify", str(day["journal"]), "--roots", str(day["roots"]), "--head", str(day["head"]))
    assert said.returncode == 0, said.stderr
    words = said.stdout
    assert f"检查点 1  上班  op:{COLLECTOR.id}" in words and f"检查点 2  交班  op:{COLLECTOR.id}" in words and f"交班  op:{SUPERVISOR.id}" in words
    assert "签名人可信" in words and "日志完整" in words
    whats = [parse_canonical(line)["what"] for line in day["journal"].read_bytes().splitlines() if b'"hall-intake/journal/1"' in line]
    assert whats.count("batch.begun") == whats.count("batch.ended") == 2 and whats.count("record.signed") == MANY and "record.kept" in whats


CHANGES = ["cut", "cut with its checkpoint, head made anew", "edited", "reordered", "checkpoint forged", "checkpoint gone", "checkpoints swapped"]


@pytest.mark.parametrize("case", CHANGES)
def test_a_changed_journal_is_found_out(day: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], case: str) -> None:
    everything = day["journal"].read_bytes().splitlines()
    lines = [one for one in everything if b'"type":"hall-intake/journal/1"' in one]
    points = [one for one in everything if b"signed-checkpoint" in one]
    head = json.loads(everything[-1])
    assert len(points) >= 4 and len(lines) + len(points) + 1 == len(everything)
    roots, known = day["roots"], day["head"]
    match case:
        case "cut":
            lines = lines[:-1]
        case "cut with its checkpoint, head made anew":  # chain and checkpoints hold; only the province's head knows of more
            last = max(number for number, one in enumerate(lines) if b'"what":"journal.checkpoint"' in one)
            lines, points = lines[:last], points[:-1]
            head |= {"size": len(lines), "head": digest(lines[-1])}
            assert verified(written(tmp_path, lines, points, head), roots) == 0, "without the province's head nobody can know"
        case "edited":
            lines[4] = lines[4].replace(b'"seq":5', b'"seq":6')
        case "reordered":
            lines[3], lines[4] = lines[4], lines[3]
        case "checkpoint forged":
            forged = json.loads(points[1])
            forged["signature"] = json.loads(points[0])["signature"]
            points[1] = canon(forged)
        case "checkpoint gone":
            points = points[:-1]
        case _:
            points[0], points[1] = points[1], points[0]
    capsys.readouterr()
    assert verified(written(tmp_path, lines, points, head), roots, "--head", str(known)) == 1
    assert "journal.fault" in capsys.readouterr().err


def verified(file: Path, roots: Path, *more: str) -> int:
    """``hall-intake journal verify`` within this process."""
    parser = argparse.ArgumentParser()
    journal.add_arguments(parser)
    return journal.run(parser.parse_args(["verify", str(file), "--roots", str(roots), *more]))


def written(folder: Path, lines: list[bytes], points: list[bytes], head: dict[str, object]) -> Path:
    file = folder / "changed.txt"
    file.write_bytes(b"\n".join([*lines, *points, canon(head)]) + b"\n")
    return file


def test_list_names_tokens_people_and_what_is_known_of_revocation(hall: PracticeHall, day: dict[str, Path]) -> None:
    said = command("sign", "list")
    assert said.returncode == 0, said.stderr
    assert SUPERVISOR.name in said.stdout and "PIN: 正常" in said.stdout and "可信；角色" in said.stdout
    assert "没有被吊销（0 小时前的名单）" in said.stdout, "the list came with the sync"
