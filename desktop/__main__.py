"""The command line of Hall Intake. Never imports Qt here: child processes import this module again."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from typing import Any

from desktop.commands.saying import complain
from desktop.harden import harden
from desktop.screen import screen_trouble

__all__ = ["main"]

_FACES = {
    "desk": "登记台: 窗口人员登记从业人员 (staff desk)",
    "kiosk": "自助终端: 本人自助登记 (self-service terminal)",
    "verify": "诚信记录单核验 (check a credit record sheet)",
}
_COMMANDS = {
    "enrol": "把本机登记为一个窗口: 管理员证书 + 一次性代码 (enrol this station)",
    "doctor": "检查读卡器和驱动 (what is plugged, what is not and why)",
    "outbox": "查看待上传和已上传的记录 (the outbox)",
    "store": "换钥匙，把窗口搬到别的机器 (key of the store, moving)",
    "sign": "数字证书 (certificate tokens)",
    "signature": "核对一份记录和签名 (verify a record and its signature)",
    "journal": "核对操作日志 (verify a journal)",
    "downlink": "省平台下发了什么，改了什么 (what came down from the province, and what it changed)",
}


_CODES = "退出码: 0 做完了; 1 有问题或没对上，已说明; 2 用法不对 (exit codes: 0 done, 1 a named trouble or something that does not hold, 2 wrong usage)"


class _Explained(argparse.ArgumentParser):
    """The help of a subcommand begins with what the list of subcommands says of it, and ends with the exit codes."""

    def __init__(self, **named: Any) -> None:
        super().__init__(**{"epilog": _CODES, **named})

    def add_subparsers(self, **named: Any) -> Any:
        acts = super().add_subparsers(**named)
        add = acts.add_parser
        acts.add_parser = lambda name, **words: add(name, **{"description": words.get("help"), **words})  # type: ignore[method-assign]
        return acts


def _parser() -> argparse.ArgumentParser:
    parser = _Explained(prog="hall-intake", description="实名登记台 Hall Intake", epilog=f"不带子命令时打开登记台 (desk). {_CODES}")
    rooms = parser.add_subparsers(dest="room", metavar="子命令", title="子命令")
    for name, words in _FACES.items():
        face = rooms.add_parser(name, help=words)
        face.add_argument("--full-screen", action="store_true", help="全屏显示 (full screen)")
    for name, words in _COMMANDS.items():
        command = rooms.add_parser(name, help=words)
        importlib.import_module(f"desktop.commands.{name}").add_arguments(command)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command line; the return value is the process' exit code (0 = done, 1 = a named trouble, 2 = wrong usage)."""
    harden()
    args = _parser().parse_args(argv)
    if args.room in _COMMANDS:
        return int(importlib.import_module(f"desktop.commands.{args.room}").run(args))
    if trouble := screen_trouble(os.environ, sys.platform):
        complain(trouble)
        return 1
    from desktop.app import run_face

    return run_face(args.room or "desk", full_screen=getattr(args, "full_screen", False))


if __name__ == "__main__":
    sys.exit(main())
