"""Orders for a soft token library that has faults: small files in the folder that it lies in. Never part of the product."""

from __future__ import annotations

from pathlib import Path

__all__ = ["FaultFiles"]


class FaultFiles:
    """The same faults for PKCS#11 and SKF, whatever token is behind; they hold until ``heal``."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._epoch = 0
        self._slept = 0

    def count_tries(self, tries: int = 3) -> None:
        """Lock the PIN after so many wrong ones."""
        self._write("max", str(tries))
        self._write("tries", str(tries))

    @property
    def logins(self) -> int:
        """How many times a PIN reached the token."""
        path = self.folder / "logins"
        return path.stat().st_size if path.exists() else 0

    def pull(self) -> None:
        """All tokens of this library at once."""
        self._epoch += 1
        self._write("removed", "")
        self._write("epoch", str(self._epoch))

    def replug(self) -> None:
        self._drop("removed")

    def sleep(self) -> None:
        """The computer slept: the token forgot its login, though it was never pulled."""
        self._slept += 1
        self._write("slept", str(self._slept))

    def sign_slowly(self, milliseconds: int) -> None:
        self._write("signms", str(milliseconds))

    def crash(self, call: str) -> None:
        """Take the process down in ``call``: sign, login, list, info, finalize."""
        self._write("crash", call)

    def hang(self, call: str) -> None:
        self._write("hang", call)

    def fail(self, call: str, status: int) -> None:
        """Let ``call`` fail with this code of the library's own kind (CKR or SAR)."""
        self._write("fail", f"{call} {status:x}")

    def heal(self) -> None:
        """All faults gone, PIN counting off."""
        for name in ("crash", "hang", "fail", "signms", "removed", "pad", "tries", "max", "logins", "default", "wrong", "busy"):
            self._drop(name)

    def _write(self, name: str, text: str) -> None:
        new = self.folder / f".{name}"
        new.write_text(text)
        new.rename(self.folder / name)

    def _drop(self, name: str) -> None:
        (self.folder / name).unlink(missing_ok=True)
