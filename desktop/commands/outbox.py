"""``hall-intake outbox``: what is kept, sent and receipted, and its way over a medium. Never prints a person's name or number and never sends anything."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

from desktop.commands.columns import for_people, line_of, padded
from desktop.commands.reconcile import lines_of, sheet_of
from desktop.commands.saying import ask, complain, say_way_out
from desktop.flows.intake_state import hall_date
from desktop.folders import data_folder
from desktop.hall_time import at_hall
from desktop.messages import Words, say_code
from resources.trouble import Trouble
from sync.blobs import Blobs
from sync.carry_in import import_queue, normal_transfer_code
from sync.carry_out import Exported, export_files, export_queue
from sync.courier import DUE
from sync.draft import time_text
from sync.errors import PacketDamaged, PacketStray
from sync.file_errors import named_file_errors
from sync.journal import Journal, verify_lines
from sync.keys import KeyCabinet
from sync.life import STATES
from sync.members import is_owner
from sync.outbox import Outbox, OutboxRow
from sync.station import load
from sync.store import Store, open_folder

__all__ = ["add_arguments", "run"]

_SAID = Words()
_HEADS = ("记录 record", "状态 state", "保存 kept", "下次 next try", "次数 tries", "原因 why")
_WIDTHS = (36, 24, 16, 16, 10)
"""On a terminal, of all columns but the last."""
_SHOWN = {
    "record": "记录", "replaced by": "由它接替", "amends": "补正哪一份", "amended by": "由它补正", "revision": "第几版",
    "from station": "来自窗口", "owner": "归谁", "state": "状态", "reason": "单独放着的原因", "kept": "保存",
    "packet": "密封包摘要", "size": "字节", "digest": "内容摘要", "signed": "已签名", "acts": "复核和接办", "upload": "上传编号", "offset": "已传字节",
    "tries": "试过", "last error": "上次错误", "detail": "详情", "next try": "下次再试", "receipted": "回执", "remote state": "平台状态",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of this command."""
    acts = parser.add_subparsers(dest="act", required=True, metavar="动作")
    listed = acts.add_parser("list", help="列出记录 (list)")
    listed.add_argument("--state", choices=sorted(STATES), action="append", help="只列这种状态 (only this state)")
    listed.add_argument("--owner", type=_owner, help="只列这个人的 (only this owner, e.g. op:OP-000017)")
    for name, words in (("show", "一条记录的情况 (one record)"), ("retry", "放回队列，马上再试 (back into the queue, due now)")):
        acts.add_parser(name, help=words).add_argument("record_id", help="记录编号，在列表里 (its id, as listed)")
    export = acts.add_parser("export", help="把没上传的记录导出到介质 (unsent records to a medium)")
    export.add_argument("target", type=Path, help="新的文件夹，或 .zip 文件 (a new folder or .zip)")
    export.add_argument("--without-key", action="store_true", help="钥匙丢了也行：只导出密封包，交省平台 (packets only, for the province; needs no keyring)")
    taken = acts.add_parser("import", help="导入另一台机器的导出 (take in another station's export)")
    taken.add_argument("source", type=Path, help="导出的文件夹或 .zip 文件 (the exported folder or .zip)")
    taken.add_argument("--owner", type=_owner, metavar="op:OP-000018", help="导入后归谁，默认不变 (new owner of the records)")
    day = acts.add_parser("reconcile", help="日结核对：采集 = 已签 = 已传 = 已回执 (captured = signed = sent = acknowledged)")
    day.add_argument("--day", type=date.fromisoformat, default=None, metavar="2026-11-22", help="哪一天，默认今天 (default: today)")
    acts.add_parser("verify", help="核对所有文件和日志 (check every packet and the journal)")


def run(args: argparse.Namespace) -> int:
    """Exit code: 0 done, 1 a named trouble or something that does not hold."""
    acts: dict[str, Callable[[argparse.Namespace, Store, Outbox], int]] = {"list": _list, "show": _show, "retry": _retry, "verify": _verify,
                                                                                  "export": _export, "import": _import, "reconcile": _reconcile}
    folder = data_folder()
    try:
        if args.act == "export" and args.without_key:
            code = _told(export_files(folder, args.target), args.target)
            print(f"钥匙或登记库找不回来，这台机器要接着用：省平台收下以后，把 {folder} 改名收好（别删），再用新的登记码运行 hall-intake enrol\n"
                  "(to work on without the old key: once the province has the export, rename that folder, keep it, and enrol anew)")
            return code
        with named_file_errors("outbox", folder.parent), open_folder(folder, KeyCabinet()) as store:
            outbox = Outbox(store, Blobs(store.folder / "blobs"), Journal(store, _station_id(store)), lambda: datetime.now(UTC))
            code = acts[args.act](args, store, outbox)
            sys.stdout.flush()
            return code
    except BrokenPipeError:  # ``... | head``: whoever read has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Trouble as trouble:
        complain(trouble)
        say_way_out(trouble)
        return 1


def _list(args: argparse.Namespace, store: Store, outbox: Outbox) -> int:
    seen = for_people(sys.stdout)
    print(line_of(_HEADS, _WIDTHS) if seen else "\t".join(_HEADS))
    after: OutboxRow | None = None
    while page := outbox.rows(args.owner, args.state, after=after):
        for row in page:
            why = row.reason or row.last_error
            if seen:
                print(line_of((row.record_id, f"{_SAID(f'state.{row.state}')} {row.state}", _here(row.kept_at), _due(row), str(row.tries), _why(why)), _WIDTHS))
            else:
                print("\t".join((row.record_id, row.state, time_text(row.kept_at), time_text(row.next_try_at), str(row.tries), why)))
        after = page[-1]
    counts = outbox.counts(args.owner)
    for state, count in counts.items():
        print(f"# {state}: {count}" + (f"  {_SAID(f'state.{state}')}" if seen else ""))
    if seen and counts.get("set_aside"):
        print("单独放着的：hall-intake outbox show 记录编号，会说怎么办 (what to do is said by: outbox show)")
    return 0


def _here(at: datetime) -> str:
    return at_hall(at).strftime("%Y-%m-%d %H:%M")


def _due(row: OutboxRow) -> str:
    """Only of what is going to be tried at all."""
    return _here(row.next_try_at) if row.state in DUE else "-"


def _why(code: str) -> str:
    message = say_code(code) if code else None
    return f"{message.title} [{code}]" if message is not None else code


def _show(args: argparse.Namespace, store: Store, outbox: Outbox) -> int:
    row = outbox.row(args.record_id)
    if row is None:
        return _not_here(args.record_id)
    facts = {
        "record": row.record_id, "replaced by": row.replaced_by, "amends": row.amends, "amended by": row.amended_by, "revision": row.revision,
        "from station": row.origin,
        "owner": row.owner, "state": row.state, "reason": row.reason, "kept": _time(row.kept_at), "packet": row.packet_digest,
        "size": row.packet_size, "digest": row.record_digest, "signed": bool(row.signature), "acts": len(row.acts), "upload": row.upload_id,
        "offset": row.upload_offset, "tries": row.tries, "last error": row.last_error, "detail": row.last_detail, "next try": _time(row.next_try_at),
        "receipted": _time(row.receipted_at) if row.receipted_at else "", "remote state": row.remote_state,
    }
    for name, value in facts.items():
        if value != "":
            print(f"{padded(_SHOWN[name], 15)}{name}: {value}")
    message = say_code(row.reason, facts={"why": row.refusal} if row.refusal else None) if row.state == "set_aside" and row.reason else None
    if message is not None:
        print(f"怎么办 what to do: {message.title}。{message.cause}{message.next}")
    elif row.state in {"kept_unsigned", "signing"}:
        print("怎么办 what to do: 在登记台按 Ctrl+B 签名，签了才会传 (sign it at the desk: Ctrl+B)")
    elif row.state in DUE:
        print("怎么办 what to do: 不用做什么，程序打开着就会自己传；要马上试：hall-intake outbox retry (nothing; or retry it)")
    return 0


def _time(moment: datetime) -> str:
    """By the hall's clock, with its offset: for people and programs alike."""
    return at_hall(moment).isoformat(timespec="seconds")


def _not_here(record_id: str) -> int:
    print(f"{record_id}: 没有这条记录；编号在 hall-intake outbox list 里 (not here; ids are in the list)", file=sys.stderr)
    return 1


def _retry(args: argparse.Namespace, store: Store, outbox: Outbox) -> int:
    before = outbox.row(args.record_id)
    if before is None:
        return _not_here(args.record_id)
    if before.state == "replaced":
        print(f"{before.record_id}: 改正重办过，不再上传 (repaired: another one was kept in its place) -> {before.replaced_by}")
        return 0
    outbox.retry(args.record_id, who="station")
    row = outbox.row(args.record_id)
    assert row is not None
    if row.state in ("kept", "uploading", "uploaded"):
        print(f"{row.record_id}: 已放回队列，程序打开后马上再试 (in the queue, due now; the program sends it when it is open) [{row.state}]")
    else:
        print(f"{row.record_id}: 不用再传，或要先签名 (nothing to send: sent already, or to be signed first) [{row.state}]")
    return 0


def _verify(args: argparse.Namespace, store: Store, outbox: Outbox) -> int:
    checked, bad, after = 0, 0, None
    store.check()
    while page := outbox.rows(after=after):
        for row in page:
            checked += 1
            try:
                outbox.check_packet(row.record_id)
            except Trouble as trouble:
                bad += 1
                complain(trouble, row.record_id)
        after = page[-1]
    blobs = Blobs(store.folder / "blobs")
    strays = blobs.strays(store.blob_ids(blobs.ids())) if blobs.folder.is_dir() else ()
    for one in strays:
        complain(PacketStray("no row names it"), str(blobs.path(one)))
    journal = Journal(store, _station_id(store))
    chain = verify_lines(journal.lines(), journal.head())
    print(f"记录 records: {checked}, 有问题 bad: {bad}, 日志行 journal lines: {chain.size}, {chain.head}")
    return 1 if bad or strays else 0


def _export(args: argparse.Namespace, store: Store, outbox: Outbox) -> int:
    return _told(export_queue(store, Blobs(store.folder / "blobs"), load(store), args.target), args.target)


def _told(done: Exported, target: Path) -> int:
    print(f"已导出 exported: {len(done.records)} 条 records -> {target} ({done.export_id})")
    for one in done.damaged:
        complain(PacketDamaged("not exported"), one)
    if done.left_out:
        print(f"另有 {done.left_out} 个文件只有本机的钥匙能打开，没有导出 (files that only this store's key opens)")
    if done.code and done.signed:
        print(f"传送码 transfer code: {done.code}\n请抄下来另外送，不要和介质放在一起 (write it down; it travels apart from the medium)")
    else:
        print("这份导出只有省平台能打开，请送省平台 (only the province can open this export: take it there)")
    return 1 if done.damaged else 0


def _import(args: argparse.Namespace, store: Store, outbox: Outbox) -> int:
    code = normal_transfer_code(ask("传送码 (transfer code): "))
    done = import_queue(store, Blobs(store.folder / "blobs"), load(store), args.source, code, args.owner or "")
    for record_id, why in done.not_taken:
        print(f"{record_id}: 没有导入 (not taken) {_words(why)}[{why}]", file=sys.stderr)
    print(f"导入 came: {len(done.came)}, 本来就有 here already: {len(done.here)}, 没有导入 not taken: {len(done.not_taken)}")
    return 1 if done.not_taken else 0


def _words(code: str) -> str:
    if code == "record.other":
        return "本机已有同一编号、内容不同的一份 (another content is here under this id) "
    message = say_code(code)
    return f"{message.title}，{message.next} " if message is not None else ""


def _owner(text: str) -> str:
    if not is_owner(text):
        raise argparse.ArgumentTypeError("写成 op: 加人员编号，例如 op:OP-000018 (op: and the person's id)")
    return text


def _reconcile(args: argparse.Namespace, store: Store, outbox: Outbox) -> int:
    sheet = sheet_of(outbox, Journal(store, _station_id(store)), args.day or hall_date(datetime.now(UTC)))
    for line in lines_of(sheet):
        print(line)
    return 0 if sheet.balanced else 1


def _station_id(store: Store) -> str:
    return (store.station_value("station_id") or b"").decode("ascii")
