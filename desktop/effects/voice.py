"""Says a sentence aloud where the terminal has a voice (speech-dispatcher, as on UOS and Debian). Never says a name, a number or anything a person gave."""

from __future__ import annotations

import shutil
import subprocess

__all__ = ["Voice"]


class Voice:
    """One sentence at a time; a new one cuts the old one short. Without ``spd-say``, or switched off, it is silent: everything is on the screen, too."""

    def __init__(self, on: bool, language: str = "zh_CN") -> None:
        self._program = shutil.which("spd-say") if on else None
        self._language = "en" if language == "en" else "zh"
        self._speaking: subprocess.Popen[bytes] | None = None

    def say(self, words: str) -> None:
        """Begin to say it; returns at once."""
        if self._program is None or not words:
            return
        self.stop()
        try:
            self._speaking = subprocess.Popen([self._program, "--wait", "--language", self._language, "--", words], stdin=subprocess.DEVNULL,
                                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        except OSError:
            self._program = None

    def stop(self) -> None:
        """Be silent."""
        if self._speaking is not None:
            self._speaking.terminate()
            self._speaking.wait()
            self._speaking = None
