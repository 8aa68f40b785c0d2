"""An object for a ``Host`` child that has the standard library only: answers, fails, crashes, hangs and prints. Never imported by the product."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import sys
import time

from devices.errors import TokenGone


class Echo:
    """Does what it is told."""

    def __init__(self, word: str) -> None:
        self.word = word

    def say(self, what: object) -> tuple[str, object]:
        return self.word, what

    def own_pid(self) -> int:
        return os.getpid()

    def installed_packages(self) -> list[str]:
        return [name for name in ("numpy", "cryptography", "asn1crypto", "pkcs11", "requests") if importlib.util.find_spec(name)]

    def lose(self) -> None:
        raise TokenGone("pulled", status="PULLED")

    def print_loudly(self) -> str:
        print("a vendor's greeting" * 100, flush=True)
        sys.stdout.flush()
        os.write(1, b"straight to the file descriptor\n")
        return "done"

    def crash(self) -> None:
        ctypes.string_at(0)

    def hang(self) -> None:
        while True:
            time.sleep(60)
