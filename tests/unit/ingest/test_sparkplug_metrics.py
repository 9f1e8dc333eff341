"""One metric of a Sparkplug payload: its data types, what is no reading, and its quality."""

from __future__ import annotations

import math

import pytest

from ingest.decoders import FORMATS, decode
from ingest.reasons import RejectReason
from plant.quality import Quality, Reason
from tests.support import sparkplug as sp
from tests.support.sparkplug import M, payload
from tests.unit.ingest.plants import GOOD, T0

OFFLINE = (Quality.BAD, Reason.DEVICE_OFFLINE)


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        (M("v", sp.INT8, -1), -1.0),
        (M("v", sp.INT8, raw=sp.entry(10, sp.VARINT, sp.varint(0xFF))), -1.0),
        (M("v", sp.INT16, -32768), -32768.0),
        (M("v", sp.INT32, -5), -5.0),
        (M("v", sp.INT64, -(2**40)), -(2.0**40)),
        (M("v", sp.UINT8, 255), 255.0),
        (M("v", sp.UINT32, 2**32 - 1), 2.0**32 - 1),
        (M("v", sp.UINT64, 2**63), 2.0**63),
        (M("v", sp.FLOAT, 0.5), 0.5),
        (M("v", sp.DOUBLE, -1e-3), -1e-3),
        (M("v", sp.BOOLEAN, True), 1.0),
        (M("v", sp.STRING, "21.5"), 21.5),
        (M("v", sp.STRING, "OFF"), 0.0),
        (M("v", sp.DATE_TIME, T0), float(T0)),
    ],
    ids=str,
)
def test_data_types(metric: M, value: float) -> None:
    (sample,) = decode(FORMATS["sparkplug_b"].decode, "spBv1.0/g/NBIRTH/n", payload(metric, ts=T0, seq=0)).samples
    assert (sample.key, sample.value, sample.quality) == ("v", value, Quality.GOOD)


@pytest.mark.parametrize(
    ("metric", "reason"),
    [
        (M("v", sp.DATA_SET, b"\x22\xff"), RejectReason.NOT_PROTOBUF),
        (M("v", sp.TEMPLATE, b"\x12\xff"), RejectReason.NOT_PROTOBUF),
        (M("v", sp.DATA_SET, sp.data_set([("t", sp.FLOAT)], [20.5], [21.5])), RejectReason.NOT_A_VALUE),
        (M("v", sp.DATA_SET, sp.data_set([("t", sp.FLOAT)], [20.5, 21.5])), RejectReason.NOT_A_FRAME),
        (M("v", sp.TEMPLATE, sp.template(M("m" * 300, sp.FLOAT, 1.0))), RejectReason.TOO_LARGE),
        (M("v", sp.UINT8, raw=sp.entry(10, sp.VARINT, sp.varint(300))), RejectReason.NOT_A_VALUE),
        (M("v", sp.INT8, raw=sp.entry(10, sp.VARINT, sp.varint(300))), RejectReason.NOT_A_VALUE),
        (M("v", 17, b"\x01"), RejectReason.NOT_A_VALUE),
        (M("v", sp.FLOAT), RejectReason.NOT_A_VALUE),
        (M("v", sp.FLOAT, 1.0, properties={"Quality": 64}), RejectReason.BAD_QUALITY),
    ],
    ids=[
        "broken data set",
        "broken template",
        "rows",
        "ragged",
        "long name",
        "too wide",
        "too wide signed",
        "bytes",
        "neither value nor null",
        "quality",
    ],
)
def test_what_is_no_reading_is_refused_by_name(metric: M, reason: RejectReason) -> None:
    decoded = decode(FORMATS["sparkplug_b"].decode, "spBv1.0/g/NBIRTH/n", payload(metric, seq=0))
    assert [(refused.reason, refused.key) for refused in decoded.rejected] == [(reason, "v")]
    assert decoded.samples == ()


@pytest.mark.parametrize(
    ("metric", "trust"),
    [
        (M("v", sp.FLOAT, 1.0, properties={"Quality": 192}), GOOD),
        (M("v", sp.FLOAT, 1.0, properties={"Quality": 0}), (Quality.BAD, Reason.DEVICE_FAILURE)),
        (M("v", sp.FLOAT, 1.0, properties={"Quality": 500}), OFFLINE),
        (M("v", sp.FLOAT, null=True, properties={"Quality": 500}), OFFLINE),
        (M("v", sp.FLOAT, math.nan), (Quality.BAD, Reason.NOT_A_NUMBER)),
        (M("v", sp.STRING, "Modbus timeout"), (Quality.BAD, Reason.NOT_A_NUMBER)),
    ],
    ids=["good", "bad", "stale", "stale without value", "not a number", "a word"],
)
def test_quality(metric: M, trust: tuple[Quality, Reason]) -> None:
    (sample,) = decode(FORMATS["sparkplug_b"].decode, "spBv1.0/g/NBIRTH/n", payload(metric, seq=0)).samples
    assert (sample.quality, sample.reason) == trust


def test_null_is_no_reading_and_history_is_marked() -> None:
    body = payload(M("a", sp.FLOAT, null=True), M("b", sp.FLOAT, 1.0, ts=5, historical=True), seq=0)
    (sample,) = decode(FORMATS["sparkplug_b"].decode, "spBv1.0/g/NBIRTH/n", body).samples
    assert (sample.key, sample.ts, sample.historical) == ("b", 5, True)
