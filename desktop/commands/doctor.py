"""``hall-intake doctor cards``: readers, profile, security module, a masked dry read, and what to do. Never records anything, never shows a person's data.

The device list is read as it lies in the data folder, without checking its signature: diagnosis must work where the store does not open. The
application itself checks it at every start.
"""

from __future__ import annotations

import argparse
import json
import logging
import platform
import sys
from collections.abc import Mapping
from datetime import UTC, date, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, TextIO

from desktop.folders import data_folder
from desktop.messages import say
from devices.base import Cancel
from devices.cards.readers import Readers
from devices.doctor import CardsReport, MaskedRead, ReaderReport, examine_cards
from devices.errors import DeviceListInvalid, DeviceTrouble, NoCard
from devices.installed import listed
from devices.registry import Registry
from devices.traffic import TRAFFIC, name_level, trace_to
from resources.trouble import Trouble

__all__ = ["add_arguments", "print_cards", "run"]

LARGEST_LIST = 1 << 20
KINDS = {
    "resident": "居民身份证", "hmt_permit": "港澳台居民居住证",
    "foreign_2017": "外国人永久居留身份证 (2017版)", "foreign_2023": "外国人永久居留身份证 (2023版)",
}
FIELDS = {
    "name_zh": "姓名", "name_latin": "外文姓名", "number": "号码", "address": "住址", "newest_address": "最新住址", "issuer": "签发机关",
    "valid_to": "有效期至",
}
DRIVERS = {"pcsc": "智能卡服务 (PC/SC)", "serial": "串口和串口服务器", "vendor": "厂商读卡库"}
PHOTOS = {"decoded": "已解码", "no_decoder": "没有厂商解码库, 未解码"}
WHO = {"operator": "窗口人员", "administrator": "管理员", "issuer": "发证机构", "province": "省平台", "nobody": "不用处理"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", nargs="?", default="cards", choices=("cards",), help="检查什么: cards = 读卡器 (what is checked: the card readers)")
    parser.add_argument("--no-read", action="store_true", help="不试读证件 (does not read a card)")
    parser.add_argument("--traffic", action="store_true", help="显示与读卡器的通信，个人信息已遮盖 (the reader's traffic, personal data masked)")
    parser.add_argument("--trace", metavar="FILE", type=Path,
                        help="把检查结果和与读卡器的通信写进一个新文件，交给厂商客服，个人信息已遮盖 (all of it in a new file for the vendor)")


def run(args: argparse.Namespace) -> int:
    """0: all readers are fine (a reader without a card on it is); 1: something is wrong."""
    if args.traffic:
        name_level()
        logging.basicConfig(level=TRAFFIC, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")
    if args.trace is None:
        return print_cards(_examine(not args.no_read), sys.stdout)
    try:
        with trace_to(args.trace, _head()):
            report = _examine(not args.no_read)
        with args.trace.open("a", encoding="utf-8") as file:
            print_cards(report, file)
    except OSError as failed:
        print(f"文件写不了: {args.trace}: {failed.strerror}", file=sys.stderr)
        return 1
    code = print_cards(report, sys.stdout)
    print(f"\n已写进 {args.trace}, 姓名和号码已遮盖, 可以交给厂商客服", file=sys.stdout)
    return code


def _examine(dry_read: bool) -> CardsReport:
    try:
        registry = Registry(line for line in listed(_device_list(data_folder())) if line.kind == "cards")
        try:
            return examine_cards(registry.entries, date.today(), Cancel(), dry_read)
        finally:
            Readers(registry.cards()).close()
    except DeviceTrouble as trouble:
        return CardsReport((), trouble)


def _head() -> list[str]:
    """What a helpdesk asks first: versions, nothing of this person or machine's owner."""
    versions = [f"{name} {_version(name)}" for name in ("hall-intake", "pyscard", "pyserial")]
    return [f"# {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}  {', '.join(versions)}", f"# {platform.system()} {platform.release()} {platform.machine()}, "
            f"Python {platform.python_version()}, {sys.maxsize.bit_length() + 1} bit"]


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "-"


def _device_list(folder: Path) -> Mapping[str, Any]:
    """The list in ``folder``; a missing one is an empty one. Raises DeviceListInvalid."""
    try:
        with (folder / "devices.json").open("rb") as file:
            untrusted: Any = json.loads(file.read(LARGEST_LIST))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as wrong:
        raise DeviceListInvalid(f"devices.json: {type(wrong).__name__}", entry="devices.json", why="不是可读的 JSON") from wrong
    if not isinstance(untrusted, dict):
        raise DeviceListInvalid("devices.json is no object", entry="devices.json", why="不是可读的 JSON")
    return untrusted


def print_cards(report: CardsReport, out: TextIO) -> int:
    """Prints the report in Chinese; the exit code."""
    print("读卡器检查 (设备清单未在此核对签名)", file=out)
    for driver in report.drivers:
        print(f"{DRIVERS.get(driver.name, driver.name)}: {'正常' if driver.trouble is None else '不能用'}, 读卡器 {driver.readers} 台", file=out)
        if driver.trouble is not None and driver.trouble is not report.trouble:
            _print_trouble(driver.trouble, "  ", out)
    if report.trouble is not None:
        _print_trouble(report.trouble, "", out)
    for number, reader in enumerate(report.readers, 1):
        _print_reader(number, reader, out)
    if report.ports:
        print("\n没有登记的串口 (不会打开):", file=out)
    for port in report.ports:
        print(f"  {port}", file=out)
    wrong = [reader for reader in report.readers if reader.trouble is not None and not isinstance(reader.trouble, NoCard)]
    return 1 if report.trouble is not None or wrong else 0


def _print_reader(number: int, reader: ReaderReport, out: TextIO) -> None:
    seen = reader.seen
    print(f"\n读卡器 {number}: {seen.device.name}{'  (模拟设备)' if seen.device.emulated else ''}", file=out)
    print(f"  系统名称: {seen.device.address}", file=out)
    print(f"  读卡器配置: {seen.profile or '没有 (不会打开这台设备)'}", file=out)
    print(f"  证件: {'有, 无应答' if seen.mute else '有' if seen.card else '没有'}{'  ATR ' + seen.atr.hex().upper() if seen.atr else ''}", file=out)
    if seen.profile:
        print(f"  安全模块: {'正常, 编号 ' + reader.sam if reader.sam else '没有问到'}", file=out)
    if reader.read is not None:
        _print_read(reader.read, out)
    if reader.trouble is not None:
        _print_trouble(reader.trouble, "  ", out)


def _print_read(read: MaskedRead, out: TextIO) -> None:
    print(f"  试读: 成功, {read.seconds:.2f} 秒 (内容已遮盖)", file=out)
    print(f"    证件种类: {KINDS[read.fields['kind']]}", file=out)
    for name, label in FIELDS.items():
        if read.fields[name]:
            print(f"    {label}: {read.fields[name]}", file=out)
    photo = PHOTOS.get(read.photo) or f"解码库出错, 未解码 ({read.photo})"
    print(f"    照片: {read.photo_bytes} 字节 ({photo})", file=out)
    for finding in read.findings:
        print(f"    注意: {_title(finding.code)} ({finding.code})", file=out)


def _title(code: str) -> str:
    """The words of a finding, which has a message like a trouble."""
    kind = type("Finding", (Trouble,), {"code": code})
    return say(kind).title


def _print_trouble(trouble: DeviceTrouble, indent: str, out: TextIO) -> None:
    message = say(trouble)
    print(f"{indent}问题: {message.title} ({message.code})", file=out)
    if message.cause:
        print(f"{indent}说明: {message.cause}", file=out)
    print(f"{indent}怎么办: {message.next}  [{WHO[message.who]}]", file=out)
    if trouble.detail:
        print(f"{indent}详情: {trouble.detail}", file=out)
