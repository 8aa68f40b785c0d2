"""tus 1.0.0 by hand: resume, checksums, limits, and what a crash may leave."""

from __future__ import annotations

import hashlib
import os
import threading
import uuid

import requests

from tests.unit.province import hand

TUS = {"Tus-Resumable": "1.0.0"}


def code_of(answer):
    return answer.status_code, answer.json()["code"]


def test_options_tell_what_is_spoken(station):
    headers = station.ask("OPTIONS", "/v1/packets").headers
    assert headers["Tus-Version"] == "1.0.0" and headers["Tus-Checksum-Algorithm"] == "sha256"
    assert set(headers["Tus-Extension"].split(",")) == {"creation", "checksum", "termination"}


def test_resume_after_each_part(station):
    packet, record_id = os.urandom(2_500_000), str(uuid.uuid4())
    location = station.create(record_id, packet).headers["Location"]
    for offset in range(0, len(packet), hand.SEGMENT):
        assert station.ask("HEAD", location, headers=TUS).headers["Upload-Offset"] == str(offset)
        again = station.create(record_id, packet)
        assert (again.status_code, again.headers["Location"], again.headers["Upload-Offset"]) == (201, location, str(offset))
        assert station.patch(location, offset, packet[offset : offset + hand.SEGMENT]).status_code == 204
    done = station.ask("HEAD", location, headers=TUS)
    assert done.headers["Upload-Offset"] == done.headers["Upload-Length"] == str(len(packet))


def test_wrong_offset_checksum_media_and_size(station):
    packet, record_id = os.urandom(1000), str(uuid.uuid4())
    location = station.create(record_id, packet).headers["Location"]
    assert code_of(station.patch(location, 5, packet[5:])) == (409, "upload.offset")
    assert code_of(station.patch(location, 0, packet, "sha256 " + hand.b64(hashlib.sha256(b"x").digest()))) == (460, "upload.checksum")
    assert code_of(station.patch(location, 0, packet, "md5 AAAA")) == (400, "upload.checksum")
    assert code_of(station.patch(location, 0, packet + b"x")) == (413, "request.too_large")
    assert station.ask("HEAD", location, headers=TUS).headers["Upload-Offset"] == "0"
    assert code_of(station.ask("PATCH", location, headers={**TUS, "Upload-Offset": "0"}, data=packet)) == (415, "request.media")
    assert code_of(station.ask("POST", "/v1/packets", headers={"Upload-Length": "5"})) == (412, "tus.version")
    assert code_of(station.ask("POST", "/v1/packets", headers={**TUS, "Upload-Length": "5"})) == (400, "upload.metadata")
    assert code_of(station.ask("POST", "/v1/packets", headers={**TUS, "Upload-Length": "x"})) == (400, "request.malformed")
    assert code_of(station.ask("POST", "/v1/packets", headers={**TUS, "Upload-Length": str(2**40)})) == (413, "request.too_large")


def test_a_whole_upload_with_another_digest_is_dropped_and_begun_anew(station):
    announced, other, record_id = os.urandom(1000), os.urandom(1000), str(uuid.uuid4())
    location = station.create(record_id, announced).headers["Location"]
    assert code_of(station.patch(location, 0, other)) == (422, "packet.digest")
    assert station.ask("HEAD", location, headers=TUS).status_code == 404
    fresh = station.create(record_id, announced).headers["Location"]
    assert fresh != location and station.patch(fresh, 0, announced).status_code == 204


def test_put_before_the_packet_is_whole(station, people):
    record = station.record(people.second)
    content = hand.jcs(record)
    packet = station.packet(content, record["record_id"])
    location = station.create(record["record_id"], packet).headers["Location"]
    assert station.patch(location, 0, packet[:100]).status_code == 204
    body = station.submission(content, record["record_id"], packet, location.rsplit("/", 1)[1], people.second.sign(content))
    early = station.put(record["record_id"], body)
    assert code_of(early) == (409, "upload.incomplete") and early.headers["Upload-Offset"] == "100"
    assert station.patch(location, 100, packet[100:]).status_code == 204
    assert station.put(record["record_id"], body).status_code == 201
    assert code_of(station.ask("DELETE", location, headers=TUS)) == (409, "upload.taken")


def test_torn_file_after_a_power_cut_is_found_at_submission(station, people, province):
    """The file system lost the last part's bytes though its size stands: the digest finds it, a new upload heals it."""
    record = station.record(people.second)
    content = hand.jcs(record)
    packet = station.packet(content, record["record_id"])
    upload_id = station.upload(record["record_id"], packet)
    province.office.uploads.path(upload_id).write_bytes(packet[:-50] + bytes(50))
    signature = people.second.sign(content)
    assert code_of(station.put(record["record_id"], station.submission(content, record["record_id"], packet, upload_id, signature))) == (
        422,
        "packet.digest",
    )
    again = station.upload(record["record_id"], packet)
    assert station.put(record["record_id"], station.submission(content, record["record_id"], packet, again, signature)).status_code == 201


def test_termination_and_foreign_uploads(station, province, people, tmp_path):
    packet = os.urandom(100)
    location = station.create(str(uuid.uuid4()), packet).headers["Location"]
    invitation, code = province.realm.invite(hand.HALL, "12")
    second = hand.enrol(tmp_path / "s", invitation, code, people.administrator, "12")
    assert second.ask("HEAD", location, headers=TUS).status_code == 404
    assert code_of(second.patch(location, 0, packet)) == (404, "upload.unknown")
    second.session.close()
    assert station.ask("DELETE", location, headers=TUS).status_code == 204
    assert station.ask("HEAD", location, headers=TUS).status_code == 404


def test_two_requests_at_once_keep_one_record(station, people, province):
    record = station.record(people.second)
    content = hand.jcs(record)
    packet = station.packet(content, record["record_id"])
    body = station.submission(content, record["record_id"], packet, station.upload(record["record_id"], packet), people.second.sign(content))
    answers = []

    def put():
        for _ in range(40):
            with requests.Session() as session:
                answer = hand.Station(**{**vars(station), "session": session}).put(record["record_id"], body)
            if answer.status_code != 423:
                break
        answers.append(answer)

    threads = [threading.Thread(target=put) for _ in range(4)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert {a.status_code for a in answers} <= {200, 201} and len({a.content for a in answers}) == 1
    assert len([r for r in province.office.records.list() if r["record_id"] == record["record_id"]]) == 1
