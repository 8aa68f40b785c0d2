"""``hall-intake sign``: ``list`` shows certificate tokens, their certificates, days left and the state of the PIN; ``probe`` finds out which of the known
libraries on this machine sees them; ``lists`` keeps and shows lists of revoked certificates. Never asks for a PIN and never signs.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

from desktop.commands.signature import certificates_in
from desktop.device_list import load_device_list
from desktop.folders import data_folder
from desktop.messages import say
from devices.base import Device
from devices.installed import listed
from devices.registry import Listed, Registry
from devices.tokens.contract import PinState, TokenDriver
from devices.tokens.known import Candidate, candidates, driver_for, kind_of, known_tokens, library_folders, plugged, probe
from resources.trouble import Trouble
from sync.errors import CertificateTrouble
from sync.keys import KeyCabinet
from sync.revocation import REVOCATION_FOLDER, Revocations, known_authorities
from sync.signing import CertificateFacts, certificate_facts
from sync.station import Station, load
from sync.store import open_folder

__all__ = ["add_arguments", "run"]

SOON = timedelta(days=30)
"""A certificate that ends within this time is said to end soon."""
WHY = {
    "no-roots": "没有根证书可对", "untrusted": "不是本省认可的机构签发", "expired": "已过期", "not-yet-valid": "还没生效", "revoked": "已吊销",
    "weak": "密钥太弱", "usage": "不是签名证书", "authority": "是机构证书", "path": "证书链不对", "format": "证书读不懂",
}  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of this command."""
    acts = parser.add_subparsers(dest="act", required=True, metavar="动作")
    tokens = acts.add_parser("list", help="列出证书 Key、证书和 PIN 状态 (tokens, certificates, PIN state)")
    tokens.add_argument("--library", action="append", metavar="路径", help="PKCS#11 或 SKF 库，可多个；不给就用本机的设备清单 (instead of the station's list)")
    tried = acts.add_parser("probe", help="试一试本机装的库，哪一个认得插着的 Key (which of the known libraries sees a token)")
    tried.add_argument("--library", action="append", metavar="路径", help="另外要试的库，可以给多个 (more libraries to try)")
    lists = acts.add_parser("lists", help="收下并列出吊销名单 (keep and show lists of revoked certificates)")
    lists.add_argument("files", nargs="*", type=Path, metavar="文件", help="CRL 或 OCSP 应答，DER 或 PEM (CRLs or OCSP answers)")
    lists.add_argument("--issuer", action="append", type=Path, default=[], metavar="文件", help="签发机构的证书，DER 或 PEM，可以给多个 (issuing CA)")


def run(args: argparse.Namespace) -> int:
    """Exit code: 0 at least one token was listed or seen, 1 a named trouble or no token."""
    if args.act == "probe":
        return _probe(args.library or ())
    if args.act == "lists":
        return _lists(args.files, args.issuer)
    try:
        station, registry = _given(args.library) if args.library else _enrolled()
    except Trouble as trouble:
        _complain(trouble)
        return 1
    for trouble in registry.troubles("tokens"):
        _complain(trouble)
    found, now = 0, datetime.now(UTC)
    for driver in registry.tokens():
        with ExitStack() as closing:
            closing.callback(getattr(driver, "close", lambda: None))
            try:
                devices = driver.find()
            except Trouble as trouble:
                print(driver.name, file=sys.stderr)
                _complain(trouble)
                continue
            for device in devices:
                found += 1
                for line in _lines(driver, device, station, now):
                    print(line)
    if not found:
        print("没有找到证书 Key (no token)", file=sys.stderr)
    return 0 if found else 1


def _given(paths: Sequence[str]) -> tuple[Station | None, Registry]:
    """Libraries that the person at the command line vouches for."""
    return None, Registry(Listed("tokens", Path(path).name, lambda path=path: _driver(path)) for path in paths)


def _driver(path: str) -> TokenDriver:
    library = str(Path(path).absolute())
    return driver_for(kind_of(library) or "pkcs11", library, Path(path).name)


def _probe(more: Sequence[str]) -> int:
    """Tries each library in a child process; prints what sees a token as an entry of the device list."""
    usb = plugged()
    given = [Candidate(kind_of(path) or "pkcs11", str(Path(path).absolute()), Path(path).stem) for path in more]
    tried = [*given, *candidates(known_tokens(), usb, library_folders())]
    print("插着的 USB 设备 " + (" ".join(sorted(usb)) if usb is not None else "（这个系统不告诉）"))
    if not tried:
        print("本机没有装认得的库；用 --library 指明 (no known library is installed)", file=sys.stderr)
    seen = 0
    for candidate in tried:
        found = probe(candidate)
        outcome = f"[{found.trouble.code}] {found.trouble.detail}" if found.trouble else f"看到 {len(found.devices)} 个 Key"
        print(f"{candidate.name}  {candidate.kind}  {candidate.path}：{outcome}")
        if found.devices:
            seen += len(found.devices)
            print("  设备清单条目 " + json.dumps({"kind": candidate.kind, "library": candidate.path, "name": candidate.name, "sha256": found.sha256},
                                              ensure_ascii=False))
    return 0 if seen else 1


def _enrolled() -> tuple[Station | None, Registry]:
    """The token drivers of the administrator's signed list. Raises what opening the store and checking the list raise."""
    folder = data_folder()
    with open_folder(folder, KeyCabinet()) as store:
        station = load(store)
    return station, Registry(line for line in listed(load_device_list(folder, station)) if line.kind == "tokens")


def _lists(files: Sequence[Path], issuers: Sequence[Path]) -> int:
    """Keeps what a known authority signed and is not older than what is kept; then shows all with its age. Exit code 1 where something was not kept."""
    now, refused = datetime.now(UTC), 0
    try:
        station, _ = _enrolled()
        assert station is not None
        kept = Revocations(data_folder() / REVOCATION_FOLDER)
        authorities = known_authorities(station.signer_roots, [one for path in issuers for one in certificates_in(path)])
        for path in files:
            try:
                kept.take(path.read_bytes(), authorities)
            except Trouble as trouble:
                refused += 1
                print(f"{path.name}：没有收下", file=sys.stderr)
                _complain(trouble)
    except Trouble as trouble:
        _complain(trouble)
        return 1
    except OSError as error:
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)
        return 1
    for row in kept.rows():
        print(f"{row.kind}  {row.issuer}  {row.this_update:%Y-%m-%d %H:%M}Z，{_age(row.age(now))}{'，已经过了该换新的日子' if row.stale(now) else ''}")
    if not kept.rows():
        print("没有吊销名单：有没有吊销，以省平台为准")
    return 1 if refused else 0


def _age(age: timedelta) -> str:
    return f"{age.days} 天前" if age.days else f"{int(age.total_seconds() // 3600)} 小时前"


def _lines(driver: TokenDriver, device: Device, station: Station | None, now: datetime) -> Iterator[str]:
    yield f"{device.name}（{driver.name}，序列号 {device.serial or '无'}{'，练习' if device.emulated else ''}）"
    try:
        with driver.open(device) as token:
            state, certificates = token.pin_state(), token.certificates()
    except Trouble as trouble:
        yield f"  {say(trouble).title} [{trouble.code}]"
        return
    yield f"  PIN: {_pin(state)}"
    if not certificates:
        yield "  没有带私钥的证书"
    for certificate in certificates:
        try:
            facts = certificate_facts(certificate.der)
        except Trouble as trouble:
            yield f"  证书读不懂 [{trouble.code}]"
            continue
        yield f"  {facts.name}（编号 {facts.id or '无'}，{facts.organisation}）"
        yield f"    有效期 {facts.not_before:%Y-%m-%d} 至 {facts.not_after:%Y-%m-%d}，{_days(facts, now)}；密钥 {facts.key_kind}"
        yield f"    签发 {facts.issuer}；序列号 {facts.serial}"
        yield f"    {_standing(certificate.der, certificate.chain, facts, station, now)}"


def _pin(state: PinState) -> str:
    if state.locked:
        return "已锁住，只能找发证机构解锁"
    words = ["只剩最后一次" if state.last_try else "近来输错过" if state.low else "正常"]
    if state.tries_left is not None and not state.last_try:
        words.append(f"还可试 {state.tries_left} 次")
    if state.default_pin:
        words.append("还是出厂 PIN，要先改")
    if state.pin_pad:
        words.append("在 Key 上输入")
    return "，".join(words)


def _days(facts: CertificateFacts, now: datetime) -> str:
    if now > facts.not_after:
        return "已过期"
    if now < facts.not_before:
        return "还没生效"
    left = facts.not_after - now
    return f"还有 {left.days} 天" + ("，快到期了" if left < SOON else "")


def _standing(der: bytes, chain: Sequence[bytes], facts: CertificateFacts, station: Station | None, now: datetime) -> str:
    """What the province says of this certificate and this person, as far as this station knows."""
    if station is None:
        return "未对根证书（没有用本机的登记）"
    try:
        standing = Revocations(data_folder() / REVOCATION_FOLDER).standing(der, chain, station.signer_roots, now)
    except CertificateTrouble as trouble:
        return f"不能用：{WHY.get(str(trouble.facts['why']), str(trouble.facts['why']))}"
    person = station.person(facts.id)
    age = standing.age(now)
    listed = f"；没有被吊销（{_age(age)}的名单）" if age is not None else "；有没有吊销，以省平台为准"
    return (f"可信；角色 {'、'.join(person.roles)}" if person else "可信，但人员名单里没有这个编号") + listed


def _complain(trouble: Trouble) -> None:
    message = say(trouble)
    print(f"{message.title}。{message.cause}{message.next} [{trouble.code}]", file=sys.stderr)
