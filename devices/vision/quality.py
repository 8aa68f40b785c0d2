"""Is this picture of a page good enough to keep: sharpness, glare, cut corners, skew. Judges a picture; never changes one."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["PageQuality", "cut_corners", "glare_share", "page_quality", "sharpness", "skew"]

TILE = 48
"""Pixels; side of the tiles that sharpness looks at."""
INKED = 80
"""Grey levels between darkest and lightest in a tile that holds writing."""
SHARP, SOFT = 40.0, 15.0
"""At 150-200 dpi: above SHARP good, below SOFT not readable (measured on drawn pages); halved from 250 dpi on."""
GLARE_MOST = 0.002
"""Share of the page that glare may cover."""
SKEW_MOST = 3.0
"""Degrees; local archive rule under DA/T 31-2017."""


@dataclass(frozen=True, slots=True)
class PageQuality:
    """``verdict`` is good, look (a person decides) or poor; ``why`` are keys: blurred, soft, blank, glare, corner, skewed."""

    verdict: str
    why: tuple[str, ...]
    sharpness: float | None
    glare: float
    skew: float


def page_quality(page: NDArray[np.uint8], dpi: int = 200, corners: tuple[tuple[float, float], ...] = (), frame: tuple[int, int] | None = None) -> PageQuality:
    """Looks at a flattened page (BGR). ``corners`` and ``frame`` (height, width) of the camera picture tell cut corners."""
    scale = 0.5 if dpi >= 250 else 1.0
    sharp, glare, angle = sharpness(page), glare_share(page), skew(page)
    poor: list[str] = []
    look: list[str] = []
    if sharp is None:
        look.append("blank")
    elif sharp < SOFT * scale:
        poor.append("blurred")
    elif sharp < SHARP * scale:
        look.append("soft")
    if glare > GLARE_MOST:
        look.append("glare")
    if frame is not None and cut_corners(corners, frame):
        poor.append("corner")
    if abs(angle) > SKEW_MOST:
        look.append("skewed")
    verdict = "poor" if poor else "look" if look else "good"
    return PageQuality(verdict, (*poor, *look), sharp, glare, angle)


def sharpness(page: NDArray[np.uint8]) -> float | None:
    """Median over inked tiles of (variance of Laplacian less that of flat tiles) / contrast squared x 1000; None where nothing is written.

    The plain variance of the Laplacian of a page measures how much is written on it, not how sharp it is.
    """
    grey = _grey(page)
    laplace = np.asarray(cv2.Laplacian(grey, cv2.CV_32F), dtype=np.float32)
    rows, columns = grey.shape[0] // TILE, grey.shape[1] // TILE
    if rows == 0 or columns == 0:
        return None
    tiles = grey[: rows * TILE, : columns * TILE].reshape(rows, TILE, columns, TILE).swapaxes(1, 2).reshape(-1, TILE * TILE).astype(np.float32)
    edges = laplace[: rows * TILE, : columns * TILE].reshape(rows, TILE, columns, TILE).swapaxes(1, 2).reshape(-1, TILE * TILE)
    low, high = np.percentile(tiles, (2, 98), axis=1)
    contrast, variance = high - low, edges.var(axis=1)
    inked = contrast > INKED
    if int(inked.sum()) < 4:
        return None
    flat = variance[contrast < INKED / 2]
    noise = float(np.median(flat)) if flat.size else 0.0
    return float(np.median((variance[inked] - noise) / contrast[inked] ** 2) * 1000)


def glare_share(page: NDArray[np.uint8]) -> float:
    """Share (0..1) of the page in burnt-out colourless blobs that are brighter than the page's own white."""
    hsv = np.asarray(cv2.cvtColor(page, cv2.COLOR_BGR2HSV), dtype=np.uint8)
    value = hsv[:, :, 2]
    white = float(np.percentile(value, 70))
    if white > 245:
        return 0.0
    burnt = ((value > 250) & (hsv[:, :, 1] < 25)).astype(np.uint8)
    burnt = np.asarray(cv2.morphologyEx(burnt, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8)), dtype=np.uint8)
    count, _labels, stats, _centres = cv2.connectedComponentsWithStats(burnt)
    least = page.shape[0] * page.shape[1] * 0.0002
    areas = [float(stats[index, cv2.CC_STAT_AREA]) for index in range(1, count)]
    return sum(area for area in areas if area >= least) / (page.shape[0] * page.shape[1])


def cut_corners(corners: tuple[tuple[float, float], ...], frame: tuple[int, int], margin: float = 2.0) -> int:
    """How many corners of the page lie outside the camera picture, or on its very edge (pixels)."""
    height, width = frame
    return sum(1 for x, y in corners if x < margin or y < margin or x > width - 1 - margin or y > height - 1 - margin)


def skew(page: NDArray[np.uint8]) -> float:
    """Degrees (-6..6) by which the lines of writing lean, by projection profiles at 900 px width; 0 where nothing is written."""
    grey = _grey(page)
    scale = 900 / max(grey.shape[1], 1)
    small = np.asarray(cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), dtype=np.uint8) if scale < 1 else grey
    ink = (small < np.median(small) - 50).astype(np.uint8)
    if int(ink.sum()) < 200:
        return 0.0
    coarse = max(np.arange(-6, 6.01, 0.5), key=lambda angle: _profile(ink, float(angle)))
    fine = max(np.arange(coarse - 0.5, coarse + 0.51, 0.05), key=lambda angle: _profile(ink, float(angle)))
    return round(float(fine), 2)


def _profile(ink: NDArray[np.uint8], angle: float) -> float:
    height, width = ink.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0)
    turned = cv2.warpAffine(ink, turn, (width, height), flags=cv2.INTER_NEAREST)
    rows = np.asarray(turned).sum(axis=1, dtype=np.float64)
    return float(((rows[1:] - rows[:-1]) ** 2).sum())


def _grey(page: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return page if page.ndim == 2 else np.asarray(cv2.cvtColor(page, cv2.COLOR_BGR2GRAY), dtype=np.uint8)
