"""The way to the province: proxies, clocks, retention by the province's time. Over real TLS."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from desktop.rooms import proxies
from desktop.settings import SETTINGS_FILE
from sync.errors import ProvinceUnreachable, ProxyTrouble
from sync.province import Province
from sync.upload import PART
from tests.contract.province.hall import HallStation, People, came_in
from tests.emulators.connect_proxy import ConnectProxy
from tests.emulators.province_run import ProvinceRun

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def proxy() -> Iterator[ConnectProxy]:
    with ConnectProxy() as made:
        yield made


# -- proxies --------------------------------------------------------------------------------------------------------------------------
def test_all_goes_through_the_proxy_of_the_settings(tmp_path: Path, people: People, province: ProvinceRun, proxy: ConnectProxy) -> None:
    (tmp_path / SETTINGS_FILE).write_text(json.dumps({"proxy": proxy.url}))
    found = proxies(tmp_path)
    assert found == {"https": proxy.url} and proxies(tmp_path / "none") is None
    hall = HallStation(tmp_path / "home", people, province, proxies=dict(found))
    record_id = hall.keep(size=PART + 1)
    hall.drive(record_id, "receipted")
    assert came_in(province, record_id) == 1
    assert set(proxy.asked) == {f"127.0.0.1:{province.port}"} and len(proxy.asked) >= 2
    hall.close()


@pytest.mark.parametrize(("answer", "kind"), [
    (b"407 Proxy Authentication Required", ProxyTrouble), (b"403 Forbidden", ProxyTrouble), (b"302 Found", ProxyTrouble),
    (b"502 Bad Gateway", ProvinceUnreachable), (b"504 Gateway Timeout", ProvinceUnreachable),
])
def test_a_proxy_that_refuses_is_told_from_a_province_that_is_away(hall: HallStation, proxy: ConnectProxy, answer: bytes, kind: type[Exception]) -> None:
    proxy.answer = answer
    way = Province(hall.station, proxies={"https": proxy.url})
    with pytest.raises(ProvinceUnreachable) as caught:
        way.time()
    assert type(caught.value) is kind
    way.close()


def test_a_silent_proxy_is_named_and_never_gone_around(hall: HallStation, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}"
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")  # what the environment says does not count
    way = Province(hall.station, proxies={"https": nobody})
    with pytest.raises(ProxyTrouble):
        way.time()
    way.close()


# -- clocks ---------------------------------------------------------------------------------------------------------------------------
def test_a_clock_ahead_still_uploads_and_is_told(hall: HallStation, province: ProvinceRun) -> None:
    """What the words of province.clock_off say: uploading goes on."""
    province.desk("POST", "/clock", offset=1200)
    record_id = hall.keep()
    assert hall.courier.refresh() and hall.courier.status().last_error_code == "province.clock_off"
    hall.drive(record_id, "receipted")


def test_a_signing_time_that_lies_ahead_waits_for_the_clock_and_is_not_set_aside(hall: HallStation, province: ProvinceRun) -> None:
    province.desk("POST", "/clock", offset=-1200)  # this station is 20 minutes ahead, its certificate not yet good there: say so at the submission only
    record_id = hall.keep()
    province.desk("POST", "/clock", offset=0)
    hall.drive(record_id, "uploaded")
    hall.moment = lambda: datetime.now(UTC) + timedelta(seconds=1200)
    hall.courier.hurry()
    assert hall.courier.refresh()
    province.order("status", method="PUT", path=record_id, status=422, code="signature.untrusted")
    hall.courier.step()
    row = hall.row(record_id)
    assert row.state == "uploaded" and row.last_error == "province.clock_off"
    hall.pass_time(10)
    hall.drive(record_id, "receipted")


@pytest.mark.expects_log("set aside: province.refused")
def test_with_a_right_clock_an_untrusted_signature_is_set_aside(hall: HallStation, province: ProvinceRun) -> None:
    record_id = hall.keep()
    hall.courier.refresh()
    province.order("status", method="PUT", path=record_id, status=422, code="signature.untrusted")
    hall.drive(record_id, "set_aside")


def test_the_retention_counts_from_the_receipts_own_time(hall: HallStation, province: ProvinceRun) -> None:
    """A station whose clock was wrong when the receipt came neither forgets too early nor too late."""
    days = hall.station.retention_days
    assert days is not None
    hall.moment = lambda: datetime.now(UTC) - timedelta(days=300)  # far behind: the local time of receipt would be long past the retention
    record_id = hall.keep()
    hall.drive(record_id, "receipted")
    received = hall.row(record_id).receipted_at
    assert received is not None and abs((received - datetime.now(UTC)).total_seconds()) < 60
    hall.moment = lambda: datetime.now(UTC)
    hall.courier.hurry()
    assert hall.courier.refresh() and hall.row(record_id).state == "receipted"
    province.desk("POST", "/clock", offset=(days + 1) * 86_400)
    hall.courier.hurry()
    hall.courier.refresh()
    assert hall.row(record_id).state == "purged"
