"""``hall-intake journal``: export the chain of who did what with its signed checkpoints, and check one. Never changes a line; checking needs no store."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from desktop.commands.saying import complain, say_way_out
from desktop.commands.signature import certificates_in
from desktop.effects.shifts import CHECKPOINT_FOLDER
from desktop.folders import data_folder
from resources.trouble import Trouble
from sync.canon import canon, parse_json
from sync.checkpoints import SIGNED_TYPE, Checkpoints, Covered, verify_journal
from sync.errors import FormatTrouble
from sync.journal import HEAD_TYPE, LINE_TYPE, Chain, Journal, verify_lines
from sync.keys import KeyCabinet
from sync.medium import write_file
from sync.store import open_folder

__all__ = ["add_arguments", "run"]

KINDS = {"begin": "上班", "end": "交班"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of this command."""
    acts = parser.add_subparsers(dest="act", required=True, metavar="动作")
    verify = acts.add_parser("verify", help="核对导出的日志 (check an exported journal)")
    verify.add_argument("file", type=Path, help="导出的日志 (the exported journal)")
    verify.add_argument("--head", type=Path, help="另外保存的日志头，比如省平台收到的那个 (a head that was kept elsewhere, JSON)")
    verify.add_argument("--roots", type=Path, metavar="文件", help="省平台的签名根证书，PEM 或 DER，核对检查点是谁签的 (the province's signer roots)")
    acts.add_parser("export", help="导出日志 (write the journal and its head)").add_argument("file", type=Path, help="写到哪个文件 (the file to write)")


def run(args: argparse.Namespace) -> int:
    """Exit code: 0 done and whole, 1 a named trouble or a chain that does not hold."""
    try:
        chain = _verify(args.file, args.head, args.roots) if args.act == "verify" else _export(args.file)
    except Trouble as trouble:
        complain(trouble, f"line {trouble.facts['line']}" if "line" in trouble.facts else "")
        say_way_out(trouble)
        return 1
    except OSError as error:
        print(f"{error.filename or args.file}: {error.strerror}", file=sys.stderr)
        return 1
    print(f"日志完整 whole: {chain.size} 行 lines, {chain.head}")
    return 0


def _verify(file: Path, head: Path | None, roots: Path | None) -> Chain:
    """Checks lines and checkpoints against the head at the file's end and, where given, one kept elsewhere. A file without any head is refused."""
    by_type: dict[str, list[bytes]] = {LINE_TYPE: [], SIGNED_TYPE: [], HEAD_TYPE: []}
    everything = file.read_bytes().splitlines()
    for line in everything:
        by_type.setdefault(_type(line), []).append(line)
    if len(by_type[HEAD_TYPE]) != 1 or by_type[HEAD_TYPE] != everything[-1:]:
        raise FormatTrouble("the file does not end with a journal head", what="journal")
    lines, told = by_type[LINE_TYPE], parse_json(everything[-1], "journal")
    if len(by_type) > 3 or lines != everything[: len(lines)]:
        verify_lines(everything[:-1], told)  # names the first line that does not belong
    covered = verify_journal(lines, told, by_type[SIGNED_TYPE], certificates_in(roots) if roots else ())
    _say(covered)
    return verify_lines(lines, parse_json(head.read_bytes(), "journal")) if head else covered.chain


def _type(line: bytes) -> str:
    try:
        return str(parse_json(line, "journal").get("type"))
    except FormatTrouble:
        return ""


def _say(covered: Covered) -> None:
    if not covered.checkpoints:
        print("没有签过名的检查点：末尾有没有被截掉，只能和省平台收到的日志头比 (no checkpoints)")
        return
    for one in covered.checkpoints:
        print(f"检查点 {one.number}  {KINDS[one.kind]}  {one.by}  {one.claimed_at:%Y-%m-%d %H:%M:%S}Z（自称）  到第 {one.size} 行")
    print("检查点的签名人" + ("可信" if covered.trusted else "没有和根证书核对（用 --roots）"))
    if covered.open_shift:
        print("最后一班没有交班的检查点 (the last shift has no end)")
    if covered.uncovered > 1:
        print(f"最后一个检查点之后有 {covered.uncovered} 行，没有签名保着，请和省平台收到的日志头比 (lines after the last checkpoint)")


def _export(file: Path) -> Chain:
    """Writes a new file, one line of canonical JSON each, the head last; the export itself is a line of the journal."""
    with open_folder(data_folder(), KeyCabinet()) as store, write_file(file) as out:
        journal = Journal(store, (store.station_value("station_id") or b"").decode("ascii"))
        with store.write() as tx:
            journal.write(tx, "station", "journal.export")
        head: dict[str, Any] = journal.head()
        for line in journal.lines():
            out.write(line + b"\n")
        for line in Checkpoints(data_folder() / CHECKPOINT_FOLDER, store, journal).lines():
            out.write(line + b"\n")
        out.write(canon(head) + b"\n")
        return Chain(int(head["size"]), str(head["head"]))
