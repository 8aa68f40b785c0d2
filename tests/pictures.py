"""Makes the README's pictures from what the headless practice job saw: ``python -m tests.pictures RESULTS [FOLDER]``. Never draws anything that was not seen.

RESULTS is the folder that ``installer/run --practice --headless`` names; FOLDER is installer/pictures where none is given.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage, qRgb

__all__ = ["PICTURES", "main"]

PICTURES = {
    "desk-01": "desk-log-in", "desk-02": "desk-waiting", "desk-03": "desk-card-read", "desk-05": "desk-portrait", "desk-09": "desk-complete",
    "desk-10": "desk-review", "desk-13": "desk-receipt", "kiosk-03": "terminal-card", "kiosk-06": "terminal-check", "kiosk-08": "terminal-done",
    "verify-01": "sheet-valid", "verify-03": "sheet-revoked",
}
"""Picture of the walk (``tests/clerk.py`` numbers them) -> name in the README."""
MOST_BYTES = 150_000
COLOURS, EXACT = 200, 64
"""The most frequent ones are the style's own: they stay as they are."""
TALLEST = 960
"""Pixels; what is taller (the terminal's screen stands upright) is made smaller."""


def _few_colours(image: NDArray[np.uint8]) -> QImage:
    """The BGR picture with at most COLOURS different ones, so that the file is small; text stays sharp."""
    height, width, _ = image.shape
    known, back, counts = np.unique(image.reshape(-1, 3), axis=0, return_inverse=True, return_counts=True)
    order = np.argsort(-counts)
    table = known[order[:COLOURS]]
    if len(known) > COLOURS:
        cv2.setRNGSeed(1)
        others = known[order[EXACT:20_000]].astype(np.float32)
        enough = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 12, 1.0)
        _, _, centres = cv2.kmeans(others, COLOURS - EXACT, np.empty(0, np.int32), enough, 1, cv2.KMEANS_PP_CENTERS)
        table = np.vstack([known[order[:EXACT]], centres.round().astype(np.uint8)])
    wide = table.astype(np.float32)
    nearest = np.array([int(np.argmin(((wide - one) ** 2).sum(axis=1))) for one in known.astype(np.float32)])
    places = np.ascontiguousarray(nearest[back.reshape(-1)].reshape(height, width).astype(np.uint8))
    indexed = QImage(places.data, width, height, width, QImage.Format.Format_Indexed8)
    indexed.setColorTable([qRgb(int(red), int(green), int(blue)) for blue, green, red in table])
    return indexed.copy()


def main(arguments: list[str]) -> int:
    """Exit code 0, or 1 where a picture is missing or too large."""
    parser = argparse.ArgumentParser(prog="python -m tests.pictures")
    parser.add_argument("results", type=Path, metavar="RESULTS", help="the folder that installer/run --practice --headless named")
    parser.add_argument("folder", type=Path, nargs="?", default=Path(__file__).resolve().parents[1] / "installer" / "pictures", metavar="FOLDER")
    given = parser.parse_args(arguments)
    given.folder.mkdir(parents=True, exist_ok=True)
    for seen, name in PICTURES.items():
        image = cv2.imread(str(given.results / f"{seen}.png"))
        if image is None:
            print(f"{given.results / seen}.png is not there; run installer/run --practice --headless first", file=sys.stderr)
            return 1
        if image.shape[0] > TALLEST:
            image = cv2.resize(image, None, fx=TALLEST / image.shape[0], fy=TALLEST / image.shape[0], interpolation=cv2.INTER_AREA)
        file = given.folder / f"{name}.png"
        _few_colours(np.asarray(image, np.uint8)).save(str(file), "PNG", 0)   # 0: small rather than quick
        if file.stat().st_size > MOST_BYTES:
            print(f"{file} has {file.stat().st_size} bytes, more than {MOST_BYTES}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
