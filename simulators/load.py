"""A load generator: native frames of ten points at QoS 1 over one raw socket, each acknowledgement checked."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from simulators.broker import BrokerAddress
from simulators.errors import ScenarioError
from simulators.wire import LAST_PACKET_ID, Wire, publish_head

POINTS: tuple[tuple[str, float], ...] = (
    ("suction_pressure", 180.0),
    ("discharge_pressure", 450.0),
    ("pump_flow", 190.0),
    ("speed", 80.0),
    ("active_power", 18.0),
    ("current_avg", 34.0),
    ("bearing_temp_de", 48.0),
    ("bearing_temp_nde", 44.0),
    ("motor_winding_temp", 71.0),
    ("vibration_rms", 1.5),
)
"""Ten points of a pump and a healthy value of each."""

_VARIANTS = 97
_CHUNK = 200


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """How much to send: `frames` to each of `equipment` pumps at `load/pump-0001` …, in rounds over all of them.

    Frame n of a pump is stamped `start + n · interval_ms` [ms UTC], so a missing stamp is a lost frame; with `live`
    it is stamped with the time of sending, or 1 ms after the pump's frame before where that is later. `rate` is
    messages a second, 0 flat out; `window` the most unacknowledged messages (below 60,000). `points` is how many of
    the ten a frame carries. `patience` [s] is how long a lost broker is awaited.
    """

    site: str = "demo"
    equipment: int = 200
    frames: int = 100
    start: int = 1_700_000_000_000
    interval_ms: int = 1_000
    rate: float = 0.0
    window: int = 8_000
    live: bool = False
    points: int = 10
    patience: float = 60.0

    def __post_init__(self) -> None:
        if not 1 <= self.points <= len(POINTS):
            raise ScenarioError(f"a frame carries 1…{len(POINTS)} points")
        if not (1 <= self.equipment <= 9_999 and self.frames >= 1 and 1 <= self.window < LAST_PACKET_ID):
            raise ScenarioError("load needs 1…9999 equipment, at least 1 frame, and a window of 1…59999")

    @property
    def total(self) -> int:
        """Messages in all."""
        return self.equipment * self.frames


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What came of it. `sent` = `acked` unless the run was cut short; `resent` went out twice, with DUP."""

    sent: int
    acked: int
    resent: int
    reconnects: int
    out_of_order: int
    seconds: float

    @property
    def rate(self) -> float:
        """Acknowledged messages a second."""
        return self.acked / self.seconds if self.seconds else 0.0


def value(equipment: int, point: int, sequence: int) -> float:
    """The value frame `sequence` carries, so that a receiver can check it: within ±5 % of the healthy value."""
    wobble = (sequence % _VARIANTS * 7 + equipment * 13 + point * 31) % _VARIANTS
    return round(POINTS[point][1] * (0.95 + 0.1 * wobble / _VARIANTS), 1)


def topic(site: str, equipment: int) -> str:
    """Telemetry topic of the n-th pump, counting from 0."""
    return f"dutyroom/v1/{site}/load/pump-{equipment + 1:04}/telemetry"


def run_load(plan: LoadPlan, broker_url: str, *, client_id: str = "dutyroom-load") -> LoadReport:
    """Send the whole plan and wait for every acknowledgement. Raises BrokerAway, ScenarioError."""
    address = BrokerAddress.parse(broker_url)
    if address.tls:
        raise ScenarioError("the load generator speaks plain TCP only: give an mqtt:// address")
    wire = Wire(address, client_id, plan.patience)
    packets = _packets(plan)
    started = time.monotonic()
    sent = 0
    chunk = _CHUNK if plan.rate == 0 else max(1, min(_CHUNK, int(plan.rate / 100)))
    try:
        while sent < plan.total or wire.in_flight:
            due = plan.rate == 0 or sent < (time.monotonic() - started) * plan.rate
            if sent < plan.total and due and wire.in_flight + chunk <= max(plan.window, chunk):
                batch = list(islice(packets, chunk))
                wire.push(batch)
                sent += len(batch)
                wire.pump(0.0)
            else:
                wire.pump(0.002)
        seconds = time.monotonic() - started
    finally:
        wire.close()
    return LoadReport(sent, wire.acked, wire.resent, wire.reconnects, wire.out_of_order, seconds)


def _packets(plan: LoadPlan) -> Iterator[bytes]:
    """Every PUBLISH packet in order; all but packet id and time stamp is made beforehand."""
    heads = []
    tails = []
    for number in range(plan.equipment):
        rows = [_tail(number, sequence, plan.points) for sequence in range(min(_VARIANTS, plan.frames))]
        tails.append(rows)
        heads.append([publish_head(topic(plan.site, number), 6 + 13 + len(tail)) for tail in rows])
    packet_id = 0
    told = [0] * plan.equipment
    for sequence in range(plan.frames):
        variant = sequence % _VARIANTS
        for number in range(plan.equipment):
            packet_id = packet_id % LAST_PACKET_ID + 1
            if plan.live:  # after a stall rounds follow each other within one ms, and a frame would overrule another
                ts = told[number] = max(time.time_ns() // 1_000_000, told[number] + 1)
            else:
                ts = plan.start + sequence * plan.interval_ms
            yield b'%b%b{"ts":%d%b' % (heads[number][variant], packet_id.to_bytes(2, "big"), ts, tails[number][variant])


def _tail(equipment: int, sequence: int, most: int) -> bytes:
    points = {name: value(equipment, point, sequence) for point, (name, _) in enumerate(POINTS[:most])}
    return b',"points":' + json.dumps(points, separators=(",", ":")).encode() + b"}"
