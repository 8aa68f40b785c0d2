"""The stairs go one way, and the machine that says so can say no. Never judges anything but imports."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.house import to_come
from tests.house.stairs import TOP, missing_rooms, stands, walk
from tests.house.tree import PRODUCT, lines, python_files

SINS = {
    "devices/base.py": ("from PySide6 import QtCore", "devices.base -> PySide6"),
    "devices/errors.py": ("import sync.errors", "devices.errors -> sync.errors"),
    "resources/trouble.py": ("import devices.base", "resources.trouble -> devices.base"),
    "sync/errors.py": ("import tests.house", "sync.errors -> tests.house"),
    "devices/cards/contract.py": ("import devices.tokens.contract", "devices.cards.contract -> devices.tokens.contract"),
}


def test_no_import_goes_up() -> None:
    result = walk()
    assert result.code == 0, result.text


@pytest.mark.parametrize("path", SINS)
def test_planted_sin_is_found_and_named(path: str, tmp_path: Path) -> None:
    for name in (*PRODUCT, "tests"):
        shutil.copytree(TOP / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "*.csv"))
    shutil.copy(TOP / "pyproject.toml", tmp_path)
    sin, words = SINS[path]
    (tmp_path / path).write_text((tmp_path / path).read_text("utf-8") + f"\n{sin}\n", "utf-8")
    result = walk(tmp_path)
    assert result.code != 0
    assert words in " ".join(result.text.split()), result.text


def test_contracts_name_rooms_that_stand() -> None:
    missing = missing_rooms()
    assert missing <= to_come.MODULES, f"contracts name modules that do not exist: {sorted(missing - to_come.MODULES)}"
    here = {module for module in to_come.MODULES if stands(TOP, module)}
    assert here == set(), f"these stand now, take them off tests/house/to_come.py: {sorted(here)}"


ONE_DOOR = {
    "smartcard": {"devices/cards/pcsc.py"},
    "pkcs11": {"devices/tokens/cryptoki.py"},
    "sqlcipher3": {"sync/sqlcipher.py"},
    "keyring": {"sync/keys.py"},
}
"""Libraries that only one file of the product knows."""


@pytest.mark.parametrize("library", ONE_DOOR)
def test_library_has_one_door(library: str) -> None:
    imports = re.compile(rf"\s*(import|from)\s+{library}\b")
    assert {str(path) for path in python_files(*PRODUCT) if any(imports.match(line) for line in lines(path))} <= ONE_DOOR[library]
