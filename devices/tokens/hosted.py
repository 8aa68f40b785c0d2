"""The parent's side of a token whose library runs in a ``Host`` child: the same for PKCS#11 and SKF. Never loads a library here, never keeps a PIN."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from devices.base import Device
from devices.errors import DeviceTrouble, DriverMissing, LoginNeeded, NoToken, TokenGone
from devices.host import Host
from devices.tokens.bits import child_python
from devices.tokens.contract import Mechanism, PinState, TokenCertificate

__all__ = ["HostedDriver", "HostedToken", "Patience"]


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds after which a library counts as hung. ``pin_pad``: a person types on the token."""

    start: float = 30.0
    find: float = 15.0
    read: float = 20.0
    login: float = 30.0
    pin_pad: float = 90.0
    sign: float = 45.0
    logout: float = 3.0


class HostedDriver:
    """Finds and opens tokens of one library; fulfils ``TokenDriver``.

    ``library`` is an absolute path from the administrator's signed list, ``sha256`` its expected digest ("sha256:…", or empty), ``name`` what people call it.
    A kind of library says by ``room`` in which module its child's objects ``Slots(library)`` and ``OpenToken(library, address, serial, label)`` are.
    """

    room = ""

    def __init__(self, library: str, name: str, *, sha256: str = "", emulated: bool = False, patience: Patience | None = None) -> None:
        self._library = library
        self._name = name
        self._sha256 = sha256
        self._emulated = emulated
        self._patience = patience or Patience()
        self._host: Host | None = None

    @property
    def name(self) -> str:
        return self._name

    def find(self) -> Sequence[Device]:
        """Tokens present now; meant to be asked about once a second. Raises ``DriverMissing``, ``DriverCrashed``, ``DriverHung``, ``TokenTrouble``."""
        self._check_library()
        if self._host is None:
            patience = self._patience
            python = child_python(self._library)
            self._host = Host(f"{self.room}:Slots", self._library, start_seconds=patience.start, call_seconds=patience.find, python=python)
        return tuple(
            Device(driver=self._name, name=seen.label or seen.model, address=seen.address, serial=seen.serial, emulated=self._emulated)
            for seen in self._host.call("find")
        )

    def open(self, device: Device) -> HostedToken:
        """Open this token in a new child. Raises ``NoToken`` when it is not there, and what ``find`` raises."""
        self._check_library()
        token = HostedToken(f"{self.room}:OpenToken", self._library, device, self._patience)
        try:
            token.greet()
        except BaseException:
            token.close()
            raise
        return token

    def close(self) -> None:
        """End the child that lists tokens. A later ``find`` starts a new one."""
        if self._host is not None:
            self._host.close()

    def _check_library(self) -> None:
        """Refuse a library that is not there, or is not the one on the signed list, before anything of it runs."""
        path = Path(self._library)
        if not path.is_absolute() or not path.is_file():
            raise DriverMissing("no such file", library=self._library)
        if self._sha256 and self._sha256 != "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest():
            raise DriverMissing("another file than the one on the signed list", library=self._library)


class HostedToken:
    """An open token; fulfils ``Token``. After a pull, a crash or a hang the login is gone: the next ``sign`` raises ``LoginNeeded`` until ``login``."""

    def __init__(self, factory: str, library: str, device: Device, patience: Patience) -> None:
        self.device = device
        self._patience = patience
        python = child_python(library)
        self._host = Host(
            factory, library, device.address, device.serial, device.name, start_seconds=patience.start, call_seconds=patience.read, python=python
        )

    def greet(self) -> None:
        """Start the child and see that the token is there. Raises ``NoToken``."""
        if not self._host.call("present"):
            raise NoToken(f"no token {self.device.name}")

    def present(self) -> bool:
        """Whether the token is plugged now; costs no PIN try."""
        with suppress(TokenGone):
            return bool(self._call("present", self._patience.read))
        return False

    def pin_state(self) -> PinState:
        return self._call("pin_state", self._patience.read)

    def certificates(self) -> Sequence[TokenCertificate]:
        return self._call("certificates", self._patience.read)

    def login(self, pin: str | None) -> None:
        self._call("login", self._patience.pin_pad if pin is None else self._patience.login, pin)

    def sign(self, key_id: bytes, mechanism: Mechanism, digest: bytes) -> bytes:
        if self._host.pid is None:  # ended by a pull, a crash or a hang, and the login with it; a token that is gone says so first
            self._call("pin_state", self._patience.read)
            raise LoginNeeded("the driver was restarted")
        return self._call("sign", self._patience.sign, key_id, mechanism, digest)

    def logout(self) -> None:
        """End the login. If the library does not answer, its process is ended, which ends the login too."""
        if self._host.pid is not None:
            with suppress(DeviceTrouble):
                self._call("logout", self._patience.logout)

    def close(self) -> None:
        """Log out and end the child."""
        self.logout()
        self._host.close()

    def _call(self, method: str, seconds: float, *args: object) -> Any:
        try:
            return self._host.call(method, *args, seconds=seconds)
        except (TokenGone, NoToken) as error:
            self._host.close()  # drop sessions, handles and lists: nothing of them is valid when the token comes back
            raise TokenGone(error.detail, **error.facts) from None

    def __enter__(self) -> HostedToken:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
