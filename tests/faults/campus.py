"""The campus of the fault runs: forty machines, what they measure when healthy, and what goes wrong with them when."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from plant.catalogue import Text
from plant.cataloguefile import load_catalogue
from plant.site import Equipment, Mode, Plant, PlantClock, Site
from tests.faults import edge

SITE = "faults"
START = 1_763_856_000_000
"""2025-11-23T00:00:00Z [ms UTC]."""
STEP_MS = 20_000
"""Each machine speaks once a step of plant time, and the plant clock follows."""
MINUTE_MS = 60_000
MINUTES = 200
CLOCK_TOPIC = f"dutyroom/v1/{SITE}/clock"

JOINT = "joint_temp_{loc}_{phase}"

Values = Mapping[str, float]

HEALTHY: Mapping[str, Values] = {
    "gateway": {"supply_voltage": 24.0, "board_temp": 41.0},
    "pump": {
        "pump_command": 1,
        "pump_status": 1,
        "pump_flow": 190.0,
        "discharge_pressure": 450.0,
        "active_power": 18.0,
    },
    "mixing_valve": {"mixed_water_temp": 39.0, "mixed_water_flow": 12.0, "cold_supply_pressure": 320.0},
    "electric_heater": {"heater_command": 1, "heater_status": 1, "heater_power": 60.0, "element_temp": 95.0},
    "lv_feeder": {
        "voltage_l1": 221.0,
        "voltage_l2": 222.0,
        "voltage_l3": 220.5,
        "joint_temp_incoming_l1": 45.0,
        "joint_temp_incoming_l2": 46.0,
        "panel_ambient_temp": 31.0,
    },
    "chiller": {
        "chiller_run_status": 1,
        "chw_supply_temp": 7.0,
        "chw_return_temp": 12.0,
        "chw_flow": 190.0,
        "cond_sat_temp": 36.5,
        "cw_leaving_temp": 35.0,
    },
    "ahu": {"sf_status": 1, "sat": 14.2, "sat_setpoint": 14.0, "mat": 24.0, "clg_valve_command": 60.0},
}
FLEET: tuple[tuple[str, str, int], ...] = (
    ("gw", "gateway", 2),
    ("pump", "pump", 10),
    ("mix", "mixing_valve", 6),
    ("heater", "electric_heater", 6),
    ("feeder", "lv_feeder", 8),
    ("chiller", "chiller", 4),
    ("ahu", "ahu", 4),
)
PARAMETERS: Mapping[str, Values] = {
    "electric_heater": {"rated_power": 64.0},
    "chiller": {"rated_capacity": 1_200.0, "rated_power": 220.0, "design_chw_flow": 206.0},
}
RELATIONS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "pump-9": {"gateway": ("gw-2",)},
    "pump-10": {"gateway": ("gw-2",)},
    "heater-6": {"gateway": ("gw-2",)},
    "chiller-3": {"fed_by": ("pump-1",)},
    "chiller-4": {"fed_by": ("pump-4",)},
}


@dataclass(frozen=True, slots=True)
class Episode:
    """From `start` to `end` [plant minutes] a machine measures other values; `silent`: it says nothing at all."""

    equipment: str
    start: float
    end: float
    values: Values = field(default_factory=dict)
    silent: bool = False


_STOPPED = {"pump_status": 0, "pump_flow": 0.3, "active_power": 0.2}
_FOR_EVER = 10_000.0

EPISODES: tuple[Episode, ...] = (
    Episode("pump-1", 10, 20, _STOPPED),
    Episode("pump-2", 20, 24, _STOPPED),
    Episode("pump-3", 30, _FOR_EVER, _STOPPED),
    Episode("pump-4", 40, _FOR_EVER, _STOPPED),
    Episode("pump-5", 50, _FOR_EVER, _STOPPED),
    Episode("pump-6", 60, _FOR_EVER, _STOPPED),
    Episode("pump-7", 35, 38, _STOPPED),
    Episode("pump-8", 70, 75, {"pump_command": 0}),
    Episode("pump-8", 80, 82, _STOPPED),
    Episode("pump-9", 15, 17, _STOPPED),
    Episode("pump-9", 70, 72, _STOPPED),
    Episode("mix-1", 12, 20, {"mixed_water_temp": 44.0}),
    Episode("mix-2", 30, 35, {"mixed_water_temp": 44.5}),
    Episode("mix-2", 35, 40, {"mixed_water_temp": 47.5}),
    Episode("mix-3", 60, 61, {"mixed_water_temp": 51.5}),
    Episode("mix-4", 150, _FOR_EVER, {"mixed_water_temp": 44.0}),
    Episode("mix-5", 90, 90.9, {"mixed_water_temp": 44.0}),
    Episode("heater-1", 20, 50, {"heater_power": 1.0}),
    Episode("heater-2", 90, 140, {"heater_power": 1.0}),
    Episode("heater-3", 60, 74, {"heater_power": 1.0}),
    Episode("feeder-1", 30, 45, {"voltage_l1": 238.0}),
    Episode("feeder-1", 45, 55, {"voltage_l1": 246.0}),
    Episode("feeder-1", 55, 65, {"voltage_l1": 238.0}),
    Episode("feeder-2", 80, 82, {"voltage_l2": 256.5}),
    Episode("feeder-3", 20, 40, {"joint_temp_incoming_l1": 76.0}),
    Episode("feeder-3", 40, 50, {"joint_temp_incoming_l1": 98.0}),
    Episode("feeder-3", 50, 60, {"joint_temp_incoming_l1": 76.0}),
    Episode("feeder-4", 100, _FOR_EVER, {"joint_temp_incoming_l2": 76.0}),
    Episode("feeder-5", 40, 80, {"voltage_l3": 239.0}),
    Episode("feeder-5", 60, 66, silent=True),
    Episode("feeder-6", 90, _FOR_EVER, {"voltage_l1": 500.0}),
    Episode("chiller-1", 40, 50, {"chw_supply_temp": 3.5}),
    Episode("chiller-2", 60, 65, {"chw_supply_temp": 2.4}),
    Episode("chiller-3", 20, 120, {"cond_sat_temp": 39.5}),
    Episode("chiller-4", 60, _FOR_EVER, {"cond_sat_temp": 39.5}),
    Episode("ahu-1", 0, 90, {"sat": 18.0, "clg_valve_command": 100.0}),
    Episode("ahu-2", 30, 120, {"sat": 18.0, "clg_valve_command": 0.0}),
    *(Episode(name, 100, 130, silent=True) for name in ("gw-2", "pump-9", "pump-10", "heater-6")),
)


@dataclass(frozen=True, slots=True)
class Said:
    """One message of a device: its machine, its own time [ms UTC] and what it measured; `body` where it is no frame."""

    equipment: str
    topic: str
    ts: int
    points: Values
    body: bytes = b""

    def payload(self) -> bytes:
        """Native frame, or what else the machine speaks."""
        return self.body or json.dumps({"ts": self.ts, "points": self.points}, separators=(",", ":")).encode()


def plant() -> Plant:
    """The campus under the catalogue; its clock is published on a topic."""
    machines = {}
    for prefix, kind, count in FLEET:
        for number in range(1, count + 1):
            name = f"{prefix}-{number}"
            machines[name] = Equipment(
                name,
                f"{prefix}/{name}",
                kind,
                Text(name, name),
                parameters=PARAMETERS.get(kind, {}),
                members={JOINT: {"loc": ("incoming",), "phase": ("l1", "l2")}} if kind == "lv_feeder" else {},
                relations=RELATIONS.get(name, {}),
                interval_ms=STEP_MS,
                bindings=edge.bindings(name, HEALTHY[kind]) if kind == edge.TYPE else (),
            )
    site = Site(SITE, "Asia/Shanghai", Text("故障场", "Fault runs"), machines, PlantClock.TOPIC, Mode.LIVE)
    return Plant(load_catalogue(), site)


def steps(where: Plant, seed: int, minutes: int = MINUTES) -> Iterator[tuple[int, tuple[Said, ...]]]:
    """(plant time, what the machines say up to it), step by step; the same seed says the same.

    The air handlers speak Sparkplug through one edge node; all others native frames.
    """
    machines = list(where.site.equipment.values())
    speaker = edge.Speaker([machine.id for machine in machines if machine.type == edge.TYPE])
    for number in range(1, minutes * MINUTE_MS // STEP_MS + 1):
        now = START + number * STEP_MS
        said = []
        for place, machine in enumerate(machines):
            ts = now - (len(machines) - place) * (STEP_MS // (len(machines) + 1))
            points = _points(machine, ts, seed + number)
            if points is not None and machine.type == edge.TYPE:
                spoken = speaker.say(machine.id, ts, points)
                said += [Said(who, topic, at, values, body) for who, at, values, (topic, body) in spoken]
            elif points is not None:
                said.append(Said(machine.id, f"dutyroom/v1/{SITE}/{machine.path}/telemetry", ts, points))
        yield now, tuple(said)


def clock(now: int) -> bytes:
    """The message of the plant clock."""
    return json.dumps({"ts": now}, separators=(",", ":")).encode()


def _points(machine: Equipment, ts: int, seed: int) -> Values | None:
    minute = (ts - START) / MINUTE_MS
    values = dict(HEALTHY[machine.type])
    for episode in EPISODES:
        if episode.equipment == machine.id and episode.start <= minute < episode.end:
            if episode.silent:
                return None
            values.update(episode.values)
    return {name: _wobbled(name, value, f"{machine.id}/{name}/{seed}") for name, value in values.items()}


def _wobbled(name: str, value: float, key: str) -> float:
    """A sensor's value with noise of ±0.15 units ±0.25 %; what stands still by nature stands still."""
    if name.endswith(("_command", "_status", "_setpoint")):
        return value
    noise = zlib.crc32(key.encode()) / 2**32 - 0.5
    return round(value + noise * (0.3 + 0.005 * value), 3)
