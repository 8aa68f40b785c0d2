"""A draft to ALL its issues at once (一次性告知). Never changes the draft, never asks the outside world.

Rules: GB 11643 (citizen number), GB 32100 (credit code), the project's domain notes sections 7 and 8.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from sync.draft import Draft, Source
from sync.record import ATTACHMENT_KINDS, SECTIONS, Field, Section
from sync.tables import Tables

__all__ = ["Issue", "check_digit", "issues", "uscc_fits"]

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_MOBILE = re.compile(r"^1[3-9]\d{9}$")
_EIGHTEEN = re.compile(r"[0-9]{17}[0-9X]", re.ASCII)
_FIFTEEN = re.compile(r"[A-Z]{3}[0-9]{12}", re.ASCII)
_LETTERS = re.compile(r"[A-Z]", re.ASCII)
_PERMITS = {"X01": re.compile(r"[HM][0-9]{8}(?:[0-9]{2})?", re.ASCII), "X02": re.compile(r"[0-9]{8}", re.ASCII)}
_TRAVEL = {"516": _PERMITS["X01"], "511": re.compile(r"[0-9]{8}(?:[0-9]{2})?", re.ASCII)}
"""Numbers of travel permits: Hong Kong H, Macao M, 8 digits and on older ones 2 for the issue; Taiwan 8 digits."""
_SERIES: Mapping[str, tuple[str, ...]] = {"111": (), "112": (), "X01": ("810000", "820000"), "X02": ("830000",), "553": ("9",)}
_TAKEN = ("810000", "820000", "830000", "9")
"""Heads of numbers that another kind of document has."""
_USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY"


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing to mend. ``severity``: must (wrong), missing, explain (a person says why), returned (the province wants it changed: it is,
    or a person says that it is done). ``path`` is a field, a section, a row or ``stills.<kind>``; empty where the whole record is meant.
    """

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
    for item in draft.amends.items if draft.amends is not None else ():
        if draft.is_open(item):
            yield Issue("returned.item", item.place, "returned", {"path": item.path, "text": item.text})
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
    """The number of the document against its form, check digit, series, sex and birth; and the validity. Abolished region codes are never an issue.

    What is typed must fit; where a chip says it, corrected records may differ from their number (severity explain).
    """
    number, kind = draft.text("person.id_doc_no"), draft.text("person.id_doc_type")
    if number and kind in ("111", "112", "X01", "X02", "553"):
        yield from _number_2017(draft, number) if kind == "553" and _LETTERS.match(number) else _number_18(draft, number, kind)
    elif number and kind in _TRAVEL and not _TRAVEL[kind].fullmatch(number):
        yield Issue("permit.form", "person.id_doc_no", "explain")
    permit = draft.text("person.travel_permit_no")
    if permit and kind in _PERMITS and not _PERMITS[kind].fullmatch(permit):
        yield Issue("permit.form", "person.travel_permit_no", "explain")
    yield from _validity(draft, today, number, kind)


def _number_18(draft: Draft, number: str, kind: str) -> Iterator[Issue]:
    """GB 11643. A 9… number is not asked for the sex: no source says that its sequence tells it, and the published specimen would contradict it."""
    path = "person.id_doc_no"
    if not _EIGHTEEN.fullmatch(number):
        yield Issue("idno.form", path, "must")
        return
    if check_digit(number[:17]) != number[17]:
        yield Issue("idno.check_digit", path, "must")
        return
    heads = _SERIES[kind]
    if heads and not number.startswith(heads) or not heads and number.startswith(_TAKEN):
        yield Issue("idno.series", path, "explain")
    birth = draft.text("person.birth_date")
    if birth and birth.replace("-", "") != number[6:14]:
        yield Issue("idno.birth", "person.birth_date", _unless_on_chip(draft, "person.birth_date"))
    sex = draft.text("person.sex")
    if kind != "553" and sex in ("1", "2") and int(number[16]) % 2 != int(sex) % 2:
        yield Issue("idno.sex", "person.sex", "explain")


def _number_2017(draft: Draft, number: str) -> Iterator[Issue]:
    """The number of the permanent residence card of 2017: three letters, twelve digits, the last a check digit (weights 7, 3, 1); birth in digits 8 to 13."""
    if not _FIFTEEN.fullmatch(number):
        yield Issue("idno.form_2017", "person.id_doc_no", "must")
        return
    if str(sum(int(c, 36) * (7, 3, 1)[i % 3] for i, c in enumerate(number[:14])) % 10) != number[14]:
        yield Issue("idno.check_digit", "person.id_doc_no", "explain")
    birth = draft.text("person.birth_date")
    if birth and birth.replace("-", "")[2:] != number[7:13]:
        yield Issue("idno.birth", "person.birth_date", "explain")
    nationality = draft.text("person.nationality")
    if nationality and nationality != number[:3]:
        yield Issue("idno.nationality", "person.nationality", "explain")


def _validity(draft: Draft, today: date, number: str, kind: str) -> Iterator[Issue]:
    """The last day is a valid day. No date and no 长期 is "unknown", never "valid"."""
    born = _date(draft.text("person.birth_date"))
    if born and born > today:
        yield Issue("birth.future", "person.birth_date", "must")
    starts, ends, endless = _date(draft.text("person.id_valid_from")), _date(draft.text("person.id_valid_to")), draft.value("person.id_valid_long") is True
    if starts and starts > today:
        yield Issue("id.not_yet_valid", "person.id_valid_from", "explain", {"date": starts.isoformat()})
    if ends and ends < today:
        yield Issue("id.expired", "person.id_valid_to", "explain", {"date": ends.isoformat()})
    if ends and endless:
        yield Issue("id.validity_both", "person.id_valid_to", "must")
    if number and kind in ("111", "X01", "X02", "553") and not draft.text("person.id_valid_to") and not endless:
        yield Issue("id.validity_unknown", "person.id_valid_to", "explain")


def _unless_on_chip(draft: Draft, path: str) -> str:
    """How grave a conflict with the number is: the chip said both, or somebody typed one of them."""
    entries = [draft.entries.get(place) for place in (path, "person.id_doc_no")]
    return "explain" if all(entry is not None and entry.source is Source.CHIP for entry in entries) else "must"


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None
