"""One simulated site: from a scenario to the messages its devices would send, second by second of plant time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from zoneinfo import ZoneInfo

import msgspec

from simulators.board import Fault, FaultBoard, Knobs
from simulators.machines.campus import campus
from simulators.machines.device import Value
from simulators.machines.system import Moment, System
from simulators.physics.weather import WeatherNoise, step_noise, weather_at
from simulators.scenario import FaultPlan, Scenario

_WARM_UP_S = 24 * 3600
_WARM_STEP_S = 30
_WEATHER_S = 60
_HEARTBEAT_S = 60
_KNOBS_S = 5
"""Faults come and go, and gateways fall silent, on these seconds."""
_WILL_DELAY_S = 90
"""A broker publishes the last will 1.5 keep-alives (60 s) after a gateway was last heard."""


@dataclass(frozen=True, slots=True)
class Record:
    """What one equipment says at one time: path, ms UTC, and points by name."""

    equipment: str
    ts: int
    points: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Message:
    """One MQTT message, ready to send."""

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = False


class Simulation:
    """A site in motion. Same scenario, start and commands: same messages, however the steps are cut.

    `start` [ms UTC, whole seconds] moves the run; `site` replaces the scenario's site in topics.
    """

    def __init__(self, scenario: Scenario, *, start: int | None = None, site: str | None = None) -> None:
        self.scenario = scenario
        self.site = site or scenario.site
        self.start = scenario.start if start is None else start - start % 1000
        self.now = self.start
        self.end = self.start + scenario.duration
        self._board = FaultBoard(scenario.planned(self.start))
        self._zone = ZoneInfo(scenario.zone)
        self._rng = Random(f"{scenario.seed}/weather")
        self._noise = WeatherNoise()
        self._systems: tuple[System, ...] = campus(scenario.seed, scenario.conditions)
        self._gateways: dict[str, int | None] = {system.gateway: None for system in self._systems}
        self._turns = tuple((system, system.period, system.voice) for system in self._systems)
        self._knobs = self._board.knobs(self.now)
        self._greeted = False
        self._moment = self._warm_up()

    def _warm_up(self) -> Moment:
        """Run a healthy day before the start, unheard, so that the run begins settled."""
        healthy = Knobs((), self.now)
        for second in range(_WARM_UP_S, -1, -_WARM_STEP_S):
            moment = self._at(self.start - second * 1000, _WARM_STEP_S)
            for system in self._systems:
                system.step(moment, healthy, float(_WARM_STEP_S))
        for system in self._systems:
            system.settle(float(_WARM_STEP_S))
        return moment

    def _at(self, now: int, weather_dt: float) -> Moment:
        local = datetime.fromtimestamp(now / 1000, UTC).astimezone(self._zone)
        hour = local.hour + local.minute / 60 + local.second / 3600
        day = local.timetuple().tm_yday
        self._noise = step_noise(self._noise, self._rng, weather_dt)
        weather = weather_at(self._noise, hour, day, self.scenario.conditions.weather_shift)
        return Moment(now, hour, day, local.weekday() == 6, weather)

    @property
    def done(self) -> bool:
        """Whether the scenario's time is over."""
        return self.now >= self.end

    def active_faults(self) -> tuple[Fault, ...]:
        """The faults that act now."""
        return self._board.active(self.now)

    def inject(self, plan: FaultPlan) -> None:
        """Add a fault now; the plan's times count from now."""
        self._board.inject(plan.fault(self.now))

    def repair(self, name: str) -> None:
        """End the fault called `name`; the machine behaves again within five seconds. Raises ScenarioError."""
        self._board.repair(name, self.now)

    def records(self) -> Iterator[Record]:
        """Everything the devices say until the scenario ends, without MQTT; status as point `online_status`."""
        while not self.done:
            yield from self._second()

    def step(self, seconds: int = 1) -> list[Message]:
        """Advance by whole seconds of plant time; the messages of that time in order of their ts."""
        return [self._message(record) for _ in range(seconds) for record in self._second()]

    def clock(self) -> Message:
        """The plant clock's message; to be sent once the broker has acknowledged everything up to now."""
        return Message(f"dutyroom/v1/{self.site}/clock", msgspec.json.encode({"ts": self.now}))

    def _message(self, record: Record) -> Message:
        root = f"dutyroom/v1/{self.site}/{record.equipment}"
        if "online_status" not in record.points:
            return Message(f"{root}/telemetry", msgspec.json.encode({"ts": record.ts, "points": record.points}))
        online = record.points["online_status"]
        body = {"online": online, "ts": record.ts} if online else {"online": online}
        return Message(f"{root}/status", msgspec.json.encode(body), retain=True)

    def _second(self) -> list[Record]:
        """One second of plant time."""
        self.now += 1000
        second = self.now // 1000
        if second % _WEATHER_S == 0:
            self._moment = self._at(self.now, _WEATHER_S)
        else:
            before = self._moment
            hour = (before.hour + 1 / 3600) % 24
            self._moment = Moment(self.now, hour, before.day, before.sunday, before.weather)
        records: list[Record] = []
        if second % _KNOBS_S == 0 or not self._greeted:
            self._knobs = self._board.knobs(self.now)
            records = self._gateway_status(second)
        for system, period, voice in self._turns:
            if second % period == 0:
                system.step(self._moment, self._knobs, float(period))
            if second % voice == 0 or not self._greeted:
                self._speak(system, second, records)
        self._greeted = True
        return records

    def _speak(self, system: System, second: int, records: list[Record]) -> None:
        """Add what the machines of one system send, where their gateway is heard."""
        heard = self._gateways[system.gateway] is None
        frames = system.say(second, self._knobs, heard=heard, first=not self._greeted)
        if not self._greeted:
            others = (path for path in system.paths if path not in self._gateways)
            records += [Record(path, self.now, {"online_status": True}) for path in others]
        records += [Record(path, self.now, points) for path, points in frames]

    def _gateway_status(self, second: int) -> list[Record]:
        """Heartbeats of live gateways, and the last will of one that has fallen silent."""
        records = []
        for path, silent_since in self._gateways.items():
            silent = self._knobs.get(path, "silent") > 0
            if silent and silent_since is None:
                self._gateways[path] = self.now
            elif silent and silent_since is not None and self.now - silent_since == _WILL_DELAY_S * 1000:
                records.append(Record(path, self.now, {"online_status": False}))
            elif not silent and (silent_since is not None or second % _HEARTBEAT_S == 0 or not self._greeted):
                self._gateways[path] = None
                records.append(Record(path, self.now, {"online_status": True}))
        return records
