"""A further certificate for this station, asked for under the present one before it ends (FORMATS section 8). Never enrols, never drops the present one first.

Key and request are kept before they are sent: where the answer is lost, the same request goes out again and gets the same certificate.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from sync.canon import canon, parse_json
from sync.draft import time_text
from sync.enrolment import check_issued
from sync.errors import FormatTrouble, ProvinceRefused, StationRefused
from sync.members import Members
from sync.station import Station, StationStore, Tx, certificate_of, from_rows, put_rows, read_rows, write_rows

__all__ = ["RENEW_BEFORE", "Renews", "is_due", "renew"]

RENEW_BEFORE = timedelta(days=60)
"""How long before its end a certificate is renewed: a hall that is closed for a month comes back with a good one."""
_PENDING = ("pending.renewal.key", "pending.renewal.request")


class Renews(Protocol):
    """What of ``sync.province.Province`` a renewal needs."""

    def renew(self, request: bytes) -> bytes: ...


def is_due(station: Station, now: datetime) -> bool:
    """``now``: aware UTC, by the province's clock."""
    return now >= station.certificate_until - RENEW_BEFORE


def renew(province: Renews, store: StationStore, station: Station, now: datetime, tell: Callable[[Tx, Station], None] | None = None) -> Station:
    """The station with a new key and certificate, kept in one transaction, in which ``tell`` may write it down.

    Raises FormatTrouble, and the kinds of ProvinceTrouble: then nothing changed.
    """
    rows = read_rows(store)
    pending = {name: rows[name] for name in _PENDING if name in rows}
    if set(pending) != set(_PENDING):
        pending = _new_request(station.station_id, now)
        write_rows(store, pending)
    try:
        fresh = _answered(province.renew(pending["pending.renewal.request"]), pending["pending.renewal.key"], station, now)
        old = tuple(name for name in rows if name.startswith("device.chain."))
        renewed = from_rows({**_without(rows, (*old, *_PENDING)), **fresh})  # verifies that key and certificate belong together
    except (ProvinceRefused, FormatTrouble) as trouble:
        if not isinstance(trouble, StationRefused):
            write_rows(store, {}, drop=_PENDING)  # the same request again would only be refused again, until the present certificate ends
        raise
    with store.write() as tx:
        put_rows(tx, fresh, drop=tuple(name for name in (*old, *_PENDING) if name not in fresh))
        if tell is not None:
            tell(tx, renewed)
    return renewed


def _answered(untrusted: bytes, key: bytes, station: Station, now: datetime) -> dict[str, bytes]:
    """The rows of the new certificate. Raises FormatTrouble."""
    answer = Members(parse_json(untrusted, "renewed"), "renewed", ("type", "station_id", "certificate", "chain"))
    answer.be("type", "hall-intake/renewed/1")
    answer.be("station_id", station.station_id)
    certificate, chain = answer.bytes64("certificate"), answer.list64("chain")
    check_issued(certificate, chain, now)
    if _serial(certificate) != station.station_id:
        raise FormatTrouble("the new certificate is for another station", what="renewed.certificate")
    return {"device.key": key, "device.certificate": certificate, **{f"device.chain.{number:02}": der for number, der in enumerate(chain)}}


def _without(rows: Mapping[str, bytes], names: tuple[str, ...]) -> dict[str, bytes]:
    return {name: value for name, value in rows.items() if name not in names}


def _new_request(station_id: str, now: datetime) -> dict[str, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, station_id)])
    csr = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, SHA256()).public_bytes(Encoding.DER)
    request = canon({"type": "hall-intake/renewal/1", "csr": base64.b64encode(csr).decode("ascii"), "claimed_at": time_text(now)})
    return {"pending.renewal.key": key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()), "pending.renewal.request": request}


def _serial(certificate: bytes) -> str:
    found = certificate_of(certificate, "renewed.certificate").subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)
    return str(found[0].value) if found else ""
