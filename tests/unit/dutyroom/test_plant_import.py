"""Putting a site in force: what stored history cannot follow is refused, what it can comes out as it went in."""

from __future__ import annotations

from dataclasses import replace
from importlib import resources
from pathlib import Path

import pytest

from dutyroom.cli.plant_ledger import check_succession, put_plant
from dutyroom.content import Content
from maintenance.ledger import Ledger
from plant.cataloguefile import load_catalogue
from plant.errors import ConfigError, Conflict
from plant.registry import load_site, site_to_yaml
from plant.site import Mode, PlantClock, Site


@pytest.fixture
def site() -> Site:
    with resources.as_file(resources.files("dutyroom.demo") / "site.yaml") as path:
        return load_site(path, load_catalogue())


def test_a_site_comes_back_as_it_went_in(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    file.write_text(site_to_yaml(site), encoding="utf-8")
    assert put_plant(tmp_path / "data", file) == 1
    assert put_plant(tmp_path / "data", file) == 1
    with Ledger.open(tmp_path / "data" / "ledger.db") as ledger:
        latest = ledger.latest_config()
    assert latest is not None
    assert Content.decode(latest.content).plant.site == site


def test_a_misspelt_rule_of_an_equipment_is_named(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    machine = replace(site.equipment["ch-1"], rule_modes={"CH-4": Mode.LIVE})
    misspelt = replace(site, equipment={**site.equipment, "ch-1": machine})
    file.write_text(site_to_yaml(misspelt), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"site\.yaml:\d+:\d+: .*CH-4"):
        put_plant(tmp_path / "data", file)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param({"id": "other"}, "belongs to site 'demo'", id="another site"),
        pytest.param({"clock": PlantClock.SYSTEM}, "with clock topic", id="another clock"),
    ],
)
def test_another_site_needs_another_folder(site: Site, change: dict[str, object], words: str) -> None:
    with pytest.raises(Conflict, match=words):
        check_succession(site, replace(site, **change))  # type: ignore[arg-type]  # fields of a parametrised case


def test_an_equipment_id_keeps_its_type(site: Site) -> None:
    machine = replace(site.equipment["ch-1"], type="pump")
    with pytest.raises(Conflict, match="give the new machine a new id"):
        check_succession(site, replace(site, equipment={**site.equipment, "ch-1": machine}))


def test_a_new_data_folder_is_closed_to_strangers(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    file.write_text(site_to_yaml(site), encoding="utf-8")
    put_plant(tmp_path / "data", file)
    assert (tmp_path / "data").stat().st_mode & 0o007 == 0
