"""Faults of the low-voltage room and the dormitory, and what only looks like one (DOMAIN §3.4, §3.5)."""

from __future__ import annotations

from simulators.faultkind import FaultKind

_OFFICE, _INCOMER, _DORM, _ROOM = "lv/feeder-office", "lv/incomer", "lv/feeder-dorm", "dorm/room-305"

ELECTRIC_FAULTS: tuple[FaultKind, ...] = (
    FaultKind(
        id="loose_terminal",
        zh="出线端子松动（L2）",
        en="loose bolt at the outgoing lug of L2",
        at=_DORM,
        knobs={"loose": 2.0},
        must=("EL-18", "EL-17", "EL-16"),
        must_not=("EL-08",),
    ),
    FaultKind(
        id="overload",
        zh="馈线过负荷",
        en="feeder overloaded on all phases",
        at=_OFFICE,
        knobs={"load_gain": 0.3},
        must=("EL-08",),
        must_not=("EL-18",),
    ),
    FaultKind(
        id="phase_loss",
        zh="馈线缺相（L2）",
        en="L2 of a feeder lost",
        at=_OFFICE,
        knobs={"phase_lost": 1.0},
        must=("EL-09",),
        must_not=("EL-05",),
    ),
    FaultKind(
        id="undervoltage",
        zh="进线电压偏低",
        en="supply voltage low on all phases",
        at=_INCOMER,
        knobs={"sag": 0.15},
        must=("EL-02",),
        must_not=("EL-09",),
    ),
    FaultKind(
        id="leakage",
        zh="馈线漏电",
        en="residual current of a feeder",
        at=_DORM,
        knobs={"leakage": 350.0},
        must=("EL-20",),
    ),
    FaultKind(
        id="breaker_trip",
        zh="馈线断路器脱扣",
        en="feeder breaker tripped",
        at=_DORM,
        knobs={"tripped": 1.0},
        must=("EL-23",),
    ),
    FaultKind(
        id="illegal_heater",
        zh="宿舍使用热水壶",
        en="kettle in a dormitory room",
        at=_ROOM,
        knobs={"resistance": 1500.0},
        must=("DM-01",),
        must_not=("DM-06",),
    ),
    FaultKind(
        id="dorm_overload",
        zh="宿舍功率超限",
        en="room draws more than its limit",
        at=_ROOM,
        knobs={"resistance": 3000.0},
        must=("DM-04",),
        must_not=("EL-08",),
    ),
    FaultKind(
        id="ac_aux_heat",
        zh="空调制热带电辅热（合法）",
        en="air conditioner heats with its auxiliary element (legal)",
        at=_ROOM,
        knobs={"auxiliary_heat": 800.0},
        must_not=("DM-01",),
    ),
    FaultKind(
        id="fridge",
        zh="电冰箱（合法）",
        en="refrigerator (legal)",
        at=_ROOM,
        knobs={"refrigerator": 1.0},
        must_not=("DM-01",),
    ),
    FaultKind(
        id="pc",
        zh="电脑（合法）",
        en="computer (legal)",
        at=_ROOM,
        knobs={"computer": 1.0},
        must_not=("DM-01",),
    ),
)
