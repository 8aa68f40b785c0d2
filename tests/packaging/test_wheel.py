"""What is in the wheel and what must never be. Builds it once from a copy of the tracked files; never from the checkout itself."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path

import pytest

from tests.house.stairs import TOP
from tests.house.tree import PRODUCT, tracked

VECTORS = "resources/province/vectors/"
"""For developers of stations and provinces; they hold test keys."""
PEM = re.compile(rb"-----BEGIN [A-Z ]+-----(\s|\\n)*[A-Za-z0-9+/]{20}")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for path in tracked():
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(TOP / path, source / path)
    options = ["-q", "--disable-pip-version-check", "--no-deps", "--no-build-isolation", "--no-index", "-w", str(out)]
    run = subprocess.run([sys.executable, "-m", "pip", "wheel", *options, str(source)], capture_output=True, text=True, check=False, timeout=110)
    assert run.returncode == 0, run.stdout + run.stderr
    (file,) = out.glob("*.whl")
    with zipfile.ZipFile(file) as opened:
        yield opened


def _inside(wheel: zipfile.ZipFile) -> set[str]:
    return {name for name in wheel.namelist() if not name.endswith("/") and ".dist-info/" not in name}


def test_every_file_of_the_rooms_is_inside(wheel: zipfile.ZipFile) -> None:
    wanted = {str(path) for path in tracked() if path.parts[0] in PRODUCT and not str(path).startswith(VECTORS)}
    assert sorted(wanted - _inside(wheel)) == []


def test_nothing_else_is_inside(wheel: zipfile.ZipFile) -> None:
    assert sorted(name for name in _inside(wheel) if name.split("/")[0] not in PRODUCT) == []


def test_command_and_licence_are_there(wheel: zipfile.ZipFile) -> None:
    (points,) = [name for name in wheel.namelist() if name.endswith("entry_points.txt")]
    parser = ConfigParser()
    parser.read_string(wheel.read(points).decode())
    assert dict(parser["console_scripts"]) == {"hall-intake": "desktop.__main__:main"}
    assert any(name.endswith("licenses/LICENSE") for name in wheel.namelist())


# -- practice stays outside -------------------------------------------------------------------------------------------------------------
def test_product_has_no_profile_for_the_virtual_reader(wheel: zipfile.ZipFile) -> None:
    """Whoever finds a virtual reader in front of the product must find no profile that makes it an identity-card reader."""
    words = (b"Virtual PCD", b"Virtual Smart Card", b"vpcd", b"VirtualPCD")
    assert sorted(name for name in _inside(wheel) if any(word.lower() in wheel.read(name).lower() for word in words)) == []


def test_product_has_no_practice_root_and_no_key(wheel: zipfile.ZipFile) -> None:
    """No certificate, key, invitation or token library is shipped: roots come with enrolment only."""
    found = {name for name in _inside(wheel) if PEM.search(wheel.read(name)) or b"softhsm" in wheel.read(name).lower() or name.startswith(VECTORS)}
    assert sorted(found) == []
    endings = (".pem", ".der", ".key", ".p12", ".pfx", ".crt", ".cer")
    assert sorted(name for name in _inside(wheel) if name.endswith(endings)) == []


def test_source_of_this_test_would_be_found() -> None:
    """The negative control: the emulators do carry what the product must not."""
    emulators = b"".join(path.read_bytes() for path in Path(TOP, "tests/emulators").glob("*.py"))
    assert b"Virtual PCD" in emulators
    assert b"softhsm2.conf" in emulators
    assert PEM.search(b"-----BEGIN PRIVATE KEY-----\n" + b"MIGHAgEAMBMGByqGSM49AgEG")
