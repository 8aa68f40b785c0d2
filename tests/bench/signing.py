"""Measures signing: a batch through a slow token, the cost of a record by part through a fast one, verifications per second. Judges nothing by the clock.

    python -m tests.bench.signing [--records 500] [--ms 150] [--fast 60] [--short]

Needs what the token tests need (softhsm2, gcc, openssl), no network and no namespace. The slow token is SoftHSM behind the fault library.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from desktop.effects import batch_deeds
from devices.tokens.contract import Mechanism
from devices.tokens.hosted import HostedDriver
from devices.tokens.pkcs11 import Pkcs11Driver
from devices.tokens.skf import SkfDriver
from sync import sm2
from sync.canon import canon
from sync.outbox import Outbox
from sync.signing import check_signature, make_signature
from tests.emulators.ca import PracticeCa
from tests.emulators.records import new_recipient, open_room
from tests.emulators.sm2_ca import PracticeSm2Ca
from tests.emulators.softhsm import FaultyLibrary, SoftTokens
from tests.emulators.softskf import SoftSkf
from tests.unit.desktop.effects.batch_room import BatchRoom
from tests.unit.sync.signers import person

PIN = "123456"
ROLES = {"OP-000017": frozenset({"collector"})}
DIGEST = bytes(range(32))


class Stopwatch:
    """Wraps functions and adds up what they took."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._undo: list[Callable[[], None]] = []

    def wrap(self, owner: Any, name: str, part: str) -> None:
        before = getattr(owner, name)

        def timed(*args: Any, **named: Any) -> Any:
            begun = time.perf_counter()
            try:
                return before(*args, **named)
            finally:
                self.seconds[part] = self.seconds.get(part, 0.0) + time.perf_counter() - begun

        setattr(owner, name, timed)
        self._undo.append(lambda: setattr(owner, name, before))

    def undo(self) -> None:
        for one in reversed(self._undo):
            one()
        self._undo.clear()


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=500)
    parser.add_argument("--ms", type=int, default=150)
    parser.add_argument("--fast", type=int, default=60, help="records of the runs with 0 ms")
    parser.add_argument("--short", action="store_true", help="a look at everything: 40 slow records, 15 fast ones")
    given = parser.parse_args(argv)
    if given.short:
        given.records, given.fast = 40, 15
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        bench = Bench(Path(folder), stack)
        print(f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}, Python {sys.version.split()[0]}, SM2 by {sm2.engine_name()}\n")
        bench.verifications()
        bench.parts("RSA-2048, PKCS#11", bench.pkcs11, given.fast)
        bench.parts("SM2, SKF", bench.skf, given.fast)
        bench.slow(given.records, given.ms)
        bench.start()
    return 0


class Bench:
    """The soft tokens of one run and what is measured with them."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder, self.to = folder, new_recipient("k", 3072)[1]
        self.ca, self.national = PracticeCa.make(folder / "ca"), PracticeSm2Ca(folder / "sm2")
        soft = SoftTokens(folder / "soft")
        soft.make_person(self.ca, "operator", PIN, "OP-000017", "张三")
        os.environ.update(soft.env)
        self.faulty, self._skf = FaultyLibrary(folder / "faulty"), SoftSkf(folder / "skf")
        self._skf.make_person(self.national, "operator", PIN, "OP-000017", "张三")
        self._stack, self._rooms = stack, 0

    def pkcs11(self) -> HostedDriver:
        return Pkcs11Driver(self.faulty.path, "bench", emulated=True)

    def skf(self) -> HostedDriver:
        return SkfDriver(self._skf.path, "bench", emulated=True)

    @contextmanager
    def desk(self, driver: HostedDriver, records: int) -> Iterator[tuple[BatchRoom, list[str]]]:
        self._rooms += 1
        roots = (*self.ca.signer_roots, *self.national.signer_roots, *self.national.chain)
        with open_room(self.folder / f"home-{self._rooms}", os.urandom(32), self.to) as room:
            with ThreadPoolExecutor(1) as pool:
                desk = BatchRoom(room, driver, roots, self.to, ROLES, beside=lambda work: pool.submit(work).result)
                yield desk, [desk.unsigned(size=200_000) for _ in range(records)]
            driver.close()

    # -- what is measured -------------------------------------------------------------------------------------------------------------------
    def verifications(self) -> None:
        now = datetime.now(UTC)
        content = canon({"claimed_at": f"{now:%Y-%m-%dT%H:%M:%SZ}", "text": "名" * 1000})
        national, elliptic, rsa = self.national.person("OP-000099"), person(self.ca), person(self.ca, "rsa-2048")
        p7s = {"SM2": make_signature(content, national, now), "EC": make_signature(content, elliptic, now), "RSA": make_signature(content, rsa, now)}
        spki, digest, signature = sm2.SPKI_HEAD + sm2.KNOWN_POINT, sm2.KNOWN_DIGEST, sm2.KNOWN_SIGNATURE
        table("verifications per second, one core", [
            (f"SM2 bare, {sm2.engine_name()}", per_second(lambda: sm2.verify(sm2.KNOWN_POINT, digest, signature))),
            ("SM2 bare, arithmetic in Python", per_second(lambda: sm2.verify_by_arithmetic(sm2.KNOWN_POINT, digest, signature))),
            ("SM2 message with Z and SM3", per_second(lambda: sm2.verify_message(spki, b"message digest", signature))),
            *((f"{name} container, no path", per_second(lambda p=one: check_signature(content, p, ()))) for name, one in p7s.items()),
            *((f"{name} container, path of three", per_second(lambda p=one, r=roots: check_signature(content, p, r, now)))
              for (name, one), roots in zip(p7s.items(), (self.national.signer_roots, self.ca.signer_roots, self.ca.signer_roots), strict=True)),
        ], "{:8.0f}")  # fmt: skip

    def parts(self, title: str, make: Callable[[], HostedDriver], records: int) -> None:
        """A batch through a token of 0 ms; what each part of a record costs."""
        watch = Stopwatch()
        with self.desk(make(), records) as (desk, ids):
            for owner, name, part in (
                (batch_deeds, "freeze", "freeze"), (batch_deeds, "canon", "canon"), (batch_deeds, "make_signature", "sign+verify"),
                (batch_deeds, "seal", "seal"), (Outbox, "open_packet", "read packet"), (Outbox, "mark", "store: mark"),
                (Outbox, "keep_signed", "store: keep"), (batch_deeds.TokenSigner, "sign", "token"),
            ):  # fmt: skip
                watch.wrap(owner, name, part)
            begun = time.perf_counter()
            built = desk.build(*ids)
            build = time.perf_counter() - begun
            begun = time.perf_counter()
            ended = desk.sign(built, PIN)
            total = time.perf_counter() - begun
            watch.undo()
        assert len(ended.done) == records, ended
        seconds = watch.seconds
        rows = [(part, 1000 * took / records) for part, took in seconds.items() if part not in ("sign+verify", "token")]
        rows.insert(2, ("token (Host, library, soft key)", 1000 * seconds["token"] / records))
        rows.insert(3, ("attributes, container, verify", 1000 * (seconds["sign+verify"] - seconds["token"]) / records))
        rows += [("whole, before the PIN (build)", 1000 * build / records), ("whole, after the PIN", 1000 * total / records)]
        table(f"{title}, token of 0 ms, {records} records of 2 x 200 kB: ms per record", rows, "{:8.2f}")

    def slow(self, records: int, milliseconds: int) -> None:
        """A batch through a slow token against the token's own time."""
        with self.desk(self.pkcs11(), records) as (desk, ids):
            built = desk.build(*ids)
            self.faulty.sign_slowly(milliseconds)
            own = self._own_time(desk)
            begun = time.perf_counter()
            ended = desk.sign(built, PIN)
            total = time.perf_counter() - begun
            self.faulty.heal()
        assert len(ended.done) == records, ended
        table(f"batch of {records} through a token of {milliseconds} ms", [
            ("the token's own ms per signature (median of 15)", 1000 * own), ("the token's own s in all", own * records), ("the batch's s, login in it", total),
            ("batch : token", total / (own * records)),
        ], "{:8.3f}")  # fmt: skip

    def _own_time(self, desk: BatchRoom) -> float:
        mechanism: Mechanism = "rsa-pkcs1-sha256"
        with desk.driver.open(desk.choice.device) as token:
            token.login(PIN)
            return statistics.median(timed(lambda: token.sign(desk.choice.key_id, mechanism, DIGEST)) for _ in range(15))

    def _longest_gap(self) -> float:
        """What a thread that does something every 5 ms notices of a token process that is being started beside it."""
        driver, done, gaps = self.skf(), threading.Event(), list[float]()

        def look() -> None:
            driver.find()
            done.set()

        lane = threading.Thread(target=look)
        before = time.perf_counter()
        lane.start()
        while not done.wait(0.005):
            gaps.append(time.perf_counter() - before)
            before = time.perf_counter()
        lane.join()
        driver.close()
        return max(gaps, default=0.0)

    def start(self) -> None:
        """How long the window would wait for a token process: not at all; how long the first list of tokens takes."""
        driver = self.skf()
        rows = [("making the driver (all that the window's thread does)", 1000 * timed(self.skf)),
                ("first list of tokens, in its lane", 1000 * timed(driver.find)), ("next list", 1000 * timed(driver.find))]
        driver.close()
        rows += [("longest gap of a 5 ms heartbeat beside a first list", 1000 * self._longest_gap())]
        table("token process, ms", rows, "{:8.1f}")


def timed(action: Callable[[], object]) -> float:
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


def per_second(action: Callable[[], object], seconds: float = 1.0) -> float:
    action()
    begun, count = time.process_time(), 0
    while time.process_time() - begun < seconds:
        action()
        count += 1
    return count / (time.process_time() - begun)


def table(title: str, rows: list[tuple[str, float]], form: str) -> None:
    print(title)
    for name, number in rows:
        print(f"  {name:<48}{form.format(number)}")
    print(flush=True)


if __name__ == "__main__":
    sys.exit(main())
