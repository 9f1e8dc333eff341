"""From one raw message to rows in the columns, or to reasons why not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ingest.bindings import Bindings, Feed, Route, Target
from ingest.columns import DELAYED_MS, Arrival, ColumnBuilder
from ingest.decoders import Decode, Decoded, Kind, Sample, by_device, decode
from ingest.reasons import Rejected, RejectReason
from ingest.topics import Channel
from plant.errors import BadInput
from plant.quality import Quality, Reason
from plant.units import convert, is_unit

_MOST_REJECTED = 64
"""Reasons reported of one message; what is beyond becomes one line that counts the rest."""

_LONGEST_UNIT = 32
"""Characters; looking for what a longer text might mean would cost more than it is worth."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """How many rows a message gave, what was refused of it, and whether it rightly held nothing."""

    rows: int
    rejected: tuple[Rejected, ...] = ()
    empty: bool = False


def gather(bindings: Bindings, columns: ColumnBuilder, topic: str, payload: bytes, arrival: Arrival) -> Gathered:
    """Decode one message and add its values to the columns; every message gives rows, a reason, or is empty."""
    route = bindings.route(topic)
    if route.silent is not None:
        return Gathered(0, empty=True)
    if route.refusal is not None:
        return Gathered(0, (route.refusal,)) if payload else Gathered(0, empty=True)
    rows, rejected, silent, others = 0, list[Rejected](), True, set[str | None]()
    read, parts = dict[Decode, Decoded](), dict[Decode, dict[str | None, Decoded]]()
    for feed in route.feeds:
        # Twenty meters behind one gateway are twenty feeds of one topic: the message is read once.
        decoded = read.get(feed.decoder)
        if decoded is None:
            decoded = read[feed.decoder] = decode(feed.decoder, topic, payload)
            rejected.extend(one for one in decoded.rejected if not decoded.partial or _is_bound(route, one.key))
        if feed.device is not None and decoded.device != feed.device:
            if feed.device not in decoded.devices:
                others.update(_others(decoded))
                continue
            if feed.decoder not in parts:
                parts[feed.decoder] = by_device(decoded)
            decoded = parts[feed.decoder][feed.device]
        begin = len(columns)
        if decoded.kind is Kind.READING:
            silent = silent and decoded.partial
            rows += add(_owner(bindings, feed, decoded, rejected), decoded, arrival, columns, rejected)
        if decoded.states:
            rows += add_states(feed, decoded, arrival, columns, rejected)
        if decoded.envelope:
            columns.mark(begin, decoded.envelope)
    if silent and others and not rejected:
        rejected.append(_of_others(others))
    if not rows and not rejected and not silent:
        detail = "none of the values bound to this topic is in the message; see `dutyroom decode`"
        rejected.append(Rejected(RejectReason.UNKNOWN_POINT, detail))
    return gathered(rows, rejected)


def gathered(rows: int, rejected: list[Rejected]) -> Gathered:
    """The account of one message; its reasons are cut to a number that can be told."""
    if len(rejected) > _MOST_REJECTED:
        more = len(rejected) - _MOST_REJECTED
        rejected[_MOST_REJECTED:] = [Rejected(rejected[-1].reason, f"and {more} more of this message")]
    return Gathered(rows, tuple(rejected), empty=not rows and not rejected)


def _is_bound(route: Route, key: str | None) -> bool:
    """Whether a value that was refused is one that anybody bound; None is the whole message, which always counts."""
    if key is None:
        return True
    for feed in route.feeds:
        own = key.removeprefix(f"{feed.device}.") if feed.device is not None else key
        if key in feed.targets or own in feed.targets:
            return True
    return False


def _others(decoded: Decoded) -> Iterable[str | None]:
    """Of which devices a message has readings."""
    if decoded.kind is not Kind.READING:
        return ()
    return decoded.devices or (decoded.device,)


def _of_others(devices: set[str | None]) -> Rejected:
    named = ", ".join(sorted(repr(device)[:200] for device in devices))
    detail = f"this topic is bound for other devices than {named}; bind it, see /discovered"
    return Rejected(RejectReason.UNKNOWN_EQUIPMENT, detail)


def _owner(bindings: Bindings, feed: Feed, decoded: Decoded, rejected: list[Rejected]) -> Feed | None:
    """The feed of the equipment that the message names, where it names one; None when there is no such."""
    if decoded.equipment is None or not feed.strict or feed.channel is Channel.STATUS:
        return feed
    owner = bindings.owner(decoded.equipment, feed)
    if owner is None:
        detail = f"the site has no equipment with the id {decoded.equipment[:200]!r}"
        rejected.append(Rejected(RejectReason.UNKNOWN_EQUIPMENT, detail))
    return owner


def add(feed: Feed | None, decoded: Decoded, arrival: Arrival, columns: ColumnBuilder, rejected: list[Rejected]) -> int:
    """Add the values that `feed` is bound to; how many rows that made."""
    if feed is None:
        return 0
    ts = _own_time(feed, decoded, arrival)
    rows = 0
    if decoded.values:
        whole = None if decoded.historical else feed.columns(decoded.values)
        if whole is not None:
            columns.add(whole, decoded.values.values(), ts, arrival)
            rows += len(whole)
        else:
            for key, value in decoded.values.items():
                rows += _add_sample(
                    feed, Sample(key, value, ts, historical=decoded.historical), arrival, columns, rejected
                )
    for sample in decoded.samples:
        rows += _add_sample(feed, _at(feed, sample, ts, decoded), arrival, columns, rejected)
    return rows


def add_states(feed: Feed, decoded: Decoded, arrival: Arrival, columns: ColumnBuilder, rejected: list[Rejected]) -> int:
    """States feed the points bound to them; that nobody bound one is no fault."""
    ts = _own_time(feed, decoded, arrival)
    bound = ((key, value) for key, value in decoded.states.items() if key in feed.targets)
    return sum(_add_sample(feed, Sample(key, value, ts), arrival, columns, rejected) for key, value in bound)


def _own_time(feed: Feed, decoded: Decoded, arrival: Arrival) -> int | None:
    """A last will was written when its device connected: its time is not when the device went away."""
    if decoded.ts is None:
        return None
    ts = feed.utc(decoded.ts, decoded.wall)
    if feed.channel is not Channel.STATUS or arrival.retain or arrival.draining:
        return ts
    gone = not any(decoded.values.values())
    return None if gone and arrival.received_at - ts > DELAYED_MS else ts


def _at(feed: Feed, sample: Sample, ts: int | None, decoded: Decoded) -> Sample:
    if sample.ts is not None and decoded.wall is None and not decoded.historical:
        return sample
    return Sample(
        sample.key,
        sample.value,
        ts if sample.ts is None else feed.utc(sample.ts, decoded.wall),
        sample.unit,
        sample.quality,
        sample.reason,
        sample.historical or decoded.historical,
        sample.implied,
    )


def _add_sample(feed: Feed, sample: Sample, arrival: Arrival, columns: ColumnBuilder, rejected: list[Rejected]) -> int:
    targets = feed.targets.get(sample.key, ())
    if not targets and feed.strict:
        key = str(sample.key)[:200]
        rejected.append(Rejected(RejectReason.UNKNOWN_POINT, f"the equipment has no point {key!r}", key))
    rows = 0
    for target in targets:
        none = sample.value in target.sentinels
        quality, reason = (Quality.BAD, Reason.SENTINEL) if none else (sample.quality, sample.reason)
        try:
            value = _in_unit(sample, target)
        except BadInput as error:
            rejected.append(Rejected(RejectReason.WRONG_UNIT, str(error), sample.key))
            continue
        own = None if target.arrival else sample.ts
        made = Sample(sample.key, value, own, None, quality, reason, sample.historical)
        columns.add_sample(target.series, made, arrival)
        rows += 1
    return rows


def _is_known(unit: str) -> bool:
    return len(unit) <= _LONGEST_UNIT and is_unit(unit)


def _in_unit(sample: Sample, target: Target) -> float:
    """The value in the point's unit; the message's goes before the binding's, the binding's before the format's.

    A unit of the message that nobody knows (`U` for revolutions) is no contradiction: the binding's holds.
    """
    value = target.scale * sample.value + target.offset
    unit = sample.unit if sample.unit is not None else target.unit
    if target.unit is not None and sample.unit is not None and (sample.implied or not _is_known(sample.unit)):
        unit = target.unit
    if unit is None or unit == target.point_unit:
        return value
    if len(unit) > _LONGEST_UNIT:
        raise BadInput(f"{unit[:_LONGEST_UNIT]!r}… is no known unit")
    return convert(value, unit, target.point_unit)
