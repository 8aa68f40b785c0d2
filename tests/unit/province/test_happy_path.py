"""One record from enrolment to receipt and state, built by hand; idempotency; restart."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import requests
from cryptography import x509

from tests.province.__main__ import serve
from tests.unit.province import hand


def key_of(station, purpose):
    return base64.b64decode(next(k["spki"] for k in station.roots["keys"] if k["purpose"] == purpose and k["state"] == "good"))


def test_enrolment_gives_a_certificate_of_the_station(station, province):
    certificate = x509.load_der_x509_certificate(station.certificate)
    subject = {a.rfc4514_attribute_name: a.value for a in certificate.subject}
    assert subject["CN"] == station.station_id and subject["2.5.4.5"] == station.station_id and subject["O"] == province.realm.id
    certificate.verify_directly_issued_by(province.realm.keys.device_ca)


def test_invitation_pins_the_key_that_signs_the_roots(station, province):
    descriptor = requests.get(station.url + "/v1/descriptor", verify=str(station.ca), timeout=5).json()
    root_key = base64.b64decode(province.realm.invitation()["root_key"])
    assert hand.envelope_fits(descriptor, "roots", root_key)
    body = hand.roots_body(descriptor)
    assert body["province"] == {"id": "51", "name": "参考省", "practice": False}
    assert {k["purpose"] for k in body["keys"]} == {"roots", "receipts", "settings", "tables", "states", "sheets"}


def test_record_with_large_attachment_gets_a_receipt_over_everything(station, people):
    picture = (os.urandom(2_500_000), os.urandom(10))
    record = station.record(people.collector, picture)
    content = hand.jcs(record)
    packet = station.packet(content, record["record_id"], picture)
    upload_id = station.upload(record["record_id"], packet)
    signature = people.collector.sign(content)
    answer = station.put(record["record_id"], station.submission(content, record["record_id"], packet, upload_id, signature))
    assert answer.status_code == 201, answer.text
    assert hand.envelope_fits(answer.json(), "receipt", key_of(station, "receipts"))
    receipt = hand.payload(answer.json())
    serial, received = receipt.pop("serial"), receipt.pop("received_at")
    assert receipt == {
        "type": "hall-intake/receipt/1",
        "province": "51",
        "station_id": station.station_id,
        "record_id": record["record_id"],
        "packet_digest": hand.sha(packet),
        "record_digest": hand.sha(content),
        "signature_digest": hand.sha(signature),
        "state": "received",
    }
    assert serial.startswith("R-" + received[:10].replace("-", "") + "-")


def test_same_submission_same_receipt_bytes_and_no_new_serial(station, people, province):
    record = station.record(people.second)
    content = hand.jcs(record)
    packet = station.packet(content, record["record_id"])
    upload_id = station.upload(record["record_id"], packet)
    assert station.create(record["record_id"], packet).headers["Location"].endswith(upload_id)
    body = station.submission(content, record["record_id"], packet, upload_id, people.second.sign(content))
    first, again = station.put(record["record_id"], body), station.put(record["record_id"], body)
    asked = station.ask("GET", f"/v1/records/{record['record_id']}")
    assert (first.status_code, again.status_code, asked.status_code) == (201, 200, 200)
    assert first.content == again.content == asked.content
    assert [r["serial"] for r in province.office.records.list()] == list(range(1, len(province.office.records.list()) + 1))


def test_other_content_under_a_kept_id_is_refused_and_the_first_stays(station, people):
    record = station.record(people.second)
    first = station.send(record, people.second)
    other = station.send({**record, "sections": {"person": {"name_zh": "李练习"}}}, people.second)
    assert (other.status_code, other.json()["code"]) == (409, "record.other")
    assert station.ask("GET", f"/v1/records/{record['record_id']}").content == first.content


def test_takeover_and_countersign_by_the_supervisor(station, people):
    record = station.record(people.collector)
    content = hand.jcs(record)

    def act(kind, first):
        body = {
            "type": "hall-intake/act/1",
            "act": kind,
            "record": hand.sha(content),
            "first_signature": first,
            "reason": "证书介质损坏",
            "actor": {"id": people.supervisor.id, "name": "丙", "certificate": hand.sha(people.supervisor.der())},
            "claimed_at": hand.AT,
        }
        return hand.jcs(body), people.supervisor.sign(hand.jcs(body))

    assert station.send(content, people.supervisor).json()["code"] == "record.collector"
    assert station.send(content, people.supervisor, acts=(act("takeover", None),)).status_code == 201
    record = station.record(people.collector)
    content = hand.jcs(record)
    signature = people.collector.sign(content)
    assert station.send(content, people.collector, acts=(act("countersign", hand.sha(b"other")),), signature=signature).json()["code"] == "act.invalid"
    assert station.send(content, people.collector, acts=(act("countersign", hand.sha(signature)),), signature=signature).status_code == 201


def presence_of(station):
    device = station.device()
    return {
        **station.record(device, sections=None),
        "type": station.kind("presence"),
        "purpose": "自助实名核验",
        "sections": {"person": {"name_zh": "张练习"}},
        "categories": [],
        "notice": {"version": "1", "agreed_at": hand.AT, "face": "declined"},
    }


def test_presence_is_signed_by_the_station_and_by_nobody_else(station, people):
    presence = presence_of(station)
    assert station.send(presence, people.collector).json()["code"] == "signature.untrusted"
    assert station.send(presence_of(station), station.device()).status_code == 201


def test_states_are_told_after_the_cursor_with_rising_versions(station, people, province):
    record = station.record(people.second)
    assert station.send(record, people.second).status_code == 201
    first = station.ask("GET", "/v1/downlink/states?since=0").json()
    assert hand.envelope_fits(first, "states", key_of(station, "states"))
    cursor = hand.payload(first)["body"]["cursor"]
    requests.post(
        province.admin_url + "/records/state",
        json={
            "record_id": record["record_id"],
            "state": "correction_required",
            "until": "2026-12-14",
            "items": [{"path": "person.name_zh", "text": "与证件不符"}],
        },
        timeout=5,
    ).raise_for_status()
    second = hand.payload(station.ask("GET", f"/v1/downlink/states?since={cursor}").json())
    assert second["version"] > hand.payload(first)["version"]
    assert [(r["record_id"], r["state"], r["until"]) for r in second["body"]["records"]] == [(record["record_id"], "correction_required", "2026-12-14")]
    assert second["body"]["cursor"] > cursor


def test_settings_keep_bytes_until_something_changes(station, province):
    first = station.ask("GET", "/v1/downlink/settings")
    assert station.ask("GET", "/v1/downlink/settings").content == first.content
    assert hand.envelope_fits(first.json(), "settings", key_of(station, "settings"))
    province.realm.add_person("OP-000555", "戊", ["verifier"], hand.HALL)
    second = hand.payload(station.ask("GET", "/v1/downlink/settings").json())
    province.realm.remove_person("OP-000555")
    assert second["version"] == hand.payload(first.json())["version"] + 1
    assert {"id": "OP-000555", "name": "戊", "roles": ["verifier"]} in second["body"]["people"] and second["body"]["sams"] == [hand.SAM]


def test_restart_keeps_everything(tmp_path, people):
    """The real command line: SIGKILL in the middle, the second start gives the same receipt and goes on with the upload."""
    command = [sys.executable, "-m", "tests.province", "--folder", str(tmp_path / "p"), "--signer-root", str(people.root), "--practice"]

    def start():
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        return child, json.loads(child.stdout.readline())

    child, ready = start()
    try:
        for who, roles in ((people.second, ["collector"]), (people.administrator, ["administrator"])):
            subprocess.run(
                [*command[:3], "person", "--folder", str(tmp_path / "p"), "--id", who.id, "--name", "甲", "--roles", *roles, "--hall", hand.HALL],
                check=True,
            )
        subprocess.run([*command[:3], "sam", "--folder", str(tmp_path / "p"), "--sam", hand.SAM, "--hall", hand.HALL], check=True)
        invited = subprocess.run(
            [
                *command[:3],
                "invite",
                "--folder",
                str(tmp_path / "p"),
                "--hall",
                hand.HALL,
                "--window",
                hand.WINDOW,
                "--out",
                str(tmp_path / "i.json"),
            ],
            check=True,
            capture_output=True,
            text=True,
        )
        station = hand.enrol(tmp_path / "s", json.loads((tmp_path / "i.json").read_text()), json.loads(invited.stdout)["code"], people.administrator)
        record = station.record(people.second)
        receipt = station.send(record, people.second)
        assert receipt.status_code == 201 and hand.payload(receipt.json())["type"] == "hall-intake/practice-receipt/1"
        location = station.create("6e7d1c0c-7d0e-4b6e-9d0d-0b6f0f6c8a11", b"x" * 1000).headers["Location"]
        assert station.patch(location, 0, b"x" * 600).status_code == 204
    finally:
        os.kill(child.pid, signal.SIGKILL)
        child.wait(10)
        child.stdout.close()
    child, ready = start()
    try:
        station.url = ready["url"]
        assert station.ask("GET", f"/v1/records/{record['record_id']}").content == receipt.content
        assert station.ask("HEAD", location, headers={"Tus-Resumable": "1.0.0"}).headers["Upload-Offset"] == "600"
    finally:
        child.send_signal(signal.SIGTERM)
        assert child.wait(10) == 0
        station.session.close()
        child.stdout.close()


def test_practice_and_earnest_do_not_mix(tmp_path: Path, people):
    with serve(tmp_path / "p", [people.root], practice=True):
        pass
    try:
        serve(tmp_path / "p", [people.root], practice=False).stop()
    except ValueError as error:
        assert "practice" in str(error)
    else:
        raise AssertionError("a practice folder was served in earnest")
