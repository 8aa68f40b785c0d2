"""Exports of a store that is not whole any more, and onto media that fail: what is whole still arrives, what is not is named. Nothing is lost silently."""

from __future__ import annotations

import argparse
import errno
import os
import resource
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from desktop.commands import outbox as command
from desktop.messages import say
from sync import carry_out, medium
from sync.blobs import Blobs
from sync.carry_in import import_queue, normal_transfer_code
from sync.carry_out import export_files, export_queue
from sync.errors import ExportNotWritten, ExportRefused, KeyMissing, PacketDamaged, PacketStray, StoreDamaged, StoreTrouble
from sync.outbox import Act
from sync.store import open_folder
from tests.contract.province.hall import HallStation, People, came_in
from tests.emulators.province_run import ProvinceRun
from tests.emulators.records import OneKey

pytestmark = pytest.mark.timeout(180)


def _recovered(province: ProvinceRun, export: Path) -> dict[str, str]:
    return {one["record_id"]: one["outcome"] for one in province.desk("POST", "/records/recover", export=str(export))["records"]}


def _spoil(hall: HallStation, record_id: str) -> None:
    path = hall.blobs.path(hall.row(record_id).packet_blob)
    path.write_bytes(path.read_bytes()[:-1] + b"\x00")


def _run(folder: Path, key: bytes, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setenv("HALL_INTAKE_HOME", str(folder))
    monkeypatch.setattr(command, "KeyCabinet", lambda: OneKey(key))
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args(arguments))


# -- a store that is not whole --------------------------------------------------------------------------------------------------------
def test_one_damaged_packet_keeps_no_other_one_back(hall: HallStation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                   capsys: pytest.CaptureFixture[str]) -> None:
    good, bad, gone = hall.keep(), hall.keep(), hall.keep()
    _spoil(hall, bad)
    hall.blobs.drop(hall.row(gone).packet_blob)
    done = export_queue(hall.store, hall.blobs, hall.station, tmp_path / "export")
    assert done.records == (good,) and set(done.damaged) == {bad, gone} and done.signed
    with pytest.raises(PacketDamaged):
        export_queue(hall.store, hall.blobs, hall.station, tmp_path / "one", only=(bad,))
    assert not (tmp_path / "one").exists()
    hall.close()
    assert _run(hall.folder, hall._key, monkeypatch, "export", str(tmp_path / "e.zip")) == 1
    told = capsys.readouterr()
    assert "exported: 1" in told.out and bad in told.err and gone in told.err and "packet.damaged" in told.err
    hall.reopen()


def test_a_lost_key_is_survived_by_doing_what_the_commands_say(hall: HallStation, people: People, province: ProvinceRun, tmp_path: Path,
                                                               monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Refused, exported without the key, received by the province, the old folder put away, enrolled anew, working on: as it is written there."""
    kept = [hall.keep() for _ in range(2)]
    hall.close()
    other_key = os.urandom(32)
    assert _run(hall.folder, other_key, monkeypatch, "list") == 1 and "hall-intake outbox export --without-key" in capsys.readouterr().err
    assert _run(hall.folder, other_key, monkeypatch, "export", "--without-key", str(tmp_path / "export")) == 0
    told = capsys.readouterr().out
    assert str(hall.folder) in told and "hall-intake enrol" in told
    assert _recovered(province, tmp_path / "export") == dict.fromkeys(kept, "received")
    with pytest.raises(KeyMissing):  # the folder as it is: no new key, never
        open_folder(hall.folder, OneKey(other_key), True, make=True)
    hall.folder.rename(tmp_path / "put-away")
    fresh = HallStation(hall.folder, people, province)
    new = fresh.keep()
    fresh.drive(new, "receipted")
    fresh.close()
    assert all(came_in(province, one) == 1 for one in (*kept, new))
    hall.folder = tmp_path / "put-away"
    hall.reopen()  # the keyring came back after all: what is there gets the same receipts
    for one in kept:
        hall.drive(one, "receipted")
        assert came_in(province, one) == 1


@pytest.mark.parametrize("how", ["gone", "changed"])
def test_a_lost_label_keeps_no_packet_from_the_province(hall: HallStation, province: ProvinceRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                        capsys: pytest.CaptureFixture[str], how: str) -> None:
    """The message says "export --without-key": it must work just then."""
    record_id = hall.keep()
    hall.close()
    label = (hall.folder / "store-id").read_bytes()
    (hall.folder / "store-id").unlink() if how == "gone" else (hall.folder / "store-id").write_bytes(b"x")
    with pytest.raises(StoreDamaged):
        open_folder(hall.folder, OneKey(hall._key))
    assert _run(hall.folder, hall._key, monkeypatch, "list") == 1 and "--without-key" in capsys.readouterr().err
    assert _run(hall.folder, hall._key, monkeypatch, "export", "--without-key", str(tmp_path / "export")) == 0
    assert _recovered(province, tmp_path / "export") == {record_id: "received"}
    (hall.folder / "store-id").write_bytes(label)
    hall.reopen()


def test_a_file_that_cannot_be_read_keeps_no_other_one_from_the_province(hall: HallStation, province: ProvinceRun, tmp_path: Path,
                                                                         monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [hall.keep() for _ in range(3)]
    torn, unread = (hall.row(one).packet_blob for one in ids[:2])
    hall.close()
    header, read = carry_out.read_header, Blobs.read

    def failing_header(path: Path) -> object:
        if path.name == torn:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return header(path)

    def failing_read(self: Blobs, blob_id: str) -> bytes:
        if blob_id == unread:
            raise StoreTrouble("blob: EIO", step="blob")
        return read(self, blob_id)

    monkeypatch.setattr(carry_out, "read_header", failing_header)
    monkeypatch.setattr(Blobs, "read", failing_read)
    done = export_files(hall.folder, tmp_path / "export")
    assert done.records == (ids[2],) and set(done.damaged) == {torn, unread}
    assert _recovered(province, tmp_path / "export") == {ids[2]: "received"}
    monkeypatch.undo()
    hall.reopen()


@pytest.mark.parametrize("turn", range(4))
def test_of_two_packets_of_one_record_the_last_signed_one_goes_to_the_province(hall: HallStation, tmp_path: Path, turn: int) -> None:
    """A kill between the row of a second signature and the unlinking of the first packet leaves both; their names are random."""
    record_id = hall.keep()
    before = hall.row(record_id)
    first = {suffix: hall.blobs.path(before.packet_blob).with_suffix(suffix).read_bytes() for suffix in ("", ".slip")}
    hall.outbox.sign_again(record_id, before.signature, before.signature, (Act(b"{}", b"p7s"),), who="op:AD-000001", what="record.countersigned")
    after = hall.row(record_id).packet_blob
    hall.close()
    for suffix, content in first.items():
        left = hall.blobs.folder / f"{before.packet_blob}{suffix}"
        left.write_bytes(content)
        os.utime(left, (1_700_000_000, 1_700_000_000))
    done = export_files(hall.folder, tmp_path / "export")
    assert done.records == (record_id,) and not done.damaged and done.left_out == 0
    assert (tmp_path / "export" / "slips" / f"{record_id}.slip").read_bytes() == (hall.blobs.folder / f"{after}.slip").read_bytes()
    hall.reopen()


@pytest.mark.parametrize("newer", [1, 4, 6])
def test_an_older_store_put_back_deletes_nothing_that_was_kept_since_and_says_so(hall: HallStation, province: ProvinceRun, tmp_path: Path,
                                                                                 monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
                                                                                 newer: int) -> None:
    """Rows of yesterday, packets of today: the packets were kept and perhaps never sent."""
    old = hall.keep()
    hall.close()
    shutil.copy(hall.folder / "store.db", tmp_path / "yesterday.db")
    hall.reopen()
    kept = [hall.keep() for _ in range(newer)]
    hall.drive(kept[0], "receipted")
    orphan = hall.blobs.write(b"a still of a draft")
    hall.close()
    shutil.copy(tmp_path / "yesterday.db", hall.folder / "store.db")
    hall.reopen()
    assert len(hall.blobs.ids()) == newer + 1 and orphan not in hall.blobs.ids()
    assert [(one.state, one.count) for one in hall.outbox.waiting() if one.why == PacketStray.code] == [("set_aside", newer)]
    hall.close()
    assert _run(hall.folder, hall._key, monkeypatch, "verify") == 1
    told = capsys.readouterr()
    assert told.err.count("packet.stray") == newer and "bad: 0" in told.out
    assert _run(hall.folder, hall._key, monkeypatch, "export", "--without-key", str(tmp_path / "export")) == 0
    came = _recovered(province, tmp_path / "export")
    assert set(came) == {old, *kept} and came[kept[0]] == "known" and set(came.values()) <= {"known", "received"}
    assert all(came_in(province, one) == 1 for one in (old, *kept))
    hall.reopen()


def test_what_was_forgotten_on_purpose_is_no_stray(hall: HallStation) -> None:
    """A kill between the transaction that forgets and the unlinking: swept at the next start, or a person's packet would stay for ever."""
    record_id = hall.keep()
    hall.drive(record_id, "receipted")
    blob_id = hall.row(record_id).packet_blob
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Blobs, "drop", lambda self, one: None)
        assert hall.outbox.purge_due(datetime.now(UTC) + timedelta(days=1), 0) == (record_id,)
    assert hall.blobs.ids() == (blob_id,)
    assert hall.outbox.begin().dropped == (blob_id,) and hall.blobs.ids() == () and hall.outbox.waiting() == ()


# -- media that fail ------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["export", "export.zip"])
def test_a_medium_that_is_pulled_midway_is_said_as_such(hall: HallStation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Writing fails, and so does taking back what was written."""
    hall.keep(size=5000)

    for call in ("unlink", "rmdir"):
        monkeypatch.setattr(Path, call, _failing(errno.EIO))
    monkeypatch.setattr(medium.os, "fsync", _failing(errno.EIO))
    with pytest.raises(ExportNotWritten) as caught:
        export_queue(hall.store, hall.blobs, hall.station, tmp_path / name)
    assert caught.value.facts["path"] == str(tmp_path / name) and not hall.store.damaged
    monkeypatch.undo()
    assert export_queue(hall.store, hall.blobs, hall.station, tmp_path / "again").records


@pytest.mark.parametrize("name", ["export", "export.zip"])
def test_a_file_that_is_too_large_for_the_medium_is_said_as_such(hall: HallStation, tmp_path: Path, name: str) -> None:
    """As FAT does at 4 GB; the words name the way: a folder instead of one zip."""
    record_id = hall.keep(size=200_000)
    hall.close()
    most = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, most[1]))
        with pytest.raises(ExportNotWritten) as caught:
            export_files(hall.folder, tmp_path / name)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, most)
    assert caught.value.facts["why"] == "large" and not (tmp_path / name).exists()
    assert "4 GB" in say(caught.value).cause and "文件夹" in say(caught.value).next
    assert export_files(hall.folder, tmp_path / name).records == (record_id,)
    hall.reopen()


@pytest.mark.parametrize(("number", "name", "why"), [(errno.ENOSPC, "e", "full"), (errno.EROFS, "e", "refused"), (errno.EIO, "e.zip", "failed"),
                                                     (0, "there", "there"), (0, "no/such/e", "nowhere"), (0, "no/such/e.zip", "nowhere")])
def test_each_way_in_which_a_medium_fails_has_its_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, name: str, why: str) -> None:
    (tmp_path / "there").mkdir()
    if number:
        monkeypatch.setattr(medium.os, "fsync", _failing(number))
    with pytest.raises(ExportNotWritten) as caught, medium.write_medium(tmp_path / name) as write:
        write("manifest.json", b"{}")
    assert caught.value.facts["why"] == why and say(caught.value).cause != say(ExportNotWritten).cause
    assert [one.name for one in tmp_path.iterdir()] == ["there"]


def _failing(number: int) -> Callable[..., None]:
    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail


@pytest.mark.parametrize(("number", "goes"), [(errno.EINVAL, True), (errno.ENOSYS, True), (errno.EIO, False)])
def test_a_medium_that_cannot_sync_a_folder_is_no_failure(hall: HallStation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, goes: bool) -> None:
    """Network shares answer EINVAL to the sync of a folder; each file's own sync counts."""
    record_id = hall.keep()

    monkeypatch.setattr(medium, "sync_folder", _failing(number))
    for name in ("e", "e.zip"):
        if goes:
            assert export_queue(hall.store, hall.blobs, hall.station, tmp_path / name).records == (record_id,)
        else:
            with pytest.raises(ExportNotWritten):
                export_queue(hall.store, hall.blobs, hall.station, tmp_path / name)
            assert not (tmp_path / name).exists()


# -- exports that somebody spoiled ----------------------------------------------------------------------------------------------------
@pytest.fixture
def other(tmp_path: Path, people: People, province: ProvinceRun) -> HallStation:
    return HallStation(tmp_path / "other", people, province)


def _changed_row(monkeypatch: pytest.MonkeyPatch, change: dict[str, str]) -> None:
    as_it_is: Callable[[object], dict[str, object]] = carry_out._row_json
    monkeypatch.setattr(carry_out, "_row_json", lambda row: as_it_is(row) | change)


@pytest.mark.parametrize("change", [{"owner": "op:张三"}, {"owner": "somebody"}, {"owner": "op:" + "7" * 65}, {"reason": "张三 510104"}, {"reason": "x" * 65}])
def test_what_no_station_writes_is_refused_whole_and_by_name(hall: HallStation, other: HallStation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                             change: dict[str, str]) -> None:
    """A station of this province signed it, and still its rows go into journal and lists here."""
    hall.keep()
    _changed_row(monkeypatch, change)
    done = export_queue(hall.store, hall.blobs, hall.station, tmp_path / "export")
    with pytest.raises(ExportRefused) as caught:
        import_queue(other.store, other.blobs, other.station, tmp_path / "export", normal_transfer_code(done.code))
    assert caught.value.facts["why"] == "format" and other.outbox.rows() == () and other.blobs.ids() == ()
    other.close()


def test_every_byte_of_a_zip_may_be_wrong_and_it_is_refused_or_taken_as_it_was(hall: HallStation, other: HallStation, tmp_path: Path) -> None:
    record_id = hall.keep(size=200)
    done = export_queue(hall.store, hall.blobs, hall.station, tmp_path / "good.zip")
    good, code = (tmp_path / "good.zip").read_bytes(), normal_transfer_code(done.code)
    digest = hall.row(record_id).packet_digest
    for at in [*range(0, len(good), 97), *range(good.index(b"PK\x01\x02"), len(good))]:
        for how in (good[:at] + bytes((good[at] ^ 0xFF,)) + good[at + 1:], good[:at]):
            (tmp_path / "bad.zip").write_bytes(how)
            try:
                came = import_queue(other.store, other.blobs, other.station, tmp_path / "bad.zip", code)
            except ExportRefused:
                continue
            assert not came.came or other.row(record_id).packet_digest == digest
    assert {row.packet_digest for row in other.outbox.rows()} <= {digest}
    other.close()
