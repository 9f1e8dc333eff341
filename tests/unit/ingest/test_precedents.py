"""Machines bound to messages like the unbound ones."""

from __future__ import annotations

from dataclasses import replace

from ingest import offers
from ingest.discovery import Family
from ingest.known import Known
from ingest.precedents import Precedents, Signed
from plant.catalogue import Text
from plant.device import Template, TemplateLine
from plant.site import Binding, Clock, Equipment, Plant, Site
from tests.unit.ingest.test_offers import CATALOGUE, family

KEYS = {"u": 2301, "i": 52, "p": 42}


def bound(number: int, topic: str = "gw/{}/data", **changes: object) -> Equipment:
    at = topic.format(number)
    bindings = (
        Binding(at, "voltage_l1", "u", "V", scale=0.1, sentinels=(32767.0,), decoder="json"),
        Binding(at, "current_l1", "i", "A", scale=0.01, decoder="json"),
        Binding(at, "active_power", "p", "kW", decoder="json"),
    )
    text = Text(f"{number} 号馈线", f"Feeder {number}")
    made = Equipment(f"lv-{number}", f"lv/{number}", "lv_feeder", text, bindings=bindings)
    return replace(made, **changes)  # type: ignore[arg-type]


def plant(*machines: Equipment, templates: tuple[Template, ...] = ()) -> Plant:
    there = {one.id: one for one in machines}
    return Plant(CATALOGUE, Site("s", "UTC", Text("", ""), there, templates=templates))


def known(found: Family, there: Plant, signed: dict[tuple[str, str], Signed] | None = None) -> Known:
    return Known.of(found, there, Precedents(there)).signed(signed or {})


def ids(known: Known) -> list[str]:
    return [one.equipment.id for one in known.precedents]


def test_one_more_of_a_kind_is_bound_as_the_last_one_was() -> None:
    found = family(("gw/9/data", KEYS))
    there = plant(bound(2))
    first = known(found, there, {("gw/*/data", "lv-2"): Signed("li", 5)})
    assert (first.type, ids(first), first.precedents[0].keys) == ("lv_feeder", ["lv-2"], 3)
    assert first.precedents[0].signed == Signed("li", 5)
    assigned = offers.mapping(found, CATALOGUE.types["lv_feeder"], first.best("lv_feeder"))
    chosen = assigned.chosen["u"]
    assert (chosen.chosen.point, chosen.chosen.scale, chosen.chosen.sentinels) == ("voltage_l1", 0.1, (32767.0,))
    assert chosen.match.reasons[0] == Text("与“2 号馈线”的绑定相同", "as Feeder 2 is bound")
    assert assigned.clock is Clock.DEVICE


def test_what_people_bound_goes_before_a_template() -> None:
    own = Template("t", Text("甲", "A"), "dorm_room", "gw/{device}/data", "json", (TemplateLine("p", "active_power"),))
    found = family(("gw/9/data", KEYS))
    assert known(found, plant(templates=(own,))).type == "dorm_room"
    both = known(found, plant(bound(2), templates=(own,)))
    assert both.type == "lv_feeder"
    assert both.best("dorm_room") == own


def test_the_order_is_topic_then_keys_then_who_bound_last_then_files() -> None:
    there = plant(
        bound(1, "hall/x/{}"),
        bound(2),
        bound(3),
        bound(4),
        bound(5, bindings=bound(5).bindings[:2]),
    )
    signed = {("gw/*/data", "lv-3"): Signed("li", 5), ("gw/*/data", "lv-4"): Signed("wang", 9)}
    assert ids(known(family(("gw/9/data", KEYS)), there, signed)) == ["lv-4", "lv-3", "lv-2", "lv-5", "lv-1"]


def test_other_topics_are_alike_only_where_no_key_is_missing_and_three_are_common() -> None:
    there = plant(bound(1, "hall/x/{}"), bound(2, "hall/y/{}", bindings=bound(2, "hall/y/{}").bindings[:2]))
    assert ids(known(family(("gw/9/data", KEYS | {"f": 50})), there)) == ["lv-1"]
    assert ids(known(family(("gw/9/data", {"u": 1, "i": 1})), there)) == []


def test_another_format_or_a_retired_machine_is_no_precedent() -> None:
    found = family(("gw/9/data", KEYS))
    tasmota = tuple(replace(one, decoder="tasmota") for one in bound(1).bindings)
    assert ids(known(found, plant(bound(1, bindings=tasmota), bound(2, retired=True)))) == []


def test_topics_that_are_values_feed_the_point_the_others_feed() -> None:
    found = family(("bath/7/temp", "41"))
    tank = Equipment("t-1", "bath/t-1", "hot_water_tank", Text("水箱", "Tank"))
    one = Binding("bath/1/temp", "tank_temp_top", unit="Cel", clock=Clock.ARRIVAL, decoder="plain")
    like = known(found, plant(replace(tank, bindings=(one,))))
    assigned = offers.mapping(found, CATALOGUE.types["hot_water_tank"], like.best("hot_water_tank"))
    assert (assigned.chosen["7.temp"].chosen.point, assigned.clock) == ("tank_temp_top", Clock.ARRIVAL)
    # two of a kind at one machine: which of its points a third would feed, nobody can say
    two = (one, replace(one, topic="bath/2/temp", point="tank_temp_bottom"))
    assert ids(known(found, plant(replace(tank, bindings=two)))) == []
