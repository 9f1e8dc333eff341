"""Which points of which equipment a topic feeds: native topics by path, all others by their bindings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from paho.mqtt.client import topic_matches_sub
from paho.mqtt.matcher import MQTTMatcher

from ingest.decoders import FORMATS, Decode, Kind
from ingest.decoders.moments import from_wall
from ingest.decoders.sparkplug import FORMAT as SPARKPLUG_FORMAT
from ingest.decoders.sparkplug import Address, any_kind, followed
from ingest.decoders.sparkplug.address import nodes_of
from ingest.floods import UNDECLARED, declared_rates, nominal_rate
from ingest.reasons import Rejected, RejectReason
from ingest.topics import Channel, NativeTopic, parse
from plant.errors import BadInput
from plant.site import Binding, Clock, Equipment, Plant

_CACHED_TOPICS = 65_536
"""Routes remembered; a stream of ever new topics empties the cache and costs time, never memory."""

_CACHED_SHAPES = 16

SPARKPLUG = SPARKPLUG_FORMAT.name


@dataclass(frozen=True, slots=True)
class Target:
    """One point fed: raw × `scale` + `offset` in `unit` (None: as the message says) becomes `point_unit`.

    A raw value that is one of `sentinels` is the device's word for having none.
    """

    series: int
    point_unit: str
    unit: str | None = None
    scale: float = 1.0
    offset: float = 0.0
    arrival: bool = False
    sentinels: tuple[float, ...] = ()

    @property
    def direct(self) -> bool:
        """A plain number goes in unchanged."""
        plain = self.scale == 1.0 and self.offset == 0.0 and not self.arrival and not self.sentinels
        return plain and self.unit in (None, self.point_unit)


@dataclass(frozen=True, slots=True)
class Feed:
    """One decoder on a topic and where the values it finds go.

    `strict`: every key must be known (native messages name points; foreign ones say much that nobody bound).
    `equipment` is the id of the one whose native topic this is, empty for a bound topic.
    `zone` is the one its bindings name for times without a zone, empty where they name none; `site_zone` the site's.
    `device` is the one that the message must name, None where any will do.
    `columns` finds the whole of a message's series at once, for the shapes of message seen before.
    """

    decoder: Decode
    targets: Mapping[str | None, tuple[Target, ...]]
    strict: bool
    site_zone: str
    zone: str = ""
    channel: Channel = Channel.TELEMETRY
    equipment: str = ""
    device: str | None = None
    shapes: dict[tuple[str | None, ...], list[int] | None] = field(default_factory=dict)
    packed: dict[tuple[str, ...], bytes | None] = field(default_factory=dict)

    def frame(self, keys: Iterable[str]) -> bytes | None:
        """As `columns`, the series as int32 in the machine's order."""
        shape = tuple(keys)
        try:
            return self.packed[shape]
        except KeyError:
            series = self.columns(shape)
            found = None if series is None else np.array(series, np.int32).tobytes()
            if len(self.packed) < _CACHED_SHAPES:
                self.packed[shape] = found
            return found

    def utc(self, ts: int, wall: str | None) -> int:
        """A decoded time as ms UTC; `wall` as in `Decoded`."""
        return ts if wall is None else from_wall(ts, self.zone or wall or self.site_zone)

    def columns(self, keys: Iterable[str | None]) -> list[int] | None:
        """The series of these keys where each feeds one point unchanged; None where it takes a closer look."""
        shape = tuple(keys)
        try:
            return self.shapes[shape]
        except KeyError:
            found = self._columns(shape)
            if len(self.shapes) < _CACHED_SHAPES:
                self.shapes[shape] = found
            return found

    def _columns(self, shape: tuple[str | None, ...]) -> list[int] | None:
        series = []
        for key in shape:
            targets = self.targets.get(key, ())
            if len(targets) != 1 or not targets[0].direct:
                return None
            series.append(targets[0].series)
        return series


@dataclass(frozen=True, slots=True)
class Route:
    """What to do with the messages of one topic: feed points, refuse (`refusal`), or nothing (`silent`).

    `nominal` is how many messages a minute it should bring at most (`floods.nominal_rate`).
    """

    feeds: tuple[Feed, ...] = ()
    refusal: Rejected | None = None
    silent: Kind | None = None
    nominal: float = UNDECLARED
    frames: Feed | None = None
    """The feed of a native topic of telemetry: plain frames take the fast lane (`ingest.quick`)."""


_Bound = tuple[Binding, Target]


class Bindings:
    """Resolves topics for one configuration.

    Raises BadInput when a binding names a decoder or a point there is none of.
    """

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._routes: dict[str, Route] = {}
        self._rates = declared_rates(plant)
        self._filters = MQTTMatcher()  # type: ignore[no-untyped-call]  # paho's matcher has no types
        bound: dict[str, list[_Bound]] = {}
        for machine in plant.site.equipment.values():
            for binding in () if machine.retired else machine.bindings:
                bound.setdefault(_matched(binding), []).append((binding, _target(plant, machine, binding)))
        for topic, pairs in bound.items():
            self._filters[topic] = pairs
        self._edges = frozenset(followed(b.topic) for b in self._all() if b.decoder == SPARKPLUG)
        self.edge_nodes = nodes_of(self._edges)

    @property
    def filters(self) -> tuple[str, ...]:
        """The topic filters of all bindings, sorted, each once: what to subscribe to beside the native topics."""
        return tuple(sorted({b.topic for b in self._all() if b.decoder != SPARKPLUG} | self._edges))

    def follows(self, address: Address) -> bool:
        """Whether anything is bound to this Sparkplug edge node or to a device of it."""
        topic = str(address.of_node())
        return any(_matches(edge, topic) for edge in self._edges)

    def _all(self) -> Iterable[Binding]:
        return (b for machine in self._plant.site.equipment.values() if not machine.retired for b in machine.bindings)

    def route(self, topic: str) -> Route:
        """The route of a topic; the answer for a known topic is a look-up."""
        route = self._routes.get(topic)
        if route is None:
            if len(self._routes) >= _CACHED_TOPICS:
                self._routes.clear()
            route = self._routes[topic] = self._find(topic)
        return route

    def owner(self, equipment: str, feed: Feed) -> Feed | None:
        """Where a native message goes that names its equipment by id: `feed` itself if it is that equipment's own.

        None when the site has no such equipment.
        """
        if feed.equipment == equipment:
            return feed
        machine = self._plant.site.equipment.get(equipment)
        if machine is None or machine.retired:
            return None
        return self.route(str(NativeTopic(self._plant.site.id, machine.path, feed.channel))).feeds[0]

    def _find(self, topic: str) -> Route:
        pairs = [pair for found in self._matching(topic) for pair in found]
        name = parse(topic)
        if name is None or name.site != self._plant.site.id:
            if pairs:
                return self._fed(tuple(_feeds(pairs, self._plant.site.zone)))
            detail = f"no binding matches {topic[:200]!r}; bind it to a point, or publish on dutyroom/v1/<site>/…"
            return Route(refusal=Rejected(RejectReason.UNKNOWN_TOPIC, detail))
        if name.channel in (Channel.CLOCK, Channel.MARKER, Channel.COLLECTOR):
            return Route(silent=Kind.STATUS)
        machine = self._plant.site.by_path.get(name.path)
        if machine is None or machine.retired:
            detail = f"the site {name.site} has no equipment {name.path[:200]!r}"
            return Route(refusal=Rejected(RejectReason.UNKNOWN_EQUIPMENT, detail))
        frames = name.channel is Channel.TELEMETRY
        return self._fed((self._by_path(machine, pairs, name.channel),), frames=frames)

    def _fed(self, feeds: tuple[Feed, ...], *, frames: bool = False) -> Route:
        series = {target.series for feed in feeds for targets in feed.targets.values() for target in targets}
        nominal = nominal_rate(self._rates[number] for number in series)
        return Route(feeds, nominal=nominal, frames=feeds[0] if frames else None)

    def _matching(self, topic: str) -> Iterable[list[_Bound]]:
        matches: Iterable[list[_Bound]] = self._filters.iter_match(topic)  # type: ignore[no-untyped-call]
        return matches

    def _by_path(self, machine: Equipment, pairs: Iterable[_Bound], channel: Channel) -> Feed:
        targets: dict[str | None, tuple[Target, ...]] = {}
        for name, point in self._plant.points(machine).items():
            series = self._plant.series.find(machine.id, name)
            if series is not None:
                targets[name] = (Target(series, point.unit),)
        for binding, target in pairs:
            if binding.key is not None:
                targets[binding.key] = (target,)
        status = channel is Channel.STATUS
        decoder = FORMATS["native_status" if status else "native"].decode
        return Feed(decoder, targets, True, self._plant.site.zone, channel=channel, equipment=machine.id)


def _feeds(pairs: Iterable[_Bound], site_zone: str) -> Iterable[Feed]:
    """One feed for each way of reading the messages: a format, where its time is, in which zone, of which device."""
    grouped: dict[tuple[str, str, str, str | None], dict[str | None, tuple[Target, ...]]] = {}
    # A decoder is made once for all devices of a topic, so that a message is read once for all of them.
    decoders: dict[tuple[str, str], Decode] = {}
    for binding, target in pairs:
        # A binding without a key says that the message is the value: no format but `plain` has that.
        name = "plain" if binding.key is None else binding.decoder
        targets = grouped.setdefault((name, binding.time or "", binding.zone or "", binding.device), {})
        targets[binding.key] = (*targets.get(binding.key, ()), target)
    for (name, time, zone, device), targets in grouped.items():
        decoder = decoders.get((name, time))
        if decoder is None:
            chosen = FORMATS[name]
            decoder = decoders[name, time] = chosen.timed(time) if time and chosen.timed else chosen.decode
        yield Feed(decoder, targets, strict=False, site_zone=site_zone, zone=zone, device=device)


def _matched(binding: Binding) -> str:
    """The filter of the topics that feed a binding; a Sparkplug device is born, lives and dies on three of them."""
    return any_kind(binding.topic) if binding.decoder == SPARKPLUG else binding.topic


def _matches(topic_filter: str, topic: str) -> bool:
    return bool(topic_matches_sub(topic_filter, topic))


def _target(plant: Plant, machine: Equipment, binding: Binding) -> Target:
    where = f"{machine.id}: binding of {binding.topic!r}"
    if binding.decoder not in FORMATS:
        raise BadInput(f"{where} names the decoder {binding.decoder!r}; expected one of {', '.join(FORMATS)}")
    if binding.time is not None and FORMATS[binding.decoder].timed is None:
        timed = ", ".join(name for name, known in FORMATS.items() if known.timed is not None)
        raise BadInput(f"{where} names a member as time, but {binding.decoder} knows its own; expected one of {timed}")
    point = plant.points(machine).get(binding.point)
    series = plant.series.find(machine.id, binding.point)
    if point is None or series is None:
        raise BadInput(f"{where} feeds {binding.point!r}, which is no point of a {machine.type}")
    arrival = binding.clock is Clock.ARRIVAL
    return Target(series, point.unit, binding.unit, binding.scale, binding.offset, arrival, binding.sentinels)
