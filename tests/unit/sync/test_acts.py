"""Takeover, countersignature, supervision: built and checked, with EC and SM2 people; the province's own vectors hold, and each rule of FORMATS 3 bites."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from resources import find
from sync.acts import Act, ActInvalid, check_record, make_act
from sync.canon import canon, digest, parse_canonical
from sync.signing import certificate_facts, make_signature
from tests.emulators.ca import PracticeCa
from tests.emulators.sm2_ca import PracticeSm2Ca
from tests.unit.sync.signers import person

NOW = datetime.now(UTC).replace(microsecond=0)
ROLES = {"OP-000017": frozenset({"collector"}), "SV-000003": frozenset({"supervisor"}), "OP-000099": frozenset({"collector"})}


def roles(id: str) -> frozenset[str]:
    return ROLES.get(id, frozenset())


class Desk:
    """A collector and two others, and a record of the collector."""

    def __init__(self, collector: Any, supervisor: Any, colleague: Any, roots: tuple[bytes, ...]) -> None:
        self.collector, self.supervisor, self.colleague, self.roots = collector, supervisor, colleague, roots
        self.record = self.a_record()

    def a_record(self, **changed: Any) -> bytes:
        facts = certificate_facts(self.collector.certificate)
        who = {"id": facts.id, "name": facts.name, "certificate": facts.digest}
        return canon({"type": "hall-intake/practice-record/1", "collector": who, "claimed_at": f"{NOW:%Y-%m-%dT%H:%M:%SZ}"} | changed)

    def check(self, signature: bytes, *acts: Act, record: bytes | None = None):
        return check_record(record or self.record, signature, acts, self.roots, roles, NOW)


@pytest.fixture(scope="module", params=["ec", "sm2"])
def desk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    folder: Path = tmp_path_factory.mktemp(f"acts-{request.param}")
    people = (("OP-000017", "张三"), ("SV-000003", "李四"), ("OP-000099", "王五"))
    if request.param == "ec":
        ca = PracticeCa.make(folder)
        return Desk(*(person(ca, "ec", id, name) for id, name in people), ca.signer_roots)
    national = PracticeSm2Ca(folder)
    return Desk(*(national.person(id, name) for id, name in people), national.signer_roots)


def test_collector_alone(desk: Desk) -> None:
    verdict = desk.check(make_signature(desk.record, desk.collector, NOW))
    assert (verdict.holds, verdict.why, verdict.acts, verdict.taken_over) == (True, "", (), False)
    other = desk.check(make_signature(desk.record, desk.colleague, NOW))
    assert (other.holds, other.why) == (False, "signer")


@pytest.mark.parametrize("kind", ["countersign", "supervise"])
def test_a_second_person_stands_by_a_signature(desk: Desk, kind) -> None:
    signature = make_signature(desk.record, desk.collector, NOW)
    act = make_act(kind, desk.record, signature, "  复核过原件 ", desk.supervisor, NOW)
    verdict = desk.check(signature, act)
    assert verdict.holds and not verdict.taken_over
    (report,) = verdict.acts
    assert (report.kind, report.actor_id, report.actor_name, report.reason, report.claimed_at) == (kind, "SV-000003", "李四", "复核过原件", NOW)
    written = parse_canonical(act.act, "act")
    assert written["first_signature"] == digest(signature) and written["record"] == digest(desk.record)
    assert written["type"] == "hall-intake/practice-act/1"


def test_takeover_is_a_second_named_act_of_the_same_hand(desk: Desk) -> None:
    act = make_act("takeover", desk.record, None, "采集员证书介质损坏", desk.supervisor, NOW)
    signature = make_signature(desk.record, desk.supervisor, NOW)
    verdict = desk.check(signature, act)
    assert verdict.holds and verdict.taken_over and verdict.signature.signer_id == "SV-000003"
    assert parse_canonical(act.act, "act")["first_signature"] is None
    assert desk.check(signature).why == "signer", "without the act the signer is a stranger to the record"
    assert desk.check(make_signature(desk.record, desk.colleague, NOW), act).why == "signer", "the act speaks for its own signer only"


def test_a_record_without_its_collectors_certificate_can_be_taken_over(desk: Desk) -> None:
    """FORMATS 1: on a takeover ``collector.certificate`` may be empty."""
    record = desk.a_record(collector={"id": "OP-000017", "name": "张三", "certificate": ""})
    act = make_act("takeover", record, None, "采集员离岗", desk.supervisor, NOW)
    assert desk.check(make_signature(record, desk.supervisor, NOW), act, record=record).holds


def test_what_is_refused_before_anything_is_signed(desk: Desk) -> None:
    signature = make_signature(desk.record, desk.collector, NOW)
    for reason in ("", "  ", "长" * 501):
        with pytest.raises(ActInvalid) as caught:
            make_act("supervise", desk.record, signature, reason, desk.supervisor, NOW)
        assert caught.value.facts["why"] == "reason"
    with pytest.raises(ActInvalid) as caught:
        make_act("supervise", desk.record, signature, "自己复核", desk.collector, NOW)
    assert caught.value.facts["why"] == "collector"
    with pytest.raises(ActInvalid) as caught:
        make_act("takeover", canon({"type": "hall-intake/presence/1", "collector": {"id": "x"}}), None, "无", desk.supervisor, NOW)
    assert caught.value.facts["why"] == "type"
    for kind, first in (("takeover", signature), ("supervise", None)):
        with pytest.raises(ValueError, match="first signature"):
            make_act(kind, desk.record, first, "原因", desk.supervisor, NOW)  # type: ignore[arg-type]


def resigned(desk: Desk, act: Act, signer: Any = None, /, **changed: Any) -> Act:
    """The act with other members, signed by the same hand or another."""
    content = canon(parse_canonical(act.act, "act") | changed)
    return Act(content, make_signature(content, signer or desk.supervisor, NOW))


def test_every_rule_bites(desk: Desk) -> None:
    signature = make_signature(desk.record, desk.collector, NOW)
    other = make_signature(desk.record, desk.supervisor, NOW)
    act = make_act("countersign", desk.record, signature, "复核", desk.supervisor, NOW)
    facts = certificate_facts(desk.colleague.certificate)
    colleague = {"id": facts.id, "name": facts.name, "certificate": facts.digest}
    own = certificate_facts(desk.collector.certificate)
    collector = {"id": own.id, "name": own.name, "certificate": own.digest}
    cases: list[tuple[str, Act]] = [
        ("form", Act(b"{}", act.signature)), ("form", Act(b"rubbish", act.signature)), ("form", resigned(desk, act, act="approve")),
        ("form", resigned(desk, act, more=1)), ("form", resigned(desk, act, claimed_at="2026-11-22T06:00:00")), ("form", resigned(desk, act, actor=[])),
        ("reason", resigned(desk, act, reason="")), ("type", resigned(desk, act, type="hall-intake/act/1")),
        ("record", resigned(desk, act, record=digest(b"another"))), ("first-signature", resigned(desk, act, first_signature=digest(other))),
        ("first-signature", resigned(desk, act, first_signature=None)), ("first-signature", resigned(desk, act, act="takeover")),
        ("actor", resigned(desk, act, actor=colleague)), ("actor", resigned(desk, act, desk.colleague)),
        ("role", resigned(desk, act, desk.colleague, actor=colleague)), ("collector", resigned(desk, act, desk.collector, actor=collector)),
        ("format", Act(act.act, b"")),
    ]  # fmt: skip
    for why, bad in cases:
        with pytest.raises(ActInvalid) as caught:
            desk.check(signature, bad)
        assert caught.value.facts["why"] == why, bad.act
    with pytest.raises(ActInvalid) as caught:
        desk.check(signature, Act(act.act, resigned(desk, act, reason="别的").signature))
    assert caught.value.facts["why"] in ("content", "signature"), "the signature of another act"
    with pytest.raises(ActInvalid) as caught:
        desk.check(signature, act, resigned(desk, act, reason="又一次"))
    assert caught.value.facts["why"] == "double"


def test_act_over_an_unsigned_change_of_the_record(desk: Desk) -> None:
    signature = make_signature(desk.record, desk.collector, NOW)
    act = make_act("supervise", desk.record, signature, "复核", desk.supervisor, NOW)
    changed = desk.a_record(schema=2)
    with pytest.raises(ActInvalid):
        desk.check(signature, act, record=changed)
    assert not desk.check(signature, record=changed).holds


@pytest.mark.parametrize("family", ["earnest", "practice"])
def test_the_provinces_vectors(family: str) -> None:
    """Acts that another implementation made, over another implementation's records."""

    def load(name: str) -> dict[str, Any]:
        return json.loads(find("province", "vectors", name).read_text("utf-8"))

    acts, records, certificates = load("act.json")[family], load("record.json")["records"][family], load("keys.json")["certificates"]
    signatures = load("signature.json")["good"]
    record = base64.b64decode(records["canonical"])
    roots = [base64.b64decode(certificates["signer-root"])]
    signature = base64.b64decode(signatures["rsa" if family == "earnest" else "practice"]["p7s"])
    people = {"OP-000017": frozenset({"collector"}), "SV-000001": frozenset({"supervisor"})}
    made = {kind: Act(base64.b64decode(one["canonical"]), base64.b64decode(one["p7s"])) for kind, one in acts.items()}
    verdict = check_record(record, signature, [made["countersign"], made["supervise"]], roots, lambda id: people.get(id, frozenset()))
    assert verdict.holds and [one.kind for one in verdict.acts] == ["countersign", "supervise"]
    if family == "earnest":
        by_supervisor = base64.b64decode(signatures["ecdsa"]["p7s"])
        taken = check_record(record, by_supervisor, [made["takeover"]], roots, lambda id: people.get(id, frozenset()))
        assert taken.holds and taken.taken_over
