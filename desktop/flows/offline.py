"""What can be done while the line is down, function by function. Pure: knows the functions of the desk and how they depend on the platform."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["ABILITIES", "Ability", "Needs", "Stands", "stands"]

Needs = Literal["nothing", "list", "line"]
"""``nothing``: works without the platform; ``list``: works by the lists that came last; ``line``: waits for the platform."""
Stands = Literal["works", "aged", "waits", "unknown"]


@dataclass(frozen=True, slots=True)
class Ability:
    """One function: ``name`` a key below ``ability.`` of the words."""

    name: str
    needs: Needs


ABILITIES = (
    Ability("read", "nothing"), Ability("form", "nothing"), Ability("sign", "list"), Ability("keep", "nothing"), Ability("batch", "list"),
    Ability("day", "nothing"), Ability("export", "nothing"), Ability("upload", "line"), Ability("receipt", "line"), Ability("states", "line"),
    Ability("enrol", "line"),
)
"""In the order of a clerk's day. ``tests/flows/test_day.py`` holds this list against the words in both languages."""


def stands(ability: Ability, online: bool | None) -> Stands:
    """How a function stands now; ``online`` None: not known yet."""
    if ability.needs == "nothing" or online:
        return "works"
    if ability.needs == "list":
        return "aged"
    return "unknown" if online is None else "waits"
