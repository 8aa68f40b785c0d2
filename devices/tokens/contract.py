"""What a certificate token can do for us: five methods, one contract for PKCS#11 and SKF. Never keeps a PIN, never tries one twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Protocol

from devices.base import Device

__all__ = ["Mechanism", "PinState", "Token", "TokenCertificate", "TokenDriver"]

Mechanism = Literal["rsa-pkcs1-sha256", "ecdsa-sha256", "sm2-sm3"]
"""How a digest is signed. ECDSA and SM2 answers are DER ``SEQUENCE {r, s}``; ``sm2-sm3`` signs e = SM3(Z ‖ M) made on the host."""


@dataclass(frozen=True, slots=True)
class TokenCertificate:
    """A certificate with a signing key beside it. ``key_id`` is CKA_ID or the SKF container name; ``der`` the certificate.

    ``chain``: certificates of authorities that lie on the same token, DER, in no order; a signature takes of them what leads upward.
    """

    key_id: bytes
    der: bytes
    label: str = ""
    chain: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class PinState:
    """What the token says of its PIN now. ``tries_left`` is None where it does not count aloud (PKCS#11 tells only the flags)."""

    tries_left: int | None
    low: bool = False
    last_try: bool = False
    locked: bool = False
    pin_pad: bool = False
    default_pin: bool = False


class Token(Protocol):
    """An open token; a context manager. One child process, one thread. Raises ``TokenTrouble`` and its kinds."""

    device: Device

    def pin_state(self) -> PinState: ...

    def certificates(self) -> Sequence[TokenCertificate]: ...

    def login(self, pin: str | None) -> None:
        """One try, never repeated. ``None`` on a PIN-pad token. MUST raise WrongPin(tries_left=...) or PinLocked."""
        ...

    def sign(self, key_id: bytes, mechanism: Mechanism, digest: bytes) -> bytes:
        """Sign a ready 32-byte digest. MUST raise TokenGone when the token was pulled."""
        ...

    def logout(self) -> None: ...

    def __enter__(self) -> Token: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...


class TokenDriver(Protocol):
    """Finds and opens tokens of one library."""

    @property
    def name(self) -> str: ...

    def find(self) -> Sequence[Device]: ...

    def open(self, device: Device) -> Token: ...
