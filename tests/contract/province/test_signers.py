"""Who signs, all the way to the receipt: SM2 people, countersignatures, a takeover, and what the province refuses. Never a token."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sync.acts import Act, make_act
from sync.canon import canon, digest
from sync.outbox import Summary
from sync.seal import seal
from sync.signing import certificate_facts, make_signature
from tests.contract.province.hall import HALL, HallStation, People, open_lists
from tests.emulators.province_run import ProvinceRun
from tests.emulators.sm2_ca import PracticeSm2Ca

pytestmark = pytest.mark.timeout(180)
NOW = datetime.now(UTC).replace(microsecond=0)


class BothFamilies(People):
    """The EC people, and three with SM2 certificates of another authority."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "ec")
        self.national = PracticeSm2Ca(folder / "sm2")
        self.sm2_collector = self.national.person("OP-000021", "国密员")
        self.sm2_supervisor = self.national.person("SV-000002", "国密主管")
        self.ec_supervisor = self._person("SV-000001", "主管")

    def province(self, folder: Path, database: str = "") -> ProvinceRun:
        certificate, key = self.ca.issue_server()
        roots = [self.ca.folder / "root.pem", self.national.folder / "root.der"]
        return ProvinceRun(folder, roots, (certificate, key, self.ca.folder / "tls-root.pem"), database=database)


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> BothFamilies:
    return BothFamilies(tmp_path_factory.mktemp("people"))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, people: BothFamilies) -> Iterator[ProvinceRun]:
    with people.province(tmp_path_factory.mktemp("province") / "p") as province:
        open_lists(province)
        province.desk("POST", "/people", id="OP-000021", name="国密员", roles=["collector"], hall=HALL)
        for id in ("SV-000001", "SV-000002"):
            province.desk("POST", "/people", id=id, name="主管", roles=["supervisor"], hall=HALL)
        yield province


def keep(hall: HallStation, collector: Any, signer: Any, acts: Sequence[tuple[str, Any]] = (), spoil: bool = False) -> str:
    """A record of ``collector`` signed by ``signer`` in the outbox, with acts (kind, by whom)."""
    record_id, photo = str(uuid.uuid4()), os.urandom(100)
    facts = certificate_facts(collector.certificate)
    who = {"id": facts.id, "name": facts.name, "certificate": facts.digest}
    members = hall._record(record_id, photo, "") | {"collector": who, "claimed_at": f"{NOW:%Y-%m-%dT%H:%M:%SZ}"}
    content = canon(members)
    signature = make_signature(content, signer, NOW)
    made = [make_act(kind, content, None if kind == "takeover" else signature, "练习原因", by, NOW) for kind, by in acts]  # type: ignore[arg-type]
    if spoil:
        made = [Act(one.act, make_signature(one.act.replace("练习原因".encode(), b"x"), by, NOW)) for one, (_, by) in zip(made, acts, strict=True)]
    sealed = seal(content, [("a1.jpg", photo)], record_id, hall.station.station_id, hall.station.intake, hall.station.recovery)
    hall.outbox.keep(sealed, digest(content), signature, made, f"op:{facts.id}", Summary("练习", "0012", ("4",)))
    return record_id


def test_an_sm2_record_gets_its_receipt(hall: HallStation, people: BothFamilies) -> None:
    record_id = keep(hall, people.sm2_collector, people.sm2_collector)
    hall.drive(record_id, "receipted")


def test_second_persons_of_either_family_go_along(hall: HallStation, people: BothFamilies) -> None:
    acts = [("countersign", people.ec_supervisor), ("supervise", people.sm2_supervisor)]
    hall.drive(keep(hall, people.sm2_collector, people.sm2_collector, acts), "receipted")
    hall.drive(keep(hall, people.collector, people.collector, acts), "receipted")


def test_a_takeover_speaks_for_a_collector_who_cannot_sign(hall: HallStation, people: BothFamilies) -> None:
    taken = keep(hall, people.collector, people.sm2_supervisor, [("takeover", people.sm2_supervisor)])
    hall.drive(taken, "receipted")


@pytest.mark.expects_log("set aside: province.refused")
@pytest.mark.parametrize("case", ["another signer", "false act", "no supervisor"])
def test_what_the_province_refuses_is_set_aside(hall: HallStation, people: BothFamilies, case: str) -> None:
    match case:
        case "another signer":
            record_id = keep(hall, people.collector, people.sm2_supervisor)
        case "false act":
            record_id = keep(hall, people.sm2_collector, people.sm2_collector, [("supervise", people.sm2_supervisor)], spoil=True)
        case _:
            record_id = keep(hall, people.sm2_collector, people.sm2_collector, [("supervise", people.collector)])
    hall.drive(record_id, "set_aside")
