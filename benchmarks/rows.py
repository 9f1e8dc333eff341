"""A measured figure as a row: the median of its runs, or no value at all where a message was lost."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from statistics import median


@dataclass(frozen=True, slots=True)
class Account:
    """What became of the messages (or other items) of one run: how many were sent, how many were found stored."""

    sent: int
    stored: int

    @property
    def lost(self) -> int:
        """Sent and not found; negative when more was found than sent, which voids a figure as well."""
        return self.sent - self.stored

    def __add__(self, other: Account) -> Account:
        return Account(self.sent + other.sent, self.stored + other.stored)


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. `target` and `ok` are null as long as none is set; `value` is null when the figure is void."""

    name: str
    value: float | None
    unit: str
    note: str
    target: float | None = None
    ok: bool | None = None

    def as_json(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self), ensure_ascii=False)

    def as_text(self) -> str:
        """One line for people."""
        value = "void" if self.value is None else f"{self.value:,.10g}"
        return f"{self.name:<28} {value:>12} {self.unit:<12} {self.note}"


def row(
    name: str, unit: str, runs: Sequence[float], *, accounts: Sequence[Account] | None = None, note: str = ""
) -> Row:
    """The row of a figure from its runs; `accounts` where messages were sent, one for each run.

    Loss in any run voids the figure: a pipeline that drops is not fast.
    """
    spread = f"min {rounded(min(runs)):g} · median {rounded(median(runs)):g} · max {rounded(max(runs)):g}"
    parts = [f"{len(runs)} runs: {spread}", note]
    value: float | None = rounded(median(runs))
    if accounts is not None:
        total = sum(accounts, Account(0, 0))
        parts.insert(0, f"sent {total.sent} · stored {total.stored} · lost {total.lost}")
        if any(account.lost for account in accounts):
            value = None
            parts.insert(0, "void: what was stored is not what was sent")
    return Row(name, value, unit, "; ".join(part for part in parts if part))


def missing(name: str, unit: str, why: str) -> Row:
    """The row of a figure that could not be measured here."""
    return Row(name, None, unit, f"not measured: {why}")


def rounded(value: float) -> float:
    """Four significant digits: more than any of these figures carries."""
    return float(f"{value:.4g}")


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of the values do not exceed (nearest rank, 0 < share ≤ 1)."""
    ranked = sorted(values)
    rank = -int(-share * len(ranked) // 1)
    return ranked[max(rank, 1) - 1]


def slope(samples: Sequence[tuple[float, float]], total: float) -> float:
    """Items a second between 5 % and 95 % of `total`, from (seconds, items done) in time order, interpolated.

    Raises ValueError where the samples do not reach 95 %.
    """
    low, high = 0.05 * total, 0.95 * total
    return (high - low) / (_reached(samples, high) - _reached(samples, low))


def _reached(samples: Sequence[tuple[float, float]], wanted: float) -> float:
    """When `wanted` items were done."""
    for (t0, n0), (t1, n1) in pairwise(samples):
        if n0 < wanted <= n1:
            return t0 + (t1 - t0) * (wanted - n0) / (n1 - n0)
    raise ValueError(f"the samples never pass {wanted:g} items")


def rated(name: str, value: float, unit: str, target: float, *, at_least: bool, note: str = "") -> Row:
    """The row of a figure with a target: the least, or the most, it may be."""
    ok = value >= target if at_least else value <= target
    return Row(name, rounded(value), unit, note, target, ok)
