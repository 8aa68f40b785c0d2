"""Drafts at rest: their text in rows of the store, their pictures as encrypted files under a key of the draft's own. Never judges or sends a draft.

Dropping the row drops the key; the files are unreadable from that moment and are unlinked after it. A picture belongs to its draft from ``add_still`` on,
whether a text names it yet or not: a crash between the two loses nothing. What a text named once and a later one does not was taken out of the draft.
"""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sync.blobs import Blobs
from sync.canon import digest, parse_json
from sync.ciphers import NONCE_BYTES, Segments, new_key
from sync.draft import Draft, DraftStill, time_text
from sync.errors import DiskFull, FormatTrouble, NoRoomToBegin, NotAllowed, StoreTrouble
from sync.sqlcipher import Connection
from sync.store import Store

__all__ = ["Parked", "drop_draft"]


class Parked:
    """The parked drafts of one store. ``clock`` gives aware UTC times."""

    def __init__(self, store: Store, blobs: Blobs, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._blobs = blobs
        self._clock = clock

    def put(self, draft: Draft, photo: bytes | None = None) -> None:
        """Keeps the draft's present text, and the chip's photo where one is given; forgets the stills that the text names no more.

        Raises NotAllowed where its id is another owner's, NoRoomToBegin (a new draft below the floor), DiskFull, StoreTrouble.
        """
        body = _body(draft)
        with self._store.write() as tx:
            found = tx.execute("SELECT owner FROM drafts WHERE draft_id = ?", (draft.draft_id,)).fetchone()
            if found is None:
                self._check_room_to_begin()
            elif found[0] != draft.owner:
                raise NotAllowed("the draft belongs to another person", role="owner")
            tx.execute("INSERT INTO drafts (draft_id, owner, created_at, saved_at, body, key, photo, replaces, amends) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
                       " ON CONFLICT (draft_id) DO UPDATE SET body = excluded.body, saved_at = excluded.saved_at, photo = coalesce(excluded.photo, photo)",
                       (draft.draft_id, draft.owner, time_text(draft.created_at), time_text(self._clock()), body, new_key(), photo,
                        draft.replaces, _amended(draft)))
            gone = _settle_stills(tx, draft)
        for blob_id in gone:
            self._blobs.drop(blob_id)

    def put_whole(self, draft: Draft, contents: Mapping[str, bytes], check: Callable[[Connection], None]) -> None:
        """A new draft with all its stills (``contents`` by still id) in one transaction that ``check`` begins: whole, or not at all.

        Raises what ``check`` raises, NoRoomToBegin, DiskFull, StoreTrouble (also: another draft repairs or corrects the same record).
        """
        self._check_room_to_begin()
        key = new_key()
        nonces = [os.urandom(NONCE_BYTES) for _ in draft.stills]
        written: list[str] = []
        with self._blobs.named(written):
            for still, nonce in zip(draft.stills, nonces, strict=True):
                sealed = Segments(key, nonce, _context(draft.draft_id, still.still_id)).seal_all((contents[still.still_id],))
                written.append(self._blobs.write(sealed))
            with self._store.write() as tx:
                check(tx)
                tx.execute("INSERT INTO drafts (draft_id, owner, created_at, saved_at, body, key, replaces, amends) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                           (draft.draft_id, draft.owner, time_text(draft.created_at), time_text(self._clock()), _body(draft), key, draft.replaces,
                            _amended(draft)))
                for still, nonce, blob_id in zip(draft.stills, nonces, written, strict=True):
                    _insert_still(tx, draft.draft_id, still, nonce, blob_id, named=True)

    def sitting_of(self, record_id: str) -> str:
        """The draft in which a record is repaired or corrected, or an empty text."""
        with self._store.read() as rows:
            found = rows.execute("SELECT draft_id FROM drafts WHERE replaces = ? AND replaces != '' UNION ALL"
                                 " SELECT draft_id FROM drafts WHERE amends = ? AND amends != '' LIMIT 1", (record_id, record_id)).fetchone()
        return "" if found is None else str(found[0])

    def get(self, draft_id: str, owner: str | None = None) -> Draft | None:
        """The draft with all its stills, or None. Raises NotAllowed where ``owner`` is given and is another, FormatTrouble, StoreTrouble."""
        with self._store.read() as rows:
            found = rows.execute("SELECT owner, body FROM drafts WHERE draft_id = ?", (draft_id,)).fetchone()
            stills = _unnamed(rows, draft_id)
        if found is None:
            return None
        if owner is not None and found[0] != owner:
            raise NotAllowed("the draft belongs to another person", role="owner")
        return _draft(found[1], stills)

    def photo(self, draft_id: str) -> bytes | None:
        """The chip's photo of a draft, or None."""
        with self._store.read() as rows:
            found = rows.execute("SELECT photo FROM drafts WHERE draft_id = ?", (draft_id,)).fetchone()
        return bytes(found[0]) if found is not None and found[0] is not None else None

    def list(self, owner: str) -> tuple[Draft, ...]:
        """The drafts of one owner, oldest first."""
        with self._store.read() as rows:
            found = rows.execute("SELECT draft_id, body FROM drafts WHERE owner = ? ORDER BY created_at, draft_id", (owner,)).fetchall()
            return tuple(_draft(body, _unnamed(rows, str(draft_id))) for draft_id, body in found)

    def drop(self, draft_id: str) -> None:
        """Forgets the draft, its key and its stills; one that is not there is no fault."""
        with self._store.write() as tx:
            blobs = drop_draft(tx, draft_id)
        self._store.forget_old_pages()
        for blob_id in blobs:
            self._blobs.drop(blob_id)

    def add_still(self, draft_id: str, kind: str, media: str, content: bytes, trust: str = "B", pages: int = 1) -> DraftStill:
        """Keeps a picture or document of a draft that was put before; the caller takes the answer into the draft (``taken``) and puts it.

        Raises StoreTrouble (step ``draft``) where the draft is not parked, NoRoomToBegin where it could not be, DiskFull.
        """
        still = DraftStill(kind, str(uuid.uuid4()), media, len(content), digest(content), pages, trust)
        try:
            with self._store.read() as rows:
                key = _key(rows, draft_id)
        except StoreTrouble:
            self._check_room_to_begin()
            raise
        nonce = os.urandom(NONCE_BYTES)
        blob_id = self._blobs.write(Segments(key, nonce, _context(draft_id, still.still_id)).seal_all((content,)))
        with self._blobs.named((blob_id,)), self._store.write() as tx:
            _key(tx, draft_id)  # may have been dropped meanwhile
            _insert_still(tx, draft_id, still, nonce, blob_id)
        return still

    def still(self, still_id: str) -> bytes:
        """The bytes of a still, its digest compared. Raises StoreTrouble (step ``still``) where it is not there, FormatTrouble where it was changed."""
        with self._store.read() as rows:
            found = rows.execute("SELECT d.key, s.draft_id, s.nonce, s.blob_id, s.sha256 FROM stills s JOIN drafts d USING (draft_id) WHERE s.still_id = ?",
                                 (still_id,)).fetchone()
        if found is None:
            raise StoreTrouble("the still is not there", step="still")
        key, draft_id, nonce, blob_id, sha256 = found
        content = b"".join(Segments(bytes(key), bytes(nonce), _context(draft_id, still_id)).open_all((self._blobs.read(blob_id),)))
        if digest(content) != sha256:
            raise FormatTrouble("the still is not what its row says", what="still")
        return content

    def drop_still(self, still_id: str) -> None:
        """Forgets one still; one that is not there is no fault."""
        with self._store.write() as tx:
            found = tx.execute("SELECT blob_id FROM stills WHERE still_id = ?", (still_id,)).fetchone()
            tx.execute("DELETE FROM stills WHERE still_id = ?", (still_id,))
        if found is not None:
            self._blobs.drop(str(found[0]))

    def _check_room_to_begin(self) -> None:
        """Raises NoRoomToBegin where no new sitting may begin."""
        try:
            self._blobs.check_room()
        except DiskFull as full:
            raise NoRoomToBegin("a new sitting", **full.facts) from full


def drop_draft(tx: Connection, draft_id: str) -> tuple[str, ...]:
    """Deletes a draft's rows in ``tx``; the answer is the blobs to drop once the transaction is committed."""
    blobs = tuple(str(row[0]) for row in tx.execute("SELECT blob_id FROM stills WHERE draft_id = ?", (draft_id,)).fetchall())
    tx.execute("DELETE FROM drafts WHERE draft_id = ?", (draft_id,))
    return blobs


def _body(draft: Draft) -> str:
    return json.dumps(draft.as_json(), ensure_ascii=False, separators=(",", ":"))


def _amended(draft: Draft) -> str:
    return draft.amends.record_id if draft.amends is not None else ""


def _insert_still(tx: Connection, draft_id: str, still: DraftStill, nonce: bytes, blob_id: str, named: bool = False) -> None:
    tx.execute("INSERT INTO stills (still_id, draft_id, kind, media, size, sha256, pages, trust, nonce, blob_id, named)"
               " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
               (still.still_id, draft_id, still.kind, still.media, still.size, still.sha256, still.pages, still.trust, nonce, blob_id, int(named)))


def _key(rows: Connection, draft_id: str) -> bytes:
    found = rows.execute("SELECT key FROM drafts WHERE draft_id = ?", (draft_id,)).fetchone()
    if found is None:
        raise StoreTrouble("the draft is not parked", step="draft")
    return bytes(found[0])


def _context(draft_id: str, still_id: str) -> bytes:
    """Binds a still's segments to its draft and its row."""
    return hashlib.sha256(f"hall-intake/still/1 {draft_id} {still_id}".encode()).digest()


def _draft(body: Any, stills: tuple[DraftStill, ...] = ()) -> Draft:
    draft = Draft.from_json(parse_json(str(body).encode("utf-8"), "draft"))
    for one in stills:
        if one.still_id not in {known.still_id for known in draft.stills}:
            draft = draft.taken(one)
    return draft


def _unnamed(rows: Connection, draft_id: str) -> tuple[DraftStill, ...]:
    """Stills that no text of the draft has named yet, in the order in which they were taken."""
    found = rows.execute("SELECT kind, still_id, media, size, sha256, pages, trust FROM stills WHERE draft_id = ? AND named = 0 ORDER BY rowid", (draft_id,))
    return tuple(DraftStill(*row) for row in found.fetchall())


def _settle_stills(tx: Connection, draft: Draft) -> tuple[str, ...]:
    """Notes which stills the text names, and deletes the rows of those that an earlier text named; the answer is the blobs to drop after the commit."""
    named = {one.still_id for one in draft.stills}
    gone: list[str] = []
    for still_id, blob_id, before in tx.execute("SELECT still_id, blob_id, named FROM stills WHERE draft_id = ?", (draft.draft_id,)).fetchall():
        if still_id in named:
            if not before:
                tx.execute("UPDATE stills SET named = 1 WHERE still_id = ?", (still_id,))
        elif before:
            tx.execute("DELETE FROM stills WHERE still_id = ?", (still_id,))
            gone.append(str(blob_id))
    return tuple(gone)
