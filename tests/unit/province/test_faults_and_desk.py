"""Ordered faults come as ordered and leave the province sound; the desk port; sheets and their paper."""

from __future__ import annotations

import base64
import shutil
import subprocess
import time

import pytest
import requests

from tests.unit.province import hand


def order(province, **fault):
    requests.post(province.admin_url + "/faults", json={"faults": [fault]}, timeout=5).raise_for_status()


def submission_of(station, people):
    record = station.record(people.second)
    content = hand.jcs(record)
    packet = station.packet(content, record["record_id"])
    return record["record_id"], station.submission(
        content, record["record_id"], packet, station.upload(record["record_id"], packet), people.second.sign(content)
    )


def test_status_orders_count_down_and_choose(station, province):
    order(province, kind="status", status=503, retry_after=7, times=2, path="^/v1/downlink")
    assert station.ask("GET", "/v1/time").status_code == 200
    first = station.ask("GET", "/v1/downlink/settings")
    assert (first.status_code, first.headers["Retry-After"]) == (503, "7")
    assert station.ask("GET", "/v1/downlink/settings").status_code == 503
    assert station.ask("GET", "/v1/downlink/settings").status_code == 200
    order(province, kind="status", status=200, body="<html>登录</html>")
    page = station.ask("GET", "/v1/downlink/settings")
    assert page.headers["Content-Type"] == "text/html" and "登录" in page.content.decode()


def test_a_cut_answer_loses_only_the_answer(station, people, province):
    record_id, body = submission_of(station, people)
    for after in (0, 40):
        order(province, kind="cut-answer", method="PUT", after=after)
        with pytest.raises(requests.exceptions.RequestException):
            station.put(record_id, body)
    assert station.ask("GET", f"/v1/records/{record_id}").status_code == 200
    assert station.put(record_id, body).status_code == 200


def test_a_cut_request_leaves_the_upload_where_it_was(station, province):
    packet = b"x" * 3_000_000
    location = station.create("6e7d1c0c-7d0e-4b6e-9d0d-0b6f0f6c8a22", packet).headers["Location"]
    assert station.patch(location, 0, packet[: hand.SEGMENT]).status_code == 204
    order(province, kind="cut-request", method="PATCH", after=5000)
    with pytest.raises(requests.exceptions.RequestException):
        station.patch(location, hand.SEGMENT, packet[hand.SEGMENT : 2 * hand.SEGMENT])
    assert station.ask("HEAD", location, headers={"Tus-Resumable": "1.0.0"}).headers["Upload-Offset"] == str(hand.SEGMENT)


def test_delay_unreachable_and_clock(station, province):
    order(province, kind="delay", seconds=0.4)
    start = time.monotonic()
    assert station.ask("GET", "/v1/time").status_code == 200 and time.monotonic() - start >= 0.4
    order(province, kind="unreachable", times=None)
    for _ in range(2):
        with pytest.raises(requests.exceptions.ConnectionError):
            requests.get(station.url + "/v1/time", verify=str(station.ca), timeout=5)
    with pytest.raises(requests.exceptions.ConnectionError):
        station.ask("GET", "/v1/time")
    requests.delete(province.admin_url + "/faults", timeout=5).raise_for_status()
    requests.post(province.admin_url + "/clock", json={"offset": 86400 * 400}, timeout=5).raise_for_status()
    assert station.ask("GET", "/v1/time").json()["now"] > "2027"
    assert "2027" in station.ask("GET", "/v1/time").headers["Date"] or "2028" in station.ask("GET", "/v1/time").headers["Date"]


def test_wrong_receipts_are_told_once_and_the_kept_one_is_right(station, people, province):
    record_id, body = submission_of(station, people)
    key = base64.b64decode(next(k["spki"] for k in station.roots["keys"] if k["purpose"] == "receipts"))
    states = base64.b64decode(next(k["spki"] for k in station.roots["keys"] if k["purpose"] == "states"))
    order(province, kind="envelope", method="PUT", alter={"packet_digest": hand.sha(b"x")})
    order(province, kind="envelope", method="PUT", key="other")
    order(province, kind="envelope", method="PUT", key="states")
    order(province, kind="envelope", method="PUT", alter={"serial": None})
    altered, unknown, other_purpose, short = (station.put(record_id, body).json() for _ in range(4))
    assert hand.envelope_fits(altered, "receipt", key) and hand.payload(altered)["packet_digest"] == hand.sha(b"x")
    assert unknown["signatures"][0]["keyid"] not in {k["keyid"] for k in station.roots["keys"]}
    assert hand.envelope_fits(other_purpose, "receipt", states)
    assert "serial" not in hand.payload(short)
    right = station.put(record_id, body).json()
    assert hand.envelope_fits(right, "receipt", key) and hand.payload(right)["packet_digest"] == body["packet_digest"]


def test_desk_shows_requests_and_refuses_unknown_orders(station, province):
    station.ask("GET", "/v1/time")
    seen = requests.get(province.admin_url + "/", timeout=5).json()
    assert {"method": "GET", "path": "/v1/time", "status": 200} in seen["requests"] and seen["practice"] is False
    assert requests.post(province.admin_url + "/faults", json={"faults": [{"kind": "explode"}]}, timeout=5).status_code == 422
    assert requests.post(province.admin_url + "/nowhere", json={}, timeout=5).status_code == 400
    assert requests.post(province.admin_url + "/records/content", json={"record_id": "x"}, timeout=5).status_code == 403


def test_sheet_code_status_and_paper(station, province, tmp_path):
    import base45
    import cbor2
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, utils

    made = requests.post(
        province.admin_url + "/sheets",
        json={"kind": 1, "name": "张练习", "masked": "5101**********0012", "employer": "练习公司", "categories": [4], "good": 2},
        timeout=5,
    ).json()
    code = made["code"]
    protected, unprotected, payload, signature = cbor2.loads(base45.b45decode(code.removeprefix("CR1:"))).value
    spki = base64.b64decode(next(k["spki"] for k in station.roots["keys"] if k["purpose"] == "sheets"))
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    serialization.load_der_public_key(spki).verify(
        utils.encode_dss_signature(r, s), cbor2.dumps(["Signature1", protected, b"", payload]), ec.ECDSA(hashes.SHA256())
    )
    facts = cbor2.loads(payload)
    assert (unprotected, facts[1], facts[3], facts[7], facts[8], 13 in facts) == ({}, made["number"], "张练习", 2, 0, False) and len(facts[12]) == 16
    assert cbor2.loads(protected)[4].hex() == next(k["keyid"] for k in station.roots["keys"] if k["purpose"] == "sheets")
    status = station.ask("GET", f"/v1/sheets/{made['number']}").json()
    assert hand.envelope_fits(status, "sheet-status", spki) and hand.payload(status)["state"] == "current"
    requests.post(
        province.admin_url + "/sheets/state", json={"number": made["number"], "state": "superseded", "newer": "CX-2", "bad": 1}, timeout=5
    ).raise_for_status()
    turned = hand.payload(station.ask("GET", f"/v1/sheets/{made['number']}").json())
    assert (turned["state"], turned["newer"], turned["facts"]["bad"]) == ("superseded", "CX-2", 1)
    (tmp_path / "sheet.pdf").write_bytes(base64.b64decode(made["pdf"]))
    import pypdfium2
    import zxingcpp

    page = pypdfium2.PdfDocument(tmp_path / "sheet.pdf")[0]
    assert [found.text for found in zxingcpp.read_barcodes(page.render(scale=2).to_numpy())] == [code]
    if shutil.which("pdftotext"):
        text = subprocess.run(["pdftotext", str(tmp_path / "sheet.pdf"), "-"], capture_output=True, text=True, check=True).stdout
        assert "诚信记录单" in text and made["number"] in text
