"""The visual language: contrast, scale, one sheet without holes, icons there."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

import resources
from desktop.widgets.icons import SOURCE_ICONS, picture
from desktop.widgets.style import TONES, Look


def _light(channel: int) -> float:
    value = channel / 255
    return value / 12.92 if value <= 0.03928 else ((value + 0.055) / 1.055) ** 2.4


def contrast(one: str, two: str) -> float:
    """WCAG 2.1 contrast of two ``#rrggbb`` colours."""
    shades = sorted((0.2126 * _light(int(c[1:3], 16)) + 0.7152 * _light(int(c[3:5], 16)) + 0.0722 * _light(int(c[5:7], 16)) for c in (one, two)), reverse=True)
    return (shades[0] + 0.05) / (shades[1] + 0.05)


PAIRS = [("text", "surface"), ("text", "ground"), ("text", "side"), ("quiet", "surface"), ("quiet", "ground"), ("quiet", "side"), ("quiet", "pill"),
         ("on_accent", "accent"), ("on_accent", "accent_press"), ("accent_text", "surface"), ("accent_text", "accent_soft"), ("on_stage", "stage"),
         ("text", "stop_soft"), ("text", "wait_soft"), ("text", "accent_soft"), ("quiet", "stop_soft"), ("practice_text", "surface"),
         *((f"{tone}_text", f"{tone}_soft") for tone in TONES if tone != "quiet"), *((f"{tone}_text", "surface") for tone in TONES if tone != "quiet"),
         *((f"{tone}_text", "ground") for tone in TONES if tone != "quiet")]


@pytest.mark.parametrize(("high", "least"), [(False, 4.5), (True, 7.0)])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_contrast(text: str, ground: str, high: bool, least: float) -> None:
    look = Look(contrast=high)
    assert contrast(look.name(text), look.name(ground)) >= least


def test_scale_changes_tokens() -> None:
    small, large = Look(), Look(scale=200)
    assert large.type("body") == 2 * small.type("body") and large.px("row") == 2 * small.px("row") and large.px("one") == small.px("one")
    assert large.px("button") == 80 and small.px("card") == 8
    with pytest.raises(ValueError, match="99"):
        Look(scale=99)


@pytest.mark.parametrize("look", [Look(), Look(scale=200), Look(contrast=True), Look(practice=True)])
def test_the_sheet_has_no_hole(look: Look) -> None:
    sheet = look.sheet()
    assert "@" not in sheet and look.name("accent") in sheet and f"{look.type('body')}px" in sheet


def test_calm_has_no_motion() -> None:
    assert Look(calm=True).millis("slide") == 0 and 120 <= Look().millis("slide") <= 160


def test_all_icons_draw(qt_application: QApplication) -> None:
    names = sorted(path.stem for path in Path(str(resources.find("icons"))).glob("*.svg"))
    assert len(names) >= 40 and set(SOURCE_ICONS.values()) <= set(names)
    for name in names:
        image = picture(Look(), name, "text").toImage()
        assert any(image.pixelColor(x, y).alpha() for x in range(image.width()) for y in range(image.height())), name
