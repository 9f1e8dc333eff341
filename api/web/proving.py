"""How a repair is being proven: minutes counted of minutes needed, what makes them count, why they do not now."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from api.web.derived import Quantities, spoken
from api.web.evidence import Evidence, Fact
from api.web.switches import switched
from maintenance.ticket import State, Ticket
from plant.catalogue import Text
from rules.model import Rule

_COMPARISONS: Mapping[type[ast.cmpop], tuple[str, Callable[[float, float], bool]]] = {
    ast.Gt: (">", lambda a, b: a > b),
    ast.GtE: ("≥", lambda a, b: a >= b),
    ast.Lt: ("<", lambda a, b: a < b),
    ast.LtE: ("≤", lambda a, b: a <= b),
}
_HELD = frozenset({"held", "mean", "min", "max", "median"})


class Kind(StrEnum):
    """What a check is about."""

    VALUE = "value"
    """The value that was beyond its limit is back."""
    RUNS = "runs"
    """A status must be on."""
    OFF = "off"
    LEAST = "least"
    MOST = "most"
    STATES = "states"
    """Statuses that contradicted each other; `name` says how they stand now."""
    LIKE = "like"
    """As it was when the fault was seen, within a band."""


_DASH = Text("–", "–")


@dataclass(frozen=True, slots=True)
class Check:
    """One condition for a minute to count: `met` None where the value is not known now."""

    kind: Kind
    name: Text
    unit: str
    now: float | None
    bound: float | None
    within: float | None
    met: bool | None

    @property
    def missing(self) -> bool:
        """The machine does not say it now: nothing was heard, or nothing that is to be believed."""
        return self.met is None and self.now is None


@dataclass(frozen=True, slots=True)
class Proving:
    """A verification as people see it. Milliseconds; `closes_at` only while it can be foretold."""

    counted_ms: int
    needed_ms: int
    closes_at: int | None
    verify_by: int | None
    parked: bool
    again_ms: int
    checks: tuple[Check, ...]

    @property
    def holding(self) -> Sequence[Check]:
        """What keeps minutes from counting now: what is not met, and what cannot be judged for want of data."""
        return [check for check in self.checks if check.met is False or check.missing]

    @property
    def paused(self) -> bool:
        """Minutes do not count now."""
        return bool(self.holding)

    @property
    def share(self) -> float:
        """Percent of the needed time."""
        return 100.0 * self.counted_ms / self.needed_ms if self.needed_ms else 0.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What the machine says now, and what it said when the fault was seen (`then`, by name or expression)."""

    quantities: Quantities
    names: Mapping[str, tuple[Text, str]]
    then: Callable[[str], float | None]


def proving(ticket: Ticket, rule: Rule, evidence: Evidence | None, seen: Seen, now: int) -> Proving | None:
    """How the proof of a ticket stands, `now` ms UTC; None when it is not being proven."""
    if ticket.state not in (State.VERIFYING, State.PARKED):
        return None
    needed = ticket.needed_ms or rule.verify_for_ms
    checks = tuple(_checks(rule, evidence, seen))
    paused = any(check.met is False or check.missing for check in checks)
    left = needed - ticket.counted_ms
    foretold = ticket.state is State.VERIFYING and not paused and left > 0
    return Proving(
        ticket.counted_ms,
        needed,
        now + left if foretold else None,
        ticket.verify_by,
        ticket.state is State.PARKED,
        max(level.for_ms for level in rule.levels),
        checks,
    )


def _checks(rule: Rule, evidence: Evidence | None, seen: Seen) -> Iterator[Check]:
    claim = evidence.claims[0] if evidence is not None and evidence.claims else None
    facts = [fact for fact in evidence.facts if fact.what in seen.names] if evidence is not None else []
    if facts:
        yield _states(facts, seen)
    said = None if claim is None else spoken(claim.what, claim.unit, seen.names)
    if claim is not None and said is not None:
        now = _now(seen, said.what)
        met = None if now is None else (now < claim.limit) is claim.upper
        yield Check(Kind.VALUE, said.name, claim.unit, now, claim.limit, None, met)
    for part in _parts(rule.gate):
        check = _condition(part, seen)
        if check is not None:
            yield check
    for item in rule.comparable:
        what = item.expression.strip()
        if what in seen.names:
            name, unit = seen.names[what]
            now, then = _now(seen, what), seen.then(what)
            met = None if now is None or then is None else abs(now - then) <= item.within
            yield Check(Kind.LIKE, name, unit, now, then, item.within, met)


def _states(facts: Sequence[Fact], seen: Seen) -> Check:
    """How the statuses that contradicted each other stand: met as soon as one is no longer as it was."""
    now = [_now(seen, fact.what) for fact in facts]
    said = [
        (seen.names[fact.what][0], _DASH if value is None else switched(seen.quantities.point(fact.what), value > 0))
        for fact, value in zip(facts, now, strict=True)
    ]
    name = Text(
        "，".join(f"{text.zh} {word.zh}" for text, word in said),
        ", ".join(f"{text.en} {word.en}" for text, word in said),
    )
    known = None not in now
    met = any(bool(value) is not fact.value for fact, value in zip(facts, now, strict=True)) if known else None
    return Check(Kind.STATES, name, "bool", None, None, None, met)


def _parts(gate: str | None) -> Iterator[ast.expr]:
    """The conditions of a gate that must all be true."""
    if gate is None:
        return
    waiting = [ast.parse(gate.strip(), mode="eval").body]
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And):
            waiting = [*node.values, *waiting]
        else:
            yield node


def _condition(node: ast.expr, seen: Seen) -> Check | None:
    """A status that must be on or off, or a value with a least or a most; None for what cannot be said in a line."""
    node, wanted = _bare(node)
    if isinstance(node, ast.Name) and node.id in seen.names:
        name, unit = seen.names[node.id]
        now = _now(seen, node.id)
        met = None if now is None else (now > 0) is wanted
        return Check(Kind.RUNS if wanted else Kind.OFF, name, unit, now, None, None, met)
    if not isinstance(node, ast.Compare) or len(node.ops) != 1 or type(node.ops[0]) not in _COMPARISONS:
        return None
    left, _ = _bare(node.left)
    bound = seen.quantities.of(ast.unparse(node.comparators[0]))
    if not isinstance(left, ast.Name) or left.id not in seen.names or bound is None or bound.size != 1:
        return None
    sign, holds = _COMPARISONS[type(node.ops[0])]
    name, unit = seen.names[left.id]
    now, limit = _now(seen, left.id), float(bound)
    met = None if now is None else holds(now, limit)
    return Check(Kind.LEAST if sign in (">", "≥") else Kind.MOST, name, unit, now, limit, None, met)


def _bare(node: ast.expr) -> tuple[ast.expr, bool]:
    """What a condition is about, without what smooths or holds it; False when it is negated."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        inner, wanted = _bare(node.operand)
        return inner, not wanted
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _HELD and node.args:
        return _bare(node.args[0])
    return node, True


def _now(seen: Seen, what: str) -> float | None:
    found = seen.quantities.of(what)
    if found is None or found.size != 1:
        return None
    value = float(found)
    return value if math.isfinite(value) else None
