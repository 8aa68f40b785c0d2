"""Small pictures: never larger than said, nothing for what is no picture."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from desktop.effects.thumbs import THUMB_PIXELS, encoded, thumbnail


def _size(content: bytes) -> tuple[int, int]:
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return picture.shape[1], picture.shape[0]


@pytest.mark.parametrize(("width", "height", "small"), [(1920, 1080, (480, 270)), (1080, 1920, (270, 480)), (100, 50, (100, 50)), (5000, 3, (480, 1))])
def test_longest_side_is_held_and_small_ones_stay(width: int, height: int, small: tuple[int, int]) -> None:
    content = encoded(np.full((height, width, 3), 128, np.uint8))
    assert _size(content) == (width, height)
    assert _size(thumbnail(content)) == small and max(small) <= THUMB_PIXELS


@pytest.mark.parametrize(("content", "media"), [(b"%PDF-1.7", "application/pdf"), (b"no picture", "image/jpeg")])
def test_no_thumbnail_where_there_is_no_picture(content: bytes, media: str) -> None:
    assert thumbnail(content, media) == b""
