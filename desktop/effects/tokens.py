"""Certificates, PINs and signatures by token, for whoever sits at the desk. Never keeps a PIN, never tries one twice, never leaves a token logged in."""

from __future__ import annotations

import os
from datetime import datetime
from threading import Event
from typing import Any

from desktop.effects.token_signer import TokenSigner
from desktop.flows.words import CertificateChoice, CertificatesListed, ListCertificates, LoggedIn, Login, Operator, PinStateRead, ReadPinState
from desktop.rooms import Rooms, now
from devices.base import Device
from devices.errors import DeviceTrouble, NoToken
from devices.tokens.contract import Token, TokenCertificate, TokenDriver
from sync.errors import CertificateTrouble, FormatTrouble, NotAllowed
from sync.signing import certificate_facts, make_signature
from sync.station import Station
from sync.trust import validate_path

__all__ = ["TokenWork", "choice_of"]

_ROLES = frozenset({"collector", "supervisor"})


def choice_of(device: Device, found: TokenCertificate, station: Station, moment: datetime, roles: frozenset[str] = _ROLES) -> CertificateChoice:
    """What a certificate is worth at this station. Raises FormatTrouble for one that cannot be read."""
    facts = certificate_facts(found.der)
    why = ""
    if facts.mechanism is None:
        why = "algorithm"
    elif moment > facts.not_after:
        why = "expired"
    elif moment < facts.not_before:
        why = "not_yet"
    else:
        try:
            validate_path(found.der, found.chain, station.signer_roots, moment)
        except CertificateTrouble:
            why = "untrusted"
    person = station.person(facts.id)
    if not why and (person is None or not person.roles & roles):
        why = "no_role"
    return CertificateChoice(device, found.key_id, facts.id, facts.name, facts.issuer, facts.not_after.date(), (facts.not_after - moment).days, not why, why)


class TokenWork:
    """Handlers of the token lane. ``rooms`` gives the open rooms."""

    def __init__(self, rooms: Any) -> None:
        self._rooms = rooms
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
        rooms: Rooms = self._rooms()
        device = order.certificate.device
        with self._driver(rooms, device).open(device) as token:
            return PinStateRead(token.pin_state())

    def login(self, order: Login, _cancel: Event, _tell: Any) -> LoggedIn:
        """One try; then the person must be on the province's list, and the key must show that it fits the certificate by signing a random text."""
        rooms: Rooms = self._rooms()
        choice = order.certificate
        if not choice.usable:
            raise CertificateTrouble("not usable", why=choice.why)
        person = rooms.station.person(choice.signer_id)
        if person is None or not person.roles & _ROLES:
            raise NotAllowed("no role at this station", role="collector")
        try:
            self.sign(choice, order.pin, b"hall-intake login " + os.urandom(32), now())
        except DeviceTrouble as trouble:
            rooms.note("station", "login.failed", facts={"code": trouble.code})
            raise
        rooms.note(f"op:{person.id}", "login.done")
        return LoggedIn(Operator(person.id, person.name, person.roles, choice))

    def sign(self, choice: CertificateChoice, pin: str | None, content: bytes, claimed_at: datetime) -> bytes:
        """A detached signature with this certificate: one login, one signature, logged out again. Raises TokenTrouble and its kinds, CertificateTrouble."""
        rooms: Rooms = self._rooms()
        with self._driver(rooms, choice.device).open(choice.device) as token:
            found = next((one for one in token.certificates() if one.key_id == choice.key_id), None)
            if found is None or found.der != self._seen.get((choice.device, choice.key_id), found.der):
                raise NoToken("this certificate is not plugged in")
            token.login(pin)
            try:
                return make_signature(content, TokenSigner(token, found, found.chain), claimed_at)
            finally:
                token.logout()

    def _choices(self, rooms: Rooms, device: Device, token: Token) -> list[CertificateChoice]:
        choices: list[CertificateChoice] = []
        for found in token.certificates():
            self._seen[device, found.key_id] = found.der
            try:
                choices.append(choice_of(device, found, rooms.station, now()))
            except FormatTrouble:
                continue
        return choices

    @staticmethod
    def _driver(rooms: Rooms, device: Device) -> TokenDriver:
        for driver in rooms.registry.tokens():
            if driver.name == device.driver:
                return driver
        raise NoToken("no driver of this name")
