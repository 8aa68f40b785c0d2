"""The sync panel in words: what moves, what waits and why, what works offline, what the platform changed. Never decides anything and knows no Qt."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from desktop.flows.intake_state import IntakeState
from desktop.flows.offline import ABILITIES, stands
from desktop.flows.words import CourierFacts, OutboxFacts
from desktop.flows.words.day import Change
from desktop.messages import Message, Words, say_code
from desktop.staff.wording import ago, clock_time, exact, exact_time, label_of, line_state, platform_words, size_words
from desktop.widgets.banner import joined
from desktop.widgets.row_card import CardRow
from sync.panel import Waits, phase

__all__ = ["Headline", "ability_rows", "asked_words", "headline", "list_lines", "news_rows", "next_words", "wait_rows"]

_MOST_NEWS = 8
_MOST_NAMED = 4
_ASKED_FOR = timedelta(minutes=10)
"""How long the panel says when a person asked last: after that its own tries are the newer ones."""
_TONES = {"correction_required": ("warning", "stop"), "refused": ("stop", "stop"), "publicity": ("eye", "accent"), "effective": ("check", "good"),
          "accepted": ("check", "good"), "withdrawn": ("back", "quiet")}


@dataclass(frozen=True, slots=True)
class Headline:
    """What is going on in one sentence, what that means below it, and the trouble's code where there is one; ``share`` of 1000 while bytes move, else -1."""

    icon: str
    tone: str
    title: str
    words: str = ""
    code: str = ""
    share: int = -1


def headline(words: Words, state: IntakeState, now: datetime) -> Headline:
    """The one thing that matters on the panel."""
    courier = state.courier
    waiting = sum(one.count for one in state.waits if one.state in {"kept", "uploading", "uploaded"})
    message = say_code(courier.error_code, words.lang) if courier.error_code else None
    now_is = phase(courier.online, courier.moving, courier.asking, courier.error_code)
    if now_is == "sending":
        return _sending(words, state, waiting)
    if now_is == "asking":
        return Headline("refresh", "accent", words("sync.asking"), words("sync.asking_words"))
    if now_is == "unknown":
        return Headline("clock", "quiet", words("sync.unknown"), words("sync.unknown_words"))
    if now_is == "refused":
        title = message.title if message is not None else words("sync.refused")
        return Headline("stop", "stop", title, asked_words(words, courier, now, "same") + _after(words, message), courier.error_code)
    if now_is == "offline":
        what = joined(message.next, words.who(message.who)) if message is not None else words("sync.offline_self")
        title = message.title if message is not None and line_state(courier) == "unwell" else platform_words(words, courier, now)[0]
        return Headline("offline", "wait", title, asked_words(words, courier, now, "off") + words("sync.offline_words") + what, courier.error_code)
    if message is not None:
        return Headline("warning", "wait", message.title, _after(words, message), courier.error_code)
    if waiting:
        return Headline("upload", "accent", words("sync.queued", n=waiting), words("sync.queued_words"))
    return Headline("check", "good", words("sync.idle"), asked_words(words, courier, now, "on") + words("sync.idle_words"))


def asked_words(words: Words, courier: CourierFacts, now: datetime, how: str) -> str:
    """To the second when a person asked last and what came of it: a second press shows, too, that it was heard."""
    if courier.asked_at is None or now - courier.asked_at > _ASKED_FOR:
        return ""
    return words(f"sync.asked_{how}", at=exact_time(courier.asked_at))


def next_words(words: Words, courier: CourierFacts, now: datetime) -> str:
    """When it is tried again without anybody's doing."""
    if courier.next_try_at is None or courier.moving or line_state(courier) == "on":
        return words("sync.by_itself")
    return clock_time(courier.next_try_at) if courier.next_try_at - now > timedelta(minutes=1) else words("sync.soon")


def _after(words: Words, message: Message | None) -> str:
    return "" if message is None else joined(message.cause, message.next, words.who(message.who))


def _sending(words: Words, state: IntakeState, waiting: int) -> Headline:
    courier = state.courier
    row = next((one for one in state.outbox if one.record_id == courier.moving), None)
    who = words("sync.moving_own", name=row.name, tail=row.id_tail) if row is not None else words("sync.moving")
    if not courier.total:
        return Headline("upload", "accent", who, words("sync.moving_begin"))
    parts = [words("sync.bytes", done=size_words(courier.done), total=size_words(courier.total), percent=courier.done * 100 // courier.total)]
    if waiting > 1:
        parts.append(words("sync.behind", n=waiting - 1))
    return Headline("upload", "accent", who, " · ".join(parts), share=courier.done * 1000 // courier.total)


def wait_rows(words: Words, waits: tuple[Waits, ...], courier: CourierFacts) -> list[CardRow]:
    """One row for each reason that records of this machine wait for, what a person must do first."""
    order = {"set_aside": 0, "kept_unsigned": 1, "signing": 1}
    return [_wait_row(words, one, courier) for one in sorted(waits, key=lambda one: (order.get(one.state, 2), -one.count))]


def _wait_row(words: Words, one: Waits, courier: CourierFacts) -> CardRow:
    message = say_code(one.why, words.lang) if one.why else None
    title = words("sync.count", n=one.count, size=size_words(one.bytes), state=words(f"state.{one.state}"))
    lines: tuple[str, ...] = ()
    if message is not None:
        lines = (message.title + words("sync.stop") + joined(message.next, words.who(message.who)), message.code)
    elif one.why:
        lines = (words("outbox.reason", code=one.why),)
    elif one.state in {"kept", "uploading", "uploaded"}:
        lines = (words({"off": "sync.why_offline", "unwell": "sync.why_unwell", "refused": "sync.why_refused"}.get(line_state(courier), "sync.why_next")),)
    if one.state == "set_aside":
        return CardRow("warning", "stop", title, lines, act=words("sync.see"), about="returned", key="Ctrl+R")
    if one.state in {"kept_unsigned", "signing"}:
        return CardRow("sign", "wait", title, (words("sync.why_unsigned"),), act=words("sync.sign"), about="batch", key="Ctrl+B")
    note = words("sync.at", at=clock_time(one.next_try_at)) if one.next_try_at is not None and one.why else ""
    return CardRow("clock", "wait", title, lines, note, exact(one.next_try_at) if one.next_try_at else "")


def ability_rows(words: Words, courier: CourierFacts) -> list[CardRow]:
    """Function by function: can it be done now, and if not, what becomes of it."""
    rows: list[CardRow] = []
    refused = line_state(courier) == "refused"
    for one in ABILITIES:
        how = stands(one, courier.online)
        if courier.online:   # all of it works: what matters is what would go on without the line
            icon, tone, note = ("cloud", "quiet", "line") if one.needs == "line" else ("check", "good", "any")
        else:
            icon, tone, note = ("check", "good", how) if how in {"works", "aged"} else ("clock", "wait" if how == "waits" else "quiet", how)
        lines = (words(f"ability.{one.name}_off"),) if how == "aged" or (how == "waits" and not refused) else ()
        note = "refused" if how == "waits" and refused else note
        rows.append(CardRow(icon, tone, words(f"ability.{one.name}"), lines, words(f"sync.ability_{note}"), strong=False))
    return rows


def news_rows(words: Words, state: IntakeState, now: datetime) -> list[CardRow]:
    """What the platform said of records, and what it changed for this station; the newest first."""
    told: list[tuple[datetime, CardRow]] = [(one.remote_at, _record_news(words, one, now)) for one in state.outbox
                                            if one.remote_at is not None and one.remote not in {"", "received"}]
    told += [(one.at, _change_news(words, one, now)) for one in state.changes]
    told.sort(key=lambda one: one[0], reverse=True)
    return [row for _, row in told[:_MOST_NEWS]]


def _record_news(words: Words, one: OutboxFacts, now: datetime) -> CardRow:
    icon, tone = _TONES.get(one.remote, ("cloud", "quiet")) if not one.amended_by else ("check", "quiet")
    who = words("kept.who", name=one.name, tail=one.id_tail) if one.name else words("sync.purged", serial=one.serial)
    key = f"remote.{one.remote}" if not one.amended_by else "state.amended"   # what it says of the old one since: withdrawn
    where = words(key) if words.has(key) else words("outbox.reason", code=one.remote)
    lines = [words("sync.item", place=_place(path, words), text=text) if path else text for path, text in zip(_padded(one), one.items, strict=True)]
    if one.until is not None:
        lines.append(words("sync.until", day=one.until.isoformat()))
    at = one.remote_at
    assert at is not None
    return CardRow(icon, tone, words("sync.said", who=who, where=where), tuple(lines), ago(words, at, now), exact(at), words("sync.see"), one.record_id)


def _padded(one: OutboxFacts) -> tuple[str, ...]:
    return (*one.places, *[""] * (len(one.items) - len(one.places)))[:len(one.items)]


def _place(path: str, words: Words) -> str:
    """The label of a place that the platform named; the path itself where this program does not know it: it is never hidden."""
    try:
        return label_of(path, words)
    except (KeyError, ValueError, StopIteration):
        return path


def _change_news(words: Words, one: Change, now: datetime) -> CardRow:
    facts = dict(one.facts)
    if "roles" in facts:
        facts["roles"] = words("sync.and").join(words(f"role.{role}") if words.has(f"role.{role}") else role for role in facts["roles"].split(",") if role)
    if "state" in facts:
        facts["state"] = words(f"station_state.{facts['state']}") if words.has(f"station_state.{facts['state']}") else facts["state"]
    if "tables" in facts:
        names = [words(f"table.{one}") if words.has(f"table.{one}") else one for one in facts["tables"].split(",")]
        facts["tables"] = words("sync.and").join(names[:_MOST_NAMED]) + (words("sync.and_more") if len(names) > _MOST_NAMED else "")
    return CardRow("settings", "quiet", words(f"news.{one.what}", **facts), (), ago(words, one.at, now), exact(one.at), strong=False)


def list_lines(words: Words, state: IntakeState, now: datetime) -> str:
    """How old the platform's lists are: they are what is gone by while the line is down."""
    parts: list[str] = []
    for one in state.lists:
        said = words(f"sync.list_{one.purpose}", n=one.version, at=ago(words, one.issued_at, now))
        parts.append(words("sync.list_old", list=said) if one.expired else said)
    return " · ".join(parts)
