"""The arithmetic of a proof: what must be so for minutes to count, what is so now, and when the ticket will close."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from api.web.derived import Quantities
from api.web.evidence import Claim, Evidence, Fact
from api.web.proving import Kind, Proving, Seen, proving
from maintenance.ticket import State
from plant.catalogue import Text
from plant.cataloguefile import load_catalogue
from plant.site import Equipment, Plant, Site
from rules.loader import load_pack
from rules.model import Rule
from tests.unit.maintenance.builders import HOUR, MINUTE, T0, ticket

CATALOGUE = load_catalogue()
RULES: dict[str, Rule] = {rule.id: rule for rule in load_pack(catalogue=CATALOGUE)}
CHILLER = Equipment("ch-1", "plant/ch-1", "chiller", Text("", ""), parameters={"rated_capacity": 1163.0})
PUMP = Equipment("p-1", "plant/p-1", "pump", Text("", ""))
PLANT = Plant(CATALOGUE, Site("s", "UTC", Text("", ""), {"ch-1": CHILLER, "p-1": PUMP}))
APPROACH = Evidence((Claim("condenser_approach", 3.5, "K", 3.0, True),), (), (), (T0,), {"plr": (0.5,)}, T0 - HOUR, T0)
# 1.163 x 100 m3/h x 5 K = 581.5 kW of 1163 kW: half load; 36.3 - 34.9 = 1.4 K
WELL = {
    "chiller_run_status": 1.0,
    "chw_flow": 100.0,
    "chw_return_temp": 12.0,
    "chw_supply_temp": 7.0,
    "cond_sat_temp": 36.3,
    "cw_leaving_temp": 34.9,
}


def shown(
    now: dict[str, float], *, machine: Equipment = CHILLER, rule: str = "CH-04", evidence: Evidence = APPROACH
) -> Proving:
    kind = CATALOGUE.types[machine.type]
    names = {name: (point.text, point.unit) for name, point in PLANT.points(machine).items()}
    names |= {name: (one.text, one.unit) for name, one in kind.derived.items()}
    quantities = Quantities(PLANT, machine, lambda name: np.array(now[name]) if name in now else None)
    seen = Seen(quantities, names, lambda what: evidence.points[what][-1] if what in evidence.points else None)
    job = ticket(rule=rule, state=State.VERIFYING, counted_ms=117 * MINUTE, needed_ms=180 * MINUTE)
    made = proving(job, RULES[rule], evidence, seen, T0)
    assert made is not None
    return made


def met(made: Proving) -> dict[Kind, bool | None]:
    return {check.kind: check.met for check in made.checks}


def test_while_everything_is_comparable_it_says_when_it_will_close() -> None:
    made = shown(WELL)
    assert met(made) == {Kind.VALUE: True, Kind.RUNS: True, Kind.LEAST: True, Kind.LIKE: True}
    assert made.share == pytest.approx(65.0)
    assert made.closes_at == T0 + 63 * MINUTE
    assert made.again_ms == HOUR
    value = made.checks[0]
    assert value.now == pytest.approx(1.4)
    assert (value.bound, value.unit) == (3.0, "K")


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({"cond_sat_temp": 38.4}, Kind.VALUE),
        ({"chiller_run_status": 0.0}, Kind.RUNS),
        ({"chw_flow": 60.0}, Kind.LEAST),  # 0.3 of full load, the rule asks for 0.4
        ({"chw_flow": 140.0}, Kind.LIKE),  # 0.7, the fault was seen at 0.5 and 0.15 is allowed
    ],
)
def test_what_is_not_so_pauses_the_count_and_nothing_is_foretold(changed: dict[str, float], kind: Kind) -> None:
    made = shown(WELL | changed)
    assert met(made)[kind] is False
    assert made.paused
    assert made.closes_at is None


def test_what_is_not_known_is_neither_met_nor_unmet() -> None:
    made = shown({})
    assert set(met(made).values()) == {None}


def test_what_is_not_heard_of_pauses_the_count_too_and_is_named() -> None:
    made = shown({name: value for name, value in WELL.items() if name != "chiller_run_status"})
    assert made.paused
    assert made.closes_at is None
    assert [(check.kind, check.missing) for check in made.holding] == [(Kind.RUNS, True)]


def test_statuses_that_contradicted_each_other_are_told_as_they_stand() -> None:
    facts = replace(APPROACH, claims=(), facts=(Fact("pump_command", True), Fact("pump_status", False)))
    well = shown({"pump_command": 1.0, "pump_status": 1.0}, machine=PUMP, rule="PU-01", evidence=facts)
    still = shown({"pump_command": 1.0, "pump_status": 0.0}, machine=PUMP, rule="PU-01", evidence=facts)
    assert [(check.kind, check.met) for check in well.checks[:1]] == [(Kind.STATES, True)]
    assert still.checks[0].met is False
    assert still.checks[0].name.en.endswith("on, Pump status stopped")


def test_a_ticket_that_waits_for_no_proof_has_none() -> None:
    seen = Seen(Quantities(PLANT, CHILLER, lambda _: None), {}, lambda _: None)
    assert proving(ticket(state=State.IN_PROGRESS), RULES["CH-04"], APPROACH, seen, T0) is None


def test_a_parked_ticket_foretells_nothing() -> None:
    seen = Seen(Quantities(PLANT, CHILLER, lambda _: None), {}, lambda _: None)
    parked = proving(ticket(state=State.PARKED), RULES["CH-04"], APPROACH, seen, T0)
    assert parked is not None
    assert (parked.parked, parked.closes_at, parked.needed_ms) == (True, None, RULES["CH-04"].verify_for_ms)
