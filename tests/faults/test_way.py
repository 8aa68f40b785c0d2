"""kill -9 in each step of the way from card to receipt, and a province that is away, lies or refuses one record: what was said holds.

The desk runs in a process of its own on the real parts (card reader, tokens, keyring, cameras, province) and is driven through its stages.
"""

from __future__ import annotations

import json
import os
import random
import select
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication

from desktop.app import Desk
from desktop.flows.words import BackPressed, Edited, PagePicked, ParkPressed, RecordPicked, RetryPressed, SyncPressed
from desktop.flows.words.day import ItemTurned, RepairPressed
from desktop.messages import LANGUAGES, say_code
from desktop.rooms import now, open_rooms
from tests.faults.promises import Promises, readable
from tests.faults.table import Outcome
from tests.scenes.hall import COLLECTOR, TOP, PracticeHall
from tests.scenes.stages import capture, cleared, lift, log_in, reviewed, signed, type_in, until

pytestmark = [pytest.mark.timeout(300), pytest.mark.skipif(sys.platform != "linux", reason="needs pcscd and SoftHSM2")]
OWNER = f"op:{COLLECTOR.id}"
STEPS = ("card read", "value typed", "draft saved", "still kept", "portrait kept", "review built", "signed", "keep begun", "kept", "uploading", "uploaded",
         "receipted")
LONGEST_S = 0.6
"""How long after a step the random kill comes at most: the whole rest of the way takes about two seconds."""
PATIENCE_S = 60.0
FAULT = "kill -9 in the steps of the desk, card to receipt"
_THROUGH = "receipt shown"


class Zygote:
    """Runs of the desk, each in a fork, each ended by kill -9."""

    def __init__(self, temp: Path) -> None:
        self.temp = temp
        temp.mkdir()
        self._errors = (temp / "stderr").open("wb")
        self._process = subprocess.Popen([sys.executable, "-m", "tests.faults.way_child"], cwd=TOP, env=os.environ | {"TMPDIR": str(temp)},
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors)
        self._held = b""
        self._next("ready")

    def run(self, step: str, wait_s: float = 0.0, variant: str = "true", mark: str = "") -> list[dict[str, Any]]:
        """All lines of a run that is killed ``wait_s`` seconds after it said ``step`` the first time, or when it is through and that step never came."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{variant} {mark or f'{random.getrandbits(64):016x}'}\n".encode())
        self._process.stdin.flush()
        pid = self._next("begun")[-1]["pid"]
        lines = self._next(step, _THROUGH)
        time.sleep(wait_s)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        return lines + self._next("gone")[:-1]

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._errors):
            pipe.close()   # type: ignore[union-attr]

    def _next(self, *steps: str) -> list[dict[str, Any]]:
        """Lines up to the first of ``steps``. AssertionError where the child broke or says nothing more."""
        lines: list[dict[str, Any]] = []
        while not lines or lines[-1]["step"] not in steps:
            while b"\n" not in self._held:
                assert self._process.stdout is not None
                assert select.select([self._process.stdout], [], [], PATIENCE_S)[0], f"waited for {steps} after {[one['step'] for one in lines][-5:]}"
                more = os.read(self._process.stdout.fileno(), 65536)
                assert more, f"the child ended: {(self.temp / 'stderr').read_text('utf-8')}"
                self._held += more
            line, _, self._held = self._held.partition(b"\n")
            lines.append(json.loads(line))
            assert lines[-1]["step"] != "broke", f"{lines[-1]['why']}; {(self.temp / 'stderr').read_text('utf-8')[-1000:]}"
        return lines


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeHall]:
    with PracticeHall(tmp_path_factory.mktemp("h")) as open_hall:
        yield open_hall


@pytest.fixture(scope="module")
def zygote(hall: PracticeHall) -> Iterator[Zygote]:
    made = Zygote(hall.folder / "temp")
    yield made
    made.close()


@pytest.fixture
def promises(hall: PracticeHall) -> Iterator[Promises]:
    made = Promises(hall.home, OWNER)
    yield made
    cleared(hall)
    made.drop_parked()


def lay_down(hall: PracticeHall, promises: Promises) -> None:
    """A fresh card where no sitting is parked, else none; the service must have seen the old one go."""
    cleared(hall)
    if not promises.parked:
        hall.place()


def killed(hall: PracticeHall, zygote: Zygote, promises: Promises, step: str, wait_s: float, variant: str = "true") -> tuple[bool, list[str]]:
    """One run that is killed: whether it came to ``step``, and all that does not hold after it."""
    lay_down(hall, promises)
    lines = zygote.run(step, wait_s, variant)
    promises.hear(lines)
    return step in {one["step"] for one in lines}, [*promises.broken(hall.province.records()), *readable(hall.home, zygote.temp, known=promises.scanned)]


def all_through(hall: PracticeHall, zygote: Zygote, promises: Promises) -> list[str]:
    """The desk once more until everything that waits is sent; then what does not hold."""
    lay_down(hall, promises)
    promises.hear(zygote.run(_THROUGH))
    marks = Counter(hall.province.order("records/content", record_id=one["record_id"])["record"]["sections"]["skill"][0]["cert_no"]
                    for one in hall.province.records())
    twice = [f"one sitting, {count} records: {mark}" for mark, count in marks.items() if count > 1]
    return [*promises.broken(hall.province.records(), all_sent=True), *twice]


def kill_everywhere(hall: PracticeHall, zygote: Zygote, promises: Promises, kills: list[tuple[str, float]], outcome: Outcome) -> None:
    for number, (step, wait_s) in enumerate(kills):
        for _ in range(2):   # a parked sitting may be past that step; the one after it is not
            before = promises.count
            came, faults = killed(hall, zygote, promises, step, wait_s)
            outcome.ran(FAULT, 1, faults, promises.count - before)
            assert not faults, f"kill {number}, {wait_s:.3f} s after {step!r}: {faults}"
            if came:
                break
        assert came, f"never came to {step!r}"
    assert promises.kept
    faults = all_through(hall, zygote, promises)
    outcome.ran(FAULT, 0, faults)
    assert not faults, faults


@pytest.mark.timeout(900)   # 40 s on a quiet machine
def test_killed_in_each_step_and_after_it(hall: PracticeHall, zygote: Zygote, promises: Promises, outcome: Outcome) -> None:
    """Each step once, five of them again some time later; the sweep has the rest."""
    chance = random.Random(20261122)
    later = [(step, chance.uniform(0, LONGEST_S)) for step in sorted(chance.sample(STEPS, 5), key=STEPS.index)]
    kill_everywhere(hall, zygote, promises, [*((step, 0.0) for step in STEPS), *later], outcome)


@pytest.mark.sweep
@pytest.mark.timeout(7200)
def test_a_hundred_kills_anywhere(hall: PracticeHall, zygote: Zygote, promises: Promises, outcome: Outcome) -> None:
    seed = random.SystemRandom().randrange(2**32)
    chance = random.Random(seed)
    print(f"seed {seed}")
    kill_everywhere(hall, zygote, promises, [(chance.choice(STEPS), chance.uniform(0, 2 * LONGEST_S)) for _ in range(110)], outcome)


def test_kept_that_is_said_too_early_is_noticed(hall: PracticeHall, zygote: Zygote, promises: Promises, outcome: Outcome) -> None:
    _, faults = killed(hall, zygote, promises, "kept", 0.1, "early")
    outcome.control(FAULT, "says kept before the commit", any(fault.startswith("lost:") for fault in faults))
    assert any(fault.startswith("lost:") for fault in faults)
    promises.kept.clear()


def test_the_scan_finds_what_lies_in_clear(tmp_path: Path) -> None:
    for number, content in enumerate(("李练工".encode("utf-16-le"), b"SYNTHETIC PHOTO", b"x13800000000")):
        (tmp_path / str(number)).write_bytes(b"\0" * 7 + content)
    assert len(readable(tmp_path)) == 3


# -- a province that does not do as it should ---------------------------------------------------------------------------------------------
@pytest.fixture
def desk(hall: PracticeHall, promises: Promises, qt_application: QApplication) -> Iterator[Desk]:
    open_desk = Desk(hall.home)
    open_desk.begin()
    log_in(open_desk, COLLECTOR.pin)
    yield open_desk
    cleared(hall)
    if not hall.province.running:
        hall.province.start()
    hall.province.order("faults", "DELETE")
    assert open_desk.close() == ()
    assert [*promises.broken(hall.province.records()), *readable(hall.home)] == [], "it opens, nothing is there twice, nothing is readable"


def registered(desk: Desk, hall: PracticeHall, mark: str) -> str:
    """One sitting from the card to kept; gives the record id."""
    cleared(hall)
    hall.place()
    until(lambda: desk.intake.state.draft and desk.intake.state.draft.text("person.name_zh"), "the form filled from the card",
          seen=lambda: (desk.intake.state.trouble, desk.intake.state.reading, [(one.name, one.state, one.code) for one in desk.intake.state.devices]))
    lift(desk, hall)
    type_in(desk, cert_no=mark)
    capture(desk)
    sheet = reviewed(desk)
    signed(desk, COLLECTOR.pin)
    return sheet.record_id


def row(desk: Desk, record_id: str) -> Any:
    return next((one for one in desk.intake.state.outbox if one.record_id == record_id), None)


def test_province_away_for_the_whole_scene(desk: Desk, hall: PracticeHall) -> None:
    until(lambda: desk.intake.state.courier.online, "the province seen once")
    begun = datetime.now(UTC)
    hall.province.stop()
    first = registered(desk, hall, "away-1")
    courier = until(lambda: (seen := desk.intake.state.courier).online is False and seen.next_try_at and seen, "the screen says offline, with the next try")
    assert begun <= courier.offline_since <= datetime.now(UTC) and courier.error_code == "province.unreachable"
    assert courier.next_try_at > courier.offline_since and courier.last_success is not None
    assert all(say_code(courier.error_code, lang).next for lang in LANGUAGES)
    # the hall works on: a sitting is parked, another one is registered
    hall.place()
    until(lambda: desk.intake.state.draft, "the second sitting")
    desk.intake.post(Edited("employer.name", "等一等公司", now()))
    parked = desk.intake.state.draft.draft_id
    desk.intake.post(ParkPressed())
    until(lambda: [one for one in desk.intake.state.parked if one.draft_id == parked], "the second sitting parked")
    lift(desk, hall)
    second = registered(desk, hall, "away-2")
    until(lambda: row(desk, first) and row(desk, second), "both in the list")
    assert desk.review.state.page == "kept" and {row(desk, one).state for one in (first, second)} <= {"kept", "uploading"}
    hall.province.start()
    desk.intake.post(SyncPressed())
    until(lambda: desk.review.state.page == "receipt", "the receipt once the province is back", 60)
    until(lambda: all(row(desk, one).state == "receipted" for one in (first, second)), "both receipted", 60)
    until(lambda: desk.intake.state.courier.online is True and desk.intake.state.courier.offline_since is None, "the screen says online")
    arrived = Counter(one["record_id"] for one in hall.province.records())
    assert arrived[first] == arrived[second] == 1
    assert [one.draft_id for one in desk.intake.state.parked] == [parked]


@pytest.mark.expects_log("set aside: receipt.mismatch")
def test_wrong_receipt_sets_the_record_aside(desk: Desk, hall: PracticeHall) -> None:
    hall.province.fault("envelope", method="PUT", path="/v1/records/", alter={"packet_digest": "sha256:" + "0" * 64})
    record_id = registered(desk, hall, "liar")
    aside = until(lambda: (one := row(desk, record_id)) and one.state == "set_aside" and one, "the record set aside", 40)
    assert aside.error_code == "receipt.mismatch" and not aside.serial and all(say_code(aside.error_code, lang).next for lang in LANGUAGES)
    assert desk.review.state.page == "kept" and desk.review.state.record_state == "set_aside"
    rooms = desk.rooms()
    rooms.outbox.check_packet(record_id)
    assert rooms.outbox.open_packet(record_id)[0].content
    # a person has it tried again: the true receipt of the same record is taken
    for event in (PagePicked("outbox"), RecordPicked(record_id), RetryPressed()):
        desk.intake.post(event)
    until(lambda: row(desk, record_id).state == "receipted", "the true receipt", 40)
    assert Counter(one["record_id"] for one in hall.province.records())[record_id] == 1


@pytest.mark.expects_log("set aside: province.refused")
def test_poisoned_record_does_not_keep_the_next_one_back(desk: Desk, hall: PracticeHall) -> None:
    hall.place()
    until(lambda: desk.intake.state.draft, "the first sitting")
    type_in(desk, cert_no="poison")
    capture(desk)
    poisoned = reviewed(desk).record_id
    hall.province.fault("status", method="PUT", path=f"/v1/records/{poisoned}", status=422, code="record.format", times=None)
    signed(desk, COLLECTOR.pin)
    lift(desk, hall)
    second = registered(desk, hall, "after")
    until(lambda: desk.review.state.page == "receipt", "the second one's receipt", 60)
    until(lambda: row(desk, second).state == "receipted" and row(desk, poisoned).state == "set_aside", "the first one set aside", 60)
    assert row(desk, poisoned).error_code == "province.refused"
    assert poisoned not in {one["record_id"] for one in hall.province.records()}
    desk.rooms().outbox.check_packet(poisoned)


@pytest.mark.expects_log("set aside: province.refused")
def test_poisoned_record_is_repaired_at_the_desk_and_is_there_once(desk: Desk, hall: PracticeHall) -> None:
    hall.place()
    until(lambda: desk.intake.state.draft, "the sitting")
    type_in(desk, cert_no="to be mended")
    capture(desk)
    poisoned = reviewed(desk).record_id
    hall.province.fault("status", method="PUT", path=f"/v1/records/{poisoned}", status=422, code="record.format", times=None)
    signed(desk, COLLECTOR.pin)
    lift(desk, hall)
    until(lambda: (one := row(desk, poisoned)) and one.state == "set_aside", "the record set aside", 60)
    for event in (PagePicked("outbox"), RecordPicked(poisoned), RepairPressed()):
        desk.intake.post(event)
    until(lambda: desk.intake.state.draft is not None and desk.intake.state.page == "desk", "the repair at the desk", 60)
    draft = desk.intake.state.draft
    assert draft.replaces == poisoned and draft.text("skill[0].cert_no") == "to be mended" and not desk.intake.state.issues
    assert all(desk.intake.state.pictures[one.still_id] for one in draft.stills) and {one.kind for one in draft.stills} >= {"portrait", "skill_certificate"}
    desk.intake.post(Edited("skill[0].cert_no", "mended", now()))
    new = reviewed(desk).record_id
    signed(desk, COLLECTOR.pin)
    until(lambda: desk.review.state.page == "receipt", "the new one's receipt", 60)
    until(lambda: (one := row(desk, poisoned)) and one.state == "replaced", "the pair in the list", 60)
    assert row(desk, poisoned).replaced_by == new
    arrived = Counter(one["record_id"] for one in hall.province.records())
    assert (arrived[new], arrived[poisoned]) == (1, 0) and draft.draft_id not in {one.draft_id for one in desk.intake.state.parked}


def test_returned_record_is_corrected_at_the_desk_and_the_pair_is_there(desk: Desk, hall: PracticeHall) -> None:
    old = registered(desk, hall, "to be corrected")
    until(lambda: desk.review.state.page == "receipt", "the receipt", 60)
    desk.review.post(BackPressed())
    hall.province.order("records/state", record_id=old, state="correction_required", until="2030-12-14",
                        items=[{"path": "skill[0].cert_no", "text": "wrong"}, {"path": "stills.skill_certificate", "text": "not sharp"}])
    desk.intake.post(SyncPressed())
    until(lambda: (one := row(desk, old)) and one.returned, "the record back", 60)
    for event in (PagePicked("returned"), RecordPicked(old), RepairPressed()):
        desk.intake.post(event)
    until(lambda: desk.intake.state.draft is not None and desk.intake.state.page == "desk", "the correction at the desk", 60)
    assert [one.path for one in desk.intake.state.issues] == ["skill[0].cert_no", "stills.skill_certificate"]
    for event in (Edited("skill[0].cert_no", "corrected", now()), ItemTurned(1)):
        desk.intake.post(event)
    sheet = reviewed(desk)
    assert (sheet.record["amends"], sheet.record["revision"], sheet.changed, sheet.gone) == (old, 2, ("skill[0].cert_no",), ())
    signed(desk, COLLECTOR.pin)
    until(lambda: desk.review.state.page == "receipt", "the correction's receipt", 60)
    desk.intake.post(SyncPressed())
    until(lambda: (one := row(desk, old)) and one.amended_by == sheet.record_id and one.remote == "withdrawn", "the pair in the list", 60)
    there = {one["record_id"]: one for one in hall.province.records()}
    assert there[old]["amended_by"] == sheet.record_id and there[sheet.record_id]["state"] == "received" and row(desk, old).serial


# -- a store that is damaged behind its first pages -------------------------------------------------------------------------------------
@pytest.mark.expects_log("the courier stopped short|job in lane")
def test_damage_behind_the_first_pages_stops_the_desk_with_its_name(hall: PracticeHall, promises: Promises, qt_application: QApplication, tmp_path: Path,
                                                                      monkeypatch: pytest.MonkeyPatch) -> None:
    home = Path(shutil.copytree(hall.home, tmp_path / "home"))
    rooms = open_rooms(home)
    with rooms.store.write() as tx:
        tx.execute("INSERT INTO drafts VALUES ('d', 'op:somebody', 'c', 's', ?, ?, NULL, '', '')", ("x" * 200_000, bytes(32)))
    rooms.close()
    content = bytearray((home / "store.db").read_bytes())
    content[-2000] ^= 1
    (home / "store.db").write_bytes(content)
    monkeypatch.setattr("sync.store._WHOLE_AT_OPEN", 0)
    desk = Desk(home)
    try:
        desk.begin()
        until(lambda: desk.login.state.page == "stopped" and desk.login.state.trouble.code == "store.damaged", "the desk says so", 60)
        desk.login.post(RetryPressed())
        until(lambda: desk.login.state.page == "stopped", "and again", 60)
        assert all(say_code("store.damaged", lang).next for lang in LANGUAGES)
    finally:
        assert desk.close() == ()
    assert (home / "store.db").read_bytes() == bytes(content), "nobody repaired anything"
