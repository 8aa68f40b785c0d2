"""Parks, opens and drops sittings. Never loses the last change: what waits to be written is written before the program ends."""

from __future__ import annotations

import uuid
from threading import Event
from typing import Any

from PySide6.QtCore import QTimer

from desktop.bridge.jobs import Jobs
from desktop.effects.carry import Post
from desktop.effects.thumbs import thumbnail
from desktop.flows.machine import Failed
from desktop.flows.words import (
    DraftOpened,
    DraftParked,
    DraftSaved,
    DropDraft,
    DropStill,
    ListParked,
    NewSitting,
    Note,
    OpenDraft,
    ParkDraft,
    ParkedFacts,
    ParkedListed,
    SaveDraft,
    SittingMade,
)
from desktop.rooms import Rooms, now
from resources.trouble import Trouble
from sync.draft import Draft
from sync.errors import StoreTrouble

__all__ = ["DraftWork"]

_SAVE_MS = 500
"""A parked draft is written at most this often while a person types (house plan, formats)."""


class DraftWork:
    """Handlers of the outbox lane that deal with drafts. ``rooms`` gives the open rooms, ``owner`` the row owner of who is logged in,
    ``open_id`` the draft that lies open on the desk, or an empty text.
    """

    def __init__(self, rooms: Any, owner: Any, open_id: Any, jobs: Jobs) -> None:
        self._rooms, self._owner, self._open_id, self._jobs = rooms, owner, open_id, jobs
        self._waiting: tuple[Draft, bytes | None, Post] | None = None
        self._over: set[str] = set()
        self._timer = QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SAVE_MS)
        self._timer.timeout.connect(self.write_now)

    def save(self, order: SaveDraft, post: Post) -> None:
        """In the main thread: the last draft of a burst is the one that is written."""
        if self._waiting is not None and self._waiting[0].draft_id != order.draft.draft_id:
            self.write_now()
        photo = order.photo or (self._waiting[1] if self._waiting is not None else None)
        self._waiting = (order.draft, photo, post)
        if order.now:
            self.write_now()
        elif not self._timer.isActive():
            self._timer.start()

    def write_now(self) -> None:
        """Start writing what waits."""
        self._timer.stop()
        if self._waiting is None:
            return
        (draft, photo, post), self._waiting = self._waiting, None

        def write(_cancel: Event, _tell: Any) -> DraftSaved | None:
            if draft.draft_id in self._over:
                return None
            self._rooms().parked.put(draft, photo)
            return DraftSaved(draft.draft_id, now())

        def done(saved: DraftSaved | None) -> None:
            if saved is not None:
                post(saved)

        def failed(trouble: Trouble) -> None:
            post(Failed(trouble, "SaveDraft"))

        self._jobs.start("outbox", write, done, failed)

    def end(self, draft_id: str) -> None:
        """In the outbox lane: the draft became a record or was thrown away; a text of it that still comes is not written any more."""
        self._over.add(draft_id)

    def make(self, _order: NewSitting, post: Post) -> None:
        post(SittingMade(str(uuid.uuid4()), now()))

    def park(self, order: ParkDraft, post: Post) -> None:
        """In the main thread: an older text of the same draft that still waits must not be written after this one."""
        self._forget(order.draft.draft_id)
        draft = order.draft

        def write(_cancel: Event, _tell: Any) -> DraftParked:
            self._rooms().parked.put(draft)
            return DraftParked(draft.draft_id)

        self._jobs.start("outbox", write, post, lambda trouble: post(Failed(trouble, "ParkDraft")))

    def list(self, _order: ListParked, _cancel: Event, _tell: Any) -> ParkedListed:
        rooms: Rooms = self._rooms()
        owner = self._owner()
        found = (d for d in reversed(rooms.parked.list(owner)) if d.draft_id != self._open_id())
        return ParkedListed(tuple(ParkedFacts(d.draft_id, d.text("person.name_zh"), d.text("person.id_doc_no")[-4:], _last_change(d)) for d in found), owner)

    def open(self, order: OpenDraft, _cancel: Event, _tell: Any) -> DraftOpened:
        rooms: Rooms = self._rooms()
        draft = rooms.parked.get(order.draft_id, self._owner())
        if draft is None:
            raise StoreTrouble("the draft is not here", step="draft")
        pictures = {one.still_id: thumbnail(rooms.parked.still(one.still_id), one.media) for one in draft.stills}
        return DraftOpened(draft, pictures, now(), rooms.parked.photo(order.draft_id))

    def drop(self, order: DropDraft, post: Post) -> None:
        """In the main thread first: what still waits to be written must not bring the draft back."""
        self._forget(order.draft_id)
        owner = self._owner()

        def erase(_cancel: Event, _tell: Any) -> None:
            rooms: Rooms = self._rooms()
            if rooms.parked.get(order.draft_id, owner) is not None:
                rooms.parked.drop(order.draft_id)
                rooms.note(owner, "draft.dropped", order.draft_id)
            self.end(order.draft_id)

        self._jobs.start("outbox", erase, None, lambda trouble: post(Failed(trouble, "DropDraft")))

    def drop_still(self, order: DropStill, _cancel: Event, _tell: Any) -> None:
        self._rooms().parked.drop_still(order.still_id)

    def note(self, order: Note, post: Post) -> None:
        """In the main thread first: the line is of who did it, though the lane may come to it after another person sat down, or nobody."""
        owner = self._owner()
        self._jobs.start("outbox", lambda _cancel, _tell: self._rooms().note(owner, order.what, order.about, dict(order.facts)), None,
                         lambda trouble: post(Failed(trouble, "Note")))

    def _forget(self, draft_id: str) -> None:
        if self._waiting is not None and self._waiting[0].draft_id == draft_id:
            self._waiting = None
            self._timer.stop()


def _last_change(draft: Draft) -> Any:
    return max((entry.at for entry in draft.entries.values()), default=draft.created_at)
