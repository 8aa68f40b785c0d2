"""Sample facts for the tests of the flows. Nobody real: names and numbers are made up, check digits are right."""

from __future__ import annotations

from datetime import UTC, date, datetime

from desktop.flows.fill import card_evidence
from desktop.flows.words import CardWasRead, CertificateChoice, Operator, StationFacts
from devices.base import Device
from devices.cards.contract import CardRead, ReadEvidence
from devices.cards.idcard import IdentityCard
from sync.draft import Draft, DraftStill, Source

NOW = datetime(2026, 11, 22, 6, 2, tzinfo=UTC)
STATION = StationFacts("b5d7e0c4-9a3f-4a06-9a3e-3b1a9d0f6a11", "四川省住房和城乡建设厅", "成都市政务大厅", "07 窗口", True)
TOKEN = Device("pkcs11", "飞天 ePass", "slot 0", "FT-1", True)
READER = Device("pcsc", "身份证读卡器", "reader 0", "R-1", True)
CERTIFICATE = CertificateChoice(TOKEN, b"\x01", "OP-000017", "王敏", "练习 CA", date(2027, 6, 24), 214)
OTHER = CertificateChoice(TOKEN, b"\x02", "OP-000018", "刘洋", "练习 CA", date(2027, 6, 24), 214)
EXPIRED = CertificateChoice(TOKEN, b"\x03", "OP-000019", "陈静", "练习 CA", date(2025, 6, 24), -500, False, "expired")
OPERATOR = Operator("OP-000017", "王敏", frozenset({"collector"}), CERTIFICATE)
EVIDENCE = ReadEvidence("05.01-20200101-0000000001-0000009896", "身份证读卡器", "practice", NOW, "sha256:" + "0" * 64)


def card(number: str = "510104198803120018", name: str = "李国强") -> CardRead:
    """A read of a made-up resident card."""
    idcard = IdentityCard("resident", name, "", "1", "01", date(1988, 3, 12), "四川省成都市锦江区练习路 1 号", number, "成都市公安局锦江分局",
                          date(2018, 5, 20), date(2038, 5, 20), False)
    return CardRead(idcard, EVIDENCE, b"\0" * 1024, b"photo")


def was_read(number: str = "510104198803120018", new_id: str = "d-1") -> CardWasRead:
    """The event of it."""
    return CardWasRead(card(number), NOW, new_id)


def full_draft(draft_id: str = "d-1") -> Draft:
    """A worker's draft without an open issue."""
    typed = {
        "person.categories": ("4",), "person.name_zh": "李国强", "person.id_doc_type": "111", "person.id_doc_no": number(), "person.sex": "1",
        "person.birth_date": "1988-03-12", "person.id_valid_to": "2038-05-20", "person.mobile": "13800000000", "education.level": "71",
        "employer.name": "四川示例建设有限公司",
        "skill[0].trade": "020", "skill[0].level": "3", "skill[0].cert_no": "川建技 2106-0088412",
    }
    draft = Draft(draft_id, "op:OP-000017", NOW, card=card_evidence(EVIDENCE))
    for path, value in typed.items():
        draft = draft.take(path, value, Source.TYPED, by="OP-000017", at=NOW)
    for kind in ("portrait", "skill_certificate"):
        draft = draft.with_still(DraftStill(kind, f"s-{kind}", "image/jpeg", 1000, "sha256:" + "1" * 64))
    return draft


def number(first: str = "51010419880312001") -> str:
    """A citizen number with its right check digit."""
    from sync.rules import check_digit

    return first + check_digit(first)
