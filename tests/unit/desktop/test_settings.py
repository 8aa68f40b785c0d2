"""Settings: declared once, checked, locked, written whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from desktop.settings import SCOPES, TYPES, Settings, SettingWrong, declared


def test_every_setting_is_declared_whole() -> None:
    for name, one in declared().items():
        assert one.type in TYPES and one.scope in SCOPES, name
        assert one.meaning["zh_CN"] and one.meaning["en"]
        assert one.check(one.default) == one.default


def test_choose_is_kept_and_checked(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    settings = Settings(file)
    assert settings.get("text_scale") == 100
    settings.choose("text_scale", 150)
    assert Settings(file).get("text_scale") == 150
    assert file.stat().st_mode & 0o077 == 0
    for wrong in (99, 201, "150", True, 1.5):
        with pytest.raises(SettingWrong):
            settings.choose("text_scale", wrong)
    with pytest.raises(SettingWrong):
        settings.choose("no_such", 1)
    with pytest.raises(KeyError):
        settings.get("no_such")


def test_a_locked_setting_holds_and_only_lockable_ones_lock(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "s.json", {"language": "en", "text_scale": 200})
    assert settings.get("language") == "en" and settings.is_locked("language")
    assert settings.get("text_scale") == 100 and not settings.is_locked("text_scale")
    with pytest.raises(SettingWrong):
        settings.choose("language", "zh_CN")


@pytest.mark.parametrize("content", ["", "[]", "{", '{"text_scale": "big", "nobody": 1}', "\ud83d".encode("utf-16", "surrogatepass").decode("latin1")])
def test_a_broken_file_gives_defaults(tmp_path: Path, content: str) -> None:
    file = tmp_path / "settings.json"
    file.write_text(content, "utf-8")
    assert Settings(file).get("text_scale") == 100


def test_good_values_of_a_half_broken_file_hold(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    file.write_text(json.dumps({"text_scale": 120, "language": "xx"}), "utf-8")
    assert Settings(file).get("text_scale") == 120 and Settings(file).get("language") == "zh_CN"
