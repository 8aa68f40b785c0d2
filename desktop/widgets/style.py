"""The visual language as code: tokens -> one style sheet, scaled, in light or high contrast, in practice violet. Never holds a colour or size of its own."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QGuiApplication

from desktop.widgets.sheet import SHEET
from resources import find

__all__ = ["TONES", "Look", "load_tokens", "set_role"]

TONES = ("good", "wait", "stop", "accent", "practice", "quiet")
"""Words for what a colour means; each has ``<tone>_text`` and ``<tone>_soft`` beside it (quiet: text and pill)."""


def load_tokens() -> Mapping[str, Any]:
    """The shipped tokens: tables ``light contrast type space radius motion``."""
    return tomllib.loads(find("style", "tokens.toml").read_text("utf-8"))


@dataclass(frozen=True)
class Look:
    """How everything looks now. ``scale`` in percent (100-200), ``contrast`` the high-contrast palette, ``practice`` the violet hairline,
    ``calm`` no motion. Given to every widget by its constructor; a new look means a new window content.
    """

    scale: int = 100
    contrast: bool = False
    practice: bool = False
    calm: bool = False
    tokens: Mapping[str, Any] = field(default_factory=load_tokens, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not 100 <= self.scale <= 200:
            raise ValueError(f"text scale must be 100..200 %, not {self.scale}")

    def name(self, colour: str) -> str:
        """The ``#rrggbb`` of a colour token. KeyError for an unknown one."""
        return str(self.tokens["contrast" if self.contrast else "light"][colour])

    def colour(self, colour: str) -> QColor:
        """The same as a QColor."""
        return QColor(self.name(colour))

    def tone(self, tone: str) -> tuple[str, str, str]:
        """(strong, text, soft) colour names of one of ``TONES``."""
        return ("faint", "quiet", "pill") if tone == "quiet" else (tone, f"{tone}_text", f"{tone}_soft")

    def px(self, space: str) -> int:
        """A length of the space or radius table in pixels. Bars, rows and icons grow with the text; hairlines and gaps stay."""
        if space not in self.tokens["space"]:
            return int(self.tokens["radius"][space])
        length = int(self.tokens["space"][space])
        fixed = space in {"hair", "half", "one", "two", "three", "four", "six"}
        grown = 100 + (self.scale - 100) // 2 if space.startswith("side_") else self.scale
        return length if fixed else round(length * grown / 100)

    def type(self, size: str) -> int:
        """A type size in pixels at this scale."""
        return round(int(self.tokens["type"][size]) * self.scale / 100)

    def font(self, size: str = "body", bold: bool = False) -> QFont:
        """A font for widgets that paint themselves."""
        font = QFont()
        font.setFamilies(list(self.tokens["type"]["family"]))
        font.setPixelSize(self.type(size))
        font.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
        return font

    def millis(self, motion: str) -> int:
        """Length of a movement; 0 when the system or the person asks for none."""
        return 0 if self.calm else int(self.tokens["motion"][motion])

    def sheet(self) -> str:
        """The one style sheet of the application."""
        words: dict[str, str] = {f"c_{key}": self.name(key) for key in self.tokens["light"]}
        words |= {f"t_{key}": f"{self.type(key)}px" for key in self.tokens["type"] if key != "family"}
        words |= {f"s_{key}": f"{self.px(key)}px" for key in self.tokens["space"]}
        words |= {f"r_{key}": f"{value}px" for key, value in self.tokens["radius"].items()}
        words["family"] = ", ".join(f'"{name}"' for name in self.tokens["type"]["family"])
        text = SHEET
        for key in sorted(words, key=len, reverse=True):
            text = text.replace(f"@{key}@", words[key])
        if "@" in text:
            raise ValueError("the style sheet names a token that does not exist: " + text[text.index("@"):][:40])
        return text


def set_role(widget: Any, **roles: object) -> Any:
    """Set dynamic properties that the style sheet selects by (``role="meta"``, ``tone="stop"``) and repaint. Returns the widget."""
    for name, value in roles.items():
        widget.setProperty(name, value)
    if QGuiApplication.instance() is not None and widget.testAttribute(Qt.WidgetAttribute.WA_WState_Polished):
        widget.style().unpolish(widget)
        widget.style().polish(widget)
    widget.update()
    return widget
