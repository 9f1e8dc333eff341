"""The HTTP side of a running service: what the API may see of it, and its server."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from api.app import create_app
from api.deps import ApiDeps, Collected, Counted, DemoDesk, Disk, Live, Trouble
from api.server import serve
from dutyroom.binding import BindingDesk
from dutyroom.commissioning import CommissioningDesk
from dutyroom.content import Content
from dutyroom.systemtime import system_now
from ingest.collector import CollectorStatus
from plant.errors import Unavailable
from plant.instants import NEVER
from plant.site import Plant
from rules.model import Rule
from rules.standing import Standing, standings

if TYPE_CHECKING:
    from dutyroom.service import Running


class Current:
    """The configuration in force (`api.deps.Configuration`)."""

    def __init__(self, service: Running) -> None:
        self._service = service

    def _content(self) -> Content:
        rules = self._service.rules
        return (rules.judging.content if rules is not None else None) or self._service.content

    def plant(self) -> Plant:
        """Catalogue and site."""
        return self._content().plant

    def rules(self) -> Sequence[Rule]:
        """The rules, by id."""
        return self._content().rules


class LiveParts:
    """The running data path (`api.deps.LiveView`): numbers the parts keep anyway, read without waiting."""

    def __init__(self, service: Running) -> None:
        self._service = service

    def look(self) -> Live:
        """How it stands now."""
        service = self._service
        faults: dict[str, str] = {}
        collector = service.collector.status() if service.collector else None
        consumers = {}
        for consumer in (service.rules, service.storing, service.discovering):
            if consumer is not None:
                consumers[consumer.name] = consumer.offset
                if consumer.fatal is not None:
                    faults[consumer.name] = Trouble.ENDED
                elif consumer.held_up is not None:
                    faults[consumer.name] = Trouble.WAITS
        if collector is not None:
            if collector.journal_error:
                faults["journal"] = Trouble.WAITS
            if collector.broker_error and not collector.connected:
                faults["broker"] = Trouble.WAITS
        if service.relay is not None and service.relay.trouble:
            faults["relay"] = Trouble.WAITS
        rules = service.rules
        return Live(
            plant_time=rules.passed if rules else NEVER,
            listening=rules.listening if rules else False,
            # a service of its own knows of the broker only what the journal tells: that somebody listens
            broker_connected=collector.connected if collector else bool(rules and rules.listening),
            journal_offset=service.journal.last_offset,
            consumers=consumers,
            faults=faults,
            counted=self._counted(),
            collected=None if collector is None else _collected(collector),
        )

    def verdicts(self, rule: str | None = None) -> Sequence[Standing]:
        """How every rule (or that one alone) stands where it is installed."""
        engine = self._service.rules.judging.engine if self._service.rules else None
        return standings(engine, rule) if engine is not None else ()

    def _counted(self) -> Counted:
        rules, storing, discovering = self._service.rules, self._service.storing, self._service.discovering
        if rules is None:
            return Counted()
        return Counted(
            rules.messages,
            storing.written if storing else 0,
            rules.empty,
            rules.repeated,
            rules.duplicates,
            rules.conflicts,
            dict(rules.rejected),
            rules.requests,
            self._service.asking.dropped if self._service.asking else 0,
            repaired=dict(rules.repaired),
            read=rules.read,
            refused=rules.refused,
            flooded=rules.flooded,
            redecoded_messages=storing.redecoded_messages if storing else 0,
            redecoded_readings=storing.redecoded_readings if storing else 0,
            families=discovering.families if discovering else 0,
            families_evicted=discovering.evicted if discovering else 0,
        )


def _collected(status: CollectorStatus) -> Collected:
    return Collected(
        status.received,
        status.acked,
        status.dropped,
        status.waiting,
        status.stalls_healed,
        status.sessions_lost,
        status.clock_back,
        status.own,
        status.malformed,
        {line.name: line.connected for line in status.brokers},
        {line.name: tuple(sorted(line.dangers)) for line in status.brokers if line.dangers},
    )


def _disk(data: Path) -> Disk:
    """The data folder's disk; raises Unavailable when it cannot be looked at."""
    try:
        whole = shutil.disk_usage(data)
        return Disk(
            whole.total,
            whole.free,
            journal=_size(data.glob("journal.db*")),
            history=_size((data / "telemetry").rglob("*")),
            ledger=_size(data.glob("ledger.db*")),
        )
    except OSError as error:
        raise Unavailable(f"{data} cannot be looked at: {error}") from error


def _size(paths: Iterable[Path]) -> int:
    return sum(path.stat().st_size for path in paths if path.is_file())


@asynccontextmanager
async def serve_api(service: Running, demo: DemoDesk | None = None) -> AsyncIterator[int]:
    """The API on the configured address for as long as the block; gives the port it got."""
    if service.store is None:
        raise Unavailable("the API needs the store, which this role does not open")
    http = service.settings.http
    deps = ApiDeps(
        service.ledger,
        service.store,
        Current(service),
        LiveParts(service),
        system_now,
        partial(_disk, service.settings.data),
        service.photos,
        BindingDesk(service.ledger),
        CommissioningDesk(service.ledger),
        secure_cookies=http.secure_cookies,
        demo=demo,
    )
    async with serve(
        create_app(deps), http.host, http.port, trusted_proxies=[str(net) for net in http.trusted_proxies]
    ) as port:
        yield port
