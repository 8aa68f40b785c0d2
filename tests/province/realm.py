"""What this province is: its folder, name, practice or not, people, SAM numbers, signer roots, stations. Never answers a request itself."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

from cryptography import x509

from tests.province.clock import Clock
from tests.province.cms import certificate_der
from tests.province.jcs import Refused, b64, stamp
from tests.province.keys import Keys, spki
from tests.province.stations import Stations
from tests.province.store import open_store
from tests.province.tables import TableOffice

__all__ = ["ROLES", "Realm"]

ROLES = ("collector", "supervisor", "administrator", "verifier")
CODE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
CODE_LIFE = timedelta(hours=72)
PUBLICITY_WORKDAYS = 15
"""Working days for which a record is shown on the department's site."""
HALL_TIME = timezone(timedelta(hours=8))


def load_certificates(pem_or_der: bytes) -> list[x509.Certificate]:
    if b"-----BEGIN" in pem_or_der:
        return x509.load_pem_x509_certificates(pem_or_der)
    return [x509.load_der_x509_certificate(pem_or_der)]


class Realm:
    """One province folder. ``open`` makes a new one or takes the one that is there; practice is fixed at the first opening."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.folder = folder
        self.clock = clock
        self.store = open_store(folder)
        self.keys = Keys(folder / "keys")
        self.id = self._need("id")
        self.name = self._need("name")
        self.practice = self._need("practice") == "1"
        self.stations = Stations(self.store, self.keys, self.id, clock)
        self.tables = TableOffice(self.store)

    @classmethod
    def open(cls, folder: Path, practice: bool, clock: Clock | None = None, province: str = "51", name: str = "", database: str = "") -> Realm:
        """Raises ValueError where the folder is of the other kind (practice, or in earnest)."""
        clock = clock or Clock()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        begun = (folder / "province.db").exists() or (folder / "database").exists()
        if not begun or not (folder / "keys" / "keys.json").exists():
            Keys.make(folder / "keys", clock.now())
            store = open_store(folder, database)
            with store.write() as db:
                title = name or ("练习省（无真实数据）" if practice else "参考省")
                db.executemany("INSERT INTO facts VALUES (?, ?)", [("id", province), ("name", title), ("practice", str(int(practice)))])
            store.close()
        realm = cls(folder, clock)
        if realm.practice != practice:
            realm.store.close()
            raise ValueError("this folder is a practice province" if not practice else "this folder is a province in earnest")
        return realm

    def _need(self, name: str) -> str:
        value = self.store.fact(name)
        if value is None:
            raise ValueError(f"the province folder has no {name}")
        return value

    def kind(self, name: str) -> str:
        """The full ``type`` of ``record presence receipt act`` in this province."""
        return f"hall-intake/{'practice-' if self.practice else ''}{name}/1"

    # -- trust -------------------------------------------------------------------------------------------------------------------------
    def set_trust(self, signer_roots: Sequence[bytes], tls_root: bytes, url: str) -> None:
        """What the command line gives: PEM or DER of signer roots and of the TLS CA, the public address."""
        roots = [b64(certificate_der(c)) for content in signer_roots for c in load_certificates(content)]
        tls = [b64(certificate_der(c)) for c in load_certificates(tls_root)]
        with self.store.write() as db:
            for name, value in (("signer_roots", roots), ("tls_roots", tls), ("url", url)):
                db.execute("INSERT INTO facts VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", (name, json.dumps(value)))

    def trusted(self, name: str) -> Any:
        return json.loads(self.store.fact(name) or "[]")

    def signer_roots(self) -> list[x509.Certificate]:
        import base64

        return [x509.load_der_x509_certificate(base64.b64decode(root)) for root in self.trusted("signer_roots")]

    def set_fact(self, name: str, value: Any) -> None:
        with self.store.write() as db:
            db.execute("INSERT INTO facts VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", (name, json.dumps(value)))

    # -- people, readers, halls ----------------------------------------------------------------------------------------------------------
    def add_person(self, person_id: str, name: str, roles: Sequence[str], hall: str) -> None:
        unknown = set(roles) - set(ROLES)
        if unknown or not person_id or not name:
            raise ValueError(f"a person needs id, name and roles out of {', '.join(ROLES)}")
        with self.store.write() as db:
            sql = "INSERT INTO people VALUES (?, ?, ?, ?) ON CONFLICT (id, hall) DO UPDATE SET name = excluded.name, roles = excluded.roles"
            db.execute(sql, (person_id, hall, name, json.dumps(sorted(roles))))

    def remove_person(self, person_id: str) -> None:
        with self.store.write() as db:
            db.execute("DELETE FROM people WHERE id = ?", (person_id,))

    def add_hall(self, code: str, name: str) -> None:
        with self.store.write() as db:
            db.execute("INSERT INTO halls VALUES (?, ?) ON CONFLICT (code) DO UPDATE SET name = excluded.name", (code, name))

    def hall_name(self, code: str) -> str:
        row = self.store.row("SELECT name FROM halls WHERE code = ?", code)
        return row["name"] if row else code

    def people(self, hall: str) -> list[dict[str, Any]]:
        return [
            {"id": row["id"], "name": row["name"], "roles": json.loads(row["roles"])}
            for row in self.store.rows("SELECT * FROM people WHERE hall = ? ORDER BY id", hall)
        ]

    def need_role(self, person_id: str, hall: str, role: str, status: int = 422, code: str = "person.role") -> None:
        person = next((p for p in self.people(hall) if p["id"] == person_id), None)
        if person is None:
            raise Refused(status, code if status != 422 else "person.unknown", "the signer is not on the list of the hall")
        if role not in person["roles"]:
            raise Refused(status, code, f"the signer has not the role {role}")

    # -- stations ------------------------------------------------------------------------------------------------------------------------
    def invite(self, hall: str, window: str, life: timedelta = CODE_LIFE, station: str | None = None) -> tuple[dict[str, Any], str]:
        """The station invitation (FORMATS section 8) and a one-time code for a window; ``station``: the code makes this one good again, nobody else."""
        drawn = "".join(secrets.choice(CODE_LETTERS) for _ in range(16))
        with self.store.write() as db:
            db.execute("INSERT INTO invitations VALUES (?, ?, ?, ?, NULL, ?)", (drawn, hall, window, stamp(self.clock.now() + life), station))
        return self.invitation(), "-".join(drawn[at : at + 4] for at in range(0, 16, 4))

    def invitation(self) -> dict[str, Any]:
        tls = self.trusted("tls_roots")
        if not tls:
            raise ValueError("the province has not been served yet: no address, no TLS root")
        return {
            "type": "hall-intake/invitation/1",
            "province": self.id,
            "name": self.name,
            "practice": self.practice,
            "url": self.trusted("url"),
            "tls_root": tls[0],
            "root_key": b64(spki(self.keys.active("roots"))),
        }
