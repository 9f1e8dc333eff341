"""A small plant whose limits the tests of ingest work out their expectations from."""

from __future__ import annotations

import json
from dataclasses import replace

from history.entries import Message
from ingest.intake import Intake, Intaken
from plant.catalogue import Catalogue, EquipmentType, Kind, Point, Text
from plant.quality import Quality, Reason
from plant.site import Binding, Equipment, Plant, PlantClock, Site

T0 = 1_700_000_000_000
"""2023-11-14T22:13:20Z"""

TANK = "dutyroom/v1/demo/bath/tank-1/telemetry"
TANK_STATUS = "dutyroom/v1/demo/bath/tank-1/status"

_WORDS = Text("", "")


def _point(name: str, unit: str, kind: Kind = Kind.SENSOR, *, low: float, high: float, **more: object) -> Point:
    return Point(name, unit, kind, low, high, _WORDS, **more)  # type: ignore[arg-type]


_TANK_POINTS = (
    _point("tank_temp_top", "Cel", low=0.0, high=100.0, jump=10.0, sentinels=(-127.0, 85.0)),
    _point("tank_temp_bottom", "Cel", low=0.0, high=100.0, jump=10.0, sentinels=(-127.0, 85.0)),
    _point("tank_level", "%", low=0.0, high=100.0),
    _point("heat_total", "kW.h", Kind.METER, low=0.0, high=10_000.0, jump=20.0),
    _point("circ_pump_status", "bool", Kind.STATUS, low=0.0, high=1.0, decimals=0),
    _point("online_status", "bool", Kind.STATUS, low=0.0, high=1.0, decimals=0),
)


def plant(
    *, clock: PlantClock = PlantClock.SYSTEM, bindings: tuple[Binding, ...] = (), path: str = "bath/tank-1"
) -> Plant:
    """Site `demo` with one native tank `tank-1` and one tank `tank-2` fed by `bindings`."""
    kind = EquipmentType("hot_water_tank", _WORDS, 60_000, {point.name: point for point in _TANK_POINTS})
    machines = (
        Equipment("tank-1", path, "hot_water_tank", _WORDS),
        Equipment("tank-2", "bath/tank-2", "hot_water_tank", _WORDS, bindings=bindings),
    )
    site = Site("demo", "Asia/Shanghai", _WORDS, {machine.id: machine for machine in machines}, clock)
    return Plant(Catalogue({kind.name: kind}), site)


def watched(on: Plant) -> Plant:
    """The plant with a message broker, `mqtt`, of which ticks tell whether anything could be heard."""
    link = _point("link_status", "bool", Kind.STATUS, low=0.0, high=1.0, decimals=0)
    kind = EquipmentType("message_broker", _WORDS, 60_000, {link.name: link})
    broker = Equipment("mqtt", "it/mqtt", kind.name, _WORDS)
    site = replace(on.site, equipment={**on.site.equipment, broker.id: broker})
    return Plant(Catalogue({**on.catalogue.types, kind.name: kind}), site)


def message(
    body: object,
    *,
    topic: str = TANK,
    received_at: int = T0,
    retain: bool = False,
    draining: bool = False,
) -> Message:
    """A message as the collector journals it; bytes go as they are, anything else as JSON."""
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Message(received_at, topic, payload, retain=retain, draining=draining)


def frame(ts: int | None = T0, **points: object) -> dict[str, object]:
    """A native telemetry frame."""
    return {"points": points} if ts is None else {"ts": ts, "points": points}


GOOD = (Quality.GOOD, Reason.NONE)


def rows(on: Plant, taken: Intaken) -> list[tuple[str, int, float, Quality, Reason]]:
    """(point, ts, value, quality, reason) of each reading."""
    batch = taken.batch
    return [
        (
            on.series.keys[batch.series[i]].point,
            int(batch.ts[i]),
            float(batch.value[i]),
            Quality(batch.quality[i]),
            Reason(batch.reason[i]),
        )
        for i in range(len(batch))
    ]


def take(*messages: Message, on: Plant | None = None) -> list[tuple[str, int, float, Quality, Reason]]:
    """`rows` of what a new intake makes of the messages."""
    on = on or plant()
    return rows(on, Intake(on).feed_many(list(enumerate(messages, 1))))


def verdicts(*messages: Message) -> list[tuple[Quality, Reason]]:
    """Quality and reason of each reading of the messages."""
    return [row[3:] for row in take(*messages)]
