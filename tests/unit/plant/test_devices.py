"""Templates of device models, their uses, and entries that stand for many."""

from __future__ import annotations

from pathlib import Path

import pytest

import plant.canonical as canonical
from ingest.decoders import KNOWN
from plant.cataloguefile import load_catalogue
from plant.devicefile import check_template, shipped_files, shipped_templates, templates_of
from plant.errors import ConfigError
from plant.registry import load_site, site_to_yaml
from plant.repeating import For, rows
from plant.site import Binding, Clock, Plant, Site
from plant.yamlfile import Located

CATALOGUE = load_catalogue()
HEAD = "site: {id: s, zone: Asia/Shanghai, name: {zh: 站, en: Site}}\n"


def site(folder: Path, body: str) -> Site:
    file = folder / "site.yaml"
    file.write_text(HEAD + body, "utf-8")
    return load_site(file, CATALOGUE, formats=KNOWN)


def wrong(folder: Path, body: str) -> str:
    with pytest.raises(ConfigError) as refused:
        site(folder, body)
    return str(refused.value).replace(f"{folder}/", "")


@pytest.mark.parametrize("located", shipped_files(), ids=lambda located: str(located.value.name))
def test_a_shipped_template_fits_the_catalogue_and_says_where_it_comes_from(located: Located) -> None:  # type: ignore[type-arg]
    file = located.value
    assert located.document.file == f"plant/devices/{file.name}.yaml"
    assert list(check_template(located, (), file, CATALOGUE)) == []
    assert {line.decoder or file.decoder for line in file.bindings} <= set(KNOWN)
    assert file.source


def test_twenty_equal_meters_with_their_machines_are_one_entry(tmp_path: Path) -> None:
    found = site(
        tmp_path,
        """equipment:
  - id: room-{n}
    for: {n: 101..120}
    path: dorm/room-{n}
    type: dorm_room
    name: {zh: "{n} 室", en: "Room {n}"}
    devices: [{template: tasmota_pow, device: "plug-{n}"}]
""",
    )
    assert len(found.equipment) == 20
    last = found.equipment["room-120"]
    assert (last.path, last.text.zh) == ("dorm/room-120", "120 室")
    assert last.bindings[2] == Binding(
        topic="tele/plug-120/SENSOR",
        point="active_power",
        key="ENERGY.Power",
        unit="W",
        decoder="tasmota",
    )
    assert last.bindings[-1].topic == "tele/plug-120/STATE"


def test_meters_of_any_names_are_rows_and_may_be_given_in_a_file_of_their_own(tmp_path: Path) -> None:
    found = site(
        tmp_path,
        """equipment:
  - {id: "f-{n}", for: {n: [1, 2]}, path: "lv/f-{n}", type: lv_feeder, name: {zh: 馈线, en: Feeder}}
devices:
  - template: shelly_pro_3em
    equipment: f-{n}
    device: shellypro3em-{mac}
    for: [{n: 1, mac: bb01}, {n: 2, mac: cc02}]
""",
    )
    first, second = found.equipment["f-1"], found.equipment["f-2"]
    assert first.bindings[0].topic == "shellypro3em-bb01/events/rpc"
    assert second.bindings[0].topic == "shellypro3em-cc02/events/rpc"
    assert second.bindings[0].key == "em:0.a_voltage"


def test_a_binding_goes_before_the_template_for_its_point_and_keys_may_go_to_other_points(tmp_path: Path) -> None:
    found = site(
        tmp_path,
        """equipment:
  - id: in-1
    path: lv/in-1
    type: lv_feeder
    name: {zh: 进线, en: Incomer}
    devices: [{template: dtsd_dlt645, device: "17"}]
    bindings: [{topic: meters/17/data, key: "02030000", point: active_power, unit: kW, scale: 320, decoder: dlt645}]
  - id: tank
    path: bath/tank
    type: hot_water_tank
    name: {zh: 水箱, en: Tank}
    devices:
      - {template: chirpstack_temp, device: a84041000181c061, points: {temperature: tank_temp_bottom}}
""",
    )
    (power,) = [one for one in found.equipment["in-1"].bindings if one.point == "active_power"]
    assert power.scale == 320
    (probe,) = found.equipment["tank"].bindings
    assert (probe.point, probe.topic) == ("tank_temp_bottom", "application/+/device/a84041000181c061/event/up")


def test_a_template_of_the_site_serves_meters_that_share_a_topic(tmp_path: Path) -> None:
    found = site(
        tmp_path,
        """templates:
  - name: our_gateway
    zh: 网关
    en: Gateway
    type: lv_feeder
    topic: gw/7/data
    decoder: plain
    shared: true
    clock: arrival
    bindings: [{key: P, point: active_power, unit: W, scale: 0.1, sentinels: [32767]}]
equipment:
  - id: f-{n}
    for: {n: 1..2}
    path: lv/f-{n}
    type: lv_feeder
    name: {zh: 馈线, en: Feeder}
    devices: [{template: our_gateway, device: "2024000{n}"}]
""",
    )
    assert found.equipment["f-2"].bindings == (
        Binding(
            topic="gw/7/data",
            point="active_power",
            key="P",
            unit="W",
            scale=0.1,
            sentinels=(32767.0,),
            clock=Clock.ARRIVAL,
            device="20240002",
            decoder="plain",
        ),
    )


def test_every_field_of_a_binding_comes_back_from_an_export(tmp_path: Path) -> None:
    found = site(
        tmp_path,
        """equipment:
  - id: t
    path: a/t
    type: hot_water_tank
    name: {zh: 水箱, en: Tank}
    bindings:
      - {topic: x, key: a.b, point: tank_level, unit: "%", scale: 2, offset: 1, sentinels: [-1, 65535], clock: arrival,
         time: when.at, zone: Europe/Berlin, device: "0017", decoder: plain}
""",
    )
    (tmp_path / "again.yaml").write_text(site_to_yaml(found), "utf-8")
    assert load_site(tmp_path / "again.yaml", CATALOGUE) == found


MACHINE = "equipment:\n  - {id: r, path: d/r, type: dorm_room, name: {zh: 室, en: Room}, devices: [%s]}\n"


@pytest.mark.parametrize(
    ("device", "words"),
    [
        ("{template: tasmota_pov, device: p}", "unknown template 'tasmota_pov'"),
        ("{template: tasmota_pov, device: p}", "did you mean 'tasmota_pow'?"),
        ("{template: tasmota_pow}", "template tasmota_pow needs {device}; found 'tasmota_pow'; add device: …"),
        ("{template: shelly_pro_3em, device: p}", "template shelly_pro_3em feeds a lv_feeder, this is a dorm_room"),
        (
            "{template: tasmota_pow, device: p, points: {ENERGY.Powr: current}}",
            "template tasmota_pow has no key 'ENERGY.Powr'; found 'ENERGY.Powr'; did you mean 'ENERGY.Power'?",
        ),
        (
            "{template: tasmota_pow, device: p, points: {ENERGY.Power: current}}",
            "tele/p/SENSOR: 'W' measures power, 'A' measures current: no conversion",
        ),
        ("{device: p}", "names no template and has no bindings"),
        ("{template: tasmota_pow, devise: p}", "unknown key 'devise'; found 'devise'; did you mean 'device'?"),
    ],
)
def test_what_is_wrong_with_a_device_is_told_at_its_place(tmp_path: Path, device: str, words: str) -> None:
    told = wrong(tmp_path, MACHINE % device)
    assert told.startswith("site.yaml:3:")
    assert words in told


def test_two_devices_for_one_point_are_told(tmp_path: Path) -> None:
    told = wrong(tmp_path, MACHINE % "{template: tasmota_pow, device: a}, {template: tasmota_pow, device: b}")
    assert "tele/b/SENSOR: point 'voltage' is fed twice" in told


def test_an_unknown_decoder_is_told_with_what_was_meant(tmp_path: Path) -> None:
    told = wrong(tmp_path, MACHINE % "{bindings: [{topic: a, key: b, point: current, decoder: plane}]}")
    assert "there is no decoder 'plane'; found" in told


def test_a_time_for_a_format_that_has_its_own_is_told_with_file_and_line(tmp_path: Path) -> None:
    told = wrong(tmp_path, MACHINE % "{bindings: [{topic: a, key: b, point: current, decoder: tasmota, time: Time}]}")
    assert "tasmota has a time of its own; found 'Time'" in told
    assert "leave time out" in told


def test_devices_of_an_equipment_that_is_not_there_are_told(tmp_path: Path) -> None:
    told = wrong(tmp_path, MACHINE % "" + "devices: [{template: tasmota_pow, device: a, equipment: rr}]\n")
    assert "no equipment has the id 'rr'; found 'rr'; did you mean 'r'?" in told


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"n": "08..11"}, ["08", "09", "10", "11"]),
        ({"n": "8..11"}, ["8", "9", "10", "11"]),
        ({"n": (1, "b")}, ["1", "b"]),
        (({"n": 3}, {"n": "x"}), ["3", "x"]),
    ],
)
def test_values_of_a_placeholder(given: For, expected: list[str]) -> None:
    assert [row["n"] for row in rows(given)] == expected


def test_several_placeholders_combine() -> None:
    assert rows({"f": "1..2", "r": ("a", "b")}) == [
        {"f": "1", "r": "a"},
        {"f": "1", "r": "b"},
        {"f": "2", "r": "a"},
        {"f": "2", "r": "b"},
    ]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"n": "9..1"}, "no range upwards"),
        ({"n": "1-9"}, "expected a range such as 1..20"),
        ({"N": "1..2"}, "no placeholder"),
        ({"n": "1..9999", "m": "1..9999"}, "at most 10000"),
        (({"n": 1}, {"m": 1}), "row 2 gives m, row 1 gives n"),
        ((), "nothing in it"),
    ],
)
def test_a_repetition_that_means_nothing_is_told(given: For, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        rows(given)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (
            '{id: "r-{n}", path: d/r, type: dorm_room, name: {zh: 室, en: R}}',
            "site.yaml:3:10: 'r-{n}': an id is letters",
        ),
        ('{id: "r-{n}", path: "d/r-{n}", for: {n: ["a b"]}, type: dorm_room, name: {zh: 室, en: R}}', "'r-a b': an id"),
        ('{id: r, path: "d/{n}", for: {n: 1..2}, type: dorm_room, name: {zh: 室, en: R}}', "id 'r' is used twice"),
    ],
)
def test_ids_that_a_repetition_spoils_are_told(tmp_path: Path, entry: str, words: str) -> None:
    assert words in wrong(tmp_path, f"equipment:\n  - {entry}\n")


def test_shipped_templates_go_by_their_names_and_a_site_may_not_take_one(tmp_path: Path) -> None:
    assert {"shelly_pro_3em", "tasmota_pow", "acrel_adl400", "chirpstack_temp"} <= set(shipped_templates())
    own = "{name: tasmota_pow, zh: 甲, en: A, type: dorm_room, topic: t, bindings: [{key: a, point: current}]}"
    assert "there is a template 'tasmota_pow' already" in wrong(tmp_path, f"templates: [{own}]\n")


def test_a_site_keeps_its_own_templates_through_export_and_bytes(tmp_path: Path) -> None:
    own = """templates:
  - name: our_gateway
    zh: 网关
    en: Gateway
    type: lv_feeder
    topic: gw/{base}/data
    decoder: plain
    shared: true
    clock: arrival
    time: when
    zone: UTC
    defaults: {base: "7"}
    source: a manual
    bindings:
      - {key: P, point: active_power, unit: W, scale: 0.1, offset: 2, sentinels: [32767]}
      - {key: T, topic: gw/t, decoder: json}
"""
    found = site(tmp_path, own)
    assert [one.name for one in templates_of(found)][:1] == ["our_gateway"]
    assert len(templates_of(found)) == 1 + len(shipped_templates())
    again = tmp_path / "again"
    again.mkdir()
    (again / "site.yaml").write_text(site_to_yaml(found), "utf-8")
    assert load_site(again, CATALOGUE) == found
    assert canonical.decode(canonical.encode(Plant(CATALOGUE, found))).site.templates == found.templates


def test_nothing_is_bound_to_what_the_service_speaks_for(tmp_path: Path) -> None:
    mqtt = (
        "{id: m, path: it/m, type: message_broker, name: {zh: 消息, en: M}, bindings: [{topic: a, point: link_status}]}"
    )
    assert "site.yaml:3:" in (said := wrong(tmp_path, f"equipment:\n  - {mqtt}\n"))
    assert "the service says the points of a message_broker itself" in said
