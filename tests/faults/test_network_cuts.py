"""The line is cut at every byte: each cut is noticed, nothing is lost, nothing comes twice. Over real TLS against the reference province.

A cut after n bytes means: the far side got n bytes of that section of that message and then the line ended. The usual run draws 60 cuts with a fixed seed;
the sweep makes all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

import sync.upload
from sync.wire import tls_context
from tests.contract.province.hall import HallStation, People, open_lists
from tests.emulators.cutting_way import Cut, CuttingWay
from tests.emulators.province_run import ProvinceRun
from tests.faults.table import Outcome

PACKETS, RECORDS = "^/v1/packets", "^/v1/records"
MESSAGES = (("POST", PACKETS), ("HEAD", PACKETS), ("PATCH", PACKETS), ("PUT", RECORDS), ("GET", RECORDS))
EDGE = 4096
SEEDED = 500
FAULT = "network cut (heads, bodies, part borders, seeded offsets)"


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> People:
    return People(tmp_path_factory.mktemp("people") / "ca")


@pytest.fixture
def province(tmp_path: Path, people: People) -> Iterator[ProvinceRun]:
    with people.province(tmp_path / "province") as running:
        open_lists(running)
        yield running


class Cutter:
    """A station behind a way that can be cut. ``cut`` makes one cut and lets the station notice it."""

    def __init__(self, folder: Path, people: People, province: ProvinceRun, size: int) -> None:
        self.province, self.size = province, size
        self.hall = HallStation(folder / "home", people, province)
        station = self.hall.station
        self.way = CuttingWay(province.url, people.ca.issue_server(stem="way"), tls_context(station.tls_roots, station.identity))
        self.hall.reopen(replace(station, invitation=replace(station.invitation, url=self.way.url)))
        self.records: list[str] = []
        self.cuts = 0

    def __enter__(self) -> Cutter:
        self.way.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.hall.close()
        self.way.__exit__()

    def new(self) -> str:
        self.records.append(self.hall.keep(size=self.size))
        return self.records[-1]

    def lengths(self) -> dict[tuple[str, str, str], int]:
        """(method, direction, section) -> bytes, the longest seen on a way that is not cut and on one that must be asked about."""
        for state in ("kept", "uploaded"):
            record = self.new()
            self.hall.drive(record, state)
            self.hall.reopen()
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
            if state == "receipted":
                record = self.new()
            hall.drive(record, "uploaded")
            if method == "GET":
                hall.courier._asked.clear()  # what a new start does
            return record
        if state != "uploading":
            hall.drive(record, "receipted")
            record = self.new()
            hall.drive(record, "uploading")
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
        return True

    def _check(self, cut: Cut, record: str, before: Any) -> None:
        row, status = self.hall.row(record), self.hall.courier.status()
        assert row.state in (before.state, "receipted", "uploaded"), (cut, row.state, row.reason, row.last_detail)
        if row.state == before.state:
            noticed = row.last_error.startswith("province.") and not status.online and status.last_error_code == row.last_error
            assert noticed, (cut, row.last_error, row.last_detail, status)

    def finish(self) -> None:
        """All that was kept is receipted, once."""
        for record in self.records:
            self.hall.pass_time(1)
            self.hall.drive(record, "receipted")
        there = [one["record_id"] for one in self.province.look()["records"]]
        assert sorted(there) == sorted(self.records)


def every_cut(lengths: dict[tuple[str, str, str], int], part: int, seed: int) -> list[Cut]:
    """Each byte of the heads, the first and last 4 KiB of the bodies, the borders, and 500 seeded offsets."""
    cuts: list[Cut] = []
    random = Random(seed)
    for method, path in MESSAGES:
        for direction in ("up", "down"):
            cuts += [Cut(method, path, direction, "head", n, n % 2 == 0) for n in range(lengths.get((method, direction, "head"), 0) + 1)]  # type: ignore[arg-type]
            body = lengths.get((method, direction, "body"), 0)
            edges = {*range(min(EDGE, body) + 1), *range(max(0, body - EDGE), body + 1), part - 1, part} & set(range(body + 1)) if body else set[int]()
            cuts += [Cut(method, path, direction, "body", n, n % 2 == 0) for n in sorted(edges)]  # type: ignore[arg-type]
    whole = lengths["PATCH", "up", "body"]
    cuts += [Cut("PATCH", PACKETS, "up", "body", random.randrange(whole), n % 2 == 0) for n in range(SEEDED)]
    return cuts


@pytest.mark.timeout(300)
def test_sixty_cuts_are_noticed_and_harmless(tmp_path: Path, people: People, province: ProvinceRun, monkeypatch: pytest.MonkeyPatch,
                                             outcome: Outcome) -> None:
    monkeypatch.setattr(sync.upload, "PART", 16_384)
    monkeypatch.setattr(sync.upload, "LARGEST", 16_384)
    with Cutter(tmp_path, people, province, size=5 * 16_384 + 100) as cutter:
        cuts = every_cut(cutter.lengths(), 16_384, seed=7)
        chosen = Random(7).sample(cuts, 60)
        fell = sum(cutter.cut(one) for one in chosen)
        cutter.finish()
        outcome.ran(FAULT, fell, (), len(cutter.records))
    assert fell >= 55 and len(cuts) > 10_000


@pytest.mark.sweep
@pytest.mark.timeout(7200)
def test_every_cut_is_noticed_and_harmless(tmp_path: Path, people: People, province: ProvinceRun, monkeypatch: pytest.MonkeyPatch,
                                           outcome: Outcome) -> None:
    monkeypatch.setattr(sync.upload, "PART", 16_384)
    monkeypatch.setattr(sync.upload, "LARGEST", 16_384)
    with Cutter(tmp_path, people, province, size=40 * 16_384 + 100) as cutter:
        cuts = every_cut(cutter.lengths(), 16_384, seed=11)
        fell = sum(cutter.cut(one) for one in cuts)
        cutter.finish()
        outcome.ran(FAULT, fell, (), len(cutter.records))
    print(f"\n{len(cuts)} cuts ordered, {fell} fell, {len(cutter.records)} records: all receipted, each once")
    assert fell > 0.95 * len(cuts)


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
        fell = sum(cutter.cut(Cut("PATCH", PACKETS, "up", "body", n, n % 2 == 0)) for n in offsets)
        fell += sum(cutter.cut(Cut("PATCH", PACKETS, "down", "head", n)) for n in range(0, 160, 20))
        cutter.finish()
        outcome.ran(FAULT, fell, (), len(cutter.records))
    print(f"\n{fell} cuts in {len(cutter.records)} records of 3 MiB: all receipted, each once")
    assert fell > 500
