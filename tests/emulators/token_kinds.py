"""The three kinds of soft tokens behind one handle, so that one suite and one table run over all: SoftHSM, a faulty PKCS#11 library before it, a soft SKF.

Never asks a real token.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import load_der_public_key

from devices.base import Device
from devices.tokens.contract import Mechanism, PinState, Token, TokenDriver
from devices.tokens.hosted import HostedDriver, Patience
from devices.tokens.pkcs11 import Pkcs11Driver
from devices.tokens.skf import SkfDriver
from sync import sm2
from tests.emulators.ca import PracticeCa
from tests.emulators.fault_files import FaultFiles
from tests.emulators.sm2_ca import PracticeSm2Ca
from tests.emulators.softhsm import FaultyLibrary, SoftTokens
from tests.emulators.softskf import FULL_TRIES, SoftSkf

__all__ = ["DIGEST", "Kind", "PIN", "QUICK", "Soft", "WRONG", "by_name", "sign", "soft_kinds"]

PIN, WRONG = "123456", "000000"
DIGEST = hashlib.sha256("名".encode()).digest()
QUICK = Patience(find=20, read=20, login=20, sign=20)


@dataclass
class Soft:
    """A person's soft token: what to sign with, and the hand on its plug."""

    token: Any
    mechanism: Mechanism
    spki: bytes = field(repr=False)

    @property
    def key_id(self) -> bytes:
        return self.token.key_id

    def verify(self, signature: bytes, digest: bytes = DIGEST) -> None:
        """Raises ``InvalidSignature``."""
        if self.mechanism == "sm2-sm3":
            if not sm2.verify(sm2.point_of(self.spki), digest, signature):
                raise InvalidSignature
            return
        key = load_der_public_key(self.spki)
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, digest, padding.PKCS1v15(), Prehashed(hashes.SHA256()))
        else:
            assert isinstance(key, ec.EllipticCurvePublicKey)
            key.verify(signature, digest, ec.ECDSA(Prehashed(hashes.SHA256())))


@dataclass
class Kind:
    """One kind of token: its driver, its two people, what it can be told to do wrong."""

    name: str
    make: Callable[[Patience], HostedDriver]
    people: dict[str, Soft]
    faults: FaultFiles | None
    fresh: PinState
    """What the PIN's state is before anything happened."""
    chain: int
    """How many certificates of authorities lie on a token."""
    foreign: Mechanism
    """A mechanism that this kind of library never has."""

    @property
    def operator(self) -> Soft:
        return self.people["operator"]

    def driver(self, patience: Patience = QUICK) -> HostedDriver:
        return self.make(patience)

    def pull(self) -> None:
        """Pull the operator's token, in the way that this kind knows."""
        self.faults.pull() if self.faults else self.operator.token.pull()

    def replug(self) -> None:
        self.faults.replug() if self.faults else self.operator.token.replug()

    def heal(self) -> None:
        if self.faults:
            self.faults.heal()
        for one in self.people.values():
            if not one.token.plugged:
                one.token.replug()


@contextmanager
def soft_kinds(folder: Path) -> Iterator[dict[str, Kind]]:
    """All three, with two people each; the environment names the soft tokens meanwhile."""
    ca, soft, skf = PracticeCa.make(folder / "ca"), SoftTokens(folder / "soft"), SoftSkf(folder / "skf")
    operator = soft.make_person(ca, "operator", PIN, "OP-000017", "张三")
    supervisor = soft.make_person(ca, "supervisor", PIN, "SV-000003", "李四", "ec", ("supervisor",))
    people = {"operator": Soft(operator, "rsa-pkcs1-sha256", operator.spki), "supervisor": Soft(supervisor, "ecdsa-sha256", supervisor.spki)}
    national = skf.make_person(PracticeSm2Ca(folder / "sm2-ca"), "operator", PIN, "OP-000017", "张三")
    other = skf.make_person(ca, "supervisor", PIN, "SV-000003", "李四", ("supervisor",))
    faulty = FaultyLibrary(folder / "faulty")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in soft.env.items():
            patch.setenv(name, value)
        yield {
            "softhsm": Kind("softhsm", lambda p: Pkcs11Driver(soft.library, "softhsm", emulated=True, patience=p), people, None, PinState(None), 1, "sm2-sm3"),
            "faulty": Kind("faulty", lambda p: Pkcs11Driver(faulty.path, "faulty", emulated=True, patience=p), people, faulty, PinState(None), 1, "sm2-sm3"),
            "softskf": Kind(
                "softskf", lambda p: SkfDriver(skf.path, "softskf", emulated=True, patience=p),
                {"operator": Soft(national, "sm2-sm3", national.spki), "supervisor": Soft(other, "rsa-pkcs1-sha256", other.spki)},
                skf, PinState(FULL_TRIES), 0, "ecdsa-sha256",
            ),
        }  # fmt: skip


def by_name(driver: TokenDriver, name: str) -> Device:
    (device,) = [one for one in driver.find() if one.name == name]
    return device


def sign(token: Token, soft: Soft, digest: bytes = DIGEST) -> bytes:
    return token.sign(soft.key_id, soft.mechanism, digest)
