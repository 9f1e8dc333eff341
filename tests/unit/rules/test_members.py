"""A rule over members: whose silence makes its one alarm unevaluable (decision 0007)."""

from __future__ import annotations

from plant.catalogue import Text
from plant.cataloguefile import load_catalogue
from plant.instants import parse_instant
from plant.reading import Reading
from plant.site import Equipment, Plant, Site
from rules.engine import Engine
from rules.events import EventKind
from rules.frames import lateness_file
from rules.loader import load_pack

START = parse_instant("2026-07-01T00:00:00Z")
JOINTS = ("joint_temp_incoming_l1", "joint_temp_incoming_l2", "joint_temp_incoming_l3")
MINUTE = 60_000


def told(temperatures: dict[str, list[float | None]]) -> list[tuple[int, EventKind]]:
    """Minute and kind of EL-16's events over joint temperatures a minute apart; None is no reading."""
    feeder = Equipment(
        "f",
        "lv/f",
        "lv_feeder",
        Text("馈线", "Feeder"),
        members={"joint_temp_{loc}_{phase}": {"loc": ("incoming",)}},
        interval_ms=MINUTE,
    )
    plant = Plant(load_catalogue(), Site("s", "UTC", Text("站", "Site"), {"f": feeder}))
    rules = [rule for rule in load_pack() if rule.id == "EL-16"]
    engine = Engine(plant, rules, lateness=lateness_file)
    length = max(len(values) for values in temperatures.values())
    readings = [
        Reading("f", joint, START + minute * MINUTE, value)
        for minute in range(length)
        for joint, values in temperatures.items()
        for value in values[minute : minute + 1]
        if value is not None
    ]
    engine.feed(plant.series.batch(readings))
    events = engine.tick(START + (length - 1) * MINUTE)
    return [((event.at - START) // MINUTE, event.kind) for event in events]


def test_the_only_hot_joint_going_silent_makes_its_alarm_unevaluable_while_its_sisters_speak() -> None:
    cool: list[float | None] = [55.0] * 60
    hot: list[float | None] = [75.0] * 20 + [None] * 20 + [75.0] * 20
    # 75 > 70 from 0:00, + 10 min. The reading of 0:19 lives 3 min, to 0:22; the first instant without it is 0:22:10.
    assert told(dict(zip(JOINTS, (hot, cool, cool), strict=True))) == [
        (10, EventKind.RAISED),
        (22, EventKind.UNEVALUABLE),
        (40, EventKind.EVALUABLE),
    ]


def test_a_cool_joint_going_silent_changes_nothing_on_the_alarm_of_another() -> None:
    cool: list[float | None] = [55.0] * 20 + [None] * 40
    hot: list[float | None] = [75.0] * 60
    assert told(dict(zip(JOINTS, (hot, cool, cool), strict=True))) == [(10, EventKind.RAISED)]


def test_one_of_two_hot_joints_going_silent_is_said() -> None:
    hot: list[float | None] = [75.0] * 60
    silent: list[float | None] = [75.0] * 20 + [None] * 40
    events = told(dict(zip(JOINTS, (hot, silent, [55.0] * 60), strict=True)))
    assert events == [(10, EventKind.RAISED), (22, EventKind.UNEVALUABLE)]
