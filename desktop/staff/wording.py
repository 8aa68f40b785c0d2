"""Facts as people say them: times, issues, where a record is, masked numbers. Never decides anything and knows no Qt."""

from __future__ import annotations

from datetime import datetime, timedelta

from desktop.flows.words import CourierFacts, OutboxFacts
from desktop.hall_time import at_hall
from desktop.messages import Words, say_code
from sync.amends import place_of
from sync.draft import Entry
from sync.oddities import visible
from sync.panel import SyncFacts, Waits, phase, support_code
from sync.record import attachment_kind, field_at, section
from sync.rules import Issue

__all__ = [
    "ago", "clock_time", "entry_hint", "exact", "exact_time", "group", "issue_words", "item_words", "label_of", "line_state", "masked", "platform_words",
    "reason_words", "record_place", "size_words", "support_words", "visible", "waits_words",
]

_TONES = {"on": "good", "refused": "stop", "unwell": "wait"}
"""Of the platform's lamp, where the line is not down."""
_NO_LINE = frozenset({"", "province.unreachable"})
"""Troubles by which the line itself is down. With any other one it is not, and saying so would send people to look at cables."""


def clock_time(at: datetime) -> str:
    """14:02 at the hall."""
    return at_hall(at).strftime("%H:%M")


def exact_time(at: datetime) -> str:
    """14:02:31 at the hall; for what was pressed just now and may be pressed again."""
    return at_hall(at).strftime("%H:%M:%S")


def exact(at: datetime) -> str:
    """2026-11-22 14:02:31 at the hall; for hover and paper."""
    return at_hall(at).strftime("%Y-%m-%d %H:%M:%S")


def ago(words: Words, at: datetime, now: datetime) -> str:
    """A time as people say it: 刚才, 3 分钟前, 今天 09:12, 昨天 17:40, then the date. A time ahead is said as a time."""
    seconds = (now - at).total_seconds()
    here, today = at_hall(at), at_hall(now).date()
    if seconds < -30:
        return here.strftime("%H:%M") if here.date() == today else here.strftime("%Y-%m-%d")
    if seconds < 60:
        return words("time.now")
    if seconds < 3600:
        return words("time.minutes", n=int(seconds // 60))
    if here.date() == today:
        return words("time.today", at=here.strftime("%H:%M"))
    if here.date() == today - timedelta(days=1):
        return words("time.yesterday", at=here.strftime("%H:%M"))
    return here.strftime("%Y-%m-%d")


def masked(number: str) -> str:
    """5101**********0012: the habit of the public query pages."""
    return f"{number[:4]}{'*' * (len(number) - 8)}{number[-4:]}" if len(number) >= 12 else "*" * max(0, len(number) - 2) + number[-2:]


def group(digest: str, size: int = 4) -> str:
    """A digest in groups, without its prefix."""
    plain = digest.removeprefix("sha256:")
    return " ".join(plain[at:at + size] for at in range(0, len(plain), size))


def label_of(path: str, words: Words) -> str:
    """The label of a field, section or attachment kind in this language; row numbers from the second on."""
    english = words.lang == "en"
    if path.startswith("stills."):
        kind = attachment_kind(path.removeprefix("stills."))
        return kind.label_en if english else kind.label_zh
    if "." not in path:
        found = section(path.partition("[")[0])
        return found.label_en if english else found.label_zh
    one = field_at(path)
    label = one.label_en if english else one.label_zh
    head = path.partition(".")[0]
    outer = section(head.partition("[")[0])
    if outer.name == "person":
        return label
    number = int(head.partition("[")[2].rstrip("]")) + 1 if "[" in head else 0
    prefix = outer.label_en if english else outer.label_zh
    if prefix == label and number < 2:
        return label
    return words("issue.in_row", section=prefix, n=number, label=label) if number > 1 else words("issue.in_section", section=prefix, label=label)


def issue_words(issue: Issue, words: Words) -> str:
    """One issue as one short sentence. An unknown kind is shown with its code, never hidden."""
    if issue.severity == "returned":
        return item_words(issue.facts["path"], issue.facts["text"], words)
    key = f"issue.{issue.code.replace('.', '_')}"
    facts = {**issue.facts, "label": label_of(issue.path, words)}
    if not words.has(key):
        return words("issue.other", label=facts["label"], code=issue.code)
    return words(key, **facts)


def item_words(path: str, text: str, words: Words) -> str:
    """What the province wants changed, and where; a place that this program does not know is never hidden, nor is a hidden character."""
    whole = words("correction.whole") if path in {"", "record"} else visible(path)
    return words("correction.item", place=label_of(path, words) if place_of(path) else whole, text=visible(text))


def entry_hint(path: str, entry: Entry, words: Words) -> str:
    """Who, when, from where: what hovering or F1 says of a value."""
    del path
    source = words(f"source.{entry.source.value}")
    return words("source.hint", source=source, by=entry.by, at=exact(entry.at), device=entry.device or words("source.no_device"))


def line_state(courier: CourierFacts) -> str:
    """``unknown`` ``on`` ``refused`` (the platform takes nothing from this machine) ``unwell`` (it is there, or something in its place is) ``off``."""
    if courier.online is not False:
        return "unknown" if courier.online is None else "on"
    if phase(False, "", False, courier.error_code) == "refused":
        return "refused"
    return "off" if courier.error_code in _NO_LINE else "unwell"


def platform_words(words: Words, courier: CourierFacts, now: datetime) -> tuple[str, str]:
    """(words, tone) of the platform lamp: 平台在线, 断网 n 分钟, 可继续办, or what else stands between: a line that is up is never called down."""
    how = line_state(courier)
    if how != "off":
        between = f"lamp.platform_{courier.error_code.removeprefix('province.')}"
        return words(between if how == "unwell" and words.has(between) else f"lamp.platform_{how}"), _TONES.get(how, "quiet")
    minutes = int((now - courier.offline_since).total_seconds() // 60) if courier.offline_since else 0
    if minutes < 1:
        return words("lamp.platform_off_now"), "wait"
    if minutes < 120:
        return words("lamp.platform_off", n=minutes), "wait"
    return words("lamp.platform_off_hours", n=minutes // 60), "wait"


def size_words(count: int) -> str:
    """5.2 MB or 840 kB; a decimal prefix, as media and lines are sold."""
    return f"{count / 1_000_000:.1f} MB" if count >= 100_000 else f"{max(1, count // 1000)} kB"


def waits_words(words: Words, waits: tuple[Waits, ...], most: int = 3) -> str:
    """What of this machine waits and why, the most first: 3 份 5.2 MB 连不上省平台，14:02 再试; empty where nothing waits."""
    parts: list[str] = []
    for one in waits[:most]:
        why = reason_words(words, one.why) if one.why else words(f"state.{one.state}")
        at = words("outbox.waits_next", at=clock_time(one.next_try_at)) if one.next_try_at is not None and one.why else ""
        parts.append(words("outbox.waits", n=one.count, size=size_words(one.bytes), why=why) + at)
    return words("outbox.joined").join(parts)


def support_words(courier: CourierFacts, waits: tuple[Waits, ...], version: str, now: datetime) -> str:
    """The code for the help desk."""
    since = (now - courier.last_success).total_seconds() if courier.last_success is not None else None
    aside = sum(one.count for one in waits if one.state == "set_aside")
    waiting = sum(one.count for one in waits) - aside
    return support_code(SyncFacts(courier.online, courier.error_code, waiting, aside, since, courier.clock_off_s, version))


def reason_words(words: Words, code: str) -> str:
    """A code as its title; the code itself where nobody wrote words for it."""
    message = say_code(code, words.lang) if code else None
    return message.title if message is not None else words("outbox.reason", code=code) if code else ""


def record_place(words: Words, row: OutboxFacts, courier: CourierFacts, now: datetime) -> tuple[str, str, str]:
    """(where, why, tone) of a kept record. 已上传 only where the receipt was checked; 受理 and the like only as the platform said."""
    if row.amended_by:
        return words("state.amended"), words("outbox.amended_by", id=row.amended_by[:8]), "quiet"
    if row.returned:
        due = [words("outbox.due", day=row.until.isoformat())] if row.until is not None else []
        return words(f"remote.{row.remote}"), words("outbox.joined").join((*due, *row.items)), "stop"
    if row.state == "set_aside":
        return words("state.set_aside"), reason_words(words, row.error_code), "stop"
    if row.state == "replaced":
        return words("state.replaced"), words("outbox.replaced_by", id=row.replaced_by[:8]), "quiet"
    if row.state in {"receipted", "purged"}:
        known = row.remote and words.has(f"remote.{row.remote}")
        return (words(f"remote.{row.remote}") if known else words("state.receipted")), words("outbox.serial", serial=row.serial) if row.serial else "", "good"
    if row.state == "uploading" or courier.moving == row.record_id:
        part = f"{courier.done * 100 // courier.total} %" if courier.moving == row.record_id and courier.total else ""
        return words("state.uploading"), part, "accent"
    why = ""
    if (how := line_state(courier)) == "off":
        why = words("outbox.why_offline_receipt" if row.state == "uploaded" else "outbox.why_offline")
    elif how in {"refused", "unwell"}:
        why = words(f"outbox.why_{how}", why=reason_words(words, courier.error_code))
    elif row.tries and row.next_try_at is not None:
        why = words("outbox.why_retry", n=row.tries, at=clock_time(row.next_try_at))
    return words(f"state.{row.state}"), why, "wait"
