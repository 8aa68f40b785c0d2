"""Runs the import contracts of pyproject.toml over a checkout. Never changes a file of the checkout.

Rooms that a contract names before they are built are left out of this run and listed; ``tests/house/test_stairs.py`` says which ones may still be missing.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["TOP", "Walk", "contracts", "missing_rooms", "stands", "walk"]

TOP = Path(__file__).resolve().parents[2]
_OWN = ("desktop", "devices", "sync", "resources", "tests")
_LISTS = ("source_modules", "forbidden_modules", "modules")


@dataclass(frozen=True, slots=True)
class Walk:
    """One run of import-linter: its exit code and what it printed."""

    code: int
    text: str


def contracts(top: Path = TOP) -> dict[str, Any]:
    """The table ``[tool.importlinter]`` of ``top/pyproject.toml``."""
    return tomllib.loads((top / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]


def stands(top: Path, module: str) -> bool:
    """Whether ``module`` is not ours, or stands below ``top``."""
    path = top.joinpath(*module.split("."))
    return module.split(".")[0] not in _OWN or path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def missing_rooms(top: Path = TOP) -> set[str]:
    """Modules that the contracts name and that do not stand on disk."""
    return {module for contract in contracts(top)["contracts"] for key in _LISTS for module in contract.get(key, ()) if not stands(top, module)}


def _as_ini(settings: dict[str, Any], missing: set[str]) -> str:
    lines = ["[importlinter]", "root_packages =", *(f"    {name}" for name in settings["root_packages"]), "include_external_packages = True"]
    for contract in settings["contracts"]:
        kept = {key: [module for module in contract[key] if module not in missing] for key in _LISTS if key in contract}
        if any(not modules for modules in kept.values()):
            continue
        lines += ["", f"[importlinter:contract:{contract['id']}]", f"name = {contract['name']}", f"type = {contract['type']}"]
        for key, modules in {**kept, **({"layers": contract["layers"]} if "layers" in contract else {})}.items():
            lines += [f"{key} =", *(f"    {module}" for module in modules)]
    return "\n".join(lines) + "\n"


def walk(top: Path = TOP) -> Walk:
    """Run every contract over ``top``. The text names the full chain of imports of each sin."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "contracts.ini")
        config.write_text(_as_ini(contracts(top), missing_rooms(top)), "utf-8")
        command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--config", str(config), "--no-cache"]
        env = {**os.environ, "PYTHONPATH": str(top), "NO_COLOR": "1", "COLUMNS": "200"}
        run = subprocess.run(command, cwd=top, env=env, capture_output=True, text=True, check=False, timeout=120)
    return Walk(run.returncode, run.stdout + run.stderr)


if __name__ == "__main__":
    result = walk()
    if result.code:
        print(result.text)
    sys.exit(result.code)
