"""What happens in the demo: two faults come, tickets open, a crew works them, the telemetry closes them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from maintenance.ledger import queries
from maintenance.ledger.ledger import Ledger
from maintenance.ledger.queries import AlarmFilter, TicketFilter
from maintenance.moves import Move
from maintenance.people import Actor, Role
from maintenance.ticket import State, Ticket
from plant.errors import Conflict
from simulators.scenario import FaultPlan
from simulators.simulation import Simulation

_POLL_SECONDS = 0.2
CREW = Actor("王师傅", Role.CREW)
MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Episode:
    """One fault of the story: when it comes (minutes after the start), on what, and how long the repair takes."""

    fault: str
    after_minutes: int
    equipment: str
    rule: str
    repair_minutes: int
    words: tuple[str, str, str]
    """What is said when the fault comes, when the crew begins, and when it reports done (zh · en)."""


EPISODES = (
    Episode(
        "pump_dead",
        4,
        "chwp-1",
        "PU-01",
        6,
        (
            "冷冻水泵跳停,启动命令仍在 · the chilled-water pump stops with its command on",
            "王师傅接单,复位热继电器 · the crew accepts the ticket and resets the overload relay",
            "报完工,待遥测验证 · reported done; now the telemetry has to agree",
        ),
    ),
    Episode(
        "cold_supply_loss",
        16,
        "mix-1",
        "BH-05",
        4,
        (
            "淋浴高峰冷水中断,混水温度飙升 · cold water is lost at the peak of the showers",
            "王师傅到场,恢复冷水 · the crew is on site and restores the cold water",
            "确认无人受伤,复位烫伤锁定并报完工 · latch reset by a person, reported done",
        ),
    ),
)


class Story:
    """Plays the episodes one after another; `say` tells the viewer what happens."""

    def __init__(
        self, simulation: Simulation, ledger: Ledger, plant_now: Callable[[], int], say: Callable[[str], None]
    ) -> None:
        self.simulation, self.ledger, self.plant_now, self.say = simulation, ledger, plant_now, say
        self.told = 0

    async def play(self) -> None:
        """The whole story; ends when the last ticket is closed by the telemetry."""
        for episode in EPISODES:
            await self._plant_minutes(self.simulation.start, episode.after_minutes)
            self.say(episode.words[0])
            self.simulation.inject(FaultPlan(kind=episode.fault))
            ticket = await self._ticket(episode)
            self.say(f"工单 {ticket.id} 已开 ({ticket.severity.name}) · ticket {ticket.id} opened by {episode.rule}")
            await self._plant_minutes(self.plant_now(), 2)
            await self._move(ticket.id, State.ACKNOWLEDGED)
            await self._move(ticket.id, State.IN_PROGRESS)
            self.say(episode.words[1])
            await self._plant_minutes(self.plant_now(), episode.repair_minutes)
            self.simulation.repair(episode.fault)
            await self._plant_minutes(self.plant_now(), 3)
            await self._reset(episode)
            await self._move(ticket.id, State.VERIFYING)
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
        which = TicketFilter(equipment=episode.equipment, rule=episode.rule)
        while True:
            page = await asyncio.to_thread(self.ledger.read, queries.list_tickets, which)
            if page.items:
                return page.items[0]
            await asyncio.sleep(_POLL_SECONDS)

    async def _move(self, ticket: str, to: State) -> None:
        """A person's move; the engine may have been there first (an alarm that cleared by itself)."""
        now = await asyncio.to_thread(self.ledger.read, queries.ticket, ticket)
        if now.state is to:
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
            if found.state is State.CLOSED:
                return found
            await asyncio.sleep(_POLL_SECONDS)
