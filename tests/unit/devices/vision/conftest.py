"""The detector's model file: named by HALL_INTAKE_TEST_MODELS, or in shared/models beside the checkout. Tests without it are skipped."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from devices.vision.face import FaceFinder, ModelFile

YUNET = "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"


@pytest.fixture(scope="session")
def detector() -> ModelFile:
    named = os.environ.get("HALL_INTAKE_TEST_MODELS")
    here = Path(__file__).resolve()
    folders = [Path(named)] if named else [parent / "shared" / "models" for parent in here.parents[4:8]]
    for folder in folders:
        path = folder / "face_detection_yunet_2023mar.onnx"
        if path.is_file():
            return ModelFile(path, YUNET)
    pytest.skip("no detector model beside the checkout")


@pytest.fixture(scope="session")
def finder(detector) -> FaceFinder:
    return FaceFinder(detector)
