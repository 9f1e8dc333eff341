"""A small site behind the real app: real ledger, real DuckDB store, real ASGI; only the live view is set by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
from fastapi import FastAPI

from api.app import create_app
from api.deps import ApiDeps, Counted, Disk, Live
from api.guard.origin import SESSION_COOKIE
from dutyroom.binding import BindingDesk
from dutyroom.commissioning import CommissioningDesk
from history.duck import DuckStore
from ingest.repairs import Repair
from maintenance.ledger import EngineCommit, Ledger, Reject, codes, secrets, sessions
from maintenance.people import PEOPLE, Role
from maintenance.photofiles import PhotoFolder
from plant.catalogue import Catalogue, EquipmentType, Kind, Point, Text
from plant.instants import NEVER
from plant.quality import Quality, Reason
from plant.reading import Reading
from plant.severity import Severity
from plant.site import Equipment, Mode, Plant, Site
from rules.events import AlarmEvent, EventKind
from rules.model import Level, Rule, RuleParam
from rules.standing import Standing

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
T0 = 1_795_399_200_000
"""2026-11-23T02:00:00Z"""

HASH = "ab" * 32
DISK = Disk(total=100 << 30, free=40 << 30, journal=3 << 30, history=1 << 30, ledger=5 << 20)
PROOF = (
    b'{"equipment":"tank-1","frames":{"instants":[1795398600000,1795399200000],"points":{"temp":["41.000","39.000"]}},'
    b'"levels":[{"for_ms":600000,"member":null,"severity":2,"when":{"of":[{"quality":"none","text":"temp","unit":"Cel",'
    b'"value":"39.000"},{"text":"42#3","unit":"1","value":"42.000"}],"text":"(temp<42#3)","value":true}}],'
    b'"members":[],"onset_at":1795398600000,"raised_at":1795399200000,"rule":"BH-01"}'
)
"""In the engine's form: 39 degrees, below 42."""


def _point(name: str, unit: str = "Cel", kind: Kind = Kind.SENSOR) -> Point:
    return Point(name, unit, kind, 0.0, 100.0, Text(f"{name} 点", name))


def site() -> Plant:
    """Two tanks that stand, one that is gone."""
    made = (_point("temp"), _point("level", "%"), _point("pump", "bool", Kind.STATUS))
    points = {point.name: point for point in made}
    tank = EquipmentType("hot_water_tank", Text("水箱", "tank"), 60_000, points)
    machines = (
        Equipment("tank-1", "bath/tank-one", "hot_water_tank", Text("一号水箱", "Tank 1"), parameters={"volume": 8.0}),
        Equipment("tank-2", "bath/tank-two", "hot_water_tank", Text("二号水箱", "Tank 2")),
        Equipment("tank-0", "bath/old", "hot_water_tank", Text("旧水箱", "Old"), retired=True),
    )
    return Plant(Catalogue({tank.name: tank}), Site("demo", "Asia/Shanghai", Text("", ""), {m.id: m for m in machines}))


def rule(id: str, *types: str) -> Rule:
    """A rule of one level with one threshold."""
    low = RuleParam("low", "Cel", 42.0, 30.0, 60.0, Text("下限", "lower limit"))
    return Rule(
        id=id,
        title=Text("水温低", "Water too cold"),
        applies_to=types,
        levels=(Level("temp < low", 10 * MINUTE, "temp > low + 2 K", 5 * MINUTE, Severity.P2),),
        every_ms=None,
        gate=None,
        latching=False,
        needs=("temp",),
        points=("temp",),
        params={"low": low},
        for_each=None,
        comparable=(),
        verify_for_ms=30 * MINUTE,
        suppressed_by=(),
        causes=(Text("加热器坏", "heater failed"),),
        first_check=(Text("看加热器", "look at the heater"),),
        source="DOMAIN 5",
    )


def event(
    kind: EventKind = EventKind.RAISED,
    at: int = T0,
    *,
    equipment: str = "tank-1",
    rule: str = "BH-01",
    severity: Severity = Severity.P2,
) -> AlarmEvent:
    """An event of the alarm raised at T0; raised with a proof."""
    proven = kind is EventKind.RAISED
    return AlarmEvent(
        kind=kind,
        at=at,
        equipment=equipment,
        rule=rule,
        mode=Mode.LIVE,
        severity=severity,
        highest=severity,
        onset_at=T0 - 10 * MINUTE,
        raised_at=T0,
        proof=PROOF if proven else None,
        proof_hash=HASH if proven else None,
    )


def live(**changes: object) -> Live:
    """A data path that works, level with its journal of 100 entries, an hour after T0."""
    well = Live(
        plant_time=T0 + HOUR,
        listening=True,
        broker_connected=True,
        journal_offset=100,
        consumers={"rules": 100, "store": 100},
        faults={},
        counted=Counted(),
    )
    return replace(well, **changes)  # type: ignore[arg-type]


class House:
    """The app and everything behind it. `live`, `plant` and `pack` may be set; `tokens` has one for each role.

    `clock_ms` is system time, `T0` an hour ago.
    """

    def __init__(self, ledger: Ledger, store: DuckStore, photos: PhotoFolder, **limits: Any) -> None:
        self.ledger = ledger
        self.photos = photos
        self.store = store
        self.now_live = live()
        self.now_plant = site()
        self.stands: Sequence[Standing] = ()
        self.pack: Sequence[Rule] = (rule("BH-01", "hot_water_tank"), rule("CH-04", "chiller"), rule("DQ-01", "*"))
        self.tokens = {role: ledger.add_user(f"a {role.value}", role, author="test", now=T0) for role in PEOPLE}
        # as the service does when a machine is registered
        ledger.write(codes.ensure, [one.id for one in site().site.equipment.values() if not one.retired], T0)
        self.clock_ms = T0 + HOUR
        self.app: FastAPI = create_app(self.deps(**limits))

    def deps(self, **limits: Any) -> ApiDeps:
        """What the app is made of."""
        desk = BindingDesk(self.ledger)
        commissioning = CommissioningDesk(self.ledger)
        return ApiDeps(
            self.ledger,
            self.store,
            self,
            self,
            lambda: self.clock_ms,
            lambda: DISK,
            self.photos,
            desk,
            commissioning,
            **limits,
        )

    def set_live(self, **changes: object) -> None:
        """Change how the data path stands."""
        self.now_live = replace(self.now_live, **changes)  # type: ignore[arg-type]

    def stop_clock(self) -> None:
        """As before the first tick."""
        self.set_live(plant_time=NEVER)

    def look(self) -> Live:
        return self.now_live

    def verdicts(self, rule: str | None = None) -> Sequence[Standing]:
        return [one for one in self.stands if rule is None or one.rule == rule]

    def plant(self) -> Plant:
        return self.now_plant

    def rules(self) -> Sequence[Rule]:
        return self.pack

    def engine(
        self,
        *events: AlarmEvent,
        rejects: tuple[Reject, ...] = (),
        now: int | None = None,
        repairs: tuple[Repair, ...] = (),
    ) -> None:
        """Commit events as the pipeline does."""
        here = self.ledger.offset("rules", "site")
        reached = now if now is not None else max((one.at for one in events), default=T0)
        commit = EngineCommit("rules", "site", here, here + 1, 0, reached, events, rejects, repairs=repairs)
        self.ledger.commit_engine(commit)

    def wrote(self, *readings: Reading) -> None:
        """Store readings as the store writer does."""
        table = self.now_plant.series
        self.store.write(table.batch(readings), table, self.store.offset() + 1)

    def session(self, role: Role) -> str:
        """The secret of a new session of the person of this role."""
        secret = secrets.new_session()
        self.ledger.write(sessions.begin, f"a {role.value}", secret, self.clock_ms, agent="a test")
        return secret

    def bearer(self, role: Role) -> dict[str, str]:
        """The header that signs a person of this role in."""
        return {"Authorization": f"Bearer {self.tokens[role]}"}

    @asynccontextmanager
    async def client(self, role: Role | None = Role.VIEWER) -> AsyncIterator[httpx2.AsyncClient]:
        """A client of the app in this process, signed in as `role`."""
        transport = httpx2.ASGITransport(self.app)
        headers = {} if role is None else self.bearer(role)
        async with httpx2.AsyncClient(transport=transport, base_url="http://dutyroom", headers=headers) as client:
            yield client

    @asynccontextmanager
    async def browser(self, role: Role | None) -> AsyncIterator[httpx2.AsyncClient]:
        """A client that behaves like a browser on a page of ours, signed in by a session."""
        headers = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}
        async with self.client(None) as client:
            client.headers.update(headers)
            if role is not None:
                client.cookies.set(SESSION_COOKIE, self.session(role))
            yield client


def reading(
    ts: int, value: float, point: str = "temp", quality: Quality = Quality.GOOD, reason: Reason = Reason.NONE
) -> Reading:
    """A reading of tank-1."""
    return Reading("tank-1", point, ts, value, quality, reason)


@contextmanager
def opened(folder: Path, **limits: Any) -> Iterator[House]:
    """A house over fresh files."""
    store = DuckStore(folder / "store")
    try:
        with Ledger.open(folder / "ledger.db") as ledger:
            yield House(ledger, store, PhotoFolder(folder / "photos"), **limits)
    finally:
        store.close()
