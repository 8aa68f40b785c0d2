"""A draft to ALL its issues at once (一次性告知). Never changes the draft, never asks the outside world.

Rules: GB 11643 (citizen number), GB 32100 (credit code), the project's domain notes sections 7 and 8.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from sync.draft import Draft
from sync.record import ATTACHMENT_KINDS, SECTIONS, Field, Section
from sync.tables import Tables

__all__ = ["Issue", "check_digit", "issues", "uscc_fits"]

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_MOBILE = re.compile(r"^1[3-9]\d{9}$")
_USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY"


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing to mend. ``severity``: must (wrong), missing, explain (a person says why). ``path`` is a field, a section or ``stills.<kind>``."""

    code: str
    path: str
    severity: str
    facts: Mapping[str, str] = field(default_factory=lambda: dict[str, str]())


def check_digit(number17: str) -> str:
    """The 18th character of a citizen number, ISO 7064 MOD 11-2 (GB 11643). ``number17`` = 17 digits."""
    return "10X98765432"[sum(int(d) * w for d, w in zip(number17, _WEIGHTS, strict=True)) % 11]


def uscc_fits(code: str) -> bool:
    """Whether a unified social credit code has 18 characters and the right check character (GB 32100-2015, MOD 31)."""
    if len(code) != 18 or any(c not in _USCC for c in code):
        return False
    total = sum(_USCC.index(c) * pow(3, i, 31) for i, c in enumerate(code[:17]))
    return _USCC[(31 - total % 31) % 31] == code[17]


def issues(draft: Draft, today: date, tables: Tables) -> tuple[Issue, ...]:
    """Every issue of the draft, in reading order. ``today`` is the hall's date."""
    return tuple(_issues(draft, today, tables))


def _issues(draft: Draft, today: date, tables: Tables) -> Iterator[Issue]:
    categories = draft.categories()
    for one in SECTIONS:
        if categories and not (one.categories & categories):
            continue
        if not one.repeats:
            yield from _fields(draft, one, one.name, categories, today, tables)
            continue
        count = draft.row_count(one.name)
        if not count and one.at_least & categories:
            yield Issue("section.missing", one.name, "missing", {"label": one.label_zh})
        for i in range(count):
            yield from _fields(draft, one, f"{one.name}[{i}]", categories, today, tables)
        if one.name == "person":
            continue
    yield from _identity(draft, today)
    held = {s.kind for s in draft.stills}
    for kind in ATTACHMENT_KINDS:
        if kind.name not in held and (kind.need & categories or kind.name == "portrait"):
            yield Issue("attachment.missing", f"stills.{kind.name}", "missing", {"label": kind.label_zh})


def _fields(draft: Draft, one: Section, prefix: str, categories: frozenset[str], today: date, tables: Tables) -> Iterator[Issue]:
    for f in one.fields:
        path = f"{prefix}.{f.name}"
        value = draft.value(path)
        if value == "" or value == ():
            if f.need and (f.need & categories or f.need >= frozenset("1234")):
                yield Issue("field.missing", path, "missing", {"label": f.label_zh})
            continue
        code = _wrong(f, value, tables)
        if code:
            yield Issue(code, path, "must", {"label": f.label_zh})
    if prefix == "contract" and (ends := _date(draft.text("contract.to"))) and ends < today:
        yield Issue("contract.ended", "contract.to", "must", {"label": "到期日期"})
    for start, end in (("from", "to"), ("issued_on", "valid_to")):
        begins, stops = _date(draft.text(f"{prefix}.{start}")), _date(draft.text(f"{prefix}.{end}"))
        if begins and stops and stops < begins:
            yield Issue("date.order", f"{prefix}.{end}", "must")


def _wrong(f: Field, value: object, tables: Tables) -> str:
    """The code of what is wrong with one value, or an empty text."""
    if f.kind == "codes":
        known = isinstance(value, tuple) and all(tables.has(f.table, str(c)) for c in value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        return "" if known else "code.unknown"
    if f.kind == "bool":
        return "" if isinstance(value, bool) else "field.form"
    if f.kind == "int":
        return "" if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 5 else "field.form"
    if not isinstance(value, str):
        return "field.form"
    if len(value) > f.max_length:
        return "field.too_long"
    checks = {
        "code": lambda: "" if tables.has(f.table, value) else "code.unknown",
        "date": lambda: "" if _date(value) else "date.form",
        "mobile": lambda: "" if _MOBILE.match(value) and value.isascii() else "mobile.form",
        "uscc": lambda: "" if uscc_fits(value) else "uscc.form",
    }
    return checks[f.kind]() if f.kind in checks else ""


def _identity(draft: Draft, today: date) -> Iterator[Issue]:
    """GB 11643: the number against its check digit, sex and birth; and the validity of the document."""
    number, kind = draft.text("person.id_doc_no"), draft.text("person.id_doc_type")
    citizen = kind in ("111", "112", "X01", "X02") or (kind == "553" and len(number) == 18)
    if number and citizen:
        if len(number) != 18 or not (number[:17].isascii() and number[:17].isdigit()):
            yield Issue("idno.form", "person.id_doc_no", "must")
        elif check_digit(number[:17]) != number[17]:
            yield Issue("idno.check_digit", "person.id_doc_no", "must")
        elif kind != "553":
            birth = draft.text("person.birth_date")
            if birth and birth.replace("-", "") != number[6:14]:
                yield Issue("idno.birth", "person.birth_date", "must")
            sex = draft.text("person.sex")
            if sex in ("1", "2") and int(number[16]) % 2 != int(sex) % 2:
                yield Issue("idno.sex", "person.sex", "explain")
    ends = _date(draft.text("person.id_valid_to"))
    if ends and ends < today:
        yield Issue("id.expired", "person.id_valid_to", "explain", {"date": ends.isoformat()})


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None
