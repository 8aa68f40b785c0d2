"""Finds faces and compares a live face with the photo of the card, 1:1, on this machine. Keeps no template, sends nothing, decides about nobody.

Models are files that the administrator names with their digest (device list, FORMATS 8.1); the project ships none. Without them every call
raises ``NoModel`` and a member of staff compares. The three bands are deliberately wide: see ``Bands``. Accuracy was not measured.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from devices.cameras.contract import Frame
from devices.errors import NoModel

__all__ = ["Bands", "Comparison", "Face", "FaceComparer", "FaceFinder", "ModelFile", "Models"]

MOST_MODEL = 128 * 1024 * 1024
"""Bytes; a larger file is no model of ours."""
FINDER_SIDE = 640
"""Pixels of the longer side that the detector sees: YuNet is trained for faces of 10 to 300 px."""
LEAST_SCORE = 0.75
LEAST_EYES = 24.0
"""Pixels between the eyes in the live picture below which nothing is compared."""
MOST_FACES = 16
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model by place and digest (``sha256:`` + 64 hex digits, or only the digits)."""

    path: Path
    sha256: str

    def load(self) -> NDArray[np.uint8]:
        """The bytes, read once and checked; what was checked is what is used. Raises NoModel(why)."""
        try:
            with self.path.open("rb") as file:
                data = file.read(MOST_MODEL + 1)
        except OSError as error:
            raise NoModel(f"cannot be read: {type(error).__name__}", why="missing") from error
        if len(data) > MOST_MODEL or hashlib.sha256(data).hexdigest() != self.sha256.removeprefix("sha256:").lower():
            raise NoModel("the digest is not the listed one", why="digest")
        return np.frombuffer(data, dtype=np.uint8)


@dataclass(frozen=True, slots=True)
class Models:
    """The two models of the device list; either may be missing."""

    detector: ModelFile | None = None
    recogniser: ModelFile | None = None

    @classmethod
    def from_json(cls, untrusted: Mapping[str, object]) -> Models:
        """From ``models`` of ``devices.json``. Raises ValueError."""
        found: dict[str, ModelFile] = {}
        for role in ("detector", "recogniser"):
            entry = untrusted.get(role)
            if entry is None:
                continue
            if not isinstance(entry, dict):
                raise ValueError("a model is path and sha256")
            named = cast("Mapping[str, object]", entry)
            path, digest = named.get("path"), named.get("sha256")
            if not isinstance(path, str) or not isinstance(digest, str) or not path:
                raise ValueError("a model is path and sha256")
            found[role] = ModelFile(Path(path), digest)
        return cls(found.get("detector"), found.get("recogniser"))


@dataclass(frozen=True, slots=True)
class Face:
    """A face: box (x, y, width, height) and five points, in pixels of the picture. "Right" is the person's right (the left side of the picture)."""

    box: tuple[float, float, float, float]
    right_eye: Point
    left_eye: Point
    nose: Point
    right_mouth: Point
    left_mouth: Point
    score: float

    @property
    def eye_distance(self) -> float:
        """Pixels between the eyes."""
        return float(np.hypot(self.left_eye[0] - self.right_eye[0], self.left_eye[1] - self.right_eye[1]))

    @property
    def roll(self) -> float:
        """Degrees by which the head leans; 0 is upright."""
        return float(np.degrees(np.arctan2(self.left_eye[1] - self.right_eye[1], self.left_eye[0] - self.right_eye[0])))

    @property
    def yaw(self) -> float:
        """A rough -1..1: where the nose lies between the eyes (0 = straight ahead, beyond +-0.35 the head is turned)."""
        middle = (self.left_eye[0] + self.right_eye[0]) / 2
        return (self.nose[0] - middle) / max(self.eye_distance, 1.0)


class FaceFinder:
    """Finds faces with YuNet. Not for several threads at once."""

    def __init__(self, model: ModelFile | None) -> None:
        """Raises NoModel where there is none, its digest is wrong or OpenCV cannot read it."""
        if model is None:
            raise NoModel("no detector is listed", why="missing")
        data = model.load()
        try:
            self._detector = cv2.FaceDetectorYN.create("onnx", data, np.empty(0, np.uint8), (320, 320), LEAST_SCORE, 0.3, MOST_FACES)
        except cv2.error as error:
            raise NoModel("OpenCV cannot read the detector", why="format") from error

    def find(self, frame: Frame) -> tuple[Face, ...]:
        """All faces, the largest first; an empty tuple where there is none."""
        scale = min(1.0, FINDER_SIDE / max(frame.shape[:2]))
        small = np.asarray(cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), dtype=np.uint8) if scale < 1 else frame
        self._detector.setInputSize((small.shape[1], small.shape[0]))
        _count, rows = self._detector.detect(small)
        table = cast("NDArray[np.float32] | None", rows)
        if table is None:
            return ()
        faces = [_face(row / np.array([scale] * 14 + [1.0], dtype=np.float32)) for row in table]
        return tuple(sorted(faces, key=lambda face: -face.box[2] * face.box[3]))


@dataclass(frozen=True, slots=True)
class Bands:
    """Cosine thresholds: from ``same`` on the same person, below ``different`` another one, between them nobody knows.

    0.363 is what SFace's authors give for balanced accuracy on LFW; it fixes no false-match rate, and a user of the model needed more than
    0.55 to keep strangers apart (opencv_zoo issue 54). A hall sets its own from a local impostor test; until then ``same`` is high.
    """

    same: float = 0.55
    different: float = 0.20


@dataclass(frozen=True, slots=True)
class Comparison:
    """``verdict`` is same, different or unsure; ``score`` with two digits; ``model`` the digest of the recogniser; ``why`` a key for unsure."""

    verdict: str
    score: str
    model: str
    why: str = field(default="")


class FaceComparer:
    """Compares the photo of a card with live pictures. Not for several threads at once."""

    def __init__(self, models: Models, bands: Bands | None = None) -> None:
        """Raises NoModel where one of both models is missing, has a wrong digest or cannot be read."""
        self.finder = FaceFinder(models.detector)
        if models.recogniser is None:
            raise NoModel("no recogniser is listed", why="missing")
        data = models.recogniser.load()
        self._bands = bands or Bands()
        self._digest = "sha256:" + models.recogniser.sha256.removeprefix("sha256:").lower()
        try:
            self._recogniser = cv2.FaceRecognizerSF.create("onnx", data, np.empty(0, np.uint8))
        except cv2.error as error:
            raise NoModel("OpenCV cannot read the recogniser", why="format") from error

    def compare(self, chip: Frame, live: Sequence[Frame]) -> Comparison:
        """Median over the usable live pictures. Never says "different" for a bad picture: that is unsure. Raises NoModel where the model does not compute."""
        on_card = self._chip_features(chip)
        if on_card is None:
            return self._unsure("chip")
        scores: list[float] = []
        reasons: list[str] = []
        for frame in live:
            faces = self.finder.find(frame)
            reason = _unusable(faces)
            if reason:
                reasons.append(reason)
            else:
                scores.append(self._cosine(on_card, self._features(frame, faces[0])))
        if not scores:
            return self._unsure(reasons[-1] if reasons else "no_face")
        score = median(scores)
        verdict = "same" if score >= self._bands.same else "different" if score < self._bands.different else "unsure"
        return Comparison(verdict, f"{score:.2f}", self._digest, "between" if verdict == "unsure" else "")

    def _unsure(self, why: str) -> Comparison:
        return Comparison("unsure", "", self._digest, why)

    def _chip_features(self, chip: Frame) -> NDArray[np.float32] | None:
        """The card's photo is 102 x 126: enlarged three times on a white border, the detector finds it better."""
        large = np.asarray(cv2.resize(chip, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC), dtype=np.uint8) if chip.shape[0] < 300 else chip
        padded = np.asarray(cv2.copyMakeBorder(large, 60, 60, 60, 60, cv2.BORDER_CONSTANT, value=(255, 255, 255)), dtype=np.uint8)
        faces = self.finder.find(padded)
        return self._features(padded, faces[0]) if len(faces) == 1 else None

    def _features(self, frame: Frame, face: Face) -> NDArray[np.float32]:
        row = np.array([[*face.box, *face.right_eye, *face.left_eye, *face.nose, *face.right_mouth, *face.left_mouth, face.score]], dtype=np.float32)
        try:
            return np.asarray(self._recogniser.feature(self._recogniser.alignCrop(frame, row)), dtype=np.float32).copy()
        except cv2.error as error:
            raise NoModel("the recogniser does not compute", why="format") from error

    def _cosine(self, one: NDArray[np.float32], two: NDArray[np.float32]) -> float:
        return float(self._recogniser.match(one, two, cv2.FaceRecognizerSF_FR_COSINE))


def _unusable(faces: tuple[Face, ...]) -> str:
    if not faces:
        return "no_face"
    largest, others = faces[0], faces[1:]
    if any(other.box[2] > largest.box[2] * 0.4 for other in others):
        return "several_faces"
    if largest.eye_distance < LEAST_EYES:
        return "too_far"
    return "turned" if abs(largest.yaw) > 0.35 or abs(largest.roll) > 20 else ""


def _face(row: NDArray[np.float32]) -> Face:
    values = [float(value) for value in row]
    points = [(values[index], values[index + 1]) for index in range(4, 14, 2)]
    return Face((values[0], values[1], values[2], values[3]), points[0], points[1], points[2], points[3], points[4], values[14])
