"""A desk in a process of its own that logs in once: ``python -m tests.contract.tokens.pin_desk pkcs11|skf LIBRARY``. The PIN comes masked on standard input.

Prints the child's process id after the login and how many live objects here still hold the PIN; again after a signature. Never prints the PIN.
"""

from __future__ import annotations

import gc
import hashlib
import sys

from devices.tokens.pkcs11 import Pkcs11Driver
from devices.tokens.skf import SkfDriver

MASK = 20


def main(kind: str, library: str) -> int:
    driver = (SkfDriver if kind == "skf" else Pkcs11Driver)(library, "x", emulated=True)
    masked, expected = sys.stdin.readline().split()
    with driver.open(driver.find()[0]) as token:
        token.login("".join(chr(ord(one) - MASK) for one in masked))
        (certificate,) = token.certificates()
        for _ in range(2):
            print(token._host.pid, holders(expected), flush=True)
            sys.stdin.readline()
            token.sign(certificate.key_id, "sm2-sm3" if kind == "skf" else "rsa-pkcs1-sha256", bytes(32))
    driver.close()
    return 0


def holders(expected: str) -> int:
    """Live objects that refer to a text of this digest."""
    gc.collect()
    found = 0
    for thing in gc.get_objects():
        for part in gc.get_referents(thing):
            if isinstance(part, str | bytes) and len(part) < 64:
                content = part if isinstance(part, bytes) else part.encode("utf-8", "replace")
                found += hashlib.sha256(content).hexdigest() == expected
    return found


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
