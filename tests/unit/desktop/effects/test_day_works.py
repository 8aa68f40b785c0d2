"""Sheet, changes and export at the desk, over a real store: nobody sees another person's record by name, and what was stopped answers nothing."""

from __future__ import annotations

import base64
import threading
import uuid
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication

from desktop.bridge.jobs import Jobs
from desktop.effects.drafts import DraftWork
from desktop.effects.exports import ExportWork
from desktop.effects.mail import MailWork
from desktop.effects.notices import NoticeWork
from desktop.effects.sheets import SheetWork
from desktop.errors import NoPrinter, NotSaved
from desktop.flows.machine import Failed
from desktop.flows.words import ListOutbox, ListParked
from desktop.flows.words.day import Exported, ExportRecord, MakeSheet, PrintSheet, SaveSheet, SheetCounted, SheetFacts, SheetMade, SheetSaved, StationChanged
from sync.canon import canon, parse_canonical
from sync.errors import ExportNotWritten, NotAllowed, PacketDamaged, StoreTrouble
from sync.journal import JournalFault
from sync.outbox_row import Summary
from sync.seal import seal
from tests.emulators.records import NAME, OWNER, STATION_ID, Room, draft, new_recipient, open_room
from tests.scenes.stages import until

TO = new_recipient("k")[1]
OTHER = "op:OP-000018"
DAY = date(2026, 11, 22)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with open_room(tmp_path / "home", bytes(32), TO) as made:
        yield made


@pytest.fixture
def jobs(qt_application: QApplication) -> Iterator[Jobs]:
    made = Jobs()
    yield made
    assert made.close() == ()


def rooms(room: Room, **station: Any) -> Any:
    """What of ``Rooms`` these works use."""
    people = {"OP-000018": SimpleNamespace(name="刘洋")}
    made = SimpleNamespace(outbox=room.outbox, journal=room.journal, store=room.store, blobs=room.blobs,
                           station=SimpleNamespace(station_id=STATION_ID, person=people.get, **station))

    def note(who: str, what: str, about: str = "", facts: Any = None) -> None:
        with room.store.write() as tx:
            room.journal.write(tx, who, what, about, facts)

    made.note = note
    return made


def whats(room: Room) -> list[str]:
    return [str(parse_canonical(one, "journal")["what"]) for one in room.journal.lines()]


# -- the sheet ----------------------------------------------------------------------------------------------------------------------------
def make(room: Room, day: date | None = None, owner: str = OWNER) -> SheetFacts:
    work = SheetWork(lambda: rooms(room), lambda: owner, None, room.clock)  # type: ignore[arg-type]
    return work.make(MakeSheet(day), owner, threading.Event(), lambda *_: None)


def test_own_records_by_name_and_those_of_others_by_who_keeps_them(room: Room) -> None:
    own, other, unsigned = room.keep(1), room.keep(2, owner=OTHER), room.keep(3, signed=False)
    facts = make(room)
    assert facts.today == DAY == facts.sheet.day and (facts.sheet.captured, facts.sheet.signed, facts.sheet.sent) == (3, 2, 0)
    lines = {one.difference.record_id: one for one in facts.lines}
    assert set(lines) == {own, other, unsigned}
    assert (lines[own].name, lines[own].own) == (NAME, True) and lines[unsigned].difference.kind == "unsigned"
    assert (lines[other].name, lines[other].id_tail, lines[other].keeper, lines[other].own) == ("", "", "刘洋", False)
    assert NAME not in repr(facts)


def test_an_earlier_day_has_what_it_left_open(room: Room) -> None:
    record_id = room.keep(1)
    room.clock.forward(days=1)
    facts = make(room)
    assert facts.sheet.day == date(2026, 11, 23) and facts.sheet.captured == 0
    assert [one.difference.record_id for one in facts.earlier] == [record_id] and not facts.sheet.balanced
    assert make(room, DAY).lines[0].difference.record_id == record_id


def test_a_journal_that_was_edited_gives_no_sheet(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    room.keep(1)
    (line,) = room.journal.lines()
    monkeypatch.setattr(room.journal, "lines", lambda: iter((line.replace(b"record.kept", b"record.lost"),)))
    with pytest.raises(JournalFault):
        make(room)


def test_each_list_says_whose_people_it_names(room: Room, qt_application: QApplication) -> None:
    """Then the desk does not show it to who came to sit there meanwhile."""
    room.keep(1)
    room.parked.put(draft(2))
    made = rooms(room)
    made.parked = room.parked
    mail, drafts = MailWork(lambda: made, lambda: OWNER, None, None), DraftWork(lambda: made, lambda: OWNER, lambda: "", None)  # type: ignore[arg-type]
    kept, parked = mail.list(ListOutbox(), threading.Event(), None), drafts.list(ListParked(), threading.Event(), None)
    assert (kept.owner, len(kept.rows), parked.owner, len(parked.parked)) == (OWNER, 1, OWNER, 1)


@pytest.mark.parametrize("how", ["whole", "no key", "damaged", "gone"])
def test_a_receipt_is_shown_whatever_became_of_the_packet(room: Room, how: str) -> None:
    """Also of a record that another station sealed and this one sent: its person waits for the paper."""
    one = seal(canon({"attachments": [{}, {}], "collector": {"name": "王敏"}}), (), str(uuid.uuid4()), STATION_ID, TO, TO)
    room.outbox.keep(one, one.record_digest, b"p7s", (), OWNER, Summary(NAME, "0012"), station_wrap=how != "no key")
    record_id = one.record_id
    row = room.outbox.row(record_id)
    assert row is not None
    payload = base64.b64encode(canon({"serial": "R-1", "received_at": "2026-11-22T06:00:00Z"})).decode()
    room.outbox.receipted(record_id, canon({"payload": payload}))
    path = room.blobs.path(row.packet_blob)
    if how in ("damaged", "gone"):
        path.unlink() if how == "gone" else path.write_bytes(path.read_bytes()[:-1] + b"\x00")
        with pytest.raises(PacketDamaged):
            room.outbox.open_packet(record_id)
    made = rooms(room, practice=True, province_name="省", hall_name="厅", window="07")
    facts = MailWork(lambda: made, lambda: OWNER, None, None).receipt(record_id)  # type: ignore[arg-type]
    assert (facts.serial, facts.name) == ("R-1", NAME)
    assert (facts.attachments, facts.collector) == ((2, "王敏") if how == "whole" else (None, "")), "and no paper says that there were none"


def test_a_sheet_that_was_stopped_answers_nothing_and_the_next_one_does(room: Room, jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("desktop.effects.sheets._TELL_EVERY", 1)
    begun, go_on, answers = threading.Event(), threading.Event(), list[Any]()
    room.keep(1)
    work = SheetWork(lambda: rooms(room), lambda: OWNER, jobs, room.clock)
    inner = room.journal.lines

    def slow(start: int = 1) -> Iterator[bytes]:
        begun.set()
        go_on.wait(30)
        return inner(start)

    monkeypatch.setattr(room.journal, "lines", slow)
    work.start(MakeSheet(), answers.append)
    until(begun.is_set, "the first one at work")
    work.stop(None, answers.append)  # type: ignore[arg-type]
    work.start(MakeSheet(DAY), answers.append)
    go_on.set()
    until(lambda: any(isinstance(one, SheetMade) for one in answers), "the second sheet")
    until(lambda: not jobs.busy("sheet"), "nothing more")
    assert [one.owner for one in answers if isinstance(one, SheetMade)] == [OWNER] and not any(isinstance(one, Failed) for one in answers)
    assert any(isinstance(one, SheetCounted) and one.total == 1 for one in answers)


def test_a_fault_is_told_as_such(room: Room, jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[Any] = []
    monkeypatch.setattr(room.outbox, "rows", lambda **_: (_ for _ in ()).throw(StoreTrouble("x")))
    room.keep(1)
    SheetWork(lambda: rooms(room), lambda: OWNER, jobs, room.clock).start(MakeSheet(), answers.append)
    until(lambda: any(isinstance(one, Failed) for one in answers), "the trouble")
    assert answers[-1].effect == "MakeSheet" and isinstance(answers[-1].trouble, StoreTrouble)


def test_what_was_handed_out_stands_in_the_journal(room: Room, jobs: Jobs) -> None:
    work, answers, painted = SheetWork(lambda: rooms(room), lambda: OWNER, jobs, room.clock), list[Any](), list[str]()
    facts = make(room)
    with pytest.raises(NotSaved):
        work.hand_out(PrintSheet(facts), answers.append)
    work.paint = lambda _facts, path: painted.append(path)
    work.hand_out(PrintSheet(facts), answers.append)
    work.hand_out(SaveSheet(facts, "/x/day.pdf"), answers.append)
    until(lambda: {"sheet.printed", "sheet.saved"} <= set(whats(room)), "the journal")
    assert painted == ["", "/x/day.pdf"] and answers == [SheetSaved(), SheetSaved("/x/day.pdf")]

    def refuse(_facts: SheetFacts, _path: str) -> None:
        raise NoPrinter("none")

    work.paint = refuse
    with pytest.raises(NoPrinter):
        work.hand_out(PrintSheet(facts), answers.append)
    until(lambda: not jobs.busy("outbox"), "the lane")
    assert whats(room).count("sheet.printed") == 1


# -- what the platform changed ------------------------------------------------------------------------------------------------------------
def view(**other: Any) -> Any:
    values: dict[str, Any] = {
        "hall_name": "大厅", "window": "07", "people": (), "sams": ("s1",), "retention_days": 30, "publicity_workdays": 7, "tables": {},
        "intake": SimpleNamespace(kid="i1"), "recovery": SimpleNamespace(kid="r1"), "certificate_digest": "c1", "kept": {},
        "keys": SimpleNamespace(keys=()), "signer_roots": (), "tls_roots": (), "late": "",
    }
    return SimpleNamespace(**(values | other))


def test_a_change_is_told_once_and_after_a_restart_again(room: Room, jobs: Jobs) -> None:
    got: list[StationChanged] = []
    desk = rooms(room)
    desk.station = view()
    work = NoticeWork(lambda: desk, jobs, got.append, room.clock)
    work.start()
    until(lambda: got, "the first word")
    work.look()
    assert len(got) == 1 and got[0].changes == ()
    desk.station = view(window="08")
    work.look()
    work.look()
    assert len(got) == 2 and [one.what for one in got[1].changes] == ["window"]
    until(lambda: not jobs.busy("outbox"), "kept")
    again = NoticeWork(lambda: desk, jobs, got.append, room.clock)
    again.start()
    until(lambda: len(got) == 3, "the word after a restart")
    assert [(one.what, one.facts["window"]) for one in got[2].changes] == [("window", "08")]
    until(lambda: not jobs.busy("outbox"), "kept")
    room.clock.forward(days=15)
    NoticeWork(lambda: desk, jobs, got.append, room.clock).start()
    until(lambda: len(got) == 4, "the word two weeks later")
    assert got[3].changes == ()


def test_what_came_down_just_before_the_end_is_told_at_the_next_start(room: Room, jobs: Jobs) -> None:
    """The station's row is there, the screen was never told: killed between the two."""
    got: list[StationChanged] = []
    desk = rooms(room)
    desk.station = view()
    NoticeWork(lambda: desk, jobs, got.append, room.clock).start()
    until(lambda: got and not jobs.busy("outbox"), "the first start")
    desk.station = view(window="08")
    NoticeWork(lambda: desk, jobs, got.append, room.clock).start()
    until(lambda: len(got) == 2 and not jobs.busy("outbox"), "the next start")
    assert [one.what for one in got[1].changes] == ["window"]
    NoticeWork(lambda: desk, jobs, got.append, room.clock).start()
    until(lambda: len(got) == 3, "the start after")
    assert [one.what for one in got[2].changes] == ["window"], "and once only"


# -- one record onto a medium -------------------------------------------------------------------------------------------------------------
def test_only_ones_own_unsent_record_is_exported(room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    def export(*args: Any, who: str, only: tuple[str, ...]) -> Any:
        seen.append((who, only, args[3]))
        return SimpleNamespace(records=only, signed=True, code="ABCD-EFGH")

    monkeypatch.setattr("desktop.effects.exports.export_queue", export)
    own, other = room.keep(1), room.keep(2, owner=OTHER)
    work = ExportWork(lambda: rooms(room), lambda: OWNER)
    path = str(tmp_path / "a.zip")
    assert work.export(ExportRecord(own, path), threading.Event(), None) == Exported(own, path, "ABCD-EFGH")
    assert seen == [(OWNER, (own,), Path(path))]
    with pytest.raises(NotAllowed):
        work.export(ExportRecord(other, path), threading.Event(), None)
    with pytest.raises(StoreTrouble):
        work.export(ExportRecord("00000000-0000-4000-8000-000000000000", path), threading.Event(), None)
    monkeypatch.setattr("desktop.effects.exports.export_queue", lambda *_, **__: (_ for _ in ()).throw(ExportNotWritten("x", path="a.zip")))
    with pytest.raises(ExportNotWritten):
        work.export(ExportRecord(own, path), threading.Event(), None)
