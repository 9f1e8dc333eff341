"""The demo site, folders of files, and the canonical bytes of a plant."""

from __future__ import annotations

from pathlib import Path

import pytest

from plant.canonical import decode, encode
from plant.catalogue import Text
from plant.cataloguefile import load_catalogue
from plant.errors import ConfigError, Corrupt, NotFound
from plant.registry import load_site, site_to_yaml
from plant.site import Binding, Clock, Equipment, Mode, Plant, PlantClock, Site

ROOT = Path(__file__).parents[3]
CAMPUS = ROOT / "tests" / "cases" / "config" / "good" / "campus"
CATALOGUE = load_catalogue()

SITE = "site: {id: s, zone: UTC, name: {zh: 站, en: Site}}\n"
GATEWAY = "equipment:\n  - {id: g, path: a/g, type: gateway, name: {zh: 网关, en: Gateway}}\n"


def test_the_demo_site_is_the_plant_the_simulators_speak_for() -> None:
    site = load_site(ROOT / "dutyroom" / "demo" / "site.yaml", CATALOGUE)
    assert (site.id, site.zone, site.clock, site.mode) == ("demo", "Asia/Shanghai", PlantClock.TOPIC, Mode.LIVE)
    paths = {machine.path: machine.type for machine in site.equipment.values()}
    # that every simulated device is one of these is a contract of its own
    assert paths["plant/chiller-1"] == "chiller"
    assert paths["bath/mixing-valve-1"] == "mixing_valve"
    assert {path.rpartition("/")[0] for path in paths} >= {"plant", "site", "bath"}
    assert site.equipment["ch-1"].relations["fed_by"] == ("chwp-1", "cwp-1")


def test_a_folder_is_one_site() -> None:
    site = load_site(CAMPUS, CATALOGUE)
    incomer = site.equipment["in-1"]
    assert set(site.equipment) == {"gw", "in-1", "f-1"}
    assert incomer.interval_ms == 10_000
    assert incomer.bindings[1] == Binding(
        topic="meters/1/power",
        point="active_power",
        key="p",
        unit="W",
        scale=10.0,
        offset=-0.5,
        clock=Clock.ARRIVAL,
        decoder="plain",
    )
    assert incomer.rule_modes == {"EL-16": Mode.OBSERVE}
    assert incomer.rule_params == {"EL-16": {"limit": 65.0}}
    assert site.by_path["配电室/gateway-1"].text == Text("网关", "Gateway: 1")


def test_retired_machines_stay_in_the_registry_but_have_no_series() -> None:
    plant = Plant(CATALOGUE, load_site(CAMPUS, CATALOGUE))
    assert plant.site.equipment["f-1"].retired
    assert plant.series.find("f-1", "voltage_l1") is None
    assert plant.series.find("in-1", "joint_temp_outgoing_l3") is not None


def test_mistakes_of_all_files_of_a_folder_are_told_together(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(SITE + "equpment: []\n", "utf-8")
    (tmp_path / "a.yaml").write_text(GATEWAY.replace("path", "pth"), "utf-8")
    with pytest.raises(ConfigError) as refused:
        load_site(tmp_path, CATALOGUE)
    assert [(Path(problem.file).name, problem.line) for problem in refused.value.problems] == [
        ("a.yaml", 2),
        ("a.yaml", 2),
        ("site.yaml", 2),
    ]


def test_a_folder_with_two_sites_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(SITE, "utf-8")
    (tmp_path / "b.yaml").write_text(SITE, "utf-8")
    with pytest.raises(ConfigError, match=r"b\.yaml:1:1: the site is described twice; .*a\.yaml already"):
        load_site(tmp_path, CATALOGUE)


def test_the_same_id_in_two_files_names_both(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(SITE + GATEWAY, "utf-8")
    (tmp_path / "b.yaml").write_text(GATEWAY.replace("a/g", "a/h"), "utf-8")
    with pytest.raises(ConfigError, match=r"b\.yaml:2:10: id 'g' is used twice; .*a\.yaml:3 has it"):
        load_site(tmp_path, CATALOGUE)


@pytest.mark.parametrize("name", ["none.yaml", "empty"])
def test_no_file_at_all_is_said_so(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(NotFound):
        load_site(tmp_path / name, CATALOGUE)


def test_the_export_is_yaml_a_person_can_edit(tmp_path: Path) -> None:
    text = site_to_yaml(
        Site(
            id="s",
            zone="UTC",
            text=Text("站", "yes"),
            equipment={"12": Equipment("12", "a/p", "pump", Text("水泵", "Pump: 1"), relations={"gateway": ("g",)})},
        )
    )
    assert text == (
        "site:\n  id: s\n  zone: UTC\n  name:\n    zh: 站\n    en: \"yes\"\n  clock: system\n  mode: observe\n"
        "equipment:\n  - id: \"12\"\n    path: a/p\n    type: pump\n    name:\n      zh: 水泵\n      en: \"Pump: 1\"\n"
        "    relations:\n      gateway: g\n"
    )  # fmt: skip


def test_canonical_bytes_do_not_depend_on_order_or_on_what_was_asked_before() -> None:
    site = load_site(CAMPUS, CATALOGUE)
    turned = Site(
        site.id,
        site.zone,
        site.text,
        {key: site.equipment[key] for key in sorted(site.equipment, reverse=True)},
        clock=site.clock,
        mode=site.mode,
    )
    plant = Plant(CATALOGUE, site)
    assert len(plant.series) > 0
    assert plant.site.by_path
    assert encode(plant) == encode(Plant(CATALOGUE, turned))


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b"[1]"])
def test_bytes_that_are_no_plant_are_corrupt(content: bytes) -> None:
    with pytest.raises(Corrupt, match="stored plant cannot be read"):
        decode(content)
