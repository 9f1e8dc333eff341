"""A centrifugal pump against its system: curve, affinity laws, efficiency (DOMAIN §2.7)."""

from __future__ import annotations

import math
from dataclasses import dataclass

_KW_PER_M3H_M = 9.81 / 3600.0
"""ρ g / 3.6e6: kW for one m³/h of water lifted one metre."""
_MOTOR = 0.93
_BEST = 0.75


@dataclass(frozen=True, slots=True)
class PumpCurve:
    """Design point (`flow` m³/h, `head` m), shut-off head H0 and static head of the system, m."""

    flow: float
    head: float
    shutoff: float
    static: float

    @property
    def slope(self) -> float:
        """k of the pump: H0 − H = k Q² at the design point."""
        return (self.shutoff - self.head) / self.flow**2

    @property
    def system(self) -> float:
        """S of the system: H − H_s = S Q² at the design point."""
        return (self.head - self.static) / self.flow**2


CHW_PUMP = PumpCurve(flow=206.0, head=28.0, shutoff=38.0, static=8.0)
CW_PUMP = PumpCurve(flow=244.0, head=28.0, shutoff=38.0, static=6.0)


@dataclass(frozen=True, slots=True)
class Duty:
    """Where a pump works: m³/h, m, kW electric."""

    flow: float
    head: float
    power: float


def duty(curve: PumpCurve, speed: float, *, valve: float = 1.0, impeller: float = 1.0) -> Duty:
    """The working point at `speed` n (0–1); `valve` is kv ≥ 1 on the system's resistance, `impeller` ≤ 1 wear on H0.

    Below the static head the check valve stays shut: no flow, the pump churns at its shut-off head.
    """
    if speed <= 0.0:
        return Duty(0.0, 0.0, 0.0)
    shutoff = curve.shutoff * speed * speed * impeller
    spare = shutoff - curve.static
    flow = math.sqrt(spare / (curve.slope + curve.system * valve)) if spare > 0 else 0.0
    head = shutoff - curve.slope * flow * flow
    off_design = (flow / (speed * curve.flow) - 1) / 1.3
    efficiency = max(0.2, _BEST * (1 - off_design * off_design))
    churning = 0.25 * _KW_PER_M3H_M * curve.flow * curve.head * speed**3 / (_BEST * _MOTOR)
    power = _KW_PER_M3H_M * flow * head / efficiency / _MOTOR
    return Duty(flow, head, max(power, churning))


def speed_for(curve: PumpCurve, flow: float) -> float:
    """The speed n that moves `flow` m³/h through the healthy system, at most 1."""
    needed = curve.static + (curve.slope + curve.system) * flow * flow
    return min(1.0, math.sqrt(needed / curve.shutoff))
