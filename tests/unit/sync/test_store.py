"""The store opens only when it is whole and ours; what is damaged, foreign, newer, in use or without its key is left byte for byte as it is."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sync.blobs import Blobs
from sync.canon import canon
from sync.ciphers import key_check
from sync.errors import KeyMissing, NotEnrolled, StoreDamaged, StoreForeign, StoreInUse, StoreTooNew, StoreTrouble
from sync.sqlcipher import check_versions, connect
from sync.steps import SCHEMA_VERSION, make_file
from sync.store import Store, StoreLabel, open_folder, read_label

KEY = bytes(range(32))
TEXT = "测试人员甲乙丙 51010419900101901X" * 3000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.make(tmp_path / "home", KEY) as made:
        yield made


def _content(folder: Path) -> dict[str, str]:
    return {one.name: hashlib.sha256(one.read_bytes()).hexdigest() for one in sorted(folder.rglob("*")) if one.is_file()}


def _filled(folder: Path) -> Path:
    with Store.make(folder, KEY) as store, store.write() as tx:
        store.put_station_value(tx, "a", TEXT.encode())
        store.put_station_value(tx, "station_id", b"station-1")
    return folder


class Cabinet:
    """A keyring in memory, for the order of steps only; the real one is in test_keys."""

    def __init__(self) -> None:
        self.keys: dict[str, bytes] = {}

    def load(self, store_id: str, practice: bool = False) -> bytes:
        if store_id not in self.keys:
            raise KeyMissing("empty")
        return self.keys[store_id]

    def make(self, store_id: str, practice: bool = False) -> bytes:
        assert store_id not in self.keys
        self.keys[store_id] = os.urandom(32)
        return self.keys[store_id]


# -- whole --------------------------------------------------------------------------------------------------------------------------------
def test_what_was_committed_is_there_after_opening_again_and_unreadable_on_the_disk(tmp_path: Path) -> None:
    folder = _filled(tmp_path / "home")
    with Store.open(folder, KEY, "station-1") as store:
        assert store.station_value("a") == TEXT.encode() and store.station_value("b") is None
        for file in folder.iterdir():
            content = file.read_bytes()
            assert not content.startswith(b"SQLite format 3"), file.name
            assert "测试人员".encode() not in content and b"51010419900101901X" not in content


def test_the_settings_are_the_safe_ones(store: Store) -> None:
    with store.write() as tx:
        found = {name: tx.execute(f"PRAGMA {name}").fetchone() for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "temp_store")}
    assert found == {"journal_mode": ("wal",), "synchronous": (2,), "foreign_keys": (1,), "secure_delete": (1,), "temp_store": (2,)}
    check_versions()
    with pytest.raises(StoreTrouble) as caught:
        check_versions((3, 51, 2))
    assert caught.value.facts["step"] == "version"


def test_a_transaction_that_raises_leaves_nothing_and_readers_see_one_moment(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.write() as tx:
        store.put_station_value(tx, "a", b"1")
        raise ZeroDivisionError
    assert store.station_value("a") is None
    with store.read() as rows:
        assert rows.execute("SELECT count(*) FROM station").fetchone() == (0,)
        with store.write() as tx:
            store.put_station_value(tx, "a", b"1")
        assert rows.execute("SELECT count(*) FROM station").fetchone() == (0,), "still the moment before"
    assert store.station_value("a") == b"1"


def test_readers_cannot_write_and_writes_do_not_nest(store: Store) -> None:
    with pytest.raises(StoreTrouble), store.read() as rows:
        rows.execute("DELETE FROM station")
    with store.write() as tx, pytest.raises(RuntimeError), store.write():
        pass
    with store.write() as tx:
        store.put_station_value(tx, "a", b"1")
    with pytest.raises(StoreTrouble), store.write() as tx:
        tx.execute("INSERT INTO no_table VALUES (1)")
    with store.write() as tx:
        store.put_station_value(tx, "a", b"2")


def test_threads_write_one_after_the_other_and_lose_nothing(store: Store) -> None:
    troubles: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for count in range(20):
                with store.write() as tx:
                    store.put_station_value(tx, f"{number}-{count}", b"x")
                assert store.station_value(f"{number}-{count}") == b"x"
        except BaseException as error:
            troubles.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert not troubles
    with store.read() as rows:
        assert rows.execute("SELECT count(*) FROM station").fetchone() == (80,)


def test_a_closed_store_says_so(store: Store) -> None:
    store.close()
    store.close()
    with pytest.raises(StoreTrouble), store.read():
        pass
    with pytest.raises(StoreTrouble), store.write():
        pass


# -- not whole, not ours ----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("spoil", [
    lambda b: b[:5000] + bytes([b[5000] ^ 1]) + b[5001:], lambda b: b[:len(b) // 2], lambda b: os.urandom(len(b)), lambda b: b"", lambda b: b[:100],
    lambda b: bytes(len(b)), lambda b: b[:-1] + bytes([b[-1] ^ 1]), lambda b: b[:4096] + b[8192:12288] + b[4096:8192] + b[12288:],
], ids=["one bit", "half", "noise", "empty", "start only", "zeros", "last bit", "pages swapped"])
def test_a_damaged_store_is_named_and_not_a_byte_changes(tmp_path: Path, spoil) -> None:
    folder = _filled(tmp_path / "home")
    (folder / "store.db").write_bytes(spoil((folder / "store.db").read_bytes()))
    before = _content(folder)
    for _ in range(2):
        with pytest.raises(StoreDamaged):
            Store.open(folder, KEY)
        assert _content(folder) == before
    cabinet = Cabinet()
    label = read_label(folder)
    assert label is not None
    cabinet.keys[label.store_id] = KEY
    with pytest.raises(StoreDamaged):
        open_folder(folder, cabinet, make=True)
    assert _content(folder) == before


def test_a_damaged_file_with_a_log_beside_it_keeps_both(tmp_path: Path) -> None:
    folder = _filled(tmp_path / "home")
    with Store.open(folder, KEY) as store:
        with store.write() as tx:
            store.put_station_value(tx, "b", b"in the log")
        crashed = tmp_path / "crashed"
        shutil.copytree(folder, crashed)
    (crashed / "store.db-shm").unlink()
    with Store.open(Path(shutil.copytree(crashed, tmp_path / "whole")), KEY) as store:
        assert store.station_value("b") == b"in the log"
    content = bytearray((crashed / "store.db").read_bytes())
    content[30_000] ^= 1
    (crashed / "store.db").write_bytes(content)
    before = _content(crashed)
    assert (crashed / "store.db-wal").stat().st_size > 0
    with pytest.raises(StoreDamaged):
        Store.open(crashed, KEY)
    assert _content(crashed) == before


@pytest.mark.parametrize("names", ["store.db", "store-id", "store.db store.check", "store-id store.check", "store-id store.db store.check"])
def test_a_lost_file_is_damage_and_never_a_new_store(tmp_path: Path, names: str) -> None:
    """With packets there: a new store in the place of a lost one would know none of them, and its sweep would take the pictures of drafts."""
    folder = _filled(tmp_path / "home")
    blobs = Blobs(folder / "blobs", room=0, reserve=0)
    blobs.prepare()
    blobs.write(b"a picture")
    label = read_label(folder)
    assert label is not None
    cabinet = Cabinet()
    cabinet.keys[label.store_id] = KEY
    for name in names.split():
        (folder / name).unlink()
    before = _content(folder)
    for attempt in (lambda: Store.open(folder, KEY), lambda: open_folder(folder, cabinet, make=True), lambda: Store.make(folder, KEY)):
        with pytest.raises((StoreDamaged, StoreForeign)):
            attempt()
        assert _content(folder) == before


def test_a_wrong_key_is_not_called_damage(tmp_path: Path) -> None:
    folder = _filled(tmp_path / "home")
    before = _content(folder)
    with pytest.raises(KeyMissing):
        Store.open(folder, os.urandom(32))
    assert _content(folder) == before


def test_a_second_opener_is_turned_away_until_the_first_closes(tmp_path: Path) -> None:
    folder = _filled(tmp_path / "home")
    with Store.open(folder, KEY):
        with pytest.raises(StoreInUse):
            Store.open(folder, KEY)
    Store.open(folder, KEY).close()


def test_a_newer_schema_a_foreign_file_and_another_station_are_told_apart(tmp_path: Path) -> None:
    folder = _filled(tmp_path / "home")
    with pytest.raises(StoreForeign):
        Store.open(folder, KEY, "station-2")
    for pragma, kind in ((f"user_version = {SCHEMA_VERSION + 1}", StoreTooNew), ("application_id = 7", StoreForeign)):
        other = Path(shutil.copytree(folder, tmp_path / pragma[:8]))
        opened = connect(other / "store.db", KEY, "rw")
        opened.execute(f"PRAGMA {pragma}")
        opened.close()
        before = _content(other)
        with pytest.raises(kind):
            Store.open(other, KEY)
        assert _content(other) == before
    (folder / "store.db").unlink()
    with sqlite3.connect(folder / "store.db") as plain:
        plain.execute("CREATE TABLE t (x)")
    plain.close()
    with pytest.raises(StoreForeign):
        Store.open(folder, KEY)


def test_a_store_and_the_label_of_another_do_not_go_together(tmp_path: Path) -> None:
    folder, other = _filled(tmp_path / "one"), _filled(tmp_path / "two")
    for name in ("store-id", "store.check"):
        (folder / name).write_bytes((other / name).read_bytes())
    with pytest.raises(StoreForeign):
        Store.open(folder, KEY)


# -- the door with a keyring -------------------------------------------------------------------------------------------------------------
def test_a_store_is_made_once_and_only_when_asked(tmp_path: Path) -> None:
    cabinet, folder = Cabinet(), tmp_path / "home"
    with pytest.raises(NotEnrolled):
        open_folder(folder, cabinet)
    assert not folder.exists() and not cabinet.keys
    with open_folder(folder, cabinet, True, make=True) as store:
        store_id, wrap_key = store.store_id, store.wrap_key
        assert store.practice and len(wrap_key) == 32 and wrap_key != cabinet.keys[store_id]
    with open_folder(folder, cabinet, make=True) as store:
        assert (store.store_id, store.wrap_key) == (store_id, wrap_key)
    assert list(cabinet.keys) == [store_id]
    with pytest.raises(StoreForeign):
        open_folder(folder, cabinet, False)


def test_a_lost_key_is_named_and_no_new_one_is_made(tmp_path: Path) -> None:
    cabinet, folder = Cabinet(), tmp_path / "home"
    open_folder(folder, cabinet, make=True).close()
    cabinet.keys.clear()
    before = _content(folder)
    with pytest.raises(KeyMissing):
        open_folder(folder, cabinet, make=True)
    assert not cabinet.keys and _content(folder) == before


@pytest.mark.parametrize("step", ["label", "half a label", "key", "file", "schema", "checked", "half checked"])
def test_a_making_that_was_cut_short_is_taken_up_with_the_same_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """The states that kill -9 can leave between the steps of a making, made by hand."""
    cabinet, folder = Cabinet(), tmp_path / "home"
    folder.mkdir()
    label = StoreLabel(str(uuid.uuid4()), False)
    content = canon({"type": "hall-intake/store-id/1", "store_id": label.store_id, "practice": False})
    (folder / "store-id").write_bytes({"label": b"", "half a label": content[:len(content) // 2]}.get(step, content))
    if step in ("file", "schema", "checked", "half checked"):
        key = cabinet.make(label.store_id)
        connect(folder / "store.db", key, "rwc").close()
        if step != "file":
            make_file(folder, label, key)
        if step.endswith("checked"):
            (folder / "store.check").write_bytes(key_check(key, label.salt).encode()[:32 if step == "half checked" else 0])
    elif step == "key":
        cabinet.make(label.store_id)
    made = dict(cabinet.keys)
    open_folder(folder, cabinet, make=True).close()
    assert len(cabinet.keys) == 1 and made.items() <= cabinet.keys.items()
    open_folder(folder, cabinet).close()


@pytest.mark.parametrize("name", ["store-id", "store.check"])
@pytest.mark.parametrize("damage", [lambda whole: whole[:-1] + b"?", lambda whole: whole[1:], lambda whole: whole[:len(whole) // 2] + b"?"])
def test_what_is_no_beginning_is_damage_and_stays_as_it_is(tmp_path: Path, name: str, damage: Callable[[bytes], bytes]) -> None:
    cabinet, folder = Cabinet(), tmp_path / "home"
    open_folder(folder, cabinet, make=True).close()
    (folder / name).write_bytes(damage((folder / name).read_bytes()))
    before = _content(folder)
    with pytest.raises((StoreDamaged, KeyMissing)):
        open_folder(folder, cabinet, make=True)
    assert _content(folder) == before


def test_half_a_label_over_something_that_was_begun_is_damage(tmp_path: Path) -> None:
    cabinet, folder = Cabinet(), tmp_path / "home"
    open_folder(folder, cabinet, make=True).close()
    (folder / "store-id").write_bytes((folder / "store-id").read_bytes()[:40])
    with pytest.raises(StoreDamaged):
        open_folder(folder, cabinet, make=True)


def test_a_key_that_is_gone_before_the_making_ended_is_still_no_reason_for_another(tmp_path: Path) -> None:
    cabinet, folder = Cabinet(), tmp_path / "home"
    open_folder(folder, cabinet, make=True).close()
    (folder / "store.check").unlink()
    cabinet.keys.clear()
    with pytest.raises(KeyMissing):
        open_folder(folder, cabinet, make=True)
    assert not cabinet.keys


# -- a large store: its first pages at the open, all of it beside the work ---------------------------------------------------------------
def test_a_large_store_is_checked_after_its_open_and_damage_closes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = _filled(tmp_path / "home")
    with Store.open(folder, KEY) as store:
        with store.write() as tx:
            tx.execute("INSERT INTO drafts VALUES ('d', 'o', 'c', 's', ?, ?, NULL, '', '')", (TEXT, bytes(32)))
        assert store.check() and not store.unread
        cancelled = threading.Event()
        cancelled.set()
        assert not store.check(cancelled)
    content = bytearray((folder / "store.db").read_bytes())
    content[-2000] ^= 1  # a page of the long draft
    (folder / "store.db").write_bytes(content)
    before = _content(folder)
    with pytest.raises(StoreDamaged):
        Store.open(folder, KEY)
    monkeypatch.setattr("sync.store._WHOLE_AT_OPEN", 0)
    with Store.open(folder, KEY) as store:
        assert store.unread
        with pytest.raises(StoreDamaged):
            store.check()
        with pytest.raises(StoreDamaged), store.write():
            pass
        with pytest.raises(StoreDamaged), store.read():
            pass
    assert _content(folder) == before


def test_a_large_store_is_still_refused_where_it_is_not_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync.store._WHOLE_AT_OPEN", 0)
    folder = _filled(tmp_path / "home")
    for spoil, kind in ((lambda b: bytes(len(b)), StoreDamaged), (lambda b: b[:20] + bytes([b[20] ^ 1]) + b[21:], StoreDamaged), (lambda b: b"", StoreDamaged)):
        other = Path(shutil.copytree(folder, tmp_path / "other"))
        (other / "store.db").write_bytes(spoil((other / "store.db").read_bytes()))
        with pytest.raises(kind):
            Store.open(other, KEY)
        shutil.rmtree(other)
    opened = connect(folder / "store.db", KEY, "rw")
    opened.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    opened.close()
    with pytest.raises(StoreTooNew):
        Store.open(folder, KEY)


def _thick(folder: Path) -> None:
    """Some thousand rows: a check has to look more than once whether it shall give way."""
    with Store.open(folder, KEY) as store, store.write() as tx:
        for number in range(3_000):
            tx.execute("INSERT INTO station VALUES (?, ?)", (str(number), bytes(600)))


def test_a_check_gives_way_to_whoever_empties_the_log_and_ends_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = _filled(tmp_path / "home")
    _thick(folder)
    monkeypatch.setattr("sync.store._STEPS_BETWEEN_LOOKS", 1)
    with Store.open(folder, KEY) as store:
        looked, cancelled = threading.Event(), _Asked()
        checking = threading.Thread(target=lambda: (store.check(cancelled), looked.set()))  # type: ignore[arg-type]
        checking.start()
        assert cancelled.asked.wait(30)
        for _ in range(5):
            store.forget_old_pages()
            with store.write() as tx:
                tx.execute("UPDATE station SET value = ? WHERE name = '7'", (b"new",))
        checking.join(60)
        assert looked.is_set()


def test_a_check_that_is_cancelled_in_the_midst_ends_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = _filled(tmp_path / "home")
    _thick(folder)
    monkeypatch.setattr("sync.store._STEPS_BETWEEN_LOOKS", 1)
    with Store.open(folder, KEY) as store:
        cancelled = _Asked(after=20)
        assert not store.check(cancelled)  # type: ignore[arg-type]
        assert store.check()


class _Asked:
    """A cancel event that tells when it was asked, and says yes from its ``after``-th question on."""

    def __init__(self, after: int = 0) -> None:
        self.asked, self._after, self._count = threading.Event(), after, 0

    def is_set(self) -> bool:
        self.asked.set()
        self._count += 1
        return bool(self._after) and self._count >= self._after


def test_what_was_erased_while_somebody_read_leaves_the_log_with_the_next_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dropped key must not stay in the log for as long as the program is open, only because a long list was read just then."""
    monkeypatch.setattr("sync.store.BUSY_MS", 50)
    log = tmp_path / "home" / "store.db-wal"
    with Store.make(tmp_path / "home", KEY) as store:
        with store.read() as rows:
            assert rows.execute("SELECT count(*) FROM outbox").fetchone() == (0,)
            with store.write() as tx:
                store.put_station_value(tx, "a", b"erased later")
            store.forget_old_pages()
            assert log.stat().st_size > 0
            with store.write() as tx:
                store.put_station_value(tx, "b", b"not waited for, while it still reads")
        before = log.stat().st_size
        with store.write() as tx:
            store.put_station_value(tx, "c", b"x")
        assert 0 < log.stat().st_size < before, "emptied, then one write"
        store.forget_old_pages()
        assert log.stat().st_size == 0
