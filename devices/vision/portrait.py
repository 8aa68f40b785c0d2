"""The rules for an ID photo that plain OpenCV can check once a face is found, and the crop to 358 x 441. Never retouches, never decides for staff.

Sizes after GA 461-2004 as copied widely; the text of its successor GA/T 461-2019 was not at hand. Checks after the formulas of OFIQ
(ISO/IEC 29794-5) that need no further model. Expression, glasses and head cover are not checked: people look at those.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from devices.cameras.contract import Frame
from devices.vision.face import Face

__all__ = ["PortraitReport", "check", "crop", "packed"]

WIDTH, HEIGHT, DPI = 358, 441, 350
FACE_WIDTH = 207
"""Pixels, +-14."""
HAIR_TOP = 14
"""Pixels from the top, 7-21."""
EYES_ABOVE_BOTTOM = 207
"""Pixels at least; wins where it contradicts the hair's place."""
LEAST_EYES = 60.0
JPEG_QUALITY = 70


@dataclass(frozen=True, slots=True)
class PortraitReport:
    """``must`` are keys that forbid the photo, ``look`` keys that staff looks at; ``picture`` is the crop (441 x 358 x 3) or None."""

    must: tuple[str, ...]
    look: tuple[str, ...]
    picture: Frame | None = field(default=None, repr=False)

    @property
    def good(self) -> bool:
        """True where nothing was found to complain about."""
        return not self.must and not self.look


def check(frame: Frame, faces: tuple[Face, ...] | None = None) -> PortraitReport:
    """All that can be said about a picture. ``faces`` are FaceFinder's; None where no detector is there: then ``look`` has ``not_checked``.

    Keys: no_face several_faces too_far too_close turned tilted dark bright flat uneven colour background not_checked.
    """
    if faces is None:
        return PortraitReport((), ("not_checked", *_background(frame)))
    if not faces:
        return PortraitReport(("no_face",), ())
    face, others = faces[0], faces[1:]
    if others:
        return PortraitReport(("several_faces",), ())
    must: list[str] = []
    if face.eye_distance < LEAST_EYES:
        must.append("too_far")
    if abs(face.yaw) > 0.25:
        must.append("turned")
    if abs(face.roll) > 8:
        must.append("tilted")
    picture = crop(frame, face)
    if picture is None:
        must.append("too_close")
    must_light, look = _light(frame, face)
    return PortraitReport((*must, *must_light), (*look, *_background(frame, face)), picture)


def crop(frame: Frame, face: Face) -> Frame | None:
    """358 x 441 with a face 207 px wide, hair 14 px from the top, eyes at least 207 px above the bottom; None where the picture is too tight."""
    scale = FACE_WIDTH / max(face.box[2], 1.0)
    eye_row = (face.right_eye[1] + face.left_eye[1]) / 2
    top = _hair_row(frame, face) - HAIR_TOP / scale
    lowest_eye = (HEIGHT - EYES_ABOVE_BOTTOM) / scale
    if eye_row - top > lowest_eye:
        top = eye_row - lowest_eye
    left = face.box[0] + face.box[2] / 2 - WIDTH / 2 / scale
    right, bottom = left + WIDTH / scale, top + HEIGHT / scale
    slack = 0.02 * frame.shape[0]
    if left < -slack or top < -slack or right > frame.shape[1] + slack or bottom > frame.shape[0] + slack:
        return None
    matrix = np.array([[scale, 0, -left * scale], [0, scale, -top * scale]], dtype=np.float32)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.warpAffine(frame, matrix, (WIDTH, HEIGHT), flags=method, borderMode=cv2.BORDER_REPLICATE), dtype=np.uint8)


def packed(picture: Frame) -> bytes:
    """The crop as JPEG of quality 70 that says 350 dpi. Raises ValueError where it is not 358 x 441."""
    if picture.shape != (HEIGHT, WIDTH, 3):
        raise ValueError("an ID photo is 358 x 441 pixels")
    done, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not done:
        raise ValueError("the picture could not be packed")
    data = bytearray(jpeg.tobytes())
    if data.startswith(b"JFIF\x00", 6):
        data[13] = 1
        data[14:18] = DPI.to_bytes(2, "big") * 2
    return bytes(data)


def _hair_row(frame: Frame, face: Face) -> float:
    """The first row from above in which something other than background stands over the face; by proportion where that is not to be seen."""
    x, y, width, height = face.box
    guess = y - 0.30 * height
    left, right = max(int(x + width * 0.25), 0), min(int(x + width * 0.75), frame.shape[1])
    lowest = int(max(y + 0.1 * height, 1))
    if right - left < 4 or lowest > frame.shape[0]:
        return guess
    above = frame[:lowest, left:right].astype(np.int16)
    background = np.median(frame[: max(lowest // 12, 2), :], axis=(0, 1)).astype(np.int16)
    unlike = np.abs(above - background).max(axis=2) > 45
    rows = np.flatnonzero(unlike.mean(axis=1) > 0.3)
    if rows.size == 0:
        return guess
    found = float(rows[0])
    return found if y - 0.9 * height < found < y + 0.1 * height else guess


def _light(frame: Frame, face: Face) -> tuple[list[str], list[str]]:
    x, y, width, height = (int(value) for value in face.box)
    region = frame[max(y, 0) : y + height, max(x + width // 8, 0) : x + width - width // 8]
    if region.size == 0:
        return ["too_close"], []
    grey = np.asarray(cv2.cvtColor(region, cv2.COLOR_BGR2GRAY), dtype=np.uint8)
    must: list[str] = []
    look: list[str] = []
    if float((grey >= 247).mean()) > 0.10:
        must.append("bright")
    if float(grey.mean()) < 60 or float((grey <= 25).mean()) > 0.35:
        must.append("dark")
    share = np.asarray(cv2.calcHist([grey], [0], None, [256], [0, 256])).reshape(-1) / grey.size
    entropy = float(-(share[share > 0] * np.log2(share[share > 0])).sum())
    if entropy * 12.5 < 50:
        look.append("flat")
    if _uneven(grey):
        look.append("uneven")
    lab = np.asarray(cv2.cvtColor(region, cv2.COLOR_BGR2LAB), dtype=np.float32)
    a, b = float(np.median(lab[:, :, 1])) - 128, float(np.median(lab[:, :, 2])) - 128
    if not (2 <= a <= 28 and 2 <= b <= 38):
        look.append("colour")
    return must, look


def _uneven(grey: NDArray[np.uint8]) -> bool:
    """(sum of the smaller of both cheeks' histograms) ^ 0.3 below 0.55."""
    third = grey.shape[1] // 3
    rows = slice(grey.shape[0] // 3, grey.shape[0] * 3 // 4)
    sides = [np.histogram(cheek, bins=32, range=(0, 256))[0].astype(np.float64) for cheek in (grey[rows, :third], grey[rows, -third:])]
    parts = [side / max(float(side.sum()), 1.0) for side in sides]
    return float(np.minimum(parts[0], parts[1]).sum()) ** 0.3 < 0.55


def _background(frame: Frame, face: Face | None = None) -> tuple[str, ...]:
    """White and even beside the head: mean above 225, deviation below 18 (GA 461 asks white; numbers from practice, not from the text)."""
    bottom = int(face.box[1] + face.box[3] * 0.5) if face is not None else frame.shape[0] // 3
    side = max(frame.shape[1] // 12, 2)
    left, right = side, side
    if face is not None:
        left = max(min(int(face.box[0] - face.box[2] * 0.5), side * 2), 2)
        right = max(min(int(frame.shape[1] - face.box[0] - face.box[2] * 1.5), side * 2), 2)
    upper = frame[: max(bottom, 2)]
    strips = np.concatenate([upper[:, :left].reshape(-1, 3), upper[:, -right:].reshape(-1, 3)]).astype(np.float32)
    return ("background",) if float(strips.min(axis=1).mean()) < 225 or float(strips.std()) > 18 else ()
