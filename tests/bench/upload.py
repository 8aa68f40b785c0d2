"""How fast a packet goes up, against the line and against bare requests, and what a cut costs. Never decides: it prints figures.

``python -m tests.bench.upload [line] [bare] [cuts] [--mbit 20] [--mib 24] [--rounds 9] [--cuts 20] [--delay-ms 0 10]``, all three without a name:

``line``: a packet over a line of so many Mbit/s (a shaper of our own on loopback, payload bytes of TCP, so TLS and HTTP count as cost), to the line's rate and
to one unbroken PATCH over the same line. ``bare``: over TLS loopback, the whole upload (POST, HEAD, parts read from the file and digested) against bare PATCH
requests of the same parts, ready in memory with their digests, to the same durable route, without and with the POST that makes the route; in turn, medians of
the rounds and of the rounds' ratios.
``cuts``: the line is cut in parts at seeded offsets; bytes of parts sent beyond the packet's own, and the most for one cut.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import os
import statistics
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Any

from sync.canon import digest
from sync.errors import ProvinceUnreachable
from sync.upload import PART, upload_packet
from sync.wire import Answer, Limits, Wire, open_session, tls_context
from tests.contract.province.hall import HallStation, People, open_lists
from tests.emulators.cutting_way import Cut, CuttingWay
from tests.emulators.province_run import ProvinceRun
from tests.emulators.slow_line import SlowLine

__all__ = ["Bench", "Counting"]

_LIMITS = Limits(30, 120, 600)
_TUS = {"Tus-Resumable": "1.0.0"}


class Counting:
    """A ``Wire`` that counts the body bytes it was given to send; ``parts``: the sizes of the PATCHes."""

    def __init__(self, wire: Wire) -> None:
        self._wire, self.sent, self.parts = wire, 0, list[int]()

    def ask(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None, good: tuple[int, ...] = (200,),
            sent: Callable[[], object] | None = None) -> Answer:
        self.sent += len(body or b"")
        if method == "PATCH":
            self.parts.append(len(body or b""))
        return self._wire.ask(method, path, body, headers, good, sent)

    def close(self) -> None:
        self._wire.close()


class Bench:
    """A province and one station that has a certificate; a context manager."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._people = People(folder / "ca")
        self._province: ProvinceRun = self._people.province(folder / "province")

    def __enter__(self) -> Bench:
        self._province.start()
        open_lists(self._province)
        self._hall = HallStation(self._folder / "home", self._people, self._province)
        return self

    def __exit__(self, *_: object) -> None:
        self._hall.close()
        self._province.stop()

    def wire(self, url: str = "") -> Wire:
        station = self._hall.station
        return Wire(url or self._province.url, open_session(tls_context(station.tls_roots, station.identity)), _LIMITS)

    def packet(self, size: int) -> Path:
        path = self._folder / f"packet {uuid.uuid4()}"
        path.write_bytes(os.urandom(size))
        return path

    # -- ways --------------------------------------------------------------------------------------------------------------------------
    def upload(self, wire: Any, path: Path) -> float:
        """Seconds of the product's upload, from the first question to the last answer."""
        record_id, named = str(uuid.uuid4()), digest(path.read_bytes())
        started = time.perf_counter()
        done = upload_packet(wire, path, record_id, named, None, threading.Event(), lambda done, total: None, lambda made: None)
        took = time.perf_counter() - started
        if not done.complete:
            raise RuntimeError("the upload did not come to its end")
        return took

    def bare(self, wire: Wire, path: Path, sizes: Sequence[int]) -> tuple[float, float]:
        """Seconds of the POST that makes the route, and of bare PATCH requests of parts that lie ready, one after the other."""
        content = path.read_bytes()
        named = digest(content)
        begun = time.perf_counter()
        made = self._created(wire, len(content), named)
        parts_begun = time.perf_counter() - begun
        parts = [(str(place), content[place:place + size]) for size, place in zip(sizes, accumulate(sizes, initial=0), strict=False)]
        ready = [(body, {**_TUS, "Content-Type": "application/offset+octet-stream", "Upload-Offset": place,
                         "Upload-Checksum": "sha256 " + base64.b64encode(hashlib.sha256(body).digest()).decode()}) for place, body in parts]
        started = time.perf_counter()
        for body, headers in ready:
            wire.ask("PATCH", made, body, headers, (204,))
        return parts_begun, time.perf_counter() - started

    def _created(self, wire: Wire, size: int, named: str) -> str:
        facts = (("record_id", str(uuid.uuid4())), ("digest", named))
        words = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in facts)
        headers = {**_TUS, "Upload-Length": str(size), "Upload-Metadata": words}
        return wire.ask("POST", "/v1/packets", b"", headers, (201,)).headers["Location"]

    # -- what is measured --------------------------------------------------------------------------------------------------------------
    def line(self, mbit: float, mib: float, delay_s: float) -> dict[str, object]:
        """Rates are of the packet's own bytes; ``delay_s``: each way."""
        path = self.packet(int(mib * 1024 * 1024))
        rates: dict[str, float] = {}
        with SlowLine(self._province.url, mbit, delay_s) as way:
            wire = self.wire(way.url)
            wire.ask("GET", "/v1/time")  # the line stands
            size = path.stat().st_size
            counting, most = Counting(wire), min(size, 16 * PART)
            rates["upload"] = size * 8 / self.upload(counting, path) / 1e6
            rates["one PATCH"] = most * 8 / self.bare(wire, self.packet(most), [most])[1] / 1e6
            wire.close()
        return {"line Mbit/s": mbit, "delay each way ms": round(1000 * delay_s), "MiB": mib, "parts MiB": [round(one / PART, 2) for one in counting.parts],
                "Mbit/s": {name: round(rate, 2) for name, rate in rates.items()},
                "upload/line": round(rates["upload"] / mbit, 3), "upload/one PATCH": round(rates["upload"] / rates["one PATCH"], 3)}

    def against_bare(self, mib: float, rounds: int) -> dict[str, object]:
        """Medians over the rounds, in which both ways send another packet of the same size in the same parts, in turn the one or the other first."""
        wire = self.wire()
        times: dict[str, list[float]] = {"upload": [], "bare": [], "bare and its POST": []}
        sizes: list[int] = []
        for number in range(rounds + 1):
            counting, path = Counting(wire), self.packet(int(mib * 1024 * 1024))
            for name in ("bare", "upload") if number % 2 else ("upload", "bare"):
                if name == "upload":
                    times["upload"].append(self.upload(counting, path))
                    sizes = counting.parts
                else:
                    made, parts = self.bare(wire, path, sizes)
                    times["bare"].append(parts)
                    times["bare and its POST"].append(made + parts)
            path.unlink()
        for taken in times.values():
            del taken[0]
        wire.close()
        median = {name: statistics.median(taken) for name, taken in times.items()}
        ratios = {name: statistics.median(bare / ours for bare, ours in zip(times[name], times["upload"], strict=True))
                  for name in ("bare", "bare and its POST")}
        return {"MiB": mib, "rounds": rounds, "parts MiB": [round(one / PART, 2) for one in sizes],
                "MB/s": {name: round(mib * 1.048576 / taken, 1) for name, taken in median.items()},
                **{f"upload/{name}": round(ratio, 3) for name, ratio in ratios.items()}}

    def cuts(self, mib: float, cuts: int, seed: int = 5) -> dict[str, object]:
        """Bytes of parts that went out more than once. Before each cut some parts come through whole."""
        station, random, path = self._hall.station, Random(seed), self.packet(int(mib * 1024 * 1024))
        record_id, named, made, costs = str(uuid.uuid4()), digest(path.read_bytes()), list[str](), list[float]()
        size, where = path.stat().st_size, 0
        with CuttingWay(self._province.url, self._people.ca.issue_server(stem="way"), tls_context(station.tls_roots, station.identity)) as way:
            wire = Counting(self.wire(way.url))
            for number in range(cuts + 1):
                order = _cut(random, number) if number < cuts else None
                after = random.randrange(2)
                sent, begun, before = wire.sent, where, len(wire.parts)

                waiting = [order] if order is not None else []

                def tell(done: int, total: int, waiting: list[Cut] = waiting, after: int = begun + after * PART) -> None:
                    nonlocal where
                    where = done
                    if waiting and done >= after:
                        way.arm(waiting.pop())

                way.disarm()
                try:
                    upload_packet(wire, path, record_id, named, made[-1] if made else None, threading.Event(), tell, made.append)
                except ProvinceUnreachable:
                    where = self._offset(made[-1])
                cost = wire.sent - sent - (where - begun)
                costs.append(cost / wire.parts[-1] if len(wire.parts) > before else 0.0)
                if where == size:
                    break
            wire.close()
        return {"MiB": mib, "cuts": len(costs) - 1, "uploads begun": len(made), "MiB sent again": round((wire.sent - size) / PART, 2),
                "parts sent again for one cut, at most": round(max(costs), 2)}

    def _offset(self, upload_id: str) -> int:
        """Where the province stands, asked on a way of its own."""
        wire = self.wire()
        try:
            return int(wire.ask("HEAD", f"/v1/packets/{upload_id}", None, _TUS).headers["Upload-Offset"])
        finally:
            wire.close()


def _cut(random: Random, number: int) -> Cut:
    """On the way up within a part, or on the way down within its answer."""
    if number % 2:
        return Cut("PATCH", "/v1/packets", "down", "head", random.randrange(100), number % 4 == 1)
    return Cut("PATCH", "/v1/packets", "up", "body", random.randrange(PART // 2), number % 4 == 0)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.upload")
    parser.add_argument("what", nargs="*", choices=["line", "bare", "cuts", "all"], default="all")
    parser.add_argument("--mbit", type=float, default=20)
    parser.add_argument("--mib", type=float, default=24)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--cuts", type=int, default=20)
    parser.add_argument("--delay-ms", type=float, nargs="+", default=[0, 10])
    given = parser.parse_args(arguments)
    what = ("line", "bare", "cuts") if "all" in given.what else given.what
    with tempfile.TemporaryDirectory() as folder, Bench(Path(folder)) as bench:
        if "line" in what:
            for delay in given.delay_ms:
                print(json.dumps(bench.line(given.mbit, given.mib, delay / 1000)), flush=True)
        if "bare" in what:
            print(json.dumps(bench.against_bare(given.mib, given.rounds)), flush=True)
        if "cuts" in what:
            print(json.dumps(bench.cuts(given.mib, given.cuts)), flush=True)


if __name__ == "__main__":
    main()
