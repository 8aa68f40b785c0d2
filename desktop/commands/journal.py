"""``hall-intake journal``: export the chain of who did what, and check one. Never changes a line and needs no store to check a file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from desktop.commands.saying import complain
from desktop.folders import data_folder
from resources.trouble import Trouble
from sync.canon import canon, parse_json
from sync.errors import FormatTrouble
from sync.journal import HEAD_TYPE, Chain, Journal, verify_lines
from sync.keys import KeyCabinet
from sync.store import open_folder

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of this command."""
    acts = parser.add_subparsers(dest="act", required=True, metavar="动作")
    verify = acts.add_parser("verify", help="核对导出的日志 (check an exported journal)")
    verify.add_argument("file", type=Path)
    verify.add_argument("--head", type=Path, help="另外保存的日志头 (a head that was kept elsewhere, JSON)")
    acts.add_parser("export", help="导出日志 (write the journal and its head)").add_argument("file", type=Path)


def run(args: argparse.Namespace) -> int:
    """Exit code: 0 done and whole, 1 a named trouble or a chain that does not hold."""
    try:
        chain = _verify(args.file, args.head) if args.act == "verify" else _export(args.file)
    except Trouble as trouble:
        complain(trouble, f"line {trouble.facts['line']}" if "line" in trouble.facts else "")
        return 1
    except OSError as error:
        print(f"{args.file}: {error.strerror}", file=sys.stderr)
        return 1
    print(f"日志完整 whole: {chain.size} 行 lines, {chain.head}")
    return 0


def _verify(file: Path, head: Path | None) -> Chain:
    """Checks the lines against the head at the file's end and, where given, one kept elsewhere. A file without any head is refused."""
    lines = file.read_bytes().splitlines()
    if not lines or parse_json(lines[-1], "journal").get("type") != HEAD_TYPE:
        raise FormatTrouble("the file does not end with a journal head", what="journal")
    chain = verify_lines(lines[:-1], parse_json(lines[-1], "journal"))
    return verify_lines(lines[:-1], parse_json(head.read_bytes(), "journal")) if head else chain


def _export(file: Path) -> Chain:
    """Writes a new file, one line of canonical JSON each, the head last; the export itself is a line of the journal."""
    with open_folder(data_folder(), KeyCabinet()) as store, file.open("xb") as out:
        journal = Journal(store, (store.station_value("station_id") or b"").decode("ascii"))
        with store.write() as tx:
            journal.write(tx, "station", "journal.export")
        head = journal.head()
        for line in journal.lines():
            out.write(line + b"\n")
        out.write(canon(head) + b"\n")
        return Chain(int(head["size"]), str(head["head"]))
