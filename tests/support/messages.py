"""Messages nobody has seen: random bytes, random JSON of vendors' words, and the cases' messages with damage done."""

from __future__ import annotations

import json
import math
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from ingest.decoders import FORMATS, Decoded, decode, recognise
from ingest.decoders.decoded import Sample

CASES = Path(__file__).parents[1] / "cases" / "decoders"

_SEEN = sorted({((case / "topic").read_text("utf-8"), (case / "payload").read_bytes()) for case in CASES.iterdir()})

_LEVELS = """
    tele stat SENSOR STATE STATUS8 STATUS10 LWT POWER1 RESULT shellies shellyem-1 emeter 0 relay power
    status em:0 em1:0 switch:0 events rpc online EMData.GetData zigbee2mqtt bridge state devices
    availability set neuron v1 gateway devices me telemetry attributes connect ems-esp boiler_data
    thermostat_data panasonic_heat_pump main DHW_Temp s0 1wire 28FF dutyroom site area name clock
    homeassistant sensor config application device event up spBv1.0 NDATA DBIRTH STATE x
""".split()  # noqa: SIM905 - a list of words is read as such

_WORDS = """
    Time Epoch ENERGY Power Voltage DS18B20-1 Id Temperature TempUnit StatusSNS StatusSTS SML POWER Wifi
    method params ts src result status em:0 em1:0 switch:0 temperature:0 devicepower:0 tC tF errors
    output battery external present percent data keys values period id a_voltage total_act NotifyStatus
    last_seen linkquality state temperature timestamp node group tags name value error errors metas
    states link time date meterSN gwSN meterStatus ct pt ua ia p regs 02010100 0201FF00 00010000
    02-02-01-00 B611 di dataId addr device datetime unit S_value S_unit points online object deviceInfo
    devEui uplink_message decoded_payload ison hwID
    bn bt bu bv bs bver n u v vb vs vd s t ut
""".split()  # noqa: SIM905 - a list of words is read as such

_TEXTS = """
    ON off true 12.5 -7 1e5 1e999 NaN Infinity 2023-11-14T22:13:20 20231114221320 14.11.2023_22:13
    2023-13-45T99:99:99 99999999999999 1700000000 FFFFFFFF 2205 80012345 EEEE missing normal offline C F
    read out_of_range:pf °C online 0
""".split()  # noqa: SIM905 - a list of words is read as such

leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([0, 1, 999, 1_700_000_000, 1_700_000_000_000, 10**30, -1]),
    st.floats(),
    st.sampled_from([text.replace("_", " ") for text in _TEXTS]),
    st.text(max_size=8),
)
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(st.sampled_from(_WORDS), st.text(max_size=6)), inner, max_size=6),
    ),
    max_leaves=24,
)
topics: SearchStrategy[str] = st.one_of(
    st.sampled_from([topic for topic, _ in _SEEN]),
    st.lists(st.one_of(st.sampled_from(_LEVELS), st.text(max_size=6)), max_size=6).map("/".join),
)


@st.composite
def damaged(draw: st.DrawFn, seen: list[tuple[str, bytes]]) -> tuple[str, bytes]:
    """One of these messages: cut, with bytes exchanged, or (where it is JSON) with a value exchanged anywhere."""
    topic, payload = draw(st.sampled_from(seen))
    return topic, draw(_harmed(payload))


@st.composite
def _harmed(draw: st.DrawFn, payload: bytes) -> bytes:
    if payload[:1] == b"{" and draw(st.booleans()):
        try:
            return json.dumps(_exchanged(draw, json.loads(payload))).encode()
        except ValueError:
            return payload
    at = draw(st.integers(0, len(payload)))
    return payload[:at] + draw(st.binary(max_size=4)) + payload[at + draw(st.integers(0, 6)) :]


def _exchanged(draw: st.DrawFn, tree: object) -> object:
    if isinstance(tree, dict) and tree and draw(st.integers(0, 3)):
        key = draw(st.sampled_from(sorted(tree)))
        return {**tree, key: _exchanged(draw, tree[key])}
    if isinstance(tree, list) and tree and draw(st.integers(0, 3)):
        at = draw(st.integers(0, len(tree) - 1))
        return [*tree[:at], _exchanged(draw, tree[at]), *tree[at + 1 :]]
    return draw(trees)


payloads: SearchStrategy[bytes] = st.one_of(
    st.binary(max_size=64),
    trees.map(lambda tree: json.dumps(tree).encode()),
    st.text(max_size=12).map(lambda text: text.encode("utf-8", "replace")),
    st.sampled_from([text.encode() for text in _TEXTS]),
    damaged(_SEEN).map(lambda message: message[1]),
)


def messages(name: str) -> SearchStrategy[tuple[str, bytes]]:
    """(topic, payload) for one format: any of any kind, and its own messages with damage done."""
    own = [(topic, payload) for topic, payload in _SEEN if recognise(topic, payload).name == name]
    foreign = st.tuples(topics, payloads)
    return st.one_of(foreign, damaged(own), damaged(own)) if own else foreign


def taken_apart(name: str, topic: str, payload: bytes) -> Decoded:
    """What a format makes of a message; fails where the answer is not one that can be stored and shown."""
    decoded = decode(FORMATS[name].decode, topic, payload)
    samples = [Sample(key, value, decoded.ts) for key, value in decoded.values.items()]
    for sample in (*samples, *decoded.samples):
        assert sample.ts is None or 0 <= sample.ts <= 2**53, sample
        assert isinstance(sample.value, float | int)
        (sample.key or "").encode()
    assert all(math.isfinite(value) for value in decoded.states.values())
    for refused in decoded.rejected:
        refused.detail.encode()
    (decoded.device or "").encode()
    return decoded
