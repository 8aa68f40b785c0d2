"""The keyring at a start of the program: locked, gone, empty, forgetful or readable. Each is named, no key is made, not a byte of the store changes."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.carry_out import export_files
from sync.errors import KeyMissing, KeyringLocked, KeyringMissing, StoreTrouble
from sync.keys import KeyCabinet, service_name
from sync.label import read_label
from sync.store import open_folder
from tests.emulators.keyring import PrivateKeyring
from tests.emulators.records import OneKey, new_recipient, open_room_with
from tests.faults.checker import faults_after, readable_files
from tests.faults.table import Outcome

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Secret Service")
TO = new_recipient("test")[1]
FAULT = "keyring at the start: "
LOCKED, GONE = f"{FAULT}locked, stopped", f"{FAULT}entry gone, another key"
_READABLE = '''
import json, pathlib
from keyring.backend import KeyringBackend

class PlaintextKeyring(KeyringBackend):
    priority = 9
    file = pathlib.Path.home() / "readable.json"

    def _all(self):
        return json.loads(self.file.read_text()) if self.file.exists() else {}

    def get_password(self, service, username):
        return self._all().get(service)

    def set_password(self, service, username, password):
        self.file.write_text(json.dumps(self._all() | {service: password}))
'''
"""What keyrings.alt does: the key readable in a file."""


@pytest.fixture
def keyring(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[PrivateKeyring]:
    with PrivateKeyring(tmp_path_factory.mktemp("k")) as running:
        for name in ("DISPLAY", "WAYLAND_DISPLAY", "PYTHON_KEYRING_BACKEND"):
            monkeypatch.delenv(name, raising=False)
        for name in ("DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR", "HOME"):
            monkeypatch.setenv(name, running.env[name])
        yield running


@pytest.fixture
def kept(keyring: PrivateKeyring, tmp_path: Path) -> list[str]:
    with open_room_with(tmp_path / "home", KeyCabinet(), TO) as room:
        return [f"{room.keep(serial)} {serial}" for serial in range(3)]


def _content(folder: Path) -> dict[str, str]:
    return {one.name: hashlib.sha256(one.read_bytes()).hexdigest() for one in folder.rglob("*") if one.is_file()}


def _refused(folder: Path, kind: type[StoreTrouble]) -> None:
    before = _content(folder)
    for make in (False, True):
        with pytest.raises(kind):
            open_folder(folder, KeyCabinet(answer_s=5), make=make)
    assert _content(folder) == before
    assert len(export_files(folder, folder.parent / f"{kind.__name__}.zip").records) == 3, "the packets can be brought to safety all the same"
    assert _content(folder) == before


def test_a_locked_and_a_stopped_keyring_are_named_and_all_is_there_afterwards(keyring: PrivateKeyring, kept: list[str], tmp_path: Path,
                                                                              outcome: Outcome) -> None:
    keyring.lock()
    _refused(tmp_path / "home", KeyringLocked)
    keyring.stop_daemon()
    _refused(tmp_path / "home", KeyringMissing)
    keyring.start_daemon()
    faults = [*faults_after(tmp_path / "home", KeyCabinet(), TO, kept), *readable_files(tmp_path, keyring.folder)]
    outcome.ran(LOCKED, 2, faults, len(kept))
    assert faults == []


def test_an_entry_that_is_gone_or_another_is_named_and_no_new_key_is_made(keyring: PrivateKeyring, kept: list[str], tmp_path: Path,
                                                                          outcome: Outcome) -> None:
    import secretstorage
    from jeepney.io.blocking import open_dbus_connection

    label = read_label(tmp_path / "home")
    assert label is not None
    key = KeyCabinet().load(label.store_id)
    with open_dbus_connection(keyring.env["DBUS_SESSION_BUS_ADDRESS"]) as connection:
        collection = secretstorage.get_default_collection(connection)
        for item in collection.get_all_items():
            item.delete()
        _refused(tmp_path / "home", KeyMissing)
        assert list(collection.get_all_items()) == []
    KeyCabinet().put(label.store_id, os.urandom(32))
    with pytest.raises(KeyMissing):
        open_folder(tmp_path / "home", KeyCabinet())
    KeyCabinet().settle(label.store_id, key)
    faults = [*faults_after(tmp_path / "home", KeyCabinet(), TO, kept), *readable_files(tmp_path, keyring.folder)]
    outcome.ran(GONE, 2, faults, len(kept))
    assert faults == []


@pytest.mark.parametrize("trouble", [LOCKED, GONE])
def test_a_program_that_begins_anew_where_it_has_no_key_is_noticed(keyring: PrivateKeyring, kept: list[str], tmp_path: Path, trouble: str,
                                                                   outcome: Outcome) -> None:
    home, new = tmp_path / "home", OneKey(os.urandom(32))
    if trouble == LOCKED:
        keyring.lock()
    else:
        label = read_label(home)
        assert label is not None
        KeyCabinet().settle(label.store_id, os.urandom(32))
    try:
        open_folder(home, KeyCabinet(answer_s=5)).close()
    except (KeyMissing, KeyringLocked):
        home.rename(tmp_path / "put by")
        with open_room_with(home, new, TO) as room:
            room.keep(9)
    faults = faults_after(home, new, TO, kept)
    outcome.control(trouble, "begins anew where it has no key", faults)
    assert sum(one.startswith("lost") for one in faults) == len(kept), faults


@pytest.mark.parametrize("chosen", ["keyring.backends.null.Keyring", "readable.PlaintextKeyring"])
def test_a_forgetful_or_readable_keyring_is_not_taken_even_where_nothing_else_is(keyring: PrivateKeyring, kept: list[str], tmp_path: Path,
                                                                                monkeypatch: pytest.MonkeyPatch, chosen: str, outcome: Outcome) -> None:
    label = read_label(tmp_path / "home")
    assert label is not None
    key = KeyCabinet().load(label.store_id)
    (tmp_path / "readable.py").write_text(_READABLE, "ascii")
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", chosen)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{Path(__file__).parents[2]}")
    monkeypatch.syspath_prepend(str(tmp_path))
    faults = faults_after(tmp_path / "home", KeyCabinet(), TO, kept)
    outcome.ran(f"{FAULT}null or plaintext back end", 1, faults, len(kept))
    assert faults == [], "the real one is there: it is used"
    keyring.stop_daemon()
    _refused(tmp_path / "home", KeyringMissing)
    with pytest.raises(KeyringMissing):
        open_folder(tmp_path / "new", KeyCabinet(), make=True)
    assert not (tmp_path / "new" / "store.db").exists() and not (keyring.folder / "readable.json").exists()
    naive = f"import keyring; keyring.set_password({service_name(label.store_id, False)!r}, 'store', {key.hex()!r}); print(keyring.get_password(" \
            f"{service_name(label.store_id, False)!r}, 'store') is None)"
    told = subprocess.run([sys.executable, "-c", naive], capture_output=True, text=True, check=True, cwd=tmp_path).stdout.strip()
    readable = keyring.folder / "readable.json"
    outcome.control(f"{FAULT}null or plaintext back end", "takes the library's own choice",
                    told == "True" if chosen.startswith("keyring.") else readable.exists() and key.hex() in readable.read_text("ascii"))
    if chosen.startswith("keyring."):
        assert told == "True", "the control: the library's own choice forgets the key without a word"
    else:
        assert key.hex() in readable.read_text("ascii"), "the control: the library's own choice writes the key readable"
    keyring.start_daemon()
    assert [*faults_after(tmp_path / "home", KeyCabinet(), TO, kept), *readable_files(tmp_path, keyring.folder)] == [], "all is there afterwards"
