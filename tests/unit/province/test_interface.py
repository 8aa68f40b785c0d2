"""openapi.yaml is what the province does: same routes, same named refusals, answers that fit the schemas."""

from __future__ import annotations

import re
import uuid
from pathlib import Path

import jsonschema_rs
import pytest
import requests
import yaml

from tests.province.jcs import Refused
from tests.province.routes import TABLE
from tests.unit.province import hand

HERE = Path(__file__).parents[3]
TEXT = yaml.safe_load((HERE / "resources" / "province" / "openapi.yaml").read_text("utf-8"))
DESK_ONLY = {"practice.only", "fault.unknown", "state.unknown", "province.ordered", "table.format"}
METHODS = {"get", "put", "post", "patch", "delete", "head", "options"}


def validator(name):
    return jsonschema_rs.validator_for({"$ref": f"#/components/schemas/{name}", "components": TEXT["components"]})


def test_routes_are_those_of_the_text():
    written = {(method.upper(), path, item[method].get("security") != []) for path, item in TEXT["paths"].items() for method in METHODS & set(item)}
    assert written == {(route.method, route.template, route.needs_station) for route in TABLE}


def test_every_named_refusal_is_in_the_text_and_the_other_way_round():
    source = "\n".join(path.read_text("utf-8") for path in (HERE / "tests" / "province").glob("[!v]*.py"))
    places = "|".join(sorted({row["code"].split(".")[0] for row in TEXT["x-errors"]}))
    raised = set(re.findall(rf'"((?:{places})\.[a-z_]+)"', source)) - DESK_ONLY - {"record.json", "province.db"}
    written = {row["code"] for row in TEXT["x-errors"]}
    assert raised - written == set()
    assert written - raised == {"request.timeout", "province.busy"}  # a reference province has no load of its own; tests order these
    assert {row["then"] for row in TEXT["x-errors"]} == {"again", "resume", "anew", "stop"}


def test_formats_names_every_open_route():
    formats = (HERE / "resources" / "province" / "FORMATS.md").read_text("utf-8")
    for route in TABLE:
        assert route.template in formats, route.template


def test_answers_fit_their_schemas(station, people, province):
    record = station.record(people.second)
    assert station.send(record, people.second).status_code == 201
    number = province.office.sheets.make(1, "张练习", "5101**********0012")[0].number
    for path in (
        "/v1/descriptor",
        "/v1/downlink/roots",
        "/v1/downlink/settings",
        "/v1/downlink/tables",
        "/v1/downlink/states",
        f"/v1/records/{record['record_id']}",
        f"/v1/sheets/{number}",
    ):
        answer = station.ask("GET", path)
        assert answer.status_code == 200 and answer.headers["Content-Type"] == "application/json"
        validator("Envelope").validate(answer.json())
    validator("Time").validate(station.ask("GET", "/v1/time").json())
    validator("Error").validate(station.ask("GET", f"/v1/records/{uuid.uuid4()}").json())
    _, code = province.realm.invite(hand.HALL, "77")
    body = hand.enrolment(code, people.administrator, hand.new_key(), window="77")
    validator("EnrolmentBody").validate(body)
    validator("Enrolled").validate(requests.post(station.url + "/v1/enrolments", data=hand.jcs(body), verify=str(station.ca), timeout=10).json())


def test_hostile_bytes_never_make_a_fault(station):
    """Whatever comes, the answer is a named refusal, not 500."""
    hostile = [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"type":1}',
        b"\xff\xfe",
        b'{"a":1,"a":2}',
        b"[" * 5000,
        b'{"n":1e999}',
        b'{"n":NaN}',
        b'{"s":"\\ud800"}',
        b'{"n":' + b"9" * 5000 + b"}",
    ]
    for body in hostile:
        for method, path in (("PUT", f"/v1/records/{uuid.uuid4()}"), ("POST", "/v1/enrolments"), ("POST", "/v1/journal-heads")):
            answer = station.ask(method, path, data=body)
            assert answer.status_code in (400, 422), (method, path, body[:20], answer.text)
            validator("Error").validate(answer.json())
    for path in (
        "/v1/downlink/states?since=%00",
        "/v1/packets/..%2f..%2fkeys",
        "/v1/records/%00",
        "/v1/sheets/%ff",
        "/v1/downlink/states?since=" + "9" * 400,
    ):
        assert station.ask("GET", path).status_code in (400, 404, 405)


def test_refused_is_a_canonical_body():
    assert Refused(404, "route.unknown", "x").body() == b'{"code":"route.unknown","detail":"x","type":"hall-intake/error/1"}'
    with pytest.raises(ValueError):
        hand.jcs({"x": float("nan")})
