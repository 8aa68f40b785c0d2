"""A large store is read to its end beside the work: damage is told once, a whole one says nothing, closing does not wait for it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication

from desktop.bridge.jobs import Jobs
from desktop.effects.whole import LOOP, StoreCheck
from sync.errors import StoreDamaged, StoreTrouble
from sync.store import Store
from tests.scenes.stages import until

KEY = bytes(32)


@pytest.fixture
def jobs(qt_application: QApplication) -> Iterator[Jobs]:
    made = Jobs()
    yield made
    assert made.close() == ()


def large(folder: Path, monkeypatch: pytest.MonkeyPatch, *, damaged: bool) -> Store:
    """A store of which only the first pages are read at the open."""
    with Store.make(folder, KEY) as store, store.write() as tx:
        tx.execute("INSERT INTO drafts VALUES ('d', 'o', 'c', 's', ?, ?, NULL, '', '')", ("x" * 100_000, bytes(32)))
    if damaged:
        content = bytearray((folder / "store.db").read_bytes())
        content[-2000] ^= 1
        (folder / "store.db").write_bytes(content)
    monkeypatch.setattr("sync.store._WHOLE_AT_OPEN", 0)
    return Store.open(folder, KEY)


def ended(jobs: Jobs) -> bool:
    return not any(thread.name == LOOP for thread in threading.enumerate())


def test_damage_is_told_once_and_the_store_keeps_nothing_more(tmp_path: Path, jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Any] = []
    with large(tmp_path / "home", monkeypatch, damaged=True) as store:
        rooms: Any = SimpleNamespace(store=store)
        StoreCheck(jobs, told.append).start(rooms)
        until(lambda: told, "the damage told")
        until(lambda: ended(jobs), "the thread at its end")
        assert len(told) == 1 and isinstance(told[0], StoreDamaged) and store.damaged
        with pytest.raises(StoreDamaged), store.write():
            pass


def test_a_whole_store_says_nothing_and_one_read_at_its_open_is_not_read_again(tmp_path: Path, jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Any] = []
    with large(tmp_path / "home", monkeypatch, damaged=False) as store:
        rooms: Any = SimpleNamespace(store=store)
        read: list[Any] = []
        monkeypatch.setattr(store, "check", lambda cancel: read.append(cancel))
        StoreCheck(jobs, told.append).start(rooms)
        until(lambda: ended(jobs), "the end")
        store.unread = False
        StoreCheck(jobs, told.append).start(rooms)
        assert len(read) == 1 and not told and ended(jobs)


def test_closing_ends_it_and_a_store_that_was_closed_is_no_damage(tmp_path: Path, qt_application: QApplication, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs, told, begun = Jobs(), list[Any](), threading.Event()

    def check(cancel: threading.Event) -> bool:
        begun.set()
        assert cancel.wait(60)
        raise StoreTrouble("the store is closed", step="closed")

    with large(tmp_path / "home", monkeypatch, damaged=False) as store:
        rooms: Any = SimpleNamespace(store=store)
        monkeypatch.setattr(store, "check", check)
        StoreCheck(jobs, told.append).start(rooms)
        assert begun.wait(30)
        assert jobs.close(30) == () and not told
