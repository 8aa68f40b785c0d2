"""People with keys in memory, for tests of signing without a token. Never imported by the product."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from tests.emulators.ca import PracticeCa, der


@dataclass
class Person:
    """A ``Signer`` whose key lies in memory."""

    key: Any
    certificate: bytes
    chain: Sequence[bytes]

    def sign(self, mechanism: str, digest: bytes) -> bytes:
        if mechanism == "rsa-pkcs1-sha256":
            return self.key.sign(digest, padding.PKCS1v15(), Prehashed(hashes.SHA256()))
        return self.key.sign(digest, ec.ECDSA(Prehashed(hashes.SHA256())))


def person(ca: PracticeCa, kind: str = "ec", id: str = "OP-000017", name: str = "张三", start: datetime | None = None, end: datetime | None = None) -> Person:
    key = ec.generate_private_key(ec.SECP256R1()) if kind == "ec" else rsa.generate_private_key(65537, int(kind.removeprefix("rsa-")))
    return Person(key, der(ca.issue_person(id, name, key.public_key(), not_before=start, not_after=end)), ca.chain)
