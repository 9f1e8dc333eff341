"""What the evidence of an alarm says of the expression that raised it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from api.web.evidence import open_proof
from plant.cataloguefile import load_catalogue
from rules.cases import case_readings
from rules.engine import Engine
from rules.frames import lateness_file
from rules.loader import load_sources

CATALOGUE = load_catalogue()


def proof_of(rule: str) -> bytes:
    """The proof of the first alarm that the first case with one raises."""
    source = next(source for source in load_sources(catalogue=CATALOGUE) if source.rule.id == rule)
    number = next(number for number, case in enumerate(source.cases) if case.alarms)
    plant, batch, end = case_readings(source, number, CATALOGUE)
    engine = Engine(plant, [source.rule], lateness=lateness_file)
    engine.feed(batch)
    return next(event.proof for event in engine.tick(end) if event.proof is not None)


def parts(tree: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A part of an expression and everything it is made of."""
    yield tree
    for part in tree.get("of", ()):
        yield from parts(part)


def test_quantities_go_by_their_names_and_comparisons_say_which() -> None:
    tree = msgspec.json.decode(proof_of("EL-17"))["levels"][0]["when"]
    assert (tree["op"], tree["text"].split(">")[0]) == (">", "(joint_above_sisters")
    above, limit = tree["of"]
    assert (above["name"], above["value"], above["unit"]) == ("joint_above_sisters", "10.000", "K")
    assert limit["value"] == "4.000"
    (claim, *_) = open_proof(proof_of("EL-17")).claims
    assert (claim.what, claim.value, claim.limit, claim.upper) == ("joint_above_sisters", 10.0, 4.0, True)


def test_a_quantity_that_stands_in_several_places_is_opened_once() -> None:
    body = proof_of("DM-01")
    (level, *_) = msgspec.json.decode(body)["levels"]
    rises = [part for part in parts(level["when"]) if part.get("name") == "power_rise"]
    assert len(rises) > 1
    assert [part for part in rises if "of" in part] == rises[:1]
    assert {part["value"] for part in rises} == {"0.800"}
    # A ticket on a phone carries its proof: the tree of 80 parts stays a few ten thousand characters.
    assert len(body) < 40_000


def test_a_window_in_panes_says_how_it_is_cut() -> None:
    (level, *_) = msgspec.json.decode(proof_of("EL-18"))["levels"]
    (window,) = [part for part in parts(level["when"]) if "panes" in part and "of" in part]
    assert window["panes"] == {"count": 180, "length_ms": 120_000, "zone": "UTC"}
    assert window["window"] == {"instants": 360, "needed": 288}
