"""Draws what cameras see in tests and in the practice hall: a person, certificates on a mat, a credit sheet; writes video files. No real person, ever.

Chinese text is drawn by Qt (offscreen); a QGuiApplication is made where none is running. Pictures are BGR arrays like a camera's.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import segno
from numpy.typing import NDArray
from PySide6.QtCore import QCoreApplication, QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QImage, QLinearGradient, QPainter, QPainterPath, QPen, QRadialGradient
from PySide6.QtWidgets import QApplication

__all__ = ["Person", "as_stills", "as_video", "certificate", "chip_photo", "credit_sheet", "live_frames", "on_mat", "portrait"]

Picture = NDArray[np.uint8]
GRAIN = 251
"""Pixels along a tile of noise; a prime, so that it never runs in step with what is drawn."""
FAMILY = ("Noto Sans CJK SC", "Source Han Sans SC", "Microsoft YaHei")


@dataclass(frozen=True, slots=True)
class Person:
    """Looks of a drawn person; two with different numbers look different."""

    skin: tuple[int, int, int] = (226, 182, 150)
    hair: tuple[int, int, int] = (34, 30, 30)
    coat: tuple[int, int, int] = (58, 74, 104)
    jaw: float = 1.0
    eyes: float = 1.0
    brows: float = 1.0
    mouth: float = 1.0


@cache
def _application() -> QCoreApplication:
    """The one application of this process: with widgets, since tests of windows may come after."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    return QApplication.instance() or QApplication(["hall-intake"])


def _blank(width: int, height: int, colour: tuple[int, int, int]) -> QImage:
    _application()
    image = QImage(width, height, QImage.Format.Format_RGB888)
    image.fill(QColor(*colour))
    return image


def _array(image: QImage) -> Picture:
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return cv2.cvtColor(rows[:, : image.width() * 3].reshape(image.height(), image.width(), 3), cv2.COLOR_RGB2BGR)


# -- people ---------------------------------------------------------------------------------------------------------------------------
def portrait(
    width: int = 1280, height: int = 960, person: Person | None = None, *, background: tuple[int, int, int] = (248, 248, 248), face: float = 0.30,
    centre: tuple[float, float] = (0.5, 0.47), turn: float = 0.0, lean: float = 0.0, noise: float = 2.0, light: float = 1.0, seed: int = 1,
) -> Picture:  # fmt: skip
    """A drawn person before a wall. ``face`` is the face's width as a share of the picture's height, ``turn`` -1..1 to the side, ``lean`` degrees."""
    person = person or Person()
    image = _blank(width, height, background)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(width * centre[0], height * centre[1])
    painter.rotate(lean)
    unit = height * face / 2.0
    painter.scale(unit, unit)
    painter.setPen(Qt.PenStyle.NoPen)
    _body(painter, person)
    _head(painter, person)
    _features(painter, person, turn)
    painter.end()
    return _grained(cv2.GaussianBlur(_array(image), (0, 0), max(unit / 130, 0.6)), noise, light, seed)


def _grained(picture: Picture, noise: float, light: float, seed: int) -> Picture:
    """Brighter or darker, and with a camera's noise: a tile of it, for drawing as many numbers as pixels takes most of the time of a picture."""
    down, across = picture.shape[:2]
    tile = np.random.default_rng(seed).normal(0, noise, (GRAIN, GRAIN, 3)).astype(np.float32)
    shaken = np.tile(tile, (-(-down // GRAIN), -(-across // GRAIN), 1))[:down, :across]
    shaken += picture * np.float32(light)
    return np.clip(shaken, 0, 255, out=shaken).astype(np.uint8)


def _shade(colour: tuple[int, int, int], part: float) -> QColor:
    return QColor(*(int(min(max(value * part, 0), 255)) for value in colour))


def _body(painter: QPainter, person: Person) -> None:
    coat = QPainterPath()
    coat.moveTo(-2.6, 5.0)
    coat.cubicTo(-2.5, 2.6, -1.6, 2.15, -0.6, 1.85)
    coat.lineTo(0.6, 1.85)
    coat.cubicTo(1.6, 2.15, 2.5, 2.6, 2.6, 5.0)
    painter.fillPath(coat, QBrush(QColor(*person.coat)))
    neck = QPainterPath()
    neck.moveTo(-0.52, 0.7)
    neck.lineTo(-0.6, 1.95)
    neck.quadTo(0, 2.55, 0.6, 1.95)
    neck.lineTo(0.52, 0.7)
    tint = QLinearGradient(0, 1.0, 0, 2.1)
    tint.setColorAt(0, _shade(person.skin, 0.72))
    tint.setColorAt(1, _shade(person.skin, 0.92))
    painter.fillPath(neck, QBrush(tint))


def _head(painter: QPainter, person: Person) -> None:
    for side in (-1, 1):
        painter.setBrush(_shade(person.skin, 0.85))
        painter.drawEllipse(QRectF(side * 1.0 - 0.14, -0.22, 0.28, 0.6))
    back = QPainterPath()
    back.addEllipse(QRectF(-1.08, -1.62, 2.16, 2.0))
    painter.fillPath(back, QBrush(QColor(*person.hair)))
    head = QPainterPath()
    head.moveTo(-1.0, -0.35)
    head.cubicTo(-1.0, 0.75, -0.62 * person.jaw, 1.42, 0, 1.45)
    head.cubicTo(0.62 * person.jaw, 1.42, 1.0, 0.75, 1.0, -0.35)
    head.cubicTo(1.0, -1.1, 0.6, -1.35, 0, -1.35)
    head.cubicTo(-0.6, -1.35, -1.0, -1.1, -1.0, -0.35)
    glow = QRadialGradient(QPointF(0.0, 0.05), 1.6)
    glow.setColorAt(0, _shade(person.skin, 1.06))
    glow.setColorAt(0.6, _shade(person.skin, 0.98))
    glow.setColorAt(1, _shade(person.skin, 0.72))
    painter.fillPath(head, QBrush(glow))
    fringe = QPainterPath()
    fringe.moveTo(-1.06, -0.3)
    fringe.cubicTo(-1.15, -1.9, 1.15, -1.9, 1.06, -0.3)
    fringe.cubicTo(0.95, -0.75, 0.75, -0.95, 0.2, -0.98)
    fringe.cubicTo(-0.4, -1.0, -0.9, -0.8, -1.06, -0.3)
    painter.fillPath(fringe, QBrush(QColor(*person.hair)))


def _features(painter: QPainter, person: Person, turn: float) -> None:
    shift = turn * 0.35
    for side in (-1, 1):
        x = side * 0.42 + shift
        painter.setBrush(_shade(person.skin, 0.84))
        painter.drawEllipse(QRectF(x - 0.26, -0.22, 0.52, 0.34))
        eye = QPainterPath()
        wide = 0.21 * person.eyes
        eye.moveTo(x - wide, -0.03)
        eye.quadTo(x, -0.19, x + wide, -0.03)
        eye.quadTo(x, 0.10, x - wide, -0.03)
        painter.fillPath(eye, QBrush(QColor(242, 238, 234)))
        painter.setBrush(QColor(48, 32, 26))
        painter.drawEllipse(QPointF(x, -0.045), 0.088, 0.088)
        painter.setBrush(QColor(250, 250, 250))
        painter.drawEllipse(QPointF(x + 0.03, -0.075), 0.022, 0.022)
        lid = QPainterPath()
        lid.moveTo(x - wide - 0.02, -0.02)
        lid.quadTo(x, -0.22, x + wide + 0.02, -0.02)
        painter.strokePath(lid, QPen(QColor(40, 30, 28), 0.045))
        brow = QPainterPath()
        brow.moveTo(x - 0.27, -0.30)
        brow.quadTo(x + side * 0.02, -0.43, x + 0.27, -0.30)
        painter.strokePath(brow, QPen(_shade(person.hair, 1.2), 0.085 * person.brows, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        cheek = QRadialGradient(QPointF(side * 0.55 + shift * 0.6, 0.42), 0.4)
        cheek.setColorAt(0, QColor(214, 130, 110, 70))
        cheek.setColorAt(1, QColor(214, 130, 110, 0))
        painter.fillRect(QRectF(side * 0.55 - 0.45 + shift * 0.6, 0.0, 0.9, 0.9), QBrush(cheek))
    _nose_and_mouth(painter, person, shift)


def _nose_and_mouth(painter: QPainter, person: Person, shift: float) -> None:
    nose = QPainterPath()
    nose.moveTo(-0.07 + shift, 0.0)
    nose.quadTo(-0.12 + shift * 1.3, 0.32, -0.19 + shift * 1.5, 0.44)
    nose.quadTo(shift * 1.6, 0.56, 0.19 + shift * 1.5, 0.44)
    nose.quadTo(0.12 + shift * 1.3, 0.32, 0.07 + shift, 0.0)
    tint = QLinearGradient(0, 0, 0, 0.55)
    tint.setColorAt(0, _shade(person.skin, 1.02))
    tint.setColorAt(0.8, _shade(person.skin, 0.90))
    tint.setColorAt(1, _shade(person.skin, 0.74))
    painter.fillPath(nose, QBrush(tint))
    painter.setBrush(_shade(person.skin, 0.45))
    for side in (-1, 1):
        painter.drawEllipse(QPointF(side * 0.09 + shift * 1.5, 0.47), 0.045, 0.028)
    wide = 0.34 * person.mouth
    upper = QPainterPath()
    upper.moveTo(-wide + shift, 0.82)
    upper.quadTo(-0.1 + shift, 0.72, shift, 0.76)
    upper.quadTo(0.1 + shift, 0.72, wide + shift, 0.82)
    upper.quadTo(shift, 0.88, -wide + shift, 0.82)
    painter.fillPath(upper, QBrush(QColor(176, 92, 84)))
    lower = QPainterPath()
    lower.moveTo(-wide + shift, 0.82)
    lower.quadTo(shift, 0.88, wide + shift, 0.82)
    lower.quadTo(shift, 1.02, -wide + shift, 0.82)
    painter.fillPath(lower, QBrush(QColor(196, 112, 102)))
    painter.strokePath(_curve(-wide + shift, 0.82, shift, 0.87, wide + shift, 0.82), QPen(QColor(110, 50, 46), 0.03))
    painter.strokePath(_curve(-0.2 + shift, 1.08, shift, 1.14, 0.2 + shift, 1.08), QPen(_shade(person.skin, 0.8), 0.05))


def _curve(x1: float, y1: float, x2: float, y2: float, x3: float, y3: float) -> QPainterPath:
    path = QPainterPath()
    path.moveTo(x1, y1)
    path.quadTo(x2, y2, x3, y3)
    return path


def live_frames(
    count: int = 24, person: Person | None = None, width: int = 1280, height: int = 720, background: tuple[int, int, int] = (205, 212, 220)
) -> list[Picture]:
    """A person who moves a little, as a camera of a hall sees them."""
    frames: list[Picture] = []
    for index in range(count):
        swing = np.sin(index / count * 2 * np.pi)
        centre = (0.5 + 0.015 * swing, 0.46 + 0.008 * np.cos(index / count * 2 * np.pi))
        frames.append(
            portrait(width, height, person, background=background, face=0.32, centre=centre, turn=0.12 * swing, lean=1.5 * swing, noise=3.0, seed=index)
        )
    return frames


def chip_photo(person: Person | None = None) -> Picture:
    """The photo of a card: 102 x 126, white wall."""
    return cv2.resize(portrait(510, 630, person, face=0.36, centre=(0.5, 0.46), noise=1.0), (102, 126), interpolation=cv2.INTER_AREA)


# -- paper ----------------------------------------------------------------------------------------------------------------------------
def certificate(name: str = "李建国", title: str = "建筑施工特种作业操作资格证", lines: Sequence[str] = (), dpi: int = 150) -> Picture:
    """An upright A4 certificate of nobody: title, name, lines of text, a red seal, a frame."""
    width, height = round(8.27 * dpi), round(11.69 * dpi)
    image = _blank(width, height, (252, 252, 247))
    painter = _pen(image)
    unit = dpi / 25.4
    painter.setPen(QPen(QColor(150, 40, 40), 1.2 * unit))
    painter.drawRect(QRectF(10 * unit, 10 * unit, width - 20 * unit, height - 20 * unit))
    _words(painter, title, 0, 34 * unit, width, 8.5 * unit, bold=True, colour=(120, 24, 24))
    told = list(lines) or [
        "证书编号:川A042019000123", "操作类别:建筑电工", "初次领证日期:2021-03-18", "使用期:自2025-03-18至2027-03-17",
        "发证机关:四川省住房和城乡建设厅",
        "持证人应当严格按照安全技术标准、规范和规程进行作业,", "正确使用个人安全防护用品;在使用期届满前三个月内,",
        "向原发证机关提出延期复核申请。本证书用于练习,不具效力。",
    ]  # fmt: skip
    for index, line in enumerate(["姓    名:" + name, *told]):
        _words(painter, line, 28 * unit, (70 + index * 15) * unit, width, 5 * unit, left=True)
    painter.setPen(QPen(QColor(200, 30, 30, 190), 1.2 * unit))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawEllipse(QPointF(width * 0.72, height * 0.82), 19 * unit, 19 * unit)
    _words(painter, "练习专用章", width * 0.72 - 40 * unit, height * 0.82 - 3 * unit, 80 * unit, 5 * unit, colour=(200, 30, 30))
    painter.end()
    return _array(image)


def credit_sheet(code: str, rows: Sequence[tuple[str, str]] = (), dpi: int = 200, module: float = 0.5) -> Picture:
    """A printed 诚信记录单 with its QR: modules of ``module`` mm, error correction M, quiet zone of four modules."""
    width, height = round(8.27 * dpi), round(11.69 * dpi)
    image = _blank(width, height, (255, 255, 255))
    painter = _pen(image)
    unit = dpi / 25.4
    _words(painter, "从业人员诚信记录单", 0, 26 * unit, width, 8 * unit, bold=True)
    shown = list(rows) or [("姓名", "李建国"), ("类别", "技术工人"), ("单位", "四川示例建设有限公司"), ("良好行为", "2 条"), ("不良行为", "0 条")]
    for index, (label, value) in enumerate(shown):
        _words(painter, f"{label}:{value}", 24 * unit, (56 + index * 12) * unit, width, 4.6 * unit, left=True)
    symbol = segno.make(code, error="m", boost_error=False, micro=False)
    dots = max(round(module * unit), 1)
    grid = [[bool(cell) for cell in row] for row in symbol.matrix]
    x0, y0 = width - (len(grid) + 8) * dots - round(16 * unit), height - (len(grid) + 8) * dots - round(20 * unit)
    for row, cells in enumerate(grid):
        for column, dark in enumerate(cells):
            if dark:
                painter.fillRect(x0 + (column + 4) * dots, y0 + (row + 4) * dots, dots, dots, QColor(0, 0, 0))
    painter.end()
    return _array(image)


def on_mat(page: Picture, width: int = 1920, height: int = 1080, *, share: float = 0.9, turn: float = 3.0, tilt: float = 0.02, seed: int = 1) -> Picture:
    """The page as a document camera sees it: on a dark matt mat, turned by ``turn`` degrees, a little in perspective, with grain."""
    down, across = page.shape[:2]
    size = height * share / down
    angle = np.radians(turn)
    corners = np.array([[-across, -down], [across, -down], [across, down], [-across, down]], dtype=np.float32) / 2 * size
    spin = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]], dtype=np.float32)
    corners = corners @ spin.T * (1 - tilt) + np.array([width / 2, height / 2], dtype=np.float32)
    corners[0, 0] += tilt * width * 0.3
    corners[1, 0] -= tilt * width * 0.3
    source = np.array([[0, 0], [across, 0], [across, down], [0, down]], dtype=np.float32)
    picture = np.full((height, width, 3), (62, 52, 46), dtype=np.uint8)
    method = cv2.INTER_AREA if size < 1 else cv2.INTER_CUBIC
    small = cv2.resize(page, None, fx=size, fy=size, interpolation=method)
    source *= np.array([small.shape[1] / across, small.shape[0] / down], dtype=np.float32)
    matrix = cv2.getPerspectiveTransform(source, corners.astype(np.float32))
    cv2.warpPerspective(small, matrix, (width, height), dst=picture, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_TRANSPARENT)
    picture = cv2.GaussianBlur(picture, (0, 0), 0.4)
    return _grained(picture, 3, 0.95, seed)


def _pen(image: QImage) -> QPainter:
    painter = QPainter(image)
    painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.TextAntialiasing)
    return painter


def _words(
    painter: QPainter, text: str, x: float, y: float, width: float, size: float, *,
    bold: bool = False, left: bool = False, colour: tuple[int, int, int] = (24, 24, 28),
) -> None:  # fmt: skip
    font = QFont()
    font.setFamilies(list(FAMILY))
    font.setPixelSize(max(round(size), 4))
    font.setBold(bold)
    painter.setFont(font)
    painter.setPen(QColor(*colour))
    side = Qt.AlignmentFlag.AlignLeft if left else Qt.AlignmentFlag.AlignHCenter
    painter.drawText(QRectF(x, y, width, size * 1.6), side | Qt.AlignmentFlag.AlignVCenter, text)


# -- files ----------------------------------------------------------------------------------------------------------------------------
def as_video(frames: Iterable[Picture], path: Path, rate: float = 15.0) -> Path:
    """An MJPG video file (.avi) that the camera driver opens. Raises OSError where it cannot be written."""
    writer: cv2.VideoWriter | None = None
    for frame in frames:
        if writer is None:
            writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), rate, (frame.shape[1], frame.shape[0]))
            if not writer.isOpened():
                raise OSError(f"no video can be written to {path}")
        writer.write(frame)
    if writer is None:
        raise OSError("no frames")
    writer.release()
    return path


def as_stills(frames: Iterable[Picture], folder: Path, name: str = "frame") -> str:
    """PNG files; returns the pattern that the camera driver opens as a source."""
    folder.mkdir(parents=True, exist_ok=True)
    for index, frame in enumerate(frames):
        if not cv2.imwrite(str(folder / f"{name}_{index:03d}.png"), frame):
            raise OSError(f"no picture can be written to {folder}")
    return str(folder / f"{name}_%03d.png")


def another(person: Person) -> Person:
    """Somebody else."""
    return replace(person, skin=(198, 150, 118), hair=(90, 84, 80), jaw=1.25, eyes=0.85, brows=1.6, mouth=0.8, coat=(110, 60, 50))
