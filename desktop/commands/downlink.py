"""``hall-intake downlink``: what the province laid down for this station, how old it is, and what it changed. Never asks the province, never shows a name."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime

from desktop.commands.saying import complain, say_way_out
from desktop.folders import data_folder
from desktop.hall_time import at_hall
from resources.trouble import Trouble
from sync.changes import Told, recent
from sync.downlink import PURPOSES
from sync.editions import current, missing, workdays
from sync.journal import Journal
from sync.keys import KeyCabinet
from sync.station import Station, load
from sync.store import Store, open_folder
from sync.tables import Tables

__all__ = ["CHANGE_WORDS", "add_arguments", "lines_of", "run"]

_LISTS = {"roots": "公钥和根证书 keys and roots", "settings": "本窗口设置 settings", "tables": "代码表 code tables", "states": "记录状态 states of records"}
CHANGE_WORDS = {
    "key.added": "新公钥 key added", "key.ended": "公钥停用 key ended", "intake.other": "收件密钥已更换 intake key changed",
    "recovery.other": "恢复密钥已更换 recovery key changed", "signer_root.added": "新的签名根证书 signer root added",
    "signer_root.removed": "签名根证书已撤下 signer root removed", "tls_root.added": "新的连接根证书 TLS root added",
    "tls_root.removed": "连接根证书已撤下 TLS root removed", "person.added": "新增人员 person added", "person.removed": "人员已移出 person removed",
    "person.roles": "人员权限已变 roles changed", "reader.added": "新增读卡器 reader added", "reader.removed": "读卡器已移出 reader removed",
    "station.added": "本厅新增窗口电脑 station added", "station.removed": "窗口电脑已移出 station removed", "station.state": "窗口电脑状态已变 station's state",
    "hall.other": "大厅已变 hall changed", "window.other": "窗口号已变 window changed", "retention.other": "密封包保留天数 days of retention",
    "publicity.other": "公示工作日 working days of publicity",
    "late.other": "签名后送晚的规定已变 rule on what comes late",
    "certificate.other": "本机设备证书已更换 device certificate renewed", "table.edition": "代码表有新版 new edition",
    "table.removed": "代码表已撤下 table removed",
    "table.rows": "代码表内容已更新 rows updated",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of this command."""
    parser.add_argument("--changes", type=int, default=30, metavar="N", help="最近 N 条变化 (the newest N changes)")


def run(args: argparse.Namespace) -> int:
    """Exit code: 0 done, 1 a named trouble. The program must be closed."""
    try:
        with open_folder(data_folder(), KeyCabinet()) as store:
            station = load(store)
            for line in lines_of(station, store, Journal(store, station.station_id), datetime.now(UTC), max(0, args.changes)):
                print(line)
    except Trouble as trouble:
        complain(trouble)
        say_way_out(trouble)
        return 1
    return 0


def lines_of(station: Station, store: Store, journal: Journal, now: datetime, most: int) -> Iterator[str]:
    """What is printed. Raises FormatTrouble where a kept table is no table."""
    for purpose in PURPOSES:
        if (link := station.kept.get(purpose)) is not None:
            age = "已过期，照用 expired, used on" if link.expired(now) else f"有效到 good until {_local(link.expires_at)}"
            yield f"{_LISTS[purpose]}\t第 {link.version} 版\t{_local(link.issued_at)}\t{age}"
    shipped = Tables.load()
    if coming := missing(station, shipped, store):
        yield "还没收到的代码表 tables still to come: " + ", ".join(coming)
    calendar = workdays(current(shipped, station, store))
    years = sorted({day.year for day in calendar.worked})
    yield f"工作日历 calendar of working days: {', '.join(map(str, years)) or '无 none'}；以后的日期为暂定 later dates are provisional"
    told = recent(journal, most) if most else ()
    yield f"最近的变化 newest changes: {len(told)}"
    yield from (_line(one) for one in told)


def _line(one: Told) -> str:
    words = CHANGE_WORDS.get(one.change.kind, one.change.kind)
    return "\t".join(part for part in (_local(one.at), words, one.change.what, one.change.now) if part)


def _local(moment: datetime) -> str:
    return f"{at_hall(moment):%Y-%m-%d %H:%M}"
