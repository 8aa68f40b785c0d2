"""Pages found on the mat, flattened, judged."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from devices.vision.page import find_page, flatten
from devices.vision.quality import page_quality, sharpness, skew
from tests.emulators.pictures import certificate, on_mat


@pytest.mark.parametrize("turn", [-12, 0, 3, 20])
def test_a_page_on_the_mat_is_found(turn):
    frame = on_mat(certificate(), turn=turn, share=0.8)
    found = find_page(frame)
    assert found is not None and found.sure
    mask = np.zeros(frame.shape[:2], np.uint8)
    cv2.fillConvexPoly(mask, np.array(found.corners, np.float32).round().astype(np.int32), 255)
    truth = (cv2.medianBlur(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), 5) > 130).astype(np.uint8) * 255
    hull = cv2.convexHull(cv2.findNonZero(truth))
    exact = np.zeros_like(mask)
    cv2.fillConvexPoly(exact, hull, 255)
    overlap = np.count_nonzero(mask & exact) / np.count_nonzero(mask | exact)
    assert overlap > 0.97


def test_flattened_keeps_the_original_and_the_shape():
    frame = on_mat(certificate(), 3264, 2448, turn=5)
    before = frame.copy()
    flat = flatten(frame, find_page(frame).corners)
    assert flat.original is frame and np.array_equal(frame, before)
    assert abs(flat.page.shape[0] / flat.page.shape[1] - 297 / 210) < 0.02
    assert abs(skew(flat.page)) < 0.4
    assert page_quality(flat.page, 190).verdict in ("good", "look")


def test_an_empty_mat_holds_no_page():
    rng = np.random.default_rng(3)
    empty = np.clip(rng.normal(50, 4, (1080, 1920, 3)), 0, 255).astype(np.uint8)
    found = find_page(empty)
    assert found is None or not found.sure


def test_sharpness_tells_blur_and_not_density():
    page = certificate(dpi=200)
    sharp, sparse = sharpness(page), sharpness(certificate(dpi=200, lines=["一行", "两行"]))
    soft = sharpness(cv2.GaussianBlur(page, (0, 0), 2.5))
    assert sharp > 40 and sparse > 40 and soft < 15
    assert page_quality(cv2.GaussianBlur(page, (0, 0), 2.5)).verdict == "poor"
    assert page_quality(page).verdict == "good"


def test_blank_glare_corner_and_skew_are_named():
    blank = np.full((1600, 1130, 3), 235, np.uint8)
    assert "blank" in page_quality(blank).why
    dim = (certificate(dpi=150).astype(np.float32) * 0.85).astype(np.uint8)
    assert "glare" not in page_quality(dim, 150).why
    cv2.ellipse(dim, (600, 900), (140, 90), 0, 0, 360, (255, 255, 255), -1)
    assert "glare" in page_quality(dim, 150).why
    assert "corner" in page_quality(dim, 150, ((0, 5), (100, 5), (100, 200), (5, 200)), (1080, 1920)).why
    page = certificate(dpi=150)
    turn = cv2.getRotationMatrix2D((page.shape[1] / 2, page.shape[0] / 2), 4, 0.9)
    turned = cv2.warpAffine(page, turn, (page.shape[1], page.shape[0]), borderValue=(250, 250, 250))
    assert abs(abs(skew(turned)) - 4) < 0.3
