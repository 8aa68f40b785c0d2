"""What becomes of a record that was repaired or corrected, in the transaction that keeps the new one. Never opens a transaction of its own.

One that was repaired goes out of the queue. One that was corrected stays what it is, for the province has it: it names its correction and asks for nobody.
The old packet stays until the new one's is forgotten, and that is never before the province's receipt for the new one is here.
"""

from __future__ import annotations

from sync.errors import RepairOpen, StoreTrouble
from sync.journal import Journal
from sync.life import allowed
from sync.sqlcipher import Connection

__all__ = ["forget_replaced", "is_being_corrected", "refuse_open_repair", "take_place"]


def take_place(tx: Connection, journal: Journal, who: str, draft_id: str, record_id: str) -> None:
    """In the transaction that keeps ``record_id`` out of ``draft_id``: what the draft repairs is ``replaced`` by it, what it corrects ``amended_by`` it.

    Nothing where it does neither. Raises StoreTrouble (step ``state``) where the one is not set aside any more, the other has another correction, or either
    is not of ``who``.
    """
    found = tx.execute("SELECT replaces, amends FROM drafts WHERE draft_id = ?", (draft_id,)).fetchone()
    repaired, corrected = ("", "") if found is None else (str(found[0]), str(found[1]))
    if repaired:
        _retire(tx, journal, who, repaired, record_id)
    if corrected:
        _amend(tx, journal, who, corrected, record_id, repaired)


def _retire(tx: Connection, journal: Journal, who: str, old: str, record_id: str) -> None:
    row = tx.execute("SELECT state, owner FROM outbox WHERE record_id = ?", (old,)).fetchone()
    if row is None or not allowed(str(row[0]), "replaced") or row[1] != who:
        raise StoreTrouble("what was repaired is not set aside any more", step="state")
    tx.execute("UPDATE outbox SET state = 'replaced', state_before = '', replaced_by = ? WHERE record_id = ?", (record_id, old))
    journal.write(tx, who, "record.replaced", old, {"by": record_id})


def _amend(tx: Connection, journal: Journal, who: str, old: str, record_id: str, repaired: str) -> None:
    """``repaired``: the correction before, which was set aside and in whose place this one is kept."""
    row = tx.execute("SELECT owner, amended_by, revision FROM outbox WHERE record_id = ?", (old,)).fetchone()
    if row is None or row[0] != who or row[1] not in ("", repaired):
        raise StoreTrouble("what was corrected has another correction", step="state")
    tx.execute("UPDATE outbox SET amended_by = ? WHERE record_id = ?", (record_id, old))
    tx.execute("UPDATE outbox SET amends = ?, revision = ? WHERE record_id = ?", (old, int(row[2]) + 1, record_id))
    journal.write(tx, who, "record.amended", old, {"by": record_id})


def is_being_corrected(tx: Connection, record_id: str) -> bool:
    """Whether a sitting corrects it: its contents stay, for what was changed is shown against them."""
    return tx.execute("SELECT 1 FROM drafts WHERE amends = ? AND amends != ''", (record_id,)).fetchone() is not None


def refuse_open_repair(tx: Connection, record_id: str) -> None:
    """Raises RepairOpen while a sitting repairs the record: sent or signed again meanwhile, it would be there beside the repaired one."""
    if tx.execute("SELECT 1 FROM drafts WHERE replaces = ? AND replaces != ''", (record_id,)).fetchone() is not None:
        raise RepairOpen("it is being repaired")


def forget_replaced(tx: Connection, journal: Journal, record_id: str) -> tuple[str, ...]:
    """In the transaction that forgets ``record_id``, whose receipt is here: keys, names and packets of all that it came in the place of.

    The rows stay ``replaced``. The answer is the blobs to drop once the transaction is committed.
    """
    blobs: list[str] = []
    waiting = [record_id]
    while waiting:
        by = waiting.pop()
        for old, blob_id, packet in tx.execute("SELECT record_id, packet_blob, packet_digest FROM outbox WHERE replaced_by = ? AND replaced_by != ''"
                                               " AND state = 'replaced' AND packet_blob IS NOT NULL", (by,)).fetchall():
            tx.execute("DELETE FROM packet_keys WHERE record_id = ?", (old,))
            tx.execute("UPDATE outbox SET packet_blob = NULL, name = '', id_tail = '' WHERE record_id = ?", (old,))
            journal.write(tx, "station", "record.purged", str(old), {"packet": str(packet)})
            blobs.append(str(blob_id))
            waiting.append(str(old))
    return tuple(blobs)
