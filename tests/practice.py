"""The practice hall: the real application on emulated devices and a province of its own, by one command. Never touches the machine's own services.

use: installer/run --practice [--headless] [--face desk|kiosk|verify] [--folder DIR] [--out DIR] [--anew]
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from desktop.screen import screen_trouble
from tests.bell import Bell, ring
from tests.warden import watched

if TYPE_CHECKING:
    from tests.scenes.hall import PracticeHall

__all__ = ["HallTrouble", "main"]

TOP = Path(__file__).resolve().parents[1]
ALONE = TOP / "installer" / "alone"
MARK = "practice-hall"
"""The file by which a practice hall's folder is known; its lock says that the hall is open, its text which edition of the program made it."""
MAKERS = ("sync/schema/*.sql", "tests/province/**/*.py", "tests/emulators/*.py", "tests/scenes/hall.py")
"""What decides how a hall's folder is laid out: stores and formats between releases are kept by nobody."""
PORT = 8443
"""Of the province: enrolment pins it, and the namespace is the hall's own."""
KEYRING = Path("/run/hall-keyring")
"""Short, for a socket's path has 107 bytes at most; the keyring's data lie in the hall's folder."""
LASTS_DAYS = 330
PROGRAMS = {"pcscd": "pcscd", "softhsm2-util": "softhsm2", "gnome-keyring-daemon": "gnome-keyring", "dbus-daemon": "dbus-daemon", "openssl": "openssl"}
"""What the hall starts, and the Debian packages that bring it."""


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
    given.folder = given.folder.expanduser().resolve()
    wants_window = not given.headless and bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    if os.environ.get("HALL_INTAKE_ALONE") != "1":
        if wants_window and not given.anew and _is_rung(given.folder):
            return 0
        os.execv(ALONE, [str(ALONE), sys.executable, "-m", "tests.practice", *arguments])
    ended = watched()
    if ended is not None:
        return ended
    _end_on(signal.SIGTERM, signal.SIGHUP)
    try:
        return _open(given, wants_window)
    except HallTrouble as trouble:
        print(f"installer/run --practice: {trouble}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _open(given: argparse.Namespace, wants_window: bool) -> int:
    begun = time.monotonic()
    folder: Path = given.folder
    if wants_window and screen_trouble(os.environ, sys.platform):
        raise HallTrouble("the screen cannot be reached from the hall's own namespaces; start on the screen of this machine, or use --headless")
    _need_programs()
    with ExitStack() as stack:
        try:
            stack.enter_context(_held(folder, given.anew))
        except HallTaken:
            if wants_window and not given.anew and _is_rung(folder):  # two starts at once
                return 0
            raise
        bell = stack.enter_context(Bell(folder)) if wants_window else None
        hall = stack.enter_context(_hall(folder, lambda line: print(f"{time.monotonic() - begun:6.1f} s  {line}", flush=True)))
        if bell is None:
            from tests.clerk import work

            return work(hall, given.out or folder / "results" / time.strftime("%Y%m%d-%H%M%S"), begun)
        from tests.stage_hand import show

        code = show(hall, given.face, bell)
        if code and code != 130:
            raise HallTrouble(f"the window ended with {code}; what it said stands above")
        return code


def _is_rung(folder: Path) -> bool:
    """A hall stands on the folder already: its window comes to the front."""
    if not (folder / MARK).exists() or not ring(folder):
        return False
    print("练习大厅已经开着, 窗口到前面来了. (the practice hall is open already; its window comes to the front)", flush=True)
    return True


def _need_programs() -> None:
    """The stamp of set-up does not see what was taken away afterwards."""
    missing = [f"{program} ({package})" for program, package in PROGRAMS.items() if shutil.which(program) is None]
    if missing:
        packages = " ".join(PROGRAMS[one.partition(" ")[0]] for one in missing)
        raise HallTrouble(f"{', '.join(missing)} is missing; install it (apt-get install {packages}), then start again")


class HallTrouble(Exception):
    """The hall cannot be opened. The text is one sentence with the remedy."""


class HallTaken(HallTrouble):
    """Another start holds the folder."""


def _end_on(*numbers: signal.Signals) -> None:
    """The services are ended in order whatever asks for the end."""

    def end(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    for number in numbers:
        signal.signal(number, end)


@contextmanager
def _held(folder: Path, anew: bool) -> Iterator[None]:
    """The folder, ours alone for as long as we run; thrown away first where that was asked for, another edition made it or its certificates end soon."""
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise HallTrouble(f"{folder} holds something else than a practice hall; choose another --folder")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise HallTrouble(f"{folder} cannot be made ({error.strerror}); choose another --folder") from error
    with (folder / MARK).open("a+") as mark:
        try:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise HallTaken(f"a practice hall runs on {folder} already; use its window, end it, or take another --folder") from error
        mark.seek(0)
        edition, whole = _edition(), (folder / "home" / "devices.json").exists()
        other = mark.read() != edition
        if whole and other:
            print("这个练习大厅是另一版程序建的, 现在重新建. (another edition of the program made this practice hall; it is made anew)", flush=True)
        if anew or other or not whole or _is_old(folder):  # not whole: its making was broken off
            for entry in folder.iterdir():
                if entry.is_dir() and entry.name != "results":
                    shutil.rmtree(entry)
            mark.truncate(0)
            mark.write(edition)
            mark.flush()
        yield


def _edition() -> str:
    content = hashlib.sha256()
    for path in sorted(path for pattern in MAKERS for path in TOP.glob(pattern)):
        content.update(path.read_bytes())
    return content.hexdigest()


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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
