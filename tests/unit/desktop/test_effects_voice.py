"""The terminal's voice: what is said, that a new sentence cuts the old one short, and silence where there is none."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from desktop.effects.voice import Voice


@pytest.fixture
def speaker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An ``spd-say`` that writes down what it is asked to say and then takes its time."""
    said = tmp_path / "said"
    program = tmp_path / "spd-say"
    program.write_text(f'#!/bin/sh\necho "$@" >> {said}\nexec sleep 20\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return said


def wait_for(said: Path, words: str) -> None:
    end = time.monotonic() + 10
    while not (said.exists() and words in said.read_text()):
        assert time.monotonic() < end, "nothing was said"
        time.sleep(0.01)


def test_a_new_sentence_cuts_the_old_one_short(speaker: Path) -> None:
    voice = Voice(True)
    voice.say("请放身份证")
    wait_for(speaker, "--language zh -- 请放身份证")
    begun = time.monotonic()
    voice.say("请输入手机号")
    wait_for(speaker, "请输入手机号")
    voice.stop()
    assert time.monotonic() - begun < 10


def test_switched_off_or_without_a_voice_it_is_silent(speaker: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    Voice(False).say("请放身份证")
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    Voice(True).say("请放身份证")
    assert not speaker.exists()
