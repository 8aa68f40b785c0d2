"""A named trouble on the terminal: what happened, what it means, what to do, and its code. Never prints a stack."""

from __future__ import annotations

import sys

from desktop.messages import say
from resources.trouble import Trouble
from sync.errors import KeyMissing, KeyringLocked, KeyringMissing, KeyringUnsafe, StoreDamaged, StoreInUse

__all__ = ["ask", "complain", "say_way_out"]


def complain(trouble: Trouble, about: str = "") -> None:
    """The words of ``trouble`` on standard error; ``about`` names the record or line that it is about."""
    message = say(trouble)
    words = f"{message.title}。{message.cause}{message.next}"
    print(f"{about + ': ' if about else ''}{words} [{trouble}]", file=sys.stderr)


def say_way_out(trouble: Trouble) -> None:
    """Where the store does not open: what is kept is not lost, and the command that brings it to the province. Where a program has it open: to close that."""
    if isinstance(trouble, StoreInUse):
        print("命令要等登记台关了才能用：先关掉它，再运行一次 (close the program, then run this again)", file=sys.stderr)
    if isinstance(trouble, (KeyMissing, KeyringLocked, KeyringMissing, KeyringUnsafe, StoreDamaged)):
        print("已保存的记录都密封在本机，没有丢。打不开登记库也能交省平台 (kept records are not lost):\n"
              "    hall-intake outbox export --without-key 目标文件夹", file=sys.stderr)


def ask(prompt: str) -> str:
    """What a person types; empty where nobody does (no terminal, Ctrl+D, Ctrl+C)."""
    try:
        return input(prompt)
    except (EOFError, KeyboardInterrupt):
        print()
        return ""
