"""The key of the store in the keyring of the operating system. Never writes a key to a file, never makes one up where a keyring is missing, and never
takes the keyring that an environment variable, a configuration file or an installed package suggests.

Why an own list (facts): with keyrings.alt installed the library's choice writes the key readable into a file; its null back end forgets it without
a word; a locked keyring with a display blocks its caller without limit.
"""

from __future__ import annotations

import importlib
import os
import re
import sys
import threading
from collections.abc import Callable
from hmac import compare_digest
from typing import Any, Protocol, TypeVar, cast

from sync.ciphers import KEY_BYTES, new_key
from sync.errors import KeyMissing, KeyringLocked, KeyringMissing, KeyringUnsafe, StoreTrouble

__all__ = ["ALLOWED", "Backend", "KeyCabinet", "service_name"]

ALLOWED: tuple[tuple[str, str, str], ...] = (
    ("win32", "keyring.backends.Windows", "WinVaultKeyring"),
    ("linux", "keyring.backends.SecretService", "Keyring"),
    ("linux", "keyring.backends.kwallet", "DBusKeyring"),
)
"""Platform, module and class of the keyrings that may hold our key, best first. KWallet and Windows were not tried by the project's own tests."""

_USER = "store"
_SERVICE, _SERVICE_PATH = "org.freedesktop.Secret.Service", "/org/freedesktop/secrets"
_ANSWER_S = 20.0
"""Seconds to wait for a keyring: longer than a person needs to type a password, shorter than a person waits for a window."""
_HEX = re.compile(r"^[0-9a-f]{64}$")
_T = TypeVar("_T")


class Backend(Protocol):
    """What a keyring can do (the ``keyring`` library's back end)."""

    def get_password(self, service: str, username: str) -> str | None: ...
    def delete_password(self, service: str, username: str) -> None: ...
    def set_password(self, service: str, username: str, password: str) -> None: ...


def service_name(store_id: str, practice: bool) -> str:
    """One name for each store: a second user name under one Windows service would move the first entry."""
    return f"hall-intake-practice:{store_id}" if practice else f"hall-intake:{store_id}"


def _next_name(store_id: str, practice: bool) -> str:
    return f"{service_name(store_id, practice)}:next"


class KeyCabinet:
    """Opens the first usable keyring of ``allowed``; each call runs in a thread of its own and is given up after ``answer_s`` seconds."""

    def __init__(self, *, allowed: tuple[tuple[str, str, str], ...] = ALLOWED, platform: str = sys.platform, answer_s: float = _ANSWER_S) -> None:
        self._allowed = tuple(one for one in allowed if one[0] == platform)
        self._answer_s = answer_s

    def load(self, store_id: str, practice: bool = False) -> bytes:
        """The key of a store, 32 bytes. Raises KeyMissing, KeyringMissing, KeyringLocked, KeyringUnsafe, StoreTrouble."""
        found = self._ask(lambda: _backend(self._allowed).get_password(service_name(store_id, practice), _USER))
        if found is None:
            raise KeyMissing("the keyring has no entry for this store")
        if not _HEX.match(found):
            raise KeyMissing("the keyring's entry for this store is not a key")
        return bytes.fromhex(found)

    def make(self, store_id: str, practice: bool = False) -> bytes:
        """A new key, set, read back and compared. An entry that is there is never replaced (StoreTrouble, step ``key``). Else raises as ``load``."""
        return self._ask(lambda: _make(_backend(self._allowed), service_name(store_id, practice)))

    # -- a new key for a store that is there (rekey.py), and one that came from another machine (moving.py) ------------------------------
    def make_next(self, store_id: str, practice: bool = False) -> bytes:
        """A second key of the store beside the first, kept under a name of its own; the one that is there already, where there is. Raises as ``load``."""
        def call() -> bytes:
            backend, service = _backend(self._allowed), _next_name(store_id, practice)
            found = backend.get_password(service, _USER)
            return bytes.fromhex(found) if found is not None and _HEX.match(found) else _set(backend, service, new_key())
        return self._ask(call)

    def load_next(self, store_id: str, practice: bool = False) -> bytes | None:
        """The second key, or None. Raises as ``load``, but not KeyMissing."""
        found = self._ask(lambda: _backend(self._allowed).get_password(_next_name(store_id, practice), _USER))
        return bytes.fromhex(found) if found is not None and _HEX.match(found) else None

    def settle(self, store_id: str, key: bytes, practice: bool = False) -> None:
        """``key`` is the store's key from now on: set in the first one's place, read back and compared. Raises as ``make``."""
        self._ask(lambda: _set(_backend(self._allowed), service_name(store_id, practice), key))

    def drop_next(self, store_id: str, practice: bool = False) -> None:
        """Forgets the second key; one that is not there is no fault."""
        def call() -> None:
            backend, service = _backend(self._allowed), _next_name(store_id, practice)
            if backend.get_password(service, _USER) is not None:
                backend.delete_password(service, _USER)
        self._ask(call)

    def put(self, store_id: str, key: bytes, practice: bool = False) -> None:
        """Keeps the key of a store that came from another machine. Another entry that is there is never replaced (StoreTrouble, step ``key``)."""
        def call() -> None:
            backend, service = _backend(self._allowed), service_name(store_id, practice)
            found = backend.get_password(service, _USER)
            if found is not None and not compare_digest(found, key.hex()):
                raise StoreTrouble("the keyring has another key for this store", step="key")
            _set(backend, service, key)
        self._ask(call)

    def _ask(self, call: Callable[[], _T]) -> _T:
        """The answer of ``call`` from a thread of its own: a keyring may wait for a person at a prompt that nobody sees."""
        answers: list[_T] = []
        troubles: list[BaseException] = []

        def ask() -> None:
            try:
                answers.append(call())
            except BaseException as error:  # handed to the caller's thread
                troubles.append(error)

        thread = threading.Thread(target=ask, name="keyring", daemon=True)
        thread.start()
        thread.join(self._answer_s)
        if answers:
            return answers[0]
        if troubles:
            raise _named(troubles[0]) from troubles[0]
        raise KeyringLocked(f"no answer within {self._answer_s:g} s")


def _make(backend: Backend, service: str) -> bytes:
    if backend.get_password(service, _USER) is not None:
        raise StoreTrouble("the keyring has an entry for this store already", step="key")
    return _set(backend, service, new_key())


def _set(backend: Backend, service: str, key: bytes) -> bytes:
    """Set, read back, compare. Raises KeyringUnsafe."""
    backend.set_password(service, _USER, key.hex())
    kept = backend.get_password(service, _USER)
    if kept is None or not compare_digest(kept, key.hex()) or len(key) != KEY_BYTES:
        raise KeyringUnsafe("what was set is not what came back", backend=type(backend).__name__)
    return key


def _backend(allowed: tuple[tuple[str, str, str], ...]) -> Backend:
    """The first keyring of the list that works here, built directly. Raises KeyringMissing with the reason of each, KeyringUnsafe."""
    why: list[str] = []
    for _, module, name in allowed:
        try:
            found = cast("type[Any]", getattr(importlib.import_module(module), name))
            found.priority  # noqa: B018 - raises RuntimeError where this keyring does not work here
            backend = found()
        except (ImportError, AttributeError, RuntimeError, OSError) as error:
            why.append(f"{name}: {error}")
            continue
        _drop_environment(backend)
        if module == "keyring.backends.SecretService":
            _prepare_secret_service()
        return cast("Backend", backend)
    raise KeyringMissing("; ".join(why) or "none for this platform")


def _drop_environment(backend: object) -> None:
    """Takes back what KEYRING_PROPERTY_* variables set on the new keyring (the library does that in its constructor)."""
    for name in os.environ:
        if name.startswith("KEYRING_PROPERTY_"):
            vars(backend).pop(name.removeprefix("KEYRING_PROPERTY_").lower(), None)


def _prepare_secret_service() -> None:
    """Unlocks the default collection (the desktop may ask the person) on a connection that is closed whatever happens; the library leaves its own open.

    Raises KeyringLocked, and KeyringUnsafe for a default collection that lives for the session only: it would forget the key at log-out.
    """
    library, util = (cast("Any", importlib.import_module(name)) for name in ("secretstorage", "secretstorage.util"))
    connection = library.dbus_init()
    try:
        (path,) = util.DBusAddressWrapper(_SERVICE_PATH, _SERVICE, connection).call("ReadAlias", "s", "default")
        if str(path).endswith("/session"):
            raise KeyringUnsafe("the default collection lives for this session only", backend="Secret Service")
        collection = library.get_default_collection(connection)
        if collection.is_locked():
            collection.unlock()
            if collection.is_locked():
                raise KeyringLocked("the default collection stayed locked")
    finally:
        connection.close()


def _named(error: BaseException) -> BaseException:
    """A keyring's exception by our names."""
    if isinstance(error, StoreTrouble) or not isinstance(error, Exception):
        return error
    kind = type(error).__name__
    if kind in ("KeyringLocked", "InitError", "LockedException", "PromptDismissedException"):
        return KeyringLocked(kind)
    if kind in ("NoKeyringError", "SecretServiceNotAvailableException"):
        return KeyringMissing(kind)
    return StoreTrouble(f"keyring: {kind}", step="keyring")
