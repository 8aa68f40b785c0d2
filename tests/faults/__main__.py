"""Runs the fault tests and prints the table of what came of them: ``python -m tests.faults [--sweep] [-k WORDS]``. Never decides: the exit code is pytest's.

In a namespace of its own as all tests (``installer/alone python -m tests.faults``); with ``--sweep`` the long forms, and as the machine's root the power cuts.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.faults.table import lines_of, read, rows_of


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sweep", action="store_true", help="the long forms too, and those that need root")
    parser.add_argument("-k", default="", metavar="WORDS", help="only tests whose names have these words, as pytest's -k")
    parser.add_argument("--keep", type=Path, help="keep the outcomes in this file (it is added to)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        told = args.keep or Path(made) / "outcomes"
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", str(Path(__file__).parent), "--fault-table", str(told)]
        code = subprocess.run([*command, *(["-m", ""] if args.sweep else []), *(["-k", args.k] if args.k else [])]).returncode
        print("\n".join(lines_of(rows_of(read([told])))) if told.exists() else "nothing ran")
    return code


if __name__ == "__main__":
    sys.exit(main())
