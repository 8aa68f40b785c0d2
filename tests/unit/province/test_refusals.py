"""Every refusal that the interface names, one after another; after each the record is not kept."""

from __future__ import annotations

import base64
import copy
import json
import uuid

import pytest
import requests

from tests.unit.province import hand

BASE = "6e7d1c0c-7d0e-4b6e-9d0d-0b6f0f6c8a"


def refused(station, answer, status, code, record_id=""):
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert set(answer.json()) == {"type", "code", "detail"} and answer.json()["type"] == "hall-intake/error/1"
    if record_id:
        assert station.ask("GET", f"/v1/records/{record_id}").status_code == 404


# -- the connection ------------------------------------------------------------------------------------------------------------------------
def test_open_routes_need_no_certificate_and_all_others_do(station):
    plain = {"verify": str(station.ca), "timeout": 5}
    assert requests.get(station.url + "/v1/time", **plain).json()["type"] == "hall-intake/time/1"
    assert requests.get(station.url + "/v1/descriptor", **plain).status_code == 200
    closed = [
        ("GET", "/v1/downlink/settings"),
        ("OPTIONS", "/v1/packets"),
        ("POST", "/v1/packets"),
        ("PUT", f"/v1/records/{uuid.uuid4()}"),
        ("GET", f"/v1/records/{uuid.uuid4()}"),
        ("POST", "/v1/journal-heads"),
        ("GET", "/v1/sheets/CX-1"),
        ("PATCH", f"/v1/packets/{uuid.uuid4()}"),
        ("DELETE", f"/v1/packets/{uuid.uuid4()}"),
    ]
    for method, path in closed:
        refused(station, requests.request(method, station.url + path, **plain), 401, "station.certificate")
    assert requests.head(station.url + f"/v1/packets/{uuid.uuid4()}", **plain).status_code == 401


def test_a_certificate_of_another_ca_ends_the_handshake(station, people):
    with pytest.raises((requests.exceptions.SSLError, requests.exceptions.ConnectionError)):
        requests.get(station.url + "/v1/time", verify=str(station.ca), cert=(str(people.collector.certificate), str(people.collector.key)), timeout=5)


def test_a_revoked_station_is_shut_out(province, people, tmp_path):
    invitation, code = province.realm.invite(hand.HALL, "08")
    second = hand.enrol(tmp_path / "s", invitation, code, people.administrator, "08")
    assert second.ask("GET", "/v1/downlink/settings").status_code == 200
    requests.post(province.admin_url + "/stations/revoke", json={"station_id": second.station_id}, timeout=5).raise_for_status()
    refused(second, second.ask("GET", "/v1/downlink/settings"), 403, "station.revoked")
    second.session.close()


def test_unknown_routes_and_methods(station):
    refused(station, station.ask("GET", "/v2/time"), 404, "route.unknown")
    refused(station, station.ask("DELETE", "/v1/time"), 405, "route.method")
    refused(station, station.ask("GET", "/v1/downlink/secrets"), 404, "downlink.unknown")
    refused(station, station.ask("GET", "/v1/downlink/states?since=-1"), 400, "request.malformed")
    refused(station, station.ask("GET", "/v1/sheets/CX-1"), 404, "sheet.unknown")
    refused(station, station.ask("PUT", f"/v1/records/{uuid.uuid4()}", data=b"x" * 4_200_000), 413, "request.too_large")


# -- enrolment -----------------------------------------------------------------------------------------------------------------------------
def post_enrolment(station, body):
    return requests.post(station.url + "/v1/enrolments", data=hand.jcs(body), verify=str(station.ca), timeout=10)


def test_enrolment_works_once_and_the_same_request_gets_the_same_answer(station, province, people):
    key = hand.new_key()
    _, code = province.realm.invite(hand.HALL, "09")
    body = hand.enrolment(code, people.administrator, key, window="09")
    first = post_enrolment(station, body)
    content = base64.b64decode(body["request"])
    again = post_enrolment(station, {**body, "signature": hand.b64(people.administrator.sign(content))})
    assert first.status_code == again.status_code == 201 and first.content == again.content
    refused(station, post_enrolment(station, hand.enrolment(code, people.administrator, hand.new_key(), window="09")), 403, "enrolment.code")


def test_enrolment_refusals(station, province, people):
    key = hand.new_key()
    _, code = province.realm.invite(hand.HALL, "10")
    refused(station, post_enrolment(station, hand.enrolment(code, people.collector, key, window="10")), 403, "enrolment.administrator")
    refused(station, post_enrolment(station, hand.enrolment(code, people.unlisted, key, window="10")), 403, "enrolment.administrator")
    refused(station, post_enrolment(station, hand.enrolment(code, people.stranger, key, window="10")), 422, "signature.untrusted")
    refused(station, post_enrolment(station, hand.enrolment(code, people.administrator, key, window="11")), 403, "enrolment.code")
    refused(station, post_enrolment(station, hand.enrolment("AAAA-BBBB-CCCC-DDDD", people.administrator, key, window="10")), 403, "enrolment.code")
    refused(station, post_enrolment(station, hand.enrolment(code, people.administrator, key, window="10", extra="x")), 422, "enrolment.format")
    refused(station, post_enrolment(station, {"request": "x"}), 422, "enrolment.format")
    province.realm.clock.offset = 73 * 3600
    refused(station, post_enrolment(station, hand.enrolment(code, people.administrator, key, window="10")), 403, "enrolment.code")
    province.realm.clock.offset = 0
    assert post_enrolment(station, hand.enrolment(code, people.administrator, key, window="10")).status_code == 201


# -- record --------------------------------------------------------------------------------------------------------------------------------
def changed(**members):
    return lambda record: {**record, **members}


def inside(*path_and_value):
    *path, value = path_and_value

    def change(record):
        record = copy.deepcopy(record)
        place = record
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value
        return record

    return change


RECORD_REFUSALS = {
    "practice type": (changed(type="hall-intake/practice-record/1"), "record.type"),
    "unknown type": (changed(type="hall-intake/record/2"), "record.type"),
    "extra member": (changed(extra="x"), "record.format"),
    "schema": (changed(schema=2), "record.format"),
    "amends alone": (changed(amends=BASE + "11"), "record.format"),
    "empty field": (inside("sections", "person", "name_zh", ""), "record.format"),
    "null field": (inside("sections", "person", "name_zh", None), "record.format"),
    "unsorted categories": (changed(categories=["4", "1"]), "record.format"),
    "source": (inside("provenance", "person.name_zh", "source", "guess"), "record.format"),
    "time": (changed(claimed_at="2026-11-22 06:00"), "record.format"),
    "other hall": (inside("station", "hall", "510100-02"), "record.station"),
    "other station": (inside("station", "id", BASE + "11"), "record.station"),
    "unknown sam": (inside("evidence", "card", "sam", "05.01-other"), "sam.unknown"),
    "other collector": (inside("collector", "id", "OP-000017"), "record.collector"),
    "other certificate": (inside("collector", "certificate", hand.sha(b"x")), "record.collector"),
    "missing part": (
        changed(
            attachments=[
                {
                    "index": 1,
                    "kind": "portrait",
                    "name": "a1.jpg",
                    "media": "image/jpeg",
                    "size": 1,
                    "sha256": hand.sha(b"x"),
                    "pages": 1,
                    "trust": "B",
                }
            ]
        ),
        "record.attachments",
    ),
}


@pytest.mark.parametrize("case", RECORD_REFUSALS)
def test_record_refusals(station, people, case):
    change, code = RECORD_REFUSALS[case]
    record = change(station.record(people.second))
    refused(station, station.send(record, people.second), 422, code, record["record_id"])


def test_bytes_that_are_not_canonical(station, people):
    record = station.record(people.second)
    for content in (json.dumps(record).encode(), hand.jcs(record) + b"\n", hand.jcs(record).replace(b'"schema":1', b'"schema":1.0')):
        refused(station, station.send(content, people.second), 422, "record.canonical", record["record_id"])


def test_amended_record_must_have_the_digest_that_is_kept(station, people):
    first = station.record(people.second)
    assert station.send(first, people.second).status_code == 201
    wrong = station.record(people.second, amends=first["record_id"], prev_digest=hand.sha(b"x"), revision=2)
    refused(station, station.send(wrong, people.second), 422, "record.amends", wrong["record_id"])
    right = station.record(people.second, amends=first["record_id"], prev_digest=hand.sha(hand.jcs(first)), revision=2)
    assert station.send(right, people.second).status_code == 201


def test_of_a_record_there_is_one_correction_and_it_is_the_next_revision(station, people):
    def amending(one, revision):
        return station.record(people.second, amends=one["record_id"], prev_digest=hand.sha(hand.jcs(one)), revision=revision)

    first = station.record(people.second)
    assert station.send(first, people.second).status_code == 201
    for revision in (1, 3):
        wrong = amending(first, revision)
        refused(station, station.send(wrong, people.second), 422, "record.amends", wrong["record_id"])
    second = amending(first, 2)
    assert station.send(second, people.second).status_code == 201
    other = amending(first, 2)
    refused(station, station.send(other, people.second), 422, "record.amends", other["record_id"])
    third = amending(second, 3)
    assert station.send(third, people.second).status_code == 201
    unknown = station.record(people.second, amends=other["record_id"], prev_digest=hand.sha(b"x"), revision=7)
    assert station.send(unknown, people.second).status_code == 201, "of one that is not here nothing can be compared"


# -- signature -----------------------------------------------------------------------------------------------------------------------------
def test_signature_refusals(station, people, province):
    def case(signer, code, signature=None, who=None):
        record = station.record(who or signer)
        content = hand.jcs(record)
        made = signature(content) if signature else None
        refused(station, station.send(content, signer, signature=made), 422, code, record["record_id"])

    second = people.second
    case(second, "signature.invalid", lambda content: second.sign(content + b" "))
    case(second, "signature.invalid", lambda content: second.sign(content, cades=False))
    case(second, "signature.invalid", lambda content: b"not a signature")
    case(second, "signature.invalid", lambda content: second.sign(content)[:-4] + b"\x00\x00\x00\x00")
    case(people.stranger, "signature.untrusted")
    case(people.unlisted, "person.unknown")
    case(people.supervisor, "person.role")
    province.realm.clock.offset = -3600
    case(second, "signature.untrusted")


def act_of(people, record_digest, **members):
    body = {
        "type": "hall-intake/act/1",
        "act": "takeover",
        "record": record_digest,
        "first_signature": None,
        "reason": "r",
        "actor": {"id": people.supervisor.id, "name": "丙", "certificate": hand.sha(people.supervisor.der())},
        "claimed_at": hand.AT,
        **members,
    }
    return hand.jcs(body)


def test_act_refusals(station, people):
    record = station.record(people.collector)
    content = hand.jcs(record)
    wanted = hand.sha(content)
    cases = [
        (act_of(people, hand.sha(b"x")), people.supervisor, "act.invalid"),
        (act_of(people, wanted, type="hall-intake/practice-act/1"), people.supervisor, "act.invalid"),
        (act_of(people, wanted, act="approve"), people.supervisor, "act.invalid"),
        (act_of(people, wanted), people.second, "act.invalid"),
        (
            act_of(people, wanted, actor={"id": people.second.id, "name": "乙", "certificate": hand.sha(people.second.der())}),
            people.second,
            "person.role",
        ),
    ]
    for act, signer, code in cases:
        refused(station, station.send(content, people.supervisor, acts=((act, signer.sign(act)),)), 422, code, record["record_id"])
    presence_act = act_of(people, wanted)
    other_signature = people.supervisor.sign(presence_act + b" ")
    refused(station, station.send(content, people.supervisor, acts=((presence_act, other_signature),)), 422, "signature.invalid", record["record_id"])


# -- packet and submission -----------------------------------------------------------------------------------------------------------------
def flip(packet):
    return packet[:-1] + bytes([packet[-1] ^ 1])


def test_packet_refusals(station, people):
    def sent(packet_of, code, **submitted):
        record = station.record(people.second)
        content = hand.jcs(record)
        packet = packet_of(content, record["record_id"])
        body = station.submission(content, record["record_id"], packet, station.upload(record["record_id"], packet), people.second.sign(content))
        refused(station, station.put(record["record_id"], {**body, **submitted}), 422, code, record["record_id"])

    whole = station.packet
    sent(lambda c, i: b"x" * 200, "packet.header")
    sent(lambda c, i: whole(c, i, record_id=BASE + "11"), "packet.header")
    sent(lambda c, i: whole(c, i, type="hall-intake/packet/2"), "packet.header")
    sent(lambda c, i: whole(c, i, extra="x"), "packet.header")
    sent(lambda c, i: whole(c, i, plain_size=5), "packet.parts")
    sent(lambda c, i: flip(whole(c, i)), "packet.unseal")
    sent(lambda c, i: whole(c, i)[:-20], "packet.unseal")
    sent(lambda c, i: whole(c, i) + b"\x00" * 16, "packet.unseal")
    sent(lambda c, i: whole(c + b" ", i), "record.digest")
    sent(whole, "packet.digest", packet_digest=hand.sha(b"x"))
    sent(whole, "packet.size", packet_size=7)
    sent(whole, "record.digest", record_digest=hand.sha(b"x"))
    sent(whole, "submission.format", extra="x")


def test_packet_sealed_to_a_foreign_key(station, people):
    record = station.record(people.second)
    content = hand.jcs(record)
    intake = dict(station.roots["intake"])
    station.roots["intake"] = {**station.roots["recovery"]}
    packet = station.packet(content, record["record_id"])
    station.roots["intake"] = intake
    body = station.submission(content, record["record_id"], packet, station.upload(record["record_id"], packet), people.second.sign(content))
    refused(station, station.put(record["record_id"], body), 422, "packet.key", record["record_id"])


def test_submission_for_another_station_or_record(station, people):
    record = station.record(people.second)
    content = hand.jcs(record)
    packet = station.packet(content, record["record_id"])
    body = station.submission(content, record["record_id"], packet, station.upload(record["record_id"], packet), people.second.sign(content))
    refused(station, station.put(record["record_id"], {**body, "station_id": BASE + "11"}), 403, "station.other")
    refused(station, station.put(BASE + "11", body), 403, "station.other")
    refused(station, station.put("not-an-id", body), 422, "submission.format")
    refused(station, station.put(record["record_id"], {**body, "upload_id": BASE + "11"}), 404, "upload.unknown")


def test_journal_heads(station, people, province):
    def head(size, digest):
        return station.ask(
            "POST",
            "/v1/journal-heads",
            data=hand.jcs({"type": "hall-intake/journal-head/1", "station_id": station.station_id, "size": size, "head": digest, "at": hand.AT}),
        )

    assert head(3, hand.sha(b"3")).status_code == 204
    assert head(3, hand.sha(b"3")).status_code == 204
    assert head(5, hand.sha(b"5")).status_code == 204
    refused(station, head(5, hand.sha(b"other")), 409, "journal.fork")
    refused(station, head(4, hand.sha(b"4")), 409, "journal.fork")
    assert head(6, hand.sha(b"6")).status_code == 204
    record = station.record(people.second)
    refused(station, station.create(record["record_id"], b"packet"), 403, "station.cloned")
    province.realm.stations.release(station.station_id)
    assert head(2, hand.sha(b"2 of the machine that stays")).status_code == 204
    assert station.send(record, people.second).status_code == 201
    refused(station, station.ask("POST", "/v1/journal-heads", data=b"[]"), 400, "request.malformed")


def test_keys_rotate_and_old_intake_still_opens(station, people, province):
    record = station.record(people.second)
    content = hand.jcs(record)
    packet = station.packet(content, record["record_id"])
    before = hand.payload(requests.get(station.url + "/v1/descriptor", verify=str(station.ca), timeout=5).json())
    province.realm.keys.rotate("intake", province.realm.clock.now())
    after = hand.payload(requests.get(station.url + "/v1/descriptor", verify=str(station.ca), timeout=5).json())
    assert after["version"] == before["version"] + 1 and after["body"]["intake"]["kid"] != before["body"]["intake"]["kid"]
    body = station.submission(content, record["record_id"], packet, station.upload(record["record_id"], packet), people.second.sign(content))
    assert station.put(record["record_id"], body).status_code == 201
