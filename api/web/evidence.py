"""What a proof says in one line: which value passed which limit, or which statuses contradict each other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

_CONSTANT = re.compile(r"^-?\d+(\.\d+)?(e[+-]?\d+)?#\d+$")
_COMPARED = re.compile(r"[^<>]*?(>=|<=|>|<)")

Tree = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Claim:
    """A number that passed a limit. `what` is a point's name or an expression in such; `upper`: it lies above.

    `within` is the other end where the rule asks for a value between two; then neither is a limit that was passed.
    """

    what: str
    value: float
    unit: str
    limit: float
    upper: bool
    within: float | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """A status or condition that was true or false when the fault was seen."""

    what: str
    value: bool


@dataclass(frozen=True, slots=True)
class Evidence:
    """A proof opened: claims of its gravest true level, else the facts; and the frames it froze.

    `points` has for each point as many values as `instants` (ms UTC), None where it was unknown.
    """

    claims: Sequence[Claim]
    facts: Sequence[Fact]
    members: Sequence[str]
    instants: Sequence[int]
    points: Mapping[str, Sequence[float | None]]
    onset_at: int
    raised_at: int


def open_proof(body: bytes) -> Evidence:
    """The evidence in the canonical JSON of a proof."""
    proof = msgspec.json.decode(body)
    level = _shown_level(proof["levels"])
    tree = level["when"] if level is not None else {}
    claims = _joined(dict.fromkeys(_claims(tree)))
    facts = () if claims else tuple(dict.fromkeys(_facts(tree)))
    frames = proof["frames"]
    return Evidence(
        claims,
        facts,
        proof["members"],
        frames["instants"],
        {name: [None if v is None else float(v) for v in column] for name, column in frames["points"].items()},
        proof["onset_at"],
        proof["raised_at"],
    )


def _shown_level(levels: Sequence[Tree]) -> Tree | None:
    """The gravest level that was true; of several equal ones the last, whose limit is the farthest passed."""
    true = [level for level in levels if level["when"].get("value") is True]
    return max(true, key=lambda level: -level["severity"]) if true else None


def _claims(tree: Tree) -> Iterator[Claim]:
    parts = tree.get("of", ())
    claim = _comparison(tree, parts)
    if claim is not None:
        yield claim
    if tree.get("value") is True:
        for part in parts:
            yield from _claims(part)


def _joined(claims: Iterable[Claim]) -> tuple[Claim, ...]:
    """Claims with the two ends of a range as one; the gravest of several limits on one side stays as it is."""
    found: list[Claim] = []
    for claim in claims:
        place = next((i for i, other in enumerate(found) if _ends(other, claim)), None)
        if place is None:
            found.append(claim)
        else:
            found[place] = replace(found[place], within=claim.limit)
    return tuple(found)


def _ends(one: Claim, other: Claim) -> bool:
    """Whether two claims are the ends of one range of one quantity."""
    return (one.what, one.value) == (other.what, other.value) and one.upper is not other.upper and one.within is None


def _comparison(tree: Tree, parts: Sequence[Tree]) -> Claim | None:
    """`(left>43#3)` that is true; a limit may also stand on the left or be another number."""
    if tree.get("value") is not True or len(parts) != 2 or any(not isinstance(p.get("value"), str) for p in parts):
        return None
    found = _COMPARED.match(tree["text"].removeprefix("("))
    symbol = tree.get("op") or (found.group(1) if found else None)
    if symbol not in (">", ">=", "<", "<="):
        return None
    left, right = parts
    swapped = bool(_CONSTANT.match(left["text"]))
    what, limit = (right, left) if swapped else (left, right)
    return Claim(
        what.get("name", what["text"]),
        float(what["value"]),
        what.get("unit", "1"),
        float(limit["value"]),
        (symbol[0] == ">") is not swapped,
    )


def _facts(tree: Tree) -> Iterator[Fact]:
    parts = tree.get("of", ())
    if "quality" in tree and isinstance(tree.get("value"), bool):
        yield Fact(tree["text"], tree["value"])
    for part in parts:
        yield from _facts(part)
