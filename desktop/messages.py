"""Words for troubles: what happened, what it means for this case, what to do now, who acts. Never invents words: a code without message is a failed test."""

from __future__ import annotations

import string
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from resources import find
from resources.trouble import Trouble

__all__ = ["LANGUAGES", "WHO", "Message", "Words", "codes", "say", "say_code"]

LANGUAGES = ("zh_CN", "en")
WHO = ("operator", "administrator", "issuer", "province", "nobody")
"""Who must act: the person at the desk, the administrator, the issuer of the certificate, the province's platform, nobody (it mends itself)."""


@dataclass(frozen=True, slots=True)
class Message:
    """A trouble said to a person. ``who`` is one of ``WHO``; ``code`` stands in small type below."""

    title: str
    cause: str
    next: str
    who: str
    code: str


@lru_cache(maxsize=16)
def _table(folder: str, lang: str) -> Mapping[str, Any]:
    return tomllib.loads(find(folder, f"{lang}.toml").read_text("utf-8"))


def codes(lang: str) -> frozenset[str]:
    """All codes that have a message in this language."""
    return frozenset(_table("messages", lang))


def _bytes(count: int) -> str:
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("KB", 10**3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} B"


def _fill(entry: Mapping[str, Any], part: str, facts: Mapping[str, object]) -> str:
    """The words of one part; where a fact that it names is not known, its ``_bare`` form. ``said`` of the message has words for facts that are codes."""
    text = str(entry.get(part, ""))
    names = [name for _, name, _, _ in string.Formatter().parse(text) if name]
    known: dict[str, object] = {}
    for name in names:
        fact = facts.get(name)
        if fact is None or fact == "":
            return str(entry.get(f"{part}_bare", ""))
        said = str(entry.get("said", {}).get(str(fact), fact))
        known[name] = _bytes(fact) if name in {"free", "needed"} and isinstance(fact, int) else said
    return text.format_map(known)


def say(trouble: Trouble | type[Trouble], lang: str = "zh_CN") -> Message:
    """The message of a trouble. An unknown code gets the words of its nearest ancestor and keeps its own code visible.

    Raises KeyError where not even the root of its tree has words.
    """
    kind = trouble if isinstance(trouble, type) else type(trouble)
    facts = {} if isinstance(trouble, type) else trouble.facts
    table = _table("messages", lang)
    for ancestor in kind.__mro__:
        entry = table.get(getattr(ancestor, "code", "") or "")
        if entry is not None:
            return Message(_fill(entry, "title", facts), _fill(entry, "cause", facts), _fill(entry, "next", facts), entry["who"], kind.code)
    raise KeyError(kind.code)


def say_code(code: str, lang: str = "zh_CN", facts: Mapping[str, object] | None = None) -> Message | None:
    """The message of a code that came as text (from a row, from a finding); None where it has none."""
    entry = _table("messages", lang).get(code)
    if entry is None:
        return None
    title, cause, after = (_fill(entry, part, facts or {}) for part in ("title", "cause", "next"))
    return Message(title, cause, after, entry["who"], code)


class Words:
    """The words on the screens in one language: ``words("desk.read", n=3)``. Keys are dotted paths of ``resources/i18n/<lang>.toml``."""

    def __init__(self, lang: str = "zh_CN") -> None:
        if lang not in LANGUAGES:
            raise ValueError(f"no words in {lang}")
        self.lang = lang
        self._table = _table("i18n", lang)

    def __call__(self, key: str, **facts: object) -> str:
        """The words of ``key``, placeholders filled. KeyError for a key that nobody wrote."""
        found: Any = self._table
        for step in key.split("."):
            found = found[step]
        return str(found).format_map(facts) if facts else str(found)

    def has(self, key: str) -> bool:
        """Whether ``key`` has words."""
        found: Any = self._table
        for step in key.split("."):
            if not isinstance(found, Mapping) or step not in found:
                return False
            found = found[step]
        return isinstance(found, str)

    def who(self, who: str) -> str:
        """Who must act, in words."""
        return self(f"who.{who}")
