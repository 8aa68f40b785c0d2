"""The practice hall: the real application on emulated devices and a province of its own, by one command. Never touches the machine's own services.

use: installer/run --practice [--headless] [--folder DIR] [--out DIR] [--anew]
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

__all__ = ["main"]

ALONE = Path(__file__).resolve().parents[1] / "installer" / "alone"


def _folder() -> Path:
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "hall-intake-practice"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="installer/run --practice", description="练习大厅 practice hall: emulated devices, soft certificates, a province on loopback")
    parser.add_argument("--headless", action="store_true", help="drive the whole job offscreen, then print a table and write the results")
    parser.add_argument("--face", choices=("desk", "kiosk", "verify"), default="desk", help="which face opens (default: desk)")
    parser.add_argument("--folder", type=Path, default=_folder(), metavar="DIR", help="where the hall keeps its things (default: %(default)s)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="with --headless: where the results go (default: DIR/results/<time>)")
    parser.add_argument("--anew", action="store_true", help="throw the hall's folder away and build it anew")
    return parser


def main(arguments: list[str]) -> int:
    """Exit code 0: done, 1: a service or a step failed and one sentence says which."""
    given = _parser().parse_args(arguments)
    if os.environ.get("HALL_INTAKE_ALONE") != "1":
        os.execv(ALONE, [str(ALONE), sys.executable, "-m", "tests.practice", *arguments])
    from tests.hall.services import HallTrouble, PracticeHall, fresh, is_hall

    folder = given.folder.expanduser().resolve()
    if folder.exists() and any(folder.iterdir()) and not is_hall(folder):
        print(f"{folder} is not a practice hall; choose another --folder", file=sys.stderr)
        return 1
    if given.anew or not fresh(folder):
        shutil.rmtree(folder, ignore_errors=True)
    begun = time.monotonic()
    _end_on(signal.SIGTERM, signal.SIGHUP)
    try:
        with PracticeHall(folder, lambda line: print(f"{time.monotonic() - begun:6.1f} s  {line}", flush=True)) as hall:
            if given.headless or not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
                from tests.hall.clerk import work

                return work(hall, given.out or folder / "results" / time.strftime("%Y%m%d-%H%M%S"), begun)
            return _window(hall, given.face)
    except HallTrouble as trouble:
        print(f"installer/run --practice: {trouble}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _end_on(*numbers: signal.Signals) -> None:
    """The services are ended in order whatever asks for the end."""

    def end(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    for number in numbers:
        signal.signal(number, end)


def _window(hall: object, face: str) -> int:
    """The product in a process of its own, as on a hall's machine, and beside it the props: cards, tokens, the line to the province."""
    from tests.hall.services import PracticeHall

    assert isinstance(hall, PracticeHall)
    product = subprocess.Popen([sys.executable, "-m", "desktop", face], env=hall.env)
    try:
        hall.hand_over(product)
        return product.wait()
    finally:
        if product.poll() is None:
            product.terminate()
            product.wait(10)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
