"""Slips: whoever opens the packet opens its slip, nobody else; they come and go with their packets."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sync.blobs import Blobs
from sync.canon import digest
from sync.ciphers import unwrap_at_station
from sync.errors import FormatTrouble
from sync.outbox import Act
from sync.slip import open_slip, seal_slip
from sync.store import Store
from tests.emulators.old_stores import KEY, OLD_NAMES, unpack
from tests.emulators.records import OWNER, Room, new_recipient, open_room, sealed

TO = new_recipient("test")[1]
RECORD = "0b0e4e2e-95a4-4f4b-9d6e-53f8d0a4c001"


def _slip(key: bytes) -> bytes:
    return seal_slip(key, RECORD, digest(b"packet"), digest(b"record"), b"p7s", (Act(b"act", b"signature"),), OWNER, "2026-11-22T06:00:00Z")


def test_a_slip_opens_with_its_packets_key_only_and_no_byte_of_it_may_change() -> None:
    key = os.urandom(32)
    slip = _slip(key)
    members = open_slip(slip, key, RECORD)
    assert members["owner"] == OWNER and members["signature"] == "cDdz" and members["acts"] == [{"act": "YWN0", "signature": "c2lnbmF0dXJl"}]
    assert OWNER.encode() not in slip and b"p7s" not in slip
    with pytest.raises(FormatTrouble):
        open_slip(slip, os.urandom(32), RECORD)
    with pytest.raises(FormatTrouble):
        open_slip(slip, key, RECORD.replace("0b0e", "0b0f"))
    for at in range(0, len(slip), 7):
        with pytest.raises(FormatTrouble):
            open_slip(slip[:at] + bytes([slip[at] ^ 1]) + slip[at + 1:], key, RECORD)


def _slips(room: Room) -> set[str]:
    return {one.stem for one in room.blobs.folder.glob("*.slip")}


def test_a_slip_is_written_with_its_packet_replaced_with_it_and_dropped_with_it(tmp_path: Path) -> None:
    with open_room(tmp_path / "home", bytes(32), TO) as room:
        record_id = room.keep(signed=False)
        first = room.outbox.row(record_id)
        assert first is not None and _slips(room) == {first.packet_blob}
        packet = sealed(TO, 1, record_id)
        room.outbox.mark(record_id, "signing")
        room.outbox.keep_signed(packet, packet.record_digest, b"p7s", (), who=OWNER)
        row = room.outbox.row(record_id)
        assert row is not None and _slips(room) == {row.packet_blob}
        members = open_slip(room.blobs.slip(row.packet_blob), packet.data_key, record_id)
        assert (members["packet_digest"], members["record_digest"], members["owner"]) == (row.packet_digest, row.record_digest, OWNER)
        room.outbox.receipted(record_id, b"receipt")
        room.clock.forward(days=31)
        assert room.outbox.purge_due(room.clock(), 30) == (record_id,) and _slips(room) == set()


def test_a_slip_without_its_packet_is_swept(tmp_path: Path) -> None:
    with open_room(tmp_path / "home", bytes(32), TO) as room:
        kept = room.keep()
        orphan = room.blobs.write(b"still", b"slip")
        room.blobs.path(orphan).unlink()
        room.outbox.begin()
        row = room.outbox.row(kept)
        assert row is not None and _slips(room) == {row.packet_blob}


@pytest.mark.parametrize("name", OLD_NAMES[:1])  # from version 2 on there are slips
def test_what_was_kept_before_there_were_slips_gets_one_when_it_is_carried(tmp_path: Path, name: str) -> None:
    folder = unpack(name, tmp_path / "home")
    with Store.open(folder, KEY) as store:
        room = Room(store, Blobs(folder / "blobs", room=0, reserve=0), TO)
        row = next(one for one in room.outbox.rows(states=["kept"]) if not one.owner.startswith("st:"))
        assert room.blobs.slip(row.packet_blob) == b""
        with store.read() as rows:
            (wrap,) = rows.execute("SELECT wrap FROM packet_keys WHERE record_id = ?", (row.record_id,)).fetchone()
        key = unwrap_at_station(store.wrap_key, row.record_id, bytes(wrap))
        assert open_slip(room.outbox.make_slip(row), key, row.record_id)["record_digest"] == row.record_digest
