"""Lists of revoked certificates that the authorities gave to the province, and its rule on signatures that come late (FORMATS sections 7 and 15).

Never makes a list: the certificate authorities do. Never asks them: what the desk was given is what is known.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509

from tests.province.cms import Signed
from tests.province.jcs import Refused, b64, digest, unb64
from tests.province.realm import Realm

__all__ = ["Lateness"]


class Lateness:
    """What the province knows of revoked certificates, and what it makes of times."""

    def __init__(self, realm: Realm) -> None:
        self._realm = realm

    # -- lists ---------------------------------------------------------------------------------------------------------------------------
    def give(self, kind: str, content: str, authorities: list[str]) -> None:
        """From the desk: one list or answer, base64, in place of the one of the same kind and issuer."""
        key = digest(x509.load_der_x509_crl(unb64(content, "request.malformed", 400)).issuer.public_bytes()) if kind == "crl" else digest(content.encode())
        known = {one["key"]: one for one in self._realm.trusted("revocations")} | {key: {"key": key, "kind": kind, "content": content}}
        self._realm.set_fact("revocations", list(known.values()))
        self._realm.set_fact("authorities", sorted({*self._realm.trusted("authorities"), *authorities}))

    def index(self) -> dict[str, Any]:
        lists = [(one["kind"], unb64(one["content"], "request.malformed", 400)) for one in self._realm.trusted("revocations")]
        return {
            "type": "hall-intake/revocations/1",
            "lists": [{"kind": kind, "digest": digest(content), "size": len(content)} for kind, content in lists],
            "authorities": self._realm.trusted("authorities"),
        }

    def one(self, wanted: str) -> dict[str, Any]:
        """Raises Refused 404 ``revocation.unknown``."""
        for row in self._realm.trusted("revocations"):
            content = unb64(row["content"], "request.malformed", 400)
            if digest(content) == wanted:
                return {"type": "hall-intake/revocation/1", "content": b64(content)}
        raise Refused(404, "revocation.unknown", "no list of this digest")

    # -- the rule ------------------------------------------------------------------------------------------------------------------------
    def check(self, signed: Signed) -> None:
        """A signature that was made in time, as it says, and comes now. Raises Refused 422 ``signature.untrusted`` or ``signature.late``."""
        rule = self._realm.trusted("late") or {"after_end_days": None, "trust_claimed_time": False}
        certificate = x509.load_der_x509_certificate(signed.certificate)
        now = self._realm.clock.now()
        revoked = self._revoked_at(certificate)
        if revoked is not None and revoked <= signed.signed_at:
            raise Refused(422, "signature.untrusted", "the certificate was revoked before this was signed")
        if revoked is not None and not rule["trust_claimed_time"]:
            raise Refused(422, "signature.late", "the certificate was revoked before this came, and the signing time is only a claim")
        days = rule["after_end_days"]
        if days is not None and now > certificate.not_valid_after_utc + timedelta(days=days):
            raise Refused(422, "signature.late", "signed while the certificate was good, and come too long after its end")

    def _revoked_at(self, certificate: x509.Certificate) -> datetime | None:
        for row in self._realm.trusted("revocations"):
            if row["kind"] != "crl":
                continue
            found = x509.load_der_x509_crl(unb64(row["content"], "request.malformed", 400))
            if found.issuer == certificate.issuer:
                entry = found.get_revoked_certificate_by_serial_number(certificate.serial_number)
                return entry.revocation_date_utc.astimezone(UTC) if entry is not None else None
        return None
