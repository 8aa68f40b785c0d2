"""The sections of the registration and the frozen record. Never asks whether a value is right (rules.py) or how it is stored.

Sections and fields: 川建办发〔2017〕169号, part 2 (2), ten items; field list: the project's domain notes section 7.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sync.canon import canon, digest

__all__ = [
    "ALL", "ATTACHMENT_KINDS", "Attachment", "AttachmentKind", "Field", "Record", "SECTIONS", "Section", "attachment_kind", "field_at", "labels_digest",
    "section",
]

ALL = frozenset({"1", "2", "3", "4"})
"""The four categories: 注册执业人员, 技术职称人员, 现场管理人员, 技术工人."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field. ``need`` = the categories that must give it; ``kind``: text, code, codes, date, mobile, idno, uscc, int, bool."""

    name: str
    label_zh: str
    label_en: str
    kind: str = "text"
    table: str = ""
    need: frozenset[str] = frozenset()
    sensitive: bool = False
    max_length: int = 200


@dataclass(frozen=True, slots=True)
class Section:
    """A group of fields. ``repeats``: rows; ``categories``: who sees it; ``at_least``: categories that need one row or more."""

    name: str
    label_zh: str
    label_en: str
    fields: tuple[Field, ...]
    repeats: bool = False
    categories: frozenset[str] = ALL
    at_least: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class AttachmentKind:
    """A kind of attachment and the categories that must bring it."""

    name: str
    label_zh: str
    label_en: str
    need: frozenset[str] = frozenset()
    categories: frozenset[str] = ALL


def _certificate(number_zh: str = "证书编号") -> tuple[Field, ...]:
    return (
        Field("cert_no", number_zh, "Certificate number", need=ALL, max_length=60),
        Field("issuer", "发证机关", "Issued by", max_length=100),
        Field("issued_on", "发证日期", "Issued on", "date"),
    )


_ONE, _TWO, _THREE, _FOUR = (frozenset({c}) for c in "1234")

SECTIONS: tuple[Section, ...] = (
    Section("person", "身份", "Person", (
        Field("categories", "人员类别", "Categories", "codes", "practitioner_categories", ALL),
        Field("name_zh", "姓名", "Name", need=ALL, sensitive=True, max_length=50),
        Field("name_latin", "英文姓名", "Latin name", sensitive=True, max_length=70),
        Field("id_doc_type", "证件类型", "Document type", "code", "id_document_types", ALL),
        Field("id_doc_no", "证件号码", "Document number", "idno", need=ALL, sensitive=True, max_length=30),
        Field("sex", "性别", "Sex", "code", "sex", ALL, True),
        Field("birth_date", "出生日期", "Date of birth", "date", need=ALL, sensitive=True),
        Field("nation", "民族", "Nation", "code", "nation_gbt3304", sensitive=True),
        Field("id_address", "证件住址", "Address on the document", sensitive=True),
        Field("newest_address", "最新住址", "Newest address", sensitive=True),
        Field("id_issuer", "签发机关", "Issued by", max_length=100),
        Field("id_valid_from", "有效期起", "Valid from", "date"),
        Field("id_valid_to", "有效期至", "Valid to", "date"),
        Field("id_valid_long", "长期有效", "No end date", "bool"),
        Field("nationality", "国籍", "Nationality", max_length=3),
        Field("travel_permit_no", "通行证号码", "Travel permit number", sensitive=True, max_length=20),
        Field("mobile", "手机号码", "Mobile number", "mobile", need=ALL, sensitive=True, max_length=11),
    )),
    Section("education", "学历", "Education", (
        Field("level", "学历", "Level", "code", "education_gbt4658", ALL),
        Field("school", "毕业院校", "School", need=_TWO, max_length=100),
        Field("major", "所学专业", "Major", need=_TWO, max_length=100),
        Field("graduated_on", "毕业日期", "Graduated on", "date"),
        Field("certificate_no", "学历证书编号", "Certificate number", max_length=60),
        Field("degree", "学位", "Degree", "code", "degree"),
    )),
    Section("employer", "单位", "Employer", (
        Field("name", "单位名称", "Name", need=ALL),
        Field("uscc", "统一社会信用代码", "Unified social credit code", "uscc", max_length=18),
        Field("post", "岗位", "Post", max_length=60),
        Field("since", "入职日期", "Since", "date"),
    )),
    Section("registration", "执业注册", "Registration", (
        Field("type", "注册类型", "Type", "code", "practice_qualifications", ALL),
        Field("seal_no", "执业印章号", "Seal number", max_length=60), *_certificate("注册证书编号"),
        Field("valid_to", "有效期至", "Valid to", "date"),
    ), True, _ONE, _ONE),
    Section("title", "技术职称", "Technical title", (
        Field("name", "职称名称", "Title", need=ALL, max_length=60),
        Field("level", "级别", "Level", "code", "title_levels", ALL),
        Field("specialty", "专业", "Specialty", max_length=60), *_certificate(),
    ), True, _TWO | _ONE, _TWO),
    Section("post", "岗位证书", "Post certificate", (
        Field("post", "岗位", "Post", "code", "site_management_posts", ALL),
        Field("specialty", "专业", "Specialty", "code", "site_management_specialties"), *_certificate(),
        Field("valid_to", "有效期至", "Valid to", "date"),
    ), True, _THREE, _THREE),
    Section("safety", "安全考核", "Safety certificate", (
        Field("class", "类别", "Class", "code", "safety_certificate_classes", ALL),
        Field("cert_no", "证书编号", "Certificate number", need=ALL, max_length=60),
        Field("valid_to", "有效期至", "Valid to", "date"),
    ), True, _ONE | _THREE),
    Section("skill", "职业技能", "Skill", (
        Field("trade", "工种", "Trade", "code", "worker_trades", ALL),
        Field("level", "等级", "Level", "code", "skill_levels", ALL), *_certificate(),
    ), True, _FOUR, _FOUR),
    Section("special_operation", "特种作业", "Special operation", (
        Field("type", "操作类别", "Type", "code", "special_operation_types", ALL),
        Field("cert_no", "证书编号", "Certificate number", need=ALL, max_length=60),
        Field("valid_to", "有效期至", "Valid to", "date", need=ALL),
    ), True, _FOUR),
    Section("training", "培训", "Training", (
        Field("type", "类型", "Type", "code", "training_types", ALL),
        Field("course", "课程", "Course", need=ALL, max_length=100),
        Field("hours", "学时", "Hours", "int"),
        Field("from", "开始", "From", "date"), Field("to", "结束", "To", "date"),
        Field("organiser", "组织单位", "Organiser", max_length=100),
    ), True),
    Section("contract", "劳动合同", "Contract", (
        Field("term_type", "期限类型", "Term", "code", "contract_term_types"),
        Field("no", "合同编号", "Number", max_length=60),
        Field("from", "开始日期", "From", "date"), Field("to", "到期日期", "To", "date"),
    )),
    Section("employment", "从业记录", "Employment record", (
        Field("employer", "单位", "Employer", need=ALL), Field("post", "岗位", "Post", max_length=60),
        Field("from", "开始", "From", "date"), Field("to", "结束", "To", "date"),
    ), True),
    Section("performance", "工程业绩", "Performance", (
        Field("project", "项目名称", "Project", need=ALL), Field("role", "担任职务", "Role", max_length=60),
        Field("from", "开始", "From", "date"), Field("to", "结束", "To", "date"),
        Field("confidential", "涉密项目", "Confidential", "bool"),
    ), True, _ONE | _TWO | _THREE),
    Section("insurance", "社会保险", "Social insurance", (
        Field("payer", "缴费单位", "Paid by"), Field("paid_to", "缴费至", "Paid to", "date"),
        Field("proof_no", "证明编号", "Proof number", max_length=60),
    )),
)

ATTACHMENT_KINDS: tuple[AttachmentKind, ...] = (
    AttachmentKind("portrait", "现场照片", "Portrait", ALL),
    AttachmentKind("registration_certificate", "注册证书", "Registration certificate", _ONE, _ONE),
    AttachmentKind("title_certificate", "职称证书", "Title certificate", _TWO, _ONE | _TWO),
    AttachmentKind("post_certificate", "岗位证书", "Post certificate", _THREE, _THREE),
    AttachmentKind("skill_certificate", "职业技能证书", "Skill certificate", _FOUR, _FOUR),
    AttachmentKind("contract", "劳动合同或用工协议", "Contract"),
    AttachmentKind("insurance_proof", "社会保险证明", "Social insurance proof"),
    AttachmentKind("education_certificate", "学历证书", "Education certificate"),
    AttachmentKind("training_record", "培训记录", "Training record"),
    AttachmentKind("other", "其他材料", "Other"),
)


def section(name: str) -> Section:
    """The section ``name``. Raises KeyError."""
    for found in SECTIONS:
        if found.name == name:
            return found
    raise KeyError(name)


def attachment_kind(name: str) -> AttachmentKind:
    """The kind ``name``. Raises KeyError."""
    for found in ATTACHMENT_KINDS:
        if found.name == name:
            return found
    raise KeyError(name)


def field_at(path: str) -> Field:
    """The field that a draft path (``person.name_zh``, ``skill[0].trade``) names. Raises KeyError."""
    head, _, name = path.partition(".")
    found = section(head.partition("[")[0])
    if found.repeats != head.endswith("]"):
        raise KeyError(path)
    for one in found.fields:
        if one.name == name:
            return one
    raise KeyError(path)


def labels_digest() -> str:
    """Digest of the Chinese labels, so that a signed record says which words its signer saw (FORMATS section 1)."""
    return digest(canon({f"{s.name}.{f.name}": f.label_zh for s in SECTIONS for f in s.fields}))


@dataclass(frozen=True, slots=True)
class Attachment:
    """A part of the packet as the record's manifest names it; ``size`` in bytes, ``sha256`` a digest with its prefix."""

    index: int
    kind: str
    name: str
    media: str
    size: int
    sha256: str
    pages: int = 1
    trust: str = "B"

    def as_json(self) -> dict[str, Any]:
        return {"index": self.index, "kind": self.kind, "name": self.name, "media": self.media, "size": self.size,
                "sha256": self.sha256, "pages": self.pages, "trust": self.trust}


@dataclass(frozen=True, slots=True)
class Record:
    """A registration that is complete and will not change; ``members`` follow FORMATS section 1."""

    record_id: str
    members: Mapping[str, Any] = field(repr=False)
    attachments: tuple[Attachment, ...] = field(default=(), repr=False)

    def as_json(self) -> dict[str, Any]:
        return {**self.members, "attachments": [one.as_json() for one in self.attachments]}
