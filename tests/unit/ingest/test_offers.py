"""What a family could be bound to."""

from __future__ import annotations

import json
from dataclasses import replace

import msgspec

from history.entries import Message
from ingest import models, naming, offers
from ingest.bindings import Bindings
from ingest.discovery import Discovery, Family, Source
from plant.catalogue import Text
from plant.cataloguefile import load_catalogue
from plant.device import Template, TemplateLine
from plant.devicefile import shipped_templates
from plant.site import Binding, Clock, Equipment, Plant, Site

CATALOGUE = load_catalogue()
ROOMS = {
    f"room-{n}": Equipment(f"room-{n}", f"dorm/room-{n}", "dorm_room", Text(f"{n} 室", f"Room {n}"))
    for n in (101, 102, 103)
}
PLANT = Plant(CATALOGUE, Site("s", "Asia/Shanghai", Text("", ""), ROOMS))
TEMPLATES = shipped_templates().values()


def family(*messages: tuple[str, object]) -> Family:
    discovery = Discovery(Bindings(PLANT))
    for offset, (topic, body) in enumerate(messages, 1):
        payload = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        discovery.observe(offset, Message(1_700_000_000_000 + offset, topic, payload))
    (found,) = discovery.families.values()
    return found


def plugs(*numbers: int) -> Family:
    energy = {"Total": 3.1, "Power": 40, "ReactivePower": 3, "Factor": 0.9, "Voltage": 230, "Current": 0.2}
    body = {"Time": "2026-11-25T11:00:00", "ENERGY": energy}
    return family(*((f"tele/plug-{n}/SENSOR", body) for n in numbers))


def test_a_known_model_is_found_by_its_keys_and_its_points_go_before_guesses() -> None:
    found = plugs(101)
    best = models.models(found, TEMPLATES)[0]
    assert (best.template.name, best.keys) == ("tasmota_pow", 6)
    chosen = offers.mapping(found, CATALOGUE.types["dorm_room"], best.template).chosen
    assert (chosen["ENERGY.Factor"].match.point, chosen["ENERGY.Factor"].match.score) == ("power_factor", 100)


def test_types_are_ranked_by_how_many_values_they_have_points_for() -> None:
    meter = family(("gw/1/d", {"Ua": 230, "Ub": 231, "Uc": 229, "Ia": 5, "Ib": 5, "Ic": 6, "PF": 0.9}))
    assert offers.types(meter, CATALOGUE)[0].type == "lv_feeder"
    assert offers.types(family(("x/1", {"count": 3})), CATALOGUE) == []


def test_what_only_says_that_it_is_there_is_a_gateway_never_the_message_broker() -> None:
    lonely = family(("gw/1/state", {"online": True}))
    assert offers.types(lonely, CATALOGUE)[0].type == "gateway"
    assert "message_broker" not in {one.type for one in offers.types(lonely, CATALOGUE)}


def test_machines_are_found_by_the_number_they_share_and_none_twice() -> None:
    found = offers.machines(plugs(101, 103, 250), PLANT, "dorm_room")
    assert found == {
        ("tele/plug-101/SENSOR", "plug-101"): "room-101",
        ("tele/plug-103/SENSOR", "plug-103"): "room-103",
    }


def test_each_source_feeds_the_chosen_points_of_its_machine() -> None:
    found = plugs(101, 102)
    where = {(one.topic, one.device): f"room-{one.topic[10:13]}" for one in found.sources}
    made = offers.bindings(found, [offers.Chosen("ENERGY.Power", "active_power", "W")], where)
    assert set(made) == {"room-101", "room-102"}
    (binding,) = made["room-102"]
    assert (binding.topic, binding.key, binding.unit, binding.decoder, binding.device) == (
        "tele/plug-102/SENSOR",
        "ENERGY.Power",
        "W",
        "tasmota",
        None,
    )


def test_meters_that_share_a_topic_are_bound_by_their_own_names() -> None:
    meters = family(*(("gw/9/data", {"meterSN": sn, "gwSN": "g9", "ua": 230.0}) for sn in ("24010001", "24010002")))
    assert [source.device for source in meters.sources] == ["24010001", "24010002"]
    made = offers.bindings(meters, [offers.Chosen("ua", "voltage_l1")], {("gw/9/data", "24010002"): "f-2"})
    (binding,) = made["f-2"]
    assert (binding.device, binding.decoder) == ("24010002", "modbus_gateway")


def test_topics_that_are_values_are_named_by_their_last_levels() -> None:
    singles = family(("bath/1/temp", "55.5 ℃"), ("bath/2/temp", "41"))
    assert [(value.name, value.value, value.unit) for value in naming.values_of(singles)] == [
        ("1.temp", 55.5, "℃"),
        ("2.temp", 41.0, None),
    ]
    where = {(one.topic, one.device): "tank" for one in singles.sources}
    made = offers.bindings(singles, [offers.Chosen("1.temp", "tank_temp_top", "Cel")], where)
    (binding,) = made["tank"]
    assert (binding.topic, binding.key, binding.decoder) == ("bath/1/temp", None, "plain")


def test_a_new_machine_is_named_by_what_tells_its_topic_apart() -> None:
    (source,) = plugs(101).sources
    assert naming.new_name(source, {}) == "plug-101"
    assert naming.new_name(source, {"plug-101": ROOMS["room-101"]}) == "plug-101-2"
    gateway = family(("gw/mb01/1", {"ua": 230}), ("gw/mb01/2", {"ua": 231}))
    assert [naming.new_name(one, {}) for one in gateway.sources] == ["mb01-1", "mb01-2"]


def meter_template(**changes: object) -> Template:
    lines = (
        TemplateLine("u1", "voltage_l1", "V", scale=0.1, sentinels=(32767.0,)),
        TemplateLine("p", "active_power", "W", scale=10.0, offset=-0.5),
    )
    made = Template("our_meter", Text("自制", "Ours"), "lv_feeder", "gw/{device}/data", "plain", lines)
    return replace(made, **changes)  # type: ignore[arg-type]


METER = {"u1": 2301, "p": 42}


def test_a_template_of_the_site_says_how_raw_numbers_are_bound() -> None:
    found = family(("gw/7/data", METER))
    own = meter_template(clock=Clock.ARRIVAL, time="when", zone="UTC")
    (best, *_) = models.models(found, [*TEMPLATES, own])
    assert (best.template.name, best.keys, best.of) == ("our_meter", 2, 2)
    assigned = offers.mapping(found, CATALOGUE.types["lv_feeder"], own)
    assert assigned.clock is Clock.ARRIVAL
    chosen = [assigned.chosen[name].chosen for name in ("u1", "p")]
    made = offers.bindings(found, chosen, {("gw/7/data", None): "f-7"}, clock=assigned.clock)
    assert [(one.point, one.unit, one.scale, one.offset, one.sentinels, one.time, one.zone) for one in made["f-7"]] == [
        ("voltage_l1", "V", 0.1, 0.0, (32767.0,), "when", "UTC"),
        ("active_power", "W", 10.0, -0.5, (), "when", "UTC"),
    ]


def test_of_templates_that_know_as_much_the_one_of_the_topic_goes_first() -> None:
    found = family(("gw/7/data", METER))
    other = meter_template(name="another", topic="hall/{device}/up")
    assert [one.template.name for one in models.models(found, [other, meter_template()])] == ["our_meter", "another"]


def test_that_it_says_whether_it_is_there_tells_nothing_of_what_a_device_is() -> None:
    lines = (TemplateLine("battery", "supply_voltage", "V"), TemplateLine("online", "online_status", None))
    logger = Template("logger", Text("记录仪", "Logger"), "gateway", "gw/{device}/state", "plain", lines)
    assert models.models(family(("gw/1/state", {"online": True, "flow": 3.5})), [logger]) == []
    (known,) = models.models(family(("gw/1/state", {"online": True, "battery": 12.1})), [logger])
    assert (known.keys, known.of) == (1, 1)


def test_a_placeholder_twice_in_a_topic_stands_for_the_same() -> None:
    twice = meter_template(topic="gw/{device}/{device}/#", lines=(TemplateLine("{device}.p", "active_power", "W"),))
    same, different = (family((topic, {"7": {"p": 1}})) for topic in ("gw/7/7/data", "gw/7/8/data"))
    assert set(models.template_lines(same, twice)) == {"7.p"}
    assert set(models.template_lines(different, twice)) == {"{device}.p"}


def test_a_template_of_topics_that_are_values_knows_its_topics() -> None:
    lines = (
        TemplateLine(None, "tank_temp_top", "Cel", topic="{base}/top"),
        TemplateLine(None, "tank_temp_bottom", "Cel", topic="{base}/bottom"),
    )
    boiler = Template("boiler", Text("锅炉", "Boiler"), "hot_water_tank", "{base}/top", "plain", lines)
    found = family(("bath/top", "55.5"))
    assert {name: line.point for name, line in models.template_lines(found, boiler).items()} == {
        "bath.top": "tank_temp_top"
    }
    (known, *_) = models.models(found, [boiler])
    assert known.keys == 1


def test_of_a_list_of_three_voltages_currents_or_powers_each_is_a_phase() -> None:
    body = {"slave": 2, "voltage": [2301, 2303, 2298], "current": [61, 62, 60, 3], "power": [8, 7, 9], "di": [1, 0, 1]}
    meter = family(("gw/mb01/2", body))
    assert {value.name: value.label for value in naming.values_of(meter) if value.label} == {
        **{f"voltage.{n}": f"L{n + 1}" for n in range(3)},
        **{f"power.{n}": f"L{n + 1}" for n in range(3)},
        **{f"current.{n}": phase for n, phase in enumerate(("L1", "L2", "L3", "N"))},
    }
    found = offers.mapping(meter, CATALOGUE.types["lv_feeder"]).chosen
    assert {name: (one.chosen.point, one.chosen.scale) for name, one in found.items()} == {
        **{f"voltage.{n}": (f"voltage_l{n + 1}", 0.1) for n in range(3)},
        **{f"power.{n}": (f"active_power_l{n + 1}", 1.0) for n in range(3)},
        **{f"current.{n}": (f"current_{phase}", 1.0) for n, phase in enumerate(("l1", "l2", "l3", "n"))},
    }
    assert offers.types(meter, CATALOGUE)[0].type == "lv_feeder"


def test_another_topic_of_a_device_goes_to_the_machine_it_feeds_already() -> None:
    bound = Binding("shellyproem50-a0dd6c9ef480/events/rpc", "active_power", "em1:0.act_power", decoder="shelly")
    feeders = {
        id: Equipment(id, f"lv/{id}", "lv_feeder", Text(id, id), bindings=bindings)
        for id, bindings in (("em-status-0", ()), ("incomer", (bound,)))
    }
    site = Site("s", "Asia/Shanghai", Text("", ""), feeders)
    energy = family(("shellyproem50-a0dd6c9ef480/status/em1data:0", {"id": 0, "total_act_energy": 88_431.2}))
    ((_, to),) = offers.machines(energy, Plant(CATALOGUE, site), "lv_feeder").items()
    assert to == "incomer"
    other = family(("shellyproem50-ffdd6c9ef481/status/em1data:0", {"id": 0, "total_act_energy": 88_431.2}))
    assert "incomer" not in offers.machines(other, Plant(CATALOGUE, site), "lv_feeder").values()


def test_the_version_of_sparkplug_is_the_number_of_no_machine() -> None:
    pumps = {"pump-1": Equipment("pump-1", "hall/pump-1", "pump", Text("1号泵", "Pump 1"))}
    site = Site("s", "Asia/Shanghai", Text("", ""), pumps)
    source = Source("spBv1.0/works/+/plc7/pump3", "works/plc7/pump3", 1, 0, 0)
    found = msgspec.structs.replace(plugs(101), sources=(source,))
    assert offers.machines(found, Plant(CATALOGUE, site), "pump") == {}
