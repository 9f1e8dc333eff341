"""`dutyroom discovered` on a ledger: list, show, accept, export; what the files say again is theirs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from dutyroom.cli import app
from history.entries import Message
from ingest.bindings import Bindings
from ingest.discovery import Discovery
from maintenance.ledger import discovered
from maintenance.ledger.ledger import Ledger
from plant.cataloguefile import load_catalogue
from plant.registry import load_site
from plant.site import Plant

SITE = """site: {id: s, zone: Asia/Shanghai, name: {zh: 站, en: Site}}
equipment:
  - {id: room-101, path: dorm/room-101, type: dorm_room, name: {zh: 101 室, en: Room 101}}
"""
ENERGY = {"Total": 3.1, "Power": 40, "ReactivePower": 3, "Factor": 0.9, "Voltage": 230, "Current": 0.2}


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), catch_exceptions=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A site in files and in force, with two plugs that nobody has bound."""
    files = tmp_path / "site"
    files.mkdir()
    (files / "site.yaml").write_text(SITE, "utf-8")
    assert run("plant", "import", str(files), "--data", str(tmp_path)).exit_code == 0
    catalogue = load_catalogue()
    discovery = Discovery(Bindings(Plant(catalogue, load_site(files, catalogue))))
    body = json.dumps({"Time": "2026-11-25T11:00:00", "ENERGY": ENERGY}).encode()
    for number in (101, 102):
        discovery.observe(number, Message(1_700_000_000_000 + number, f"tele/plug-{number}/SENSOR", body))
    changed, gone = discovery.take_changes()
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        ledger.write(discovered.keep, changed, gone, site="s", offset=102)
    return tmp_path


def test_from_the_list_to_bound_to_files(folder: Path) -> None:
    data = ("--data", str(folder))
    (line,) = run("discovered", "list", *data).stdout.splitlines()
    id = line.split()[0]
    assert "tele/plug-*/SENSOR  tasmota  2 topics  6 keys" in line
    shown = run("discovered", "show", id, *data).stdout
    assert "ENERGY.Power = 40 W  → active_power:W (100): template: Tasmota metering plug, one phase" in shown
    accepted = run(
        "discovered", "accept", id, "--to", "tele/plug-101/SENSOR=room-101", "--new", "dorm_room", "--area", "dorm",
        "--wait", "0", *data,
    )  # fmt: skip
    said = json.loads(accepted.stdout)
    assert (said["equipment"], said["bindings"], said["progress"]) == (["plug-102", "room-101"], 12, "waiting")
    again = run("plant", "import", str(folder / "site"), *data)
    assert "12 bindings accepted on /discovered stay beside the files" in again.stderr
    (folder / "site" / "bound.yaml").write_text(run("discovered", "export", *data).stdout, "utf-8")
    assert run("plant", "check", str(folder / "site")).exit_code == 0
    assert "accepted" not in run("plant", "import", str(folder / "site"), *data).stderr
    assert run("discovered", "export", *data).stdout.strip() == "{}"


def test_one_mapping_by_hand(folder: Path) -> None:
    data = ("--data", str(folder))
    id = run("discovered", "list", *data).stdout.split()[0]
    run(
        "discovered", "accept", id, "--to", "plug-101=room-101", "--point", "ENERGY.Power=active_power:W:2",
        "--wait", "0", *data,
    )  # fmt: skip
    exported = run("plant", "export", *data).stdout
    assert "key: ENERGY.Power\n        unit: W\n        scale: 2.0" in exported


def test_a_family_is_put_aside_and_topics_are_listened_to(folder: Path) -> None:
    data = ("--data", str(folder))
    id = run("discovered", "list", *data).stdout.split()[0]
    run("discovered", "ignore", id, *data)
    assert run("discovered", "list", *data).stdout == ""
    assert id in run("discovered", "list", "--ignored", *data).stdout
    run("discovered", "listen", "tele/#", "meters/#", *data)
    assert "discover:\n    - " in run("plant", "export", *data).stdout


OWN = """templates:
  - name: our_plug
    zh: 自制插座
    en: Our plug
    type: dorm_room
    topic: tele/{device}/SENSOR
    decoder: tasmota
    bindings:
      - {key: ENERGY.Power, point: active_power, unit: W, scale: 10, sentinels: [32767]}
      - {key: ENERGY.Voltage, point: voltage, unit: V}
      - {key: ENERGY.Current, point: current, unit: A}
      - {key: ENERGY.Factor, point: power_factor}
      - {key: ENERGY.Total, point: energy_active_total, unit: kW.h}
      - {key: ENERGY.ReactivePower, point: reactive_power, unit: var}
"""


def test_a_template_in_the_files_goes_before_those_we_ship_and_the_last_binding_before_both(folder: Path) -> None:
    data = ("--data", str(folder))
    (folder / "site" / "ours.yaml").write_text(OWN, "utf-8")
    assert run("plant", "import", str(folder / "site"), *data).exit_code == 0
    assert "name: our_plug" in run("plant", "export", *data).stdout
    id = run("discovered", "list", *data).stdout.split()[0]
    assert "→ active_power:W:10 (100): template: Our plug" in run("discovered", "show", id, *data).stdout
    run("discovered", "accept", id, "--to", "plug-101=room-101", "--wait", "0", *data)
    assert "→ active_power:W:10 (100): as Room 101 is bound" in run("discovered", "show", id, *data).stdout
    (binding, *_) = load_site(exported(folder), load_catalogue()).equipment["room-101"].bindings
    assert (binding.point, binding.scale, binding.sentinels) == ("active_power", 10.0, (32767.0,))


def exported(folder: Path) -> Path:
    file = folder / "exported.yaml"
    file.write_text(run("plant", "export", "--data", str(folder)).stdout, "utf-8")
    return file
