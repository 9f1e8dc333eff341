"""A small campus that does what a test says: its machines speak MQTT to a real service, its clock is the test's."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from sqlalchemy import Connection, func, select

from dutyroom.content import Content
from maintenance.ledger import Ledger, codes, reports
from maintenance.ledger.queries import list_tickets
from maintenance.ledger.rows import Phrase
from maintenance.ledger.tables import commands
from maintenance.moves import Move
from maintenance.people import Actor, Role
from maintenance.ticket import State
from plant.cataloguefile import load_catalogue
from plant.instants import parse_instant
from plant.registry import load_site
from plant.site import Plant
from rules.loader import load_pack
from tests.support.programs import Mosquitto, free_port, wait_until

T0 = parse_instant("2026-07-20T08:00:00Z")
MINUTE = 60_000
PASSWORD = "schichtwechsel-16"  # noqa: S105 - of accounts that live as long as a test
SITE = Path(__file__).parent / "site.yaml"
PEOPLE = {"陈国强": Role.ENGINEER, "王磊": Role.CREW, "李敏": Role.CREW, "赵敏": Role.VIEWER, "admin2": Role.ADMIN}


NORMAL: Mapping[str, Mapping[str, float]] = {
    "plant/chiller-1": {
        "chiller_enable_command": 1,
        "chiller_run_status": 1,
        "chw_supply_temp": 7.0,
        "chw_return_temp": 12.0,
        "chw_supply_temp_setpoint": 7.0,
        "chw_flow": 170.0,
        "cw_flow": 240.0,
        "cw_entering_temp": 30.0,
        "cw_leaving_temp": 34.5,
        "cond_sat_temp": 35.9,
        "evap_sat_temp": 5.9,
        "active_power": 180.0,
        "oil_temp": 46.0,
    },
    "plant/chw-pump-1": {"pump_command": 1, "pump_status": 1, "pump_flow": 170.0, "speed": 86.0, "active_power": 15.0},
    "bath/mixing-valve-1": {
        "mixed_water_temp": 39.8,
        "mixed_water_temp_setpoint": 40.0,
        "mixing_valve_position": 60.0,
        "mixed_water_flow": 12.0,
        "cold_water_temp": 12.0,
        "hot_water_temp": 59.0,
        "cold_supply_pressure": 250.0,
        "hot_supply_pressure": 245.0,
    },
    "lv/feeder-1": {
        "voltage_l1": 224.0,
        "voltage_l2": 223.5,
        "voltage_l3": 224.4,
        "current_l1": 210.0,
        "current_l2": 205.0,
        "current_l3": 208.0,
        "panel_ambient_temp": 30.0,
        "joint_temp_incoming_l1": 52.0,
        "joint_temp_incoming_l2": 53.0,
        "joint_temp_incoming_l3": 51.5,
    },
}
"""What each machine says while all is well."""


@dataclass
class Campus:
    """The service's address, and hands on the machines. `at` is plant time, ms UTC."""

    folder: Path
    url: str
    site: str
    client: Client
    at: int = T0
    values: dict[str, dict[str, float]] = field(default_factory=dict)

    def advance(self, minutes: float, **changed: Mapping[str, float]) -> None:
        """Live on: every machine speaks each ten seconds, `changed` values (`machine__name={...}`) from the start on.

        A machine is named by its path with `__` for `/` and `_` for `-`.
        """
        wait_until(self._relayed, seconds=30, what="what people did is in the journal")
        for name, points in changed.items():
            self.values[_path(name)] |= points
        end = self.at + round(minutes * MINUTE)
        while self.at < end:
            self.at += 10_000
            for path, points in self.values.items():
                body = json.dumps({"ts": self.at, "points": _alive(points, self.at)})
                self.client.publish(f"dutyroom/v1/{self.site}/{path}/telemetry", body, qos=1)
            self._tick()
        self.settle()

    def settle(self) -> None:
        """Wait until the service has judged everything up to now."""
        wait_until(lambda: self._passed() >= self.at - 5_000, seconds=60, what="the service has judged up to now")

    def _tick(self) -> None:
        info = self.client.publish(f"dutyroom/v1/{self.site}/clock", json.dumps({"ts": self.at}), qos=1)
        info.wait_for_publish(30)

    def _relayed(self) -> bool:
        with Ledger.open(self.folder / "ledger.db") as ledger:
            return ledger.read(_waiting_commands) == 0

    def _passed(self) -> int:
        with Ledger.open(self.folder / "ledger.db") as ledger:
            return ledger.plant_now() or 0

    def ticket(self, rule: str) -> str:
        """The id of the newest ticket of a rule; waits for it."""
        found: list[str] = []

        def there() -> bool:
            with Ledger.open(self.folder / "ledger.db") as ledger:
                found[:] = [id for id, name in ledger.read(_tickets) if name == rule]
            return bool(found)

        wait_until(there, seconds=30, what=f"a ticket of {rule}")
        return found[-1]

    def act(self, ticket: str, to: State) -> None:
        """Somebody at a desk elsewhere moves a ticket."""
        with Ledger.open(self.folder / "ledger.db") as ledger:
            ledger.move_ticket(ticket, Move(to, Actor("陈国强", Role.ENGINEER), self.at, "没有备件"))

    def code(self, equipment: str) -> str:
        """The code on a machine's label."""
        with Ledger.open(self.folder / "ledger.db") as ledger:
            return codes.printed(ledger.write(codes.ensure, [equipment], self.at)[equipment])

    def report(self, equipment: str) -> str:
        """The token of a report on a machine, told without an account."""
        token = f"reported-{equipment}".ljust(32, "x")
        with Ledger.open(self.folder / "ledger.db") as ledger:
            ledger.act(self.at, reports.report, reports.Told(equipment, Phrase.NOISE_OR_SMELL, token))
        return token


def _tickets(connection: Connection) -> list[tuple[str, str | None]]:
    return [(ticket.id, ticket.rule) for ticket in reversed(list_tickets(connection).items)]


def _waiting_commands(connection: Connection) -> int:
    waiting = select(func.count()).select_from(commands).where(commands.c.relayed_offset.is_(None))
    return int(connection.execute(waiting).scalar_one())


def _path(name: str) -> str:
    return next(path for path in NORMAL if path.replace("/", "__").replace("-", "_") == name)


def _alive(points: Mapping[str, float], at: int) -> dict[str, float]:
    """The values with a little unrest, so that no sensor looks stuck."""
    step = (at // 10_000) % 7 - 3
    return {name: value if value in (0, 1) else round(value + step * 0.05, 2) for name, value in points.items()}


@contextmanager
def campus(folder: Path, broker: Mosquitto, site: str, *, pumps: int = 0) -> Iterator[Campus]:
    """The service on a data folder of its own, with people who may sign in; ended in order after the block.

    `pumps` more pumps stand in a hall of their own; they say nothing by themselves.
    """
    data = folder / "data"
    data.mkdir(parents=True)
    _found(data, site, pumps)
    port = free_port()
    environment = {
        **os.environ,
        "DUTYROOM_BROKER__URL": broker.url,
        "DUTYROOM_BROKER__CLIENT_ID": site,
        "DUTYROOM_HTTP__PORT": str(port),
    }
    url = f"http://127.0.0.1:{port}"
    with ExitStack() as stack:
        log = stack.enter_context((folder / "service.log").open("wb"))
        command = [sys.executable, "-m", "dutyroom", "run", "--data", str(data)]
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        stack.callback(_end, process)
        wait_until(lambda: _healthy(url), seconds=60, what="the service answers")
        client = Client(CallbackAPIVersion.VERSION2)
        client.max_inflight_messages_set(200)
        client.connect(broker.host, broker.port)
        client.loop_start()
        stack.callback(client.loop_stop)
        stack.callback(client.disconnect)
        made = Campus(data, url, site, client, values={path: dict(points) for path, points in NORMAL.items()})
        yield made


def _found(data: Path, site: str, pumps: int) -> None:
    catalogue = load_catalogue()
    text = SITE.read_text(encoding="utf-8").replace("id: browser", f"id: {site}", 1)
    for number in range(1, pumps + 1):
        text += (
            f"  - {{id: hp-{number}, path: hall/pump-{number}, type: pump, interval: 10s, "
            f"name: {{zh: {number}号循环泵, en: Hall pump {number}}}}}\n"
        )
    where = data / "site.yaml"
    where.write_text(text, encoding="utf-8")
    plant = Plant(catalogue, load_site(where, catalogue))
    with Ledger.open(data / "ledger.db") as ledger:
        ledger.add_config(Content.of(plant, load_pack(catalogue=catalogue)).encode(), "test", T0)
        for name, role in PEOPLE.items():
            ledger.add_user(name, role, author="test", now=T0, password=PASSWORD)


def _healthy(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/healthz").status_code == 200
    except httpx2.HTTPError:
        return False


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
