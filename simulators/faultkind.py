"""What a kind of fault is: the knobs it turns, where it befalls, and the rules that must tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One way a machine fails (DOMAIN §2.6, §4.5).

    `knobs` maps a knob of the machine's model to its value at severity 1. `at` is the machine of the demo site it
    befalls unless a scenario says otherwise. `must` and `must_not` are rule ids. `of_point`: needs a point.
    """

    id: str
    zh: str
    en: str
    at: str
    knobs: Mapping[str, float]
    must: tuple[str, ...] = ()
    must_not: tuple[str, ...] = ()
    of_point: bool = False
