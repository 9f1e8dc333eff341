"""What only the demo's pages may do: break and mend machines, and let the viewer in without a password."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from api.deps import DemoTrick, Making
from dutyroom.demo.floor import Floor
from plant.catalogue import Text
from plant.errors import NotFound


@dataclass(frozen=True, slots=True)
class Trick:
    """A way to break the demo: the fault, its words, and what to watch for."""

    kind: str
    title: Text
    watch: Text
    plan: Mapping[str, object]


TRICKS: tuple[Trick, ...] = (
    Trick(
        "ch_cond_fouling",
        Text("冷凝器结垢", "Foul the condenser"),
        Text(
            "1 号冷水机组的趋近温度升高；负荷率 0.4 以上（白天）持续 1 小时（演示约 1 分钟）后开一般工单。",
            "The approach of chiller 1 rises; an hour of it at load 0.4 or more (a minute here, by day): a P3 ticket.",
        ),
        {"kind": "ch_cond_fouling", "ramp": "20m"},
    ),
    Trick(
        "phase_loss",
        Text("馈线缺相", "Lose a phase"),
        Text(
            "数秒内开紧急工单，并锁定到人工复位。",
            "A P1 ticket within seconds; it stays latched until a person resets it.",
        ),
        {"kind": "phase_loss"},
    ),
    Trick(
        "cold_supply_loss",
        Text("浴室断冷水", "Cut the cold water of the showers"),
        Text(
            "0、8、16 点换班后有人淋浴一个半小时，其间混水温度飙升，数秒内开紧急工单。",
            "People shower after the changes at 0, 8 and 16, for an hour and a half: the water turns hot, a P1 ticket.",
        ),
        {"kind": "cold_supply_loss"},
    ),
    Trick(
        "illegal_heater",
        Text("宿舍插上电热水壶", "Plug a kettle in a dormitory room"),
        Text(
            "该房间出现纯阻性功率阶跃，约 30 秒后开工单。",
            "A resistive step in that room's power; a ticket after some 30 seconds.",
        ),
        {"kind": "illegal_heater"},
    ),
    Trick(
        "gateway_silence",
        Text("关掉浴室网关", "Switch the bathhouse gateway off"),
        Text(
            "数据中断，15 分钟（演示 15 秒）后只开一张网关工单，它身后的设备停止判定。",
            "Data stops; after 15 minutes (15 seconds here) one ticket for the gateway, and no judging behind it.",
        ),
        {"kind": "gateway_silence", "at": "bath/gateway-1"},
    ),
)


class Desk:
    """The demo's desk (`api.deps.DemoDesk`) over a floor. `made` tells how far plant time has come."""

    def __init__(self, floor: Floor, start: int, present: int, made: Callable[[], int]) -> None:
        self.user = "demo"
        self._floor = floor
        self._start, self._present, self._made = start, present, made
        self._key: str | None = secrets.token_urlsafe(16)
        self._broken: set[str] = set()

    def failure(self) -> BaseException | None:
        """Why the machines have stopped, if they have."""
        return self._floor.failure()

    @property
    def key(self) -> str | None:
        """What lets the viewer in, once; None when it has been used."""
        return self._key

    def admits(self, key: str) -> bool:
        """Whether this is the key; it is worth nothing afterwards."""
        right = self._key is not None and secrets.compare_digest(self._key, key)
        if right:
            self._key = None
        return right

    def making(self) -> Making:
        """How much of the past there is."""
        return Making(self._start, max(self._start, self._made()), self._present)

    def tricks(self) -> Sequence[DemoTrick]:
        """Every way to break it, and which are broken now."""
        return [DemoTrick(trick.kind, trick.title, trick.watch, trick.kind in self._broken) for trick in TRICKS]

    async def inject(self, kind: str) -> None:
        """Break it; broken twice is broken once."""
        trick = next((trick for trick in TRICKS if trick.kind == kind), None)
        if trick is None:
            raise NotFound(f"the demo has no trick {kind}")
        if kind not in self._broken:
            await self._floor.inject(trick.plan)
            self._broken.add(kind)

    async def repair(self, kind: str) -> None:
        """Mend it."""
        if kind in self._broken:
            await self._floor.repair(kind)
            self._broken.discard(kind)
