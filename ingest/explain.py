"""One message explained line by line: what `dutyroom decode` prints."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from history.entries import Message
from ingest.bindings import Bindings, Feed
from ingest.columns import Arrival, ColumnBuilder
from ingest.decoders import FORMATS, KNOWN, Decoded, Format, Kind, Sample, by_device, decode, recognise
from ingest.decoders.moments import from_wall
from ingest.intake import Intake, Intaken
from ingest.placing import merge, place
from ingest.reasons import Rejected
from ingest.topics import Channel, parse
from plant.errors import BadInput
from plant.instants import NEVER
from plant.quality import Quality, Reason
from plant.site import Binding, Equipment, Plant, PlantClock

Line = Mapping[str, str | float | None]


@dataclass(frozen=True, slots=True)
class Given:
    """A message to explain.

    `received_at` None: its age is not judged. `zone` is that of times that name none; empty: such a time is no instant.
    """

    topic: str
    payload: bytes
    retain: bool = False
    received_at: int | None = None
    zone: str = ""


def explain_unbound(given: Given, decoder: str | None = None) -> list[Line]:
    """What the message says by itself: device, key, value and unit as they stand in it.

    `decoder` None: the format is recognised by topic and content. Raises BadInput for an unknown decoder.
    """
    name = parse(given.topic)
    if decoder is None and name is not None and name.channel in (Channel.CLOCK, Channel.MARKER):
        return [{"kind": Kind.STATUS.value}]
    if decoder == "native" and name is not None and name.channel is Channel.STATUS:
        decoder = "native_status"
    chosen = _chosen(given, decoder)
    decoded = decode(chosen.decode, given.topic, given.payload)
    whole = decoded.equipment or (given.topic if name is None else name.path)
    parts = by_device(decoded).values() if decoded.devices else [decoded]
    lines = [line for part in parts for line in _readings(part.device or whole, _samples(part, given.zone), given)]
    lines += map(_refused, decoded.rejected)
    return lines or [{"kind": decoded.kind.value}]


def remarks(given: Given, decoder: str | None = None) -> list[str]:
    """What a person should know beside the lines: the format, states that points may be bound to, a zone that lacks.

    Raises BadInput for an unknown decoder.
    """
    chosen = _chosen(given, decoder)
    decoded = decode(chosen.decode, given.topic, given.payload)
    said = [f"format: {chosen.name}"]
    if decoded.states:
        states = ", ".join(f"{key} = {value:g}" for key, value in decoded.states.items())
        said.append(f"states, no readings by themselves; a binding may name them as its key: {states}")
    if decoded.wall == "" and not given.zone:
        said.append(
            "the times name no zone, so ts is null; give --zone, or bind the topic: the site's zone counts then"
        )
    return said


def _chosen(given: Given, decoder: str | None) -> Format:
    if decoder is None:
        return recognise(given.topic, given.payload)
    if decoder not in FORMATS:
        raise BadInput(f"there is no decoder {decoder!r}; expected one of {', '.join(FORMATS)}")
    return FORMATS[decoder]


def explain_bound(given: Given, plant: Plant, decoder: str | None = None) -> list[Line]:
    """What the service would make of the message as the first it ever receives.

    `decoder` takes the place of the one each binding names. Raises BadInput when a binding of the plant, or this
    decoder, cannot be used.
    """
    site = replace(plant.site, clock=PlantClock.SYSTEM)
    if decoder is not None:
        site = replace(site, equipment={key: _rebound(one, decoder) for key, one in site.equipment.items()})
    plant = replace(plant, site=site)
    own = _own_time(given, plant)
    received_at = next(at for at in (given.received_at, own, 0) if at is not None)
    taken = Intake(plant).feed(1, Message(received_at, given.topic, given.payload, retain=given.retain))
    timed = given.received_at is not None or own is not None
    lines = [*_bound_readings(given, plant, taken, timed=timed)]
    lines += [_refused(Rejected(refused.reason, refused.detail)) for refused in taken.rejected]
    if lines:
        return lines
    route = Bindings(plant).route(given.topic)
    kinds = [route.silent, *(one.kind for _, one in _decoded(given, plant))] if given.payload else []
    silent = next((kind for kind in kinds if kind not in (None, Kind.READING)), None)
    return [{"kind": (silent or Kind.EMPTY).value}]


def _rebound(machine: Equipment, decoder: str) -> Equipment:
    def rebound(binding: Binding) -> Binding:
        return replace(binding, decoder=decoder, time=binding.time if KNOWN.get(decoder) else None)

    return replace(machine, bindings=tuple(map(rebound, machine.bindings)))


def _decoded(given: Given, plant: Plant) -> list[tuple[Feed, Decoded]]:
    feeds = Bindings(plant).route(given.topic).feeds
    return [(feed, decode(feed.decoder, given.topic, given.payload)) for feed in feeds]


def _own_time(given: Given, plant: Plant) -> int | None:
    for feed, decoded in _decoded(given, plant):
        times = [decoded.ts, *(sample.ts for sample in decoded.samples)]
        found = next((ts for ts in times if ts is not None), None)
        if found is not None:
            return feed.utc(found, decoded.wall)
    return None


def _bound_readings(given: Given, plant: Plant, taken: Intaken, *, timed: bool) -> Iterator[Line]:
    keys = {
        target.series: key
        for feed in Bindings(plant).route(given.topic).feeds
        for key, targets in feed.targets.items()
        for target in targets
    }
    name = parse(given.topic)
    said = next((one.device for _, one in _decoded(given, plant) if one.device is not None), given.topic)
    batch = taken.batch
    for row in range(len(batch)):
        series = plant.series.keys[batch.series[row]]
        point = plant.points(plant.site.equipment[series.equipment])[series.point]
        yield {
            "kind": Kind.READING.value,
            "device": said if name is None else name.path,
            "key": keys.get(int(batch.series[row]), series.point),
            "ts": int(batch.ts[row]) if timed else None,
            "value": _finite(float(batch.value[row])),
            "unit": point.unit,
            **_trust(batch.quality[row], batch.reason[row]),
            "equipment": series.equipment,
            "point": series.point,
        }


def _samples(decoded: Decoded, zone: str) -> Iterator[Sample]:
    def utc(ts: int | None) -> int | None:
        if ts is None or decoded.wall is None:
            return ts
        where = zone or decoded.wall
        return from_wall(ts, where) if where else None

    for key, value in decoded.values.items():
        yield Sample(key, float(value), utc(decoded.ts), historical=decoded.historical)
    for sample in decoded.samples:
        ts = utc(decoded.ts if sample.ts is None else sample.ts)
        historical = sample.historical or decoded.historical
        yield Sample(sample.key, sample.value, ts, sample.unit, sample.quality, sample.reason, historical)


def _readings(device: str, samples: Iterator[Sample], given: Given) -> Iterator[Line]:
    for sample in samples:
        received = given.received_at if given.received_at is not None else sample.ts
        columns = ColumnBuilder()
        columns.add_sample(0, sample, Arrival(received or 0, given.retain, False, NEVER, 0))
        built = columns.build()
        ts, doubt = place(built)
        quality, reason = built.quality, built.reason
        if not math.isfinite(sample.value) and not quality[0]:
            quality, reason = np.array([Quality.BAD], np.uint8), np.array([Reason.NOT_A_NUMBER], np.uint8)
        quality, reason = merge(quality, reason, doubt)
        yield {
            "kind": Kind.READING.value,
            "device": device,
            "key": sample.key,
            "ts": None if received is None else int(ts[0]),
            "value": _finite(sample.value),
            "unit": sample.unit,
            **_trust(quality[0], reason[0]),
        }


def _trust(quality: np.uint8, reason: np.uint8) -> Line:
    why = Reason(int(reason))
    return {
        "quality": Quality(int(quality)).name.lower(),
        "reason": None if why is Reason.NONE else why.name.lower(),
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _refused(rejected: Rejected) -> Line:
    return {"kind": "rejected", "reason": rejected.reason.value, "detail": rejected.detail}
