"""Laws of the way in: nothing raises, nothing vanishes, and cutting the entries anywhere changes nothing."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from history.entries import ClockEpoch, Entry, Message, Tick
from ingest.decoders import FORMATS, decode
from ingest.intake import Intake, Intaken
from ingest.topics import Channel, NativeTopic, parse
from plant.reading import ReadingBatch
from plant.site import Binding, Plant, PlantClock
from tests.support.intakes import cut_and_restarted
from tests.unit.ingest.plants import T0, plant, watched

BINDINGS = (
    Binding("plain/+", "tank_temp_top", unit="degF"),
    Binding("gw/#", "tank_level", key="a", decoder="plain"),
    Binding("gw/x", "heat_total", key="b", decoder="native"),
)
TOPICS = (
    "dutyroom/v1/demo/bath/tank-1/telemetry",
    "dutyroom/v1/demo/bath/tank-1/status",
    "dutyroom/v1/demo/bath/tank-2/telemetry",
    "dutyroom/v1/demo/clock",
    "dutyroom/v1/demo/bath/none/telemetry",
    "plain/1",
    "gw/x",
    "elsewhere",
)

# Few times and values, so that duplicates, jumps, confirmations and late readings really meet.
times = st.one_of(st.none(), st.integers(-6, 6).map(lambda n: T0 + 20_000 * n), st.just(T0 - 10**9))
numbers = st.one_of(
    st.sampled_from([20.0, 21.0, 60.0, 61.0, 85.0, 500.0, float("nan"), None, True, "ERR"]),
    st.fixed_dictionaries(
        {"value": st.sampled_from([20, 140.0, None])},
        optional={
            "unit": st.sampled_from(["degF", "kW"]),
            "quality": st.sampled_from(["bad", "uncertain", "?"]),
            "historical": st.just(True),
        },
    ),
)
names = st.sampled_from(["tank_temp_top", "tank_level", "heat_total", "circ_pump_status", "nonsense", "a", "b"])
frames = st.builds(
    lambda ts, points: json.dumps({"ts": ts, "points": points, **points}).encode(),
    times,
    st.dictionaries(names, numbers, max_size=4),
)
payloads = st.one_of(frames, frames, frames, st.sampled_from([b"140", b"60 \xe2\x84\x83", b'{"online": false}', b""]))
messages = st.builds(
    Message,
    received_at=st.integers(-5, 5).map(lambda n: T0 + 20_000 * n),
    topic=st.sampled_from(TOPICS),
    payload=payloads,
    retain=st.sampled_from([False, False, False, True]),
    draining=st.booleans(),
)
entries = st.lists(
    st.one_of(
        messages,
        messages,
        messages,
        messages,
        st.builds(Tick, st.integers(-3, 6).map(lambda n: T0 + 20_000 * n), st.booleans()),
        st.just(ClockEpoch(T0, T0 + 60_000)),
    ),
    max_size=40,
)
plants = st.sampled_from([plant(bindings=BINDINGS, clock=clock) for clock in PlantClock])

with_broker = plants.map(watched)
"""Of these the ticks become readings too."""


def columns(batch: ReadingBatch) -> list[list[str]]:
    """As text, so that NaN equals NaN."""
    names = ("series", "ts", "value", "quality", "reason", "seen", "offset")
    return [[repr(x) for x in getattr(batch, name).tolist()] for name in names]


def same(one: Intaken, other: Intaken) -> bool:
    def counts(taken: Intaken) -> tuple[object, ...]:
        told = (taken.rejected, taken.messages, taken.empty, taken.repeated, taken.duplicates, taken.conflicts)
        return (*told, taken.repairs, taken.flooded, taken.read, taken.refused)

    return columns(one.batch) == columns(other.batch) and counts(one) == counts(other)


@given(plants | with_broker, entries, st.lists(st.integers(0, 40), max_size=6))
def test_cutting_anywhere_and_restarting_anywhere_changes_nothing(
    where: Plant, run: list[Entry], cuts: list[int]
) -> None:
    whole = Intake(where)
    expected = whole.feed_many(list(enumerate(run, 1)))
    pieces, state = cut_and_restarted(where, run, cuts)
    assert same(pieces, expected)
    assert state == whole.state()


# One equipment and three points, mostly going forward: here the fast path and the walk of the door must agree.
steps = st.lists(
    st.tuples(
        st.sampled_from([20_000, 20_000, 20_000, 60_000, 0, -20_000]),
        st.sampled_from(["tank_temp_top", "tank_temp_top", "heat_total", "tank_level"]),
        st.sampled_from([50.0, 50.0, 51.0, 52.0, 70.0, 71.0, 49.0, 500.0, 10_000.0]),
        st.sampled_from([False] * 7 + [True]),
    ),
    max_size=60,
)


@given(steps, st.lists(st.integers(0, 60), max_size=6))
@settings(max_examples=400)
def test_cutting_a_busy_series_changes_nothing(run: list[tuple[int, str, float, bool]], cuts: list[int]) -> None:
    where, now, told = plant(), T0, list[Entry]()
    for step, point, value, retain in run:
        now += step
        body = json.dumps({"ts": now, "points": {point: value}}).encode()
        told.append(Message(now, TOPICS[0], body, retain=retain))
    whole = Intake(where)
    expected = whole.feed_many(list(enumerate(told, 1)))
    for inner in (cuts, range(len(told))):
        pieces, state = cut_and_restarted(where, told, inner)
        assert same(pieces, expected)
        assert state == whole.state()


@given(plants | with_broker, entries)
def test_one_by_one_is_the_same_as_all_at_once(where: Plant, run: list[Entry]) -> None:
    numbered = list(enumerate(run, 1))
    intake, pieces = Intake(where), Intaken.nothing()
    for offset, entry in numbered:
        pieces = pieces + intake.feed(offset, entry)
    assert same(pieces, Intake(where).feed_many(numbered))


@given(plants, entries)
def test_every_message_ends_as_readings_or_is_counted(where: Plant, run: list[Entry]) -> None:
    numbered = [*enumerate(run, 1), (len(run) + 1, Tick(T0))]
    taken = Intake(where).feed_many(numbered)
    given_messages = {offset for offset, entry in numbered if isinstance(entry, Message)}
    ended = set(taken.batch.offset.tolist()) | {refused.offset for refused in taken.rejected}
    assert ended <= given_messages
    assert len(ended) + taken.empty + taken.repeated + taken.flooded == taken.messages == len(given_messages)
    outcomes = taken.read + taken.refused + taken.empty + taken.repeated + taken.flooded
    assert outcomes == taken.messages


@given(st.sampled_from(TOPICS), st.one_of(st.binary(max_size=200), frames))
@settings(max_examples=300)
def test_any_bytes_on_any_topic_are_counted_once(topic: str, payload: bytes) -> None:
    taken = Intake(plant(bindings=BINDINGS)).feed(1, Message(T0, topic, payload))
    assert (len(taken.batch) > 0 or len(taken.rejected) > 0) != bool(taken.empty)


json_like = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["ts", "points", "value", "unit", "quality", "online", "id", "x"]), inner),
    ),
    max_leaves=12,
)


@given(
    st.sampled_from(sorted(FORMATS)),
    st.text(max_size=20),
    st.one_of(st.binary(), json_like.map(lambda v: json.dumps(v).encode())),
)
@settings(max_examples=300)
def test_decoders_never_raise(name: str, topic: str, payload: bytes) -> None:
    decoded = decode(FORMATS[name].decode, topic, payload)
    for refused in decoded.rejected:
        refused.detail.encode()  # what is shown to a person can be written down


levels = st.text(st.characters(codec="utf-8", exclude_characters="/+#\x00"), min_size=1, max_size=8)


@given(levels, levels, levels, st.sampled_from([Channel.TELEMETRY, Channel.STATUS]))
def test_native_topics_read_back_as_written(site: str, area: str, name: str, channel: Channel) -> None:
    topic = NativeTopic(site, f"{area}/{name}", channel)
    assert parse(str(topic)) == topic


@given(st.text(max_size=40))
def test_foreign_topics_are_nobodys(topic: str) -> None:
    assert parse(topic) is None or topic.startswith("dutyroom/v1/")
