"""Signed checkpoints: made at the begin and end of a shift, checked without a store; edits, cuts and missing ones show. And the command that checks a file."""

from __future__ import annotations

import argparse
import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from desktop.commands import journal as journal_command
from sync.canon import canon, digest
from sync.checkpoints import Checkpoint, Checkpoints, Covered, verify_journal, wants_begin
from sync.errors import CertificateTrouble
from sync.journal import JournalFault
from sync.seal import PublicKeyInfo
from sync.signing import make_signature
from tests.emulators.records import Room, open_room
from tests.emulators.sm2_ca import PracticeSm2Ca, Sm2Person

OWNER = "op:OP-000017"


class Shift:
    """A journal, its checkpoints, and the clerk who signs them."""

    def __init__(self, room: Room, folder: Path, ca: PracticeSm2Ca) -> None:
        self.room, self.ca, self.clerk = room, ca, ca.person()
        self.points = Checkpoints(folder, room.store, room.journal)

    def write(self, count: int = 2) -> None:
        for number in range(count):
            with self.room.store.write() as tx:
                self.room.journal.write(tx, OWNER, "record.kept", "", {"number": number})

    def make(self, kind, clerk: Sm2Person | None = None, by: str = OWNER) -> Checkpoint:
        return self.points.make(kind, by, lambda content, at: make_signature(content, clerk or self.clerk, at), datetime.now(UTC))

    def day(self) -> None:
        """Begin, work, end, and a begun second shift."""
        self.make("begin")
        self.write()
        self.make("end")
        self.make("begin")
        self.write(3)

    def verify(self, lines: list[bytes] | None = None, points: list[bytes] | None = None, head: dict[str, Any] | None = None, roots=None) -> Covered:
        lines = list(self.room.journal.lines()) if lines is None else lines
        points = list(self.points.lines()) if points is None else points
        return verify_journal(lines, head or self.room.journal.head(), points, self.ca.signer_roots if roots is None else roots)


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> PracticeSm2Ca:
    return PracticeSm2Ca(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def shift(tmp_path: Path, ca: PracticeSm2Ca) -> Iterator[Shift]:
    with open_room(tmp_path / "home", bytes(32), PublicKeyInfo("", b"")) as room:
        room.clock.now = datetime.now(UTC).replace(microsecond=0)
        yield Shift(room, tmp_path / "home" / "checkpoints", ca)


def forged_head(lines: list[bytes], head: dict[str, Any]) -> dict[str, Any]:
    """What somebody who cuts a journal writes at its end: the head is not signed."""
    return {**head, "size": len(lines), "head": digest(lines[-1])}


def test_a_day_with_two_shifts(shift: Shift) -> None:
    assert shift.verify().checkpoints == () and not shift.verify().open_shift
    shift.day()
    covered = shift.verify()
    assert [(one.number, one.kind, one.by) for one in covered.checkpoints] == [(1, "begin", OWNER), (2, "end", OWNER), (3, "begin", OWNER)]
    assert (covered.chain.size, covered.uncovered, covered.open_shift, covered.trusted) == (8, 4, True, True)
    shift.make("end")
    after = shift.verify()
    assert (after.open_shift, after.uncovered) == (False, 1), "the line that names the last checkpoint comes after it"
    assert not shift.verify(roots=()).trusted
    assert shift.points.last() == after.checkpoints[-1]


def test_what_was_signed_for_cannot_be_edited_or_cut(shift: Shift) -> None:
    shift.day()
    lines, head = list(shift.room.journal.lines()), shift.room.journal.head()
    chained: list[bytes] = []
    for number, one in enumerate(lines):  # edited, and every link made anew: the chain holds by itself
        line = json.loads(one) | ({"prev": digest(chained[-1])} if chained else {})
        chained.append(canon(line | {"facts": {}} if number == 1 else line))
    with pytest.raises(JournalFault, match="not those that were signed for"):
        shift.verify(chained, head=forged_head(chained, head))
    for kept in (0, 1, 2, 3):
        with pytest.raises(JournalFault) as caught:
            shift.verify(lines[:kept], head=forged_head(lines[:kept], head) if kept else {**head, "size": 0, "head": "sha256:" + "0" * 64})
        assert caught.value.facts["line"] == kept + 1
    assert shift.verify(lines[:5], head=forged_head(lines[:5], head)).uncovered == 1, "behind the last checkpoint only a head kept elsewhere shows a cut"
    with pytest.raises(JournalFault):
        shift.verify(lines[:5], head=head)


def test_a_missing_swapped_or_foreign_checkpoint_shows(shift: Shift, ca: PracticeSm2Ca) -> None:
    shift.day()
    one, two, three = shift.points.lines()
    for points in ([], [two, three], [one, three], [one, two], [two, one, three], [one, one, two, three], [one, two, b"rubbish"], [one, two, b"{}"]):
        with pytest.raises(JournalFault):
            shift.verify(points=points)
    stranger = ca.person("OP-000099", "假冒")

    def resigned(untrusted: bytes, by: Sm2Person, /, **changed: Any) -> bytes:
        members = json.loads(untrusted)
        content = canon(json.loads(base64.b64decode(members["checkpoint"])) | changed)
        members["checkpoint"] = base64.b64encode(content).decode()
        members["signature"] = base64.b64encode(make_signature(content, by, datetime.now(UTC))).decode()
        return canon(members)

    for bad in (resigned(three, stranger), resigned(three, stranger, by="op:OP-000099"), resigned(three, shift.clerk, kind="end"),
                three.replace(b'"signature":"MII', b'"signature":"MIJ')):
        with pytest.raises(JournalFault):
            shift.verify(points=[one, two, bad])


def test_signers_are_traced_to_the_roots(shift: Shift, tmp_path: Path) -> None:
    shift.make("begin")
    other = PracticeSm2Ca(tmp_path / "other")
    with pytest.raises(JournalFault, match="not trusted"):
        shift.verify(roots=other.signer_roots)


def test_a_signature_that_fails_keeps_nothing(shift: Shift) -> None:
    def refuse(content: bytes, at: datetime) -> bytes:
        raise CertificateTrouble("pulled", why="path")

    with pytest.raises(CertificateTrouble):
        shift.points.make("begin", OWNER, refuse, datetime.now(UTC))
    assert shift.points.last() is None and shift.room.journal.head()["size"] == 0


def test_a_crash_between_file_and_line_is_no_fault(shift: Shift, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is durable first; the line that should name it never came."""
    shift.write()
    monkeypatch.setattr(shift.room.journal, "write", lambda *args: (_ for _ in ()).throw(OSError("power")))
    with pytest.raises(OSError, match="power"):
        shift.make("begin")
    monkeypatch.undo()
    shift.make("end")
    covered = shift.verify()
    assert [one.number for one in covered.checkpoints] == [1, 2]


def test_when_a_login_begins_a_shift() -> None:
    now = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
    last = Checkpoint(1, "begin", OWNER, 1, "", "", "", now - timedelta(hours=3), "")
    assert wants_begin(None, OWNER, now) and wants_begin(last, "op:OP-000018", now) and wants_begin(last, OWNER, now + timedelta(hours=10))
    assert not wants_begin(last, OWNER, now)
    ended = Checkpoint(2, "end", OWNER, 1, "", "", "", now, "")
    assert wants_begin(ended, OWNER, now)


# -- the command --------------------------------------------------------------------------------------------------------------------------
def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    journal_command.add_arguments(parser)
    return journal_command.run(parser.parse_args(words))


def test_command_checks_a_file_offline(shift: Shift, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shift.day()
    lines, points, head = list(shift.room.journal.lines()), list(shift.points.lines()), shift.room.journal.head()
    file, roots, kept = tmp_path / "journal.txt", tmp_path / "root.der", tmp_path / "head.json"
    roots.write_bytes(shift.ca.signer_roots[0])
    kept.write_bytes(canon(head))

    def write(*parts: bytes) -> str:
        file.write_bytes(b"\n".join(parts) + b"\n")
        return str(file)

    assert run("verify", write(*lines, *points, canon(head)), "--roots", str(roots), "--head", str(kept)) == 0
    said = capsys.readouterr().out
    assert "检查点 2  交班  op:OP-000017" in said and "签名人可信" in said and "没有交班" in said and "有 4 行" in said
    assert run("verify", write(*lines, *points, canon(head))) == 0
    assert "没有和根证书核对" in capsys.readouterr().out
    assert run("verify", write(*lines, *points[:2], canon(head))) == 1, "the journal names a third checkpoint"
    cut = [*lines[:3], *points, canon(forged_head(lines[:3], head))]
    assert run("verify", write(*cut)) == 1, "cut behind the second checkpoint"
    assert run("verify", write(*lines[:5], *points, canon(forged_head(lines[:5], head)))) == 0
    assert run("verify", str(file), "--head", str(kept)) == 1, "the province's head knows of more lines"
    for bad in ((*lines, *points), (*lines, canon(head), *points), (*lines[:2], points[0], *lines[2:], canon(head)), (*lines, b"rubbish", canon(head))):
        assert run("verify", write(*bad)) == 1
