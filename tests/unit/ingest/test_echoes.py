"""A Shelly that says one reading in two envelopes has it counted once, whichever comes first and wherever one cuts."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from history.entries import Message
from ingest.intake import Intake
from plant.site import Binding, Plant
from tests.support.intakes import cut_and_restarted
from tests.unit.ingest.plants import T0, plant, rows

DEVICE = "shellyplus1pm-x"
WHERE = plant(
    bindings=(
        Binding(f"{DEVICE}/#", "tank_level", key="em1:0.pf", unit="%", decoder="shelly"),
        Binding(f"{DEVICE}/#", "tank_temp_top", key="temperature:0.tC", decoder="shelly"),
    )
)


def status(pf: float, *, after: int = 0, retain: bool = False) -> Message:
    body = json.dumps({"id": 0, "pf": pf}).encode()
    return Message(T0 + after, f"{DEVICE}/status/em1:0", body, retain=retain)


def notification(pf: float, *, after: int = 0) -> Message:
    params = {"ts": (T0 + after) / 1000, "em1:0": {"id": 0, "pf": pf}}
    body = json.dumps({"src": DEVICE, "method": "NotifyStatus", "params": params}).encode()
    return Message(T0 + after, f"{DEVICE}/events/rpc", body)


def values(*messages: Message, on: Plant = WHERE) -> list[float]:
    taken = Intake(on).feed_many(list(enumerate(messages, 1)))
    assert taken.rejected == ()
    return [row[2] for row in rows(on, taken)]


@pytest.mark.parametrize(
    "messages",
    [(status(0.8), notification(0.8, after=40)), (notification(0.8), status(0.8, after=4_000))],
    ids=["status first", "notification first"],
)
def test_the_same_reading_in_a_second_envelope_is_counted_once(messages: tuple[Message, ...]) -> None:
    taken = Intake(WHERE).feed_many(list(enumerate(messages, 1)))
    assert [row[2] for row in rows(WHERE, taken)] == [0.8]
    assert (taken.messages, taken.repeated, taken.duplicates) == (2, 1, 1)


def test_a_value_that_comes_twice_in_one_envelope_counts_twice() -> None:
    assert values(status(0.8), status(0.8, after=1_000)) == [0.8, 0.8]


def test_each_value_answers_for_one_echo() -> None:
    assert values(status(0.8), notification(0.8, after=10), notification(0.8, after=1_000)) == [0.8, 0.8]


def test_another_value_is_no_echo() -> None:
    assert values(status(0.8), notification(0.9, after=10)) == [0.8, 0.9]


def test_what_comes_later_than_five_seconds_is_a_reading_of_its_own() -> None:
    assert values(status(0.8), notification(0.8, after=5_001)) == [0.8, 0.8]


def test_a_retained_value_does_not_hide_the_live_one() -> None:
    assert values(status(0.8, retain=True), notification(0.8, after=10)) == [0.8, 0.8]


def test_two_of_each_in_a_burst_are_two() -> None:
    burst = (status(0.1), status(0.2, after=1), notification(0.1, after=2), notification(0.2, after=3))
    assert values(*burst) == [0.1, 0.2]


said = st.builds(
    lambda make, pf, after: make(pf, after=after),
    st.sampled_from([status, notification]),
    st.sampled_from([0.1, 0.2]),
    st.integers(0, 8).map(lambda n: n * 1_500),
)


@given(st.lists(said, max_size=20), st.lists(st.integers(0, 20), max_size=4))
def test_cutting_and_restarting_anywhere_changes_nothing(messages: list[Message], cuts: list[int]) -> None:
    whole = Intake(WHERE)
    expected = rows(WHERE, whole.feed_many(list(enumerate(messages, 1))))
    pieces, state = cut_and_restarted(WHERE, messages, cuts)
    assert rows(WHERE, pieces) == expected
    assert state == whole.state()
