"""Settings, declared once in resources/settings.toml: type, default, meaning, scope, lockable. Never keeps a setting that is not declared there."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from resources import find

__all__ = ["SCOPES", "SETTINGS_FILE", "TYPES", "Declared", "Settings", "SettingWrong", "declared"]

TYPES = ("bool", "int", "text", "choice")
SCOPES = ("person", "machine")
"""person: the one who is logged in may change it; machine: an administrator."""

SETTINGS_FILE = "settings.json"
"""What was chosen on this machine, in the data folder."""


class SettingWrong(ValueError):
    """A value that does not fit what is declared, or a setting that is locked or not declared."""


@dataclass(frozen=True, slots=True)
class Declared:
    """One setting. ``least``/``most`` bound an int, ``of`` lists the values of a choice. ``meaning`` per language."""

    name: str
    type: str
    default: bool | int | str
    scope: str
    lockable: bool
    meaning: Mapping[str, str]
    least: int | None = None
    most: int | None = None
    of: tuple[str, ...] = ()

    def check(self, value: object) -> bool | int | str:
        """The value itself where it fits. Raises SettingWrong."""
        if self.type == "bool" and isinstance(value, bool):
            return value
        if self.type == "int" and isinstance(value, int) and not isinstance(value, bool):
            if (self.least is None or value >= self.least) and (self.most is None or value <= self.most):
                return value
        if self.type == "text" and isinstance(value, str):
            return value
        if self.type == "choice" and isinstance(value, str) and value in self.of:
            return value
        raise SettingWrong(f"{self.name}: {value!r} does not fit {self.type}")


def declared() -> Mapping[str, Declared]:
    """Every setting there is, by name."""
    table = tomllib.loads(find("settings.toml").read_text("utf-8"))
    made: dict[str, Declared] = {}
    for name, row in table.items():
        made[name] = Declared(name, row["type"], row["default"], row["scope"], row["lockable"], {"zh_CN": row["zh"], "en": row["en"]},
                              row.get("least"), row.get("most"), tuple(row.get("of", ())))
    return made


class Settings:
    """Values over defaults. ``file`` holds what was chosen (JSON, written whole, replaced in one step); ``locked`` is what the administrator fixed.

    A file that cannot be read, or a value that does not fit, gives the default: a wrong setting never keeps the program from starting.
    """

    def __init__(self, file: Path | None = None, locked: Mapping[str, object] | None = None) -> None:
        self._declared = declared()
        self._file = file
        self._locked = {name: self._declared[name].check(value) for name, value in (locked or {}).items()
                        if name in self._declared and self._declared[name].lockable}
        self._chosen = self._read()

    def _read(self) -> dict[str, Any]:
        if self._file is None or not self._file.is_file():
            return {}
        try:
            untrusted: Any = json.loads(self._file.read_bytes())
        except (ValueError, OSError):
            return {}
        chosen: dict[str, Any] = {}
        for name, value in (untrusted.items() if isinstance(untrusted, dict) else ()):
            try:
                chosen[name] = self._declared[name].check(value)
            except (KeyError, SettingWrong):
                continue
        return chosen

    def get(self, name: str) -> Any:
        """The value that holds now. KeyError for a setting that is not declared."""
        known = self._declared[name]
        return self._locked.get(name, self._chosen.get(name, known.default))

    def is_locked(self, name: str) -> bool:
        """Whether the administrator fixed it."""
        return name in self._locked

    def choose(self, name: str, value: object) -> None:
        """Choose a value and keep it. Raises SettingWrong."""
        if name not in self._declared:
            raise SettingWrong(f"{name} is not declared")
        if name in self._locked:
            raise SettingWrong(f"{name} is fixed by the administrator")
        self._chosen[name] = self._declared[name].check(value)
        if self._file is not None:
            text = json.dumps(self._chosen, ensure_ascii=False, indent=1, sort_keys=True)
            fresh = self._file.with_name(self._file.name + ".new")
            with open(fresh, "w", encoding="utf-8", opener=lambda path, flags: os.open(path, flags, 0o600)) as out:
                out.write(text)
                out.flush()
                os.fsync(out.fileno())
            os.replace(fresh, self._file)
