"""What a proof of many runs says: printed while it goes on, and written to docs/reliability.md."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.faults.checks import Left, Verdict
from tests.faults.child import POINTS
from tests.faults.outages import WITHIN_SECONDS, Endured
from tests.faults.run import Kill, Ran

WORDS = {
    "fsync": "service: journal synced, not yet acknowledged",
    "engine_step": "service: engine has stepped, ledger not yet committed",
    "ledger_commit": "service: ledger committed",
    "before_snapshot": "service: ledger committed, snapshot not yet written",
    "mosquitto": "Mosquitto",
    "influxd": "influxd",
}
_TOTAL = re.compile(r"^\| `(\w+)` \| (\d+) \| (\d+) \| (\d+) of (\d+) \| (\d+) \|$", re.MULTILINE)
_COLUMNS = ("journal", "acked", "unacknowledged", "committed", "stored", "snapshot")


@dataclass(slots=True)
class Proof:
    """All runs of one proof. `held` is whether a `for: 30m` killed at 29 minutes fired at 30."""

    commit: str
    seed: int
    reference: Left
    reference_rate: float
    done: list[tuple[Ran, Left, Verdict]] = field(default_factory=list)
    held: bool = False
    endured: Endured | None = None

    @property
    def kills(self) -> list[Kill]:
        """Every kill of every run."""
        return [kill for ran, _, _ in self.done for kill in ran.kills]

    @property
    def differences(self) -> list[str]:
        """Every difference of every run, named by its run."""
        found = [f"{ran.plan.name}: {text}" for ran, _, verdict in self.done for text in verdict.differences]
        return found + (self.endured.differences if self.endured is not None else [])


def kill_line(kill: Kill) -> str:
    """One kill as it is printed."""
    known = " ".join(f"{name}={kill.known[name]}" for name in _COLUMNS)
    return f"{kill.run:<12} {kill.what:<16} {kill.rate:4.0f} msg/s  {known}"


def run_line(ran: Ran, left: Left, verdict: Verdict) -> str:
    """One run as it is printed."""
    return (
        f"{ran.plan.name:<12} kills {len(ran.kills)}, messages {ran.published}, {ran.rate:.0f} msg/s, "
        f"redelivered {left.redelivered}, not saved by Mosquitto {left.not_saved}, "
        f"alarms {len(left.alarms)}, tickets {len(left.tickets)}, stored {len(left.stored)}, "
        f"differences {len(verdict.differences)}"
    )


def markdown(proof: Proof, earlier: str) -> str:
    """The page; `earlier` is what it was, from which the totals go on."""
    parts = (
        _head(proof),
        _totals(proof, earlier),
        _by_point(proof),
        _outages(proof),
        _runs(proof),
        _kills(proof.kills),
    )
    return "\n".join([*(line for part in parts for line in part), ""])


def outages_line(endured: Endured) -> str:
    """All outages as they are printed."""
    told = ", ".join(f"{one.down:g} s: {one.progress:.1f} s" for one in endured.outages)
    return (
        f"outages      {sum(one.well for one in endured.outages)} of {len(endured.outages)} went on within "
        f"{WITHIN_SECONDS:g} s ({told}); messages {endured.sent}, lost {endured.lost}, "
        f"not saved by Mosquitto {endured.not_saved}"
    )


def _totals(proof: Proof, earlier: str) -> list[str]:
    """Every proof so far, oldest first, this one last, and their sums."""
    outages = proof.endured.outages if proof.endured is not None else ()
    rows = [tuple(map(int, found.groups()[1:])) for found in _TOTAL.finditer(earlier)]
    names = [found[1] for found in _TOTAL.finditer(earlier)]
    rows.append((proof.seed, len(proof.kills), sum(one.well for one in outages), len(outages), len(proof.differences)))
    names.append(proof.commit)
    _, kills, well, all_outages, differences = (sum(column) for column in zip(*rows, strict=True))
    return [
        "## All proofs so far",
        "",
        f"**{kills} kills, {well} of {all_outages} outages over within {WITHIN_SECONDS:g} s, "
        f"{differences} differences.**",
        "",
        "| commit | seed | kills | outages | differences |",
        "|---|---|---|---|---|",
        *(
            f"| `{name}` | {seed} | {kills} | {well} of {outages} | {differences} |"
            for name, (seed, kills, well, outages, differences) in zip(names, rows, strict=True)
        ),
        "",
    ]


def _outages(proof: Proof) -> list[str]:
    endured = proof.endured
    if endured is None:
        return []
    return [
        "## Outages of the broker",
        "",
        "Killed, away for so long, started again, while a hundred numbered messages a second want to be heard. "
        "*Goes on*: from the broker's first accepted connection to the first message durable and acknowledged.",
        "",
        "| away | goes on after |",
        "|---|---|",
        *(f"| {one.down:g} s | {one.progress:.1f} s |" for one in endured.outages),
        "",
        f"Of {endured.sent} messages {endured.lost} were lost. {endured.not_saved} Mosquitto had acknowledged to their "
        "sender in its last two seconds and not saved; its sender keeps none here.",
        "",
    ]


def _head(proof: Proof) -> list[str]:
    states = Counter(line[2] for line in proof.reference.tickets)
    found = "none" if not proof.differences else f"{len(proof.differences)}, see the runs below"
    return [
        "# Reliability: what SIGKILL changes",
        "",
        "Written by `python -m tests.faults` (`make faults`); do not edit.",
        "",
        f"- Commit `{proof.commit}`, seed {proof.seed}.",
        "- A campus of 40 machines speaks MQTT at QoS 1 (native; its air handlers Sparkplug, by aliases that change "
        "every 20 minutes) under its own plant clock, 200 plant minutes a run, "
        "while a script of people acknowledges, repairs, holds, cancels and resets at fixed plant times.",
        f"- The undisturbed run: {len(proof.reference.alarms)} alarms; {len(proof.reference.tickets)} tickets: "
        + ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
        + ".",
        "- Each disturbed run is compared with it: alarms (with proof hash), tickets, every move on the timeline, "
        "the alarms that judging the stored history once more gives, and the journal's own checksums. "
        "The store must hold every value of every message exactly once, as it was sent.",
        f"- Differences: **{found}**.",
        f"- A `for: 30m` killed 29 minutes in fired at exactly 30 minutes: **{'yes' if proof.held else 'NO'}**.",
        "",
    ]


def _by_point(proof: Proof) -> list[str]:
    counts = Counter(kill.what for kill in proof.kills)
    waiting = [kill for kill in proof.kills if kill.what in POINTS and kill.known["unacknowledged"] > 0]
    return [
        "## Kills by point",
        "",
        "| killed at | kills |",
        "|---|---|",
        *(f"| {words} | {counts[what]} |" for what, words in WORDS.items()),
        f"| service, in all | {sum(counts[point] for point in POINTS)} |",
        f"| of these with messages not yet acknowledged | {len(waiting)} |",
        f"| of all, while at least 200 msg/s flowed | {sum(kill.rate >= 200 for kill in proof.kills)} |",
        "",
    ]


def _runs(proof: Proof) -> list[str]:
    rows = []
    for ran, left, verdict in proof.done:
        store = "InfluxDB" if ran.plan.influx else "DuckDB"
        rows.append(
            f"| {ran.plan.name} | {store} | {len(ran.kills)} | {ran.published} | {ran.rate:.0f} | {left.redelivered} "
            f"| {left.not_saved} | {len(left.stored)} | {len(verdict.differences)} | {verdict.other_quality} |"
        )
    return [
        "## Runs",
        "",
        "*Redelivered*: messages that stand in the journal more than once. *Not saved*: messages that Mosquitto had "
        "acknowledged to the publisher and lost with its last second; they are counted apart, and came because the "
        "publisher keeps its last three seconds and sends them again. *Other quality*: stored readings whose quality "
        "or reason is not that of the undisturbed run (the value is).",
        "",
        "| run | store | kills | messages | msg/s | redelivered | not saved | values stored | differences "
        "| other quality |",
        "|---|---|---|---|---|---|---|---|---|---|",
        *rows,
        "",
    ]


def _kills(kills: Sequence[Kill]) -> list[str]:
    rows = [
        f"| {kill.run} | {kill.what} | {kill.rate:.0f} | " + " | ".join(str(kill.known[c]) for c in _COLUMNS) + " |"
        for kill in kills
    ]
    return [
        "## Every kill",
        "",
        "`journal`, `committed`, `stored`, `snapshot` are journal offsets; `acked` and `unacknowledged` count messages "
        "since that process started. For broker and store they are what the service last said, at most 0.1 s before.",
        "",
        "| run | point | msg/s | " + " | ".join(_COLUMNS) + " |",
        "|---|---|---|" + "---|" * len(_COLUMNS),
        *rows,
    ]
