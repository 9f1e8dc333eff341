"""Whatever engine, clock and people do in whatever order, the ledger agrees with a dict about every ticket."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from maintenance.ledger import EngineCommit, Ledger, queries
from maintenance.ledger.rows import Happening
from maintenance.moves import Move
from maintenance.people import Actor, Role
from maintenance.ticket import FINISHED, State, Ticket, allowed
from plant.errors import Conflict, NotPermitted
from plant.severity import Severity
from plant.site import Mode
from rules.events import AlarmEvent, EventKind

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
T0 = 1_795_399_200_000

KEYS = (("ch-1", "CH-04"), ("ch-1", "CH-05"))
PEOPLE = (Actor("li", Role.CREW), Actor("zhang", Role.ENGINEER), Actor("guest", Role.VIEWER))
STEPS = (MINUTE, 4 * HOUR, 5 * HOUR, DAY, 3 * DAY, 14 * DAY)

CHANGES = {Happening.MOVED, Happening.ACKNOWLEDGED, Happening.ESCALATED}

Key = tuple[str, str]


@dataclass
class Job:
    """What the model knows of a ticket: how far people and proof have come."""

    key: Key
    state: State = State.OPEN
    severity: Severity = Severity.P2
    acknowledged: bool = False
    started: bool = False
    done: bool = False
    verify_by: int | None = None
    proven: bool = False
    closed_at: int = 0


class Tickets(RuleBasedStateMachine):
    """One machine with two rules, with a model that follows SEMANTICS §8 in the plainest way."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.stack = ExitStack()
        self.ledger = self.stack.enter_context(Ledger.open(self.folder / "ledger.db"))
        self.now = T0
        self.offset = 0
        self.raised: dict[Key, int] = {}
        self.severities: dict[Key, Severity] = {}
        self.jobs: dict[str, Job] = {}
        self.finished: dict[str, Ticket] = {}

    def teardown(self) -> None:
        self._every_change_has_author_and_time_and_explains_the_state()
        self.stack.close()
        shutil.rmtree(self.folder)

    # The world

    @initialize()
    def start(self) -> None:
        self._commit()

    @rule(step=st.sampled_from(STEPS))
    def time_passes(self, step: int) -> None:
        self.now += step
        self._strike()
        self._commit()

    @precondition(lambda self: len(self.raised) < len(KEYS))
    @rule(data=st.data(), severity=st.sampled_from(Severity))
    def alarm_raises(self, data: st.DataObject, severity: Severity) -> None:
        key = data.draw(st.sampled_from([key for key in KEYS if key not in self.raised]))
        self._later()
        self.raised[key], self.severities[key] = self.now, severity
        self._commit(self._event(EventKind.RAISED, key))
        if severity is not Severity.P4:
            self._model_raised(key, severity)

    @precondition(lambda self: self.raised)
    @rule(data=st.data())
    def alarm_clears(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.raised)))
        self._later()
        self._commit(self._event(EventKind.CLEARED, key))
        del self.raised[key]
        job = self._unfinished(key)
        if job is not None and not job.started and job.state in (State.OPEN, State.ACKNOWLEDGED, State.ON_HOLD):
            self._verify(job, done=False)

    @precondition(lambda self: self._being_verified())
    @rule(data=st.data(), good=st.booleans())
    def engine_judges(self, data: st.DataObject, good: bool) -> None:
        key = data.draw(st.sampled_from(self._being_verified()))
        self._later()
        kind = EventKind.VERIFIED if good else EventKind.VERIFY_FAILED
        self._commit(self._event(kind, key))
        job = self._unfinished(key)
        if job is None:
            raise AssertionError("the model lost a ticket that is being verified")
        if not good:
            self._fall_back(job)
            return
        job.proven = True
        self._close_if_proven(job)

    @precondition(lambda self: self.jobs)
    @rule(data=st.data(), any_to=st.sampled_from(State), who=st.sampled_from(PEOPLE), likely=st.integers(0, 4))
    def person_moves(self, data: st.DataObject, any_to: State, who: Actor, likely: int) -> None:
        self._later()
        self._commit()
        id = data.draw(st.sampled_from(sorted(self.jobs)))
        job = self.jobs[id]
        # Mostly a move that may be possible, so that lives get long; whether it is, the model says.
        ways = [row.to for row in allowed(job.state)]
        to = data.draw(st.sampled_from(ways)) if likely and ways else any_to
        expected = self._model_move(job, to, who)
        try:
            self.ledger.move_ticket(id, Move(to, who, self.now, "because"))
        except (Conflict, NotPermitted):
            moved = False
        else:
            moved = True
        assert moved == expected

    @precondition(lambda self: self.jobs)
    @rule(data=st.data())
    def person_with_an_old_view_is_refused(self, data: st.DataObject) -> None:
        id = data.draw(st.sampled_from(sorted(self.jobs)))
        stale = self.ledger.read(queries.ticket, id).version - 1
        with pytest.raises(Conflict, match=f"you saw version {stale}"):
            self.ledger.move_ticket(id, Move(State.ACKNOWLEDGED, PEOPLE[0], self.now), version=stale)

    @rule()
    def service_restarts(self) -> None:
        self.stack.close()
        self.ledger = self.stack.enter_context(Ledger.open(self.folder / "ledger.db"))

    # What must always hold

    @invariant()
    def ledger_and_model_agree(self) -> None:
        seen = {job.id: (job.equipment, job.rule, job.state) for job in self._all()}
        assert seen == {id: (*job.key, job.state) for id, job in self.jobs.items()}

    @invariant()
    def at_most_one_open_ticket_per_equipment_and_rule(self) -> None:
        open_keys = [(job.equipment, job.rule) for job in self._all() if not job.finished]
        assert len(open_keys) == len(set(open_keys))

    @invariant()
    def finished_stays_finished_but_for_a_fault_back_within_4_hours(self) -> None:
        now = {job.id: job for job in self._all()}
        for id, before in self.finished.items():
            if now[id] != before and not (now[id].finished and now[id].state is before.state):
                assert before.state is State.CLOSED
                assert now[id].reopened > before.reopened
                assert self.raised[before.equipment, before.rule or ""] - (before.closed_at or 0) <= 4 * HOUR
        self.finished = {id: job for id, job in now.items() if job.finished}

    def _every_change_has_author_and_time_and_explains_the_state(self) -> None:
        for job in self._all():
            state: State | None = None
            changes = 0
            for row in self.ledger.read(queries.ticket_timeline, job.id):
                assert row.author
                assert T0 <= row.at <= row.written_at <= self.now
                changes += row.kind in CHANGES
                if row.target is not None:
                    assert row.source is state
                    state = row.target
            assert (state, 1 + changes) == (job.state, job.version)

    # The model

    def _model_raised(self, key: Key, severity: Severity) -> None:
        job = self._unfinished(key)
        if job is not None:
            if job.state in (State.VERIFYING, State.PARKED):
                self._fall_back(job)
            job.severity = min(job.severity, severity)
            return
        closed = [job for job in self.jobs.values() if job.key == key and job.state is State.CLOSED]
        last = max(closed, key=lambda job: job.closed_at, default=None)
        if last is not None and self.now - last.closed_at <= 4 * HOUR:
            last.state, last.severity = State.OPEN, severity
            last.acknowledged = last.started = last.done = last.proven = False
            return
        (new,) = {job.id for job in self._all()} - set(self.jobs)
        self.jobs[new] = Job(key, severity=severity)

    def _model_move(self, job: Job, to: State, who: Actor) -> bool:
        if who.role is Role.VIEWER or job.state in FINISHED:
            return False
        engineer = who.role is Role.ENGINEER
        waiting = job.state in (State.VERIFYING, State.PARKED)
        match to:
            case State.ACKNOWLEDGED if job.state is State.OPEN or (job.state is State.ON_HOLD and not job.started):
                job.state, job.acknowledged = to, True
            case State.ACKNOWLEDGED if waiting and not job.acknowledged:
                job.acknowledged = True
                self._close_if_proven(job)
            case State.IN_PROGRESS if job.state is not State.IN_PROGRESS:
                job.state, job.acknowledged, job.started = to, True, True
                job.done = job.proven = False
            case State.ON_HOLD if not waiting and job.state is not State.ON_HOLD:
                job.state = to
            case State.VERIFYING if job.state is State.IN_PROGRESS:
                self._verify(job, done=True)
            case State.CLOSED | State.CANCELLED if engineer and (waiting or to is State.CANCELLED):
                job.state, job.closed_at = to, self.now
            case _:
                return False
        return True

    def _verify(self, job: Job, *, done: bool) -> None:
        wait = {Severity.P1: DAY, Severity.P2: 3 * DAY, Severity.P3: 14 * DAY}[job.severity]
        job.state, job.done, job.proven, job.verify_by = State.VERIFYING, done, False, self.now + wait

    def _fall_back(self, job: Job) -> None:
        job.state = State.IN_PROGRESS if job.started else State.ACKNOWLEDGED if job.acknowledged else State.OPEN
        job.done = job.proven = False

    def _close_if_proven(self, job: Job) -> None:
        if job.proven and (job.done or job.acknowledged or job.severity is not Severity.P1):
            job.state, job.closed_at = State.CLOSED, self.now

    def _strike(self) -> None:
        for job in self.jobs.values():
            if job.state is State.VERIFYING and not job.proven and (job.verify_by or 0) <= self.now:
                job.state = State.PARKED

    # Plumbing

    def _later(self) -> None:
        """Everything happens at a time of its own."""
        self.now += 1
        self._strike()

    def _commit(self, *events: AlarmEvent) -> None:
        commit = EngineCommit("rules", "site", self.offset, self.offset + 1, 0, self.now, events)
        self.ledger.commit_engine(commit)
        self.offset += 1

    def _event(self, kind: EventKind, key: Key) -> AlarmEvent:
        severity = self.severities.get(key, Severity.P2)
        raised_at = self.raised.get(key, T0)
        return AlarmEvent(kind, self.now, *key, Mode.LIVE, severity, severity, raised_at, raised_at)

    def _being_verified(self) -> list[Key]:
        return sorted(job.key for job in self.jobs.values() if job.state in (State.VERIFYING, State.PARKED))

    def _unfinished(self, key: Key) -> Job | None:
        return next((job for job in self.jobs.values() if job.key == key and job.state not in FINISHED), None)

    def _all(self) -> tuple[Ticket, ...]:
        return self.ledger.read(queries.list_tickets, limit=queries.LONGEST_PAGE).items


TestTickets = Tickets.TestCase
TestTickets.settings = settings(max_examples=20, stateful_step_count=40, deadline=None)
