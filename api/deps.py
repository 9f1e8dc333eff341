"""What the HTTP side asks of the rest of the house: narrow protocols, handed in by whoever wires the service."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from sqlalchemy import Connection

from history.protocols import Buckets
from ingest.discovery import Family
from ingest.mqtt.dangers import Danger
from maintenance.commissioning import Report
from maintenance.ledger.book import Book
from maintenance.ledger.commissionings import Commissioning
from maintenance.ledger.discovered import Acceptance
from maintenance.moves import Move
from maintenance.people import Actor
from maintenance.ticket import Ticket
from plant.accepting import Accepted
from plant.catalogue import Text
from plant.reading import ReadingBatch, SeriesKey, SeriesTable
from plant.site import Plant
from rules.model import Rule
from rules.standing import Standing

P = ParamSpec("P")
T = TypeVar("T")


class LedgerDesk(Protocol):
    """Tickets and alarms: `maintenance.ledger.ledger.Ledger`. Every method blocks."""

    def read(self, query: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a query on one unchanging view."""

    def write(self, act: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function in one write transaction, undone when it raises."""

    def act(self, now: int, act: Callable[Concatenate[Book, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run what a person does in one write transaction at plant time `now`, ms UTC; undone when it raises."""

    def move_ticket(self, id: str, move: Move, *, version: int | None = None) -> Ticket:
        """Move a ticket; the errors of `maintenance.moves.decide`, and Conflict for another version."""

    def comment(self, id: str, actor: Actor, text: str, now: int) -> None:
        """Add a comment to a ticket's timeline."""

    def reset_alarm(self, id: int, actor: Actor, now: int) -> int:
        """Ask the engine to reset a latched alarm; returns the command's number."""


class HistoryReads(Protocol):
    """The reading half of `history.protocols.TelemetryStore` that pages need. Every method blocks."""

    def latest(self, equipment: str) -> dict[str, tuple[int, float, int, int]]:
        """Point → (ts, value, quality, reason) of its newest reading."""

    def buckets(self, key: SeriesKey, start: int, end: int, count: int) -> Buckets:
        """The range [start, end) in `count` buckets of equal width; see `trends`."""

    def trends(self, keys: Sequence[SeriesKey], start: int, end: int, count: int) -> list[Buckets]:
        """The range [start, end) in `count` buckets for each series, from the coarsest rollup that fits."""

    def rows(self, keys: Sequence[SeriesKey], table: SeriesTable, start: int, end: int) -> ReadingBatch:
        """All readings of the series with start ≤ ts < end, with their `seen`, ordered by (ts, series)."""


class PhotoDesk(Protocol):
    """Photos by the SHA-256 of their bytes: `maintenance.photofiles.PhotoFolder`. Every method blocks."""

    @property
    def removed(self) -> int:
        """How many that no ticket named were removed since the service started."""

    def put(self, body: bytes) -> str:
        """Keep a photo, durable when this returns; returns its SHA-256, hex."""

    def get(self, sha256: str) -> bytes:
        """A photo's bytes; raises NotFound."""


class BindingDesk(Protocol):
    """Binds what was discovered: `dutyroom.binding.BindingDesk`. Methods that change something block."""

    def accept(self, family: Family, accepted: Accepted, actor: Actor) -> Acceptance:
        """Bind what was found, and have what came before decoded again. Raises BadInput, NotFound, Conflict."""

    def listen(self, filters: Sequence[str], actor: Actor) -> None:
        """Listen to these topic filters beside what is bound, and to no others. Raises BadInput."""


class CommissioningDesk(Protocol):
    """Keeps checks and decides: `dutyroom.commissioning.CommissioningDesk`. Every method blocks."""

    def record(self, report: Report, actor: Actor) -> Commissioning:
        """Keep a check; where it passed, the machine is commissioned. Raises NotPermitted, NotFound, Conflict."""

    def release(self, equipment: str, reason: str, actor: Actor) -> Commissioning:
        """Commission a machine whatever its check says. Raises BadInput, and as `record`."""

    def withhold(self, equipment: str, reason: str, actor: Actor) -> Commissioning:
        """Have a machine's rules observe until it is checked again. Raises as `release`."""


class Configuration(Protocol):
    """The configuration in force; both answers are immutable values and may be others after a reload."""

    def plant(self) -> Plant:
        """Catalogue and site."""

    def rules(self) -> Sequence[Rule]:
        """The rules, by id."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Totals since the service started, in the words of `ingest.intake.Intaken`.

    `rejected` by reason, `repaired` by kind. Of `requests` those are `requests_dropped` that found no room while the
    broker was away. `redecoded_…` count what binding gave to the past, beside `readings`; `families` are those of
    unbound topics there are now, of which `families_evicted` were forgotten for want of room.
    """

    messages: int = 0
    readings: int = 0
    empty: int = 0
    repeated: int = 0
    duplicates: int = 0
    conflicts: int = 0
    rejected: Mapping[str, int] = field(default_factory=dict)
    requests: int = 0
    requests_dropped: int = 0
    repaired: Mapping[str, int] = field(default_factory=dict)
    read: int = 0
    refused: int = 0
    flooded: int = 0
    redecoded_messages: int = 0
    redecoded_readings: int = 0
    families: int = 0
    families_evicted: int = 0

    @property
    def unaccounted(self) -> int:
        """Messages judged of which it is not known what became: anything but 0 is a fault of the service."""
        return self.messages - self.read - self.refused - self.empty - self.repeated - self.flooded


class Trouble(StrEnum):
    """What ails a part, in words that anybody may read: they say nothing of files and addresses, as the log does."""

    ENDED = "has ended; the service's log says why"
    WAITS = "waits for something outside; the service's log says for what"


@dataclass(frozen=True, slots=True)
class Collected:
    """What the collector has done since it started, in the words of `ingest.collector.CollectorStatus`.

    `waiting` is how many messages are not yet durable; `own` of those received are the service's own, not judged.
    `brokers` says of each, by its name, whether it is connected, `dangers` which of its limits endanger us.
    """

    received: int = 0
    acked: int = 0
    dropped: int = 0
    waiting: int = 0
    stalls_healed: int = 0
    sessions_lost: int = 0
    clock_back: int = 0
    own: int = 0
    malformed: int = 0
    brokers: Mapping[str, bool] = field(default_factory=dict)
    dangers: Mapping[str, Sequence[Danger]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Disk:
    """The data folder's disk and what of it the parts take, bytes."""

    total: int
    free: int
    journal: int
    history: int
    ledger: int


@dataclass(frozen=True, slots=True)
class Live:
    """How the data path stands at this moment.

    `plant_time` is ms UTC, NEVER before the first tick. `journal_offset` is that of the newest durable entry,
    `consumers` how far each consumer of the journal has come (`rules`, `store`). `faults` names the parts that do
    not work (`journal`, `store`, …) and why, in words that anybody may read. `collected` is None where the collector
    is another process.
    """

    plant_time: int
    listening: bool
    broker_connected: bool
    journal_offset: int
    consumers: Mapping[str, int]
    faults: Mapping[str, str]
    counted: Counted
    collected: Collected | None = None


class LiveView(Protocol):
    """The running data path, seen from outside."""

    def look(self) -> Live:
        """How it stands now; answers from memory, never blocks."""

    def verdicts(self, rule: str | None = None) -> Sequence[Standing]:
        """How every rule (or that one alone) stands where it is installed, by rule and equipment.

        Answers from memory, never blocks.
        """


@dataclass(frozen=True, slots=True)
class DemoTrick:
    """A way to break the demo's machines: its name, its words, what to watch for, and whether it is broken now."""

    kind: str
    title: Text
    watch: Text
    broken: bool


@dataclass(frozen=True, slots=True)
class Making:
    """How much of the demo's past there is: plant time has come from `start` to `made`; it is `present` at the end."""

    start: int
    made: int
    present: int

    @property
    def done(self) -> bool:
        """Whether the present has begun."""
        return self.made >= self.present

    @property
    def percent(self) -> int:
        """How much is there, whole percent."""
        return 100 if self.done else (self.made - self.start) * 100 // (self.present - self.start)


class DemoDesk(Protocol):
    """What only a demo has: a past in the making, and machines that the viewer may break."""

    @property
    def user(self) -> str:
        """The account the viewer is let in as."""

    def admits(self, key: str) -> bool:
        """Whether this key lets the viewer in; it does so once."""

    def making(self) -> Making:
        """How much of the past there is."""

    def tricks(self) -> Sequence[DemoTrick]:
        """Every way to break something."""

    async def inject(self, kind: str) -> None:
        """Break it. Raises NotFound, and Unavailable when the machines do not answer."""

    async def repair(self, kind: str) -> None:
        """Mend it. Raises Unavailable when the machines do not answer."""


@dataclass(frozen=True, slots=True)
class ApiDeps:
    """Everything the app needs. `most_lag` is how many journal entries a consumer may be behind and count as ready.
    `clock` gives system time, ms UTC; `disk` looks at the data folder, and blocks. `secure_cookies`
    marks cookies Secure also where the request came over http, as behind a proxy that ends TLS and does not say so.

    One user may hold `streams_per_user` live streams, all users together `streams`; whoever holds one is signed in
    anew every `sign_in_again_s` seconds, so that a revoked token ends it.
    """

    ledger: LedgerDesk
    history: HistoryReads
    configuration: Configuration
    live: LiveView
    clock: Callable[[], int]
    disk: Callable[[], Disk]
    photos: PhotoDesk
    binding: BindingDesk
    commissioning: CommissioningDesk
    secure_cookies: bool = False
    most_lag: int = 30_000
    streams_per_user: int = 8
    streams: int = 200
    sign_in_again_s: int = 60
    demo: DemoDesk | None = None
