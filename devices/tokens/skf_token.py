"""Speaks SKF (GM/T 0016) with one library; lives in a ``Host`` child. Never keeps a PIN, never tries one twice, never lets the token hash.

Z and e are made on the host, so the token gets SKF_ECCSignData only. Libraries hold the current device and application for the whole process; one of these
objects per child keeps that harmless. Order: connect, application, container.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from devices.errors import LoginNeeded, NoToken, PinLocked, TokenBusy, TokenGone, TokenTrouble, WrongPin
from devices.tokens.contract import Mechanism, PinState, TokenCertificate
from devices.tokens.skf_library import RSA_BLOB, SM2_BLOB, DeviceFacts, Handle, SkfError, SkfLibrary, text_of

__all__ = ["OpenToken", "SeenToken", "Slots"]

NOT_SUPPORTED, INVALID_HANDLE, TIMED_OUT = 0x0A000003, 0x0A000005, 0x0A00000F
REMOVED, PIN_INCORRECT, PIN_LOCKED, PIN_INVALID, PIN_LENGTH = 0x0A000023, 0x0A000024, 0x0A000025, 0x0A000026, 0x0A000027
ALREADY_LOGGED_IN, NOT_LOGGED_IN = 0x0A000028, 0x0A00002D
LOCK_MILLISECONDS = 5000
"""How long another program may hold the token before we say that it is busy."""
REREAD_SECONDS = 5.0
"""How old the facts of a listed token may grow: a name such as ``device1`` may belong to another token after a change of plugs."""
SHA256_DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
"""DER head of DigestInfo for SHA-256 (RFC 8017, section 9.2, note 1)."""


@dataclass(frozen=True, slots=True)
class SeenToken:
    """A plugged device. ``address`` is its name in the library, in hex; ``label`` and ``serial`` are its own words."""

    address: str
    serial: str
    label: str
    model: str


@dataclass(slots=True)
class _Known:
    token: SeenToken
    at: float = field(default_factory=time.monotonic)


class Slots:
    """What is plugged, by polling: names each time, the facts of a device when it is new and every few seconds."""

    def __init__(self, library: str) -> None:
        self._library = SkfLibrary(library)
        self._known: dict[bytes, _Known] = {}

    def find(self) -> tuple[SeenToken, ...]:
        """Devices present now. Raises ``TokenTrouble`` with the library's word."""
        try:
            names = self._library.devices()
        except SkfError as error:
            raise TokenTrouble(str(error), status=f"{error.code:#010x}") from None
        self._known = {name: one for name in names if (one := self._look(name)) is not None}
        return tuple(one.token for one in self._known.values())

    def _look(self, name: bytes) -> _Known | None:
        known = self._known.get(name)
        if known is not None and time.monotonic() - known.at < REREAD_SECONDS:
            return known
        try:
            device = self._library.connect(name)
        except SkfError as error:
            return known if error.code != REMOVED else None  # one that is held elsewhere stays listed
        try:
            facts = self._library.facts(device)
            return _Known(SeenToken(name.hex(), facts.serial, facts.label, text_of(name)))
        except SkfError:
            return None
        finally:
            with suppress(SkfError):
                self._library.disconnect(device)


class OpenToken:
    """One token, chosen by its name and held to its serial. Its first application with a signing certificate is the one that is used."""

    def __init__(self, library: str, address: str, serial: str, label: str) -> None:
        self._library, self._name = SkfLibrary(library), bytes.fromhex(address)
        self._device: Handle | None = None
        self._application: Handle | None = None
        self._containers: dict[bytes, tuple[Handle, bytes]] = {}
        """Containers that were signed with since the login, and their public key blobs: the next signature costs the token one command."""
        try:
            self._device = self._library.connect(self._name)
            facts: DeviceFacts = self._library.facts(self._device)
        except SkfError as error:
            raise NoToken(str(error)) from None
        if facts.serial != serial:
            raise NoToken(f"another token is plugged in than {serial}")

    def present(self) -> bool:
        """Whether the token is there; cheap, costs no PIN try."""
        with suppress(SkfError):
            return self._name in self._library.devices()
        return False

    def pin_state(self) -> PinState:
        """What SKF_GetPINInfo says now."""
        with self._named():
            most, left, default = self._library.pin_info(self._open_application())
        return PinState(left, low=left < most, last_try=left == 1, locked=left == 0, default_pin=default)

    def certificates(self) -> tuple[TokenCertificate, ...]:
        """Signing certificates of the application; ``key_id`` is the container's name. SKF keeps no certificates of authorities."""
        with self._named():
            application = self._open_application()
            return tuple(self._signing(application))

    def login(self, pin: str | None) -> None:
        """One SKF_VerifyPIN. Raises ``WrongPin``, ``PinLocked``, ``TokenBusy``, ``TokenGone``, ``TokenTrouble``."""
        self.logout()
        state = self.pin_state()
        if state.locked:
            raise PinLocked("the token said so before the login")
        if pin is None:
            raise TokenTrouble("SKF knows no PIN pad", status="NO_PIN_PAD")
        if pin == "" or "\0" in pin:
            raise WrongPin("such a PIN was not tried", tries_left=state.tries_left)
        with self._named(), self._alone():
            code, left = self._library.verify_pin(self._open_application(), pin)
            del pin
            if code == 0:
                return
            if code == PIN_LOCKED or (code == PIN_INCORRECT and left == 0):
                raise PinLocked(f"{code:#010x}")
            if code == PIN_INCORRECT:
                raise WrongPin(f"{code:#010x}", tries_left=left if left != 0xFFFFFFFF else None)
            if code in (PIN_INVALID, PIN_LENGTH):
                raise WrongPin(f"{code:#010x}", tries_left=self.pin_state().tries_left)
            raise SkfError("SKF_VerifyPIN", code)

    def sign(self, key_id: bytes, mechanism: Mechanism, digest: bytes) -> bytes:
        """Sign a ready 32-byte digest with the signing key of this container. RSA: PKCS#1 v1.5 over a DigestInfo made here; SM2: DER of (r, s)."""
        if len(digest) != 32:
            raise ValueError("a digest has 32 bytes")
        if mechanism not in ("rsa-pkcs1-sha256", "sm2-sm3"):
            raise TokenTrouble(f"SKF does not sign {mechanism}", status="MECHANISM_INVALID")
        with self._named(), self._alone():
            container, blob = self._open_container(key_id)
            if len(blob) != (SM2_BLOB if mechanism == "sm2-sm3" else RSA_BLOB):
                raise TokenTrouble("the key is of another kind", status="KeyTypeInconsistent")
            if mechanism == "sm2-sm3":
                return _pair(self._library.sign_sm2(container, digest))
            signature = self._library.sign_rsa(container, SHA256_DIGEST_INFO + digest)
            if len(signature) * 8 != int.from_bytes(blob[4:8], "little"):
                raise TokenTrouble(f"a signature of {len(signature)} bytes", status="WRONG_LENGTH")
            return signature

    def logout(self) -> None:
        """End the login. Quiet when there is none or the token is gone."""
        for container, _ in self._containers.values():
            with suppress(SkfError):
                self._library.close_container(container)
        self._containers.clear()
        if self._application is not None:
            with suppress(SkfError):
                self._library.clear_login(self._application)

    def close(self) -> None:
        self.logout()
        with suppress(SkfError):
            if self._application is not None:
                self._library.close_application(self._application)
        with suppress(SkfError):
            if self._device is not None:
                self._library.disconnect(self._device)

    # -- one step below ----------------------------------------------------------------------------------------------------------------
    def _open_application(self) -> Handle:
        """The application with a signing certificate, else the first one. Raises ``TokenTrouble`` where there is none."""
        if self._application is not None:
            return self._application
        if self._device is None:
            raise TokenGone("not connected")
        first: bytes | None = None
        for name in self._library.applications(self._device):
            application = self._library.open_application(self._device, name)
            if self._signing(application):
                self._application = application
                return application
            first = first if first is not None else name
            self._library.close_application(application)
        if first is None:
            raise TokenTrouble("the token has no application", status="NO_APPLICATION")
        self._application = self._library.open_application(self._device, first)
        return self._application

    def _open_container(self, key_id: bytes) -> tuple[Handle, bytes]:
        if key_id not in self._containers:
            application = self._open_application()
            if key_id not in self._library.containers(application):
                raise TokenTrouble("no such container", status="NoSuchKey")
            container = self._library.open_container(application, key_id)
            self._containers[key_id] = container, self._library.signing_key(container)
        return self._containers[key_id]

    def _signing(self, application: Handle) -> list[TokenCertificate]:
        found: list[TokenCertificate] = []
        for name in self._library.containers(application):
            container = self._library.open_container(application, name)
            try:
                der = _whole(self._library.signing_certificate(container))
            except SkfError as error:
                if error.code in (REMOVED, INVALID_HANDLE):
                    raise
                continue  # a container without a signing certificate
            finally:
                with suppress(SkfError):
                    self._library.close_container(container)
            found.append(TokenCertificate(name, der, text_of(name)))
        return found

    @contextmanager
    def _alone(self) -> Generator[None]:
        """Other programs are kept out meanwhile, where the library can do that."""
        assert self._device is not None
        locked = False
        try:
            locked = self._library.lock(self._device, LOCK_MILLISECONDS)
        except SkfError as error:
            if error.code != NOT_SUPPORTED:
                raise
        try:
            yield
        finally:
            if locked:
                with suppress(SkfError):
                    self._library.unlock(self._device)

    @contextmanager
    def _named(self) -> Generator[None]:
        """The library's codes as troubles. What a code means depends on whether the token is still there."""
        try:
            yield
        except SkfError as error:
            status = f"{error.code:#010x}"
            if error.code in (REMOVED, INVALID_HANDLE) or not self.present():
                raise TokenGone(str(error), status=status) from None
            if error.code == NOT_LOGGED_IN:
                raise LoginNeeded(str(error), status=status) from None
            if error.code in (TIMED_OUT, ALREADY_LOGGED_IN):
                raise TokenBusy(str(error), status=status) from None
            raise TokenTrouble(str(error), status=status) from None


def _whole(der: bytes) -> bytes:
    """A certificate without what the library left behind it. Raises ``TokenTrouble`` for one that is cut off, or no certificate."""
    if len(der) < 4 or der[0] != 0x30 or der[1] not in (0x81, 0x82):
        raise TokenTrouble("no certificate", status="WRONG_LENGTH")
    size = 3 + der[2] if der[1] == 0x81 else 4 + int.from_bytes(der[2:4], "big")
    if len(der) < size:
        raise TokenTrouble("a certificate that is cut off", status="WRONG_LENGTH")
    return der[:size]


def _pair(blob: bytes) -> bytes:
    """DER of the r and s in an ECCSIGNATUREBLOB: two times 64 bytes, aligned to the right."""
    numbers = b""
    for at in (0, 64):
        if any(blob[at : at + 32]) or not any(blob[at + 32 : at + 64]):
            raise TokenTrouble("r or s is not where it belongs", status="WRONG_LENGTH")
        value = blob[at + 32 : at + 64].lstrip(b"\0")
        value = b"\0" + value if value[0] & 0x80 else value
        numbers += bytes([2, len(value)]) + value
    return bytes([0x30, len(numbers)]) + numbers
