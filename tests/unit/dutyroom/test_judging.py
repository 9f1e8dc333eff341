"""Intake and engine together: cuts, snapshots and a changed configuration change nothing they should not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from dutyroom.content import Content, digest
from history.entries import Command, Config, Entry, Message, Tick
from plant.catalogue import Text
from plant.cataloguefile import load_catalogue
from plant.errors import Corrupt
from plant.site import Equipment, Mode, Plant, PlantClock, Site
from rules.events import AlarmEvent, EventKind
from rules.loader import load_pack
from tests.support.alone import Alone

T0 = 1_800_000_000_000
NAME = Text("泵", "pump")
CATALOGUE = load_catalogue()
SITE = Site(
    "s",
    "Asia/Shanghai",
    NAME,
    {"p1": Equipment("p1", "a/p1", "pump", NAME), "m1": Equipment("m1", "a/m1", "mixing_valve", NAME)},
    PlantClock.TOPIC,
    Mode.LIVE,
)
RULES = load_pack(catalogue=CATALOGUE)


def config(revision: int, site: Site = SITE) -> Config:
    content = Content.of(Plant(CATALOGUE, site), RULES).encode()
    return Config(revision, digest(content), content)


def message(path: str, ts: int, **points: float) -> Message:
    body = json.dumps({"ts": ts, "points": points}).encode()
    return Message(ts, f"dutyroom/v1/s/{path}/telemetry", body)


def journal(seconds: int = 900) -> list[tuple[int, Entry]]:
    """A pump that does not start for a while, and scalding water that a person resets."""
    entries: list[Entry] = [config(1)]
    for second in range(seconds):
        at = T0 + second * 1000
        failing = 60 <= second < 200
        if second % 5 == 0:
            entries.append(message("a/p1", at, pump_command=1, pump_status=0 if failing else 1))
        entries.append(message("a/m1", at, mixed_water_temp=55.0 if 100 <= second < 160 else 40.0))
        entries.append(Tick(at))
        if second == 400:
            entries.append(Command(1, "crew", "reset", "m1", "BH-05"))
    return list(enumerate(entries, start=1))


def events(parts: Sequence[Sequence[tuple[int, Entry]]], *, snapshots: bool = False) -> list[AlarmEvent]:
    alone = Alone()
    found: list[AlarmEvent] = []
    for part in parts:
        found += alone.take(part).events
        data = alone.snapshot()
        if snapshots and data is not None:
            alone = Alone.restore(data)
    return found


def test_a_pump_and_a_latched_scald_alarm_go_their_way() -> None:
    found = events([journal()])
    pump = [(e.kind, (e.at - T0) // 1000) for e in found if e.rule == "PU-01" and e.kind != EventKind.VERIFY_PROGRESS]
    # on without proof from 60 s on for 15 s; proven again from 200 s on, agreeing for 30 s
    assert pump[:2] == [(EventKind.RAISED, 75), (EventKind.CLEARED, 230)]
    scald = [(e.kind, (e.at - T0) // 1000) for e in found if e.rule == "BH-05" and e.kind == EventKind.CLEARED]
    # cool again since 160 s, but latched; the reset came when instant 400 was not closed yet
    assert scald == [(EventKind.CLEARED, 400)]


@pytest.mark.parametrize(("size", "snapshots"), [(1, False), (7, False), (61, True)])
def test_cutting_the_journal_anywhere_changes_nothing(size: int, snapshots: bool) -> None:
    entries = journal(240)
    parts = [entries[start : start + size] for start in range(0, len(entries), size)]
    assert events(parts, snapshots=snapshots) == events([entries])


def test_a_changed_site_keeps_the_timers_of_what_stayed() -> None:
    entries = journal(120)
    changed = replace(SITE, equipment={**SITE.equipment, "p2": Equipment("p2", "a/p2", "pump", NAME)})
    place = next(
        i for i, (_, entry) in enumerate(entries) if isinstance(entry, Tick) and entry.plant_time == T0 + 70_000
    )
    with_change = [*entries[: place + 1], (0, config(2, changed)), *entries[place + 1 :]]
    raised = [e.at for e in events([with_change]) if e.rule == "PU-01" and e.kind == EventKind.RAISED]
    assert raised == [T0 + 75_000]


def test_messages_before_any_configuration_are_counted() -> None:
    alone = Alone()
    alone.take([(1, message("a/p1", T0, pump_status=1)), (2, Tick(T0))])
    assert alone.judging.ignored_before_config == 2


def test_a_damaged_snapshot_is_refused() -> None:
    alone = Alone()
    alone.take(journal(10))
    data = alone.snapshot()
    assert data is not None
    with pytest.raises(Corrupt):
        Alone.restore(data[:-50])


def test_content_survives_its_bytes_and_equal_content_has_equal_bytes() -> None:
    content = Content.of(Plant(CATALOGUE, SITE), RULES)
    assert Content.decode(content.encode()).rules == content.rules
    assert Content.decode(content.encode()).encode() == content.encode()


def test_a_lost_broker_is_one_alarm_and_no_machine_is_silent() -> None:
    mqtt = Equipment("mqtt", "it/mqtt", "message_broker", NAME)
    site = replace(SITE, equipment={**SITE.equipment, "mqtt": mqtt})
    entries: list[Entry] = [config(1, site)]
    for second in range(3600):
        at, lost = T0 + second * 1000, 600 <= second < 3000
        if not lost and second % 5 == 0:
            entries += [message("a/p1", at, pump_command=1, pump_status=1), message("a/m1", at, mixed_water_temp=40.0)]
        entries.append(Tick(at, listening=not lost))
    judged = Alone().take(list(enumerate(entries, start=1)))
    changes = {EventKind.RAISED, EventKind.CLEARED}
    told = [(e.equipment, e.rule, e.kind, (e.at - T0) // 1000) for e in judged.events if e.kind in changes]
    # T0 is a whole minute, and so are the instants of this rule: lost at 0:10, back at 0:50.
    assert told == [("mqtt", "DQ-15", EventKind.RAISED, 780), ("mqtt", "DQ-15", EventKind.CLEARED, 3060)]
