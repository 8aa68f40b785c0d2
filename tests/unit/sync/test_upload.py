"""The tus client against a tus server in memory that cuts, lies and forgets on order."""

from __future__ import annotations

import base64
import hashlib
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import sync.upload
from sync.canon import digest
from sync.errors import PacketDamaged, ProvinceRefused, ProvinceTrouble, ProvinceUnreachable
from sync.upload import PART, Slice, Upload, check_packet, upload_packet
from sync.wire import Answer

RECORD = str(uuid.uuid4())


class Tus:
    """FORMATS section 11 in memory. ``fault(method, number)`` is asked at each request and may raise, before or after the deed."""

    def __init__(self, says_offset: bool = False) -> None:
        """``says_offset``: with the answer to POST, as the province does and tus itself need not."""
        self.says_offset = says_offset
        self.uploads: dict[str, bytearray] = {}
        self.sizes: dict[str, int] = {}
        self.received = 0
        self.requests: list[str] = []
        self.before: Callable[[str, int], None] = lambda method, number: None
        self.after: Callable[[str, int], None] = lambda method, number: None

    def ask(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None, good: tuple[int, ...] = (200,),
            sent: Callable[[], object] | None = None) -> Answer:
        self.requests.append(method)
        number = len(self.requests)
        self.before(method, number)
        if sent is not None:
            sent()
        answer = self._do(method, path.rpartition("/")[2], body or b"", headers or {})
        self.after(method, number)
        if answer.status not in good:
            raise ProvinceTrouble(f"status {answer.status}", status=answer.status)
        return answer

    def _do(self, method: str, name: str, body: bytes, headers: dict[str, str]) -> Answer:
        assert headers["Tus-Resumable"] == "1.0.0"
        if method == "POST":
            name = next(iter(self.uploads), str(uuid.uuid4()))
            self.uploads.setdefault(name, bytearray())
            self.sizes[name] = int(headers["Upload-Length"])
            said = {"Upload-Offset": str(len(self.uploads[name]))} if self.says_offset else {}
            return Answer(201, {"Location": f"/v1/packets/{name}", **said}, b"")
        if name not in self.uploads:
            return Answer(404, {}, b"")
        here = self.uploads[name]
        if method == "PATCH":
            if int(headers["Upload-Offset"]) != len(here):
                return Answer(409, {"Upload-Offset": str(len(here))}, b"")
            assert headers["Upload-Checksum"] == "sha256 " + base64.b64encode(hashlib.sha256(body).digest()).decode()
            here += body
            self.received += len(body)
            return Answer(204, {"Upload-Offset": str(len(here))}, b"")
        return Answer(200, {"Upload-Offset": str(len(here)), "Upload-Length": str(self.sizes[name])}, b"")


def packet(folder: Path, size: int) -> Path:
    path = folder / f"{uuid.uuid4()}"
    path.write_bytes(hashlib.shake_128(str(size).encode()).digest(size))
    return path


def send(tus: Tus, path: Path, upload_id: str | None = None, cancel: Any = None, made: list[str] | None = None) -> Upload:
    keep = made if made is not None else []
    return upload_packet(tus, path, RECORD, digest(path.read_bytes()), upload_id, cancel or threading.Event(), lambda done, total: None, keep.append)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(size=st.one_of(st.sampled_from([1, PART - 1, PART, PART + 1, 2 * PART, 3 * PART + 17]), st.integers(1, 4 * PART)))
def test_every_size_arrives_whole(tmp_path: Path, size: int) -> None:
    tus, path = Tus(), packet(tmp_path, size)
    done = send(tus, path)
    assert done.complete and bytes(tus.uploads[done.upload_id]) == path.read_bytes()
    assert tus.requests.count("PATCH") <= -(-size // PART)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(size=st.integers(1, 4 * PART), cuts=st.lists(st.tuples(st.integers(1, 9), st.booleans()), max_size=4))
def test_cuts_cost_at_most_the_part_under_way(tmp_path: Path, size: int, cuts: list[tuple[int, bool]]) -> None:
    tus, path, made = Tus(), packet(tmp_path, size), list[str]()
    sent = 0

    def cut_before(method: str, number: int) -> None:
        if (number, False) in cuts:
            raise ProvinceUnreachable("cut")

    def cut_after(method: str, number: int) -> None:
        if (number, True) in cuts:
            raise ProvinceUnreachable("answer lost")

    tus.before, tus.after = cut_before, cut_after
    for _ in range(len(cuts) + 1):
        try:
            done = send(tus, path, made[-1] if made else None, made=made)
            break
        except ProvinceUnreachable:
            continue
    else:
        pytest.fail("more tries than cuts were needed")
    assert bytes(tus.uploads[done.upload_id]) == path.read_bytes()
    assert tus.received == size, "no byte that the province acknowledged is sent again"
    sent = tus.requests.count("PATCH")
    assert sent <= -(-size // PART) + len(cuts), "one part again per cut at most"


def test_the_offset_of_a_new_upload_is_taken_from_the_answer_that_made_it(tmp_path: Path) -> None:
    tus, path, made = Tus(says_offset=True), packet(tmp_path, 2 * PART), list[str]()
    tus.before = lambda method, number: (_ for _ in ()).throw(ProvinceUnreachable("cut")) if number == 3 else None
    with pytest.raises(ProvinceUnreachable):
        send(tus, path, made=made)
    tus.before = lambda method, number: None
    done = send(tus, path, made=made)   # its id was lost: POST finds the same one and says how far it came
    assert done.complete and set(made) == {done.upload_id} and tus.received == 2 * PART
    assert tus.requests == ["POST", "PATCH", "PATCH", "POST", "PATCH"]


def test_an_upload_that_the_province_forgot_begins_anew(tmp_path: Path) -> None:
    tus, path, made = Tus(), packet(tmp_path, 2 * PART), list[str]()
    done = send(tus, path, str(uuid.uuid4()), made=made)
    assert done.complete and made == [done.upload_id]


def test_stop_ends_at_a_part_and_the_rest_goes_later(tmp_path: Path) -> None:
    tus, path, cancel = Tus(), packet(tmp_path, 3 * PART), threading.Event()
    tus.after = lambda method, number: cancel.set() if method == "PATCH" else None
    half = send(tus, path, cancel=cancel)
    assert not half.complete and half.offset == PART
    tus.after = lambda method, number: None
    assert send(tus, path, half.upload_id).complete and tus.received == 3 * PART


def test_an_offset_that_was_passed_over_is_asked_for_once(tmp_path: Path) -> None:
    tus, path = Tus(), packet(tmp_path, 3 * PART)

    def another_process(method: str, number: int) -> None:  # somebody else's part lands between our HEAD and PATCH
        if method == "HEAD" and number == 2:
            name = next(iter(tus.uploads))
            tus.uploads[name] += path.read_bytes()[:PART]

    tus.after = another_process
    assert send(tus, path).complete and tus.requests == ["POST", "HEAD", "PATCH", "HEAD", "PATCH", "PATCH"]


@pytest.mark.parametrize("location", ["", "/v1/packets/", "/v1/packets/../records", "https://elsewhere/v1/other/" + RECORD, "/v1/packets/NOT-A-UUID"])
def test_a_location_that_is_no_upload_is_refused(tmp_path: Path, location: str) -> None:
    class Liar(Tus):
        def _do(self, method: str, name: str, body: bytes, headers: dict[str, str]) -> Answer:
            return Answer(201, {"Location": location}, b"")

    with pytest.raises(ProvinceTrouble):
        send(Liar(), packet(tmp_path, 10))


@pytest.mark.parametrize("offset", ["-1", "11", "1e3", "", "999999999999999999999"])
def test_an_offset_that_is_no_offset_is_refused(tmp_path: Path, offset: str) -> None:
    class Liar(Tus):
        def _do(self, method: str, name: str, body: bytes, headers: dict[str, str]) -> Answer:
            answer = super()._do(method, name, body, headers)
            return answer if method == "POST" else Answer(200, {"Upload-Offset": offset}, b"")

    with pytest.raises(ProvinceTrouble):
        send(Liar(), packet(tmp_path, 10))


def test_a_packet_file_is_checked_against_its_row(tmp_path: Path) -> None:
    path = packet(tmp_path, PART + 5)
    content = path.read_bytes()
    check_packet(path, digest(content), len(content))
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    for size in (len(content), len(content) - 1):
        with pytest.raises(PacketDamaged):
            check_packet(path, digest(content), size)
    with pytest.raises(PacketDamaged):
        check_packet(tmp_path / "gone", digest(content), len(content))


def test_a_refusal_ends_the_upload(tmp_path: Path) -> None:
    def refuse(method: str, number: int) -> None:
        raise ProvinceRefused("no", status=403, why="station.revoked")

    tus = Tus()
    tus.before = refuse
    with pytest.raises(ProvinceRefused):
        send(tus, packet(tmp_path, 10))
    assert tus.requests == ["POST"]


@pytest.mark.parametrize(("part_s", "sizes"), [(1e9, [1, 1, 2, 2, 4, 4, 1]), (0.0, [1] * 15), (-1.0, [1] * 15)])
def test_parts_grow_only_while_they_come_through_quickly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part_s: float, sizes: list[int]) -> None:
    monkeypatch.setattr(sync.upload, "PART_S", part_s)
    tus, path, told = Tus(), packet(tmp_path, 15 * PART), list[int]()
    done = upload_packet(tus, path, RECORD, digest(path.read_bytes()), None, threading.Event(), lambda done, total: told.append(done), lambda made: None)
    assert [(b - a) // PART for a, b in zip(told, told[1:], strict=False)] == sizes
    assert bytes(tus.uploads[done.upload_id]) == path.read_bytes()


def test_a_slice_ends_after_its_time_and_never_before_the_first_part(tmp_path: Path) -> None:
    tus, path, now = Tus(), packet(tmp_path, 3 * PART), [0.0]
    tus.after = lambda method, number: now.__setitem__(0, now[0] + 7)
    half = send(tus, path, cancel=Slice(threading.Event(), 10, lambda: now[0]))
    assert half.offset == 2 * PART and send(tus, path, half.upload_id, cancel=Slice(threading.Event(), 0, lambda: now[0])).offset == 3 * PART
    stopped = threading.Event()
    stopped.set()
    assert Slice(stopped, 10).is_set()
