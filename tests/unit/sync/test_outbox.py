"""The outbox: kept means on the disk, every step is one that life allows, one bad record stops no other, forgetting needs a receipt and its time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from sync.blobs import Blobs
from sync.errors import DiskFull, NotAllowed, PacketDamaged, StoreTrouble
from sync.journal import verify_lines
from sync.life import STATES
from sync.outbox import Act, Outbox, Summary
from sync.seal import RECORD_PART
from tests.emulators.records import MARKS, NAME, OWNER, Room, draft, new_recipient, open_room, sealed

TO = new_recipient("one-key")[1]
OTHER = "op:OP-000018"


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with open_room(tmp_path / "home", bytes(32), TO) as made:
        yield made


def _whats(room: Room) -> list[str]:
    import json
    return [json.loads(line)["what"] for line in room.journal.lines()]


# -- keeping ------------------------------------------------------------------------------------------------------------------------------
def test_keeping_writes_row_journal_and_packet_and_drops_the_draft_with_its_stills(room: Room) -> None:
    one = draft()
    room.parked.put(one)
    room.parked.add_still(one.draft_id, "portrait", "image/jpeg", b"x")
    packet = sealed(TO, 1, one.draft_id)
    acts = (Act(b"act", b"signature"),)
    room.outbox.keep(packet, packet.record_digest, b"p7s", acts, OWNER, Summary(NAME, "1018", ("3", "4")), draft_id=one.draft_id)
    row = room.outbox.row(one.draft_id)
    assert row is not None
    assert (row.state, row.owner, row.signature, row.acts, row.packet_digest, row.packet_size) == ("kept", OWNER, b"p7s", acts, packet.digest, packet.size)
    assert (row.summary.name, row.summary.id_tail, row.summary.categories, row.kept_at) == (NAME, "1018", ("3", "4"), room.clock.now)
    assert NAME not in repr(row) and "p7s" not in repr(row)
    assert room.blobs.read(row.packet_blob) == packet.packet and room.blobs.ids() == (row.packet_blob,)
    assert room.parked.get(one.draft_id) is None and _whats(room) == ["record.kept"]
    assert room.outbox.open_packet(row.record_id)[0].name == RECORD_PART
    room.outbox.check_packet(row.record_id)


def test_nothing_is_kept_where_the_transaction_fails_and_the_draft_is_still_there(room: Room) -> None:
    one = draft()
    room.parked.put(one)
    packet = sealed(TO, 1, one.draft_id)
    with pytest.raises(ValueError):
        room.outbox.keep(packet, packet.record_digest, b"p7s", (), NAME, Summary("", ""), draft_id=one.draft_id)
    assert room.outbox.rows() == () and room.parked.get(one.draft_id) == one and room.journal.head()["size"] == 0
    assert len(room.outbox.begin().dropped) == 1 and room.blobs.ids() == ()


def test_the_same_record_is_not_kept_twice(room: Room) -> None:
    record_id = room.keep()
    with pytest.raises(StoreTrouble):
        room.keep(draft_id=record_id)
    assert len(room.outbox.rows()) == 1 and len(room.blobs.ids()) == 1
    room.outbox.check_packet(record_id)


def test_a_digest_or_a_part_that_does_not_fit_is_refused_before_anything_is_written(room: Room) -> None:
    signed, unsigned = sealed(TO), sealed(TO, signed=False)
    for one, record_digest, signature in ((signed, "sha256:0", b"p7s"), (signed, signed.record_digest, b""), (unsigned, unsigned.record_digest, b"p7s")):
        with pytest.raises(ValueError):
            room.outbox.keep(one, record_digest, signature, (), OWNER, Summary("", ""))
    assert room.blobs.ids() == ()


def test_a_kiosk_can_never_open_what_it_kept(room: Room) -> None:
    record_id = room.keep(station_wrap=False)
    with pytest.raises(NotAllowed):
        room.outbox.open_packet(record_id)
    room.outbox.check_packet(record_id)
    with room.store.read() as rows:
        assert rows.execute("SELECT count(*) FROM packet_keys").fetchone() == (0,)


def test_a_full_disk_keeps_nothing_and_says_so(room: Room, tmp_path: Path) -> None:
    full = Outbox(room.store, Blobs(room.blobs.folder, room=1000, reserve=0, free=lambda folder: 900), room.journal, room.clock)
    one = sealed(TO)
    with pytest.raises(DiskFull):
        full.keep(one, one.record_digest, b"p7s", (), OWNER, Summary("", ""))
    assert room.outbox.rows() == () and room.blobs.ids() == ()


def test_what_is_kept_is_still_signed_on_a_disk_that_is_too_full_for_more(room: Room) -> None:
    """Else it could never be sent; the reserve gives the room, for the first packet goes as soon as the second is there."""
    free = 1_000_000
    blobs = Blobs(room.blobs.folder, room=400_000, reserve=160_000, free=lambda folder: free)
    blobs.prepare()
    outbox = Outbox(room.store, blobs, room.journal, room.clock)
    record_id = room.keep(signed=False)
    free = 25_000
    one, two = sealed(TO, record_id=record_id), sealed(TO)
    with pytest.raises(DiskFull):
        outbox.keep(two, two.record_digest, b"p7s", (), OWNER, Summary("", ""))
    assert (blobs.folder / "reserve").exists()
    outbox.mark(record_id, "signing")
    outbox.keep_signed(one, one.record_digest, b"p7s", (), who=OWNER)
    assert not (blobs.folder / "reserve").exists() and len(blobs.ids()) == 1
    outbox.sign_again(record_id, b"p7s", b"p7s", (Act(b"{}", b"p7s"),), who=OWNER, what="record.countersigned")
    room.outbox.check_packet(record_id)
    row = outbox.row(record_id)
    assert row is not None and (row.state, len(row.acts), blobs.ids()) == ("kept", 1, (row.packet_blob,))


# -- signing later ------------------------------------------------------------------------------------------------------------------------
def test_an_unsigned_record_waits_is_signed_in_one_step_and_then_sent(room: Room) -> None:
    record_id = room.keep(signed=False)
    before = room.outbox.row(record_id)
    assert before is not None and before.state == "kept_unsigned" and room.outbox.next_due(room.clock()) is None
    packet = sealed(TO, 1, record_id)
    with pytest.raises(StoreTrouble):
        room.outbox.keep_signed(packet, packet.record_digest, b"p7s", (), who=OWNER)
    room.outbox.mark(record_id, "signing")
    for state in ("kept", "uploading"):
        with pytest.raises(StoreTrouble):
            room.outbox.mark(record_id, state)
    room.outbox.keep_signed(packet, packet.record_digest, b"p7s", (), who=OWNER)
    row = room.outbox.next_due(room.clock())
    assert row is not None and (row.state, row.packet_digest, row.signature) == ("kept", packet.digest, b"p7s")
    assert room.blobs.ids() == (row.packet_blob,) and row.packet_blob != before.packet_blob
    room.outbox.check_packet(record_id)
    assert _whats(room) == ["record.kept", "record.signing", "record.signed"]


def test_a_signing_cut_short_is_unsigned_again_at_the_next_start(room: Room) -> None:
    record_id = room.keep(signed=False)
    room.outbox.mark(record_id, "signing")
    room.outbox.begin()
    row = room.outbox.row(record_id)
    assert row is not None and row.state == "kept_unsigned"
    room.outbox.check_packet(record_id)


# -- the queue ----------------------------------------------------------------------------------------------------------------------------
def test_the_longest_due_comes_first_and_a_poisoned_record_blocks_no_other(room: Room) -> None:
    ids = []
    for serial in range(4):
        ids.append(room.keep(serial))
        room.clock.forward(seconds=10)
    order = []
    room.outbox.failed(ids[0], "province.busy", room.clock() + timedelta(seconds=60), "x" * 999)
    for _ in range(3):
        row = room.outbox.next_due(room.clock())
        assert row is not None
        order.append(row.record_id)
        room.outbox.set_aside(row.record_id, "province.refused") if row.record_id == ids[1] else room.outbox.receipted(row.record_id, b"receipt")
    assert order == ids[1:]
    assert room.outbox.next_due(room.clock()) is None and room.outbox.next_try_at() == room.clock() + timedelta(seconds=60)
    room.clock.forward(seconds=60)
    row = room.outbox.next_due(room.clock())
    assert row is not None and (row.record_id, row.tries, row.last_error, len(row.last_detail)) == (ids[0], 1, "province.busy", 300)


def test_a_step_forward_ends_a_row_of_failures_and_keeps_the_upload(room: Room) -> None:
    record_id = room.keep()
    room.outbox.failed(record_id, "province.busy", room.clock() + timedelta(hours=1))
    room.outbox.mark(record_id, "uploading", upload_id="u-1", upload_offset=5)
    row = room.outbox.row(record_id)
    assert row is not None and (row.tries, row.last_error, row.upload_id, row.upload_offset) == (0, "", "u-1", 5) and row.next_try_at == room.clock()
    size = room.journal.head()["size"]
    room.outbox.mark(record_id, "uploading", upload_offset=9)
    room.outbox.mark(record_id, "uploaded", sent_at=room.clock())
    row = room.outbox.row(record_id)
    assert row is not None and (row.state, row.upload_offset, row.sent_at) == ("uploaded", 9, room.clock())
    assert room.journal.head()["size"] == size + 1, "an offset is no line"


def test_every_step_is_one_that_life_allows(room: Room) -> None:
    for path in (("kept",), ("uploading",), ("uploading", "uploaded")):
        record_id = room.keep()
        for state in path:
            room.outbox.mark(record_id, state)
        now = path[-1]
        for state in ("kept_unsigned", "signing", "kept", "uploading", "uploaded"):
            if state != now and state not in STATES[now]:
                with pytest.raises(StoreTrouble) as caught:
                    room.outbox.mark(record_id, state)
                assert caught.value.facts["step"] == "state"
    for bad in ({"state": "purged"}, {"state": "receipted"}, {"state": "set_aside"}, {"state": "uploading", "signature": b""}):
        with pytest.raises(ValueError):
            room.outbox.mark(record_id, **bad)
    with pytest.raises(StoreTrouble):
        room.outbox.mark("nobody", "uploading")


def test_what_was_set_aside_stays_until_a_person_releases_it(room: Room) -> None:
    record_id, unsigned = room.keep(), room.keep(2, signed=False)
    room.outbox.mark(record_id, "uploading", upload_id="u-1")
    room.outbox.set_aside(record_id, "receipt.mismatch")
    room.outbox.set_aside(unsigned, "draft.incomplete", who=OWNER)
    row = room.outbox.row(record_id)
    assert row is not None and (row.state, row.reason, row.state_before) == ("set_aside", "receipt.mismatch", "uploading")
    assert room.outbox.next_due(room.clock() + timedelta(days=999)) is None
    with pytest.raises(StoreTrouble):
        room.outbox.mark(record_id, "kept")
    with pytest.raises(NotAllowed):
        room.outbox.retry(record_id, who=OTHER, owner=OTHER)
    room.outbox.retry(record_id, who=OWNER, owner=OWNER)
    room.outbox.retry(unsigned, who=OWNER)
    assert [(one.state, one.reason) for one in room.outbox.rows()].count(("kept", "")) == 1
    found = room.outbox.row(unsigned)
    assert found is not None and found.state == "kept_unsigned"
    assert _whats(room).count("record.set_aside") == 2 and _whats(room).count("record.retry") == 2


def test_owners_see_their_own_and_pages_lose_nothing(room: Room) -> None:
    mine = {room.keep(serial) for serial in range(5)}
    theirs = room.keep(9, owner=OTHER)
    pages, after = [], None
    while page := room.outbox.rows(OWNER, limit=2, after=after):
        pages += [row.record_id for row in page]
        after = page[-1]
    assert set(pages) == mine and len(pages) == 5
    assert [row.record_id for row in room.outbox.rows(OTHER, ["kept"])] == [theirs] and room.outbox.rows(OTHER, ["purged"]) == ()
    assert room.outbox.counts(OWNER)["kept"] == 5 and room.outbox.counts()["kept"] == 6 and set(room.outbox.counts()) == set(STATES)
    with pytest.raises(NotAllowed):
        room.outbox.row(theirs, OWNER)
    with pytest.raises(NotAllowed):
        room.outbox.open_packet(theirs, OWNER)
    assert room.outbox.row("nobody", OWNER) is None


def test_the_provinces_state_is_mirrored_and_an_older_one_does_not_win(room: Room) -> None:
    record_id = room.keep()
    at = room.clock()
    assert room.outbox.remote_state(record_id, "correction_required", at, date(2026, 12, 1), [("person.name_zh", "改")])
    assert not room.outbox.remote_state(record_id, "received", at - timedelta(seconds=1))
    assert not room.outbox.remote_state("nobody", "received", at)
    row = room.outbox.row(record_id)
    assert row is not None and (row.remote_state, row.remote_until, row.remote_items, row.state) == (
        "correction_required", date(2026, 12, 1), (("person.name_zh", "改"),), "kept")


# -- forgetting ---------------------------------------------------------------------------------------------------------------------------
def test_only_what_is_receipted_and_old_enough_is_forgotten(room: Room) -> None:
    old, waiting, aside = room.keep(1), room.keep(2), room.keep(3)
    room.outbox.receipted(old, b"receipt")
    room.outbox.receipted(old, b"another one later changes nothing")
    room.outbox.set_aside(aside, "receipt.mismatch")
    room.clock.forward(days=29)
    young = room.keep(4)
    room.outbox.receipted(young, b"receipt")
    assert room.outbox.purge_due(room.clock(), 30) == ()
    room.clock.forward(days=1)
    packet = room.outbox.row(old).packet_blob
    assert room.outbox.purge_due(room.clock(), 30) == (old,) and room.outbox.purge_due(room.clock(), 30) == ()
    row = room.outbox.row(old)
    assert (row.state, row.packet_blob, row.summary.name, row.summary.id_tail, row.receipt) == ("purged", "", "", "", b"receipt")
    assert packet not in room.blobs.ids() and len(room.blobs.ids()) == 3
    with pytest.raises(NotAllowed):
        room.outbox.open_packet(old)
    for record_id in (old, waiting, aside, young):
        room.outbox.check_packet(record_id)
    verify_lines(room.journal.lines(), room.journal.head())


def test_the_store_itself_refuses_to_queue_unsigned_or_forget_without_receipt(room: Room) -> None:
    unsigned, kept = room.keep(1, signed=False), room.keep(2)
    for sql, record_id in (
            ("UPDATE outbox SET state = 'kept' WHERE record_id = ?", unsigned), ("UPDATE outbox SET state = 'purged' WHERE record_id = ?", kept)):
        with pytest.raises(StoreTrouble), room.store.write() as tx:
            tx.execute(sql, (record_id,))


def test_a_changed_or_lost_packet_is_found(room: Room) -> None:
    ids = [room.keep(serial) for serial in range(3)]
    blobs = [room.outbox.row(one).packet_blob for one in ids]
    path = room.blobs.path(blobs[0])
    path.write_bytes((whole := path.read_bytes())[:-1] + bytes([whole[-1] ^ 1]))
    room.blobs.drop(blobs[1])
    for one in ids[:2]:
        with pytest.raises(PacketDamaged):
            room.outbox.check_packet(one)
    room.outbox.check_packet(ids[2])


def test_nothing_of_a_person_is_readable_anywhere_in_the_folder(room: Room) -> None:
    one = draft()
    room.parked.put(one)
    room.keep(1, draft_id=one.draft_id)
    room.keep(2, signed=False)
    room.outbox.remote_state(one.draft_id, "correction_required", room.clock(), None, [("person.name_zh", NAME)])
    files = [file for file in room.store.folder.rglob("*") if file.is_file()]
    assert len(files) > 5
    for file in files:
        content = file.read_bytes()
        assert not any(mark in content for mark in MARKS), file.name
        assert NAME not in file.name
    assert os.stat(room.store.folder / "store.db").st_mode & 0o077 == 0 or room.store.folder.stat().st_mode & 0o077 == 0


def test_a_try_that_a_wrong_clock_put_years_ahead_is_due(room: Room) -> None:
    record_id = room.keep()
    now = room.clock()
    room.outbox.failed(record_id, "province.unreachable", now + timedelta(days=900))
    due = room.outbox.next_due(now)
    assert due is not None and due.record_id == record_id
    room.outbox.failed(record_id, "province.busy", now + timedelta(minutes=61))
    assert room.outbox.next_due(now) is None, "what was asked for is waited for"
