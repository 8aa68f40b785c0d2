"""The upload against a server that nobody here wrote: the tus project's own. Sweep only; ``installer/test --sweep`` fetches it, by hash."""

from __future__ import annotations

import os
import subprocess
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from sync.canon import digest
from sync.errors import ProvinceTrouble, ProvinceUnreachable
from sync.upload import PART, Upload, upload_packet
from sync.wire import Limits, Wire, open_session, tls_context
from tests.emulators.cutting_way import Cut, CuttingWay
from tests.emulators.https_hall import SmallCa
from tests.emulators.tus_peer import TusPeer, install, installed_in

pytestmark = [pytest.mark.sweep, pytest.mark.timeout(900)]

CA = SmallCa()


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """HALL_INTAKE_TUS_PEER names a folder where ``installer/test --sweep`` put the packages: an own network namespace has no way out."""
    given = os.environ.get("HALL_INTAKE_TUS_PEER", "")
    folder = Path(given) if given else tmp_path_factory.mktemp("tus") / "peer"
    if not installed_in(folder):
        try:
            install(folder)
        except (subprocess.SubprocessError, OSError) as error:
            pytest.skip(f"the peer cannot be installed here: {type(error).__name__}; python -m tests.emulators.tus_peer FOLDER, set HALL_INTAKE_TUS_PEER")
    return folder


@pytest.fixture
def peer(installed: Path, tmp_path: Path) -> Iterator[TusPeer]:
    pem = tmp_path / "peer.pem"
    pem.write_bytes(CA.issue()[0])
    with TusPeer(installed, pem, tmp_path / "files") as running:
        yield running


def packet(folder: Path, size: int) -> Path:
    path = folder / f"packet {size}"
    path.write_bytes(Random(size).randbytes(size))
    return path


def send(url: str, path: Path, upload_id: str | None = None, made: list[str] | None = None, told: list[int] | None = None) -> Upload:
    wire = Wire(url, open_session(tls_context([CA.der])), Limits(5, 10, 60))
    try:
        return upload_packet(wire, path, str(uuid.uuid4()), digest(path.read_bytes()), upload_id, threading.Event(),
                             lambda done, total: told.append(done) if told is not None else None, made.append if made is not None else lambda name: None)
    finally:
        wire.close()


@pytest.mark.parametrize("size", [1, PART - 1, PART, PART + 1, 5 * PART + 77])
def test_every_size_arrives_whole(peer: TusPeer, tmp_path: Path, size: int) -> None:
    path = packet(tmp_path, size)
    done = send(peer.url, path)
    assert done.complete and (peer.files / done.upload_id).read_bytes() == path.read_bytes()
    assert send(peer.url, path, done.upload_id).complete, "asked again, it is there"


def test_cuts_cost_at_most_the_part_under_way(peer: TusPeer, tmp_path: Path) -> None:
    path, made, told, random = packet(tmp_path, 6 * PART + 5), list[str](), list[int](), Random(5)
    pem = tmp_path / "way.pem"
    pem.write_bytes(CA.issue()[0])
    with CuttingWay(peer.url, (pem, pem), tls_context([CA.der])) as way:
        for number in range(24):
            way.arm(Cut("PATCH", "/v1/packets", "up" if number % 2 else "down", "body" if number % 2 else "head", random.randrange(150)))
            with pytest.raises(ProvinceUnreachable):
                send(way.url, path, made[-1] if made else None, made, told)
            if told[-1] >= 5 * PART:
                break
        way.disarm()
        done = send(way.url, path, made[-1], made)
    assert len(made) == 1 and done.complete and (peer.files / made[0]).read_bytes() == path.read_bytes()


def test_a_peer_that_falls_in_the_midst_is_taken_up_where_it_was(peer: TusPeer, tmp_path: Path) -> None:
    path, made, told = packet(tmp_path, 12 * PART), list[str](), list[int]()
    for rest in (9, 5):
        def fall(done: int, total: int, rest: int = rest) -> None:
            if total - done <= rest * PART:
                peer.fall()

        wire = Wire(peer.url, open_session(tls_context([CA.der])), Limits(5, 10, 60))
        with pytest.raises(ProvinceTrouble):
            upload_packet(wire, path, str(uuid.uuid4()), digest(path.read_bytes()), made[-1] if made else None, threading.Event(), fall, made.append)
        wire.close()
        peer.start()
    done = send(peer.url, path, made[-1], made, told)
    assert len(made) == 1 and told[0] >= 6 * PART and done.complete
    assert (peer.files / made[0]).read_bytes() == path.read_bytes()


def test_an_upload_that_the_peer_forgot_is_begun_anew(peer: TusPeer, tmp_path: Path) -> None:
    path, made = packet(tmp_path, PART + 9), list[str]()
    done = send(peer.url, path, str(uuid.uuid4()), made)
    assert made == [done.upload_id] and (peer.files / done.upload_id).read_bytes() == path.read_bytes()


def test_two_records_of_one_beginning_and_size_never_share_an_upload(peer: TusPeer, tmp_path: Path) -> None:
    """The flaw of the public Python client: its resume key is the first 64 KiB and the size."""
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_bytes(b"\xff" * 70_000 + b"1" * 30_000)
    second.write_bytes(b"\xff" * 70_000 + b"2" * 30_000)
    done = [send(peer.url, path) for path in (first, second)]
    assert done[0].upload_id != done[1].upload_id
    assert [(peer.files / one.upload_id).read_bytes() for one in done] == [first.read_bytes(), second.read_bytes()]
