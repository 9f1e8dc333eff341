"""Sparkplug through the intake: data by alias of many metrics, all of them bound."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from benchmarks.rows import Account, Row, row
from history.entries import Message
from ingest.intake import Intake
from plant.catalogue import Text
from plant.cataloguefile import load_catalogue
from plant.site import Binding, Equipment, Plant, Site
from tests.support import sparkplug as sp
from tests.support.sparkplug import EdgeNode

_START = 1_750_000_020_000
_MESSAGES = 20_000
_PARCEL = 500
_POINTS = (
    "voltage_l1",
    "voltage_l2",
    "voltage_l3",
    "current_l1",
    "current_l2",
    "current_l3",
    "active_power",
    "frequency",
)
_DEVICES = 10

Say = Callable[[str], None]


def sparkplug_intake(folder: Path, runs: int, say: Say) -> list[Row]:
    """Messages a second of one process, from bytes to readings; every value sent must become a reading."""
    plant, entries = _plant(), list(enumerate(_messages(), 1))
    rates, accounts = [], []
    for _ in range(runs):
        intake, stored, began = Intake(plant), 0, time.perf_counter()
        for begin in range(0, len(entries), _PARCEL):
            stored += len(intake.feed_many(entries[begin : begin + _PARCEL]).batch)
        rates.append(len(entries) / (time.perf_counter() - began))
        accounts.append(Account((_MESSAGES + _DEVICES) * len(_POINTS), stored))
        say(f"{rates[-1]:,.0f} messages/s")
    note = f"{len(_POINTS)} values a message by alias, {_DEVICES} devices of one edge node, one thread"
    return [row("sparkplug_intake", "msg/s", rates, accounts=accounts, note=note)]


def _plant() -> Plant:
    words = Text("", "")
    feeder = Equipment("f", "lv/f", "lv_feeder", words)
    machines = (
        replace(feeder, id=f"f-{n}", path=f"lv/f-{n}", bindings=tuple(_binding(n, point) for point in _POINTS))
        for n in range(_DEVICES)
    )
    return Plant(load_catalogue(), Site("bench", "Asia/Shanghai", words, {one.id: one for one in machines}))


def _binding(number: int, point: str) -> Binding:
    return Binding(f"spBv1.0/lv/+/edge/m{number}", point, key=point, decoder="sparkplug_b")


def _messages() -> list[Message]:
    devices: dict[str, dict[str, tuple[int, int, object, str | None]]] = {
        f"m{n}": {point: (100 * n + place, sp.FLOAT, 1.0, None) for place, point in enumerate(_POINTS)}
        for n in range(_DEVICES)
    }
    edge = EdgeNode("lv", "edge", {"": {}, **devices})
    said = [(_START, pair) for pair in edge.births(_START)]
    for n in range(_MESSAGES):
        at = _START + 1_000 * (1 + n // _DEVICES)
        said.append((at, edge.data(at, f"m{n % _DEVICES}", **dict.fromkeys(_POINTS, 1.0 + n % 7 / 10))))
    return [Message(at, topic, payload, "mqtt://127.0.0.1:1883", 1) for at, (topic, payload) in said]
