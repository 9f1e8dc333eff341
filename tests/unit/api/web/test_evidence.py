"""One line from a proof."""

from __future__ import annotations

from typing import Any

import msgspec

from api.web.evidence import Claim, Fact, open_proof


def compared(text: str, left: str, limit: str, *, value: bool, right: str = "") -> dict[str, Any]:
    """A comparison as the engine writes it."""
    return {
        "text": f"({text})",
        "value": value,
        "of": [
            {"text": text.split(">")[0].split("<")[0], "value": left, "unit": "Cel", "quality": "none"},
            {"text": right or f"{limit}#3", "value": limit, "unit": "1"},
        ],
    }


def proof(*levels: tuple[int, dict[str, Any]]) -> bytes:
    return msgspec.json.encode(
        {
            "levels": [{"severity": grade, "for_ms": 0, "member": None, "when": when} for grade, when in levels],
            "members": [],
            "onset_at": 1,
            "raised_at": 2,
            "frames": {"instants": [0, 1], "points": {"temp": ["51.500", None]}},
        }
    )


def test_the_gravest_true_level_speaks() -> None:
    opened = open_proof(
        proof(
            (2, compared("temp>43#3", "51.500", "43.000", value=True)),
            (1, compared("temp>46#3", "51.500", "46.000", value=True)),
            (1, compared("temp>60#3", "51.500", "60.000", value=False)),
        )
    )
    assert opened.claims == (Claim("temp", 51.5, "Cel", 46.0, True),)
    assert opened.facts == ()
    assert opened.points == {"temp": [51.5, None]}


def test_a_comparison_inside_an_and_is_found() -> None:
    low = compared("temp<4#3", "3.200", "4.000", value=True)
    opened = open_proof(proof((2, {"text": "(run and (temp<4#3))", "value": True, "of": [low]})))
    assert opened.claims == (Claim("temp", 3.2, "Cel", 4.0, False),)


def test_the_two_ends_of_a_range_are_one_claim_and_no_limit() -> None:
    """A step of 1.5 kW between 0.3 and 3.5 is not "below its lower limit 3.5"."""
    ends = [
        compared("step>0.3#3", "1.500", "0.300", value=True),
        compared("step<3.5#3", "1.500", "3.500", value=True),
        compared("factor>0.97#3", "1.000", "0.970", value=True),
    ]
    opened = open_proof(proof((3, {"text": "(...)", "value": True, "of": ends})))
    assert opened.claims == (Claim("step", 1.5, "Cel", 0.3, True, within=3.5), Claim("factor", 1.0, "Cel", 0.97, True))


def test_a_limit_on_the_left_is_turned_round() -> None:
    tree = {
        "text": "(40#3<temp)",
        "value": True,
        "of": [{"text": "40#3", "value": "40.000", "unit": "1"}, {"text": "temp", "value": "41.000", "unit": "Cel"}],
    }
    assert open_proof(proof((3, tree))).claims == (Claim("temp", 41.0, "Cel", 40.0, True),)


def test_statuses_that_contradict_each_other_are_facts() -> None:
    tree = {
        "text": "(command and (not status))",
        "value": True,
        "of": [
            {"text": "command", "value": True, "quality": "none"},
            {
                "text": "(not status)",
                "value": True,
                "of": [{"text": "status", "value": False, "quality": "none"}],
            },
        ],
    }
    opened = open_proof(proof((2, tree)))
    assert opened.claims == ()
    assert opened.facts == (Fact("command", True), Fact("status", False))
