"""Soft certificate tokens with an SKF library (GM/T 0016): ``softskf.c`` built into a folder, tokens as folders below it. Never for earnest.

Needs ``gcc`` and the headers of OpenSSL 3 (Debian: ``libssl-dev``). Keys and certificates are plain files.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.emulators.ca import PracticeCa
from tests.emulators.ca import der as der_of
from tests.emulators.fault_files import FaultFiles
from tests.emulators.sm2_ca import PracticeSm2Ca, Sm2Key

__all__ = ["SoftSkf", "SoftSkfToken"]

FULL_TRIES = 10


class SoftSkf(FaultFiles):
    """The library (``path``) and its tokens. Made where it is missing, found again where it is there."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.path = str(folder / "libsoftskf.so")
        for name in ("plugged", "pulled"):
            (folder / name).mkdir(exist_ok=True)
        if not Path(self.path).exists():
            source = Path(__file__).with_name("softskf.c")
            flags = ["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Wno-unused-parameter", "-Werror"]
            subprocess.run(["gcc", *flags, "-o", self.path, str(source), "-lcrypto"], check=True, capture_output=True)

    def make_person(
        self, ca: PracticeCa | PracticeSm2Ca, label: str, pin: str, id: str, name: str, roles: Sequence[str] = ("collector",), **dates: Any
    ) -> SoftSkfToken:
        """A token with key and certificate of a practice person: SM2 from an SM2 authority, else RSA-2048."""
        folder = self.folder / "plugged" / label
        folder.mkdir()
        if isinstance(ca, PracticeSm2Ca):
            certificate = ca.issue_person(id, name, Sm2Key.make(folder / "key.pem").spki, roles, **dates)
        else:
            key = rsa.generate_private_key(65537, 2048)
            pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
            (folder / "key.pem").write_bytes(pem)
            certificate = der_of(ca.issue_person(id, name, key.public_key(), roles, **dates))
        serial = hashlib.sha256(label.encode()).hexdigest()[:16].upper()
        for part, content in (("serial", serial), ("label", label), ("pin", pin), ("epoch", "0")):
            (folder / part).write_text(content)
        (folder / "cert.der").write_bytes(certificate)
        (self.folder / f"{label}.json").write_text(json.dumps({"kind": "sm2" if isinstance(ca, PracticeSm2Ca) else "rsa"}))
        return SoftSkfToken(self, label)

    def token(self, label: str) -> SoftSkfToken:
        """A token that was made earlier."""
        return SoftSkfToken(self, label)

    # -- faults that PKCS#11 has no counterpart of -----------------------------------------------------------------------------------------
    def default_pin(self) -> None:
        """The PIN is still the factory's."""
        self._write("default", "")

    def wrong_length(self) -> None:
        """Signatures and certificates come with a wrong length."""
        self._write("wrong", "")

    def busy(self) -> None:
        """Another program holds the token."""
        self._write("busy", "")


class SoftSkfToken:
    """One soft token. ``pull`` and ``replug`` move its folder."""

    def __init__(self, tokens: SoftSkf, label: str) -> None:
        self.tokens, self.label = tokens, label
        self.key_id = b"container-1"
        folder = self._plugged if self.plugged else self._pulled
        self.serial, self.pin = (folder / "serial").read_text(), (folder / "pin").read_text()
        self.certificate = (folder / "cert.der").read_bytes()
        self.kind: Literal["sm2", "rsa"] = json.loads((tokens.folder / f"{label}.json").read_text())["kind"]

    @property
    def spki(self) -> bytes:
        folder = self._plugged if self.plugged else self._pulled
        return Sm2Key(folder / "key.pem").spki

    @property
    def plugged(self) -> bool:
        return self._plugged.exists()

    def pull(self) -> None:
        epoch = self._plugged / "epoch"
        epoch.write_text(str(int(epoch.read_text()) + 1))
        self._plugged.rename(self._pulled)

    def replug(self) -> None:
        self._pulled.rename(self._plugged)

    @property
    def _plugged(self) -> Path:
        return self.tokens.folder / "plugged" / self.label

    @property
    def _pulled(self) -> Path:
        return self.tokens.folder / "pulled" / self.label
