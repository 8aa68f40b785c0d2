"""``hall-intake outbox``: what is kept, sent and receipted, without a window. Never prints a person's name or number and never sends anything."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from datetime import UTC, datetime

from desktop.commands.saying import complain
from desktop.folders import data_folder
from resources.trouble import Trouble
from sync.blobs import Blobs
from sync.draft import time_text
from sync.journal import Journal, verify_lines
from sync.keys import KeyCabinet
from sync.life import STATES
from sync.outbox import Outbox, OutboxRow
from sync.store import Store, open_folder

__all__ = ["add_arguments", "run"]

_HEADS = ("记录 record", "状态 state", "保存 kept", "下次 next try", "次数 tries", "原因 why")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of this command."""
    acts = parser.add_subparsers(dest="act", required=True, metavar="动作")
    listed = acts.add_parser("list", help="列出记录 (list)")
    listed.add_argument("--state", choices=sorted(STATES), action="append", help="只列这种状态 (only this state)")
    listed.add_argument("--owner", help="只列这个人的 (only this owner, e.g. op:OP-000017)")
    for name, words in (("show", "一条记录的情况 (one record)"), ("retry", "放回队列，马上再试 (back into the queue, due now)")):
        acts.add_parser(name, help=words).add_argument("record_id")
    acts.add_parser("verify", help="核对所有文件和日志 (check every packet and the journal)")


def run(args: argparse.Namespace) -> int:
    """Exit code: 0 done, 1 a named trouble or something that does not hold."""
    acts: dict[str, Callable[[argparse.Namespace, Store, Outbox], int]] = {"list": _list, "show": _show, "retry": _retry, "verify": _verify}
    try:
        with open_folder(data_folder(), KeyCabinet()) as store:
            outbox = Outbox(store, Blobs(store.folder / "blobs"), Journal(store, _station_id(store)), lambda: datetime.now(UTC))
            return acts[args.act](args, store, outbox)
    except Trouble as trouble:
        complain(trouble)
        return 1


def _list(args: argparse.Namespace, store: Store, outbox: Outbox) -> int:
    print("\t".join(_HEADS))
    after: OutboxRow | None = None
    while page := outbox.rows(args.owner, args.state, after=after):
        for row in page:
            print("\t".join((row.record_id, row.state, time_text(row.kept_at), time_text(row.next_try_at), str(row.tries), row.reason or row.last_error)))
        after = page[-1]
    for state, count in outbox.counts(args.owner).items():
        print(f"# {state}: {count}")
    return 0


def _show(args: argparse.Namespace, store: Store, outbox: Outbox) -> int:
    row = outbox.row(args.record_id)
    if row is None:
        print(f"{args.record_id}: 没有这条记录 (not here)", file=sys.stderr)
        return 1
    facts = {
        "record": row.record_id, "owner": row.owner, "state": row.state, "reason": row.reason, "kept": time_text(row.kept_at), "packet": row.packet_digest,
        "size": row.packet_size, "digest": row.record_digest, "signed": bool(row.signature), "acts": len(row.acts), "upload": row.upload_id,
        "offset": row.upload_offset, "tries": row.tries, "last error": row.last_error, "detail": row.last_detail, "next try": time_text(row.next_try_at),
        "receipted": time_text(row.receipted_at) if row.receipted_at else "", "remote state": row.remote_state,
    }
    for name, value in facts.items():
        print(f"{name}: {value}")
    return 0


def _retry(args: argparse.Namespace, store: Store, outbox: Outbox) -> int:
    outbox.retry(args.record_id, who="station")
    return 0


def _verify(args: argparse.Namespace, store: Store, outbox: Outbox) -> int:
    checked, bad, after = 0, 0, None
    while page := outbox.rows(after=after):
        for row in page:
            checked += 1
            try:
                outbox.check_packet(row.record_id)
            except Trouble as trouble:
                bad += 1
                complain(trouble, row.record_id)
        after = page[-1]
    journal = Journal(store, _station_id(store))
    chain = verify_lines(journal.lines(), journal.head())
    print(f"记录 records: {checked}, 有问题 bad: {bad}, 日志行 journal lines: {chain.size}, {chain.head}")
    return 1 if bad else 0


def _station_id(store: Store) -> str:
    return (store.station_value("station_id") or b"").decode("ascii")
