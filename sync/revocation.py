"""What is known of revoked certificates, kept for days without a network: CRLs and OCSP answers as files, each with its age. Never asks a network: files are
handed over (by the administrator, or by the courier at each sync), and are believed only as far as their signatures go.

A list or answer is public and signed, so it lies unencrypted; a newer one of the same issuer takes the older one's place, never the other way round.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import RLock
from typing import Any, Literal

from asn1crypto import crl, ocsp
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

from sync.canon import digest
from sync.certificates import BROKEN, parsed_certificate
from sync.errors import FormatTrouble, SignatureInvalid
from sync.trust import Revocation, RevocationState, SignatureCheck, validate_path

__all__ = ["REVOCATION_FOLDER", "RevocationRow", "Revocations", "Standing", "known_authorities"]

REVOCATION_FOLDER = "revocation"
"""Below the data folder."""
LARGEST = 32 * 1024 * 1024
"""Bytes of a list; a province's CA has some hundred thousand people at most."""
READ_BYTES = 2 * 1024 * 1024
"""Bytes of lists and answers that are held parsed: some 80,000 revoked certificates, which take some 20 times as much memory. Larger ones are parsed anew."""


@dataclass(frozen=True, slots=True)
class RevocationRow:
    """One kept list (``crl``) or answer (``ocsp``). ``issuer`` is whose certificates it speaks of; ``number`` the CRL's or certificate's number."""

    kind: Literal["crl", "ocsp"]
    issuer: str
    number: str
    this_update: datetime
    next_update: datetime | None
    key: str
    content: bytes = field(repr=False)

    def age(self, now: datetime) -> timedelta:
        """Since its issuer made it; not since it came here."""
        return now - self.this_update

    def stale(self, now: datetime) -> bool:
        """Whether its issuer has promised a newer one by now."""
        return self.next_update is not None and now > self.next_update


@dataclass(frozen=True, slots=True)
class _Parsed:
    """A row with the list or answer itself, as the library takes it."""

    row: RevocationRow
    thing: Any = field(repr=False)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a certificate stands: ``state`` as in ``sync.trust``, and the time of the newest list or answer that speaks of it, if any."""

    state: RevocationState
    as_of: datetime | None

    def age(self, now: datetime) -> timedelta | None:
        return None if self.as_of is None else now - self.as_of


class Revocations:
    """The kept lists and answers of one folder, which is made when the first one comes. Any thread may ask.

    What was parsed is held by the digest of its bytes as long as its file is there, ``READ_BYTES`` at most; the files are read each time, so a new one counts.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: dict[str, _Parsed] = {}
        self._alone = RLock()   # parsed lists grow while they are looked through: one at a time, or a revoked certificate could be overlooked

    def take(self, untrusted: bytes, authorities: Sequence[bytes]) -> RevocationRow:
        """Keep a CRL or an OCSP response (DER, or PEM of a CRL), durably. ``authorities``: DER certificates, one of which must have signed it.

        Raises FormatTrouble for other bytes, SignatureInvalid (why: ``untrusted`` nobody of these made it, ``older`` than the one that is kept).
        """
        row = _read(_der(untrusted), authorities)
        kept = next((one for one in self.rows() if one.key == row.key), None)
        if kept is not None and kept.this_update > row.this_update:
            raise SignatureInvalid("a newer one is kept already", why="older")
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / f"{row.key}.der"
        fresh = path.with_suffix(".new")
        with fresh.open("wb") as file:
            file.write(row.content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, path)
        return row

    def has(self, wanted: str) -> bool:
        """Whether bytes of this digest are kept."""
        return any(digest(one.content) == wanted for one in self.rows())

    def rows(self) -> tuple[RevocationRow, ...]:
        """What is kept, by kind and issuer. A file that cannot be read any more is left out: it proves nothing."""
        return tuple(one.row for one in self._all())

    def _all(self) -> tuple[_Parsed, ...]:
        found: list[_Parsed] = []
        with self._alone:
            held, room = dict[str, _Parsed](), READ_BYTES
            for path in sorted(self._folder.glob("*.der")) if self._folder.is_dir() else ():
                try:
                    content = path.read_bytes()
                    one = self._held.get(key := digest(content)) or _parse(content)
                except (OSError, FormatTrouble):
                    continue
                found.append(one)
                if len(content) <= room:
                    held[key], room = one, room - len(content)
            self._held = held
        return tuple(found)

    def known(self) -> Revocation:
        """All of it, for ``check_signature`` and ``validate_path``."""
        rows = self.rows()
        return Revocation(tuple(one.content for one in rows if one.kind == "crl"), tuple(one.content for one in rows if one.kind == "ocsp"))

    def standing(self, certificate: bytes, others: Sequence[bytes], roots: Sequence[bytes], moment: datetime) -> Standing:
        """Where this certificate stands at ``moment`` (aware). Raises ``CertificateTrouble`` as ``validate_path`` does: revoked at any age of the list."""
        with self._alone:
            every = self._all()
            known = Revocation(tuple(one.thing for one in every if one.row.kind == "crl"), tuple(one.thing for one in every if one.row.kind == "ocsp"))
            state = validate_path(certificate, others, roots, moment, known)
        if state not in ("good", "stale"):
            return Standing(state, None)
        parsed = parsed_certificate(certificate)
        issuer, number = str(parsed.issuer.human_friendly), f"{parsed.serial_number:X}"
        rows = [one.row for one in every]
        times = [one.this_update for one in rows if (one.kind == "crl" and one.issuer == issuer) or (one.kind == "ocsp" and one.number == number)]
        return Standing(state, max(times, default=None))


def known_authorities(roots: Sequence[bytes], untrusted: Sequence[bytes]) -> tuple[bytes, ...]:
    """The roots and those certificates of authorities that lead up to them, all DER: who may sign lists. What does not lead up is left out."""
    found = list(dict.fromkeys(roots))
    waiting = [one for one in dict.fromkeys(untrusted) if one not in found]
    while True:
        above = [parsed_certificate(one) for one in found]
        led = [one for one in waiting if _led(one, above)]
        if not led:
            return tuple(found)
        found += led
        waiting = [one for one in waiting if one not in led]


def _led(untrusted: bytes, above: Sequence[Any]) -> bool:
    try:
        certificate = parsed_certificate(untrusted)
        return bool(certificate.ca) and any(_signed(certificate, "tbs_certificate", one) for one in above if one.subject == certificate.issuer)
    except BROKEN:
        return False


def _der(untrusted: bytes) -> bytes:
    if len(untrusted) > LARGEST:
        raise FormatTrouble("too large for a list", what="revocation")
    text = untrusted.strip()
    if not text.startswith(b"-----BEGIN "):
        return untrusted
    try:
        head, *lines, foot = text.split(b"\n")
        if b"CRL" not in head or not foot.startswith(b"-----END "):
            raise FormatTrouble("PEM, but no list", what="revocation")
        return base64.b64decode(b"".join(line.strip() for line in lines), validate=True)
    except (ValueError, binascii.Error):
        raise FormatTrouble("broken PEM", what="revocation") from None


def _parse(untrusted: bytes) -> _Parsed:
    """Raises FormatTrouble for what is neither a CRL nor a successful OCSP response about one certificate."""
    for read in (_crl_row, _ocsp_row):
        try:
            return read(untrusted)
        except BROKEN:
            continue
    raise FormatTrouble("neither a revocation list nor an OCSP response", what="revocation")


def _crl_row(untrusted: bytes) -> _Parsed:
    parsed = crl.CertificateList.load(untrusted, strict=True)
    body = parsed["tbs_cert_list"]
    told = body["next_update"].native
    number = parsed.crl_number_value
    issuer = str(parsed.issuer.human_friendly)
    key = "crl-" + hashlib.sha256(parsed.issuer.dump() + (parsed.authority_key_identifier or b"")).hexdigest()[:32]
    row = RevocationRow("crl", issuer, "" if number is None else str(number.native), body["this_update"].native.astimezone(UTC),
                        told.astimezone(UTC) if told else None, key, untrusted)
    return _Parsed(row, parsed)


def _ocsp_row(untrusted: bytes) -> _Parsed:
    response = _response(untrusted)
    basic = response["response_bytes"]["response"].parsed
    answers = basic["tbs_response_data"]["responses"]
    if len(answers) != 1:
        raise ValueError("an answer about one certificate is expected")
    one = answers[0]
    told = one["next_update"].native
    who = one["cert_id"]
    key = "ocsp-" + hashlib.sha256(who["issuer_key_hash"].native + who["serial_number"].contents).hexdigest()[:32]
    row = RevocationRow("ocsp", who["issuer_key_hash"].native.hex(), f"{who['serial_number'].native:X}", one["this_update"].native.astimezone(UTC),
                        told.astimezone(UTC) if told else None, key, untrusted)
    return _Parsed(row, response)


def _response(der: bytes) -> Any:
    response = ocsp.OCSPResponse.load(der, strict=True)
    if response["response_status"].native != "successful":
        raise ValueError("not successful")
    return response


def _read(der: bytes, authorities: Sequence[bytes]) -> RevocationRow:
    """The row of bytes whose signature one of the authorities made, or for an OCSP answer a responder whom one of them certified."""
    found = _parse(der)
    row = found.row
    try:
        keys = [parsed_certificate(one) for one in authorities]
        if row.kind == "crl":
            fits = any(_signed(found.thing, "tbs_cert_list", one) for one in keys if one.subject == found.thing.issuer)
        else:
            basic = found.thing["response_bytes"]["response"].parsed
            enclosed = [] if basic["certs"].native is None else list(basic["certs"])
            responders = [one for one in enclosed if any(_signed(one, "tbs_certificate", above) for above in keys)]
            fits = any(_signed(basic, "tbs_response_data", one) for one in (*keys, *responders))
    except BROKEN:
        raise FormatTrouble("broken list, answer or authority", what="revocation") from None
    if not fits:
        raise SignatureInvalid("none of the province's authorities made it", why="untrusted")
    return row


def _signed(thing: Any, body: str, by: Any) -> bool:
    signature = thing["signature_value" if body == "tbs_certificate" else "signature"].native
    try:
        SignatureCheck(()).validate_signature(signature, thing[body].dump(), by.public_key, thing["signature_algorithm"])
    except (InvalidSignature, UnsupportedAlgorithm, AssertionError, *BROKEN):
        return False
    return True
