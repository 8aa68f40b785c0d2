"""The line is cut at every byte: each cut is noticed, nothing is lost, nothing comes twice. Over real TLS against the reference province.

A cut after n bytes means: the far side got n bytes of that section of that message and then the line ended. The usual run draws 60 cuts with a fixed seed;
the sweep makes all of them, in SLICES tests that may run beside each other or one by one (``-k every_cut and slice3``); each tells how far it is.
"""

from __future__ import annotations

import http.client
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

import sync.upload
from sync.courier import Courier
from sync.wire import tls_context
from tests.contract.province.hall import HallStation, People, open_lists
from tests.emulators.cutting_way import Cut, CuttingWay
from tests.emulators.province_run import ProvinceRun
from tests.faults.hall_checker import Hasty, faults_at, renaming
from tests.faults.table import Outcome

PACKETS, RECORDS = "^/v1/packets", "^/v1/records"
MESSAGES = (("POST", PACKETS), ("HEAD", PACKETS), ("PATCH", PACKETS), ("PUT", RECORDS), ("GET", RECORDS))
EDGE = 4096
SEEDED = 500
SLICES = 8
SMALL = 3000
"""Bytes of the picture where the cut is not meant for a part: such a packet is one part."""
ENOUGH = 10
"""Faults after which a run stops: it has failed by then."""
FAULT = "network cut (heads, bodies, part borders, seeded offsets)"


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> People:
    return People(tmp_path_factory.mktemp("people") / "ca")


@pytest.fixture
def province(tmp_path: Path, people: People) -> Iterator[ProvinceRun]:
    with people.province(tmp_path / "province") as running:
        open_lists(running)
        yield running


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> int:
    """Bytes of a part in this test."""
    monkeypatch.setattr(sync.upload, "PART", 16_384)
    monkeypatch.setattr(sync.upload, "LARGEST", 16_384)
    return 16_384


class Cutter:
    """A station behind a way that can be cut. ``cut`` makes one cut and lets the station notice it; ``faults`` is what did not hold."""

    def __init__(self, folder: Path, people: People, province: ProvinceRun, size: int, courier_kind: type[Courier] = Courier, renames: bool = False) -> None:
        """``courier_kind``, ``renames``: the controls' sins."""
        self.province, self.size, self._renames = province, size, renames
        self.hall = HallStation(folder / "home", people, province)
        station = self.hall.station
        self.way = CuttingWay(province.url, people.ca.issue_server(stem="way"), tls_context(station.tls_roots, station.identity))
        self.hall.courier_kind = courier_kind
        self.hall.reopen(replace(station, invitation=replace(station.invitation, url=self.way.url)))
        self.records: list[str] = []
        self.faults: list[str] = []
        self.cuts = 0

    def __enter__(self) -> Cutter:
        self.way.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.hall.close()
        self.way.__exit__()

    def new(self, size: int = 0) -> str:
        self.records.append(self.hall.keep(size=size or self.size))
        return self.records[-1]

    def lengths(self) -> dict[tuple[str, str, str], int]:
        """(method, direction, section) -> bytes, the longest seen on a way that is not cut and on one that must be asked about."""
        for state in ("kept", "uploaded"):
            record = self.new()
            self.hall.drive(record, state)
            self.hall.reopen()
            if state == "kept":
                self.hall.begin(record)
            self.hall.drive(record, "receipted")
        found: dict[tuple[str, str, str], int] = {}
        for one in self.way.passed:
            for key, length in (("up head", one.up_head), ("up body", one.up_body), ("down head", one.down_head), ("down body", one.down_body)):
                direction, section = key.split()
                found[one.method, direction, section] = max(length, found.get((one.method, direction, section), 0))
        return found

    def _ready(self, method: str) -> str:
        """A record whose next step sends such a message."""
        hall, record = self.hall, self.records[-1]
        state = hall.row(record).state
        if method in ("PUT", "GET"):
            if state in ("receipted", "set_aside"):
                record = self.new(SMALL)
            hall.drive(record, "uploaded")
            if method == "GET":
                hall.courier._asked.clear()  # what a new start does
            return record
        if state != "uploading":
            if state not in ("receipted", "set_aside"):
                hall.drive(record, "receipted")
            record = self.new(0 if method == "PATCH" else SMALL)
            hall.drive(record, "uploading")
        if method == "HEAD" and not hall.row(record).upload_id:
            hall.begin(record)
        if method == "POST":
            hall.outbox.mark(record, "uploading", upload_id="", upload_offset=0)
        return record

    def cut(self, cut: Cut) -> bool:
        """Whether it fell (a shorter message than the longest may have no such byte)."""
        for _ in range(3):
            record = self._ready(cut.method)
            before = self.hall.row(record)
            self.way.arm(cut)
            self.hall.courier.step()
            self.way.disarm()
            self.hall.pass_time(1)
            if self.way.fired:
                break
        else:
            return False
        self.cuts += 1
        self._check(cut, record, before)
        if self._renames and self.hall.row(record).last_error:
            self.records[self.records.index(record)] = renaming(self.hall, record)
        return True

    def _check(self, cut: Cut, record: str, before: Any) -> None:
        """The station said that it is offline and why, and the record did not move; unless the whole answer had come before the line ended."""
        row, status = self.hall.row(record), self.hall.courier.status()
        noticed = row.state == before.state and row.last_error == status.last_error_code == "province.unreachable" and not status.online
        if not noticed and not (self.way.whole and row.state in (before.state, "receipted", "uploaded") and not row.last_error):
            self.faults.append(f"a cut was not noticed: {cut}: {before.state}, then {row.state} {row.last_error!r} {row.last_detail}")

    def make(self, cuts: Sequence[Cut], say: Callable[[str], object] = lambda line: None) -> int:
        """How many of ``cuts`` fell. Stops where it has failed anyway."""
        fell = 0
        for number, one in enumerate(cuts, 1):
            fell += self.cut(one)
            if number % 200 == 0 or number == len(cuts):
                say(f"{number} of {len(cuts)} cuts: {fell} fell, {len(self.faults)} faults, {len(self.records)} records")
            if len(self.faults) >= ENOUGH:
                break
        return fell

    def finish(self, outcome: Outcome | None = None) -> list[str]:
        """All that was kept gets its time; then all that does not hold, the cuts' own faults first. Told to ``outcome``."""
        for record in self.records:
            for _ in range(30):
                if self.hall.row(record).state in ("receipted", "set_aside"):
                    break
                self.hall.pass_time(1)
                self.hall.courier.step()
        found = self.faults + faults_at(self.hall, self.province, self.records)
        if outcome is not None:
            outcome.ran(FAULT, self.cuts, found, len(self.records))
        return found


def every_cut(lengths: dict[tuple[str, str, str], int], part: int, seed: int, which: int = 0, slices: int = 1) -> list[Cut]:
    """Each byte of the heads, the first and last 4 KiB of the bodies, the borders, and 500 seeded offsets. ``which`` of ``slices``: every so-many-th byte, so
    that all slices make all cuts even where each has seen messages of its own lengths.
    """
    cuts: list[Cut] = []
    random = Random(seed)
    for method, path in MESSAGES:
        for direction in ("up", "down"):
            cuts += [Cut(method, path, direction, "head", n, _resets(n, slices)) for n in range(lengths.get((method, direction, "head"), 0) + 1)  # type: ignore[arg-type]
                     if n % slices == which]
            body = lengths.get((method, direction, "body"), 0)
            edges = {*range(min(EDGE, body) + 1), *range(max(0, body - EDGE), body + 1), part - 1, part} & set(range(body + 1)) if body else set[int]()
            cuts += [Cut(method, path, direction, "body", n, _resets(n, slices)) for n in sorted(edges) if n % slices == which]  # type: ignore[arg-type]
    whole = lengths["PATCH", "up", "body"]
    seeded = [random.randrange(whole) for _ in range(SEEDED)]
    return cuts + [Cut("PATCH", PACKETS, "up", "body", seeded[n], _resets(n, slices)) for n in range(which, SEEDED, slices)]


def _resets(n: int, slices: int) -> bool:
    """Every second cut of a slice is a TCP reset."""
    return n // slices % 2 == 0


@pytest.mark.timeout(300)
def test_sixty_cuts_are_noticed_and_harmless(tmp_path: Path, people: People, province: ProvinceRun, small_parts: int, outcome: Outcome) -> None:
    with Cutter(tmp_path, people, province, size=5 * small_parts + 100) as cutter:
        cuts = every_cut(cutter.lengths(), small_parts, seed=7)
        fell = cutter.make(Random(7).sample(cuts, 60))
        faults = cutter.finish(outcome)
    assert not faults and fell >= 55 and len(cuts) > 10_000


def test_behind_the_last_byte_of_an_answer_there_is_nothing_to_notice(tmp_path: Path, people: People, province: ProvinceRun) -> None:
    """An answer without a body ends with its head, whether it says that (POST: a length of 0) or its kind does (HEAD, PATCH)."""
    with Cutter(tmp_path, people, province, SMALL) as cutter:
        lengths = cutter.lengths()
        for method, path in MESSAGES[:3]:
            whole = lengths[method, "down", "head"]
            assert cutter.cut(Cut(method, path, "down", "head", whole)) and cutter.way.whole
            assert cutter.cut(Cut(method, path, "down", "head", whole - 1)) and not cutter.way.whole
        assert cutter.finish() == []


def test_all_slices_together_are_all_cuts() -> None:
    lengths = {(method, direction, section): 97 + 11 * number for number, (method, _) in enumerate(MESSAGES)
               for direction in ("up", "down") for section in ("head", "body")} | {("PATCH", "up", "body"): 16_384}
    whole = Counter(replace(one, reset=False) for one in every_cut(lengths, 16_384, seed=11))
    sliced = Counter(replace(one, reset=False) for which in range(SLICES) for one in every_cut(lengths, 16_384, 11, which, SLICES))
    assert sliced == whole and {one.reset for one in every_cut(lengths, 16_384, 11, 3, SLICES)} == {True, False}


@pytest.mark.sweep
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("which", range(SLICES), ids=[f"slice{number}" for number in range(SLICES)])
def test_every_cut_is_noticed_and_harmless(tmp_path: Path, people: People, province: ProvinceRun, small_parts: int, which: int, outcome: Outcome,
                                           capfd: pytest.CaptureFixture[str]) -> None:
    def say(line: str) -> None:
        with capfd.disabled():
            print(f"\nslice {which + 1} of {SLICES}: {line}", end="", flush=True)

    with Cutter(tmp_path, people, province, size=40 * small_parts + 100) as cutter:
        cuts = every_cut(cutter.lengths(), small_parts, 11, which, SLICES)
        fell = cutter.make(cuts, say)
        faults = cutter.finish(outcome)
    assert not faults and fell > 0.95 * len(cuts)


@pytest.mark.sweep
@pytest.mark.timeout(3600)
def test_cuts_in_parts_of_the_real_size(tmp_path: Path, people: People, province: ProvinceRun, monkeypatch: pytest.MonkeyPatch,
                                        outcome: Outcome) -> None:
    """1 MiB parts: at each part border, one byte around it, and at 500 seeded offsets of the packet."""
    monkeypatch.setattr(sync.upload, "LARGEST", sync.upload.PART)
    part = sync.upload.PART
    with Cutter(tmp_path, people, province, size=3 * part + 12_345) as cutter:
        cutter.new()
        random = Random(23)
        offsets = [0, 1, part - 1, part] * 4 + [random.randrange(part) for _ in range(SEEDED)]
        fell = cutter.make([Cut("PATCH", PACKETS, "up", "body", n, n % 2 == 0) for n in offsets])
        fell += cutter.make([Cut("PATCH", PACKETS, "down", "head", n) for n in range(0, 160, 20)])
        faults = cutter.finish(outcome)
    assert not faults and fell > 500


# -- the controls: programs with one sin each, behind the same way, before the same checker --------------------------------------------------
def _cut_under(folder: Path, people: People, province: ProvinceRun, cuts: Sequence[Cut], **sin: Any) -> list[str]:
    with Cutter(folder, people, province, SMALL, **sin) as cutter:
        cutter.new()
        assert cutter.make(cuts) >= len(cuts) // 2
        return cutter.finish()


@pytest.mark.expects_log("Failed to parse headers")
def test_a_program_that_takes_a_head_that_was_cut_for_whole_is_noticed(tmp_path: Path, people: People, province: ProvinceRun, monkeypatch: pytest.MonkeyPatch,
                                                                       outcome: Outcome) -> None:
    """The standard library's own answer in place of ``sync.line._WholeHead``."""
    monkeypatch.setattr("sync.line._WholeHead", lambda _end, *args, **kwargs: http.client.HTTPResponse(*args, **kwargs))
    cuts = [Cut(method, path, "down", "head", n) for method, path in MESSAGES[1:4] for n in range(30, 200, 34)]
    faults = _cut_under(tmp_path, people, province, cuts)
    outcome.control(FAULT, "takes a head that was cut off for whole", faults)
    assert sum(one.startswith("a cut was not noticed") for one in faults) >= 3, faults


def test_a_program_that_takes_a_cut_answer_for_a_receipt_is_noticed(tmp_path: Path, people: People, province: ProvinceRun, outcome: Outcome) -> None:
    faults = _cut_under(tmp_path, people, province, [Cut("PUT", RECORDS, "up", "body", n) for n in (0, 700)], courier_kind=Hasty)
    outcome.control(FAULT, "takes a cut answer for a receipt", faults)
    assert any(one.startswith("lost") for one in faults) and any(one.startswith("a cut was not noticed") for one in faults), faults


def test_a_program_that_makes_a_new_id_per_try_is_noticed(tmp_path: Path, people: People, province: ProvinceRun, outcome: Outcome) -> None:
    faults = _cut_under(tmp_path, people, province, [Cut("PUT", RECORDS, "down", "head", n) for n in (0, 90)], renames=True)
    outcome.control(FAULT, "makes a new id per try", faults)
    assert any(one.startswith("twice") for one in faults), faults
