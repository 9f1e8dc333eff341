"""One chiller with its own pumps and tower: the unit the sequencer starts and stops."""

from __future__ import annotations

from collections.abc import Mapping

from simulators.board import Knobs
from simulators.machines.chiller_unit import CHILLER_CHANNELS, ChillerUnit
from simulators.machines.device import Device, Value
from simulators.machines.pump_unit import PUMP_CHANNELS, PumpUnit
from simulators.machines.tower_unit import TOWER_CHANNELS, TowerUnit
from simulators.physics.chiller import ChillerWater
from simulators.physics.pump import CHW_PUMP, CW_PUMP, speed_for

GATEWAY = "plant/gateway-1"

_POST_RUN_S = 180.0
"""Pumps and tower run on after the compressor has stopped."""


class ChillerLine:
    """Chiller, chilled- and condenser-water pump and tower cell number `number`, piped one to one.

    Each pump sees the resistance of its own branch at its design point; what parallel branches cost each other in
    the common header is left out.
    """

    def __init__(self, number: int, seed: int, *, on: bool) -> None:
        self.on = on
        self._seed = seed
        self._stopped_s = 0.0 if on else _POST_RUN_S
        self.chiller = ChillerUnit(f"plant/chiller-{number}", enabled=on)
        self._chw = PumpUnit(f"plant/chw-pump-{number}", CHW_PUMP, suction=250.0)
        self._cw = PumpUnit(f"plant/cw-pump-{number}", CW_PUMP, suction=45.0)
        self._tower = TowerUnit(f"plant/tower-{number}")
        self._units: Mapping[str, ChillerUnit | PumpUnit | TowerUnit] = {
            unit.path: unit for unit in (self.chiller, self._chw, self._cw, self._tower)
        }

    @property
    def flow(self) -> float:
        """Chilled water through the machine, m³/h."""
        return self._chw.duty.flow

    @property
    def pumping(self) -> bool:
        """Whether the chilled-water pump turns."""
        return self._chw.speed > 0

    @property
    def devices(self) -> tuple[Device, ...]:
        """The four machines as the network sees them."""
        channels = (CHILLER_CHANNELS, PUMP_CHANNELS, PUMP_CHANNELS, TOWER_CHANNELS)
        return tuple(
            Device(path, sent, gateway=GATEWAY, seed=self._seed)
            for path, sent in zip(self._units, channels, strict=True)
        )

    @property
    def paths(self) -> frozenset[str]:
        """Paths of the four machines."""
        return frozenset(self._units)

    def values(self, path: str) -> Mapping[str, Value]:
        """True values of every point of one machine."""
        return self._units[path].values()

    def pump(self, wanted: float, knobs: Knobs, dt: float) -> None:
        """Move `wanted` m³/h of chilled water, and the condenser water, for `dt` seconds; nothing when off for long."""
        self._stopped_s = 0.0 if self.on else self._stopped_s + dt
        turning = self._stopped_s < _POST_RUN_S
        self._chw.step(speed_for(CHW_PUMP, wanted), knobs, dt, command=turning)
        self._cw.step(1.0, knobs, dt, command=turning)

    def cool(self, chw_return: float, setpoint: float, wet_bulb: float, knobs: Knobs, dt: float) -> None:
        """Chiller, then tower: each sees the water the one before it has left."""
        water = ChillerWater(chw_return, self.flow, self._tower.leaving, self._cw.duty.flow)
        self.chiller.step(water, setpoint, knobs, dt, enabled=self.on)
        running = self._cw.duty.flow > 0
        self._tower.step(
            self.chiller.state.cw_leaving, self._cw.duty.flow, wet_bulb, knobs, dt, enabled=self.on and running
        )
