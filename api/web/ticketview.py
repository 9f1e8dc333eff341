"""What a ticket's page shows, put together: who and where, how far it is, the evidence with its chart, the proof."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec
import numpy as np

from api.deps import HistoryReads
from api.queries import TicketFile
from api.web.charts import Chart, Curve, Event, Frame, chart, time_ticks
from api.web.charts import Line as Limit
from api.web.derived import Numbers, Quantities, Spoken, spoken
from api.web.evidence import Claim, Evidence, Tree, open_proof
from api.web.figures import quantity
from api.web.proving import Proving, Seen, proving
from api.web.render import Page
from api.web.rows import said_of
from api.web.values import hold_ms
from history.protocols import Buckets
from maintenance.ledger.rows import Alarm
from maintenance.ticket import State, Ticket
from plant.catalogue import Text
from plant.quality import Quality
from plant.reading import SeriesKey
from plant.site import Equipment, Plant
from rules.model import Rule
from rules.quantities import quantity as quantity_of

_BUCKETS = 240
_HEIGHT = 216
_LEAST_BEFORE_MS = 3_600_000
_MOST_DRAWN_MS = 14 * 86_400_000


@dataclass(frozen=True, slots=True)
class Step:
    """One of the stages of a ticket: passed, where it is now, or still to come; `at` when it was reached."""

    state: State
    at: int | None
    now: bool
    done: bool


@dataclass(frozen=True, slots=True)
class Proven:
    """The value of the evidence afterwards: `after` once the telemetry has proved it, else `now`."""

    name: Text
    claim: Claim
    now: float | None
    after: float | None
    for_ms: int


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart of one value with its times; `point` (or derived quantity) is what to look at in the trends for it."""

    point: str
    name: Text
    unit: str
    chart: Chart
    times: Sequence[tuple[float, str]]


@dataclass(frozen=True, slots=True)
class Case:
    """The evidence of a ticket. `facts` where statuses contradict each other and no value passed a limit."""

    alarm: Alarm
    proven: Proven | None
    facts: Sequence[tuple[Text, Text]]
    others: Sequence[tuple[Text, Claim]]
    picture: Picture | None
    again: int


@dataclass(frozen=True, slots=True)
class Subject:
    """A ticket's machine and rule, None where the site or the pack no longer has them."""

    plant: Plant
    machine: Equipment | None
    rule: Rule | None
    names: Mapping[str, tuple[Text, str]]


def subject(page: Page, ticket: Ticket) -> Subject:
    """Machine, rule and the names of everything the machine measures."""
    machine = page.plant.site.equipment.get(ticket.equipment)
    rules = page.office.deps.configuration.rules()
    rule = next((rule for rule in rules if rule.id == ticket.rule), None)
    names: dict[str, tuple[Text, str]] = {}
    if machine is not None:
        derived = page.plant.catalogue.types[machine.type].derived
        names = {name: (one.text, one.unit) for name, one in derived.items()}
        names |= {name: (point.text, point.unit) for name, point in page.plant.points(machine).items()}
    return Subject(page.plant, machine, rule, names)


_WAY = (State.OPEN, State.ACKNOWLEDGED, State.IN_PROGRESS, State.VERIFYING, State.CLOSED)


def steps(ticket: Ticket) -> list[Step]:
    """The way of a ticket; what is aside of it (on hold, parked, cancelled) stands where the ticket left the way."""
    reached = {
        State.OPEN: ticket.opened_at,
        State.ACKNOWLEDGED: ticket.acknowledged_at,
        State.IN_PROGRESS: ticket.started_at,
        State.VERIFYING: ticket.done_at,
        State.CLOSED: ticket.closed_at,
    }
    way = [state for state in _WAY if state is not State.VERIFYING or ticket.rule is not None]
    here = _place(ticket)
    found = []
    for state in way:
        shown = ticket.state if state is here else state
        found.append(Step(shown, reached[state], state is here, way.index(state) < way.index(here)))
    return found


def _place(ticket: Ticket) -> State:
    match ticket.state:
        case State.PARKED:
            return State.VERIFYING
        case State.CANCELLED:
            return State.CLOSED
        case State.ON_HOLD if ticket.started_at is not None:
            return State.IN_PROGRESS
        case State.ON_HOLD:
            return State.ACKNOWLEDGED if ticket.acknowledged_at is not None else State.OPEN
    return ticket.state


@dataclass(frozen=True, slots=True)
class Past:
    """What the ledger knows beside the ticket: the proof that the fault was gone, and how often it came in 30 days."""

    after: bytes | None
    again: int


def case_of(page: Page, file: TicketFile, about: Subject, past: Past) -> Case | None:
    """The evidence of a ticket's newest alarm with a proof; None for a ticket without one. Reads history: blocks."""
    if file.proof is None:
        return None
    alarm = next(alarm for alarm in reversed(file.alarms) if alarm.proof_hash == file.proof_hash)
    evidence = open_proof(file.proof)
    said = [(spoken(claim.what, claim.unit, about.names), claim) for claim in evidence.claims]
    named = [(name, claim) for name, claim in said if name is not None]
    points = {} if about.machine is None else about.plant.points(about.machine)
    facts = said_of(evidence.facts, {name: text for name, (text, _) in about.names.items()}, points)
    proven = None
    if named:
        name, claim = named[0]
        now = _number(_now(page.office.deps.history, about, page.now or 0).of(name.what))
        level = min(about.rule.levels, key=lambda level: level.severity != alarm.severity) if about.rule else None
        shown = None if past.after is None else value_in(msgspec.json.decode(past.after), claim.what)
        proven = Proven(name.name, claim, now, shown, 0 if level is None else level.for_ms)
    drawn = named[0][0] if named else _charted(evidence, about)
    picture = None if drawn is None else _picture(page, file, about, drawn, proven)
    return Case(alarm, proven, facts, [(name.name, claim) for name, claim in named[1:]], picture, past.again)


def proof_state(page: Page, file: TicketFile, about: Subject, history: HistoryReads) -> Proving | None:
    """How the proof of the repair stands. Reads history: blocks."""
    if about.rule is None or file.ticket.state not in (State.VERIFYING, State.PARKED):
        return None
    body = None if file.proof is None else msgspec.json.decode(file.proof)
    evidence = None if file.proof is None else open_proof(file.proof)

    def then(what: str) -> float | None:
        if evidence is not None and evidence.points.get(what):
            return evidence.points[what][-1]
        return None if body is None else value_in(body, what)

    seen = Seen(_now(history, about, page.now or 0), about.names, then)
    return proving(file.ticket, about.rule, evidence, seen, page.now or 0)


def value_in(proof: Tree, what: str) -> float | None:
    """The value a proof holds of one expression, wherever in its trees it stands; None when nowhere."""
    waiting = [level["when"] for level in proof.get("levels", ())]
    while waiting:
        tree = waiting.pop()
        if what in (tree.get("name"), tree.get("text")) and isinstance(tree.get("value"), str):
            return float(tree["value"])
        waiting += tree.get("of", ())
    return None


def _now(history: HistoryReads, about: Subject, now: int) -> Quantities:
    """What the machine says at `now`, ms UTC: unknown where its last word is too old or bad, as the engine has it."""
    if about.machine is None:
        raise ValueError("a ticket of a machine that is gone has no values")
    machine, newest = about.machine, history.latest(about.machine.id)
    points = about.plant.points(machine)

    def reading(name: str) -> Numbers | None:
        if name not in newest:
            return None
        ts, value, quality, _ = newest[name]
        hold = hold_ms(machine, points[name])
        untold = quality == Quality.BAD or (hold is not None and now - ts > hold)
        return np.array(np.nan if untold else value, np.float64)

    return Quantities(about.plant, machine, reading)


def _charted(evidence: Evidence, about: Subject) -> Spoken | None:
    """The first of the rule's points that is a number."""
    shown = [name for name in evidence.points if name in about.names and about.names[name][1] != "bool"]
    return spoken(shown[0], about.names[shown[0]][1], about.names) if shown else None


def _picture(page: Page, file: TicketFile, about: Subject, drawn: Spoken, proven: Proven | None) -> Picture | None:
    """The value from before the fault until now, or until a while after the end. Reads history: blocks."""
    machine, now, history = about.machine, page.now, page.office.deps.history
    if machine is None or now is None:
        return None
    ticket = file.ticket
    onset = min(alarm.onset_at for alarm in file.alarms)
    end = now if ticket.closed_at is None else min(now, ticket.closed_at + _LEAST_BEFORE_MS)
    start = max(onset - max(_LEAST_BEFORE_MS, (end - onset) // 2), end - _MOST_DRAWN_MS)
    if end <= start:
        return None
    read: dict[str, Buckets] = {}

    def reading(name: str) -> Numbers | None:
        read[name] = history.buckets(SeriesKey(machine.id, name, machine.type), start, end, _BUCKETS)
        return read[name].mean

    values = Quantities(about.plant, machine, reading).of(drawn.what)
    if values is None or not read or not np.isfinite(values).any():
        return None
    points = page.plant.points(machine)
    spacing = max(machine.interval_ms or points[name].sampling.interval_ms for name in read)
    hold = None if all(points[name].kind.holds for name in read) else 3 * spacing
    frame = _frame(page, file, about, proven, (start, end, drawn))
    buckets = read[drawn.what] if drawn.what in read else _like(next(iter(read.values())), values)
    picture = chart([Curve(buckets, hold)], frame, height=_HEIGHT)
    ticks = time_ticks(start, end, page.zone, page.language)
    shown = drawn.what if quantity_of(page.plant, machine, drawn.what) is not None else next(iter(read))
    return Picture(shown, drawn.name, drawn.unit, picture, ticks)


def _like(read: Buckets, values: Numbers) -> Buckets:
    """A quantity worked out from buckets of points, in the same buckets."""
    return replace(read, minimum=values, mean=values, maximum=values)


def _frame(page: Page, file: TicketFile, about: Subject, proven: Proven | None, span: tuple[int, int, Spoken]) -> Frame:
    """The limit, the normal band and the alarms on a chart from start to end (`span`: these and what is drawn)."""
    start, end, drawn = span
    limits: list[Limit] = []
    band = None
    if proven is not None:
        words = page.gettext("上限 %(limit)s") if proven.claim.upper else page.gettext("下限 %(limit)s")
        label = words % {"limit": quantity(proven.claim.limit, proven.claim.unit)}
        limits.append(Limit(proven.claim.limit, label, file.ticket.severity))
        point = None if about.machine is None else page.plant.points(about.machine).get(drawn.what)
        band = None if point is None else point.typical
    least = 0.0 if band is None else (band[1] - band[0]) / 2
    words = page.gettext("告警")
    events = [
        Event(alarm.raised_at, alarm.cleared_at, words, alarm.highest)
        for alarm in file.alarms
        if alarm.raised_at < end and (alarm.cleared_at or end) > start
    ]
    return Frame(start, end, drawn.unit, limits, band, events, least)


def _number(value: Numbers | None) -> float | None:
    if value is None or value.size != 1 or not math.isfinite(float(value)):
        return None
    return float(value)
