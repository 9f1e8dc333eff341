"""What happens in the demo: two faults come, tickets open, somebody works them, the telemetry closes them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from dutyroom.demo.floor import Floor
from maintenance.ledger import queries
from maintenance.ledger.ledger import Ledger
from maintenance.ledger.queries import AlarmFilter, TicketFilter
from maintenance.moves import Move
from maintenance.people import Actor, Role
from maintenance.ticket import State, Ticket
from plant.errors import Conflict

_POLL_SECONDS = 0.2
CREW = Actor("王师傅", Role.CREW)
MINUTE_MS = 60_000
PATIENCE_MINUTES = 20
"""How long the script waits for the viewer to take the next step before it takes it itself, plant time."""


@dataclass(frozen=True, slots=True)
class Episode:
    """One fault of the story: when it comes (minutes after the present), on what, and how long the repair takes."""

    fault: str
    after_minutes: int
    equipment: str
    rule: str
    repair_minutes: int
    words: tuple[str, str, str]
    """What is said when the fault comes, when work begins, and when it is reported done (zh · en)."""


EPISODES = (
    Episode(
        "pump_dead",
        4,
        "chwp-1",
        "PU-01",
        6,
        (
            "冷冻水泵跳停，启动命令仍在 · the chilled-water pump stops with its command on",
            "接单到场，复位热继电器 · the crew is there and resets the overload relay",
            "报完工，待遥测验证 · reported done; now the telemetry has to agree",
        ),
    ),
    Episode(
        "cold_supply_loss",
        16,
        "mix-1",
        "BH-05",
        4,
        (
            "淋浴高峰冷水中断，混水温度飙升 · cold water is lost at the peak of the showers",
            "到场恢复冷水 · the crew is on site and restores the cold water",
            "确认无人受伤，复位烫伤锁定并报完工 · latch reset by a person, reported done",
        ),
    ),
)


class Story:
    """Plays the episodes one after another; `say` tells the viewer what happens, `plant_now` is ms UTC."""

    def __init__(
        self, floor: Floor, ledger: Ledger, plant_now: Callable[[], int], say: Callable[[str], None], *, present: int
    ) -> None:
        self.floor, self.ledger, self.plant_now, self.say, self.present = floor, ledger, plant_now, say, present
        self.told = 0

    async def play(self, *, patience: int = PATIENCE_MINUTES) -> None:
        """The whole story; ends when the last ticket is closed by the telemetry."""
        await self._plant_minutes(self.present, 0)
        self.say("历史已补完，现在开始 · the past is made; the present begins")
        for episode in EPISODES:
            await self._plant_minutes(self.present, episode.after_minutes)
            self.say(episode.words[0])
            await self.floor.inject({"kind": episode.fault})
            ticket = await self._ticket(episode)
            self.say(f"工单 {ticket.id} 已开 ({ticket.severity.name}) · ticket {ticket.id} opened by {episode.rule}")
            await self._by_somebody(ticket.id, State.ACKNOWLEDGED, patience)
            await self._by_somebody(ticket.id, State.IN_PROGRESS, 2)
            self.say(episode.words[1])
            await self._plant_minutes(self.plant_now(), episode.repair_minutes)
            await self.floor.repair(episode.fault)
            await self._plant_minutes(self.plant_now(), 3)
            await self._reset(episode)
            await self._by_somebody(ticket.id, State.VERIFYING, patience)
            self.say(episode.words[2])
            closed = await self._closed(ticket.id)
            word = closed.resolution.value if closed.resolution else closed.state.value
            self.say(f"工单 {closed.id} 由遥测验证关闭 · ticket {closed.id} closed by telemetry: {word}")
            self.told += 1

    async def _plant_minutes(self, since: int, minutes: int) -> None:
        # plant time comes from another thread, which tells nobody when it moves
        while self.plant_now() < since + minutes * MINUTE_MS:  # noqa: ASYNC110
            await asyncio.sleep(_POLL_SECONDS)

    async def _ticket(self, episode: Episode) -> Ticket:
        which = TicketFilter(equipment=episode.equipment, rule=episode.rule, since=self.present)
        while True:
            page = await asyncio.to_thread(self.ledger.read, queries.list_tickets, which)
            if page.items:
                return page.items[0]
            await asyncio.sleep(_POLL_SECONDS)

    async def _by_somebody(self, ticket: str, to: State, patience: int) -> None:
        """Wait until the viewer has brought the ticket as far as `to`; do it for them when they leave it for long."""
        until = self.plant_now() + patience * MINUTE_MS
        while self.plant_now() < until:
            now = await asyncio.to_thread(self.ledger.read, queries.ticket, ticket)
            if _reached(now, to):
                return
            await asyncio.sleep(_POLL_SECONDS)
        await self._move(ticket, to)

    async def _move(self, ticket: str, to: State) -> None:
        """A person's move; the engine or the viewer may have been there first."""
        now = await asyncio.to_thread(self.ledger.read, queries.ticket, ticket)
        if _reached(now, to):
            return
        try:
            await asyncio.to_thread(self.ledger.move_ticket, ticket, Move(to, CREW, self.plant_now()))
        except Conflict as conflict:
            self.say(f"{ticket}: {conflict}")

    async def _reset(self, episode: Episode) -> None:
        which = AlarmFilter(equipment=episode.equipment, rule=episode.rule)
        page = await asyncio.to_thread(self.ledger.read, queries.list_alarms, which)
        for alarm in page.items:
            if alarm.cleared_at is None:
                await asyncio.to_thread(self.ledger.reset_alarm, alarm.id, CREW, self.plant_now())

    async def _closed(self, ticket: str) -> Ticket:
        while True:
            found = await asyncio.to_thread(self.ledger.read, queries.ticket, ticket)
            if found.finished:
                return found
            await asyncio.sleep(_POLL_SECONDS)


_WAY = (State.OPEN, State.ACKNOWLEDGED, State.IN_PROGRESS, State.VERIFYING, State.CLOSED)


def _reached(ticket: Ticket, to: State) -> bool:
    """Whether the ticket has come as far as `to` on its way, or has left it."""
    return ticket.state not in _WAY or _WAY.index(ticket.state) >= _WAY.index(to)
