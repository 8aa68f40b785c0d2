"""Rules and crop of the ID photo."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from devices.vision.portrait import check, packed
from tests.emulators.pictures import portrait


def test_a_good_picture_is_good_and_cropped_to_the_standard(finder):
    frame = portrait()
    report = check(frame, finder.find(frame))
    assert report.good and report.picture is not None and report.picture.shape == (441, 358, 3)
    face = finder.find(cv2.copyMakeBorder(report.picture, 100, 100, 100, 100, cv2.BORDER_REPLICATE))[0]
    assert abs(face.box[2] - 207) <= 14
    assert abs(face.box[0] - 100 + face.box[2] / 2 - 179) < 12
    eyes = (face.right_eye[1] + face.left_eye[1]) / 2 - 100
    assert 441 - eyes >= 205
    hair = np.flatnonzero((report.picture[:, 150:210].min(axis=2) < 150).mean(axis=1) > 0.5)[0]
    assert 0 <= hair <= 21


@pytest.mark.parametrize(
    "drawn,key",
    [({"face": 0.12}, "too_far"), ({"face": 0.75}, "too_close"), ({"lean": 14}, "tilted"), ({"light": 0.16}, "dark"), ({"light": 1.45}, "bright"),
     ({"background": (120, 140, 90)}, "background"), ({"centre": (0.1, 0.47)}, "too_close")],
)  # fmt: skip
def test_each_trouble_is_named(finder, drawn, key):
    frame = portrait(**drawn)
    report = check(frame, finder.find(frame))
    assert key in report.must + report.look


def test_none_or_several(finder):
    assert check(portrait(face=0.01), ()).must == ("no_face",)
    pair = cv2.hconcat([portrait(), portrait()])
    assert check(pair, finder.find(pair)).must == ("several_faces",)


def test_without_a_detector_it_says_so():
    assert "not_checked" in check(portrait(), None).look


def test_packed_says_350_dpi_and_is_small(finder):
    frame = portrait()
    data = packed(check(frame, finder.find(frame)).picture)
    assert data[13:18] == b"\x01\x01\x5e\x01\x5e" and len(data) < 28_000
    with pytest.raises(ValueError):
        packed(frame)
