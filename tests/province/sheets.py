"""Credit record sheets: the code on the paper and the status behind it (FORMATS section 10). Never draws the paper."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import base45
import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from tests.province.jcs import Refused, canon, stamp
from tests.province.keys import keyid, spki
from tests.province.realm import Realm

__all__ = ["Facts", "SHEET_STATES", "Sheets", "printed_content", "sheet_code"]

SHEET_STATES = ("current", "superseded", "revoked", "expired")
EPOCH = date(1970, 1, 1)
KINDS = {1: "从业人员", 2: "从业企业"}


@dataclass(frozen=True)
class Facts:
    """What a sheet says. ``kind`` 1 person, 2 enterprise; ``masked`` as ``5101**********0012``; ``categories`` codes as integers."""

    number: str
    kind: int
    name: str
    masked: str
    employer: str
    categories: tuple[int, ...]
    good: int
    bad: int
    issued: date
    valid_until: date
    index: int
    practice: bool


def printed_content(facts: Facts) -> dict[str, Any]:
    """Title and lines of the paper, as they are digested into key 12."""
    lines = [["单号", facts.number], ["主体", KINDS[facts.kind]], ["名称", facts.name], ["证件号码", facts.masked]]
    if facts.employer:
        lines.append(["任职单位", facts.employer])
    lines += [
        ["人员类别", "、".join(str(c) for c in facts.categories) or "无"],
        ["良好行为记录", f"{facts.good} 条"],
        ["不良行为记录", f"{facts.bad} 条"],
        ["出具日期", facts.issued.isoformat()],
        ["有效期至", facts.valid_until.isoformat()],
    ]
    return {"title": f"建筑市场{KINDS[facts.kind]}诚信记录单", "lines": lines}


def _payload(facts: Facts) -> bytes:
    limits = {"number": 32, "name": 40, "masked": 20, "employer": 80}
    if facts.kind not in KINDS or any(len(getattr(facts, name)) > most for name, most in limits.items()):
        raise ValueError("a fact is longer than the sheet's code holds, or of an unknown kind")
    members: dict[int, Any] = {
        1: facts.number,
        2: facts.kind,
        3: facts.name,
        4: facts.masked,
        6: list(facts.categories),
        7: facts.good,
        8: facts.bad,
        9: (facts.issued - EPOCH).days,
        10: (facts.valid_until - EPOCH).days,
        11: facts.index,
        12: hashlib.sha256(canon(printed_content(facts))).digest()[:16],
    }
    if facts.employer:
        members[5] = facts.employer
    if facts.practice:
        members[13] = True
    return cbor2.dumps(members, canonical=True)


def sheet_code(facts: Facts, key: ec.EllipticCurvePrivateKey, deterministic: bool = False) -> str:
    """``CR1:`` text of the QR code. ``deterministic`` takes the nonce from RFC 6979, for the test vectors."""
    payload = _payload(facts)
    protected = cbor2.dumps({1: -7, 4: bytes.fromhex(keyid(spki(key)))}, canonical=True)
    signed = cbor2.dumps(["Signature1", protected, b"", payload], canonical=True)
    r, s = decode_dss_signature(key.sign(signed, ec.ECDSA(hashes.SHA256(), deterministic_signing=deterministic)))
    message = cbor2.CBORTag(18, [protected, {}, payload, r.to_bytes(32, "big") + s.to_bytes(32, "big")])
    return "CR1:" + base45.b45encode(cbor2.dumps(message, canonical=True)).decode("ascii")


class Sheets:
    """All sheets that a province gave out."""

    def __init__(self, realm: Realm) -> None:
        self._realm = realm

    def make(
        self, kind: int, name: str, masked: str, employer: str = "", categories: tuple[int, ...] = (), good: int = 0, bad: int = 0, days: int = 90
    ) -> tuple[Facts, str]:
        """A new sheet with a number of its own, kept as current. Returns its facts and the code's text."""
        today = self._realm.clock.now().date()
        with self._realm.store.write() as db:
            index = db.execute("SELECT COUNT(*) FROM sheets").fetchone()[0] + 1
            number = f"CX-{self._realm.id}-{today:%Y%m%d}-{index:06d}"
            facts = Facts(
                number,
                kind,
                name,
                masked,
                employer,
                categories,
                good,
                bad,
                today,
                date.fromordinal(today.toordinal() + days),
                index,
                self._realm.practice,
            )
            code = sheet_code(facts, self._realm.keys.active("sheets"))
            shown = {"name": name, "masked": masked, "employer": employer, "good": good, "bad": bad}
            row = (
                number,
                "current",
                json.dumps(shown),
                None,
                code,
                json.dumps({**asdict(facts), "issued": facts.issued.isoformat(), "valid_until": facts.valid_until.isoformat()}),
            )
            db.execute("INSERT INTO sheets VALUES (?, ?, ?, ?, ?, ?)", row)
        return facts, code

    def set_state(self, number: str, state: str, newer: str | None = None, **changed: object) -> None:
        """Turn a sheet's online status; ``changed`` replaces shown facts (name masked employer good bad)."""
        row = self._realm.store.row("SELECT facts FROM sheets WHERE number = ?", number)
        if state not in SHEET_STATES or row is None:
            raise Refused(404 if row is None else 422, "sheet.unknown", f"no such sheet, or not one of {', '.join(SHEET_STATES)}")
        with self._realm.store.write() as db:
            db.execute(
                "UPDATE sheets SET state = ?, newer = ?, facts = ? WHERE number = ?",
                (state, newer, json.dumps({**json.loads(row["facts"]), **changed}), number),
            )

    def status(self, number: str) -> bytes:
        """The envelope ``sheet-status``. Raises Refused 404 ``sheet.unknown``."""
        row = self._realm.store.row("SELECT * FROM sheets WHERE number = ?", number)
        if row is None:
            raise Refused(404, "sheet.unknown", "no such sheet")
        now = self._realm.clock.now()
        printed = json.loads(row["printed"])
        state = "expired" if row["state"] == "current" and now.date().isoformat() > printed["valid_until"] else row["state"]
        payload = canon(
            {
                "type": "hall-intake/sheet-status/1",
                "number": number,
                "state": state,
                "facts": json.loads(row["facts"]),
                "newer": row["newer"],
                "as_of": stamp(now),
            }
        )
        return self._realm.keys.sign("sheets", "sheet-status", payload)
