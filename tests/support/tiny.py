"""A tiny site with random small rules and a random journal: what the laws of the engine are tried on."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from plant.catalogue import Catalogue, EquipmentType, Fold, Kind, Point, Text
from plant.quality import Quality, Reason
from plant.reading import Reading
from plant.severity import Severity
from plant.site import Equipment, Plant, Site
from rules.model import Comparable, ForEach, Level, Rule

START = 1_750_000_020_000
"""A multiple of every step."""

_TEXT = Text("甲", "a")

_HOURS = (12.75, 15.25, 17.3, 19.1, 20.9, 21.1, 23.2)
"""Near what the clock shows, or has left to 12:30, at the start in the zones the sites are in."""


def _sensor(name: str) -> Point:
    return Point(name, "K", Kind.SENSOR, -100.0, 1000.0, _TEXT, decimals=1)


def _flag(name: str, kind: Kind, fold: Fold = Fold.LAST) -> Point:
    return Point(name, "bool", kind, 0.0, 1.0, _TEXT, decimals=0, fold=fold)


def _points(*points: Point) -> dict[str, Point]:
    return {point.name: point for point in (*points, _flag("online_status", Kind.STATUS))}


MACHINE = EquipmentType(
    "machine",
    _TEXT,
    10_000,
    _points(
        _sensor("a"),
        _sensor("b"),
        _flag("s", Kind.STATUS),
        _flag("command", Kind.COMMAND),
        _flag("trip", Kind.STATUS, Fold.MAX),
    ),
    relations={"source": "source"},
)
SOURCE = EquipmentType("source", _TEXT, 60_000, _points(_sensor("a"), _flag("s", Kind.STATUS)))


def plant(random: Random, *, alone: bool = False) -> Plant:
    """One source and two or three machines behind it, or the source alone."""
    machines = [
        Equipment(
            f"m{n}",
            f"x/m{n}",
            "machine",
            _TEXT,
            relations={"source": ("p1",)},
            interval_ms=random.choice((10_000, 40_000)),
        )
        for n in range(1, 1 if alone else random.choice((3, 4)))
    ]
    everything = [Equipment("p1", "x/p1", "source", _TEXT, interval_ms=60_000), *machines]
    catalogue = Catalogue({"machine": MACHINE, "source": SOURCE})
    zone = random.choice(("UTC", "Asia/Shanghai", "Asia/Kathmandu", "Europe/Berlin"))
    return Plant(catalogue, Site("tiny", zone, _TEXT, {machine.id: machine for machine in everything}))


class Grammar:
    """Random expressions over the points of one type, on one grid."""

    def __init__(self, random: Random, kind: str, step_ms: int, *, member: bool, panes: float = 0.3) -> None:
        self.random, self.step, self.panes = random, step_ms, panes
        self.numbers = ["a"] if kind == "source" else ["a", "b", "source.a"]
        self.flags = ["s"] if kind == "source" else ["s", "command", "trip", "source.s"]
        self.own = ["a"] if kind == "source" else ["a", "b"]
        if member:
            self.numbers, self.own = ["p", "p", *self.numbers], ["p"]

    def window(self) -> str:
        """A duration of a few instants."""
        return f'"{self.random.choice((1, 2, 3, 5, 8)) * self.step // 1000}s"'

    def long(self) -> str:
        """A window that moves in panes, content with so little of it that short journals show something."""
        share = self.random.choice(("0.01", "0.01", "0.5"))
        return f'"{self.random.choice(("130m", "150m", "3h", "4h", "6h", "1d"))}", coverage={share}'

    def wide(self) -> str:
        """A window of either kind."""
        return self.long() if self.random.random() < self.panes else self.window()

    def limit(self) -> str:
        """A number near the values of the journal, often an exact tie."""
        return f"{self.random.randrange(-20, 61) / 10 + 20:g}"

    def number(self, depth: int) -> str:
        """A number."""
        name = self.random.choice(self.numbers)
        if depth == 0 or self.random.random() < 0.35:
            return name
        inner = self.number(depth - 1)
        return self.random.choice(
            (
                f"mean({inner}, {self.wide()})",
                f"min({inner}, {self.wide()})",
                f"max({inner}, {self.wide()})",
                f"median({inner}, {self.wide()})",
                f"lag({inner}, {self.window()})",
                f"ewma({inner}, {self.window()})",
                f"last({inner}, {name} > {self.limit()})",
                f"where({name} > {self.limit()}, {inner})",
                f"where({name} > {self.limit()}, {inner}, {name})",
                f"median_of({inner}, {name}, {self.random.choice(self.numbers)})",
                f"least({inner}, {name})",
                f"greatest({inner}, {name})",
                f"default({inner}, {self.limit()})",
                f"({inner} + abs({name} - {inner}))",
                f"({inner} * 0.37 + {name} * 0.63)",
            )
        )

    def condition(self, depth: int) -> str:
        """A condition."""
        simple = (
            f"{self.number(2)} {self.random.choice(('>', '>=', '<', '<='))} {self.limit()}",
            f"{self.number(1)} > {self.limit()}",
            self.random.choice(self.flags),
            f"delta({self.random.choice(self.own)}, {self.window()}) > 0.3",
            f'quality({self.random.choice(self.own)}, "sentinel", "out_of_range")',
            f"stuck({self.random.choice(self.own)}, 0.2, {self.window()})",
            f"{self.random.choice(('local_hour() >', 'hours_until(12.5) <'))} {self.random.choice(_HOURS):g}",
        )
        if depth == 0 or self.random.random() < 0.45:
            return self.random.choice(simple)
        inner = self.condition(depth - 1)
        return self.random.choice(
            (
                f"({inner} and {self.condition(depth - 1)})",
                f"({inner} or {self.condition(depth - 1)})",
                f"any_of({inner}, {self.condition(depth - 1)})",
                f"not ({inner})",
                f"held({inner}, {self.window()})",
                f"share_true({inner}, {self.wide()}) > 0.5",
                f"count_rises({inner}, {self.wide()}) >= 1",
                f"since({inner}) < {self.random.choice((20, 60))}",
                f"known({self.random.choice(self.own)}) and {inner}",
            )
        )


def rules(random: Random, count: int = 7) -> list[Rule]:
    """Random rules; the first may judge points, later ones may be suppressed by earlier ones."""
    made: list[Rule] = []
    for number in range(count):
        kind = "source" if number in (1, 2) else "machine"
        made.append(_rule(random, f"TT-{number:02d}", kind, made, judges=number == 0))
    return made


def long_rules(random: Random, count: int = 8) -> list[Rule]:
    """Random rules of the source's grid of a minute, most of them with windows that move in panes."""
    made: list[Rule] = []
    for number in range(count):
        made.append(_rule(random, f"TT-{number:02d}", "source", made, judges=number == 0, panes=0.8))
    return made


def _rule(random: Random, name: str, kind: str, before: list[Rule], *, judges: bool, panes: float = 0.3) -> Rule:
    every = random.choice((None, None, 5_000)) if kind == "machine" else None
    step = every or (MACHINE if kind == "machine" else SOURCE).step_ms
    members = judges or (kind == "machine" and random.random() < 0.3)
    grammar = Grammar(random, kind, step, member=members, panes=panes)
    causes = [rule.id for rule in before if rule.applies_to == (kind,) and random.random() < 0.4]
    causes += [
        f"source:{x.id}" for x in before if kind == "machine" and x.applies_to == ("source",) and random.random() < 0.4
    ]
    return Rule(
        id=name,
        title=_TEXT,
        applies_to=(kind,),
        levels=tuple(
            _level(random, grammar, step, judges=judges) for _ in range(1 if judges else random.choice((1, 1, 2, 3)))
        ),
        every_ms=every,
        gate=grammar.condition(0) if random.random() < 0.25 and not judges else None,
        latching=random.random() < 0.25 and not judges,
        needs=(),
        points=(),
        params={},
        for_each=(ForEach(kinds=("sensor",)) if judges else ForEach(points=("a", "b"))) if members else None,
        comparable=(Comparable(f"mean(a, {grammar.window()})", 1.0),) if random.random() < 0.4 else (),
        verify_for_ms=60_000,
        suppressed_by=() if judges else tuple(causes),
        causes=(),
        first_check=(),
        source="",
        judges_points=judges,
        version=name,
    )


def _level(random: Random, grammar: Grammar, step: int, *, judges: bool) -> Level:
    when = f"stuck(p, 0.1, {grammar.window()})" if judges else grammar.condition(2)
    clear = f"not ({when})" if judges or random.random() < 0.6 else grammar.condition(1)
    return Level(
        when,
        random.choice((0, 1, 2, 3, 6)) * step,
        clear,
        random.choice((0, 1, 2, 4)) * step,
        Severity(random.choice((1, 2, 3, 4))),
    )


@dataclass(frozen=True)
class Arrival:
    """A reading and when it reaches us."""

    at: int
    reading: Reading


def arrivals(random: Random, site: Plant, minutes: int) -> list[Arrival]:
    """Readings of every point in order of arrival: jitter, gaps, bad ones, duplicates, equal times, late ones."""
    found: list[Arrival] = []
    for machine in site.site.equipment.values():
        gaps = _gaps(random, minutes)
        for point in site.points(machine).values():
            if point.name == "online_status" and random.random() < 0.6:
                continue
            found += _of_point(random, machine, point, minutes, gaps)
    # Everything is known once at the start, so that the first instant is the same however one looks at it.
    first = [
        Arrival(START, Reading(machine.id, point.name, START, 1.0 if point.unit == "bool" else 20.0))
        for machine in site.site.equipment.values()
        for point in site.points(machine).values()
    ]
    return first + sorted(found, key=lambda arrival: arrival.at)


def _gaps(random: Random, minutes: int) -> list[tuple[int, int]]:
    """Silences of the whole machine, some longer than its readings live."""
    starts = [START + random.randrange(minutes * 60_000) for _ in range(random.choice((0, 1, 2)))]
    return [(start, start + random.choice((40_000, 150_000, 400_000))) for start in starts]


def _of_point(
    random: Random, machine: Equipment, point: Point, minutes: int, gaps: list[tuple[int, int]]
) -> list[Arrival]:
    period = machine.interval_ms or 10_000
    flag = point.unit == "bool"
    value = float(random.random() < 0.5) if flag else 20.0 + random.randrange(-10, 11) / 10
    found: list[Arrival] = []
    ts = START + random.randrange(1, period)
    while ts < START + minutes * 60_000:
        if flag:
            value = value if random.random() < (0.97 if point.name == "online_status" else 0.85) else 1.0 - value
        elif random.random() < 0.75:
            value = round(min(26.0, max(18.0, value + random.randrange(-8, 9) / 10)), 1)
        if not any(start <= ts < end for start, end in gaps):
            found += _sent(random, Reading(machine.id, point.name, ts, value), flag=flag)
        ts += random.choice((period, period, period + random.randrange(-period // 3, period // 3), 2 * period))
        ts = ts if random.random() < 0.6 else ts // 1_000 * 1_000
    return found


def _sent(random: Random, reading: Reading, *, flag: bool) -> list[Arrival]:
    chance = random.random()
    delay = random.choice((0, 100, 900)) if random.random() < 0.9 else random.choice((7_000, 30_000, 130_000))
    found = [Arrival(reading.ts + delay, reading)]
    if chance < 0.04 and not flag:
        reason = random.choice((Reason.SENTINEL, Reason.OUT_OF_RANGE, Reason.JUMP))
        bad = Reading(reading.equipment, reading.point, reading.ts, 850.0, Quality.BAD, reason)
        return [Arrival(reading.ts + delay, bad)]
    if chance < 0.08:
        found.append(Arrival(reading.ts + delay + random.randrange(3_000), reading))
    elif chance < 0.12:
        other = 1.0 - reading.value if flag else round(reading.value + 0.5, 1)
        twin = Reading(reading.equipment, reading.point, reading.ts, other)
        found.append(Arrival(reading.ts + delay + random.randrange(12_000), twin))
    elif chance < 0.14:
        reason = random.choice((Reason.RETAINED, Reason.HISTORICAL, Reason.DELAYED))
        marked = Reading(reading.equipment, reading.point, reading.ts, reading.value, Quality.UNCERTAIN, reason)
        return [Arrival(reading.ts + delay, marked)]
    return found
