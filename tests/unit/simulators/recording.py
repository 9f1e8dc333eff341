"""Runs of scenarios in memory, read by equipment, point and second of the run."""

from __future__ import annotations

from simulators.scenario import load_scenario
from simulators.simulation import Simulation


class Recording:
    """Everything the devices of one scenario say, without a broker; times are seconds since its start.

    `only` keeps what stands at paths that begin so, `hours` ends the run early.
    """

    def __init__(self, name: str, only: tuple[str, ...] = ("",), hours: float = 1e6) -> None:
        simulation = Simulation(load_scenario(name))
        self.series: dict[tuple[str, str], dict[int, float]] = {}
        for record in simulation.records():
            if record.ts > simulation.start + hours * 3_600_000:
                break
            if not record.equipment.startswith(only):
                continue
            second = (record.ts - simulation.start) // 1000
            for point, value in record.points.items():
                self.series.setdefault((record.equipment, point), {})[second] = float(value)

    def at(self, equipment: str, point: str, second: int) -> float:
        """The last value said up to `second`."""
        said = self.series[equipment, point]
        return said[max(when for when in said if when <= second)]

    def values(self, equipment: str, point: str, since: int = 0) -> list[float]:
        """Every value said from `since` on."""
        return [value for when, value in self.series[equipment, point].items() if when >= since]
