"""What stands in the checkout: tracked files, and the syntax trees of the Python ones. Never looks at what git does not track."""

from __future__ import annotations

import ast
import subprocess
from functools import cache
from pathlib import Path

from tests.house.stairs import TOP

__all__ = ["PRODUCT", "functions", "lines", "python_files", "tracked"]

PRODUCT = ("desktop", "devices", "sync", "resources")


@cache
def tracked() -> tuple[Path, ...]:
    """Paths of all tracked files that stand on disk, relative to the checkout."""
    run = subprocess.run(["git", "-c", "safe.directory=*", "ls-files", "-z"], cwd=TOP, capture_output=True, check=True, timeout=60)
    return tuple(path for name in run.stdout.decode().split("\0") if name and (TOP / (path := Path(name))).is_file())


def python_files(*folders: str) -> tuple[Path, ...]:
    """The tracked Python files below these top-level folders."""
    return tuple(path for path in tracked() if path.suffix == ".py" and path.parts[0] in folders)


def lines(path: Path) -> list[str]:
    """Lines of a tracked text file."""
    return (TOP / path).read_text("utf-8").splitlines()


def functions(path: Path) -> list[tuple[str, int]]:
    """Name and length in lines of each function, its docstring not counted."""
    found: list[tuple[str, int]] = []
    for node in ast.walk(ast.parse((TOP / path).read_text("utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            end = node.end_lineno or node.lineno
            doc = node.body[0] if ast.get_docstring(node, clean=False) is not None else None
            found.append((node.name, end - node.lineno + 1 - ((doc.end_lineno or doc.lineno) - doc.lineno + 1 if doc else 0)))
    return found
