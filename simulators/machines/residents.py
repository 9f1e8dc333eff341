"""Who is in the rooms and what runs: shifts, sleep, and appliances as semi-Markov processes, as arrays over rooms."""

from __future__ import annotations

import math
from random import Random

import numpy as np

from simulators.machines.bank import Bools, Floats, generator
from simulators.machines.system import Moment
from simulators.physics.appliances import APPLIANCES, Kind, RoomLoad
from simulators.physics.water import lag

_SHIFT_STARTS = (0.0, 8.0, 16.0)
_SLEEP = ((10.0, 17.0), (22.5, 6.0), (2.0, 9.5))
"""Local hours in which each shift sleeps."""
_AWAY_BEFORE_H = 0.75
_AWAY_H = 9.5
_AC_ABOVE = 27.0
_INDOORS_K = 3.0
_WALLS_S = 7200.0
_FIRST_SECOND = 0.3
"""Share of the first metered second that an inrush lasts."""
_LOOK_AGAIN_S = (300, 900)


class Residents:
    """Rooms 0 … n − 1; each room's people work the same shift, rooms with even numbers have a fridge."""

    def __init__(self, rooms: int, seed: int) -> None:
        self._rng = Random(f"{seed}/residents")
        self._shift = np.arange(rooms) // 3 % 3
        self._on: Bools = np.zeros((rooms, len(Kind)), dtype=bool)
        self._power: Floats = np.zeros((rooms, len(Kind)))
        self._until = generator(seed, "residents").integers(0, 900, (rooms, len(Kind)))
        self._base = 6.0 + 4.0 * generator(seed, "standby").random(rooms)
        self._tangent = np.array([APPLIANCES[kind].tangent for kind in Kind])
        self._next = 0
        self._started = self._surging = False
        self._indoors = 26.0
        self.surge = np.zeros(rooms)
        self.present: Bools = np.ones(rooms, dtype=bool)

    def step(self, moment: Moment) -> bool:
        """Live on to `moment`; whether any load changed. `surge` [W] holds what starts took in this second."""
        second = moment.now // 1000
        if not self._started:
            self._until += second
            self._started = True
        surging = self._surging
        if surging:
            self.surge[:] = 0.0
            self._surging = False
        if second % 60 == 0:
            self._indoors = lag(self._indoors, moment.weather.temp + _INDOORS_K, _WALLS_S, 60.0)
        if second < self._next:
            return surging
        changed = False
        for room, kind in np.argwhere(self._until <= second).tolist():
            changed |= self._switch(room, Kind(kind), moment)
        self._next = int(self._until.min())
        return changed or surging

    def _switch(self, room: int, kind: Kind, moment: Moment) -> bool:
        """An appliance's time is up: off, or on if somebody wants it; whether it changed."""
        second, appliance = moment.now // 1000, APPLIANCES[kind]
        away, asleep = self._whereabouts(room, moment.hour)
        if self._on[room, kind]:
            self._on[room, kind] = False
            self._until[room, kind] = second + self._seconds(appliance.off_minutes, appliance.spread)
            return True
        if not self._wanted(room, kind, moment.hour, away=away, asleep=asleep):
            self._until[room, kind] = second + self._rng.randint(*_LOOK_AGAIN_S)
            return False
        power = appliance.power * (1 + 0.03 * self._rng.gauss(0, 1))
        self._on[room, kind], self._power[room, kind] = True, power
        self._surging = True
        self.surge[room] += power * (appliance.inrush - 1) * _FIRST_SECOND
        self._until[room, kind] = second + self._seconds(appliance.on_minutes, appliance.spread)
        return True

    def _seconds(self, minutes: float, spread: float) -> int:
        return max(60, round(60 * minutes * math.exp(spread * self._rng.gauss(0, 1))))

    def _wanted(self, room: int, kind: Kind, hour: float, *, away: bool, asleep: bool) -> bool:
        match kind:
            case Kind.FRIDGE:
                return room % 2 == 0
            case Kind.AC:
                return not away and self._indoors > _AC_ABOVE
            case Kind.LIGHT:
                return not away and not asleep and not 7.5 <= hour < 18
            case _:
                return not away and not asleep

    def _whereabouts(self, room: int, hour: float) -> tuple[bool, bool]:
        """(on shift or on the way, asleep)."""
        shift = int(self._shift[room])
        begin, end = _SLEEP[shift]
        away = (hour - _SHIFT_STARTS[shift] + _AWAY_BEFORE_H) % 24 < _AWAY_H
        return away, (hour - begin) % 24 < (end - begin) % 24

    def look(self, hour: float) -> None:
        """Bring `present` up to local `hour`."""
        for room in range(len(self.present)):
            self.present[room] = not self._whereabouts(room, hour)[0]

    def load(self) -> RoomLoad:
        """What runs now, at nominal voltage, without what faults plug in."""
        running = self._on * self._power
        return RoomLoad(self._base + running.sum(axis=1), np.zeros(len(self._base)), running @ self._tangent)
