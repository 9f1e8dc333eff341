"""The rules engine told slowly: one instant, one equipment, one rule at a time, from SEMANTICS §1, §4 and §5 alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from plant.catalogue import Point
from plant.reading import ReadingBatch
from plant.severity import Severity
from plant.site import Equipment, Plant
from rules.events import EventKind
from rules.model import ForEach, Rule
from tests.support.naive_functions import CALLS
from tests.support.naive_language import Past, Reader
from tests.support.naive_machines import Alarm, At, Machine
from tests.support.naive_signals import signals_for


@dataclass(frozen=True, order=True)
class Transition:
    """What both engines must agree on."""

    at: int
    equipment: str
    rule: str
    kind: EventKind
    severity: Severity
    highest: Severity
    onset_at: int
    raised_at: int
    cause: str


@dataclass(frozen=True)
class Reset:
    """A person's reset, known from plant time `after` on."""

    after: int
    equipment: str
    rule: str


@dataclass
class Seat:
    """One equipment on one grid, with its expressions' past: as measured, and with judged points taken out."""

    machine: Equipment
    measured: Reader
    judged: Reader


class NaiveEngine:
    """Runs a whole journal at once; `transitions` is the result."""

    def __init__(
        self, plant: Plant, rules: Sequence[Rule], batch: ReadingBatch, *, lateness: Callable[[int], int]
    ) -> None:
        self.plant = plant
        self.transitions: list[Transition] = []
        self.alarms: dict[tuple[str, str], Alarm] = {}
        self.step_of: dict[tuple[str, str], int] = {}
        for machine in plant.site.equipment.values():
            kind = plant.catalogue.types[machine.type]
            for rule in rules:
                if machine.type in rule.applies_to or "*" in rule.applies_to:
                    self._install(machine, rule, rule.every_ms or kind.step_ms)
        steps = sorted(set(self.step_of.values()))
        self.signals = signals_for(plant, batch, steps, lateness)
        self.seats = {
            (step, machine.id): Seat(machine, self._reader(machine, step), self._reader(machine, step))
            for step in steps
            for machine in plant.site.equipment.values()
        }
        self.lateness = {step: lateness(step) for step in steps}
        self.shown: dict[tuple[str, str], list[tuple[int, bool, bool]]] = {}
        self.judgements: dict[tuple[str, str, str], list[tuple[int, bool]]] = {}

    def _install(self, machine: Equipment, rule: Rule, step: int) -> None:
        key = (machine.id, rule.id)
        points = self.plant.points(machine)
        if any(name not in points for name in rule.needs):
            return
        members: list[str | None] = [None] if rule.for_each is None else [*chosen(rule.for_each, points)]
        self.alarms[key] = Alarm(
            rule, machine.id, {member: [Machine(x, rule.latching) for x in rule.levels] for member in members}
        )
        self.step_of[key] = step

    def _reader(self, machine: Equipment, step: int) -> Reader:
        points: dict[str, Point] = dict(self.plant.points(machine))
        for relation, targets in machine.relations.items():
            for name, point in self.plant.points(self.plant.site.equipment[targets[0]]).items():
                points[f"{relation}.{name}"] = point
        return Reader(points, {}, step, self.plant.site.zone, calls=CALLS)

    def run(self, plant_time: int, resets: Sequence[Reset] = ()) -> list[Transition]:
        """All transitions at instants that a tick at `plant_time` closes, in order."""
        starts = {step: signals.first() for step, signals in self.signals.items()}
        first = min((start for start in starts.values() if start is not None), default=plant_time + 1)
        waiting = sorted(resets, key=lambda reset: reset.after)
        for now in range(first // 1000 * 1000, plant_time + 1, 1000):
            steps = [
                step
                for step, start in starts.items()
                if start is not None and start <= now <= plant_time - self.lateness[step] and now % step == 0
            ]
            for step in steps:
                waiting = [reset for reset in waiting if not self._reset(reset, step, now)]
                self._instant(step, now)
            for step in steps:
                for key, alarm in self.alarms.items():
                    if self.step_of[key] == step:
                        self._tell(alarm, now, step)
        return sorted(self.transitions)

    def _reset(self, reset: Reset, step: int, now: int) -> bool:
        """Whether this reset has now been given to its alarm: it is known to every instant closed after it."""
        key = (reset.equipment, reset.rule)
        if key not in self.alarms:
            return True
        if self.step_of[key] != step or now <= reset.after - self.lateness[step]:
            return False
        for machine in self.alarms[key].all():
            machine.was_reset = machine.was_reset or machine.at == At.RECOVERING
        return True

    def _instant(self, step: int, now: int) -> None:
        self.signals[step].advance(now)
        mine = [alarm for key, alarm in self.alarms.items() if self.step_of[key] == step]
        seats = [seat for (grid, _), seat in self.seats.items() if grid == step]
        for seat in seats:
            seat.measured.past.append(self._past(seat, step, now, frozenset()))
        for alarm in mine:
            if alarm.rule.judges_points:
                self._judge(alarm, self.seats[step, alarm.equipment].measured, now)
                for member in alarm.machines:
                    if member is not None:
                        key = (alarm.equipment, alarm.rule.id, member)
                        self.judgements.setdefault(key, []).append((now, alarm.faulty(member)))
        bad = self._judged(step, now)
        for seat in seats:
            seat.judged.past.append(self._past(seat, step, now, bad))
        for alarm in mine:
            if not alarm.rule.judges_points:
                self._judge(alarm, self.seats[step, alarm.equipment].judged, now)
            self.shown.setdefault((alarm.equipment, alarm.rule.id), []).append((now, alarm.pending, alarm.active))

    def _judged(self, step: int, now: int) -> frozenset[tuple[str, str]]:
        """Points a data-quality rule holds to be bad, as rules of this step may know it."""
        found = set()
        for (equipment, rule, member), states in self.judgements.items():
            own = self.step_of[equipment, rule]
            latest = now if own == step else now - own
            if next((bad for at, bad in reversed(states) if at <= latest), False):
                found.add((equipment, member))
        return frozenset(found)

    def _past(self, seat: Seat, step: int, now: int, bad: frozenset[tuple[str, str]]) -> Past:
        signals = self.signals[step]
        values: dict[str, Fraction | None] = {}
        reasons: dict[str, int] = {}
        for name in seat.measured.points:
            relation, _, point = name.rpartition(".")
            equipment = seat.machine.relations[relation][0] if relation else seat.machine.id
            known = (equipment, point) not in bad
            values[name] = signals.value(equipment, point, now) if known else None
            reasons[name] = signals.reason(equipment, point)
        return Past(now, values, reasons)

    def _judge(self, alarm: Alarm, reader: Reader, now: int) -> None:
        rule = alarm.rule
        for member, machines in alarm.machines.items():
            gate = True if rule.gate is None else reader.truth(rule.gate, member)
            for machine in machines:
                raw = reader.truth(machine.level.when, member) if gate is True else None
                clear = reader.truth(machine.level.clear, member) if gate is True else None
                machine.step(now, raw, clear)

    def _tell(self, alarm: Alarm, now: int, step: int) -> None:
        if not alarm.active:
            if alarm.raised_at is not None:
                self._emit(EventKind.CLEARED, alarm, now)
            alarm.raised_at, alarm.cause, alarm.unevaluable = None, None, False
            return
        severity = alarm.now()
        first = alarm.raised_at is None
        if first:
            alarm.raised_at, alarm.severity, alarm.highest = now, severity, severity
            alarm.onset = min(machine.onset for machine in alarm.all() if machine.on)
            alarm.cause = self._cause(alarm, now, step)
            self._emit(EventKind.RAISED, alarm, now)
            # P1 never waits: its cause is only named.
            alarm.cause = None if severity == Severity.P1 else alarm.cause
        elif severity != alarm.severity:
            alarm.severity, alarm.highest = severity, min(alarm.highest, severity)
            self._emit(EventKind.LEVEL, alarm, now)
        unevaluable = alarm.silenced()
        if unevaluable != alarm.unevaluable:
            alarm.unevaluable = unevaluable
            self._emit(EventKind.UNEVALUABLE if unevaluable else EventKind.EVALUABLE, alarm, now)
        if not first and alarm.cause is not None and self._resolved(alarm, now, step):
            alarm.cause = None
            self._emit(EventKind.RELEASED, alarm, now)

    def _causes(self, alarm: Alarm, now: int, step: int) -> list[tuple[str, Rule, bool, bool]]:
        """Causes that are pending or active: (name, rule, pending, active)."""
        found = []
        for text in alarm.rule.suppressed_by:
            relation, _, rule = text.rpartition(":")
            relations = self.plant.site.equipment[alarm.equipment].relations
            for equipment in relations.get(relation, ()) if relation else (alarm.equipment,):
                key = (equipment, rule)
                if key not in self.alarms or self.alarms[key] is alarm:
                    continue
                own = self.step_of[key]
                latest = now if own == step else now - own
                states = reversed(self.shown.get(key, []))
                _, pending, active = next((state for state in states if state[0] <= latest), (0, False, False))
                if pending or active:
                    found.append((f"{equipment}/{rule}", self.alarms[key].rule, pending, active))
        return found

    def _cause(self, alarm: Alarm, now: int, step: int) -> str | None:
        return next((name for name, *_ in self._causes(alarm, now, step)), None)

    def _resolved(self, alarm: Alarm, now: int, step: int) -> bool:
        causes = self._causes(alarm, now, step)
        if not causes or alarm.severity == Severity.P1:
            return True
        if any(active for *_, active in causes) or alarm.raised_at is None:
            return False
        longest = max(level.for_ms for _, rule, _, _ in causes for level in rule.levels)
        return now - alarm.raised_at >= longest

    def _emit(self, kind: EventKind, alarm: Alarm, now: int) -> None:
        if alarm.raised_at is None:
            raise ValueError("an event of an alarm that was never raised")
        self.transitions.append(
            Transition(
                now,
                alarm.equipment,
                alarm.rule.id,
                kind,
                alarm.severity,
                alarm.highest,
                alarm.onset,
                alarm.raised_at,
                (alarm.cause or "") if kind == EventKind.RAISED else "",
            )
        )


def chosen(each: ForEach, points: Mapping[str, Point]) -> list[str]:
    """The points a rule runs over."""
    return [
        name
        for name, point in sorted(points.items())
        if name != "online_status"
        and (not each.points or name in each.points or point.family in each.points)
        and (not each.kinds or point.kind.value in each.kinds)
        and (not each.flatline or point.flatline is not None)
    ]
