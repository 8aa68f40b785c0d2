"""``hall-intake store``: a new key for this machine's store, and the moving of a station to another machine. Never shows a key, only a moving code, once."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from desktop.commands.saying import ask, complain, say_way_out
from desktop.folders import data_folder
from resources.trouble import Trouble
from sync.journal import Journal
from sync.keys import KeyCabinet
from sync.moving import move_in, move_out
from sync.rekey import change_key
from sync.store import open_folder

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of this command."""
    acts = parser.add_subparsers(dest="act", required=True, metavar="动作")
    acts.add_parser("rekey", help="换一把新钥匙 (a new key for the store)")
    acts.add_parser("move-out", help="把这个窗口搬到别的机器：先在旧机器上运行 (run at the old machine, then copy the folder)")
    acts.add_parser("move-in", help="搬到的新机器上运行，输入搬迁码；没搬成就在旧机器上运行 (run at the new machine)")


def run(args: argparse.Namespace) -> int:
    """Exit code: 0 done, 1 a named trouble. The program must be closed."""
    acts: dict[str, Callable[[], None]] = {"rekey": _rekey, "move-out": _move_out, "move-in": _move_in}
    try:
        acts[args.act]()
    except Trouble as trouble:
        complain(trouble)
        say_way_out(trouble)
        return 1
    return 0


def _rekey() -> None:
    cabinet = KeyCabinet()
    with open_folder(data_folder(), cabinet) as store:
        change_key(store, cabinet)
        with store.write() as tx:
            Journal(store, "").write(tx, "station", "store.rekeyed")
    print("钥匙已换好，记录都在 (the key was changed, every record is there)")


def _move_out() -> None:
    code = move_out(data_folder(), KeyCabinet())
    print(f"这个窗口已停用，可以搬走 (this station is closed here): {data_folder()}\n"
          f"1. 把整个文件夹复制到新机器 (copy the whole folder)\n2. 在新机器上运行 (there): hall-intake store move-in\n"
          f"搬迁码 moving code: {code}\n请抄下来另外送，不要和文件夹放在一起 (write it down; it travels apart)")


def _move_in() -> None:
    move_in(data_folder(), KeyCabinet(), ask("搬迁码 (moving code): "))
    print("搬好了，钥匙已换新 (arrived; the key was changed)")
