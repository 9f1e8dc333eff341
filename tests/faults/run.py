"""One run: the campus speaks, people act, and the service, the broker or the store is killed as planned meanwhile."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from dutyroom.content import Content
from maintenance.ledger.ledger import Ledger
from rules.loader import load_pack
from tests.faults import acts, campus, child
from tests.faults.campus import MINUTE_MS, START
from tests.faults.publisher import Publisher
from tests.support.programs import Influx, Mosquitto, ProgramFailed, wait_until

ROOT = Path(__file__).resolve().parents[2]
_PATIENCE_SECONDS = 180.0
_STOP_SECONDS = 60.0
_FLOW_WHILE_DOWN_SECONDS = 1.5
_TAIL = 3_000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Plan:
    """What is killed: the service at `points` (`fsync:12`) one after another, broker and store all along the run.

    `pace` is the messages a second the campus speaks with, `minutes` its length in plant time.
    """

    name: str
    seed: int
    minutes: int = campus.MINUTES
    pace: float = 400.0
    points: tuple[str, ...] = ()
    broker_kills: int = 0
    store_kills: int = 0
    influx: bool = False


@dataclass(frozen=True, slots=True)
class Kill:
    """One SIGKILL, what was known of the service at that moment, and the messages a second then flowing."""

    run: str
    what: str
    rate: float
    known: Mapping[str, int]


@dataclass(slots=True)
class Ran:
    """What a run left behind: its folder holds journal and ledger, `settings` open its store."""

    plan: Plan
    folder: Path
    settings: Mapping[str, str]
    kills: list[Kill] = field(default_factory=list)
    published: int = 0
    resent: int = 0
    repeated: int = 0
    acknowledged: Counter[tuple[str, int]] = field(default_factory=Counter)
    rate: float = 0.0
    starts: int = 0


class Service:
    """The child process and whoever starts it again the moment it was killed."""

    def __init__(self, ran: Ran) -> None:
        self.failure: str | None = None
        self._ran = ran
        self._struck = False
        self._down_since: float | None = None
        self._points = list(ran.plan.points)
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = False
        self._watch = threading.Thread(target=self._run, name="service-watch", daemon=True)

    def start(self) -> None:
        """From now on it runs, whatever happens to it."""
        self._watch.start()

    def check(self) -> None:
        """Raises AssertionError with the end of its log when it ended by itself."""
        if self.failure is not None:
            raise AssertionError(self.failure)

    @property
    def all_struck(self) -> bool:
        """Every planned kill of the service has happened."""
        return not self._points

    def stop(self) -> None:
        """SIGTERM, and wait for its good end."""
        self._stopping = True
        if self._process is not None:
            self._process.terminate()
        self._watch.join(_STOP_SECONDS)
        self.check()
        if self._watch.is_alive():
            self.kill()
            raise AssertionError(f"the service has not ended {_STOP_SECONDS:g} s after SIGTERM")

    def wait_a_little(self) -> None:
        """While it is down messages go on for a moment, to wait for it in the broker; then the campus waits too."""
        while self._down_since is not None and not self.up and self.failure is None:
            if time.monotonic() < self._down_since + _FLOW_WHILE_DOWN_SECONDS:
                return
            time.sleep(0.02)

    @property
    def up(self) -> bool:
        """The process runs and has said so."""
        return (self._ran.folder / child.STATUS).exists()

    def strike(self) -> None:
        """SIGKILL from outside; it is started again at once."""
        self._struck = True
        assert self._process is not None
        self._process.kill()

    def kill(self) -> None:
        """For good, where a test gives up."""
        self._stopping = True
        if self._process is not None:
            self._process.kill()

    def _run(self) -> None:
        while not self._stopping:
            point = self._points[0] if self._points else None
            code = self._once(point)
            self._down_since = time.monotonic()
            (self._ran.folder / child.STATUS).unlink(missing_ok=True)
            if code == -signal.SIGKILL and point is not None:
                self._points.pop(0)
                line = (self._ran.folder / child.KILLS).read_text().splitlines()[-1]
                known = json.loads(line)
                self._ran.kills.append(Kill(self._ran.plan.name, known.pop("point"), known.pop("rate"), known))
            elif code == -signal.SIGKILL and self._struck:
                self._struck = False
            elif code != 0 or not self._stopping:
                log = (self._ran.folder / "service.log").read_text(errors="replace")[-_TAIL:]
                self.failure = f"the service ended with {code} by itself; its log ends: {log}"
                return

    def _once(self, point: str | None) -> int:
        command = [sys.executable, "-m", "tests.faults.child", "--data", str(self._ran.folder)]
        if point is not None:
            command += ["--kill-at", point]
        self._ran.starts += 1
        with (self._ran.folder / "service.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=os.environ | self._ran.settings, stdout=log, stderr=log
            )
        return self._process.wait()


def carry_out(plan: Plan, folder: Path, look: Callable[[Ran], T]) -> tuple[Ran, T]:
    """The whole run, until the service has judged and stored everything and has ended in good order.

    `look` reads what it has left, while a store that is a program of its own is still up. Raises AssertionError when
    the service fails by itself, TimeoutError when it does not keep up.
    """
    with opened(plan, folder) as run:
        with _striking(run):
            run.everything()
        run.close()
        return run.ran, look(run.ran)


@contextmanager
def opened(plan: Plan, folder: Path) -> Iterator[Run]:
    """Broker, store, service and publisher of a run, all up; nothing of them is left after the block."""
    data = folder / "data"
    data.mkdir(parents=True)
    with ExitStack() as stack:
        broker = stack.enter_context(Mosquitto(folder / "mosquitto"))
        influx = stack.enter_context(Influx(folder / "influx")) if plan.influx else None
        ran = Ran(plan, data, _settings(broker, influx))
        ledger = stack.enter_context(Ledger.open(data / "ledger.db"))
        where = campus.plant()
        ledger.add_config(Content.of(where, load_pack(catalogue=where.catalogue)).encode(), "fault run", START)
        publisher = Publisher(broker.port)
        stack.callback(publisher.close)
        service = Service(ran)
        service.start()
        stack.callback(service.kill)
        run = Run(ran, publisher, service, ledger, broker, influx)
        run.wait_until(lambda: service.up, "the service is up")
        yield run


def _settings(broker: Mosquitto, influx: Influx | None) -> dict[str, str]:
    found = {"DUTYROOM_BROKER__URL": broker.url, "DUTYROOM_HTTP__PORT": "0"}
    if influx is not None:
        found |= {
            "DUTYROOM_STORE__KIND": "influx",
            "DUTYROOM_STORE__URL": influx.url,
            "DUTYROOM_STORE__ORG": influx.org,
            "DUTYROOM_STORE__BUCKET": influx.new_bucket(),
            "DUTYROOM_STORE__TOKEN": influx.token,
        }
    return found


@dataclass(slots=True)
class Run:
    """The course of one run: steps at a pace, and pauses of plant time where people act."""

    ran: Ran
    publisher: Publisher
    service: Service
    ledger: Ledger
    broker: Mosquitto
    influx: Influx | None
    done_steps: int = 0
    flowing: float = 0.0

    def everything(self) -> None:
        """Publish all, act, and wait until all is judged and stored."""
        minutes = acts.minutes()
        now = START
        for now, said in campus.steps(campus.plant(), self.ran.plan.seed, self.ran.plan.minutes):
            self.step(now, said)
            minute, rest = divmod(now - START, MINUTE_MS)
            if rest == 0 and minute in minutes:
                self._people(minute, now)
        self.passed(now)
        self.wait_until(self._stored, "everything is stored and every planned kill has happened")

    def step(self, now: int, said: tuple[campus.Said, ...]) -> None:
        """What the machines say up to `now`, then the clock."""
        self.service.wait_a_little()
        began = time.monotonic()
        self.publisher.send(said)
        self.publisher.tick(now)
        self.done_steps += 1
        time.sleep(max(0.0, len(said) / self.ran.plan.pace - (time.monotonic() - began)))
        self.flowing += time.monotonic() - began

    def passed(self, now: int) -> None:
        """Wait until the alarms up to `now` are committed."""
        self.wait_until(lambda: (self.ledger.plant_now() or 0) >= now, f"plant minute {(now - START) / MINUTE_MS}")

    def wait_until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for it with a deadline; raises AssertionError when the service has ended by itself."""

        def found() -> bool:
            self.service.check()
            return condition()

        wait_until(found, seconds=_PATIENCE_SECONDS, what=what)

    def close(self) -> None:
        """End the service in good order, and note what was sent."""
        sent = self.publisher
        self.ran.published, self.ran.resent, self.ran.repeated = sent.acked, sent.resent, sent.repeated
        self.ran.acknowledged, self.ran.rate = sent.acknowledged, sent.acked / self.flowing
        self.service.stop()

    def _people(self, minute: int, now: int) -> None:
        """Plant time stands still until the service has seen it, people have acted and the journal knows of it."""
        self.passed(now)
        acts.perform(self.ledger, minute, now)
        self.wait_until(lambda: not self.ledger.pending_commands(), f"the journal has the acts of minute {minute}")

    def _stored(self) -> bool:
        if not (self.service.up and self.service.all_struck):
            return False
        told = status(self.ran.folder)
        return told["stored"] == told["journal"] == told["committed"]


def status(folder: Path) -> dict[str, int]:
    """What the service said of itself last."""
    told: dict[str, int] = json.loads((folder / child.STATUS).read_text())
    return told


@contextmanager
def _striking(run: Run) -> Iterator[None]:
    """Kills broker and store at seeded moments while the block runs; each is up again at once."""
    striker = _Striker(run)
    thread = threading.Thread(target=striker.work, name="striking", daemon=True)
    thread.start()
    yield
    thread.join(_PATIENCE_SECONDS)
    if striker.trouble is not None:
        raise striker.trouble
    if thread.is_alive():
        raise AssertionError("not every planned kill has happened")


class _Striker:
    """Broker and store, each killed in every n-th part of the run while messages flow."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.trouble: Exception | None = None
        self._seeded = random.Random(run.ran.plan.seed)

    def work(self) -> None:
        """All kills of the plan, one after another."""
        try:
            for step, what in self._plan():
                self._strike(step, what)
        except (OSError, TimeoutError, ProgramFailed) as error:
            self.trouble = error

    def _plan(self) -> list[tuple[int, str]]:
        plan = self.run.ran.plan
        steps = plan.minutes * MINUTE_MS // campus.STEP_MS
        return sorted(
            (round(steps * (0.06 + 0.88 * (number + self._seeded.random()) / count)), what)
            for what, count in (("mosquitto", plan.broker_kills), ("influxd", plan.store_kills))
            for number in range(count)
        )

    def _strike(self, step: int, what: str) -> None:
        run = self.run
        wait_until(lambda: run.done_steps >= step, seconds=900, what=f"step {step}")
        wait_until(self._flows, seconds=60, what="messages flow")
        time.sleep(self._seeded.random() * 0.05)
        run.ran.kills.append(Kill(run.ran.plan.name, what, run.publisher.rate(1.0), status(run.ran.folder)))
        if what == "mosquitto":
            run.broker.restart(kill=True)
        elif run.influx is not None:
            run.influx.restart(kill=True)

    def _flows(self) -> bool:
        return self.run.service.up and self.run.publisher.rate(1.0) >= child.FLOW
