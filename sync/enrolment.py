"""A machine becomes a station: key, request, signature of the administrator, answer, all verified (FORMATS section 8). Never enrols over an enrolment.

The request is kept before it is sent: where the answer is lost, the same request goes out again and the one-time code is not wasted.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, cast

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from sync.canon import canon, parse_json
from sync.draft import time_text
from sync.errors import (
    EnrolledAlready,
    EnrolledElsewhere,
    EnrolmentCodeWrong,
    EnrolmentNotByAdministrator,
    EnrolmentPracticeMixed,
    EnrolmentRefused,
    FormatTrouble,
    ProvinceRefused,
)
from sync.members import Members
from sync.station import Invitation, Station, StationStore, certificate_of, from_rows, read_rows, write_rows
from sync.wire import Wire, open_session, tls_context

__all__ = ["OpenWire", "check_issued", "enrol", "normal_code"]

OpenWire = Callable[[Invitation], Wire]
"""Opens the way to the province of an invitation, without a client certificate."""

_REFUSALS: Mapping[str, type[EnrolmentRefused]] = {"enrolment.code": EnrolmentCodeWrong, "enrolment.administrator": EnrolmentNotByAdministrator}
"""The province's code of a refusal -> the trouble that has words for it; others are shown with their code."""
_CODE = re.compile(r"[A-Z0-9]{16}")
_PENDING = ("pending.invitation", "pending.key", "pending.request", "pending.signature")


def normal_code(typed: str) -> str:
    """The one-time code as it is counted: 16 capitals and digits without hyphens. Raises EnrolmentCodeWrong (why: ``code_form``)."""
    code = re.sub(r"[\s-]", "", typed).upper()
    if not _CODE.fullmatch(code):
        raise EnrolmentCodeWrong("the code has 16 letters and digits", why="code_form")
    return code


def enrol(
    invitation: bytes, code: str, hall: str, window: str, sign: Callable[[bytes], bytes], machine: str, store: StationStore, *,
    again: bool = False, proxies: Mapping[str, str] | None = None, open_wire: OpenWire | None = None, now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Station:
    """Enrols this store at the province of ``invitation`` (the file's bytes) and returns the station.

    ``again``: the store is enrolled, and the code makes this very station good again (revoked, certificate over); its id and records stay.
    ``sign(content) -> bytes`` makes the administrator's detached CMS over the exact bytes; ``machine`` is free text for people.
    Raises EnrolmentRefused and its kinds (why: ``already``, ``practice``, ``code_form``, ``other_station``, or the province's code), FormatTrouble,
    SignatureInvalid, the kinds of ProvinceTrouble, and whatever ``sign`` raises.
    """
    invited = Invitation.read(invitation)
    proof_key = normal_code(code)
    if store.practice != invited.practice:
        raise EnrolmentPracticeMixed("practice and earnest do not mix", why="practice")
    rows = read_rows(store)
    if "station_id" in rows and not again:
        raise EnrolledAlready("this store is enrolled already", why="already")
    if "station_id" in rows and Invitation.read(rows["invitation"]).root_key != invited.root_key:
        raise EnrolledElsewhere("the invitation is of another province", why="other_province")
    pending = {name: rows[name] for name in _PENDING if name in rows}
    if not _same_request(pending, invitation, proof_key, hall, window):
        pending = _new_request(invitation, proof_key, hall, window, sign, machine, now())
        write_rows(store, pending)
    wire = (open_wire or _open_with(proxies))(invited)
    try:
        untrusted = _send(wire, pending)
    except ProvinceRefused as error:
        write_rows(store, {}, drop=_PENDING)
        why = str(error.facts.get("why", ""))
        raise _REFUSALS.get(why, EnrolmentRefused)(error.detail, why=why) from error
    finally:
        wire.close()
    enrolled = _read_answer(untrusted, pending, now())
    station = from_rows(enrolled)
    if (station.hall, station.window) != (hall, window):
        raise FormatTrouble("the settings are for another hall or window", what="enrolled.settings")
    if "station_id" in rows and rows["station_id"] != enrolled["station_id"]:
        write_rows(store, {}, drop=_PENDING)
        raise EnrolledElsewhere("the code is for another station", why="other_station")
    old = tuple(name for name in rows if name.startswith(("device.chain.", "pending.renewal.")) and name not in enrolled)
    write_rows(store, enrolled, drop=(*_PENDING, *old))
    return from_rows(read_rows(store))


def _open_with(proxies: Mapping[str, str] | None) -> OpenWire:
    return lambda invited: Wire(invited.url, open_session(tls_context([invited.tls_root]), proxies))


def _new_request(invitation: bytes, code: str, hall: str, window: str, sign: Callable[[bytes], bytes], machine: str, at: datetime) -> dict[str, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{hall} {window}"[:64])])
    csr = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, SHA256()).public_bytes(Encoding.DER)
    request = canon({
        "type": "hall-intake/enrolment/1", "code_proof": _proof(code, csr), "csr": base64.b64encode(csr).decode(), "hall": hall, "window": window,
        "machine": machine, "claimed_at": time_text(at),
    })
    return {
        "pending.invitation": invitation, "pending.key": key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
        "pending.request": request, "pending.signature": sign(request),
    }


def _proof(code: str, csr: bytes) -> str:
    return base64.b64encode(hmac.new(code.encode("ascii"), csr, hashlib.sha256).digest()).decode()


def _same_request(pending: Mapping[str, bytes], invitation: bytes, code: str, hall: str, window: str) -> bool:
    if set(pending) != set(_PENDING) or pending["pending.invitation"] != invitation:
        return False
    request = Members(parse_json(pending["pending.request"], "enrolment"), "enrolment")
    proof = _proof(code, request.bytes64("csr"))
    return hmac.compare_digest(proof, request.text("code_proof")) and (request.text("hall"), request.text("window")) == (hall, window)


def _send(wire: Wire, pending: Mapping[str, bytes]) -> bytes:
    body = canon({name: base64.b64encode(pending[f"pending.{name}"]).decode() for name in ("request", "signature")})
    return wire.ask_json("POST", "/v1/enrolments", body, (200, 201))[1]


def _read_answer(untrusted: bytes, pending: Mapping[str, bytes], now: datetime) -> dict[str, bytes]:
    """The rows of the new station; ``from_rows`` verifies them. Raises FormatTrouble."""
    answer = Members(parse_json(untrusted, "enrolled"), "enrolled")
    answer.be("type", "hall-intake/enrolled/1")
    certificate, chain = answer.bytes64("certificate"), answer.list64("chain")
    check_issued(certificate, chain, now)
    rows = {
        "invitation": pending["pending.invitation"], "station_id": answer.uuid("station_id").encode(), "device.key": pending["pending.key"],
        "device.certificate": certificate, **{f"device.chain.{number:02}": der for number, der in enumerate(chain)},
    }
    for purpose in ("roots", "settings"):
        answer.inner(purpose)
        rows[f"downlink.{purpose}"] = canon(cast("Mapping[str, Any]", answer.raw(purpose)))
    return rows


def check_issued(der: bytes, chain: tuple[bytes, ...], now: datetime) -> None:
    """Raises FormatTrouble where a new device certificate has ended already or was not issued by its chain."""
    certificate = certificate_of(der, "enrolled.certificate")
    if now > certificate.not_valid_after_utc:
        raise FormatTrouble("the new device certificate has ended already", what="enrolled.certificate")
    for above in chain[:1]:
        try:
            certificate.verify_directly_issued_by(certificate_of(above, "enrolled.chain"))
        except (ValueError, TypeError, InvalidSignature) as error:
            raise FormatTrouble("the device certificate was not issued by its chain", what="enrolled.chain") from error
