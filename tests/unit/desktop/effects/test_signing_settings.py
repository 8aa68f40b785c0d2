"""What an administrator sets for signatures reaches them: the SM2 form and id, and how far one PIN reaches."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from desktop.effects.signing import limits_of, sm2_of
from desktop.settings import Settings
from sync.batch import BatchLimits
from sync.signing import Sm2Choice, check_signature, make_signature
from tests.emulators.sm2_ca import PracticeSm2Ca


def test_unset_is_what_the_formats_say(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "settings.json")
    assert sm2_of(settings) == Sm2Choice() and limits_of(settings) == BatchLimits()


def test_what_is_set_is_what_is_signed_with(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    file.write_text(json.dumps({"sm2_profile": "cms-sm2", "sm2_id": "provincial-id", "batch_records": 20, "batch_hours": 1, "batch_idle_minutes": 2}))
    settings = Settings(file)
    assert limits_of(settings) == BatchLimits(20, timedelta(hours=1), timedelta(minutes=2))
    person, now = PracticeSm2Ca(tmp_path / "ca").person(), datetime.now(UTC).replace(microsecond=0)
    p7s = make_signature(b"{}", person, now, sm2_of(settings))
    report = check_signature(b"{}", p7s, (), None, sm2_of(settings))
    assert report.valid and (report.profile, report.ident) == ("cms-sm2", b"provincial-id")
