"""When the second chiller runs: staged by the load of those that run, with dwell times, and at once after a trip."""

from __future__ import annotations

from simulators.machines.chiller_unit import ChillerUnit
from simulators.physics.chiller import RATED_KW

_UP_LOAD = 0.85
_UP_S = 600.0
_DOWN_LOAD = 0.62
"""Both together under this share of one machine: one is enough with room to spare."""
_DOWN_S = 1800.0
_LEAST_RUN_S = 3600.0


class Sequencer:
    """Holds whether the lag machine is asked to run."""

    __slots__ = ("_high_s", "_low_s", "_ran_s", "on")

    def __init__(self) -> None:
        self.on = False
        self._high_s = self._low_s = self._ran_s = 0.0

    def step(self, lead: ChillerUnit, lag: ChillerUnit, dt: float) -> bool:
        """Advance by `dt` seconds; whether the lag machine is asked to run.

        Up after 10 min above 85 % of the lead machine, or when it has tripped; down after 30 min in which one
        machine would carry the load at 62 %, and not within the first hour.
        """
        cooling = (lead.state.cooling + lag.state.cooling) / RATED_KW
        self._high_s = self._high_s + dt if cooling > _UP_LOAD else 0.0
        self._low_s = self._low_s + dt if cooling < _DOWN_LOAD and lead.running else 0.0
        self._ran_s = self._ran_s + dt if self.on else 0.0
        if not self.on:
            self.on = lead.tripped or self._high_s >= _UP_S
        elif self._low_s >= _DOWN_S and self._ran_s >= _LEAST_RUN_S:
            self.on = False
        return self.on
