"""The folders of tests/cases/decoders: a topic and a payload, and what `dutyroom decode` must print for them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ingest.explain import Given, Line, explain_unbound

CASES = sorted((Path(__file__).parents[2] / "cases" / "decoders").iterdir())


def without_detail(line: Line) -> Line:
    """The wording of a reason is for people."""
    return {name: value for name, value in line.items() if name != "detail"}


def in_order(lines: list[Line]) -> list[str]:
    """Which value of a message comes first is nobody's concern."""
    return sorted(json.dumps(without_detail(line), sort_keys=True) for line in lines)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_decoder_case(case: Path) -> None:
    lines = explain_unbound(Given((case / "topic").read_text(), (case / "payload").read_bytes()))
    assert in_order(lines) == in_order(json.loads((case / "expected.json").read_text()))


def test_there_are_cases() -> None:
    assert len(CASES) > 20
