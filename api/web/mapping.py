"""The form that maps the values of a family to points and its topics to machines: as suggested, as typed, as meant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ingest import naming, offers
from ingest.discovery import Family, Source
from ingest.precedents import Precedent
from plant.accepting import Accepted
from plant.catalogue import Point, Text
from plant.device import Template
from plant.errors import BadInput
from plant.matching import Match, Value
from plant.site import Clock, Equipment, Plant

MOST_VALUES = 150
MOST_SOURCES = 60
"""Rows of the form; what is beyond is bound over the API or the command line."""

NEW = "+"
"""The choice of a new machine; no id is this."""

_CARRIED = ("sentinels", "time", "zone")


@dataclass(frozen=True, slots=True)
class ValueRow:
    """A value and what stands in its row; `match` is the suggestion, the first `likely` of `choices` are others.

    `sentinels` (with blanks between), `time` and `zone` are carried along as suggested.
    """

    value: Value
    match: Match | None
    choices: Sequence[Point]
    likely: int
    point: str
    unit: str
    scale: str
    offset: str
    sentinels: str
    time: str
    zone: str


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A topic, the machine chosen for it (an id, NEW, or empty: none), and the name a new machine would get."""

    source: Source
    to: str
    name: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """The form as it is shown."""

    values: Sequence[ValueRow]
    sources: Sequence[SourceRow]
    machines: Sequence[Equipment]
    area: str
    arrival: bool
    more_values: int
    more_sources: int


@dataclass(frozen=True, slots=True)
class Typed:
    """What somebody has typed: `point.3`, `to.0`, … as the form names them; rows are told by `name.3` and `topic.0`."""

    fields: Mapping[str, str]

    @property
    def type(self) -> str:
        """The equipment type the form is for."""
        return self.fields.get("type", "")

    @property
    def area(self) -> str:
        """Where new machines stand."""
        return self.fields.get("area", "").strip()

    @property
    def arrival(self) -> bool:
        """Readings get their time of receipt."""
        return "arrival" in self.fields

    def value(self, name: str) -> Mapping[str, str]:
        """What stands in the row of a value; empty where the form had none for it."""
        return self._row("name", name, ("point", "unit", "scale", "offset", *_CARRIED))

    def source(self, source: Source) -> Mapping[str, str]:
        """What stands in the row of a topic."""
        for number, topic in self._numbered("topic"):
            if topic == source.topic and self.fields.get(f"device.{number}", "") == (source.device or ""):
                return {word: self.fields.get(f"{word}.{number}", "").strip() for word in ("to", "new")}
        return {}

    def accepted(self, family: Family, plant: Plant) -> Accepted:
        """What the form asks for. Raises BadInput naming the row that cannot be meant."""
        chosen = [one for name in _names(family) for one in self._chosen(name)]
        where: dict[tuple[str, str | None], str] = {}
        machines: dict[str, Equipment] = {}
        for source in family.sources:
            row = self.source(source)
            to = row.get("to", "")
            if to == NEW:
                machine = self._machine(row["new"], source)
                machines[machine.id] = machine
                to = machine.id
            if to:
                where[source.topic, source.device] = to
        clock = Clock.ARRIVAL if self.arrival else Clock.DEVICE
        return Accepted(offers.bindings(family, chosen, where, clock=clock), tuple(machines.values()))

    def _chosen(self, name: str) -> Iterator[offers.Chosen]:
        row = self.value(name)
        if row.get("point"):
            scale, offset = (
                self._number(name, row, word, default) for word, default in (("scale", 1.0), ("offset", 0.0))
            )
            yield offers.Chosen(
                name=name,
                point=row["point"],
                unit=row["unit"] or None,
                scale=scale,
                offset=offset,
                sentinels=self._sentinels(name, row["sentinels"]),
                time=row["time"] or None,
                zone=row["zone"] or None,
            )

    def _sentinels(self, name: str, said: str) -> tuple[float, ...]:
        try:
            return tuple(map(float, said.split()))
        except ValueError:
            raise BadInput(f"{name}: {said[:40]!r} are no numbers; expected some such as 32767 -9999") from None

    def _number(self, name: str, row: Mapping[str, str], word: str, default: float) -> float:
        try:
            return float(row[word]) if row[word] else default
        except ValueError:
            raise BadInput(f"{name}: {row[word][:40]!r} is no number; expected one such as 0.1") from None

    def _machine(self, name: str, source: Source) -> Equipment:
        if not name:
            raise BadInput(f"{source.topic}: the new machine has no name; letters, digits, '.', '-' and '_'")
        if not self.area:
            raise BadInput("new machines need an area, such as dorm or plant-room")
        return Equipment(name, f"{self.area}/{name}", self.type, Text(name, name))

    def _row(self, by: str, name: str, words: Sequence[str]) -> Mapping[str, str]:
        for number, said in self._numbered(by):
            if said == name:
                return {word: self.fields.get(f"{word}.{number}", "").strip() for word in words}
        return {}

    def _numbered(self, word: str) -> Iterator[tuple[str, str]]:
        prefix = f"{word}."
        return ((field[len(prefix) :], said) for field, said in self.fields.items() if field.startswith(prefix))


def sheet(
    plant: Plant, family: Family, type: str, known: Precedent | Template | None, typed: Typed | None = None
) -> Sheet:
    """The form for a family as a machine of a type: what was typed, else what is suggested."""
    kind = plant.catalogue.types[type]
    found = offers.mapping(family, kind, known)
    values = naming.values_of(family)
    named = offers.machines(family, plant, type)
    machines = sorted(
        (one for one in plant.site.equipment.values() if one.type == type and not one.retired), key=lambda one: one.path
    )
    alone = len(family.sources) == 1
    return Sheet(
        values=[_value_row(value, found, kind.points, typed) for value in values[:MOST_VALUES]],
        sources=[
            _source_row(one, named.get((one.topic, one.device), NEW if alone and not machines else ""), plant, typed)
            for one in family.sources[:MOST_SOURCES]
        ],
        machines=machines,
        area=typed.area if typed is not None else "new",
        arrival=typed.arrival if typed is not None else found.clock is Clock.ARRIVAL,
        more_values=max(0, len(values) - MOST_VALUES),
        more_sources=max(0, len(family.sources) - MOST_SOURCES),
    )


def _value_row(value: Value, found: offers.Assignment, points: Mapping[str, Point], typed: Typed | None) -> ValueRow:
    said = found.chosen.get(value.name)
    match = None if said is None else said.match
    chosen = offers.Chosen(value.name, "") if said is None else said.chosen
    likely = [points[one.point] for one in found.others.get(value.name, ()) if one.point in points]
    rest = [point for point in points.values() if point not in likely]
    row = typed.value(value.name) if typed is not None else {}
    unit = (match.unit if match is not None and match.unit else value.unit) or ""
    return ValueRow(
        value=value,
        match=match,
        choices=[*likely, *rest],
        likely=len(likely),
        point=row["point"] if row else chosen.point,
        unit=row["unit"] if row else unit,
        scale=row["scale"] if row else f"{chosen.scale:.15g}",
        offset=row["offset"] if row else f"{chosen.offset:.15g}",
        sentinels=row["sentinels"] if row else " ".join(f"{one:.15g}" for one in chosen.sentinels),
        time=row["time"] if row else chosen.time or "",
        zone=row["zone"] if row else chosen.zone or "",
    )


def _source_row(source: Source, suggested: str, plant: Plant, typed: Typed | None) -> SourceRow:
    row = typed.source(source) if typed is not None else {}
    name = naming.new_name(source, plant.site.equipment)
    return SourceRow(source, row["to"] if row else suggested, row["new"] if row else name)


def _names(family: Family) -> Iterator[str]:
    return (value.name for value in naming.values_of(family))
