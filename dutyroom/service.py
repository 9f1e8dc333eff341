"""The composition root: every part of a running service is made, started and stopped here, and nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from zoneinfo import ZoneInfo

import httpx2
import structlog

from api.deps import DemoDesk
from dutyroom.asking import Asking
from dutyroom.brokers import brokers_of, remembering
from dutyroom.content import Content
from dutyroom.datafolder import make_data_folder
from dutyroom.decoding import SharedDecoding
from dutyroom.discovery_consumer import DiscoveryConsumer
from dutyroom.firstaccount import ensure_account, ensure_guest
from dutyroom.housekeeping import Housekeeping
from dutyroom.labels import give_codes
from dutyroom.names import SiteNames
from dutyroom.photocare import keep_tidy
from dutyroom.policy import notice_routes
from dutyroom.progress import publish_progress
from dutyroom.redecode import Order
from dutyroom.relay import Relay
from dutyroom.rules_consumer import Probe, RulesConsumer, pass_by
from dutyroom.settings import Settings
from dutyroom.store_consumer import StoreConsumer
from dutyroom.stores import open_store, upkeep
from dutyroom.systemtime import system_now
from dutyroom.web import serve_api
from history.journal import JournalFile, JournalFollower
from history.protocols import FollowedJournal, TelemetryStore
from ingest.collector import Collector
from maintenance.channels import Channel, LogChannel, Webhook
from maintenance.deadlines import Calendar
from maintenance.ledger import discovered
from maintenance.ledger.discovered import Redecoded
from maintenance.ledger.ledger import Ledger
from maintenance.ledger.rows import Policy
from maintenance.notices import Dispatcher
from maintenance.photofiles import PhotoFolder
from plant.errors import NotFound
from plant.instants import NEVER

log = structlog.get_logger()


class Role(StrEnum):
    """Which parts run in this process."""

    ALL = "all"
    COLLECTOR = "collector"
    SERVICE = "service"


@dataclass(slots=True)
class Running:
    """The parts of a running service; those its role leaves out are None."""

    settings: Settings
    content: Content
    ledger: Ledger
    journal: FollowedJournal
    photos: PhotoFolder
    collector: Collector | None = None
    relay: Relay | None = None
    rules: RulesConsumer | None = None
    store: TelemetryStore | None = None
    storing: StoreConsumer | None = None
    asking: Asking | None = None
    discovering: DiscoveryConsumer | None = None
    port: int = 0

    def passed(self) -> tuple[int, int]:
        """Plant time up to which alarms are committed, and up to which readings are stored."""
        evaluated = self.rules.passed if self.rules else NEVER
        return evaluated, self.storing.passed if self.storing else evaluated

    def failure(self) -> BaseException | None:
        """What has ended one of the consumers, if one has; that nothing is discovered any more stops no alarm."""
        for consumer in (self.rules, self.storing):
            if consumer is not None and consumer.fatal is not None:
                return consumer.fatal
        if self.collector is not None and self.collector.status().failed:
            return RuntimeError("the journal's thread has ended")
        return None


@asynccontextmanager
async def running(
    settings: Settings, role: Role = Role.ALL, *, probe: Probe = pass_by, demo: DemoDesk | None = None
) -> AsyncIterator[Running]:
    """A service from here to the end of the block; what was received is durable and everything is let go after it.

    Raises NotFound when the data folder holds no plant, Conflict when another service has it open.
    """
    make_data_folder(settings.data)
    async with AsyncExitStack() as stack:
        content = _content(settings)
        ledger = stack.enter_context(Ledger.open(settings.data / "ledger.db", _policy(settings, content)))
        give_codes(ledger, content.plant)
        journal = _journal(settings, role)
        stack.callback(journal.close)
        service = Running(settings, content, ledger, journal, PhotoFolder(settings.data / "photos"))
        if isinstance(journal, JournalFile):
            _collect(service, journal, stack, probe)
        if role is not Role.COLLECTOR:
            await _serve(service, stack, probe, demo)
        if isinstance(journal, JournalFile):
            housekeeping = Housekeeping(journal, service.rules, service.storing, service.discovering, settings)
            stack.enter_context(housekeeping.running())
        log.info("running", role=role.value, site=content.plant.site.id, data=str(settings.data))
        yield service


def _content(settings: Settings) -> Content:
    with Ledger.open(settings.data / "ledger.db") as ledger:
        latest = ledger.latest_config()
    if latest is None:
        raise NotFound(
            f"{settings.data} holds no plant yet; put one in by `dutyroom plant import FOLDER --data {settings.data}`"
        )
    return Content.decode(latest.content)


def _policy(settings: Settings, content: Content) -> Policy:
    safety = frozenset(rule.id for rule in content.rules if rule.safety)
    return Policy(Calendar(zone=ZoneInfo(content.plant.site.zone)), notice_routes(settings), safety)


def _journal(settings: Settings, role: Role) -> JournalFile | JournalFollower:
    path = settings.data / "journal.db"
    return JournalFollower(path) if role is Role.SERVICE else JournalFile(path)


def _collect(service: Running, journal: JournalFile, stack: AsyncExitStack, probe: Probe) -> None:
    collector = Collector(
        remembering(brokers_of(service.settings.all_brokers), service.settings.data / "sessions"),
        journal,
        service.content.plant,
        after_fsync=partial(probe, "fsync"),
    )
    relay = Relay(service.ledger, collector, collector.rebind)
    # before the first message, so that none is received under no configuration
    relay.carry_configs(journal)
    collector.start()
    stack.callback(collector.stop)
    relay.start()
    stack.callback(relay.stop)
    service.collector, service.relay = collector, relay


async def _serve(service: Running, stack: AsyncExitStack, probe: Probe, demo: DemoDesk | None) -> None:
    settings = service.settings
    service.store = stack.enter_context(open_store(settings, service.content.plant.site.id))
    decoding = SharedDecoding(service.journal)
    service.storing = StoreConsumer(
        service.journal,
        service.store,
        settings.data / "snapshots",
        keep=upkeep(service.store, settings.retention.raw_days),
        report=partial(_redecoded, service.ledger),
        decoding=decoding,
    )
    brokers = brokers_of(settings.all_brokers)
    service.asking = Asking(brokers)
    service.discovering = DiscoveryConsumer(service.journal, service.ledger, site=service.content.plant.site.id)
    service.rules = RulesConsumer(
        service.journal,
        service.ledger,
        settings.data / "snapshots",
        site=service.content.plant.site.id,
        probe=probe,
        ask=service.asking.put,
        decoding=decoding,
    )
    for consumer in (service.storing, service.rules, service.discovering):
        consumer.start()
        stack.callback(consumer.stop)
    tasks = await stack.enter_async_context(_tasks())
    stopping = asyncio.Event()
    stack.callback(stopping.set)
    dispatcher = Dispatcher(
        service.ledger, await _channels(settings, stack), names=SiteNames(service.ledger), clock=system_now
    )
    tasks.append(asyncio.create_task(dispatcher.run(stopping), name="notices"))
    site = service.content.plant.site.id
    tasks.append(asyncio.create_task(keep_tidy(service.ledger, service.photos, system_now), name="photos"))
    tasks.append(asyncio.create_task(publish_progress(brokers, site, service.passed), name="progress"))
    tasks.append(asyncio.create_task(service.asking.run(), name="requests"))
    if demo is None:
        await asyncio.to_thread(ensure_account, service.ledger)
    else:
        await asyncio.to_thread(ensure_guest, service.ledger, demo.user)
    service.port = await stack.enter_async_context(serve_api(service, demo))


def _redecoded(ledger: Ledger, order: Order, result: Redecoded, before: int) -> None:
    ledger.write(discovered.redecoded, order.acceptance, result, order.past.topics, before)


@asynccontextmanager
async def _tasks() -> AsyncIterator[list[asyncio.Task[None]]]:
    """Tasks that end with the block."""
    tasks: list[asyncio.Task[None]] = []
    try:
        yield tasks
    finally:
        # Python 3.11's wait_for, inside the MQTT client, loses a cancellation that meets the end of what it waits for.
        waiting = set(tasks)
        while waiting:
            for task in waiting:
                task.cancel()
            _, waiting = await asyncio.wait(waiting, timeout=1.0)
        await asyncio.gather(*tasks, return_exceptions=True)


async def _channels(settings: Settings, stack: AsyncExitStack) -> dict[str, Channel]:
    channels: dict[str, Channel] = {"log": LogChannel()}
    if settings.webhook is not None:
        channels["webhook"] = Webhook(
            settings.webhook.url.get_secret_value(),
            settings.webhook.secret.get_secret_value().encode(),
            allowed_hosts=frozenset(settings.webhook.allow),
            client=await stack.enter_async_context(httpx2.AsyncClient()),
            clock=system_now,
        )
    return channels
