"""Tries every law of the engine until enough transitions were compared, every decoder on thousands of messages nobody
has seen, lives through the faults that take days to show, and writes what was seen to docs/deep.json.

    python -m tests.deep [--seed N] [--transitions N] [--messages N] [--only LAW|DECODER|SCENARIO]

Exit 1 where a transition differs, a set stays too small, a path was never taken, or a decoder raised.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from ingest.decoders import FORMATS
from tests.deep.decoders import EXAMPLES, Tried, try_decoder
from tests.deep.scenarios import LONG, Lived, live_through
from tests.support.laws import LAWS, PATHS, Law

ROOT = Path(__file__).resolve().parents[2]
REPORT = ROOT / "docs" / "deep.json"
MINUTES = 30
MOST_TRIALS = 2_000
NOT_TAKEN = {"live_and_past": {"latched"}}
"""A past read from files holds no acts of people, so nothing latched is ever reset there."""


@dataclass
class Set:
    """What one law has shown so far."""

    name: str
    trials: int = 0
    transitions: int = 0
    differing: int = 0
    paths: Counter[str] = field(default_factory=Counter)
    failed_seeds: list[int] = field(default_factory=list)

    def unseen(self) -> list[str]:
        """Paths that were never taken."""
        wanted = set(PATHS) - NOT_TAKEN.get(self.name, set())
        return sorted(path for path in wanted if not self.paths[path])

    def failures(self, needed: int) -> list[str]:
        """Why this set proves nothing, or the contrary."""
        found = []
        if self.differing:
            found.append(f"{self.differing} transitions differ, with seeds {self.failed_seeds[:5]}")
        if self.transitions < needed:
            found.append(f"only {self.transitions} of {needed} transitions")
        if self.unseen():
            found.append(f"never taken: {', '.join(self.unseen())}")
        return found


def try_law(name: str, law: Law, seed: int, needed: int) -> Set:
    """Random trials until `needed` transitions were compared and every path was taken."""
    random, found = Random(f"{seed}/{name}"), Set(name)
    started = time.monotonic()
    while found.trials < MOST_TRIALS and (found.transitions < needed or found.unseen()):
        trial = random.randrange(2**32)
        tried = law(trial, MINUTES)
        found.trials += 1
        found.transitions += tried.transitions
        found.differing += len(tried.differing)
        found.paths += tried.paths
        if tried.differing:
            found.failed_seeds.append(trial)
    took = time.monotonic() - started
    say(f"{name}: {found.transitions} transitions in {found.trials} trials, {found.differing} differ, {took:.0f} s")
    return found


def read_messages(names: Iterable[str], seed: int, needed: int) -> dict[str, Tried]:
    """Each of these decoders on `needed` messages."""
    found = {}
    for name in names:
        started = time.monotonic()
        tried = found[name] = try_decoder(name, seed, needed)
        took = time.monotonic() - started
        say(f"{name}: {tried.examples} messages, {tried.readings} with readings, {tried.refused} refused, {took:.0f} s")
    return found


def live_long(names: Iterable[str]) -> dict[str, Lived]:
    """Each of these scenarios to its end."""
    found = {}
    for name in names:
        started = time.monotonic()
        lived = found[name] = live_through(name)
        told = ", ".join(f"{what} after {minute:g} min" for what, minute in (lived.promised | lived.beside).items())
        say(f"{name}: {told or 'nothing raised'}; {time.monotonic() - started:.0f} s")
    return found


def say(line: str) -> None:
    """Progress, for whoever waits."""
    sys.stderr.write(line + "\n")


def commit() -> str:
    """The commit that is checked out; empty outside a work tree."""
    git = shutil.which("git")
    if git is None:
        return ""
    done = subprocess.run([git, "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def main() -> int:
    """Run the sets; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.deep", description="long property runs")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--transitions", type=int, default=10_000, help="transitions each set must compare")
    parser.add_argument("--messages", type=int, default=EXAMPLES, help="messages each decoder must read")
    parser.add_argument("--only", choices=sorted([*LAWS, *FORMATS, *LONG]), help="one set; the report is not written")
    options = parser.parse_args()
    chosen = {name: law for name, law in LAWS.items() if options.only in (None, name)}
    head = commit()
    sets = [try_law(name, law, options.seed, options.transitions) for name, law in chosen.items()]
    decoders = read_messages([n for n in FORMATS if options.only in (None, n)], options.seed, options.messages)
    lived = live_long([name for name in LONG if options.only in (None, name)])
    failures = {one.name: found for one in sets if (found := one.failures(options.transitions))}
    failures |= {name: found for name, one in decoders.items() if (found := one.failures(options.messages))}
    failures |= {name: found for name, one in lived.items() if (found := one.failures())}
    for name, reasons in failures.items():
        say(f"FAILED {name}: {'; '.join(reasons)}")
    if not options.only and not failures:
        report = {
            "commit": head,
            "seed": options.seed,
            "sets": {
                one.name: {
                    "trials": one.trials,
                    "transitions": one.transitions,
                    "differing": one.differing,
                    "paths": dict(sorted(one.paths.items())),
                }
                for one in sets
            },
            "decoders": {
                name: {
                    "messages": one.examples,
                    "understood": one.understood,
                    "readings": one.readings,
                    "refused": one.refused,
                }
                for name, one in decoders.items()
            },
            "scenarios": {
                name: {"promised_after_min": one.promised, "advice_beside_after_min": one.beside}
                for name, one in lived.items()
            },
        }
        REPORT.write_text(json.dumps(report, indent=2) + "\n", "utf-8")
        say(f"wrote {REPORT.relative_to(ROOT)}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
