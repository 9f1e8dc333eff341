"""Real messages of field devices: `dutyroom decode` prints what a reader of their documentation expects."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ingest.explain import Given, Line, explain_unbound

EXPECTED = Path(__file__).parents[2] / "cases" / "corpus" / "expected.jsonl"


def by_key(lines: list[Line]) -> list[str]:
    """Lines without the words for people, in an order that does not depend on the message's."""
    return sorted(json.dumps({k: v for k, v in line.items() if k != "detail"}, sort_keys=True) for line in lines)


def expectations() -> dict[str, list[Line]]:
    """Lines by the id of the message."""
    entries = [json.loads(line) for line in EXPECTED.read_text("utf-8").splitlines()]
    assert len({entry["id"] for entry in entries}) == len(entries), "an id stands there twice"
    return {entry["id"]: entry["lines"] for entry in entries}


@pytest.mark.shared
def test_every_message_of_the_corpus_reads_as_expected(shared_data: Path) -> None:
    expected, different = expectations(), dict[str, tuple[list[str], list[str]]]()
    corpus = [json.loads(line) for line in (shared_data / "mqtt_payloads.jsonl").read_text("utf-8").splitlines()]
    assert sorted(case["id"] for case in corpus) == sorted(expected), "each message has an entry, each entry a message"
    for case in corpus:
        found = by_key(explain_unbound(Given(case["topic"], case["payload"].encode())))
        if found != by_key(expected[case["id"]]):
            different[case["id"]] = (found, by_key(expected[case["id"]]))
    assert different == {}
