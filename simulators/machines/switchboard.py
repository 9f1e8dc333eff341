"""The low-voltage room: transformer, incomer and three feeders as arrays over boards and phases (DOMAIN §3.6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from simulators.board import Knobs
from simulators.machines.bank import Bank, Bools, Floats, generator
from simulators.machines.board_points import (
    BOARD_FLAGS,
    ELEC_S,
    JOINTS,
    LINES,
    PHASES,
    QUICK_CHANNELS,
    SLOW_CHANNELS,
)
from simulators.machines.device import HVAC_S
from simulators.machines.feeder_loads import FeederLoads
from simulators.machines.system import Frames, Moment
from simulators.physics.electric import (
    BUSBAR_TAU_S,
    CABLE_RISE_K,
    CABLE_TAU_S,
    GridNoise,
    approach,
    capacitor_kvar,
    joint_target,
    line_voltages,
    neutral_current,
    switch_capacitors,
    unbalance_u2,
    voltage_drop_percent,
)
from simulators.physics.water import lag

GATEWAY = "lv/gateway-1"
BOARDS = ("lv/incomer", "lv/feeder-bath", "lv/feeder-dorm", "lv/feeder-office")
RATED_A = np.array([1443.0, 800.0, 225.0, 250.0])

_NO_LOAD_V = 226.0
"""Phase voltage at no load on this tap: from the quiet night to the evening peak it stays within ±7 % of 220."""
_CAPACITOR_S = 30
_ROOM_TAU_S = 7200.0
_PANEL_K = 5.0
_BASE_RESIDUAL_MA = np.array([140.0, 45.0, 72.0, 55.0])
_THIRD = np.array([0.0, 0.01, 0.10, 0.12])
_FIFTH = np.array([0.0, 0.01, 0.03, 0.06])
_DEMAND_S = 900.0


class DormFeed(Protocol):
    """What hangs on the dormitory's feeder."""

    def load(self) -> tuple[Floats, Floats]:
        """kW and kvar of each phase."""

    def feed(self, voltages: Floats) -> None:
        """Phase voltages at the feeder's head, V."""


@dataclass(slots=True)
class _Meters:
    """What boards remember besides temperatures: kW·h, kvar·h, and the mean power of the last quarter of an hour."""

    active: Floats
    reactive: Floats
    quarter: Floats
    gathered: Floats
    since: float = 0.0


class Switchboard:
    """Board 0 is the incomer, the sum of the feeders less what the capacitors give."""

    period = ELEC_S
    voice = ELEC_S
    gateway = GATEWAY
    paths = BOARDS

    def __init__(self, seed: int, loads: FeederLoads, dorm: DormFeed) -> None:
        self._loads, self._dorm = loads, dorm
        self._grid = GridNoise(generator(seed, "grid"))
        self._quick = Bank(BOARDS, QUICK_CHANNELS, BOARD_FLAGS, seed)
        self._slow = Bank(BOARDS, SLOW_CHANNELS, (), seed)
        self._power = np.zeros((4, 3))
        self._reactive = np.zeros((4, 3))
        self._voltage = np.full((4, 3), _NO_LOAD_V)
        self._current = np.zeros((4, 3))
        self._steps = 0
        self._silent = False
        self._room = 26.0
        self._humidity = 55.0
        self._joints = np.full((4, 2, 3), 30.0)
        self._cable = np.full(4, 30.0)
        self._residual = _BASE_RESIDUAL_MA.copy()
        self._open = np.zeros(4, dtype=bool)
        self._meters = _Meters(np.full(4, 86_000.0), np.full(4, 21_000.0), np.zeros(4), np.zeros(4))

    def step(self, moment: Moment, knobs: Knobs, dt: float) -> None:
        """Voltages from the last load, then the load at these voltages, then what it warms and counts."""
        bus = _NO_LOAD_V * self._grid.step(moment.hour, dt) * (1 - knobs.get(BOARDS[0], "sag"))
        total = np.hypot(self._power[0], self._reactive[0])
        factor = np.divide(self._power[0], total, out=np.ones(3), where=total > 0)
        phases = bus * (1 - voltage_drop_percent(3 * total, factor) / 100)
        lost = np.array([knobs.get(path, "phase_lost") > 0 for path in BOARDS])
        self._open = np.array([knobs.get(path, "tripped") > 0 for path in BOARDS])
        self._voltage = np.tile(phases, (4, 1))
        self._voltage[lost | lost[0], 1] = 0.0
        self._feed(moment, knobs, dt)
        self._heat(moment, knobs, dt)
        self._count(dt)

    def _feed(self, moment: Moment, knobs: Knobs, dt: float) -> None:
        """Load of each feeder and phase; nothing flows through an open breaker or a lost phase."""
        self._dorm.feed(self._voltage[2] * ~(self._open[2] | self._open[0]))
        gains = np.array([1 + knobs.get(path, "load_gain") for path in BOARDS[1:]])
        power, reactive = self._loads.step(moment, self._dorm.load(), dt)
        live = (self._voltage[1:] > 0) & ~(self._open[1:, None] | self._open[0])
        self._power[1:] = power * gains[:, None] * live
        self._reactive[1:] = reactive * gains[:, None] * live
        self._power[0] = self._power[1:].sum(axis=0)
        drawn = self._reactive[1:].sum(axis=0)
        line = float(line_voltages(self._voltage[0]).mean())
        given = capacitor_kvar(self._steps, line)
        if moment.now // 1000 % _CAPACITOR_S == 0:
            self._steps = switch_capacitors(self._steps, float(self._power[0].sum()), float(drawn.sum()) - given)
        self._reactive[0] = drawn - given / 3 * (self._voltage[0] > 0)
        apparent = 1000 * np.hypot(self._power, self._reactive)
        self._current = np.divide(apparent, self._voltage, out=np.zeros((4, 3)), where=self._voltage > 0)

    def _heat(self, moment: Moment, knobs: Knobs, dt: float) -> None:
        """Room, panels, joints and cables; leakage grows with damp."""
        self._room = lag(self._room, 22 + 0.25 * max(moment.weather.temp, 0.0), _ROOM_TAU_S, dt)
        self._humidity = lag(self._humidity, moment.weather.humidity * 0.8, _ROOM_TAU_S, dt)
        loading = self._current / RATED_A[:, None]
        panel = self._panel()
        loose = np.ones((4, 2, 3))
        loose[:, 1, 1] += [knobs.get(path, "loose") for path in BOARDS]
        target = joint_target(panel[:, None, None], loading[:, None, :], loose)
        self._joints = approach(self._joints, target, BUSBAR_TAU_S, dt)
        hottest = panel + CABLE_RISE_K * loading.max(axis=1) ** 2
        self._cable = approach(self._cable, hottest, CABLE_TAU_S, dt)
        damp = 30 * max(0.0, (self._humidity - 70) / 30)
        faults = np.array([knobs.get(path, "leakage") for path in BOARDS])
        self._residual = _BASE_RESIDUAL_MA + damp + faults

    def _panel(self) -> Floats:
        """Air in the panels, °C: the room and 5 K at full load."""
        mean: Floats = self._room + _PANEL_K * self._current.mean(axis=1) / RATED_A
        return mean

    def _count(self, dt: float) -> None:
        """Energy meters, and the demand of the last full quarter of an hour."""
        meters, power = self._meters, self._power.sum(axis=1)
        meters.active += power * dt / 3600
        meters.reactive += np.maximum(self._reactive.sum(axis=1), 0) * dt / 3600
        meters.gathered += power * dt
        meters.since += dt
        if meters.since >= _DEMAND_S:
            meters.quarter = meters.gathered / meters.since
            meters.gathered, meters.since = np.zeros(4), 0.0

    def _quick_values(self) -> Mapping[str, Floats | Bools]:
        """True values of what is sent every ten seconds, over the boards."""
        power, reactive = self._power.sum(axis=1), self._reactive.sum(axis=1)
        apparent = np.hypot(power, reactive)
        third, _ = self._harmonics()
        angles = np.arctan2(self._reactive, np.maximum(self._power, 1e-9))
        rows: dict[str, Floats | Bools] = {
            "current_n": neutral_current(self._current, angles, self._current * third[:, None]),
            "active_power": power,
            "reactive_power": reactive,
            "power_factor": np.divide(power, apparent, out=np.ones(4), where=apparent > 0),
            "breaker_status": ~self._open,
            "breaker_trip_status": self._open,
        }
        for column, phase in enumerate(PHASES):
            rows[f"voltage_{phase}"] = self._voltage[:, column]
            rows[f"current_{phase}"] = self._current[:, column]
        return rows

    def _slow_values(self) -> Mapping[str, Floats | Bools]:
        """True values of what is sent every minute, over the boards."""
        lines = line_voltages(self._voltage)
        third, fifth = self._harmonics()
        loading = self._current.mean(axis=1) / RATED_A
        rows: dict[str, Floats | Bools] = {
            "apparent_power": np.hypot(self._power.sum(axis=1), self._reactive.sum(axis=1)),
            "frequency": np.full(4, self._grid.frequency),
            "harmonic_current_3": 100 * third,
            "harmonic_current_5": 100 * fifth,
            "voltage_unbalance_u2": unbalance_u2(lines),
            "residual_current": self._residual,
            "cable_temp": self._cable,
            "panel_ambient_temp": self._panel(),
            "panel_humidity": np.full(4, self._humidity),
            "energy_active_import_total": self._meters.active,
            "energy_reactive_total": self._meters.reactive,
            "demand_active_15min": self._meters.quarter,
        }
        for column, (phase, line) in enumerate(zip(PHASES, LINES, strict=True)):
            rows[f"active_power_{phase}"] = self._power[:, column]
            rows[f"reactive_power_{phase}"] = self._reactive[:, column]
            rows[f"voltage_{line}"] = lines[:, column]
            rows[f"thd_voltage_{phase}"] = 1.6 + 1.2 * loading
            rows[f"thd_current_{phase}"] = 100 * np.hypot(third, fifth)
            for place, joint in enumerate(JOINTS):
                rows[f"joint_temp_{joint}_{phase}"] = self._joints[:, place, column]
        return rows

    def _harmonics(self) -> tuple[Floats, Floats]:
        """Third and fifth harmonic as shares of each board's current; the incomer's is the feeders' mean by power."""
        third, fifth = _THIRD.copy(), _FIFTH.copy()
        power = self._power[1:].sum(axis=1)
        total = float(power.sum())
        if total > 0:
            third[0] = float(third[1:] @ power) / total
            fifth[0] = float(fifth[1:] @ power) / total
        return third, fifth

    def settle(self, dt: float) -> None:
        """Let the meters follow."""
        self._quick.follow(self._quick_values(), dt)
        self._slow.follow(self._slow_values(), dt)

    def say(self, second: int, knobs: Knobs, *, heard: bool, first: bool) -> Frames:
        """Electricity every ten seconds; heat, quality and counters with it every minute."""
        self._quick.follow(self._quick_values(), float(self.period))
        minute = second % HVAC_S == 0 or first or self._silent
        if minute:
            self._slow.follow(self._slow_values(), float(HVAC_S))
        self._silent = not heard
        if not heard:
            self._quick.refresh()
            self._slow.refresh()
            return []
        frames = self._quick.frames(second, knobs)
        if not minute:
            return frames
        slow = dict(self._slow.frames(second, knobs))
        return [(path, points | slow.get(path, {})) for path, points in frames]
