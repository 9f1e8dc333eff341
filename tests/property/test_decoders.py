"""Any bytes on any topic end as readings, a kind or a reason: no decoder and no recogniser ever raises."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from ingest.decoders import FORMATS
from ingest.explain import Given, explain_unbound
from tests.support.messages import messages, payloads, taken_apart, topics


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
