"""Models by digest, faces found on drawn people, three bands."""

from __future__ import annotations

import hashlib

import cv2
import pytest

from devices.errors import NoModel
from devices.vision.face import Bands, FaceComparer, FaceFinder, ModelFile, Models
from tests.emulators.onnx import tiny_recogniser
from tests.emulators.pictures import Person, another, chip_photo, live_frames, portrait


def listed(path) -> ModelFile:
    return ModelFile(path, "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest())


def test_without_models_there_is_no_comparison(detector, tmp_path):
    for models in (Models(), Models(detector=detector), Models(recogniser=listed(tiny_recogniser(tmp_path / "r.onnx")))):
        with pytest.raises(NoModel):
            FaceComparer(models)


def test_a_model_with_another_digest_is_refused(detector, tmp_path):
    with pytest.raises(NoModel) as caught:
        FaceFinder(ModelFile(detector.path, "0" * 64))
    assert caught.value.facts["why"] == "digest"
    with pytest.raises(NoModel) as caught:
        FaceFinder(ModelFile(tmp_path / "gone.onnx", "0" * 64))
    assert caught.value.facts["why"] == "missing"


def test_a_file_that_is_no_model_is_refused(tmp_path):
    junk = tmp_path / "junk.onnx"
    junk.write_bytes(b"no model at all" * 100)
    with pytest.raises(NoModel) as caught:
        FaceFinder(listed(junk))
    assert caught.value.facts["why"] == "format"


def test_models_from_the_device_list():
    models = Models.from_json({"detector": {"path": "/m/d.onnx", "sha256": "sha256:00"}, "recogniser": None})
    assert models.detector is not None and models.recogniser is None
    for bad in ({"detector": "x"}, {"detector": {"path": ""}}, {"recogniser": {"path": 3, "sha256": ""}}):
        with pytest.raises(ValueError):
            Models.from_json(bad)


def test_a_drawn_face_is_found(finder):
    faces = finder.find(portrait(1920, 1440))
    assert len(faces) == 1
    face = faces[0]
    assert abs(face.box[0] + face.box[2] / 2 - 960) < 40 and 300 < face.box[2] < 520
    assert abs(face.roll) < 4 and abs(face.yaw) < 0.15
    assert finder.find(portrait(face=0.01)) == ()


@pytest.fixture(scope="module")
def comparer(detector, tmp_path_factory):
    recogniser = listed(tiny_recogniser(tmp_path_factory.mktemp("model") / "tiny.onnx"))
    return FaceComparer(Models(detector, recogniser))


def test_the_same_person_is_the_same(comparer):
    found = comparer.compare(chip_photo(), live_frames(4))
    assert found.verdict == "same" and 0.55 <= float(found.score) <= 1 and found.model.startswith("sha256:")


def test_the_bands(detector, tmp_path):
    recogniser = listed(tiny_recogniser(tmp_path / "tiny.onnx"))
    frames = live_frames(3, another(Person()))
    strict = FaceComparer(Models(detector, recogniser), Bands(same=1.01, different=-1.0)).compare(chip_photo(), frames)
    assert (strict.verdict, strict.why) == ("unsure", "between")
    other = FaceComparer(Models(detector, recogniser), Bands(same=1.02, different=1.01)).compare(chip_photo(), frames)
    assert other.verdict == "different"


@pytest.mark.parametrize("why", ["no_face", "several_faces", "too_far", "chip"])
def test_a_bad_picture_is_unsure_never_different(comparer, why):
    chip = chip_photo()
    pair = cv2.hconcat([portrait(640, 720, face=0.4), portrait(640, 720, face=0.4)])
    frames = {"no_face": [portrait(face=0.01)], "several_faces": [pair], "too_far": [portrait(640, 480, face=0.09)], "chip": live_frames(2)}[why]
    found = comparer.compare(chip * 0 + 255 if why == "chip" else chip, frames)
    assert (found.verdict, found.why, found.score) == ("unsure", why, "")
