"""Holds requests and answers against ``resources/province/openapi.yaml``. Never asks a server anything."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import jsonschema_rs
import yaml

__all__ = ["METHODS", "TEXT", "Interface", "Operation"]

TEXT: dict[str, Any] = yaml.safe_load((Path(__file__).parents[3] / "resources/province/openapi.yaml").read_text("utf-8"))
METHODS = ("get", "put", "post", "patch", "delete", "head", "options")


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    """What a ``$ref`` stands for."""
    place: Any = TEXT
    for step in node["$ref"].removeprefix("#/").split("/") if "$ref" in node else ():
        place = place[step]
    return place if "$ref" in node else node


@dataclass(frozen=True)
class Operation:
    """One method of one path."""

    name: str
    method: str
    path: re.Pattern[str]
    text: Mapping[str, Any]
    parameters: tuple[Mapping[str, Any], ...]


@dataclass
class Interface:
    """``asked`` are the names of the operations that came by; ``misfits`` what was wrong with them, in words."""

    asked: set[str] = field(default_factory=set)
    misfits: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.operations = [
            Operation(op["operationId"], method.upper(), re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(path))), op,
                      tuple(resolved(one) for one in (*item.get("parameters", ()), *op.get("parameters", ()))))
            for path, item in TEXT["paths"].items() for method, op in item.items() if method in METHODS
        ]
        self._validators: dict[str, Any] = {}

    def check_request(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> None:
        """Notes every misfit of one request."""
        split = urlsplit(url)
        found = [(op, match) for op in self.operations if op.method == method and (match := op.path.fullmatch(split.path))]
        if len(found) != 1:
            self.misfits.append(f"{method} {split.path} is no operation")
            return
        operation, match = found[0]
        self.asked.add(operation.name)
        given = {"path": {name: unquote(value) for name, value in match.groupdict().items()}, "query": dict(parse_qsl(split.query)),
                 "header": {name.lower(): value for name, value in headers.items()}}
        for one in operation.parameters:
            self._check_parameter(operation, one, given)
        for name in given["query"]:
            if not any(one["in"] == "query" and one["name"] == name for one in operation.parameters):
                self.misfits.append(f"{operation.name}: the query {name} is not in the text")
        self._check_body(operation, given["header"].get("content-type", ""), body or b"")

    def _check_parameter(self, operation: Operation, one: Mapping[str, Any], given: Mapping[str, Mapping[str, str]]) -> None:
        name = one["name"].lower() if one["in"] == "header" else one["name"]
        value: Any = given[one["in"]].get(name)
        if value is None:
            if one.get("required"):
                self.misfits.append(f"{operation.name}: {one['in']} {one['name']} is missing")
            return
        if resolved(one["schema"]).get("type") == "integer" and re.fullmatch(r"-?\d+", value):
            value = int(value)
        self._check(operation, f"{one['in']} {one['name']}", one["schema"], value)

    def _check_body(self, operation: Operation, media: str, body: bytes) -> None:
        wanted = operation.text.get("requestBody")
        if wanted is None:
            if body:
                self.misfits.append(f"{operation.name}: a body where there is none in the text")
            return
        content = wanted["content"].get(media)
        if content is None:
            self.misfits.append(f"{operation.name}: the body is {media!r}")
        elif media == "application/json":
            self._check(operation, "body", content["schema"], json.loads(body))

    def _check(self, operation: Operation, what: str, schema: Mapping[str, Any], value: Any) -> None:
        key = json.dumps(schema, sort_keys=True)
        if key not in self._validators:
            self._validators[key] = jsonschema_rs.validator_for({**schema, "components": TEXT["components"]})
        self.misfits += [f"{operation.name}: {what}: {error.message}" for error in self._validators[key].iter_errors(value)]
