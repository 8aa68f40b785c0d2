"""Soft certificate tokens: SoftHSM2 in a folder of its own, and a faulty library in front of it. Never for earnest: the keys lie in files.

SoftHSM is loaded only in ``Host`` children, which find their folder by ``SOFTHSM2_CONF`` in the environment that they inherit. Needs ``softhsm2`` and, for
the faulty library, ``gcc`` and the headers of p11-kit (Debian: ``libp11-kit-dev``).
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from devices.host import Host
from tests.emulators.ca import PracticeCa, PublicKey
from tests.emulators.fault_files import FaultFiles

__all__ = ["FaultyLibrary", "Holder", "SoftToken", "SoftTokens"]

LIBRARIES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so", "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so")
HEADERS = "/usr/include/p11-kit-1"
SO_PIN = "88888888"
KEY_ID = b"\x01"
Kind = Literal["rsa", "ec"]


def library() -> str:
    """Path of SoftHSM's PKCS#11 library. Raises ``FileNotFoundError``."""
    for path in LIBRARIES:
        if os.path.exists(path):
            return path
    raise FileNotFoundError("SoftHSM2 is not installed")


@dataclass(frozen=True)
class Holder:
    """Whom a token is made for."""

    label: str
    pin: str
    id: str
    name: str
    kind: Kind = "rsa"
    roles: tuple[str, ...] = ("collector",)


class SoftTokens:
    """A folder of soft tokens: ``softhsm2.conf``, ``tokens/`` (plugged), ``pulled/``. Made where it is missing, found again where it is there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.library = library()
        self.env = {"SOFTHSM2_CONF": str(folder / "softhsm2.conf")}
        (folder / "tokens").mkdir(parents=True, exist_ok=True)
        (folder / "pulled").mkdir(exist_ok=True)
        (folder / "softhsm2.conf").write_text(
            f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = true\n"
        )

    def make(self, label: str, pin: str, kind: Kind = "rsa") -> SoftToken:
        """A new token with a key pair made inside it: RSA-2048 or EC P-256."""
        directory = self._init(label, pin)
        with self._workshop() as workshop:
            return self._make_keys(workshop, label, pin, kind, directory)

    def _init(self, label: str, pin: str) -> str:
        """An empty token; the name of its folder."""
        before = {path.name for path in (self.folder / "tokens").iterdir()}
        subprocess.run(
            ["softhsm2-util", "--init-token", "--free", "--label", label, "--pin", pin, "--so-pin", SO_PIN],
            env=os.environ | self.env, check=True, capture_output=True,
        )  # fmt: skip
        (directory,) = {path.name for path in (self.folder / "tokens").iterdir()} - before
        return directory

    def _make_keys(self, workshop: Host, label: str, pin: str, kind: Kind, directory: str) -> SoftToken:
        spki = workshop.call("make_keys", label, pin, kind)
        (self.folder / f"{label}.json").write_text(json.dumps({"label": label, "pin": pin, "directory": directory, "spki": spki.hex()}))
        return SoftToken(self, label)

    def token(self, label: str) -> SoftToken:
        """A token that was made earlier."""
        return SoftToken(self, label)

    def make_person(
        self, ca: PracticeCa, label: str, pin: str, id: str, name: str, kind: Kind = "rsa", roles: Sequence[str] = ("collector",), **dates: Any
    ) -> SoftToken:
        """A token with key and certificate of a practice person, the issuing CA's certificate beside it."""
        return self.make_people(ca, [Holder(label, pin, id, name, kind, tuple(roles))], **dates)[0]

    def make_people(self, ca: PracticeCa, holders: Sequence[Holder], **dates: Any) -> list[SoftToken]:
        """The same for several, in one child process: its start takes longer than the work."""
        directories = [self._init(one.label, one.pin) for one in holders]
        made: list[SoftToken] = []
        with self._workshop() as workshop:
            for one, directory in zip(holders, directories, strict=True):
                token = self._make_keys(workshop, one.label, one.pin, one.kind, directory)
                token.store(ca.issue_person(one.id, one.name, token.public_key, one.roles, **dates), workshop=workshop)
                token.store(ca.issuing, b"\xca", "issuing", workshop)
                made.append(token)
        return made

    def _workshop(self) -> Host:
        return Host("tests.emulators.softhsm:Workshop", self.env["SOFTHSM2_CONF"])


class SoftToken:
    """One soft token. ``pull`` and ``replug`` move its folder, which is what SoftHSM offers for a hand on the plug."""

    def __init__(self, tokens: SoftTokens, label: str) -> None:
        known = json.loads((tokens.folder / f"{label}.json").read_text())
        self.tokens = tokens
        self.label = label
        self.pin: str = known["pin"]
        self.key_id = KEY_ID
        self.serial = str(known["directory"]).replace("-", "")[-16:]
        self.spki = bytes.fromhex(known["spki"])
        key = serialization.load_der_public_key(self.spki)
        self.public_key: PublicKey = key  # pyright: ignore[reportAttributeAccessIssue]
        self._directory = str(known["directory"])

    @property
    def plugged(self) -> bool:
        return (self.tokens.folder / "tokens" / self._directory).exists()

    def store(self, certificate: x509.Certificate, key_id: bytes = KEY_ID, label: str = "", workshop: Host | None = None) -> None:
        """Put a certificate into the token."""
        der = certificate.public_bytes(serialization.Encoding.DER)
        words = ("store", self.label, self.pin, key_id, der, certificate.subject.public_bytes(), label or self.label)
        if workshop is not None:
            workshop.call(*words)
            return
        with self.tokens._workshop() as own:
            own.call(*words)

    def pull(self) -> None:
        (self.tokens.folder / "tokens" / self._directory).rename(self.tokens.folder / "pulled" / self._directory)

    def replug(self) -> None:
        (self.tokens.folder / "pulled" / self._directory).rename(self.tokens.folder / "tokens" / self._directory)


class FaultyLibrary(FaultFiles):
    """``p11proxy.c`` built into a folder, in front of SoftHSM. Its faults are shared by all tokens behind it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.path = str(folder / "libfaulty.so")
        source = Path(__file__).with_name("p11proxy.c")
        subprocess.run(
            ["gcc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-I", HEADERS, "-o", self.path, str(source), "-ldl"], check=True, capture_output=True
        )
        self._write("module", library())

    def pin_pad(self, typed: str | None) -> None:
        """Have a PIN pad on which ``typed`` is typed ("cancel": given up), or none."""
        self._drop("pad") if typed is None else self._write("pad", typed)


class Workshop:
    """Runs in a child: makes keys and stores certificates through PKCS#11, as a token's maker does."""

    def __init__(self, conf: str) -> None:
        os.environ["SOFTHSM2_CONF"] = conf
        import pkcs11

        self._module = pkcs11.lib(library())

    def make_keys(self, label: str, pin: str, kind: Kind) -> bytes:
        """A key pair that never leaves the token; gives the SubjectPublicKeyInfo, DER."""
        from asn1crypto import keys
        from pkcs11 import Attribute, KeyType
        from pkcs11.util import ec, rsa

        closed = {Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False}
        with self._module.get_token(token_label=label).open(rw=True, user_pin=pin) as session:
            if kind == "rsa":
                public, _ = session.generate_keypair(KeyType.RSA, 2048, id=KEY_ID, label=label, store=True, private_template=closed)
                return keys.PublicKeyInfo.wrap(rsa.encode_rsa_public_key(public), "rsa").dump()
            curve = session.create_domain_parameters(KeyType.EC, {Attribute.EC_PARAMS: ec.encode_named_curve_parameters("secp256r1")}, local=True)
            public, _ = curve.generate_keypair(id=KEY_ID, label=label, store=True, private_template=closed)
            return ec.encode_ec_public_key(public)

    def store(self, label: str, pin: str, key_id: bytes, der: bytes, subject: bytes, name: str) -> None:
        from pkcs11 import Attribute, ObjectClass
        from pkcs11.constants import CertificateType

        with self._module.get_token(token_label=label).open(rw=True, user_pin=pin) as session:
            session.create_object(
                {
                    Attribute.CLASS: ObjectClass.CERTIFICATE, Attribute.CERTIFICATE_TYPE: CertificateType.X_509, Attribute.TOKEN: True,
                    Attribute.ID: key_id, Attribute.LABEL: name, Attribute.SUBJECT: subject, Attribute.VALUE: der,
                }
            )  # fmt: skip
