"""Like machines behind like instruments, read together: one vector of noise for a whole row of meters."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from simulators.board import Knobs
from simulators.machines.device import Channel, Value
from simulators.machines.system import Frames
from simulators.sensors import SensorFaults, SensorSpec

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_EXACT = SensorSpec(0.0, 0.01)
_DUST = 6
"""Decimals kept of a quantised value: quanta are powers of ten, their multiples are not."""


def generator(*names: object) -> np.random.Generator:
    """A stream of random numbers that depends on its names only."""
    return np.random.default_rng(list("/".join(map(str, names)).encode()))


class Bank:
    """Instruments of `paths` like machines: `channels` without a sensor are flags, sent on change and as a heartbeat.

    Values come as one array over the machines for each point. Noise, bias and resolution are those of `SensorSpec`.
    """

    def __init__(self, paths: Sequence[str], channels: Mapping[str, Channel], flags: Sequence[str], seed: int) -> None:
        self.paths = tuple(paths)
        self._names = tuple(channels)
        self._flag_names = tuple(flags)
        self._rng = generator(seed, paths[0], "bank")
        specs = [channel.sensor or _EXACT for channel in channels.values()]
        self._every = np.array([channel.every for channel in channels.values()])
        self._tau = np.array([spec.tau for spec in specs])[:, None]
        self._absolute = np.array([0.0 if spec.relative else spec.sigma for spec in specs])[:, None]
        self._relative = np.array([spec.sigma if spec.relative else 0.0 for spec in specs])[:, None]
        self._quantum = np.array([spec.quantum for spec in specs])[:, None]
        self._low = np.array([spec.low for spec in specs])[:, None]
        self._high = np.array([spec.high for spec in specs])[:, None]
        spread = np.array([spec.bias for spec in specs])[:, None]
        self._bias = spread * self._rng.uniform(-1, 1, (len(specs), len(self.paths)))
        self._seen: Floats | None = None
        self._said = np.zeros((len(specs), len(self.paths)))
        self._flags: Bools = np.zeros((len(self._flag_names), len(self.paths)), dtype=bool)
        self._flags_said = self._flags.copy()
        self._due: dict[tuple[bool, ...], NDArray[np.intp]] = {}
        self._fresh = True
        self._row = {path: row for row, path in enumerate(self.paths)}

    def refresh(self) -> None:
        """Send everything at the next reading, as a device does that has just connected."""
        self._fresh = True

    def follow(self, values: Mapping[str, Floats | Bools], dt: float) -> None:
        """Let the sensors follow the true values for `dt` seconds; the first call starts in equilibrium."""
        true = np.stack([values[name] for name in self._names]).astype(np.float64)
        if self._seen is None:
            self._seen = true
        else:
            keep = np.exp(-dt / np.maximum(self._tau, 1e-9))
            self._seen = true + (self._seen - true) * keep
        for row, name in enumerate(self._flag_names):
            self._flags[row] = values[name]

    def frames(self, second: int, knobs: Knobs) -> Frames:
        """What each machine sends at plant second `second`; a flag that changed is sent at once."""
        due = self._columns(second)
        everything = self._fresh or second % 60 == 0
        changed = (self._flags != self._flags_said).any(axis=0)
        if not due.size and not everything and not changed.any():
            return []
        readings = self._read(due, knobs)
        names = [self._names[column] for column in due]
        frames: Frames = []
        for row, path in enumerate(self.paths):
            points: dict[str, Value] = {n: v for n, v in zip(names, readings[row], strict=True) if not math.isnan(v)}
            if everything or changed[row]:
                points |= {name: bool(self._flags[flag, row]) for flag, name in enumerate(self._flag_names)}
            if points:
                frames.append((path, points))
        self._flags_said = self._flags.copy()
        self._fresh = False
        return frames

    def _columns(self, second: int) -> NDArray[np.intp]:
        """Which points are due now."""
        if self._fresh:
            return np.arange(len(self._names))
        due = second % self._every == 0
        key = tuple(due.tolist())
        if key not in self._due:
            self._due[key] = np.flatnonzero(due)
        return self._due[key]

    def _read(self, due: NDArray[np.intp], knobs: Knobs) -> list[list[float]]:
        """Readings by machine; NaN where a sensor says nothing."""
        assert self._seen is not None  # noqa: S101 - a bank is settled before it is read
        seen = self._seen[due]
        noise = self._rng.standard_normal(seen.shape) * (self._absolute[due] + self._relative[due] * np.abs(seen))
        quantum = self._quantum[due]
        raw = seen + self._bias[due]
        for (path, point), faults in knobs.sensors.items():
            if path in self._row and point in self._names:
                cell = np.flatnonzero(due == self._names.index(point)), self._row[path]
                raw[cell] += faults.bias
                noise[cell] *= faults.noise
        clipped = np.clip(raw + noise, self._low[due], self._high[due])
        readings: Floats = np.round(np.rint(clipped / quantum) * quantum, _DUST)
        for (path, point), faults in knobs.sensors.items():
            if path in self._row and point in self._names:
                self._fail(readings, due, (path, point), faults)
        held = ~np.isnan(readings)
        self._said[due] = np.where(held, readings, self._said[due])
        rows: list[list[float]] = readings.T.tolist()
        return rows

    def _fail(self, readings: Floats, due: NDArray[np.intp], where: tuple[str, str], faults: SensorFaults) -> None:
        """Hold or drop the reading of one broken sensor, in place."""
        column, row = self._names.index(where[1]), self._row[where[0]]
        cell = np.flatnonzero(due == column), row
        if faults.dropout:
            readings[cell] = math.nan
        elif faults.stuck:
            readings[cell] = self._said[column, row]
