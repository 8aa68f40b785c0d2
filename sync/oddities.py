"""Characters of a text that are not what they look like: hidden ones, ones that turn the text round, look-alikes from another script. Pure; changes nothing.

For the page that is read before signing: what is signed are bytes, what a person sees are shapes. Every finding is a hint to look twice and no error: names
of all peoples must pass. Data by Unicode category, name and decomposition; the small tables below are what is met with Chinese text (UTS 39 has all of it).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

__all__ = ["Oddity", "OddityKind", "is_hidden", "oddities", "visible"]

OddityKind = Literal["hidden", "turning", "lookalike"]
"""``hidden``: takes no room or shows nothing; ``turning``: changes the order of what follows; ``lookalike``: looks like another character."""

FILLERS = frozenset("\u115f\u1160\u3164\uffa0\u2800\u034f\u17b4\u17b5")
"""Blank fillers that are letters by their category; zero-width and bidirectional controls are found by theirs (Cf)."""
TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Bidirectional controls (UAX 9)."""
SPACES = frozenset(chr(code) for code in (0xA0, *range(0x2000, 0x200B), 0x202F, 0x205F))
"""Spaces that look like the usual one. U+3000 is the usual one between Chinese characters."""
DOTS = "\u2022\u2027\u30fb\uff65\u2219\u22c5\u16eb\u0387\uff0e"
"""Instead of U+00B7, the dot in names such as 买买提·艾力."""
DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\uff0d\u30fc\u4e00\u3127\ufe63"
"""Instead of the hyphen-minus inside a number: only found next to a Latin letter or digit."""
RADICALS = ((0x2E80, 0x2FDF), (0xF900, 0xFA0D), (0x2F800, 0x2FA1F))
"""Radicals and compatibility forms, drawn like the characters of the same shape."""
LIKE = dict(zip("авсԁеһіјӏорԛѕуԝхАВСЕНІЈКМОРЅТУХΑΒΕΖΗΙΚΜΝΟΡΤΥΧοανρ", "abcdehijlopqsuwxABCEHIJKMOPSTYXABEZHIKMNOPTYXoavp", strict=True)) | dict(
    zip("ニハカエロトタメミセチヒ口ㄧㄨㄚ○◯", "二八力工口卜夕乂三七千匕口一乂丫〇〇", strict=True)
)  # fmt: skip
"""What some letters of other scripts look like. Where none is named the finding stands without."""
NEVER_TOGETHER = ({"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE"}, {"CJK", "KATAKANA", "HIRAGANA", "BOPOMOFO", "HANGUL", "KANGXI"})
"""Scripts of which one word uses one; within a group the rarer of two is what is found. Latin beside Chinese is usual (A座)."""


@dataclass(frozen=True, slots=True)
class Oddity:
    """One character: where (index), what it is (``U+202E RIGHT-TO-LEFT OVERRIDE``), and what it looks like, empty where that is nothing or not known."""

    at: int
    character: str
    kind: OddityKind
    like: str = ""

    @property
    def name(self) -> str:
        return f"U+{ord(self.character):04X} {unicodedata.name(self.character, '')}".strip()


def oddities(text: str) -> tuple[Oddity, ...]:
    """All findings, in the order of the text."""
    found = {one.at: one for one in _mixed(text)}
    for at, sign in enumerate(text):
        one = _by_itself(text, at, sign)
        if one is not None:
            found[at] = one
    return tuple(found[at] for at in sorted(found))


def visible(text: str) -> str:
    """Text with everything that hides or turns made visible: U+202E becomes ⟨U+202E⟩. Control characters too; look-alikes stay as they are."""
    return "".join(f"⟨U+{ord(sign):04X}⟩" if is_hidden(sign) else sign for sign in text)


def is_hidden(sign: str) -> bool:
    """Whether this character shows nothing of its own, or changes how others are shown; private use counts, since its shape depends on the font."""
    if sign in FILLERS or 0xFE00 <= ord(sign) <= 0xFE0F or 0xE0100 <= ord(sign) <= 0xE01EF:  # variation selectors are marks by their category
        return True
    return unicodedata.category(sign) in {"Cc", "Cf", "Co", "Cn", "Zl", "Zp"}


def _by_itself(text: str, at: int, sign: str) -> Oddity | None:
    """What is odd about one character, whatever the word."""
    if sign.isascii() and sign.isprintable():
        return None
    if is_hidden(sign):
        return Oddity(at, sign, "turning" if sign in TURNING else "hidden")
    if sign in SPACES:
        return Oddity(at, sign, "lookalike", " ")
    if sign in DOTS:
        return Oddity(at, sign, "lookalike", "·")
    if sign in DASHES and _beside_ascii(text, at):
        return Oddity(at, sign, "lookalike", "-")
    if sign in "○◯":
        return Oddity(at, sign, "lookalike", LIKE[sign])
    plain, category = unicodedata.normalize("NFKC", sign), unicodedata.category(sign)
    if category == "Nd":
        return Oddity(at, sign, "lookalike", str(unicodedata.digit(sign)))
    if len(plain) == 1 and plain.isalnum() and unicodedata.decomposition(sign).startswith(("<wide>", "<narrow>", "<font>")):
        return Oddity(at, sign, "lookalike", plain)
    if any(first <= ord(sign) <= last for first, last in RADICALS):
        return Oddity(at, sign, "lookalike", plain if plain != sign else "")
    if category in {"Mn", "Me"} and at and (_script(text[at - 1]) == "CJK" or text[at - 1].isdigit()):
        return Oddity(at, sign, "lookalike")  # a mark on a Chinese character or a digit: no script writes that
    return None


def _mixed(text: str) -> Iterator[Oddity]:
    """Letters of a word that are of another script than the rest of it."""
    for start, word in _words(text):
        for group in NEVER_TOGETHER:
            scripts = [script for sign in word if (script := _script(sign)) in group]
            if len(set(scripts)) < 2:
                continue
            usual = max(sorted(set(scripts), key=lambda one: one not in ("CJK", "LATIN")), key=scripts.count)
            for offset, sign in enumerate(word):
                if _script(sign) in group and _script(sign) != usual:
                    yield Oddity(start + offset, sign, "lookalike", LIKE.get(sign, ""))


def _words(text: str) -> Iterator[tuple[int, str]]:
    """Runs of letters, each with its index."""
    start = 0
    for at in range(len(text) + 1):
        if at == len(text) or not text[at].isalpha():
            if at > start:
                yield start, text[start:at]
            start = at + 1


def _script(sign: str) -> str:
    """The first word of a character's name, which is its script for letters."""
    return unicodedata.name(sign, "").partition(" ")[0]


def _beside_ascii(text: str, at: int) -> bool:
    return any(0 <= near < len(text) and text[near].isascii() and text[near].isalnum() for near in (at - 1, at + 1))
