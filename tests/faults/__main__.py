"""`python -m tests.faults [--runs N] [--outages N] [--seed S] [--quick]`: the proof under SIGKILL; exit 1 if it fails.

The default is 63 kills and 15 outages, about a quarter of an hour; docs/reliability.md sums all proofs.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from pathlib import Path

from tests.faults.checks import compare, look, missing
from tests.faults.held import FIRES, ONSET, killed_at_29_minutes
from tests.faults.outages import DOWN_SECONDS, endure
from tests.faults.report import Proof, kill_line, markdown, outages_line, run_line
from tests.faults.run import ROOT, Plan, carry_out

PAGE = ROOT / "docs" / "reliability.md"
LEAST_ALARMS, LEAST_TICKETS, LEAST_STATES = 20, 8, 8
_REFERENCE_PACE = 1_000.0
_QUICK_MINUTES = 60

# How often each point is passed before the kill, at least and at most: fsyncs and engine steps are many, commits few.
_PASSINGS = {"fsync": (5, 120), "engine_step": (5, 120), "ledger_commit": (1, 6), "before_snapshot": (1, 4)}
_OF_A_RUN = ("fsync", "fsync", "fsync", "engine_step", "ledger_commit", "ledger_commit", "before_snapshot")
_OUTSIDE_KILLS = 7


def plans(runs: int, seed: int) -> list[Plan]:
    """`runs` runs with seven kills of the service each; for every five two of the broker and two of the store."""
    seeded = random.Random(seed)
    made = []
    for number in range(1, runs + 1):
        points = list(_OF_A_RUN)
        seeded.shuffle(points)
        made.append(Plan(f"service-{number}", seed, points=tuple(_passing(seeded, point) for point in points)))
    others = max(1, round(runs * 2 / 5))
    made += [Plan(f"broker-{number}", seed, broker_kills=_OUTSIDE_KILLS) for number in range(1, others + 1)]
    made += [Plan(f"store-{number}", seed, store_kills=_OUTSIDE_KILLS, influx=True) for number in range(1, others + 1)]
    return made


def quick_plans(seed: int) -> list[Plan]:
    """One short run with three kills of the service and one of the broker."""
    return [
        Plan("quick", seed, _QUICK_MINUTES, points=("fsync:25", "ledger_commit:2", "engine_step:20"), broker_kills=1)
    ]


def _passing(seeded: random.Random, point: str) -> str:
    return f"{point}:{seeded.randint(*_PASSINGS[point])}"


def prove(chosen: Sequence[Plan], downs: Sequence[float], seed: int, folder: Path) -> Proof:
    """The undisturbed run, then every disturbed one, each compared with it; told line by line on stdout.

    The outages `downs` of another broker go on beside: they are mostly waiting.
    """
    with ThreadPoolExecutor(1) as beside:
        enduring = beside.submit(endure, folder / "outages", downs) if downs else None
        proof = _prove(chosen, seed, folder)
        if enduring is not None:
            proof.endured = enduring.result()
            _say(outages_line(proof.endured))
    return proof


def _prove(chosen: Sequence[Plan], seed: int, folder: Path) -> Proof:
    minutes = chosen[0].minutes
    undisturbed, reference = carry_out(
        Plan("undisturbed", seed, minutes, pace=_REFERENCE_PACE), folder / "undisturbed", look
    )
    proof = Proof(_commit(), seed, reference, undisturbed.rate)
    proof.done.append((undisturbed, reference, compare(reference, undisturbed, reference)))
    _say(run_line(*proof.done[-1]))
    for plan in chosen:
        ran, left = carry_out(plan, folder / plan.name, look)
        proof.done.append((ran, left, compare(reference, ran, left)))
        for kill in ran.kills:
            _say(kill_line(kill))
        _say(run_line(*proof.done[-1]))
    before, after, _ = killed_at_29_minutes(folder / "held")
    proof.held = not before and [(alarm.onset_at, alarm.raised_at) for alarm in after] == [(ONSET, FIRES)]
    _say(f"a for of 30 minutes killed 29 minutes in fired at 30: {proof.held}")
    return proof


def enough(proof: Proof) -> list[str]:
    """Why the undisturbed run proves too little; empty when it does not."""
    reference, found = proof.reference, []
    states = {line[2] for line in reference.tickets}
    if len(reference.alarms) < LEAST_ALARMS or len(reference.tickets) < LEAST_TICKETS or len(states) < LEAST_STATES:
        found.append(
            f"only {len(reference.alarms)} alarms, {len(reference.tickets)} tickets in states {sorted(states)}"
        )
    return found + missing(proof.done[0][0], reference)


def main() -> int:
    """Exit code 0 when nothing differs, else 1."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="runs with seven kills of the service each; default 5")
    parser.add_argument("--outages", type=int, default=15, help="outages of 2, 12 and 60 s in turn; default 15")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--quick", action="store_true", help="one short run; writes no page")
    options = parser.parse_args()
    chosen = quick_plans(options.seed) if options.quick else plans(options.runs, options.seed)
    with tempfile.TemporaryDirectory(prefix="dutyroom-faults-") as folder:
        downs = [] if options.quick else list(islice(cycle(DOWN_SECONDS), options.outages))
        proof = prove(chosen, downs, options.seed, Path(folder))
    problems = proof.differences + ([] if options.quick else enough(proof))
    if not proof.held:
        problems.append("a for of 30 minutes killed 29 minutes in did not fire at 30 minutes")
    if not options.quick:
        PAGE.write_text(markdown(proof, PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    for problem in problems:
        _say(problem)
    outages = len(proof.endured.outages) if proof.endured is not None else 0
    _say(f"{len(proof.kills)} kills, {outages} outages, {len(problems)} differences")
    return 1 if problems else 0


def _commit() -> str:
    command = ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return found.stdout.strip() or "unknown"


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
