"""Events and effects of coming to the desk. Never keeps the PIN beyond the one event and the one effect that carry it."""

from __future__ import annotations

from dataclasses import dataclass, field

from desktop.flows.words.facts import CertificateChoice, Operator, StationFacts
from devices.tokens.contract import PinState

__all__ = [
    "CertificatePicked", "CertificatesListed", "LastTryAccepted", "ListCertificates", "LockPressed", "LogOut", "LoggedIn", "Login", "OpenStation",
    "OperatorIn", "PinStateRead", "PinTyped", "ReadPinState", "StationOpened", "SwitchPressed", "TokensChanged",
]


@dataclass(frozen=True, slots=True)
class OpenStation:
    """Effect: open the store and load the station. Answer: StationOpened, or Failed(NotEnrolled, Store..., Keyring...)."""


@dataclass(frozen=True, slots=True)
class StationOpened:
    """The store is open and this machine is enrolled."""

    station: StationFacts


@dataclass(frozen=True, slots=True)
class ListCertificates:
    """Effect: signing certificates of all tokens. Answer: CertificatesListed (maybe empty), or Failed."""


@dataclass(frozen=True, slots=True)
class CertificatesListed:
    """What was found; an empty tuple means that no token is plugged or none has a signing certificate."""

    certificates: tuple[CertificateChoice, ...]


@dataclass(frozen=True, slots=True)
class TokensChanged:
    """A token was plugged or pulled."""


@dataclass(frozen=True, slots=True)
class CertificatePicked:
    """A person chose a certificate."""

    certificate: CertificateChoice


@dataclass(frozen=True, slots=True)
class ReadPinState:
    """Effect: ask the token for its PIN state. Answer: PinStateRead, or Failed."""

    certificate: CertificateChoice


@dataclass(frozen=True, slots=True)
class PinStateRead:
    """What the token says of its PIN."""

    pin: PinState


@dataclass(frozen=True, slots=True)
class LastTryAccepted:
    """The person confirmed to risk the last try. The PIN field opens only now."""


@dataclass(frozen=True, slots=True)
class PinTyped:
    """The PIN for login; None on a PIN-pad token. Goes straight into ``Login``, never into a state."""

    pin: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Login:
    """Effect: one try with this PIN, then role and trust. Answer: LoggedIn, or Failed(WrongPin, PinLocked, DefaultPin, CertificateTrouble, NotAllowed...)."""

    certificate: CertificateChoice
    pin: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """The person may work at this desk."""

    operator: Operator


@dataclass(frozen=True, slots=True)
class LockPressed:
    """Lock the desk (key, or idle): the PIN is asked again, the sitting stays as it is."""


@dataclass(frozen=True, slots=True)
class SwitchPressed:
    """Another person takes the desk over; what was open is parked for its owner."""


@dataclass(frozen=True, slots=True)
class LogOut:
    """Effect: close every token session of this person. No answer."""


@dataclass(frozen=True, slots=True)
class OperatorIn:
    """To intake and review: who works at which station."""

    operator: Operator
    station: StationFacts
