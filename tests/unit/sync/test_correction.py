"""A record that the province returned is corrected: the whole of it comes back, the new one amends the old one, and nobody is asked twice."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from sync.amends import Amends, Item, place_of
from sync.canon import canon, digest, parse_canonical
from sync.draft import Draft, DraftStill, Source
from sync.errors import CorrectionElsewhere, DraftIncomplete, NotAllowed, StoreTrouble
from sync.freeze import freeze
from sync.outbox_list import pressing, tally
from sync.reconcile import DaySheet, reconcile
from sync.repair import draft_of, reopen
from sync.rules import issues
from sync.seal import Part
from sync.tables import Tables
from tests.emulators.records import OWNER, Room, new_recipient, open_room
from tests.emulators.sittings import AT, SITTING, keep, lines, receipt_all, row, sitting

TO = new_recipient("one-key")[1]
KEY = bytes(32)
TABLES = Tables.load()
ITEMS = (("person.mobile", "号码是空号"), ("stills.skill_certificate", "看不清编号"), ("", "请写明情况"))


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with open_room(tmp_path / "home", KEY, TO) as made:
        yield made


def back(room: Room, record_id: str, items: Any = ITEMS, state: str = "correction_required", until: date | None = date(2026, 12, 14)) -> str:
    """The province sends the record back."""
    receipt_all(room, record_id)
    room.clock.forward(minutes=5)
    assert room.outbox.remote_state(record_id, state, room.clock(), until, items)
    return record_id


def returned(room: Room, **how: Any) -> str:
    return back(room, keep(room, sitting(room)), **how)


def correct(room: Room, record_id: str, owner: str = OWNER) -> Draft:
    """Never asks: the province has it."""
    found = room.parked.get(reopen(room.outbox, room.parked, room.journal, record_id, owner, lambda _id: pytest.fail("asked"), str(uuid.uuid4()), AT))
    assert found is not None and found.amends is not None
    return found


def mended(draft: Draft, mobile: str = "13900000009") -> Draft:
    """Every item answered: one by a change, the others because somebody said so."""
    assert draft.amends is not None
    done = replace(draft.amends, items=tuple(replace(one, done=one.path != "person.mobile") for one in draft.amends.items))
    return replace(draft, amends=done).take("person.mobile", mobile, Source.TYPED, by="OP-000017", at=AT)


def contents(room: Room, record_id: str) -> dict[str, Any]:
    return parse_canonical(room.outbox.open_packet(record_id)[0].content, "record")


def sheet(room: Room) -> DaySheet:
    return reconcile(room.outbox.rows(), room.journal.lines(), room.clock.now.date(), lambda moment: moment.date())


def asking(room: Room) -> tuple[int, set[str]]:
    """How many came back, as counted, and which the list shows because they ask for somebody."""
    day = room.clock.now.replace(hour=0)
    count = tally(room.store, OWNER, day, day + timedelta(days=1))["returned"]
    return count, {one.record_id for one in pressing(room.store, OWNER, 9) if one.returned}


# -- opening ------------------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("state", ["correction_required", "refused"])
def test_everything_of_the_record_comes_back_with_what_the_province_said(room: Room, state: str) -> None:
    first = sitting(room)
    pictures = [room.parked.still(one.still_id) for one in first.stills]
    old = back(room, keep(room, first), state=state)
    found = correct(room, old)
    assert found.amends == Amends(old, row(room, old).record_digest, 2, tuple(Item(path, text, found.standing(path) if path else "") for path, text in ITEMS))
    assert (found.replaces, dict(found.entries), found.card, found.face) == ("", dict(first.entries), first.card, first.face)
    assert [room.parked.still(one.still_id) for one in found.stills] == pictures
    assert row(room, old).state == "receipted" and lines(room, old)[-1] == ("record.correct", {"draft": found.draft_id})
    assert Draft.from_json(found.as_json()) == found and "amends" not in first.as_json()


def test_one_correction_of_a_record_at_a_time(room: Room) -> None:
    old = returned(room)
    first = correct(room, old)
    room.parked.put(mended(first))
    again = correct(room, old)
    assert again.draft_id == first.draft_id and again.text("person.mobile") == "13900000009" and len(room.parked.list(OWNER)) == 1
    with pytest.raises(StoreTrouble):
        room.parked.put(replace(first, draft_id="another"))
    room.parked.drop(first.draft_id)
    assert row(room, old).returned and correct(room, old).draft_id != first.draft_id, "thrown away, it can be begun again"


def test_only_ones_own_record_that_was_returned_is_opened(room: Room) -> None:
    old, accepted, early = returned(room), returned(room, state="accepted"), keep(room, sitting(room))
    room.outbox.remote_state(early, "correction_required", room.clock())   # its receipt is still on its way
    with pytest.raises(NotAllowed):
        correct(room, old, "op:OP-000018")
    for one in (accepted, early, str(uuid.uuid4())):
        with pytest.raises(StoreTrouble):
            correct(room, one)
    carried, locked = returned(room), returned(room)
    with room.store.write() as tx:
        tx.execute("UPDATE outbox SET origin = 'elsewhere' WHERE record_id = ?", (carried,))
        tx.execute("DELETE FROM packet_keys WHERE record_id = ?", (locked,))
    for one in (carried, locked):
        with pytest.raises(CorrectionElsewhere):
            correct(room, one)


def test_what_the_province_takes_back_meanwhile_is_not_opened(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    old = returned(room)
    real = room.outbox.open_packet

    def slow(record_id: str, owner: str | None = None) -> tuple[Part, ...]:
        parts = real(record_id, owner)
        room.outbox.remote_state(old, "accepted", room.clock())
        return parts

    monkeypatch.setattr(room.outbox, "open_packet", slow)
    with pytest.raises(StoreTrouble):
        correct(room, old)
    assert room.parked.list(OWNER) == ()


def test_of_a_record_whose_contents_are_forgotten_an_empty_sitting_amends_it(room: Room) -> None:
    old = returned(room)
    second = keep(room, mended(correct(room, old)))
    back(room, second)
    room.clock.forward(days=31)
    assert set(room.outbox.purge_due(room.clock(), 30)) == {old, second} and row(room, second).returned
    room.outbox.remote_state(second, "correction_required", room.clock(), None, ITEMS[:1])
    found = correct(room, second)
    assert (dict(found.entries), found.stills) == ({}, ())
    assert found.amends == Amends(second, row(room, second).record_digest, 3, (Item(*ITEMS[0]),))
    assert [one.code for one in issues(found.take("person.mobile", "13900000009", Source.TYPED, by="x", at=AT), AT.date(), TABLES)][0] == "returned.item", \
        "what stood there is not known: only a person can say that it is done"


# -- items --------------------------------------------------------------------------------------------------------------------------------
def test_an_item_is_open_until_its_place_changed_or_somebody_says_that_it_is_done(room: Room) -> None:
    draft = correct(room, returned(room))

    def open_(one: Draft) -> list[str]:
        return [issue.path for issue in issues(one, AT.date(), TABLES) if issue.severity == "returned"]

    def typed(one: Draft, value: str) -> Draft:
        return one.take("person.mobile", value, Source.TYPED, by="OP-000017", at=AT)

    assert open_(draft) == ["person.mobile", "stills.skill_certificate", ""]
    changed = typed(draft, "13900000009")
    assert open_(changed) == ["stills.skill_certificate", ""]
    assert open_(typed(changed, draft.text("person.mobile"))) == open_(draft), "what was typed back is open again"
    shot = changed.taken(DraftStill("skill_certificate", "s-9", "image/png", 3, digest(b"new")))
    assert open_(shot) == [""] and shot.amends is not None
    with pytest.raises(DraftIncomplete):
        freeze(shot, SITTING, TABLES, "r", AT)
    done = replace(shot, amends=shot.amends.turned(2))
    assert open_(done) == [] and freeze(done, SITTING, TABLES, "r", AT).members["revision"] == 2
    assert open_(replace(done, amends=done.amends.turned(2))) == [""]    # type: ignore[union-attr]


def test_what_the_province_says_later_is_added_and_what_is_done_stays_done(room: Room) -> None:
    draft = mended(correct(room, returned(room)))
    assert draft.amends is not None
    asked = draft.asked((*ITEMS[1:], ("person.mobile", "还是空号")))
    assert asked.amends is not None and asked.amends.items[:3] == draft.amends.items and asked.is_open(asked.amends.items[3])
    assert asked.asked(ITEMS) == asked and replace(draft, amends=None).asked(ITEMS).amends is None


def test_items_move_with_their_rows(room: Room) -> None:
    draft = replace(correct(room, returned(room)), amends=Amends("r", digest(b""), 2, tuple(Item(path, "x") for path in (
        "skill[0].trade", "skill[1].level", "skill[2]", "skill", "post[2].type"))))
    moved = draft.without_row("skill", 1).amends
    assert moved is not None
    assert [(one.path, one.done) for one in moved.items] == [
        ("skill[0].trade", False), ("skill[1].level", True), ("skill[1]", False), ("skill", False), ("post[2].type", False)]


@pytest.mark.parametrize("path", ["person.mobile", "person", "skill", "skill[3]", "skill[0].trade", "stills.contract", "person.categories"])
def test_a_path_that_names_a_place_is_one(path: str) -> None:
    assert place_of(path) == path


@pytest.mark.parametrize("path", ["", "x", "person.", "person[0]", "person.x", "skill.trade", "skill[x].trade", "skill[0].x", "stills", "stills.x",
                                  "skill[123]", "skill[0][1]", "../x", "skill[٣].trade"])
def test_any_other_path_means_the_whole_record(path: str) -> None:
    assert place_of(path) == ""


# -- keeping ------------------------------------------------------------------------------------------------------------------------------
def test_the_kept_correction_names_the_old_one_and_the_old_one_names_it(room: Room) -> None:
    old = returned(room)
    assert asking(room) == (1, {old})
    new = keep(room, mended(correct(room, old)))
    record, before, after = contents(room, new), row(room, old), row(room, new)
    assert (record["amends"], record["prev_digest"], record["revision"]) == (old, before.record_digest, 2)
    assert record["prev_digest"] == digest(canon(contents(room, old)))
    assert (before.state, before.amended_by, before.returned, bool(before.receipt)) == ("receipted", new, False, True)
    assert (after.state, after.amends, after.revision) == ("kept", old, 2) and asking(room) == (0, set())
    assert lines(room, old)[-1] == ("record.amended", {"by": new}) and room.parked.list(OWNER) == ()
    with pytest.raises(StoreTrouble):
        correct(room, old)
    room.outbox.remote_state(old, "correction_required", room.clock() + timedelta(hours=1))
    assert not row(room, old).returned, "its correction stands in its place, whatever the province says of the old one"


def test_a_correction_that_is_returned_is_corrected_again(room: Room) -> None:
    first = returned(room)
    second = back(room, keep(room, mended(correct(room, first))), ITEMS[:1])
    third = keep(room, mended(correct(room, second), "13900000010"))
    assert [(one.amends, one.amended_by, one.revision) for one in (row(room, first), row(room, second), row(room, third))] == [
        ("", second, 1), (first, third, 2), (second, "", 3)]
    assert (contents(room, third)["amends"], contents(room, third)["revision"]) == (second, 3)


def test_a_correction_that_is_set_aside_is_repaired_and_still_amends(room: Room) -> None:
    old = returned(room)
    aside = keep(room, mended(correct(room, old)))
    room.outbox.set_aside(aside, "province.refused")
    found = room.parked.get(reopen(room.outbox, room.parked, room.journal, aside, OWNER, lambda _id: False, "d-r", AT))
    assert found is not None and found.replaces == aside and found.amends == Amends(old, row(room, old).record_digest, 2)
    new = keep(room, found)
    assert (row(room, aside).replaced_by, row(room, old).amended_by, row(room, new).amends, row(room, new).revision) == (new, new, old, 2)
    assert contents(room, new)["amends"] == old and "amended_otherwise" not in {one.kind for one in sheet(room).differences}


def test_a_correction_whose_packet_is_gone_is_done_anew_and_still_amends(room: Room) -> None:
    old = returned(room)
    aside = keep(room, mended(correct(room, old)))
    room.outbox.set_aside(aside, "province.refused")
    room.blobs.path(row(room, aside).packet_blob).unlink()
    again = room.parked.get(reopen(room.outbox, room.parked, room.journal, aside, OWNER, lambda _id: False, "d-r", AT))
    assert again is not None and again.replaces == aside and again.amends is not None
    assert (again.amends.record_id, again.amends.prev_digest, again.amends.revision) == (old, row(room, old).record_digest, 2)


def test_another_correction_that_came_first_is_not_pushed_out(room: Room) -> None:
    old = returned(room)
    late = mended(correct(room, old))
    with room.store.write() as tx:
        tx.execute("UPDATE outbox SET amended_by = 'r-9' WHERE record_id = ?", (old,))
    before = room.blobs.ids()
    with pytest.raises(StoreTrouble):
        keep(room, late)
    assert row(room, old).amended_by == "r-9" and len(room.outbox.rows()) == 1 and room.blobs.ids() == before and len(room.parked.list(OWNER)) == 1


@pytest.mark.parametrize("when", ["record.kept", "record.amended"])
def test_a_fault_anywhere_in_the_transaction_keeps_both_as_they_were(room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str) -> None:
    old = returned(room)
    found = mended(correct(room, old))
    room.parked.put(found)
    before, real = room.journal.head()["head"], room.journal.write

    def fails(tx: Any, who: str, what: str, about: str = "", facts: Any = None) -> None:
        real(tx, who, what, about, facts)
        if what == when:
            raise RuntimeError("the machine stops here")

    with monkeypatch.context() as patch:
        patch.setattr(room.journal, "write", fails)
        with pytest.raises(RuntimeError):
            keep(room, found)
    room.store.close()
    with open_room(tmp_path / "home", KEY, TO) as again:
        again.outbox.begin()
        assert row(again, old).returned and len(again.outbox.rows()) == 1 and again.parked.get(found.draft_id) == found
        assert again.journal.head()["head"] == before
        assert row(again, keep(again, found)).amends == old


# -- forgetting ---------------------------------------------------------------------------------------------------------------------------
def test_what_is_being_corrected_is_not_forgotten(room: Room) -> None:
    old = returned(room, until=None)
    found = correct(room, old)
    room.clock.forward(days=400)
    assert room.outbox.purge_due(room.clock(), 30) == ()
    room.parked.put(mended(found))
    new = keep(room, mended(found))
    assert room.outbox.purge_due(room.clock(), 30) == (old,) and row(room, old).amended_by == new
    room.outbox.check_packet(old)


@pytest.mark.parametrize(("until", "days"), [(None, 20 + 30), (date(2027, 3, 1), 99)])
def test_what_came_back_stays_until_it_can_no_longer_be_corrected(room: Room, until: date | None, days: int) -> None:
    old = keep(room, sitting(room))
    receipt_all(room, old)
    begin = room.clock.now
    room.clock.forward(days=20)
    room.outbox.remote_state(old, "correction_required", room.clock(), until)
    room.clock.now = begin + timedelta(days=days - 1)
    assert room.outbox.purge_due(room.clock(), 30) == ()
    room.clock.forward(days=1, hours=18)
    assert room.outbox.purge_due(room.clock(), 30) == (old,)


# -- the end of the day -------------------------------------------------------------------------------------------------------------------
def test_both_are_records_of_their_days_and_row_and_journal_must_agree(room: Room) -> None:
    old = returned(room)
    new = keep(room, mended(correct(room, old)))
    made = sheet(room)
    assert (made.captured, made.signed, made.sent, made.replaced) == (2, 2, 1, ())
    receipt_all(room, new)
    assert not [one.kind for one in sheet(room).differences if one.kind == "amended_otherwise"]
    for harm in ("amended_by = ''", "amended_by = 'r-9'"):
        with room.store.write() as tx:
            tx.execute(f"UPDATE outbox SET {harm} WHERE record_id = ?", (old,))
        assert [(one.record_id, one.weight) for one in sheet(room).differences if one.kind == "amended_otherwise"] == [(old, "alarm")]


def test_a_packet_that_is_not_what_its_row_says_is_not_opened(room: Room) -> None:
    one = row(room, returned(room))
    parts = room.outbox.open_packet(one.record_id)
    draft, held = draft_of(one, parts, "d", AT)
    assert draft.amends is not None and draft.amends.prev_digest == digest(parts[0].content) and len(held) == 2
