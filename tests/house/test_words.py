"""Every trouble and every setting has its words, and no word stands without its trouble. Never judges how the words sound."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import tomllib
from functools import cache
from typing import Any

import pytest

from resources.trouble import Trouble
from tests.house import to_come
from tests.house.stairs import TOP
from tests.house.tree import PRODUCT, python_files

LANGUAGES = ("zh_CN", "en")
PARTS = {"title", "cause", "next", "who"}


@cache
def _troubles() -> dict[str, type[Trouble]]:
    """All trouble classes of the product by code."""
    for room in PRODUCT:
        package = importlib.import_module(room)
        for found in pkgutil.walk_packages(package.__path__, room + "."):
            if not found.name.endswith("__main__"):
                try:
                    importlib.import_module(found.name)
                except ModuleNotFoundError as trouble:
                    if trouble.name not in to_come.MODULES:
                        raise
    known: dict[str, type[Trouble]] = {}
    waiting: list[type[Trouble]] = [Trouble]
    while waiting:
        for kind in waiting.pop().__subclasses__():
            waiting.append(kind)
            if kind.__module__.split(".")[0] in PRODUCT:
                known.setdefault(kind.code, kind)
    return known


def _messages(language: str) -> dict[str, Any]:
    path = TOP / "resources/messages" / f"{language}.toml"
    if f"resources/messages/{language}.toml" in to_come.FILES:
        return {}
    return tomllib.loads(path.read_text("utf-8"))


def _literals() -> set[str]:
    """String constants of the product outside of docstrings."""
    found: set[str] = set()
    for path in python_files(*PRODUCT):
        for node in ast.walk(ast.parse((TOP / path).read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return found


def test_codes_are_place_and_what() -> None:
    bad = [code for code in _troubles() if not re.fullmatch(r"[a-z0-9_]+(\.[a-z0-9_]+)+", code)]
    assert bad == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_trouble_has_its_words(language: str) -> None:
    messages = _messages(language)
    if messages or f"resources/messages/{language}.toml" not in to_come.FILES:
        assert sorted(set(_troubles()) - set(messages)) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_is_whole(language: str) -> None:
    assert {code: PARTS - set(message) for code, message in _messages(language).items() if not PARTS <= set(message)} == {}
    assert [f"{code}.{part}" for code, message in _messages(language).items() for part in PARTS if not str(message[part]).strip()] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_message_without_its_trouble(language: str) -> None:
    assert sorted(set(_messages(language)) - set(_troubles()) - _literals()) == []


def test_languages_say_the_same() -> None:
    chinese, english = (_messages(language) for language in LANGUAGES)
    assert set(chinese) == set(english)
    holes = {code: [set(re.findall(r"\{(\w+)\}", " ".join(str(m[code][part]) for part in PARTS))) for m in (chinese, english)] for code in chinese}
    assert {code: pair for code, pair in holes.items() if pair[0] != pair[1]} == {}


SETTING_PARTS = {"type", "default", "zh", "en", "scope", "lockable"}


def test_every_setting_is_declared_whole() -> None:
    if "resources/settings.toml" not in to_come.FILES:
        settings = _flat(tomllib.loads((TOP / "resources/settings.toml").read_text("utf-8")))
        assert settings
        assert {name: SETTING_PARTS - set(entry) for name, entry in settings.items() if not SETTING_PARTS <= set(entry)} == {}


def _flat(table: dict[str, Any], prefix: str = "") -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for name, entry in table.items():
        if isinstance(entry, dict) and "type" in entry and not isinstance(entry["type"], dict):
            found[prefix + name] = entry
        elif isinstance(entry, dict):
            found |= _flat(entry, f"{prefix}{name}.")
    return found
