"""What a camera can do for us. Never writes a picture to the disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from devices.base import Device

__all__ = ["Camera", "CameraDriver", "Frame", "Still"]

Frame = NDArray[np.uint8]
"""Height x width x 3, BGR, 8 bit."""


@dataclass(frozen=True, slots=True)
class Still:
    """A picture taken for the record: JPEG bytes (quality 90) with its size in pixels."""

    jpeg: bytes = field(repr=False)
    width: int
    height: int


class Camera(Protocol):
    """An open camera; a context manager. ``frame`` blocks for at most 2 s and raises CameraGone when no picture comes."""

    device: Device

    def frame(self) -> Frame: ...

    def still(self) -> Still:
        """The best picture this camera can give now (full resolution)."""
        ...

    def __enter__(self) -> Camera: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> Any: ...


class CameraDriver(Protocol):
    """Finds and opens cameras."""

    @property
    def name(self) -> str: ...

    def find(self) -> Sequence[Device]: ...

    def open(self, device: Device) -> Camera: ...
