"""The dormitory: 24 rooms on three phases, metered at the edge each second, heard on change and each minute."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import numpy as np

from simulators.board import Knobs
from simulators.machines.bank import Bools, Floats
from simulators.machines.device import Value
from simulators.machines.residents import Residents
from simulators.machines.system import Frames, Moment
from simulators.physics.appliances import RoomLoad, solve_rooms
from simulators.sensors import quantise

GATEWAY = "dorm/gateway-1"
ROOMS = tuple(f"dorm/room-{floor}{door:02}" for floor in (2, 3, 4) for door in range(1, 9))
_ROW = {path: row for row, path in enumerate(ROOMS)}

_RISER_OHM = 0.03
_DEADBAND_W = 10.0
_STEP_W = 60.0
_EDGE_S = 15
"""A step is followed by a sample each second for this long: a stable window of 10 s and what led up to it.

Before the step the held value is within the dead band of 10 W, so a stable window is known there without samples.
"""
_HEARTBEAT_S = 60
_AC_W, _AC_VAR = 600.0, 255.0
"""An inverter machine that heats at part load: what guard DM-01g of DOMAIN §3.4 knows, less than 1 kW and 205 var."""
_AUX_CYCLE_S, _AUX_S = 720, 360
_PC_W, _PC_VAR = 190.0, 205.0
_FRIDGE_W, _FRIDGE_VAR = 100.0, 133.0
_FRIDGE_CYCLE_S, _FRIDGE_S = 2820, 900


def plugged(knob: str, value: float, second: int) -> tuple[float, float, float]:
    """What a fault or look-alike adds at plant second `second`: W constant, W resistive (at 220 V), var.

    `resistance` is the W of a kettle or immersion heater. The others are legal: an air conditioner that heats, its
    auxiliary element half the time, a computer, a refrigerator.
    """
    match knob:
        case "resistance":
            return 0.0, value, 0.0
        case "auxiliary_heat":
            return _AC_W, value if second % _AUX_CYCLE_S < _AUX_S else 0.0, _AC_VAR
        case "computer":
            return value * _PC_W, 0.0, value * _PC_VAR
        case "refrigerator" if second % _FRIDGE_CYCLE_S < _FRIDGE_S:
            return value * _FRIDGE_W, 0.0, value * _FRIDGE_VAR
        case _:
            return 0.0, 0.0, 0.0


@dataclass(slots=True)
class _Said:
    """What the rooms last sent: true W and var behind the reading, and whether somebody was in."""

    power: Floats
    reactive: Floats
    present: Bools


class Dormitory:
    """Room i hangs on phase i mod 3. `feed` gives the voltage, `load` what the rooms draw of it."""

    period = 1
    voice = 1
    gateway = GATEWAY
    paths = ROOMS

    def __init__(self, seed: int) -> None:
        count = len(ROOMS)
        self._rng = Random(f"{seed}/dormitory")
        self._residents = Residents(count, seed)
        self._phase = np.arange(count) % 3
        self._head = np.full(3, 220.0)
        self._meter = solve_rooms(self._head[self._phase], self._residents.load())
        self._extra: tuple[tuple[int, float, float, float], ...] = ()
        self._energy = np.array([self._rng.uniform(400, 900) for _ in ROOMS])
        self._said = _Said(np.zeros(count), np.zeros(count), self._residents.present.copy())
        self._edge_until: dict[int, int] = {}
        self._moved = False
        self._fresh = True
        self._beats = {s: {r for r in range(count) if (s + 2 * r) % _HEARTBEAT_S == 0} for s in range(_HEARTBEAT_S)}

    def feed(self, voltages: Floats) -> None:
        """Phase voltages at the head of the feeder, V."""
        self._head = voltages
        self._solve()

    def load(self) -> tuple[Floats, Floats]:
        """kW and kvar of each phase."""
        power = np.bincount(self._phase, self._meter.power, 3) / 1000
        return power, np.bincount(self._phase, self._meter.reactive, 3) / 1000

    def step(self, moment: Moment, knobs: Knobs, dt: float) -> None:
        """People and appliances, then what faults plug in."""
        changed = self._residents.step(moment)
        second = moment.now // 1000
        if second % _HEARTBEAT_S == 0:
            self._residents.look(moment.hour)
        self._energy += self._meter.power * dt / 3.6e6
        extra = tuple(
            (_ROW[path], *plugged(knob, value, second)) for (path, knob), value in knobs.turned.items() if path in _ROW
        )
        if changed or extra != self._extra:
            self._extra = extra
            self._solve()

    def _solve(self) -> None:
        """Load and voltage of every room from what runs now."""
        load = self._residents.load()
        resistive = np.zeros(len(ROOMS))
        for room, constant, heat, reactive in self._extra:
            load.constant[room] += constant
            resistive[room] += heat
            load.reactive[room] += reactive
        before = np.bincount(self._phase, self._meter.current, 3)
        head = np.maximum(self._head - _RISER_OHM * before, 0.0)[self._phase]
        surge = self._residents.surge
        self._meter = solve_rooms(head, RoomLoad(load.constant + surge, resistive, load.reactive + surge))
        self._moved = True

    def settle(self, dt: float) -> None:
        """Meters have no lag."""

    def say(self, second: int, knobs: Knobs, *, heard: bool, first: bool) -> Frames:
        """Rooms whose load moved, whose step is fresh, whose people came or went, and those whose minute it is."""
        if not heard:
            self._fresh = True
            return []
        beat = self._beats[second % _HEARTBEAT_S]
        due = set(range(len(ROOMS))) if first or self._fresh else beat | self._restless(second)
        self._fresh = False
        return [(ROOMS[room], self._frame(room, knobs, full=room in beat or first)) for room in sorted(due)]

    def _restless(self, second: int) -> set[int]:
        """Rooms with something new to say."""
        said = self._said
        rooms: set[int] = set()
        if second % _HEARTBEAT_S == 0:
            rooms |= set(np.flatnonzero(said.present != self._residents.present).tolist())
        if self._moved:
            self._moved = False
            change = np.abs(self._meter.power - said.power)
            moved = (change >= _DEADBAND_W) | (np.abs(self._meter.reactive - said.reactive) >= _DEADBAND_W)
            rooms |= set(np.flatnonzero(moved).tolist())
            for room in np.flatnonzero(change >= _STEP_W).tolist():
                self._edge_until[room] = second + _EDGE_S
        for room, until in list(self._edge_until.items()):
            if until < second:
                del self._edge_until[room]
            else:
                rooms.add(room)
        return rooms

    def _frame(self, room: int, knobs: Knobs, *, full: bool) -> dict[str, Value]:
        """What one meter sends: electricity always, the rest with the heartbeat."""
        meter, said = self._meter, self._said
        power, reactive = float(meter.power[room]), float(meter.reactive[room])
        said.power[room], said.reactive[room] = power, reactive
        points: dict[str, Value] = {
            "voltage": self._read(float(meter.voltage[room]), 0.2, 0.1),
            "current": self._read(float(meter.current[room]), 0.003, 0.01),
            "active_power": self._read(power / 1000, 0.0005, 0.001),
            "reactive_power": self._read(reactive / 1000, 0.0005, 0.001),
        }
        if full or said.present[room] != self._residents.present[room]:
            said.present[room] = self._residents.present[room]
            points["room_occupancy_status"] = bool(said.present[room])
        if full:
            points["energy_active_total"] = quantise(float(self._energy[room]), 0.01)
            points["relay_status"] = True
            points["residual_current"] = self._read(3.0, 0.3, 0.1)
        return {point: value for point, value in points.items() if not knobs.sensor(ROOMS[room], point).dropout}

    def _read(self, value: float, sigma: float, quantum: float) -> float:
        """One reading with the meter's noise, not below zero."""
        return quantise(max(0.0, self._rng.gauss(value, sigma)), quantum)
