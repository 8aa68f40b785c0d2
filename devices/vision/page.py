"""Finds a page in a camera picture and flattens it. Never crops silently: the original stays with the caller, and the corners can be moved by a person.

Right on a matt dark mat (the measured case); on white desks and among other sheets it may be wrong, so it says how sure it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from devices.cameras.contract import Frame

__all__ = ["Corners", "FlatPage", "FoundPage", "find_page", "flatten"]

Corners = tuple[tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]]
"""Pixels of the camera picture: top left, top right, bottom right, bottom left."""

WORK_SIDE = 720
"""Pixels of the longer side while searching."""
LEAST_AREA = 0.12
"""Share of the picture that a page covers at least."""
SURE = 0.62
"""Score from which the corners may be used without asking."""
A4_RATIO = 297 / 210
MOST_SIDE = 5_000


@dataclass(frozen=True, slots=True)
class FoundPage:
    """Corners of a page; ``sure`` is False where a person should look at them first."""

    corners: Corners
    score: float
    sure: bool


@dataclass(frozen=True, slots=True)
class FlatPage:
    """A flattened page beside its original and what was done to it (kept with the record: nothing is cropped silently)."""

    page: Frame = field(repr=False)
    original: Frame = field(repr=False)
    corners: Corners
    steps: tuple[str, ...]


def find_page(frame: Frame) -> FoundPage | None:
    """The page in a picture (BGR), or None. Some 30-60 ms at 1080p."""
    scale = WORK_SIDE / max(frame.shape[:2])
    small = np.asarray(cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), dtype=np.uint8) if scale < 1 else frame
    scale = min(scale, 1.0)
    grey = np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), dtype=np.uint8)
    edges = _edge_strength(grey)
    best: tuple[float, NDArray[np.float32]] | None = None
    for quad in _candidates(small):
        score = _score(quad, edges, grey.shape[:2])
        if best is None or score > best[0]:
            best = (score, quad)
    if best is None:
        return None
    score, quad = best
    full = _refined(frame, quad / scale)
    return FoundPage(_as_corners(full), round(score, 3), score >= SURE)


def flatten(frame: Frame, corners: Corners, ratio: float | None = None) -> FlatPage:
    """The page as if seen from straight above. ``ratio`` is height/width; None measures it (A4 upright or lying where it is within 8 %)."""
    source = np.array(corners, dtype=np.float32)
    top, bottom = _length(source[0], source[1]), _length(source[3], source[2])
    left, right = _length(source[0], source[3]), _length(source[1], source[2])
    width, height = max(top, bottom, 1.0), max(left, right, 1.0)
    measured = ratio or height / width
    if ratio is None:
        measured = next((known for known in (A4_RATIO, 1 / A4_RATIO) if abs(measured / known - 1) < 0.08), measured)
    height = width * measured
    shrink = min(1.0, MOST_SIDE / max(width, height))
    across, down = max(int(width * shrink), 8), max(int(height * shrink), 8)
    target = np.array([[0, 0], [across - 1, 0], [across - 1, down - 1], [0, down - 1]], dtype=np.float32)
    matrix = cv2.getPerspectiveTransform(source, target)
    page = np.asarray(cv2.warpPerspective(frame, matrix, (across, down), flags=cv2.INTER_CUBIC), dtype=np.uint8)
    return FlatPage(page, frame, corners, ("perspective",))


def _candidates(small: Frame) -> Iterator[NDArray[np.float32]]:
    """Quadrangles from the lightness and colour channels by edges and by threshold."""
    lab = np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2LAB), dtype=np.uint8)
    masks: list[NDArray[np.uint8]] = []
    for channel in range(3):
        plane = np.asarray(cv2.GaussianBlur(lab[:, :, channel], (5, 5), 0), dtype=np.uint8)
        for high in (40, 90, 160) if channel == 0 else (30, 70):
            edge = cv2.Canny(plane, high // 2, high)
            masks.append(np.asarray(cv2.dilate(edge, np.ones((5, 5), np.uint8)), dtype=np.uint8))
        if channel < 2:
            _level, mask = cv2.threshold(plane, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
            masks.append(np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((9, 9), np.uint8)), dtype=np.uint8))
    area = small.shape[0] * small.shape[1]
    for mask in masks:
        outlines, _tree = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        for outline in sorted(outlines, key=cv2.contourArea, reverse=True)[:4]:
            hull = cv2.convexHull(outline)
            if cv2.contourArea(hull) < area * LEAST_AREA:
                break
            if (quad := _quad(hull)) is not None:
                yield quad


def _quad(hull: NDArray[np.int32] | cv2.typing.MatLike) -> NDArray[np.float32] | None:
    around = cv2.arcLength(hull, True)
    for part in (0.01, 0.02, 0.03, 0.05, 0.08):
        shape = cv2.approxPolyDP(hull, part * around, True)
        if len(shape) == 4:
            return _ordered(np.asarray(shape, dtype=np.float32).reshape(4, 2))
    return None


def _ordered(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Clockwise from the top left."""
    centre = points.mean(axis=0)
    angles = np.arctan2(points[:, 1] - centre[1], points[:, 0] - centre[0])
    points = points[np.argsort(angles)]
    first = int(np.argmin(points.sum(axis=1)))
    return np.roll(points, -first, axis=0)


def _edge_strength(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    edge = cv2.Canny(cv2.GaussianBlur(grey, (5, 5), 0), 20, 60)
    return np.asarray(cv2.dilate(edge, np.ones((5, 5), np.uint8)), dtype=np.uint8)


def _score(quad: NDArray[np.float32], edges: NDArray[np.uint8], size: tuple[int, ...]) -> float:
    """0..1.35: share of the outline that lies on edges + 0.35 x area - 0.25 x sum |cos of corners|."""
    height, width = size[:2]
    on_edge: list[float] = []
    for index in range(4):
        start, end = quad[index], quad[(index + 1) % 4]
        steps = np.linspace(0.05, 0.95, 60)[:, None]
        points = start + (end - start) * steps
        columns = np.clip(np.rint(points[:, 0]).astype(int), 0, width - 1)
        rows = np.clip(np.rint(points[:, 1]).astype(int), 0, height - 1)
        on_edge.append(float((edges[rows, columns] > 0).mean()))
    area = float(cv2.contourArea(quad)) / (height * width)
    lean = 0.0
    for index in range(4):
        one, two = quad[index - 1] - quad[index], quad[(index + 1) % 4] - quad[index]
        lean += abs(float(one @ two) / max(float(np.linalg.norm(one) * np.linalg.norm(two)), 1.0))
    # a page that fills the whole picture is the picture's own frame
    frame_like = 0.5 if area > 0.985 else 0.0
    return float(np.mean(on_edge)) * 0.75 + 0.35 * area - 0.25 * lean - frame_like


def _refined(frame: Frame, quad: NDArray[np.float32]) -> NDArray[np.float32]:
    """Sides moved to the strongest edge along 60 normal profiles each, at full resolution; left alone where a corner would move > 25 px."""
    grey = np.asarray(cv2.GaussianBlur(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), (3, 3), 0), dtype=np.float32)
    reach = 12
    lines: list[tuple[NDArray[np.float32], NDArray[np.float32]]] = []
    for index in range(4):
        start, end = quad[index], quad[(index + 1) % 4]
        along = (end - start) / max(float(np.linalg.norm(end - start)), 1.0)
        normal = np.array([-along[1], along[0]], dtype=np.float32)
        spots = (start + (end - start) * np.linspace(0.08, 0.92, 60)[:, None]).astype(np.float32)
        offsets = np.arange(-reach, reach + 1, dtype=np.float32)
        grid = spots[:, None, :] + normal[None, None, :] * offsets[None, :, None]
        profile = np.asarray(cv2.remap(grey, grid[:, :, 0], grid[:, :, 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), dtype=np.float32)
        jump = np.abs(np.diff(profile, axis=1))
        strong = jump.max(axis=1) > 8
        if int(strong.sum()) < 20:
            return quad
        moved = spots[strong] + normal * (offsets[jump.argmax(axis=1)] + 0.5)[strong][:, None]
        fitted = np.asarray(cv2.fitLine(moved.astype(np.float32), cv2.DIST_HUBER, 0, 0.01, 0.01), dtype=np.float32).reshape(4)
        lines.append((fitted[2:], fitted[:2]))
    corners = np.array([_crossing(lines[index - 1], lines[index]) for index in range(4)], dtype=np.float32)
    return corners if float(np.abs(corners - quad).max()) <= 25 else quad


def _crossing(one: tuple[NDArray[np.float32], NDArray[np.float32]], two: tuple[NDArray[np.float32], NDArray[np.float32]]) -> NDArray[np.float32]:
    (p, a), (q, b) = one, two
    system = np.array([[a[0], -b[0]], [a[1], -b[1]]], dtype=np.float64)
    if abs(float(np.linalg.det(system))) < 1e-9:
        return np.full(2, np.inf, dtype=np.float32)
    part = np.linalg.solve(system, (q - p).astype(np.float64))
    return (p + a * np.float32(part[0])).astype(np.float32)


def _as_corners(quad: NDArray[np.float32]) -> Corners:
    a, b, c, d = ((float(x), float(y)) for x, y in quad)
    return a, b, c, d


def _length(one: NDArray[np.float32], two: NDArray[np.float32]) -> float:
    return float(np.linalg.norm(one - two))
