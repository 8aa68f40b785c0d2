"""Speaks PKCS#11 (Cryptoki) with one library; lives in a ``Host`` child, and is the only file with python-pkcs11. Never keeps a PIN, never tries one twice.

Made for python-pkcs11 0.10.1, whose ways it works round: the flags of a token are a snapshot (so the token is fetched anew each time), a failed login leaks
its session (so the library is closed and opened again), waiting for slot events is broken (so presence is polled), ``C_Initialize`` comes without locking
(so there is one thread).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pkcs11
from asn1crypto.x509 import Certificate
from pkcs11 import Attribute, KeyType, ObjectClass, TokenFlag
from pkcs11 import Mechanism as Cryptoki
from pkcs11.constants import CertificateType
from pkcs11.util.ec import encode_ecdsa_signature

from devices.errors import Cancelled, DriverMissing, LoginNeeded, NoToken, PinLocked, TokenBusy, TokenGone, TokenTrouble, WrongPin
from devices.tokens.contract import Mechanism, PinState, TokenCertificate

if TYPE_CHECKING:
    from pkcs11._pkcs11 import lib as Module

__all__ = ["OpenToken", "SeenToken", "Slots"]

SHA256_DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
"""DER head of DigestInfo for SHA-256 (RFC 8017, section 9.2, note 1)."""
RELIST_SECONDS = 5.0
"""How old the library's own list of slots may grow: some libraries see a newly plugged token only after they were opened again."""

GONE = (pkcs11.TokenNotPresent, pkcs11.TokenNotRecognised, pkcs11.DeviceRemoved, pkcs11.SessionHandleInvalid, pkcs11.SessionClosed, pkcs11.SlotIDInvalid)
WRONG = (pkcs11.PinIncorrect, pkcs11.PinInvalid, pkcs11.PinLenRange)


@dataclass(frozen=True, slots=True)
class SeenToken:
    """A token in a slot. ``serial`` and ``label`` are the token's own words."""

    slot: int
    serial: str
    label: str
    model: str
    manufacturer: str

    @property
    def address(self) -> str:
        return f"slot:{self.slot}"


def load(library: str) -> Module:
    """The library, open. Raises ``DriverMissing`` where it cannot be loaded or will not start."""
    try:
        return pkcs11.lib(library)
    except RuntimeError as error:
        raise DriverMissing(f"{type(error).__name__}: {error}", library=library) from None


def reopen(module: Module) -> None:
    """C_Finalize and C_Initialize: all sessions, logins and lists begin anew."""
    with suppress(pkcs11.PKCS11Error):
        module.finalize()
    module.initialize()


def present(module: Module) -> tuple[list[pkcs11.Token], bool]:
    """Initialised tokens, each fetched fresh, and whether some slot claims a token but will not show it."""
    tokens: list[pkcs11.Token] = []
    stale = False
    for slot in module.get_slots(token_present=True):
        try:
            token = slot.get_token()
        except pkcs11.PKCS11Error:
            stale = True
            continue
        if TokenFlag.TOKEN_INITIALIZED in token.flags:
            tokens.append(token)
    return tokens, stale


class Slots:
    """What is plugged, by polling. Opens no session, so it may close and open the library as it likes."""

    def __init__(self, library: str, relist_seconds: float = RELIST_SECONDS) -> None:
        self._library = library
        self._module = load(library)
        self._relist_seconds = relist_seconds
        self._listed_at = time.monotonic()
        self._most = 0

    def find(self) -> tuple[SeenToken, ...]:
        """Tokens present now. Raises ``TokenTrouble`` with the library's word.

        The library is closed and opened again while a token is missing that was there before, and else every few seconds.
        """
        try:
            tokens, stale = present(self._module)
            if stale or len(tokens) < max(self._most, 1) or time.monotonic() - self._listed_at >= self._relist_seconds:
                reopen(self._module)
                self._listed_at = time.monotonic()
                tokens, _ = present(self._module)
        except pkcs11.PKCS11Error as error:
            raise TokenTrouble(f"C_GetSlotList: {type(error).__name__}", status=type(error).__name__) from None
        self._most = max(self._most, len(tokens))
        return tuple(SeenToken(token.slot.slot_id, _text(token.serial), token.label, token.model, token.manufacturer_id) for token in tokens)

    def close(self) -> None:
        self._module.finalize()


class OpenToken:
    """One token, chosen by its serial (by its slot where it has none). One of these per child, so a failed login or a reset harms no other token."""

    def __init__(self, library: str, address: str, serial: str, label: str) -> None:
        sys.unraisablehook = _quiet_about_sessions
        self._slot, self._serial, self._label = int(address.removeprefix("slot:")), serial, label
        self._module = load(library)
        self._session: pkcs11.Session | None = None
        self._logged_in = False
        self._forgotten = False
        if self._find() is None:
            raise NoToken(f"no token {serial or address} in {library}")

    def present(self) -> bool:
        """Whether the token is there; cheap, costs no PIN try."""
        return self._find() is not None

    def pin_state(self) -> PinState:
        """The flags of C_GetTokenInfo, fetched now. ``tries_left`` is 1 at the last try and 0 when locked, else unknown."""
        return _pin_state(self._token().flags)

    def certificates(self) -> tuple[TokenCertificate, ...]:
        """Certificates whose CKA_ID a private key shares. Before login a token may hide its private keys: then public keys speak for them."""
        with self._named():
            session = self._open_session()
            keys = _ids(session, ObjectClass.PRIVATE_KEY)
            if not self._logged_in:
                keys |= _ids(session, ObjectClass.PUBLIC_KEY)
            found = list(session.get_objects({Attribute.CLASS: ObjectClass.CERTIFICATE, Attribute.CERTIFICATE_TYPE: CertificateType.X_509}))
            seen = [(bytes(one[Attribute.ID]), bytes(one[Attribute.VALUE]), _label(one)) for one in found]
        hidden = not keys and not self._logged_in
        chain = tuple(der for _, der, _ in seen if _is_authority(der))
        people = [one for one in seen if one[0] and one[1] not in chain and (one[0] in keys or hidden)]
        return tuple(TokenCertificate(key_id, der, label, chain) for key_id, der, label in people)

    def login(self, pin: str | None) -> None:
        """One C_Login. ``None`` lets a PIN pad ask. Raises ``WrongPin``, ``PinLocked``, ``Cancelled`` (on the pad), ``TokenGone``, ``TokenTrouble``."""
        self.logout()
        if self._forgotten:  # the token lost a login that the library still believes in: only a new beginning helps
            with suppress(pkcs11.PKCS11Error):
                reopen(self._module)
            self._forgotten = False
        state = self.pin_state()
        if state.locked:
            raise PinLocked("the token said so before the login")
        if pin is None and not state.pin_pad:
            raise TokenTrouble("this token has no PIN pad", status="NO_PIN_PAD")
        if pin == "":
            raise WrongPin("an empty PIN was not tried", tries_left=state.tries_left)
        try:
            self._session = self._token().open(user_pin=pkcs11.PROTECTED_AUTH if pin is None else pin)
        except pkcs11.PKCS11Error as error:
            del pin
            raise self._failed_login(error) from None
        self._logged_in = True

    def sign(self, key_id: bytes, mechanism: Mechanism, digest: bytes) -> bytes:
        """Sign a 32-byte digest with the private key of this CKA_ID. RSA: PKCS#1 v1.5 over a DigestInfo made here; ECDSA: DER of (r, s)."""
        if len(digest) != 32:
            raise ValueError("a SHA-256 digest has 32 bytes")
        if mechanism not in ("rsa-pkcs1-sha256", "ecdsa-sha256"):
            raise TokenTrouble(f"PKCS#11 does not sign {mechanism}", status="MECHANISM_INVALID")
        if not self._logged_in or self._session is None:
            self._token()
            raise LoginNeeded("no login in this session")
        with self._named():
            keys = list(self._session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.ID: key_id}))
            if not keys:
                raise pkcs11.NoSuchKey
            key: Any = keys[0]
            wanted = KeyType.RSA if mechanism == "rsa-pkcs1-sha256" else KeyType.EC
            if key.key_type != wanted:
                raise pkcs11.KeyTypeInconsistent
            if wanted is KeyType.RSA:
                return bytes(key.sign(SHA256_DIGEST_INFO + digest, mechanism=Cryptoki.RSA_PKCS))
            return encode_ecdsa_signature(bytes(key.sign(digest, mechanism=Cryptoki.ECDSA)))

    def logout(self) -> None:
        """End login and session. Quiet when there is none or the token is gone."""
        session, self._session, self._logged_in = self._session, None, False
        if session is not None:
            with suppress(pkcs11.PKCS11Error):
                session.close()

    def close(self) -> None:
        self.logout()
        self._module.finalize()

    # -- one step below ----------------------------------------------------------------------------------------------------------------
    def _find(self) -> pkcs11.Token | None:
        try:
            tokens, _ = present(self._module)
        except pkcs11.PKCS11Error:
            return None
        mine = [token for token in tokens if _text(token.serial) == self._serial and token.label == self._label]
        if not self._serial or len(mine) > 1:
            mine = [token for token in mine if token.slot.slot_id == self._slot]
        return mine[0] if mine else None

    def _token(self) -> pkcs11.Token:
        token = self._find()
        if token is None:
            raise TokenGone("the slot has no such token any more")
        return token

    def _open_session(self) -> pkcs11.Session:
        if self._session is None:
            self._session = self._token().open()
        return self._session

    @contextmanager
    def _named(self) -> Generator[None]:
        """PKCS#11 errors of an opened token as troubles. What an error means depends on whether the token is still there."""
        try:
            yield
        except pkcs11.PKCS11Error as error:
            status = type(error).__name__
            if isinstance(error, GONE) or self._find() is None:
                raise TokenGone(status, status=status) from None
            if isinstance(error, pkcs11.UserNotLoggedIn):
                self._logged_in, self._forgotten = False, True
                raise LoginNeeded(status, status=status) from None
            raise TokenTrouble(status, status=status) from None

    def _failed_login(self, error: pkcs11.PKCS11Error) -> Exception:
        """The trouble behind a failed C_Login, after the leaked session is gone. A general failure is never called a wrong PIN."""
        status = type(error).__name__
        with suppress(pkcs11.PKCS11Error):
            reopen(self._module)
        token = self._find()
        if token is None or isinstance(error, GONE):
            return TokenGone(status, status=status)
        state = _pin_state(token.flags)
        if isinstance(error, pkcs11.PinLocked) or (isinstance(error, WRONG) and state.locked):
            return PinLocked(status)
        if isinstance(error, WRONG):
            return WrongPin(status, tries_left=state.tries_left)
        if isinstance(error, pkcs11.FunctionCancelled):
            return Cancelled("on the PIN pad")
        if isinstance(error, pkcs11.UserAlreadyLoggedIn | pkcs11.AnotherUserAlreadyLoggedIn):
            return TokenBusy(status, status=status)
        return TokenTrouble(status, status=status)


def _pin_state(flags: TokenFlag) -> PinState:
    locked, last = TokenFlag.USER_PIN_LOCKED in flags, TokenFlag.USER_PIN_FINAL_TRY in flags
    return PinState(
        tries_left=0 if locked else 1 if last else None,
        low=TokenFlag.USER_PIN_COUNT_LOW in flags or last,
        last_try=last and not locked,
        locked=locked,
        pin_pad=TokenFlag.PROTECTED_AUTHENTICATION_PATH in flags,
        default_pin=TokenFlag.USER_PIN_TO_BE_CHANGED in flags,
    )


def _ids(session: pkcs11.Session, kind: ObjectClass) -> set[bytes]:
    return {bytes(one[Attribute.ID]) for one in list(session.get_objects({Attribute.CLASS: kind}))}


def _label(one: pkcs11.Object) -> str:
    try:
        return str(one[Attribute.LABEL] or "")
    except (pkcs11.AttributeTypeInvalid, pkcs11.AttributeSensitive):
        return ""


def _is_authority(untrusted_der: bytes) -> bool:
    """Whether these bytes are a CA's certificate. What does not parse is no authority."""
    untyped: Any = Certificate
    try:
        return bool(untyped.load(untrusted_der).ca)
    except (ValueError, TypeError):
        return False


def _text(untrusted: bytes) -> str:
    return untrusted.decode("utf-8", "replace").strip(" \0")


def _quiet_about_sessions(unraisable: Any) -> None:
    """Searches on a pulled token fail again when they are collected; the trouble has already been raised once."""
    if not isinstance(unraisable.exc_value, pkcs11.PKCS11Error):
        sys.__unraisablehook__(unraisable)
