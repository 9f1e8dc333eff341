"""One level's timer and one rule's alarm, a state at a time, from SEMANTICS §5."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from plant.severity import Severity
from rules.model import Level, Rule


class At(Enum):
    """Where a level's machine stands."""

    NORMAL = 0
    PENDING = 1
    ACTIVE = 2
    RECOVERING = 3


@dataclass
class Machine:
    """The timer of one level of one member."""

    level: Level
    latching: bool
    at: At = At.NORMAL
    since: int = 0
    onset: int = 0
    was_reset: bool = False
    unknown: bool = False

    @property
    def on(self) -> bool:
        """Active in the wide sense: not yet normal again."""
        return self.at in (At.ACTIVE, At.RECOVERING)

    def step(self, now: int, raw: bool | None, clear: bool | None) -> None:
        """One instant."""
        self.unknown = raw is None
        if self.at in (At.NORMAL, At.PENDING):
            self._rise(now, raw)
        else:
            self._fall(now, raw, clear)

    def _rise(self, now: int, raw: bool | None) -> None:
        if raw is not True:
            self.at = At.NORMAL
            return
        if self.at == At.NORMAL:
            self.at, self.onset = At.PENDING, now
        if now - self.onset >= self.level.for_ms:
            self.at, self.was_reset = At.ACTIVE, False

    def _fall(self, now: int, raw: bool | None, clear: bool | None) -> None:
        if raw is not False or clear is not True:
            # A reset is of an alarm on its way back; when the fault returns, it must be given again.
            self.at, self.was_reset = At.ACTIVE, False
            return
        if self.at == At.ACTIVE:
            self.at, self.since = At.RECOVERING, now
        if now - self.since >= self.level.clear_for_ms and (self.was_reset or not self.latching):
            self.at = At.NORMAL


@dataclass
class Alarm:
    """One rule on one equipment: its machines, and what has been told of it."""

    rule: Rule
    equipment: str
    machines: dict[str | None, list[Machine]] = field(default_factory=dict)
    raised_at: int | None = None
    onset: int = 0
    severity: Severity = Severity.P4
    highest: Severity = Severity.P4
    unevaluable: bool = False
    cause: str | None = None

    def all(self) -> list[Machine]:
        """Every machine of every member."""
        return [machine for machines in self.machines.values() for machine in machines]

    @property
    def active(self) -> bool:
        """Some level is active or recovering."""
        return any(machine.on for machine in self.all())

    @property
    def pending(self) -> bool:
        """Nothing active, something on its way."""
        return not self.active and any(machine.at == At.PENDING for machine in self.all())

    def now(self) -> Severity:
        """The gravest level active."""
        return min(machine.level.severity for machine in self.all() if machine.on)

    def faulty(self, member: str) -> bool:
        """Pending or active on this member."""
        return any(machine.at != At.NORMAL for machine in self.machines[member])

    def silenced(self) -> bool:
        """Of some member that holds the alarm nothing is known at any level."""
        holding = [machines for machines in self.machines.values() if any(machine.on for machine in machines)]
        return any(all(machine.unknown for machine in machines) for machines in holding)
