"""The queue over a medium: to another station and to the province itself. Every record arrives, none twice, and the medium tells nobody anything."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop.commands import outbox as command
from sync.canon import canon, digest
from sync.carry_in import Imported, import_queue, normal_transfer_code
from sync.carry_out import Exported, export_files, export_queue
from sync.errors import CarriedUnsigned, ExportForProvince, ExportNotWritten, ExportRefused, KeyMissing, NotAllowed, NotEnrolled, StoreInUse
from sync.journal import verify_lines
from sync.store import Store
from tests.contract.province.hall import HallStation, People, came_in
from tests.emulators.province_run import ProvinceRun
from tests.emulators.records import MARKS, OneKey

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def other(tmp_path: Path, people: People, province: ProvinceRun) -> Iterator[HallStation]:
    made = HallStation(tmp_path / "other", people, province)
    yield made
    made.close()


def _export(hall: HallStation, to: Path) -> Exported:
    return export_queue(hall.store, hall.blobs, hall.station, to)


def _import(hall: HallStation, source: Path, code: str, owner: str = "") -> Imported:
    return import_queue(hall.store, hall.blobs, hall.station, source, normal_transfer_code(code), owner)


@pytest.mark.parametrize("name", ["export", "export.zip"])
def test_another_station_sends_what_was_carried_to_it_and_nothing_arrives_twice(hall: HallStation, other: HallStation, province: ProvinceRun, tmp_path: Path,
                                                                                name: str) -> None:
    ids = [hall.keep(size=5000)]
    hall.drive(ids[0], "uploaded")  # its receipt is on the way when the machine is given up
    ids += [hall.keep(size=5000) for _ in range(2)]
    own = other.keep()
    done = _export(hall, tmp_path / name)
    assert set(done.records) == set(ids) and done.signed
    came = _import(other, tmp_path / name, done.code.lower().replace("-", " "))
    assert set(came.came) == set(ids) and came.station_id == hall.station.station_id and not came.not_taken
    for record_id in (*ids, own):
        other.drive(record_id, "receipted")
        other.outbox.check_packet(record_id)
    for record_id in ids:  # the first machine comes back to life and sends, too
        hall.drive(record_id, "receipted")
        assert came_in(province, record_id) == 1 and hall.row(record_id).receipt == other.row(record_id).receipt
        assert other.row(record_id).origin == hall.station.station_id and other.row(record_id).owner == "op:OP-000017"
    for one in (hall, other):
        verify_lines(one.journal.lines(), one.journal.head())
    whats = [json.loads(line)["what"] for line in other.journal.lines()]
    assert whats.count("record.imported") == 3 and whats.count("outbox.imported") == 1
    assert "outbox.exported" in [json.loads(line)["what"] for line in hall.journal.lines()]


def test_the_medium_tells_nobody_anything(hall: HallStation, tmp_path: Path) -> None:
    hall.keep(size=5000)
    hall.keep(signed=False)
    done = _export(hall, tmp_path / "export")
    files = [one for one in (tmp_path / "export").rglob("*") if one.is_file()]
    assert len(files) == 7
    for one in files:
        content = one.read_bytes()
        assert not any(mark in content for mark in MARKS), one.name
        assert done.code.encode() not in content and done.code.replace("-", "").encode() not in content
    assert b"OP-000017" not in b"".join(one.read_bytes() for one in files), "who collected is for the rows and slips only"


def test_an_import_is_done_again_without_harm_and_a_new_owner_is_set(hall: HallStation, other: HallStation, tmp_path: Path) -> None:
    ids = [hall.keep() for _ in range(2)]
    done = _export(hall, tmp_path / "export")
    assert len(_import(other, tmp_path / "export", done.code, "op:OP-000099").came) == 2
    files = other.blobs.ids()
    again = _import(other, tmp_path / "export", done.code)
    assert again.came == () and set(again.here) == set(ids) and other.blobs.ids() == files
    assert {other.row(one).owner for one in ids} == {"op:OP-000099"}
    assert set(_import(hall, tmp_path / "export", done.code).here) == set(ids), "a backup put back where it came from changes nothing"


def test_a_backup_put_into_a_new_store_of_the_same_station_is_its_own_again(hall: HallStation, tmp_path: Path, province: ProvinceRun) -> None:
    record_id = hall.keep()
    done = _export(hall, tmp_path / "export")
    rows = _station_rows(hall)
    hall.close()
    hall.store = Store.make(tmp_path / "new", hall._key, practice=True)
    hall.folder = tmp_path / "new"
    with hall.store.write() as tx:
        for name, value in rows.items():
            hall.store.put_station_value(tx, name, value)
    hall._build()
    assert _import(hall, tmp_path / "export", done.code).came == (record_id,)
    assert hall.row(record_id).origin == ""
    hall.drive(record_id, "receipted")
    assert came_in(province, record_id) == 1


def _station_rows(hall: HallStation) -> dict[str, bytes]:
    with hall.store.read() as rows:
        return {str(name): bytes(value) for name, value in rows.execute("SELECT name, value FROM station").fetchall()}


def test_without_its_key_a_stations_records_still_reach_the_province_once(hall: HallStation, other: HallStation, province: ProvinceRun, tmp_path: Path) -> None:
    ids = [hall.keep(size=2000)]
    hall.drive(ids[0], "receipted")
    ids += [hall.keep(size=2000) for _ in range(2)]
    unsigned = hall.keep(signed=False)
    draft = hall.blobs.write(b"a still of a draft")
    with pytest.raises(StoreInUse):
        export_files(hall.folder, tmp_path / "export.zip")
    hall.close()
    with pytest.raises(KeyMissing):
        Store.open(hall.folder, os.urandom(32))
    before = {one.name: digest(one.read_bytes()) for one in hall.folder.rglob("*") if one.is_file()}
    done = export_files(hall.folder, tmp_path / "export.zip")
    assert set(done.records) == {*ids, unsigned} and done.left_out == 1 and not done.code
    assert {one.name: digest(one.read_bytes()) for one in hall.folder.rglob("*") if one.is_file()} == before
    with pytest.raises(ExportForProvince):
        _import(other, tmp_path / "export.zip", "A" * 20)
    province.desk("POST", "/stations/revoke", station_id=hall.station.station_id)  # lost machines are revoked: their records still count
    told = {one["record_id"]: one["outcome"] for one in province.desk("POST", "/records/recover", export=str(tmp_path / "export.zip"))["records"]}
    assert told == {ids[0]: "known", ids[1]: "received", ids[2]: "received", unsigned: "record.unsigned"}
    again = province.desk("POST", "/records/recover", export=str(tmp_path / "export.zip"))["records"]
    assert {one["outcome"] for one in again if one["record_id"] in ids} == {"known"}
    assert all(came_in(province, one) == 1 for one in ids)
    hall.blobs.drop(draft)
    hall.reopen()


def test_the_recovery_key_alone_opens_every_packet(hall: HallStation, province: ProvinceRun, tmp_path: Path) -> None:
    """The store's key is lost and the province's intake key, too: what was sealed before is received by the recovery key."""
    ids = [hall.keep(size=size) for size in (10, 3_000_000)]
    hall.close()
    province.desk("POST", "/keys/rotate", purpose="intake", revoke=True)
    done = export_files(hall.folder, tmp_path / "export")
    told = province.desk("POST", "/records/recover", export=str(tmp_path / "export"))["records"]
    assert {one["record_id"]: one["outcome"] for one in told} == dict.fromkeys(ids, "received") and set(done.records) == set(ids)
    assert all(came_in(province, one) == 1 for one in ids)
    hall.reopen()


def test_the_first_thing_that_a_new_station_keeps_may_be_an_import(hall: HallStation, people: People, province: ProvinceRun, tmp_path: Path) -> None:
    record_id = hall.keep()
    done = _export(hall, tmp_path / "export")
    fresh = HallStation(tmp_path / "fresh", people, province)
    shutil.rmtree(fresh.blobs.folder)   # enrolled, but the program was never opened
    assert _import(fresh, tmp_path / "export", done.code).came == (record_id,)
    fresh.drive(record_id, "receipted")
    fresh.close()


def test_a_signed_export_is_good_for_the_province_too_and_a_revoked_stations_records_are_carried(hall: HallStation, other: HallStation,
                                                                                              province: ProvinceRun, tmp_path: Path) -> None:
    one, two = hall.keep(), hall.keep()
    done = _export(hall, tmp_path / "export")
    province.desk("POST", "/stations/revoke", station_id=hall.station.station_id)
    _import(other, tmp_path / "export", done.code)
    other.drive(one, "receipted")
    told = province.desk("POST", "/records/recover", export=str(tmp_path / "export"))["records"]
    outcomes = {row["record_id"]: row["outcome"] for row in told}
    assert outcomes.pop(one) == "known" and outcomes.pop(two) in ("received", "known") and not outcomes   # both were kept in one second: either goes first
    other.drive(two, "receipted")
    assert came_in(province, one) == came_in(province, two) == 1


def test_what_nobody_signed_is_carried_aside_and_what_lay_aside_stays_there(hall: HallStation, other: HallStation, tmp_path: Path) -> None:
    unsigned, aside = hall.keep(signed=False), hall.keep()
    hall.outbox.set_aside(aside, "province.refused")
    done = _export(hall, tmp_path / "export")
    _import(other, tmp_path / "export", done.code)
    assert (other.row(unsigned).state, other.row(unsigned).reason) == ("set_aside", CarriedUnsigned.code)
    assert (other.row(aside).state, other.row(aside).reason) == ("set_aside", "province.refused")
    with pytest.raises(NotAllowed):
        other.outbox.open_packet(unsigned)
    with pytest.raises(CarriedUnsigned):  # in a list of what waits for a signature nobody here could sign it
        other.outbox.retry(unsigned, who="station")
    assert (other.row(unsigned).state, other.row(unsigned).reason) == ("set_aside", CarriedUnsigned.code)
    other.outbox.retry(aside, who="station")
    other.drive(aside, "receipted")
    assert {*_export(other, tmp_path / "second").records} == {unsigned}
    third = json.loads((tmp_path / "second" / "manifest.json").read_bytes())["records"][0]
    assert third["station_id"] == hall.station.station_id, "carried twice, it still names the station that sealed it"


def _spoil(folder: Path, how: str) -> None:
    manifest = json.loads((folder / "manifest.json").read_bytes())
    first = manifest["records"][0]
    packet = folder / "packets" / f"{first['record_id']}.hipk"
    if how == "manifest":
        (folder / "manifest.json").write_bytes(canon({**manifest, "made_at": "2026-01-01T00:00:00Z"}))
    elif how == "signature":
        (folder / "manifest.p7s").write_bytes((whole := (folder / "manifest.p7s").read_bytes())[:-1] + bytes([whole[-1] ^ 1]))
    elif how == "rows":
        (folder / "rows.hipk").write_bytes(packet.read_bytes())
    elif how == "no manifest":
        (folder / "manifest.json").unlink()
    elif how == "province":
        (folder / "manifest.json").write_bytes(canon({**manifest, "practice": False}))
    elif how == "not json":
        (folder / "manifest.json").write_bytes(b"{")
    elif how == "code":
        pass


@pytest.mark.parametrize(("how", "why"), [("manifest", "signature"), ("signature", "signature"), ("rows", "rows"), ("no manifest", "missing"),
                                          ("province", "province"), ("not json", "format"), ("code", "code")])
def test_a_spoiled_export_is_refused_whole(hall: HallStation, other: HallStation, tmp_path: Path, how: str, why: str) -> None:
    hall.keep()
    done = _export(hall, tmp_path / "export")
    _spoil(tmp_path / "export", how)
    with pytest.raises(ExportRefused) as caught:
        _import(other, tmp_path / "export", "A" * 20 if how == "code" else done.code)
    assert caught.value.facts["why"] == why
    assert other.outbox.rows() == () and other.blobs.ids() == ()


def test_one_spoiled_packet_keeps_no_other_out_and_is_never_taken(hall: HallStation, other: HallStation, tmp_path: Path) -> None:
    ids = [hall.keep() for _ in range(4)]
    done = _export(hall, tmp_path / "export")
    packets = {one: tmp_path / "export" / "packets" / f"{one}.hipk" for one in ids}
    packets[ids[0]].write_bytes((whole := packets[ids[0]].read_bytes())[:-1] + bytes([whole[-1] ^ 1]))
    packets[ids[1]].write_bytes(packets[ids[2]].read_bytes())
    packets[ids[2]].unlink()
    came = _import(other, tmp_path / "export", done.code)
    assert came.came == (ids[3],) and {one for one, _ in came.not_taken} == set(ids[:3])
    assert [row.record_id for row in other.outbox.rows()] == [ids[3]] and len(other.blobs.ids()) == 1


def test_names_that_are_not_ours_are_no_export(hall: HallStation, other: HallStation, tmp_path: Path) -> None:
    hall.keep()
    done = _export(hall, tmp_path / "good.zip")
    stranger = f"slips/{hall.station.station_id}.slip"
    for number, (name, method) in enumerate([("../evil", zipfile.ZIP_STORED), ("packets/x.exe", zipfile.ZIP_STORED), (stranger, zipfile.ZIP_DEFLATED)]):
        bad = Path(shutil.copy(tmp_path / "good.zip", tmp_path / f"bad{number}.zip"))
        with zipfile.ZipFile(bad, "a", method) as packed:
            packed.writestr(name, b"x")
        with pytest.raises(ExportRefused) as caught:
            _import(other, bad, done.code)
        assert caught.value.facts["why"] == "names"
    (tmp_path / "noise.zip").write_bytes(os.urandom(3000))
    (tmp_path / "empty").mkdir()
    for source in (tmp_path / "noise.zip", tmp_path / "empty", tmp_path / "nothing"):
        with pytest.raises(ExportRefused):
            _import(other, source, done.code)
    for code in ("", "A" * 19, "A" * 21, "0" * 20):
        with pytest.raises(ExportRefused):
            normal_transfer_code(code)


def test_nothing_is_overwritten_and_no_half_export_is_left(hall: HallStation, tmp_path: Path) -> None:
    hall.keep()
    for name in ("there", "there.zip"):
        (tmp_path / name).mkdir() if name == "there" else (tmp_path / name).write_bytes(b"mine")
        with pytest.raises(ExportNotWritten):
            _export(hall, tmp_path / name)
    assert list((tmp_path / "there").iterdir()) == [] and (tmp_path / "there.zip").read_bytes() == b"mine"
    with pytest.raises(NotEnrolled):
        export_files(tmp_path / "nowhere", tmp_path / "export")


def _command(hall: HallStation, monkeypatch: pytest.MonkeyPatch, *arguments: str, typed: str = "") -> int:
    """The command line over this station's folder, as a person runs it while the program is closed."""
    hall.close()
    monkeypatch.setenv("HALL_INTAKE_HOME", str(hall.folder))
    monkeypatch.setattr(command, "KeyCabinet", lambda: OneKey(hall._key))
    monkeypatch.setattr("builtins.input", lambda _prompt: typed)
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    code = command.run(parser.parse_args(arguments))
    hall.reopen()
    return code


def test_the_commands_carry_the_queue_and_say_plainly_what_to_do(hall: HallStation, other: HallStation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                                 capsys: pytest.CaptureFixture[str]) -> None:
    record_id = hall.keep()
    assert _command(hall, monkeypatch, "export", str(tmp_path / "e.zip")) == 0
    told = capsys.readouterr().out
    code = next(line.split(": ")[1] for line in told.splitlines() if "transfer code" in line)
    assert _command(hall, monkeypatch, "export", str(tmp_path / "e.zip")) == 1 and "export.not_written" in capsys.readouterr().err
    assert _command(other, monkeypatch, "import", str(tmp_path / "e.zip"), typed="A" * 20) == 1 and "export.refused" in capsys.readouterr().err
    assert _command(other, monkeypatch, "import", str(tmp_path / "e.zip"), "--owner", "op:OP-000018", typed=code) == 0
    assert other.row(record_id).owner == "op:OP-000018" and "came: 1" in capsys.readouterr().out
    key, hall._key = hall._key, os.urandom(32)
    with pytest.raises(KeyMissing):
        _command(hall, monkeypatch, "export", str(tmp_path / "f"))
    told = capsys.readouterr().err
    assert "keyring.key_missing" in told and "--without-key" in told
    hall._key = key
    assert _command(hall, monkeypatch, "export", "--without-key", str(tmp_path / "f")) == 0
    assert "only the province" in capsys.readouterr().out and (tmp_path / "f" / "manifest.json").exists()


def test_one_record_is_exported_alone(hall: HallStation, other: HallStation, tmp_path: Path) -> None:
    wanted, left = hall.keep(), hall.keep()
    done = export_queue(hall.store, hall.blobs, hall.station, tmp_path / "one.zip", only=(wanted,))
    assert done.records == (wanted,) and hall.outbox.row(left) is not None
    assert _import(other, tmp_path / "one.zip", done.code).came == (wanted,)
    assert other.outbox.row(left) is None
