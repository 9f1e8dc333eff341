"""EL-17 and EL-18 on joints that warm as physics says (DOMAIN §3.6), with noise: scenarios 9 and 10 of DOMAIN §7."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from plant.catalogue import Text
from plant.cataloguefile import load_catalogue
from plant.instants import parse_instant
from plant.reading import Reading
from plant.severity import Severity
from plant.site import Equipment, Plant, Site
from rules.engine import Engine
from rules.events import AlarmEvent, EventKind
from rules.frames import lateness_file
from rules.loader import load_pack

START = parse_instant("2026-07-01T00:00:00Z")
DAY = 1_440
PHASES = ("l1", "l2", "l3")
Floats = NDArray[np.float64]

STEADY, ONE_SHIFT = (0.55, 0.20), (0.45, 0.30)
"""Mean and swing of I/In over the day: 0.35 … 0.75, and 0.15 … 0.75, which says nothing at night."""


def events(days: int, growth: Callable[[Floats], Floats], load: tuple[float, float], factor: float) -> list[AlarmEvent]:
    """Events of a feeder of 630 A whose joint on L2 has k = growth(day), at the load times a factor.

    τ dθ/dt = ΔT_r·k·(I/In)² − (θ − θ_amb) with τ = 2400 s and ΔT_r = 35 K; sensors σ 0.5 K, currents 2 %.
    """
    random = np.random.default_rng(17)
    minutes = np.arange(days * DAY)
    ratio = factor * (load[0] - load[1] * np.cos(2 * np.pi * (minutes / DAY - 1 / 12)))
    readings: list[Reading] = []
    air = 30 + 3 * np.sin(2 * np.pi * minutes / DAY)
    readings += [_reading("panel_ambient_temp", m, v) for m, v in enumerate(air.round(1).tolist())]
    for phase in PHASES:
        k = growth(minutes / DAY) if phase == "l2" else np.ones(len(minutes))
        heat = 35 * k * ratio**2
        rise = np.empty(len(minutes))
        now = heat[0]
        for minute, warm in enumerate(heat.tolist()):
            now += (warm - now) * 60 / 2_400
            rise[minute] = now
        joint = (air + rise + random.normal(0, 0.5, len(minutes))).round(1)
        current = (630 * ratio * (1 + random.normal(0, 0.02, len(minutes)))).round(1)
        readings += [_reading(f"joint_temp_incoming_{phase}", m, v) for m, v in enumerate(joint.tolist())]
        readings += [_reading(f"current_{phase}", m, v) for m, v in enumerate(current.tolist())]
    feeder = Equipment(
        "f",
        "lv/f",
        "lv_feeder",
        Text("馈线", "Feeder"),
        parameters={"rated_current": 630},
        members={"joint_temp_{loc}_{phase}": {"loc": ("incoming",)}},
        interval_ms=60_000,
    )
    plant = Plant(load_catalogue(), Site("s", "Asia/Shanghai", Text("站", "Site"), {"f": feeder}))
    rules = [rule for rule in load_pack() if rule.id in ("EL-17", "EL-18")]
    engine = Engine(plant, rules, lateness=lateness_file)
    engine.feed(plant.series.batch(readings))
    return engine.tick(START + (days * DAY - 1) * 60_000)


def _reading(point: str, minute: int, value: float) -> Reading:
    return Reading("f", point, START + minute * 60_000, value)


def _day(event: AlarmEvent) -> float:
    return (event.at - START) / 86_400_000


@pytest.mark.parametrize("load", [pytest.param(STEADY, id="day and night"), pytest.param(ONE_SHIFT, id="one shift")])
def test_a_joint_that_loosens_over_ten_days_is_found_within_three_of_half_as_much_again(
    load: tuple[float, float],
) -> None:
    # k = 1 until day 1, 2 on day 11: 1.5 on day 6.
    told = events(11, lambda day: 1 + np.clip(day - 1, 0, 10) / 10, load, 1.0)
    found = [e for e in told if e.rule == "EL-18" and e.kind in (EventKind.RAISED, EventKind.LEVEL)]
    warned = next(event for event in found if event.severity <= Severity.P3)
    assert 6 < _day(warned) < 9
    assert warned.members == ("joint_temp_incoming_l2",)


def test_a_feeder_that_carries_more_on_all_phases_has_sound_joints() -> None:
    assert events(4, lambda day: np.ones(len(day)), STEADY, 1.3) == []
