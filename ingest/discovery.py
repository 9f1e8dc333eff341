"""What comes that nobody has bound, in families of topics: how it looks, what is in it, how often. Pure, with state."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from history.entries import Message
from ingest.bindings import Bindings
from ingest.decoders import MAX_PAYLOAD, Decoded, Kind, decode, recognise
from ingest.decoders.ha_discovery import announcements
from ingest.decoders.sparkplug import FORMAT as SPARKPLUG
from ingest.decoders.sparkplug import any_kind, parse
from ingest.decoders.sparkplug.address import COMMANDS, NAMESPACE, MessageKind
from ingest.families import family_id, family_of
from ingest.reasons import Refused, RejectReason
from ingest.topics import ROOT

MOST_FAMILIES = 500
"""Families remembered; beyond, the one that has been silent longest goes, and is counted."""
MOST_SOURCES = 500
MOST_KEYS = 256
EXCERPT = 2_048
"""Bytes of a sample payload that are kept."""

ANNOUNCED = "homeassistant/"
"""Below it devices announce what they will say."""

_ALWAYS_READ = 20
_READ_EVERY_MS = 10_000
_LONGEST_KEY = 256
_NOT_OF_DEVICES = COMMANDS | {MessageKind.STATE}
_UNBOUND = frozenset({RejectReason.UNKNOWN_TOPIC, RejectReason.UNKNOWN_EQUIPMENT})


class Found(msgspec.Struct, frozen=True):
    """A value seen under a key (None: the message is the value).

    `value` is the newest, `low` and `high` span all that were looked at, `at` is when (plant time, ms). `implied`: the
    unit is the format's word, not the message's. `state`: it tells how the device is, not what it measures.
    """

    key: str | None
    value: float
    low: float
    high: float
    at: int
    unit: str | None = None
    implied: bool = False
    state: bool = False


class Announced(msgspec.Struct, frozen=True):
    """What a device has announced of a value (Home Assistant's discovery): its dotted path, and words for it."""

    identity: str
    key: str | None
    name: str = ""
    unit: str | None = None
    device: str = ""


class Source(msgspec.Struct, frozen=True):
    """A topic of the family, with the device it names (None: it names none).

    `value` and `unit` are what was last seen where the message itself is the value.
    """

    topic: str
    device: str | None
    count: int
    first_at: int
    last_at: int
    value: float | None = None
    unit: str | None = None


class Family(msgspec.Struct, frozen=True):
    """Unbound topics that differ only in what tells devices apart.

    `id` is made of `pattern`. `decoder` is the format recognised, `topic`, `payload` (at most EXCERPT bytes) and
    `size` are those of the newest message looked at, `trouble` what its format had against it. `first_offset` is the
    journal offset of the first message. `more_sources` counts messages of sources beyond MOST_SOURCES, `more_keys`
    keys beyond MOST_KEYS. `reason` is the kind of `trouble`, a RejectReason; empty where there is none. Times are plant
    time, ms.
    """

    id: str
    pattern: str
    decoder: str
    topic: str
    payload: bytes
    size: int
    first_offset: int
    first_at: int
    last_at: int
    count: int
    read: int
    read_at: int
    found: tuple[Found, ...] = ()
    sources: tuple[Source, ...] = ()
    more_keys: int = 0
    more_sources: int = 0
    trouble: str = ""
    reason: str = ""
    announced: tuple[Announced, ...] = ()

    @property
    def per_minute(self) -> float | None:
        """Messages a minute from the first to the last; None where one is all there was."""
        span = self.last_at - self.first_at
        return (self.count - 1) * 60_000 / span if span > 0 and self.count > 1 else None


class Discovery:
    """Messages in journal order in, families out; cutting the messages anywhere, and restoring, change nothing.

    Of a family the first messages are taken apart, then one in ten seconds and the first of each source: a flood on an
    unbound topic costs a look-up a message.
    """

    def __init__(self, bindings: Bindings, families: Sequence[Family] = ()) -> None:
        self._bindings = bindings
        self._families = {family.id: family for family in families}
        self.changed: set[str] = set()
        self.gone: set[str] = set()
        self.evicted = 0

    @property
    def families(self) -> Mapping[str, Family]:
        """All families by id."""
        return self._families

    def observe(self, offset: int, message: Message) -> None:
        """Take up a message, if nobody has bound it."""
        route = self._bindings.route(message.topic)
        refused = route.refusal is not None and route.refusal.reason in _UNBOUND
        others = bool(route.feeds) and all(feed.device is not None for feed in route.feeds)
        if not message.payload or not (refused or others):
            return
        topic = _named(message.topic)
        if topic is None:
            return
        if topic.startswith(ANNOUNCED):
            self._announce(offset, message)
            return
        known = self._families.get(family_id(_pattern(topic)))
        if known is None or others or self._due(known, message):
            self._look(offset, topic, message, bound=frozenset(feed.device for feed in route.feeds))
        else:
            self._put(_counted(known, topic, message))

    def rebind(self, bindings: Bindings) -> None:
        """Under a changed configuration: what is bound now is forgotten."""
        self._bindings = bindings
        for family in list(self._families.values()):
            left = tuple(source for source in family.sources if not self._bound(source))
            if family.sources and not left:
                self._remove(family)
            elif len(left) < len(family.sources):
                self._put(msgspec.structs.replace(family, sources=left))

    def take_changes(self) -> tuple[list[Family], list[str]]:
        """The families changed and the ids of those gone since the last call."""
        changed = [self._families[id] for id in sorted(self.changed) if id in self._families]
        gone = sorted(id for id in self.gone if id not in self._families)
        self.changed, self.gone = set(), set()
        return changed, gone

    def _bound(self, source: Source) -> bool:
        route = self._bindings.route(source.topic)
        if route.refusal is not None:
            return route.refusal.reason not in _UNBOUND
        return not route.feeds or any(feed.device in (None, source.device) for feed in route.feeds)

    def _due(self, family: Family, message: Message) -> bool:
        return family.read < _ALWAYS_READ or message.received_at - family.read_at >= _READ_EVERY_MS

    def _look(self, offset: int, topic: str, message: Message, bound: frozenset[str | None]) -> None:
        format = recognise(message.topic, message.payload)
        decoded = decode(format.decode, message.topic, message.payload[: MAX_PAYLOAD + 1])
        if decoded.kind is Kind.CONFIG or (decoded.device is not None and decoded.device in bound):
            return
        if format.name == SPARKPLUG.name and not decoded.rejected and next(_values(decoded, 0), None) is None:
            return  # a birth that holds nothing but the protocol's own
        pattern = _pattern(topic)
        family = self._families.get(family_id(pattern)) or _begun(pattern, offset, message)
        family = _with_value(_counted(family, topic, message, decoded.device), topic, decoded, message.received_at)
        found, more = _merged(family.found, decoded, message.received_at)
        rejected = decoded.rejected[0] if decoded.rejected and not found else None
        self._put(
            msgspec.structs.replace(
                family,
                decoder=format.name,
                topic=topic,
                payload=message.payload[:EXCERPT],
                size=len(message.payload),
                read=family.read + 1,
                read_at=message.received_at,
                found=found,
                more_keys=max(family.more_keys, more),
                trouble="" if rejected is None else rejected.detail,
                reason="" if rejected is None else rejected.reason.value,
            )
        )

    def _announce(self, offset: int, message: Message) -> None:
        """What a device says it will say belongs to the families of the topics it names."""
        try:
            said = announcements(message.topic, message.payload[: MAX_PAYLOAD + 1])
        except Refused:
            return  # the quarantine has it, with its reason
        for one in said:
            if one.removed or not one.topic or self._bindings.route(one.topic).refusal is None:
                continue
            pattern = _pattern(one.topic)
            family = self._families.get(family_id(pattern)) or _begun(pattern, offset, message)
            words = Announced(one.identity, one.key, one.name or "", one.unit, one.device_name or one.model or "")
            others = tuple(other for other in family.announced if other.identity != one.identity)
            if len(others) < MOST_KEYS:
                self._put(msgspec.structs.replace(family, announced=(*others, words)))

    def _put(self, family: Family) -> None:
        if family.id not in self._families and len(self._families) >= MOST_FAMILIES:
            oldest = min(self._families.values(), key=lambda one: (one.last_at, one.id))
            self._remove(oldest)
            self.evicted += 1
        self._families[family.id] = family
        self.changed.add(family.id)
        self.gone.discard(family.id)

    def _remove(self, family: Family) -> None:
        del self._families[family.id]
        self.changed.discard(family.id)
        self.gone.add(family.id)


def _begun(pattern: str, offset: int, message: Message) -> Family:
    at = message.received_at
    return Family(family_id(pattern), pattern, "", message.topic, b"", 0, offset, at, at, 0, 0, at)


def _pattern(topic: str) -> str:
    """Native topics name a machine each: these are told one by one."""
    return topic if topic.startswith(f"{ROOT}/") else family_of(topic)


def _named(topic: str) -> str | None:
    """The topic to bind for messages like this one; None for what is no telemetry.

    Of a Sparkplug device all kinds of message belong together; commands and the states of hosts belong to nobody.
    """
    if not topic.startswith(f"{NAMESPACE}/"):
        return topic
    address = parse(topic)
    if address is None or address.kind in _NOT_OF_DEVICES:
        return None
    return any_kind(topic)


def _counted(family: Family, topic: str, message: Message, device: str | None = None) -> Family:
    """The family with one more message; without a look at it, it is of the source that had the topic first."""
    at = message.received_at
    more = msgspec.structs.replace(family, count=family.count + 1, last_at=max(at, family.last_at))
    for place, source in enumerate(family.sources):
        if source.topic == topic and (device is None or source.device == device):
            newer = msgspec.structs.replace(source, count=source.count + 1, last_at=max(at, source.last_at))
            sources = (*family.sources[:place], newer, *family.sources[place + 1 :])
            return msgspec.structs.replace(more, sources=sources)
    if len(family.sources) >= MOST_SOURCES:
        return msgspec.structs.replace(more, more_sources=family.more_sources + 1)
    return msgspec.structs.replace(more, sources=(*family.sources, Source(topic, device, 1, at, at)))


def _with_value(family: Family, topic: str, decoded: Decoded, at: int) -> Family:
    """The family with what the topic of a single value last said."""
    single = next((one for one in _values(decoded, at) if one.key is None), None)
    if single is None:
        return family
    sources = tuple(
        msgspec.structs.replace(source, value=single.value, unit=single.unit) if source.topic == topic else source
        for source in family.sources
    )
    return msgspec.structs.replace(family, sources=sources)


def _merged(before: tuple[Found, ...], decoded: Decoded, at: int) -> tuple[tuple[Found, ...], int]:
    """The keys with those of one more message, and how many found no room."""
    kept = {one.key: one for one in before}
    more = 0
    for new in _values(decoded, at):
        old = kept.get(new.key)
        if old is not None:
            kept[new.key] = msgspec.structs.replace(new, low=min(old.low, new.low), high=max(old.high, new.high))
        elif len(kept) < MOST_KEYS and len(new.key or "") <= _LONGEST_KEY:
            kept[new.key] = new
        else:
            more += 1
    return tuple(kept.values()), more


def _is_protocol(key: str | None) -> bool:
    """Sparkplug's own metrics: the number of a birth, and switches to be written to."""
    return key is not None and (key == "bdSeq" or key.startswith(("Node Control/", "Device Control/")))


def _values(decoded: Decoded, at: int) -> Iterator[Found]:
    for key, value in decoded.values.items():
        if math.isfinite(value) and not _is_protocol(key):
            number = float(value)
            yield Found(key, number, number, number, at)
    for sample in decoded.samples:
        if math.isfinite(sample.value) and not _is_protocol(sample.key):
            yield Found(sample.key, sample.value, sample.value, sample.value, at, sample.unit, sample.implied)
    for key, value in decoded.states.items():
        yield Found(key, value, value, value, at, state=True)
