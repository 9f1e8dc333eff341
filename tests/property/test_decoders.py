"""Any bytes on any topic end as readings, a kind or a reason: no decoder and no recogniser ever raises."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from history.entries import Message
from ingest.decoders import FORMATS
from ingest.explain import Given, explain_unbound
from ingest.intake import Intake
from plant.site import Binding
from tests.support.messages import messages, payloads, taken_apart, topics
from tests.unit.ingest.plants import T0, plant


@pytest.mark.parametrize("name", FORMATS)
def test_no_decoder_raises(name: str) -> None:
    @settings(max_examples=150)
    @given(messages(name))
    def law(message: tuple[str, bytes]) -> None:
        taken_apart(name, *message)

    law()


@settings(max_examples=300)
@given(topics, payloads)
def test_every_message_is_recognised_and_explained(topic: str, payload: bytes) -> None:
    lines = explain_unbound(Given(topic, payload))
    assert lines
    assert {line["kind"] for line in lines} <= {"reading", "rejected", "status", "config", "empty"}


KEYS = (
    "online",
    "temperature",
    "ua",
    "02010100",
    "tag0",
    "flow",
    "em:0.a_voltage",
    "ENERGY.Power",
    "DHW_Temp",
    "value",
)
EVERYTHING = plant(
    bindings=(
        *(Binding("#", "tank_level", key=key, decoder=name, unit="%") for name in FORMATS for key in KEYS),
        *(Binding("#", "heat_total", key="ua", decoder=name, device="210") for name in FORMATS),
        Binding("#", "tank_temp_top"),
    )
)
foreign = st.one_of(st.tuples(topics, payloads), *(messages(name) for name in FORMATS)).map(
    lambda said: Message(T0, said[0] or "x", said[1])
)


@settings(max_examples=100)
@given(st.lists(foreign, min_size=1, max_size=6), st.integers(0, 6))
def test_every_message_of_any_format_is_accounted_for_and_cutting_changes_nothing(run: list[Message], cut: int) -> None:
    numbered = list(enumerate(run, 1))
    whole = Intake(EVERYTHING)
    taken = whole.feed_many(numbered)
    ended = set(taken.batch.offset.tolist()) | {refused.offset for refused in taken.rejected}
    assert len(ended) + taken.empty + taken.repeated == taken.messages == len(run)
    first = Intake(EVERYTHING)
    before = first.feed_many(numbered[:cut])
    second = Intake.restore(EVERYTHING, first.state())
    after = second.feed_many(numbered[cut:])
    assert len(before.batch) + len(after.batch) == len(taken.batch)
    assert before.rejected + after.rejected == taken.rejected
    assert second.state() == whole.state()
