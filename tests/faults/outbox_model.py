"""A station's durable rows and a province in memory, both of which lose power and answers by the dice. Never does the courier's work: that is the real one.

``Rows`` fulfils what ``sync.courier`` asks of the outbox: every call is one durable commit, and the station may crash just before or after it.
``Platform`` fulfils what it asks of the province: requests and answers get lost, come twice or late, and the province crashes around its own commit.
"""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any, TypeVar

from sync.canon import digest
from sync.courier import DUE, Courier
from sync.errors import ProvinceTrouble, ProvinceUnreachable
from sync.life import allowed
from sync.wire import Answer, trouble_of

__all__ = ["Crash", "Dice", "Found", "Packets", "Platform", "Row", "Rows", "Rules", "play"]

START = datetime(2026, 11, 22, 6, 0, 0, tzinfo=UTC)
Deed = TypeVar("Deed")


class Crash(BaseException):
    """The machine stops here: what is not committed is gone."""


@dataclass(frozen=True)
class Rules:
    """``new_id_per_try``, ``id_at_send``, ``ack_before_commit``: the three ways that are known to be wrong."""

    new_id_per_try: bool = False
    id_at_send: bool = False
    ack_before_commit: bool = False


@dataclass
class Dice:
    """Seeded chances of one schedule; ``calm`` ends all trouble."""

    random: Random
    lost: float
    crash: float
    fall: float
    calm: bool = False

    @classmethod
    def of(cls, seed: int) -> Dice:
        random = Random(seed)
        return cls(random, random.choice((0.0, 0.05, 0.2, 0.4)), random.choice((0.0, 0.02, 0.08)), random.choice((0.0, 0.02, 0.08)))

    def says(self, chance: float) -> bool:
        return not self.calm and self.random.random() < chance


class Packets:
    """Small files, one for each case, made once and never changed."""

    def __init__(self, folder: Path, count: int) -> None:
        self.paths = [folder / f"{number}" for number in range(count)]
        self.contents = [digest(str(number).encode()).encode()[-40:] for number in range(count)]
        for path, content in zip(self.paths, self.contents, strict=True):
            path.write_bytes(content)
        self.case = {digest(content): number for number, content in enumerate(self.contents)}

    def path(self, blob_id: str) -> Path:
        return self.paths[int(blob_id)]


@dataclass(frozen=True)
class Row:
    record_id: str
    packet_blob: str
    packet_digest: str
    packet_size: int
    record_digest: str
    kept_at: int
    next_try_at: datetime
    origin: str = ""
    state: str = "kept"
    signature: bytes = b"signature"
    acts: Sequence[Any] = ()
    upload_id: str = ""
    upload_offset: int = 0
    tries: int = 0
    last_error: str = ""
    origin: str = ""


class Rows:
    """The durable queue."""

    def __init__(self, packets: Packets, count: int, dice: Dice, rules: Rules, now: Callable[[], datetime]) -> None:
        self._dice, self._rules, self._now = dice, rules, now
        self._ids: dict[int, str] = {}
        self._place: dict[str, int] = {}
        self._rows = [
            Row(self._new_id(), str(n), digest(packets.contents[n]), len(packets.contents[n]), digest(b"record %d" % n), n, START) for n in range(count)
        ]

    def _new_id(self) -> str:
        return str(uuid.UUID(int=self._dice.random.getrandbits(128), version=4))

    def crash_now(self) -> None:
        """A new start: what was in memory only is gone."""
        self._ids.clear()

    def _seen(self, row: Row) -> Row:
        """As the courier sees it. With ``id_at_send`` the id lives in memory only."""
        if not self._rules.id_at_send:
            return row
        return replace(row, record_id=self._ids.setdefault(row.kept_at, self._new_id()))

    def _commit(self, record_id: str, change: Callable[[Row], Row]) -> None:
        if self._dice.says(self._dice.crash):
            raise Crash
        place = self._place.get(record_id, -1)
        if place < 0:
            place = next(n for n, row in enumerate(self._rows) if self._seen(row).record_id == record_id)
        changed = change(self._rows[place])
        if not allowed(self._rows[place].state, changed.state):
            raise AssertionError(f"no step from {self._rows[place].state} to {changed.state}")
        self._rows[place] = changed
        if self._dice.says(self._dice.crash):
            raise Crash

    def all(self) -> list[Row]:
        return [self._seen(row) for row in self._rows]

    def next_due(self, now: datetime) -> Row | None:
        due = [row for row in self.all() if row.state in DUE and row.next_try_at <= now]
        return min(due, key=lambda row: (row.next_try_at, row.kept_at), default=None)

    def row(self, record_id: str) -> Row | None:
        return next((row for row in self.all() if row.record_id == record_id), None)

    def rows(self, *, states: Sequence[str], limit: int, after: Row | None) -> list[Row]:
        return [row for row in self.all() if row.state in states and (after is None or row.kept_at > after.kept_at)][:limit]

    def mark(self, record_id: str, state: str, **facts: Any) -> None:
        facts.pop("sent_at", None)
        forward = {"tries": 0, "last_error": "", "next_try_at": self._now()}
        self._commit(record_id, lambda row: replace(row, state=state, **facts, **(forward if row.state != state else {})))

    def failed(self, record_id: str, code: str, next_try_at: datetime, detail: str) -> None:
        other = {"record_id": self._new_id()} if self._rules.new_id_per_try else {}
        if other:
            self._place[record_id] = self._place.get(record_id, next((n for n, row in enumerate(self._rows) if row.record_id == record_id), -1))
        self._commit(record_id, lambda row: replace(row, tries=row.tries + 1, last_error=code, next_try_at=next_try_at, **other))

    def set_aside(self, record_id: str, reason: str) -> None:
        self._commit(record_id, lambda row: replace(row, state="set_aside"))

    def receipted(self, record_id: str, receipt_envelope: bytes, received_at: datetime) -> None:
        self._commit(record_id, lambda row: replace(row, state="receipted"))


@dataclass
class _Upload:
    record_id: str
    digest: str
    size: int
    content: bytearray = field(default_factory=bytearray)
    durable: int = 0


class Platform:
    """The province. ``kept`` is what its disk holds: record id -> (packet digest, record digest)."""

    def __init__(self, dice: Dice, rules: Rules, poison: frozenset[str]) -> None:
        self._dice, self._rules, self._poison = dice, rules, poison
        self.kept: dict[str, tuple[str, str]] = {}
        self._acked: dict[str, tuple[str, str]] = {}
        self._uploads: dict[str, _Upload] = {}
        self._late: list[Callable[[], Any]] = []
        self.station = SimpleNamespace(station_id="station", province="51", practice=False, keys=None)

    # -- the way there and back -------------------------------------------------------------------------------------------------------
    def _trip(self, deed: Callable[[], Deed]) -> Deed:
        dice = self._dice
        if self._late and dice.says(0.3):
            self._quiet(self._late.pop(dice.random.randrange(len(self._late))))
        if dice.says(dice.lost):
            if dice.says(0.3):
                self._late.append(deed)
            raise ProvinceUnreachable("the request was lost")
        if dice.says(dice.fall):
            self.fall()
            raise ProvinceUnreachable("the province fell before the deed")
        if dice.says(0.1):
            self._quiet(deed)  # a box on the way sent it twice
        answer = deed()
        if dice.says(dice.fall):
            self.fall()
            raise ProvinceUnreachable("the province fell after the deed")
        if dice.says(0.1):
            self.write_back()
        if dice.says(dice.lost):
            raise ProvinceUnreachable("the answer was lost")
        return answer

    def _quiet(self, deed: Callable[[], Any]) -> None:
        try:
            deed()
        except ProvinceTrouble:
            pass

    def fall(self) -> None:
        """Power off and on: what was not synced is gone."""
        self._acked.clear()
        for one in self._uploads.values():
            del one.content[self._dice.random.randint(one.durable, len(one.content)):]

    def write_back(self) -> None:
        """What a too early acknowledgement had put off."""
        self.kept |= self._acked
        self._acked.clear()

    # -- what the courier asks --------------------------------------------------------------------------------------------------------
    def close(self) -> None:
        """Nothing to close."""

    def time(self) -> None:
        self._trip(lambda: None)

    def wire(self) -> Platform:
        return self

    def hang_up(self) -> None:
        """There is no line."""

    def record(self, record_id: str) -> bytes | None:
        def look() -> bytes | None:
            known = self.kept.get(record_id) or self._acked.get(record_id)
            return None if known is None else self._receipt(record_id, *known)

        return self._trip(look)

    def submit(self, row: Any, upload_id: str) -> bytes:
        content = (row.packet_digest, row.record_digest)
        return self._trip(lambda: self._take(row.record_id, upload_id, content))

    def _take(self, record_id: str, upload_id: str, content: tuple[str, str]) -> bytes:
        known = self.kept.get(record_id) or self._acked.get(record_id)
        if known is None:
            upload = self._uploads.get(upload_id)
            if upload is None:
                raise self._refused(404, "upload.unknown")
            if (upload.record_id, upload.digest) != (record_id, content[0]):
                raise self._refused(422, "packet.digest")
            if len(upload.content) != upload.size:
                raise self._refused(409, "upload.incomplete")
            if content[0] in self._poison:
                raise self._refused(422, "record.format")
            upload.durable = upload.size
            (self._acked if self._rules.ack_before_commit else self.kept)[record_id] = content
        elif known != content:
            raise self._refused(409, "record.other")
        return self._receipt(record_id, *content)

    def _receipt(self, record_id: str, packet_digest: str, record_digest: str) -> bytes:
        return json.dumps({
            "type": "hall-intake/receipt/1", "province": "51", "station_id": "station", "record_id": record_id, "packet_digest": packet_digest,
            "record_digest": record_digest, "signature_digest": digest(b"signature"), "received_at": "2026-11-22T06:00:00Z", "serial": "R-1",
            "state": "received",
        }).encode()

    def _refused(self, status: int, code: str) -> ProvinceTrouble:
        return trouble_of(Answer(status, {}, b'{"type":"hall-intake/error/1","code":"%s","detail":"x"}' % code.encode()))

    def ask(self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None, good: Iterable[int] = (200,),
            sent: Callable[[], object] | None = None) -> Answer:
        answer = self._trip(lambda: self._tus(method, path.rpartition("/")[2], body or b"", headers or {}))
        if answer.status not in good:
            raise trouble_of(answer)
        return answer

    def _tus(self, method: str, upload_id: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        if method == "POST":
            meta = dict(pair.split(" ") for pair in headers["Upload-Metadata"].split(","))
            record_id, wanted = (base64.b64decode(meta[name]).decode() for name in ("record_id", "digest"))
            made = next((name for name, one in self._uploads.items() if (one.record_id, one.digest) == (record_id, wanted)), "")
            if not made:
                made = str(uuid.UUID(int=self._dice.random.getrandbits(128), version=4))
                self._uploads[made] = _Upload(record_id, wanted, int(headers["Upload-Length"]))
            return Answer(201, {"Location": f"/v1/packets/{made}"}, b"")
        upload = self._uploads.get(upload_id)
        if upload is None:
            return Answer(404, {}, b"")
        if method == "PATCH":
            if int(headers["Upload-Offset"]) != len(upload.content):
                return Answer(409, {"Upload-Offset": str(len(upload.content))}, b"")
            upload.content += body
            if len(upload.content) == upload.size:
                if digest(bytes(upload.content)) != upload.digest:
                    raise AssertionError("another packet arrived")
                upload.durable = upload.size
        return Answer(204 if method == "PATCH" else 200, {"Upload-Offset": str(len(upload.content)), "Upload-Length": str(upload.size)}, b"")


class _NoNews:
    clock_offset = None
    trouble_code = ""

    def hurry(self) -> None:
        """Nothing is asked."""

    def last_round(self) -> None:
        """Nothing ever was."""


class _Unsealed(Courier):
    """The receipts of the model carry no signature: what signatures do is tested elsewhere."""

    def _opened(self, untrusted: bytes) -> dict[str, Any]:
        return json.loads(untrusted)


@dataclass(frozen=True)
class Found:
    """After all trouble ended: ``lost`` receipted here and not on the province's disk, ``twice`` on it more than once, ``waiting`` never receipted.

    ``aside``: set aside though nothing was wrong with them, or not set aside though poisoned.
    """

    lost: int
    twice: int
    waiting: int
    aside: int
    crashes: int


def play(packets: Packets, seed: int, count: int, rules: Rules | None = None) -> Found:
    """One random schedule over ``count`` records, to its quiet end."""
    rules, dice = rules or Rules(), Dice.of(seed)
    moment = [0.0]

    def now() -> datetime:
        return START + timedelta(seconds=moment[0])

    rows = Rows(packets, count, dice, rules, now)
    poison = frozenset(row.packet_digest for row in rows.all() if dice.random.random() < 0.02)
    platform = Platform(dice, rules, poison)

    def start() -> Courier:
        return _Unsealed(rows, packets, platform, _NoNews(), now, lambda status: None, random=dice.random.random, monotonic=lambda: moment[0])  # type: ignore[arg-type]

    courier, crashes, steps = start(), 0, 0
    while any(row.state in DUE for row in rows.all()) and steps < 400 * count:
        steps += 1
        dice.calm = steps > 40 * count
        try:
            if dice.says(0.02):
                courier.hurry()
            if not courier.step():
                moment[0] += dice.random.uniform(1, 60)
        except Crash:
            crashes += 1
            rows.crash_now()
            courier = start()
        if dice.says(0.01):
            platform.fall()
    platform.fall()
    return _found(packets, rows, platform, poison, crashes)


def _found(packets: Packets, rows: Rows, platform: Platform, poison: frozenset[str], crashes: int) -> Found:
    there = [packets.case[packet_digest] for packet_digest, _ in platform.kept.values()]
    here = rows.all()
    lost = sum(row.state == "receipted" and there.count(row.kept_at) == 0 for row in here)
    aside = sum((row.state == "set_aside") != (row.packet_digest in poison) for row in here)
    return Found(lost, len(there) - len(set(there)), sum(row.state in DUE for row in here), aside, crashes)
