"""Every request ends: heads that drip, interim answers without end, bodies that are sipped, a silent proxy; a slow line gets its time; a cut ends all."""

from __future__ import annotations

import contextlib
import random
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.errors import ProvinceTrouble, ProvinceUnreachable, ProxyTrouble, TlsTrouble
from sync.upload import PART
from sync.wire import Answer, Limits, Wire, open_session, tls_context, trouble_of
from tests.emulators.https_hall import HttpsHall, SmallCa

CA = SmallCa()
PEM, _, _ = CA.issue()
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"


@pytest.fixture
def ways() -> Iterator[list[Wire]]:
    opened: list[Wire] = []
    yield opened
    for one in opened:
        one.close()


def way(ways: list[Wire], url: str, limits: Limits, proxy: str = "") -> Wire:
    ways.append(Wire(url, open_session(tls_context([CA.der]), {"https": proxy} if proxy else None), limits))
    return ways[-1]


def dripping(begin: bytes, drop: bytes, most_s: float = 6.0) -> Iterator[bytes]:
    yield begin
    until = time.monotonic() + most_s
    while time.monotonic() < until:
        time.sleep(0.05)
        yield drop


@pytest.mark.parametrize("method", ["GET", "HEAD", "PATCH"])
@pytest.mark.parametrize(("begin", "drop"), [
    (b"", b"H"), (b"HTTP/1.1 200 OK\r\nX: ", b"a"), (b"HTTP/1.1 200 OK\r\n", b"X: a\r\n"), (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
])
def test_a_head_without_end_is_given_up(tmp_path: Path, ways: list[Wire], method: str, begin: bytes, drop: bytes) -> None:
    def script(_head: bytes, tls: ssl.SSLSocket) -> bytes:
        with contextlib.suppress(OSError):
            for piece in dripping(begin, drop):
                tls.sendall(piece)
        return b""

    with HttpsHall(tmp_path, PEM, script) as hall:
        started = time.monotonic()
        with pytest.raises(ProvinceUnreachable):
            way(ways, hall.url, Limits(2, 2, 0.4)).ask(method, "/v1/time", b"x" if method == "PATCH" else None)
        assert time.monotonic() - started < 3


def test_a_body_is_said_to_have_left_before_its_answer_is_there(tmp_path: Path, ways: list[Wire]) -> None:
    left, said = threading.Event(), list[bool]()

    def script(head: bytes, tls: ssl.SSLSocket) -> bytes:
        said.append(left.wait(1.5))
        if head.startswith(b"PATCH") and not head.endswith(b"a part"):
            tls.recv(64)  # what is left unread would end the line with a reset
        return OK

    with HttpsHall(tmp_path, PEM, script) as hall:
        line = way(ways, hall.url, Limits(2, 8, 10))
        line.ask("PATCH", "/v1/time", b"a part", sent=left.set)
        left.clear()
        line.ask("GET", "/v1/time", sent=left.set)
    assert said == [True, False], "told of a body only, and only once"


@pytest.mark.parametrize("answer", [b"HTTP/1.1 200 OK\r\nX: ", b"", b"SSH-2.0-x\r\n", b"silent"])
def test_a_proxy_that_gives_no_answer_is_given_up_and_named(ways: list[Wire], answer: bytes) -> None:
    """One byte after the other, none at all, another protocol, an open line on which nothing comes."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        def proxy() -> None:
            taken, _ = listening.accept()
            with contextlib.suppress(OSError), taken:
                taken.recv(4096)
                if answer == b"silent":
                    taken.recv(4096)
                elif answer.startswith(b"HTTP"):
                    for piece in dripping(answer, b"a"):
                        taken.sendall(piece)
                else:
                    taken.sendall(answer)

        thread = threading.Thread(target=proxy)
        thread.start()
        started = time.monotonic()
        with pytest.raises(ProxyTrouble) as caught:
            way(ways, "https://127.0.0.1:9", Limits(2, 2, 0.4), f"http://127.0.0.1:{listening.getsockname()[1]}").ask("GET", "/v1/time")
        assert time.monotonic() - started < 3 and caught.value.facts["why"] == "silent"
        ways[0].close()
        thread.join()


def test_a_body_that_is_sipped_is_given_up(tmp_path: Path, ways: list[Wire]) -> None:
    def sip(_head: bytes, tls: ssl.SSLSocket) -> bytes:
        until = time.monotonic() + 8
        with contextlib.suppress(OSError):
            while time.monotonic() < until and tls.recv(65_536):
                time.sleep(0.05)
        return b""

    with HttpsHall(tmp_path, PEM, sip) as hall:
        started = time.monotonic()
        with pytest.raises(ProvinceUnreachable):
            way(ways, hall.url, Limits(3, 3, 0.4, slowest=4 * PART)).ask("PATCH", "/v1/packets/x", b"x" * (40 * PART))
        assert time.monotonic() - started < 4


def test_a_slow_line_gets_the_time_that_a_part_takes_on_it(tmp_path: Path, ways: list[Wire]) -> None:
    """What was "sent" lies in the buffers of this machine while the line is slow: the answer is awaited for as long as the line may take."""
    def slow(head: bytes, tls: ssl.SSLSocket) -> bytes:
        here = len(head.partition(b"\r\n\r\n")[2])
        while here < PART:
            here += len(tls.recv(16_384))
            time.sleep(0.02)
        return OK

    with HttpsHall(tmp_path, PEM, slow) as hall:
        started = time.monotonic()
        assert way(ways, hall.url, Limits(2, 0.5, 0.5, slowest=PART / 20)).ask("PATCH", "/v1/packets/x", b"x" * PART).status == 200
        assert time.monotonic() - started > 1, "a line that was not slow proves nothing"


def test_a_cut_ends_what_hangs_and_what_comes_after(tmp_path: Path, ways: list[Wire]) -> None:
    asked, over = threading.Event(), threading.Event()

    def silent(_head: bytes, _tls: ssl.SSLSocket) -> bytes:
        asked.set()
        over.wait(10)
        return b""

    with HttpsHall(tmp_path, PEM, silent) as hall:
        one = way(ways, hall.url, Limits(10, 10, 20))
        thread = threading.Thread(target=lambda: (asked.wait(5), one.cut()))
        started = time.monotonic()
        thread.start()
        with pytest.raises(ProvinceUnreachable):
            one.ask("GET", "/v1/time")
        with pytest.raises(ProvinceUnreachable):
            one.ask("GET", "/v1/time")
        assert time.monotonic() - started < 3 and len(hall.heads) == 1
        over.set()
        thread.join()


# -- answers that are none ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("location", ["http://门户.example/".encode("gbk"), b"http://[::1/", b"https://127.0.0.1:99999999/", b"\xff\xfe", b"//", b""])
def test_the_address_of_a_redirect_is_never_looked_at(tmp_path: Path, ways: list[Wire], location: bytes) -> None:
    with HttpsHall(tmp_path, PEM, lambda head, tls: b"HTTP/1.1 302 Found\r\nLocation: " + location + b"\r\nContent-Length: 0\r\n\r\n") as hall:
        with pytest.raises(TlsTrouble) as caught:
            way(ways, hall.url, Limits(2, 2, 5)).ask("GET", "/v1/time")
        assert caught.value.facts["why"] == "login_page"


def test_a_redirect_with_a_page_without_end_is_not_read_to_its_end(tmp_path: Path, ways: list[Wire]) -> None:
    taken: list[int] = []

    def endless(_head: bytes, tls: ssl.SSLSocket) -> bytes:
        tls.sendall(b"HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1/x\r\nTransfer-Encoding: chunked\r\n\r\n")
        with contextlib.suppress(OSError):
            for _ in range(1000):
                tls.sendall(b"10000\r\n" + b"x" * 65_536 + b"\r\n")
                taken.append(65_536)
        return b""

    with HttpsHall(tmp_path, PEM, endless) as hall, pytest.raises(ProvinceTrouble):
        way(ways, hall.url, Limits(2, 2, 20, most_bytes=PART)).ask("GET", "/v1/time")
    assert sum(taken) < 20 * PART


@pytest.mark.expects_log("Failed to parse headers|both Content-Length and Transfer-Encoding")
def test_whatever_is_answered_is_a_named_trouble(tmp_path: Path, ways: list[Wire]) -> None:
    drawn = random.Random(5)
    whole = (b"HTTP/1.1 302 Found\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: 20\r\nTransfer-Encoding: chunked\r\n"
             b"Location: http://x/\r\nRetry-After: Sun, 22 Nov 2026 06:02:00 GMT\r\nDate: x\r\n\r\n{\"type\":\"hall-intake/error/1\",\"code\":\"x\"}")
    answers = [b"\r\n" * 9, b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n", b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000 + b"\r\n\r\n",
               b"HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\n12345", b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", b"HTTP/0.9", b"\x00" * 500]
    for _ in range(120):
        changed = bytearray(whole)
        for _ in range(drawn.randint(1, 12)):
            changed[drawn.randrange(len(changed))] = drawn.choice(b"\x00\r\n: 0189afA\xff\x80,;[]")
        answers.append(bytes(changed))
    coming = iter(answers)
    with HttpsHall(tmp_path, PEM, lambda head, tls: next(coming)) as hall:
        one = way(ways, hall.url, Limits(2, 1, 2, most_bytes=PART))
        for answer in answers:
            with pytest.raises(ProvinceTrouble):
                one.ask("GET", "/v1/time", good=(299,))
            assert hall.heads, answer


def test_a_date_to_come_back_is_counted_by_the_clock_of_who_answered() -> None:
    """This machine's clock may be two hours behind: an hour of waiting for nothing."""
    told = {"Retry-After": "Sun, 22 Nov 2020 06:02:00 GMT", "Date": "Sun, 22 Nov 2020 06:00:00 GMT"}
    assert trouble_of(Answer(503, told, b"")).facts["retry_after"] == 120.0
