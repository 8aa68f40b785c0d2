"""Every branch of the pure files of cards is taken by a test; long, so under sweep."""

from __future__ import annotations

import pytest

from tests.unit.devices.cards.covered import measure


@pytest.mark.sweep
@pytest.mark.timeout(600)
def test_every_branch_of_the_pure_files_is_taken() -> None:
    status, text = measure()
    assert status == 0, text
