"""Simulators and catalogue are written apart: every point the demo site's machines send must be one it knows."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest

from history.entries import Message, Tick
from ingest.intake import Intake, RejectedMessage
from plant.cataloguefile import load_catalogue
from plant.registry import load_site
from plant.site import Plant
from simulators.scenario import load_scenario
from simulators.simulation import Simulation


@pytest.fixture(scope="module")
def plant() -> Plant:
    """The demo site."""
    catalogue = load_catalogue()
    return Plant(catalogue, load_site(Path(str(resources.files("dutyroom.demo") / "site.yaml")), catalogue))


def test_every_point_is_in_the_catalogue_and_within_its_hard_range(plant: Plant) -> None:
    simulation = Simulation(load_scenario("cold_supply_loss"))
    wrong = set()
    spoken = set()
    for record in simulation.records():
        points = plant.points(plant.site.by_path[record.equipment])
        spoken.add(record.equipment)
        for name, value in record.points.items():
            point = points.get(name)
            if point is None or not point.low <= value <= point.high:
                wrong.add((record.equipment, name, float(value)))
    assert wrong == set()
    assert spoken == set(plant.site.by_path)


def test_bool_points_are_sent_as_words_of_two_values(plant: Plant) -> None:
    simulation = Simulation(load_scenario("healthy_day"))
    simulation.step(1)
    for record in simulation.records():
        points = plant.points(plant.site.by_path[record.equipment])
        kinds = {name for name, value in record.points.items() if isinstance(value, bool)}
        assert kinds == {name for name in record.points if points[name].unit == "bool"}, record.equipment
        if record.ts >= simulation.start + 120_000:
            break


def test_ingest_takes_every_message_and_finds_none_late_or_bad(plant: Plant) -> None:
    simulation = Simulation(load_scenario("healthy_day"))
    intake = Intake(plant)
    offset = good = readings = 0
    rejected: list[RejectedMessage] = []
    while simulation.now < simulation.start + 3_600_000:
        entries = []
        for message in simulation.step(60):
            offset += 1
            entries.append((offset, Message(simulation.now, message.topic, message.payload)))
        taken = intake.feed_many([*entries, (offset, Tick(simulation.now))])
        rejected += taken.rejected
        readings += len(taken.batch)
        good += int((taken.batch.quality == 0).sum())
    assert rejected == []
    assert readings > 10_000
    assert good == readings
