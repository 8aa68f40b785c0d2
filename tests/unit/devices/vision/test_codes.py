"""Codes: bytes and place, from each engine, never an exception."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import segno
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.vision import codes
from devices.vision.codes import read_codes, read_codes_live
from tests.emulators.pictures import credit_sheet, on_mat

CODE = "CR1:" + ("6BF+70790T9WJWG.FKY*4GO0.O1CV2 O5 N2FBBRW1*70HS8WY04AC*WIFN0AHCD8KD97TK0F90KECTHGWJC0FDC:5AIA%G7X+AQB9746HS80:54IBQF60R6$A80X6S1B" * 3)[:300]


def qr(content, scale=5, **more):
    symbol = segno.make(content, micro=False, error="m", boost_error=False, **more)
    grid = np.array([[0 if cell else 255 for cell in row] for row in symbol.matrix], np.uint8)
    return cv2.copyMakeBorder(np.kron(grid, np.ones((scale, scale), np.uint8)), 40, 40, 40, 40, cv2.BORDER_CONSTANT, value=255)


def test_exact_bytes_and_place():
    raw = bytes(range(256))
    (found,) = read_codes(qr(raw))
    assert found.bytes == raw and found.engine == "zxing"
    xs, ys = [x for x, _ in found.quad], [y for _, y in found.quad]
    assert abs(min(xs) - 40) < 6 and abs(min(ys) - 40) < 6 and max(xs) > 150


def test_a_sheet_under_an_8_megapixel_camera():
    frame = on_mat(credit_sheet(CODE), 3264, 2448, turn=4)
    (found,) = read_codes(frame)
    assert found.bytes == CODE.encode()
    x, y = np.mean(found.quad, axis=0)
    assert frame[int(y), int(x)] is not None and x > 1600 and y > 1200


def test_the_second_and_third_look_help():
    small = cv2.resize(qr(CODE, 4), None, fx=0.36, fy=0.36, interpolation=cv2.INTER_AREA)
    found = read_codes(small)
    assert found and found[0].bytes == CODE.encode()
    rng = np.random.default_rng(5)
    faint = np.clip(qr(CODE, 5).astype(np.float32) * 0.09 + 110 + rng.normal(0, 5, qr(CODE, 5).shape), 0, 255).astype(np.uint8)
    hard = read_codes(faint)
    assert hard and hard[0].bytes == CODE.encode()


def test_live_is_the_cheap_look():
    (found,) = read_codes_live(qr(CODE))
    assert found.bytes == CODE.encode() and found.engine == "zxing.quick"
    inverted = 255 - qr(CODE)
    assert read_codes_live(inverted) == () and read_codes_live(inverted, thorough=True)[0].bytes == CODE.encode()


def test_large_pictures_are_made_smaller_and_places_stay_true():
    large = np.full((6000, 6000), 255, np.uint8)
    code = qr(CODE, 12)
    large[4000 : 4000 + code.shape[0], 4500 : 4500 + code.shape[1]] = code
    (found,) = read_codes(large)
    assert abs(min(x for x, _ in found.quad) - 4540) < 12 and abs(min(y for _, y in found.quad) - 4040) < 12


def test_pyzbar_is_the_last_one_and_tells_ascii_only(monkeypatch):
    monkeypatch.setattr(codes, "_zxing", lambda grey: [])
    (found,) = read_codes(qr(CODE))
    assert found.engine == "pyzbar" and found.bytes == CODE.encode()
    assert read_codes(qr("李建国" * 5)) == ()


def test_an_engine_that_raises_is_nothing_found(monkeypatch):
    def broken(grey):
        raise ValueError("4294967295 is not a valid ZBarOrientation")

    monkeypatch.setattr(codes, "_zxing", broken)
    monkeypatch.setattr(codes, "_pyzbar", broken)
    assert read_codes(qr(CODE)) == ()


def test_a_structured_append_paper_does_not_raise():
    for symbol in segno.make_sequence("A" * 60, symbol_count=2):
        grid = np.array([[0 if cell else 255 for cell in row] for row in symbol.matrix], np.uint8)
        picture = cv2.copyMakeBorder(np.kron(grid, np.ones((5, 5), np.uint8)), 40, 40, 40, 40, cv2.BORDER_CONSTANT, value=255)
        assert isinstance(read_codes(picture), tuple) and codes._tried(codes._pyzbar, picture, "pyzbar", 1.0) == ()


@pytest.mark.parametrize("shape,kind", [((4, 4), np.uint8), ((100,), np.uint8), ((100, 100, 4), np.uint8), ((100, 100), np.float32), ((0, 0), np.uint8)])
def test_no_picture_no_codes(shape, kind):
    assert read_codes(np.zeros(shape, kind)) == () and read_codes_live(np.zeros(shape, kind)) == ()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(16, 200), st.integers(16, 200))
def test_noise_never_raises(seed, height, width):
    assert isinstance(read_codes(np.random.default_rng(seed).integers(0, 256, (height, width), np.uint8)), tuple)


def test_content_is_not_in_the_repr():
    assert "李建国" not in repr(read_codes(qr("李建国")))
