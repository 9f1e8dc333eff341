"""`dutyroom replay`: a recording through a real broker into a running service, under its own plant clock."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Annotated

import aiomqtt
import typer

from dutyroom import progress
from dutyroom.cli.options import (
    EquipmentOption,
    FromOption,
    IntervalOption,
    MapOption,
    ParamOption,
    RowsOf,
    ToOption,
    ZoneOption,
    table_options,
)
from dutyroom.cli.rules_past import talk_about
from dutyroom.tablefile import Table, payload, read_table, topic
from ingest.broker import Broker
from ingest.topics import Channel, NativeTopic
from plant.cataloguefile import load_catalogue
from plant.errors import BadInput, Unavailable
from plant.instants import iso
from plant.registry import site_to_yaml

MOST_LATENESS_MS = 5_000
"""No grid waits longer than this after an instant (SEMANTICS §1)."""

_IN_FLIGHT = 200


def replay_command(
    file: Annotated[Path, typer.Argument(help="A CSV file, gzipped or not; first column ts.")],
    broker: Annotated[str, typer.Option("--broker", help="mqtt://host:port")],
    site: Annotated[str, typer.Option("--site", help="The site whose service listens; its clock must be `topic`.")],
    equipment: EquipmentOption,
    rows_of: RowsOf = None,
    maps: MapOption = None,
    params: ParamOption = None,
    interval: IntervalOption = None,
    tz: ZoneOption = "UTC",
    start: FromOption = None,
    end: ToOption = None,
    speed: Annotated[str, typer.Option("--speed", help="How much faster than the recording, or max.")] = "max",
    timeout: Annotated[float, typer.Option("--timeout", help="Seconds to wait for the service at the end.")] = 300.0,
    plant_out: Annotated[
        Path | None, typer.Option("--plant-out", help="Only write the site file the service needs, and end.")
    ] = None,
) -> None:
    """Publish a recording as native telemetry with its plant clock, and wait until the service has passed its end.

    Example: dutyroom replay ahu7.csv.gz --equipment AHU7:ahu --broker mqtt://127.0.0.1:1883 --site campus
    """
    options = table_options(
        equipment, rows_of=rows_of, maps=maps, params=params, interval=interval, tz=tz, start=start, end=end
    )
    table = read_table(file, options, load_catalogue(), site=site)
    talk_about(table)
    if plant_out is not None:
        plant_out.write_text(site_to_yaml(table.plant.site), encoding="utf-8")
        typer.echo(f"wrote {plant_out}; next: dutyroom plant import {plant_out} --data FOLDER", err=True)
        return
    sent = asyncio.run(replay(table, Broker.from_url(broker), speed=_speed(speed), timeout_s=timeout))
    typer.echo(json.dumps({"rows": len(table.rows), "sent": sent, "end": iso(table.last)}))


def _speed(text: str) -> float | None:
    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if speed <= 0:
        raise BadInput(f"--speed {text}: expected a number above 0, or max")
    return speed


async def replay(table: Table, broker: Broker, *, speed: float | None, timeout_s: float) -> int:
    """Publish every row, a clock tick once the broker has all of its time, and a last tick beyond the end.

    Returns the number of messages sent. Raises Unavailable when the broker is away, or when the service has not
    passed the end in time.
    """
    site = table.plant.site.id
    end = table.last + MOST_LATENESS_MS
    try:
        async with progress.client(broker) as mqtt:
            await mqtt.subscribe(progress.topic(site), qos=0)
            async with asyncio.timeout(timeout_s):
                await _until_heard(mqtt, site, table.rows[0].ts - 1)
            sent = await _publish(mqtt, table, speed)
            await _tick(mqtt, site, end)
            async with asyncio.timeout(timeout_s):
                while min(await _passed(mqtt)) < end:
                    pass
            return sent
    except aiomqtt.MqttError as error:
        raise Unavailable(f"the broker {broker.url} cannot be reached ({error}); start it and replay again") from None
    except TimeoutError:
        raise Unavailable(
            f"the service of site {site} has not passed {iso(end)}; is it running on this broker, with clock: topic?"
        ) from None


async def _passed(mqtt: aiomqtt.Client) -> tuple[int, int]:
    """What the service next says of its progress: plant time evaluated and stored."""
    message = await anext(mqtt.messages)
    told = json.loads(bytes(message.payload))
    return told["evaluated"], told["stored"]


async def _until_heard(mqtt: aiomqtt.Client, site: str, start: int) -> None:
    """Wait until a tick just before the recording has come through the whole service.

    A subscriber that is not there yet would miss the first rows. Raises BadInput when the service is already beyond.
    """
    while True:
        await _tick(mqtt, site, start)
        evaluated, _ = await _passed(mqtt)
        if evaluated > start:
            raise BadInput(
                f"the service of site {site} is already at {iso(evaluated)}, after the recording's start; "
                "plant time never goes back: give it a fresh data folder"
            )
        if evaluated == start:
            return


async def _publish(mqtt: aiomqtt.Client, table: Table, speed: float | None) -> int:
    site = table.plant.site.id
    began, first = time.monotonic(), table.rows[0].ts
    waiting: list[asyncio.Task[None]] = []
    ticking: asyncio.Task[None] | None = None
    for place, row in enumerate(table.rows):
        if speed is not None:
            pause = (row.ts - first) / 1000 / speed - (time.monotonic() - began)
            await asyncio.sleep(max(pause, 0))
        waiting.append(asyncio.create_task(mqtt.publish(topic(site, row), payload(row), qos=1, timeout=60)))
        last_of_its_time = place + 1 == len(table.rows) or table.rows[place + 1].ts != row.ts
        if last_of_its_time or len(waiting) >= _IN_FLIGHT:
            await asyncio.gather(*waiting)
            waiting.clear()
        if last_of_its_time:
            # the clock follows the acknowledgement of its rows; the next rows need not wait for the clock's own
            if ticking is not None:
                await ticking
            ticking = asyncio.create_task(_tick(mqtt, site, row.ts))
    if ticking is not None:
        await ticking
    return len(table.rows)


async def _tick(mqtt: aiomqtt.Client, site: str, at: int) -> None:
    await mqtt.publish(str(NativeTopic(site, "", Channel.CLOCK)), json.dumps({"ts": at}), qos=1, timeout=60)
