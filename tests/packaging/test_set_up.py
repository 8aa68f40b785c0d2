"""What keeps set-up from its end is said in one sentence with the remedy, and the exit code is not 0. Never installs anything: its tools are played."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.house.stairs import TOP

TOOLS = ("sh", "awk", "sed", "dirname", "cat", "tr", "wc", "mktemp", "tail", "grep", "env", "rm", "flock", "sha256sum", "cut", "readlink", "df", "unshare",
         "mount")
"""All that installer/set-up.sh may use beside what a test plays."""
KNOWN = 'echo "ii "'
"""A dpkg-query for which every package is there."""


@dataclass
class Bench:
    """A checkout with nothing but the installer, and a path with nothing but the tools and the played ones."""

    top: Path
    path: Path
    played: Mapping[str, str] = field(default_factory=dict)

    def play(self, **tools: str) -> None:
        """``name="shell lines"``; ``_`` in a name stands for ``-``."""
        for name, lines in tools.items():
            self.put(self.path / name.replace("_", "-"), lines)

    @staticmethod
    def put(file: Path, lines: str) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        file.write_text(f"#!/bin/sh\n{lines}\n")
        file.chmod(0o755)

    def run(self, *command: str) -> tuple[int, str]:
        """Exit code, and the sentence: the last line of what is said."""
        env = {"PATH": str(self.path), "HOME": str(self.top), "TMPDIR": str(self.top), "LANG": "C.UTF-8"}
        done = subprocess.run(command or (str(self.top / "installer" / "run"), "--practice", "--headless"), cwd=self.top, env=env, capture_output=True,
                              text=True, check=False, timeout=60, stdin=subprocess.DEVNULL)
        return done.returncode, done.stderr.rstrip().rpartition("\n")[2]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = Bench(tmp_path / "top", tmp_path / "path")
    made.path.mkdir()
    shutil.copytree(TOP / "installer", made.top / "installer")
    shutil.copy(TOP / "pyproject.toml", made.top)
    for name in TOOLS:
        found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
        assert found, name
        (made.path / name).symlink_to(found)
    made.play(id="echo 0", dpkg_query="exit 1", apt_get="exit 0")
    return made


def refused(bench: Bench, *words: str) -> None:
    """Ended with one sentence that holds these words."""
    code, said = bench.run()
    assert code == 1, said
    assert said.startswith("installer/run: ") and said.count("installer/run:") == 1
    for word in words:
        assert word in said


def test_no_apt(bench: Bench) -> None:
    (bench.path / "apt-get").unlink()
    refused(bench, "this machine has no apt", "installer/packages.txt")


def test_a_user_without_sudo(bench: Bench) -> None:
    bench.play(id="echo 1000")
    refused(bench, "there is no sudo", "ask an administrator to run: apt-get install", "pcscd")


def test_a_user_whom_sudo_does_not_let_in(bench: Bench) -> None:
    bench.play(id="echo 1000", sudo="exit 1")
    refused(bench, "sudo did not let you in", "ask an administrator to run: apt-get install")


def test_a_user_with_sudo_gets_as_far_as_apt(bench: Bench) -> None:
    bench.play(id="echo 1000", sudo='[ "$1" = -n ] || exit 9; shift; exec "$@"', true="exit 0", apt_get='echo "asked $*" >&2; exit 100')
    refused(bench, "apt-get update failed")


@pytest.mark.parametrize("folder", ["/var/lib/apt/lists", "/var/cache/apt", "/usr"])
def test_no_room_is_seen_before_apt_waits_for_it(bench: Bench, folder: str) -> None:
    bench.play(df=f'echo head; [ "$2" = {folder} ] && echo "tmpfs 1000 988 12 99% /" || echo "ext4 99999 0 99999 0% /"', apt_get="exit 9")
    refused(bench, f"the disk is full: 12 MB are free where {folder} lies", "free some space")


def test_no_room_for_the_environment(bench: Bench) -> None:
    bench.play(dpkg_query=KNOWN, df='echo head; echo "tmpfs 1000 988 12 99% /"')
    refused(bench, "the disk is full: 12 MB are free where ", "free some space")


@pytest.mark.parametrize(("step", "said", "words"), [
    ("update", "Temporary failure resolving 'deb.example.org'", ("the package servers cannot be reached", "check the network")),
    ("update", "E: Write error - write (28: No space left on device)", ("the disk is full", "free about")),
    ("update", "E: The repository is not signed.", ("apt-get update failed", "mend the package sources")),
    ("install", "E: You don't have enough free space in /var/cache/apt/archives/.", ("the disk is full", "free about")),
    ("install", "E: Failed to fetch http://deb.example.org/a.deb  Unable to connect", ("the package servers cannot be reached", "check the network")),
    ("install", "E: Could not get lock /var/lib/dpkg/lock-frontend.", ("another installation of system packages is running", "wait")),
    ("install", "E: Unable to correct problems, you have held broken packages.", ("apt could not install", "apt-get -f install")),
])
def test_apt_that_fails(bench: Bench, step: str, said: str, words: tuple[str, ...]) -> None:
    bench.play(apt_get=f'case "$*" in *" {step}"*) echo "{said}"; exit 100;; esac')
    refused(bench, *words)


def test_a_python_that_is_too_old(bench: Bench) -> None:
    old = 'case "$*" in -V) echo "Python 3.9.2";; *) exit 1;; esac'
    bench.play(dpkg_query=KNOWN, python3=old)
    fake = bench.top / "python-of-the-machine"
    bench.put(fake, old)
    machine = Path("/usr/bin/python3").resolve()
    assert machine.exists(), "the lines above play it"
    code, said = bench.run("unshare", "-m", "sh", "-c", f'mount --bind "{fake}" "{machine}"; exec installer/run --practice')
    assert code == 1 and said.startswith("installer/run: Python 3.11 or newer with its venv module is needed (/usr/bin/python3 is Python 3.9.2)")
    assert "use Debian 12 or 13" in said


@pytest.mark.parametrize(("said", "words"), [
    ("OSError: [Errno 28] No space left on device", ("the disk is full", "free some space")),
    ("NewConnectionError: Temporary failure in name resolution", ("Python packages cannot be fetched", "check the network")),
    ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", ("is not the one that the lock file names", "do not use it")),
    ("ERROR: No matching distribution found", ("could not be installed", "see above")),
])
def test_pip_that_fails(bench: Bench, said: str, words: tuple[str, ...]) -> None:
    bench.play(dpkg_query=KNOWN)
    bench.put(bench.top / ".venv" / "bin" / "python", f'case "$*" in *--version*) exit 0;; esac; echo "{said}"; exit 1')
    refused(bench, *words)


def test_a_checkout_that_cannot_be_written(bench: Bench) -> None:
    code, said = bench.run("unshare", "-m", "sh", "-c", f'mount --bind "{bench.top}" "{bench.top}"; mount -o remount,bind,ro "{bench.top}"; exec installer/run')
    assert code == 1 and said.endswith("copy the checkout to a folder of your own and start there.")


def test_no_namespaces(bench: Bench) -> None:
    bench.play(unshare="exit 1")
    code, said = bench.run("sh", "-c", f'me=installer/run; top="{bench.top}"; . "$top/installer/set-up.sh"; need_namespaces')
    assert code == 1 and "may not make namespaces" in said and "as root: sysctl -w" in said


def test_a_set_up_that_was_broken_off_is_done_again(bench: Bench) -> None:
    """The stamp comes last: without it everything is looked at again."""
    bench.play(dpkg_query=KNOWN)
    bench.put(bench.top / ".venv" / "bin" / "python", f'echo "$*" >>"{bench.top}/asked"; case "$*" in *requirements*|*locks/product*) exit 1;; esac')
    assert bench.run()[0] == 1 and not list((bench.top / ".venv").glob("stands-*"))
    first = (bench.top / "asked").read_text()
    assert bench.run()[0] == 1 and (bench.top / "asked").read_text() == first * 2
