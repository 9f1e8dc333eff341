"""How the service itself stands: the way of the data part by part, its counters, gateways, notices, refusals, disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Path
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy import Connection

from api.deps import Disk, HistoryReads, Live
from api.probes import lags
from api.web.healthwords import (
    DANGERS,
    NOTICES,
    answer_text,
    channel_text,
    part_text,
    probe_text,
    reject_text,
    trouble_text,
)
from api.web.render import APage, Page, Values
from api.web.repairs import KINDS
from ingest.repairs import RepairKind
from maintenance.ledger import mutes, outbox, rejects
from maintenance.ledger.outbox import Channel
from maintenance.ledger.rows import Mute, Notice, NoticeState, Reject
from maintenance.people import Role
from plant.catalogue import Text
from plant.errors import Unavailable
from plant.instants import NEVER
from plant.site import Equipment, Plant

_DEAD_SHOWN = 20
_EXCERPT = 160
_GATEWAY, _ONLINE = "gateway", "online_status"

_CONNECTED, _LOST = Text("已连接", "connected"), Text("未连接", "not connected")
_LISTENING, _DEAF = Text("正在接收", "receiving"), Text("未接收", "not receiving")
_LEVEL = Text("已同步", "up to date")
_SITE = Text("现场数据", "Data of the site")


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the data path: how it stands, and whether that is well."""

    name: Text
    note: Text
    well: bool


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway: when it was last heard (ms UTC, None: never), and whether it says it is there."""

    machine: Equipment
    heard_at: int | None
    online: bool


@dataclass(frozen=True, slots=True)
class Refusals:
    """Messages refused for one reason, ever; `sample` is the newest, its payload as text cut to an excerpt."""

    reason: Text
    count: int
    last_at: int
    sample: Reject | None
    excerpt: str


@dataclass(frozen=True, slots=True)
class Books:
    """What the ledger says of notices, refusals and mutes, in one view."""

    channels: Sequence[Channel]
    dead: Sequence[Notice]
    refusals: Sequence[Refusals]
    mutes: Sequence[Mute]


async def show_health(page: APage) -> HTMLResponse:
    """The state of the service."""
    return page.render("health.html", **await _values(page))


async def live_health(page: APage) -> HTMLResponse:
    """The part of it that changes."""
    return page.render("health_live.html", **await _values(page))


async def retry_notice(page: APage, id: Annotated[int, Path(ge=1, le=2**62)]) -> Response:
    """Send a notice that was given up again, all attempts anew."""
    await page.office.act(page.office.deps.ledger.write, outbox.revive, id)
    return RedirectResponse("/health", 303)


async def _values(page: Page) -> Values:
    office = page.office
    live = office.deps.live.look()
    samples = page.caller is not None and page.caller.at_least(Role.ENGINEER)
    books = await office.read(_books, live.plant_time, samples=samples)
    return {
        "parts": [*_parts(live, office.deps.most_lag), *await _probed(page)],
        "rates": office.rates.per_second(),
        "counted": live.counted,
        "collected": live.collected,
        "offset": live.journal_offset,
        "gateways": await office.history(_gateways, office.deps.history, page.plant),
        "books": books,
        "disk": await _disk(page),
        "size": size,
        "behind": None if live.plant_time == NEVER else office.clock() - live.plant_time,
        "reject_text": reject_text,
        "repair_text": lambda kind: KINDS[RepairKind(kind)],
        "channel_text": channel_text,
        "answer_text": answer_text,
        "notices": NOTICES,
        "waiting": NoticeState.WAITING,
        "samples": samples,
    }


def _parts(live: Live, most_lag: int) -> list[Part]:
    """The data path in its order; a part that ails says why instead of how far it is."""
    found = [
        *_brokers(live),
        Part(_SITE, _LISTENING if live.listening else _DEAF, live.listening),
    ]
    found += [
        Part(part_text(consumer), _lag(lag), lag <= most_lag)
        for consumer, lag in sorted(lags(live).items())
        if consumer not in live.faults
    ]
    found += [Part(part_text(part), trouble_text(why), well=False) for part, why in sorted(live.faults.items())]
    return found


def _brokers(live: Live) -> list[Part]:
    """One part for all brokers together, or where there are several one for each, by its name."""
    each = live.collected.brokers if live.collected is not None else {}
    if len(each) < 2:
        each = {"": live.broker_connected}
    word = part_text("broker")
    names = {name: Text(f"{word.zh} {name}".strip(), f"{word.en} {name}".strip()) for name in each}
    found = [Part(names[name], _CONNECTED if up else _LOST, up) for name, up in each.items()]
    dangers = live.collected.dangers if live.collected is not None else {}
    return found + [
        Part(names.get(name, word), DANGERS[danger], well=False)
        for name, all_of in dangers.items()
        for danger in all_of
    ]


def _lag(lag: int) -> Text:
    return _LEVEL if lag == 0 else Text(f"落后 {lag} 条", f"{lag} entries behind")


async def _probed(page: Page) -> list[Part]:
    """Parts that do not answer when they are asked; of those that do nothing is said twice."""
    faults = [await probe.fault() for probe in page.office.probes]
    split = [fault.partition(": ") for fault in faults if fault is not None]
    return [Part(part_text(part), probe_text(why), well=False) for part, _, why in split]


async def _disk(page: Page) -> Disk | None:
    """None when the folder cannot be looked at."""
    try:
        return await page.office.history(page.office.deps.disk)
    except Unavailable:
        return None


def _gateways(history: HistoryReads, plant: Plant) -> list[Gateway]:
    """Every gateway, the one unheard the longest first."""
    found = []
    for machine in plant.site.equipment.values():
        if machine.type == _GATEWAY and not machine.retired:
            newest = history.latest(machine.id)
            heard = max((reading[0] for reading in newest.values()), default=None)
            found.append(Gateway(machine, heard, newest.get(_ONLINE, (0, 0.0, 0, 0))[1] > 0))
    return sorted(found, key=lambda gateway: (gateway.heard_at or 0, gateway.machine.path))


def _books(connection: Connection, now: int, *, samples: bool) -> Books:
    return Books(
        outbox.by_channel(connection),
        outbox.listed(connection, NoticeState.DEAD, _DEAD_SHOWN),
        _refusals(connection, samples=samples),
        mutes.in_force(connection, now),
    )


def _refusals(connection: Connection, *, samples: bool) -> list[Refusals]:
    """By reason, the newest first; samples only where they may be seen."""
    totals: dict[str, tuple[int, int]] = {}
    for row in rejects.counts(connection):
        count, last_at = totals.get(row.reason, (0, 0))
        totals[row.reason] = (count + row.count, max(last_at, row.last_at))
    found = []
    for reason, (count, last_at) in totals.items():
        newest = rejects.listed(connection, reason=reason, limit=1) if samples else []
        sample = newest[0][1] if newest else None
        found.append(Refusals(reject_text(reason), count, last_at, sample, excerpt(sample.payload) if sample else ""))
    return sorted(found, key=lambda one: -one.last_at)


def size(bytes: int) -> str:
    """Bytes as people say them."""
    for unit, factor in (("GB", 1 << 30), ("MB", 1 << 20)):
        if bytes >= factor:
            return f"{bytes / factor:.1f} {unit}"
    return f"{bytes / 1024:.0f} kB"


def excerpt(payload: bytes) -> str:
    """The beginning of a payload as text that can be shown: what is no text becomes a mark."""
    text = payload[: _EXCERPT * 4].decode("utf-8", "replace")
    shown = "".join(sign if sign.isprintable() else "·" for sign in text[:_EXCERPT])
    return shown + ("…" if len(text) > _EXCERPT else "")
