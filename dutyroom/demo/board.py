"""The demo's table in the terminal: machines, alarms and tickets as they are now, and what was just said."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text as Line

from dutyroom.service import Running
from maintenance.ledger import queries
from maintenance.ledger.rows import Alarm
from maintenance.texts import STATES
from maintenance.ticket import Ticket
from plant.instants import NEVER

SHOWN = {
    "ch-1": ("chw_supply_temp", "chw_return_temp", "active_power"),
    "chwp-1": ("pump_command", "pump_status", "pump_flow"),
    "ct-1": ("tower_leaving_temp", "fan_speed"),
    "tank-1": ("tank_temp_top", "tank_temp_bottom", "circ_return_temp"),
    "heater-1": ("heater_command", "heater_power"),
    "mix-1": ("mixed_water_temp", "mixing_valve_position", "cold_supply_pressure"),
}
_LINES = 8
_MARKS = {1: ("■", "bold red"), 2: ("▲", "bold dark_orange"), 3: ("◆", "yellow"), 4: ("●", "grey62")}


class Board:
    """Draws what the service holds; it asks the store and the ledger as any reader would."""

    def __init__(self, service: Running) -> None:
        self.service = service
        self.zone = ZoneInfo(service.content.plant.site.zone)
        self.lines: deque[str] = deque(maxlen=_LINES)

    def say(self, text: str) -> str:
        """Remember a line of the story; gives it with its plant time."""
        line = f"{self.clock()}  {text}"
        self.lines.append(line)
        return line

    def clock(self) -> str:
        """Plant time in the site's zone; an ellipsis before the first."""
        passed = self.service.passed()[0]
        return "…" if passed == NEVER else self._local(passed, "%m-%d %H:%M:%S")

    def draw(self) -> Group:
        """The whole table."""
        title = f"值班室 Dutyroom · {self.clock()} ({self.zone.key})"
        return Group(
            Panel(self._machines(), title=title, title_align="left"),
            Panel(self._tickets(), title="工单 tickets", title_align="left"),
            Panel(Line("\n".join(self.lines) or "…"), title="经过 story", title_align="left"),
        )

    def _local(self, at: int, form: str) -> str:
        return datetime.fromtimestamp(max(at, 0) / 1000, UTC).astimezone(self.zone).strftime(form)

    def _machines(self) -> Table:
        grid = Table("设备 machine", "读数 readings", "告警 alarms", expand=True, box=None)
        store, plant = self.service.store, self.service.content.plant
        active = self.service.ledger.read(
            queries.list_alarms, queries.AlarmFilter(state=queries.AlarmState.ACTIVE)
        ).items
        for machine_id, shown in SHOWN.items():
            machine = plant.site.equipment[machine_id]
            points = plant.points(machine)
            latest = store.latest(machine_id) if store else {}
            values = [
                f"{name} {latest[name][1]:.{min(points[name].decimals, 1)}f} {_unit(points[name].unit)}".strip()
                for name in shown
                if name in latest
            ]
            mine = [alarm for alarm in active if alarm.equipment == machine_id]
            grid.add_row(f"{machine.text.zh} {machine.text.en}", "  ".join(values), _alarms(mine))
        return grid

    def _tickets(self) -> Table:
        grid = Table(
            "号 no.",
            "级",
            "设备 machine",
            "规则 rule",
            "状态 state",
            "验证 proof",
            "开单 opened",
            expand=True,
            box=None,
        )
        for ticket in self.service.ledger.read(queries.list_tickets, limit=6).items:
            mark, style = _MARKS[int(ticket.severity)]
            state = STATES[ticket.state]
            grid.add_row(
                ticket.id,
                Line(f"{mark} {ticket.severity.name}", style=style),
                ticket.equipment or "",
                ticket.rule or "",
                f"{state.zh} {state.en}" + (f" ({ticket.resolution.value})" if ticket.resolution else ""),
                _proof(ticket),
                self._local(ticket.opened_at, "%H:%M:%S"),
            )
        return grid


def _alarms(alarms: Iterable[Alarm]) -> Line:
    line = Line()
    for alarm in alarms:
        mark, style = _MARKS[int(alarm.severity)]
        line.append(f"{mark} {alarm.rule} ", style=style)
    return line if line.plain else Line("正常 normal", style="grey62")


def _unit(unit: str) -> str:
    return {"bool": "", "Cel": "℃", "m3/h": "m³/h", "1": ""}.get(unit, unit)


def _proof(ticket: Ticket) -> str:
    if not ticket.needed_ms:
        return ""
    return f"{ticket.counted_ms // 60_000}/{ticket.needed_ms // 60_000} min"
