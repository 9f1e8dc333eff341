"""Metrics of Sparkplug that are made of others: templates by dotted keys, data sets of one row by column."""

from __future__ import annotations

import pytest

from ingest.decoders import FORMATS, Decoded, decode
from ingest.decoders.sparkplug.structures import DEPTH
from ingest.reasons import RejectReason
from plant.quality import Quality, Reason
from plant.site import Binding
from tests.support import sparkplug as sp
from tests.support.sparkplug import M, payload
from tests.unit.ingest.plants import GOOD, T0, plant, rows
from tests.unit.ingest.test_sparkplug import DEVICE, Listening

BIRTH = DEVICE.replace("DDATA", "DBIRTH")


def born(*metrics: M) -> Decoded:
    return decode(FORMATS["sparkplug_b"].decode, BIRTH, payload(*metrics, ts=T0, seq=0))


def ear(*keys: tuple[str, str]) -> Listening:
    """Listens to a tank with these (key, point) bound."""
    listening = Listening()
    where = plant(bindings=tuple(Binding(DEVICE, point, key=key, decoder="sparkplug_b") for key, point in keys))
    listening.plant, listening.intake = where, type(listening.intake)(where)
    return listening


def test_members_of_a_template_have_dotted_keys_and_what_their_template_says_of_them() -> None:
    inner = sp.template(M("Top", sp.FLOAT, 55.5, properties={"engUnit": "Cel"}), M("Level", sp.INT16, -4, ts=T0 + 1))
    outer = M("Tank", sp.TEMPLATE, sp.template(M("Inside", sp.TEMPLATE, inner)), ts=T0, properties={"Quality": 0})
    assert {(one.key, one.value, one.ts, one.unit, one.reason) for one in born(outer).samples} == {
        ("Tank.Inside.Top", 55.5, T0, "Cel", Reason.NONE),
        ("Tank.Inside.Level", -4.0, T0 + 1, None, Reason.DEVICE_FAILURE),
    }


def test_columns_of_a_data_set_of_one_row_are_keys() -> None:
    table = sp.data_set([("t", sp.FLOAT), ("n", sp.INT32), ("gone", sp.FLOAT)], [20.5, -1, None])
    decoded = born(M("Now", sp.DATA_SET, table, ts=T0))
    assert [(one.key, one.value, one.ts) for one in decoded.samples] == [("Now.t", 20.5, T0), ("Now.n", -1.0, T0)]
    assert decoded.rejected == ()


@pytest.mark.parametrize(
    "metric",
    [
        M("_types_/Pump", sp.TEMPLATE, sp.template(M("Speed", sp.FLOAT, 0.0), definition=True)),
        M("Now", sp.DATA_SET, sp.data_set([("t", sp.FLOAT)])),
        M("Tank", sp.TEMPLATE, null=True),
    ],
    ids=["definition", "no rows", "null"],
)
def test_structure_without_values_is_no_reading_and_no_fault(metric: M) -> None:
    decoded = born(metric)
    assert (decoded.samples, decoded.rejected) == ((), ())


def test_data_of_a_template_is_read_by_what_its_birth_defined() -> None:
    listening = ear(("Tank.Top", "tank_temp_top"), ("Tank.Level", "tank_level"))
    members = [M("Top", sp.FLOAT, 122.0, properties={"engUnit": "degF"}), M("Level", sp.INT16, 40, alias=9)]
    whole = payload(M("Tank", sp.TEMPLATE, sp.template(*members), alias=7), ts=T0, seq=0)
    taken = listening.hear((BIRTH, whole))
    assert (taken.rejected, len(taken.batch)) == ((), 2)
    # By alias, without types: the template and one of its members; the other by its name.
    some = sp.template(M(None, sp.INT16, -41, alias=9, typed=False), M("Top", sp.FLOAT, 131.0, typed=False))
    data = payload(M(None, sp.TEMPLATE, some, alias=7, typed=False), ts=T0 + 1000, seq=1)
    taken = listening.hear((DEVICE, data), at=T0 + 1000)
    assert [(name, value, quality) for name, _, value, quality, _ in rows(listening.plant, taken)] == [
        ("tank_level", -41.0, Quality.BAD),  # which no level can be, but that is what the bytes say
        ("tank_temp_top", pytest.approx(55.0), Quality.GOOD),
    ]


def test_death_ends_the_members_not_the_template() -> None:
    listening = ear(("Tank.Top", "tank_temp_top"))
    birth = payload(M("Tank", sp.TEMPLATE, sp.template(M("Top", sp.FLOAT, 50.0))), ts=T0, seq=0)
    listening.hear((BIRTH, birth))
    taken = listening.hear((BIRTH.replace("DBIRTH", "DDEATH"), payload(ts=T0 + 1000, seq=1)), at=T0 + 1000)
    assert [(row[0], row[3], row[4]) for row in rows(listening.plant, taken)] == [
        ("tank_temp_top", Quality.BAD, Reason.DEVICE_OFFLINE)
    ]


def test_structure_that_cannot_be_read_is_told_where_something_in_it_is_bound() -> None:
    rows_of_two = M("Now", sp.DATA_SET, sp.data_set([("t", sp.FLOAT)], [20.5], [21.5]))
    message = payload(rows_of_two, M("Level", sp.FLOAT, 40.0), ts=T0, seq=0)
    bound, other = ear(("Now.t", "tank_temp_top")), ear(("Level", "tank_level"))
    (refused,) = (one for one in bound.hear((BIRTH, message)).rejected if one.reason is RejectReason.NOT_A_VALUE)
    assert "Now is a data set of 2 rows" in refused.detail
    taken = other.hear((BIRTH, message))
    assert (taken.rejected, rows(other.plant, taken)) == ((), [("tank_level", T0, 40.0, *GOOD)])


def test_templates_within_templates_end_somewhere() -> None:
    metric = M("v", sp.FLOAT, 1.0)
    for _ in range(2_000):
        metric = M(None, sp.TEMPLATE, sp.template(metric), alias=1)
    listening = ear(("T", "tank_level"))
    listening.hear((BIRTH, payload(M("T", sp.TEMPLATE, sp.template(), alias=1), ts=T0, seq=0)))
    taken = listening.hear((DEVICE, payload(metric, ts=T0, seq=1)))
    assert [one.reason for one in taken.rejected] == [RejectReason.TOO_LARGE]
    assert f"more than {DEPTH} templates" in taken.rejected[0].detail
