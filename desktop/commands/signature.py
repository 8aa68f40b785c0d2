"""``hall-intake signature verify DIR``: who signed ``record.json``, when, and does it hold; acts of further persons (``act*.json`` + ``.p7s``) with it.
Needs no store and no device; never prints what the record says of the person it is about.
"""

from __future__ import annotations

import argparse
import base64
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificates

from desktop.messages import say
from sync.acts import Act, ActInvalid, check_record
from sync.canon import parse_canonical
from sync.certificates import parsed_certificate
from sync.cms import open_container
from sync.errors import FormatTrouble
from sync.signing import SignatureReport, Sm2Choice, certificate_facts, check_signature

__all__ = ["add_arguments", "certificates_in", "run"]

WHY = {
    "format": "签名文件的格式不对",
    "attached": "签名里夹带了内容，应当分开存放", "signers": "签名人不是恰好一个", "no-certificate": "签名里没有签名人的证书",
    "algorithm": "用了不认可的算法", "attributes": "缺少必须签名的属性", "content": "record.json 和签名时的内容不一样",
    "signing-certificate": "签名人的证书被换过", "signature": "签名和证书的密钥对不上", "no-roots": "没有给出根证书，没有核对证书链",
    "untrusted": "不是这些根证书认可的机构签发",
    "reason": "没有写原因", "type": "不是对这种记录的", "record": "是对另一份记录的", "first-signature": "针对的是另一个签名", "actor": "签名人不是写的那个人",
    "collector": "采集人不能复核自己的记录", "double": "同一个人签了两次", "form": "写法不对", "signer": "签名人不是记录里的采集人，也没有人接办",
    "expired": "证书在核对的时刻已过期", "not-yet-valid": "证书在核对的时刻还没生效", "revoked": "证书已吊销", "weak": "密钥或算法太弱",
    "usage": "不是签名证书", "authority": "机构证书不能签记录", "path": "证书链不对",
}  # fmt: skip
HOLDS, FAILS, UNTRUSTED = 0, 1, 3
KINDS = {"takeover": "接办", "countersign": "复核", "supervise": "监督"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of this command."""
    acts = parser.add_subparsers(dest="act", required=True, metavar="动作")
    verify = acts.add_parser("verify", help="核对 record.json 和 record.p7s (verify)")
    verify.add_argument("folder", type=Path, help="放着 record.json 和 record.p7s 的文件夹")
    verify.add_argument("--roots", type=Path, metavar="文件", help="省平台的签名根证书，PEM 或 DER (the province's signer roots)")
    verify.add_argument(
        "--at", default="now", metavar="时刻", help="按哪个时刻核对证书：now、claimed（签名自称的时间）或 2026-11-22T06:00:00Z（比如回执的时间）"
    )
    verify.add_argument("--parts", type=Path, metavar="文件夹",
                        help="另外写出被签的字节、签名和公钥，给 openssl pkeyutl 核对 (bytes, signature and key for openssl)")
    verify.add_argument("--sm2-id", action="append", metavar="标识", help="国密签名的用户标识，可以给多个 (distinguishing id of SM2 signatures)")


def run(args: argparse.Namespace) -> int:
    """Exit code: 0 it holds, 1 it does not or cannot be read, 3 bytes and signature fit but the signer's certificate is not trusted at that moment."""
    try:
        content, p7s = (args.folder / "record.json").read_bytes(), (args.folder / "record.p7s").read_bytes()
        roots = certificates_in(args.roots) if args.roots else ()
        moment, acts = _moment(args.at), _acts(args.folder)
        choice = Sm2Choice(idents=tuple(word.encode() for word in args.sm2_id)) if args.sm2_id else Sm2Choice()
    except OSError as error:
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)
        return FAILS
    except FormatTrouble as trouble:
        message = say(trouble)
        print(f"{message.title} [{trouble.code}: {trouble.detail}]", file=sys.stderr)
        return FAILS
    report = check_signature(content, p7s, roots, moment, choice)
    if args.parts and report.certificate:
        try:
            _write_parts(args.parts, content, p7s, report)
        except OSError as error:
            print(f"{error.filename}: {error.strerror}", file=sys.stderr)
            return FAILS
    if report.certificate:
        _print_signer(report)
    mismatch = _mismatch(content, report) if report.valid else ""
    if report.trusted and acts:
        mismatch = _second_persons(content, p7s, acts, roots, moment, choice)
    if not report.valid or mismatch:
        print(f"结论   无效：{mismatch or WHY.get(report.why, report.why)} [{mismatch and 'signer' or report.why}]")
        return FAILS
    at = "签名自称的时间" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S}Z"
    if not report.trusted:
        print(f"结论   内容和签名相符，但签名人不可信（按{at}核对）：{WHY.get(report.why, report.why)} [{report.why}]")
        return UNTRUSTED
    print(f"结论   有效（按{at}核对；吊销情况以省平台为准）")
    return HOLDS


def _print_signer(report: SignatureReport) -> None:
    facts = certificate_facts(report.certificate)
    print(f"签名人 {report.signer_name}（编号 {report.signer_id or '无'}，{facts.organisation}）")
    if report.signed_at is not None:
        print(f"时间   {report.signed_at:%Y-%m-%d %H:%M:%S}Z（签名人自称）")
    if report.profile != "cades-bes":
        print(f"格式   {report.profile}" + (f"，用户标识 {report.ident.decode('ascii', 'replace') or '（空）'}" if report.valid else ""))
    print(f"证书   {facts.not_before:%Y-%m-%d} 至 {facts.not_after:%Y-%m-%d}，签发 {facts.issuer}，序列号 {facts.serial}，{report.certificate_digest}")


def _write_parts(folder: Path, content: bytes, p7s: bytes, report: SignatureReport) -> None:
    """``signed.bin``, ``signature.der``, ``key.pem``: what ``openssl pkeyutl`` asks for, whatever the container is; and its words. New files only."""
    opened = open_container(content, p7s)
    folder.mkdir(parents=True, exist_ok=True)
    spki = base64.encodebytes(parsed_certificate(opened.certificate).public_key.dump())
    for name, part in (("signed.bin", opened.signed), ("signature.der", opened.signature),
                       ("key.pem", b"-----BEGIN PUBLIC KEY-----\n" + spki + b"-----END PUBLIC KEY-----\n")):
        with (folder / name).open("xb") as file:
            file.write(part)
    ident = report.ident.decode("ascii", "replace")
    hashed = f"-digest sm3 -pkeyopt distid:{ident}" if opened.mechanism == "sm2-sm3" else "-digest sha256"
    print(f"openssl pkeyutl -verify -rawin -in signed.bin -sigfile signature.der -pubin -inkey key.pem {hashed}")


def _acts(folder: Path) -> tuple[Act, ...]:
    """``act1.json`` with ``act1.p7s`` and so on. Raises ``OSError`` where one lacks its signature."""
    return tuple(Act(path.read_bytes(), path.with_suffix(".p7s").read_bytes()) for path in sorted(folder.glob("act*.json")))


def _second_persons(
    content: bytes, p7s: bytes, acts: Sequence[Act], roots: Sequence[bytes], moment: datetime | None, choice: Sm2Choice
) -> str:
    """Prints the acts that hold; why record and acts do not stand together, or empty. Roles are the province's to know: here everybody has them."""
    try:
        verdict = check_record(content, p7s, acts, roots, lambda _id: frozenset({"collector", "supervisor"}), moment, choice)
    except (ActInvalid, FormatTrouble) as trouble:
        return f"第二人的签名无效：{WHY.get(str(trouble.facts.get('why')), trouble.detail)}"
    for one in verdict.acts:
        print(f"{KINDS[one.kind]}   {one.actor_name}（编号 {one.actor_id}），{one.claimed_at:%Y-%m-%d %H:%M:%S}Z（自称）")
        print(f"       原因：{one.reason}（角色以省平台名单为准）")
    return WHY.get(verdict.why, verdict.why) if verdict.why else ""


def _mismatch(content: bytes, report: SignatureReport) -> str:
    """Why the signer is not who the record says collected it (FORMATS section 1), or empty."""
    try:
        record: dict[str, Any] = parse_canonical(content, "record.json")
    except FormatTrouble:
        return "record.json 不是规范的记录"
    collector = record.get("collector")
    if not isinstance(collector, Mapping):
        return "record.json 没有采集人"
    named = cast("Mapping[str, object]", collector)
    print(f"记录   {record.get('type', '')}，{record.get('record_id', '')}")
    if named.get("certificate") != report.certificate_digest:
        return "签名用的证书不是记录里写的那张"
    is_person = "presence/" not in str(record.get("type", ""))
    return "签名人不是记录里的采集人" if is_person and named.get("id") != report.signer_id else ""


def certificates_in(path: Path) -> tuple[bytes, ...]:
    """Certificates of a PEM bundle or one DER file. Raises ``OSError``, ``FormatTrouble``."""
    untrusted = path.read_bytes()
    try:
        is_pem = b"-----BEGIN CERTIFICATE-----" in untrusted
        roots = tuple(root.public_bytes(Encoding.DER) for root in load_pem_x509_certificates(untrusted)) if is_pem else (untrusted,)
    except ValueError:
        raise FormatTrouble(f"{path.name}: not PEM", what=path.name) from None
    for root in roots:
        certificate_facts(root)
    return roots


def _moment(word: str) -> datetime | None:
    if word == "claimed":
        return None
    if word == "now":
        return datetime.now(UTC).replace(microsecond=0)
    try:
        moment = datetime.fromisoformat(word)
    except ValueError:
        raise FormatTrouble(f"--at {word}", what="--at") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
