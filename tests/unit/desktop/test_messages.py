"""Words: every trouble says what happened, what it means, what to do; both languages alike; placeholders never break."""

from __future__ import annotations

import re
import string
import tomllib
from typing import Any

import pytest

import devices.errors
import sync.errors
from desktop.messages import LANGUAGES, WHO, Words, codes, say, say_code
from devices.errors import ReaderTrouble, WrongPin
from resources import find
from resources.trouble import Trouble
from sync.errors import DiskFull

KINDS = [getattr(room, name) for room in (devices.errors, sync.errors) for name in room.__all__]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.code)
def test_every_trouble_has_its_own_words(kind: type[Trouble], lang: str) -> None:
    assert kind.code in codes(lang)
    message = say(kind, lang)
    assert message.title and message.next and message.who in WHO and message.code == kind.code
    assert "{" not in message.title + message.cause + message.next


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_placeholder_has_a_bare_form(lang: str) -> None:
    table = tomllib.loads(find("messages", f"{lang}.toml").read_text("utf-8"))
    for code, entry in table.items():
        for part in ("title", "cause", "next"):
            names = [name for _, name, _, _ in string.Formatter().parse(entry.get(part, "")) if name]
            assert not names or entry.get(f"{part}_bare"), f"{code}: {part} needs {names} and has no bare form"


def test_facts_fill_and_unknown_ones_do_not_break() -> None:
    assert "3" in say(WrongPin(tries_left=3)).cause
    assert say(WrongPin(tries_left=None)).cause == say(WrongPin()).cause != ""
    assert "0" in say(WrongPin(tries_left=0)).cause, "a zero is a fact"
    assert "12.0 MB" in say(DiskFull(free=12_000_000, needed=500_000_000)).cause
    assert "6F00" in say(ReaderTrouble(status="6F00")).cause


def test_an_unknown_code_keeps_its_code_and_has_the_words_of_its_kind() -> None:
    class Newer(ReaderTrouble):
        code = "reader.newer"

    assert say(Newer()).code == "reader.newer" and say(Newer()).title == say(ReaderTrouble()).title
    assert say_code("reader.newer") is None and say_code("card.none") is not None

    class Rootless(Trouble):
        code = "nowhere.nothing"

    with pytest.raises(KeyError):
        say(Rootless())


def _flat(table: dict[str, Any], before: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in table.items():
        found |= _flat(value, f"{before}{key}.") if isinstance(value, dict) else {before + key: value}
    return found


@pytest.mark.parametrize("folder", ["messages", "i18n"])
def test_both_languages_have_the_same_keys_and_placeholders(folder: str) -> None:
    chinese, english = (_flat(tomllib.loads(find(folder, f"{lang}.toml").read_text("utf-8"))) for lang in LANGUAGES)
    assert set(chinese) == set(english)
    for key, text in chinese.items():
        assert set(re.findall(r"{(\w+)}", text)) == set(re.findall(r"{(\w+)}", english[key])), key


def test_words_of_the_screens() -> None:
    words = Words("zh_CN")
    assert words("time.minutes", n=3) == "3 分钟前" and words.has("still.title") and not words.has("still") and not words.has("no.such")
    with pytest.raises(KeyError):
        words("no.such")
    with pytest.raises(ValueError, match="fr"):
        Words("fr")


def test_every_key_that_the_pages_use_has_words() -> None:
    """Literal keys of ``words("…")`` in the staff face."""
    from pathlib import Path

    import desktop.staff

    words = Words("en")
    used = {key for file in Path(desktop.staff.__path__[0]).glob("*.py") for key in re.findall(r'(?<!\w)words\(\s*"([a-z_.0-9]+)"', file.read_text("utf-8"))}
    assert len(used) > 100
    assert sorted(key for key in used if not words.has(key)) == []
