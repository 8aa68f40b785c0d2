"""A draft without issues becomes a frozen Record. Never signs, never stores; refuses a draft that still has issues."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sync.amends import Amends
from sync.draft import Draft, Value, time_text
from sync.errors import DraftIncomplete
from sync.record import SECTIONS, Attachment, Record, labels_digest
from sync.rules import issues
from sync.tables import Tables

__all__ = ["Sitting", "freeze", "part_name", "presence"]

_ENDINGS = {"image/jpeg": "jpg", "image/png": "png", "application/pdf": "pdf"}


@dataclass(frozen=True, slots=True)
class Sitting:
    """Who registers where: the station and the collector of FORMATS section 1. ``certificate`` is the digest of the DER certificate."""

    station_id: str
    hall: str
    window: str
    collector_id: str
    collector_name: str
    certificate: str
    practice: bool
    time_source: str = "station-clock"


def part_name(index: int, media: str) -> str:
    """Name of an attachment's part in the packet: ``a1.jpg``."""
    return f"a{index}.{_ENDINGS.get(media, 'bin')}"


def freeze(draft: Draft, sitting: Sitting, tables: Tables, record_id: str, now: datetime) -> Record:
    """The record of a complete draft; ``now`` (aware) is the claimed time. Raises DraftIncomplete (fact: count)."""
    open_ = [one for one in issues(draft, now.date(), tables) if one.severity != "explain"]
    if open_:
        raise DraftIncomplete(f"{len(open_)} issues", count=len(open_))
    return _record(draft, sitting, record_id, now, "record", "实名登记", {})


def presence(draft: Draft, sitting: Sitting, record_id: str, now: datetime, notice: Mapping[str, str]) -> Record:
    """What an applicant showed at a self-service terminal (FORMATS 1.1); signed by the station's device key, not by a person."""
    return _record(draft, sitting, record_id, now, "presence", "自助实名核验", {"notice": dict(notice)})


def _record(draft: Draft, sitting: Sitting, record_id: str, now: datetime, name: str, purpose: str, more: dict[str, Any]) -> Record:
    attachments = tuple(Attachment(i, s.kind, part_name(i, s.media), s.media, s.size, s.sha256, s.pages, s.trust) for i, s in enumerate(draft.stills, 1))
    kind = f"practice-{name}" if sitting.practice else name
    members: dict[str, Any] = {
        "type": f"hall-intake/{kind}/1", "schema": 1, "record_id": record_id, **_amends(draft.amends),
        "station": {"id": sitting.station_id, "hall": sitting.hall, "window": sitting.window},
        "collector": {"id": sitting.collector_id, "name": sitting.collector_name, "certificate": sitting.certificate},
        "purpose": purpose, "claimed_at": time_text(now), "time_source": sitting.time_source, "labels": labels_digest(),
        "categories": sorted(draft.categories()), "sections": _sections(draft), "provenance": _provenance(draft),
        "evidence": {"card": dict(draft.card) if draft.card else None, "face": dict(draft.face) if draft.face else None}, **more,
    }
    return Record(record_id, members, attachments)


def _amends(one: Amends | None) -> dict[str, Any]:
    if one is None:
        return {"revision": 1, "amends": None, "prev_digest": None}
    return {"revision": one.revision, "amends": one.record_id, "prev_digest": one.prev_digest}


def _plain(value: Value) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _sections(draft: Draft) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for one in SECTIONS:
        if one.repeats:
            rows = [{f.name: _plain(e.value) for f in one.fields if (e := draft.entries.get(f"{one.name}[{i}].{f.name}"))}
                    for i in range(draft.row_count(one.name))]
            if rows:
                found[one.name] = rows
        else:
            values = {f.name: _plain(e.value) for f in one.fields if f.name != "categories" and (e := draft.entries.get(f"{one.name}.{f.name}"))}
            if values:
                found[one.name] = values
    return found


def _provenance(draft: Draft) -> dict[str, Any]:
    return {path: {"source": e.source.value, "by": e.by, "at": time_text(e.at), "device": e.device} for path, e in sorted(draft.entries.items())}
