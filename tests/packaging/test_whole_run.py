"""``installer/test`` runs every test file once, in halves side by side, and says at its end what came of it. Python, ruff and namespaces are played here."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from tests.house.stairs import TOP

PYTHON = '''
echo "${HALL_INTAKE_REAL_ROOT:-0} $(for one; do printf "'%s' " "$one"; done)" >>"$CALLS"
case "$*" in
    *" pytest "*)
        before=
        for one; do
            case $before in --closing) echo "closed" >>"$one" ;; --fault-table) echo "told" >>"$one" ;; esac
            before=$one
        done
        echo "words of $*"
        case "$*" in *"${BAD:-nothing is bad}"*) exit 1 ;; esac ;;
    *tests.faults.table*) echo "the fault table of $(wc -l <"$3") parts" ;;
esac
'''


def _program(path: Path, lines: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{lines}\n")
    path.chmod(0o755)


@pytest.fixture
def top(tmp_path: Path) -> Path:
    made = tmp_path / "top"
    (made / "installer").mkdir(parents=True)
    shutil.copy(TOP / "installer" / "test", made / "installer")
    (made / "installer" / "set-up.sh").write_text('venv=$top/.venv\nsay() { printf "%s\\n" "$*" >&2; }\nfail() { say "$@"; exit 1; }\nset_up() { :; }\n'
                                                  'need_namespaces() { :; }\n')
    _program(made / "installer" / "alone", 'exec "$@"')
    _program(made / ".venv" / "bin" / "python", PYTHON)
    _program(made / ".venv" / "bin" / "ruff", "exit 0")
    _program(made / "path" / "id", 'echo "${ID:-0}"')
    return made


def run(top: Path, *words: str, **env: str) -> tuple[int, str, list[tuple[bool, list[str]]]]:
    """Exit code, all that was said, and the runs of pytest: whether as the machine's root, and with which arguments."""
    calls = top / "calls"
    calls.unlink(missing_ok=True)
    given = {"PATH": f"{top / 'path'}:{os.environ['PATH']}", "CALLS": str(calls), "TMPDIR": str(top), **env}
    done = subprocess.run(["sh", str(top / "installer" / "test"), *words], env=given, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    lines = [line.partition(" ") for line in calls.read_text().splitlines()]
    said = [(root == "1", shlex.split(rest)) for root, _, rest in lines]
    return done.returncode, done.stdout + done.stderr, [(root, call[4:]) for root, call in said if call[:2] == ["-m", "pytest"]]


def files_of(call: list[str]) -> set[str]:
    """The test files that such a run collects."""
    return {path.relative_to(TOP).as_posix() for one in call if one.startswith("tests/") for path in (TOP / one).rglob("test_*.py")}


@pytest.mark.parametrize("words", [(), ("--sweep",)])
def test_every_test_file_is_in_one_half(top: Path, words: tuple[str, ...]) -> None:
    code, said, calls = run(top, *words)
    assert code == 0, said
    halves = [call for root, call in calls if not root]
    every = Counter(name for call in halves for name in files_of(call))
    assert len(halves) == 2 and every == Counter(path.relative_to(TOP).as_posix() for path in (TOP / "tests").rglob("test_*.py"))
    assert all(("--no-skips" in call) is not bool(words) for call in halves)


def test_the_sweep_ends_with_root_counts_skips_and_the_fault_table(top: Path) -> None:
    code, said, calls = run(top, "--sweep")
    assert code == 0 and [root for root, _ in calls].count(True) == 1
    assert all(call[call.index("-m") + 1] == ("needs_root" if root else "not needs_root") for root, call in calls)
    assert said.count("closed") == 3 and said.index("closed") < said.index("the fault table of 3 parts")
    assert "words of -m pytest" in (top / ".venv" / "sweep" / "beside").read_text()


def test_without_root_the_sweep_names_what_needs_it(top: Path) -> None:
    code, _, calls = run(top, "--sweep", ID="1000")
    assert code == 0 and not any(root for root, _ in calls) and ["needs_root" in call for _, call in calls].count(True) == 1


@pytest.mark.parametrize("bad", ["tests/unit", "outcomes tests/faults", "-m needs_root"])
def test_a_part_that_fails_fails_the_sweep_and_the_others_run_all_the_same(top: Path, bad: str) -> None:
    code, said, calls = run(top, "--sweep", BAD=bad)
    assert code == 1 and len(calls) == 3 and "tests failed" in said and "the fault table of 3 parts" in said


@pytest.mark.parametrize("bad", ["tests/unit", "tests/contract tests/faults"])
def test_a_half_that_fails_fails_the_usual_run(top: Path, bad: str) -> None:
    code, said, _ = run(top, BAD=bad, ID="1000")
    assert code == 1 and "tests failed" in said and "words of -m pytest -p no:cacheprovider --no-skips tests/unit" in said
    assert not list(top.glob("hall-intake-tests.*"))


def test_arguments_go_to_one_run_of_pytest(top: Path) -> None:
    assert [call for _, call in run(top, "--", "tests/unit", "-k", "seal or wire")[2]] == [["tests/unit", "-k", "seal or wire"]]
    assert run(top, "--sweep", "--", "tests/faults")[2] == [(True, ["-m", "", "tests/faults"])]
