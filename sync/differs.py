"""What of a record differs from the version that it amends or replaces, by path. Pure: never opens a packet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

__all__ = ["changed", "gone"]


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """Paths of ``after`` whose value ``before`` does not have so: fields, ``person.categories``, ``stills.<kind>`` with other pictures."""
    held, holds = _places(before), _places(after)
    return tuple(path for path, value in holds.items() if held.get(path) != value)


def gone(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """Paths of ``before`` that ``after`` has no more."""
    holds = _places(after)
    return tuple(path for path in _places(before) if path not in holds)


def _places(record: Mapping[str, Any]) -> dict[str, Any]:
    """Both are parsed from bytes that were checked, so their members are there."""
    found: dict[str, Any] = {"person.categories": record["categories"]}
    sections = cast("Mapping[str, Mapping[str, Any] | list[Mapping[str, Any]]]", record["sections"])
    for name, section in sections.items():
        rows = {f"{name}[{i}]": row for i, row in enumerate(section)} if isinstance(section, list) else {name: section}
        for prefix, row in rows.items():
            found.update({f"{prefix}.{field}": value for field, value in row.items()})
    for one in record["attachments"]:
        found.setdefault(f"stills.{one['kind']}", []).append(one["sha256"])
    return found
