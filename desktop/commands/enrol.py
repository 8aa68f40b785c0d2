"""``hall-intake enrol``: makes this machine a window of a hall, with the province's invitation, a one-time code and the administrator's token.

Never keeps a PIN, never tries one twice, never enrols over an enrolment; the PIN is not an argument, for arguments can be read by everybody.
"""

from __future__ import annotations

import argparse
import getpass
import os
import platform
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from desktop.effects.token_signer import TokenSigner
from desktop.folders import data_folder
from desktop.messages import say
from desktop.settings import SETTINGS_FILE, Settings
from devices.base import Device
from devices.errors import NoToken, TokenTrouble
from devices.tokens.contract import PinState, Token, TokenCertificate
from devices.tokens.known import driver_for, kind_of
from resources.trouble import Trouble
from sync.enrolment import enrol
from sync.envelope import keyid_of
from sync.errors import CertificateTrouble, EnrolledAlready
from sync.journal import Journal
from sync.keys import KeyCabinet
from sync.signing import certificate_facts, make_signature
from sync.station import Invitation, Station
from sync.store import open_folder

__all__ = ["AskPin", "add_arguments", "run", "sign_with_token"]

AskPin = Callable[[PinState, str], str | None]
"""Asks a person for the PIN of the named token; None where it is typed on the token's own keys."""

_MOST_INVITATION = 64 * 1024


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of this command."""
    parser.add_argument("--invitation", type=Path, required=True, metavar="文件", help="省平台给的邀请文件 (the province's invitation file)")
    parser.add_argument("--code", required=True, metavar="ABCD-EFGH-JKLM-NPQR", help="一次性代码，另外送来的 (the one-time code)")
    parser.add_argument("--hall", required=True, metavar="510100-01", help="大厅编号 (hall)")
    parser.add_argument("--window", required=True, metavar="07", help="窗口编号 (window)")
    parser.add_argument("--token", type=Path, required=True, metavar="库", help="管理员 Key 的库（PKCS#11、SKF），完整路径 (library of the token)")
    parser.add_argument("--signer", default="", metavar="编号", help="Key 里有几张证书时，用哪一个人的 (id in the certificate, where there are several)")
    parser.add_argument("--pin-file", type=int, metavar="描述符", help="从这个已打开的文件描述符读 PIN，不在屏幕上问 (read the PIN from this open descriptor)")
    parser.add_argument("--again", action="store_true", help="这台机器登记过：用给它的新登记码恢复，编号和记录不变 (make this very station good again)")
    parser.add_argument("--proxy", default="", metavar="http://主机:端口", help="经过这个代理 (go through this proxy)")


def run(args: argparse.Namespace) -> int:
    """Exit code: 0 enrolled, 1 a named trouble, 2 an invitation file that cannot be read."""
    try:
        with args.invitation.open("rb") as file:
            content = file.read(_MOST_INVITATION)
    except OSError as error:
        print(f"{args.invitation}: {error.strerror}", file=sys.stderr)
        return 2
    ask_pin = _typed_pin if args.pin_file is None else _pin_from(args.pin_file)
    try:
        invited = Invitation.read(content)
        print(f"省平台 {invited.name}（{invited.province}{'，练习' if invited.practice else ''}），{invited.url}")
        print(f"根密钥 {_spaced(keyid_of(invited.root_key))}：请和书面通知核对 (compare with the letter)")
        station = _enrolled(args, content, invited, ask_pin)
    except Trouble as trouble:
        message = say(trouble)
        print(f"{message.title}。{message.cause}{message.next} [{trouble}]", file=sys.stderr)
        return 1
    print(f"已登记 enrolled: {station.station_id}，{station.hall_name}（{station.hall}）{station.window} 号窗口")
    print(f"设备证书有效期至 {station.certificate_until:%Y-%m-%d}；名单上 {len(station.people)} 人")
    return 0


def _enrolled(args: argparse.Namespace, content: bytes, invited: Invitation, ask_pin: AskPin) -> Station:
    def sign(request: bytes) -> bytes:
        library = str(args.token)
        with closing(driver_for(kind_of(library) or "pkcs11", library, args.token.stem, emulated=invited.practice)) as driver:
            with driver.open(_only_token(driver.find())) as token:
                return sign_with_token(token, args.signer, ask_pin, request)

    machine = f"{platform.system()} {platform.release()} {platform.machine()}"
    with open_folder(data_folder(), KeyCabinet(), invited.practice, make=True) as store:
        if store.station_value("station_id") is not None and not args.again:  # before anybody types a PIN
            raise EnrolledAlready("this store is enrolled already", why="already")
        proxies = {"https": args.proxy} if args.proxy else None
        station = enrol(content, args.code, args.hall, args.window, sign, machine, store, again=args.again, proxies=proxies)
        with store.write() as tx:
            what = "station.enrolled_again" if args.again else "station.enrolled"
            Journal(store, station.station_id).write(tx, "station", what, "", {"certificate": station.certificate_digest})
    if args.proxy:  # the way that led to the province at the enrolment is the way of the application, too
        Settings(data_folder() / SETTINGS_FILE).choose("proxy", args.proxy)
    return station


def sign_with_token(token: Token, signer_id: str, ask_pin: AskPin, content: bytes) -> bytes:
    """A detached CMS over ``content`` by the person of the open ``token``; ``signer_id`` chooses where there are several, else it may be empty.

    The PIN is asked for once and goes to the token once. Raises TokenTrouble and its kinds, CertificateTrouble (why: ``signer``), SignatureInvalid.
    """
    certificate = _only_certificate(token.certificates(), signer_id)
    facts = certificate_facts(certificate.der)
    print(f"管理员 {facts.name}（{facts.id}）")
    token.login(ask_pin(token.pin_state(), token.device.name))
    try:
        return make_signature(content, TokenSigner(token, certificate, certificate.chain), datetime.now(UTC))
    finally:
        token.logout()


def _only_token(found: Sequence[Device]) -> Device:
    if not found:
        raise NoToken("no token is plugged in")
    if len(found) > 1:
        raise TokenTrouble(f"{len(found)} tokens are plugged in: leave only the administrator's", status="tokens")
    return found[0]


def _only_certificate(found: Sequence[TokenCertificate], signer_id: str) -> TokenCertificate:
    fitting = [one for one in found if not signer_id or certificate_facts(one.der).id == signer_id]
    if len(fitting) != 1:
        ids = sorted(certificate_facts(one.der).id for one in found)
        raise CertificateTrouble(f"{len(fitting)} certificates fit; on the token: {', '.join(ids) or 'none'}", why="signer")
    return fitting[0]


def _typed_pin(state: PinState, token: str) -> str | None:
    if state.pin_pad:
        print(f"请在 {token} 上输入 PIN")
        return None
    return getpass.getpass(f"{token} 的 PIN: ")


def _pin_from(descriptor: int) -> AskPin:
    def read(state: PinState, token: str) -> str | None:
        with os.fdopen(descriptor, "r", encoding="utf-8") as file:
            return file.readline().rstrip("\r\n")

    return read


def _spaced(keyid: str) -> str:
    return " ".join(keyid[i : i + 4] for i in range(0, len(keyid), 4))
