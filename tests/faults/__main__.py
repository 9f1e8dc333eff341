"""`python -m tests.faults [--runs N] [--seed S] [--quick]`: the proof under SIGKILL; exit 1 on any difference."""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.faults.checks import compare, look, missing
from tests.faults.held import FIRES, ONSET, killed_at_29_minutes
from tests.faults.report import Proof, kill_line, markdown, run_line
from tests.faults.run import ROOT, Plan, carry_out

PAGE = ROOT / "docs" / "reliability.md"
LEAST_ALARMS, LEAST_TICKETS, LEAST_STATES = 20, 8, 8
_REFERENCE_PACE = 1_000.0
_QUICK_MINUTES = 60

# How often each point is passed before the kill, at least and at most: fsyncs and engine steps are many, commits few.
_PASSINGS = {"fsync": (5, 120), "engine_step": (5, 120), "ledger_commit": (1, 6), "before_snapshot": (1, 4)}
_OF_A_RUN = ("fsync", "fsync", "fsync", "engine_step", "ledger_commit", "before_snapshot")


def plans(runs: int, seed: int) -> list[Plan]:
    """`runs` runs with six kills of the service each; for every five of them two of the broker and two of the store."""
    seeded = random.Random(seed)
    made = []
    for number in range(1, runs + 1):
        points = list(_OF_A_RUN)
        seeded.shuffle(points)
        made.append(Plan(f"service-{number}", seed, points=tuple(_passing(seeded, point) for point in points)))
    others = max(1, round(runs * 2 / 5))
    made += [Plan(f"broker-{number}", seed, broker_kills=5) for number in range(1, others + 1)]
    made += [Plan(f"store-{number}", seed, store_kills=5, influx=True) for number in range(1, others + 1)]
    return made


def quick_plans(seed: int) -> list[Plan]:
    """One short run with three kills of the service and one of the broker."""
    return [
        Plan("quick", seed, _QUICK_MINUTES, points=("fsync:25", "ledger_commit:2", "engine_step:20"), broker_kills=1)
    ]


def _passing(seeded: random.Random, point: str) -> str:
    return f"{point}:{seeded.randint(*_PASSINGS[point])}"


def prove(chosen: Sequence[Plan], seed: int, folder: Path) -> Proof:
    """The undisturbed run, then every disturbed one, each compared with it; told line by line on stdout."""
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
    parser.add_argument("--runs", type=int, default=5, help="runs with six kills of the service each; default 5")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--quick", action="store_true", help="one short run; writes no page")
    options = parser.parse_args()
    chosen = quick_plans(options.seed) if options.quick else plans(options.runs, options.seed)
    with tempfile.TemporaryDirectory(prefix="dutyroom-faults-") as folder:
        proof = prove(chosen, options.seed, Path(folder))
    problems = proof.differences + ([] if options.quick else enough(proof))
    if not proof.held:
        problems.append("a for of 30 minutes killed 29 minutes in did not fire at 30 minutes")
    if not options.quick:
        PAGE.write_text(markdown(proof), encoding="utf-8")
    for problem in problems:
        _say(problem)
    _say(f"{len(proof.kills)} kills, {len(problems)} differences")
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
