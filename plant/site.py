"""What stands on one site: equipment, its parameters, bindings and relations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING

from plant.catalogue import Catalogue, Point, PointFamily, Text
from plant.reading import SeriesKey, SeriesTable

if TYPE_CHECKING:
    from plant.device import Template  # which is made of bindings, and those are here


class Clock(StrEnum):
    """Whose time a reading gets (SEMANTICS §6)."""

    DEVICE = "device"
    ARRIVAL = "arrival"


class Mode(StrEnum):
    """Whether a rule's alarms open tickets on an equipment (SEMANTICS §8)."""

    OBSERVE = "observe"
    LIVE = "live"


class PlantClock(StrEnum):
    """Where plant time comes from: the system's clock, or ticks published on the site's clock topic."""

    SYSTEM = "system"
    TOPIC = "topic"


MEMBERS = {
    "incoming": Text("进线", "incoming"),
    "outgoing": Text("出线", "outgoing"),
    "busbar": Text("母排", "busbar"),
}
"""Words for members of point families; any other is shown as it is written, in capitals."""


@dataclass(frozen=True, slots=True)
class Binding:
    """Feeds one point from a topic.

    `topic` may hold MQTT wildcards. `key` is the member of the message that holds the value, None where the message
    is the value. The value is `scale` × raw + `offset`, then converted from `unit` (None: already the point's unit);
    a raw value that is one of `sentinels` is the device's word for having none. `time` is the dotted path of the
    member that holds the message's time, for formats without a fixed place for it; `zone` the zone of times that name
    none (None: the one of the format, else the site's). `device` is the serial number or address the message must
    name, where several devices share a topic.
    """

    topic: str
    point: str
    key: str | None = None
    unit: str | None = None
    scale: float = 1.0
    offset: float = 0.0
    clock: Clock = Clock.DEVICE
    decoder: str = "native"
    sentinels: tuple[float, ...] = ()
    time: str | None = None
    zone: str | None = None
    device: str | None = None


@dataclass(frozen=True, slots=True)
class Equipment:
    """One machine. `id` never changes and is its identity everywhere; `path` (`area/name`) is where it is called.

    `members` declares the members of the type's point families ({"joint_temp_{loc}_{phase}": {"loc": ("incoming",)}}).
    `interval_ms` is the declared spacing of its readings, None for each point's sampling class.
    `relations` maps a relation (`fed_by`, `cooled_by`, `part_of`, `gateway`) to ids of other equipment.
    `rule_modes` and `rule_params` override a rule's mode and parameters here: {"CH-04": Mode.LIVE},
    {"CH-04": {"approach_limit": 2.8}}. An equipment that speaks the native format needs no bindings. Until it is
    `commissioned`, its rules observe: they open no ticket and tell nobody, whatever their mode.
    """

    id: str
    path: str
    type: str
    text: Text
    parameters: Mapping[str, float] = field(default_factory=dict)
    members: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    bindings: tuple[Binding, ...] = ()
    relations: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    interval_ms: int | None = None
    rule_modes: Mapping[str, Mode] = field(default_factory=dict)
    rule_params: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    retired: bool = False
    commissioned: bool = True


@dataclass(frozen=True)
class Site:
    """The registry of one site. `mode` is the mode of rules that nothing else decides.

    `discover` are topic filters to listen to beside what is bound, to see what else there is; `templates` the models of
    devices that the site has of its own, by name.
    """

    id: str
    zone: str
    text: Text
    equipment: Mapping[str, Equipment]
    clock: PlantClock = PlantClock.SYSTEM
    mode: Mode = Mode.OBSERVE
    discover: tuple[str, ...] = ()
    templates: tuple[Template, ...] = ()

    @cached_property
    def by_path(self) -> Mapping[str, Equipment]:
        """Equipment by `area/name`."""
        return {machine.path: machine for machine in self.equipment.values()}


@dataclass(frozen=True)
class Plant:
    """Catalogue and site together: everything the data path needs to know about what exists."""

    catalogue: Catalogue
    site: Site

    def points(self, equipment: Equipment) -> Mapping[str, Point]:
        """The points of one equipment, families expanded to the members it declares, in a stable order."""
        kind = self.catalogue.types[equipment.type]
        points = dict(kind.points)
        for family in kind.families.values():
            for point in expand(family, equipment.members.get(family.name, {})):
                points[point.name] = point
        return points

    @cached_property
    def series(self) -> SeriesTable:
        """Every (equipment, point) of the site that is not retired."""
        return SeriesTable(
            SeriesKey(machine.id, name, machine.type)
            for machine in self.site.equipment.values()
            if not machine.retired
            for name in self.points(machine)
        )


def expand(family: PointFamily, declared: Mapping[str, tuple[str, ...]]) -> tuple[Point, ...]:
    """The points of a family for the members an equipment declares; none when a placeholder has no member."""
    choices = [declared.get(holder, family.fixed.get(holder, ())) for holder in family.placeholders]
    points = []
    for chosen in product(*choices):
        members = dict(zip(family.placeholders, chosen, strict=True))
        words = [MEMBERS.get(member, Text(member.upper(), member.upper())) for member in chosen]
        text = Text(
            " ".join([family.point.text.zh, *(word.zh for word in words)]),
            " ".join([family.point.text.en, *(word.en for word in words)]),
        )
        name = family.name.format(**members)
        points.append(replace(family.point, name=name, text=text, family=family.name, members=members))
    return tuple(points)
