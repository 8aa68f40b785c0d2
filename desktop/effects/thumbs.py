"""Small pictures of what was captured, for lists and the review page. Never opens a file that somebody brought: those are opened in a child process."""

from __future__ import annotations

import cv2
import numpy as np

__all__ = ["THUMB_PIXELS", "encoded", "thumbnail"]

THUMB_PIXELS = 480
"""Longest side of a thumbnail."""
_QUALITY = 80


def thumbnail(content: bytes, media: str = "image/jpeg") -> bytes:
    """JPEG of at most 480 pixels of a picture that this program encoded itself; empty where there is none (a PDF)."""
    if not media.startswith("image/"):
        return b""
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    return b"" if picture is None else encoded(picture, THUMB_PIXELS, _QUALITY)


def encoded(picture: np.ndarray, longest: int = 0, quality: int = 75) -> bytes:
    """JPEG bytes (quality 75 = an A4 page at 200 dpi has about 0.6 MB), scaled so that the longest side is at most ``longest`` pixels (0 = as it is)."""
    height, width = picture.shape[:2]
    if longest and max(height, width) > longest:
        scale = longest / max(height, width)
        picture = cv2.resize(picture, (max(1, round(width * scale)), max(1, round(height * scale))), interpolation=cv2.INTER_AREA)
    ok, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not ok:
        raise ValueError("the picture cannot be encoded")
    return data.tobytes()
