"""Laws of Sparkplug on its way in: no bytes raise, nothing vanishes, cuts and restarts change nothing."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from history.entries import Entry, Message, Tick
from ingest.decoders import FORMATS, decode
from ingest.decoders.sparkplug import Came, EdgeNodes, parse
from ingest.decoders.sparkplug.metrics import parse_payload
from ingest.intake import Intake
from plant.site import PlantClock
from tests.property.test_ingest_intake import same
from tests.support import sparkplug as sp
from tests.support.intakes import cut_and_restarted
from tests.support.sparkplug import EdgeNode, M, payload
from tests.unit.ingest.plants import T0, plant
from tests.unit.ingest.test_sparkplug import site
from tests.unit.ingest.test_sparkplug_requests import stranger

KINDS = ["NBIRTH", "DBIRTH", "NDATA", "DDATA", "NDEATH", "DDEATH", "NCMD", "DCMD"]
SPARKPLUG = FORMATS["sparkplug_b"].decode


def topic(kind: str, device: str = "tank") -> str:
    return f"spBv1.0/plant/{kind}/edge" + (f"/{device}" if kind.startswith("D") else "")


metrics = st.builds(
    M,
    name=st.sampled_from([None, None, "Level", "Temp/Top", "bdSeq", "Other"]),
    datatype=st.sampled_from([sp.FLOAT, sp.INT16]),
    value=st.integers(-100, 100),
    alias=st.sampled_from([None, 1, 2, 3]),
    ts=st.sampled_from([None, T0, T0 + 20_000, T0 - 20_000]),
    typed=st.booleans(),
    historical=st.sampled_from([False, False, True]),
    properties=st.sampled_from([{}, {}, {"Quality": 500}, {"engUnit": "degF"}, {"Quality": 7}]),
)
structures = st.builds(
    lambda name, alias, inner, kind: M(name, kind, inner, alias),
    st.sampled_from([None, "Level", "Tank"]),
    st.sampled_from([None, 1, 7]),
    st.one_of(
        st.lists(metrics, max_size=3).map(lambda made: sp.template(*made)),
        st.lists(metrics, max_size=2).map(lambda made: sp.template(M("In", sp.TEMPLATE, sp.template(*made), 7))),
        st.lists(st.integers(-9, 9), max_size=3).map(lambda row: sp.data_set([("a", sp.INT8), ("", sp.FLOAT)], row)),
        st.binary(max_size=20),
    ),
    st.sampled_from([sp.TEMPLATE, sp.DATA_SET]),
)
bodies = st.builds(
    lambda made, ts, seq: payload(*made, ts=ts, seq=seq),
    st.lists(st.one_of(metrics, structures), max_size=3),
    st.sampled_from([None, T0, T0 + 20_000]),
    st.sampled_from([None, 0, 1, 2, 3, 255]),
)


def life(steps: list[str]) -> list[Entry]:
    """What a node says that lives so: `lose` is said and not heard, `again` is heard twice."""
    edge = EdgeNode(
        "plant",
        "edge",
        {
            "": {"Heat": (1, sp.UINT64, 5000, None)},
            "tank": {"Temp/Top": (2, sp.FLOAT, 122.0, "degF"), "Level": (3, sp.INT16, 40, None)},
        },
    )
    heard: list[tuple[str, bytes]] = []
    out: list[Entry] = []
    for n, step in enumerate(steps):
        now = T0 + n * 20_000
        match step:
            case "birth":
                new = edge.births(now)
            case "death":
                new = [edge.death()]
                edge.bd_seq += 1
            case "stranger":
                new = [stranger(f"node-{n % 3}", n)]
            case "again":
                new = heard[-3:]
            case "tick":
                new = []
                out.append(Tick(now, listening=n % 3 > 0))
            case _:
                new = [edge.data(now, "tank", Level=n % 50)]
        if step != "lose":
            heard += new
            out += [Message(now, where, body) for where, body in new]
    return out


lives = st.lists(
    st.sampled_from(["birth", "data", "data", "data", "lose", "death", "again", "stranger", "tick"]), max_size=30
).map(life)
noises = st.lists(
    st.builds(
        lambda kind, device, body, retain, at: Message(at, topic(kind, device), body, retain=retain),
        st.sampled_from(KINDS),
        st.sampled_from(["tank", "other"]),
        bodies,
        st.sampled_from([False, False, True]),
        st.sampled_from([T0, T0 + 30_000, T0 + 90_000]),
    ),
    max_size=25,
)


@given(st.one_of(lives, noises), st.lists(st.integers(0, 40), max_size=6), st.sampled_from(list(PlantClock)))
@settings(max_examples=300)
def test_cutting_anywhere_and_restarting_anywhere_changes_nothing(
    run: list[Entry], cuts: list[int], clock: PlantClock
) -> None:
    where = plant(bindings=site().site.equipment["tank-2"].bindings, clock=clock)
    whole = Intake(where)
    expected = whole.feed_many(list(enumerate(run, 1)))
    pieces, state = cut_and_restarted(where, run, cuts)
    assert same(pieces, expected)
    assert pieces.requests == expected.requests
    assert state == whole.state()


@given(st.one_of(lives, noises))
def test_every_message_ends_as_readings_or_is_counted(run: list[Entry]) -> None:
    numbered = list(enumerate(run, 1))
    taken = Intake(site()).feed_many(numbered)
    heard = {offset for offset, entry in numbered if isinstance(entry, Message)}
    ended = set(taken.batch.offset.tolist()) | {refused.offset for refused in taken.rejected}
    assert ended <= heard
    assert len(ended) + taken.empty + taken.repeated == taken.messages == len(heard)


@given(st.one_of(lives, noises), st.integers(3, 20))
def test_what_is_remembered_is_counted_and_bounded(run: list[Entry], most: int) -> None:
    nodes = EdgeNodes(most)
    for entry in run:
        address = parse(entry.topic) if isinstance(entry, Message) else None
        if isinstance(entry, Message) and address is not None:
            nodes.take(address, entry.payload, Came(entry.received_at, retain=entry.retain))
            assert nodes.remembered <= most
    assert EdgeNodes.restore(nodes.state(), most).remembered == nodes.remembered


@given(lives)
def test_no_value_is_invented(run: list[Entry]) -> None:
    """Every level that is stored is one that a heard message carried under its own time."""
    taken = Intake(site()).feed_many(list(enumerate(run, 1)))
    table = site().series
    said = {(T0 + n * 20_000, float(n % 50)) for n in range(30)} | {(T0 + n * 20_000, 40.0) for n in range(30)}
    batch = taken.batch
    for row in range(len(batch)):
        if table.keys[batch.series[row]].point == "tank_level" and batch.quality[row] != 2:
            assert (int(batch.ts[row]), float(batch.value[row])) in said


@given(st.sampled_from(KINDS), st.one_of(st.binary(max_size=200), bodies))
@settings(max_examples=500)
def test_any_bytes_are_readings_or_a_reason(kind: str, body: bytes) -> None:
    for refused in decode(SPARKPLUG, topic(kind), body).rejected:
        refused.detail.encode()
    taken = Intake(site()).feed(1, Message(T0, topic(kind), body))
    assert (len(taken.batch) > 0 or len(taken.rejected) > 0) != bool(taken.empty)


@given(bodies, st.integers(0, 100), st.integers(0, 255))
def test_one_damaged_byte_never_raises(body: bytes, at: int, new: int) -> None:
    damaged = bytearray(body)
    if damaged:
        damaged[at % len(damaged)] = new
    decode(SPARKPLUG, topic("NBIRTH"), bytes(damaged))


@given(st.lists(metrics, max_size=5), st.integers(0, 2**64 - 1), st.integers(0, 255))
def test_what_another_encoder_writes_is_read_back(made: list[M], ts: int, seq: int) -> None:
    message = parse_payload(payload(*made, ts=ts, seq=seq))
    assert (message.timestamp, message.seq, len(message.metrics)) == (ts, seq, len(made))
    assert [metric.name for metric in message.metrics] == [one.name or "" for one in made]
    assert [metric.HasField("alias") for metric in message.metrics] == [one.alias is not None for one in made]
    assert message.SerializeToString() == payload(*made, ts=ts, seq=seq)
