"""A record that was set aside is repaired: the whole of it comes back as a sitting, and keeping the new one ends the old one in one transaction, once."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sync.canon import canon, digest
from sync.draft import Draft, Source
from sync.errors import (
    FormatTrouble,
    NotAllowed,
    ProvinceUnreachable,
    RepairElsewhere,
    RepairOpen,
    RepairThere,
    SignatureInvalid,
    StoreTrouble,
)
from sync.freeze import presence
from sync.life import STATES, allowed
from sync.reconcile import reconcile
from sync.repair import draft_of, refused_for_good, reopen
from sync.seal import RECORD_PART, Part
from tests.emulators.records import OWNER, Room, new_recipient, open_room
from tests.emulators.sittings import AT, SITTING, keep, lines, receipt_all, row, sitting
from tests.flows.sample import full_draft

TO = new_recipient("one-key")[1]
KEY = bytes(32)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with open_room(tmp_path / "home", KEY, TO) as made:
        yield made


def aside(room: Room, reason: str = "province.refused", detail: str = "status 422: record.format") -> str:
    record_id = keep(room, sitting(room))
    room.outbox.mark(record_id, "uploading", upload_id="u-1")
    room.outbox.failed(record_id, reason, room.clock(), detail)
    room.outbox.set_aside(record_id, reason)
    return record_id


def repair(room: Room, record_id: str, asks: Any = lambda _id: False, owner: str = OWNER) -> Draft:
    found = room.parked.get(reopen(room.outbox, room.parked, room.journal, record_id, owner, asks, str(uuid.uuid4()), AT))
    assert found is not None
    return found


def unreachable(_record_id: str) -> bool:
    raise ProvinceUnreachable("offline")


# -- opening ------------------------------------------------------------------------------------------------------------------------------
def test_everything_of_the_record_comes_back_but_the_signature(room: Room) -> None:
    first = sitting(room)
    pictures = [room.parked.still(one.still_id) for one in first.stills]
    old = keep(room, first)
    room.outbox.set_aside(old, "province.refused")
    found = repair(room, old)
    assert (found.replaces, found.owner, found.draft_id != first.draft_id) == (old, OWNER, True)
    assert dict(found.entries) == dict(first.entries) and found.entries["person.name_zh"].source is Source.CHIP
    assert found.card == first.card and found.face == first.face
    assert [(one.kind, one.sha256, one.pages, one.trust) for one in found.stills] == [(one.kind, one.sha256, one.pages, one.trust) for one in first.stills]
    assert [room.parked.still(one.still_id) for one in found.stills] == pictures
    assert not any(picture in file.read_bytes() for file in room.store.folder.rglob("*") if file.is_file() for picture in pictures)
    assert row(room, old).state == "set_aside" and lines(room, old)[-1] == ("record.repair", {"draft": found.draft_id})
    assert Draft.from_json(found.as_json()) == found and "replaces" not in first.as_json()


def test_opened_again_it_is_the_same_sitting(room: Room) -> None:
    old = aside(room)
    first = repair(room, old)
    room.parked.put(first.take("person.mobile", "13900000009", Source.TYPED, by="OP-000017", at=AT))
    again = repair(room, old, unreachable)
    assert again.draft_id == first.draft_id and again.text("person.mobile") == "13900000009" and len(room.parked.list(OWNER)) == 1


def test_two_sittings_of_one_record_are_refused_by_the_store_itself(room: Room) -> None:
    found = repair(room, aside(room))
    before = room.blobs.ids()
    with pytest.raises(StoreTrouble):
        room.parked.put(replace(found, draft_id="another"))
    with pytest.raises(StoreTrouble):
        room.parked.put_whole(replace(found, draft_id="another"), {one.still_id: b"x" for one in found.stills}, lambda tx: None)
    assert room.blobs.ids() == before and len(room.parked.list(OWNER)) == 1


def test_only_ones_own_signed_record_that_is_set_aside_is_opened(room: Room) -> None:
    old = aside(room)
    with pytest.raises(NotAllowed):
        repair(room, old, owner="op:OP-000018")
    waiting = keep(room, sitting(room))
    unsigned = room.keep(signed=False)
    room.outbox.set_aside(unsigned, "draft.incomplete")
    for one in (waiting, unsigned, str(uuid.uuid4())):
        with pytest.raises(StoreTrouble):
            repair(room, one)
    room.outbox.retry(old, who=OWNER)
    with pytest.raises(StoreTrouble):
        repair(room, old)


@pytest.mark.parametrize("gone", [True, False])
def test_of_a_damaged_packet_an_empty_sitting_takes_its_place(room: Room, gone: bool) -> None:
    old = aside(room, "receipt.mismatch", "member: serial")
    path = room.blobs.path(row(room, old).packet_blob)
    path.chmod(0o600)
    path.unlink() if gone else path.write_bytes((whole := path.read_bytes())[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(ProvinceUnreachable):
        repair(room, old, unreachable)
    found = repair(room, old)
    assert (found.replaces, found.amends, dict(found.entries), found.stills) == (old, None, {}, ())
    assert (row(room, old).state, row(room, old).reason) == ("set_aside", "packet.damaged")
    assert ("record.set_aside", {"reason": "packet.damaged"}) in lines(room, old)
    new = room.keep(5, draft_id=found.draft_id)
    assert (row(room, old).state, row(room, old).replaced_by) == ("replaced", new) and not room.parked.list(OWNER)
    assert room.outbox.counts()["set_aside"] == 0


def test_without_its_key_it_is_not_for_this_station(room: Room) -> None:
    old, carried = aside(room), aside(room)
    with room.store.write() as tx:
        tx.execute("DELETE FROM packet_keys WHERE record_id = ?", (old,))
        tx.execute("UPDATE outbox SET origin = 'elsewhere' WHERE record_id = ?", (carried,))
    for one in (old, carried):
        with pytest.raises(RepairElsewhere):
            repair(room, one)


def test_a_packet_that_is_not_what_its_row_says_is_never_opened_as_a_sitting(room: Room) -> None:
    one = row(room, aside(room))
    parts = room.outbox.open_packet(one.record_id)
    exact = parts[0].content
    with pytest.raises(SignatureInvalid):
        draft_of(replace(one, record_digest=digest(b"x")), parts, "d", AT)
    with pytest.raises(SignatureInvalid):
        draft_of(one, (parts[0], *(Part(two.name, b"another") for two in parts[1:])), "d", AT)
    record = json.loads(exact)
    for harm in ({"provenance": {}}, {"attachments": None}, {"evidence": {}}, {"sections": {"person": {}}}):
        changed = canon({**record, **harm})
        with pytest.raises(FormatTrouble):
            draft_of(replace(one, record_digest=digest(changed)), (Part(RECORD_PART, changed), *parts[1:]), "d", AT)
    shown = canon(presence(full_draft(), SITTING, one.record_id, AT, {}).as_json())
    with pytest.raises(StoreTrouble):
        draft_of(replace(one, record_digest=digest(shown)), (Part(RECORD_PART, shown),), "d", AT)


# -- what the province knows --------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("reason", "detail", "offline"), [
    ("province.refused", "status 422: record.format", True), ("province.reader", "status 422: sam.unknown", True),
    ("signature.late", "status 422: signature.late", True), ("province.refused", "status 409: record.other", False),
    ("receipt.mismatch", "member: serial", False), ("packet.damaged", "the packet file is gone", False),
])
def test_offline_only_what_was_refused_for_good_is_opened(room: Room, reason: str, detail: str, offline: bool) -> None:
    old = aside(room, reason, detail)
    assert refused_for_good(row(room, old)) is offline
    if offline:
        assert repair(room, old, unreachable).replaces == old
        return
    with pytest.raises(ProvinceUnreachable):
        repair(room, old, unreachable)
    assert room.parked.list(OWNER) == ()
    assert repair(room, old).replaces == old


@pytest.mark.parametrize("reason", ["province.refused", "receipt.mismatch"])
def test_what_the_province_has_is_never_opened(room: Room, reason: str) -> None:
    old = aside(room, reason)
    asked: list[str] = []
    with pytest.raises(RepairThere):
        repair(room, old, lambda record_id: bool(asked.append(record_id)) or True)
    assert asked == [old] and room.parked.list(OWNER) == () and row(room, old).state == "set_aside"


def test_a_record_that_went_on_while_the_province_was_asked_is_not_opened(room: Room) -> None:
    old = aside(room)
    before = room.blobs.ids()
    with pytest.raises(StoreTrouble):
        repair(room, old, lambda _id: room.outbox.retry(old, who=OWNER) is not None)
    assert room.parked.list(OWNER) == () and room.blobs.ids() == before


# -- keeping ------------------------------------------------------------------------------------------------------------------------------
def test_keeping_the_repaired_one_ends_the_old_one(room: Room) -> None:
    old = aside(room)
    found = repair(room, old)
    new = keep(room, found)
    gone = row(room, old)
    assert (gone.state, gone.replaced_by, gone.reason) == ("replaced", new, "province.refused") and STATES["replaced"] == frozenset()
    assert lines(room, old)[-1] == ("record.replaced", {"by": new}) and room.parked.list(OWNER) == ()
    assert room.outbox.next_due(room.clock()).record_id == new  # type: ignore[union-attr]
    assert [one.state for one in room.outbox.waiting()] == ["kept"] and room.outbox.counts()["replaced"] == 1
    for deed in (lambda: room.outbox.retry(old, who=OWNER), lambda: room.outbox.mark(old, "kept"), lambda: room.outbox.set_aside(old, "x"),
                 lambda: room.outbox.receipted(old, b"receipt"), lambda: room.outbox.sign_again(old, b"p7s", b"other", (), who=OWNER, what="x"),
                 lambda: repair(room, old)):
        with pytest.raises(StoreTrouble):
            deed()
    room.outbox.check_packet(old)
    assert not any(allowed("replaced", state) for state in STATES if state != "replaced")
    assert [state for state in STATES if state != "replaced" and allowed(state, "replaced")] == ["set_aside"]


@pytest.mark.parametrize("when", ["before", "within", "after"])
def test_a_fault_anywhere_in_the_transaction_keeps_both_as_they_were(room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str) -> None:
    old = aside(room)
    found = repair(room, old)
    before = room.journal.head()
    real = room.journal.write

    def fails(tx: Any, who: str, what: str, about: str = "", facts: Any = None) -> None:
        if when == "after" or what != ("record.kept" if when == "before" else "record.replaced"):
            real(tx, who, what, about, facts)
        if what == ("record.kept" if when == "before" else "record.replaced"):
            raise RuntimeError("the machine stops here")

    with monkeypatch.context() as patch:
        patch.setattr(room.journal, "write", fails)
        with pytest.raises(RuntimeError):
            keep(room, found)
    room.store.close()
    with open_room(tmp_path / "home", KEY, TO) as again:
        again.outbox.begin()
        assert [(one.record_id, one.state) for one in again.outbox.rows()] == [(old, "set_aside")] and again.journal.head() == before
        kept = again.parked.get(found.draft_id)
        assert kept == found and len(again.blobs.ids()) == 3
        new = keep(again, found)
        assert {one.record_id: one.state for one in again.outbox.rows()} == {old: "replaced", new: "kept"}


def test_thrown_away_the_old_one_is_as_it_was(room: Room) -> None:
    old = aside(room)
    before = row(room, old)
    room.parked.drop(repair(room, old).draft_id)
    assert row(room, old) == before and room.blobs.ids() == (before.packet_blob,)
    room.outbox.retry(old, who=OWNER)
    assert row(room, old).state == "kept"


def test_while_it_is_repaired_it_is_neither_sent_nor_signed_again(room: Room) -> None:
    old = aside(room, "signature.late")
    found = repair(room, old)
    with pytest.raises(RepairOpen):
        room.outbox.retry(old, who=OWNER)
    with pytest.raises(RepairOpen):
        room.outbox.sign_again(old, b"p7s", b"supervisor", (), who="op:SV-000001", what="record.taken_over")
    assert row(room, old).state == "set_aside" and len(room.blobs.ids()) == 3
    keep(room, found)


def test_one_repair_after_another(room: Room) -> None:
    first = aside(room)
    second = keep(room, repair(room, first))
    room.outbox.set_aside(second, "province.refused")
    third = keep(room, repair(room, second))
    assert {one.record_id: (one.state, one.replaced_by) for one in room.outbox.rows()} == {
        first: ("replaced", second), second: ("replaced", third), third: ("kept", "")}
    receipt_all(room, third)
    room.clock.forward(days=31)
    assert room.outbox.purge_due(room.clock(), 30) == (third,) and room.blobs.ids() == ()


# -- forgetting ---------------------------------------------------------------------------------------------------------------------------
def test_the_old_packet_stays_until_the_new_ones_receipt_and_time(room: Room) -> None:
    old = aside(room)
    new = keep(room, repair(room, old))
    room.clock.forward(days=400)
    assert room.outbox.purge_due(room.clock(), 30) == () and row(room, old).packet_blob and len(room.blobs.ids()) == 2
    room.outbox.begin()
    receipt_all(room, new)
    room.clock.forward(days=29)
    assert room.outbox.purge_due(room.clock(), 30) == () and len(room.blobs.ids()) == 2
    room.clock.forward(days=2)
    assert room.outbox.purge_due(room.clock(), 30) == (new,)
    gone = row(room, old)
    assert room.blobs.ids() == () and (gone.state, gone.replaced_by, gone.summary.name, gone.packet_blob) == ("replaced", new, "", "")
    assert lines(room, old)[-1] == ("record.purged", {"packet": gone.packet_digest})
    with room.store.read() as rows:
        assert rows.execute("SELECT count(*) FROM packet_keys").fetchone() == (0,)
    room.outbox.check_packet(old)


# -- the end of the day -------------------------------------------------------------------------------------------------------------------
def test_the_pair_counts_once_and_names_both(room: Room) -> None:
    old = aside(room)
    new = keep(room, repair(room, old))

    def sheet() -> Any:
        return reconcile(room.outbox.rows(), room.journal.lines(), room.clock.now.date(), lambda moment: moment.date())

    made = sheet()
    assert (made.captured, made.signed, made.sent) == (1, 1, 0) and [one.record_id for one in made.differences] == [new]
    assert [(one.record_id, one.by, one.kind, one.weight) for one in made.replaced] == [(old, new, "replaced", "settled")]
    with room.store.write() as tx:
        tx.execute("UPDATE outbox SET replaced_by = 'r-9' WHERE record_id = ?", (old,))
    wrong = sheet()
    assert [(one.record_id, one.kind) for one in wrong.differences if one.weight == "alarm"] == [(old, "replaced_otherwise")] and not wrong.balanced
    with room.store.write() as tx:
        tx.execute("UPDATE outbox SET state = 'set_aside', replaced_by = '' WHERE record_id = ?", (old,))
    assert "replaced_otherwise" in [one.kind for one in sheet().differences]
