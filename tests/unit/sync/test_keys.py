"""The key cabinet against a real Secret Service, and against everything that must not become its keyring."""

from __future__ import annotations

import os
import sys
import threading
import types
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.errors import KeyMissing, KeyringLocked, KeyringMissing, KeyringUnsafe, StoreTrouble
from sync.keys import ALLOWED, KeyCabinet, service_name
from sync.rekey import change_key
from sync.store import open_folder
from tests.emulators.keyring import PrivateKeyring

SECRET_SERVICE = tuple(one for one in ALLOWED if one[2] == "Keyring")
linux = pytest.mark.skipif(sys.platform != "linux", reason="Secret Service")


@pytest.fixture
def keyring(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[PrivateKeyring]:
    with PrivateKeyring(tmp_path_factory.mktemp("k")) as running:
        for name in ("DISPLAY", "WAYLAND_DISPLAY"):
            monkeypatch.delenv(name, raising=False)
        for name in ("DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR", "HOME"):
            monkeypatch.setenv(name, running.env[name])
        yield running


# -- the real one -----------------------------------------------------------------------------------------------------------------------
@linux
def test_a_key_survives_the_keyring_being_stopped_and_is_not_readable_on_the_disk(keyring: PrivateKeyring) -> None:
    store_id, cabinet = str(uuid.uuid4()), KeyCabinet()
    key = cabinet.make(store_id)
    assert len(key) == 32 and cabinet.load(store_id) == key
    keyring.stop_daemon()
    with pytest.raises(KeyringMissing):
        cabinet.load(store_id)
    keyring.start_daemon()
    assert cabinet.load(store_id) == key
    files = [one for one in keyring.folder.rglob("*") if one.is_file()]
    assert any(one.suffix == ".keyring" for one in files)
    assert not any(key.hex().encode() in one.read_bytes() or key in one.read_bytes() for one in files)


@linux
def test_stores_and_practice_have_entries_of_their_own_and_none_is_replaced(keyring: PrivateKeyring) -> None:
    one, two, cabinet = str(uuid.uuid4()), str(uuid.uuid4()), KeyCabinet()
    keys = {cabinet.make(one), cabinet.make(two), cabinet.make(one, practice=True)}
    assert len(keys) == 3
    with pytest.raises(StoreTrouble) as caught:
        cabinet.make(one)
    assert caught.value.facts["step"] == "key"
    with pytest.raises(KeyMissing):
        cabinet.load(two, practice=True)
    assert service_name(one, False) != service_name(one, True)


@linux
def test_a_second_key_takes_the_first_ones_place(keyring: PrivateKeyring) -> None:
    store_id, cabinet = str(uuid.uuid4()), KeyCabinet()
    first = cabinet.make(store_id)
    assert cabinet.load_next(store_id) is None
    second = cabinet.make_next(store_id)
    assert cabinet.make_next(store_id) == cabinet.load_next(store_id) == second != first == cabinet.load(store_id)
    cabinet.settle(store_id, second)
    cabinet.drop_next(store_id)
    cabinet.drop_next(store_id)
    assert cabinet.load(store_id) == second and cabinet.load_next(store_id) is None


@linux
def test_a_key_that_came_from_elsewhere_is_kept_and_never_over_another(keyring: PrivateKeyring) -> None:
    store_id, cabinet = str(uuid.uuid4()), KeyCabinet()
    cabinet.put(store_id, bytes(32))
    cabinet.put(store_id, bytes(32))
    with pytest.raises(StoreTrouble):
        cabinet.put(store_id, bytes(31) + b"1")
    assert cabinet.load(store_id) == bytes(32)


@linux
def test_a_store_changes_its_key_in_the_real_keyring(keyring: PrivateKeyring, tmp_path: Path) -> None:
    cabinet = KeyCabinet()
    with open_folder(tmp_path / "home", cabinet, True, make=True) as store:
        before = cabinet.load(store.store_id, True)
        change_key(store, cabinet)
    with open_folder(tmp_path / "home", cabinet) as store:
        assert cabinet.load(store.store_id, True) != before and cabinet.load_next(store.store_id, True) is None


@linux
def test_a_locked_keyring_is_locked_and_not_missing(keyring: PrivateKeyring) -> None:
    store_id, cabinet = str(uuid.uuid4()), KeyCabinet()
    cabinet.make(store_id)
    keyring.lock()
    with pytest.raises(KeyringLocked):
        cabinet.load(store_id)


@linux
def test_a_store_opens_with_its_key_from_the_real_keyring(keyring: PrivateKeyring, tmp_path: Path) -> None:
    with open_folder(tmp_path / "home", KeyCabinet(), True, make=True) as store:
        with store.write() as tx:
            store.put_station_value(tx, "a", b"1")
    with open_folder(tmp_path / "home", KeyCabinet()) as store:
        assert store.practice and store.station_value("a") == b"1"


@linux
def test_the_environment_and_a_configuration_file_are_not_asked(keyring: PrivateKeyring, monkeypatch: pytest.MonkeyPatch) -> None:
    store_id = str(uuid.uuid4())
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.setenv("KEYRING_PROPERTY_PREFERRED_COLLECTION", "/org/freedesktop/secrets/collection/session")
    monkeypatch.setenv("KEYRING_PROPERTY_SCHEME", "KeePassXC")
    config = keyring.folder / ".config" / "python_keyring"
    config.mkdir(parents=True)
    (config / "keyringrc.cfg").write_text("[backend]\ndefault-keyring=keyring.backends.null.Keyring\n")
    key = KeyCabinet().make(store_id)
    for name in ("PYTHON_KEYRING_BACKEND", "KEYRING_PROPERTY_PREFERRED_COLLECTION", "KEYRING_PROPERTY_SCHEME"):
        monkeypatch.delenv(name)
    assert KeyCabinet().load(store_id) == key


@linux
def test_a_collection_that_lives_for_the_session_only_is_unsafe(keyring: PrivateKeyring) -> None:
    from jeepney.io.blocking import open_dbus_connection
    from secretstorage.util import DBusAddressWrapper

    with open_dbus_connection(keyring.env["DBUS_SESSION_BUS_ADDRESS"]) as connection:
        service = DBusAddressWrapper("/org/freedesktop/secrets", "org.freedesktop.Secret.Service", connection)
        service.call("SetAlias", "so", "default", "/org/freedesktop/secrets/collection/session")
        assert service.call("ReadAlias", "s", "default") == ("/org/freedesktop/secrets/collection/session",)
    with pytest.raises(KeyringUnsafe):
        KeyCabinet().make(str(uuid.uuid4()))


def test_without_a_bus_there_is_no_keyring(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path}/none")
    with pytest.raises(KeyringMissing):
        KeyCabinet().make(str(uuid.uuid4()))
    with pytest.raises(KeyringMissing):
        KeyCabinet(platform="plan9").load(str(uuid.uuid4()))


# -- keyrings that forget, garble, hang: stand-ins at the library's own edge ---------------------------------------------------------------
class _Base:
    priority = 5
    kept: dict[str, str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get(service)

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service] = password


def _cabinet(monkeypatch: pytest.MonkeyPatch, backend: type, **more) -> KeyCabinet:
    module = types.ModuleType("tests_keyring_stand_in")
    module.StandIn = backend  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return KeyCabinet(allowed=(("here", module.__name__, "StandIn"),), platform="here", **more)


def test_a_keyring_that_forgets_or_garbles_is_unsafe(monkeypatch: pytest.MonkeyPatch) -> None:
    class Forgets(_Base):
        def set_password(self, service: str, username: str, password: str) -> None:
            pass

    class Garbles(_Base):
        kept: dict[str, str] = {}

        def set_password(self, service: str, username: str, password: str) -> None:
            self.kept[service] = password[:-1]

    for backend in (Forgets, Garbles):
        with pytest.raises(KeyringUnsafe) as caught:
            _cabinet(monkeypatch, backend).make(str(uuid.uuid4()))
        assert caught.value.facts["backend"] == backend.__name__


def test_an_entry_that_is_no_key_is_a_missing_key(monkeypatch: pytest.MonkeyPatch) -> None:
    class Odd(_Base):
        def get_password(self, service: str, username: str) -> str | None:
            return "hunter2"

    with pytest.raises(KeyMissing):
        _cabinet(monkeypatch, Odd).load(str(uuid.uuid4()))


def test_a_keyring_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()

    class Hangs(_Base):
        def get_password(self, service: str, username: str) -> str | None:
            answered.wait(30)
            return None

    try:
        with pytest.raises(KeyringLocked) as caught:
            _cabinet(monkeypatch, Hangs, answer_s=0.1).load(str(uuid.uuid4()))
        assert caught.value.may_retry
    finally:
        answered.set()


def test_only_listed_classes_are_ever_built() -> None:
    assert {(module, name) for _, module, name in ALLOWED} == {
        ("keyring.backends.Windows", "WinVaultKeyring"), ("keyring.backends.SecretService", "Keyring"), ("keyring.backends.kwallet", "DBusKeyring")}
    assert not any("alt" in module or "null" in module or "chainer" in module for _, module, _ in ALLOWED)
    assert os.environ.get("HALL_INTAKE_KEYRING") is None
