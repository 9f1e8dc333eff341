"""One visit: every check in the order in which a person would look, each standing for itself."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path

from dutyroom.backup import JOURNAL, LEDGER
from dutyroom.brokers import brokers_of
from dutyroom.doctor.broker import check_broker
from dutyroom.doctor.disk import check_disk
from dutyroom.doctor.findings import Finding, Grade, failed
from dutyroom.doctor.folder import (
    check_folder,
    check_journal,
    check_ledger,
    check_plant,
    check_rules,
    check_store,
    check_users,
    plant_in,
)
from dutyroom.doctor.outside import Answered, ask_service, check_clock, check_influx, check_service
from dutyroom.settings import Settings, load_settings
from history.batches import writer_of
from maintenance.ledger.ledger import Ledger
from plant.errors import BadInput, ConfigError, DutyroomError
from plant.site import PlantClock, Site


def visit(config: Path | None, data: Path | None, now: int, *, quick: bool) -> Iterator[Finding]:
    """Look at an installation; `now` is system time, ms. Changes nothing but a topic of its own on the broker."""
    try:
        settings = load_settings(config, data)
    except ConfigError as error:
        yield failed("settings", error)
        return
    folder = list(check_folder(settings.data))
    yield from folder
    writer = writer_of(settings.data / JOURNAL)
    answered = ask_service(settings.http) if writer is not None else None
    site: Site | None = None
    if folder[0].grade is not Grade.BAD:
        yield from check_service(writer, answered, settings.http)
        yield from check_disk(settings, now)
        yield from check_journal(settings.data / JOURNAL, quick=quick)
        site = yield from _ledger(settings, runs=writer is not None)
        if writer is None:
            yield from check_store(settings.data, settings.store.kind)
    yield from _outside(settings, site, answered, now)


def _ledger(settings: Settings, *, runs: bool) -> Generator[Finding, None, Site | None]:
    """The ledger and what it says; gives the site in force."""
    path = settings.data / LEDGER
    found = list(check_ledger(path))
    yield from found
    if found[-1].grade is not Grade.OK:
        return None
    try:
        with Ledger.open(path) as ledger:
            plant = plant_in(ledger)
            yield from check_plant(ledger)
            yield from check_users(ledger)
            if plant is not None:
                yield from check_rules(settings.data, ledger, plant.site.id, runs=runs)
    except DutyroomError as error:
        yield failed("ledger", error)
        return None
    return plant.site if plant is not None else None


def _outside(settings: Settings, site: Site | None, answered: Answered | None, now: int) -> Iterator[Finding]:
    try:
        brokers = brokers_of(settings.all_brokers)
    except BadInput as error:
        yield failed("broker", error)
    else:
        for broker in brokers:
            yield from check_broker(broker, site.id if site is not None else None)
    if settings.store.kind == "influx":
        yield from check_influx(settings.store, now)
    plant_time = answered.plant_time if answered is not None else None
    yield from check_clock(plant_time, now, system=site is not None and site.clock is PlantClock.SYSTEM)
