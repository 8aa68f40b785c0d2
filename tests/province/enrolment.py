"""Takes a new station, or renews its certificate: code, certificate request, an administrator's signature (FORMATS section 8).

Never makes codes, never judges hardware.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from tests.province.cms import certificate_der, verify_detached
from tests.province.downlink import Downlinks
from tests.province.jcs import Refused, b64, canon, digest, parse, parse_canonical, stamp, unb64
from tests.province.realm import Realm
from tests.province.shapes import ENROLMENT, RENEWAL, check, filled

__all__ = ["enrol", "renew"]


def _public_key(untrusted_csr: bytes) -> Any:
    try:
        request = x509.load_der_x509_csr(untrusted_csr)
        key = request.public_key()
        fits = request.is_signature_valid and isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)
    except ValueError as error:
        raise Refused(422, "enrolment.csr", "not a PKCS#10 request") from error
    if not fits:
        raise Refused(422, "enrolment.csr", "not an EC P-256 request that proves its key")
    return key


def _code(realm: Realm, request: dict[str, Any], csr: bytes) -> str:
    """The open code of that hall and window whose proof fits. Raises Refused 403 ``enrolment.code``."""
    proof = unb64(request["code_proof"], "enrolment.format", 422)
    now = stamp(realm.clock.now())
    rows = realm.store.rows(
        "SELECT code FROM invitations WHERE hall = ? AND \"window\" = ? AND used_by IS NULL AND until > ?", request["hall"], request["window"], now
    )
    for row in rows:
        if hmac.compare_digest(hmac.new(row["code"].encode(), csr, hashlib.sha256).digest(), proof):
            return row["code"]
    raise Refused(403, "enrolment.code", "no open code of this hall and window fits")


def enrol(realm: Realm, downlinks: Downlinks, untrusted: bytes) -> bytes:
    """The answer ``hall-intake/enrolled/1``; the same request again gets the same bytes. Raises Refused."""
    body = parse(untrusted)
    check(body, {"request": filled, "signature": filled}, "enrolment.format")
    content = unb64(body["request"], "enrolment.format", 422)
    signed = verify_detached(content, unb64(body["signature"], "enrolment.format", 422), realm.signer_roots(), realm.clock.now())
    request = parse_canonical(content, "enrolment.format")
    check(request, ENROLMENT, "enrolment.format")
    realm.need_role(signed.signer_id, request["hall"], "administrator", 403, "enrolment.administrator")
    known = realm.store.row("SELECT answer FROM enrolments WHERE request_digest = ?", digest(content))
    if known:
        return known["answer"]
    csr = unb64(request["csr"], "enrolment.format", 422)
    public_key = _public_key(csr)
    code = _code(realm, request, csr)

    def answer(station_id: str, certificate: bytes) -> dict[str, Any]:
        station = realm.stations.of(certificate)
        return {
            "type": "hall-intake/enrolled/1",
            "station_id": station_id,
            "certificate": b64(certificate),
            "chain": [b64(certificate_der(realm.keys.device_ca))],
            "roots": json.loads(downlinks.roots()),
            "settings": json.loads(downlinks.settings(station)),
        }

    return realm.stations.enrol(digest(content), request, public_key, code, signed.signer_id, answer)


def renew(realm: Realm, station: Any, untrusted: bytes) -> bytes:
    """The answer ``hall-intake/renewed/1``: a further certificate for a station that shows a good one. The same request again gets the same one."""
    body = parse(untrusted)
    check(body, RENEWAL, "renewal.format")
    csr = unb64(body["csr"], "renewal.format", 422)
    certificate = realm.stations.renew(station["id"], digest(csr), _public_key(csr))
    return canon(
        {"type": "hall-intake/renewed/1", "station_id": station["id"], "certificate": b64(certificate), "chain": [b64(certificate_der(realm.keys.device_ca))]}
    )
