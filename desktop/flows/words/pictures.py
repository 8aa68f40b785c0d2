"""Events and effects of taking pictures. Never carries a live frame: those go straight to the preview."""

from __future__ import annotations

from dataclasses import dataclass, field

from desktop.flows.words.facts import Hint
from sync.draft import DraftStill

__all__ = [
    "CaptureClosed", "CapturePressed", "ClosePreview", "CompareFaces", "DocumentPressed", "DropStill", "FaceCompared", "FileGiven", "HintSeen",
    "OpenPreview", "OriginalSeen", "PortraitPressed", "StillDropped", "StillTaken", "TakeDocument", "TakeFile", "TakePortrait",
]


@dataclass(frozen=True, slots=True)
class PortraitPressed:
    """F3."""


@dataclass(frozen=True, slots=True)
class DocumentPressed:
    """F4; ``kind`` of sync.record.ATTACHMENT_KINDS, empty = the first one that is missing."""

    kind: str = ""


@dataclass(frozen=True, slots=True)
class OpenPreview:
    """Effect: start the camera for ``use`` (portrait, document); frames go straight to the window's preview, not through events.
    HintSeen meanwhile. Answer on trouble only: Failed(NoCamera...).
    """

    use: str


@dataclass(frozen=True, slots=True)
class ClosePreview:
    """Effect: stop the camera. No answer."""


@dataclass(frozen=True, slots=True)
class HintSeen:
    """What to say under the live picture."""

    hint: Hint | None


@dataclass(frozen=True, slots=True)
class CapturePressed:
    """Space or Enter: take the picture."""


@dataclass(frozen=True, slots=True)
class OriginalSeen:
    """Whether the operator saw the original of this document: evidence level B, else C (国办函〔2016〕108号)."""

    seen: bool


@dataclass(frozen=True, slots=True)
class TakePortrait:
    """Effect: a still for the record, checked and kept encrypted. Answer: StillTaken, or Failed."""

    draft_id: str


@dataclass(frozen=True, slots=True)
class TakeDocument:
    """Effect: a flattened page of ``kind`` with evidence level ``trust``, kept encrypted. Answer: StillTaken, or Failed."""

    draft_id: str
    kind: str
    trust: str


@dataclass(frozen=True, slots=True)
class FileGiven:
    """A file was chosen or dropped for the document that is being captured."""

    path: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class TakeFile:
    """Effect: open a file in a child process and keep its pages as ``kind``. Answer: StillTaken, or Failed(FileHostile)."""

    draft_id: str
    kind: str
    path: str = field(repr=False)
    trust: str


@dataclass(frozen=True, slots=True)
class StillTaken:
    """A picture is kept with the draft ``draft_id``, whichever lies open by now. ``thumbnail`` encoded, at most 480 px; ``hints`` of its quality."""

    still: DraftStill
    thumbnail: bytes = field(repr=False)
    hints: tuple[Hint, ...] = ()
    draft_id: str = ""


@dataclass(frozen=True, slots=True)
class CaptureClosed:
    """Back to the form."""


@dataclass(frozen=True, slots=True)
class StillDropped:
    """A picture is taken out of the sitting."""

    still_id: str


@dataclass(frozen=True, slots=True)
class DropStill:
    """Effect: erase the bytes of a still. No answer."""

    draft_id: str
    still_id: str


@dataclass(frozen=True, slots=True)
class CompareFaces:
    """Effect: chip photo against the portrait, on this machine. Answer: FaceCompared(way=model), or Failed(NoModel)."""

    draft_id: str
    still_id: str
    chip_photo: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class FaceCompared:
    """``verdict`` same, different, unsure; ``way`` model or staff; ``score`` and ``model`` as FORMATS 1 ``evidence.face``; ``still_id`` the portrait that
    was compared (empty: staff looked at the one on the screen).
    """

    verdict: str
    way: str
    score: str = ""
    model: str = ""
    still_id: str = ""
