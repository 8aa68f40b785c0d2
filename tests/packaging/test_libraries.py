"""The libraries that the lock names behave as the facts say. Never tests our own code."""

from __future__ import annotations

import ast
import importlib.metadata
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.house.stairs import TOP
from tests.house.tree import PRODUCT, python_files


def _python(code: str, **env: str) -> str:
    env = {**os.environ, "QT_QPA_PLATFORM": "offscreen", **env}
    return subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True, timeout=60).stdout.strip()


def test_qt_keeps_its_references_to_none() -> None:
    """PySide6 6.12.0 on Python 3.11 drops one reference to None per call that returns None, and aborts after some thousand (PYSIDE-3474)."""
    drift = _python(
        "import sys\nfrom PySide6.QtWidgets import QApplication, QLabel\napp = QApplication([])\nlabel = QLabel()\n"
        "before = sys.getrefcount(None)\nfor _ in range(500): label.setText('a')\nprint(abs(before - sys.getrefcount(None)))"
    )
    assert int(drift) < 50


def test_qt_is_of_the_line_that_old_systems_run() -> None:
    assert importlib.metadata.version("PySide6-Essentials").split(".")[:2] in (["6", "7"], ["6", "8"], ["6", "9"])


def test_opencv_leaves_qt_alone() -> None:
    """The GUI build exports QT_QPA_PLATFORM_PLUGIN_PATH at import; every Qt 5 child process dies of it."""
    names = {dist.metadata["Name"].lower() for dist in importlib.metadata.distributions()}
    assert "opencv-python-headless" in names
    assert not names & {"opencv-python", "opencv-contrib-python"}
    leaked = _python("import os, cv2\nprint([name for name in os.environ if name.startswith('QT_') and name != 'QT_QPA_PLATFORM'])", QT_QPA_FONTDIR="")
    assert leaked in ("[]", "['QT_QPA_FONTDIR']")
    assert int(_python("import cv2\nprint(cv2.__version__.split('.')[0])")) == 4


def test_qt_plugins_find_their_parts() -> None:
    """Every library that the windows, the pictures and the printing open is there: installer/packages.txt is complete."""
    import PySide6

    plugins = Path(PySide6.__file__).parent / "Qt/plugins"
    wanted = [plugins / "platforms/libqxcb.so", plugins / "platforms/libqoffscreen.so"]
    for kind in ("imageformats", "iconengines", "printsupport"):
        # libqpdf's library is in the larger wheel, which we do not use
        wanted += [library for library in (plugins / kind).glob("*.so") if library.name != "libqpdf.so"]
    assert len(wanted) > 8
    holes: dict[str, list[str]] = {}
    for library in wanted:
        told = subprocess.run(["ldd", str(library)], capture_output=True, text=True, check=True, timeout=60).stdout
        if missing := [line.split()[0] for line in told.splitlines() if "not found" in line]:
            holes[library.name] = missing
    assert holes == {}


@pytest.mark.parametrize("module", [
    "smartcard.scard", "cv2", "pyzbar.pyzbar", "zxingcpp", "sqlcipher3", "pkcs11", "pypdfium2", "secretstorage",
    "pyhanko_certvalidator", "cbor2", "base45", "segno",
])
def test_library_loads(module: str) -> None:
    assert _python(f"import {module}\nprint('loads')") == "loads"


def _declared(*extras: str) -> set[str]:
    project = tomllib.loads((TOP / "pyproject.toml").read_text("utf-8"))["project"]
    texts = [*project["dependencies"], *(text for extra in extras for text in project["optional-dependencies"][extra])]
    return {re.split(r"[^A-Za-z0-9._-]", text)[0].lower().replace("_", "-") for text in texts}


@pytest.mark.parametrize(("rooms", "extras"), [(PRODUCT, ()), (("tests",), ("test", "build"))])
def test_every_imported_library_is_declared(rooms: tuple[str, ...], extras: tuple[str, ...]) -> None:
    """What comes in by way of another library only may go away with it."""
    homes, declared = importlib.metadata.packages_distributions(), _declared(*extras)
    found: dict[str, str] = {}
    for path in python_files(*rooms):
        for node in ast.walk(ast.parse((TOP / path).read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in {name.split(".")[0] for name in names} - set(sys.stdlib_module_names) - {*PRODUCT, "tests", ""}:
                if not {home.lower().replace("_", "-") for home in homes.get(name, [])} & declared:
                    found[name] = str(path)
    assert found == {}
