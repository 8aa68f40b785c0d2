"""A tool that nobody here wrote reads openapi.yaml and asks the reference province whatever the text allows, and what it does not allow.

Every answer must be one of the text: status, media type, headers, schema; never a fault of the server. Sweep only.
"""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.province.__main__ import Running
from tests.unit.province import hand

pytestmark = [pytest.mark.sweep, pytest.mark.timeout(1800)]

TEXT = Path(__file__).parents[3] / "resources" / "province" / "openapi.yaml"
METHODS = ("get", "put", "post", "patch", "delete", "head", "options")
OPERATIONS = [(path, method) for path, item in yaml.safe_load(TEXT.read_text("utf-8"))["paths"].items() for method in METHODS if method in item]
EXAMPLES = 120


@pytest.fixture(scope="module")
def tool() -> Any:
    schemathesis = pytest.importorskip("schemathesis")

    @schemathesis.serializer("application/offset+octet-stream")
    def octets(context: Any, value: Any) -> Any:
        return {"data": value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")}

    return schemathesis


@pytest.fixture(scope="module")
def real(station: hand.Station, people: Any, province: Running) -> dict[str, list[str]]:
    """Ids that are there, so that not every question ends at "unknown"."""
    record = station.record(people.second)
    assert station.send(record, people.second).status_code == 201
    named = f"record_id {hand.b64(str(uuid.uuid4()).encode())},digest {hand.b64(hand.sha(b'x').encode())}"
    upload = station.ask("POST", "/v1/packets", headers={"Tus-Resumable": "1.0.0", "Upload-Length": "1000", "Upload-Metadata": named})
    number = province.office.sheets.make(1, "张练习", "5101**********0012")[0].number
    province.realm.tables.publish("degree", "1", [["1", "练习学位", "Practice degree"]])
    return {"table": ["degree"], "record_id": [record["record_id"]], "upload_id": [upload.headers["Location"].rpartition("/")[2]], "number": [number]}


NOTHING_WRONG = {("/v1/time", "get"), ("/v1/descriptor", "get"), ("/v1/packets", "options"), ("/v1/revocations", "get")}
"""Operations that have nothing to get wrong."""
CASES = [(path, method, mode) for path, method in OPERATIONS for mode in ("positive", "negative")
         if mode == "positive" or (path, method) not in NOTHING_WRONG]


@pytest.mark.parametrize(("path", "method", "mode"), CASES)
def test_answers_are_those_of_the_text(tool: Any, station: hand.Station, real: dict[str, list[str]], path: str, method: str, mode: str) -> None:
    from schemathesis import GenerationMode
    from schemathesis.checks import CHECKS

    refusals = {"checks": {"negative_data_rejection": {"expected-statuses": [400, 401, 403, 404, 405, 409, 411, 412, 413, 415, 422, 460]}}}
    operation = tool.openapi.from_path(str(TEXT), config=tool.Config.from_dict(refusals))[path][method]
    kind = GenerationMode.POSITIVE if mode == "positive" else GenerationMode.NEGATIVE
    # what the text allows may still be refused for its meaning: an unknown code, another station's id
    left_out = CHECKS.get_by_names(["positive_data_acceptance", "ignored_auth", "use_after_free", "ensure_resource_availability"])
    seen = [0]

    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=kind), place=st.integers(0, 3))
    def ask(case: Any, place: int) -> None:
        for name in real:
            if place == 0 and kind is GenerationMode.POSITIVE and name in (case.path_parameters or {}):
                case.path_parameters[name] = real[name][0]
        answer = case.call(base_url=station.url, session=station.session, timeout=30, verify=str(station.ca), cert=station.session.cert)
        seen[0] += 1
        case.validate_response(answer, excluded_checks=left_out)

    ask()
    assert seen[0] > 0
