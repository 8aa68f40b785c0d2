"""Certificates, PINs and signatures by token, for whoever sits at the desk. Never keeps a PIN, never tries one twice, never leaves a token logged in."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import datetime
from threading import Event
from typing import Any

from desktop.effects.token_signer import TokenSigner
from desktop.flows.words import CertificateChoice, CertificatesListed, ListCertificates, LoggedIn, Login, Operator, PinStateRead, ReadPinState
from desktop.rooms import Rooms, now
from devices.base import Device
from devices.errors import DefaultPin, DeviceTrouble, NoToken
from devices.tokens.contract import PinState, Token, TokenCertificate, TokenDriver
from resources.trouble import Trouble
from sync.errors import CertificateExpired, CertificateTrouble, FormatTrouble, NotAllowed
from sync.revocation import Revocations, Standing
from sync.signing import Sm2Choice, certificate_facts, check_may_sign, make_signature
from sync.station import Station
from sync.trust import validate_path

__all__ = ["TokenWork", "choice_of"]

_ROLES = frozenset({"collector", "supervisor"})


def choice_of(device: Device, found: TokenCertificate, station: Station, moment: datetime, roles: frozenset[str] = _ROLES,
              revocations: Revocations | None = None) -> CertificateChoice:
    """What a certificate is worth at this station. Raises FormatTrouble for one that cannot be read."""
    facts = certificate_facts(found.der)
    why, standing = "", Standing("unchecked", None)
    if facts.mechanism is None:
        why = "algorithm"
    elif moment > facts.not_after:
        why = "expired"
    elif moment < facts.not_before:
        why = "not_yet"
    else:
        try:
            if revocations is None:
                validate_path(found.der, found.chain, station.signer_roots, moment)
            else:
                standing = revocations.standing(found.der, found.chain, station.signer_roots, moment)
        except CertificateTrouble as trouble:
            why = "revoked" if trouble.facts.get("why") == "revoked" else "untrusted"
    person = station.person(facts.id)
    if not why and (person is None or not person.roles & roles):
        why = "no_role"
    return CertificateChoice(device, found.key_id, facts.id, facts.name, facts.issuer, facts.not_after.date(), (facts.not_after - moment).days, not why, why,
                             standing.state, standing.as_of)


class TokenWork:
    """Handlers of the token lane. ``rooms`` gives the open rooms, ``sm2`` how SM2 signatures are made (settings ``sm2_profile`` and ``sm2_id``)."""

    def __init__(self, rooms: Any, sm2: Callable[[], Sm2Choice] = Sm2Choice) -> None:
        self._rooms, self.sm2 = rooms, sm2
        self.at_login: Callable[[str, TokenSigner, Sm2Choice], object] = lambda owner, signer, choice: None
        """Called inside every login that went through, with the owner (``op:…``): the signed checkpoint of a shift's begin."""
        self._seen: dict[tuple[Device, bytes], bytes] = {}

    def certificate_digest(self, choice: CertificateChoice) -> str:
        """Digest of the certificate behind a choice that ``list`` gave. Raises NoToken."""
        try:
            return certificate_facts(self._seen[choice.device, choice.key_id]).digest
        except KeyError as error:
            raise NoToken("this certificate was not listed") from error

    def list(self, _order: ListCertificates, _cancel: Event, _tell: Any) -> CertificatesListed:
        """Every signing certificate of every token; a library that cannot look takes nothing from the others.

        Raises the first trouble where nothing is found.
        """
        rooms: Rooms = self._rooms()
        found = rooms.registry.find("tokens")
        choices: list[CertificateChoice] = []
        troubles = [one for one in found.troubles if not isinstance(one, NoToken)]
        for device in found.devices:
            try:
                with self._driver(rooms, device).open(device) as token:
                    choices += self._choices(rooms, device, token)
            except DeviceTrouble as trouble:
                troubles.append(trouble)
        if not choices and troubles:
            raise troubles[0]
        return CertificatesListed(tuple(choices))

    def pin_state(self, order: ReadPinState, _cancel: Event, _tell: Any) -> PinStateRead:
        """The PIN's state before it is asked for. Raises DefaultPin: with the factory's PIN nobody is asked at all."""
        rooms: Rooms = self._rooms()
        device = order.certificate.device
        with self._driver(rooms, device).open(device) as token:
            return PinStateRead(_own_pin(token))

    def login(self, order: Login, _cancel: Event, _tell: Any) -> LoggedIn:
        """One try; then the person must be on the province's list, and the key must show that it fits the certificate by signing a random text."""
        rooms: Rooms = self._rooms()
        choice = order.certificate
        person = rooms.station.person(choice.signer_id)
        try:
            if person is None:
                raise NotAllowed("nobody of this station", role="collector")
            with self.logged_in(choice, order.pin, now()) as signer:
                make_signature(b"hall-intake login " + os.urandom(32), signer, now(), self.sm2())
                self.at_login(f"op:{person.id}", signer, self.sm2())
        except Trouble as trouble:  # a refusal, too, is a line of the journal
            rooms.note("station", "login.failed", facts={"code": trouble.code})
            raise
        rooms.note(f"op:{person.id}", "login.done")
        return LoggedIn(Operator(person.id, person.name, person.roles, choice))

    def sign(self, choice: CertificateChoice, pin: str | None, content: bytes, claimed_at: datetime, about: str = "") -> bytes:
        """A detached signature with this certificate: one login, one signature, logged out again. Raises TokenTrouble and its kinds, CertificateTrouble.

        A failure (wrong PIN, pulled token, refused certificate) is a line of the journal; ``about`` is the record's id.
        """
        rooms: Rooms = self._rooms()
        try:
            return self._signed(rooms, choice, pin, content, claimed_at)
        except Trouble as trouble:
            rooms.note(f"op:{choice.signer_id}", "signature.failed", about, {"code": trouble.code})
            raise

    @contextmanager
    def logged_in(self, choice: CertificateChoice, pin: str | None, claimed_at: datetime) -> Generator[TokenSigner]:
        """The token behind this choice, open and logged in by one try, as a signer; logged out at the end. Nothing is tried where the certificate or the
        PIN (factory's) forbids it. Raises TokenTrouble and its kinds, CertificateTrouble."""
        rooms: Rooms = self._rooms()
        with self._driver(rooms, choice.device).open(choice.device) as token:
            found = next((one for one in token.certificates() if one.key_id == choice.key_id), None)
            if found is None or found.der != self._seen.get((choice.device, choice.key_id), found.der):
                raise NoToken("this certificate is not plugged in")
            self._refuse_unfit(choice_of(choice.device, found, rooms.station, now(), revocations=rooms.revocations))
            check_may_sign(found.der, claimed_at)
            _own_pin(token)
            token.login(pin)
            try:
                # an SKF token carries no certificates of authorities; an issuing one that the province lists goes along, a root never does
                yield TokenSigner(token, found, (*found.chain, *rooms.station.signer_roots))
            finally:
                token.logout()

    def _signed(self, rooms: Rooms, choice: CertificateChoice, pin: str | None, content: bytes, claimed_at: datetime) -> bytes:
        with self.logged_in(choice, pin, claimed_at) as signer:
            return make_signature(content, signer, claimed_at, self.sm2())

    def _choices(self, rooms: Rooms, device: Device, token: Token) -> list[CertificateChoice]:
        choices: list[CertificateChoice] = []
        for found in token.certificates():
            self._seen[device, found.key_id] = found.der
            try:
                choices.append(choice_of(device, found, rooms.station, now(), revocations=rooms.revocations))
            except FormatTrouble:
                continue
        return choices

    @staticmethod
    def _refuse_unfit(choice: CertificateChoice) -> None:
        if choice.why == "no_role":
            raise NotAllowed("no role at this station", role="collector")
        if not choice.usable:
            kind = CertificateExpired if choice.why == "expired" else CertificateTrouble
            raise kind("not usable", why=choice.why, until=f"{choice.not_after:%Y-%m-%d}")

    @staticmethod
    def _driver(rooms: Rooms, device: Device) -> TokenDriver:
        for driver in rooms.registry.tokens():
            if driver.name == device.driver:
                return driver
        raise NoToken("no driver of this name")


def _own_pin(token: Token) -> PinState:
    """The state of the PIN. Raises DefaultPin while it is the one that every such token has."""
    state = token.pin_state()
    if state.default_pin:
        raise DefaultPin("the PIN is still the factory's")
    return state
