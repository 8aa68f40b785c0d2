"""The TLS way: which roots count, what a login page is, how troubles are named."""

from __future__ import annotations

import os
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.errors import (
    ClockWrong,
    FormatTrouble,
    ProvinceBusy,
    ProvinceRefused,
    ProvinceTrouble,
    ProvinceUnreachable,
    StationCloned,
    StationExpired,
    StationRefused,
    StationReplaced,
    StationRevoked,
    StationUnknown,
    TlsTrouble,
)
from sync.wire import Answer, DeviceIdentity, Limits, Wire, open_session, retry_after, tls_context, trouble_of
from tests.emulators.https_hall import HttpsHall, SmallCa

CA = SmallCa()
PEM, _, _ = CA.issue()


def say(status: str = "200 OK", body: bytes = b'{"type":"x"}', kind: str = "application/json", more: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{more}\r\n".encode() + body


@pytest.fixture
def ways() -> Iterator[list[Wire]]:
    opened: list[Wire] = []
    yield opened
    for one in opened:
        one.close()


def way(ways: list[Wire], url: str, roots: tuple[bytes, ...] = (CA.der,), identity: DeviceIdentity | None = None, limits: Limits | None = None) -> Wire:
    ways.append(Wire(url, open_session(tls_context(roots, identity)), limits or Limits(2, 2, 5)))
    return ways[-1]


def test_a_json_answer_comes_through(tmp_path: Path, ways: list[Wire]) -> None:
    with HttpsHall(tmp_path, PEM, lambda head, tls: say()) as hall:
        assert way(ways, hall.url).ask_json("GET", "/v1/time") == (200, b'{"type":"x"}')
    assert b"Cookie" not in hall.heads[0] and b"User-Agent: hall-intake\r\n" in hall.heads[0]


@pytest.mark.parametrize(("status", "body", "kind", "more"), [
    ("200 OK", b"<html>welcome to the hall's wifi</html>", "text/html", ""),
    ("200 OK", b"<html>", "application/json", ""),
    ("200 OK", b"", "application/json", ""),
    ("302 Found", b"", "text/html", "Location: http://login.example/\r\n"),
    ("307 Temporary Redirect", b"{}", "application/json", "Location: https://elsewhere.example/v1/time\r\n"),
    ("511 Network Authentication Required", b"<html>", "text/html", ""),
])
def test_a_login_page_is_named(tmp_path: Path, ways: list[Wire], status: str, body: bytes, kind: str, more: str) -> None:
    with HttpsHall(tmp_path, PEM, lambda head, tls: say(status, body, kind, more)) as hall:
        with pytest.raises(TlsTrouble) as caught:
            way(ways, hall.url).ask_json("GET", "/v1/time")
    assert caught.value.facts["why"] == "login_page" and len(hall.heads) == 1


def test_an_interceptor_with_another_root_is_refused(tmp_path: Path, ways: list[Wire]) -> None:
    with HttpsHall(tmp_path, SmallCa().issue()[0], lambda head, tls: say()) as hall:
        with pytest.raises(TlsTrouble) as caught:
            way(ways, hall.url).ask_json("GET", "/v1/time")
    assert caught.value.facts["why"] == "certificate" and not hall.heads


def test_the_roots_of_machine_and_environment_do_not_count(tmp_path: Path, ways: list[Wire], monkeypatch: pytest.MonkeyPatch) -> None:
    other = SmallCa()
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(ssl.DER_cert_to_PEM_cert(other.der).encode())
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, str(bundle))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with HttpsHall(tmp_path, other.issue()[0], lambda head, tls: say()) as hall, pytest.raises(TlsTrouble):
        way(ways, hall.url).ask_json("GET", "/v1/time")
    context = tls_context([CA.der])
    with HttpsHall(tmp_path, PEM, lambda head, tls: say()) as hall:
        there = Wire(hall.url, open_session(context))
        ways.append(there)
        there.ask_json("GET", "/v1/time")
    assert context.cert_store_stats()["x509"] == 1, "requests added roots of its own"


@pytest.mark.parametrize(("start", "end"), [(-30, -2), (2, 30)])
def test_a_certificate_out_of_its_time_points_at_the_clock(tmp_path: Path, ways: list[Wire], start: int, end: int) -> None:
    with HttpsHall(tmp_path, CA.issue("server", start, end)[0], lambda head, tls: say()) as hall, pytest.raises(ClockWrong):
        way(ways, hall.url).ask_json("GET", "/v1/time")


def test_a_certificate_for_another_host_is_refused(tmp_path: Path, ways: list[Wire]) -> None:
    with HttpsHall(tmp_path, CA.issue(host="127.0.0.2")[0], lambda head, tls: say()) as hall, pytest.raises(TlsTrouble):
        way(ways, hall.url).ask_json("GET", "/v1/time")


def test_the_device_certificate_is_shown_and_its_key_leaves_no_file(tmp_path: Path, ways: list[Wire], monkeypatch: pytest.MonkeyPatch) -> None:
    _, certificate, key = CA.issue("station")
    folder = tmp_path / "home"
    folder.mkdir()
    written: list[bytes] = []
    modes: list[int] = []
    unlink = os.unlink

    def look_first(path: str) -> None:
        written.append(Path(path).read_bytes())
        modes.append(Path(path).stat().st_mode & 0o777)
        unlink(path)

    monkeypatch.setattr("sync.wire.os.unlink", look_first)
    context = tls_context([CA.der], DeviceIdentity(certificate, (), key), folder)
    monkeypatch.undo()
    assert list(folder.iterdir()) == [] and modes == [0o600]
    assert b"ENCRYPTED PRIVATE KEY" in written[0] and b"BEGIN PRIVATE KEY" not in written[0]
    with HttpsHall(tmp_path, PEM, lambda head, tls: say(), client_ca=CA.der) as hall:
        there = Wire(hall.url, open_session(context))
        ways.append(there)
        there.ask_json("GET", "/v1/time")
    assert hall.clients == [certificate]


def test_a_key_that_does_not_fit_leaves_no_file_either(tmp_path: Path) -> None:
    _, certificate, _ = CA.issue()
    with pytest.raises(FormatTrouble):
        tls_context([CA.der], DeviceIdentity(certificate, (), CA.issue()[2]), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_refused_client_certificate_is_named(tmp_path: Path, ways: list[Wire]) -> None:
    with HttpsHall(tmp_path, PEM, lambda head, tls: say(), client_ca=CA.der) as hall, pytest.raises((StationRefused, ProvinceUnreachable)) as caught:
        way(ways, hall.url).ask_json("GET", "/v1/time")
    if isinstance(caught.value, StationRefused):
        assert caught.value.facts["why"] == "station.certificate"


def test_a_connection_that_ends_in_the_handshake_is_unreachable(ways: list[Wire]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        def hang_up() -> None:
            taken, _ = listening.accept()
            taken.recv(4096)
            taken.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        with pytest.raises(ProvinceUnreachable):
            way(ways, f"https://127.0.0.1:{listening.getsockname()[1]}").ask("GET", "/v1/time")
        thread.join()


def test_nobody_there_is_unreachable(ways: list[Wire]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"https://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(ProvinceUnreachable):
        way(ways, url).ask("GET", "/v1/time")


def test_a_silent_server_and_a_cut_answer_are_unreachable(tmp_path: Path, ways: list[Wire]) -> None:
    def silent(head: bytes, tls: ssl.SSLSocket) -> bytes:
        time.sleep(1.0)
        return b""

    with HttpsHall(tmp_path, PEM, silent) as hall, pytest.raises(ProvinceUnreachable):
        way(ways, hall.url, limits=Limits(1, 0.3, 5)).ask("GET", "/v1/time")
    with HttpsHall(tmp_path, PEM, lambda head, tls: say()[:-5]) as hall, pytest.raises(ProvinceUnreachable):
        way(ways, hall.url).ask("GET", "/v1/time")


def test_a_head_that_is_cut_anywhere_is_no_answer(tmp_path: Path, ways: list[Wire]) -> None:
    """The standard library would take it for a whole head with fewer lines, e.g. an Upload-Offset with fewer digits."""
    whole = b"HTTP/1.1 204 No Content\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 1048576\r\n\r\n"
    sizes = iter(range(len(whole)))
    with HttpsHall(tmp_path, PEM, lambda head, tls: whole[:next(sizes)]) as hall:
        one = way(ways, hall.url)
        for size in range(len(whole)):
            with pytest.raises(ProvinceUnreachable):
                one.ask("PATCH", "/v1/packets/x", b"x", {}, (204,))
            assert len(hall.heads) == size + 1


def test_an_answer_that_drips_or_swells_is_given_up(tmp_path: Path, ways: list[Wire]) -> None:
    def drip(head: bytes, tls: ssl.SSLSocket) -> bytes:
        tls.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(30):
            tls.sendall(b"1\r\n \r\n")
            time.sleep(0.1)
        return b"0\r\n\r\n"

    started = time.monotonic()
    with HttpsHall(tmp_path, PEM, drip) as hall, pytest.raises(ProvinceUnreachable):
        way(ways, hall.url, limits=Limits(1, 1, 0.5)).ask("GET", "/v1/time")
    assert time.monotonic() - started < 4.0
    with HttpsHall(tmp_path, PEM, lambda head, tls: say(body=b" " * 5000)) as hall, pytest.raises(ProvinceTrouble):
        way(ways, hall.url, limits=Limits(1, 1, 5, most_bytes=1000)).ask("GET", "/v1/time")


def test_plain_http_is_never_spoken() -> None:
    with pytest.raises(FormatTrouble):
        Wire("http://127.0.0.1", open_session(tls_context([CA.der])))


def error(code: str) -> bytes:
    return b'{"type":"hall-intake/error/1","code":"%s","detail":"x"}' % code.encode()


@pytest.mark.parametrize(("status", "body", "kind", "facts"), [
    (429, b"", ProvinceBusy, {"retry_after": 7.0}),
    (503, b"<html>", ProvinceBusy, {"retry_after": 7.0}),
    (500, error("province.fault"), ProvinceTrouble, {"status": 500}),
    (409, error("upload.offset"), ProvinceTrouble, {"status": 409}),
    (409, error("record.other"), ProvinceRefused, {"why": "record.other"}),
    (409, error("journal.fork"), ProvinceRefused, {"why": "journal.fork"}),
    (422, error("record.format"), ProvinceRefused, {"why": "record.format", "status": 422}),
    (408, error("request.slow"), ProvinceTrouble, {}),
    (423, error("upload.busy"), ProvinceTrouble, {}),
    (425, error("request.early"), ProvinceTrouble, {}),
    (460, error("upload.checksum"), ProvinceTrouble, {}),
    (404, b"<html>nginx</html>", ProvinceTrouble, {"status": 404}),
    (403, b'{"code":"waf.blocked"}', ProvinceTrouble, {"status": 403}),
    (302, b"", TlsTrouble, {"why": "login_page"}),
    (401, error("station.certificate"), StationUnknown, {"why": "station.certificate"}),
    (401, error("station.expired"), StationExpired, {}),
    (403, error("station.revoked"), StationRevoked, {}),
    (403, error("station.cloned"), StationCloned, {}),
    (403, error("station.replaced"), StationReplaced, {}),
    (403, error("station.other"), ProvinceRefused, {"why": "station.other"}),
])
def test_statuses_have_names(status: int, body: bytes, kind: type[ProvinceTrouble], facts: dict[str, object]) -> None:
    trouble = trouble_of(Answer(status, {"Retry-After": "7", "Content-Type": "application/json"}, body))
    assert type(trouble) is kind
    assert all(trouble.facts[name] == value for name, value in facts.items())


def test_retry_after_is_read_in_both_forms() -> None:
    now = datetime(2026, 11, 22, 6, 0, 0, tzinfo=UTC)
    assert retry_after("30") == 30.0
    assert retry_after("Sun, 22 Nov 2026 06:02:00 GMT", now) == 120.0
    assert retry_after("Sun, 22 Nov 2026 05:00:00 GMT", now) == 0.0
    assert retry_after("999999999999") == 3600.0


@given(st.text(max_size=40))
def test_any_retry_after_gives_bounded_seconds(text: str) -> None:
    assert 0.0 <= retry_after(text) <= 3600.0


def test_the_systems_folder_is_left_clean() -> None:
    before = {one for one in os.listdir(tempfile.gettempdir()) if one.startswith("tls-")}
    _, certificate, key = CA.issue("station")
    tls_context([CA.der], DeviceIdentity(certificate, (), key))
    assert {one for one in os.listdir(tempfile.gettempdir()) if one.startswith("tls-")} == before
