"""Orders for trouble: what the province shall do wrong with the next requests. Never acts without an order.

Kinds: ``status`` (status, retry_after, body, media) · ``delay`` (seconds) · ``cut-request`` (after: bytes read of the body, then the connection is closed) ·
``cut-answer`` (the work is done; after: bytes of the answer, then closed) ·
``double`` (the answer is sent twice on the same line) ·
``envelope`` (alter: members of the payload, key: ``own``, ``other`` or a purpose) ·
``unreachable`` (closed at accept, and open connections at their next request) ·
``certificate`` (cert, key: PEM files that the next handshakes show, e.g. of one that is over; method and path do not count).
Every order has ``times`` (null: until it is taken back), ``method`` and ``path`` (a regular expression) to choose requests.
"""

from __future__ import annotations

import json
import re
import threading
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from tests.province.jcs import Refused, canon, unb64
from tests.province.keys import Keys, envelope

__all__ = ["Fault", "Faults", "KINDS", "other_envelope"]

KINDS = ("status", "delay", "cut-request", "cut-answer", "double", "envelope", "unreachable", "certificate")


@dataclass
class Fault:
    """One order. ``times`` counts down; None stays."""

    kind: str
    method: str = ""
    path: str = ""
    times: int | None = 1
    values: dict[str, Any] = field(default_factory=dict)

    def fits(self, kind: str, method: str, path: str) -> bool:
        return self.kind == kind and self.method in ("", method) and re.search(self.path, path) is not None


class Faults:
    """The list of orders, safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._list: list[Fault] = []

    def add(self, order: dict[str, Any]) -> None:
        values = dict(order)
        kind, method, path, times = values.pop("kind", ""), values.pop("method", ""), values.pop("path", ""), values.pop("times", 1)
        if kind not in KINDS:
            raise Refused(422, "fault.unknown", f"not one of {', '.join(KINDS)}")
        with self._lock:
            self._list.append(Fault(kind, method, path, times, values))

    def clear(self) -> None:
        with self._lock:
            self._list.clear()

    def pending(self) -> list[dict[str, Any]]:
        with self._lock:
            return [{"kind": f.kind, "method": f.method, "path": f.path, "times": f.times, **f.values} for f in self._list]

    def take(self, kind: str, method: str = "", path: str = "") -> dict[str, Any] | None:
        """The values of the first fitting order, counted down; None where there is none."""
        with self._lock:
            for fault in self._list:
                if fault.fits(kind, method, path):
                    if fault.times is not None:
                        fault.times -= 1
                        if fault.times <= 0:
                            self._list.remove(fault)
                    return fault.values
        return None


def other_envelope(body: bytes, order: dict[str, Any], keys: Keys) -> bytes:
    """The envelope ``body`` with members of its payload replaced (null takes one away) and signed anew by the key that ``order`` names."""
    outer = json.loads(body)
    payload = json.loads(unb64(outer["payload"]))
    for name, value in order.get("alter", {}).items():
        *way, last = name.split(".")
        place = payload
        for step in way:
            place = place[step]
        if value is None:
            place.pop(last, None)
        else:
            place[last] = value
    name = outer["payloadType"].removeprefix("application/vnd.hall-intake.").removesuffix("+json")
    purposes = {"receipt": "receipts", "sheet-status": "sheets"}
    wanted = order.get("key", "own")
    key = ec.generate_private_key(ec.SECP256R1()) if wanted == "other" else keys.active(purposes.get(name, name) if wanted == "own" else wanted)
    return envelope(key, order.get("name", name), canon(payload))
