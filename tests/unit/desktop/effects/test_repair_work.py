"""Repair at the desk, over a real store and the real keeping: the province is asked first, drops and saves of drafts keep their order."""

from __future__ import annotations

import base64
import threading
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication

from desktop.bridge.jobs import Jobs
from desktop.effects.drafts import DraftWork
from desktop.effects.mail import MailWork
from desktop.effects.records import Held, keep_unsigned, kept_packet, version_before
from desktop.effects.repairs import RepairWork
from desktop.flows.machine import Failed
from desktop.flows.words import DropDraft, ListOutbox, OpenDraft
from desktop.flows.words.day import RepairReady, RepairRecord
from sync.canon import canon, digest, parse_json
from sync.differs import changed, gone
from sync.draft import Draft, Source
from sync.errors import NotAllowed, ProvinceTrouble, ProvinceUnreachable, RepairThere, StoreTrouble
from sync.freeze import Sitting, _sections, freeze
from sync.seal import PublicKeyInfo
from sync.tables import Tables
from tests.emulators.records import OWNER, STATION_ID, Room, new_recipient, open_room
from tests.flows.sample import full_draft
from tests.scenes.stages import until

TO = new_recipient("k")[1]
RECEIPT = canon({"payload": base64.b64encode(canon({"serial": "R-1"})).decode("ascii")})
SITTING = Sitting(STATION_ID, "510100-01", "07", "OP-000017", "王敏", digest(b"certificate"), True)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with open_room(tmp_path / "home", bytes(32), TO) as made:
        yield made


@pytest.fixture
def jobs(qt_application: QApplication) -> Iterator[Jobs]:
    made = Jobs()
    yield made
    assert made.close() == ()


@pytest.fixture
def rooms(room: Room) -> Any:
    key = PublicKeyInfo(TO.kid, TO.spki_der)
    made = SimpleNamespace(outbox=room.outbox, parked=room.parked, journal=room.journal, store=room.store, asked=[], answer=False,
                           station=SimpleNamespace(station_id=STATION_ID, intake=key, recovery=key), note=lambda *_: None)

    def known_there(record_id: str) -> bool:
        made.asked.append((record_id, threading.current_thread().name))
        if isinstance(made.answer, Exception):
            raise made.answer
        return bool(made.answer)

    made.known_there = known_there
    return made


def keep(rooms: Any, draft: Draft) -> str:
    """As ``RecordWork`` keeps it, with a signature that nobody looks at here."""
    record_id = str(uuid.uuid4())
    record = freeze(draft, SITTING, Tables.load(), record_id, datetime.now(UTC))
    parts = tuple((one.name, still.still_id) for one, still in zip(record.attachments, draft.stills, strict=True))
    kept_packet(rooms, Held(record_id, draft, canon(record.as_json()), parts, b"p7s"), draft.owner, draft.draft_id)
    return record_id


def aside(rooms: Any) -> str:
    draft = replace(full_draft(f"d-{uuid.uuid4()}"), stills=())
    rooms.parked.put(draft)
    for kind in ("portrait", "skill_certificate"):
        draft = draft.with_still(rooms.parked.add_still(draft.draft_id, kind, "image/png", kind.encode() * 50))
    rooms.parked.put(draft)
    record_id = keep(rooms, draft)
    rooms.outbox.set_aside(record_id, "receipt.mismatch")
    return record_id


def returned(rooms: Any) -> str:
    record_id = aside(rooms)
    rooms.outbox.retry(record_id, who=OWNER)
    rooms.outbox.receipted(record_id, RECEIPT)
    rooms.outbox.remote_state(record_id, "correction_required", datetime.now(UTC), None, [("person.mobile", "打不通")])
    return record_id


def answer(work: RepairWork, record_id: str) -> Any:
    got: list[Any] = []
    work.start(RepairRecord(record_id), got.append)
    until(lambda: got, "the answer")
    return got[0]


def test_the_province_is_asked_apart_and_the_sitting_opens_like_any_other(room: Room, rooms: Any, jobs: Jobs) -> None:
    old = aside(rooms)
    work = RepairWork(lambda: rooms, lambda: OWNER, jobs)
    ready = answer(work, old)
    assert isinstance(ready, RepairReady) and ready.record_id == old and rooms.asked == [(old, "lane repair")]
    opened = DraftWork(lambda: rooms, lambda: OWNER, lambda: "", jobs).open(OpenDraft(ready.draft_id), threading.Event(), None)
    assert opened.draft.replaces == old and len(opened.draft.stills) == 2
    rooms.answer = ProvinceUnreachable("offline")
    assert answer(work, old) == ready and len(rooms.asked) == 1, "what is open is not asked about"
    new = keep(rooms, opened.draft)
    gone = room.outbox.row(old)
    assert gone is not None and (gone.state, gone.replaced_by) == ("replaced", new) and room.parked.list(OWNER) == ()


def test_what_the_province_has_or_does_not_tell_stays_where_it_is(rooms: Any, jobs: Jobs) -> None:
    old = aside(rooms)
    work = RepairWork(lambda: rooms, lambda: OWNER, jobs)
    rooms.answer = True
    failed = answer(work, old)
    assert isinstance(failed, Failed) and isinstance(failed.trouble, RepairThere) and failed.effect == "RepairRecord"
    rooms.answer = ProvinceUnreachable("offline")
    assert isinstance(answer(work, old).trouble, ProvinceUnreachable) and rooms.parked.list(OWNER) == ()


def test_what_the_province_returned_opens_without_a_question_and_its_correction_names_it(room: Room, rooms: Any, jobs: Jobs) -> None:
    old = returned(rooms)
    work = RepairWork(lambda: rooms, lambda: OWNER, jobs)
    ready = answer(work, old)
    assert isinstance(ready, RepairReady) and rooms.asked == [] and answer(work, old) == ready
    opened = DraftWork(lambda: rooms, lambda: OWNER, lambda: "", jobs).open(OpenDraft(ready.draft_id), threading.Event(), None).draft
    assert opened.amends is not None and len(opened.stills) == 2
    new = keep(rooms, replace(opened, amends=opened.amends.turned(0)))
    rows = {one.record_id: one for one in room.outbox.rows()}
    assert (rows[old].state, rows[old].amended_by, rows[new].amends, rows[new].revision) == ("receipted", new, old, 2)
    listed = {one.record_id: one for one in MailWork(lambda: rooms, lambda: OWNER, jobs, print).list(ListOutbox(1), threading.Event(), None).rows}
    assert (listed[old].amended_by, listed[old].returned, listed[new].amends) == (new, False, old)
    assert isinstance(answer(work, old).trouble, StoreTrouble), "one correction of a record"


def test_the_review_is_held_against_the_version_before(room: Room, rooms: Any, jobs: Jobs) -> None:
    """What is shown as changed, for a correction as for a repair; of a first record nothing is."""
    work = RepairWork(lambda: rooms, lambda: OWNER, jobs)
    plain = replace(full_draft("d-0"), stills=())
    assert version_before(rooms, plain) is None
    for old in (returned(rooms), aside(rooms)):
        draft = room.parked.get(answer(work, old).draft_id)
        assert draft is not None
        before = version_before(rooms, draft)
        assert before is not None and before["record_id"] == old
        draft = draft.take("person.mobile", "13900000009", Source.TYPED, by="x", at=datetime.now(UTC)).take(
            "employer.post", "木工", Source.TYPED, by="x", at=datetime.now(UTC)).without_row("skill", 0)
        shot = draft.without_still(draft.stills[1].still_id)
        after = {**before, "sections": _sections(shot), "categories": ["4", "3"], "attachments": before["attachments"][:1]}
        assert set(changed(before, after)) == {"person.mobile", "employer.post", "person.categories"}
        assert set(gone(before, after)) == {"skill[0].trade", "skill[0].level", "skill[0].cert_no", "stills.skill_certificate"}
        assert changed(before, before) == gone(before, before) == ()
        again = [{**one, "sha256": "other"} if one["kind"] == "portrait" else one for one in before["attachments"]]
        assert changed(before, {**before, "attachments": again}) == ("stills.portrait",)
    room.clock.now = datetime.now(UTC)
    forgotten = returned(rooms)
    room.clock.forward(days=99)
    assert room.outbox.purge_due(room.clock(), 30) == (forgotten,)
    empty = room.parked.get(answer(work, forgotten).draft_id)
    assert empty is not None and empty.amends is not None and version_before(rooms, empty) is None


def test_a_damaged_version_before_keeps_nobody_from_the_review(room: Room, rooms: Any, jobs: Jobs) -> None:
    """Its empty repair is the way out of a damaged packet: the review must not open that packet and stop."""
    work = RepairWork(lambda: rooms, lambda: OWNER, jobs)
    old = aside(rooms)
    row = room.outbox.row(old)
    assert row is not None
    room.blobs.path(row.packet_blob).unlink()
    draft = room.parked.get(answer(work, old).draft_id)
    assert draft is not None and draft.replaces == old and not draft.entries
    assert version_before(rooms, draft) is None


def test_nobody_repairs_another_persons_record(rooms: Any, jobs: Jobs) -> None:
    failed = answer(RepairWork(lambda: rooms, lambda: "op:OP-000018", jobs), aside(rooms))
    assert isinstance(failed, Failed) and isinstance(failed.trouble, NotAllowed)


def test_thrown_away_and_asked_for_at_once_it_is_a_new_sitting(rooms: Any, jobs: Jobs) -> None:
    old = aside(rooms)
    work, drafts = RepairWork(lambda: rooms, lambda: OWNER, jobs), DraftWork(lambda: rooms, lambda: OWNER, lambda: "", jobs)
    first = answer(work, old)
    drafts.drop(DropDraft(first.draft_id), lambda _event: None)
    second = answer(work, old)
    if isinstance(second, Failed):  # looked at before it was dropped: the word of the province is wanted again
        assert isinstance(second.trouble, ProvinceTrouble) and second.trouble.may_retry
        second = answer(work, old)
    assert second.draft_id != first.draft_id and [one.draft_id for one in rooms.parked.list(OWNER)] == [second.draft_id] and len(rooms.asked) == 2


def test_a_repaired_one_that_cannot_be_signed_now_is_kept_all_the_same(room: Room, rooms: Any, jobs: Jobs) -> None:
    old = aside(rooms)
    draft = room.parked.get(answer(RepairWork(lambda: rooms, lambda: OWNER, jobs), old).draft_id)
    assert draft is not None
    new = keep_unsigned(rooms, draft, OWNER)
    assert {one.record_id: (one.state, one.replaced_by) for one in room.outbox.rows()} == {old: ("replaced", new), new: ("kept_unsigned", "")}
    assert "replaces" not in parse_json(room.outbox.open_packet(new)[0].content, "draft")


def test_a_correction_that_cannot_be_signed_now_is_signed_later_as_one(room: Room, rooms: Any, jobs: Jobs) -> None:
    old = returned(rooms)
    draft = room.parked.get(answer(RepairWork(lambda: rooms, lambda: OWNER, jobs), old).draft_id)
    assert draft is not None and draft.amends is not None
    new = keep_unsigned(rooms, replace(draft, amends=draft.amends.turned(0)), OWNER)
    kept = Draft.from_json(parse_json(room.outbox.open_packet(new)[0].content, "draft"))
    members = freeze(kept, SITTING, Tables.load(), new, datetime.now(UTC)).members
    before = room.outbox.row(old)
    assert before is not None and before.amended_by == new and not before.returned
    assert (members["amends"], members["prev_digest"], members["revision"]) == (old, before.record_digest, 2)
