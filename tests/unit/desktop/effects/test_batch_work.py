"""Many records under one login, over a real store and a soft SKF token: each signed, verified and durable by itself; an end leaves the rest unsigned."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest

from desktop.effects import batch_deeds
from desktop.effects.beside import Beside, in_lane, inline
from desktop.flows.words.batch import BatchEnded, BuildBatch, Deed, ListWaiting, ShowBatchRecord, SignBatch
from devices.errors import WrongPin
from devices.tokens.skf import SkfDriver
from sync.acts import check_record
from sync.batch import BatchItem, BatchLimits
from sync.canon import canon, digest, parse_canonical
from sync.draft import time_text
from sync.errors import DiskFull, SignatureInvalid, StoreTrouble
from sync.journal import verify_lines
from sync.outbox_row import Summary
from sync.seal import RECORD_PART, seal
from sync.signing import Signer, certificate_facts, make_signature
from sync.slip import open_slip
from tests.emulators.records import new_recipient, open_room
from tests.emulators.sm2_ca import PracticeSm2Ca
from tests.emulators.softskf import SoftSkf
from tests.unit.desktop.effects.batch_room import BatchRoom

PIN = "123456"
ROLES = {"OP-000017": frozenset({"collector"}), "SV-000003": frozenset({"supervisor", "collector"})}
TO = new_recipient("k")[1]


class Tokens:
    def __init__(self, folder: Path) -> None:
        self.ca, self.skf = PracticeSm2Ca(folder / "ca"), SoftSkf(folder / "skf")
        self.skf.make_person(self.ca, "operator", PIN, "OP-000017", "张三")
        self.skf.make_person(self.ca, "supervisor", PIN, "SV-000003", "李四", ("supervisor",))
        self.roots = (*self.ca.signer_roots, *self.ca.chain)


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Tokens:
    return Tokens(tmp_path_factory.mktemp("batch-tokens"))


def desk(tokens: Tokens, folder: Path, label: str = "operator", limits: BatchLimits | None = None, beside: Beside = inline) -> Iterator[BatchRoom]:
    with open_room(folder / "home", bytes(32), TO) as room:
        driver = SkfDriver(tokens.skf.path, "skf", emulated=True)
        made = BatchRoom(room, driver, tokens.roots, TO, ROLES, label, limits, beside)
        yield made
        driver.close()
    tokens.skf.heal()


@pytest.fixture
def room(tokens: Tokens, tmp_path: Path) -> Iterator[BatchRoom]:
    """The disk beside the token, as in the program; the supervisor's desk has all in one thread."""
    with ThreadPoolExecutor(1) as pool:
        yield from desk(tokens, tmp_path, beside=lambda work: pool.submit(work).result)


@pytest.fixture
def supervisors(tokens: Tokens, tmp_path: Path) -> Iterator[BatchRoom]:
    yield from desk(tokens, tmp_path, "supervisor")


def verify(room: BatchRoom, record_id: str) -> None:
    """The row's own signature over the record in its own packet, by the person on the record."""
    row = room.outbox.row(record_id)
    assert row is not None and row.state == "kept"
    (content,) = [one.content for one in room.outbox.open_packet(record_id) if one.name == RECORD_PART]
    assert digest(content) == row.record_digest
    verdict = check_record(content, row.signature, row.acts, room.roots, lambda id: ROLES.get(id, frozenset()), datetime.now(UTC))
    assert verdict.holds and verdict.signature.profile == "gm-p7-plain"


def journal(room: BatchRoom) -> list[tuple[str, dict]]:
    lines = list(room.journal.lines())
    verify_lines(lines, room.journal.head())
    return [(line["what"], line["facts"]) for line in (parse_canonical(one) for one in lines)]


def test_one_pin_for_a_confirmed_list(room: BatchRoom, tokens: Tokens) -> None:
    ids = [room.unsigned() for _ in range(4)]
    built = room.build(*ids)
    assert [one.item.record_id for one in built.lines] == ids and built.refused == () and not any(one.takeover for one in built.lines)
    assert built.lines[0].name == "李国强"
    ended = room.sign(built, PIN)
    assert (ended.reason, ended.done, ended.failed, ended.left, ended.code) == ("done", tuple(ids), (), (), "")
    assert tokens.skf.logins == 1 and room.kept == ids
    assert [one for one in room.told if one[0] == "sign"] == [("sign", n, 4) for n in (1, 2, 3, 4)]
    for record_id in ids:
        verify(room, record_id)
    lines = journal(room)
    assert [what for what, _ in lines if what.startswith("batch.")] == ["batch.begun", "batch.ended"]
    assert lines[-1] == ("batch.ended", {"reason": "done", "signed": 4, "failed": 0, "left": 0})


def test_what_is_shown_is_what_is_signed(room: BatchRoom) -> None:
    record_id = room.unsigned()
    (line,) = room.build(record_id).lines
    sheet = room.work.show(ShowBatchRecord(record_id), Event(), None).sheet
    assert sheet.digest == line.item.digest and sheet.record["record_id"] == record_id and set(sheet.pictures) == {"a1.jpg", "a2.jpg"}
    with pytest.raises(SignatureInvalid):
        room.work.sign(SignBatch(room.choice, PIN, (BatchItem(record_id, digest(b"another")),)), Event(), None)
    with pytest.raises(StoreTrouble):
        room.work.sign(SignBatch(room.choice, PIN, (BatchItem("unknown", line.item.digest),)), Event(), None)
    assert room.outbox.row(record_id).state == "kept_unsigned"  # type: ignore[union-attr]


def test_a_wrong_pin_signs_nothing_and_is_one_try(room: BatchRoom, tokens: Tokens) -> None:
    ids = [room.unsigned() for _ in range(2)]
    built = room.build(*ids)
    with pytest.raises(WrongPin):
        room.sign(built, "000000")
    assert tokens.skf.logins == 1 and {room.outbox.row(one).state for one in ids} == {"kept_unsigned"}  # type: ignore[union-attr]
    assert journal(room)[-1] == ("batch.failed", {"code": "token.wrong_pin"})
    assert room.sign(built, PIN).reason == "done", "the list is still the one that was shown"


def ends_after_two(room: BatchRoom, reason: str, code: str = "", cancel: Event | None = None) -> tuple[str, ...]:
    """Four records, of which something ends the session after the second; gives the ids."""
    ids = tuple(room.unsigned() for _ in range(4))
    ended = room.sign(room.build(*ids), PIN, cancel)
    assert (ended.reason, ended.done, ended.left, ended.code) == (reason, ids[:2], ids[2:], code)
    for one in ids[:2]:
        verify(room, one)
    assert {room.outbox.row(one).state for one in ids[2:]} == {"kept_unsigned"}  # type: ignore[union-attr]
    return ids


def at_two(room: BatchRoom, action) -> None:
    """When the first is known to be kept the second is signed already: what happens now ends the session behind the second."""
    room.on_tell = lambda what, done, total: action() if (what, done) == ("sign", 1) else None


def test_a_pulled_token_ends_it(room: BatchRoom, tokens: Tokens) -> None:
    at_two(room, tokens.skf.pull)
    ids = ends_after_two(room, "removed", "token.gone")
    tokens.skf.heal()
    room.on_tell = lambda what, done, total: None
    assert room.sign(room.build(*ids), PIN).done == ids[2:], "what is signed is refused, the rest is signed with a new PIN"


def test_locking_the_desk_ends_it(room: BatchRoom) -> None:
    at_two(room, room.work.lock)
    ends_after_two(room, "locked")


def test_a_cancel_ends_it(room: BatchRoom) -> None:
    cancel = Event()
    at_two(room, cancel.set)
    ends_after_two(room, "cancelled", cancel=cancel)


def test_another_person_at_the_desk_ends_it(room: BatchRoom) -> None:
    at_two(room, lambda: setattr(room, "logged_in", False))
    ends_after_two(room, "other-user")


def test_idle_ends_it(room: BatchRoom) -> None:
    at_two(room, lambda: setattr(room, "later", timedelta(minutes=6)))
    ends_after_two(room, "idle")


def test_a_crash_of_the_driver_ends_it(room: BatchRoom, tokens: Tokens) -> None:
    at_two(room, lambda: tokens.skf.crash("sign"))
    ends_after_two(room, "trouble", "driver.crashed")


def test_so_many_and_no_more(tokens: Tokens, tmp_path: Path) -> None:
    for room in desk(tokens, tmp_path, limits=BatchLimits(most=2)):
        ends_after_two(room, "count")


def test_a_record_with_a_trouble_of_its_own_lets_the_others_go_on(room: BatchRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    """One lacks a picture and is not on the list; another's packet lost a byte after it was shown."""
    first, incomplete, damaged, last = room.unsigned(), room.unsigned(whole=False), room.unsigned(), room.unsigned()
    built = room.build(first, incomplete, damaged, last)
    assert built.refused == ((incomplete, "draft.incomplete"),)
    look = batch_deeds.parts_of
    monkeypatch.setattr(batch_deeds, "parts_of", lambda rooms, ready: spoilt() if ready.record_id == damaged else look(rooms, ready))
    ended = room.sign(built, PIN)
    assert (ended.reason, ended.done, ended.failed) == ("done", (first, last), ((damaged, "signature.invalid"),))
    assert room.outbox.row(damaged).state == "kept_unsigned"  # type: ignore[union-attr]
    assert ("signature.failed", {"code": "signature.invalid"}) in journal(room)


def spoilt() -> list[tuple[str, bytes]]:
    raise SignatureInvalid("an attachment is not what the record says", why="attachment")


def test_a_full_disk_ends_it_and_loses_nothing(room: BatchRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second cannot be kept, while the third is being signed: both are unsigned as before."""
    look, ids = room.outbox.keep_signed, []

    def keep(sealed, *args, **named) -> None:
        if sealed.record_id == ids[1]:
            raise DiskFull("no room", free=0, needed=1)
        look(sealed, *args, **named)

    monkeypatch.setattr(room.outbox, "keep_signed", keep)
    ids += [room.unsigned() for _ in range(4)]
    ended = room.sign(room.build(*ids), PIN)
    assert (ended.reason, ended.done, ended.code) == ("trouble", (ids[0],), "store.disk_full") and set(ended.left) == set(ids[1:])
    assert [room.outbox.row(one).state for one in ids] == ["kept", *["kept_unsigned"] * 3]  # type: ignore[union-attr]
    monkeypatch.undo()
    assert set(room.sign(room.build(*ids[1:]), PIN).done) == set(ids[1:])


# -- other people's records ---------------------------------------------------------------------------------------------------------------
def test_a_supervisor_takes_over_with_a_reason(supervisors: BatchRoom) -> None:
    room = supervisors
    theirs, own = room.unsigned("op:OP-000017"), room.unsigned("op:SV-000003")
    refused = room.build(theirs, own).refused
    assert refused == ((theirs, "person.not_allowed"),), "not without a reason"
    built = room.build(theirs, own, reason="采集员证书介质损坏")
    assert [one.takeover for one in built.lines] == [True, False]
    assert room.sign(built, PIN).reason == "done"
    for record_id in (theirs, own):
        verify(room, record_id)
    row = room.outbox.row(theirs)
    assert row is not None and parse_canonical(row.acts[0].act)["act"] == "takeover" and row.owner == "op:OP-000017"
    (content,) = [one.content for one in room.outbox.open_packet(theirs) if one.name == RECORD_PART]
    assert parse_canonical(content)["collector"] == {"id": "OP-000017", "name": "某人", "certificate": ""}


def test_a_collector_takes_over_nothing(room: BatchRoom) -> None:
    theirs = room.unsigned("op:SV-000003")
    assert room.build(theirs, reason="替同事签").refused == ((theirs, "person.not_allowed"),)
    assert room.build("8b1a9953-c461-4a29-b3c7-0d5f6e7a8b9c").refused[0][1] == "store.trouble"


# -- second persons -----------------------------------------------------------------------------------------------------------------------
def signed(room: BatchRoom, collector: Signer) -> str:
    """A record that its collector signed at the sitting, with one attachment; its id."""
    record_id, photo = str(uuid.uuid4()), b"photo"
    facts = certificate_facts(collector.certificate)
    content = canon({
        "type": "hall-intake/practice-record/1", "record_id": record_id, "claimed_at": time_text(room.now()),
        "collector": {"id": facts.id, "name": facts.name, "certificate": facts.digest},
        "attachments": [{"index": 1, "kind": "portrait", "name": "a1.jpg", "media": "application/pdf", "sha256": digest(photo), "size": len(photo)}],
    })
    sealed = seal(content, [("a1.jpg", photo)], record_id, room.station.station_id, TO, TO)
    room.outbox.keep(sealed, digest(content), make_signature(content, collector, room.now()), (), f"op:{facts.id}", Summary("李国强", "0018", ("4",)))
    return record_id


def waiting(room: BatchRoom, deed: Deed) -> dict[str, str]:
    return {one.record_id: one.why for one in room.work.waiting(ListWaiting(deed), Event(), None).rows}


def countersign(room: BatchRoom, *record_ids: str) -> BatchEnded:
    built = room.work.build(BuildBatch(record_ids, "复核无误", "countersign"), Event(), lambda *_: None)
    assert built.refused == ()
    return room.sign(built, PIN)


def test_a_supervisor_countersigns_what_colleagues_signed(supervisors: BatchRoom, tokens: Tokens) -> None:
    room, people = supervisors, (tokens.ca.person("OP-000017"), tokens.ca.person("SV-000003"))
    theirs, aside, own = signed(room, people[0]), signed(room, people[0]), signed(room, people[1])
    room.outbox.set_aside(aside, "province.refused")
    before = {one: room.outbox.row(one) for one in (theirs, aside)}
    assert waiting(room, "countersign") == {theirs: "", aside: ""}, "not the own one"
    refused = room.work.build(BuildBatch((own, "8b1a9953-c461-4a29-b3c7-0d5f6e7a8b9c"), "复核", "countersign"), Event(), lambda *_: None).refused
    assert [code for _, code in refused] == ["person.not_allowed", "store.trouble"]
    ended = countersign(room, theirs, aside)
    assert (ended.reason, ended.done) == ("done", (theirs, aside))
    for one, was in before.items():
        row = room.outbox.row(one)
        assert row is not None and was is not None and (row.state, row.signature, row.packet_digest) == (was.state, was.signature, was.packet_digest)
        (content,) = [part.content for part in room.outbox.open_packet(one) if part.name == RECORD_PART]
        verdict = check_record(content, row.signature, row.acts, room.roots, lambda id: ROLES.get(id, frozenset()), datetime.now(UTC))
        assert verdict.holds and [act.kind for act in verdict.acts] == ["countersign"] and verdict.acts[0].reason == "复核无误"
        slip = open_slip(room.room.blobs.slip(row.packet_blob), room.outbox._data_key(row), one)
        assert len(slip["acts"]) == 1, "the slip beside the packet says so, too"
        room.outbox.check_packet(one)
    assert waiting(room, "countersign") == dict.fromkeys((theirs, aside), "person.not_allowed"), "once by each person"
    assert ("record.countersigned", theirs) in [(parse_canonical(one)["what"], parse_canonical(one)["about"]) for one in room.journal.lines()]
    journal(room)


def test_what_is_under_way_is_not_countersigned(supervisors: BatchRoom, tokens: Tokens) -> None:
    room, record_id = supervisors, signed(supervisors, tokens.ca.person("OP-000017"))
    built = room.work.build(BuildBatch((record_id,), "复核", "countersign"), Event(), lambda *_: None)
    room.outbox.mark(record_id, "uploading")
    ended = room.sign(built, PIN)
    assert ended.done == () and room.outbox.row(record_id).acts == ()  # type: ignore[union-attr]
    assert waiting(room, "countersign") == {}
    assert len(room.room.blobs.ids()) == 1, "nothing is left behind"


def test_a_collector_sees_and_countersigns_nothing_of_others(room: BatchRoom, tokens: Tokens) -> None:
    theirs = signed(room, tokens.ca.person("SV-000003"))
    room.unsigned("op:SV-000003")
    own = room.unsigned()
    assert waiting(room, "countersign") == {} and waiting(room, "sign") == {own: ""}
    assert room.work.build(BuildBatch((theirs,), "x", "countersign"), Event(), lambda *_: None).refused == ((theirs, "person.not_allowed"),)


def test_what_came_too_late_is_taken_over_with_the_same_bytes(supervisors: BatchRoom, tokens: Tokens) -> None:
    room = supervisors
    late, own = signed(room, tokens.ca.person("OP-000017")), signed(room, tokens.ca.person("SV-000003"))
    for one in (late, own):
        room.outbox.set_aside(one, "signature.late")
    before = room.outbox.row(late)
    assert waiting(room, "sign") == {late: "", own: "signature.late"}, "for the own one another person must stand"
    built = room.build(late, reason="采集员证书到期")
    assert [one.takeover for one in built.lines] == [True]
    assert room.sign(built, PIN).done == (late,)
    row = room.outbox.row(late)
    assert row is not None and before is not None and row.state == "kept" and row.packet_digest == before.packet_digest
    verify(room, late)
    assert [parse_canonical(one.act)["act"] for one in row.acts] == ["takeover"]
    assert room.outbox.next_due(room.room.clock()) is not None, "it goes on its way again"


# -- beside -------------------------------------------------------------------------------------------------------------------------------
def test_work_beside_the_caller_gives_its_answer_or_its_error() -> None:
    with ThreadPoolExecutor(1) as pool:
        lanes = {"lane": in_lane(lambda name, work: pool.submit(work, Event(), None), "disk"), "inline": inline, "closed": in_lane(closed, "disk")}
        for beside in lanes.values():
            assert beside(lambda: 7)() == 7
            wait = beside(lambda: spoilt())
            for _ in range(2 if beside is inline else 1):
                with pytest.raises(SignatureInvalid):
                    wait()


def closed(*_args: object) -> None:
    raise RuntimeError("jobs are closed")


def test_what_lies_aside_for_another_reason_hides_nothing_that_waits_for_a_signature(room: BatchRoom, tokens: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    """A province that refused a day's records must not take the unsigned ones off the list."""
    monkeypatch.setattr("desktop.effects.batch._SHOWN", 2)
    collector = tokens.ca.person("OP-000017")
    aside = [signed(room, collector) for _ in range(5)]
    for one in aside:
        room.outbox.set_aside(one, "province.refused")
    room.later = timedelta(seconds=5)
    unsigned = [room.unsigned() for _ in range(3)]
    assert len(waiting(room, "sign")) == 2 and set(waiting(room, "sign")) <= set(unsigned)
