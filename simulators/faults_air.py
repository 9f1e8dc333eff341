"""Faults of air handlers (DOMAIN §2.6)."""

from __future__ import annotations

from simulators.faultkind import FaultKind

_AHU = "office/ahu-1"

AIR_FAULTS: tuple[FaultKind, ...] = (
    FaultKind(
        id="ahu_valve_stuck",
        zh="冷水阀卡在小开度",
        en="cooling valve stuck nearly shut",
        at=_AHU,
        knobs={"valve_stuck_at": 0.25},
        must=("AH-17", "AH-FC13"),
        must_not=("AH-FC14", "AH-18"),
    ),
    FaultKind(
        id="ahu_valve_leak",
        zh="冷水阀关不严",
        en="cooling valve passes when shut",
        at=_AHU,
        knobs={"valve_leak": 0.5},
        must=("AH-FC14",),
        must_not=("AH-17",),
    ),
    FaultKind(
        id="ahu_filter_dirty",
        zh="过滤器脏堵",
        en="filter dirty",
        at=_AHU,
        knobs={"filter_clog": 4.0},
        must=("AH-18",),
        must_not=("AH-22",),
    ),
    FaultKind(
        id="ahu_belt_slip",
        zh="送风机皮带打滑",
        en="supply-fan belt slipping",
        at=_AHU,
        knobs={"belt_slip": 0.5},
        must=("AH-22", "AH-FC1"),
        must_not=("AH-18",),
    ),
)
