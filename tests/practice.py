"""The practice hall: the real application on emulated devices and a province of its own, by one command. Never touches the machine's own services.

use: installer/run --practice [--headless] [--folder DIR] [--out DIR] [--anew]
"""

from __future__ import annotations

import argparse
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.scenes.hall import PracticeHall

__all__ = ["HallTrouble", "main"]

TOP = Path(__file__).resolve().parents[1]
ALONE = TOP / "installer" / "alone"
MARK = "practice-hall"
"""The file by which a practice hall's folder is known; its lock says that the hall is open."""
PORT = 8443
"""Of the province: enrolment pins it, and the namespace is the hall's own."""
KEYRING = Path("/run/hall-keyring")
"""Short, for a socket's path has 107 bytes at most; the keyring's data lie in the hall's folder."""
LASTS_DAYS = 330


def _folder() -> Path:
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "hall-intake-practice"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="installer/run --practice", description="练习大厅: emulated devices, soft certificates, a province on loopback")
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
    folder = given.folder.expanduser().resolve()
    _end_on(signal.SIGTERM, signal.SIGHUP)
    begun = time.monotonic()
    try:
        with _held(folder, given.anew), _hall(folder, lambda line: print(f"{time.monotonic() - begun:6.1f} s  {line}", flush=True)) as hall:
            if given.headless or not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
                from tests.clerk import work

                return work(hall, given.out or folder / "results" / time.strftime("%Y%m%d-%H%M%S"), begun)
            return _window(hall, given.face)
    except HallTrouble as trouble:
        print(f"installer/run --practice: {trouble}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


class HallTrouble(Exception):
    """The hall cannot be opened. The text is one sentence with the remedy."""


def _end_on(*numbers: signal.Signals) -> None:
    """The services are ended in order whatever asks for the end."""

    def end(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    for number in numbers:
        signal.signal(number, end)


@contextmanager
def _held(folder: Path, anew: bool) -> Iterator[None]:
    """The folder, ours alone for as long as we run; thrown away first where that was asked for or its certificates end within a month."""
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise HallTrouble(f"{folder} holds something else than a practice hall; choose another --folder")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / MARK).open("a") as mark:
        try:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise HallTrouble(f"a practice hall runs on {folder} already; use its window, or another --folder") from error
        if anew or _is_old(folder):
            for entry in folder.iterdir():
                if entry.is_dir() and entry.name != "results":
                    shutil.rmtree(entry)
        yield


def _is_old(folder: Path) -> bool:
    """People's certificates last a year from the day when the hall was made."""
    made = folder / "ca" / "root.pem"
    return made.exists() and time.time() - made.stat().st_mtime > LASTS_DAYS * 86400


@contextmanager
def _hall(folder: Path, say: Callable[[str], None]) -> Iterator[PracticeHall]:
    """The services, up; what keeps one from starting becomes one sentence."""
    from tests.scenes.hall import PracticeHall

    KEYRING.mkdir(mode=0o700, exist_ok=True)
    (folder / "keyring").mkdir(mode=0o700, exist_ok=True)
    (KEYRING / "data").unlink(missing_ok=True)
    (KEYRING / "data").symlink_to(folder / "keyring")
    hall = PracticeHall(folder, port=PORT, keyring=KEYRING, say=say)
    try:
        hall.__enter__()
    except FileNotFoundError as error:
        raise HallTrouble(f"a program is missing ({error}); installer/run --practice installs what it needs") from error
    except (OSError, RuntimeError, subprocess.SubprocessError) as error:
        raise HallTrouble(f"the practice hall did not come up ({error}); start again with --anew") from error
    try:
        yield hall
    finally:
        hall.close()


def _window(hall: PracticeHall, face: str) -> int:
    """The product in a process of its own, as at a hall's window; the practice person's card is put down as soon as somebody is there."""
    from tests.scenes.hall import COLLECTOR

    print(f"\n练习大厅: {COLLECTOR.name} 的证书 PIN 是 {COLLECTOR.pin}; 证件已放在读卡器上. 关上窗口就结束.", flush=True)
    hall.place()
    product = subprocess.Popen([sys.executable, "-m", "desktop", face], env={**os.environ, "PYTHONPATH": str(TOP)})
    try:
        return product.wait()
    finally:
        if product.poll() is None:
            product.terminate()
            product.wait(10)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
