"""Many stations at once, each with its real store, outbox and courier, at one reference province over loopback TLS. Never decides: it prints figures.

``python -m tests.bench.stations [--stations 50] [--records 20] [--bytes 1000000] [--folder DIR] [--sqlite]``: the province stands on a PostgreSQL that this
program starts itself, or on SQLite. First every station keeps its records while nothing is sent; then all send at once, one thread each, all in this process.
Printed: records and bytes that came through, tries that failed, throughput, and the median and 99th percentile of one record's way (from its first question
to the receipt that was compared and kept) and of a single request.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from sync.wire import DeviceIdentity, Limits, open_session, tls_context
from tests.contract.province.hall import HallStation, People, open_lists
from tests.emulators.postgres import Postgres
from tests.emulators.province_run import ProvinceRun

__all__ = ["Crowd", "crowd", "percentile"]

_LIMITS = Limits(60, 120, 300)
_MOST_STEPS = 100
"""Of one station for one record: far more than a way without faults needs."""


class CrowdStation(HallStation):
    """A station whose requests are timed, in place of held against the text."""

    def _watched(self, roots: Sequence[bytes], identity: DeviceIdentity | None) -> requests.Session:
        self.requests: list[float] = getattr(self, "requests", [])
        session = open_session(tls_context(roots, identity))
        session.hooks["response"].append(lambda response, **_: self.requests.append(response.elapsed.total_seconds()))
        return session

    def send_all(self, records: Sequence[str], begin: threading.Event, found: Crowd) -> None:
        """The courier's steps until all are receipted; a failed try is counted and tried again."""
        begin.wait()
        first: dict[str, float] = {}
        times: list[float] = []
        for _ in range(_MOST_STEPS * len(records)):
            if len(times) == len(records):
                break
            self.statuses.clear()
            started = time.perf_counter()
            if not self.courier.step():
                self.pass_time(120)
                continue
            moved = next(one.moving for one in self.statuses if one.moving)
            row = self.row(moved)
            if row.upload_id:  # the step before only marks it as next
                first.setdefault(moved, started)
            if row.state == "receipted":
                times.append(time.perf_counter() - first[moved])
        found.add(times, self.requests, sum(self.row(one).tries for one in records), sum(self.row(one).state == "receipted" for one in records))


@dataclass
class Crowd:
    """What came of it. Times in seconds; ``tries``: failed tries of all records."""

    ways: list[float] = field(default_factory=list[float])
    requests: list[float] = field(default_factory=list[float])
    tries: int = 0
    receipts: int = 0
    took: float = 0.0
    came: int = 0
    serials: int = 0
    packet_bytes: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, ways: Sequence[float], requests_: Sequence[float], tries: int, receipts: int) -> None:
        with self._lock:
            self.ways += ways
            self.requests += requests_
            self.tries += tries
            self.receipts += receipts

    def figures(self) -> dict[str, Any]:
        """For print."""
        return {
            "records": len(self.ways), "receipts": self.receipts, "came in, each once": self.came, "serials without a gap": self.serials,
            "failed tries": self.tries, "seconds": round(self.took, 1), "records/s": round(self.receipts / self.took, 1),
            "MB/s": round(self.packet_bytes / self.took / 1e6, 1),
            "record p50 ms": round(1000 * statistics.median(self.ways)), "record p99 ms": round(1000 * percentile(self.ways, 99)),
            "requests": len(self.requests), "request p50 ms": round(1000 * statistics.median(self.requests), 1),
            "request p99 ms": round(1000 * percentile(self.requests, 99), 1),
        }


def percentile(values: Sequence[float], percent: int) -> float:
    """The smallest value that ``percent`` of all do not pass. Raises ValueError where there are none."""
    ordered = sorted(values)
    if not ordered:
        raise ValueError("no values")
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def _wait_all(threads: Sequence[threading.Thread]) -> None:
    for one in threads:
        one.join()


def crowd(folder: Path, stations: int, records: int, size: int, database: str) -> Crowd:
    """So many stations send so many records with ``size`` bytes of attachment each, at once."""
    people, found = People(folder / "ca"), Crowd()
    with ExitStack() as ending:
        province: ProvinceRun = ending.enter_context(people.province(folder / "province", database))
        open_lists(province)
        halls = [CrowdStation(folder / f"home {number}", people, province, _LIMITS) for number in range(stations)]
        for hall in halls:
            ending.callback(hall.close)
        kept = [[hall.keep(size) for _ in range(records)] for hall in halls]
        found.packet_bytes = sum(hall.row(one).packet_size for hall, ids in zip(halls, kept, strict=True) for one in ids)
        for hall in halls:
            hall.requests.clear()
        begin = threading.Event()
        threads = [threading.Thread(target=hall.send_all, args=(ids, begin, found)) for hall, ids in zip(halls, kept, strict=True)]
        for one in threads:
            one.start()
        started = time.perf_counter()
        begin.set()
        _wait_all(threads)
        found.took = time.perf_counter() - started
        there = province.look()["records"]
        wanted = {one for ids in kept for one in ids}
        found.came = len(wanted) if sorted(one["record_id"] for one in there) == sorted(wanted) else -1
        found.serials = len(there) if [one["serial"] for one in there] == list(range(1, len(there) + 1)) else -1
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.stations")
    parser.add_argument("--stations", type=int, default=50)
    parser.add_argument("--records", type=int, default=20)
    parser.add_argument("--bytes", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="where the stores lie; a memory file system measures nothing")
    parser.add_argument("--sqlite", action="store_true", help="the province on SQLite instead of PostgreSQL")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder, ExitStack() as ending:
        words = "" if given.sqlite else ending.enter_context(Postgres()).words()
        found = crowd(Path(folder), given.stations, given.records, given.bytes, words)
    print(json.dumps({"stations": given.stations, "database": "SQLite" if given.sqlite else "PostgreSQL", **found.figures()}, indent=1))


if __name__ == "__main__":
    main()
