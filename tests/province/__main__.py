"""Command line of the reference province: serve a folder, or change its lists. Never started by the product.

Serving prints one JSON line {url, port, admin_url, admin_port, province, practice} when it listens, and ends on SIGTERM.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives import serialization

from tests.province.admin import AdminServer, Desk
from tests.province.clock import Clock
from tests.province.faults import Faults
from tests.province.keys import certificate_authority, pem, server_certificate, write_private
from tests.province.paper import sheet_pdf
from tests.province.realm import Realm
from tests.province.routes import Office
from tests.province.server import ProvinceServer
from tests.province.sheets import Sheets

__all__ = ["Running", "main", "serve"]


def own_tls(folder: Path, hosts: list[str], clock: Clock) -> tuple[Path, Path, Path]:
    """Server certificate, key and CA of the folder's own, where the command line gives none."""
    tls = folder / "tls"
    if not (tls / "server.crt").exists():
        tls.mkdir(mode=0o700, parents=True, exist_ok=True)
        ca_key, ca = certificate_authority("Reference province TLS CA", clock.now())
        key, certificate = server_certificate(ca_key, ca, hosts, clock.now())
        write_private(tls / "server.key", pem(key))
        (tls / "ca.crt").write_bytes(ca.public_bytes(serialization.Encoding.PEM))
        (tls / "server.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return tls / "server.crt", tls / "server.key", tls / "ca.crt"


class Running:
    """A province that listens. ``url`` and ``admin_url``; a context manager."""

    def __init__(self, server: ProvinceServer, admin: AdminServer, url: str) -> None:
        self.server, self.admin, self.url = server, admin, url
        self.realm = server.office.realm
        self.office = server.office
        self.faults = server.faults
        self.admin_url = f"http://127.0.0.1:{admin.server_address[1]}"

    def ready_line(self) -> str:
        return json.dumps(
            {
                "url": self.url,
                "port": self.server.server_address[1],
                "admin_url": self.admin_url,
                "admin_port": self.admin.server_address[1],
                "province": self.realm.id,
                "practice": self.realm.practice,
            }
        )

    def stop(self) -> None:
        self.admin.stop()
        self.server.stop()
        self.realm.store.close()

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def serve(
    folder: Path,
    signer_roots: Sequence[Path],
    *,
    practice: bool,
    host: str = "127.0.0.1",
    port: int = 0,
    admin_port: int = 0,
    tls: tuple[Path, Path, Path] | None = None,
    tables: Path | None = None,
    tables_edition: str = "1",
    clock: Clock | None = None,
    name: str = "",
    database: str = "",
) -> Running:
    """Start to serve ``folder``. ``tls``: certificate chain, key and CA, PEM files; without it the folder makes its own. Raises ValueError, OSError."""
    clock = clock or Clock()
    realm = Realm.open(folder, practice, clock, name=name, database=database)
    certificate, key, ca = tls or own_tls(folder, [host, "localhost"], clock)
    server = ProvinceServer.over(host, port, Office(realm), certificate, key, Faults())
    url = f"https://{host}:{server.server_address[1]}"
    realm.set_trust([path.read_bytes() for path in signer_roots], ca.read_bytes(), url)
    if tables is not None:
        realm.tables.publish_folder(tables, tables_edition)
    admin = AdminServer(admin_port, Desk(server))
    server.start()
    admin.start()
    return Running(server, admin, url)


def _serve_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.province", description="Serve a reference province on loopback. Commands: " + ", ".join(COMMANDS)
    )
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--admin-port", type=int, default=0)
    for name in ("--tls-cert", "--tls-key", "--tls-ca", "--tables"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--tables-edition", default="1")
    parser.add_argument("--signer-root", type=Path, nargs="+", action="extend", required=True)
    parser.add_argument("--practice", action="store_true")
    parser.add_argument("--name", default="")
    parser.add_argument("--database", default="", help="PostgreSQL connection words; without them SQLite in the folder")
    return parser


def _serve(arguments: Sequence[str]) -> int:
    given = _serve_parser().parse_args(arguments)
    tls = (given.tls_cert, given.tls_key, given.tls_ca)
    if any(tls) and not all(tls):
        print("--tls-cert, --tls-key and --tls-ca come together", file=sys.stderr)
        return 2
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with serve(
        given.folder,
        given.signer_root,
        practice=given.practice,
        host=given.host,
        port=given.port,
        admin_port=given.admin_port,
        tls=tls if all(tls) else None,
        tables=given.tables,
        tables_edition=given.tables_edition,
        name=given.name,
        database=given.database,
    ) as running:
        print(running.ready_line(), flush=True)
        ended.wait()
    return 0


def _desk(command: str, arguments: Sequence[str]) -> int:
    """The commands that change a folder; the province may serve it meanwhile."""
    parser = argparse.ArgumentParser(prog=f"python -m tests.province {command}")
    parser.add_argument("--folder", type=Path, required=True)
    for name, options in COMMANDS[command].items():
        parser.add_argument(name, **options)
    given = parser.parse_args(arguments)
    realm = Realm(given.folder, Clock())
    try:
        if command == "invite":
            invitation, code = realm.invite(given.hall, given.window, station=given.station)
            given.out.write_text(json.dumps(invitation, ensure_ascii=False, indent=1), "utf-8")
            print(json.dumps({"code": code}))
        elif command == "person":
            realm.add_person(given.id, given.name, given.roles, given.hall)
        elif command == "sam":
            realm.stations.add_reader(given.sam, given.hall)
        elif command == "revoke":
            realm.stations.revoke(given.station)
        elif command == "sheet":
            facts, code = Sheets(realm).make(given.kind, given.name, given.masked, given.employer, tuple(given.categories), given.good, given.bad)
            given.out.write_bytes(sheet_pdf(facts, code))
            print(json.dumps({"number": facts.number, "code": code}))
    finally:
        realm.store.close()
    return 0


NEEDED: dict[str, object] = {"required": True}
NUMBER: dict[str, object] = {"type": int, "default": 0}
COMMANDS: dict[str, dict[str, dict]] = {
    "invite": {"--hall": NEEDED, "--window": NEEDED, "--station": {}, "--out": {"type": Path, **NEEDED}},
    "person": {"--id": NEEDED, "--name": NEEDED, "--roles": {"nargs": "+", **NEEDED}, "--hall": NEEDED},
    "sam": {"--sam": NEEDED, "--hall": NEEDED},
    "revoke": {"--station": NEEDED},
    "sheet": {
        "--kind": {"type": int, "default": 1},
        "--name": NEEDED,
        "--masked": NEEDED,
        "--employer": {"default": ""},
        "--categories": {"type": int, "nargs": "*", "default": []},
        "--good": NUMBER,
        "--bad": NUMBER,
        "--out": {"type": Path, **NEEDED},
    },
}


def main(arguments: Sequence[str]) -> int:
    if arguments and arguments[0] in COMMANDS:
        return _desk(arguments[0], arguments[1:])
    return _serve(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
