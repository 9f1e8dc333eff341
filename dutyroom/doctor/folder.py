"""What lies in the data folder: journal, ledger, plant, users, and how far the rules and the store have come."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import duckdb

from dutyroom.backup import HOT, JOURNAL
from dutyroom.content import Content
from dutyroom.doctor.findings import Finding, bad, failed, ok, warn
from dutyroom.rules_consumer import CONSUMER
from history.journal import JournalFollower
from history.verify import verify
from maintenance.ledger.ledger import Ledger
from maintenance.ledger.schema import is_current
from maintenance.ledger.users import listed
from maintenance.people import Role
from plant.catalogue import Text
from plant.errors import DutyroomError, Unavailable
from plant.site import Mode, Plant

_RESTORE = Text("用 `dutyroom restore` 恢复备份", "restore a backup with `dutyroom restore`")
MOST_LAG = 10_000
"""Entries a consumer of a running service may be behind before it is worth a word."""


def check_folder(data: Path) -> Iterator[Finding]:
    """Whether the folder is there and may be written."""
    if not data.is_dir():
        yield bad(
            "settings",
            Text(f"没有数据目录 {data}", f"there is no data folder {data}"),
            Text(
                "用 --data 指定，或先 `dutyroom plant import`",
                "name it with --data, or begin with `dutyroom plant import`",
            ),
        )
    elif not os.access(data, os.R_OK | os.W_OK | os.X_OK):
        yield bad(
            "settings",
            Text(f"数据目录 {data} 不可写", f"the data folder {data} cannot be written"),
            Text("以服务账号运行，或改正属主与权限", "run as the service's account, or mend owner and mode"),
        )
    elif strangers := sorted(path.name for path in data.iterdir() if path.stat().st_uid != data.stat().st_uid):
        listed = ", ".join(strangers[:3])
        yield bad(
            "settings",
            Text(f"{listed} 的属主与目录 {data} 不同", f"{listed} belong to another account than {data}"),
            Text(f"chown -R --reference={data} {data}", f"chown -R --reference={data} {data}"),
        )
    elif data.stat().st_mode & 0o007:
        yield warn(
            "settings",
            Text(f"任何本机用户都能读 {data}", f"anybody on this machine may read {data}"),
            Text(f"chmod o-rwx {data}", f"chmod o-rwx {data}"),
        )
    else:
        yield ok("settings", f"数据目录 {data}", f"data folder {data}")


def check_journal(path: Path, *, quick: bool) -> Iterator[Finding]:
    """Whether the journal is whole; `quick` looks at its ends only."""
    try:
        if quick:
            follower = JournalFollower(path)
            first, last = follower.first_offset, follower.last_offset
            follower.close()
            yield ok(
                "journal", f"第 {first} 至 {last} 条（未逐条校验）", f"offsets {first} to {last}, not read through",
                first=first, last=last,
            )  # fmt: skip
            return
        report = verify(path)
    except Unavailable as error:
        yield warn(
            "journal",
            Text("还没有日志", f"{error}"),
            Text("启动服务后即建立", "it comes with the first start of the service"),
        )
        return
    except DutyroomError as error:
        yield failed("journal", error)
        return
    if report.problems:
        first_words = "; ".join(report.problems[:3])
        yield bad("journal", Text(f"已损坏：{first_words}", f"damaged: {first_words}"), _RESTORE)
    else:
        yield ok(
            "journal",
            f"完好，{report.entries:,} 条，第 {report.first} 至 {report.last} 条",
            f"whole, {report.entries:,} entries, offsets {report.first} to {report.last}",
            first=report.first,
            last=report.last,
        )


def check_ledger(path: Path) -> Iterator[Finding]:
    """Whether the ledger is sound and of this version."""
    if not path.exists():
        yield bad(
            "ledger",
            Text(f"没有工单库 {path}", f"there is no ledger {path}"),
            Text("先 `dutyroom plant import`", "begin with `dutyroom plant import`"),
        )
        return
    try:
        db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=10)
        try:
            problems = [text for (text,) in db.execute("PRAGMA quick_check(3)") if text != "ok"]
        finally:
            db.close()
    except sqlite3.Error as error:
        problems = [str(error)]
    if problems:
        words = "; ".join(problems)
        yield bad("ledger", Text(f"已损坏：{words}", f"damaged: {words}"), _RESTORE)
        return
    try:
        current = is_current(path)
    except DutyroomError as error:
        yield failed("ledger", error)
        return
    if current:
        yield ok("ledger", "完好，版本相符", "sound and of this version")
    else:
        yield warn(
            "ledger",
            Text("表结构属于较早的版本", "its schema is of an earlier version"),
            Text("先备份；下次启动时自动升级", "back up; it is brought up at the next start"),
        )


def check_plant(ledger: Ledger) -> Iterator[Finding]:
    """Whether a plant is in force, and whether anything in it would open a ticket."""
    plant = plant_in(ledger)
    if plant is None:
        yield bad(
            "plant",
            Text("尚未导入站点", "no plant has been imported"),
            Text("dutyroom plant import FOLDER", "dutyroom plant import FOLDER"),
        )
        return
    site = plant.site
    text = Text(
        f"{site.id}：{len(site.equipment)} 台设备，时区 {site.zone}",
        f"{site.id}: {len(site.equipment)} equipments, zone {site.zone}",
    )
    live = site.mode is Mode.LIVE or any(
        Mode.LIVE in machine.rule_modes.values() for machine in site.equipment.values()
    )
    if live:
        yield ok("plant", text.zh, text.en, equipment=len(site.equipment))
    else:
        yield warn(
            "plant",
            Text(
                f"{text.zh}，全部处于观察模式，不会开单", f"{text.en}; all in observe mode, so no ticket will be opened"
            ),
            Text("确认规则可信后设 mode: live", "set mode: live once the rules are trusted"),
        )


def plant_in(ledger: Ledger) -> Plant | None:
    """The plant in force; None before the first."""
    latest = ledger.latest_config()
    return None if latest is None else Content.decode(latest.content).plant


def check_users(ledger: Ledger) -> Iterator[Finding]:
    """Whether anybody can sign in, and somebody as admin."""
    users = [user for user in ledger.read(listed) if not user.disabled]
    if not users:
        yield warn(
            "users",
            Text("还没有用户", "there is no user yet"),
            Text(
                "首次启动会建管理员并在标准错误输出密码；或 dutyroom user add NAME --role admin",
                "the first start makes an administrator and says its password on stderr; "
                "or dutyroom user add NAME --role admin",
            ),
        )
    elif not any(user.role is Role.ADMIN for user in users):
        yield warn(
            "users",
            Text(f"{len(users)} 个用户，没有管理员", f"{len(users)} users, none of them admin"),
            Text("dutyroom user add NAME --role admin", "dutyroom user add NAME --role admin"),
        )
    else:
        yield ok("users", f"{len(users)} 个", f"{len(users)}", users=len(users))


def check_rules(data: Path, ledger: Ledger, site: str, *, runs: bool) -> Iterator[Finding]:
    """How far the rules have committed, against the journal."""
    last = _journal_end(data / JOURNAL)
    if last is not None:
        yield lag("rules", last - ledger.offset(CONSUMER, site), runs=runs)


def check_store(data: Path, kind: str) -> Iterator[Finding]:
    """How far the store is, for a service that stands still; a running one is asked itself."""
    last = _journal_end(data / JOURNAL)
    if last is None:
        return
    stored = 0
    try:
        if kind == "influx":
            file = data / "influx.offset"
            stored = int(json.loads(file.read_text())["offset"]) if file.exists() else 0
        elif (data / HOT).exists():
            with duckdb.connect(str(data / HOT), read_only=True) as db:
                stored = int(db.execute("SELECT done FROM progress").fetchall()[0][0])
    except (duckdb.Error, ValueError, KeyError) as error:
        yield bad(
            "history",
            Text(f"进度不可读：{error}", f"how far it is cannot be read: {error}"),
            Text("移走该文件，由日志重建", "move the file away: it is rebuilt from the journal"),
        )
        return
    yield lag("history", last - stored, runs=False)


def lag(check: str, behind: int, *, runs: bool) -> Finding:
    """What it means that a consumer is so many entries behind."""
    figures = {"lag": float(behind)}
    if behind < 0:
        return bad(
            check, Text(f"超前日志 {-behind} 条", f"{-behind} entries ahead of the journal"), _RESTORE, **figures
        )
    if runs and behind > MOST_LAG:
        return warn(
            check,
            Text(f"落后日志 {behind:,} 条", f"{behind:,} entries behind the journal"),
            Text(
                "看服务日志中的 held up；看 CPU 与磁盘", "look for `held up` in the service's log, then at CPU and disk"
            ),
            **figures,
        )
    if runs or not behind:
        return ok(check, f"落后日志 {behind:,} 条", f"{behind:,} entries behind the journal", **figures)
    return ok(check, f"下次启动补读 {behind:,} 条", f"{behind:,} entries to read at the next start", **figures)


def _journal_end(path: Path) -> int | None:
    try:
        follower = JournalFollower(path)
        last = follower.last_offset
        follower.close()
    except DutyroomError:
        return None  # said by the journal's own check
    return last
