"""Simulated faults that take more than a day to show: too long for the daily run, each found in its time."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from plant.severity import Severity
from tests.support.simulated import MINUTE, live_site

LONG = ("loose_terminal",)
"""A joint whose resistance doubles: hotter than its sisters within hours, hot for its load within a day and a half."""


@dataclass
class Lived:
    """What a scenario showed: `promised` and `beside` are the minute of each alarm by `equipment/rule`.

    `beside` is what nobody promised, advice (P4) only; `wrong` says what should not be.
    """

    promised: dict[str, float] = field(default_factory=dict)
    beside: dict[str, float] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def failures(self) -> list[str]:
        """Why it proves nothing, or the contrary."""
        return self.wrong if self.promised else ["nothing that was promised came", *self.wrong]


def live_through(name: str) -> Lived:
    """The scenario on the demo's site, with the real rules and a real ledger, until its last promise is due."""
    found = Lived()
    with tempfile.TemporaryDirectory(prefix="dutyroom-deep-") as folder, live_site(name, Path(folder)) as site:
        deadlines = {"/".join(key): deadline for key, deadline in site.promised().items()}
        start = site.simulation.start
        site.advance((max(deadline.latest for deadline in deadlines.values()) - start) / MINUTE + 5)
        for key, events in site.raised().items():
            text, first = "/".join(key), events[0].at
            minute = (first - start) / MINUTE
            if text in deadlines:
                found.promised[text] = minute
                if not deadlines[text].onset <= first <= deadlines[text].latest:
                    found.wrong.append(f"{text} was raised after {minute:g} min, not in its time")
            else:
                found.beside[text] = minute
                if min(event.severity for event in events) < Severity.P4:
                    found.wrong.append(f"{text} was raised after {minute:g} min, and nobody promised it")
        found.wrong += [f"{text} was not raised" for text in deadlines if text not in found.promised]
        found.wrong += [f"rejected: {one.reason.value}" for one in site.rejected[:5]]
    return found
